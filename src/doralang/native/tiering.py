"""Moving up: functions that are hot get optimized code while the program runs on.

    attention -> the frames that run -> hot -> a thread: optimize, compile, place -> the entry cell

Compiled code counts nothing.  Every 50 ms the program looks up anyway (`runtime.ticker`), and what is
running then is noted with its caller; a function that has been seen twice is hot.  Who calls it next comes to
its new code.  Those who are in the old one stay there until they leave it, so it is kept.

With `--hot-now`, for tests, each function has its new code as soon as it is called for the first time: that
call runs the old code, all others the new one.
"""

from __future__ import annotations

from itertools import islice

from doralang.code.tiers import BASELINE, LLVM
from doralang.native.options import VERIFIES, optimized_tier
from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread
    from typing import Final

    from doralang.native.module import Module
    from doralang.native.running import Executor
    from doralang.runtime.instance import Instance
    from doralang.settings import Settings

SAMPLES: Final = 2
"""how often a function is seen until it is hot"""
FRAMES: Final = 3
"""frames that are looked at: that of the stub, of what runs, and of its caller"""


class Tiering:
    """Looks for hot functions of one run, and has them compiled."""

    def __init__(self, module: Module, tier: str, hot: int) -> None:
        self.module = module
        self.tier = tier
        self.hot = hot
        self.seen: dict[str, int] = {}
        """how often, by name of the function"""
        self.waiting: list[tuple[Module, str]] = []
        self.thread: Thread | None = None
        self.is_over = False
        self.failures: list[str] = []
        """what could not be compiled: the functions stay as they are; only a run that verifies fails"""

    # Looking, in the thread that runs the program.

    def look(self, instance: Instance) -> None:
        """Note what runs."""
        places = instance.space.places
        for _, address in islice(instance.frames(), FRAMES):
            point = places.get(address)
            if point is not None:
                function = point.callers[-1].function if point.callers else point.function
                if not function.raw:
                    self.note(function.name, is_shared=function.shared)
        if self.waiting and self.thread is None:
            thread = self.thread = load("threading").Thread(target=self.work, daemon=True)
            thread.start()

    def note(self, name: str, *, is_shared: bool) -> None:
        """A function has been seen."""
        count = self.seen[name] = self.seen.get(name, 0) + 1
        if count == self.hot:
            parent = self.module.parent
            self.waiting.append((parent if is_shared and parent is not None else self.module, name))

    # Compiling, in a thread of its own.

    def work(self) -> None:
        """Compile what is waiting, one function after the other, until there is nothing."""
        if self.tier == LLVM:
            load("doralang.optimizing.llvm.compiler")  # which takes long, and nobody waits for it here
        while not self.is_over and self.waiting:
            module, name = self.waiting.pop(0)
            with module.space:
                if not self.is_over:
                    self.promote(module, name)
        self.thread = None

    def promote(self, module: Module, name: str) -> None:
        try:
            module.promote(name, self.tier)
        except Exception as error:  # the program does not need it
            self.failures.append(f"{name}: {error!r}")

    def stop(self) -> None:
        """The run is over: nothing is placed any more."""
        with self.module.space:
            self.is_over = True
            self.waiting.clear()


class MovingUp:
    """While a program runs in it, its functions may move up; not if somebody looks at its code."""

    def __init__(self, executor: Executor, settings: Settings) -> None:
        module, tier = executor.module, optimized_tier(settings)
        self.tiering = Tiering(module, tier, settings.hot or SAMPLES)
        self.modules = [one for one in (module, module.parent) if one is not None]
        if settings.hot_now:
            for one in self.modules:
                one.at_once = tier
        elif module.emission is None:
            executor.watcher = self.tiering

    def __enter__(self) -> None:
        """Nothing more is to be done."""

    def __exit__(self, *error: object) -> None:
        for one in self.modules:
            one.at_once = BASELINE
        self.tiering.stop()
        assert not (VERIFIES and self.tiering.failures), self.tiering.failures

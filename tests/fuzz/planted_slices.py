"""Planted bugs in what compilers make of slices, which the random loops over slices must notice.

python tests/fuzz/planted_slices.py                   looks for each bug by the program that is noted for it
python tests/fuzz/planted_slices.py --search NAME     looks for a program that finds it
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from doralang.baseline import calls
from doralang.baseline import slices as baseline
from doralang.code import layout
from doralang.optimizing import counted_loops, strips
from doralang.optional import LLVM, is_installed, load
from doralang.types.kinds import INT, LONG

sys.path.insert(0, str(Path(__file__).parent.parent))

from fuzz import slices
from fuzz.compare import set_strips
from fuzz.planted import replace

PATIENCE: Final = 20
"""seconds of processor time for one program"""
TRIED: Final = 200


class Bug(NamedTuple):
    """How it is planted, the engine in which it can be seen, and the seed of a program that finds it."""

    plant: Callable[[], None]
    engine: str
    seed: int

    @property
    def name(self) -> str:
        return self.plant.__name__


def inline(key: str, emit: Callable[..., None]) -> None:
    assert key in calls.INLINE, f"there is no {key} any more"
    calls.INLINE[key] = emit


def slice_of_any_call() -> None:
    """Its length is what it was."""

    def wrong(context: Any, insn: Any) -> None:
        slice = baseline.checked_reference(context, insn.args[0], context.work[0], insn.nonnil)
        context.masm.load(INT, context.work[1], slice, layout.SLICE_LENGTH)
        context.frame.written(insn.dst, context.work[1])

    inline("LentElements.len", wrong)


def strip_of_any_stride() -> None:
    """Elements are taken to stand one behind the other."""

    def wrong(context: Any, insn: Any) -> None:
        slice = baseline.checked_reference(context, insn.args[0], context.work[0], insn.nonnil)
        context.masm.load(LONG, context.work[1], slice, layout.SLICE_ADDRESS)
        context.frame.written(insn.dst, context.work[1])

    inline("lentTogether", wrong)


def strip_of_another_size() -> None:
    """A size that is that of other elements."""
    replace(strips, "SIZES", dict.fromkeys(layout.SIZES, 8))


def slice_of_another_round() -> None:
    """A slice is the same in all rounds, whatever it is."""
    replace(counted_loops.Round, "is_same", lambda self, register, at: True)


def length_of_the_last_slice() -> None:
    """Of slices of several lengths that are gone through, one is looked at."""
    right = strips.StripLimit.shortest
    replace(strips.StripLimit, "shortest", lambda self, offsets: right(self, dict([max(offsets.items())])))


def index_of_the_address() -> None:
    """A `for` that looks again looks at the element behind."""
    right = baseline.address_behind_check

    def wrong(context: Any, slice: Any, index: Any) -> Any:
        address = right(context, slice, index)
        context.masm.binary_immediate(baseline.BinaryOperation.ADD, LONG, address, address, 1)
        return address

    replace(baseline, "address_behind_check", wrong)


def truth_of_one_byte() -> None:
    """A `bool` is what its byte is."""
    replace(baseline, "BOOL", None)


def lent_memory_kept_apart() -> None:
    """Two accesses of what is lent are said not to overlap."""
    context = load("doralang.optimizing.llvm.context").FunctionLowering
    right = context.tag
    replace(
        context,
        "tag",
        lambda self, name: right(self, f"{name} {len(self.tags)}" if name == "lent" else name),
    )


def call_that_is_not_asked_for() -> None:
    """LLVM's code takes any slice for one of the present call."""
    replace(load("doralang.optimizing.llvm.calls"), "is_other_call", lambda context, slice: "false")


BUGS: Final = (
    Bug(slice_of_any_call, "baseline", 4),
    Bug(strip_of_any_stride, "opt", 3),
    Bug(strip_of_another_size, "opt", 11),
    Bug(slice_of_another_round, "opt", 33),
    Bug(length_of_the_last_slice, "opt", 13),
    Bug(index_of_the_address, "hardened", 1),
    Bug(truth_of_one_byte, "opt", 67),
    Bug(lent_memory_kept_apart, "llvm", 34),
    Bug(call_that_is_not_asked_for, "llvm", 3),
)


def is_found(bug: Bug, seed: int) -> bool:
    """Whether a program finds a bug: in a process of its own, which may crash."""
    generator = slices.SliceGenerator(seed)
    text = generator.program()
    set_strips(seed)
    expected = slices.walked(text, generator.calls)
    sys.stdout.flush()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + PATIENCE, int(used) + PATIENCE))
        status = 2
        try:
            bug.plant()
            status = int(slices.compiled(text, generator.calls, **slices.ENGINES[bug.engine]) != expected)
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    set_strips(0)
    return os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 1


def can_be_seen(bug: Bug) -> bool:
    return bug.engine != "llvm" or is_installed(LLVM)


def missed() -> list[str]:
    """The bugs that are not found by the programs that are noted for them."""
    return [bug.name for bug in BUGS if can_be_seen(bug) and not is_found(bug, bug.seed)]


def main() -> int:
    if sys.argv[1:2] == ["--search"]:
        for bug in BUGS:
            if bug.name in sys.argv[2:] or not sys.argv[2:]:
                found = next((seed for seed in range(1, TRIED) if is_found(bug, seed)), None)
                print(f"{bug.name:40} {found}", flush=True)
        return 0
    names = missed()
    print(f"nobody notices: {names}" if names else "all are found")
    return bool(names)


if __name__ == "__main__":
    sys.exit(main())

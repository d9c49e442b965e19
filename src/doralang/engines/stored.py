"""A program in machine code that an earlier run has stored: it runs without having been checked."""

from __future__ import annotations

from doralang.engines.runner import Runner
from doralang.native.running import Executor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.interpreter.objects import Value


class StoredMachine(Executor, Runner):
    """Runs one program.  Its `main` is known by name alone."""

    def call_main(self) -> Value:
        main = self.module.roots.main
        assert main is not None, "the checker asks for a main"
        return self.run(main, [])

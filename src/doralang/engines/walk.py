"""The engine `walk`: the tree of the checked program, evaluated as it stands.  The oracle of all others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from doralang.engines.door import Door, Testing
from doralang.interpreter.objects import ClassInstance
from doralang.treewalk.interpreter import Interpreter


class Machine(Interpreter, Door):
    """Runs one program.  `stdin`, `stdout` and `stderr` are files for bytes."""

    @contextmanager
    def testing(self) -> Iterator[Testing]:
        cls = self.program.library.classes["Testing"]
        object = ClassInstance(cls.of(), self.classes.default_fields(cls.of()))
        slot = self.classes.slot(cls.fields["failed"])
        yield Testing(object, lambda: bool(object.fields[slot]))

    def code_size(self) -> int:
        """There is no code but the tree."""
        return 0

    def print_statistics(self) -> None:
        """There are none."""

"""Functions that a host program supplies: internal ones of a single program, by name.

    host_function("rate", [("region", INT)], DOUBLE, 0, text)     rate(region: int) -> double

Lowering and compilers take them for internal functions; the key says which of the program's it is and what is
in registers, so that programs share the stub of a key.
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker.program import Function, FunctionKind, Local
from doralang.syntax.tree import Modifier
from doralang.text.source import NOWHERE, Source
from doralang.types.types import Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

PREFIX: Final = "host:"


class HostFunction(Function):
    """A function that the host supplies."""

    __slots__ = ("number",)

    def __init__(self, name: str, parameters: Sequence[tuple[str, Type]], result: Type, number: int) -> None:
        super().__init__(name, FunctionKind.FUNCTION, None, Source("<functions>", ""), NOWHERE)
        self.number = number
        """which of the program's it is"""
        self.modifiers = Modifier.INTERNAL
        for parameter, type in parameters:
            self.locals.append(Local(parameter, type, False, len(self.locals)))
        self.parameters = [*self.locals]
        self.result = result
        kinds = ", ".join(str(type) for _, type in parameters)
        self.signature = f"{name}({kinds}) -> {result}"

    @property
    def key(self) -> str:
        types = ", ".join(str(parameter.type) for parameter in self.parameters)
        return f"{PREFIX}{self.number}:({types}) -> {self.result}"


def number_of(key: str) -> int | None:
    """Which of a program's host functions a key is for; None if it is another internal function."""
    return int(key.split(":")[1]) if key.startswith(PREFIX) else None

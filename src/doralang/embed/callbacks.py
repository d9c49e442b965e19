"""Host functions: Python functions that a program calls, granted by name, with a declared signature.

    def rate(region: int) -> float: ...

    m = dora.compile("fun price(r: int) -> double { return 100.0 * rate(r); }", functions={"rate": rate})

What they raise passes through the program and comes out as itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from doralang.checker.hosts import HostFunction
from doralang.embed.borders import Border, border_of
from doralang.embed.conversion import TO_WORD, utf8
from doralang.embed.kinds import declared, type_named
from doralang.native.upcalls import Upcalls
from doralang.types.kinds import Kind
from doralang.types.types import Type


class Callback:
    """A Python function, and how values cross to it."""

    def __init__(self, name: str, function: Callable[..., Any], number: int, text: Type) -> None:
        if not callable(function):
            raise TypeError(f"functions: {name!r} is not callable")
        signature = declared(name, function)
        parameters = [(parameter, type_named(kind, text)) for parameter, kind in signature.parameters]
        result = type_named(signature.result, text)
        self.function = function
        self.declaration = HostFunction(name, parameters, result, number)
        self.parameters = [border_of(type, text) for _, type in parameters]
        self.result = border_of(result, text)

    def call(self, upcalls: Upcalls, words: list[int]) -> int:
        """Call it with the words of its arguments; the word of the result.  Raises whatever it raises."""
        values = [
            self.value(upcalls, border, word) for border, word in zip(self.parameters, words, strict=True)
        ]
        return self.word(upcalls, self.function(*values))

    def value(self, upcalls: Upcalls, border: Border | None, word: int) -> Any:
        assert border is not None, "it was declared"
        value = upcalls.from_word(word, border.kind)
        if border.kind is Kind.REF:
            return None if value is None else value.data.decode()  # type: ignore[union-attr]
        return chr(value) if border is Border.CHAR else value  # type: ignore[arg-type]

    def word(self, upcalls: Upcalls, value: Any) -> int:
        """The word of a result.  Raises TypeError and OverflowError, as for arguments."""
        name = f"{self.declaration.name}(): its result"
        if self.result is Border.UNIT:
            if value is not None:
                raise TypeError(f"`{name}`: expected None, found {type(value).__name__}")
            return 0
        if self.result is Border.TEXT:
            return upcalls.new_text(utf8(value, name))
        assert self.result is not None, "it was declared"
        return TO_WORD[self.result](value, name)


def callbacks_of(functions: Mapping[str, Callable[..., Any]], text: Type) -> list[Callback]:
    """The host functions of a program.  Raises TypeError and ValueError."""
    for name in functions:
        if not name.isidentifier():
            raise ValueError(f"functions: {name!r} is no name")
    return [
        Callback(name, function, number, text) for number, (name, function) in enumerate(functions.items())
    ]

"""Native functions by way of a source language: what the VM asks (`bytecode.native.NativeProvider`).

provider = SourceProvider("c")
provider.compile([total, square])   ->   {total: <native function>, square: <native function>}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.native import NativeFunction
from doralang.source.c import c_text
from doralang.source.functions import calls_of, reason_against
from doralang.source.go import go_text
from doralang.source.loading import SharedObject
from doralang.source.names import entry_name, identifiers
from doralang.source.toolchains import C_TOOLCHAIN, GO_TOOLCHAIN, Toolchain, ToolchainError, compile_text


class SourceText(Protocol):
    """Writes functions in a language, all or those to be shown."""

    def __call__(self, functions: Sequence[Function], shown: Container[FunctionRef] | None = None) -> str: ...


class SourceLanguage(NamedTuple):
    """A language that functions can be generated in."""

    toolchain: Toolchain
    prelude: Path
    """what stands before the functions"""
    text: SourceText
    most_objects: int | None
    """how many shared objects of it a process may load; none for any number"""


HERE: Final = Path(__file__).parent
LANGUAGES: Final = {
    "c": SourceLanguage(C_TOOLCHAIN, HERE / "prelude.c", c_text, None),
    "go": SourceLanguage(GO_TOOLCHAIN, HERE / "prelude.go", go_text, 8),
}
"""Each object from Go brings a whole runtime of Go, which is never unloaded."""


LOADED: Final[Counter[str]] = Counter()
"""shared objects in this process, by name of the language"""


class SourceProvider:
    """Compiles functions by generating source.  `show` gets the functions of each text that is generated."""

    def __init__(self, language: str, show: Callable[[Sequence[Function]], None] | None = None) -> None:
        self.language = LANGUAGES[language]
        self.show = show
        self.bytes = 0
        """size of all shared objects"""

    def reason(self, function: Function) -> str:
        return reason_against(function)

    def compile(self, functions: Sequence[Function]) -> Mapping[FunctionRef, NativeFunction | str]:
        reasons = reasons_against(functions)
        chosen = [function for function in functions if function.ref not in reasons]
        if not chosen:
            return reasons
        try:
            return {**reasons, **self.load(chosen)}
        except (ToolchainError, OSError) as error:
            return {**reasons, **{function.ref: str(error) for function in chosen}}

    def load(self, functions: Sequence[Function]) -> dict[FunctionRef, NativeFunction]:
        """Raises ToolchainError."""
        name, most = self.language.toolchain.name, self.language.most_objects
        if most is not None and LOADED[name] >= most:
            raise ToolchainError(f"this process has {most} shared objects from {name}, which is the most")
        text = self.language.text(functions)
        if self.show is not None:
            self.show(functions)
        refs = [function.ref for function in functions]
        with compile_text(self.language.toolchain, f"{self.language.prelude.read_text()}\n{text}") as path:
            self.bytes += path.stat().st_size
            try:
                library = SharedObject(path, refs)
            except OSError as error:
                raise ToolchainError(f"what was compiled cannot be loaded: {error}") from None
        LOADED[name] += 1
        names = identifiers(refs)
        return {ref: library.function(entry_name(names[ref]), ref) for ref in refs}


def reasons_against(functions: Sequence[Function]) -> dict[FunctionRef, str]:
    """Why some of these functions cannot be compiled: for what they do, or for one that they call."""
    reasons: dict[FunctionRef, str] = {}
    there = {function.ref for function in functions}
    for function in functions:
        reason = reason_against(function)
        if reason:
            reasons[function.ref] = reason
    found = True
    while found:
        found = False
        for function in functions:
            if function.ref in reasons:
                continue
            for callee in calls_of(function):
                if callee in reasons or callee not in there:
                    reasons[function.ref] = f"it calls {callee.name}"
                    found = True
                    break
    return reasons

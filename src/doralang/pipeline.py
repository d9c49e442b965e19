"""The stages that a program passes through, from text to machine code, and how each is shown.

    tokens -> ast -> program -> bytecode -> trace, c, go, asm
                                         -> graph, dot -> optimized -> asm

The first three are those of a whole file.  The others each function passes through by itself, those of the
library, too: `--emit` shows them as the engine compiles them, `dump_stage` shows the functions that a program
may run.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from doralang.optional import load
from doralang.text.diagnostics import Diagnostics
from doralang.text.records import record
from doralang.text.source import Source


class Stage(Enum):
    """In the order of the flow."""

    TOKENS = "tokens"
    AST = "ast"
    PROGRAM = "program"
    BYTECODE = "bytecode"
    GRAPH = "graph"
    DOT = "dot"
    OPTIMIZED = "optimized"
    LLVM = "llvm"
    TRACE = "trace"
    C = "c"
    GO = "go"
    ASM = "asm"


@record(eq=True, frozen=True)
class Printer:
    """How the text of a file becomes the dump of a stage: `print(make(source, diagnostics))`.

    Functions are modules and names.  A formula is made by `make_formula`; where that is None, more than its
    text is needed.
    """

    make: tuple[str, str]
    make_formula: tuple[str, str] | None
    print: tuple[str, str]
    with_source: bool = False
    """whether the printer wants the source, too, for positions"""


OF_FILES: Final = {
    Stage.TOKENS: Printer(
        ("doralang.syntax.lexer", "lex"),
        ("doralang.syntax.lexer", "lex_formula"),
        ("doralang.syntax.dump", "dump_tokens"),
    ),
    Stage.AST: Printer(
        ("doralang.syntax.parser", "parse_file"),
        ("doralang.syntax.formula_parser", "parse_formula"),
        ("doralang.syntax.dump", "dump"),
        True,
    ),
    Stage.PROGRAM: Printer(
        ("doralang.checker.library", "check_source"), None, ("doralang.checker.printer", "dump_program")
    ),
}
"""stages of whole files"""

STAGES: Final = tuple(Stage)
OF_FUNCTIONS: Final = tuple(stage for stage in Stage if stage not in OF_FILES)


def dump_stage(stage: Stage, source: Source, *, formula: bool = False) -> str:
    """A stage of this source as text.

    Errors in the source are nobody's business here: what could be understood is printed (of a program
    that does not check, nothing is). Formulas have the stages of files that need nothing but their text.
    """
    row = OF_FILES.get(stage)
    if row is None:
        return "" if formula else str(getattr(load("doralang.session.stages"), stage.value)(source))
    make = row.make_formula if formula else row.make
    if make is None:
        return ""
    made = named(make)(source, Diagnostics())
    arguments = (made, source) if row.with_source else (made,)
    return str(named(row.print)(*arguments))


def named(function: tuple[str, str]) -> Callable[..., object]:
    """A function by its module and name."""
    module, name = function
    found: Callable[..., object] = getattr(load(module), name)
    return found


def dump_files(names: set[str], source: Source, *, formula: bool = False) -> str:
    """The dumps of those of these stages that are of whole files, in the order of the flow."""
    return "".join(dump_stage(stage, source, formula=formula) for stage in OF_FILES if stage.value in names)

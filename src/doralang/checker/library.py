"""The library, read once a process and declared as far as it is asked for; and programs checked against it.

prelude()                    for the interpreters
compiled_library(layout)     with the files of the heap, for engines that make machine code
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from doralang.checker.checker import CheckedLibrary, MainRule, check_library, check_program
from doralang.checker.on_demand import TURN, on_demand
from doralang.checker.program import Program
from doralang.library.files import PUBLIC_NAMES, read_heap, read_prelude
from doralang.syntax.parser import parse_file
from doralang.text.diagnostics import Diagnostics
from doralang.text.pause import NO_CYCLES
from doralang.text.source import LIBRARY, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LAYOUT: Final = "layout.dora"
"""what the text of layout constants is called"""


LIBRARIES: Final[dict[str, CheckedLibrary]] = {}
"""by the text of layout constants, which the prelude alone does not have: for all threads the same ones"""


def prelude() -> CheckedLibrary:
    """The prelude.  What is in it is parsed and checked when somebody needs it."""
    TURN.refuse_handlers()
    return LIBRARIES.get("") or library_of("", read_prelude())


def compiled_library(layout: str) -> CheckedLibrary:
    """The prelude and the files of the heap, as one unit.

    `layout` is a text of constants, `const THREAD_TOP: long = 8L;` and so on: the numbers are known to the
    runtime, which the checker does not know.
    """
    TURN.refuse_handlers()
    found = LIBRARIES.get(layout)
    return found or library_of(layout, [*read_prelude(), (LAYOUT, layout), *read_heap()])


def library_of(layout: str, texts: Iterable[tuple[str, str]]) -> CheckedLibrary:
    """The first one that is made counts, whoever else makes one at the same time."""
    return LIBRARIES.setdefault(layout, on_demand(sources_of(texts), PUBLIC_NAMES))


def sources_of(texts: Iterable[tuple[str, str]]) -> list[Source]:
    """Files of the library, by name and text."""
    return [Source(name, text, unit=LIBRARY) for name, text in texts]


def whole_library(sources: Sequence[Source]) -> CheckedLibrary:
    """All of a library at once, with all checks: what is declared on demand is a part of the same.

    What is reported about it stays with it: users get the reports of their own program only, and a test
    checks all bodies.
    """
    diagnostics = Diagnostics()
    with NO_CYCLES:
        files = [(source, parse_file(source, diagnostics, lazy=True)) for source in sources]
        library = check_library(files, PUBLIC_NAMES, diagnostics)
    assert not diagnostics.errors, f"the library has errors: {diagnostics.reports}"
    return library


def as_program(library: CheckedLibrary) -> Program:
    """The library as a program without anything of its own."""
    return Program(Source("library", "", unit=LIBRARY), library.library)


def check_source(
    source: Source,
    diagnostics: Diagnostics,
    *,
    main: MainRule = MainRule.OPTIONAL,
    library: CheckedLibrary | None = None,
) -> Program | None:
    """The typed program of a file; none if there are errors.  Warnings are no errors."""
    library = library or prelude()
    with NO_CYCLES:
        file = parse_file(source, diagnostics)
        program = check_program(source, file, diagnostics, library, main=main)
    return None if diagnostics.errors else program

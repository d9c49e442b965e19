"""The rules of `@raw` functions in library files (reference, 16.4), and raw memory in programs."""

from __future__ import annotations

import pytest

from doralang.checker.checker import check_library, check_program
from doralang.checker.formula_programs import check_formula
from doralang.checker.library import prelude
from doralang.library.files import HEAP_FOLDER, PUBLIC_NAMES, read_file, read_prelude
from doralang.library.internals import RAW
from doralang.syntax.formula_parser import parse_formula
from doralang.syntax.parser import parse_file
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import LIBRARY, Source

HEADER = """
class Cell { var next: Cell; var value: int; @raw fun get() -> int { return self.value; } }
open class Shape { open fun area() -> int { return 1; } @raw open fun edge() -> int { return 2; } }
fun plain() {}
@raw fun raw(a: long) -> long { return a; }
"""


def reports(body: str) -> list[tuple[str, str]]:
    """Position and message of each E0906 in these functions, which follow raw.dora and a few others."""
    diagnostics = Diagnostics()
    texts = [*read_prelude(), ("raw.dora", read_file(HEAP_FOLDER, "raw.dora")), ("header.dora", HEADER)]
    sources = [Source(name, text, unit=LIBRARY) for name, text in [*texts, ("test.dora", body)]]
    files = [(source, parse_file(source, diagnostics)) for source in sources]
    library = check_library(files, PUBLIC_NAMES, diagnostics)
    for function in library.library.functions.values():
        assert function.internal or function.body is not None
    for owner in library.library.classes.values():
        for member in [*owner.methods.values(), *owner.constructors]:
            assert member.internal or member.body is not None
    errors = [report for report in diagnostics.reports if report.code.startswith("E")]
    assert {report.code for report in errors} <= {"E0906"}, errors
    return [(str(report.source.position(report.span.start)), report.message) for report in errors]


GOOD = {
    "nothing": "@raw fun f() {}",
    "memory": "@raw fun f(a: long) { storeLong(a, loadLong(a + 8L)); }",
    "loops": "@raw fun f(n: int) -> int { var i = 0; while i < n { i = i + 1; } return i; }",
    "primitives": "@raw fun f(x: double) -> long { return doubleBits(x) >>> 3L; }",
    "parameters and results": "@raw fun f(a: Cell) -> Cell { return a.next; }",
    "fields": "@raw fun f(a: Cell, b: Cell) { a.next = b; a.value = 3; }",
    "elements": "@raw fun f(a: Array<int>) { a[0] = a[1] + a.len(); }",
    "texts": "@raw fun f(a: Str) -> int { return a.len() + a.getByte(0).toInt(); }",
    "literals": '@raw fun f() -> long { return callNative0(nativeAddress("getpid")); }',
    "raw functions": "@raw fun f(c: Cell) -> long { return raw(c.get().toLong()); }",
    "results of class type": "@raw fun f(a: long) -> long { return addressOf(fromAddress::<Str>(a)); }",
    "others do as they like": 'fun f() -> Str { let a = "a"; return a + a; }',
}


@pytest.mark.parametrize("body", GOOD.values(), ids=list(GOOD))
def test_what_raw_functions_may_do(body: str) -> None:
    assert reports(body) == []


CANNOT_CALL = "a raw function cannot call"
BAD = {
    "allocate an object": ("@raw fun f() -> Cell {\n  return Cell(); }", "2:10", "cannot allocate"),
    "allocate an array": ("@raw fun f() -> long { return addressOf(Array::<int>(3)); }", "1:41", "allocate"),
    "allocate a text": ("@raw fun f() -> Str { return newText(3); }", "1:30", CANNOT_CALL),
    "concatenate": ('@raw fun f(a: Str) -> Str { return a + "b"; }', "1:38", CANNOT_CALL),
    "call": ("@raw fun f() { plain(); }", "1:16", f"{CANNOT_CALL} `plain`, which is not raw"),
    "call within an argument": ("@raw fun f(a: int) { raw(a.max(1).toLong()); }", "1:27", CANNOT_CALL),
    "call what is virtual": ("@raw fun f(s: Shape) -> int { return s.area(); }", "1:39", CANNOT_CALL),
    "call what can be overridden": ("@raw fun f(s: Shape) -> int { return s.edge(); }", "1:39", "overridden"),
    "have an object": ("@raw fun f(a: Cell) { let b = a.next; }", "1:23", "the variable `b` of type `Cell`"),
    "have nil": ("@raw fun f() { let b: Str = nil; }", "1:16", "the variable `b` of type `Str`"),
    "have what may be one": ("@raw fun f<T>(a: T) { let b = a; }", "1:23", "the variable `b` of type `T`"),
    "have one without value": ("@raw fun f() { var b: Str; }", "1:16", "the variable `b` of type `Str`"),
    "have one in a loop": ("@raw fun f(a: Cell) { while true { let b = a; } }", "1:36", "`b`"),
    "have one in a branch": ("@raw fun f(a: Cell) { if true { } else { let b = a; } }", "1:42", "`b`"),
    "catch": ("@raw fun f() { do { } catch e: Str { } }", "1:36", "the variable `e` of type `Str`"),
    "bound by a trait": ("@raw fun f<T: Equals>(a: T) -> bool { return a.equals(a); }", "1:47", CANNOT_CALL),
}


@pytest.mark.parametrize(("body", "position", "message"), BAD.values(), ids=list(BAD))
def test_what_raw_functions_must_not_do(body: str, position: str, message: str) -> None:
    [(found, text)] = reports(body)
    assert (found, message in text) == (position, True), text


def test_a_loop_over_a_range_allocates() -> None:
    complaints = reports("@raw fun f() { for i in range(0, 3) { } }")
    assert complaints and {position for position, _ in complaints} <= {"1:16", "1:25"}


def test_methods_and_constructors_have_the_rules_too() -> None:
    assert len(reports("class A { @raw fun f() { plain(); } @raw init() { plain(); } }")) == 2


def test_the_names_of_raw_memory_are_those_of_the_library() -> None:
    diagnostics = Diagnostics()
    source = Source("raw.dora", read_file(HEAP_FOLDER, "raw.dora"), unit=LIBRARY)
    library = check_library(
        [(one, parse_file(one, diagnostics)) for one in [*prelude_sources(), source]],
        PUBLIC_NAMES,
        diagnostics,
    ).library
    declared = {name for name, function in library.functions.items() if function.source is source}
    bits = {"doubleBits", "doubleFromBits", "floatBits", "floatFromBits", "multiplyHigh"}
    assert declared | bits == RAW | {"newText"}
    assert bits <= set(prelude().library.functions)


def prelude_sources() -> list[Source]:
    return [Source(name, text, unit=LIBRARY) for name, text in read_prelude()]


# Programs.


def program_errors(text: str) -> list[tuple[str, str]]:
    diagnostics = Diagnostics()
    source = Source("test.dora", text)
    check_program(source, parse_file(source, diagnostics), diagnostics, prelude())
    return [(report.code, str(source.position(report.span.start))) for report in diagnostics.sorted()]


@pytest.mark.parametrize("name", sorted(RAW))
def test_programs_do_not_see_raw_memory(name: str) -> None:
    assert program_errors(f"fun main() {{\n  {name}(1L); }}") == [("E0905", "2:3")]


@pytest.mark.parametrize("name", sorted(RAW))
def test_programs_may_use_the_names_themselves(name: str) -> None:
    assert program_errors(f"fun {name}(a: long) {{}} fun main() {{ {name}(1L); }}") == []


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("@raw fun f() {}", "1:1"),
        ("class A { @raw fun f() {} }", "1:11"),
        ("class A { @raw static fun f() {} }", "1:11"),
        ("class A { @raw init() {} }", "1:11"),
        ("trait T { fun f(); } class A\nimpl T for A { @raw fun f() {} }", "2:16"),
    ],
)
def test_programs_have_no_raw_functions(text: str, position: str) -> None:
    assert program_errors(f"{text}\nfun main() {{}}") == [("E0905", position)]


def test_rules_of_raw_functions_are_no_matter_in_programs() -> None:
    assert program_errors("@raw fun f() { let a = Vec::<int>(); }\nfun main() {}") == [("E0905", "1:1")]


def test_formulas_do_not_see_raw_memory() -> None:
    diagnostics = Diagnostics()
    source = Source("", "loadByte(1L)")
    check_formula(source, parse_formula(source, diagnostics), diagnostics, prelude(), {})
    assert [report.code for report in diagnostics.reports] == ["E0905"]

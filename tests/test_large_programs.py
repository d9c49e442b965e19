"""Programs of a size that nobody writes by hand: generated here, run like those of `language/`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import ENGINES, Result, dora
from doralang.checker import bounds

LINKS = 10_000
"""Chains of operators, calls and `else if` have at least so many links (reference 3.2)."""
TOO_DEEP = 100_000


@pytest.fixture(autouse=True)
def _recursion_limit_stays() -> Iterator[None]:
    before = sys.getrecursionlimit()
    yield
    assert sys.getrecursionlimit() == before


def main_with(expression: str) -> str:
    return f"fun main() {{\n  println(({expression}).toString());\n}}\n"


def else_if_chain(links: int) -> str:
    parts = [f"else if n == {i} {{ return {i + 1}; }}" for i in range(1, links)]
    chain = "\n  ".join(["if n == 0 { return 1; }", *parts, "else { return 0; }"])
    return f"fun pick(n: int) -> int {{\n  {chain}\n}}\n" + main_with(f"pick({links - 1}) + pick(-1)")


def call_chain(links: int) -> str:
    counter = "class Counter(var n: int) {\n  fun up() -> Counter { self.n = self.n + 1; return self; }\n}\n"
    return counter + main_with(f"Counter(0){'.up()' * links}.n")


def many_arms(pattern: str, shown: str, type: str, count: int) -> str:
    """A `match` whose patterns are made of the numbers of its arms; the last one fits."""
    arms = "".join(f"    {pattern.format(3 * i, 3 * i + 1)} => {i},\n" for i in range(count))
    pick = f"fun pick(x: {type}) -> int {{\n  match x {{\n{arms}    _ => -1,\n  }}\n}}\n"
    return pick + main_with(f"pick({shown.format(3 * count - 3)})")


def many_functions(count: int) -> str:
    functions = [f"fun f{i}(n: int) -> int {{ return n + {i}; }}\n" for i in range(count)]
    return "".join(functions) + main_with(f"f0(1) + f{count - 1}(2)")


def many_literals(count: int) -> str:
    lines = [f"  sum = sum + {1000 + i}L;\n" for i in range(count)]
    return "fun main() {\n  var sum = 0L;\n" + "".join(lines) + "  println(sum.toString());\n}\n"


def many_parameters(count: int) -> str:
    parameters = ", ".join(f"p{i}: {'int' if i % 2 else 'double'}" for i in range(count))
    arguments = ", ".join(str(i) if i % 2 else f"{i}.5" for i in range(count))
    last = count - 1 if count % 2 == 0 else count - 2
    return f"fun f({parameters}) -> int {{ return p1 + p{last}; }}\n" + main_with(f"f({arguments})")


def constants(count: int) -> str:
    """Each depends on the next one."""
    chain = "".join(f"const C{i}: int = C{i + 1} + 1;\n" for i in range(count))
    return chain + f"const C{count}: int = 1;\n" + main_with("C0")


def descendants(count: int) -> str:
    """Each class extends the one before."""
    first = "open class C0 { open fun f() -> int { return 0; } }\n"
    rest = [
        f"open class C{i}: C{i - 1} {{ override fun f() -> int {{ return {i}; }} }}\n"
        for i in range(1, count)
    ]
    use = f"fun main() {{\n  let c: C0 = C{count - 1}();\n  println(c.f().toString());\n  println((c is C5).toString());\n}}\n"
    return first + "".join(rest) + use


def nested(opening: str, inner: str, closing: str, levels: int) -> str:
    return "fun main() {\n" + opening * levels + inner + closing * levels + "\n}\n"


def boxes(levels: int) -> str:
    """A value of a type with that many levels."""
    return "class B<T>(let x: T)\n" + main_with("B(" * levels + "1" + ")" * levels + ".x" * levels)


def written_type(levels: int) -> str:
    type = "Array<" * levels + "T" + ">" * levels
    return f"fun f<T>(x: {type}, y: T) -> {type} {{ return x; }}\n" + main_with("f(nil, 1) === nil")


def waiting_calls(levels: int) -> str:
    """Each `V()` gets its type from the one around it, and two constructors are tried at each level."""
    text = "class V<T> { init(a: V<T>) { } init(a: Array<V<T>>) { } init() { } }\n"
    return text + nested("", f'let v: V<int> = {"V(" * levels}{")" * levels}; println("x");', "", 1)


LARGE: dict[str, tuple[str, str]] = {
    "sums": (main_with("+".join(["1"] * LINKS)), f"{LINKS}\n"),
    "alternating sums": (main_with("1" + "-1+1" * (LINKS // 2)), "1\n"),
    "products": (main_with("*".join(["1"] * LINKS)), "1\n"),
    "conjunctions": (main_with("&&".join(["true"] * LINKS)), "true\n"),
    "bits": (main_with("^".join(["1"] * LINKS)), "0\n"),
    "strings": (main_with("(" + "+".join(['"a"'] * 1000) + ").len()"), "1000\n"),
    "calls": (call_chain(LINKS), f"{LINKS}\n"),
    "else if": (else_if_chain(LINKS), f"{LINKS}\n"),
    "numbers to match": (many_arms("{}", "{}", "int", 2000), "1999\n"),
    "ranges to match": (many_arms("{}..={}", "{}", "int", 1000), "999\n"),
    "texts to match": (many_arms('"a{}"', '"a{}"', "Str", 2000), "1999\n"),
    "numbers and ranges to match": (many_arms("{0} | {0}..={1}", "{}", "int", 700), "699\n"),
    "parts to match": (
        many_arms('(Some({}), "a")', '(Option::Some({}), "a")', "(Option<int>, Str)", 1000),
        "999\n",
    ),
    "functions": (many_functions(2000), "2002\n"),
    "literals": (many_literals(2000), f"{sum(range(1000, 3000))}\n"),
    "parameters": (many_parameters(300), "300\n"),
    "constants": (constants(LINKS), f"{LINKS + 1}\n"),
    "descendants": (descendants(LINKS), f"{LINKS - 1}\ntrue\n"),
    "try in try": (nested("do { ", 'print("x");', ' } finally { print("."); }', 200), "x" + "." * 200),
    "finally in finally": (nested("do { } finally { ", 'print("x");', " }", 200), "x"),
    "jumps out of finally": (nested("loop { do { ", "return;", " } finally { break; } }", 100), ""),
    "boxes": (boxes(250), "1\n"),
    "written types": (written_type(250), "true\n"),
    "waiting calls": (waiting_calls(200), "x\n"),
}

ENORMOUS: dict[str, tuple[str, str]] = {
    "sums": (main_with("1+" * 300_000 + "1"), "300001\n"),
    "calls": (call_chain(100_000), "100000\n"),
    "a long string": (main_with('"' + "x" * 1_000_000 + '".len()'), "1000000\n"),
    "zero bytes": ('fun main() { print("a\0b"); }', "a\0b"),
    "finally in finally": (nested("do { } finally { ", 'print("x");', " }", 900), "x"),
    "boxes": (boxes(900), "1\n"),
    "written types": (written_type(900), "true\n"),
    "waiting calls": (waiting_calls(900), "x\n"),
}
"""What the front end must cope with; the tree walk shows that the result is right."""

WRONG: dict[str, tuple[bytes, list[str]]] = {
    "empty": (b"", ["1:1: error[E0901]"]),
    "white space": (b" \n" * 100_000, ["1:1: error[E0901]"]),
    "not UTF-8": (b'fun main() { print("\xff"); }', ["1:21: error[E0108]"]),
    "no text at all": (b"\xff" * 1_000_000, ["1:1: error[E0108]"]),
    "zero bytes": (b"\0" * 100_000, ["1:1: error[E0101]"]),
    "a long line": (
        b'fun main() {\n  let s: int = "' + b"x" * 1_000_000 + b'"; y;\n}\n',
        ["2:16: error[E0401]", "2:1000020: error[E0301]"],
    ),
    "a cycle of constants": (
        "".join(f"const C{i}: int = C{(i + 1) % LINKS} + 1;\n" for i in range(LINKS)).encode()
        + b"fun main() { }\n",
        ["1:1: error[E0415]"],
    ),
    "a cycle of classes": (
        "".join(f"open class C{i}: C{(i + 1) % LINKS}\n" for i in range(LINKS)).encode()
        + b"fun main() { }\n",
        ["1:6: error[E0503]"],
    ),
    "a type too deep for its message": (
        f"class B<T>(let x: T)\nfun main() {{\n  let a: int = {'B(' * 900}1{')' * 900};\n}}\n".encode(),
        ["3:16: error[E0401]"],
    ),
    "a path through nested branches": (
        f"fun f() -> int {'{ if true ' * 480}{{ return 1; }}{' else { } }' * 480}\nfun main() {{ }}\n".encode(),
        ["1:4835: error[E0702]"],
    ),
}

DEEP: dict[str, str] = {
    "parentheses": main_with("(" * TOO_DEEP + "1" + ")" * TOO_DEEP),
    "open parentheses": "fun main() {\n  println(" + "(" * TOO_DEEP,
    "unary operators": main_with("- " * TOO_DEEP + "1"),
    "blocks": "fun main() " + "{" * TOO_DEEP + "}" * TOO_DEEP,
    "try": "fun f() throws -> int { return 1; }\n" + main_with("try! " * TOO_DEEP + "f()"),
    "indices": "fun main() {\n  let a = Array(1, 0);\n  println("
    + "a[" * TOO_DEEP
    + "0"
    + "]" * TOO_DEEP
    + ".toString());\n}\n",
}


def run(path: Path, engine: str) -> tuple[int, str, str]:
    result = dora("run", f"--engine={engine}", "--error-format=short", str(path))
    return result.status, result.out, result.err


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", LARGE)
def test_large_programs_run(name: str, engine: str, tmp_path: Path) -> None:
    text, expected = LARGE[name]
    path = tmp_path / "large.dora"
    path.write_text(text)
    assert run(path, engine) == (0, expected, "")


@pytest.mark.parametrize("name", ENORMOUS)
def test_enormous_programs_are_checked_and_run(name: str, tmp_path: Path) -> None:
    text, expected = ENORMOUS[name]
    path = tmp_path / "enormous.dora"
    path.write_text(text)
    assert dora("check", str(path)) == Result(0, "", "")
    assert run(path, "walk") == (0, expected, "")


@pytest.mark.parametrize("name", WRONG)
def test_odd_texts_are_errors(name: str, tmp_path: Path) -> None:
    text, expected = WRONG[name]
    path = tmp_path / "odd.dora"
    path.write_bytes(text)
    status, stdout, stderr = run(path, "walk")
    *reports, last = stderr.splitlines()
    assert (status, stdout, last) == (1, "", "1 error" if len(expected) == 1 else f"{len(expected)} errors")
    assert [report.removeprefix(f"{path}:").split("]")[0] + "]" for report in reports] == expected


def test_ten_thousand_errors_are_counted_and_the_first_hundred_shown(tmp_path: Path) -> None:
    path = tmp_path / "errors.dora"
    path.write_text("fun main() { " + "".join(f"x{i}; " for i in range(10_000)) + "}")
    result = dora("check", str(path))
    assert result.err.count("error[E0301]") == 100
    assert result.err.endswith("\n9900 more\n10000 errors\n")
    assert len(result.err) < 100 * 1000, "a long line is not shown as a whole"
    assert dora("check", "--error-format=json", str(path)).err.count("E0301") == 10_000


@pytest.mark.parametrize("name", DEEP)
def test_too_deep_nesting_is_one_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.dora"
    path.write_text(DEEP[name])
    status, stdout, stderr = run(path, "walk")
    assert (status, stdout) == (1, "")
    assert stderr.count("error[E0215]") == 1
    assert stderr.endswith("\n1 error\n")


def test_deeply_nested_types_get_an_answer(tmp_path: Path) -> None:
    """Types need no limit, but may have one."""
    path = tmp_path / "types.dora"
    path.write_text("fun f(x: " + "Array<" * TOO_DEEP + "int" + ">" * TOO_DEEP + ") { }\nfun main() { }\n")
    status, stdout, stderr = run(path, "walk")
    assert (status, stdout) in ((0, ""), (1, ""))
    assert stderr.count("error[E0215]") == status


def test_a_long_line_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "long.dora"
    path.write_text("fun main() { " + "println(1.toString()); " * 5 + " " * 1_000_000 + "}\n")
    assert run(path, "walk") == (0, "1\n" * 5, "")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_generic_that_never_ends_gets_an_answer(tmp_path: Path, engine: str) -> None:
    """Every instance needs a larger one: a failure or an error, but no endless compilation."""
    path = tmp_path / "endless.dora"
    path.write_text(
        "class Box<T>(let item: T)\n"
        "fun grow<T>(x: T, n: int) -> int { return grow(Box(x), n + 1) + 1; }\n" + main_with("grow(1, 0)")
    )
    status, stdout, stderr = run(path, engine)
    assert status in (1, 107, 108)
    assert stdout == ""
    assert stderr


@pytest.mark.parametrize("engine", ENGINES)
def test_a_recursion_with_many_locals_overflows(tmp_path: Path, engine: str) -> None:
    """Its frames are larger than what is kept free below the limit of the stack."""
    path = tmp_path / "locals.dora"
    count = 12_000
    lines = [f"let a{number} = n + {number};" for number in range(count)]
    sums = [f"sum = sum + a{number};" for number in range(count)]
    body = "\n".join([*lines, "var sum = f(n + 1);", *sums, "return sum;"])
    path.write_text(f"fun f(n: int) -> int {{\n{body}\n}}\n" + main_with("f(0)"))
    status, stdout, stderr = run(path, engine)
    assert (status, stdout) == (108, "")
    assert stderr.startswith(
        f"stack overflow\n0: f(int) -> int: {count + 2}\n1: f(int) -> int: {count + 2}\n"
    )


def test_a_long_chain_of_adapters_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them has an iterator only because the one before does, which is looked up once."""
    links, asked = 400, []
    by_impl = bounds.by_impl
    monkeypatch.setattr(bounds, "by_impl", lambda *arguments: asked.append(1) or by_impl(*arguments))
    path = tmp_path / "chain.dora"
    path.write_text(
        main_with("range(0, 3).iter()" + ".map(|n| n + 1).filter(|n| n > 0)" * (links // 2) + ".sum()")
    )
    assert run(path, "walk") == (0, f"{3 + 3 * links // 2}\n", "")
    assert len(asked) < 10 * links

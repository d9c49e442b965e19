"""Programs of a size that nobody writes by hand: generated here, run like those of `language/`."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import ENGINES, dora

LINKS = 10_000
"""Chains of operators, calls and `else if` have at least so many links (reference 3.2)."""
TOO_DEEP = 100_000


def main_with(expression: str) -> str:
    return f"fun main() {{\n  println(({expression}).toString());\n}}\n"


def else_if_chain(links: int) -> str:
    parts = [f"else if n == {i} {{ return {i + 1}; }}" for i in range(1, links)]
    chain = "\n  ".join(["if n == 0 { return 1; }", *parts, "else { return 0; }"])
    return f"fun pick(n: int) -> int {{\n  {chain}\n}}\n" + main_with(f"pick({links - 1}) + pick(-1)")


def call_chain(links: int) -> str:
    counter = "class Counter(var n: int) {\n  fun up() -> Counter { self.n = self.n + 1; return self; }\n}\n"
    return counter + main_with(f"Counter(0){'.up()' * links}.n")


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


LARGE: dict[str, tuple[str, str]] = {
    "sums": (main_with("+".join(["1"] * LINKS)), f"{LINKS}\n"),
    "alternating sums": (main_with("1" + "-1+1" * (LINKS // 2)), "1\n"),
    "products": (main_with("*".join(["1"] * LINKS)), "1\n"),
    "conjunctions": (main_with("&&".join(["true"] * LINKS)), "true\n"),
    "bits": (main_with("^".join(["1"] * LINKS)), "0\n"),
    "strings": (main_with("(" + "+".join(['"a"'] * 1000) + ").len()"), "1000\n"),
    "calls": (call_chain(LINKS), f"{LINKS}\n"),
    "else if": (else_if_chain(LINKS), f"{LINKS}\n"),
    "functions": (many_functions(2000), "2002\n"),
    "literals": (many_literals(2000), f"{sum(range(1000, 3000))}\n"),
    "parameters": (many_parameters(300), "300\n"),
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


def test_a_generic_that_never_ends_gets_an_answer(tmp_path: Path) -> None:
    """Every instance needs a larger one: a failure or an error, but no endless compilation."""
    path = tmp_path / "endless.dora"
    path.write_text(
        "class Box<T>(let item: T)\n"
        "fun grow<T>(x: T, n: int) -> int { return grow(Box(x), n + 1) + 1; }\n" + main_with("grow(1, 0)")
    )
    status, stdout, stderr = run(path, "walk")
    assert status in (1, 107, 108)
    assert stdout == ""
    assert stderr

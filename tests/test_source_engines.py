"""The engines `c` and `go`: what becomes native, what stays in the VM, and toolchains that fail."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from command_line import Result, dora, dora_alone
from doralang.source.toolchains import find_c, find_go
from language_cases import Command, lines_match, parse_file
from test_language import FILES, LANGUAGE, run

ENGINES = [
    pytest.param("c", marks=pytest.mark.skipif(find_c() is None, reason="there is no C compiler")),
    pytest.param("go", marks=pytest.mark.skipif(find_go() is None, reason="there is no Go toolchain")),
]
FOLDERS = ("integers", "floats", "flow", "functions", "failures", "traces", "operators", "casts", "programs")
SAMPLE = [
    path
    for path in FILES
    if path.parent.name in FOLDERS and (case := parse_file(path)).command is Command.RUN and not case.errors
][::6]

PROGRAM = """
fun square(n: int) -> int { return n * n; }
fun sum(a: Array<int>, n: int) -> int {
  var sum = 0;
  for i in range(0, n) { sum = sum + square(a[i]); }
  return sum;
}
fun fill(a: Array<int>) -> Array<int> { for i in range(0, a.len()) { a[i] = i; } return a; }
fun same(a: Array<int>, b: Array<int>) -> bool { return a === b; }
fun letters(s: Str) -> int { var n = 0; for i in range(0, s.len()) { if s.getByte(i) > 96.toByte() { n = n + 1; } } return n; }
fun deep(n: int) -> int { return deep(n + 1) + 1; }
fun endless() -> int { var n = 0; while true { n = n + 1; } return n; }
"""


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    """One cache for all, so that what was compiled once is there."""
    patch = pytest.MonkeyPatch()
    patch.setenv("DORA_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


def write(tmp_path: Path, main: str) -> str:
    path = tmp_path / "prog.dora"
    path.write_text(PROGRAM + "fun main() {\n" + main + "\n}\n")
    return str(path)


def run_with(engine: str, *arguments: str) -> Result:
    """Objects from Go are so few in a process that earlier tests may have used them up."""
    return (dora_alone if engine == "go" else dora)("run", f"--engine={engine}", *arguments)


MAIN = """
let a = Array::<int>(5);
println(fill(a)[4].toString());
println(same(a, fill(a)).toString() + same(a, Array::<int>(5)).toString() + same(nil, nil).toString());
println(sum(a, 5).toString() + " " + letters("Hello World").toString() + " " + letters("").toString());
println(sum(Array::<int>(0), 0).toString());
println(sum(a, 5 + argc()).toString());
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_arrays_and_strings_cross_the_border(tmp_path: Path, engine: str) -> None:
    path = write(tmp_path, MAIN)
    result = run_with(engine, "--stats", path)
    assert result.out == "4\ntruefalsetrue\n30 8 0\n0\n30\n"
    native = {line.split(":")[0].strip() for line in result.err.splitlines() if line.endswith(": native")}
    assert {"square", "sum", "fill", "same", "letters", "deep", "endless"} <= native
    assert "  main: in the VM, because it makes arrays\n" in result.err
    failed, walked = (run_with(one, path, "more") for one in (engine, "walk"))
    assert failed == walked
    assert failed.status == 102


@pytest.mark.parametrize("engine", ENGINES)
def test_failures_of_native_code(tmp_path: Path, engine: str) -> None:
    path = write(tmp_path, "println(sum(nil, argc()).toString());\nprintln(deep(1).toString());")
    failed, walked = (run_with(one, path, "more") for one in (engine, "walk"))
    assert failed == walked
    assert failed.status == 103
    overflow = run_with(engine, path)
    assert (overflow.status, overflow.out) == (108, "0\n")
    assert overflow.err.startswith("stack overflow\n0: deep(int) -> int: ")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_generated_text_can_be_seen(tmp_path: Path, engine: str) -> None:
    result = run_with(engine, f"--emit={engine}", write(tmp_path, "println(square(7).toString());"))
    assert "dora_square" in result.out
    assert "r1 = r0 * r0" in result.out
    assert result.out.endswith("\n49\n")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: str(path.relative_to(LANGUAGE)))
def test_programs_of_the_language_suite(path: Path, engine: str) -> None:
    if engine == "go" and path != SAMPLE[0]:
        pytest.skip("a process holds few objects from Go")
    case = parse_file(path)
    outcome = run(case, path, engine)
    assert outcome.stdout == case.expected_stdout, outcome.stderr
    assert outcome.exit_status == case.expected_exit
    if outcome.exit_status != 108:
        assert lines_match(case.stderr, outcome.stderr)


@pytest.mark.parametrize(
    ("compiler", "message"),
    [
        ("/no/such/compiler", "there is no C compiler; install one, or: pip install 'dora-lang[c]'"),
        ("/bin/false", "the C compiler failed: status 1"),
        ("{crashing}", "the C compiler failed: status -11"),
        ("{wrong}", "what was compiled cannot be loaded"),
    ],
)
def test_a_toolchain_that_fails_leaves_the_program_in_the_vm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str, message: str
) -> None:
    crashing, wrong = tmp_path / "crashing", tmp_path / "wrong"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    wrong.write_text('#!/bin/sh\nfor word; do case "$word" in *.so) echo nonsense > "$word";; esac; done\n')
    crashing.chmod(0o700)
    wrong.chmod(0o700)
    monkeypatch.setenv("CC", compiler.format(crashing=crashing, wrong=wrong))
    result = dora("run", "--engine=c", "--stats", write(tmp_path, "println(square(7).toString());"))
    assert (result.status, result.out) == (0, "49\n")
    assert f"  square: in the VM, because {message}" in result.err


def test_without_a_cache_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DORA_CACHE", "off")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    result = dora("run", "--engine=c", "--stats", write(tmp_path, "println(square(7).toString());"))
    assert result.out == "49\n"
    assert "  square: native" in result.err
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.skipif(find_go() is None, reason="there is no Go toolchain")
def test_go_takes_the_c_compiler_that_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look for `gcc` or `clang` itself, and there may be none but that of the package ziglang."""
    compiler, asked = tmp_path / "compiler", tmp_path / "asked"
    compiler.write_text(f'#!/bin/sh\necho asked > "{asked}"\nexec {shlex.join(find_c() or [])} "$@"\n')
    compiler.chmod(0o700)
    monkeypatch.setenv("CC", str(compiler))
    monkeypatch.setenv("DORA_CACHE", str(tmp_path / "cache"))
    done = run_with("go", write(tmp_path, "println(square(7).toString());"))
    assert (done.status, done.out, done.err) == (0, "49\n", "")
    assert asked.exists()

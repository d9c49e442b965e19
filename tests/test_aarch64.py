"""Dora on AArch64: a slice of the language suite and the tests of the machine layer, in an emulator.

`tools/aarch64 test` runs all of it.  Skipped where the emulator is missing or has not been set up, but for
continuous integration, which sets it up.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

import emulation
import sampling
from doralang.code.collectors import COLLECTORS

EVERY = 16 if sampling.EVERY else 60
"""Every so many programs of the language suite are run."""


@pytest.fixture(autouse=True)
def emulator() -> None:
    try:
        emulation.check()
    except emulation.Unavailable as problem:
        if os.environ.get("CI"):
            pytest.fail(str(problem))  # there it has been installed
        pytest.skip(str(problem))


def output_of(capfd: pytest.CaptureFixture[str]) -> str:
    captured = capfd.readouterr()
    return captured.out + captured.err


@pytest.mark.parametrize("collector", sorted(COLLECTORS))
def test_a_slice_of_the_language_suite(collector: str, capfd: pytest.CaptureFixture[str]) -> None:
    status = emulation.suite([f"--every={EVERY}", f"--gc={collector}"])
    output = output_of(capfd)
    assert status == 0, output
    assert " on aarch64 in " in output and int(output.splitlines()[-1].split()[0]) > (
        30 if sampling.EVERY else 20
    )


def test_hardened_code(capfd: pytest.CaptureFixture[str]) -> None:
    """The code of programs that nobody trusts does the same."""
    arguments = [f"--every={4 * EVERY}", "--gc=swiper", "--no-stress", "--hardened"]
    assert emulation.suite(arguments) == 0, output_of(capfd)


def test_the_machine_layer(capfd: pytest.CaptureFixture[str]) -> None:
    tests = emulation.MACHINE_TESTS if sampling.EVERY else emulation.MACHINE_TESTS[: emulation.QUICK_TESTS]
    arguments = ["-k", emulation.NOT_UNDER_UNICORN, *tests]
    assert emulation.pytest(arguments) == 0, output_of(capfd)


def test_code_of_llvm(capfd: pytest.CaptureFixture[str]) -> None:
    tests = "TestLLVM and (results or failures or traces)"
    assert emulation.pytest(["tests/conformance/test_code.py", "-k", tests]) == 0, output_of(capfd)
    assert "17 passed" in output_of(capfd)


def test_a_program(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A failure with its trace, and the program's status."""
    path = tmp_path / "fails.dora"
    path.write_text("fun main() { println(7.toString()); fail(nil); }\nfun fail(x: Str) { x.len(); }\n")
    assert subprocess.run(emulation.command_line(["-m", "doralang", str(path)])).returncode == 103
    assert output_of(capfd) == "7\nnil check failed\n0: fail(Str): 2\n1: main(): 1\n"


def test_loops_are_left_for_better_code(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The third round of the inner loop, and what failed in the code that took its place."""
    path = tmp_path / "loops.dora"
    path.write_text(
        "fun main() {\n  var sum = 0.5; var cell = Array(3, 7);\n  for i in range(0, 9) {\n"
        "    for k in range(0, 5) { sum = sum + cell[(i + k) % 3].toDouble(); cell = Array(3, i * k); }\n  }\n"
        "  println(sum.toString());\n  println(cell[5].toString());\n}\n"
    )
    options = ["--no-cache", "--no-llvm", "--hot-now", "--hot=3", "--gc-stress", "--stats"]
    command = emulation.command_line(["-m", "doralang", *options, str(path)])
    assert subprocess.run(command).returncode == 102
    told = r"335.5\narray index out of bounds\n0: main\(\): 7\nmoving up: 0 functions, [1-9]\d* loops entered"
    assert re.match(told, output_of(capfd))


ARRAYS = """
from array import array
import doralang as dora
print(dora.expr("(a*b + c - 2.5) * d")(array("d", range(5)), 2, array("f", range(5)), 1))
share = dora.expr("n % m", {"n": int, "m": int})
print(share.map((7, array("i", [1, 2, 3])), out=array("q", [0, 0, 0]), threads=2))
try:
    share(7, array("q", [1, 2, 0]))
except dora.DivisionByZero as error:
    print(error.element, *error.__notes__)
m = dora.compile(\"\"\"
fun turn(xs: Slice<float>, ys: MutSlice<float>) {
  var i = ys.len();
  for x in xs { i = i - 1; ys[i] = x; }
}
fun count(xs: Slice<bool>) -> int { var n = 0; for i in 0..xs.len() { if xs[i] { n = n + 1; } } return n; }
\"\"\")
ys = array("f", [0, 0, 0])
m.turn(memoryview(array("f", [1, 2, 3, 4, 5]))[::2], ys)
print(ys, m.count(memoryview(bytes([0, 1, 2, 128])).cast("?")))
try:
    m.turn(array("f", [1, 2]), array("f", [1]))
except dora.IndexOutOfBounds:
    print("refused")
"""


def test_formulas_and_functions_over_arrays(capfd: pytest.CaptureFixture[str]) -> None:
    assert subprocess.run(emulation.command_line(["-c", ARRAYS])).returncode == 0
    expected = "array('d', [-2.5, 0.5, 3.5, 6.5, 9.5])\narray('q', [0, 1, 1])\n(2,) in element 2\n"
    expected += "array('f', [5.0, 3.0, 1.0]) 3\nrefused\n"
    assert output_of(capfd) == expected


LOOP = """
fun main() {
  println("begun");
  var i = 0L;
  while true { i = i + 1L; }
}
"""


def test_a_loop_is_interrupted(tmp_path: Path) -> None:
    """The ticker's thread, the attention stub and the GIL, on this processor."""
    path = tmp_path / "loop.dora"
    path.write_text(LOOP)
    command = emulation.command_line(["-m", "doralang", str(path)])
    terminal, end = os.openpty()  # a program writes to a terminal at once
    with subprocess.Popen(command, stdout=end, stderr=subprocess.PIPE) as program:
        os.close(end)
        assert program.stderr and os.read(terminal, 100) == b"begun\r\n"
        program.send_signal(signal.SIGINT)
        assert re.fullmatch(rb"interrupted\n0: main\(\): [345]\n", program.stderr.read())
    os.close(terminal)
    assert program.returncode == 130


def test_every_test_of_the_machine_layer_is_there() -> None:
    assert all((emulation.PROJECT / path).exists() for path in emulation.MACHINE_TESTS)

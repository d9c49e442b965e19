"""Code of programs that nobody trusts: their numbers stand in no code, and indexes are masked."""

from __future__ import annotations

import ctypes
import gc
import re
import struct
from functools import partial
from typing import Literal

import pytest

import doralang as dora
import sampling
from compiling import compiled_program, own_bytecode
from doralang.baseline import compiler
from doralang.embed import direct, formulas
from doralang.embed.kernels import Kernels
from doralang.engines import native
from doralang.machine.listing import Syntax, listing
from doralang.machine.targets import TARGETS, host
from doralang.native.options import code_options
from doralang.native.showing import environment_of
from language_cases import Command, parse_file
from test_language import FILES, run

NUMBERS = (0x3C909090, -0x3C6F6F70, 0x12345, 0x1122334455667788, -0x1122334455667788, 1 << 63)
SOURCE = """
fun long1(x: long) -> long { x + 0x1122334455667788L }
fun long2(x: long) -> long { if x > -0x1122334455667788L { x * 0x1122334455667788L } else { 0x3C909090L } }
fun int1(x: int) -> int { (x ^ 0x3C909090) + 0x12345 }
fun int2(x: int) -> int { let a = Array::<int>(3, 0x3C909090); a[x] = 0x12345; a[x] + a[0] }
fun cases(x: int) -> int { match x { 0x3C909090 => 1, 0x12345 => 2, 0x3C909091 => 3, 0x3C909093 => 4, _ => 5 } }
fun letter(c: char) -> bool { c == '\U0010fffd' }
fun float1(x: float) -> float { x * 1.2345F }
fun double1(x: double) -> double { x * 1234.56789 - 1.0e300 }
fun loops(n: int) -> long {
  var x = 0L;
  for i in 0..n { x = x * 6364136223846793005L + 1442695040888963407L; x = x ^ (x >>> 29L); }
  x
}
fun passed() -> long { long1(0x1122334455667788L) + int1(0x3C909090).toLong() }
"""
EVERY = 1 if sampling.EVERY else 12


def patterns() -> list[bytes]:
    """All that may not be found in code."""
    integers = [*NUMBERS, 0x3C909091, 0x3C909093, 0x10FFFD, 6364136223846793005, 1442695040888963407]
    found = [(number & (1 << 64) - 1).to_bytes(8, "little").rstrip(b"\0") for number in integers]
    found = [data if len(data) > 4 else data.ljust(3, b"\0") for data in found]
    return [*found, struct.pack("<f", 1.2345), struct.pack("<d", 1234.56789), struct.pack("<d", 1.0e300)]


@pytest.mark.skipif(host() is None, reason="there is no compiled code")
@pytest.mark.parametrize("policy", ["trusted", "untrusted"])
def test_numbers_of_a_program_stand_in_no_code(policy: Literal["trusted", "untrusted"]) -> None:
    m = dora.compile(SOURCE, policy=policy)
    for name in m.functions:
        arguments = {"passed": (), "letter": ("\U0010fffd",)}.get(name, (1,))
        getattr(m, name)(*arguments)
    assert (m.long1(1), m.cases(0x12345), m.letter("\U0010fffd")) == (0x1122334455667789, 2, True)
    assert (m.cases(0x3C909090), m.cases(1), m.int1(0)) == (1, 5, 0x3C909090 + 0x12345)
    for _ in range(30):
        m.loops(1_000_000)  # gets better code meanwhile
    loader = m._program.code.loader
    codes = [placed.code.code.data for placed in [*loader.placed.values(), *loader.retired]]
    assert len(codes) >= len(SOURCE.split("fun ")) - 1
    found = {pattern.hex() for pattern in patterns() for code in codes if pattern in code}
    assert not found if policy == "untrusted" else len(found) > 5


@pytest.mark.skipif(host() is None, reason="there is no compiled code")
def test_the_same_numbers_are_one_word_and_are_freed() -> None:
    m = dora.compile(SOURCE, policy="untrusted")
    assert m.long1(1) == 0x1122334455667789 and m.long2(1) == 0x1122334455667788
    loader = m._program.code.loader
    assert len(loader.numbers) == 2
    assert loader.data_size >= 16
    arena = loader.space.arena
    before = arena.data.used
    del m, loader
    assert arena.data.used < before


@pytest.mark.skipif(not formulas.IS_POSSIBLE, reason="there is no direct path for this processor")
@pytest.mark.parametrize("types", [None, {"x": float, "y": int}])
def test_numbers_of_a_formula_stand_in_no_code(types: dict[str, type] | None) -> None:
    formula = dora.expr("x * 1234.56789 + 1e300 / y - 1234.56789", types)
    assert formula(0.0, 1) == 1e300 - 1234.56789
    placed = formula._code
    code = bytes((ctypes.c_char * placed.size).from_address(placed.address))
    assert not [pattern for pattern in patterns() if pattern in code]
    place = direct.PLACES[0]
    assert placed.address in place.tables
    address, used = placed.address, place.arena.data.used
    assert dora.expr("n * 305419896L", {"n": int})(3) == 916259688
    del formula, placed
    assert address not in place.tables and place.arena.data.used < used


@pytest.mark.skipif(not formulas.HAS_ARRAY_ENTRIES, reason="no machine code takes arrays on this processor")
@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("x * 1234.56789 + 1e300 / y - 1234.56789", None),
        ("x > 1234.56789 ? y : 1e300", {"x": "float", "y": "double"}),
    ],
)
def test_numbers_of_a_kernel_stand_in_no_code(text: str, types: dict[str, str] | None) -> None:
    np = pytest.importorskip("numpy")
    formula = dora.expr(text, types)
    kind = np.float32 if types else np.float64
    arrays = np.arange(1.0, 11.0).astype(kind), np.arange(1.0, 11.0)
    assert formula(*arrays).tolist() == [formula(float(x), float(y)) for x, y in zip(*arrays, strict=True)]
    kernels = [one for one in gc.get_objects() if isinstance(one, Kernels) and one.source == text]
    placed = [code for one in kernels for code in one.kept.values()]
    assert placed
    for code in placed:
        data = ctypes.string_at(code.address, code.size)
        assert not [pattern for pattern in patterns() if pattern in data]


MASKED = {
    "x64": re.compile(r"jae 0x\w+\n[^\n]*sbbq %r11, %r11\n([^\n]*movl[^\n]*\n)?[^\n]*andq %r11"),
    "arm64": re.compile(r"b\.hs [^\n]*\n[^\n]*csel w\d+, w\d+, wzr, lo\n[^\n]*csdb"),
}
MASKED_BY_CALL = {
    "x64": re.compile(r"andq %r11[^\n]*\n([^\n]*movq[^\n]*\n){2}[^\n]*cmpq[^\n]*\n[^\n]*sete"),
    "arm64": re.compile(r"csdb *\n([^\n]*ldr[^\n]*\n){2}[^\n]*cmp[^\n]*\n[^\n]*cset w\d+, eq\n[^\n]*neg"),
}
"""behind the mask of an index of a slice, for the number of the call"""
CHECK = {"x64": re.compile(r"\bjae\b"), "arm64": re.compile(r"\bb\.hs\b")}
INDEXES = """
fun ints(a: Array<int>, i: int) -> int { a[i] = a[i + 1]; a[i] }
fun texts(a: Array<Str>, i: int) -> Str { a[i] = a[0]; a[i] }
fun bytes(s: Str, i: int) -> int { s.getByte(i).toInt() }
fun lent(s: MutSlice<double>, i: int) -> double { s[i] = 1.0; s[i] }
fun each(s: Slice<double>) -> double { var all = 0.0; for x in s { all += x; } all }
fun main() {
  ints(Array::<int>(2), 0);
  texts(Array::<Str>(1, ""), 0);
  bytes("a", 0);
  lent(nil, 0);
  each(nil);
}
"""


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_each_check_of_an_index_has_a_mask_behind_it(name: str) -> None:
    target, checks, masks, of_slices = TARGETS[name], 0, 0, 0
    for specializer, bytecode in own_bytecode(compiled_program(INDEXES)):
        environment = environment_of(specializer)
        environment.masks_indexes = True
        made = compiler.compile_for(target, bytecode, environment, compiler.Options())
        text = listing(made.code, target, Syntax.ATT)
        checks += len(CHECK[name].findall(text))
        masks += len(MASKED[name].findall(text))
        of_slices += len(MASKED_BY_CALL[name].findall(text))
    assert checks == masks == 10
    assert of_slices == 3


@pytest.mark.parametrize("engine", ["baseline", "opt"])
def test_programs_do_the_same(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of the language suite."""
    monkeypatch.setattr(native, "code_options", partial(code_options, hardened=True))
    cases = [(path, parse_file(path)) for path in FILES]
    chosen = [(path, case) for path, case in cases if case.command is not Command.CHECK and not case.errors]
    for path, case in chosen[:: EVERY if engine == "baseline" else 4 * EVERY]:
        outcome = run(case, path, engine)
        assert (outcome.stdout, outcome.exit_status) == (case.expected_stdout, case.expected_exit), path

"""Names of programs that mean something in C or Go: keywords, macros, functions of their libraries, and the
names that stand in every generated text.  Whatever has such a name becomes native all the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from command_line import dora
from doralang.lower.names import OWN
from doralang.source.toolchains import find_c, find_go
from doralang.syntax.words import KEYWORDS
from doralang.types.types import PRIMITIVE_TYPES

C_WORDS = """
alignas alignof asm auto bool break case char const constexpr continue default do double else enum extern false
float for goto if inline int long nullptr register restrict return short signed sizeof static static_assert struct
switch thread_local true typedef typeof typeof_unqual union unsigned void volatile while
_Alignas _Alignof _Atomic _BitInt _Bool _Complex _Decimal32 _Generic _Imaginary _Noreturn _Static_assert _Thread_local
__asm__ __attribute__ __inline __int128 __thread __typeof__ __FILE__ __LINE__ __func__ __VA_ARGS__ __COUNTER__
NULL EOF BUFSIZ RAND_MAX CHAR_BIT INT_MAX INT_MIN INT32_MIN INT32_MAX INT64_MIN SIZE_MAX UINT64_C INT64_C DBL_MAX
INFINITY NAN HUGE_VAL M_PI M_E FP_NAN MATH_ERRNO math_errhandling isnan isinf fpclassify signbit offsetof
linux unix i386 errno stdin stdout stderr assert complex I signgam main
int8_t int32_t int64_t uint8_t uint32_t size_t ptrdiff_t wchar_t max_align_t float_t double_t
abs exit abort malloc free printf memcpy sin cos pow fmod exp log sqrt floor round gamma j0 y1 index time read write
object place thread value unlikely fail note_place interrupted is_too_deep HALF PATIENCE divide_int double_bits
v t r0 r1 L0 L1 rounds arrays array0 head_0 leave_0 path_0 trace items length limit trap depth as_int dora_x enter_dora_x
"""

GO_WORDS = """
break case chan const continue default defer else fallthrough for func go goto if import interface map package range
return select struct switch type var
any append bool byte cap clear close comparable complex complex64 complex128 copy delete error false float32 float64
imag init int int8 int16 int32 int64 iota len make max min new nil panic print println real recover rune string true
uint uint8 uint16 uint32 uint64 uintptr main C math bits unsafe runtime _cgo_init mostActive slot notePlace
"""

NOT_FOR_PROGRAMS = {*KEYWORDS, *PRIMITIVE_TYPES, "main", "Self", "println", "range"}
WORDS = sorted({*C_WORDS.split(), *GO_WORDS.split()} - NOT_FOR_PROGRAMS)

PARTS = {
    "global": ("var {0}: int = 1;", "", "{0} = {0} + i % 7; sum = sum + {0};"),
    "local": ("", "var {0} = 1;", "{0} = {0} + i % 7; sum = sum + {0};"),
    "function": ("fun {0}(n: int) -> int {{ return n % 7 + {1}; }}", "", "sum = sum + {0}(i);"),
    "parameter": ("fun f{1}({0}: int) -> int {{ return {0} % 7 + {1}; }}", "", "sum = sum + f{1}(i);"),
    "class": (
        "class {0}(let n: int) {{ static fun of(n: int) -> int {{ return n % 7 + {1}; }} }}",
        "let o{1} = {0}(3);",
        "sum = sum + {0}::of(i) + o{1}.n;",
    ),
    "method": (
        "class K{1}(let n: int) {{ fun {0}(n: int) -> int {{ return n % 7 + self.n; }} }}",
        "let o{1} = K{1}(3);",
        "sum = sum + o{1}.{0}(i);",
    ),
    "field": (
        "class K{1}(var {0}: int)",
        "let o{1} = K{1}(3);",
        "o{1}.{0} = o{1}.{0} + i; sum = sum + o{1}.{0};",
    ),
}
"""by what has the name: what stands outside of `main`, at its start, and in its loop"""

AT_ONCE = 20
"""names in one loop"""


def program(part: str, words: Sequence[str]) -> str:
    """A loop for every few names, each of which uses them, in a function of its own."""
    outside, start, inside = PARTS[part]
    lines, calls = [], []
    for first in range(0, len(words), AT_ONCE):
        some = list(enumerate(words))[first : first + AT_ONCE]
        lines += [outside.format(word, number) for number, word in some]
        lines += [f"fun loop{first}() -> int {{", "  var sum = 0;"]
        lines += ["  " + start.format(word, number) for number, word in some]
        lines += [
            "  for i in range(0, 40) {",
            *["    " + inside.format(word, number) for number, word in some],
        ]
        lines += ["  }", "  return sum;", "}"]
        calls.append(f"  println(loop{first}().toString());")
    return "\n".join([*lines, "fun main() {", *calls, "}\n"])


def run(part: str, path: Path, engine: str, *options: str) -> str:
    """What the engine did; the program's output must be that of the tree walk."""
    path.write_text(program(part, WORDS))
    walk = dora("run", "--engine=walk", str(path))
    assert walk.status == 0, walk.err
    # In a process of its own: one holds few objects from Go.
    command = [sys.executable, "-m", "doralang", "run", f"--engine={engine}", *options, "--stats", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.stdout == walk.out
    return result.stderr


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    before = os.environ.get("DORA_CACHE")
    os.environ["DORA_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ["DORA_CACHE"] = before or "off"


@pytest.mark.skipif(find_c() is None, reason="there is no C compiler")
@pytest.mark.parametrize("part", PARTS)
def test_loops_over_anything_named_like_a_word_of_c_become_traces(part: str, tmp_path: Path) -> None:
    told = run(part, tmp_path / "prog.dora", "trace", "--hot=3", "--hot-now")
    assert "compiler failed" not in told
    loops = [line for line in told.splitlines() if line.startswith("  loop") and ", line" in line]
    assert len(loops) == len(range(0, len(WORDS), AT_ONCE))
    assert all("a trace of" in line for line in loops), told


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param("c", marks=pytest.mark.skipif(find_c() is None, reason="there is no C compiler")),
        pytest.param("go", marks=pytest.mark.skipif(find_go() is None, reason="there is no Go toolchain")),
    ],
)
@pytest.mark.parametrize("part", ["local", "function", "parameter", "class"])
def test_functions_named_like_a_word_become_native(engine: str, part: str, tmp_path: Path) -> None:
    told = run(part, tmp_path / "prog.dora", engine)
    assert "failed" not in told
    native = {
        line.strip().removesuffix(": native").removeprefix(OWN)
        for line in told.splitlines()
        if line.endswith(": native")
    }
    if part == "function":
        assert set(WORDS) <= native
    if part == "local":
        assert {f"loop{first}" for first in range(0, len(WORDS), AT_ONCE)} <= native
    if part == "class":
        assert {f"{word}::of" for word in WORDS} <= native

"""The internal functions that are Dora functions in compiled code, against Python's own texts and bytes."""

from __future__ import annotations

import io
import os
import signal
import threading
from pathlib import Path

import pytest

from command_line import Result, dora
from doralang.cli.main import run_command
from doralang.runtime.instance import OUTPUT_SIZE

LENGTHS = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31]
PAIRS = [
    (left + "x" * tail, left + middle + "x" * tail)
    for length in LENGTHS
    for tail in (0, 1, 9)
    for left in ["abcdefgh" * 4]
    for left in [left[:length]]
    for middle in ("", "a", "y", "\x7f", "é")
]


def run(body: str, *arguments: str, functions: str = "") -> Result:
    path = f"fun main() {{ {body} }}\n{functions}"
    return dora("--engine=baseline", "-", *arguments, stdin=path)


def lines(body: str, *arguments: str) -> list[str]:
    result = run(body, *arguments)
    assert (result.status, result.err) == (0, "")
    return result.out.split("\n")[:-1]


EACH_PAIR = "var i = 0; while i + 1 < argc() { let a = argv(i); let b = argv(i + 1); i = i + 2; "


def flat(pairs: list[tuple[str, str]]) -> list[str]:
    return [text for pair in pairs for text in pair]


def test_texts_are_equal_if_their_bytes_are() -> None:
    expected = ["true" if a == b else "false" for a, b in PAIRS]
    assert len(set(expected)) == 2
    assert lines(EACH_PAIR + "println((a == b).toString()); }", *flat(PAIRS)) == expected


def test_equality_looks_at_every_byte() -> None:
    base = "abcdefghijklmnopqrst"
    changed = [base[:at] + "_" + base[at + 1 :] for at in range(len(base))]
    found = lines(EACH_PAIR + "println((a == b).toString()); }", *flat([(base, one) for one in changed]))
    assert found == ["false"] * len(base)


def test_texts_are_ordered_as_their_bytes() -> None:
    both = PAIRS + [(b, a) for a, b in PAIRS]
    expected = [str((a.encode() > b.encode()) - (a.encode() < b.encode())) for a, b in both]
    assert set(expected) == {"-1", "0", "1"}
    assert lines(EACH_PAIR + "println(a.compareTo(b).toString()); }", *flat(both)) == expected


def test_concatenation_and_copies() -> None:
    expected = [part for a, b in PAIRS for part in (a + b, a, b)]
    body = (
        EACH_PAIR
        + """
      println(a + b); println(a.clone());
      if a.clone() === a { println("the same"); }
      println(StringBuf().appendString(a).appendString(b).toString().clone().parts(a.len()));
    }"""
    )
    part = """
      impl Parts for Str {
        fun parts(from: int) -> Str { return Str::fromStrPartOrNull(self, from, self.len() - from); }
      }
      trait Parts { fun parts(from: int) -> Str; }"""
    result = run(body, *flat(PAIRS), functions=part)
    assert result.out.split("\n")[:-1] == expected, result.err


def test_what_is_too_long_is_out_of_memory() -> None:
    double = 'var a = "0123456789abcdef"; while true { a = a + a; }'
    result = dora("--engine=baseline", "--heap-size=1M", "-", stdin=f"fun main() {{\n{double} }}")
    assert (result.status, result.err) == (107, "out of memory\n0: main(): 2\n")


@pytest.mark.parametrize(
    "operation", ["a + b", "a.compareTo(b)", "a == b", "b == a", "b.clone()", "print(b)"]
)
def test_nil_fails_where_it_is_used(operation: str) -> None:
    result = run(f'\nlet a = "a"; let b: Str = nil;\n{operation};')
    assert (result.status, result.err) == (103, "nil check failed\n0: main(): 3\n")


# Output.


def test_more_output_than_the_buffer_holds() -> None:
    text = "0123456789abcde" * 11
    count = 3 * OUTPUT_SIZE // len(text)
    result = run(f"var i = 0; while i < {count} {{ println(argv(0)); i = i + 1; }}", text)
    assert result.out == f"{text}\n" * count


@pytest.mark.parametrize("length", [OUTPUT_SIZE - 1, OUTPUT_SIZE, OUTPUT_SIZE + 1, 5 * OUTPUT_SIZE + 3])
def test_texts_about_as_long_as_the_buffer(length: int) -> None:
    text = ("0123456789" * (length // 10 + 1))[:length]
    assert run("print(argv(0)); println(argv(0)); print(argv(1));", text, "").out == text + text + "\n"


def test_zero_bytes_are_printed() -> None:
    assert lines("println(argv(0));", "a\0b") == ["a\0b"]


class Terminal(io.BytesIO):
    """Notes what is written when."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def isatty(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.writes.append(bytes(memoryview(data)))  # type: ignore[arg-type]
        return len(self.writes[-1])


def test_on_a_terminal_each_print_is_seen_at_once() -> None:
    program = b'fun main() { print("a"); println("b"); print(""); println(""); }'
    terminal = Terminal()
    assert run_command(["--engine=baseline", "-"], io.BytesIO(program), terminal, io.BytesIO()) == 0
    assert terminal.writes == [b"a", b"b\n", b"\n"]


# The process and the C library.


def test_arguments() -> None:
    assert lines("print(argc().toString()); println(argv(1) + argv(0));", "ü", "") == ["2ü"]
    for index in ("-1", "1", "int::min_value()", "int::max_value()"):
        result = run(f"argv({index});", "a")
        assert (result.status, result.err) == (102, "array index out of bounds\n0: main(): 1\n")


def test_process_ids() -> None:
    found = lines("println(getpid().toString()); println(getppid().toString());")
    assert found == [str(os.getpid()), str(os.getppid())]


def test_native_functions() -> None:
    body = """
      println(call0(loadFunction("getpid")).toString());
      println(call1(loadFunction("labs"), -5L).toString());
      println(call2(loadFunction("strcmp"), native_string("a"), native_string("a")).toString());
      let memory = native_malloc(4L);
      call3(loadFunction("memset"), memory, 65L, 3L);
      set_uint8(memory + 3L, 0Y);
      println(call1(loadFunction("strlen"), memory).toString());
      native_free(memory);
      println(loadFunction("there is none").toString());
      println(loadFunction(argv(0)).toString());
    """
    assert lines(body, "getpid\0") == [str(os.getpid()), "5", "0", "3", "0", "0"]


@pytest.mark.parametrize("call", ["call0(0L)", "call1(0L, 1L)", "call2(0L, 1L, 2L)", "call3(0L, 1L, 2L, 3L)"])
def test_a_native_function_that_was_not_found_is_nil(call: str) -> None:
    result = run(f"{call};")
    assert (result.status, result.err) == (103, "nil check failed\n0: main(): 1\n")


def test_files_are_deleted(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    body = "let done = try delete(argv(0)) else false; println(done.toString());"
    delete = "fun delete(name: Str) throws -> bool { try File(name).delete(); return true; }"
    results = [run(body, name, functions=delete).out for name in (f"{file}\0", str(file), str(file))]
    assert results == ["false\n", "true\n", "false\n"]
    assert not file.exists()


def test_sleep_wakes_up_for_an_interrupt() -> None:
    timer = threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    result = run('println("a");\nsleep(100);')
    timer.join()
    assert (result.status, result.out, result.err) == (130, "a\n", "interrupted\n0: main(): 2\n")


# The stack.


def test_records_of_deep_stacks() -> None:
    functions = """
      fun deep(n: int) -> Exception {
        if n == 0 { return Exception("deep"); }
        return deep(n - 1);
      }"""
    body = (
        "let trace = deep(1000).getStackTrace(); println(trace.len().toString()); println(trace[1001].name);"
    )
    assert run(body, functions=functions).out == "1002\nmain()\n"


def test_records_begin_where_the_exception_was_made() -> None:
    functions = """
      class Own: Exception { init(m: Str): super(m) {} }
      fun make() -> Own { return Own("m"); }"""
    result = run("make().printStackTrace();", functions=functions)
    assert result.out == "Own: m\n0: Own.Own(Str): 3\n1: make() -> Own: 4\n2: main(): 1\n"


def test_exceptions_that_leave_functions_called_by_name() -> None:
    functions = """
      fun first() throws { throw Exception("gone"); }
      fun second() throws { throw argv(0); }"""
    result = run('call("first");', functions=functions)
    trace = "0: first(): 3\n1: call(Str): native.dora:4\n2: main(): 1\n"
    assert (result.status, result.err) == (104, f"uncaught exception: gone\n{trace}")
    result = run('call("second");', "text", functions=functions)
    trace = "0: call(Str): native.dora:4\n1: main(): 1\n"
    assert (result.status, result.err) == (104, f"uncaught exception: text\n{trace}")

"""Native code from the tree walk: C functions by address, raw memory, files, the process."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from doralang.types.failures import Failure
from doralang.types.traps import Trap
from walking import Walk, run


def test_calls_of_c_functions() -> None:
    walk = Walk("""
        fun absolute(x: long) -> long { return call1(loadFunction("labs"), x); }
        fun process() -> long { return call0(loadFunction("getpid")); }
        fun missing() -> long { return loadFunction("no_such_function"); }
        fun strange() -> long { return loadFunction("no\\0thing"); }
        fun main() {}
    """)
    assert walk.call("absolute", -(2**62)) == 2**62
    assert walk.call("process") == walk.call("getpid") == os.getpid()
    assert walk.call("getppid") == os.getppid()
    assert walk.call("missing") == walk.call("strange") == 0


def test_native_strings() -> None:
    text = """
        fun main() {
          let text = native_string("tüte");
          println(call1(loadFunction("strlen"), text).toString());
          set_uint8(text, 84Y);
          let other = native_malloc(16L);
          call2(loadFunction("strcpy"), other, text);
          println(call3(loadFunction("memcmp"), other, text, 6L).toString());
          native_free(text);
          native_free(other);
        }
    """
    assert run(text).out == "5\n0\n"


def test_memory_written_by_programs_is_the_process_memory() -> None:
    walk = Walk('fun make() -> long { return native_string("abc"); } fun main() {}')
    address = walk.call("make")
    assert isinstance(address, int)
    assert ctypes.string_at(address) == b"abc"
    walk.call("native_free", address)


def test_a_call_of_address_zero_fails() -> None:
    with pytest.raises(Failure) as caught:
        Walk().call("call0", 0)
    assert caught.value.trap is Trap.NIL


def test_files_are_deleted(tmp_path: Path) -> None:
    path = tmp_path / "ünnötig"
    path.write_text("x")
    text = """
        fun delete(name: Str) { do { try File(name).delete(); println("gone"); } catch e: Exception { println(e.msg); } }
        fun main() { delete(argv(0)); delete(argv(0)); delete("no\\0name"); delete(""); }
    """
    result = run(text, arguments=[str(path)])
    assert result.out == "gone\n" + "could not delete file\n" * 3
    assert not path.exists()

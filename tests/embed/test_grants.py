"""What programs reach outside of them: nothing but what `grant=` names."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

import doralang as dora
from doralang.embed.modules import GRANTS
from doralang.library.files import GRANTED

READING = "fun next() throws -> Str { return (try readLine()).unwrapOr(nil); }"


def test_every_name_is_in_a_grant() -> None:
    assert frozenset().union(*GRANTS.values()) == GRANTED


@pytest.mark.parametrize("grant", sorted(GRANTS))
def test_a_grant_is_no_other_grant(grant: str) -> None:
    others = [name for name in GRANTS if name != grant]
    for name in GRANTS[grant]:
        text = f"fun f() {{ {name}(); }}"
        if any(name in GRANTS[other] for other in others):
            continue
        with pytest.raises(dora.CompileError, match=f"`{name}` is not granted"):
            dora.compile(text, grant=others)


def test_files(tmp_path: Path) -> None:
    text = """
        fun copy(from: Str, to: Str) throws { try writeFile(to, try readFile(from)); }
        fun add(path: Str, text: Str) throws -> bool { try appendFile(path, text); return fileExists(path); }
    """
    m = dora.compile(text, grant=["files"])
    (tmp_path / "a").write_text("äöü\r\n")
    m.copy(str(tmp_path / "a"), str(tmp_path / "b"))
    assert m.add(str(tmp_path / "b"), "€")
    assert (tmp_path / "b").read_bytes() == "äöü\r\n€".encode()
    with pytest.raises(dora.Failure, match="cannot read .*: No such file or directory"):
        m.copy(str(tmp_path / "c"), str(tmp_path / "b"))


def test_input_is_shared_with_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program takes the line it asks for and leaves the rest, even if there are several instances."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\ntwo\nthree\n" + "x" * 1_000_000 + "\nlast"))
    m = dora.compile(READING, grant=["input"])
    assert m.next() == "one"
    assert input() == "two"
    assert m.new().next() == "three"
    assert m.new().next() == "x" * 1_000_000
    assert dora.compile(READING, grant=["input"]).next() == "last"
    assert m.next() is None


@pytest.mark.parametrize(
    ("stdin", "reason"),
    [
        (None, "Bad file descriptor"),
        (io.TextIOWrapper(io.BytesIO(b"\xff"), encoding="utf-8"), "not valid UTF-8"),
        (io.TextIOWrapper(io.BytesIO(b"\xff"), "utf-8", "surrogateescape"), "not valid UTF-8"),
    ],
)
def test_input_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, stdin: io.TextIOWrapper | None, reason: str
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    m = dora.compile(READING, grant=["input"])
    with pytest.raises(dora.Failure, match=f"cannot read <stdin>: {reason}"):
        m.next()


def test_what_was_printed_is_there_before_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[str] = []

    class Asking(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:
            assert printed == ["name? "]
            return "me\n"

    monkeypatch.setattr(sys, "stdin", Asking())
    text = 'fun ask() throws -> Str { print("name? "); return (try readLine()).unwrap(); }'
    assert dora.compile(text, grant=["input"], print=printed.append).ask() == "me"


def test_clock_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DORA_TEST_VARIABLE", "välue")
    text = """
        fun variable(name: Str) -> Str { return environment(name).unwrapOr("none"); }
        fun time() -> long { return currentMillis() - monotonicNanos() / 1000000L; }
    """
    m = dora.compile(text, grant=["clock", "environment"])
    assert m.variable("DORA_TEST_VARIABLE") == "välue"
    assert m.variable("DORA_TEST_VARIABLE_2") == "none"
    assert abs(m.time() - m.time()) < 1000


def test_what_fits_no_heap_is_out_of_memory(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 3_000_000)
    text = "fun size(path: Str) throws -> int { return (try readFile(path)).len(); }"
    m = dora.compile(text, grant=["files"], limits=dora.Limits(memory="2MB"))
    with pytest.raises(dora.OutOfMemory):
        m.size(str(tmp_path / "large"))
    with pytest.raises(dora.OutOfMemory):
        m.size("/dev/zero")
    (tmp_path / "small").write_bytes(b"x" * 300_000)
    for _ in range(20):
        assert m.size(str(tmp_path / "small")) == 300_000

"""Stored code: programs behave the same when all, some or none of their code is there already."""

from __future__ import annotations

import marshal
import os
from pathlib import Path

import pytest

from command_line import dora
from doralang.native.cache import CHECKSUM, MAGIC, MOST_ENTRIES, Entry, checksum
from language_cases import Command, lines_match, parse_file
from test_language import FILES, LANGUAGE, Outcome, run

EVERY = int(os.environ.get("DORA_CACHE_TESTS", "6"))
"""of so many programs one is taken"""
CODE = 2
"""where an image has the code by function"""

NOT_STORED = LANGUAGE / "generics" / "types_that_double_as_it_runs.dora"
"""its functions have names that are cut, by which nothing can be found again"""
CASES = [
    path
    for path in FILES
    if (case := parse_file(path)).command is Command.RUN and not case.reports and path != NOT_STORED
]
HELLO = 'fun main() { println("hello"); }'


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DORA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "programs"


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    path = tmp_path / "hello.dora"
    path.write_text(HELLO)
    return path


def drop_every_other_function(cache: Path) -> int:
    """Leave half of the code in each entry; how much is gone."""
    gone = 0
    for path in cache.iterdir():
        key, image = marshal.loads(path.read_bytes()[len(MAGIC) + CHECKSUM :])
        code = image[CODE]
        kept = dict(list(code.items())[::2])
        gone += len(code) - len(kept)
        Entry(str(cache), key).write((*image[:CODE], kept, *image[CODE + 1 :]))
    return gone


@pytest.mark.parametrize("path", CASES[::EVERY], ids=lambda path: str(path.relative_to(LANGUAGE)))
def test_programs_behave_the_same(path: Path, cache: Path) -> None:
    case = parse_file(path)

    def check(outcome: Outcome) -> None:
        assert outcome.stdout == case.expected_stdout, outcome.stderr
        assert lines_match(case.stderr, outcome.stderr)
        assert outcome.exit_status == case.expected_exit

    check(run(case, path, "tiered"))
    [entry] = cache.iterdir()
    first = entry.stat()
    check(run(case, path, "tiered"))
    assert entry.stat().st_ino == first.st_ino, "the second run had to compile something"
    drop_every_other_function(cache)
    check(run(case, path, "tiered"))
    assert entry.stat().st_size >= first.st_size * 9 // 10, "the third run has stored what was missing"
    check(run(case, path, "tiered"))


def test_what_has_no_names_of_its_own_is_not_stored(cache: Path) -> None:
    case = parse_file(NOT_STORED)
    for _ in range(2):
        outcome = run(case, NOT_STORED, "tiered")
        assert (outcome.exit_status, outcome.stdout) == (104, b"true\n")
        assert not cache.exists() or not list(cache.iterdir())


def test_a_stored_program_is_not_read_again(
    cache: Path, hello: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dora("run", str(hello)).out == "hello\n"

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("the program is checked")

    monkeypatch.setattr("doralang.session.checking.compile_program", refuse)
    assert dora("run", str(hello)).out == "hello\n"


def test_another_text_is_another_program(cache: Path, hello: Path) -> None:
    dora("run", str(hello))
    hello.write_text(HELLO.replace("hello", "changed"))
    assert dora("run", str(hello)).out == "changed\n"
    assert len(list(cache.iterdir())) == 2


def test_settings_that_change_code_are_other_entries(cache: Path, hello: Path) -> None:
    dora("run", str(hello))
    dora("run", "--gc=zero", str(hello))
    dora("run", "--omit-bounds-check", str(hello))
    assert len(list(cache.iterdir())) == 3


def test_a_path_that_was_not_taken_before_is_compiled_then(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "paths.dora"
    path.write_text(
        "class Box<T>(let value: T) { fun get() -> T { return self.value; } }\n"
        'let greeting: Str = "hi ";\n'
        "fun seldom(n: int) -> int { return Box::<int>(n).get() / (n - 2); }\n"
        "fun main() {\n"
        '  if argc() == 0 { println(greeting + Box::<Str>("there").get()); return; }\n'
        "  println(greeting + seldom(argc()).toString());\n"
        "}\n"
    )
    assert dora("run", str(path)).out == "hi there\n"
    assert dora("run", str(path), "1").out == "hi -1\n"
    assert dora("run", str(path)).out == "hi there\n"
    failed = dora("run", str(path), "1", "2")
    assert (failed.status, failed.out) == (101, "")
    assert failed.err.splitlines() == ["division by 0", "0: seldom(int) -> int: 3", "1: main(): 6"]


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_damaged_entry_is_made_anew(cache: Path, hello: Path) -> None:
    dora("run", str(hello))
    [entry] = cache.iterdir()
    whole = entry.read_bytes()
    for spoil in (damage, lambda path: path.write_bytes(whole[:40]), lambda path: path.write_bytes(b"")):
        spoil(entry)
        assert dora("run", str(hello)).out == "hello\n"
        assert entry.read_bytes() == whole


def test_an_entry_for_another_key_is_not_used(cache: Path, hello: Path) -> None:
    dora("run", str(hello))
    [entry] = cache.iterdir()
    _, image = marshal.loads(entry.read_bytes()[len(MAGIC) + CHECKSUM :])
    content = marshal.dumps((b"another key with the same hash", image))
    entry.write_bytes(MAGIC + checksum(content) + content)
    hello.write_text(HELLO)
    assert dora("run", str(hello)).out == "hello\n"
    assert entry.read_bytes() != MAGIC + checksum(content) + content


def test_what_others_can_write_is_not_run(cache: Path, hello: Path) -> None:
    dora("run", str(hello))
    [entry] = cache.iterdir()
    entry.chmod(0o666)
    before = entry.stat().st_ino
    assert dora("run", str(hello)).out == "hello\n"
    assert entry.stat().st_ino != before, "the entry was used"
    cache.chmod(0o777)
    entry.unlink()
    assert dora("run", str(hello)).out == "hello\n"
    assert not list(cache.iterdir()), "something was stored where others can write"


def test_a_cache_that_cannot_be_written_does_no_harm(
    tmp_path: Path, hello: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DORA_CACHE", str(tmp_path / "file" / "cache"))
    assert dora("run", str(hello)).out == "hello\n"


def test_nothing_is_stored_when_nobody_wants_it(
    cache: Path, hello: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora("run", "--no-cache", str(hello))
    dora("run", "--engine=walk", str(hello))
    dora("run", "--emit-bytecode=main", str(hello))
    monkeypatch.setenv("DORA_CACHE", "off")
    dora("run", str(hello))
    assert not cache.exists()


def test_what_has_warnings_is_checked_each_time(cache: Path, hello: Path) -> None:
    hello.write_text('fun main() { throw "always"; }')
    first, second = dora("run", str(hello)), dora("run", str(hello))
    assert "W0801" in first.err
    assert second == first
    assert not cache.exists()


def test_the_oldest_entries_make_room(cache: Path, hello: Path) -> None:
    cache.mkdir(mode=0o700, parents=True)
    for number in range(MOST_ENTRIES):
        (cache / f"old{number}").touch()
        os.utime(cache / f"old{number}", (number, number))
    dora("run", str(hello))
    names = {path.name for path in cache.iterdir()}
    assert len(names) == MOST_ENTRIES // 2 + 1 or len(names) == MOST_ENTRIES // 2
    assert "old0" not in names
    assert f"old{MOST_ENTRIES - 1}" in names
    assert any(not name.startswith("old") for name in names)

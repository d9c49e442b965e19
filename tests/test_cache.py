"""Stored code: programs behave the same when all, some or none of their code is there already."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command_line import Result, dora, recorded
from doralang.code.collectors import COLLECTORS, DEFAULT
from doralang.native import tiering
from doralang.user_cache import MOST_ENTRIES, read_sealed, write_sealed
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
    monkeypatch.setattr(
        tiering, "SAMPLES", 1_000_000
    )  # nothing is compiled twice, however busy the machine is
    return tmp_path / "cache" / "programs"


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    path = tmp_path / "hello.dora"
    path.write_text(HELLO)
    return path


def image_of(path: Path) -> Any:
    content = read_sealed(str(path.parent), path.name)
    assert content is not None, "the entry cannot be read"
    return marshal.loads(content)[0]  # and the warnings


def drop_every_other_function(cache: Path) -> int:
    """Leave half of the code in each entry; how much is gone."""
    gone = 0
    for path in cache.iterdir():
        image = image_of(path)
        code = image[CODE]
        kept = dict(list(code.items())[::2])
        gone += len(code) - len(kept)
        write_sealed(str(cache), path.name, marshal.dumps(((*image[:CODE], kept, *image[CODE + 1 :]), [])))
    return gone


DOUBLING = {"types_that_double_as_it_runs", "doubling_types"}


@pytest.mark.parametrize("path", CASES[::EVERY], ids=lambda path: str(path.relative_to(LANGUAGE)))
def test_programs_behave_the_same(path: Path, cache: Path) -> None:
    case = parse_file(path)

    def check(outcome: Outcome) -> None:
        assert outcome.stdout == case.expected_stdout, outcome.stderr
        assert lines_match(case.stderr, outcome.stderr)
        assert outcome.exit_status == case.expected_exit

    check(run(case, path, "tiered"))
    if path.stem in DOUBLING:
        assert not cache.exists(), "its names are cut, and nothing can be found by them"
        return
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


FRONT_END = ("syntax", "checker", "lower", "baseline", "bytecode.instructions", "types.primitives")
PYTHONS = {"__future__", "_bisect", "_blake2", "_ctypes", "atexit", "errno", "gc", "itertools"}
"""modules of Python that a stored run loads, all that it needs of them being in C"""
MOST_MODULES = 67
START = "from doralang.__main__ import entry; entry()"


@pytest.mark.parametrize("collector", COLLECTORS)
def test_a_stored_program_starts_without_the_front_end(cache: Path, hello: Path, collector: str) -> None:
    options = [f"--gc={collector}"] if collector != DEFAULT else []
    command = [sys.executable, "-X", "importtime", "-c", START, *options, str(hello)]
    for parts in ([*FRONT_END], []):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        names = [line.rpartition(" ")[2] for line in done.stderr.splitlines()]
        loaded = set(names[names.index("__future__") :])
        assert done.stdout == "hello\n"
        assert [part for part in FRONT_END if f"doralang.{part}" in loaded] == parts
        is_plain = not parts and not options
        assert not is_plain or {name for name in loaded if not name.startswith("doralang")} <= PYTHONS
        assert not is_plain or len(loaded) <= MOST_MODULES
        assert bool(parts) == ("doralang.machine.macro" in loaded), "stubs are stored, too"


NOT_AT_FIRST = {
    *("argparse", "ctypes", "dataclasses", "hashlib", "inspect", "pathlib", "tempfile", "typing"),
    *(
        f"doralang.checker.{name}"
        for name in ("coverage", "derivation", "formulas", "lambdas", "lists", "templates")
    ),
    *(f"doralang.{name}" for name in ("cli.options", "pipeline", "syntax.bad_tokens", "text.reports")),
}
"""modules that a program without mistakes has no use for when it is compiled"""
MOST_AT_FIRST = 235


def test_a_first_start_loads_what_it_needs(cache: Path, hello: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-c", START, str(hello)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names = [line.rpartition(" ")[2] for line in done.stderr.splitlines()]
    loaded = set(names[names.index("__future__") :])
    assert done.stdout == "hello\n"
    assert not loaded & NOT_AT_FIRST
    assert not any(
        name.startswith(("doralang.embed", "doralang.optimizing", "doralang.vm")) for name in loaded
    )
    assert len(loaded) <= MOST_AT_FIRST


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


def test_an_entry_under_another_name_is_not_used(cache: Path, hello: Path) -> None:
    dora("run", str(hello))
    [entry] = cache.iterdir()
    whole = entry.read_bytes()
    other = hello.with_name("other.dora")
    other.write_text(HELLO.replace("hello", "other"))
    dora("run", str(other))
    [stored] = [path for path in cache.iterdir() if path != entry]
    entry.write_bytes(stored.read_bytes())
    assert dora("run", str(hello)).out == "hello\n"
    assert entry.read_bytes() == whole


@pytest.mark.parametrize("image", [(), 7, ((),) * 12, ([], [], {}, *[0] * 9), None], ids=repr)
def test_an_image_of_another_form_is_made_anew(cache: Path, hello: Path, image: object) -> None:
    dora("run", str(hello))
    [entry] = cache.iterdir()
    whole = entry.read_bytes()
    write_sealed(str(cache), entry.name, marshal.dumps((image, [])))
    assert dora("run", str(hello)).out == "hello\n"
    assert entry.read_bytes() == whole


@pytest.mark.parametrize("content", [b"", b"\0", b"(", b"[\xff\xff\xff\x7f", b"?"], ids=repr)
def test_what_marshal_cannot_read_is_made_anew(cache: Path, hello: Path, content: bytes) -> None:
    dora("run", str(hello))
    [entry] = cache.iterdir()
    whole = entry.read_bytes()
    write_sealed(str(cache), entry.name, content)
    assert dora("run", str(hello)).out == "hello\n"
    assert entry.read_bytes() == whole


@pytest.mark.parametrize(
    "part",
    [
        "doralang.native.cache.find_entry",
        "doralang.native.cache.Entry.read",
        "doralang.native.cache.Entry.write",
        "doralang.native.image.capture",
        "doralang.native.image.Stored",
        "doralang.native.module.Module.adopt",
    ],
)
def test_a_mistake_in_what_stores_code_is_not_seen(
    cache: Path, hello: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fail(*arguments: object) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr(part, fail)
    for _ in range(3):
        assert dora("run", str(hello)) == Result(0, "hello\n", "")


def test_output_is_written_before_code_is_stored(
    cache: Path, hello: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("doralang.native.cache.Entry.write", interrupt)
    status, log = recorded("run", str(hello))
    assert (status, log[0]) == (130, ("out", b"hello\n"))


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


def test_warnings_are_stored_and_given_again(cache: Path, hello: Path) -> None:
    hello.write_text('fun main() {\n  match 2 { _ => println("any"), 2 => println("two") }\n}')
    fresh = dora("run", "--no-cache", str(hello))
    first, second = dora("run", str(hello)), dora("run", str(hello))
    assert fresh.err.count("W0701") == 1 and fresh.out == "any\n"
    assert fresh == first == second
    stored = list(cache.iterdir())
    assert len(stored) == 1
    short = dora("run", "--error-format=short", str(hello))
    assert short == dora("run", "--error-format=short", "--no-cache", str(hello)) != first
    assert list(cache.iterdir()) == stored, "how they are shown is no other program"


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

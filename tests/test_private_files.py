"""What is run as code is the user's own: files that somebody else could have put into the cache are not used.

Each way of planting something is tried with a stored program and with the shared object of a toolchain.  What
is planted is whole and fits; only who could have put it there is wrong.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from doralang.machine.targets import host
from doralang.source.toolchains import find_c
from doralang.user_cache import MOST_BYTES, append_to_own, private_folder, read_own, seal, write_sealed

Plant = Callable[[Path, bytes], None]
"""puts content in the place of a file"""

NOBODY = 65534
PATIENCE = 600
"""seconds after which something hangs"""
PROGRAM = """
fun power(n: int) -> int {{ var product = 1; for i in range(0, {exponent}) {{ product = product * n; }} return product; }}
fun main() {{ println(power(3).toString()); }}
"""


class Kind:
    """Something that is kept in the cache: a program with what it makes, and the same with other bytes."""

    def __init__(self, options: list[str], folder: str, suffix: str) -> None:
        self.options, self.folder, self.suffix = options, folder, suffix

    def run(self, program: Path) -> str:
        """In a process of its own: what a process has loaded, it does not load from the same place again."""
        command = [sys.executable, "-m", "doralang", "run", *self.options, str(program)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def files(self, cache: Path) -> set[Path]:
        return {path for path in (cache / self.folder).iterdir() if path.name.endswith(self.suffix)}


KINDS = {
    "program": Kind(["--engine=baseline"], "programs", ""),
    "object": Kind(["--engine=c"], "source", ".so"),
}


def symbolic_link(path: Path, content: bytes) -> None:
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.write_bytes(content)
    path.symlink_to(elsewhere)


def hard_link(path: Path, content: bytes) -> None:
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.write_bytes(content)
    os.link(elsewhere, path)


def group_writable(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o620)


def writable_by_all(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o602)


def of_another(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.chown(path, NOBODY, NOBODY)


def pipe(path: Path, content: bytes) -> None:
    os.mkfifo(path, 0o600)


def folder(path: Path, content: bytes) -> None:
    path.mkdir(0o700)


def link_to_itself(path: Path, content: bytes) -> None:
    path.symlink_to(path)


def endless(path: Path, content: bytes) -> None:
    path.symlink_to("/dev/zero")


def enormous(path: Path, content: bytes) -> None:
    path.touch(0o600)
    os.truncate(path, MOST_BYTES * 1000)


def cut(path: Path, content: bytes) -> None:
    path.write_bytes(content[: len(content) // 2])


def empty(path: Path, content: bytes) -> None:
    path.touch(0o600)


PLANTS: list[Plant] = [
    symbolic_link,
    hard_link,
    group_writable,
    writable_by_all,
    pipe,
    folder,
    link_to_itself,
    endless,
    enormous,
    cut,
    empty,
]
FOLDERS: dict[str, Callable[[Path], None]] = {
    "others can write in it": lambda cache: cache.chmod(0o702),
    "its group can write in it": lambda cache: cache.chmod(0o720),
    "others can write, but not rename, in it": lambda cache: cache.chmod(0o1777),
    "others can write in the folder above": lambda cache: cache.parent.chmod(0o777),
    "others can write above": lambda cache: cache.parent.parent.chmod(0o777),
}
if os.geteuid() == 0:
    PLANTS.append(of_another)
    FOLDERS["it is another's"] = lambda cache: os.chown(cache, NOBODY, NOBODY)
    FOLDERS["the one above is another's"] = lambda cache: os.chown(cache.parent, NOBODY, NOBODY)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    if request.param == "object" and find_c() is None:
        pytest.skip("there is no C compiler")
    if request.param == "program" and host() is None:
        pytest.skip("there is no compiled code")
    return KINDS[request.param]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DORA_CACHE", str(tmp_path / "above" / "cache"))
    return tmp_path / "above" / "cache"


def prepared(kind: Kind, cache: Path, tmp_path: Path) -> tuple[Path, Path, bytes]:
    """A program that gives 9, its file in the cache, and sealed content for it with which it gives 27."""
    program, other = tmp_path / "program.dora", tmp_path / "other.dora"
    other.write_text(PROGRAM.format(exponent=3))
    assert kind.run(other) == "27\n"
    [evil] = kind.files(cache)
    content = evil.read_bytes()[:-32]
    program.write_text(PROGRAM.format(exponent=2))
    assert kind.run(program) == "9\n"
    [file] = kind.files(cache) - {evil}
    evil.unlink()
    return program, file, content + seal(file.name, content)


def test_what_the_user_has_written_is_used(kind: Kind, cache: Path, tmp_path: Path) -> None:
    """Otherwise the tests below would prove nothing."""
    program, file, content = prepared(kind, cache, tmp_path)
    assert write_sealed(str(file.parent), file.name, content[:-32])
    assert file.read_bytes() == content
    assert kind.run(program) == "27\n"


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_file_that_another_could_have_put_there(
    kind: Kind, cache: Path, tmp_path: Path, plant: Plant
) -> None:
    program, file, content = prepared(kind, cache, tmp_path)
    file.unlink()
    plant(file, content)
    assert kind.run(program) == "9\n"
    assert kind.run(program) == "9\n"
    if plant is not folder:
        assert file.is_file() and not file.is_symlink() and file.stat().st_nlink == 1, (
            "a good one is there now"
        )


@pytest.mark.parametrize("spoil", FOLDERS.values(), ids=FOLDERS)
def test_a_folder_in_which_another_could_write(
    kind: Kind, cache: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    program, file, content = prepared(kind, cache, tmp_path)
    write_sealed(str(file.parent), file.name, content[:-32])
    spoil(cache)
    try:
        if cache.stat().st_mode & 0o1000:
            assert kind.run(program) == "27\n", "who may not rename does no harm on the way"
            spoil(file.parent)
        assert kind.run(program) == "9\n"
        assert file.read_bytes() == content, "nothing is written there"
    finally:
        tmp_path.chmod(0o700)


def test_links_on_the_way_are_followed_if_they_are_the_users(kind: Kind, cache: Path, tmp_path: Path) -> None:
    program, file, content = prepared(kind, cache, tmp_path)
    write_sealed(str(file.parent), file.name, content[:-32])
    real = tmp_path / "real"
    real.mkdir(0o700)
    shutil.move(cache, real / "moved")
    cache.symlink_to("../real/./moved")
    assert kind.run(program) == "27\n"
    real.chmod(0o707)
    assert kind.run(program) == "9\n"
    cache.unlink()
    cache.symlink_to(cache)
    assert kind.run(program) == "9\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_link_of_another_is_not_followed(kind: Kind, cache: Path, tmp_path: Path) -> None:
    program, file, content = prepared(kind, cache, tmp_path)
    write_sealed(str(file.parent), file.name, content[:-32])
    shutil.move(cache, tmp_path / "moved")
    cache.symlink_to(tmp_path / "moved")
    os.chown(cache, NOBODY, NOBODY, follow_symlinks=False)
    assert kind.run(program) == "9\n"


def test_all_folders_that_are_made_are_for_the_user_alone(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORA_CACHE", str(tmp_path / "a" / "b" / "c"))
    program = tmp_path / "program.dora"
    program.write_text(PROGRAM.format(exponent=2))
    before = os.umask(0)
    try:
        assert kind.run(program) == "9\n"
    finally:
        os.umask(before)
    made = [
        tmp_path / "a",
        tmp_path / "a" / "b",
        tmp_path / "a" / "b" / "c",
        tmp_path / "a/b/c" / kind.folder,
    ]
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700] * 4
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in made[-1].iterdir())


def test_what_cannot_be_written_leaves_nothing_behind(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = private_folder("programs", make=True)
    assert there is not None

    def refuse(*arguments: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("os.replace", refuse)
    assert not write_sealed(there, "name", b"content")
    assert not os.listdir(there)


def test_odd_names_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("relative", "relative/../other", "./a//b/", "ü\udcff"):
        monkeypatch.setenv("DORA_CACHE", name)
        made = private_folder("x", make=True)
        assert made == os.path.normpath(os.path.join(os.getcwd(), name, "x"))
        assert private_folder("x") == made
    monkeypatch.setenv("DORA_CACHE", "long" * 2000)
    assert private_folder("x", make=True) is None


def test_the_perf_map_is_not_written_through_a_link(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("important")
    (tmp_path / "link").symlink_to(file)
    os.link(file, tmp_path / "second")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "second", "pipe", "."):
        with pytest.raises(OSError):
            append_to_own(str(tmp_path / name))
    assert file.read_text() == "important"
    os.close(append_to_own(str(tmp_path / "new")))
    assert read_own(str(tmp_path / "new")) == b""

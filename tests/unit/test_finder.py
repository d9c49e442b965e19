"""The finder of the command's process: it finds what Python would find, and leaves what is not usual to Python."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import pytest

import doralang
from doralang import finder

ROOT = Path(doralang.__file__).parent
SUFFIX = f".{sys.implementation.cache_tag}.pyc"
NAME = "doralang.sample"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A module as if of the package, with a file of its code."""
    path = tmp_path / "sample.py"
    path.write_text("answer = 42\n")
    compile_again(path)
    return path


def compile_again(path: Path, *options: str) -> None:
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-f", *options, str(path)], check=True)


def found(path: Path, name: str = NAME) -> ModuleSpec | None:
    return finder.Finder(SUFFIX).find_spec(name, [str(path.parent)])


def test_finds_what_python_finds(sample: Path) -> None:
    mine, pythons = found(sample), PathFinder.find_spec(NAME, [str(sample.parent)])
    assert mine is not None and pythons is not None
    assert (mine.name, mine.origin, mine.cached, mine.has_location, mine.parent) == (
        (pythons.name, pythons.origin, pythons.cached, pythons.has_location, pythons.parent)
    )
    loader = mine.loader
    assert isinstance(loader, finder.ReadModule)
    for _ in range(2):  # the second time Python reads it
        content: dict[str, object] = {}
        code = loader.get_code(NAME)
        assert code is not None and code.co_filename == str(sample)
        assert eval(code, content) is None and content["answer"] == 42
    assert loader.get_source(NAME) == "answer = 42\n"


def test_finds_packages(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    assert found(folder, "doralang.package") is None, "no code is there"
    compile_again(folder / "__init__.py")
    mine = found(folder, "doralang.package")
    pythons = PathFinder.find_spec("doralang.package", [str(tmp_path)])
    assert mine is not None and pythons is not None
    assert (mine.origin, mine.submodule_search_locations, mine.parent, mine.cached) == (
        (pythons.origin, pythons.submodule_search_locations, pythons.parent, pythons.cached)
    )


def test_old_code_is_left_to_python(sample: Path) -> None:
    state = sample.stat()
    sample.write_text("answer = 43\n")
    os.utime(sample, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))
    assert found(sample) is None
    compile_again(sample)
    assert found(sample) is not None
    sample.write_text("answer = 4300\n")
    os.utime(sample, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))
    assert found(sample) is None, "its size is another"


def test_code_that_a_hash_vouches_for_is_left_to_python(sample: Path) -> None:
    compile_again(sample, "--invalidation-mode", "checked-hash")
    assert found(sample) is None


def test_what_is_not_there_or_not_ours_is_left_to_python(sample: Path) -> None:
    assert found(sample, "elsewhere.sample") is None
    assert found(sample, "doralang.missing") is None
    assert finder.Finder(SUFFIX).find_spec("doralang", None) is None
    (sample.parent / "__pycache__" / f"sample{SUFFIX}").write_bytes(b"short")
    assert found(sample) is None


def test_code_that_was_moved_names_its_new_place(sample: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    (tmp_path / "__pycache__").rename(moved / "__pycache__")
    sample = sample.rename(moved / "sample.py")
    spec = found(sample)
    assert spec is not None and isinstance(spec.loader, finder.ReadModule)
    code = spec.loader.get_code(NAME)
    assert code is not None and code.co_filename == str(sample)


def first_of_path(*options: str, **variables: str) -> str:
    script = (
        "import sys; from doralang import finder; finder.install(); print(type(sys.meta_path[0]).__name__)"
    )
    command = [sys.executable, *options, "-c", script]
    environment = {**os.environ, "PYTHONPATH": str(ROOT.parent), **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_stands_first_where_code_lies_as_usual(tmp_path: Path) -> None:
    assert first_of_path() == "Finder"
    assert first_of_path("-O") == "Finder"
    assert first_of_path(PYTHONPYCACHEPREFIX=str(tmp_path)) != "Finder"

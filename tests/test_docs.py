"""README and docs stay true: their programs run, and their console sessions show what comes out.

The convention, page by page:

* A block marked `dora` that has a `fun main()` is a whole program.  It must compile and end with
  status 0, without warnings.  If its first line is a comment with a file name (`// squares.dora`), the
  sessions on the page can use it under that name, whatever its status.  Other `dora` blocks are
  fragments, for reading.
* A block marked `console` is a session: lines that begin with `$ ` are commands, what follows is
  their output, stdout before stderr.  A line `...` stands for any lines.  `$ echo $?` shows the
  status of the command before.  Only `dora` is run, in a folder with the page's programs and the
  examples; other commands are for people.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from command_line import Result, dora

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

BLOCK = re.compile(r"^( *)```(dora|console)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"// ([\w-]+\.dora)\n")


class Step(NamedTuple):
    """A command of a session and the output it is shown with."""

    command: list[str]
    output: list[str]


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [match[3] for match in BLOCK.finditer(text) if match[2] == language]


def steps(session: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, *output = part.splitlines()
        yield Step(shlex.split(command, comments=True), output)


def matches(shown: list[str], actual: list[str]) -> bool:
    """Whether the output is as shown, `...` standing for any lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in shown)
    return re.fullmatch(pattern, "".join(line + "\n" for line in actual)) is not None


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_programs(page: Path) -> list[str]:
    """Write the programs that have a file name; returns the others."""
    nameless = []
    for text in blocks(page, "dora"):
        name = FILE_NAME.match(text)
        if name:
            Path(name[1]).write_text(text, encoding="utf-8")
        elif "fun main()" in text:
            nameless.append(text)
    return nameless


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_whole_programs_run(page: Path, folder: Path) -> None:
    for text in write_programs(page):
        result = dora("-", stdin=text)
        assert (result.status, result.err) == (0, ""), text


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_sessions_show_what_comes_out(page: Path, folder: Path) -> None:
    write_programs(page)
    for session in blocks(page, "console"):
        last = Result(0, "", "")
        for step in steps(session):
            if step.command == ["echo", "$?"]:
                assert step.output == [str(last.status)]
            elif step.command[0] == "dora":
                last = dora(*step.command[1:])
                actual = (last.out + last.err).splitlines()
                assert matches(step.output, actual), f"{step.command} gives:\n" + "\n".join(actual)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_paths_in_the_source_exist(page: Path) -> None:
    """Paths in code spans that begin like those of the repository."""
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:src|tests|docs|examples)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


ADDING = {
    "adding-an-operator.md": ("countOneBits", "count_one_bits"),
    "adding-an-instruction.md": ("BranchEqual", "branch_equal"),
    "adding-a-collector.md": ("allocateSwept", "collector_sweep", "collectBySweeping"),
    "adding-an-option.md": ("young_size", "young-size"),
    "adding-a-cpu.md": ("arm64", "ARM64"),
    "adding-an-optimisation.md": ("replace_divisions",),
}
"""the pages that say how to add something, and the example that they follow, as source files spell it"""
SOURCES = [
    path
    for folder in ("src", "tests/unit", "tests/stages")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".dora", ".c", ".go", ".txt") and ".egg-info" not in path.parent.suffix
]


MOST_FILES = {
    "adding-an-operator.md": 8,
    "adding-an-instruction.md": 7,
    "adding-a-collector.md": 3,
    "adding-an-option.md": 2,
    "adding-an-optimisation.md": 0,
}
"""files of the source outside of the optimizer that something new touches"""
USERS = {"native/running.py"}
"""files that use the example, as anything new is used somewhere; the optimizer may know more of it, but need not"""


@pytest.mark.parametrize("page", MOST_FILES)
def test_adding_touches_few_files(page: str) -> None:
    package = ROOT / "src" / "doralang"
    touched = {
        path.relative_to(package).as_posix()
        for path in SOURCES
        if package in path.parents and any(name in path.read_text(encoding="utf-8") for name in ADDING[page])
    }
    touched = {name for name in touched - USERS if not name.startswith("optimizing/")}
    assert len(touched) <= MOST_FILES[page], touched


def code_spans(page: str) -> set[str]:
    text = BLOCK.sub("", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    return set(re.findall(r"`([^`\n]+)`", text))


@pytest.mark.parametrize("page", ADDING)
def test_pages_on_adding_name_every_file_that_has_the_example(page: str) -> None:
    spans = code_spans(page)
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if any(example in text for example in ADDING[page]):
            name = path.relative_to(ROOT).as_posix()
            named = {name, path.name, *(parent.as_posix() for parent in path.relative_to(ROOT).parents[:-3])}
            assert named & spans, f"docs/{page} does not say what to do in {name}"


@pytest.mark.parametrize("page", ADDING)
def test_pages_on_adding_name_no_file_that_is_not_there(page: str) -> None:
    names = {path.name for path in SOURCES} | {path.name for path in (ROOT / "tests").glob("*.py")}
    for span in code_spans(page):
        if re.fullmatch(r"[\w./-]+\.(py|dora|txt|c|go|md)", span):
            assert (ROOT / span).exists() or span in names, span
        elif re.fullmatch(r"(src|tests|docs|tools|examples)/[\w./-]+", span):
            assert (ROOT / span).exists(), span


def test_output_is_compared() -> None:
    assert matches(["a", "b"], ["a", "b"])
    assert matches(["a", "...", "d"], ["a", "b", "c", "d"])
    assert matches(["..."], [])
    assert not matches(["a"], ["a", "b"])
    assert not matches(["a", "..."], ["b"])
    assert not matches([], ["a"])


def test_sessions_are_taken_apart() -> None:
    assert list(steps("$ dora a.dora 'b c'\n1\n2\n$ make run\n")) == [
        Step(["dora", "a.dora", "b c"], ["1", "2"]),
        Step(["make", "run"], []),
    ]

"""The Makefile: every target can be read, and those that tests and documents name are there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z][a-z-]*):(?!=)", TEXT, flags=re.MULTILINE)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_each_target_is_made_in_one_place() -> None:
    assert sorted(TARGETS) == sorted(set(TARGETS)), "a target twice"
    assert {"setup", "test", "check-format", "types", "unit", "format", "bench", "clean"} <= set(TARGETS)


def test_targets_that_are_no_files_say_so() -> None:
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", TEXT, flags=re.MULTILINE)
    assert phony is not None
    assert set(TARGETS) <= set(phony[1].replace("\\\n", " ").split())


def test_documents_name_targets_that_there_are() -> None:
    for path in DOCUMENTS:
        for name in re.findall(r"`make ([a-z][a-z-]*)", path.read_text(encoding="utf-8")):
            assert name in TARGETS, f"{path.name}: make {name}"


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
@pytest.mark.parametrize("target", TARGETS)
def test_targets_can_be_read(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

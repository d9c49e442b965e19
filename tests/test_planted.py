"""Each planted bug is noticed, and nothing is noticed where none is planted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import planted_library
from planted import COPY, FULL, MINOR, PLAIN, PLANTS, SMALL, SWEEP, outcomes

HERE = Path(__file__).parent


def assert_noticed(script: str, name: str) -> None:
    """In a process of its own, which may crash or hang; that counts, too."""
    command = [sys.executable, str(HERE / script), name]
    try:
        status = subprocess.run(command, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return
    assert status.returncode != 1 or b"Traceback" in status.stderr, "nobody has noticed"
    assert b"has no" not in status.stderr, "the bug could not be planted"


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_noticed(name: str) -> None:
    assert_noticed("planted.py", name)


@pytest.mark.parametrize("name", planted_library.PLANTS)
def test_a_planted_bug_of_functions_traits_and_collections_is_noticed(name: str) -> None:
    assert_noticed("planted_library.py", name)


@pytest.mark.parametrize("options", [MINOR, FULL, SMALL, COPY, SWEEP, PLAIN], ids=" ".join)
def test_without_a_bug_all_is_well(options: tuple[str, ...]) -> None:
    assert list(outcomes(options)) == []


def test_without_a_bug_all_is_well_with_functions_traits_and_collections() -> None:
    assert list(outcomes(planted_library.PLAIN, planted_library.FOLDERS)) == []

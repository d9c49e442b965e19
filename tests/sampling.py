"""Which of many like tests `make test` runs: all together take longer than anybody waits.

With the environment variable DORA_EVERY_TEST (`make test-all`) there is no choice: all are run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Final, TypeVar
from zlib import crc32

EVERY: Final = bool(os.environ.get("DORA_EVERY_TEST"))
T = TypeVar("T")


def some(paths: Sequence[Path], share: int) -> list[Path]:
    """One of so many files, always the same ones."""
    return [path for path in paths if EVERY or crc32(path.stem.encode()) % share == 0]


def one_mode_each(paths: Iterable[Path], modes: Sequence[T]) -> list[tuple[Path, T]]:
    """Each file with one of the modes, always the same one."""
    return [
        (path, mode)
        for (path, (number, mode)) in product(paths, enumerate(modes))
        if EVERY or crc32(path.stem.encode()) % len(modes) == number
    ]

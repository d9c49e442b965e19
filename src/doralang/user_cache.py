"""The user's cache on disk: where it is, and that nobody else can write there."""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "DORA_CACHE"
"""environment variable: another folder, or `off`"""
OTHERS_WRITE: Final = 0o022


def cache_folder() -> str | None:
    """Where the cache is: `DORA_CACHE`, or `dora` in the user's folder for caches; none if there is none."""
    chosen = os.environ.get(VARIABLE)
    if chosen == "off":
        return None
    if chosen:
        return chosen
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "dora") if os.path.isabs(base) else None


def make_private(folder: str) -> bool:
    """Make a folder if it is not there; whether nobody else can write in it."""
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        return belongs_to_user(os.stat(folder))
    except OSError:
        return False


def belongs_to_user(status: os.stat_result) -> bool:
    """Whether nobody else can write there."""
    return status.st_uid == os.getuid() and not status.st_mode & OTHERS_WRITE

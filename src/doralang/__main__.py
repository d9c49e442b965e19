"""The process of the command `dora`, also as `python -m doralang`.

Signals come first: what is loaded before them, Python would end with a traceback.
"""

from __future__ import annotations

import gc

from doralang import interrupts
from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NoReturn

YOUNG_OBJECTS: Final = 50_000
"""So many new objects let Python look for garbage: nearly all that is loaded and made stays, so looking every
700, as is usual, takes some 5 percent of a short run."""


def entry() -> NoReturn:
    """Run the command line of this process, and end it without the host's slow farewell."""
    interrupts.end_at_once()
    load("doralang.finder").install()
    gc.set_threshold(YOUNG_OBJECTS)
    load("doralang.cli.main").entry()
    raise AssertionError("the process has ended")


if __name__ == "__main__":
    entry()

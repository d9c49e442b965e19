"""The process of the command `dora`, also as `python -m doralang`.

Signals come first: what is loaded before them, Python would end with a traceback.
"""

from __future__ import annotations

from doralang import interrupts
from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def entry() -> NoReturn:
    """Run the command line of this process, and end it without the host's slow farewell."""
    interrupts.end_at_once()
    load("doralang.cli.main").entry()
    raise AssertionError("the process has ended")


if __name__ == "__main__":
    entry()

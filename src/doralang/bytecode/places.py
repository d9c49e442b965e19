"""Where code comes from, as stack traces tell it.

An instruction of a function that was inlined has a chain: its own site, then the sites of the calls that led
to it, innermost first.
"""

from __future__ import annotations

from doralang.bytecode.entities import FunctionRef
from doralang.typing_forms import NamedTuple


class Site(NamedTuple):
    """A place in a function of the program, as stack traces name it."""

    function: FunctionRef
    line: int


Chain = tuple[Site, ...]
"""A site and its callers, innermost first; never empty."""

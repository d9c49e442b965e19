"""The layout of objects, frames and the thread block as constants of Dora, for the library's heap files.

layout.ARRAY_LENGTH = 8   ->   const ARRAY_LENGTH: long = 8L;
"""

from __future__ import annotations

from functools import cache

from doralang.code import layout


@cache
def layout_constants() -> str:
    """A text for `checker.library.compiled_library`: each number of the layout as a constant."""
    numbers = {
        name: value
        for name, value in vars(layout).items()
        if name.isupper() and isinstance(value, int) and not isinstance(value, bool)
    }
    return "".join(f"const {name}: long = {value}L;\n" for name, value in numbers.items())

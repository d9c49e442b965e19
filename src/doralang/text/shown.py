"""Source text inside messages: nothing that a terminal would obey, and never too long."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_NAMED: Final = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
LONGEST: Final = 40


def visible(text: str) -> str:
    """`text` with every character that cannot be printed spelled out."""
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return _NAMED.get(character) or f"U+{ord(character):04X}"


def excerpt(text: str) -> str:
    """`text` made visible and, if it is long, cut."""
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return visible(shown)

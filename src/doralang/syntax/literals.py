"""What literals stand for: the text of a number, string or character token turned into its value."""

from __future__ import annotations

import re

from doralang.syntax.tree import NumberKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ESCAPES: Final = {"\\": "\\", "n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "0": "\0", "$": "$"}
_ESCAPE = r"(?s)\\(.)"

_SUFFIXES: Final = {
    "L": NumberKind.LONG,
    "Y": NumberKind.BYTE,
    "F": NumberKind.FLOAT,
    "D": NumberKind.DOUBLE,
}

# Every literal with more digits is out of range; Python refuses to convert really long ones.
_DIGITS: Final = 70
_SHORT: Final = 9


def number(text: str, *, formula: bool = False) -> tuple[NumberKind, int | float, bool]:
    """Kind and value of a number token, and whether it is written as bits (`0x`, `0b`).

    In a formula a number without suffix is a `double`.
    """
    if len(text) <= _SHORT and text.isdigit():  # nearly all
        return (NumberKind.DOUBLE, float(text), False) if formula else (NumberKind.INT, int(text), False)
    text = text.replace("_", "")
    if text[:2] in ("0x", "0b"):
        return _bits(text)
    kind = _SUFFIXES.get(text[-1])
    digits = text if kind is None else text[:-1]
    is_whole = digits.isdigit()
    if kind is None:
        kind = NumberKind.DOUBLE if formula or not is_whole else NumberKind.INT
    if kind is NumberKind.FLOAT or kind is NumberKind.DOUBLE:
        return kind, _float(digits), False
    return kind, int(_shortened(digits)) if is_whole else 0, False  # `1e3L`, as the lexer has reported


def _float(digits: str) -> float:
    try:
        return float(digits)
    except ValueError:
        return 0.0  # there are no digits in the exponent, as the lexer has reported


def _bits(text: str) -> tuple[NumberKind, int, bool]:
    kind = _SUFFIXES[text[-1]] if text[-1] in "LY" else NumberKind.INT
    digits = text[2:] if kind is NumberKind.INT else text[2:-1]
    try:
        return kind, int(_shortened(digits), 16 if text[1] == "x" else 2), True
    except ValueError:
        return kind, 0, True  # there are no digits, as the lexer has reported


def _shortened(digits: str) -> str:
    return digits.lstrip("0")[:_DIGITS] or "0"


def string(text: str) -> str:
    """The value of a string or character token, quotes included in `text`."""
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    return re.sub(_ESCAPE, lambda match: ESCAPES.get(match[1], match[1]), inner)


def piece(text: str) -> str:
    """The text of a piece of a template, which stands between quotes or the ends of holes."""
    inner = text[1 : -2 if text.endswith("${") else -1]
    return re.sub(_ESCAPE, lambda match: ESCAPES.get(match[1], match[1]), inner) if "\\" in inner else inner


def quoted(value: str, quote: str) -> str:
    """The literal for a text: the inverse of `string`."""
    return quote + "".join(map(_escaped, value)).replace("${", "\\${") + quote


def _escaped(character: str) -> str:
    name = _NAMES.get(character)
    return "\\" + name if name else character


_NAMES: Final = {value: name for name, value in ESCAPES.items() if value != "$"}

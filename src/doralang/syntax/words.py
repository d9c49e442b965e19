"""Words that are no names: keywords, and what formulas have besides (reference 2.3, 1.5).

Nothing is imported here: the first formula of a process needs this and little else.
"""

from __future__ import annotations

_KEYWORDS = """
    abstract alias as break catch class const continue defer do else enum false final finally for
    fun if impl in init internal is let loop nil open override pub return self Self spawn static
    struct super throw throws trait true try type var while
"""
KEYWORDS = frozenset(_KEYWORDS.split())

FORMULA_WORDS = ("and", "or", "not")
"""operators of formulas"""

FORMULA_CONSTANTS = {"pi": 3.141592653589793, "e": 2.718281828459045}
"""names that are known where no variable has them"""

MISNOMERS = {
    "True": "write `true`",
    "False": "write `false`",
    "TRUE": "write `true`",
    "FALSE": "write `false`",
    **dict.fromkeys(
        ("None", "null", "NULL", "Null", "undefined"),
        "whether a value is missing is asked by `isMissing(x)`, and `coalesce(x, 0)` replaces one",
    ),
    **dict.fromkeys(("NaN", "nan"), "what is no number is asked by `isNan(x)`; `0 / 0` gives it"),
    **dict.fromkeys(("inf", "Infinity", "infinity"), "`1 / 0` is infinite"),
}
"""what other languages call values, and what to write"""

KNOWN = frozenset({*FORMULA_CONSTANTS, *MISNOMERS})
"""names that are no variables unless somebody says so"""

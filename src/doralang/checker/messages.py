"""The texts of all errors that the checker reports: one row a code (reference, section 15.3).

A row is the sentence and, where there is one, the hint.  Names in braces are filled in by whoever
reports; a hint is shown only if all of its names are given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from doralang.types.types import LARGEST, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MESSAGES: Final[dict[str, tuple[str, str | None]]] = {
    "E0106": ("this number is too large for `{type}`", "{hint}"),
    "E0220": ("{what} not supported yet", None),
    "E0301": ("unknown name `{name}`", "{hint}"),
    "E0302": ("unknown function `{name}`", "{hint}"),
    "E0303": ("unknown type `{name}`", "{hint}"),
    "E0304": ("`{name}` is already defined as {what} at {position}", None),
    "E0305": ("`{name}` is a class and cannot name a variable", None),
    "E0306": ("`{name}` already names {what}", None),
    "E0307": ("`{name}` is {what}, not a type", None),
    "E0308": ("`{name}` is not a class", "{hint}"),
    "E0309": ("`{type}` has no field `{name}`", "{hint}"),
    "E0310": ("`{type}` already has a field `{name}`", None),
    "E0311": ("`{type}` has no method `{name}`", "{hint}"),
    "E0312": ("`{type}` has no static method `{name}`", "{hint}"),
    "E0314": ("`{type}` already has a method `{name}`, at {position}", None),
    "E0315": ("`{name}` already names a type parameter", None),
    "E0316": ("there is no `self` here", None),
    "E0317": ("`super` can only call methods", None),
    "E0318": ("there is no parent class here", None),
    "E0319": ("`{name}` is in the traits {traits}", None),
    "E0320": ("`{type}` has no variant `{name}`", "{hint}"),
    "E0321": ("`{type}` already has a variant `{name}`, at {position}", None),
    "E0401": ("expected `{expected}`, found `{found}`", "{hint}"),
    "E0402": ("field `{name}` is `{expected}`, found `{found}`", None),
    "E0403": ("the condition must be `bool`, found `{found}`", "{hint}"),
    "E0404": ("expected `{expected}`, found `{found}`", "{hint}"),
    "E0405": ("`{name}` needs a type or a value", None),
    "E0406": ("`let {name}` needs a value", "or declare it `var`"),
    "E0407": ("`{type}` has no values", None),
    "E0408": ("`{name}` cannot be assigned again", "{hint}"),
    "E0409": ("`{name}` is a constant", None),
    "E0410": ("this cannot be assigned to", None),
    "E0411": ("`{operator}` does not work on `{type}`", None),
    "E0412": ("`{operator}` does not work on `{left}` and `{right}`", "{hint}"),
    "E0413": ("a constant needs a constant value", None),
    "E0414": ("division by zero", None),
    "E0415": ("`{name}` depends on itself", None),
    "E0416": ("`{name}` expects {expected}, found {found}", None),
    "E0417": ("no constructor of `{type}` takes {found}", "{hint}"),
    "E0418": ("`{type}` is not a class type", None),
    "E0419": ("`{left}` and `{right}` are unrelated", None),
    "E0420": ("this text is too long for a constant", "{hint}"),
    "E0421": ("expected `{expected}`, found `{found}`", "all {what} have the type of the first"),
    "E0422": ("an `if` with a value needs an `else`", None),
    "E0423": ("`{type}` has no text", "give it a method `toString() -> Str`"),
    "E0424": ("this block has no value", "end it in an expression without `;`"),
    "E0428": ("`{name}` needs a type", "write `|{name}: T|`"),
    "E0429": ("expected {expected}, found {found}", None),
    "E0430": ("nobody knows the type of this `nil`", "{hint}"),
    "E0431": ("variant `{name}` has {what}", "{hint}"),
    "E0432": ("`{type}` cannot be called", None),
    "E0501": ("`{name}` is not a class", "{hint}"),
    "E0502": ("`{name}` cannot be extended", "{hint}"),
    "E0503": ("`{name}` extends itself", None),
    "E0504": ("an abstract method has no body", None),
    "E0505": ("`{type}` is not abstract", "declare the class `abstract`"),
    "E0506": ("a static method cannot be `{modifier}`", None),
    "E0507": ("`{name}` cannot be `{modifier}`: {reason}", "{hint}"),
    "E0508": ("`{name}` overrides nothing", None),
    "E0509": ("`{method}` cannot be overridden", "declare it `open` there"),
    "E0510": ("`{name}` overrides `{method}`", "mark it `override`"),
    "E0511": ("`{method}` is {marked}", None),
    "E0512": ("`{method}` returns `{expected}`, not `{found}`", None),
    "E0513": ("`{method}` takes {expected}, not {found}", None),
    "E0514": ("`{type}` must override `{name}` of `{parent}`", None),
    "E0515": ("`{name}` is abstract", "create an object of a class that extends it"),
    "E0516": ("`{name}` has no body", None),
    "E0517": ("the primary constructor calls the parent's constructor already", "delegate to `self(…)`"),
    "E0520": ("{what}", None),
    "E0521": ("`{name}` cannot be derived", "{hint}"),
    "E0522": ("`{name}` does not implement `{trait}`", None),
    "E0602": ("trait `{trait}` has no method `{method}`", None),
    "E0603": ("`{method}` of trait `{trait}` is missing", None),
    "E0604": ("`{name}` is not a trait", "{hint}"),
    "E0605": ("`{name}` is not a class", "{hint}"),
    "E0606": ("`Self` can only be used in traits", "write the name of the class"),
    "E0607": ("`{name}` takes {expected}, found {found}", None),
    "E0608": ("`{type}` must be a subclass of `{bound}`", None),
    "E0609": ("`{type}` does not implement `{trait}`", "{hint}"),
    "E0610": ("a bound is a class or a trait", None),
    "E0611": ("only one bound can be a class", None),
    "E0612": ("the bound `{name}` is given twice", None),
    "E0613": ("cannot infer {parameters} of `{name}`", "{hint}"),
    "E0614": ("cannot loop over `{type}`", "{hint}"),
    "E0615": ("`{type}` already implements `{trait}`, at {position}", None),
    "E0616": ("a method with {having} cannot be {what}", None),
    "E0617": (
        "this type is too large",
        f"a type has at most {LARGEST:,} characters",
    ),
    "E0618": (
        "`{name}` of `{trait}` cannot be defined again",
        "it is the same for all types",
    ),
    "E0619": ("`{type}` must implement `{trait}` too", None),
    "E0620": ("`{name}` extends itself", None),
    "E0621": ("`{trait}` cannot be a type: `{method}` {why}", "use it as a bound"),
    "E0622": (
        "`{name}` is no type parameter here",
        "a `where` is about those of the class or trait around{hint}",
    ),
    "E0623": (
        "the target is not exactly `{type}`",
        "it has the type parameters of the `impl`, in their order",
    ),
    "E0624": ("a bound of {what} is a trait", None),
    "E0701": ("`{name}` is only allowed in a loop", None),
    "E0702": ("`{name}` may end here without returning {article} `{type}`", None),
    "E0703": ("{what} is not covered", "{hint}"),
    "E0704": ("expected `{expected}`, found {found}", None),
    "E0705": ("`{name}` has {expected}, found {found}", "{hint}"),
    "E0706": ("this may not fit", "{hint}"),
    "E0707": ("both sides must bind {names}", "{hint}"),
    "E0708": ("this range is empty", None),
    "E0709": ("this block must not end", "leave it by `return`, `throw`, `break` or `continue`"),
    "E0710": ("`{name}` is bound twice", None),
    "E0711": ("this `match` has too many combinations to look at", "split it into several"),
    "W0701": ("this is covered already", None),
    "W0702": ("this always fits", None),
    "E0801": ("`{name}` can throw", "write `try {name}(…)`"),
    "E0802": ("nothing here can throw", "remove the `try`"),
    "E0803": ("expected `{expected}`, found `{found}`", None),
    "E0804": ("`nil` cannot be thrown", None),
    "E0805": ("only class types can be caught", None),
    "E0806": ("only exceptions of {names} may leave", "handle it here, or write `throws`"),
    "E0807": ("nothing here can be rethrown", "`rethrows` needs a parameter such as `f: (T) throws -> R`"),
    "W0801": ("an exception here ends the program", "mark {name} as `throws`, or catch it"),
    "E0901": ("there is no function `main`", None),
    "E0902": ("`main` takes nothing and returns nothing or `int`", None),
    "E0904": ("only library files can declare `internal`", None),
    "E0905": ("only library files can use raw memory", None),
    "E0906": ("{what}", None),
    "W0901": ("`{name}` is no test", "a test has one parameter, of class `Testing`, and no result"),
    "E0907": ("`{name}` is not granted", "{hint}"),
}


def render(code: str, values: dict[str, object]) -> tuple[str, str | None]:
    """The sentence and hint of a report."""
    message, hint = MESSAGES[code]
    if hint is None or (hint == "{hint}" and not values.get("hint")):
        return readable(message.format(**values)), None
    return readable(message.format(**values)), readable(hint.format(**values))


LONGEST: Final = 200
"""Characters of a name or type in a message; of a longer one the start and the end are shown."""
_LONG: Final = f"`([^`]{{{LONGEST // 2}}})[^`]{{{LONGEST // 2},}}([^`]{{{LONGEST // 4}}})`"

MOST_TYPES: Final = 20
"""types that a list in a message has room for"""


def readable(text: str) -> str:
    """A sentence, its long names and types cut."""
    return text if len(text) <= LONGEST else re.sub(_LONG, r"`\1…\2`", text)


def type_list(types: Sequence[Type | str]) -> str:
    """(`int`, `Str`)"""
    shown = [f"`{type}`" for type in types[:MOST_TYPES]]
    if len(types) > MOST_TYPES:
        shown.append(f"{len(types) - MOST_TYPES} more")
    return "(" + ", ".join(shown) + ")"


def count(number: int, noun: str) -> str:
    """1 type argument, 2 type arguments"""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def article(word: str) -> str:
    return "an" if word[:1] in "aeiouAEIOU" else "a"

"""What modules and functions are pickled as: the text and the options of `dora.compile`.

Within a process the same module comes out of a pickle while it is alive; elsewhere it is compiled anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary


class ProgramRecipe(NamedTuple):
    """How a program was compiled; options are those that are not as by default."""

    source: str
    options: tuple[tuple[str, Any], ...]


ALIVE: Final[WeakValueDictionary[ProgramRecipe, Any]] = WeakValueDictionary()
"""modules that were pickled here, or came out of a pickle"""


def recipe_of(source: str, options: dict[str, Any], defaults: dict[str, Any]) -> ProgramRecipe:
    """The recipe of a call of `dora.compile`."""
    kept = {name: value for name, value in options.items() if value != defaults[name]}
    for name, value in kept.items():
        if name == "functions":
            kept[name] = tuple(value.items())
        elif name == "grant":
            kept[name] = tuple(value)
    return ProgramRecipe(source, tuple(kept.items()))


def remade(compile: Callable[..., Any], source: str, options: tuple[tuple[str, Any], ...]) -> Any:
    """The module of a recipe."""
    recipe = ProgramRecipe(source, options)
    found = ALIVE.get(recipe)
    if found is None:
        arguments = dict(options)
        arguments["functions"] = dict(arguments.get("functions", ()))
        found = ALIVE[recipe] = compile(source, **arguments)
    return found

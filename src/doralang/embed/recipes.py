"""What modules and functions are pickled as: the text and the options of `dora.compile`.

Within a process the same module comes out of a pickle while it is alive; elsewhere it is compiled anew.
Workers of a cluster unpickle what they compute with for task after task and drop it in between, so what has
come out of pickles last stays alive for a while.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias
from weakref import WeakValueDictionary

Reduced: TypeAlias = "tuple[Callable[..., Any], tuple[Any, ...]]"
"""what something is pickled as: a function and the arguments that make it again"""


class ProgramRecipe(NamedTuple):
    """How a program was compiled; options are those that are not as by default."""

    source: str
    options: tuple[tuple[str, Any], ...]


ALIVE: Final[WeakValueDictionary[ProgramRecipe, Any]] = WeakValueDictionary()
"""modules that were pickled here, or came out of a pickle"""


class Recent:
    """What was made of pickles lately, so that the next pickle of the like finds it alive.

    It is forgotten when as many others have come twice, or Python has collected all garbage twice, since it
    was last unpickled.
    """

    most = 16
    all_generations = 2

    def __init__(self) -> None:
        self.fresh: dict[object, Any] = {}
        self.stale: dict[object, Any] = {}

    def keep(self, recipe: object, made: Any) -> None:
        """Keep what has just been made."""
        if self.note_collection not in gc.callbacks:
            gc.callbacks.append(self.note_collection)
        self.fresh[recipe] = made
        if len(self.fresh) >= self.most:
            self.grow_stale()

    def refresh(self, recipe: object, found: Any) -> None:
        """It has been unpickled again."""
        if recipe in self.stale:
            self.fresh[recipe] = found

    def grow_stale(self) -> None:
        self.fresh, self.stale = {}, self.fresh

    def note_collection(self, phase: str, info: dict[str, int]) -> None:
        """Python's garbage collector is at work."""
        if phase == "stop" and info["generation"] == self.all_generations:
            self.grow_stale()


RECENT: Final = Recent()


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
        if (
            not found._program.typed.globals
        ):  # with globals, whoever unpickles it next would find them changed
            RECENT.keep(recipe, found)
    else:
        RECENT.refresh(recipe, found)
    return found

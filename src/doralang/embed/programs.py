"""A checked program with its code, which modules, instances, functions and objects hold together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Literal
from weakref import WeakSet

from doralang.checker import program as typed
from doralang.embed.callbacks import Callback
from doralang.embed.instances import Host, Instances, Print
from doralang.embed.limits import Limits
from doralang.embed.recipes import ALIVE, ProgramRecipe
from doralang.engines.native import module_of
from doralang.native.module import Module as Code
from doralang.settings import Settings
from doralang.types.types import ClassType

MakeObject = Callable[["CheckedProgram", Instances, Host, int], Any]
"""the Python object for an address, in a turn of the host"""

Stage = Literal["tokens", "ast", "program", "bytecode", "asm"]
"""what `explain` can show"""

LIVE_PROGRAMS: Final[WeakSet[CheckedProgram]] = WeakSet()
"""all of them, for `memory`"""


def none() -> None:
    """A formula's program has no module."""


class CheckedProgram:
    """A program, its code, and how its instances are to be.  The code is freed with it."""

    def __init__(
        self,
        program: typed.Program,
        limits: Limits,
        print: Print | None,
        callbacks: Sequence[Callback],
        make_object: MakeObject,
        hardened: bool,
    ) -> None:
        self.typed = program
        self.recipe: ProgramRecipe | None = None
        """how it is made again from a pickle; none of a formula's"""
        self.module: Callable[[], object | None] = none
        """the module that it was compiled as, while that is alive"""
        self.limits = limits
        self.print = print
        self.callbacks = callbacks
        self.make_object = make_object
        self.python_classes: dict[typed.Class, type] = {}
        """those that stand for its classes, as far as somebody wanted them"""
        self.loops: dict[typed.Function, typed.Function] = {}
        """around functions that were called with arrays, element by element"""
        self.code: Code = module_of(
            program, Settings(), counts_fuel=limits.fuel is not None, hardened=hardened
        )
        self.code.loader.most = limits.code_size
        self.code.space.watch_collections()
        LIVE_PROGRAMS.add(self)
        self.text: ClassType = program.library.classes["Str"].of()

    def recipe_to_pickle(self) -> ProgramRecipe | None:
        """The recipe; its module comes out of the pickle while that is alive."""
        recipe, module = self.recipe, self.module()
        if recipe is not None and module is not None:
            with suppress(TypeError):  # not every callable has a hash
                ALIVE.setdefault(recipe, module)
        return recipe

    def new_host(self, limits: Limits | None = None) -> Host:
        return Host(self.code, limits or self.limits, self.print, self.callbacks)

    def __del__(self) -> None:
        code = self.__dict__.get("code")
        if code is not None:
            code.space.condemn(code.close)

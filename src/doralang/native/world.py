"""What the optimizer asks of the checked program: the code of what is called, and where virtual calls lead.

All classes of a program are known before it runs, so a method that none of them overrides is what a virtual
call of it calls.  Code that programs share knows the library's classes only, and others may extend them:
there virtual calls stay what they are.
"""

from __future__ import annotations

from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function as Bytecode
from doralang.checker.program import Function, Program
from doralang.lower.specializer import Specializer

MOST_LEVELS = 10
"""of types in the type arguments of functions that are looked at"""


class ProgramWorld:
    """Implements `doralang.optimizing.inlining.World`."""

    def __init__(self, specializer: Specializer) -> None:
        self.specializer = specializer
        self.overriding = overriding(specializer.program) if specializer.program.source.main else None
        """the methods that override each, if all classes are known"""

    def bytecode(self, ref: FunctionRef) -> Bytecode | None:
        if self.specializer.nesting(ref) > MOST_LEVELS:
            return None
        return self.specializer.code(ref)

    def only_target(self, ref: FunctionRef) -> FunctionRef | None:
        if self.overriding is None:
            return None
        method = self.specializer.declaration(ref)
        others = self.overriding.get(method, [])
        if not others:
            return ref if method.body is not None else None
        (first, *more) = others
        if more or method.body is not None or first in self.overriding:
            return None
        if first.body is None or first.all_type_parameters:
            return None
        return self.specializer.function_ref(first)


def overriding(program: Program) -> dict[Function, list[Function]]:
    """For each method those that stand in place of it, but for those in place of these in turn."""
    result: dict[Function, list[Function]] = {}
    for cls in (*program.library.overriding(), *program.classes.values()):
        for method in cls.methods.values():
            if method.overridden is not None:
                result.setdefault(method.overridden, []).append(method)
    return result

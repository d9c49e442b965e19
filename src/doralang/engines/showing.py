"""A single function in another language, for people who want to see it."""

from __future__ import annotations

from doralang.checker.program import Function, Program
from doralang.lower.functions import lowering
from doralang.source.functions import calls_of, reason_against
from doralang.source.provider import LANGUAGES


def generated(language: str, program: Program, function: Function) -> str:
    """The text of a function in a language, or why there is none."""
    specializer = lowering(program)
    bytecode = specializer.code(specializer.function_ref(function))
    reason = reason_against(bytecode)
    for callee in calls_of(bytecode):
        reason = reason or f"it calls {callee.name}"
    if reason:
        return f"no {LANGUAGES[language].toolchain.name} for {bytecode.name}: {reason}\n"
    return LANGUAGES[language].text([bytecode])

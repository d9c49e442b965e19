"""References of a trace: found when it is entered, and looked at whether they are what they were.

Since they stay the same in all rounds, everything about them (nil, class, who is who) is checked once.
"""

from __future__ import annotations

from typing import Any

from doralang.interpreter.objects import Value
from doralang.tracing.trace import InField, InGlobal, InRegister, LoopTrace, Reference
from doralang.vm.code import Registers

Found = dict[Reference, Any]
"""the object of each reference"""


def find(reference: Reference, registers: Registers, globals: list[Value], found: Found) -> Any:
    """The object that a reference means; nil if it cannot be found."""
    if reference in found:
        return found[reference]
    value: Any = None
    if isinstance(reference, InRegister):
        value = registers[reference.register]
    elif isinstance(reference, InGlobal):
        value = globals[reference.variable.index]
    elif isinstance(reference, InField):
        base = find(reference.object, registers, globals, found)
        value = None if base is None else base.fields[reference.field.index]
    found[reference] = value
    return value


def find_all(trace: LoopTrace, registers: Registers, globals: list[Value]) -> Found | None:
    """All references of a trace, or None if something is not as it was recorded."""
    found: Found = {}
    for reference, cls in trace.classes.items():
        value = find(reference, registers, globals, found)
        if (None if value is None else value.type) is not cls:
            return None
    for (one, other), same in trace.same.items():
        is_same = find(one, registers, globals, found) is find(other, registers, globals, found)
        if is_same is not same:
            return None
    return None if has_aliases(trace, found) else found


def has_aliases(trace: LoopTrace, found: Found) -> bool:
    """Whether two references with variables for fields are the same object."""
    holders = {reference for reference, _ in trace.fields}
    return len({id(found[reference]) for reference in holders}) < len(holders)

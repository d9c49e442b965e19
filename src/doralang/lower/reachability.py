"""What a program may run, found before it runs.

    reached(specializer, [main])  ->  main, what it calls, the methods of the objects that it makes, …

A function that calls itself with ever larger type arguments (`depth(Pair(x, 1), n - 1)` in `depth`) leads
to functions without end, of which a run calls some.  Ahead of a run there are the first of them only, so
everything ends; whoever asks must do without the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function as Bytecode
from doralang.checker.program import Function
from doralang.lower.specializer import Specializer

MOST_LEVELS: Final = 10
"""of types in type arguments"""
MOST_INSTANCES: Final = 200
"""of one generic function: type arguments may grow in width, too"""


def reached(
    specializer: Specializer,
    roots: Iterable[FunctionRef],
    *,
    known: Iterable[FunctionRef] = (),
    stand_in: Callable[[FunctionRef], FunctionRef | None] = lambda ref: None,
) -> Iterator[Bytecode]:
    """The bytecode of these functions and of all that they may call, but for those that are `known`.

    `stand_in` gives the function that an internal one is called as, if there is one.  Abstract methods, which
    are called by name and never run, are not among the functions.
    """
    waiting, seen = list(roots), set(known)
    instances: Counter[Function] = Counter()
    while waiting:
        ref = waiting.pop()
        ref = stand_in(ref) or ref
        if ref in seen or ref.internal:
            continue
        seen.add(ref)
        function = specializer.declaration(ref)
        instances[function] += 1
        if function.body is None or instances[function] > MOST_INSTANCES:
            continue
        if specializer.nesting(ref) > MOST_LEVELS:
            continue
        bytecode = specializer.code(ref)
        yield bytecode
        waiting += mentioned(bytecode)


def mentioned(bytecode: Bytecode) -> Iterator[FunctionRef]:
    """What it calls, as far as bytecode says, and the methods of the objects that it makes."""
    for insn in bytecode.code:
        if isinstance(insn, i.Call | i.CallVirtual | i.CallInternal):
            yield insn.function
        elif isinstance(insn, i.NewObject):
            yield from insn.cls.methods

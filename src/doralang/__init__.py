"""Dora: a statically typed language with a just-in-time compiler, hosted in Python.

    import doralang as dora

    m = dora.compile("fun twice(n: int) -> int { return 2 * n; }")
    m.twice(21)      ->   42

Nothing but the version is imported until something is asked for.
"""

from __future__ import annotations

from doralang.optional import load
from doralang.version import VERSION as __version__

TYPE_CHECKING = False  # that of `typing`, which the command loads only when it has taken over signals
if TYPE_CHECKING:
    from typing import Final

    from doralang.embed.errors import AssertionFailed as AssertionFailed
    from doralang.embed.errors import Cancelled as Cancelled
    from doralang.embed.errors import CastFailed as CastFailed
    from doralang.embed.errors import CompileError as CompileError
    from doralang.embed.errors import CompileTimeExceeded as CompileTimeExceeded
    from doralang.embed.errors import Diagnostic as Diagnostic
    from doralang.embed.errors import DivisionByZero as DivisionByZero
    from doralang.embed.errors import DoraError as DoraError
    from doralang.embed.errors import Exited as Exited
    from doralang.embed.errors import Failure as Failure
    from doralang.embed.errors import FatalError as FatalError
    from doralang.embed.errors import Frame as Frame
    from doralang.embed.errors import FuelExhausted as FuelExhausted
    from doralang.embed.errors import IndexOutOfBounds as IndexOutOfBounds
    from doralang.embed.errors import InstanceBusy as InstanceBusy
    from doralang.embed.errors import InstanceSpent as InstanceSpent
    from doralang.embed.errors import LimitExceeded as LimitExceeded
    from doralang.embed.errors import MissingValue as MissingValue
    from doralang.embed.errors import NilAccess as NilAccess
    from doralang.embed.errors import NoSuchValue as NoSuchValue
    from doralang.embed.errors import OutOfMemory as OutOfMemory
    from doralang.embed.errors import SourceTooLarge as SourceTooLarge
    from doralang.embed.errors import StackOverflow as StackOverflow
    from doralang.embed.errors import Thrown as Thrown
    from doralang.embed.errors import TimeLimitExceeded as TimeLimitExceeded
    from doralang.embed.expressions import Check as Check
    from doralang.embed.expressions import check as check
    from doralang.embed.formulas import Expr as Expr
    from doralang.embed.formulas import expr as expr
    from doralang.embed.functions import Function as Function
    from doralang.embed.limits import Limits as Limits
    from doralang.embed.memory import memory as memory
    from doralang.embed.modules import Instance as Instance
    from doralang.embed.modules import Module as Module
    from doralang.embed.modules import compile as compile
    from doralang.embed.objects import Object as Object
    from doralang.embed.sheets import Sheet as Sheet
    from doralang.embed.sheets import exprs as exprs
    from doralang.embed.single import function as function

_ERRORS: Final = """
    AssertionFailed Cancelled CastFailed CompileError CompileTimeExceeded Diagnostic DivisionByZero DoraError
    Exited Failure FatalError Frame FuelExhausted IndexOutOfBounds InstanceBusy InstanceSpent
    LimitExceeded MissingValue NilAccess NoSuchValue OutOfMemory SourceTooLarge StackOverflow Thrown
    TimeLimitExceeded
"""
_HOMES: Final[dict[str, str]] = {
    **dict.fromkeys(_ERRORS.split(), "doralang.embed.errors"),
    "Limits": "doralang.embed.limits",
    **dict.fromkeys(["Instance", "Module", "compile"], "doralang.embed.modules"),
    **dict.fromkeys(["Check", "check"], "doralang.embed.expressions"),
    **dict.fromkeys(["Expr", "expr"], "doralang.embed.formulas"),
    "Function": "doralang.embed.functions",
    "Object": "doralang.embed.objects",
    **dict.fromkeys(["Sheet", "exprs"], "doralang.embed.sheets"),
    "function": "doralang.embed.single",
    "memory": "doralang.embed.memory",
}
"""the module that each name of the API is in"""

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(load(home), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

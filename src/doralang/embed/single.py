"""One function by itself: from its Dora text, or from a Python stub whose docstring is the body.

triangle = dora.function("fun triangle(n: int) -> int { return n * (n + 1) / 2; }")

@dora.function
def triangle(n: int) -> int:
    '''return n * (n + 1) / 2;'''
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from doralang.embed.functions import Function
from doralang.embed.kinds import declared
from doralang.embed.modules import compile

T = TypeVar("T")


@overload
def function(source: str, /, **options: Any) -> Function[Any]: ...
@overload
def function(source: Callable[..., T], /) -> Function[T]: ...
def function(source: str | Callable[..., Any], /, **options: Any) -> Function[Any]:
    """A function from its text, which may have other declarations before it, with the options of `compile`;
    or, as a decorator, from a Python function whose docstring is the body and whose annotations are the
    signature.

    Raises CompileError; ValueError if there is no function, TypeError for annotations that are no types.
    """
    if isinstance(source, str):
        return last_function(source, **options)
    if options:
        raise TypeError("a decorated function has no options; give its text to `dora.function`")
    return decorated(source)


def last_function(source: str, **options: Any) -> Function[Any]:
    functions = compile(source, **options).functions
    if not functions:
        raise ValueError("the text has no function that can be called")
    return list(functions.values())[-1]


def decorated(stub: Callable[..., Any]) -> Function[Any]:
    """The function that a stub describes; defaults and annotations stay as they are."""
    name, body = stub.__name__, inspect.getdoc(stub)
    if body is None:
        raise ValueError(f"{name}() has no docstring, which would be its body")
    signature = declared(name, stub, slices=True)
    parameters = ", ".join(f"{parameter}: {kind}" for parameter, kind in signature.parameters)
    result = f" -> {signature.result}" if signature.result else ""
    made = last_function(f"fun {name}({parameters}){result} {{\n{body}\n}}\n", filename=f"<{name}>")
    made.__module__, made.__qualname__ = stub.__module__, stub.__qualname__
    made.__signature__ = made._callee.signature = inspect.signature(stub)
    made._by_name = True
    return made

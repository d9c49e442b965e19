"""Annotations of Python as types of the language.

    int -> int    float -> double    bool -> bool    str -> Str    None -> nothing    "long" -> long

Other types have their Dora name as a text: `def f(n: "long") -> "byte"`; NumPy's dtypes and their names are
good, too: `numpy.float32`, `"int64"`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from doralang.types.types import PRIMITIVE_TYPES, UNIT, Type

NAMES: Final[dict[object, str]] = {
    int: "int",
    float: "double",
    bool: "bool",
    str: "Str",
    None: "",
    type(None): "",
}
"""what Python calls otherwise"""
WRITTEN: Final = {"int": "int", "float": "double", "bool": "bool", "str": "Str", "Str": "Str", "None": ""}
"""the same as texts, which annotations are under `from __future__ import annotations`"""
DTYPES: Final = {
    "float64": "double",
    "float32": "float",
    "int64": "long",
    "int32": "int",
    "uint8": "byte",
    "bool": "bool",
    "bool_": "bool",
}
"""the same by NumPy's names"""


class Declared(NamedTuple):
    """What the annotations of a Python function say, by the names of the language; no result is an empty
    name."""

    parameters: list[tuple[str, str]]
    result: str


SLICE: Final = re.compile(r"(Array|(Mut)?Slice)<(bool|byte|int|long|float|double)>")
"""what a function of the language takes besides, and one of Python's does not"""


def kind_name(annotation: object, where: str, slices: bool = False) -> str:
    """The name of a type, a slice's or an array's if there may be some.  Raises TypeError."""
    if annotation is inspect.Parameter.empty:
        raise TypeError(f"{where} has no annotation")
    dtype = DTYPES.get(dtype_name(annotation))
    if dtype is not None:
        return dtype
    if isinstance(annotation, str):
        text = annotation.strip("'\" ")
        if text in WRITTEN:
            return WRITTEN[text]
        if text in PRIMITIVE_TYPES or (slices and SLICE.fullmatch(text)):
            return text
    elif annotation in NAMES:
        return NAMES[annotation]
    known = ", ".join(["int", "float", "bool", "str", *(f'"{name}"' for name in PRIMITIVE_TYPES)])
    raise TypeError(f"{where} is annotated with {annotation!r}; there are {known}")


def dtype_name(annotation: object) -> str:
    """What NumPy calls a dtype or a type of its numbers; a text is one already."""
    if isinstance(annotation, str):
        return annotation.strip("'\" ")
    if type(annotation).__module__.partition(".")[0] == "numpy":
        return str(annotation)
    if isinstance(annotation, type) and annotation.__module__ == "numpy":
        return annotation.__name__
    return ""


def declared(name: str, function: Callable[..., Any], slices: bool = False) -> Declared:
    """The declared signature of a Python function, whose parameters may be slices if it is a stub.

    Raises TypeError.
    """
    signature = inspect.signature(function)
    parameters = []
    for parameter in signature.parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise TypeError(f"{name}(): `{parameter.name}` is not a plain parameter")
        where = f"{name}(): `{parameter.name}`"
        parameters.append((parameter.name, kind_name(parameter.annotation, where, slices)))
    result = kind_name(signature.return_annotation, f"{name}(): the result")
    if any(not kind for _, kind in parameters):
        raise TypeError(f"{name}(): no parameter can be None")
    return Declared(parameters, result)


def type_named(name: str, text: Type) -> Type:
    """The type of a name that `declared` gives."""
    if not name:
        return UNIT
    return text if name == "Str" else PRIMITIVE_TYPES[name]

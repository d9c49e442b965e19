"""Names and kinds from what has a schema: tables of pandas, Polars and Arrow, structured arrays.

    schema_of(polars.DataFrame({"n": [1], "x": [0.5]}))     ->      {"n": "long", "x": "double"}

Nothing of these libraries is imported: their types are known by the names that they show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NAMES: Final = {
    "float64": "double",
    "double": "double",
    "float32": "float",
    "float": "float",
    "int64": "long",
    "int32": "int",
    "uint8": "byte",
    "bool": "bool",
    "boolean": "bool",
    "string": "Str",
    "large_string": "Str",
    "string_view": "Str",
    "str": "Str",
}
"""kinds by the names of types, in small letters; of columns that are to be numbers or texts"""


def has_schema(types: Any) -> bool:
    """Whether names and kinds are those of columns."""
    return not isinstance(types, type) and (
        any(hasattr(types, name) for name in ("schema", "dtypes"))
        or getattr(getattr(types, "dtype", types), "names", None) is not None
    )


def schema_of(types: Any) -> dict[str, object]:
    """The kind of each column.  One that no formula can have is what it was, for who says so."""
    return {
        str(name): one if isinstance(one, str) else NAMES.get(str(one).lower(), one)
        for name, one in columns(types)
    }


def columns(types: Any) -> list[tuple[str, Any]]:
    """Names of columns, and what the library calls their types."""
    schema = getattr(types, "schema", types)
    if isinstance(schema, Mapping):  # Polars
        return [*schema.items()]
    if hasattr(schema, "names") and hasattr(schema, "types"):  # Arrow
        return [*zip(schema.names, schema.types, strict=True)]
    if hasattr(types, "dtypes"):  # pandas
        return [*types.dtypes.items()]
    dtype = getattr(types, "dtype", types)
    return [(name, dtype.fields[name][0]) for name in dtype.names]

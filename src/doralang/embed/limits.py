"""Limits: what a program inside another may use, each finite or None for no limit.

Limits(memory="64MB", time=0.5)
"""

from __future__ import annotations

from typing import Any, Final

UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def as_bytes(name: str, value: int | str | None) -> int | None:
    """A number of bytes: an int, or a text such as "64MB", "1 GB", "512k".  Raises ValueError, TypeError."""
    if value is None:
        return None
    if isinstance(value, str):
        text = value.strip().upper().removesuffix("B").rstrip()
        number, unit = (text[:-1].rstrip(), text[-1]) if text[-1:] in ("K", "M", "G") else (text, "")
        if not number.isdecimal():
            raise ValueError(f"{name}: {value!r} is no size; write a number of bytes or a text like '64MB'")
        return int(number) * UNITS[unit]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected an int or a str, found {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{name}: {value} is negative")
    return value


FOREVER: Final = 1e300
"""seconds: so much is as good as any more"""


def as_seconds(name: str, value: float | None) -> float | None:
    """A time in seconds.  Raises ValueError, TypeError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}: expected a number of seconds, found {type(value).__name__}")
    if not value >= 0:
        raise ValueError(f"{name}: {value} is no time")
    return float(min(value, FOREVER))


def as_count(name: str, value: int | None) -> int | None:
    """A number of things.  Raises ValueError, TypeError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected an int, found {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{name}: {value} is negative")
    return value


class Limits:
    """Immutable.

    memory         bytes that an instance takes: objects, as much room again to move them to, and its tables
    time           seconds that one call may take
    fuel           calls of functions and rounds of loops that one call may take, its own call included; the
                   same on every machine, unlike time
    stack          bytes for calls in calls
    output         bytes that one call may print
    source_size    bytes of a program's or formula's text
    compile_time   seconds that parsing and checking it may take
    code_size      bytes of machine code that it may become, with the texts and shapes that belong to it
    """

    __slots__ = ("code_size", "compile_time", "fuel", "memory", "output", "source_size", "stack", "time")

    memory: int | None
    time: float | None
    fuel: int | None
    stack: int | None
    output: int | None
    source_size: int | None
    compile_time: float | None
    code_size: int | None

    def __init__(
        self,
        *,
        memory: int | str | None = None,
        time: float | None = None,
        fuel: int | None = None,
        stack: int | str | None = None,
        output: int | str | None = None,
        source_size: int | str | None = None,
        compile_time: float | None = None,
        code_size: int | str | None = None,
    ) -> None:
        set_once = object.__setattr__
        set_once(self, "memory", as_bytes("memory", memory))
        set_once(self, "time", as_seconds("time", time))
        set_once(self, "fuel", as_count("fuel", fuel))
        set_once(self, "stack", as_bytes("stack", stack))
        set_once(self, "output", as_bytes("output", output))
        set_once(self, "source_size", as_bytes("source_size", source_size))
        set_once(self, "compile_time", as_seconds("compile_time", compile_time))
        set_once(self, "code_size", as_bytes("code_size", code_size))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"limits cannot be changed; use `replace({name}=...)`")

    @staticmethod
    def untrusted() -> Limits:
        """64 MB of memory, 1 s of time, 1 MB of stack and of output, 64 KB of source, 1 s to compile it, 4
        MB of code; fuel without limit, as code that counts it is slower."""
        return Limits(
            memory="64MB",
            time=1.0,
            stack="1MB",
            output="1MB",
            source_size="64KB",
            compile_time=1.0,
            code_size="4MB",
        )

    def replace(self, **changes: Any) -> Limits:
        """The same but for some."""
        return Limits(**{name: getattr(self, name) for name in self.__slots__} | changes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Limits) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.__slots__))

    def given(self) -> tuple[tuple[str, int | float], ...]:
        """Those that there are."""
        values = [(name, getattr(self, name)) for name in self.__slots__]
        return tuple([(name, value) for name, value in values if value is not None])

    def __reduce__(self) -> tuple[Any, ...]:
        return remade, (self.given(),)

    def __repr__(self) -> str:
        return f"Limits({', '.join(f'{name}={value!r}' for name, value in self.given())})"


def remade(given: tuple[tuple[str, Any], ...]) -> Limits:
    """The limits of a pickle."""
    return Limits(**dict(given))

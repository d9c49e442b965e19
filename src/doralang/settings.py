"""What a run is asked to do: the choices of reference 1.2, and the streams it works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple

ENGINES: Final = ("tiered", "walk", "vm", "trace", "c", "go", "baseline", "opt")
COLLECTORS: Final = ("swiper", "copy", "sweep", "zero")

TARGETS: Final = ("x64", "arm64")
"""the processors that code can be made for"""

ALL: Final = "all"
"""in place of a list of names: every function"""


class ImpossibleSetting(Exception):
    """This machine, or this process, cannot do what it was told to; the message is for the user."""


class Streams(NamedTuple):
    """Standard input, output and error: the real ones, or those of a host."""

    stdin: BinaryIO
    stdout: BinaryIO
    stderr: BinaryIO


@dataclass(slots=True)
class Settings:
    """How to run programs; the defaults are those of the command line."""

    engine: str = "tiered"
    gc: str = ""
    """empty for the default"""
    gc_stress: bool = False
    gc_stress_minor: bool = False
    gc_verify: bool = False
    gc_events: bool = False
    gc_stats: bool = False
    heap_size: int | None = None
    """in bytes; none for a quarter of the machine's memory"""
    young_size: int | None = None
    """in bytes, of the part where objects are allocated by a generational collector"""
    emit: set[str] = field(default_factory=set)
    """names of stages"""
    emit_bytecode: set[str] = field(default_factory=set)
    """plain names of functions, or `ALL`"""
    emit_asm: set[str] = field(default_factory=set)
    emit_debug: set[str] = field(default_factory=set)
    asm_syntax: str = "att"
    target: str = ""
    """show code for this processor, and do not run the program; empty to run it"""
    omit_bounds_check: bool = False
    perf: bool = False
    hot: int | None = None
    """calls and rounds of loops after which a function is hot; none for the engine's default"""
    hot_now: bool = False
    """whether the program waits for native code instead of running on"""
    stats: bool = False
    """what the engine did, when the program ends"""
    cache: bool = True
    """whether compiled code may be taken from and stored in the user's cache"""

"""What a run is asked to do: the choices of reference 1.2, and the streams it works with."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Final, Protocol

    class ByteSource(Protocol):
        """A file opened for bytes, such as `sys.stdin.buffer`."""

        def read1(self, most: int, /) -> bytes:
            """What there is, at most so many bytes, after waiting for some; none at the end."""


ALL: Final = "all"
"""in place of a list of names: every function"""


class ImpossibleSetting(Exception):
    """This machine, or this process, cannot do what it was told to; the message is for the user."""


class Streams:
    """Standard input, output and error: the real ones, or those of a host."""

    __slots__ = ("stderr", "stdin", "stdout")

    def __init__(self, stdin: ByteSource, stdout: BinaryIO, stderr: BinaryIO) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr


class Settings:
    """How to run programs; the defaults are those of the command line.

    Plain classes, here and in all that a run of stored code loads: others take time to be made.
    """

    def __init__(
        self,
        *,
        engine: str = "tiered",
        gc: str = "",
        gc_stress: bool = False,
        gc_stress_minor: bool = False,
        gc_verify: bool = False,
        gc_events: bool = False,
        gc_stats: bool = False,
        heap_size: int | None = None,
        young_size: int | None = None,
        omit_bounds_check: bool = False,
        perf: bool = False,
        hot: int | None = None,
        hot_now: bool = False,
        stats: bool = False,
        cache: bool = True,
        llvm: bool = True,
    ) -> None:
        self.engine = engine
        self.gc = gc
        """empty for the default"""
        self.gc_stress = gc_stress
        self.gc_stress_minor = gc_stress_minor
        self.gc_verify = gc_verify
        self.gc_events = gc_events
        self.gc_stats = gc_stats
        self.heap_size = heap_size
        """in bytes; none for a quarter of the machine's memory"""
        self.young_size = young_size
        """in bytes, of the part where objects are allocated by a generational collector"""
        self.emit: set[str] = set()
        """names of stages"""
        self.emit_all: set[str] = set()
        """those of them that show the functions of the library as well"""
        self.emit_bytecode: set[str] = set()
        """plain names of functions, or `ALL`"""
        self.emit_asm: set[str] = set()
        self.emit_debug: set[str] = set()
        self.asm_syntax = "att"
        self.target = ""
        """show code for this processor, and do not run the program; empty to run it"""
        self.omit_bounds_check = omit_bounds_check
        self.perf = perf
        self.hot = hot
        """calls and rounds of loops after which a function is hot; none for the engine's default"""
        self.hot_now = hot_now
        """whether the program waits for native code instead of running on"""
        self.stats = stats
        """what the engine did, when the program ends"""
        self.cache = cache
        """whether compiled code may be taken from and stored in the user's cache"""
        self.llvm = llvm
        """whether optimized code may be made by LLVM, if that is installed"""

    def shows(self, stage: str, name: str, file: str | None) -> bool:
        """Whether a stage of a function of this plain name is printed; `file` is the library's, or None."""
        if stage in self.emit and (file is None or stage in self.emit_all):
            return True
        names = self.emit_bytecode if stage == "bytecode" else self.emit_asm if stage == "asm" else ()
        return name in names or ALL in names

"""The processors code can be made for: one row each, and which of them is the host's.

Both folders are always importable, so that code for any processor can be made and looked at on any host.
"""

from __future__ import annotations

from collections.abc import Callable
from os import uname
from typing import Final, NamedTuple

from dora.machine.macro import MacroAssembler
from dora.optional import load

MAKERS: Final[dict[str, Callable[[], MacroAssembler]]] = {}
"""by package, those that are loaded"""


class Target(NamedTuple):
    """A processor: its name here, what the operating system calls it, and its folder.

    `filler` is an instruction that stops whoever runs it, for code memory that is not in use.  `capstone`
    holds the names of Capstone's constants: architecture and mode.
    """

    name: str
    machines: tuple[str, ...]
    package: str
    filler: bytes
    capstone: tuple[str, str]

    def assembler(self) -> MacroAssembler:
        """A new macro assembler."""
        make = MAKERS.get(self.package)
        if make is None:
            make = MAKERS[self.package] = load(f"{self.package}.macro").make
        return make()


X64: Final = Target(
    name="x64",
    machines=("x86_64", "amd64"),
    package="dora.machine.x64",
    filler=b"\xcc",
    capstone=("CS_ARCH_X86", "CS_MODE_64"),
)

ARM64: Final = Target(
    name="arm64",
    machines=("aarch64", "arm64"),
    package="dora.machine.arm64",
    filler=b"\x00\x00\x20\xd4",
    capstone=("CS_ARCH_ARM64", "CS_MODE_ARM"),
)

TARGETS: Final[dict[str, Target]] = {target.name: target for target in (X64, ARM64)}


def host() -> Target | None:
    """The target that is this machine, if there is one."""
    machine = uname().machine.lower()
    return next((target for target in TARGETS.values() if machine in target.machines), None)

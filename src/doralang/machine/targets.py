"""The processors code can be made for: one row each, and which of them is the host's.

Both folders are always importable, so that code for any processor can be made and looked at on any host.
"""

from __future__ import annotations

from os import uname

from doralang.optional import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from doralang.machine.macro import MacroAssembler

MAKERS: Final[dict[str, Callable[[bool], MacroAssembler]]] = {}
"""by package, those that are loaded"""


class Target:
    """A processor: its name here, what the operating system calls it, and its folder.

    `filler` is an instruction that stops whoever runs it, for code memory that is not in use.  `reach` is how
    many bytes of code can call each other the near way.  `coherent` says whether instructions that have been
    stored are fetched without further ado (`MacroAssembler.synchronize_code`).  `capstone` holds the
    names of Capstone's constants: architecture and mode.
    """

    __slots__ = ("capstone", "coherent", "filler", "machines", "name", "package", "reach")

    def __init__(
        self,
        *,
        name: str,
        machines: tuple[str, ...],
        package: str,
        filler: bytes,
        reach: int,
        coherent: bool,
        capstone: tuple[str, str],
    ) -> None:
        self.name = name
        self.machines = machines
        self.package = package
        self.filler = filler
        self.reach = reach
        self.coherent = coherent
        self.capstone = capstone

    def assembler(self, far: bool = False) -> MacroAssembler:
        """A new macro assembler; `far` for code that was found too large for the shortest instructions."""
        make = MAKERS.get(self.package)
        if make is None:
            make = MAKERS[self.package] = load(f"{self.package}.macro").make
        return make(far)


X64: Final = Target(
    name="x64",
    machines=("x86_64", "amd64"),
    package="doralang.machine.x64",
    filler=b"\xcc",
    reach=1 << 31,
    coherent=True,
    capstone=("CS_ARCH_X86", "CS_MODE_64"),
)

ARM64: Final = Target(
    name="arm64",
    machines=("aarch64", "arm64"),
    package="doralang.machine.arm64",
    filler=b"\x00\x00\x20\xd4",
    reach=1 << 27,
    coherent=False,
    capstone=("CS_ARCH_ARM64", "CS_MODE_ARM"),
)

TARGETS: Final[dict[str, Target]] = {target.name: target for target in (X64, ARM64)}


def host() -> Target | None:
    """The target that is this machine, if there is one."""
    machine = uname().machine.lower()
    return next((target for target in TARGETS.values() if machine in target.machines), None)

"""What a run asks of its code: the choices that change it, and in which tier it is made."""

from __future__ import annotations

import os

from doralang.code.collectors import COLLECTORS, DEFAULT
from doralang.code.tiers import BASELINE, LLVM, OPTIMIZED
from doralang.optional import LLVM as LLVM_PACKAGE
from doralang.optional import is_installed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from doralang.code.collectors import Collector
    from doralang.settings import Settings

    CodeKey: TypeAlias = tuple[str, bool, str, bool, bool, bool]

VERIFIES: Final = bool(os.environ.get("DORA_VERIFY"))
"""Whether all bytecode is checked before it is compiled; tests set the environment variable."""


class CodeOptions:
    """The choices that change code."""

    __slots__ = ("at_once", "bounds_checks", "collector", "counts_fuel", "hardened", "tier")

    def __init__(
        self,
        collector: Collector,
        bounds_checks: bool = True,
        tier: str = BASELINE,
        *,
        counts_fuel: bool = False,
        at_once: bool = False,
        hardened: bool = False,
    ) -> None:
        self.collector = collector
        self.bounds_checks = bounds_checks
        self.tier = tier
        self.counts_fuel = counts_fuel
        self.hardened = hardened
        """whether somebody may have written the program who means harm: indexes are masked, and numbers stand
        in no code"""
        self.at_once = at_once
        """whether all functions move up at once, which others that share the library's code do not want"""

    @property
    def key(self) -> CodeKey:
        """The same for the same choices."""
        return (
            self.collector.name,
            self.bounds_checks,
            self.tier,
            self.counts_fuel,
            self.at_once,
            self.hardened,
        )


def code_options(settings: Settings, *, counts_fuel: bool = False, hardened: bool = False) -> CodeOptions:
    """What a run asks for."""
    collector = COLLECTORS[settings.gc or DEFAULT]
    at_once = settings.engine == "tiered" and settings.hot_now
    return CodeOptions(
        collector,
        not settings.omit_bounds_check,
        tier_of(settings),
        counts_fuel=counts_fuel,
        at_once=at_once,
        hardened=hardened,
    )


def tier_of(settings: Settings) -> str:
    """The tier that functions are compiled in at first."""
    return optimized_tier(settings) if settings.engine == "opt" else BASELINE


def optimized_tier(settings: Settings) -> str:
    """The best tier there is."""
    return LLVM if settings.llvm and is_installed(LLVM_PACKAGE) else OPTIMIZED

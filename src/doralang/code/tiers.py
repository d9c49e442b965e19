"""Tiers of code: who has made it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

BASELINE: Final = "baseline"
"""the baseline compiler"""
OPTIMIZED: Final = "optimized"
"""the optimizer, by way of the baseline compiler"""
LLVM: Final = "llvm"
"""the optimizer, by way of LLVM"""

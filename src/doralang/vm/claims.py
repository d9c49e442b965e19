"""What the optimizer claims, looked after: an instruction with a flag is checked all the same.

Native code leaves out the checks that flags stand for.  The VM runs optimized bytecode for tests, and a claim
that does not hold is a bug in a pass, which no program may see as a failure of its own.
"""

from __future__ import annotations

from doralang.bytecode.instructions import Instruction, used
from doralang.vm.code import Op, Registers


class WrongClaim(AssertionError):
    """A check was left out that would have failed."""


def claims(insn: Instruction) -> list[Op]:
    """The checks of what the flags of an instruction claim."""
    registers = list(used(insn))
    result = []
    if getattr(insn, "nonnil", False):
        result.append(not_nil(registers[0]))
    if getattr(insn, "unchecked", False):
        result.append(within(registers[0], registers[1]))
    return result


def not_nil(object: int) -> Op:
    def op(r: Registers) -> None:
        if r[object] is None:
            raise WrongClaim(f"r{object} is nil")

    return op


def within(array: int, index: int) -> Op:
    def op(r: Registers) -> None:
        if r[array] is not None and not 0 <= r[index] < len(r[array].items):
            raise WrongClaim(f"r{index} is {r[index]}, not within {len(r[array].items)} elements")

    return op

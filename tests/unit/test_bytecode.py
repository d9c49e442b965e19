"""Bytecode: what every instruction must have somewhere, and what the verifier complains about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from doralang.baseline.emitters import EMITTERS
from doralang.bytecode import instructions as i
from doralang.bytecode.entities import ClassRef, FieldRef, FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import (
    INSTRUCTIONS,
    NO_REGISTER,
    Instruction,
    OperandKind,
    Register,
    Target,
)
from doralang.bytecode.places import Chain, Site
from doralang.bytecode.printer import PRINTERS, WIDTH, print_function
from doralang.bytecode.verifier import RULES, VerificationError, operand_kinds, verify
from doralang.types.kinds import Kind
from doralang.types.primitives import PRIMITIVES

REGISTERS = {OperandKind.DEF, OperandKind.USE, OperandKind.USES}


def test_the_baseline_compiler_has_a_method_for_every_instruction() -> None:
    assert set(EMITTERS) == set(INSTRUCTIONS)


def test_the_union_names_every_instruction() -> None:
    assert set(get_args(i.AnyInstruction)) == set(INSTRUCTIONS)


OF_ANY_KIND = {(i.LoadElement, "dst"), (i.StoreElement, "value"), (i.FillArray, "value")}
"""elements of arrays, whose class says no kind"""


def test_the_kind_of_every_register_is_known() -> None:
    """By the instruction's definition, or by a rule of the verifier."""
    unknown = {
        (cls, operand.name)
        for cls in INSTRUCTIONS
        for operand in cls.operands
        if operand.kind in REGISTERS and operand.name not in dict(cls.kinds) and cls not in RULES
    }
    assert unknown == OF_ANY_KIND


def test_the_printer_knows_every_kind_of_operand() -> None:
    assert operand_kinds() <= set(PRINTERS)
    assert all(len(cls.__name__) <= WIDTH for cls in INSTRUCTIONS)


def test_every_instruction_says_what_it_means() -> None:
    assert all(cls.__doc__ and not cls.__doc__.startswith(cls.__name__) for cls in INSTRUCTIONS)


def test_every_instruction_stands_on_its_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "bytecode.md").read_text(encoding="utf-8")
    table = page.split("## The instructions")[1].split("##")[0]
    assert set(re.findall(r"`([A-Z]\w+)`", table)) == {cls.__name__ for cls in INSTRUCTIONS}


# The verifier.

INT, LONG, BOOL = Register(0), Register(1), Register(2)
RETURN = i.Return(NO_REGISTER)


def function(*code: Instruction) -> Function:
    """A function whose parameters are an `int`, a `long` and a `bool`, and that has another `int`."""
    kinds = (Kind.INT, Kind.LONG, Kind.BOOL)
    ref = FunctionRef("f", "f", "f()", None, kinds, None, False)
    return Function(ref, [*kinds, Kind.INT], [*code], [1] * len(code))


def test_good_bytecode_passes() -> None:
    verify(function(i.LoadConstant(Register(3), 1), i.Move(INT, Register(3)), RETURN))


def test_blocks_end_where_the_code_says() -> None:
    wrong = function(i.Goto(Target(1)), i.Move(INT, INT), RETURN)
    assert (wrong.ends, wrong.targets) == ([1, 3], {1})
    verify(wrong)
    wrong.ends = [1, 2, 3]
    with pytest.raises(VerificationError, match=r"blocks end at \[1, 3\], not at \[1, 2, 3\]"):
        verify(wrong)
    wrong.ends, wrong.targets = [1, 3], {1, 2}
    with pytest.raises(VerificationError, match=r"jumps lead to \{1\}, not to \{1, 2\}"):
        verify(wrong)


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ([], "the last instruction must not run on"),
        ([i.Poll()], "the last instruction must not run on"),
        ([i.Move(INT, Register(9)), RETURN], "0: there is no register r9"),
        ([i.Goto(Target(5))], "0: there is no instruction 5"),
        ([i.Move(INT, LONG), RETURN], "r1 is Kind.LONG, not Kind.INT"),
        ([i.LoadConstant(INT, None), RETURN], "r0 is Kind.INT, not Kind.REF"),
        ([i.LoadConstant(INT, 1.5), RETURN], "r0 is Kind.INT, not None"),
        ([i.Compute(BOOL, PRIMITIVES["int.less"], (INT, LONG)), RETURN], "r1 is Kind.LONG, not Kind.INT"),
        ([i.BranchIf(INT, Target(1)), RETURN], "r0 is Kind.INT, not Kind.BOOL"),
        ([i.BranchEqual(LONG, 1, Target(1)), RETURN], "r1 is Kind.LONG, not Kind.INT"),
        ([i.LeaveException(LONG)], "r1 is Kind.LONG, not Kind.INT"),
        ([i.Return(INT)], "r0 is Kind.INT, not None"),
        ([i.Move(INT, Register(3)), RETURN], "0: r3 may be read before it is written"),
        (
            [i.BranchIf(BOOL, Target(2)), i.LoadConstant(Register(3), 1), i.Move(INT, Register(3)), RETURN],
            "2: r3 may be read before it is written",
        ),
    ],
)
def test_the_verifier_complains(code: list[Instruction], complaint: str) -> None:
    with pytest.raises(VerificationError) as error:
        verify(function(*code))
    assert complaint in str(error.value)
    assert "\n\nf\n" in str(error.value), "there is a dump"


# Flags and chains.


def inlined(*chains: Chain) -> Function:
    """A function that loads a field of its parameter, `inner` having been inlined."""
    cls = ClassRef("Box", None, "Box")
    field = FieldRef("value", Kind.INT, 0, cls)
    ref = FunctionRef("outer", "outer", "outer(Box)", None, (Kind.REF,), Kind.INT, False)
    load = i.LoadField(Register(1), Register(0), field, nonnil=True)
    code = [load, i.Return(Register(1))]
    lines = [chain[0].line for chain in chains] if chains else [3, 3]
    return Function(ref, [Kind.REF, Kind.INT], code, lines, chains=list(chains))


def test_flags_and_chains_are_printed() -> None:
    plain = inlined()
    inner = FunctionRef("inner", "inner", "inner()", None, (), None, False)
    call = Site(plain.ref, 7)
    text = print_function(inlined((Site(inner, 3), call), (call,)))
    assert "LoadField      r1:int, r0, value, nonnil" in text
    assert "line 3 of inner, line 7 of outer" in text
    assert print_function(plain).splitlines()[1].endswith("line 3")


def test_a_chain_leads_to_its_function() -> None:
    function = inlined()
    stranger = FunctionRef("inner", "inner", "inner()", None, (), None, False)
    verify(function)
    site = Site(stranger, 3)
    function.chains = [(site,), (Site(function.ref, 3),)]
    with pytest.raises(VerificationError, match="does not lead to outer"):
        verify(function)
    function.chains = [(site, Site(function.ref, 9))]
    with pytest.raises(VerificationError, match="a chain for each instruction"):
        verify(function)

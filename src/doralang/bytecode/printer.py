"""Bytecode as text, for `--emit=bytecode` and golden tests.

main()
  0: LoadConstant r0:int, 1          line 2
  1: Call         r1:int, twice, (r0)
  2: Return       r1
"""

from __future__ import annotations

import json
from collections.abc import Callable

from doralang.bytecode.function import Function
from doralang.bytecode.instructions import NO_REGISTER, Instruction, OperandKind, Register
from doralang.bytecode.places import Chain
from doralang.types.traps import Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final


WIDTH: Final = 14


def print_function(function: Function) -> str:
    """The function's signature and a line for each instruction."""
    lines = [f"{function.name}"]
    shown = ""
    for index, instruction in enumerate(function.code):
        text = f"{index:4}: {print_instruction(function, instruction)}"
        place = print_chain(function.chain(index)) if function.chains else f"line {function.lines[index]}"
        if place != shown:
            text = f"{text:<60} {place}"
            shown = place
        lines.append(text.rstrip())
    return "\n".join(lines) + "\n"


def print_chain(chain: Chain) -> str:
    """`line 3 of inner, line 7 of main`, innermost first."""
    return ", ".join(f"line {line} of {function.name}" for function, line in chain)


def print_instruction(function: Function, instruction: Instruction) -> str:
    parts = [
        PRINTERS[operand.kind](function, getattr(instruction, operand.name))
        for operand in instruction.operands
    ]
    parts += [flag for flag in instruction.flags if getattr(instruction, flag)]
    return f"{type(instruction).__name__:<{WIDTH}} {', '.join(parts)}".rstrip()


def print_definition(function: Function, register: Register) -> str:
    return "_" if register == NO_REGISTER else f"r{register}:{function.registers[register].value}"


def print_use(function: Function, register: Register) -> str:
    return "_" if register == NO_REGISTER else f"r{register}"


def print_value(function: Function, value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "nil", True: "true", False: "false"}[value]
    return repr(value)


def print_trap(function: Function, trap: Trap) -> str:
    return trap.text


PRINTERS: Final[dict[OperandKind, Callable[[Function, Any], str]]] = {
    OperandKind.DEF: print_definition,
    OperandKind.USE: print_use,
    OperandKind.USES: lambda function, registers: f"({', '.join(f'r{r}' for r in registers)})",
    OperandKind.TARGET: lambda function, target: f"->{target}",
    OperandKind.VALUE: print_value,
    OperandKind.TEXT: lambda function, text: json.dumps(text, ensure_ascii=False),
    OperandKind.PRIMITIVE: lambda function, primitive: str(primitive.name),
    OperandKind.CLASS: lambda function, entity: str(entity.name),
    OperandKind.FIELD: lambda function, entity: str(entity.name),
    OperandKind.FUNCTION: lambda function, entity: str(entity.name),
    OperandKind.GLOBAL: lambda function, entity: str(entity.name),
    OperandKind.TRAP: print_trap,
}

"""Code for formulas on doubles, straight from a small tree to bytes (x86-64, SSE2).

    ("binary", "+", ("variable", 0), ("number", 2.5))       ->      movsd xmm0, [rdi]
                                                                    addsd xmm0, [rip + 2.5]
                                                                    ret

Numbers stand in a table that is no code, as whoever types a formula could make instructions of them.

A piece of code gets the address of its variables and returns a double, or a truth value.  Depth `d` of the
tree is computed in `xmm<d>`; what is live across a call of the C library is saved in the frame.  Meanings are
those of the primitives of `double` (`types/primitives.py`), and `min`, `max` and `clamp` of the library.

This module imports next to nothing, as the first formula of a process waits for it.  `entry` is what CPython
calls.
"""

from __future__ import annotations

from functools import cache
from struct import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Node = tuple[Any, ...]

DEEPEST = 13
"""registers for what is live; two are left for scratch"""

ARITHMETIC = {"+": 0x58, "-": 0x5C, "*": 0x59, "/": 0x5E}
SIGN = 0x8000_0000_0000_0000
# The conditional jump that is taken if a comparison does not hold; and whether its sides change places.
UNLESS = {"<": (0x86, True), "<=": (0x82, True), ">": (0x86, False), ">=": (0x82, False)}

PROLOGUE = b"\x55\x48\x89\xe5\x53\x48\x81\xec\0\0\0\0\x48\x89\xfb"
"""push rbp; mov rbp, rsp; push rbx; sub rsp, SIZE; mov rbx, rdi"""
EPILOGUE = b"\x48\x8b\x5d\xf8\xc9\xc3"
"""mov rbx, [rbp - 8]; leave; ret"""

Jumps = list[int]
"""where in the code the distances of jumps to one place stand"""


class TooDeep(Exception):
    """There are not enough registers."""


def modrm(register: int, other: int) -> int:
    return 0xC0 | (register & 7) << 3 | other & 7


@cache
def between(prefix: int, opcode: int, register: int, other: int) -> bytes:
    """An instruction of SSE2 on two registers."""
    rex = 0x40 | (register >> 3) << 2 | other >> 3
    if rex != 0x40:
        return bytes((prefix, rex, 0x0F, opcode, modrm(register, other)))
    return bytes((prefix, 0x0F, opcode, modrm(register, other)))


@cache
def extreme(left: int, right: int, keeps: bytes) -> bytes:
    """The first of two numbers stays if it is no number, or `left` is above `right`; the second one is
    taken if that is below, or no number; of equal ones the sign of the first decides.

        ucomisd first, first; jp end; ucomisd left, right; ja end; jb take
        movmskpd eax, first; test al, 1; KEEPS end; take: movapd first, second; end:
    """
    first, second = min(left, right), max(left, right)
    take = between(0x66, 0x28, first, second)
    sign = between(0x66, 0x50, 0, first) + b"\xa8\x01" + keeps + bytes((len(take),))
    rest = b"\x77" + bytes((2 + len(sign) + len(take),)) + b"\x72" + bytes((len(sign),)) + sign + take
    rest = between(0x66, 0x2E, left, right) + rest
    return between(0x66, 0x2E, first, first) + b"\x7a" + bytes((len(rest),)) + rest


class FormulaEmitter:
    """The code of one formula in the making."""

    __slots__ = ("address", "base", "code", "constants", "places", "saved")

    def __init__(self, address: Callable[[str], int]) -> None:
        self.address = address
        """of a function of the C library"""
        self.code = bytearray()
        self.base = 7
        """the register with the address of the variables: rdi; rbx where something is called"""
        self.constants: dict[bytes, int] = {}
        self.places: list[tuple[int, int]] = []
        """references to constants: where, and which"""
        self.saved = 0
        """most registers that are saved across a call"""

    def finish(self, node: Node, calls: bool, truth: bool) -> bytearray:
        """The code of a whole formula, but for where its table is: see `bound`."""
        code = self.code
        if calls:
            self.base = 3
            code += PROLOGUE
        ending = EPILOGUE if calls else b"\xc3"
        if truth:
            no: Jumps = []
            self.condition(node, 0, no)
            code += b"\xb8\x01\0\0\0" + ending
            self.land(no)
            code += b"\x31\xc0" + ending
        else:
            self.value(node, 0)
            code += ending
        if calls:
            code[8:12] = (8 + 16 * (self.saved + 1 >> 1)).to_bytes(4, "little")
        return code

    def bound(self, distance: int) -> bytearray:
        """The code for a table of constants that begins so far behind its start."""
        code = self.code
        for at, index in self.places:
            code[at : at + 4] = (distance + 8 * index - at - 4).to_bytes(4, "little", signed=True)
        return code

    def land(self, jumps: Jumps) -> None:
        """Let jumps lead here."""
        here = len(self.code)
        for at in jumps:
            self.code[at : at + 4] = (here - at - 4).to_bytes(4, "little")

    def jump(self, opcode: bytes, jumps: Jumps) -> None:
        self.code += opcode
        jumps.append(len(self.code))
        self.code += b"\0\0\0\0"

    # Values.

    def value(self, node: Node, depth: int) -> None:
        """Compute a number in the register of this depth.  Chains to the left need no recursion."""
        if depth > DEEPEST:
            raise TooDeep
        chain = []
        while node[0] == "binary":
            chain.append(node)
            node = node[2]
        VALUES[node[0]](self, node, depth)
        for _, operator, _, right in reversed(chain):
            opcode = ARITHMETIC[operator]
            if right[0] == "variable" or right[0] == "number":
                self.with_memory(opcode, depth, right)
            else:
                self.value(right, depth + 1)
                self.code += between(0xF2, opcode, depth, depth + 1)

    def with_memory(self, opcode: int, register: int, node: Node) -> None:
        """An instruction on a register and a variable or a constant."""
        code = self.code
        code += b"\xf2\x44\x0f" if register > 7 else b"\xf2\x0f"
        code.append(opcode)
        if node[0] == "variable":
            code.append(0x80 | (register & 7) << 3 | self.base)
            code += (8 * node[1]).to_bytes(4, "little")
            return
        code.append(5 | (register & 7) << 3)
        self.places.append((len(code), self.constants.setdefault(pack("<d", node[1]), len(self.constants))))
        code += b"\0\0\0\0"

    def load(self, node: Node, depth: int) -> None:
        self.with_memory(0x10, depth, node)

    def negate(self, node: Node, depth: int) -> None:
        self.value(node[1], depth)
        self.masked(depth, SIGN, 0x57)

    def absolute(self, depth: int) -> None:
        self.masked(depth, SIGN - 1, 0x54)

    def masked(self, depth: int, mask: int, opcode: int) -> None:
        """A bitwise operation with a constant: mov rax, mask; movq xmm15, rax; xorpd or andpd."""
        self.code += b"\x48\xb8" + mask.to_bytes(8, "little") + b"\x66\x4c\x0f\x6e\xf8"
        self.code += between(0x66, opcode, depth, 15)

    def choice(self, node: Node, depth: int) -> None:
        otherwise: Jumps = []
        end: Jumps = []
        self.condition(node[1], depth, otherwise)
        self.value(node[2], depth)
        self.jump(b"\xe9", end)
        self.land(otherwise)
        self.value(node[3], depth)
        self.land(end)

    def function(self, node: Node, depth: int) -> None:
        name, arguments = node[1], node[2]
        for index, argument in enumerate(arguments):
            self.value(argument, depth + index)
        own = OWN.get(name)
        if own is not None:
            own(self, depth)
        else:
            self.call(name, len(arguments), depth)

    def call(self, name: str, count: int, depth: int) -> None:
        """Call a function of the C library; all registers of values are its own to use."""
        code = self.code
        self.saved = max(self.saved, depth)
        for register in range(depth):
            self.frame(0x11, register)
        for index in range(count if depth else 0):
            code += between(0xF2, 0x10, index, depth + index)
        code += b"\x48\xb8" + self.address(name).to_bytes(8, "little") + b"\xff\xd0"
        if depth:
            code += between(0xF2, 0x10, depth, 0)
        for register in range(depth):
            self.frame(0x10, register)

    def frame(self, opcode: int, register: int) -> None:
        """Store or load a register's place in the frame, below that of rbx."""
        self.code += b"\xf2\x44\x0f" if register > 7 else b"\xf2\x0f"
        self.code += bytes((opcode, 0x85 | (register & 7) << 3))
        self.code += (-8 * (register + 2)).to_bytes(4, "little", signed=True)

    def square_root(self, depth: int) -> None:
        self.code += between(0xF2, 0x51, depth, depth)

    def maximum(self, depth: int) -> None:
        self.code += extreme(depth, depth + 1, b"\x74")

    def minimum(self, depth: int) -> None:
        self.code += extreme(depth + 1, depth, b"\x75")

    def clamp(self, depth: int) -> None:
        """The greater of the first two, then the less of that and the third."""
        self.maximum(depth)
        self.code += between(0x66, 0x28, depth + 1, depth + 2)
        self.minimum(depth)

    # Truth.

    def condition(self, node: Node, depth: int, no: Jumps) -> None:
        """Go on if a condition holds, else jump."""
        kind = node[0]
        if kind == "compare":
            self.compare(node, depth, no)
        elif kind == "and":
            self.condition(node[1], depth, no)
            self.condition(node[2], depth, no)
        else:
            first_fails: Jumps = []
            holds: Jumps = []
            self.condition(node[1], depth, first_fails)
            self.jump(b"\xe9", no if kind == "not" else holds)
            self.land(first_fails)
            if kind == "or":
                self.condition(node[2], depth, no)
                self.land(holds)

    def compare(self, node: Node, depth: int, no: Jumps) -> None:
        operator = node[1]
        self.value(node[2], depth)
        self.value(node[3], depth + 1)
        if operator == "==" or operator == "!=":
            self.code += between(0x66, 0x2E, depth, depth + 1)
            if operator == "==":
                self.jump(b"\x0f\x8a", no)  # jp: one is no number
                self.jump(b"\x0f\x85", no)
            else:
                self.code += b"\x7a\x06"  # jp over the next one
                self.jump(b"\x0f\x84", no)
            return
        opcode, changes = UNLESS[operator]
        left, right = (depth + 1, depth) if changes else (depth, depth + 1)
        self.code += between(0x66, 0x2E, left, right)
        self.jump(bytes((0x0F, opcode)), no)


VALUES = {
    "variable": FormulaEmitter.load,
    "number": FormulaEmitter.load,
    "negate": FormulaEmitter.negate,
    "choice": FormulaEmitter.choice,
    "function": FormulaEmitter.function,
}
OWN = {
    "sqrt": FormulaEmitter.square_root,
    "abs": FormulaEmitter.absolute,
    "max": FormulaEmitter.maximum,
    "min": FormulaEmitter.minimum,
    "clamp": FormulaEmitter.clamp,
}
"""functions that need no call"""


# What CPython calls.

SMALL_INT_BY_SIZE = """
    488b5010        mov rdx, qword ptr [rax + 0x10]
    4c8d5a01        lea r11, [rdx + 1]
    4983fb02        cmp r11, 2
    0f87 slow       ja
    8b4018          mov eax, dword ptr [rax + 0x18]
    480fafd0        imul rdx, rax
"""
SMALL_INT_BY_TAG = """
    488b5010        mov rdx, qword ptr [rax + 0x10]
    4883fa10        cmp rdx, 0x10
    0f83 slow       jae
    8b4018          mov eax, dword ptr [rax + 0x18]
    4989d3          mov r11, rdx
    4983e303        and r11, 3
    49f7db          neg r11
    49ffc3          inc r11
    490fafc3        imul rax, r11
    4889c2          mov rdx, rax
"""
ENTRY = """
    55              push rbp
    4889e5          mov rbp, rsp
    53              push rbx
    4154            push r12
    4155            push r13
    4156            push r14
    4889fb          mov rbx, rdi
    4989f4          mov r12, rsi
    4989d5          mov r13, rdx
    4989ce          mov r14, rcx
    4c8b4318        mov r8, qword ptr [rbx + 0x18]
    48d1e2          shl rdx, 1
    48d1ea          shr rdx, 1
    4885c9          test rcx, rcx
    0f85 names      jne
    4c39c2          cmp rdx, r8
    0f85 slow       jne
ready:
    4a8d04c50f000000 lea rax, [r8*8 + 0xf]
    4883e0f0        and rax, 0xfffffffffffffff0
    4829c4          sub rsp, rax
    49b9 PyFloat_Type movabs r9
    31c9            xor ecx, ecx
again:
    4c39c1          cmp rcx, r8
    0f83 done       jae
    498b04cc        mov rax, qword ptr [r12 + rcx*8]
    4c394808        cmp qword ptr [rax + 8], r9
    0f85 other      jne
    f20f104010      movsd xmm0, qword ptr [rax + 0x10]
store:
    f20f1104cc      movsd qword ptr [rsp + rcx*8], xmm0
    48ffc1          inc rcx
    e9 again        jmp
done:
    4889e7          mov rdi, rsp
    ff5320          call qword ptr [rbx + 0x20]
    488d65e0        lea rsp, [rbp - 0x20]
    415e            pop r14
    415d            pop r13
    415c            pop r12
    5b              pop rbx
    5d              pop rbp
RESULT
other:
    49ba PyLong_Type movabs r10
    4c395008        cmp qword ptr [rax + 8], r10
    0f85 slow       jne
INT
    f2480f2ac2      cvtsi2sd xmm0, rdx
    e9 store        jmp
names:
    4c8b4910        mov r9, qword ptr [rcx + 0x10]
    498d0411        lea rax, [r9 + rdx]
    4c39c0          cmp rax, r8
    0f85 slow       jne
    4c8b5338        mov r10, qword ptr [rbx + 0x38]
    4d8d14d2        lea r10, [r10 + rdx*8]
name:
    4d85c9          test r9, r9
    0f84 ready      je
    488b41 ITEMS    mov rax, qword ptr [rcx + items]
    493b42 ITEMS    cmp rax, qword ptr [r10 + items]
    0f85 slow       jne
    4883c108        add rcx, 8
    4983c208        add r10, 8
    49ffc9          dec r9
    e9 name         jmp
slow:
    488d65e0        lea rsp, [rbp - 0x20]
    48bf SLOW       movabs rdi
    4889de          mov rsi, rbx
    48b8 PyMethod_New movabs rax
    ffd0            call rax
    4889c3          mov rbx, rax
    4885c0          test rax, rax
    0f84 end        je
    4889c7          mov rdi, rax
    4c89e6          mov rsi, r12
    4c89ea          mov rdx, r13
    4c89f1          mov rcx, r14
    48b8 PyObject_Vectorcall movabs rax
    ffd0            call rax
    4989c4          mov r12, rax
    4889df          mov rdi, rbx
    48b8 Py_DecRef  movabs rax
    ffd0            call rax
    4c89e0          mov rax, r12
end:
    415e            pop r14
    415d            pop r13
    415c            pop r12
    5b              pop rbx
    5d              pop rbp
    c3              ret
"""
"""
Vectorcall: `float`s and small `int`s are copied to the stack, the code of the formula is called on them, and
its result made an object.  Everything else goes to a function of Python's, as a method of the formula.  The
words of a formula are at 0x18 the number of its variables, at 0x20 its code, at 0x38 the tuple of its names
(`embed/native_calls.py`).

Rows are bytes and what they are; a word behind the bytes is the label, or the symbol, whose distance or
address follows.
"""
NUMBER_RESULT = """
    48b8 PyFloat_FromDouble movabs rax
    ffe0            jmp rax
"""
TRUTH_RESULT = """
    0fb6f8          movzx edi, al
    48b8 PyBool_FromLong movabs rax
    ffe0            jmp rax
"""


def entry(truth: bool, by_tag: bool, items: int, address: Callable[[str], int]) -> bytes:
    """The code that CPython calls, for formulas that give a number or a truth value.

    `by_tag` and `items` are of the layouts of this CPython; `address` has the symbols.
    """
    text = ENTRY.replace("RESULT", (TRUTH_RESULT if truth else NUMBER_RESULT).strip("\n"))
    text = text.replace("INT\n", (SMALL_INT_BY_TAG if by_tag else SMALL_INT_BY_SIZE).strip("\n") + "\n")
    text = text.replace(" ITEMS", f"{items:02x}")
    code = bytearray()
    labels: dict[str, int] = {}
    jumps: list[tuple[int, str]] = []
    for line in text.split("\n"):
        if line[:1].isalpha():
            labels[line.rstrip(":")] = len(code)
            continue
        words = line.split()
        if not words:
            continue
        code += bytes.fromhex(words[0])
        is_jump = words[0].startswith("0f8") or words[0] == "e9"
        if is_jump:
            jumps.append((len(code), words[1]))
            code += b"\0\0\0\0"
        elif words[2:3] == ["movabs"]:
            code += address(words[1]).to_bytes(8, "little")
    for at, name in jumps:
        code[at : at + 4] = (labels[name] - at - 4).to_bytes(4, "little", signed=True)
    return bytes(code)

"""Tables of classes are made of what is new in each class; here they are made anew the plain way and compared."""

from __future__ import annotations

import ctypes
import random

import pytest

from compiling import compiled_program
from doralang.bytecode.entities import ClassRef, FunctionRef
from doralang.checker.program import Function
from doralang.code import layout
from doralang.lower.functions import lowering
from doralang.runtime.memory import load_word
from doralang.runtime.shapes import Shapes

CLASSES = 25
NAMES = "abcdefg"


def hierarchy(chance: random.Random) -> str:
    """Classes, some of them generic, that override some methods and add others."""
    lines: list[str] = []
    above: list[dict[str, str]] = []
    for number in range(CLASSES):
        parent = chance.randrange(-1, number) if number else -1
        visible = dict(above[parent]) if parent >= 0 else {}
        types = chance.choices(("int", "long", "Str", "byte"), k=chance.randrange(3))
        members = [f"var f{index}: {type};" for index, type in enumerate(types)]
        for name in chance.sample(NAMES, chance.randrange(4)):
            word = "override" if name in visible else "open"
            if visible.get(name) == "final":
                continue
            visible[name] = "final" if word == "override" and chance.random() < 0.2 else word
            mark = "final override" if visible[name] == "final" else word
            members.append(f"{mark} fun {name}() -> int {{ return {number}; }}")
        above.append(visible)
        extends = f": C{parent}<Array<T>>" if parent >= 0 else ""
        lines.append(f"open class C{number}<T>{extends} {{ {' '.join(members)} }}")
    return "\n".join([*lines, "fun main() {}"])


class FakeLinker:
    """What shapes ask of a loader: here memory of Python, and numbers for methods."""

    def __init__(self) -> None:
        self.shapes = Shapes(self)  # type: ignore[arg-type]
        self.space = self.arena = self
        self.classes: dict[int, ClassRef] = {}
        self.cells: dict[FunctionRef, int] = {}
        self.blocks: list[object] = []

    def new_data(self, size: int) -> int:
        block = (ctypes.c_uint64 * (size // layout.WORD))()
        self.blocks.append(block)
        return ctypes.addressof(block)

    def cell(self, function: FunctionRef) -> int:
        return self.cells.setdefault(function, 8 * len(self.cells) + 8)

    def identity(self, cls: ClassRef) -> int:
        return self.shapes.identity(cls)


def plain_methods(cls: ClassRef) -> dict[str, FunctionRef]:
    """By name, what is called for an object of a class: the method that is nearest above."""
    found: dict[str, FunctionRef] = {}
    for step in cls.display[1:]:
        for method in step.own_methods.values():
            found[method.plain_name] = method
    return found


@pytest.mark.parametrize("seed", range(12))
def test_tables(seed: int) -> None:
    chance = random.Random(seed)
    program = compiled_program(hierarchy(chance))
    specializer = lowering(program)
    heads = list(program.classes.values())
    chance.shuffle(heads)
    text = program.library.classes["Str"].of()
    linker = FakeLinker()
    shapes = linker.shapes
    for head in heads:
        cls = specializer.class_ref(head.of((text,)))
        depth, step = 0, head
        while step.parent is not None:
            depth, step = depth + 1, step.parent.head  # type: ignore[assignment]
        assert (cls.depth, len(cls.display), cls.display[-1]) == (depth, depth + 1, cls)
        by_name = {method.plain_name: method for method in cls.methods}
        assert len(by_name) == len(cls.methods) == cls.method_count
        assert by_name == plain_methods(cls)
        assert [method.slot for method in cls.methods] == list(range(cls.method_count))
        if chance.random() < 0.6:
            compare_shape(shapes, cls, linker)


def compare_shape(shapes: Shapes, cls: ClassRef, linker: FakeLinker) -> None:
    address = shapes.address(cls)
    for slot, method in enumerate(cls.methods):
        assert load_word(address + layout.method_offset(slot)) == linker.cell(method)
    for depth, step in enumerate(cls.display):
        assert load_word(address + layout.display_offset(depth)) == linker.identity(step)


def test_tables_of_classes_without_objects_are_not_made() -> None:
    classes = ["open class C0 { open fun m0() {} }"]
    classes += [f"open class C{n}: C{n - 1} {{ open fun m{n}() {{}} }}" for n in range(1, 50)]
    program = compiled_program("\n".join([*classes, "fun main() {}"]))
    specializer = lowering(program)
    leaf = specializer.class_ref(program.classes["C49"].of())
    assert [method.plain_name for method in leaf.methods] == [f"m{n}" for n in range(50)]
    assert all(step._methods is None for step in leaf.display[:-1])
    assert all(len(step.own_methods) == 1 for step in leaf.display[1:])


def named(method: Function) -> str:
    assert method.owner is not None
    return f"{method.owner.name}.{method.name}"


def test_what_a_method_overrides_is_found_in_one_walk() -> None:
    program = compiled_program(
        "open class A { open fun m() {} open fun k() {} }\n"
        "open class B: A { open fun n() {} }\n"
        "open class C: B { override fun m() {} }\n"
        "open class D: A { override fun k() {} open fun n() {} }\n"
        "class E: C { override fun m() {} override fun n() {} }\n"
        "open class F: Exception { open fun n() {} }\n"
        "fun main() {}\n"
    )
    methods = [method for head in program.classes.values() for method in head.methods.values()]
    assert {named(method): named(method.overridden) for method in methods if method.overridden} == {
        "C.m": "A.m",
        "D.k": "A.k",
        "E.m": "C.m",
        "E.n": "B.n",
    }

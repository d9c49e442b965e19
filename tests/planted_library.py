"""Planted bugs: mistakes in functions as values, traits, iterators and collections, which the language tests must notice.

python tests/planted_library.py NAME     plants one and runs programs until one goes wrong; status 1 if none does
"""

from __future__ import annotations

import sys

from doralang.bytecode.entities import ClassRef
from doralang.checker import trait_objects
from doralang.checker.program import Local
from doralang.lower.specializer import Implementation, Specializer
from doralang.runtime.shapes import Shapes
from doralang.types.types import ClassType, Type, is_trait_type
from planted import Function, Text, outcomes, put

PLAIN = ("--engine=baseline",)
MOVING = ("--engine=baseline", "--gc=copy", "--gc-stress", "--gc-verify")
FOLDERS = tuple(
    f"language/{name}"
    for name in (
        "iterators",
        "captures",
        "library/sorting",
        "library/priority_queue",
        "library/hash_map",
        "library/hash_set",
        "library/deque",
        "defaults",
        "adoption",
        "trait_objects",
        "rethrows",
    )
)


class Copied:
    """In place of `Local.shared`: nothing is ever shared."""

    def __get__(self, local: Local, owner: type[Local]) -> bool:
        return False

    def __set__(self, local: Local, value: bool) -> None:
        pass


def default_first(self: Specializer, method: object, arguments: tuple[Type, ...]) -> Implementation:
    """The default of a trait, although the `impl` has the method."""
    found = implementation(self, method, arguments)  # type: ignore[arg-type]
    has_default = getattr(method, "has_default", False) and not found.virtual
    return Implementation(method, arguments) if has_default else found  # type: ignore[arg-type]


def not_dispatched(self: Specializer, method: object, arguments: tuple[Type, ...]) -> Implementation:
    """An adopted method is that of the class with the `impl`, whatever the object's class has."""
    found = implementation(self, method, arguments)  # type: ignore[arg-type]
    if not found.virtual or found.function.body is None or is_trait_type(arguments[0]):  # type: ignore[arg-type]
        return found
    return Implementation(found.function, found.arguments)


def farthest(context: trait_objects.Context, source: Type, target: Type) -> Type | None:
    """The `impl` of the farthest parent, not of the nearest one."""
    found = held_type(context, source, target)
    while isinstance(found, ClassType) and isinstance(found.head, trait_objects.Class):
        parent = found.head.parent
        above = held_type(context, parent, target) if parent is not None else None
        if above is None:
            return found
        found = above
    return found


def without_cells(self: Shapes, cls: ClassRef, references: object) -> int:
    """What is in a shared variable is not looked at by collectors."""
    return 0 if cls.name.startswith("SharedCell") else reference_map(self, cls, references)  # type: ignore[arg-type]


implementation, held_type, reference_map = (
    Specializer.implementation,
    trait_objects.held_type,
    Shapes.reference_map,
)

PLANTS: dict[str, Text | Function] = {
    "a captured variable is copied": Function(Local, "shared", Copied(), PLAIN),  # type: ignore[arg-type]
    "what is in a shared variable is not promoted": Function(Shapes, "reference_map", without_cells, MOVING),
    "a default comes before the method of the impl": Function(
        Specializer, "implementation", default_first, PLAIN
    ),
    "an adopted method is not dispatched": Function(Specializer, "implementation", not_dispatched, PLAIN),
    "the impl of the farthest parent": Function(trait_objects, "held_type", farthest, PLAIN),
    "`take` asks too far": Text(
        "iterators.dora",
        "self.left > 0 && self.source.hasNext()",
        "self.source.hasNext() && self.left > 0",
        PLAIN,
    ),
    "`filter` tests an element again": Text("iterators.dora", "while !self.has {", "while true {", PLAIN),
    "`zip` asks the second one first": Text(
        "iterators.dora",
        "self.first.hasNext() && self.second.hasNext()",
        "self.second.hasNext() && self.first.hasNext()",
        PLAIN,
    ),
    "`min` gives the last of equal ones": Text(
        "iterators.dora", "element.compareTo(least) < 0", "element.compareTo(least) <= 0", PLAIN
    ),
    "merging is not stable": Text(
        "sorting.dora",
        "if (try compare(from[left], from[right])) <= 0",
        "if (try compare(from[left], from[right])) < 0",
        PLAIN,
    ),
    "runs with equal elements are turned round": Text(
        "sorting.dora", "items[end])) > 0", "items[end])) >= 0", PLAIN
    ),
    "sorting works on the elements themselves": Text(
        "sorting.dora",
        "var from = items.slice(0, len);",
        "var from = if len == items.len() { items } else { items.slice(0, len) };",
        PLAIN,
    ),
    "searching finds any of equal elements": Text(
        "sorting.dora",
        "if (try compare(items[middle])) < 0 { low",
        "if (try compare(items[middle])) == 0 { return middle; } if (try compare(items[middle])) < 0 { low",
        PLAIN,
    ),
    "a map loses the neighbours of a removed key": Text(
        "hash_map.dora",
        "self.index[self.slotOf(entry, hash)] = GONE;",
        "self.index[self.slotOf(entry, hash)] = 0;",
        PLAIN,
    ),
    "to set an existing key is a change": Text(
        "hash_map.dora", "if entry >= 0 {", "if entry >= 0 {\n      self.changes += 1;", PLAIN
    ),
    "a queue forgets who came first": Text(
        "priority_queue.dora",
        "(order == 0 && self.numbers[i] < self.numbers[j])",
        "order == 0 && i < j",
        PLAIN,
    ),
}


def main() -> int:
    plant = PLANTS[sys.argv[1]]
    put(plant)
    return 1 if next(outcomes(plant.options, FOLDERS), None) is None else 0


if __name__ == "__main__":
    sys.exit(main())

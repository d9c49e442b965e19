"""The laws of the optimizer, each for all values of a small width, and divisions by constants."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.optimizing.division import magic, replace_divisions
from doralang.optimizing.graph import BasicBlock, Graph, Node, Parameter, find
from doralang.optimizing.laws import Law, LawVariable, Operation, all_laws
from doralang.types import arithmetic as a
from doralang.types.kinds import BOOL, BYTE, CHAR, DOUBLE, FLOAT, INT, KINDS, LONG, Kind
from doralang.types.primitives import PRIMITIVES

LAWS = list(all_laws())
WIDTHS = {INT: 4, LONG: 6, BYTE: 3, CHAR: 4, BOOL: 1}
"""bits of the integers of a language that is smaller than ours and else the same"""
TROUBLE = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    0.5,
    -4.0,
    3.0,
    0.1,
    5e-324,
    1.5e-45,
    1e30,
    math.inf,
    -math.inf,
    math.nan,
)


def wrap(value: int, bits: int) -> int:
    half = 1 << bits - 1
    return (value + half & (1 << bits) - 1) - half


def small(name: str, kind: Kind) -> Callable[..., Any]:
    """The meaning of a row if all integers have few bits."""
    bits = WIDTHS[kind]
    count = bits - 1
    meanings: dict[str, Callable[..., Any]] = {
        "plus": lambda x, y: wrap(x + y, bits),
        "minus": lambda x, y: wrap(x - y, bits),
        "times": lambda x, y: wrap(x * y, bits),
        "div": lambda x, y: wrap(a.divide(x, y), bits),
        "mod": a.remainder,
        "shiftLeft": lambda x, y: wrap(x << y % bits, bits),
        "shiftRight": lambda x, y: x >> y % bits,
        "unsignedShiftRight": lambda x, y: wrap((x & (1 << bits) - 1) >> y % bits, bits),
        "unaryMinus": lambda x: wrap(-x, bits),
        "toByte": lambda x: x & (1 << WIDTHS[BYTE]) - 1,
        "toInt": lambda x: wrap(x, WIDTHS[INT]) if kind in (LONG, CHAR) else x,
        "toCharUnchecked": lambda x: x & (1 << WIDTHS[CHAR]) - 1,
    }
    del count
    return meanings.get(name) or PRIMITIVES[f"{kind.value}.{name}"].meaning


def value_of(term: Any, values: dict[str, Any], is_small: bool) -> Any:
    if isinstance(term, LawVariable):
        return values[term.name]
    if isinstance(term, Operation):
        operands = [value_of(one, values, is_small) for one in term.operands]
        kind, _, name = term.row.name.partition(".")
        meaning = small(name, KINDS[kind]) if is_small else term.row.meaning
        return meaning(*operands)
    if isinstance(term, tuple):
        function, variable = term
        return function(values[variable.name])
    return term


def variables(term: Any) -> Iterator[LawVariable]:
    if isinstance(term, LawVariable):
        yield term
    elif isinstance(term, Operation):
        for one in term.operands:
            yield from variables(one)


def all_values(kind: Kind) -> Any:
    if kind is BOOL:
        return (False, True)
    if kind in (FLOAT, DOUBLE):
        return [a.round_float(one) for one in TROUBLE] if kind is FLOAT else TROUBLE
    bits = WIDTHS[kind]
    return range(1 << bits) if kind in (BYTE, CHAR) else range(-(1 << bits - 1), 1 << bits - 1)


def exact(value: Any) -> Any:
    """Equal for the same bits only; there is one NaN."""
    return "NaN" if value != value else (type(value), repr(value))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.text} in {law.left.row}")
def test_a_law_holds_for_all_values(law: Law) -> None:
    kinds = {one.name: one.kind for one in variables(law.left)}
    is_small = not {FLOAT, DOUBLE} & set(kinds.values())
    tried = 0
    for chosen in product(*map(all_values, kinds.values())):
        values = dict(zip(kinds, chosen, strict=True))
        if law.condition is not None and not law.condition(values):
            continue
        left = value_of(law.left, values, is_small)
        assert exact(left) == exact(value_of(law.right, values, is_small)), (law.text, values)
        tried += 1
    assert tried, "it is of some use"


def test_a_wrong_law_would_be_found() -> None:
    law = LAWS[0]
    wrong = law._replace(right=Operation(PRIMITIVES["int.unaryMinus"], (law.right,)))
    with pytest.raises(AssertionError):
        test_a_law_holds_for_all_values(wrong)


# Division by constants.

EDGES = (0, 1, 2, 3, 5, 7, 9, 10, 11, 99, 100, 641, 1000, 0x7FFF, 0x8000)


def divided(operation: str, kind: Kind, divisor: int) -> Callable[[int], Any]:
    """What the nodes compute that stand for a division by a constant."""
    ref = FunctionRef("f", "f", "f()", None, (kind,), kind, False)
    graph = Graph(ref, 1)
    block = BasicBlock(0)
    graph.blocks.append(block)
    value = graph.node(Parameter, (), (0,), kind, ())
    value.block = block
    graph.parameters.append(value)
    row = PRIMITIVES[f"{kind.value}.{operation}"]
    node = graph.compute(row, (value, graph.constant(divisor, kind, ())), ())
    block.body.append(graph.node(i.Return, (node,), (), None, (), block))
    expected = 1 if abs(divisor) > 1 else 0
    assert replace_divisions(graph) == expected
    return lambda given: evaluate(find(node), given)


def evaluate(node: Node, given: int) -> Any:
    if node.op is Parameter:
        return given
    if node.is_constant:
        return node.data[0]
    return node.operation.meaning(*[evaluate(find(one), given) for one in node.inputs])


@pytest.mark.parametrize("kind", [INT, LONG], ids=str)
@pytest.mark.parametrize("operation", ["div", "mod"])
def test_division_by_constants_at_the_edges(kind: Kind, operation: str) -> None:
    last = (1 << (31 if kind is INT else 63)) - 1
    near = {x for edge in EDGES for x in (edge, last - edge, last // 2 + edge, last // 3 + edge)}
    values = sorted({*near, *(-x for x in near), -last - 1})
    meaning = PRIMITIVES[f"{kind.value}.{operation}"].meaning
    divisors = sorted({x for x in values if abs(x) > 1 and x != -last - 1})
    for divisor in divisors:
        compute = divided(operation, kind, divisor)
        multiples = {divisor * k + d for k in (1, 2, 7, last // abs(divisor)) for d in (-1, 0, 1)}
        for value in (*values, *(x for x in multiples if -last - 1 <= x <= last)):
            assert compute(value) == meaning(value, divisor), (value, divisor)


def test_the_magic_of_all_divisors_of_a_small_width() -> None:
    bits = 8
    for divisor in range(2, 1 << bits - 1):
        factor, shift = magic(divisor, bits)
        assert factor < 1 << bits
        for value in range(-(1 << bits - 1), 1 << bits - 1):
            assert (value * factor >> bits + shift) + (value < 0) == a.divide(value, divisor)

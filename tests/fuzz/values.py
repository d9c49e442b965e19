"""Random blocks, `if`s and jumps as operands, with assignments in them to what stands on their left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.generator import Generator, Scope

JUMPS = 0.15
"""how often a branch jumps instead of giving a value"""


def branches(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """`(if c { a } else { b })`, of which one branch may jump"""
    condition = maker.expression("bool", scope, min(depth, 1))
    parts = [block(maker, type, scope, depth), block(maker, type, scope, depth)]
    if maker.chance(JUMPS):
        parts[maker.random.randint(0, 1)] = f"{{ {jump(maker, type, scope)} }}"
    chain = f" else if {maker.expression('bool', scope, 0)} {block(maker, type, scope, 0)}"
    return f"(if {condition} {parts[0]}{chain if maker.chance(0.2) else ''} else {parts[1]})"


def operand(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """A block in parentheses, so that it may stand anywhere."""
    return f"({block(maker, type, scope, depth)})"


def with_assignment(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """`(x + { x = …; … })`: the left operand has its value from before."""
    names = [name for name, other, mutable in scope.variables if mutable and other == type]
    if type not in ("int", "long", "float", "double", "Str") or not names:
        return operand(maker, type, scope, depth)
    name = maker.random.choice(names)
    tail = maker.expression(type, scope, min(depth, 1))
    return f"({name} + {{ {name} = {maker.expression(type, scope, 0)}; {tail} }})"


def block(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """`{ let v = …; x = …; … }`"""
    outer = len(scope.variables)
    statements = []
    for _ in range(maker.random.choice((0, 0, 1, 1, 2))):
        statements.append(statement(maker, scope, depth))
    tail = maker.expression(type, scope, depth)
    del scope.variables[outer:]
    return f"{{ {' '.join([*statements, tail])} }}"


def from_list(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """An element of a list literal, perhaps one that is not there; types are found from the elements."""
    count = maker.random.randint(1, 3)
    elements = ", ".join(maker.expression(type, scope, min(depth, 1)) for _ in range(count))
    return f"[{elements}][{maker.random.randint(0, count - 1) if maker.chance(0.95) else count}]"


def from_tuple(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """An element of a tuple, by its index or by taking it apart; sometimes the default of one."""
    others = [maker.random.choice(("int", "Str", "double")) for _ in range(maker.random.randint(1, 2))]
    types = [*others, type]
    maker.random.shuffle(types)
    at = types.index(type)
    written = f"({', '.join(types)})"
    if maker.chance(0.1) and type != "Str":
        name = maker.fresh("t")
        return f"({{ var {name}: {written}; {name}.{at} }})"
    value = f"({', '.join(maker.expression(one, scope, min(depth, 1)) for one in types)})"
    if maker.chance(0.5):
        return f"{value}.{at}"
    names = [maker.fresh("t") for _ in types]
    names[at - 1] = "_"
    return f"({{ let ({', '.join(names)}): {written} = {value}; {names[at]} }})"


def statement(maker: Generator, scope: Scope, depth: int) -> str:
    targets = [(name, type) for name, type, mutable in scope.variables if mutable]
    choice = maker.random.random()
    if choice < 0.5 and targets:
        name, type = maker.random.choice(targets)
        return f"{name} {maker.compound(type)}= {maker.expression(type, scope, min(depth, 1))};"
    if choice < 0.7 and scope.loops + len(scope.result) + scope.throws:
        return f"if {maker.expression('bool', scope, 0)} {{ {jump(maker, 'int', scope)} }}"
    type = maker.random.choice(("int", "long", "double", "Str", "Base"))
    name = maker.fresh("b")
    text = f"var {name}: {type} = {maker.expression(type, scope, min(depth, 1))};"
    scope.variables.append((name, type, True))
    return text


def jump(maker: Generator, type: str, scope: Scope) -> str:
    """A way out as an expression; a call that ends the program if there is no other."""
    ways = []
    if scope.throws:
        ways.append('throw Exception("operand")')
    if scope.loops:
        ways += ["break", "continue"]
    if scope.result:
        ways.append(f"return {maker.expression(scope.result, scope, 0)}")
    return maker.random.choice(ways) if ways else 'fatalError("operand")'

"""Random lambdas: with captured values and shared variables, given to functions, kept in fields and lists,
called at once, returned by others; and functions, methods and variants as values.

Their bodies see, and assign to, everything around; some of them throw.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fuzz import values

if TYPE_CHECKING:
    from fuzz.generator import Generator, Scope

HEAD = """
fun applied<T, R>(x: T, f: (T) throws -> R) rethrows -> R { try f(x) }
fun again<T>(x: T, f: (T) throws -> T) rethrows -> T { try applied(try f(x), f) }
fun folded<T, A>(items: Vec<T>, start: A, f: (A, T) throws -> A) rethrows -> A {
  var result = start;
  for item in items { result = try f(result, item); }
  result
}
fun composed<A, B, C>(f: (A) -> B, g: (B) -> C) -> (A) -> C { |x| g(f(x)) }
class Holder<T>(var make: () -> T) {
  fun run() -> T { (self.make)() }
  fun later() -> () -> T { || self.run() }
}
"""

PASSED = ("int", "long", "double", "bool", "byte", "char", "float", "Str")


def inside(scope: Scope, parameters: list[tuple[str, str]], result: str = "") -> Scope:
    """What a lambda sees; `result` is what it may return, if that is written or expected."""
    own = [(name, kind, False) for name, kind in parameters]
    return replace(scope, variables=[*scope.variables, *own], throws=False, loops=0, result=result)


def body(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """An expression, or a block with statements."""
    if maker.chance(0.5):
        return maker.expression(kind, scope, min(depth, 2))
    return values.block(maker, kind, scope, min(depth, 2))


def from_lambda(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """Something that a function value gives."""
    forms = (given, throwing, called, counted, listed, held, nested, optional, chained)
    if maker.chance(0.25):
        return function_value(maker, kind, scope, depth)
    return maker.random.choice(forms)(maker, kind, scope, depth)


def given(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """`applied(a, |p| …)`, whose types are found from `a` and the body"""
    other, name = maker.random.choice(PASSED), maker.fresh("p")
    argument = maker.expression(other, scope, min(depth, 1))
    if maker.chance(0.3):
        return f"again({maker.expression(kind, scope, 0)}, |{name}| {parameterised(maker, name, kind, scope, depth)})"
    return f"applied({argument}, |{name}| {body(maker, kind, inside(scope, [(name, other)]), depth)})"


def parameterised(maker: Generator, name: str, kind: str, scope: Scope, depth: int) -> str:
    return body(maker, kind, inside(scope, [(name, kind)], kind), depth)


def throwing(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """A fold whose lambda throws now and then."""
    sum, item = maker.fresh("s"), maker.fresh("p")
    inner = inside(scope, [(sum, kind), (item, "int")], kind)
    thrown = maker.random.choice(('"thrown"', 'Exception("made")', f'Base({item}, "b")'))
    test = maker.expression("bool", inner, 1)
    block = f"{{ if {test} {{ throw {thrown}; }} {maker.expression(kind, inner, min(depth, 1))} }}"
    items = ", ".join(maker.expression("int", scope, 0) for _ in range(maker.random.randint(1, 3)))
    call = f"folded([{items}], {maker.expression(kind, scope, 0)}, |{sum}, {item}| {block})"
    if scope.throws and maker.chance(0.5):
        return f"(try {call})"
    return f"(try {call} else {maker.literal(kind)})"


def called(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """A lambda in a variable, with written types, called twice."""
    function, first, second = maker.fresh("l"), maker.fresh("p"), maker.fresh("p")
    other = maker.random.choice(PASSED)
    inner = inside(scope, [(first, kind), (second, other)], kind)
    made = f"|{first}: {kind}, {second}: {other}| -> {kind} {values.block(maker, kind, inner, min(depth, 2))}"
    calls = f"{function}({maker.expression(kind, scope, 0)}, {maker.expression(other, scope, 0)})"
    again = f"{function}({calls}, {maker.expression(other, scope, 0)})"
    return f"({{ let {function} = {made}; {again} }})"


def counted(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """A shared variable that a lambda changes, which others see."""
    name, function, parameter = maker.fresh("v"), maker.fresh("l"), maker.fresh("p")
    inner = inside(scope, [(parameter, kind)])
    inner.variables.append((name, kind, True))
    change = f"|{parameter}: {kind}| {{ {name} = {maker.expression(kind, inner, min(depth, 1))}; }}"
    start = maker.expression(kind, scope, min(depth, 1))
    calls = " ".join(f"{function}({maker.expression(kind, scope, 0)});" for _ in range(2))
    return f"({{ var {name}: {kind} = {start}; let {function} = {change}; {calls} {name} }})"


def listed(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """One of a list of lambdas, perhaps one that is not there."""
    name, count = maker.fresh("l"), maker.random.randint(1, 3)
    inner = inside(scope, [], kind)
    lambdas = ", ".join(f"|| {body(maker, kind, inner, depth)}" for _ in range(count))
    index = maker.random.randint(0, count - 1) if maker.chance(0.95) else count
    return f"({{ let {name}: Vec<() -> {kind}> = [{lambdas}]; {name}[{index}]() }})"


def held(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """A lambda in a field."""
    made = f"Holder(|| {body(maker, kind, inside(scope, []), depth)})"
    return f"{made}{maker.random.choice(('.run()', '.later()()'))}"


def nested(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """A lambda that returns one, both called at once."""
    first, second, other = maker.fresh("p"), maker.fresh("p"), maker.random.choice(PASSED)
    inner = inside(scope, [(first, other), (second, kind)])
    made = f"|{first}: {other}| |{second}: {kind}| {body(maker, kind, inner, depth)}"
    return f"({made})({maker.expression(other, scope, 0)})({maker.expression(kind, scope, 0)})"


def optional(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """The methods of `Option` that take functions."""
    name, other = maker.fresh("p"), maker.random.choice(PASSED)
    some = f"applied({maker.expression(other, scope, min(depth, 1))}, Some)"
    mapped = f".map(|{name}| {body(maker, kind, inside(scope, [(name, other)]), depth)})"
    kept = f".filter(|_| {maker.expression('bool', inside(scope, []), 0)})"
    last = f".unwrapOrElse(|| {maker.expression(kind, inside(scope, []), 0)})"
    return f"{some}{kept if maker.chance(0.3) else ''}{mapped}{last}"


def chained(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """Two lambdas, one behind the other."""
    first, second, other = maker.fresh("p"), maker.fresh("p"), maker.random.choice(PASSED)
    start = f"|{first}: {kind}| {body(maker, other, inside(scope, [(first, kind)]), min(depth, 1))}"
    end = f"|{second}| {body(maker, kind, inside(scope, [(second, other)]), min(depth, 1))}"
    return f"composed({start}, {end})({maker.expression(kind, scope, 0)})"


def function_value(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """A function of the program, or the method of an object, as a value."""
    name = maker.fresh("l")
    functions = [one for one in maker.functions if one.result == kind and not one.throws]
    if functions:
        function = maker.random.choice(functions)
        arguments = ", ".join(maker.expression(one, scope, 0) for one in function.parameters)
        return f"({{ let {name} = {function.name}; {name}({arguments}) }})"
    if kind == "int":
        receiver, argument = maker.object("Base", scope, 1), maker.expression("int", scope, min(depth, 1))
        return f"({{ let {name} = {receiver}.rank; {name}({argument}) }})"
    return given(maker, kind, scope, depth)


def rounds(maker: Generator, scope: Scope, depth: int) -> None:
    """Statements: a loop that makes lambdas, each with a variable of its own, which are called behind it."""
    kind, fs, index, own = maker.random.choice(PASSED), maker.fresh("l"), maker.fresh("i"), maker.fresh("v")
    maker.put(depth, f"let {fs}: Vec<() -> {kind}> = [];")
    maker.put(depth, f"for {index} in 0..{maker.random.randint(1, 3)} {{")
    outer = len(scope.variables)
    scope.variables.append((index, "int", False))
    maker.put(depth + 1, f"var {own}: {kind} = {maker.expression(kind, scope, 1)};")
    scope.variables.append((own, kind, True))
    inner = inside(scope, [], kind)
    maker.put(depth + 1, f"{fs}.push(|| {values.block(maker, kind, inner, 1)});")
    maker.put(depth + 1, f"{own} = {maker.expression(kind, scope, 1)};")
    del scope.variables[outer:]
    maker.put(depth, "}")
    function = maker.fresh("l")
    maker.put(depth, f"for {function} in {fs} {{ println({maker.shown(f'{function}()', kind)}); }}")

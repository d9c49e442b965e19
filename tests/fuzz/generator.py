"""Random well-typed programs that end: the same seed gives the same program.

Functions call only functions before them and loops have small counts, so everything ends.  Failures are welcome:
divisions by zero, indexes out of range, nil and wrong casts end a program, and then traces are compared too.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from fuzz import cases, chains, closures, heads, traits, values, ways
from fuzz.ways import WayGenerator

INTEGERS = ("int", "long")
FLOATS = ("float", "double")
NUMBERS = (*INTEGERS, *FLOATS)
TYPES = (*NUMBERS, "bool", "byte", "char", "Str")
ARRAYS = ("Array<int>", "Array<double>", "Array<byte>", "Array<Str>")

EDGES = {
    "int": ("0", "1", "-1", "2", "31", "33", "255", "2147483647", "-2147483648", "0x7F", "1000003"),
    "long": ("0L", "1L", "-1L", "63L", "65L", "4294967296L", "9223372036854775807L", "-9223372036854775808L"),
    "float": ("0.0F", "1.5F", "-2.25F", "16777216.0F", "3.4e38F", "1.0e-45F"),
    "double": ("0.0", "0.1", "-1.5", "1.0e308", "4.9e-324", "9007199254740993.0", "2147483648.0", "1.0e19"),
    "bool": ("true", "false"),
    "byte": ("0Y", "1Y", "127Y", "128Y", "255Y"),
    "char": ("'a'", "'\\0'", "'\\n'", "'ß'", "'€'"),
    "Str": ('""', '"a"', '"text"', '"grüße"', '"0123456789"'),
}

CLASSES = """
open class Base(var number: int, let text: Str) {
  open fun rank(x: int) -> int { return self.number + x; }
  fun twice() -> int { return self.rank(self.number) * 2; }
}
open class Middle(number: int, text: Str, var wide: long): Base(number, text) {
  override fun rank(x: int) -> int { return self.wide.toInt() - x; }
}
class Last(number: int, let flag: bool): Middle(number, "last", number.toLong() * 3L) {
  override fun rank(x: int) -> int { if self.flag { return x; } return super.rank(x) + 1; }
}
class Pair<A, B>(var first: A, var second: B) {
  fun swapped() -> Pair<B, A> { return Pair(self.second, self.first); }
}
"""
HEADS = (CLASSES, cases.HEAD, closures.HEAD, traits.HEAD, chains.HEAD, ways.HEAD)
"""what programs may use"""
OBJECTS = ("Base", "Middle", "Last")
NIL = 0.05
"""how often a variable for an object begins with nil"""


@dataclass
class Scope:
    """What can be named at a place: (name, type, whether it can be assigned)."""

    variables: list[tuple[str, str, bool]] = field(default_factory=list)
    throws: bool = False
    loops: int = 0
    result: str = ""
    """the type of what is returned; empty for nothing"""


@dataclass
class Signature:
    name: str
    parameters: list[str]
    result: str
    throws: bool


class Generator:
    """Writes one program."""

    more = ""
    """what a special generator writes into every program"""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.functions: list[Signature] = []
        self.globals: list[tuple[str, str, bool]] = []
        self.lines: list[str] = []
        self.ways: list[WayGenerator] = []
        self.names = 0

    def program(self) -> str:
        for _ in range(self.random.randint(0, 3)):
            type = self.random.choice(TYPES)
            name = self.fresh("g")
            self.lines.append(f"var {name}: {type} = {self.literal(type)};")
            self.globals.append((name, type, True))
        for _ in range(self.random.randint(1, 5)):
            self.function()
        self.ways = [WayGenerator(self.random, self.fresh("w")) for _ in range(self.random.randint(0, 2))]
        for way in self.ways:
            self.lines += way.function()
        self.main()
        return self.whole()

    def whole(self) -> str:
        """The program with the declarations that it uses."""
        lines = [*self.more.strip().splitlines(), *self.lines]
        return "\n".join([*heads.used(HEADS, lines), *lines]) + "\n"

    def fresh(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # Functions.

    def function(self) -> None:
        random = self.random
        parameters = [random.choice((*TYPES, *OBJECTS, *ARRAYS)) for _ in range(random.randint(0, 4))]
        result = random.choice((*TYPES, *OBJECTS))
        signature = Signature(self.fresh("f"), parameters, result, self.chance(0.3))
        scope = Scope(list(self.globals), signature.throws, result=result)
        names = [self.fresh("p") for _ in parameters]
        scope.variables += [(name, type, False) for name, type in zip(names, parameters, strict=True)]
        listed = ", ".join(f"{name}: {type}" for name, type in zip(names, parameters, strict=True))
        throws = " throws" if signature.throws else ""
        self.lines.append(f"fun {signature.name}({listed}){throws} -> {result} {{")
        self.block(scope, 1, random.randint(1, 5))
        self.lines.append(f"  return {self.expression(result, scope, 3)};")
        self.lines.append("}")
        self.functions.append(signature)

    def main(self) -> None:
        scope = Scope(list(self.globals))
        self.lines.append("fun main() {")
        for way in self.ways:
            self.lines += [f"  {line}" for line in way.calls(5)]
        self.block(scope, 1, self.random.randint(3, 8))
        for function in self.functions:
            if function.result in TYPES:
                call = self.call(function, scope, 2)
                self.lines.append(f"  println({self.shown(call, function.result)});")
        self.lines.append("}")

    def shown(self, expression: str, type: str) -> str:
        return expression if type == "Str" else f"({expression}).toString()"

    # Statements.

    def block(self, scope: Scope, depth: int, count: int) -> None:
        """Statements; what they declare is gone behind the block."""
        visible = len(scope.variables)
        for _ in range(count):
            self.statement(scope, depth)
        del scope.variables[visible:]

    def statement(self, scope: Scope, depth: int) -> None:
        kinds: list[Callable[[Scope, int], None]] = [self.declare, self.declare, self.assign, self.output]
        if depth < 4:
            kinds += [
                self.branch,
                self.repeat,
                self.attempt,
                partial(cases.unwind, self),
                partial(closures.rounds, self),
                partial(chains.visited, self),
            ]
        if scope.throws or depth > 1:
            kinds += [self.leave, partial(cases.take_apart, self)]
        self.random.choice(kinds)(scope, depth)

    def put(self, depth: int, text: str) -> None:
        self.lines.append("  " * depth + text)

    def declare(self, scope: Scope, depth: int) -> None:
        type = self.random.choice((*TYPES, *TYPES, *OBJECTS, *ARRAYS))
        name = self.fresh("v")
        keyword = self.random.choice(("let", "var"))
        may_be_nil = type in OBJECTS or type in ARRAYS
        value = "nil" if may_be_nil and self.chance(NIL) else self.expression(type, scope, 3)
        self.put(depth, f"{keyword} {name}: {type} = {value};")
        scope.variables.append((name, type, keyword == "var"))

    def assign(self, scope: Scope, depth: int) -> None:
        targets = [(name, type) for name, type, mutable in scope.variables if mutable]
        arrays = [(name, type) for name, type, _ in scope.variables if type in ARRAYS]
        objects = [name for name, type, _ in scope.variables if type in OBJECTS]
        if arrays and self.chance(0.4):
            name, type = self.random.choice(arrays)
            index = self.index(scope)
            operator = self.compound(element(type))
            self.put(depth, f"{name}[{index}] {operator}= {self.expression(element(type), scope, 2)};")
        elif objects and self.chance(0.3):
            target = f"{self.random.choice(objects)}.number {self.compound('int')}="
            self.put(depth, f"{target} {self.expression('int', scope, 2)};")
        elif targets:
            name, type = self.random.choice(targets)
            self.put(depth, f"{name} {self.compound(type)}= {self.expression(type, scope, 3)};")
        else:
            self.output(scope, depth)

    def compound(self, type: str) -> str:
        """The operator of an assignment; often none."""
        if type in NUMBERS and self.chance(0.4):
            return self.random.choice("+-*/%&|^" if type in INTEGERS else "+-*/")
        return "+" if type == "Str" and self.chance(0.3) else ""

    def output(self, scope: Scope, depth: int) -> None:
        type = self.random.choice(TYPES)
        self.put(depth, f"println({self.shown(self.expression(type, scope, 3), type)});")

    def branch(self, scope: Scope, depth: int) -> None:
        self.put(depth, f"if {self.expression('bool', scope, 3)} {{")
        self.block(scope, depth + 1, self.random.randint(1, 3))
        if self.chance(0.5):
            self.put(depth, "} else {")
            self.block(scope, depth + 1, self.random.randint(1, 3))
        self.put(depth, "}")

    def repeat(self, scope: Scope, depth: int) -> None:
        name = self.fresh("i")
        lower, upper = self.random.randint(-1, 1), self.random.randint(0, 5)
        ranges = (
            f"range({lower}, {upper})",
            f"{lower}..{upper}",
            f"{lower}..={upper - 1}",
            f"({lower}..{upper}).reversed()",
            f"[{lower}, {upper}, {lower}]",
        )
        self.put(depth, f"for {name} in {self.random.choice(ranges)} {{")
        scope.variables.append((name, "int", False))
        scope.loops += 1
        self.block(scope, depth + 1, self.random.randint(1, 3))
        if self.chance(0.2):
            word = self.random.choice(("break", "continue"))
            self.put(depth + 1, f"if {self.expression('bool', scope, 2)} {{ {word}; }}")
        scope.loops -= 1
        scope.variables.pop()
        self.put(depth, "}")

    def attempt(self, scope: Scope, depth: int) -> None:
        outer, scope.throws = scope.throws, True
        self.put(depth, "do {")
        self.block(scope, depth + 1, self.random.randint(1, 3))
        scope.throws = outer
        if self.chance(0.8):
            name, type = self.fresh("e"), self.random.choice(("Str", "Base", "Exception", "Object"))
            self.put(depth, f"}} catch {name}: {type} {{")
            self.put(depth + 1, f'println("caught {type}");')
            self.block(scope, depth + 1, self.random.randint(0, 2))
            if self.chance(0.5):
                self.last(scope, depth)
        else:
            self.last(scope, depth)
        self.put(depth, "}")

    def last(self, scope: Scope, depth: int) -> None:
        self.put(depth, "} finally {")
        self.put(depth + 1, 'println("finally");')
        self.block(scope, depth + 1, self.random.randint(0, 2))

    def leave(self, scope: Scope, depth: int) -> None:
        """A way out of what is around, now and then."""
        ways = []
        if scope.throws:
            value = self.random.choice(('"thrown"', 'Exception("made")', 'Base(1, "b")', "Array(2, 1)"))
            ways += [f"throw {value};"] * 3
        if scope.loops:
            ways += ["break;", "continue;"]
        if scope.result:
            ways.append(f"return {self.expression(scope.result, scope, 2)};")
        if ways:
            self.put(depth, f"if {self.expression('bool', scope, 2)} {{ {self.random.choice(ways)} }}")
        else:
            self.output(scope, depth)

    # Expressions.

    def literal(self, type: str) -> str:
        return f"({self.random.choice(EDGES[type])})"

    def index(self, scope: Scope) -> str:
        if self.chance(0.9):
            return str(self.random.randint(0, 2))
        return self.expression("int", scope, 1)

    def expression(self, type: str, scope: Scope, depth: int) -> str:
        """An expression of a type; nothing in it throws unless it stands in a `try`."""
        if type in OBJECTS:
            return self.object(type, scope, depth)
        if type in ARRAYS:
            return self.array(type, scope, depth)
        leaves = [name for name, other, _ in scope.variables if other == type]
        if depth == 0 or self.chance(0.2):
            return self.random.choice(leaves) if leaves and self.chance(0.7) else self.literal(type)
        return self.random.choice(self.makers(type))(type, scope, depth - 1)

    def makers(self, type: str) -> list[Callable[[str, Scope, int], str]]:
        makers: list[Callable[[str, Scope, int], str]] = [
            self.from_call,
            self.from_array,
            self.from_statements,
        ]
        if type in NUMBERS:
            makers += [self.arithmetic, self.arithmetic, self.arithmetic, self.unary, self.converted]
        if type in INTEGERS:
            makers += [self.bits, self.from_object]
        if type == "bool":
            makers += [self.comparison, self.comparison, self.logic, self.test]
        if type == "byte":
            makers.append(self.to_byte)
        if type == "Str":
            makers += [self.concatenation, self.text_of]
        return makers

    def from_statements(self, type: str, scope: Scope, depth: int) -> str:
        make = self.random.choice(
            (
                values.branches,
                values.operand,
                values.with_assignment,
                values.from_list,
                values.from_tuple,
                cases.from_match,
                cases.from_match,
                cases.from_tree,
                cases.from_option,
                closures.from_lambda,
                closures.from_lambda,
                closures.from_lambda,
                traits.from_trait,
                traits.from_trait,
                chains.from_chain,
                chains.from_chain,
            )
        )
        return make(self, type, scope, depth)

    def arithmetic(self, type: str, scope: Scope, depth: int) -> str:
        left, right = self.expression(type, scope, depth), self.expression(type, scope, depth)
        if self.chance(0.2):
            return f"{left}.{self.random.choice(('min', 'max'))}({right})"
        return f"({left} {self.random.choice('+-*+-*/%')} {right})"

    def bits(self, type: str, scope: Scope, depth: int) -> str:
        left, right = self.expression(type, scope, depth), self.expression(type, scope, depth)
        return f"({left} {self.random.choice(('&', '|', '^', '<<', '>>', '>>>'))} {right})"

    def unary(self, type: str, scope: Scope, depth: int) -> str:
        operand = self.expression(type, scope, depth)
        if self.chance(0.3):
            return f"({operand}).abs()"
        return f"({self.random.choice('+-')}{operand})"

    def converted(self, type: str, scope: Scope, depth: int) -> str:
        source = self.random.choice([other for other in NUMBERS if other != type])
        return f"({self.expression(source, scope, depth)}).to{type.capitalize()}()"

    def to_byte(self, type: str, scope: Scope, depth: int) -> str:
        return f"({self.expression(self.random.choice(INTEGERS), scope, depth)}).toByte()"

    def comparison(self, type: str, scope: Scope, depth: int) -> str:
        operand = self.random.choice((*NUMBERS, "byte", "char", "Str"))
        left, right = self.expression(operand, scope, depth), self.expression(operand, scope, depth)
        return f"({left} {self.random.choice(('==', '!=', '<', '<=', '>', '>='))} {right})"

    def logic(self, type: str, scope: Scope, depth: int) -> str:
        left, right = self.expression("bool", scope, depth), self.expression("bool", scope, depth)
        return self.random.choice((f"({left} && {right})", f"({left} || {right})", f"(!{left})"))

    def test(self, type: str, scope: Scope, depth: int) -> str:
        value = self.object("Base", scope, depth)
        if self.chance(0.3):
            return f"({value} === {self.object('Base', scope, depth)})"
        return f"({value} is {self.random.choice(OBJECTS)})"

    def concatenation(self, type: str, scope: Scope, depth: int) -> str:
        return f"({self.expression('Str', scope, depth)} + {self.expression('Str', scope, depth)})"

    def text_of(self, type: str, scope: Scope, depth: int) -> str:
        other = self.random.choice([one for one in TYPES if one != "Str"])
        if self.chance(0.3):
            return (
                f'"<${{{self.expression(other, scope, depth)}}}|${{{self.expression("Str", scope, depth)}}}>"'
            )
        return f"({self.expression(other, scope, depth)}).toString()"

    def from_array(self, type: str, scope: Scope, depth: int) -> str:
        arrays = [name for name, other, _ in scope.variables if other == f"Array<{type}>"]
        if not arrays:
            return self.literal(type)
        return f"{self.random.choice(arrays)}[{self.index(scope)}]"

    def from_object(self, type: str, scope: Scope, depth: int) -> str:
        value = self.object("Base", scope, depth)
        member = self.random.choice((".number", ".twice()", f".rank({self.expression('int', scope, 0)})"))
        made = f"{value}{member}"
        if self.chance(0.2):
            made = f"Pair({made}, {self.literal('Str')}).swapped().second"
        return made if type == "int" else f"{made}.toLong()"

    def from_call(self, type: str, scope: Scope, depth: int) -> str:
        functions = [one for one in self.functions if one.result == type]
        return self.call(self.random.choice(functions), scope, depth) if functions else self.literal(type)

    def call(self, function: Signature, scope: Scope, depth: int) -> str:
        arguments = ", ".join(self.expression(type, scope, min(depth, 1)) for type in function.parameters)
        made = f"{function.name}({arguments})"
        if not function.throws:
            return made
        if scope.throws and self.chance(0.6):
            return f"(try {made})"
        if function.result in TYPES and self.chance(0.8):
            return f"(try {made} else {self.literal(function.result)})"
        return f"(try! {made})"

    def object(self, type: str, scope: Scope, depth: int) -> str:
        usable = OBJECTS[OBJECTS.index(type) :]
        leaves = [name for name, other, _ in scope.variables if other in usable]
        if leaves and self.chance(0.6):
            return self.random.choice(leaves)
        if self.chance(0.05):
            return f"({self.object('Base', scope, 0)} as {type})"
        number = self.expression("int", scope, min(depth, 1))
        made = self.random.choice(usable)
        if made == "Base":
            return f"Base({number}, {self.expression('Str', scope, 0)})"
        if made == "Middle":
            return f"Middle({number}, {self.literal('Str')}, {self.expression('long', scope, 0)})"
        return f"Last({number}, {self.expression('bool', scope, 0)})"

    def array(self, type: str, scope: Scope, depth: int) -> str:
        leaves = [name for name, other, _ in scope.variables if other == type]
        if leaves and self.chance(0.5):
            return self.random.choice(leaves)
        if self.chance(0.3):
            inner = [
                self.expression(element(type), scope, min(depth, 1)) for _ in range(self.random.randint(2, 4))
            ]
            name = self.fresh("a")
            return f"({{ let {name}: {type} = [{', '.join(inner)}]; {name} }})"
        return f"Array({self.random.randint(2, 4)}, {self.expression(element(type), scope, min(depth, 1))})"


def element(type: str) -> str:
    return type.removeprefix("Array<").removesuffix(">")

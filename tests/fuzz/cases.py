"""Random enums and what takes them apart: `match`, `if let`, `while let`, `let … else`; nested patterns.

The patterns have alternatives, ranges, guards and names for parts; enums contain themselves, and the generic
ones have data of every primitive type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.values import jump

if TYPE_CHECKING:
    from fuzz.generator import Generator, Scope

HEAD = """
enum Maybe<T> { Nothing, Just(value: T) }
enum Chain<T> { End, Link(value: T, rest: Chain<T>), Twice(first: T, second: T, rest: Chain<T>) }
enum Hue { Red, Green, Blue }
enum Tree {
  Tip(text: Str), Leaf, Node(left: Tree, number: int, right: Tree), Painted(hue: Hue, inner: Maybe<Tree>)
  fun weight() -> int {
    match self { Leaf => 0, Tip(t) => t.len(), Node(l, n, r) => l.weight() + n + r.weight(), Painted(_, _) => 1 }
  }
}
"""

SUBJECTS = (
    "int", "bool", "Str", "Hue", "Tree", "Maybe<int>", "Maybe<double>", "Maybe<Tree>",
    "(int, bool)", "(Tree, Maybe<int>)", "(Hue, (int, Str))", "Maybe<byte>", "Maybe<Maybe<bool>>",
    "int", "byte", "long", "char", "Str", "(Maybe<char>, Maybe<long>)", "Chain<int>", "Chain<float>", "Chain<(byte, Str)>", "Maybe<Chain<long>>",
)  # fmt: skip
CHAINED = ("int", "long", "float", "double", "bool", "byte", "char", "Str")
HIDDEN = ("(", "Maybe", "Chain", "Tree", "Hue")
"""how types begin that the other expressions know nothing of"""
VARIANTS = {
    "Hue": {"Red": (), "Green": (), "Blue": ()},
    "Tree": {
        "Tip": ("Str",),
        "Leaf": (),
        "Node": ("Tree", "int", "Tree"),
        "Painted": ("Hue", "Maybe<Tree>"),
    },
}

Bindings = list[tuple[str, str, bool]]


def variants(type: str) -> dict[str, tuple[str, ...]]:
    """The variants of an enum with the types of their data."""
    if type.startswith("Maybe<"):
        return {"Nothing": (), "Just": (type[6:-1],)}
    if type.startswith("Chain<"):
        inner = type[6:-1]
        return {"End": (), "Link": (inner, type), "Twice": (inner, inner, type)}
    return VARIANTS.get(type, {})


def elements(type: str) -> list[str]:
    """The types of the elements of a tuple."""
    parts, level = [""], 0
    for char in type[1:-1]:
        level += (char in "(<") - (char in ")>")
        if char == "," and not level:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def value(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """An expression of one of the types of subjects."""
    if type.startswith("("):
        return f"({', '.join(value(maker, one, scope, depth - 1) for one in elements(type))})"
    choices = variants(type)
    if not choices:
        return maker.expression(type, scope, min(max(depth, 0), 1))
    usable = [name for name, data in choices.items() if depth > 0 or not data]
    name = maker.random.choice(usable)
    owner = type.replace("<", "::<", 1)
    data = [value(maker, one, scope, depth - 1) for one in choices[name]]
    return f"{owner}::{name}" + (f"({', '.join(data)})" if data else "")


def pattern(maker: Generator, type: str, names: Bindings | None, depth: int) -> str:
    """A pattern; what it binds is added to `names`, if it may bind anything."""
    chance = maker.chance
    if names is not None and chance(0.2):
        name = maker.fresh("m")
        names.append((name, type, False))
        return name if chance(0.7) else f"{name} @ {bare(maker, type, None, depth)}"
    if chance(0.15):
        return "_"
    if chance(0.15):
        return "(" + " | ".join(bare(maker, type, None, depth - 1) for _ in range(2)) + ")"
    return bare(maker, type, names, depth)


def bare(maker: Generator, type: str, names: Bindings | None, depth: int) -> str:
    random = maker.random
    if type == "int":
        low = random.randint(-3, 5)
        ends = random.choice(("2147483647", "-2147483648", f"{low}..=2147483647", f"-2147483648..{low}"))
        return random.choice((str(low), str(low), f"{low}..{low + 3}", f"{low}..={low + 1}", ends))
    if type == "bool":
        return random.choice(("true", "false"))
    if type == "Str":
        return random.choice(('""', '"a"', '"text"', '"grüße"', '"0123456789"', "nil"))
    if type in OTHERS:
        return random.choice(OTHERS[type])
    if type.startswith("("):
        return f"({', '.join(pattern(maker, one, names, depth - 1) for one in elements(type))})"
    name, data = random.choice(list(variants(type).items()))
    if not data:
        return name
    if depth <= 0 or maker.chance(0.15):
        return f"{name}(..)"
    return f"{name}({', '.join(pattern(maker, one, names, depth - 1) for one in data)})"


OTHERS = {
    "double": ("0.1", "-1.5", "0.0", "_"),
    "float": ("1.5F", "-2.25F", "0.0F", "_"),
    "long": (
        "1L",
        "-1L",
        "0L",
        "63L",
        "0L..63L",
        "9223372036854775807L",
        "4294967296L..=9223372036854775807L",
    ),
    "byte": ("0Y", "1Y", "255Y", "1Y..127Y", "127Y..=255Y"),
    "char": ("'a'", "'\\n'", "'ß'", "'\\0'..'a'", "'ß'..='€'"),
}
"""patterns for values of the types"""


def known(names: Bindings) -> Bindings:
    """Those that other expressions may name."""
    return [one for one in names if not one[1].startswith(HIDDEN)]


def from_match(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """`(match e { P if g => a, _ => b })`"""
    subject = maker.random.choice(SUBJECTS)
    head = value(maker, subject, scope, 2)
    arms = []
    for _ in range(maker.random.randint(1, 5) if subject not in CHAINED else maker.random.randint(1, 12)):
        names: Bindings = []
        tested = pattern(maker, subject, names, 3)
        visible = len(scope.variables)
        scope.variables += known(names)
        guard = f" if {maker.expression('bool', scope, 0)}" if maker.chance(0.2) else ""
        arms.append(f"{tested}{guard} => {maker.expression(type, scope, min(depth, 1))}")
        del scope.variables[visible:]
    arms.append(f"_ => {maker.expression(type, scope, 0)}")
    return f"(match {head} {{ {', '.join(arms)} }})"


def from_tree(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """Something of the weight of a tree."""
    weight = f"{value(maker, 'Tree', scope, 3)}.weight()"
    return {"int": weight, "Str": f"{weight}.toString()", "bool": f"({weight} > 3)"}.get(
        type, from_match(maker, type, scope, depth)
    )


def from_option(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """`if let` and `let … else` with an `Option`, of which a branch may wait for its type."""
    name = maker.fresh("o")
    some = f"Some({maker.expression(type, scope, min(depth, 1))})"
    option = f"if {maker.expression('bool', scope, 0)} {{ {some} }} else {{ None }}"
    other = maker.expression(type, scope, 0)
    if maker.chance(0.3):
        return f"({{ let {name} = {option}; {name}.unwrapOr({other}) }})"
    visible = len(scope.variables)
    scope.variables.append((name, type, False))
    then = maker.expression(type, scope, min(depth, 1))
    del scope.variables[visible:]
    return f"(if let Some({name}) = ({option}) {{ {then} }} else {{ {other} }})"


def unwind(maker: Generator, scope: Scope, depth: int) -> None:
    """A statement `while let` that takes a chain apart, link by link."""
    type = maker.random.choice(CHAINED)
    chain, rest = maker.fresh("c"), maker.fresh("c")
    maker.put(depth, f"var {chain} = {value(maker, f'Chain<{type}>', scope, 4)};")
    names: Bindings = []
    data = [pattern(maker, type, names, 1) for _ in range(maker.random.randint(1, 2))]
    variant = "Link" if len(data) == 1 else "Twice"
    maker.put(depth, f"while let {variant}({', '.join([*data, rest])}) = {chain} {{")
    maker.put(depth + 1, f"{chain} = {rest};")
    visible = len(scope.variables)
    scope.variables += known(names)
    scope.loops += 1
    maker.block(scope, depth + 1, maker.random.randint(1, 2))
    scope.loops -= 1
    del scope.variables[visible:]
    maker.put(depth, "}")


def take_apart(maker: Generator, scope: Scope, depth: int) -> None:
    """A statement `let P = e else { … }`, which leaves what is around if the pattern does not fit."""
    type = maker.random.choice([one for one in SUBJECTS if variants(one) or one.startswith("(")])
    names: Bindings = []
    tested = bare(maker, type, names, 3)
    leave = jump(maker, type, scope)
    maker.put(depth, f'let {tested} = {value(maker, type, scope, 2)} else {{ println("other"); {leave} }};')
    scope.variables += known(names)

"""Random uses of traits: bounds, defaults, adopted methods, trait objects, what is derived.

The values stand for everything that is converted in another way: objects of an open class and its subclasses,
which adopt a method, primitive values, texts, enums with and without data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.generator import Generator, Scope

HEAD = """
trait Ranked {
  fun order() -> int;
  fun twice() -> int { self.order() * 2 }
  fun above(other: Self) -> bool { self.order() > other.order() }
  fun with<T: Show>(x: T) -> Str { "${self.order()}|${x}" }
}
trait Labelled: Ranked {
  fun label() -> Str;
  fun line() -> Str { "${self.label()}:${self.twice()}" }
}
trait Into<T> {
  fun into() -> T;
  fun both() -> (T, T) { (self.into(), self.into()) }
  fun shown() -> Str where T: Show { "<${self.into()}>" }
}
impl Ranked for Base { fun order() -> int { self.rank(1) } }
impl Labelled for Base { fun label() -> Str { self.text } }
impl Ranked for int { fun order() -> int { self } }
impl Labelled for int { fun label() -> Str { "int" } fun line() -> Str { "line of ${self}" } }
impl Ranked for Str { fun order() -> int { self.len() } }
impl Labelled for Str { fun label() -> Str { self } }
impl<T: Ranked> Ranked for Maybe<T> { fun order() -> int { match self { Nothing => -1, Just(x) => x.order() + 1 } } }
impl<T: Labelled> Labelled for Maybe<T> {
  fun label() -> Str { match self { Nothing => "nothing", Just(x) => x.label() } }
}
impl<T> Into<T> for Maybe<T> { fun into() -> T { match self { Nothing => defaultValue::<T>(), Just(x) => x } } }
impl Ranked for Hue { fun order() -> int { match self { Red => 1, Green => 5, Blue => 3 } } }
impl Labelled for Hue { fun label() -> Str { "hue" } }
@derive(Equals, Comparable, Hash, Show) enum Kind<T> { Bare, One(value: T), Two(first: T, second: Str) }
@derive(Equals, Comparable, Hash, Show) class Entry(let a: int, let b: double, let c: Entry, let d: Str)
fun base(x: Base) -> Base { x }
fun labelled(x: Labelled) -> Labelled { x }
fun ranked(x: Ranked) -> Ranked { x }
fun converted<T: Labelled>(x: T) -> Ranked { x }
fun most<T: Ranked>(a: T, b: T) -> T { if a.above(b) { a } else { b } }
fun got<M: Into<T>, T>(m: M) -> T { m.into() }
fun computed<T: Number + Comparable>(a: T, b: T) -> T { if a < b { a * b - a } else { a + b } }
"""


def value(maker: Generator, scope: Scope) -> str:
    """Something that implements `Labelled`."""
    kind = maker.random.randrange(6)
    if kind < 2:
        return f"base({maker.object('Base', scope, 1)})"
    if kind == 2:
        return maker.expression("int", scope, 1)
    if kind == 3:
        return maker.expression("Str", scope, 1)
    if kind == 4:
        return maker.random.choice(("Hue::Red", "Hue::Green", "Maybe::<int>::Nothing"))
    return f"Maybe::Just({value(maker, scope)})"


def object(maker: Generator, scope: Scope) -> str:
    """A value of type `Labelled` or `Ranked`."""
    if maker.chance(0.2):
        return f"labelled({maker.object('Base', scope, 1)})"
    make = maker.random.choice(("labelled({})", "ranked({})", "converted({})", "ranked(labelled({}))"))
    return make.format(value(maker, scope))


def derived(maker: Generator, scope: Scope) -> str:
    """A value of a type with derived impls."""
    number, text = maker.expression("int", scope, 0), maker.expression("Str", scope, 0)
    return maker.random.choice(
        ("Kind::<int>::Bare", f"Kind::One({number})", f"Kind::Two({number}, {text})")
        if maker.chance(0.5)
        else ("Kind::<int>::Bare", f"Kind::Two({number}, nil)")
    )


def entry(maker: Generator, scope: Scope) -> str:
    inner = maker.random.choice(("nil", 'Entry(1, 0.5, nil, "")'))
    number, text = maker.expression("int", scope, 0), maker.random.choice(('"a"', '""', "nil"))
    return f"Entry({number}, {maker.expression('double', scope, 0)}, {inner}, {text})"


def from_trait(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """An expression of a type by way of a trait."""
    choices = [matched]
    if type in ("int", "Str", "bool"):
        choices += [by_method, by_method]
    if type in ("int", "long", "float", "double"):
        choices.append(by_number)
    return maker.random.choice([*choices, by_argument])(maker, type, scope, depth)


def by_method(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    first = object(maker, scope)
    inner = maker.expression(maker.random.choice(("int", "char", "double")), scope, 0)
    if type == "int":
        return maker.random.choice(
            (
                f"{first}.order()",
                f"{first}.twice()",
                f"most::<Ranked>({first}, {value(maker, scope)}).order()",
                f"{derived(maker, scope)}.hash()",
                f"{entry(maker, scope)}.hash()",
            )
        )
    if type == "Str":
        return maker.random.choice(
            (
                f"labelled({value(maker, scope)}).line()",
                f"{first}.with({inner})",
                f"Maybe::Just({inner}).shown()",
                f'"${{{derived(maker, scope)}}}${{{entry(maker, scope)}}}"',
            )
        )
    operator = maker.random.choice(("==", "!=", "<", "<=", ">", ">="))
    return maker.random.choice(
        (
            f"({first} is {maker.random.choice(('Base', 'Last', 'int', 'Str', 'Hue', 'Maybe<int>'))})",
            f"({derived(maker, scope)} {operator} {derived(maker, scope)})",
            f"({entry(maker, scope)} {operator} {entry(maker, scope)})",
            f"{first}.above({value(maker, scope)})",
        )
    )


def by_number(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    left, right = maker.expression(type, scope, min(depth, 1)), maker.expression(type, scope, 0)
    return f"computed({left}, {right})"


def by_argument(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """The class decides what the trait's argument is."""
    inner = f"Maybe::Just({maker.expression(type, scope, min(depth, 1))})"
    return f"got({inner})" if maker.chance(0.7) else f"{inner}.both().1"


def matched(maker: Generator, type: str, scope: Scope, depth: int) -> str:
    """`(match object { b: Base => …, i: int => …, _ => … })`"""
    name = maker.fresh("t")
    arms = []
    for kind in maker.random.sample(("Base", "Middle", "int", "Str", "Hue", "Maybe<int>"), 2):
        visible = len(scope.variables)
        scope.variables.append((name, kind, False))
        arms.append(f"{name}: {kind} => {maker.expression(type, scope, min(depth, 1))}")
        del scope.variables[visible:]
    nothing = f"nil => {maker.expression(type, scope, 0)}, " if maker.chance(0.3) else ""
    last = maker.expression(type, scope, 0)
    return f"(match {object(maker, scope)} {{ {nothing}{', '.join(arms)}, _ => {last} }})"

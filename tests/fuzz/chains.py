"""Random chains of iterators, sorts and searches, maps, sets and queues.

Their functions see, and assign to, everything around, so the order in which they are called shows.  What they are
given is small; one that asks too far, asks twice or compares in another order changes what comes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz.closures import PASSED, body, inside

if TYPE_CHECKING:
    from fuzz.generator import Generator, Scope

HEAD = """
class Noisy(var left: int, let name: Str)
impl Iterator<int> for Noisy {
  fun hasNext() -> bool { print("?${self.name}"); self.left > 0 }
  fun next() -> int { print("!${self.name}"); self.left -= 1; self.left }
}
fun stored<I: Iterator<T>, T>(it: I) -> Iterator<T> { it }
fun listed<C: Iterable<T>, T>(items: C) -> Vec<T> { let v = Vec::<T>(); for x in items { v.push(x); } v }
fun sortedBy<T>(v: Vec<T>, compare: (T, T) throws -> int) rethrows -> Vec<T> { try v.sortBy(compare); v }
fun sortedByKey<T, K: Comparable>(v: Vec<T>, key: (T) -> K) -> Vec<T> { v.sortByKey(key); v }
fun counts<T: Hash>(v: Vec<T>) -> HashMap<T, int> {
  let m = HashMap::<T, int>();
  for x in v { m.update(x, 0, |n| n + 1); }
  m
}
fun without<T: Hash, V>(m: HashMap<T, V>, keys: Vec<T>) -> HashMap<T, V> { for k in keys { m.remove(k); } m }
fun drained<T: Comparable>(v: Vec<T>, q: PriorityQueue<T>) -> Vec<T> {
  let all = Vec::<T>();
  for x in v { q.push(x); if q.len() > 3 { all.push(q.pop().unwrap()); } }
  while let Some(x) = q.pop() { all.push(x); }
  all
}
"""

LAZY: Final = (
    "map",
    "map",
    "filter",
    "filter",
    "take",
    "skip",
    "takeWhile",
    "skipWhile",
    "chain",
    "zip",
    "enumerate",
)


def function(maker: Generator, result: str, kind: str, scope: Scope) -> str:
    """A lambda for an element."""
    name = maker.fresh("p")
    return f"|{name}| {body(maker, result, inside(scope, [(name, kind)]), 1)}"


def items(maker: Generator, kind: str, scope: Scope) -> str:
    """A list of a few values of a type."""
    count = maker.random.choice((1, 2, 3, 5, 20))
    if count < 20:
        return (
            f"[{', '.join(maker.expression(kind, scope, maker.random.randint(0, 1)) for _ in range(count))}]"
        )
    # More than what is put in one by one when it is sorted.
    name = maker.fresh("p")
    inner = inside(scope, [(name, "int")])
    return f"(0..{count + maker.random.randint(0, 20)}).iter().map(|{name}| {maker.expression(kind, inner, 1)}).collect()"


def source(maker: Generator, kind: str, scope: Scope) -> str:
    """An iterator of elements of a type."""
    if kind == "int" and maker.chance(0.5):
        low, high = maker.random.randint(-2, 3), maker.random.randint(0, 6)
        letter = maker.random.choice("abc")
        forms = (
            f'Noisy({high}, "{letter}")',
            f"({low}..{high}).iter()",
            f"({low}..={high}).iter()",
            f"({low}..{high}).reversed()",
            f"({low}..{high}).step({max(low, 1)})",
        )
        return maker.random.choice(forms)
    if kind == "char" and maker.chance(0.5):
        return f"{maker.expression('Str', scope, 1)}.iter()"
    return f"{items(maker, kind, scope)}.iter()"


def chain(maker: Generator, kind: str, scope: Scope) -> str:
    """An iterator behind a few lazy methods, whose elements are of a type in the end."""
    start = maker.random.choice((kind, maker.random.choice(PASSED)))
    text, current = source(maker, start, scope), start
    for _ in range(maker.random.randint(0, 3)):
        text, current = stage(maker, text, current, scope)
        if maker.chance(0.15):
            text = f"stored({text})"
    if current != kind:
        text += f".map({function(maker, kind, current, scope)})"
    return text


def stage(maker: Generator, text: str, kind: str, scope: Scope) -> tuple[str, str]:
    """One more lazy method, and what elements there are behind it."""
    method = maker.random.choice(LAZY)
    if method == "map":
        result = maker.random.choice(PASSED)
        return f"{text}.map({function(maker, result, kind, scope)})", result
    if method in ("take", "skip"):
        return f"{text}.{method}({maker.random.randint(-1, 4)})", kind
    if method == "chain":
        return f"{text}.chain({source(maker, kind, scope)})", kind
    if method == "zip":
        other = maker.random.choice(PASSED)
        first, second, result = maker.fresh("p"), maker.fresh("p"), maker.random.choice(PASSED)
        inner = inside(scope, [(first, kind), (second, other)])
        together = f"|({first}, {second})| {body(maker, result, inner, 1)}"
        return f"{text}.zip({source(maker, other, scope)}).map({together})", result
    if method == "enumerate":
        index, element, result = maker.fresh("i"), maker.fresh("p"), maker.random.choice(PASSED)
        inner = inside(scope, [(index, "int"), (element, kind)])
        return f"{text}.enumerate().map(|({index}, {element})| {body(maker, result, inner, 1)})", result
    return f"{text}.{method}({function(maker, 'bool', kind, scope)})", kind


def from_chain(maker: Generator, kind: str, scope: Scope, depth: int) -> str:
    """A value of a type that a chain, a sorted list, a map or a queue gives."""
    forms = [folded, reduced, found, sorted_element, drained_element]
    if kind in ("int", "Str", "bool"):
        forms += [counted, counted]
    return maker.random.choice(forms)(maker, kind, scope)


def folded(maker: Generator, kind: str, scope: Scope) -> str:
    other, all, element = maker.random.choice(PASSED), maker.fresh("s"), maker.fresh("p")
    inner = inside(scope, [(all, kind), (element, other)])
    start = maker.expression(kind, scope, 0)
    return f"{chain(maker, other, scope)}.fold({start}, |{all}, {element}| {body(maker, kind, inner, 1)})"


def reduced(maker: Generator, kind: str, scope: Scope) -> str:
    first, second = maker.fresh("p"), maker.fresh("p")
    function = f"|{first}, {second}| {body(maker, kind, inside(scope, [(first, kind), (second, kind)]), 1)}"
    methods = ["last()", f"reduce({function})", "min()", "max()"]
    return f"{chain(maker, kind, scope)}.{maker.random.choice(methods)}.unwrapOr({maker.literal(kind)})"


def found(maker: Generator, kind: str, scope: Scope) -> str:
    test = function(maker, "bool", kind, scope)
    return f"{chain(maker, kind, scope)}.find({test}).unwrapOr({maker.literal(kind)})"


def order(maker: Generator, kind: str, scope: Scope) -> str:
    """A comparison that may be no order."""
    first, second = maker.fresh("p"), maker.fresh("p")
    if maker.chance(0.6):
        return f"|{first}, {second}| {first}.hash() % 3 - {second}.hash() % 3"
    return f"|{first}, {second}| {body(maker, 'int', inside(scope, [(first, kind), (second, kind)]), 0)}"


def ordered(maker: Generator, kind: str, scope: Scope) -> str:
    """A list that has been sorted."""
    list = f"{chain(maker, kind, scope)}.collect()" if maker.chance(0.4) else items(maker, kind, scope)
    if maker.chance(0.5):
        return f"sortedBy({list}, {order(maker, kind, scope)})"
    return f"sortedByKey({list}, {function(maker, maker.random.choice(PASSED), kind, scope)})"


def sorted_element(maker: Generator, kind: str, scope: Scope) -> str:
    list = ordered(maker, kind, scope)
    return f"{list}.{maker.random.choice(('first()', 'last()', 'iter().skip(2).last()'))}.unwrapOr({maker.literal(kind)})"


def drained_element(maker: Generator, kind: str, scope: Scope) -> str:
    queue = maker.random.choice(
        (
            f"PriorityQueue::<{kind}>::smallestFirst()",
            f"PriorityQueue::<{kind}>::largestFirst()",
            f"PriorityQueue::<{kind}>({order(maker, kind, scope)})",
        )
    )
    return f"drained({items(maker, kind, scope)}, {queue}).last().unwrapOr({maker.literal(kind)})"


def counted(maker: Generator, kind: str, scope: Scope) -> str:
    """Numbers, texts and truths that say much about all of the elements."""
    other = maker.random.choice(PASSED)
    list, it, test = (
        items(maker, other, scope),
        chain(maker, other, scope),
        function(maker, "bool", other, scope),
    )
    if kind == "int":
        sought = maker.expression(other, scope, 0)
        return maker.random.choice(
            (
                f"{it}.count()",
                f"{chain(maker, 'int', scope)}.sum()",
                f"{ordered(maker, other, scope)}.binarySearch({sought})",
                f"{it}.toSet().len()",
                f"counts({list}).values().max().unwrapOr(-1)",
                f"without(counts({list}), {items(maker, other, scope)}).len()",
            )
        )
    if kind == "Str":
        return maker.random.choice(
            (
                f'{it}.join("|")',
                f'"${{{ordered(maker, other, scope)}}}"',
                f'"${{counts({list})}}"',
                f'"${{without(counts({list}), {items(maker, other, scope)})}}"',
                f'"${{{it}.toSet()}}"',
                f'"${{listed({items(maker, other, scope)})}}"',
            )
        )
    return maker.random.choice(
        (
            f"{it}.any({test})",
            f"{it}.all({test})",
            f"{it}.hasNext()",
            f"{ordered(maker, other, scope)}.isSorted()",
        )
    )


def visited(maker: Generator, scope: Scope, depth: int) -> None:
    """Statements: a loop over a chain, which may be left early."""
    kind, element = maker.random.choice(PASSED), maker.fresh("p")
    maker.put(depth, f"for {element} in {chain(maker, kind, scope)}.take(6) {{")
    scope.variables.append((element, kind, False))
    scope.loops += 1
    maker.put(depth + 1, f"println({maker.shown(element, kind)});")
    maker.block(scope, depth + 1, 1)
    if maker.chance(0.3):
        maker.put(depth + 1, f"if {maker.expression('bool', scope, 1)} {{ break; }}")
    scope.loops -= 1
    scope.variables.pop()
    maker.put(depth, "}")

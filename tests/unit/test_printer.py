"""Printing trees: what is printed parses back to the same tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doralang.syntax import tree
from doralang.syntax.dump import dump
from doralang.syntax.expressions import LEVELS
from doralang.syntax.lexer import lex
from doralang.syntax.parser import parse_file
from doralang.syntax.printer import show
from doralang.syntax.tokens import COMPOUND
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import NOWHERE, Source

NAMES = st.sampled_from(["a", "b", "Box", "match", "module", "e1"])
PLACES = st.just(NOWHERE)
OPERATORS = sorted(LEVELS)

TYPES = st.recursive(
    st.one_of(
        st.just(tree.UnitType(NOWHERE)),
        st.just(tree.SelfType(NOWHERE)),
        NAMES.map(lambda name: tree.NamedType(NOWHERE, name, [])),
    ),
    lambda inner: st.one_of(
        st.builds(tree.NamedType, st.just(NOWHERE), NAMES, st.lists(inner, max_size=2)),
        st.builds(tree.TupleType, st.just(NOWHERE), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=3,
)
TYPE_LISTS = st.lists(TYPES, max_size=2)


def node(kind: type, *parts: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.builds(kind, st.just(NOWHERE), *parts)


NUMBERS = st.one_of(
    st.builds(
        tree.Number,
        st.just(NOWHERE),
        st.sampled_from([tree.NumberKind.INT, tree.NumberKind.LONG, tree.NumberKind.BYTE]),
        st.integers(0, 2**63),
        st.booleans(),
    ),
    st.builds(
        tree.Number,
        st.just(NOWHERE),
        st.sampled_from([tree.NumberKind.FLOAT, tree.NumberKind.DOUBLE]),
        st.floats(min_value=0, allow_nan=False).map(abs),
    ),
)
LEAVES = st.one_of(
    NUMBERS,
    node(tree.Character, st.characters(exclude_categories=["Cs"]).map(ord)),
    node(tree.Text, st.text(max_size=5)),
    node(tree.Boolean, st.booleans()),
    node(tree.Nil),
    node(tree.Self),
    node(tree.Super),
    node(tree.Name, NAMES),
)


WHOLE_NUMBERS = node(tree.Number, st.just(tree.NumberKind.INT), st.integers(0, 100), st.booleans())
BOUNDS = st.one_of(
    WHOLE_NUMBERS,
    node(tree.Unary, st.just("-"), WHOLE_NUMBERS),
    node(tree.Character, st.characters(exclude_categories=["Cs"]).map(ord)),
)
RANGE_ENDS = st.one_of(BOUNDS, node(tree.Name, NAMES))
CONSTANTS = st.one_of(
    BOUNDS, node(tree.Text, st.text(max_size=3)), node(tree.Boolean, st.booleans()), node(tree.Nil)
)
SIMPLE_PATTERNS = st.one_of(
    node(tree.AnyPattern),
    node(tree.NamePattern, NAMES),
    node(tree.LiteralPattern, CONSTANTS),
    node(tree.RangePattern, RANGE_ENDS, RANGE_ENDS, st.booleans()),
    node(tree.VariantPattern, NAMES, NAMES, PLACES, st.none(), st.just(False), TYPE_LISTS),
)
TYPED_PATTERNS = node(tree.TypedPattern, st.one_of(st.just(""), NAMES), TYPES)


def parts(inner: st.SearchStrategy[object], fewest: int) -> tuple[st.SearchStrategy[object], ...]:
    """The parts of a pattern in parentheses, and whether they end in `..`."""
    return st.lists(inner, min_size=fewest, max_size=3), st.booleans()


def alternatives(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return node(tree.AlternativePattern, st.lists(inner, min_size=2, max_size=3), st.just([NOWHERE, NOWHERE]))


def larger_pattern(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Patterns that may stand everywhere: what has alternatives or types is in parentheses with others."""
    part = st.one_of(inner, TYPED_PATTERNS, alternatives(inner))
    return st.one_of(
        node(tree.TuplePattern, *parts(part, fewest=2)),
        node(
            tree.VariantPattern,
            st.one_of(st.just(""), NAMES),
            NAMES,
            PLACES,
            *parts(part, fewest=1),
            TYPE_LISTS,
        ),
        node(tree.BoundPattern, NAMES, inner),
    )


PATTERNS = st.recursive(SIMPLE_PATTERNS, larger_pattern, max_leaves=4)
TESTED_PATTERNS = st.one_of(PATTERNS, TYPED_PATTERNS, alternatives(PATTERNS))


def arms(guard: st.SearchStrategy[object], body: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """The arms of a `match`."""
    return st.lists(node(tree.MatchArm, TESTED_PATTERNS, st.one_of(st.none(), guard), body), max_size=2)


def larger(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    several = st.lists(inner, max_size=2)
    valued = node(
        tree.Block, st.lists(node(tree.ExpressionStatement, inner), max_size=1), st.one_of(st.none(), inner)
    )
    pieces = st.lists(st.text(max_size=3), min_size=3, max_size=3)
    places = st.just([NOWHERE, NOWHERE])
    return st.one_of(
        node(tree.Call, NAMES, TYPE_LISTS, several),
        node(tree.StaticCall, NAMES, TYPE_LISTS, NAMES, PLACES, TYPE_LISTS, several),
        node(tree.MethodCall, inner, NAMES, TYPE_LISTS, several),
        node(tree.Member, inner, NAMES),
        node(tree.Index, inner, inner),
        node(tree.Unary, st.sampled_from("+-!"), inner),
        node(tree.Binary, st.sampled_from(OPERATORS), inner, inner),
        node(tree.TypeTest, inner, TYPES),
        node(tree.Cast, inner, TYPES),
        node(tree.Assign, inner, inner, st.sampled_from([None, *sorted(COMPOUND)])),
        node(tree.Try, inner, st.one_of(st.none(), inner)),
        node(tree.ForcedTry, inner),
        node(tree.OptionalTry, inner),
        node(tree.StaticName, NAMES, TYPE_LISTS, NAMES, PLACES),
        node(tree.Template, pieces, st.lists(inner, min_size=2, max_size=2), places),
        node(tree.ListLiteral, several),
        node(tree.Tuple, st.lists(inner, min_size=2, max_size=3)),
        valued,
        node(
            tree.If,
            st.lists(
                node(tree.Arm, inner, valued, st.one_of(st.none(), TESTED_PATTERNS)), min_size=1, max_size=2
            ),
            st.one_of(st.none(), valued),
        ),
        node(tree.Match, inner, arms(inner, st.one_of(valued, inner))),
        node(tree.Return, st.one_of(st.none(), inner)),
        node(tree.Throw, inner),
        node(tree.Break),
        node(tree.Continue),
    )


EXPRESSIONS = st.recursive(LEAVES, larger, max_leaves=12)
MAYBE = st.one_of(st.none(), EXPRESSIONS)

NO_NAMES = PATTERNS.filter(lambda pattern: not isinstance(pattern, tree.NamePattern))
"""what makes a `let` one that takes apart"""

SIMPLE_STATEMENTS = st.one_of(
    node(tree.Destructuring, NO_NAMES, st.booleans(), st.one_of(st.none(), TYPES), EXPRESSIONS),
    node(tree.Variable, NAMES, PLACES, st.booleans(), st.one_of(st.none(), TYPES), MAYBE),
    node(tree.ExpressionStatement, EXPRESSIONS),
    node(tree.Break),
    node(tree.Continue),
    node(tree.Return, MAYBE),
    node(tree.Throw, EXPRESSIONS),
    node(tree.Empty),
)


def compound(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    block = node(tree.Block, st.lists(inner, max_size=2))
    catch = node(tree.Catch, NAMES, PLACES, TYPES, block)
    tested = st.one_of(st.none(), TESTED_PATTERNS)
    return st.one_of(
        block,
        node(
            tree.If,
            st.lists(node(tree.Arm, EXPRESSIONS, block, tested), min_size=1, max_size=2),
            st.one_of(st.none(), block),
        ),
        node(tree.While, EXPRESSIONS, block, tested),
        node(tree.Loop, block),
        node(tree.For, PATTERNS, EXPRESSIONS, block),
        node(tree.Destructuring, NO_NAMES, st.booleans(), st.one_of(st.none(), TYPES), EXPRESSIONS, block),
        node(tree.Match, EXPRESSIONS, arms(EXPRESSIONS, block)),
        node(tree.Do, block, st.lists(catch, min_size=1, max_size=2), st.one_of(st.none(), block)),
    )


STATEMENTS = st.recursive(SIMPLE_STATEMENTS, compound, max_leaves=4)


def file_of(statements: list[tree.Statement]) -> tree.File:
    block = tree.Block(NOWHERE, statements)
    function = tree.Function(NOWHERE, "f", NOWHERE, tree.Modifier.NONE, [], [], False, None, block)
    return tree.File(NOWHERE, [function], lex(Source("none", ""), Diagnostics()))


@given(st.lists(STATEMENTS, max_size=3))
def test_what_is_shown_parses_back(statements: list[tree.Statement]) -> None:
    written = file_of(statements)
    text = show(written)
    diagnostics = Diagnostics()
    read = parse_file(Source("case", text), diagnostics)
    assert diagnostics.reports == []
    assert dump(read) == dump(written), text


def test_declarations_parse_back() -> None:
    text = (
        "@inline @raw internal fun f<T: A + B, S>(var x: Array<T>, y: ()) throws -> Self;\n"
        "abstract open class C<T>(let a: int, var b: T, c: int): D<T>(a, 1) {\n"
        "  var x: int;\n"
        "  init(n: int): self(n) {}\n"
        "  init(): super() {}\n"
        "  override final fun g() {}\n"
        "}\n"
        "trait R {\n"
        "  static fun a() -> Self;\n"
        "}\n"
        "impl R for C {\n"
        "  static fun a() -> C {\n"
        "    return nil;\n"
        "  }\n"
        "}\n"
        "enum E<T: A> {\n"
        "  N,\n"
        "  S(value: T, all: (T, E<T>)),\n"
        "  static fun m() -> E<T>;\n"
        "}\n"
        "impl<T: A> R for E<T> {}\n"
        'let h: Str = "x";\n'
        "const K: double = 1.5;\n"
    )
    diagnostics = Diagnostics()
    assert show(parse_file(Source("case", text), diagnostics)) == text
    assert diagnostics.reports == []


def test_long_chains_are_dumped_flat() -> None:
    file = parse_file(Source("case", "let x: int = " + "1 + " * 99 + "y.f();"), Diagnostics())
    lines = dump(file).splitlines()
    assert len(lines) < 300
    assert max(map(len, lines)) < 60

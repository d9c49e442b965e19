"""The syntax tree: what the parser builds and the checker reads.

Each node has a `span`: the place where reports about it point, exactly as section 15.1 of the
reference says (the `.` and the name for a member, the operator for an operation, the whole type
for a type); and an `extent`: all of its text, from its first token to its last.  Nodes are compared by
identity; `syntax.dump` says whether two trees are written alike.

Left operands may be nested thousands deep (`1 + 1 + …`, `a.f().g()…`), so nobody recurses
into them: `spine` takes such an expression apart.  Everything else is nested at most as deep as
the parser's limit allows.

Where the parser skipped text after an error, an `Invalid…` node stands for it.  What the skipped
text might have said is unknown, so nothing is reported that it could explain.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from enum import Flag, auto

from doralang.syntax.tokens import Tokens
from doralang.text.records import RecordType, field, fields_of
from doralang.text.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


class Node(metaclass=RecordType):
    """`start` and `end` are there only where the extent is not the span: names and types have none."""

    span: Span
    start: int = field(init=False, compare=False)
    end: int = field(init=False, compare=False)

    @property
    def extent(self) -> Span:
        """The whole text of the construct, the parentheses around an expression and modifiers included.

        Of what the parser skipped or the checker made up it is the span.
        """
        try:
            return Span(self.start, self.end)
        except AttributeError:
            return self.span


# Types.


class NamedType(Node):
    """`int`, `Array<T>`"""

    name: str
    arguments: list[Type]


class UnitType(Node):
    """`()`"""


class SelfType(Node):
    """`Self`"""


class TupleType(Node):
    """`(A, B)`"""

    elements: list[Type]


class FunctionType(Node):
    """`(A, B) throws -> R`"""

    parameters: list[Type]
    throws: bool
    result: Type


class InvalidType(Node):
    """A type that was reported already."""


Type: TypeAlias = NamedType | UnitType | SelfType | TupleType | FunctionType | InvalidType


# Expressions.


class NumberKind(enum.Enum):
    """The type of a number literal, by its suffix and form."""

    BYTE = "byte"
    INT = "int"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"


class Number(Node):
    """A number literal.

    The value of a decimal `int`, `long` or `byte` is as written and may be out of range; the
    checker, which knows about a minus in front, looks at that.  Hexadecimal and binary literals
    have `bits` set and the value of their digits, not yet taken as two's complement.  Float literals
    have their exact `double` value, which is infinite where the literal is too large.
    """

    kind: NumberKind
    value: int | float
    bits: bool = False


class Character(Node):
    """`'x'`: the code point"""

    value: int


class Text(Node):
    """`"text"`, with its escapes resolved"""

    value: str


class Template(Node):
    """`"text ${e} text"`: pieces of text, and a hole behind each but the last; the span is the quote"""

    pieces: list[str]
    holes: list[Expression]
    places: list[Span] = field(compare=False)
    """where the `${` stand"""


class Boolean(Node):
    """`true`, `false`"""

    value: bool


class Nil(Node):
    """`nil`"""


class Self(Node):
    """`self`"""


class Super(Node):
    """`super`; good only as the receiver of a method call"""


class Name(Node):
    """`x`, `f::<T>`: a variable, constant, variant or function"""

    name: str
    type_arguments: list[Type] = field(default_factory=list)


class Call(Node):
    """`f(a)`, `f::<T>(a)`: a function or constructor; the span is the name's"""

    name: str
    type_arguments: list[Type]
    arguments: list[Expression]


class StaticCall(Node):
    """`C::f(a)`, `C::<T>::f::<S>(a)`; the span is that of `C`"""

    owner: str
    owner_arguments: list[Type]
    name: str
    name_span: Span
    type_arguments: list[Type]
    arguments: list[Expression]


class StaticName(Node):
    """`E::V`, `E::<T>::V`, `C::m::<S>` without a call; the span is that of `E`"""

    owner: str
    owner_arguments: list[Type]
    name: str
    name_span: Span
    type_arguments: list[Type] = field(default_factory=list)


class MethodCall(Node):
    """`o.m(a)`; the span is the `.` and the name"""

    receiver: Expression
    name: str
    type_arguments: list[Type]
    arguments: list[Expression]


class Member(Node):
    """`o.f`, `o.m::<T>`; the span is the `.` and the name, which are digits for an element of a tuple"""

    receiver: Expression
    name: str
    type_arguments: list[Type] = field(default_factory=list)


class ValueCall(Node):
    """`a[i](b)`: the call of a value that has no name of its own; the span is the `(`"""

    receiver: Expression
    arguments: list[Expression]


class Index(Node):
    """`a[i]`; the span is the `[`"""

    receiver: Expression
    index: Expression


class ListLiteral(Node):
    """`[a, b, c]`; the span is the `[`"""

    elements: list[Expression]


class Tuple(Node):
    """`(a, b)`; the span is the `(`"""

    elements: list[Expression]


class Unary(Node):
    """`-a`, `+a`, `!a`"""

    operator: str
    operand: Expression


class Binary(Node):
    """All binary operators but `=`, `is` and `as`; the span is the operator"""

    operator: str
    left: Expression
    right: Expression


class TypeTest(Node):
    """`x is C`"""

    left: Expression
    type: Type


class Cast(Node):
    """`x as C`"""

    left: Expression
    type: Type


class Assign(Node):
    """`a = b`, or `a += b` with the operator `+`; the span is the token"""

    target: Expression
    value: Expression
    operator: str | None = None


class Try(Node):
    """`try E`, `try E else V`"""

    operand: Expression
    otherwise: Expression | None


class ForcedTry(Node):
    """`try! E`"""

    operand: Expression


class OptionalTry(Node):
    """`try? E`"""

    operand: Expression


class Choice(Node):
    """`C ? A : B`, in formulas only; the span is the `?`"""

    condition: Expression
    then: Expression
    otherwise: Expression


class LambdaParameter(Node):
    """`x`, `(a, b)`, `_: T`; the span is that of the pattern"""

    pattern: Pattern
    type: Type | None


class Lambda(Node):
    """`|x, y: T| throws -> R { … }`, `|| e`; the span is the first `|`"""

    parameters: list[LambdaParameter]
    throws: bool
    result: Type | None
    body: Block | Expression


class InvalidExpression(Node):
    """An expression that was reported already."""


# Patterns.


class AnyPattern(Node):
    """`_`"""


class NamePattern(Node):
    """`x`: a variant or constant of that name, else a new variable"""

    name: str


class BoundPattern(Node):
    """`x @ P`; the span is the name"""

    name: str
    pattern: Pattern


class TypedPattern(Node):
    """`x: C`, or `_: C` without a name; the span is the name"""

    name: str
    type: Type


class LiteralPattern(Node):
    """`1`, `-1`, `"a"`, `nil`"""

    value: Expression


class RangePattern(Node):
    """`a..b`, or `a..=b` if `closed`; the span is the first token"""

    low: Expression
    high: Expression
    closed: bool


class VariantPattern(Node):
    """`V(P, Q)`, `E::V`, `E::<T>::V(P, ..)`, `V::<T>(P)`; `parts` are None without parentheses

    The span is the first name.
    """

    owner: str
    name: str
    name_span: Span
    parts: list[Pattern] | None
    rest: bool
    type_arguments: list[Type]


class AlternativePattern(Node):
    """`P | Q | R`; the span is that of the first"""

    options: list[Pattern]
    bars: list[Span] = field(compare=False)
    """where the `|` stand, one less than the options"""


class TuplePattern(Node):
    """`(P, Q)`, `(P, ..)`; the span is the `(`"""

    parts: list[Pattern]
    rest: bool
    """whether it ends in `..`"""


class InvalidPattern(Node):
    """A pattern that was reported already; it may bind any name."""


Pattern: TypeAlias = (
    AnyPattern
    | NamePattern
    | BoundPattern
    | TypedPattern
    | LiteralPattern
    | RangePattern
    | VariantPattern
    | AlternativePattern
    | TuplePattern
    | InvalidPattern
)


# Statements.


class Block(Node):
    """`{ … e }`; the span is the `{`, and the tail the expression at the end without a `;`"""

    statements: list[Statement]
    tail: Expression | None = None

    @property
    def has_value(self) -> bool:
        """Whether it has a tail, or ends in an `if`, `match` or block of which a branch has one."""
        block: Block | None = self
        while block is not None:
            last = block.statements[-1] if block.statements else None
            if block.tail is not None or (isinstance(last, If | Match) and last.has_value):
                return True
            block = last if isinstance(last, Block) else None
        return False


class DeferredBlock(Node):
    """A block of a library file that is read when somebody needs it."""

    parse: Callable[[], Block]


class Variable(Node):
    """`let x: T = e;`, `var x = e;`"""

    name: str
    name_span: Span
    mutable: bool
    type: Type | None
    value: Expression | None


class Destructuring(Node):
    """`let P = e;`, `var P: T = e;`: a pattern in place of a name; `let P = e else { … };`"""

    pattern: Pattern
    mutable: bool
    type: Type | None
    value: Expression
    otherwise: Block | None = None


class ExpressionStatement(Node):
    """`e;`; the span is the first token"""

    expression: Expression


class Arm(Node):
    """One `if cond { … }` of a chain, or `if let P = e { … }`; the span is the `if`"""

    condition: Expression
    body: Block
    pattern: Pattern | None = None


class If(Node):
    """A chain `if … else if … else …`

    `has_value` says that one of the branches has a tail; that is found out once, when the branches are known.
    """

    arms: list[Arm]
    otherwise: Block | None
    has_value: bool = field(default=False, compare=False)


class MatchArm(Node):
    """`P if g => body`; the span is that of the pattern"""

    pattern: Pattern
    guard: Expression | None
    body: Block | Expression


class Match(Node):
    """`match e { … }`; `has_value` as of `If`; arms may be missing if it `is_broken`"""

    subject: Expression
    arms: list[MatchArm]
    has_value: bool = field(default=False, compare=False)
    is_broken: bool = field(default=False, compare=False)


class While(Node):
    """`while cond { … }`, `while let P = e { … }`"""

    condition: Expression
    body: Block
    pattern: Pattern | None = None


class Loop(Node):
    """`loop { … }`"""

    body: Block


class For(Node):
    """`for x in e { … }`, `for P in e { … }`"""

    pattern: Pattern
    iterable: Expression
    body: Block


class Catch(Node):
    """`catch e: T { … }`"""

    name: str
    name_span: Span
    type: Type
    body: Block


class Do(Node):
    """`do { … } catch e: T { … } finally { … }`"""

    body: Block
    catches: list[Catch]
    last: Block | None
    """the `finally` block"""


class Break(Node):
    """`break`, as a statement or as an operand; so are the other jumps"""


class Continue(Node):
    """`continue`"""


class Return(Node):
    """`return`, `return e`"""

    value: Expression | None


class Throw(Node):
    """`throw e`"""

    value: Expression


class Empty(Node):
    """`;`"""


class InvalidStatement(Node):
    """Text that the parser skipped; it may have declared anything and jumped anywhere."""


Statement: TypeAlias = (
    Block
    | Variable
    | Destructuring
    | ExpressionStatement
    | If
    | Match
    | While
    | Loop
    | For
    | Do
    | Break
    | Continue
    | Return
    | Throw
    | Empty
    | InvalidStatement
)


Expression: TypeAlias = (
    Number
    | Character
    | Text
    | Template
    | Boolean
    | Nil
    | Self
    | Super
    | Name
    | Call
    | StaticCall
    | StaticName
    | MethodCall
    | Member
    | ValueCall
    | Index
    | ListLiteral
    | Tuple
    | Lambda
    | Unary
    | Binary
    | TypeTest
    | Cast
    | Assign
    | Try
    | ForcedTry
    | OptionalTry
    | Choice
    | Block
    | If
    | Match
    | Return
    | Throw
    | Break
    | Continue
    | InvalidExpression
)

Link: TypeAlias = MethodCall | Member | ValueCall | Index | Binary | TypeTest | Cast


def spine(expression: Expression) -> tuple[Expression, list[Link]]:
    """The leftmost operand of an expression, and the links hung onto it, innermost first.

    `a.f() + b * c` is `a` with the links `.f()` and `+ b * c`.
    """
    links: list[Link] = []
    while True:
        if isinstance(expression, MethodCall | Member | ValueCall | Index):
            links.append(expression)
            expression = expression.receiver
        elif isinstance(expression, Binary | TypeTest | Cast):
            links.append(expression)
            expression = expression.left
        else:
            links.reverse()
            return expression, links


# Declarations.


class Modifier(Flag):
    NONE = 0
    ABSTRACT = auto()
    OPEN = auto()
    OVERRIDE = auto()
    FINAL = auto()
    INTERNAL = auto()
    PUB = auto()
    STATIC = auto()
    INLINE = auto()
    """`@inline`; annotations are modifiers that hint"""
    NOINLINE = auto()
    RAW = auto()
    """`@raw`, for library files"""
    LATE = auto()
    """`@late`, for library files: gives way to a method of the same name by an `impl`"""
    PRIVATE = auto()
    """`@private`, for library files: a method that programs do not see"""


class TypeParameter(Node):
    """`T: A + B`; the span is the name"""

    name: str
    bounds: list[Type]


class Parameter(Node):
    """`var x: int`; the span is the first token"""

    name: str
    name_span: Span
    type: Type
    mutable: bool


class Function(Node):
    """A function, or a method of a class, trait or `impl`; the span is `fun`"""

    name: str
    name_span: Span
    modifiers: Modifier
    type_parameters: list[TypeParameter]
    parameters: list[Parameter]
    throws: bool
    result: Type | None
    body: Block | DeferredBlock | None
    raw_span: Span | None = None
    """where `@raw` stands, if it does"""
    conditions: list[TypeParameter] = field(default_factory=list)
    """`where T: A + B, …`"""
    rethrows: bool = False
    """whether that stands in place of `throws`"""


class Derivation(Node):
    """`@derive(A, B)`; the span is the `@`.  A name is empty if some may be missing."""

    traits: list[NamedType]


class ClassParameter(Node):
    """A parameter of a primary constructor; `let` and `var` make it a field too.

    The span is the first token; reports about the field use `name_span`.
    """

    name: str
    name_span: Span
    type: Type
    is_field: bool
    mutable: bool


class Parent(Node):
    """`Base<T>(a, b)` in the header of a class; the span is the name"""

    name: str
    type_arguments: list[Type]
    arguments: list[Expression]


class Field(Node):
    """A field among the members of a class"""

    modifiers: Modifier
    name: str
    name_span: Span
    mutable: bool
    type: Type
    value: Expression | None


class Delegation(Node):
    """`: self(a)`, `: super(a)` of an `init`"""

    to_super: bool
    arguments: list[Expression]


class Init(Node):
    """A secondary constructor"""

    modifiers: Modifier
    parameters: list[Parameter]
    delegation: Delegation | None
    body: Block | DeferredBlock | None
    raw_span: Span | None = None
    """where `@raw` stands, if it does"""


class InvalidMember(Node):
    """Text in the body of a class, trait or `impl` that the parser skipped."""


ClassMember: TypeAlias = Field | Init | Function | InvalidMember


class Class(Node):
    """The span is `class`; the primary constructor is reported at `name_span`."""

    name: str
    name_span: Span
    modifiers: Modifier
    type_parameters: list[TypeParameter]
    parameters: list[ClassParameter]
    parent: Parent | None
    members: list[ClassMember]
    derived: list[Derivation] = field(default_factory=list)


class Variant(Node):
    """`V`, `V(x: int)`; `parameters` are None without parentheses; the span is the name"""

    name: str
    parameters: list[Parameter] | None


class Enum(Node):
    """`enum E<T> { V, W(x: T), fun … }`"""

    name: str
    name_span: Span
    type_parameters: list[TypeParameter]
    variants: list[Variant]
    methods: list[Function | InvalidMember]
    derived: list[Derivation] = field(default_factory=list)


class Trait(Node):
    """`trait R<T>: A + B { fun …; }`"""

    name: str
    name_span: Span
    type_parameters: list[TypeParameter]
    supertraits: list[Type]
    methods: list[Function | InvalidMember]


class Impl(Node):
    """`impl R<A> for C`, `impl<T: R> R<A> for C<T>`"""

    type_parameters: list[TypeParameter]
    trait: NamedType
    target: NamedType | TupleType
    methods: list[Function | InvalidMember]


class Global(Node):
    """`let x: T = e;`, `var x: T;` outside functions"""

    name: str
    name_span: Span
    mutable: bool
    type: Type
    value: Expression | None


class Constant(Node):
    """`const X: int = 1;`"""

    name: str
    name_span: Span
    type: Type
    value: Expression


class InvalidDeclaration(Node):
    """Text at top level that the parser skipped; it may have declared any name."""


Declaration: TypeAlias = Function | Class | Enum | Trait | Impl | Global | Constant | InvalidDeclaration


class File(Node):
    """All that stands in a file."""

    declarations: list[Declaration]
    tokens: Tokens
    """what it was parsed from; the comments are in there, too"""


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below, as they stand in the text but for what a block that is not parsed yet has."""
    for name in fields_of(node):
        value = getattr(node, name)
        yield from (
            item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Node)
        )

"""The typed program: all that the stages behind the checker see.

Names are resolved to declarations, every expression has a type, operators have become primitive
operations and calls, `for` has become `while`, plain `try` is gone (it only told the checker
that a call may throw).  Generic functions are here once, their types mention `TypeParameter`s; whoever
runs or lowers one puts the arguments in (`Instantiation`).

    for i in range(0, n) { sum = sum + i; }

    Let       it  = Call range(0, n) . makeIterator()
    While     Call it.hasNext()
      Let     i   = Call it.next()
      SetLocal sum = Compute int.plus(sum, i)

Nothing in here is ever wrong: a program with errors is not handed on.

As in the syntax tree, only left operands (`Compute` and `Call`: the first argument) nest
without limit.  `span` is where a failure or call is said to be (section 15.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from operator import attrgetter

from doralang.library.files import GRANTED, HEAP, PUBLIC_NAMES
from doralang.syntax.tree import Modifier
from doralang.text.records import RecordType, field, record
from doralang.text.source import NOWHERE, Source, Span
from doralang.types.primitives import Primitive
from doralang.types.types import (
    UNIT,
    ClassHead,
    ClassType,
    EnumType,
    TraitHead,
    Type,
    TypeParameter,
    mentions,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, TypeAlias


# Declarations.  They are compared by identity and filled in step by step by the checker.


class Local:
    """A parameter, variable or temporary of a function; `index` is its slot in the frame.

    `span` is its name where it is declared; of `self` and temporaries it is `NOWHERE`.  A `shared` variable
    is one that a lambda mentions and that may change: in its slot is a `SharedCell`, which function and
    lambdas have in common.  In a lambda, `captured` is the local around it that this one stands for.
    """

    __slots__ = ("captured", "index", "mutable", "name", "shared", "span", "type")

    def __init__(self, name: str, type: Type, mutable: bool, index: int, span: Span = NOWHERE) -> None:
        self.name = name
        self.type = type
        self.mutable = mutable
        self.index = index
        self.span = span
        self.shared = False
        self.captured: Local | None = None

    @property
    def declared(self) -> Local:
        """The variable as its declaration has made it."""
        local = self
        while local.captured is not None:
            local = local.captured
        return local


class FunctionKind(Enum):
    FUNCTION = "function"
    METHOD = "method"
    STATIC = "static"
    CONSTRUCTOR = "constructor"
    GLOBAL = "global"
    """the initialiser of a global"""
    FORMULA = "formula"


NO_MODIFIERS: Final = Modifier.NONE
OVERRIDABLE: Final = Modifier.OPEN | Modifier.ABSTRACT | Modifier.OVERRIDE


class Function:
    """A function, method, constructor or initialiser.

    `owner` is the class that declares it or that its `impl` is for, if any.  The first local of a
    method or constructor is `self`; `parameters` are the others.  `locals` are all slots of the frame,
    parameters first.  `body` is None for an `internal` or `abstract` function and for one that a trait only
    demands.  A method that a trait declares has the `trait`, whose `Self` is then the first of all type
    parameters.  `conditions` are the bounds of a `where`.
    Bodies of library functions are checked when first asked for. `lambdas` are the hidden classes of all
    lambdas and function values in the body, those in lambdas too.
    """

    __slots__ = (
        "_body",
        "complete",
        "conditions",
        "has_block_values",
        "has_default",
        "impl_of",
        "is_hidden",
        "kind",
        "lambdas",
        "locals",
        "modifiers",
        "name",
        "overridden",
        "owner",
        "parameters",
        "result",
        "rethrows",
        "signature",
        "source",
        "span",
        "throws",
        "trait",
        "type_parameters",
    )

    def __init__(
        self, name: str, kind: FunctionKind, owner: Class | None, source: Source, span: Span
    ) -> None:
        self.name = name
        self.kind = kind
        self.owner = owner
        self.source = source
        self.span = span
        self.modifiers = Modifier.NONE
        self.type_parameters: tuple[TypeParameter, ...] = ()
        self.parameters: list[Local] = []
        self.locals: list[Local] = []
        self.result: Type = UNIT
        self.throws = False
        self.rethrows = False
        """whether it throws only what function values that it is given throw"""
        self.lambdas: list[Class] = []
        self.is_hidden = False
        """whether it only calls what a function value stands for"""
        self.impl_of: Trait | None = None
        self.trait: Trait | None = None
        self.has_default = False
        """for a method that a trait declares: whether it has a body"""
        self.conditions: dict[TypeParameter, list[ClassType]] = {}
        self.is_hidden = False
        self.overridden: Function | None = None
        """for a method of a class, the nearest one of its name in the parents"""
        self.signature = name
        """as stack traces show it (13.1)"""
        self.has_block_values = False
        """whether operands in its body may assign to its locals"""
        self._body: Block | None = None
        self.complete: Callable[[], None] | None = None
        """has `check_body` check the body; None once that is done"""

    @property
    def body(self) -> Block | None:
        if self.complete is not None:
            self.complete()
        return self._body

    def check_body(self, check: Callable[[], None]) -> None:
        """Check the body by what calls `set_body`, unless that is done.

        What an exception has broken off, Ctrl-C perhaps, is begun anew by who asks next.
        """
        if self.complete is None:
            return
        del self.locals[len(self.parameters) + self.has_self :]
        for parameter in self.parameters:
            parameter.shared = False
        self.lambdas = []
        self.has_block_values = False
        check()
        self.complete = None

    def set_body(self, body: Block) -> None:
        shared = [Share(one.span, one) for one in self.parameters if one.shared]
        self._body = Block(body.span, [*shared, *body.statements]) if shared else body

    @property
    def internal(self) -> bool:
        return Modifier.INTERNAL in self.modifiers

    @property
    def key(self) -> str:
        """The name of the row that gives an internal function its meaning: `Str.len`, `print`."""
        return f"{self.owner.name}.{self.name}" if self.owner else self.name

    @property
    def raw(self) -> bool:
        """Whether no collection can happen while it runs (16.4)."""
        return Modifier.RAW in self.modifiers

    @property
    def hidden(self) -> bool:
        """Whether stack traces leave it out: it stands for an internal function, or only calls on."""
        return self.is_hidden or (not self.source.main and self.source.name in HEAP)

    @property
    def has_self(self) -> bool:
        return self.kind in (FunctionKind.METHOD, FunctionKind.CONSTRUCTOR)

    @property
    def virtual(self) -> bool:
        """Whether calls of it look at the class of the receiver."""
        modifiers = self.modifiers
        return (
            modifiers is not NO_MODIFIERS
            and bool(modifiers & OVERRIDABLE)
            and Modifier.FINAL not in modifiers
        )

    @property
    def is_only_constructor(self) -> bool:
        """Whether it is called for new objects only: its class has no other constructor and no subclasses."""
        owner = self.owner
        if self.kind is not FunctionKind.CONSTRUCTOR or owner is None:
            return False
        return len(owner.constructors) == 1 and not owner.modifiers & (Modifier.OPEN | Modifier.ABSTRACT)

    @property
    def all_type_parameters(self) -> tuple[TypeParameter, ...]:
        """Those of the owner or trait, then its own: what `Instantiation.arguments` are for."""
        if self.trait is not None:
            return self.trait.all_parameters + self.type_parameters
        return (self.owner.parameters if self.owner else ()) + self.type_parameters

    @property
    def is_private(self) -> bool:
        """Whether only the library sees it."""
        return Modifier.PRIVATE in self.modifiers

    @property
    def is_final(self) -> bool:
        """Whether it is a default method that no `impl` may define, so that all ways to call it agree."""
        if not self.has_default or self.trait is None:
            return False
        if self.kind is FunctionKind.STATIC or self.type_parameters or self.conditions:
            return True
        own = {self.trait.own_self}
        return any(mentions(type, own) for type in (self.result, *(one.type for one in self.parameters)))


class Field:
    """A field.  A subclass may have another of the same name.  An internal one is hidden from programs."""

    __slots__ = ("internal", "mutable", "name", "owner", "span", "type")

    def __init__(
        self, name: str, type: Type, mutable: bool, owner: Class, span: Span, *, internal: bool = False
    ) -> None:
        self.name = name
        self.type = type
        self.mutable = mutable
        self.owner = owner
        self.span = span
        self.internal = internal


def declared(slot: str) -> Any:
    """A member of a class, trait or impl, in a slot of its own: it is declared, with all others, when
    somebody asks for one, if `undeclared` is there to do that."""
    read = attrgetter(slot)

    def get(owner: Any) -> Any:
        if owner.undeclared is not None:
            owner.undeclared()
        return read(owner)

    return property(get)


class Class(ClassHead):
    """A class with everything that it declares by itself; inherited members are the parent's.

    What it has of members is declared when somebody asks for it first, if `undeclared` is there to do that.

    `constructors` are in the order in which they are tried, the primary one last.  `late` are methods that
    give way to those of impls.  An enum is a class with `variants`; `plain_type` is its type if it is no
    class in memory, because no variant has data.  The class of a lambda is that of number `number` in the
    function `inside`.
    """

    __slots__ = (
        "_constructors",
        "_fields",
        "_late",
        "_methods",
        "_statics",
        "inside",
        "modifiers",
        "number",
        "plain_type",
        "source",
        "span",
        "undeclared",
        "variants",
    )

    fields: dict[str, Field] = declared("_fields")
    methods: dict[str, Function] = declared("_methods")
    late: dict[str, Function] = declared("_late")
    statics: dict[str, Function] = declared("_statics")
    constructors: list[Function] = declared("_constructors")

    def __init__(self, name: str, parameters: tuple[TypeParameter, ...], source: Source, span: Span) -> None:
        super().__init__(name, parameters, lasts=not source.main)
        self.source = source
        self.span = span
        self.modifiers = Modifier.NONE
        self.undeclared: Callable[[], None] | None = None
        self._fields: dict[str, Field] = {}
        self.forget_methods()
        self.variants: dict[str, Variant] = {}
        self.plain_type: EnumType | None = None
        self.inside: Function | None = None
        self.number = 0

    def forget_methods(self) -> None:
        """Have no methods and constructors."""
        self._methods: dict[str, Function] = {}
        self._late: dict[str, Function] = {}
        self._statics: dict[str, Function] = {}
        self._constructors: list[Function] = []

    def forget_members(self) -> None:
        """Have no members, so that they can be declared."""
        self._fields = {}
        self.forget_methods()

    @property
    def internal(self) -> bool:
        return Modifier.INTERNAL in self.modifiers

    @property
    def self_type(self) -> ClassType:
        """The class with its own parameters as arguments."""
        return self.of(self.parameters)


CALL: Final = "call"
"""the method of function values that runs them"""
FUNCTION_CLASS: Final = "fun/"
"""what the names of the classes of function types begin with; the number of parameters follows"""
TAG: Final = "tag"
"""the field of an enum's objects that says which variant they are"""


class Variant:
    """A variant of an enum; `index` is its tag in memory.

    `function` has its parameters, and the enum as result; nobody calls it.  `made` is the class of its
    objects, a hidden subclass of the enum's; None for the one that is `nil` in memory, and in plain enums.
    """

    __slots__ = ("function", "has_data", "index", "made", "name", "owner", "span")

    def __init__(self, name: str, index: int, owner: Class, function: Function, *, has_data: bool) -> None:
        self.name = name
        self.index = index
        self.owner = owner
        self.function = function
        self.span = function.span
        self.has_data = has_data
        self.made: Class | None = None

    @property
    def source(self) -> Source:
        return self.owner.source

    @property
    def is_nil(self) -> bool:
        return self.made is None and self.owner.plain_type is None


class Trait(TraitHead):
    """A trait: its methods, whose types may be `Self`, which is a type parameter bounded by the trait.

    `form` is the hidden class that stands for it in types: `form.of((Str,))` is the bound `Into<Str>`, and
    the type of its trait objects.  `supertraits` mention the parameters.  If it can be a type, `holder` is
    the class of what is converted to it, `dispatched` has the method of the form for each method of it and
    its supertraits that is not final, and `conversions` what makes an object of a supertrait.  As with
    classes, `undeclared` may declare the methods, and with them all that follows from them.
    """

    __slots__ = (
        "_conversions",
        "_dispatched",
        "_holder",
        "_methods",
        "_statics",
        "form",
        "own_self",
        "parameters",
        "source",
        "span",
        "supertraits",
        "undeclared",
    )

    methods: dict[str, Function] = declared("_methods")
    statics: dict[str, Function] = declared("_statics")
    holder: Class | None = declared("_holder")
    dispatched: dict[Function, Function] = declared("_dispatched")
    conversions: dict[Trait, Function] = declared("_conversions")

    def __init__(
        self, name: str, source: Source, span: Span, parameters: tuple[TypeParameter, ...] = ()
    ) -> None:
        super().__init__(name)
        self.parameters = parameters
        self.source = source
        self.span = span
        self.form = Class(name, parameters, source, span)
        self.form.trait = self
        self.own_self = TypeParameter("Self")
        self.own_self.traits.append(self.form.self_type)
        self.supertraits: list[ClassType] = []
        self.undeclared: Callable[[], None] | None = None
        self.forget_methods()

    def forget_methods(self) -> None:
        """Have no methods and nothing that is made of them, so that they can be declared."""
        self._methods: dict[str, Function] = {}
        self._statics: dict[str, Function] = {}
        self._holder: Class | None = None
        self._dispatched: dict[Function, Function] = {}
        self._conversions: dict[Trait, Function] = {}
        self.form.forget_members()

    def set_holder(self, made: Class) -> None:
        self._holder = made

    @property
    def all_parameters(self) -> tuple[TypeParameter, ...]:
        """`Self`, then those that are written."""
        return (self.own_self, *self.parameters)


@record(eq=True)
class Adopted:
    """A method that a class or parent has anyway, as `owner`, and that its `impl` takes for the trait's."""

    function: Function
    owner: ClassType


class Impl:
    """What a class has for a trait: a function for each of its methods that it defines.

    `trait_type` is the trait with its arguments, which may mention the class's parameters.  The impl is there
    only where the class's type arguments satisfy the `bounds`.  What it does not define is `adopted` from
    the class, or the default of the trait.  As with classes, `undeclared` may declare the methods.
    """

    __slots__ = (
        "_adopted",
        "_methods",
        "_statics",
        "bounds",
        "owner",
        "source",
        "span",
        "trait",
        "trait_type",
        "undeclared",
    )

    methods: dict[str, Function] = declared("_methods")
    statics: dict[str, Function] = declared("_statics")
    adopted: dict[str, Adopted] = declared("_adopted")

    def __init__(self, trait_type: ClassType, owner: Class, source: Source, span: Span) -> None:
        trait = trait_type.head.trait
        assert isinstance(trait, Trait)
        self.trait = trait
        self.trait_type = trait_type
        self.owner = owner
        self.source = source
        self.span = span
        self.bounds: dict[TypeParameter, list[ClassType]] = {}
        self.undeclared: Callable[[], None] | None = None
        self.forget_methods()

    def forget_methods(self) -> None:
        """Have no methods, so that they can be declared."""
        self._methods: dict[str, Function] = {}
        self._statics: dict[str, Function] = {}
        self._adopted: dict[str, Adopted] = {}


class Global:
    """A global variable; `initializer` is a function without parameters that returns the first value."""

    __slots__ = ("initializer", "mutable", "name", "source", "span", "type")

    def __init__(self, name: str, type: Type, mutable: bool, source: Source, span: Span) -> None:
        self.name = name
        self.type = type
        self.mutable = mutable
        self.source = source
        self.span = span
        self.initializer: Function | None = None


@record
class Library:
    """What engines need of the library by name: `functions["println"]`, `classes["Str"]`.

    Looking for one name declares what has it; going through all of them declares the whole library.
    """

    functions: Mapping[str, Function]
    classes: Mapping[str, Class]
    traits: Mapping[str, Trait]
    globals: Mapping[str, Global]
    impls_of: Callable[[ClassHead], Mapping[TraitHead, Impl]]
    """the impls of exactly this class, by trait"""
    function_class: Callable[[int, bool], Class]
    """the class of function types with so many parameters, that throw or not"""
    overriding: Callable[[], Iterable[Class]]
    """the classes with methods that override others; perhaps some more"""

    def all_impls(self) -> Iterator[Impl]:
        """The impls of all classes of the library."""
        for cls in self.classes.values():
            yield from self.impls_of(cls).values()


@record
class Program:
    """One checked program.  `functions` are its top-level functions (for `call`), by name."""

    source: Source
    library: Library
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    traits: dict[str, Trait] = field(default_factory=dict)
    globals: list[Global] = field(default_factory=list)
    """in the order of their initialisers"""
    impls: Mapping[ClassHead, Mapping[TraitHead, Impl]] = field(default_factory=dict)
    """the impls by trait of each class that the program has one for, those of the library included"""
    granted: frozenset[str] | None = None
    """which of the names that a host must grant it may use; None is all"""

    @property
    def main(self) -> Function | None:
        return self.functions.get("main")

    def impls_of(self, head: ClassHead) -> Mapping[TraitHead, Impl]:
        """The impls of exactly this class, by trait."""
        return self.impls.get(head) or self.library.impls_of(head)

    def all_impls(self) -> Iterator[Impl]:
        """The impls of all classes of the program and its library, each once."""
        for impls in self.impls.values():
            yield from impls.values()
        for impl in self.library.all_impls():
            if impl.owner not in self.impls:
                yield impl

    def callable_by_name(self, name: str) -> Function | None:
        """What `call(name)` finds: a function of the program, else one of the prelude (14.4)."""
        if name in self.functions or name not in PUBLIC_NAMES:
            return self.functions.get(name)
        if self.granted is not None and name in GRANTED - self.granted:
            return None
        return self.library.functions.get(name)


@record(eq=True, frozen=True)
class Instantiation:
    """A function with type arguments: those of its owner, then its own.

    The arguments may mention the type parameters of the function in which the target stands.
    """

    function: Function
    arguments: tuple[Type, ...] = ()


# Expressions.


class Expression(metaclass=RecordType):
    """What all expressions have."""

    span: Span
    type: Type


class Constant(Expression):
    """A value of a primitive type, as the meanings of primitives have it."""

    value: bool | int | float


class TextConstant(Expression):
    """A string literal or the value of a `Str` constant."""

    value: str


class NilConstant(Expression):
    """`nil`, of a type that has it; also what stands for an expression that was wrong."""


class DefaultValue(Expression):
    """The default of `type`, which may be a type parameter."""


class GetLocal(Expression):
    """Also `self`, which is the first local."""

    local: Local


class SetLocal(Expression):
    """`x = e`"""

    local: Local
    value: TypedExpression


class GetGlobal(Expression):
    """The value of a global."""

    variable: Global


class SetGlobal(Expression):
    """`x = e` of a global"""

    variable: Global
    value: TypedExpression


class GetField(Expression):
    """Fails on `nil`."""

    object: TypedExpression
    field: Field


class SetField(Expression):
    """Object, value, then the `nil` check."""

    object: TypedExpression
    field: Field
    value: TypedExpression


class Compute(Expression):
    """A primitive operation; arguments from left to right."""

    primitive: Primitive
    arguments: list[TypedExpression]


class Logic(Enum):
    AND = "&&"
    OR = "||"


class Logical(Expression):
    """The right side is evaluated only if needed."""

    operator: Logic
    left: TypedExpression
    right: TypedExpression


class Identical(Expression):
    """`===`, or `!==` if negated"""

    left: TypedExpression
    right: TypedExpression
    negated: bool


class Dispatch(Enum):
    """How a call finds its function.

    STATIC: it is the target, there is no receiver (`f(a)`, `C::f(a)`).
    DIRECT: it is the target; the first argument is the receiver, checked for `nil` before the others
    are evaluated.
    VIRTUAL: the method of the receiver's class that has the target's name; the receiver is
    checked after all arguments are evaluated.
    TRAIT: the target is a method of a trait; once the type of the receiver, its `Self`, is known, it is that
    of the `impl`, an adopted one, or the default.  The receiver is checked as for DIRECT.
    """

    STATIC = "static"
    DIRECT = "direct"
    VIRTUAL = "virtual"
    TRAIT = "trait"


class Call(Expression):
    """A call; receiver first, if there is one.

    Calls of `internal` functions that are primitive operations have become `Compute`; those that are
    left have a row of their own in every engine (`Function.key`).  For array and string access
    the receiver is checked after the arguments are evaluated, whatever the dispatch.
    """

    target: Instantiation
    dispatch: Dispatch
    arguments: list[TypedExpression]


class New(Expression):
    """Evaluate the arguments, allocate an object of class `type`, call the constructor on it.

    `Array`, which is internal, has internal constructors.
    """

    target: Instantiation
    arguments: list[TypedExpression]


class Record(Expression):
    """A new object of a class with the type arguments of `type`, and what is in its fields, those of its
    parents first.  No constructor is called."""

    made: Class
    values: list[TypedExpression]


class Closure(Expression):
    """A new function value: an object of a hidden class, which extends that of `type`, and what is in its
    fields."""

    made: ClassType
    values: list[TypedExpression]


class Capture(Expression):
    """What a lambda keeps of a local: its value, or of a shared one the cell."""

    local: Local


class NotNil(Expression):
    """The value; fails on `nil`, if its type is one that has it."""

    value: TypedExpression


class Convert(Expression):
    """A value as one of the trait `type`, by the `impl` of `held`, its type or a parent.

    `nil` of a class type stays `nil`; of what is a trait object already, another is made of what it holds.
    """

    value: TypedExpression
    held: Type


class IsInstance(Expression):
    """`e is C`; false for `nil`"""

    value: TypedExpression
    target: ClassType


class Cast(Expression):
    """Fails if the value is neither `nil` nor of the class `type`."""

    value: TypedExpression


@record
class AnyValue:
    """The pattern `_`."""


@record
class Bound:
    """The pattern `x @ P`, or `x`, where `P` is any."""

    local: Local
    pattern: Pattern


@record
class TupleOf:
    """The pattern `(P, Q)` for a tuple of `type`."""

    type: ClassType
    parts: list[Pattern]


@record
class VariantOf:
    """The pattern `V(P, Q)` for an enum of `type`."""

    type: ClassType | EnumType
    variant: Variant
    parts: list[Pattern]


@record
class Equal:
    """A literal or constant as a pattern; a text never fits `nil`."""

    value: Constant | TextConstant | NilConstant


@record
class Between:
    """The numbers or characters from `low` to `high`, both included."""

    type: Type
    low: int
    high: int


@record
class InstanceOf:
    """The pattern `_: C`; it does not fit `nil`."""

    target: ClassType


@record
class FieldOf:
    """An object of class `type` with a field that fits; it does not fit `nil`."""

    type: ClassType
    field: Field
    pattern: Pattern


@record
class OneOf:
    """`P | Q`; all bind the same locals."""

    options: list[Pattern]


Pattern: TypeAlias = AnyValue | Bound | TupleOf | VariantOf | Equal | Between | InstanceOf | FieldOf | OneOf


@record
class MatchArm:
    """`guard` and `body` see the variables of the pattern."""

    pattern: Pattern
    guard: TypedExpression | None
    body: TypedExpression


class Match(Expression):
    """The body of the first arm that fits; some arm does."""

    value: TypedExpression
    arms: list[MatchArm]


class Destructure(Expression):
    """The variables of a pattern that always fits get the parts of a value."""

    pattern: Pattern
    value: TypedExpression


class TryElse(Expression):
    """The value of `otherwise` if an exception leaves `operand`."""

    operand: TypedExpression
    otherwise: TypedExpression


class TryForce(Expression):
    """Fails if an exception leaves `operand`."""

    operand: TypedExpression


class Choice(Expression):
    """`if … { … } else { … }` with a value, and `C ? A : B` of formulas: conditions with their values"""

    arms: list[tuple[TypedExpression, TypedExpression]]
    otherwise: TypedExpression


class BlockValue(Expression):
    """A block as an operand; without `value` if it has none (`()`) or does not end (`Never`)."""

    block: Block
    value: TypedExpression | None


class Leave(Expression):
    """A jump as an operand: what is evaluated of the expression around it is dropped."""

    statement: Return | Throw | Break | Continue


TypedExpression: TypeAlias = (
    Constant
    | TextConstant
    | NilConstant
    | DefaultValue
    | GetLocal
    | SetLocal
    | GetGlobal
    | SetGlobal
    | GetField
    | SetField
    | Compute
    | Logical
    | Identical
    | Call
    | New
    | Record
    | Closure
    | Capture
    | NotNil
    | Convert
    | IsInstance
    | Cast
    | TryElse
    | TryForce
    | Choice
    | Match
    | Destructure
    | BlockValue
    | Leave
)


# Statements.


class StatementBase(metaclass=RecordType):
    """What all statements have."""

    span: Span


class Block(StatementBase):
    """`{ … }`"""

    statements: list[Statement]


class Let(StatementBase):
    """Give a local its first value; a variable without one gets its default."""

    local: Local
    value: TypedExpression


class Restore(StatementBase):
    """At the start of a lambda: its locals get what they stand for, the fields of its object in order."""

    locals: tuple[Local, ...]


class Share(StatementBase):
    """At the start of a function: a parameter becomes a shared variable."""

    local: Local


class Evaluate(StatementBase):
    """An expression whose value nobody needs."""

    expression: TypedExpression


class Construct(StatementBase):
    """Call another constructor of the same object: a delegation, or the parent's constructor."""

    target: Instantiation
    arguments: list[TypedExpression]


class If(StatementBase):
    """Conditions with their blocks, in order, and what runs if none is true."""

    arms: list[tuple[TypedExpression, Block]]
    otherwise: Block | None


class While(StatementBase):
    """`condition` is None for `loop`.  `iterator` is that of a `for`, known to it and to the `Let` before."""

    condition: TypedExpression | None
    body: Block
    iterator: Local | None = None


@record
class Catch:
    """Runs `body` if the exception is of class `type`."""

    local: Local
    type: ClassType
    body: Block


class Do(StatementBase):
    """A block, what catches its exceptions, and its `finally`."""

    body: Block
    catches: list[Catch]
    last: Block | None


class Break(StatementBase):
    """Leave the innermost loop."""


class Continue(StatementBase):
    """Go on with the next round of the innermost loop."""


class Return(StatementBase):
    """Leave the function, with a value if it has one."""

    value: TypedExpression | None


class Throw(StatementBase):
    """Fails if the value is `nil`."""

    value: TypedExpression


Statement: TypeAlias = (
    Block | Let | Restore | Share | Evaluate | Construct | If | While | Do | Break | Continue | Return | Throw
)

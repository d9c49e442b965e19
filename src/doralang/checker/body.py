"""The checking of one body: its state, and the walk over expressions and statements.

What a construct means stands in the sibling modules, one function a node class; they are put
together in `HANDLERS` tables that the checker hands to each `Body`.  So this module knows none of
them and they all know this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from doralang.checker import program as typed
from doralang.checker.exact import Exact
from doralang.checker.flow import Known
from doralang.checker.program import Function, Local, TypedExpression
from doralang.checker.scopes import ConstantName, Context, Unit
from doralang.syntax import tree
from doralang.text.diagnostics import Diagnostic
from doralang.text.records import field, record
from doralang.text.recursion import HOP, on_fresh_stack
from doralang.text.source import NOWHERE, Span
from doralang.types.types import ERROR, NEVER, NIL, UNIT, Type, has_error
from doralang.typing_forms import cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, TypeVar

    T = TypeVar("T")


class Waiting:
    """A call whose type arguments cannot be found from its arguments alone (9.3).

    `finish(expected)` completes it with the expected type, or reports that it cannot be inferred; it is
    completed in the place where it stands, whatever has been checked by then.  Waiting calls may stand in
    each other, and each may be tried with several types: so what came of a type is kept, reports included, or
    the time would double with each level.
    """

    __slots__ = (
        "_body",
        "_complete",
        "_outcomes",
        "_place",
        "depth",
        "head",
        "is_function",
        "span",
        "takes_open",
    )

    def __init__(
        self,
        body: Body,
        span: Span,
        head: Type | str,
        inner: Iterable[Operand],
        complete: Callable[[Type | None], TypedExpression],
        *,
        is_function: bool = False,
        takes_open: bool = False,
    ) -> None:
        self._body = body
        self._place = body.place()
        self.is_function = is_function
        """whether it is a function, which as an argument can do with a type of which not all is known"""
        self.takes_open = is_function or takes_open
        """whether it can do so as the value of a lambda"""
        self._complete = complete
        self._outcomes: dict[Type | None, Outcome] = {}
        self.span = span
        self.head = head
        """how messages call its type while it waits"""
        self.depth: int = 1 + max((one.depth for one in inner if isinstance(one, Waiting)), default=0)
        """levels of waiting calls in each other"""

    def finish(self, expected: Type | None) -> TypedExpression:
        body, reports = self._body, self._body.unit.diagnostics.reports
        outcome = self._outcomes.get(expected)
        if outcome is not None:
            reports += outcome.reports
            body.invalid += outcome.invalid
            return outcome.value
        before, invalid = len(reports), body.invalid
        here = body.place()
        body.move_to(self._place)
        if self.depth % HOP == 0:
            value = on_fresh_stack(lambda: self._complete(expected))
        else:
            value = self._complete(expected)
        body.move_to(here)
        self._outcomes[expected] = Outcome(value, reports[before:], body.invalid - invalid)
        return value


@record(eq=True, frozen=True)
class Outcome:
    """What came of a waiting call, what was reported about it, and how often something was wrong."""

    value: TypedExpression
    reports: list[Diagnostic]
    invalid: int


class Ready(tree.Node):
    """An operand that has been checked already, where a syntax tree is asked for."""

    value: TypedExpression


def ready(value: TypedExpression) -> tree.Expression:
    """An operand for whom checks operands."""
    return cast(tree.Expression, Ready(value.span, value))


Checked = TypedExpression | Waiting
Operand = Checked | Exact
Leaves = dict[type, Callable[..., Operand]]


@record(eq=True)
class TryContext:
    """The operand of a `try` that is being checked; `calls` counts the throwing calls that belong to it.

    `own` are those of them that throw what no function given to the one around has thrown.
    """

    calls: int = 0
    own: int = 0


@record(eq=True, frozen=True)
class Standpoint:
    """What is around the place in a body where the checker is: scopes, `try`s, and what keeps exceptions."""

    scopes: list[dict[str, Local]]
    tries: list[TryContext]
    in_operand: bool
    guarded: bool


@record
class Enclosing:
    """Where a lambda stands: the body around it, and the locals of that which have become its own."""

    body: Body
    captured: dict[Local, Local] = field(default_factory=dict)
    leaks: list[Span] = field(default_factory=list)
    """where exceptions may leave the lambda"""
    is_own: bool = False
    """whether some of them are others than a `rethrows` function around may let out"""
    returns: list[Span] | None = None
    """of a lambda whose result is still to be found: the `return`s in it without a value"""
    returns_value: bool = False
    """whether one of these has a value, which was reported"""


@record(eq=True)
class Handlers:
    """What to do for each node class: the parts of the checker, put together by `checker`."""

    plain: Leaves
    """for expressions that have none within: names and literals"""
    leaves: Leaves
    """for all without a left operand: (body, node, expected)"""
    links: Leaves
    """for those with one: (body, node, left, expected)"""
    statements: dict[type, Callable[..., typed.Statement | None]]
    """(body, node); None if nothing is left to do"""


@record
class Trials:
    """The constructors tried for the outermost call under way, lambdas in lambdas and all."""

    depth: int = 0
    taken_back: int = 0
    """how many were passed over for what is in their arguments"""

    def __enter__(self) -> None:
        """A call tries constructors."""
        if self.depth == 0:
            self.taken_back = 0
        self.depth += 1

    def __exit__(self, *error: object) -> None:
        self.depth -= 1


@record
class Body:
    """One function body (or initialiser, or formula) while it is checked."""

    context: Context
    function: Function
    handlers: Handlers
    scopes: list[dict[str, Local]] = field(default_factory=lambda: [{}])
    enclosing: Enclosing | None = None
    """of a lambda"""
    has_self: bool = False
    is_constructor: bool = False
    in_operand: bool = False
    """inside the operand of `try … else` or `try!`, where no exception can leave"""
    guarded: bool = False
    """inside a `do` that keeps exceptions from leaving (12.2)"""
    warns: bool = False
    """whether exceptions that leave are warned about"""
    rethrown: str = ""
    """the parameters whose exceptions may leave, if only those may"""
    formula: bool = False
    loops: list[bool] = field(default_factory=list)
    """for each loop around, whether a `break` leaves it"""
    left: bool = False
    """whether a `break` leaves the loop whose body was checked last"""
    jumps: int = 0
    """how many `break` and `continue` there have been"""
    tries: list[TryContext] = field(default_factory=list)
    invalid: int = 0
    """how many expressions have been found wrong so far"""
    returning: Known = field(default_factory=Known)
    swallowing: Known = field(default_factory=Known)
    """of what stands in `finally`, before it is checked: by its syntax alone"""
    leaving: Known = field(default_factory=lambda: Known(strict=True))
    incomplete: bool = False
    """the parser skipped something here, which may have declared any name"""
    depth: int = 0
    trials: Trials = field(default_factory=Trials)
    reported: set[object] = field(default_factory=set)
    """names, and members of types, that are reported as unknown"""

    @property
    def unit(self) -> Unit:
        return self.context.unit

    def error(self, code: str, span: Span, /, **values: object) -> typed.NilConstant:
        """Report an error; returns the expression that stands for what is wrong."""
        self.context.error(code, span, **values)
        self.invalid += 1
        return typed.NilConstant(span, ERROR)

    def wrong(self, span: Span) -> typed.NilConstant:
        """The expression for what was reported already."""
        self.invalid += 1
        return typed.NilConstant(span, ERROR)

    def is_news(self, *what: object) -> bool:
        """Whether something unknown is not reported yet in this body; from now on it is."""
        news = what not in self.reported
        self.reported.add(what)
        return news

    # Expressions.

    def expression(self, node: tree.Expression, expected: Type | None = None) -> TypedExpression:
        """Check an expression, which must have a type by itself or by the expected one."""
        checked = self.operand(node, expected)
        if isinstance(checked, Exact):
            return checked.rounded()
        return checked.finish(expected) if isinstance(checked, Waiting) else checked

    def argument(self, node: tree.Expression, expected: Type | None = None) -> Checked:
        """Check an expression; one that needs an expected type and has none may wait for it."""
        checked = self.operand(node, expected)
        return checked.rounded() if isinstance(checked, Exact) else checked

    def operand(self, node: tree.Expression, expected: Type | None = None) -> Operand:
        """Check an expression; in a formula its value may be an exact number still."""
        plain = self.handlers.plain.get(type(node))
        if plain is not None:
            return plain(self, node, expected)
        self.depth += 1
        try:
            if self.depth % HOP == 0:
                return on_fresh_stack(lambda: self._operand(node, expected))
            return self._operand(node, expected)
        finally:
            self.depth -= 1

    def _operand(self, node: tree.Expression, expected: Type | None) -> Operand:
        self.unit.diagnostics.look_at_clock()
        leaf_handler = self.handlers.leaves.get(type(node))
        if leaf_handler is not None:
            return leaf_handler(self, node, expected)
        leaf, links = tree.spine(node)
        checked: Operand = self.handlers.leaves[type(leaf)](
            self, leaf, None, *([links[0]] if type(leaf) is tree.Super else [])
        )
        for link in links:
            self.unit.diagnostics.look_at_clock()
            left = checked.finish(None) if isinstance(checked, Waiting) else checked
            if isinstance(left, Exact):
                left = left if type(link) is tree.Binary else left.rounded()
            elif left.type is NEVER:
                self.check_dropped(link)
                checked = left
                continue
            checked = self.handlers.links[type(link)](self, link, left, expected if link is node else None)
        return checked

    def check_dropped(self, link: tree.Link) -> None:
        """Look for mistakes in the further operands of an operation whose first one does not end."""
        if isinstance(link, tree.MethodCall):
            for argument in link.arguments:
                self.argument(argument)
        elif isinstance(link, tree.Binary):
            self.argument(link.right)
        elif isinstance(link, tree.Index):
            self.argument(link.index)

    def held(self, value: TypedExpression, into: list[typed.Statement]) -> TypedExpression:
        """A value that is needed several times: if that can tell, what a temporary gets in `into`."""
        constant = isinstance(value, typed.Constant | typed.TextConstant | typed.NilConstant)
        fixed = isinstance(value, typed.GetLocal) and not value.local.mutable
        if constant or fixed or self.is_unknown(value.type) or value.type in (UNIT, NIL, NEVER):
            return value
        local = self.temporary("value", value.type)
        into.append(typed.Let(value.span, local, value))
        return typed.GetLocal(value.span, local.type, local)

    def is_unknown(self, *types: Type) -> bool:
        """Whether a mismatch of these types means nothing, since one of them was reported already."""
        return any(map(has_error, types))

    # Statements and scopes.

    def statement(self, node: tree.Statement) -> typed.Statement | None:
        return self.handlers.statements[type(node)](self, node)

    def block(self, node: tree.Block) -> typed.Block:
        """Check the statements of a block in a scope of their own; the value of a tail is dropped."""
        return self.inside(node, lambda: self._block(node))

    def inside(self, node: tree.Block, check: Callable[[], T]) -> T:
        """Check what is in a block, in a scope of its own."""
        self.depth += 1
        self.scopes.append({})
        try:
            if self.depth % HOP == 0:
                return on_fresh_stack(check)
            return check()
        finally:
            self.scopes.pop()
            self.depth -= 1

    def _block(self, node: tree.Block) -> typed.Block:
        statements = self.statements(node.statements)
        if node.tail is not None:
            statements.append(self.dropped(node.tail))
        return typed.Block(node.span, statements)

    def statements(self, nodes: Sequence[tree.Statement]) -> list[typed.Statement]:
        statements = []
        for node in nodes:
            checked = self.statement(node)
            if checked is not None:
                statements.append(checked)
        return statements

    def dropped(self, tail: tree.Expression) -> typed.Statement:
        """The tail of a block whose value nobody wants."""
        if type(tail) in self.handlers.statements:
            statement = self.statement(tail)  # type: ignore[arg-type]
            assert statement is not None
            return statement
        return self.evaluate(tail, tail)

    def evaluate(self, node: tree.Expression, whole: tree.Node) -> typed.Statement:
        """An expression as a statement, `whole` with its `;`."""
        jumps = self.jumps
        value = self.expression(node)
        if value.type is NEVER:
            self.ends(whole, self.jumps != jumps)
        return typed.Evaluate(whole.span, value)

    def ends(self, node: tree.Node, by_jump: bool) -> None:
        """Note that control never gets behind a node; if `break` or `continue` is why, only strictly so."""
        self.leaving.endless.add(id(node))
        if not by_jump:
            self.returning.endless.add(id(node))

    def declare(self, name: str, span: Span, type: Type, mutable: bool) -> Local:
        """A new local that is visible from here to the end of the block; `span` is its name."""
        local = self.temporary(name, type, mutable, span)
        self.scopes[-1][name] = local
        self.context.note(span.start, local)
        return local

    def temporary(self, name: str, type: Type, mutable: bool = False, span: Span = NOWHERE) -> Local:
        """A new local without a name that programs could say."""
        local = Local(name, type, mutable, len(self.function.locals), span)
        self.function.locals.append(local)
        return local

    def around(self) -> list[Body]:
        """The body itself, then those that the lambdas around stand in, up to that of a function."""
        bodies, body = [self], self
        while body.enclosing is not None:
            body = body.enclosing.body
            bodies.append(body)
        return bodies

    def find_local(self, name: str) -> Local | None:
        """The visible local of a name; one from around a lambda becomes the lambda's own."""
        for scope in reversed(self.scopes):
            local = scope.get(name)
            if local is not None:
                return local
        return self.find_outside(name) if self.enclosing is not None else None

    def find_outside(self, name: str) -> Local | None:
        """The same in the bodies around a lambda."""
        passed: list[Body] = [self]
        for body in self.around()[1:]:
            for scope in reversed(body.scopes):
                local = scope.get(name)
                if local is not None:
                    return captured(local, passed)
            passed.append(body)
        return None

    def capture(self, outer: Local) -> Local:
        """What stands in a lambda for a local around it, which is shared if it may change."""
        assert self.enclosing is not None
        inner = self.enclosing.captured.get(outer)
        if inner is None:
            inner = self.temporary(outer.name, outer.type, outer.mutable, outer.span)
            inner.captured = outer
            inner.shared = outer.shared = outer.mutable
            self.enclosing.captured[outer] = inner
        return inner

    def self_local(self) -> Local:
        """The local of `self`, in a lambda that of the method around."""
        *passed, root = self.around()
        return captured(root.function.locals[0], passed)

    @property
    def self_type(self) -> Type:
        """The type of `self`, where there is one."""
        return self.root.locals[0].type

    @property
    def root(self) -> Function:
        """The function that all lambdas around stand in."""
        return self.around()[-1].function

    def local_names(self) -> Iterator[str]:
        """The visible locals, the innermost first."""
        for body in self.around():
            for scope in reversed(body.scopes):
                yield from reversed(scope)

    def place(self) -> Standpoint:
        """Where the checker is, to come back to."""
        return Standpoint([*self.scopes], [*self.tries], self.in_operand, self.guarded)

    def move_to(self, place: Standpoint) -> None:
        self.scopes, self.tries = [*place.scopes], [*place.tries]
        self.in_operand, self.guarded = place.in_operand, place.guarded

    def global_name(self, name: str) -> Any:
        """The function, class, trait, global or constant of a name, or None."""
        return self.unit.find(name)

    def constant(self, entity: ConstantName, span: Span) -> TypedExpression:
        """The value of a constant where it is used."""
        if entity.value is None:
            return self.wrong(span)
        if isinstance(entity.value, str):
            return typed.TextConstant(span, entity.type, entity.value)
        return typed.Constant(span, entity.type, entity.value)

    # Exceptions.

    def call_throws(self, span: Span, name: str, *, passed: bool = False) -> None:
        """A call that throws belongs to the innermost `try`; `passed` if that was given from outside."""
        if self.tries:
            self.tries[-1].calls += 1
            self.tries[-1].own += not passed
        else:
            self.context.error("E0801", span, name=name)
            self.invalid += self.enclosing is not None  # nobody shall wonder that the lambda throws nothing

    def exception_may_leave(self, span: Span, *, own: bool = True) -> None:
        """A `throw` or plain `try`: say so if nothing keeps the exception and it must not leave.

        `own` ones are others than those of functions that were given to the one around.
        """
        if self.guarded or self.in_operand:
            return
        function = self.function
        if self.enclosing is not None:
            self.enclosing.leaks.append(span)
            self.enclosing.is_own = self.enclosing.is_own or own
        elif function.rethrows:
            if own:
                self.context.error("E0806", span, names=self.rethrown)
        elif self.warns:
            name = f"`{function.name}`" if function.kind in NAMED else "the function"
            self.context.error("W0801", span, name=name)


def captured(local: Local, bodies: Sequence[Body]) -> Local:
    """A local as the first of these lambdas sees it, each of which stands in the next one."""
    for body in reversed(bodies):
        local = body.capture(local)
    return local


NAMED: Final = (typed.FunctionKind.FUNCTION, typed.FunctionKind.METHOD, typed.FunctionKind.STATIC)

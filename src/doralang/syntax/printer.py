"""Printing a tree as Dora source text, which parses back to an equal tree.

Each node says what it is made of: texts, other nodes, and line breaks.  One loop puts these
together, so that trees may be as deep as they like.  Parentheses stand only where the tree needs
them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, Final, NamedTuple, TypeAlias

from doralang.syntax import tree
from doralang.syntax.expressions import LEVELS, RANGE
from doralang.syntax.literals import quoted
from doralang.syntax.tree import Modifier, NumberKind


class Layout(Enum):
    LINE = auto()
    INDENT = auto()
    """a new line, one step further in"""
    OUTDENT = auto()
    """a new line, one step back"""


class PrintedOperand(NamedTuple):
    """An expression, in parentheses if it binds less tightly than `level`."""

    node: tree.Expression
    level: int


Part: TypeAlias = "str | Layout | PrintedOperand | tree.Node"
Parts: TypeAlias = list[Part]

# Blocks, `if`s and jumps get parentheses as operands and in heads.
_STATEMENT: Final = -1
_TRY: Final = 0
# `is` and `as` get parentheses as operands of anything: their type could swallow a `<` behind it.
_TYPE: Final = 1
_BINARY: Final = 1  # added to the level in the table of operators
_UNARY: Final = 20
_PRIMARY: Final = 21


def show(node: tree.Node) -> str:
    """Source text for a tree without `Invalid…` nodes."""
    written: list[str] = []
    indent = 0
    stack: Parts = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            written.append(part)
        elif isinstance(part, Layout):
            indent += (part is Layout.INDENT) - (part is Layout.OUTDENT)
            written.append("\n" + "  " * indent)
        elif isinstance(part, PrintedOperand):
            stack.extend(reversed(_operand(part)))
        else:
            stack.extend(reversed(_PARTS[type(part)](part)))
    return "".join(written)


def _operand(operand: PrintedOperand) -> Parts:
    if _level(operand.node) >= operand.level:
        return [operand.node]
    return ["(", operand.node, ")"]


def _level(node: tree.Expression) -> int:
    if isinstance(node, tree.Binary):
        return LEVELS["==" if node.operator == "in" else node.operator] + _BINARY
    return _LEVELS.get(type(node), _PRIMARY)


_LEVELS: Final[dict[type[tree.Node], int]] = {
    tree.Assign: _TRY,
    tree.Choice: _TRY,
    tree.Try: _TRY,
    tree.ForcedTry: _TRY,
    tree.OptionalTry: _TRY,
    tree.Lambda: _TRY,
    tree.Block: _STATEMENT,
    tree.If: _STATEMENT,
    tree.Match: _STATEMENT,
    tree.Return: _STATEMENT,
    tree.Throw: _STATEMENT,
    tree.Break: _STATEMENT,
    tree.Continue: _STATEMENT,
    tree.TypeTest: _TYPE,
    tree.Cast: _TYPE,
    tree.Unary: _UNARY,
}


def _joined(nodes: Sequence[tree.Node], separator: str = ", ") -> Parts:
    parts: Parts = []
    for index, node in enumerate(nodes):
        if index:
            parts.append(separator)
        parts.append(node)
    return parts


def _in_brackets(opening: str, nodes: Sequence[tree.Node], closing: str) -> Parts:
    return [opening, *_joined(nodes), closing]


def _angles(nodes: Sequence[tree.Node]) -> Parts:
    """`<A, B>`, or nothing."""
    return _in_brackets("<", nodes, ">") if nodes else []


def _turbofish(types: list[tree.Type]) -> Parts:
    return ["::", *_angles(types)] if types else []


def _arguments(nodes: Sequence[tree.Node]) -> Parts:
    return _in_brackets("(", nodes, ")")


def _invalid(node: tree.Node) -> Parts:
    return ["/* invalid */"]


# Types and expressions.


def _named_type(node: tree.NamedType) -> Parts:
    return [node.name, *_angles(node.arguments)]


_SUFFIXES: Final = {NumberKind.BYTE: "Y", NumberKind.LONG: "L", NumberKind.FLOAT: "F"}


def _number(node: tree.Number) -> Parts:
    if node.bits:
        text = hex(int(node.value))
    elif isinstance(node.value, float):
        text = _float_text(node.value)
    else:
        text = str(node.value)
    return [text + _SUFFIXES.get(node.kind, "")]


def _float_text(value: float) -> str:
    if value == float("inf"):
        return "1.0e999"
    mantissa, exponent, digits = repr(value).partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return mantissa + exponent + digits


def _template(node: tree.Template) -> Parts:
    parts: Parts = ['"', quoted(node.pieces[0], '"')[1:-1]]
    for hole, piece in zip(node.holes, node.pieces[1:], strict=True):
        parts += ["${", hole, "}", quoted(piece, '"')[1:-1]]
    return [*parts, '"']


def _call(node: tree.Call) -> Parts:
    return [node.name, *_turbofish(node.type_arguments), *_arguments(node.arguments)]


def _static_call(node: tree.StaticCall) -> Parts:
    owner = [node.owner, *_turbofish(node.owner_arguments), "::", node.name]
    return [*owner, *_turbofish(node.type_arguments), *_arguments(node.arguments)]


def _static_name(node: tree.StaticName) -> Parts:
    owner = [node.owner, *_turbofish(node.owner_arguments), "::", node.name]
    return [*owner, *_turbofish(node.type_arguments)]


def _throws(node: tree.FunctionType | tree.Lambda) -> str:
    return " throws" if node.throws else ""


def _value_call(node: tree.ValueCall) -> Parts:
    called = isinstance(node.receiver, _CALLED)
    return [*([node.receiver] if called else ["(", node.receiver, ")"]), *_arguments(node.arguments)]


_CALLED: Final = tree.Call | tree.StaticCall | tree.MethodCall | tree.ValueCall | tree.Index
"""what is called by parentheses behind it; others stand in parentheses themselves"""


def _lambda(node: tree.Lambda) -> Parts:
    result: Parts = [" -> ", node.result] if node.result else []
    body: Parts = (
        [node.body] if isinstance(node.body, tree.Block) else [PrintedOperand(node.body, _STATEMENT)]
    )
    return ["|", *_joined(node.parameters), "|", _throws(node), *result, " ", *body]


def _method_call(node: tree.MethodCall) -> Parts:
    types = _turbofish(node.type_arguments)
    return [PrintedOperand(node.receiver, _PRIMARY), "." + node.name, *types, *_arguments(node.arguments)]


def _binary(node: tree.Binary) -> Parts:
    level = _level(node)
    chained = LEVELS.get(node.operator) != RANGE
    return [
        PrintedOperand(node.left, level if chained else level + 1),
        f" {node.operator} ",
        PrintedOperand(node.right, level + 1),
    ]


def _typed(word: str, node: tree.TypeTest | tree.Cast) -> Parts:
    bare = isinstance(node.left, tree.TypeTest | tree.Cast)
    return [PrintedOperand(node.left, _TRY if bare else _UNARY), f" {word} ", node.type]


def _assign(node: tree.Assign) -> Parts:
    bare = not isinstance(node.value, tree.Assign | tree.Choice)
    return [
        PrintedOperand(node.target, _TYPE),
        f" {node.operator or ''}= ",
        PrintedOperand(node.value, _TRY if bare else _TYPE),
    ]


def _try(node: tree.Try) -> Parts:
    if node.otherwise is None:
        return ["try ", PrintedOperand(node.operand, _TRY)]
    return ["try ", PrintedOperand(node.operand, _TYPE), " else ", PrintedOperand(node.otherwise, _TRY)]


def _choice(node: tree.Choice) -> Parts:
    return [PrintedOperand(node.condition, _TYPE), " ? ", node.then, " : ", node.otherwise]


# Statements.


def _block(node: tree.Block) -> Parts:
    lines = _lines(node.statements)
    if node.tail is not None:
        lines += [Layout.LINE, *_alone(node.tail)] if lines else _alone(node.tail)
    return ["{", Layout.INDENT, *lines, Layout.OUTDENT, "}"] if lines else ["{}"]


_STATEMENTS: Final = tree.Block | tree.If | tree.Match | tree.Return | tree.Throw | tree.Break | tree.Continue


def _alone(node: tree.Expression) -> Parts:
    """An expression where a statement may stand, too: what could be one gets parentheses."""
    return ["(", node, ")"] if isinstance(node, tree.Block | tree.If | tree.Match) else [node]


def _expression_statement(node: tree.ExpressionStatement) -> Parts:
    inner = node.expression
    return ["(", inner, ");"] if isinstance(inner, _STATEMENTS) else [inner, ";"]


def _lines(nodes: Sequence[tree.Node]) -> Parts:
    parts: Parts = []
    for index, node in enumerate(nodes):
        if index:
            parts.append(Layout.LINE)
        parts.append(node)
        if isinstance(node, tree.Return | tree.Throw | tree.Break | tree.Continue):
            parts.append(";")
    return parts


def _variable(node: tree.Variable | tree.Field | tree.Global) -> Parts:
    declared: Parts = [": ", node.type] if node.type else []
    modifiers = _modifiers(node.modifiers) if isinstance(node, tree.Field) else ""
    return [modifiers + _keyword(node.mutable), node.name, *declared, *_value(node.value)]


def _destructuring(node: tree.Destructuring) -> Parts:
    declared: Parts = [": ", node.type] if node.type else []
    otherwise: Parts = [" else ", node.otherwise] if node.otherwise else []
    value = PrintedOperand(node.value, _TYPE) if node.otherwise else node.value
    return [_keyword(node.mutable), node.pattern, *declared, " = ", value, *otherwise, ";"]


def _parts_of_pattern(parts: Sequence[tree.Node], rest: bool) -> Parts:
    """`(P, Q)`, `(P, ..)`"""
    return ["(", *_joined(parts), *([", .." if parts else ".."] if rest else []), ")"]


def _variant_pattern(node: tree.VariantPattern) -> Parts:
    parts = _parts_of_pattern(node.parts, node.rest) if node.parts is not None else []
    types = _turbofish(node.type_arguments)
    if node.owner:
        return [node.owner, *types, "::", node.name, *parts]
    return [node.name, *types, *parts]


def _keyword(mutable: bool) -> str:
    return "var " if mutable else "let "


def _value(value: tree.Expression | None) -> Parts:
    return [" = ", value, ";"] if value else [";"]


def _if(node: tree.If) -> Parts:
    parts: Parts = []
    for arm in node.arms:
        parts += [" else if " if parts else "if ", *_head(arm.pattern, arm.condition), " ", arm.body]
    return parts + [" else ", node.otherwise] if node.otherwise else parts


def _match(node: tree.Match) -> Parts:
    arms: Parts = [Layout.INDENT, *_lines(node.arms), Layout.OUTDENT] if node.arms else []
    return ["match ", PrintedOperand(node.subject, _TYPE), " {", *arms, "}"]


def _match_arm(node: tree.MatchArm) -> Parts:
    guard: Parts = [" if ", node.guard] if node.guard else []
    is_block = isinstance(node.body, tree.Block)
    return [node.pattern, *guard, " => ", node.body, "" if is_block else ","]


def _head(pattern: tree.Pattern | None, condition: tree.Expression) -> Parts:
    """What stands behind `if` or `while`."""
    return [*(["let ", pattern, " = "] if pattern else []), PrintedOperand(condition, _TRY)]


def _do(node: tree.Do) -> Parts:
    last: Parts = [" finally ", node.last] if node.last else []
    return ["do ", node.body, *node.catches, *last]


def _catch(node: tree.Catch) -> Parts:
    return [" catch ", node.name, ": ", node.type, " ", node.body]


def _return(node: tree.Return) -> Parts:
    return ["return ", PrintedOperand(node.value, _TRY)] if node.value else ["return"]


# Declarations.


def _modifiers(modifiers: Modifier) -> str:
    return "".join(f"{_AT.get(flag, '')}{(flag.name or '').lower()} " for flag in _ORDER if flag in modifiers)


_AT: Final = dict.fromkeys(
    (Modifier.INLINE, Modifier.NOINLINE, Modifier.RAW, Modifier.LATE, Modifier.PRIVATE), "@"
)
_ORDER: Final = [*_AT, *(flag for flag in Modifier if flag not in _AT)]


def _function(node: tree.Function) -> Parts:
    head = [f"{_modifiers(node.modifiers)}fun {node.name}", *_angles(node.type_parameters)]
    result: Parts = [" -> ", node.result] if node.result else []
    throws = " rethrows" if node.rethrows else " throws" if node.throws else ""
    conditions: Parts = [" where ", *_joined(node.conditions)] if node.conditions else []
    return [*head, *_arguments(node.parameters), throws, *result, *conditions, *_body(node.body)]


def _body(body: tree.Block | tree.DeferredBlock | None) -> Parts:
    return [" ", body] if body else [";"]


def _type_parameter(node: tree.TypeParameter) -> Parts:
    bounds: Parts = [": ", *_joined(node.bounds, " + ")] if node.bounds else []
    return [node.name, *bounds]


def _parameter(node: tree.Parameter) -> Parts:
    return ["var " if node.mutable else "", node.name, ": ", node.type]


def _class_parameter(node: tree.ClassParameter) -> Parts:
    return [_keyword(node.mutable) if node.is_field else "", node.name, ": ", node.type]


def _parent(node: tree.Parent) -> Parts:
    arguments = _arguments(node.arguments) if node.arguments else []
    return [": ", node.name, *_angles(node.type_arguments), *arguments]


def _derivations(node: tree.Class | tree.Enum) -> Parts:
    return [part for one in node.derived for part in (one, " ")]


def _class(node: tree.Class) -> Parts:
    head = [f"{_modifiers(node.modifiers)}class {node.name}", *_angles(node.type_parameters)]
    parameters = _arguments(node.parameters) if node.parameters else []
    parent: Parts = [node.parent] if node.parent else []
    return [*_derivations(node), *head, *parameters, *parent, *_members(node.members)]


def _members(members: Sequence[tree.Node]) -> Parts:
    if not members:
        return [" {}"]
    return [" {", Layout.INDENT, *_lines(members), Layout.OUTDENT, "}"]


def _variant(node: tree.Variant) -> Parts:
    return [node.name, *(_arguments(node.parameters) if node.parameters is not None else []), ","]


def _enum(node: tree.Enum) -> Parts:
    head = ["enum ", node.name, *_angles(node.type_parameters)]
    return [*_derivations(node), *head, *_members([*node.variants, *node.methods])]


def _init(node: tree.Init) -> Parts:
    delegation: Parts = [node.delegation] if node.delegation else []
    head = [f"{_modifiers(node.modifiers)}init", *_arguments(node.parameters)]
    return [*head, *delegation, *_body(node.body)]


def _delegation(node: tree.Delegation) -> Parts:
    return [": super" if node.to_super else ": self", *_arguments(node.arguments)]


def _trait(node: tree.Trait) -> Parts:
    above: Parts = [": ", *_joined(node.supertraits, " + ")] if node.supertraits else []
    return [f"trait {node.name}", *_angles(node.type_parameters), *above, *_members(node.methods)]


def _impl(node: tree.Impl) -> Parts:
    return [
        "impl",
        *_angles(node.type_parameters),
        " ",
        node.trait,
        " for ",
        node.target,
        *_members(node.methods),
    ]


_PARTS: Final[dict[type[tree.Node], Callable[[Any], Parts]]] = {
    tree.NamedType: _named_type,
    tree.UnitType: lambda node: ["()"],
    tree.SelfType: lambda node: ["Self"],
    tree.TupleType: lambda node: _in_brackets("(", node.elements, ")"),
    tree.FunctionType: lambda node: [*_arguments(node.parameters), _throws(node), " -> ", node.result],
    tree.InvalidType: _invalid,
    tree.Number: _number,
    tree.Character: lambda node: [quoted(chr(node.value), "'")],
    tree.Text: lambda node: [quoted(node.value, '"')],
    tree.Template: _template,
    tree.Boolean: lambda node: ["true" if node.value else "false"],
    tree.Nil: lambda node: ["nil"],
    tree.Self: lambda node: ["self"],
    tree.Super: lambda node: ["super"],
    tree.Name: lambda node: [node.name, *_turbofish(node.type_arguments)],
    tree.Call: _call,
    tree.StaticCall: _static_call,
    tree.StaticName: _static_name,
    tree.MethodCall: _method_call,
    tree.Member: lambda node: [
        PrintedOperand(node.receiver, _PRIMARY),
        "." + node.name,
        *_turbofish(node.type_arguments),
    ],
    tree.ValueCall: _value_call,
    tree.LambdaParameter: lambda node: [node.pattern, *([": ", node.type] if node.type else [])],
    tree.Lambda: _lambda,
    tree.Index: lambda node: [PrintedOperand(node.receiver, _PRIMARY), "[", node.index, "]"],
    tree.ListLiteral: lambda node: _in_brackets("[", node.elements, "]"),
    tree.Tuple: lambda node: _in_brackets("(", node.elements, ")"),
    tree.Unary: lambda node: [node.operator, PrintedOperand(node.operand, _UNARY)],
    tree.Binary: _binary,
    tree.TypeTest: lambda node: _typed("is", node),
    tree.Cast: lambda node: _typed("as", node),
    tree.Assign: _assign,
    tree.Try: _try,
    tree.OptionalTry: lambda node: ["try? ", PrintedOperand(node.operand, _TRY)],
    tree.ForcedTry: lambda node: ["try! ", PrintedOperand(node.operand, _TRY)],
    tree.Choice: _choice,
    tree.InvalidExpression: _invalid,
    tree.Block: _block,
    tree.DeferredBlock: lambda node: [node.parse()],
    tree.Variable: _variable,
    tree.Destructuring: _destructuring,
    tree.AnyPattern: lambda node: ["_"],
    tree.NamePattern: lambda node: [node.name],
    tree.BoundPattern: lambda node: [node.name, " @ ", node.pattern],
    tree.TypedPattern: lambda node: [node.name or "_", ": ", node.type],
    tree.LiteralPattern: lambda node: [node.value],
    tree.RangePattern: lambda node: [node.low, "..=" if node.closed else "..", node.high],
    tree.VariantPattern: _variant_pattern,
    tree.AlternativePattern: lambda node: _joined(node.options, " | "),
    tree.TuplePattern: lambda node: _parts_of_pattern(node.parts, node.rest),
    tree.InvalidPattern: _invalid,
    tree.ExpressionStatement: _expression_statement,
    tree.If: _if,
    tree.Match: _match,
    tree.MatchArm: _match_arm,
    tree.While: lambda node: ["while ", *_head(node.pattern, node.condition), " ", node.body],
    tree.Loop: lambda node: ["loop ", node.body],
    tree.For: lambda node: [
        "for ",
        node.pattern,
        " in ",
        PrintedOperand(node.iterable, _TRY),
        " ",
        node.body,
    ],
    tree.Do: _do,
    tree.Catch: _catch,
    tree.Break: lambda node: ["break"],
    tree.Continue: lambda node: ["continue"],
    tree.Return: _return,
    tree.Throw: lambda node: ["throw ", PrintedOperand(node.value, _TRY)],
    tree.Empty: lambda node: [";"],
    tree.InvalidStatement: _invalid,
    tree.Function: _function,
    tree.TypeParameter: _type_parameter,
    tree.Derivation: lambda node: _in_brackets("@derive(", node.traits, ")"),
    tree.Parameter: _parameter,
    tree.ClassParameter: _class_parameter,
    tree.Class: _class,
    tree.Parent: _parent,
    tree.Field: _variable,
    tree.Init: _init,
    tree.Delegation: _delegation,
    tree.InvalidMember: _invalid,
    tree.Variant: _variant,
    tree.Enum: _enum,
    tree.Trait: _trait,
    tree.Impl: _impl,
    tree.Global: _variable,
    tree.Constant: lambda node: [f"const {node.name}: ", node.type, *_value(node.value)],
    tree.InvalidDeclaration: _invalid,
    tree.File: lambda node: [*_lines(node.declarations), "\n"],
}

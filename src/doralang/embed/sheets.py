"""Formulas that use each other by name, like the cells of a spreadsheet.

    sheet = dora.exprs({"net": "price * count", "gross": "net * (1 + vat)"})
    sheet.order                                         ->   ("net", "gross")
    sheet({"price": 2.0, "count": 3.0, "vat": 0.5})     ->   {"net": 6.0, "gross": 9.0}
    sheet.affected("vat")                               ->   ("gross",)

Each formula is compiled by itself, in an order in which those that it uses come first, so their types are
known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any, Final

from doralang.embed import errors
from doralang.embed.expressions import Types, annotations_of, names_in
from doralang.embed.formulas import Expr, expr
from doralang.syntax.formula_parser import parse_formula
from doralang.syntax.words import KNOWN
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Sheet(Mapping[str, Expr]):
    """Formulas by name; calling it computes them all from the inputs."""

    def __init__(self, formulas: dict[str, Expr], uses: dict[str, tuple[str, ...]]) -> None:
        self._formulas = formulas
        self._uses = uses
        self.order: tuple[str, ...] = tuple(formulas)
        """names, each behind those that it uses"""
        found = dict.fromkeys(name for names in uses.values() for name in names)
        self.inputs: tuple[str, ...] = tuple(name for name in found if name not in formulas)
        """names that no formula has"""

    def __getitem__(self, name: str) -> Expr:
        return self._formulas[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._formulas)

    def __len__(self) -> int:
        return len(self._formulas)

    def affected(self, *names: str) -> tuple[str, ...]:
        """What must be computed again when these change, in order.  Raises KeyError for an unknown name."""
        changed = set(names)
        for name in names:
            if name not in self._formulas and name not in self.inputs:
                raise KeyError(name)
        result = []
        for name in self.order:
            if changed & set(self._uses[name]):
                changed.add(name)
                result.append(name)
        return tuple(result)

    def needed(self, names: Sequence[str]) -> set[str]:
        """Formulas that are computed for some.  Raises KeyError for one that is none."""
        found = set()
        waiting = [*names]
        for name in names:
            if name not in self._formulas:
                raise KeyError(name)
        while waiting:
            name = waiting.pop()
            if name in self._formulas and name not in found:
                found.add(name)
                waiting += self._uses[name]
        return found

    def __call__(
        self,
        inputs: Mapping[str, Any],
        *,
        only: Sequence[str] | None = None,
        known: Mapping[str, Any] = NOTHING,
    ) -> dict[str, Any]:
        """All values by name, or those of `only`; what is `known` from before is not computed.

        Raises KeyError for an input that is missing.
        """
        wanted = self.needed(self.order if only is None else only)
        values = dict(inputs)
        for name in self.order:
            if name in known:
                values[name] = known[name]
            elif name in wanted:
                values[name] = self._formulas[name](*[values[use] for use in self._formulas[name].names])
        return {name: values[name] for name in self.order if only is None or name in only}

    def __repr__(self) -> str:
        return f"<dora sheet of {', '.join(self.order)}>"


def exprs(formulas: Mapping[str, str], types: Types | None = None, **options: Any) -> Sheet:
    """Compile formulas that may use each other by name, with the options of `expr`.

    Raises CompileError for the first one that is wrong, and for formulas that use each other in a circle.
    """
    variables = {*formulas, *(() if types is None else annotations_of(types))}
    uses = {name: used_names(name, text, variables) for name, text in formulas.items()}
    graph = {name: [use for use in used if use in formulas] for name, used in uses.items()}
    try:
        order = [*TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise circle(formulas, error.args[1]) from None
    kinds: dict[str, object] = {}
    made: dict[str, Expr] = {}
    given = None if types is None else dict(annotations_of(types))
    for name in order:
        known = {use: kinds.get(use) or ("double" if given is None else given.get(use)) for use in uses[name]}
        known = {use: kind for use, kind in known.items() if kind is not None}  # the checker reports others
        made[name] = expr(formulas[name], known, filename=f"<{name}>", **options)
        kinds[name] = made[name].type
    return Sheet(made, {name: made[name].names for name in order})


def used_names(name: str, text: str, variables: Set[str]) -> tuple[str, ...]:
    """The names in a formula that are no constants, such as `pi`, unless they are among the variables.

    What is wrong with it is reported when it is compiled.
    """
    found = names_in(parse_formula(Source(f"<{name}>", text), Diagnostics()))
    return tuple([one for one in found if one not in KNOWN or one in variables])


def circle(formulas: Mapping[str, str], names: Sequence[str]) -> errors.CompileError:
    """The error for formulas that need each other; the first of them has the report."""
    first, *others = reversed(names)
    diagnostics, source = Diagnostics(), Source(f"<{first}>", formulas[first])
    through = " -> ".join([first, *others])
    tree = parse_formula(source, Diagnostics())
    diagnostics.report("E0415", source, tree.span, f"`{first}` depends on itself: {through}")
    return errors.CompileError(diagnostics)

"""Evaluating formulas (reference, 1.5)."""

from __future__ import annotations

from dora.check.checker import check_formula
from dora.check.program import Function, Program
from dora.engine.checking import library_for
from dora.engine.engines import Interpreter, interpreter
from dora.host.failures import Exit, Failure
from dora.host.objects import Value
from dora.optional import load
from dora.pipeline import Stage
from dora.settings import Settings, Streams
from dora.syntax.parser import parse_formula
from dora.text.diagnostics import Diagnostics
from dora.text.source import Source
from dora.types.types import Type


def run_formula(
    variables: list[tuple[str, Source]],
    formula: Source,
    diagnostics: Diagnostics,
    streams: Streams,
    settings: Settings,
) -> int:
    """Evaluate a formula after its variables, print its value, and return the exit status.

    With errors in `diagnostics` nothing is evaluated and the status means nothing.
    """
    types: dict[str, Type] = {}
    checked = []
    for name, source in [*variables, ("", formula)]:
        tree = parse_formula(source, diagnostics)
        program, function = check_formula(source, tree, diagnostics, library_for(settings.engine), types)
        checked.append((name, program, function))
        types = {**types, name: function.result}
    if diagnostics.errors:
        return 1
    if Stage.PROGRAM.value in settings.emit:
        streams.stdout.write(load("dora.check.printer").dump_program(checked[-1][1]).encode())
    return evaluate(checked, streams, settings)


def evaluate(checked: list[tuple[str, Program, Function]], streams: Streams, settings: Settings) -> int:
    """The values of formulas, each known to the later ones by its name; prints the last one."""
    values: dict[str, Value] = {}
    engines: list[Interpreter] = []
    try:
        for name, program, function in checked:
            engine = interpreter(program, [], streams, settings)
            engines.append(engine)
            values[name] = engine.call(function, [values[one.name] for one in function.parameters])
        engine.print_value(function.result, values[name])
    except Exit as exit:
        return exit.status
    except Failure as failure:
        engine.report(failure)
        return failure.status
    finally:
        for engine in engines:
            engine.close()
    return 0

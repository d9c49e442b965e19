"""Running the `main` of a program.

Nothing here needs the front end before a program must be checked: one whose compiled code is stored from an
earlier run starts without it (`doralang.native.cache`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, cast

from doralang import interrupts
from doralang.engines.rows import ENGINES, machine
from doralang.optional import load
from doralang.settings import ALL, Settings, Streams
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source

if TYPE_CHECKING:
    from doralang.checker.program import Program
    from doralang.engines.door import Runner
    from doralang.native.cache import Entry
    from doralang.native.running import Executor

Report = Callable[[Diagnostics], None]
"""shows what has been found out about a program, before it runs"""


def run_source(
    source: Source, arguments: list[str], streams: Streams, settings: Settings, report: Report
) -> int:
    """Check a program, report, run it, and return the exit status, which is 1 after errors.

    Code that an earlier run has stored is used; what this run has compiled is stored.
    """
    entry = find_entry(source, settings)
    engine = stored_program(entry, source, arguments, streams, settings) if entry else None
    if engine is None:
        diagnostics = Diagnostics()
        program = check(source, settings, diagnostics)
        report(diagnostics)
        if program is None:
            return 1
        if diagnostics.reports:
            entry = None  # so that the next run reports the same
        tell_unknown(program, streams, settings)
        engine = machine(program, arguments, streams, settings)
    return run(engine, entry, settings)


def show_code(source: Source, streams: Streams, settings: Settings, report: Report) -> int:
    """Check a program, report, and print its code for the target that is asked for; nothing is run."""
    diagnostics = Diagnostics()
    if settings.engine != "opt":
        settings.engine = "baseline"
    program = check(source, settings, diagnostics)
    report(diagnostics)
    if program is None:
        return 1
    tell_unknown(program, streams, settings)
    text: str = load("doralang.native.showing").show_program(program, settings)
    streams.stdout.write(text.encode("utf-8", "surrogateescape"))
    return 0


def tell_unknown(program: Program, streams: Streams, settings: Settings) -> None:
    """Warn about functions that somebody wants to see and that there are not."""
    asked = (settings.emit_bytecode | settings.emit_asm | settings.emit_debug) - {ALL}
    if asked:
        known = {function.name for function in load("doralang.lower.names").functions_of(program)}
        for name in sorted(asked - known):
            streams.stderr.write(f"dora: warning: there is no function `{name}`\n".encode("utf-8", "replace"))
        streams.stderr.flush()


def run(engine: Runner, entry: Entry | None, settings: Settings) -> int:
    """Run `main` and return the exit status, whatever way the program ends; store the code afterwards."""
    try:
        with moving_up(engine, settings):
            status = engine.run_main()
        if entry:
            store(cast("Executor", engine), entry)
        return status
    finally:
        engine.close()


def moving_up(engine: Runner, settings: Settings) -> AbstractContextManager[None]:
    """While a program runs in it, hot functions move up, if the engine has tiers."""
    if settings.engine != "tiered":
        return nullcontext()
    manager: AbstractContextManager[None] = load("doralang.native.tiering").moving_up(engine, settings)
    return manager


# Stored code saves time and is never needed: a mistake in it, or in what handles it, must not be seen.


def store(executor: Executor, entry: Entry) -> None:
    """Store the code of a program, if there is more than was stored before; without it if that fails."""
    module = executor.module
    try:
        if module.is_new:
            images = load("doralang.native.image")
            image = images.capture(module)
            if image is not None and images.code_count(image) > module.stored_count:
                entry.write(image)
    except Exception:
        interrupts.raise_again()


def check(source: Source, settings: Settings, diagnostics: Diagnostics) -> Program | None:
    checking = load("doralang.session.checking")
    program: Program | None = checking.compile_program(source, diagnostics, engine=settings.engine)
    return program


def find_entry(source: Source, settings: Settings) -> Entry | None:
    """The program's place in the cache, if its engine has one."""
    if not ENGINES[settings.engine].can_store:
        return None
    try:
        entry: Entry | None = load("doralang.native.cache").find_entry(source, settings)
    except Exception:
        interrupts.raise_again()
        return None
    return entry


def stored_program(
    entry: Entry, source: Source, arguments: list[str], streams: Streams, settings: Settings
) -> Runner | None:
    """A program with stored code, which is checked only if it calls a function whose code is not there.

    None if nothing is stored, or nothing that can be used.
    """

    def find_program() -> Program:
        program = check(source, settings, Diagnostics())
        assert program is not None, "it was checked when its code was stored"
        return program

    try:
        image = entry.read()
        if image is None:
            return None
        native = load("doralang.native.module")
        options = native.code_options(settings)
        stored = load("doralang.native.image").Stored(image)
        parent = None if stored.is_alone else native.library_module(options)
        module = native.Module(options, find_program, parent=parent, stored=stored)
        executor: Runner = load("doralang.engines.stored").StoredMachine(
            module, arguments=arguments, stdout=streams.stdout, stderr=streams.stderr, settings=settings
        )
    except Exception:
        interrupts.raise_again()
        return None
    return executor

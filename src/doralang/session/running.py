"""Running the `main` of a program.

Nothing here needs the front end before a program must be checked: one whose compiled code is stored from an
earlier run starts without it (`doralang.native.cache`).
"""

from __future__ import annotations

from doralang import interrupts
from doralang.engines.rows import ENGINES, machine
from doralang.optional import load
from doralang.settings import ALL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from doralang.checker.program import Program
    from doralang.engines.runner import Runner
    from doralang.native.cache import Entry
    from doralang.native.running import Executor
    from doralang.settings import Settings, Streams
    from doralang.text.diagnostics import Diagnostics
    from doralang.text.files import TextFile

    Report: TypeAlias = Callable[[Diagnostics], None]
    """shows what has been found out about a program, before it runs"""


def run_file(
    file: TextFile, arguments: list[str], streams: Streams, settings: Settings, report: Report
) -> int:
    """Check a program, report, run it, and return the exit status, which is 1 after errors.

    Code that an earlier run has stored is used; what this run has compiled is stored.  With a target nothing
    is run: its code for that is printed.
    """
    if settings.target and settings.engine != "opt":
        settings.engine = "baseline"
    entry = find_entry(file, settings)
    engine = stored_program(entry, file, arguments, streams, settings) if entry else None
    if engine is not None and entry is not None and entry.warnings:
        report(repeated(entry, file))
    if engine is None:
        diagnostics: Diagnostics = load("doralang.text.diagnostics").Diagnostics()
        program = check(file, settings, diagnostics, streams)
        report(diagnostics)
        if program is None:
            return 1
        tell_unknown(program, streams, settings)
        if settings.target:
            return show_code(program, streams, settings)
        if entry:
            entry.warnings = [(one.code, *one.span, one.message, one.help) for one in diagnostics.reports]
        engine = machine(program, arguments, streams, settings)
    return run(engine, entry, settings)


def check(
    file: TextFile, settings: Settings, diagnostics: Diagnostics, shown: Streams | None = None
) -> Program | None:
    """Check a program; the stages of its text that somebody wants to see are printed first."""
    source = load("doralang.text.loading").decode_source(file.name, file.data, diagnostics)
    if source is None:
        return None
    if shown is not None and settings.emit:
        dump: str = load("doralang.pipeline").dump_files(settings.emit, source)
        shown.stdout.write(dump.encode("utf-8", "surrogateescape"))
    checking = load("doralang.session.checking")
    program: Program | None = checking.compile_program(source, diagnostics, engine=settings.engine)
    return program


def repeated(entry: Entry, file: TextFile) -> Diagnostics:
    """The warnings that were given when the program was checked."""
    diagnostics: Diagnostics = load("doralang.text.diagnostics").Diagnostics()
    source = load("doralang.text.loading").decode_source(file.name, file.data, diagnostics)
    span = load("doralang.text.source").Span
    for code, start, end, message, help in entry.warnings:
        diagnostics.report(code, source, span(start, end), message, help)
    return diagnostics


def show_code(program: Program, streams: Streams, settings: Settings) -> int:
    """Print the code of a program for the target that is asked for."""
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
        if settings.engine == "tiered":  # while it runs, hot functions move up
            with load("doralang.native.tiering").MovingUp(engine, settings):
                status = engine.run_main()
        else:
            status = engine.run_main()
        if entry:
            store(engine, entry)  # type: ignore[arg-type]  # whose code can be stored is an executor
        return status
    finally:
        engine.close()


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


def find_entry(file: TextFile, settings: Settings) -> Entry | None:
    """The program's place in the cache, if its engine has one."""
    if not ENGINES[settings.engine].can_store:
        return None
    try:
        entry: Entry | None = load("doralang.native.cache").find_entry(file, settings)
    except Exception:
        interrupts.raise_again()
        return None
    return entry


def stored_program(
    entry: Entry, file: TextFile, arguments: list[str], streams: Streams, settings: Settings
) -> Runner | None:
    """A program with stored code, which is checked only if it calls a function whose code is not there.

    None if nothing is stored, or nothing that can be used.
    """

    def find_program() -> Program:
        program = check(file, settings, load("doralang.text.diagnostics").Diagnostics())
        assert program is not None, "it was checked when its code was stored"
        return program

    try:
        image = entry.read()
        if image is None:
            return None
        native = load("doralang.native.module")
        options = load("doralang.native.options").code_options(settings)
        stored = load("doralang.native.image").Stored(image)
        parent = None if stored.is_alone else native.library_module(options)
        module = native.Module(options, find_program, parent=parent, stored=stored)
        executor: Runner = load("doralang.engines.stored").StoredMachine(
            module,
            arguments=arguments,
            stdin=streams.stdin,
            stdout=streams.stdout,
            stderr=streams.stderr,
            settings=settings,
        )
    except Exception:
        interrupts.raise_again()
        return None
    return executor

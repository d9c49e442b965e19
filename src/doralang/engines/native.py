"""The compiled engine for a typed program: its functions are compiled at their first call, and run.

An `Executor` knows functions and classes as bytecode does.  Here are the calls whose arguments are
those of the front end: functions and types of the program.
"""

from __future__ import annotations

from collections.abc import Sequence

from doralang.checker.program import Function, Program
from doralang.engines.door import Door, Testing
from doralang.interpreter.output import NO_INPUT
from doralang.interpreter.sinks import ByteSink
from doralang.lower.specializer import extends_library
from doralang.native.emission import emission
from doralang.native.module import Module, library_module
from doralang.native.options import code_options
from doralang.native.running import Executor
from doralang.runtime.memory import load_bytes
from doralang.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.interpreter.objects import Value
    from doralang.settings import ByteSource


class Machine(Executor, Door):
    """Runs one program as machine code.  `stdin`, `stdout` and `stderr` are files for bytes.

    If code is to be seen as it is compiled, the program has its own copy of the library's.
    """

    def __init__(
        self,
        program: Program,
        *,
        arguments: Sequence[str] = (),
        stdin: ByteSource = NO_INPUT,
        stdout: ByteSink,
        stderr: ByteSink,
        settings: Settings | None = None,
        alone: bool = False,
    ) -> None:
        self.program = program
        settings = settings or Settings()
        module = module_of(program, settings, alone=alone)
        super().__init__(
            module, arguments=arguments, stdin=stdin, stdout=stdout, stderr=stderr, settings=settings
        )

    def testing(self) -> HeldTesting:
        return HeldTesting(self)

    def call(self, function: Function, arguments: list[Value]) -> Value:
        """Call a function that is not generic from outside.  Raises Failure and Exit."""
        with self.module.space.freeing, self.module.space.lock:
            ref = self.module.specializer.entry_ref(function)
        words = [self.to_word(value, kind) for value, kind in zip(arguments, ref.parameters, strict=True)]
        return self.run(ref, words)


class HeldTesting:
    """The `Testing` that a test is given, held for as long as the test runs."""

    def __init__(self, machine: Machine) -> None:
        testing, module = machine.program.library.classes["Testing"], machine.module
        with module.space.freeing, module.space.lock:
            cls = module.specializer.class_ref(testing.of())
            failed = module.specializer.field_ref(testing.of(), testing.fields["failed"])
        self.offset = module.environment.field_offset(failed)
        self.scope = machine.instance.handles.scope()
        self.handle = self.scope.handle(machine.new_object(cls))

    def __enter__(self) -> Testing:
        handle, offset = self.handle, self.offset
        return Testing(handle.address, lambda: load_bytes(handle.address + offset, 1) != b"\0")

    def __exit__(self, *error: object) -> None:
        self.scope.close()


def module_of(
    program: Program,
    settings: Settings,
    *,
    alone: bool = False,
    counts_fuel: bool = False,
    hardened: bool = False,
) -> Module:
    """The code of a program, to be made as it is needed."""
    options = code_options(settings, counts_fuel=counts_fuel, hardened=hardened)
    shown = emission(settings)
    alone = alone or shown is not None or extends_library(program)
    module = Module(options, lambda: program, parent=None if alone else library_module(options))
    module.emission = shown
    return module

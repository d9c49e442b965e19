"""The engine `trace`: the VM, whose hot functions and hot loops are compiled by way of C while it runs."""

from __future__ import annotations

from collections.abc import Sequence

from dora.check.program import Program
from dora.host.context import ByteSink
from dora.interpreted.machine import Machine
from dora.settings import Settings
from dora.source.provider import SourceProvider
from dora.tracing.compiler import TraceCompiler


class TracingMachine(Machine):
    """Runs one program."""

    def __init__(
        self,
        program: Program,
        *,
        arguments: Sequence[str] = (),
        stdout: ByteSink,
        stderr: ByteSink,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(
            program,
            arguments=arguments,
            stdout=stdout,
            stderr=stderr,
            settings=settings,
            provider=SourceProvider("c"),
            compiler=TraceCompiler(),
        )

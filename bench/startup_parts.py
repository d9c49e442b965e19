"""One start of `dora FILE` in this process, with the time of every part on stderr as JSON.

    python bench/startup_parts.py STARTED FILE

`startup.py` runs it in fresh processes.  STARTED is the monotonic clock when the process was asked for.
The imports are in the middle because they are what is measured; they are those of the command `dora`.
"""

import time

ENTERED = time.perf_counter()

import json  # noqa: E402  (its time is subtracted: it is ours, not Dora's)
import os  # noqa: E402
import sys  # noqa: E402

READY = time.perf_counter()

import dora.cli.main  # noqa: E402
import dora.cli.run  # noqa: E402, F401

FRONT_IMPORTED = time.perf_counter()

from dora.compiled.machine import Machine  # noqa: E402

IMPORTED = time.perf_counter()

from dora import engine  # noqa: E402
from dora.bytecode.entities import FunctionRef  # noqa: E402
from dora.text.diagnostics import Diagnostics  # noqa: E402
from dora.text.loading import load_source  # noqa: E402

ENGINE = "baseline"


class TimedMachine(Machine):
    """A machine that looks at the clock when it compiles."""

    lowering = 0.0
    compiling = 0.0

    def compile(self, ref: FunctionRef) -> int:
        start = time.perf_counter()
        self.translator.specializer.code(ref)
        lowered = time.perf_counter()
        address = super().compile(ref)
        self.lowering += lowered - start
        self.compiling += time.perf_counter() - lowered
        return address


def main(started: float, path: str) -> None:
    begin = time.perf_counter()
    engine.library_for(ENGINE)
    declared = time.perf_counter()
    source = load_source(path, sys.stdin.buffer, Diagnostics())
    assert source is not None
    program = engine.compile_program(source, Diagnostics(), engine=ENGINE)
    assert program is not None
    checked = time.perf_counter()
    machine = TimedMachine(program, stdout=sys.stdout.buffer, stderr=sys.stderr.buffer)
    prepared = time.perf_counter()
    machine.run_main()
    sys.stdout.buffer.flush()
    end = time.perf_counter()
    parts = {
        "Python itself": ENTERED - started,
        "imports: command line, reading, checking": FRONT_IMPORTED - READY,
        "imports: compiler and runtime": IMPORTED - FRONT_IMPORTED,
        "declaring the library": declared - begin,
        "reading and checking the program": checked - declared,
        "preparing memory and stubs": prepared - checked,
        "lowering (checks bodies of the library)": machine.lowering,
        "compiling and placing": machine.compiling,
        "running": end - prepared - machine.lowering - machine.compiling,
    }
    print(json.dumps(parts), file=sys.stderr, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])

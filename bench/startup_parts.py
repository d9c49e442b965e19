"""One start of `dora FILE` in this process, with the time of every part on stderr as JSON.

    python bench/startup_parts.py STARTED FILE          everything is compiled
    python bench/startup_parts.py STARTED FILE stored   the code of an earlier run is used

`startup.py` runs it in fresh processes.  STARTED is the monotonic clock when the process was asked for.
Modules are loaded one after the other because that is what is measured; they are those of the command `dora`.
"""

import time

ENTERED = time.perf_counter()

import io  # noqa: E402
import json  # noqa: E402  (its time is subtracted: it is ours, not Dora's)
import os  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

READY = time.perf_counter()

import doralang.cli.main  # noqa: E402
import doralang.cli.run  # noqa: E402, F401
from doralang.optional import load  # noqa: E402
from doralang.settings import Settings, Streams  # noqa: E402
from doralang.text.files import read_file  # noqa: E402

FRONT_IMPORTED = time.perf_counter()

Parts = dict[str, float]


def streams() -> dict[str, Any]:
    return {"stdout": sys.stdout.buffer, "stderr": sys.stderr.buffer}


def compiled_start(path: str) -> Parts:
    """Check and compile everything."""
    checking, loading = load("doralang.session.checking"), load("doralang.text.loading")
    diagnostics = load("doralang.text.diagnostics").Diagnostics()
    checker_imported = time.perf_counter()
    machine_class = load("doralang.engines.native").Machine
    imported = time.perf_counter()
    checking.library_for("baseline")
    declared = time.perf_counter()
    source = loading.load_source(path, sys.stdin.buffer, diagnostics)
    program = checking.compile_program(source, diagnostics, engine="baseline")
    checked = time.perf_counter()
    machine = machine_class(program, **streams())
    times = {"lowering": 0.0, "compiling": 0.0}
    watch(machine, times)
    prepared = time.perf_counter()
    machine.run_main()
    sys.stdout.buffer.flush()
    end = time.perf_counter()
    return {
        "imports: reading and checking": checker_imported - FRONT_IMPORTED,
        "imports: compiler and runtime": imported - checker_imported,
        "declaring the library": declared - imported,
        "reading and checking the program": checked - declared,
        "preparing memory and stubs": prepared - checked,
        "lowering (checks bodies of the library)": times["lowering"],
        "compiling and placing": times["compiling"],
        "running": end - prepared - times["lowering"] - times["compiling"],
    }


def watch(machine: Any, times: Parts) -> None:
    """Look at the clock around every function that is compiled."""
    for module in (machine.module, machine.module.parent):
        watch_module(module, times)


def watch_module(module: Any, times: Parts) -> None:
    supply = module.supply

    def timed(name: str) -> int:
        start = time.perf_counter()
        specializer, known = module.specializer, module.functions.get(name)
        specializer.code(specializer.find(known.head if known is not None else name, name))
        lowered = time.perf_counter()
        address = int(supply(name))
        times["lowering"] += lowered - start
        times["compiling"] += time.perf_counter() - lowered
        return address

    module.supply = timed


def stored_start(path: str) -> Parts:
    """Take the code from the cache, which must have it."""
    running, modules = load("doralang.session.running"), load("doralang.native.module")
    images, cache = load("doralang.native.image"), load("doralang.native.cache")
    runners = load("doralang.engines.stored")
    imported = time.perf_counter()
    settings, file = Settings(), read_file(path, io.BytesIO())
    entry = cache.find_entry(file, settings)
    assert entry.read() is not None, "the program is not in the cache"
    found = time.perf_counter()
    machine = running.stored_program(entry, file, [], Streams(io.BytesIO(), **streams()), settings)
    assert (modules, images, runners) and machine is not None
    prepared = time.perf_counter()
    machine.run_main()
    sys.stdout.buffer.flush()
    end = time.perf_counter()
    return {
        "imports: runtime": imported - FRONT_IMPORTED,
        "finding and reading the stored program": found - imported,
        "preparing memory, stubs and names": prepared - found,
        "placing and running": end - prepared,
    }


def main(started: float, path: str, *mode: str) -> None:
    parts = {
        "Python itself": ENTERED - started,
        "imports: command line": FRONT_IMPORTED - READY,
        **(stored_start(path) if mode else compiled_start(path)),
    }
    print(json.dumps(parts), file=sys.stderr, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(float(sys.argv[1]), *sys.argv[2:])

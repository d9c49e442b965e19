"""Runs the corpus; prints what went wrong and how much there was, as one line of JSON.

python child.py formulas|programs|uses
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import corpus

import doralang as dora

REFUSED: Final = (dora.DoraError, TypeError, ValueError, OverflowError, AttributeError, KeyError)
SLOWEST: Final = 15.0
"""seconds, on a machine with other things to do; the limits are 1 s for compiling and running each"""


class Report:
    """What went wrong."""

    def __init__(self) -> None:
        self.count = 0
        self.wrong: list[str] = []

    def run(self, name: str, use: Callable[[], object], *, refused: bool = False) -> None:
        """A case, which must end soon, by a value or a refusal; `refused` says by that alone."""
        self.count += 1
        begin = time.monotonic()
        try:
            value = use()
            if refused:
                self.wrong.append(f"{name}: gave {value!r}")
        except (*REFUSED, Asked):
            pass
        except BaseException as error:
            self.wrong.append(f"{name}: {type(error).__name__}: {error}"[:300])
        taken = time.monotonic() - begin
        if taken > SLOWEST:
            self.wrong.append(f"{name}: took {taken:.1f} s")


def evaluate(text: str) -> object:
    formula = dora.expr(text)
    return formula(*[1.5] * len(formula.names))


def formulas(report: Report) -> None:
    for text in [*corpus.REACHING, *corpus.FOREIGN]:
        report.run(text[:40], lambda text=text: evaluate(text), refused=True)  # type: ignore[misc]
        dora.check(text)
    for name, text in corpus.LARGE.items():
        report.run(name, lambda text=text: evaluate(text))  # type: ignore[misc]
    for text in corpus.HARMLESS:
        report.run(text, lambda text=text: evaluate(text))  # type: ignore[misc]
        assert dora.check(text).ok, text


def programs(report: Report) -> None:
    def run(source: str) -> object:
        return dora.compile(source, policy="untrusted", print=None).main()

    for name, source in corpus.PROGRAMS.items():
        report.run(name, lambda source=source: run(source))  # type: ignore[misc]
        assert dora.expr("x + 1")(1.0) == 2.0, "the process is well"
        assert dora.expr('s + "!"', {"s": str})("a") == "a!", "and so are others"


# Uses of the API.


class Asked(Exception):
    """Raised by an argument itself, and so what its caller gets."""


class Evil(float):
    def __float__(self) -> float:
        raise Asked


class EvilInt(int):
    def __index__(self) -> int:
        raise Asked


class EvilText(str):
    def encode(self, *arguments: Any) -> bytes:
        raise Asked


SOURCE: Final = """
var kept: Str = "";
class P(var x: int) { fun get() -> int { return self.x; } }
fun p(n: int) -> P { return P(n); }
fun get(p: P) -> int { return p.x; }
fun ask(n: int) -> int { return host(n); }
fun text(s: Str) -> Str { kept = s; return s; }
fun forever() { while true { } }
"""


def uses(report: Report) -> None:
    odd: list[Any] = [
        None,
        "x",
        b"x",
        [],
        {},
        object(),
        1 << 70,
        1j,
        True,
        float("nan"),
        Evil(1),
        EvilInt(1),
        EvilText("x"),
        "\ud800",
        type,
        lambda: 1,
    ]
    half = dora.expr("x / 2")
    for value in odd:
        harmless = isinstance(value, float | int) and not isinstance(value, bool)
        report.run(f"argument {value!r:.30}", lambda value=value: half(value), refused=not harmless)  # type: ignore[misc]
        report.run(f"formula {value!r:.30}", lambda value=value: dora.expr(value)(1))  # type: ignore[misc]
        report.run(f"types {value!r:.30}", lambda value=value: dora.expr("x", {"x": value}))  # type: ignore[misc]
        report.run(f"source {value!r:.30}", lambda value=value: dora.compile(value), refused=value != "")  # type: ignore[misc]
        report.run(f"constant {value!r:.30}", lambda value=value: dora.expr("x", constants={"x": value})())  # type: ignore[misc]
        report.run(f"limit {value!r:.30}", lambda value=value: dora.Limits(memory=value, time=value))  # type: ignore[misc]
    for limit in ("memory", "time", "stack", "output", "source_size", "compile_time", "code_size"):
        limits = dora.Limits.untrusted().replace(**{limit: 0})
        report.run(f"{limit}=0", lambda limits=limits: dora.expr('"a" + "b"', limits=limits)())  # type: ignore[misc]
        report.run(f"negative {limit}", lambda limit=limit: dora.Limits(**{limit: -1}), refused=True)  # type: ignore[misc]
    report.run(
        "grant", lambda: dora.compile("fun f() { }", policy="untrusted", grant=["files"]), refused=True
    )
    in_instances(report)


def in_instances(report: Report) -> None:
    module: Any = None

    def host(n: int) -> int:
        if n == 0:
            return module.get(module.p(1))  # its instance runs
        if n == 1:
            module.instance.close()
        if n == 2:
            raise RuntimeError("from the host")
        if n == 3:
            gc.collect()
        if n == 4:
            return "no int"  # type: ignore[return-value]
        if n == 5:
            return 1 << 40
        if n == 6:
            raise KeyboardInterrupt
        return n

    module = dora.compile(SOURCE, functions={"host": host}, print=None, policy="untrusted")
    other = dora.compile(SOURCE, functions={"host": host}, print=None, policy="untrusted")
    for n, error in [
        (0, dora.InstanceBusy),
        (1, dora.InstanceBusy),
        (2, RuntimeError),
        (4, TypeError),
        (5, OverflowError),
        (6, KeyboardInterrupt),
    ]:

        def ask(n: int = n, error: type[BaseException] = error) -> object:
            try:
                return module.ask(n)
            except error:
                raise ValueError("as it must be") from None

        report.run(f"host function {n}", ask, refused=True)
    report.run("host collects", lambda: module.ask(3))
    report.run("object of another instance", lambda: module.get(other.p(1)), refused=True)
    report.run("object of nothing", lambda: module.get(None), refused=True)
    report.run("object that is none", lambda: module.get(object()), refused=True)
    report.run("field that is not there", lambda: module.p(1).y, refused=True)
    report.run("field of a wrong type", lambda: setattr(module.p(1), "x", "s"), refused=True)
    report.run(
        "method of a dropped instance", lambda: dora.compile(SOURCE, functions={"host": host}).p(7).get()
    )
    report.run("large text", lambda: module.text("x" * 200_000_000), refused=True)
    report.run("time", lambda: module.forever(), refused=True)
    threads = [
        threading.Thread(target=report.run, args=(f"thread {n}", lambda: module.ask(9))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.run("cancelled", lambda: cancelled(module), refused=True)
    module.instance.close()
    report.run("closed", lambda: module.p(1), refused=True)
    report.run("closed twice", lambda: module.instance.close())


def cancelled(module: Any) -> object:
    timer = threading.Timer(0.05, module.instance.cancel)
    timer.start()
    return module.forever()


GROUPS: Final = {"formulas": formulas, "programs": programs, "uses": uses}


def main() -> None:
    report = Report()
    GROUPS[sys.argv[1]](report)
    gc.collect()
    print(json.dumps({"count": report.count, "wrong": report.wrong}))


if __name__ == "__main__":
    main()

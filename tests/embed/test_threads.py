"""Threads that compile, call, cancel, pickle, fork and drop at once."""

from __future__ import annotations

import ast
import faulthandler
import gc
import os
import pickle
import random
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import pytest

import doralang as dora
from doralang.embed import expressions, formulas, functions, instances, modules
from doralang.embed.direct import DirectCalls
from doralang.embed.instances import LIVE_HOSTS, Host
from doralang.embed.programs import LIVE_PROGRAMS, CheckedProgram
from doralang.native.module import LIBRARIES
from doralang.runtime import stacks, ticker
from doralang.runtime.code_space import SPACES, CodeSpace

SHARED = """
fun join(a: Str, n: int, b: Str) -> Str { return a + n.toString() + b; }
fun spin(n: int) -> int { var s = 0; for i in range(0, n) { s = s + i % 7; } return s; }
fun deep(n: int) -> int { if n == 0 { return 0; } return deep(n - 1) + 1; }
"""
COUNTING = """
class Point(var x: int)
var n: int = 0;
fun next() -> int { n = n + 1; return n; }
fun make(x: int) -> Point { return Point(x); }
fun forever() { while true { Array::<long>(10); } }
"""
SECONDS = float(os.environ.get("DORA_THREADS", "3"))
THREADS = 8
PATIENCE = 120
"""seconds after which a child says where it hangs"""


def plus_one(x: float) -> float:
    if x > 1e6:
        raise KeyError("large")
    return x + 1


def actions(shared: dora.Module, counting: dora.Module) -> list[Callable[[random.Random], None]]:
    def formula(choose: random.Random) -> None:
        factor = choose.random()
        assert dora.expr(f"x * {factor} + y")(2.0, 1.0) == 2.0 * factor + 1.0

    def texts(choose: random.Random) -> None:
        text = "ä" * choose.randrange(300)
        assert shared.join(text, 5, "b") == text + "5b"

    def long_calls(choose: random.Random) -> None:
        assert shared.spin(7 * choose.randrange(20_000)) % 21 == 0
        assert shared.deep(20_000) == 20_000

    def programs(choose: random.Random) -> None:
        number = choose.random()
        m = dora.compile(f'fun f(s: Str) -> Str {{ return s + "{number}"; }}')
        assert m.f("a") == f"a{number}"

    def objects(choose: random.Random) -> None:
        instance = counting.new()
        point = instance.make(5)
        point.x = 7
        assert instance.next() == 1 and point.x == 7
        if choose.random() < 0.5:
            instance.close()

    def host_functions(choose: random.Random) -> None:
        formula = dora.expr("f(x) * 2", functions={"f": plus_one}, limits=dora.Limits())
        assert formula(1.0) == 4.0
        with pytest.raises(KeyError):
            formula(1e7)

    def limits(choose: random.Random) -> None:
        with pytest.raises((dora.TimeLimitExceeded, dora.OutOfMemory)):
            counting.new(dora.Limits(time=0.01, memory="1MB")).forever()

    def pickles(choose: random.Random) -> None:
        formula = dora.expr(f"x + {choose.randrange(50)}")
        again = pickle.loads(pickle.dumps(formula))
        assert again == formula and again(1.0) == formula(1.0)
        module = pickle.loads(pickle.dumps(shared))
        assert module.join("a", 1, "b") == "a1b"

    def forks(choose: random.Random) -> None:
        if choose.random() < 0.1:
            assert end_of(fork(shared, counting)) == 0

    def collect(choose: random.Random) -> None:
        if choose.random() < 0.2:
            gc.collect()

    return [formula, texts, long_calls, programs, objects, host_functions, limits, pickles, forks, collect]


def in_a_child(shared: dora.Module, counting: dora.Module) -> bool:
    """Whether everything goes on in a forked process, which has no ticker thread at first."""
    if shared.join("a", 1, "b") != "a1b" or dora.expr("x + 1")(1) != 2:
        return False
    try:
        counting.new(dora.Limits(time=0.05)).forever()
    except dora.TimeLimitExceeded:
        return True
    return False


def fork(shared: dora.Module, counting: dora.Module) -> int:
    """A child that ends with 0 if all is well."""
    child = os.fork()
    if child == 0:
        status = 3
        try:
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            status = 0 if in_a_child(shared, counting) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def end_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_threads_and_a_fork() -> None:
    shared, counting = dora.compile(SHARED), dora.compile(COUNTING)
    end = time.monotonic() + SECONDS
    wrong: list[str] = []

    def work(number: int) -> None:
        choose = random.Random(number)
        try:
            while time.monotonic() < end:
                choose.choice(actions(shared, counting))(choose)
        except BaseException:
            wrong.append(traceback.format_exc())

    threads = [threading.Thread(target=work, args=[number]) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[0]
    assert end_of(fork(shared, counting)) == 0
    assert shared.join("a", 1, "b") == "a1b"


def test_a_handler_may_call_while_the_ticker_is_at_work() -> None:
    """As one of a signal does, which comes at any line of what every call may do."""
    found: list[int] = []
    lines: set[int] = set()
    code = dora.compile(SHARED)._program.code

    def handler(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename != ticker.__file__:
            return None if event == "call" else handler
        if event == "line" and frame.f_lineno not in lines:
            lines.add(frame.f_lineno)
            found.append(dora.compile(SHARED).deep(3))
        return handler

    def work() -> None:
        code.space.ticker.table[0] = 0  # so it starts
        sys.settrace(handler)
        try:
            found.append(dora.compile(SHARED).deep(3))
        finally:
            sys.settrace(None)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), "it waits for itself"
    assert len(lines) > 5
    assert found == [3] * (len(lines) + 1)


def test_a_ticker_that_cannot_be_made_is_made_later(monkeypatch: pytest.MonkeyPatch) -> None:
    m = dora.compile(SHARED, limits=dora.Limits(time=0.2))
    assert m.deep(3) == 3
    ticking = m._program.code.space.ticker
    with monkeypatch.context() as patched:
        patched.setattr(ticker, "function", lambda *types: lambda *arguments: 11)
        ticking.table[0] = 0
        with pytest.raises(MemoryError):
            m.deep(3)
    with pytest.raises(dora.TimeLimitExceeded):
        while True:
            m.spin(1 << 30)


FIRST = """
import sys, threading
import doralang as dora

TEXTS = [
    'fun f(k: int) -> Str { [1, k].iter().chain([7].iter()).toSet().len().toString() }',
    'fun f(k: int) -> Str { let m = HashMap::<Str, Vec<int>>(); m["a"] = [k]; "${m} ${(1, "a")}" }',
    'fun f(k: int) -> Str { "${"a,b".split(",")} ${Some(k).map(|x| x + 1)}" }',
]
together, found = threading.Barrier(6), []

def work(number):
    together.wait()
    if number < 3:
        found.append((number, dora.compile(TEXTS[number]).f(5)))
    else:
        limits = dora.Limits(time=60.0)  # the others compile meanwhile
        formula = dora.expr("upper(n) + text(len(n) * k)", {"n": str, "k": int}, limits=limits)
        found.append((number, formula("ab", number)))

sys.setswitchinterval(1e-5)
threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(found) + [dora.compile(text).f(6) for text in TEXTS])
"""


def test_threads_may_be_the_first_to_compile() -> None:
    """All of them have one library, one place for code, and each entity of the library once."""
    for _ in range(3):
        run = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, timeout=PATIENCE)
        assert not run.stderr
        assert ast.literal_eval(run.stdout) == [
            *((0, "3"), (1, "{a: [5]} (1, a)"), (2, "[a, b] Some(6)"), (3, "AB6"), (4, "AB8"), (5, "AB10")),
            *("3", "{a: [6]} (1, a)", "[a, b] Some(7)"),
        ]


def all_at_once(ask: Callable[[], object]) -> list[object]:
    """What several threads get that ask at the same time, before any of them has got an answer."""
    together, found = threading.Barrier(THREADS), []

    def work() -> None:
        together.wait(PATIENCE)
        found.append(ask())

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return found


def test_all_threads_have_one_first_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each of them makes one: who began its turn in one must not run in another."""
    module, making = dora.compile(SHARED), threading.Barrier(THREADS)
    made = module._pool.new

    def new() -> Host:
        host = made()
        making.wait(PATIENCE)
        return host

    monkeypatch.setattr(module._pool, "new", new)
    hosts = all_at_once(lambda: module._pool.host)
    assert len(hosts) == THREADS and len(set(map(id, hosts))) == 1
    assert module.deep(3) == 3


def test_all_threads_have_the_instance_of_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    making, make = threading.Barrier(THREADS), dora.Instance

    def new(program: CheckedProgram, limits: dora.Limits) -> dora.Instance:
        instance = make(program, limits)
        making.wait(PATIENCE)
        return instance

    monkeypatch.setattr(modules, "Instance", new)
    module = dora.compile(COUNTING)
    found = all_at_once(lambda: module.instance)
    assert len(found) == THREADS and len(set(map(id, found))) == 1
    assert [module.next(), module.next()] == [1, 2]


def test_stacks_that_threads_add_are_taken_once() -> None:
    """The list of stacks that nobody uses is changed by machine code alone, in one step."""
    space = dora.compile(SHARED)._program.code.space
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        taken = [top for found in all_at_once(lambda: change_stacks(space)) for top in found]  # type: ignore[attr-defined]
    finally:
        sys.setswitchinterval(before)
    assert len(taken) == len(set(taken))
    for top in taken:
        stacks.free_stack(top)


def change_stacks(space: CodeSpace) -> list[int]:
    """Take stacks from the list and add some, again and again; those that this thread has in the end."""
    mine: list[int] = []
    for _ in range(3000):
        mine += [stacks.new_stack()] if len(mine) < 2 else []
        space.add_spare(mine.pop())
        mine += [top] if (top := space.take_spare()) else []
    return mine


def test_an_instance_is_closed_between_calls_or_not_at_all() -> None:
    module = dora.compile(
        "class A(var x: int) var g: A = nil; fun f(n: int) -> int { g = A(n); pause(n); return g.x; }",
        functions={"pause": pause},
    )
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(60):
            close_while_it_is_called(module)
    finally:
        sys.setswitchinterval(before)


def pause(n: int) -> int:
    time.sleep(1e-5)
    return n


def close_while_it_is_called(module: dora.Module) -> None:
    instance, wrong = module.new(), []

    def call() -> None:
        while True:
            time.sleep(random.random() * 2e-4)
            try:
                if instance.f(5) != 5:
                    wrong.append(instance)
            except dora.InstanceBusy:
                continue
            except dora.InstanceSpent:
                return

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(random.random() * 1e-3)
    closed = False
    while not closed:
        try:
            instance.close()
            closed = True
        except dora.InstanceBusy:
            pass
    for thread in threads:
        thread.join(30)
    assert not wrong and not any(thread.is_alive() for thread in threads)


def test_objects_stay_and_keep_no_call_waiting() -> None:
    """Objects live in the instances of the calls that made them, and their methods run there."""
    several = 2 + instances.MOST_POOLED
    gate = threading.Barrier(several)

    def meet(n: int) -> int:
        gate.wait(60)
        return n

    m = dora.compile(
        """
        class Cell(var n: int) {
          fun next() -> int { self.n += 1; return self.n; }
          fun together() -> int { return meet(self.n); }
        }
        fun cell(n: int) -> Cell { return Cell(meet(n)); }
        fun twice(n: int) -> int { return n + n; }
        """,
        functions={"meet": meet},
    )
    with ThreadPoolExecutor(several) as threads:
        cells = list(threads.map(m.cell, range(several)))
        assert [cell.next() for cell in cells] == list(range(1, several + 1))
        running = [threads.submit(cell.together) for cell in cells[1:]]
        while gate.n_waiting < several - 1:
            time.sleep(0.001)
        assert [m.twice(n) for n in range(3)] == [0, 2, 4]
        assert cells[0].together() == 1
        assert sorted(one.result() for one in running) == list(range(2, several + 1))


def test_nobody_finds_a_pool_whose_instances_are_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may look for one just then, as it makes a formula."""
    found: list[object] = []
    free = instances.free

    def look_and_free(code: Any, hosts: Any) -> None:
        found.append(expressions.POOLS.get((limits, True)))
        free(code, hosts)

    formula = dora.expr('name + "!"', {"name": str}, limits=dora.Limits(memory="3MB", time=7.0))
    assert formula("a") == "a!" and formula._general is not None
    limits = formula._general._callee.recipe.limits
    assert expressions.POOLS[limits, True].kept.made is not None
    gc.collect()  # what other tests have left
    monkeypatch.setattr(instances, "free", look_and_free)
    del formula
    gc.collect()
    assert found == [None]


def test_nobody_finds_a_wrapper_that_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may look for one of the same signature just then."""
    found: list[bool] = []
    condemn = CodeSpace.condemn

    def look_and_condemn(space: CodeSpace, free: Callable[[], None]) -> None:
        if "Placed" in free.__qualname__:
            found.append(functions.WRAPPERS.get(wrapped) is not None)
        condemn(space, free)

    m = dora.compile("fun f(a: byte, b: double, c: byte, d: Str, e: byte) -> byte { return a; }")
    wrapped = m.f._callee.wrapped
    functions.RECENT.clear()
    gc.collect()
    monkeypatch.setattr(CodeSpace, "condemn", look_and_condemn)
    del m
    gc.collect()
    assert found and not any(found)


# What is dropped while others are at work.

DROPPED = """
class Pair<T>(let a: T, let b: T) { fun both(f: (T, T) -> T) -> T { return f(self.a, self.b); } }
var calls: int = 0;
fun use(n: int) -> int { calls = calls + 1; return Pair::<int>(n, NUMBER).both(|a, b| a * 31 + b) + calls; }
"""


def raw_counters() -> dict[str, int]:
    """What is there now, by who has it: nothing is freed by asking.

    Functions of the library are compiled when somebody needs them, as the ticker may, and stay.
    """
    (space,) = SPACES.values()
    place = formulas.place()
    shared = [module.loader for module in LIBRARIES.values()]
    functions = [placed.size for loader in shared for placed in [*loader.placed.values(), *loader.retired]]
    return {
        "condemned": len(space.condemned) + len(place.condemned),
        "programs": len(LIVE_PROGRAMS),
        "hosts": len(LIVE_HOSTS),
        "formulas": place.formulas,
        "code": space.arena.code.used - sum(map(space.arena.code.rounded, functions)),
        "data": space.arena.data.used - sum(loader.data_size for loader in shared),
        "code of formulas": place.arena.code.used,
        "owners": sum(owner is not None for owner in space.owners),
    }


def use_and_drop(number: int) -> None:
    assert dora.compile(DROPPED.replace("NUMBER", str(number))).use(1) == 32 + number
    assert dora.expr(f"x * {number} + n", {"x": float, "n": int})(2.0, 1) == 2.0 * number + 1
    limits = dora.Limits(time=77.0)  # of nobody else, so its instances go with it
    assert dora.expr(f"text(n + {number}L)", {"n": int}, limits=limits)(1) == str(number + 1)


def test_what_is_dropped_goes_when_the_lock_does() -> None:
    use_and_drop(0)
    (space,) = SPACES.values()
    before = raw_counters()
    m = dora.compile(DROPPED.replace("NUMBER", "7"))
    assert m.use(1) == 39
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with space.freeing, space.lock:
            is_held.set()
            may_go.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait()
    del m
    assert space.condemned, "nobody else may free it"
    may_go.set()
    holder.join()
    assert raw_counters() == before


def test_all_that_threads_have_dropped_is_gone_when_they_are_quiet() -> None:
    def work(first: int) -> None:
        for number in range(first, first + 40):
            use_and_drop(number)

    work(0)
    many = [dora.compile(DROPPED.replace("NUMBER", str(number))) for number in range(40)]
    assert [m.use(1) for m in many] == [32 + number for number in range(40)]
    del many  # spare cells stay, for as many programs at once
    before = raw_counters()
    for _ in range(3):
        gc.disable()
        try:
            with ThreadPoolExecutor(4) as pool:
                for done in [pool.submit(work, 100 * number) for number in range(4)]:
                    done.result()
        finally:
            gc.enable()
        assert raw_counters() == before


def test_an_interrupt_leaves_the_lock_of_formulas_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    place = formulas.place()
    before = place.formulas
    held = dora.expr("x + 1")

    def interrupted(*_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(DirectCalls, "free", interrupted)
        place.condemned.append((0, 0, 0))
        with pytest.raises(KeyboardInterrupt):
            place.reap()
    assert not place.is_mine()
    del held
    assert place.formulas == before and not place.condemned

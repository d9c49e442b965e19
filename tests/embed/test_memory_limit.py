"""The limit of memory is of everything that an instance makes the process hold: measured from outside."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

import doralang as dora
from doralang.machine.targets import host

pytestmark = pytest.mark.skipif(host() is None, reason="there is no compiled code")

SOURCE = """
class Leaf(var other: Leaf)
class Node(let a: Leaf, let b: Leaf, let c: Leaf, var next: Node)
open class Shape { open fun size() -> int { 1 } }
fun leaf() -> Leaf { let made = Leaf(nil); made.other = made; return made; }
fun twice(n: int) -> int { 2 * n }
fun small() -> Str { "a" + 1.toString() }

// Fills the memory with what is alive.
fun words() { let all = Vec::<Array<long>>(); loop { all.push(Array::<long>(100)); } }
fun large() { let all = Vec::<Array<long>>(); loop { all.push(Array::<long>(3000)); } }
fun cells() {
  let all = Vec::<Array<byte>>();
  var size = 1;
  loop { all.push(Array::<byte>(size)); size = size % 700 + 9; }
}
// What marks it has something to remember at each step.
fun deep() { var list: Node = nil; loop { list = Node(leaf(), leaf(), leaf(), list); } }
fun wide() { let all = Vec::<Vec<Leaf>>(); loop { let one = Vec::<Leaf>(); for i in 0..50 { one.push(leaf()); } all.push(one); } }
// Old objects that refer to new ones, time and again.
fun cards() {
  let all = Vec::<Node>();
  loop { all.push(Node(leaf(), leaf(), leaf(), if all.len() > 0 { all[all.len() / 2] } else { nil })); for i in 0..all.len() / 100 { all[i * 100].next = Node(leaf(), nil, nil, nil); } }
}
fun texts() { var text = "x"; loop { text = text + text; } }
fun churn(rounds: int) -> int { var n = 0; for i in 0..rounds { n = n + Array::<long>(100).len(); } n }
fun recursion(n: int, text: Str) -> int { let more = text + "a"; if n == 0 { forceCollect(); return more.len(); } return recursion(n - 1, more.substring(0, 1)) + more.len(); }
fun shout() { loop { println("abcdefghijklmnopqrstuvwxyz"); } }
fun make() -> Leaf { leaf() }
"""
FILLING = ("words", "large", "cells", "deep", "wide", "cards", "texts")
LIMIT = 8 << 20
SLACK = 256 << 10
"""bytes that Python itself may take meanwhile"""


def held() -> int:
    """Bytes of the process that nobody shares with it, and that were touched."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) << 10
    raise AssertionError("the kernel tells")


@pytest.fixture(scope="module")
def warm() -> dora.Module:
    """The program, with all the code there is going to be: one that runs in another instance first."""
    m = dora.compile(SOURCE, print=None)
    for name in FILLING:
        with m.new(dora.Limits(memory=LIMIT // 4)) as instance, pytest.raises(dora.OutOfMemory):
            getattr(instance, name)()
    with m.new(dora.Limits(memory=LIMIT)) as instance:
        instance.churn(100_000)
        instance.recursion(10, "a")
        instance.make()
    return m


@pytest.mark.parametrize("name", FILLING)
def test_what_fills_memory_stays_within_it(warm: dora.Module, name: str) -> None:
    gc.collect()
    with warm.new(dora.Limits(memory=LIMIT)) as instance:
        before = held()
        for _ in range(2):
            with pytest.raises(dora.OutOfMemory):
                getattr(instance, name)()
            assert held() - before <= LIMIT + SLACK
        assert instance.twice(4) == 8
        assert held() - before >= LIMIT // 4, "most of it can be used"


def test_garbage_takes_no_more(warm: dora.Module) -> None:
    with warm.new(dora.Limits(memory=LIMIT)) as instance:
        before = held()
        assert instance.churn(200_000) == 20_000_000
        assert held() - before <= LIMIT + SLACK


def test_handles_are_within_it(warm: dora.Module) -> None:
    with warm.new(dora.Limits(memory=LIMIT)) as instance:
        kept: list[Any] = []
        with pytest.raises(dora.OutOfMemory):
            while True:
                kept.append(instance.make())
        assert len(kept) >= 10_000
        kept.pop()
        assert instance.make() is not None


def test_roots_of_a_deep_stack_are_given_back(warm: dora.Module) -> None:
    with warm.new(dora.Limits(memory=LIMIT, stack="4MB")) as instance:
        before = held()
        depth = 20_000
        assert instance.recursion(depth, "a") == 2 * depth + 2
        assert held() - before <= LIMIT + (4 << 20) + SLACK


@pytest.mark.parametrize(
    "memory", [0, 1, 7, 64, 4095, 4096, 20_000, 50_000, 1 << 16, 100_001, 1 << 20, 1 << 40, 1 << 62, 1 << 70]
)
def test_every_value_works(warm: dora.Module, memory: int) -> None:
    with warm.new(dora.Limits(memory=memory, output=1000, time=20.0)) as instance:
        assert instance.twice(4) == 8
        if memory < 1 << 30:
            for name in FILLING:
                with pytest.raises(dora.OutOfMemory):
                    getattr(instance, name)()
        with pytest.raises(dora.LimitExceeded):
            instance.shout()
        if memory >= 1 << 17:
            assert instance.small() == "a1"


def test_a_collection_can_be_forced() -> None:
    m = dora.compile(
        "fun f(n: int) -> int { let kept = Vec::<Str>(); for i in 0..n { kept.push(i.toString()); forceCollect(); } kept[n - 1].len() }"
    )
    with m.new(dora.Limits(memory="1MB")) as instance:
        assert instance.f(100) == 2
    assert m.f(100) == 2


def test_shapes_and_literals_are_within_the_limit_of_code() -> None:
    """Classes that inherit from each other have tables as long as the line of them is deep."""
    classes = "\n".join(
        f"open class C{n}: C{n - 1} {{ open fun m{n}() -> int {{ {n} }} }}" for n in range(1, 600)
    )
    made = "\n".join(f"x = x + C{n}().m{n}();" for n in range(1, 600))
    text = "open class C0\n" + classes + f"\nfun f() -> int {{ var x = 0; {made} x }}"
    literals = (
        "fun f() -> int { var x = 0; " + "".join(f'x = x + "{n:01000}".len();' for n in range(500)) + " x }"
    )
    for source in (text, literals):
        assert dora.compile(source).f() > 0
        gc.collect()
        m = dora.compile(source, limits=dora.Limits(code_size="300KB"))
        for _ in range(3):
            with pytest.raises(dora.LimitExceeded, match="code_size"):
                m.f()
        loader = m._program.code.loader
        assert loader.code_size + loader.data_size <= 300 << 10

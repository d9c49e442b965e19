"""What the system does not give: reservations get smaller, and what cannot be is said in one line.

The limit is that of addresses (`ulimit -v`), which strikes where memory is reserved and where Python allocates.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import ENGINES
from doralang.code.collectors import COLLECTORS, Spaces
from doralang.machine.memory import MOST_ADDRESSES, MappingError, is_room_for, map_memory
from doralang.machine.targets import host
from doralang.runtime import spaces
from doralang.runtime.spaces import Sizes, fitting, needed
from doralang.settings import ImpossibleSetting

pytestmark = pytest.mark.skipif(host() is None, reason="there is no compiled code")

PATIENCE = 600
MEGABYTE = 1 << 20
LINKS = """
class Link(let value: int, let next: Link)
fun main() {
  var kept: Link = nil;
  var sum = 0L;
  for i in range(0, 1000000) {
    if i % 10000 == 0 { kept = nil; }
    kept = Link(i, kept);
    sum = sum + kept.value.toLong();
  }
  println(sum.toString());
}
"""
SUM = "499999500000\n"


def dora(limit: int, *arguments: str) -> tuple[int, str, str]:
    """What the command gives with so many bytes of addresses."""
    done = subprocess.run(
        [sys.executable, "-m", "doralang", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def links(tmp_path: Path) -> str:
    path = tmp_path / "links.dora"
    path.write_text(LINKS)
    return str(path)


@pytest.mark.parametrize("collector", [name for name in COLLECTORS if name != "zero"])
@pytest.mark.parametrize("limit", [2_000_000 << 10, 500_000 << 10])
def test_programs_run_with_little(links: str, collector: str, limit: int) -> None:
    assert dora(limit, f"--gc={collector}", links) == (0, SUM, "")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_engines_run_with_little(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "hello.dora"
    path.write_text('fun main() { println("hello"); }')
    assert dora(2_000_000 << 10, f"--engine={engine}", str(path)) == (0, "hello\n", "")


@pytest.mark.parametrize("seed", range(12))
def test_with_any_limit_it_runs_or_says_in_one_line_why_not(links: str, seed: int) -> None:
    some = random.Random(seed)
    limit = some.randrange(40 * MEGABYTE, 400 * MEGABYTE)
    engine = some.choice(["baseline", "baseline", "baseline", "vm"])
    size = some.choice([[], [], ["--heap-size=1m"], ["--heap-size=100m"]])
    gc = f"--gc={some.choice(list(COLLECTORS))}"
    options = [*size, gc] if engine == "baseline" else size
    status, out, err = dora(limit, f"--engine={engine}", *options, links)
    if status == 0:
        assert (out, err) == (SUM, "")
    elif status == 2:
        assert size and err.startswith("dora: --heap-size: this process is not given ")
    else:
        assert (status, err.splitlines()[:1]) == (107, ["out of memory"]), err


@pytest.mark.parametrize("collector", COLLECTORS)
@pytest.mark.parametrize("size", ["999999999g", "17179869183g", "99999999g"])
def test_a_heap_that_cannot_be_is_wrong_usage(links: str, collector: str, size: str) -> None:
    status, out, err = dora(resource.RLIM_INFINITY, f"--gc={collector}", f"--heap-size={size}", links)
    assert (status, out) == (2, "")
    assert err.startswith("dora: --heap-size: this process is not given ")
    assert len(err.splitlines()) == 1


def test_a_large_young_generation_is_cut() -> None:
    sizes = fitting(Spaces.GENERATIONS, 64 * MEGABYTE, 1, 1 << 60)
    assert needed(Spaces.GENERATIONS, sizes) < 1 << 30


@pytest.mark.parametrize("size", [MOST_ADDRESSES + 1, 1 << 64, (1 << 64) + 4096])
def test_sizes_that_c_would_take_for_others(size: int) -> None:
    with pytest.raises(MappingError):
        map_memory(size)


@pytest.mark.parametrize("kind", [row.spaces for row in COLLECTORS.values()])
@pytest.mark.parametrize("room", [400, 500, 1500, 5000])
def test_the_heap_takes_half_of_the_room(kind: str, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "is_room_for", lambda size: size <= room * MEGABYTE)
    monkeypatch.setattr(spaces, "stack_size", lambda: 16 * MEGABYTE)
    sizes = fitting(kind, None, 6 << 30)
    assert 2 * needed(kind, sizes) <= room * MEGABYTE
    assert sizes.heap >= room * MEGABYTE // 64


def test_without_room_there_is_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "is_room_for", lambda size: False)
    with pytest.raises(MemoryError):
        fitting(Spaces.HALVES, None, 6 << 30)
    with pytest.raises(ImpossibleSetting):
        fitting(Spaces.HALVES, 1 << 20, 6 << 30)


def test_where_there_is_room_nothing_is_cut() -> None:
    sizes, whole = fitting(Spaces.HALVES, None, MEGABYTE), Sizes(MEGABYTE)
    assert is_room_for(MEGABYTE)
    assert all(getattr(sizes, name) == getattr(whole, name) for name in Sizes.__slots__)

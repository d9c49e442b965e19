"""The collectors: the language suite with a collection at every allocation, and programs that fill the heap."""

from __future__ import annotations

import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest

from command_line import dora
from compiling import compiled_program
from doralang.code import layout
from doralang.code.collectors import COLLECTORS
from doralang.engines.native import Machine
from doralang.native.running import Executor
from doralang.runtime.memory import load_word
from doralang.settings import Settings
from doralang.types.failures import Failure
from language_cases import Command, lines_match, parse_file
from sampling import one_mode_each
from test_language import FILES, LANGUAGE, run_with

TRACING = [name for name, row in COLLECTORS.items() if row.traces]
MODES = [(f"--gc={name}", "--gc-stress") for name in TRACING] + [("--gc=swiper", "--gc-stress-minor")]
CASES = [
    path
    for path in FILES
    if (case := parse_file(path)).command is not Command.CHECK and not case.errors and case.stressed
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are written into the current folder, so that their names are short."""
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> str:
    Path(name).write_text(text)
    return name


@pytest.mark.parametrize(
    ("path", "options"),
    one_mode_each(CASES, MODES),
    ids=lambda one: (
        str(one.relative_to(LANGUAGE).with_suffix("")) if isinstance(one, Path) else " ".join(one)
    ),
)
def test_language_under_stress(path: Path, options: tuple[str, ...]) -> None:
    case = parse_file(path)
    outcome = run_with(case, path, "baseline", [*options, "--gc-verify"])
    assert outcome.stdout == case.expected_stdout, outcome.stderr
    assert lines_match(case.stderr, outcome.stderr)
    assert outcome.exit_status == case.expected_exit


HEAPS = Path(__file__).parent / "heaps"
CONDITIONS = [
    *((f"--gc={name}",) for name in COLLECTORS),
    *((f"--gc={name}", "--gc-verify", "--heap-size=192m") for name in TRACING),
    ("--gc=swiper", "--heap-size=96m", "--young-size=64k"),
]


@pytest.mark.parametrize("options", CONDITIONS, ids=" ".join)
@pytest.mark.parametrize("path", sorted(HEAPS.glob("*.dora")), ids=lambda path: path.stem)
def test_heaps_of_all_kinds(path: Path, options: tuple[str, ...]) -> None:
    """Made by hand: cycles, a list of a million, wide arrays, every kind of field, large objects, all ages."""
    case = parse_file(path)
    outcome = run_with(case, path, "baseline", list(options))
    assert (outcome.exit_status, outcome.stdout) == (0, case.expected_stdout), outcome.stderr


CHURN = """
class Node(var value: int, var next: Node)
fun list(n: int) -> Node {
  var head: Node = nil;
  var i = 0;
  while i < n { head = Node(i, head); i = i + 1; }
  return head;
}
fun sum(list: Node) -> long {
  var total = 0L;
  var node = list;
  while node !== nil { total = total + node.value.toLong(); node = node.next; }
  return total;
}
var kept: Node = list(1000);
fun main() {
  let long = list(200000);
  var i = 0;
  while i < 40 { sum(list(10000)); i = i + 1; }
  println(sum(long).toString());
  println(sum(kept).toString());
}
"""


@pytest.mark.parametrize("collector", TRACING)
def test_a_small_heap_is_used_again_and_again(collector: str) -> None:
    """14 MB of lists in all, 5 MB of them alive, in a heap whose half has 6."""
    options = [f"--gc={collector}", "--heap-size=12m", "--gc-verify", "--gc-stats"]
    result = dora(*options, write("churn.dora", CHURN))
    assert (result.status, result.out) == (0, "19999900000\n499500\n")
    collections = re.search(r"collections: +(\d+)", result.err)
    assert collections and int(collections[1]) > 0


FILL = """
fun main() {
  let arrays = Array::<Array<byte>>(100);
  var i = 0;
  while i < 100 { arrays[i] = Array::<byte>(10224); i = i + 1; println(i.toString()); }
}
"""


@pytest.mark.parametrize("collector", COLLECTORS)
def test_out_of_memory_comes_at_the_limit_and_not_before(collector: str) -> None:
    """An array of references has 16 + 800 bytes, each of bytes 16 + 10,224: how many fit is known."""
    part = 1 << 19
    size = part * (2 if collector == "copy" else 1)
    result = dora(f"--gc={collector}", f"--heap-size={size}", write("fill.dora", FILL))
    rounds = len(result.out.splitlines())
    assert result.status == 107
    assert result.err == "out of memory\n0: main(): 5\n"
    # The texts of the numbers printed are garbage where there is a collector.
    most = (part - 816) // 10240
    assert rounds == most if COLLECTORS[collector].traces else most - 1 <= rounds <= most


BUSY = """
class Node(var next: Node)
fun main() {
  var head: Node = nil;
  var i = 0;
  while i < 20000 { head = Node(head); i = i + 1; }
  forceCollect();
  assert(head !== nil);
}
"""


def wants_attention(machine: Executor, words: list[int]) -> int:
    """A collection begins; from now on somebody wants attention."""
    machine.instance.heap.block[layout.HEAP_PREPARED] = 1
    machine.instance.thread[layout.THREAD_LIMIT] = -1
    return 0


def interrupts(machine: Executor, words: list[int]) -> int:
    raise KeyboardInterrupt


@pytest.mark.parametrize("collector", TRACING)
def test_a_collection_can_be_interrupted(collector: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From where it is the program ends, with its trace; the heap is not used again."""
    monkeypatch.setattr(Executor, "prepare_collector", wants_attention)
    monkeypatch.setattr(Executor, "collection_interrupted", interrupts)
    stderr = BytesIO()
    machine = Machine(
        compiled_program(BUSY), stdout=BytesIO(), stderr=stderr, settings=Settings(gc=collector)
    )
    assert machine.run_main() == 130
    assert stderr.getvalue() == b"interrupted\n0: main(): 7\n"
    assert machine.run_main() == 1
    assert stderr.getvalue().endswith(b"the heap was left in the middle of a collection\n")
    machine.close()


@pytest.mark.parametrize("collector", TRACING)
def test_a_collection_goes_on_if_it_was_nothing(collector: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Executor, "prepare_collector", wants_attention)
    machine = Machine(
        compiled_program(BUSY), stdout=BytesIO(), stderr=BytesIO(), settings=Settings(gc=collector)
    )
    assert machine.run_main() == 0
    machine.close()


BENCHMARKS = {
    "mixture": ("6", "500127"),
    "list": ("10000", "10000"),
    "map": ("500", "2500"),
    "arrays": ("100", "4950"),
    "live": ("1", "262143"),
}
"""argument and output"""

EXACT = """
class Node(var number: int, var next: Node)
fun main() {
  var head: Node = nil;
  var i = 0;
  while i < 5000 { head = Node(i, head); i = i + 1; }
  assert(head.next !== nil);
}
"""


@pytest.mark.parametrize("collector", COLLECTORS)
def test_small_objects_fill_the_heap_to_the_last_byte(collector: str) -> None:
    size = 5000 * 24 * (2 if collector == "copy" else 1)
    name = write("exact.dora", EXACT)
    assert dora(f"--gc={collector}", f"--heap-size={size}", name).status == 0
    result = dora(f"--gc={collector}", f"--heap-size={size - 16}", name)
    assert (result.status, result.err) == (107, "out of memory\n0: main(): 6\n")


HEALTHY = """
fun tooMuch() { let a = Array::<Array<long>>(1000); var i = 0; while true { a[i] = Array::<long>(9000); i = i + 1; } }
fun tooLong() { Array::<long>(100000000); }
fun negative() { Array::<Str>(0 - 1); }
fun enough() -> Str { var s = "a"; var i = 0; while i < 10 { s = s + s; i = i + 1; } return s; }
fun main() {}
"""


@pytest.mark.parametrize("collector", TRACING)
def test_the_heap_is_well_after_running_out_of_it(collector: str) -> None:
    settings = Settings(gc=collector, heap_size=1 << 20, gc_verify=True)
    machine = Machine(compiled_program(HEALTHY), stdout=BytesIO(), stderr=BytesIO(), settings=settings)
    functions = machine.program.functions
    for name in ("tooMuch", "tooLong", "negative", "tooMuch"):
        with pytest.raises(Failure, match="out of memory"):
            machine.call(functions[name], [])
        assert str(machine.call(functions["enough"], [])) == "a" * 1024
    machine.close()


GIVEN = """
fun main() {
  var round = 0;
  while round < 3 {
    var arrays = Array::<Array<long>>(2000);
    var i = 0;
    while i < 2000 { arrays[i] = Array::<long>(8000, 1L); i = i + 1; }
    arrays = nil;
    forceCollect();
    i = 0;
    while i < 20000 { Array::<long>(200); i = i + 1; }
    round = round + 1;
  }
}
"""


def test_free_blocks_are_given_back() -> None:
    """128 MB at a time, and little more than 32 of it in the end."""
    machine = Machine(
        compiled_program(GIVEN), stdout=BytesIO(), stderr=BytesIO(), settings=Settings(gc="swiper")
    )
    machine.run_main()
    block = machine.instance.heap.block
    records = range(
        block[layout.HEAP_BLOCKS],
        block[layout.HEAP_BLOCKS]
        + 32 * ((block[layout.HEAP_OLD_TOP] - block[layout.HEAP_OLD]) >> layout.BLOCK_SHIFT),
        layout.RECORD_SIZE,
    )
    assert len(records) > 3900
    assert sum(load_word(record + layout.BLOCK_USED) for record in records) < 1100
    machine.close()


ROWS = """
fun main() {
  let rows = Array::<Array<double>>(300);
  for i in 0..300 { rows[i] = Array::<double>(700); }
  forceCollect();
  assert(rows[299].len() == 700);
}
"""


@pytest.mark.parametrize("collector", ["sweep", "swiper"])
def test_cells_of_a_size_are_at_many_distances(collector: str) -> None:
    """The rows of a matrix would else share a few places of the cache."""
    machine = Machine(
        compiled_program(ROWS), stdout=BytesIO(), stderr=BytesIO(), settings=Settings(gc=collector)
    )
    assert machine.run_main() == 0
    block = machine.instance.heap.block
    first, end = block[layout.HEAP_OLD], block[layout.HEAP_OLD_TOP]
    starts = []
    for number, start in enumerate(range(first, end, layout.BLOCK_SIZE)):
        record = block[layout.HEAP_BLOCKS] + number * layout.RECORD_SIZE
        cell = load_word(record + layout.BLOCK_CELL)
        if 5600 < cell < 6000:
            starts.append(load_word(record + layout.BLOCK_START) - start)
            assert starts[-1] % layout.CACHE_LINE == 0
            assert starts[-1] + layout.BLOCK_SIZE // cell * cell <= layout.BLOCK_SIZE
    assert len(starts) >= 60
    assert len(set(starts)) >= 60
    machine.close()


@pytest.mark.parametrize("collector", COLLECTORS)
@pytest.mark.parametrize("name", ["mixture", "list", "map", "arrays", "live"])
def test_benchmarks_print_the_same_with_every_collector(name: str, collector: str) -> None:
    """At the sizes that take no time."""
    path = Path(__file__).parent.parent / "bench" / "gc" / f"{name}.dora"
    size, expected = BENCHMARKS[name]
    result = dora(f"--gc={collector}", str(path), size)
    assert (result.status, result.out) == (0, f"{expected}\n")


@pytest.mark.parametrize("collector", TRACING)
def test_an_event_is_a_line(collector: str) -> None:
    program = 'fun main() { println("a"); forceCollect(); println("b"); }'
    result = dora(f"--gc={collector}", "--gc-events", write("event.dora", program))
    assert result.out == "a\nb\n"
    assert re.fullmatch(r"GC full: collect garbage \(\d+\.\d+ ms\)\n", result.err)


KEPT = """
class Node(var number: int, var next: Node)
var kept: Array<Node> = nil;
fun fill() {
  kept = Array::<Node>(5000);
  var i = 0;
  while i < 20000 { kept[i % 5000] = Node(i, kept[(i + 7) % 5000]); i = i + 1; }
}
fun collect() { forceCollect(); var i = 0; while i < 10 { i = i + 1; } }
fun sum() -> long {
  var sum = 0L;
  for node in kept { sum = sum + node.number.toLong(); if node.next !== nil { sum = sum + node.next.number.toLong(); } }
  return sum;
}
fun main() {}
"""


class Stopped(Exception):
    """What a limit raises."""


class Polls:
    """Attention is wanted at every poll of a collection; the one of this number raises."""

    def __init__(self, number: int) -> None:
        self.left = number

    def look(self, machine: Executor) -> None:
        self.left -= 1
        if self.left == 0:
            raise Stopped
        if self.left > 0:
            machine.instance.thread[layout.THREAD_LIMIT] = -1


@pytest.mark.parametrize("collector", TRACING)
def test_the_heap_is_well_wherever_a_limit_falls_into_a_collection(
    collector: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls = Polls(0)
    monkeypatch.setattr(Executor, "prepare_collector", wants_attention)
    monkeypatch.setattr(Executor, "look_at_limits", lambda machine: polls.look(machine))
    settings = Settings(gc=collector, heap_size=1 << 23, gc_verify=True)
    machine = Machine(compiled_program(KEPT), stdout=BytesIO(), stderr=BytesIO(), settings=settings)
    functions = machine.program.functions
    machine.call(functions["collect"], [])
    number, broken = 0, True
    while broken:
        number += 1
        machine.call(functions["fill"], [])
        expected = machine.call(functions["sum"], [])
        polls = Polls(number)
        machine.instance.heap.block[layout.HEAP_PREPARED] = 0
        with suppress(Stopped):
            machine.call(functions["collect"], [])
        broken = polls.left <= 0
        polls.left = 0
        assert machine.call(functions["sum"], []) == expected
        machine.call(functions["collect"], [])
        assert machine.call(functions["sum"], []) == expected
    assert number > 4
    machine.close()

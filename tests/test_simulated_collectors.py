"""Every collector in the tree walk over a simulated memory: it must give the same heap as machine code, word by word."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from compiling import compiled_program
from doralang.code import layout
from doralang.code.collectors import COLLECTORS
from doralang.settings import Settings
from language_cases import parse_file
from simulated import Memory, SimulatingMachine, StrayAccess

HEAPS = Path(__file__).parent / "heaps"
SIZES = {
    "wide": 2100,
    "deep_list": 300,
    "generations": 700,
    "large": 10,
    "deep_stack": 40,
    "changing": 40,
    "neighbours": 250,
}
"""the argument of each program, small enough for the tree walk"""
MODES = [(name, False, 1 << 24) for name, row in COLLECTORS.items() if row.traces] + [
    ("swiper", True, 1 << 20)
]
"""collector, whether it collects the young generation at every allocation, size of the heap"""


def machine_for(path: Path, settings: Settings) -> tuple[SimulatingMachine, BytesIO]:
    stdout = BytesIO()
    machine = SimulatingMachine(
        compiled_program(path.read_text()),
        arguments=[str(SIZES.get(path.stem, 0))],
        stdout=stdout,
        stderr=BytesIO(),
        settings=settings,
    )
    return machine, stdout


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode[0] + " minor" * mode[1])
@pytest.mark.parametrize("path", sorted(HEAPS.glob("*.dora")), ids=lambda path: path.stem)
def test_the_same_heap(path: Path, mode: tuple[str, bool, int]) -> None:
    collector, stress, size = mode
    machine, stdout = machine_for(path, Settings(gc=collector, gc_stress_minor=stress, heap_size=size))
    status = machine.run_main()
    assert (status, stdout.getvalue()) == (0, parse_file(path).expected_stdout)
    assert machine.compared >= 1
    machine.close()


def test_a_stray_access_is_found() -> None:
    machine, _ = machine_for(HEAPS / "cycles.dora", Settings(gc="copy", heap_size=1 << 20))
    memory = Memory(machine.instance)
    assert memory.load(machine.instance.heap.block.address + layout.HEAP_LIMIT) == 1 << 20
    with pytest.raises(StrayAccess):
        memory.load(8)
    machine.close()

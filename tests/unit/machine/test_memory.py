"""Code arenas, cells, stacks: placed, run, freed, reused; the same after a fork; never writable code."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import capstone
import pytest

from doralang.machine import memory
from doralang.machine.arm64.assembler import Assembler
from doralang.machine.code import ABSOLUTE_64, RELATIVE_32, Code, RangeError, link
from doralang.machine.memory import PAGE, CodeArena, MappingError, ProcessMemory, Stack
from doralang.machine.ranges import ArenaFull, Ranges, SharedRanges
from doralang.machine.targets import host
from doralang.types.kinds import Kind


def returning(number: int) -> bytes:
    found = host()
    if found is None:
        pytest.skip("no code can be made for this machine")
    masm = found.assembler()
    masm.load_constant(Kind.LONG, masm.result, number)
    masm.return_()
    return bytes(masm.finish().data)


def run(address: int) -> int:
    return int(ctypes.CFUNCTYPE(ctypes.c_long)(address)())


@pytest.fixture(params=[False, True], ids=["process-memory", "fresh-pages"])
def arena(request: pytest.FixtureRequest) -> Iterator[CodeArena]:
    made = CodeArena(memory.SMALLEST_ARENA, fresh_pages=request.param)
    yield made
    made.close()


def protections(start: int, end: int) -> set[str]:
    """Of all mappings that touch a range."""
    result = set()
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, protection = line.split()[:2]
        low, high = (int(text, 16) for text in addresses.split("-"))
        if low < end and start < high:
            result.add(protection)
    return result


def test_placing_running_freeing(arena: CodeArena) -> None:
    first, second = arena.place(returning(1)), arena.place(returning(2))
    assert (run(first), run(second)) == (1, 2)
    assert first % 16 == second % 16 == 0
    used = arena.code.used
    arena.free(first, len(returning(1)))
    assert run(second) == 2
    third = arena.place(returning(3))
    assert third == first, "what was freed is used again"
    assert (run(third), run(second)) == (3, 2)
    assert arena.code.used == used


def test_everything_comes_back(arena: CodeArena) -> None:
    source = random.Random(1)
    placed: dict[int, int] = {}
    for number in range(300):
        if placed and source.random() < 0.45:
            address = source.choice(list(placed))
            arena.free(address, len(returning(placed[address]) + b"\xcc" * (placed[address] * 7)))
            del placed[address]
        else:
            placed[arena.place(returning(number) + b"\xcc" * (number * 7))] = number
        assert all(run(address) == meant for address, meant in list(placed.items())[-5:])
    assert all(run(address) == meant for address, meant in placed.items())
    for address, number in placed.items():
        arena.free(address, len(returning(number) + b"\xcc" * (number * 7)))
    assert arena.code.used == 0
    for part in arena.code.parts:
        assert part.free == [part.start], "the free parts are one again"


def test_no_page_is_writable_and_executable(arena: CodeArena) -> None:
    for number in range(20):
        address = arena.place(returning(number))
        if number % 3 == 0:
            arena.free(address, len(returning(number)))
        for protection in protections(arena.address, arena.address + arena.size):
            assert not ("w" in protection and "x" in protection)
    assert all("w" not in protection for protection in protections(arena.code.start, arena.code.limit))


def test_cells_are_near_and_settable(arena: CodeArena) -> None:
    cells = [arena.new_cell(number) for number in range(100)]
    assert [arena.cell(cell) for cell in cells] == list(range(100))
    assert len(set(cells)) == 100
    assert all(cell % 8 == 0 and abs(cell - arena.code.limit) < 1 << 31 for cell in cells)
    arena.set_cell(cells[3], 2**64 - 1)
    assert ctypes.c_uint64.from_address(cells[3]).value == 2**64 - 1
    arena.free_cell(cells[3])
    assert arena.new_cell(5) == cells[3]
    table = arena.new_cell(7, count=4)
    assert [arena.cell(table + 8 * index) for index in range(4)] == [7] * 4


def test_freeing_twice_is_noticed(arena: CodeArena) -> None:
    address = arena.place(returning(1))
    arena.place(returning(2))
    arena.free(address, len(returning(1)))
    if arena.writer.granule == PAGE:
        with pytest.raises(AssertionError, match="free already"):
            arena.code.release(address, 16)
    else:
        with pytest.raises(AssertionError, match="free already"):
            arena.free(address, len(returning(1)))


def test_a_forked_child_keeps_its_own_code(arena: CodeArena) -> None:
    address = arena.place(returning(42))
    cell = arena.new_cell(1)
    ready, go = os.pipe()
    if (child := os.fork()) == 0:
        status = 1
        try:
            os.read(ready, 1)  # until the parent has replaced its code
            kept = run(address) == 42 and arena.cell(cell) == 1
            own = arena.place(returning(7))
            arena.free(address, len(returning(42)))
            again = arena.place(returning(8))
            status = 0 if kept and run(own) == 7 and run(again) == 8 and again == address else 2
        finally:
            os._exit(status)
    arena.free(address, len(returning(42)))
    assert arena.place(returning(99)) == address
    arena.set_cell(cell, 2)
    os.write(go, b"x")
    assert os.waitpid(child, 0)[1] == 0
    assert run(address) == 99, "what the child did is not seen here"


def test_a_fork_waits_for_what_others_are_in_the_midst_of(arena: CodeArena) -> None:
    inside, forking, children = threading.Event(), threading.Event(), []
    os.register_at_fork(before=forking.set)  # it comes before those that are there already

    class Slow(list[int]):
        def __delitem__(self, index: Any) -> None:
            inside.set()
            forking.wait()
            super().__delitem__(index)

    part = arena.code.parts[0]
    part.free, part.sizes = Slow([part.start]), [arena.code.granule]

    def fork() -> None:
        inside.wait()
        if (child := os.fork()) == 0:
            signal.alarm(10)
            os._exit(not (part.free == part.sizes == [] and arena.place(returning(1)) > part.start))
        children.append(child)

    thread = threading.Thread(target=fork)
    thread.start()
    arena.allocate(1)
    thread.join()
    assert os.waitpid(children[0], 0)[1] == 0


def test_a_forked_child_closes_no_file_of_others_for_a_closed_arena() -> None:
    closed = CodeArena(1 << 26)
    if not isinstance(closed.writer, ProcessMemory):
        pytest.skip("no file is used here")
    number = closed.writer.file
    closed.close()
    other = os.open(os.devnull, os.O_RDONLY)
    if other != number:
        os.dup2(other, number)
        os.close(other)
    if (child := os.fork()) == 0:
        os._exit(not is_open(number))
    os.close(number)
    assert os.waitpid(child, 0)[1] == 0


def is_open(file: int) -> bool:
    try:
        os.fstat(file)
    except OSError:
        return False
    return True


def test_threads_place_side_by_side(arena: CodeArena) -> None:
    results: list[bool] = []

    def work(base: int) -> None:
        placed = [(arena.place(returning(base + number)), base + number) for number in range(100)]
        results.append(all(run(address) == number for address, number in placed))

    threads = [threading.Thread(target=work, args=(1000 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4


def test_a_full_arena_says_so() -> None:
    arena = CodeArena(memory.SMALLEST_ARENA)
    with pytest.raises(ArenaFull):
        arena.allocate(memory.SMALLEST_ARENA)
    arena.close()


def test_the_fallback_is_chosen_where_process_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "pwrite", refuse)
    arena = CodeArena(memory.SMALLEST_ARENA)
    assert isinstance(arena.writer, memory.FreshPages)
    assert run(arena.place(returning(5))) == 5
    arena.close()


def test_freed_code_stops_who_runs_it() -> None:
    arena = CodeArena(memory.SMALLEST_ARENA)
    address = arena.place(returning(1))
    arena.place(returning(2))
    arena.free(address, len(returning(1)))
    if isinstance(arena.writer, memory.FreshPages):
        assert in_a_child(lambda: run(address)) != 0
    else:
        assert set(ctypes.string_at(address, len(returning(1)))) == set(arena.filler)
    arena.close()


# ---- Ranges ----


def test_ranges_against_a_model() -> None:
    source = random.Random(7)
    ranges = Ranges(1000, 1600, 16)
    taken: list[tuple[int, int]] = []
    for _ in range(3000):
        if taken and source.random() < 0.5:
            address, size = taken.pop(source.randrange(len(taken)))
            ranges.release(address, size)
        else:
            size = source.randrange(1, 200)
            try:
                address = ranges.allocate(size)
            except ArenaFull:
                assert max(ranges.sizes, default=0) < size + 16
                continue
            assert address >= 1000 and address + size <= 2600
            assert all(
                address + size <= other or other + other_size <= address for other, other_size in taken
            )
            taken.append((address, size))
        assert ranges.used == sum(-(-size // 16) * 16 for _, size in taken)
        assert ranges.used + sum(ranges.sizes) == 1600
        assert ranges.free == sorted(ranges.free)
        ends = [start + size for start, size in zip(ranges.free, ranges.sizes, strict=True)]
        assert all(end < start for end, start in zip(ends, ranges.free[1:], strict=False)), (
            "neighbours not merged"
        )


class Interrupted(list[int]):
    """A list of free parts; somebody comes in between whenever one of them is looked for or changed."""

    def __init__(self, items: list[int], handler: Callable[[], object]) -> None:
        super().__init__(items)
        self.handler = handler

    def __getitem__(self, index: Any) -> Any:
        self.handler()
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, value)
        self.handler()


def test_a_handler_may_use_ranges_that_it_interrupts() -> None:
    """It gets parts of its own, and what it gives back is there when who was interrupted is done."""
    ranges = SharedRanges(1 << 20, 1 << 20, 16)
    taken = [ranges.allocate(16) for _ in range(200)]
    waiting: list[int] = []

    def handler() -> None:
        if ranges.depth == 1 and len(taken) > 100:
            waiting.append(ranges.allocate(16))
            ranges.release(taken.pop(0), 16)
            ranges.release(waiting.pop(0) if len(waiting) > 2 else taken.pop(0), 16)

    part = ranges.parts[0]
    part.free, part.sizes = Interrupted(part.free, handler), Interrupted(part.sizes, handler)
    taken.append(ranges.allocate(32))
    ranges.release(taken.pop(), 32)
    part.free, part.sizes = list(part.free), list(part.sizes)
    assert ranges.depth == 0 and not ranges.returned
    assert len(waiting) == 2 and len({*waiting, *taken}) == len(waiting) + len(taken)
    assert ranges.used == 16 * (len(waiting) + len(taken))
    for address in [*waiting, *taken]:
        ranges.release(address, 16)
    assert ranges.used == 0 and all(part.free == [part.start] for part in ranges.parts)


def test_handlers_that_interrupt_each_other_too_often_find_no_room() -> None:
    ranges = SharedRanges(1 << 30, 1 << 28, 16)
    ranges.depth = len(ranges.parts) - 1
    assert ranges.allocate(16) == ranges.parts[-1].start
    assert ranges.depth == len(ranges.parts) - 1
    ranges.depth += 1
    with pytest.raises(ArenaFull):
        ranges.allocate(16)
    ranges.release(ranges.parts[-1].start, 16)
    assert ranges.returned
    ranges.depth = 0
    ranges.allocate(16)
    assert ranges.used == 16


# ---- Plain mappings ----


def in_a_child(action: Callable[[], object]) -> int:
    """The signal that ends a child doing this, or 0."""
    child = os.fork()
    if child == 0:
        faulthandler.disable()
        action()
        os._exit(0)
    return os.waitpid(child, 0)[1] & 0x7F


def test_a_stack_ends_at_its_guard() -> None:
    stack = Stack(64 * 1024)
    assert stack.top - stack.bottom == 64 * 1024
    ctypes.memset(stack.bottom, 1, 64 * 1024)
    assert in_a_child(lambda: ctypes.memset(stack.bottom - 1, 1, 1)) != 0
    assert in_a_child(lambda: ctypes.memset(stack.bottom, 1, 1)) == 0
    stack.free()
    assert in_a_child(lambda: ctypes.memset(stack.bottom, 1, 1)) != 0


def test_reserved_memory_is_zero_until_touched_and_after_being_discarded() -> None:
    size = 1 << 36  # far more than there is
    address = memory.map_memory(size)
    ctypes.memset(address + size - PAGE, 7, PAGE)
    assert ctypes.string_at(address, 8) == bytes(8)
    assert ctypes.string_at(address + size - 8, 8) == b"\7" * 8
    memory.discard(address + size - PAGE, PAGE)
    assert ctypes.string_at(address + size - 8, 8) == bytes(8)
    memory.protect(address, PAGE, memory.READ)
    assert in_a_child(lambda: ctypes.memset(address, 1, 1)) != 0
    memory.unmap(address, size)


def test_refused_memory_is_an_error() -> None:
    with pytest.raises(MappingError):
        memory.map_memory(1 << 62)


# ---- Linking ----


def test_relocations() -> None:
    code = Code(bytearray(32), 32, [(0, ABSOLUTE_64, "a", 3), (8, RELATIVE_32, "b", -4)], [])
    symbols = {"a": 0xFFFF_0000_1234_5678, "b": 0x10_0000}
    data = link(code, 0x20_0000, symbols.__getitem__)
    assert int.from_bytes(data[:8], "little") == 0xFFFF_0000_1234_567B
    assert int.from_bytes(data[8:12], "little", signed=True) == 0x10_0000 - 4 - 0x20_0008
    assert code.data == bytearray(32), "the code itself stays as it is"
    with pytest.raises(RangeError, match="b is"):
        link(code, 0x20_0000, {"a": 0, "b": 1 << 33}.__getitem__)


def bound_symbols(data: bytes, address: int) -> list[str]:
    """What Capstone reads: where `bl`, `adrp` lead, and what `add` and `ldr` hold."""
    decoder = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    return [f"{mnemonic} {operands}" for _, _, mnemonic, operands in decoder.disasm_lite(data, address)]


def test_relocations_of_arm64() -> None:
    asm = Assembler()
    asm.bl_s("near")
    asm.adrp_s(1, "cell")
    asm.ldr_64_low_s(2, 1, "cell")
    asm.add_low_s(3, 1, "cell")
    code = asm.finish()
    for near, cell in ((0x4000_0000, 0x5123_4568), (0x3F00_0FFC, 0x10_0008), (0x47FF_FFFC, 0x1_3FFF_FFF8)):
        data = link(code, 0x4000_0000, {"near": near, "cell": cell}.__getitem__)
        again = link(
            Code(data, code.body_size, code.relocations, []),
            0x4000_0000,
            {"near": near, "cell": cell}.__getitem__,
        )
        assert bytes(data) == bytes(again), "what was bound once is bound anew"
        page, low = cell & ~0xFFF, cell & 0xFFF
        assert bound_symbols(bytes(data), 0x4000_0000) == [
            f"bl #{near:#x}",
            f"adrp x1, #{page:#x}",
            f"ldr x2, [x1, #{low:#x}]" if low > 8 else f"ldr x2, [x1, #{low}]",
            f"add x3, x1, #{low:#x}" if low > 9 else f"add x3, x1, #{low}",
        ]
        other = link(
            Code(data, code.body_size, code.relocations, []),
            0x4000_0000,
            {"near": 0x4000_0100, "cell": 0x6000_0010}.get,
        )  # type: ignore[arg-type]
        assert bound_symbols(bytes(other), 0x4000_0000)[0] == "bl #0x40000100"
        assert bound_symbols(bytes(other), 0x4000_0000)[2] == "ldr x2, [x1, #0x10]"
    for near, cell in ((0x4800_0000, 8), (0x4000_0002, 8), (0x4000_0000, 0x1_4000_0000), (0x4000_0000, 12)):
        with pytest.raises(RangeError):
            link(code, 0x4000_0000, {"near": near, "cell": cell}.__getitem__)

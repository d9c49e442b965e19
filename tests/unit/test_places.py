"""The table of places: return addresses to GC points, while code comes and goes."""

from __future__ import annotations

from doralang.bytecode.entities import FunctionRef
from doralang.code.objects import GCPoint
from doralang.runtime.places import PlaceTable

REF = FunctionRef("f", "f", "f()", None, (), None, False)


class Code:
    def __init__(self, *offsets: int) -> None:
        self.points = [GCPoint(offset, REF, offset, ()) for offset in offsets]


def lines(table: PlaceTable, *addresses: int) -> list[int | None]:
    return [point.line if (point := table.get(address)) is not None else None for address in addresses]


def test_points_are_found_by_address() -> None:
    table = PlaceTable()
    table.add(128, Code(8, 64))
    table.add(64, Code(4))
    table.add(192, Code(0x20))
    assert lines(table, 0, 68, 69, 136, 192, 224, 10_000) == [None, 4, None, 8, 64, 32, None]
    assert len(table) == 3


def test_a_return_address_may_be_where_the_next_code_begins() -> None:
    table = PlaceTable()
    table.add(0, Code(64))
    table.add(64, Code(64))
    assert table[64].line == 64 and table.get(65) is None


def test_freed_code_is_forgotten_and_its_room_taken_again() -> None:
    table = PlaceTable()
    table.add(64, Code(8))
    assert lines(table, 72) == [8]
    table.remove(64)
    assert lines(table, 72) == [None] and not len(table)
    table.add(64, Code(9))
    assert lines(table, 72, 73) == [None, 9]

"""Handles keep objects alive and up to date while everything moves."""

from __future__ import annotations

from io import BytesIO

from doralang.runtime.memory import load_word, store_word
from moving import MovingMachine
from walking import compiled

PROGRAM = """
class Node(let value: int, let next: Node)
fun churn(n: int) -> int {
  var list: Node = nil;
  for i in range(0, n) { list = Node(i, list); }
  return list.value;
}
fun main() {}
"""


def test_an_object_moves_and_its_handle_follows() -> None:
    machine = MovingMachine(compiled(PROGRAM), stdout=BytesIO(), stderr=BytesIO())
    with machine.instance.handles.scope() as scope:
        before = machine.new_text(b"kept")
        handle, copy = scope.handle(before), scope.handle(before)
        moves = MovingMachine.moves
        machine.call(machine.program.functions["churn"], [21])  # an odd number of collections, two spaces
        assert MovingMachine.moves > moves
        assert handle.address == copy.address
        text = machine.text_at(handle.address)
        assert text is not None and text.data == b"kept"


def test_a_scope_releases_its_handles() -> None:
    machine = MovingMachine(compiled(PROGRAM), stdout=BytesIO(), stderr=BytesIO())
    handles = machine.instance.handles
    with handles.scope() as outer:
        kept = outer.handle(machine.new_text(b"outer"))
        with handles.scope() as inner:
            inner.handle(machine.new_text(b"inner"))
            assert len(handles.places()) == 2
        assert len(handles.places()) == 1
        assert load_word(kept.place) == kept.address
        store_word(kept.place, 0)
        assert kept.address == 0
    assert not handles.places()

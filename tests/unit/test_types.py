"""Types are the same object wherever they are asked for."""

from __future__ import annotations

import pytest

from doralang.types.types import ClassHead, ClassType, Type


@pytest.mark.parametrize("lasts", [False, True])
def test_the_first_of_two_that_make_a_type_counts(monkeypatch: pytest.MonkeyPatch, lasts: bool) -> None:
    """Another thread, or a handler of a signal, may ask for the same type while it is made."""
    box, item = ClassHead("Box", lasts=lasts), ClassHead("Item").of()
    found: list[ClassType] = []

    made = ClassType.__init__

    def interrupted(self: ClassType, head: ClassHead, arguments: tuple[Type, ...]) -> None:
        made(self, head, arguments)
        if not found:
            found.append(self)
            found.append(head.of(arguments))

    monkeypatch.setattr(ClassType, "__init__", interrupted)
    assert box.of((item,)) is found[1] is box.of((item,)) is not found[0]

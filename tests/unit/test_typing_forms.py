"""What stands for `typing` at run time: named tuples are those of the standard library, as far as they go."""

from __future__ import annotations

import copy
import pickle
import typing

import pytest

from doralang import typing_forms


class Ours(typing_forms.NamedTuple):
    """With a default and a method."""

    name: str
    count: int = 3

    def twice(self) -> int:
        return 2 * self.count


class Theirs(typing.NamedTuple):
    name: str
    count: int = 3


def test_named_tuples_are_tuples_with_names() -> None:
    one = Ours("a")
    assert (one.name, one.count, one.twice()) == ("a", 3, 6) and one == ("a", 3) == Theirs("a")
    assert Ours(count=1, name="b") == ("b", 1) and Ours._fields == Theirs._fields == Ours.__match_args__
    assert repr(one) == repr(Theirs("a")).replace("Theirs", "Ours")
    assert one._replace(count=5) == ("a", 5) and one._asdict() == {"name": "a", "count": 3}
    assert not hasattr(one, "__dict__") and hash(one) == hash(("a", 3))
    for same in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
        assert same == one and type(same) is Ours
    match one:
        case Ours(name, count):
            assert (name, count) == ("a", 3)


def test_wrong_arguments_are_told_as_always() -> None:
    with pytest.raises(TypeError, match=r"Ours\.__new__\(\) missing 1 required positional argument: 'name'"):
        Ours()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
        Ours("a", size=1)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        Ours("a").name = "b"  # type: ignore[misc]


def test_others_do_nothing() -> None:
    number = typing_forms.NewType("number", int)
    assert number(3) == 3 and typing_forms.cast(str, 3) == 3
    assert issubclass(Ours, tuple)

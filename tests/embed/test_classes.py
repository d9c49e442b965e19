"""The classes of programs in Python: `Module.classes`."""

from __future__ import annotations

import gc

import pytest

import doralang as dora

SOURCE = """
// What has a name.
open class Named(let name: Str)
class Dog(name: Str, let age: int): Named(name) { fun bark() -> Str { return self.name + "!"; } }
class Box<T>(let it: T)
enum Shape { Circle(r: double), Dot }
enum Color { Red, Blue }
fun dog() -> Dog { return Dog("rex", 3); }
fun named(dog: Dog) -> Named { return dog; }
fun number() -> Box<int> { return Box(1); }
fun text() -> Box<Str> { return Box("a"); }
fun list() -> Vec<int> { return Vec::<int>(); }
"""


@pytest.fixture(name="m", scope="module")
def module() -> dora.Module:
    return dora.compile(SOURCE)


def test_objects_are_of_their_classes(m: dora.Module) -> None:
    classes = m.classes
    assert list(classes) == ["Named", "Dog", "Box"], "values of enums are no objects"
    dog = m.dog()
    assert type(dog) is type(m.named(dog)) is classes["Dog"], (
        "it is what was made, not what it is returned as"
    )
    assert isinstance(dog, classes["Named"]) and not isinstance(dog, classes["Box"])
    assert classes["Dog"].__mro__[1:3] == (classes["Named"], dora.Object)
    assert type(m.number()) is type(m.text()) is classes["Box"]
    assert m.new().dog().__class__ is classes["Dog"] is m.classes["Dog"], "there is one, for all instances"
    assert (classes["Named"].__name__, classes["Named"].__doc__) == ("Named", "What has a name.")
    assert (dog.name, dog.age, dog.bark()) == ("rex", 3, "rex!")
    assert type(m.list()) is dora.Object, "the library's have none of their own"


def test_programs_make_their_objects(m: dora.Module) -> None:
    for cls in (m.classes["Dog"], dora.Object):
        with pytest.raises(TypeError, match=f"a program makes objects of {cls.__name__} by itself"):
            cls("rex", 3)  # type: ignore[arg-type, call-arg]


def test_classes_are_no_ones_of_other_programs(m: dora.Module) -> None:
    other = dora.compile(SOURCE)
    assert not isinstance(other.dog(), m.classes["Dog"])


def test_classes_keep_nothing() -> None:
    gc.collect()
    before = dora.memory()
    m = dora.compile(SOURCE)
    dog_class = m.classes["Dog"]
    assert isinstance(m.dog(), dog_class)
    del m
    gc.collect()
    assert dora.memory() == before


def test_what_is_left_of_a_closed_instance() -> None:
    """Its memory is gone, so nobody may look into it."""
    m = dora.compile(
        "class A(var x: int) var all: A = nil; fun a(x: int) -> A { all = A(x); all } fun last() -> A { all }"
    )
    for limits in (dora.Limits(), dora.Limits(memory="1MB")):
        instance, other = m.new(limits), m.new()
        one, same, foreign = instance.a(1), instance.last(), other.a(1)
        assert one == one and one == same and one != foreign and instance.memory_used > 0
        instance.close()
        assert one == one and one != foreign and one != 1
        assert instance.memory_used == instance.fuel_used == 0
        for look in (lambda one=one, same=same: one == same, lambda one=one: one.x):
            with pytest.raises(dora.InstanceSpent):
                look()
        instance.close()
        instance.cancel()
        del one, same, foreign

"""Keys that were chosen to collide: they do with the hashes that everybody knows, and not inside another program.

Looks are counted by a part of the key that is always equal and comes first: maps compare keys only if their hashes
are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product

import pytest

import doralang as dora
from doralang.checker.library import prelude
from doralang.code import layout
from doralang.interpreter.internals import HASH_FACTOR, folded_product

FUEL = dora.Limits(fuel=10**9)
"""what an instance may use that must burn the same everywhere, and so has no seed"""
COUNT = 128
SOURCE = """
@derive(Equals, Hash) class Point(let x: int, let y: int)
@derive(Equals, Hash) enum Shape { Dot, Box(width: int, height: int) }

var looks: int = 0;
class Looked
impl Equals for Looked { fun equals(other: Looked) -> bool { looks += 1; true } }
impl Hash for Looked { fun hash() -> int { 0 } }

fun looksFor<K: Hash>(keys: Vec<K>) -> int {
  looks = 0;
  let probe = Looked();
  let map = HashMap::<(Looked, K), int>();
  for (i, key) in keys.iter().enumerate() { map[(probe, key)] = i; }
  assert(map.len() == keys.len());
  assert(map.values().collect() == (0..keys.len()).iter().collect());
  for (i, key) in keys.iter().enumerate() { assert(map[(probe, key)] == i); }
  looks
}

fun texts(keys: Str) -> int { looksFor(keys.lines()) }
fun lists(n: int) -> int { looksFor((0..n).iter().map(|i| [i, -31 * i]).collect()) }
fun tuples(n: int) -> int { looksFor((0..n).iter().map(|i| (i, -31 * i)).collect()) }
fun points(n: int) -> int { looksFor((0..n).iter().map(|i| Point(i, -31 * i)).collect()) }
fun shapes(n: int) -> int { looksFor((0..n).iter().map(|i| Shape::Box(i, -31 * i)).collect()) }
fun options(n: int) -> int { looksFor((0..n).iter().map(|i| (Some(i), -31 * 31 * i)).collect()) }
fun hashes() -> Str {
  "${"text".hash()} ${7.hash()} ${7L.hash()} ${0.5.hash()} ${(1, "a").hash()} ${[1, 2].hash()} ${Point(1, 2).hash()}"
}
"""


def colliding_texts() -> Iterator[str]:
    """Texts of two words: the second one makes what the first one has left what it always is."""
    wanted = 0x6261_6261_6261_6261
    for letters in product("abcdefghijklmnop", repeat=8):
        first = "".join(letters)
        left = folded_product(16 ^ int.from_bytes(first.encode(), "little"), HASH_FACTOR)
        second = (left ^ wanted).to_bytes(8, "little")
        if all(0x20 <= byte < 0x7F for byte in second):
            yield first + second.decode()


KEYS: dict[str, Callable[[], object]] = {
    "texts": lambda: "\n".join(islice(colliding_texts(), COUNT)),
    "lists": lambda: COUNT,
    "tuples": lambda: COUNT,
    "points": lambda: COUNT,
    "shapes": lambda: COUNT,
    "options": lambda: COUNT,
}


@pytest.mark.parametrize("kind", KEYS)
def test_keys_chosen_to_collide_do_not(kind: str) -> None:
    keys = KEYS[kind]()
    known = getattr(dora.compile(SOURCE, limits=FUEL).new(), kind)(keys)
    assert known > COUNT * COUNT / 2, "they would collide without a seed"
    for limits in (None, dora.Limits.untrusted()):
        looks = getattr(dora.compile(SOURCE, limits=limits).new(), kind)(keys)
        assert looks < 2 * COUNT, "each key is compared when it is found, and hardly ever with another one"


def test_what_a_program_sees_of_hashes_is_the_same() -> None:
    seen = {dora.compile(SOURCE, limits=limits).new().hashes() for limits in (None, FUEL)}
    assert len(seen) == 1


def test_the_seed_is_the_first_global_of_the_library() -> None:
    assert list(prelude().library.globals)[layout.GLOBAL_HASH_SEED] == "hashSeed"


def test_fuel_is_the_same_in_each_instance() -> None:
    used = set()
    for _ in range(2):
        instance = dora.compile(SOURCE, limits=FUEL).new()
        instance.lists(COUNT)
        used.add(instance.fuel_used)
    assert len(used) == 1

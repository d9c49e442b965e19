"""Every row of the primitives in generated C and Go against the row's meaning, from registers and literals."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from test_baseline_primitives import equal, meaning, values

from doralang.bytecode import instructions as i
from doralang.bytecode.entities import FunctionRef
from doralang.bytecode.function import Function
from doralang.bytecode.instructions import Register
from doralang.bytecode.native import NativeFailure, NativeFunction
from doralang.source.c import OPERATIONS as C_OPERATIONS
from doralang.source.go import OPERATIONS as GO_OPERATIONS
from doralang.source.provider import LANGUAGES as LANGUAGES_OF_PROVIDER
from doralang.source.provider import SourceProvider
from doralang.types.kinds import KINDS as ALL_KINDS
from doralang.types.kinds import Kind
from doralang.types.primitives import PRIMITIVES, Primitive
from doralang.types.traps import Trap

LANGUAGES = ["c", "go"]
KINDS = [kind for kind in ALL_KINDS.values() if kind is not Kind.REF]


def function_of(row: Primitive) -> Function:
    """Returns what the row gives for the parameters."""
    count = len(row.operands)
    ref = FunctionRef(row.name, row.name, row.name, None, row.operands, row.result, False)
    arguments = tuple(Register(index) for index in range(count))
    code = [i.Compute(Register(count), row, arguments), i.Return(Register(count))]
    return Function(ref, [*row.operands, row.result], code, [1, 1])


def literal_of(kind: Kind, number: int, value: bool | int | float) -> Function:
    """Returns a constant."""
    ref = FunctionRef(f"{kind.value}{number}", "f", "f()", None, (), kind, False)
    return Function(ref, [kind], [i.LoadConstant(Register(0), value), i.Return(Register(0))], [1, 1])


LITERALS = [(kind, number, value) for kind in KINDS for number, value in enumerate(values(kind))]
ROWS = [function_of(row) for row in PRIMITIVES.values()]
LITERAL_FUNCTIONS = [literal_of(*each) for each in LITERALS]


@pytest.fixture(scope="module", params=LANGUAGES)
def compiled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[FunctionRef, NativeFunction]]:
    """All functions in one file."""
    patch = pytest.MonkeyPatch()
    patch.setenv("DORA_CACHE", str(tmp_path_factory.mktemp("cache")))
    language = LANGUAGES_OF_PROVIDER[request.param]._replace(
        most_objects=None
    )  # one more from Go does no harm
    patch.setitem(LANGUAGES_OF_PROVIDER, request.param, language)
    made = SourceProvider(request.param).compile([*ROWS, *LITERAL_FUNCTIONS])
    patch.undo()
    reasons = {reason for reason in made.values() if isinstance(reason, str)}
    if reasons and all(reason.startswith("there is no") for reason in reasons):
        pytest.skip(reasons.pop())
    assert not reasons
    yield {ref: native for ref, native in made.items() if not isinstance(native, str)}


def run(native: NativeFunction, operands: tuple[bool | int | float, ...]) -> bool | int | float | None:
    try:
        result: bool | int | float = native(*operands)
    except NativeFailure as failure:
        assert failure.trap is Trap.DIVISION
        assert [line for _, line in failure.places] == [1]
        return None
    return result


def test_rows_mean_what_they_say(compiled: dict[FunctionRef, NativeFunction]) -> None:
    wrong = []
    for function, row in zip(ROWS, PRIMITIVES.values(), strict=True):
        for operands in product(*map(values, row.operands)):
            found, wanted = run(compiled[function.ref], operands), meaning(row, operands)
            if not equal(found, wanted):
                wrong.append(f"{row.name}{operands} = {found}, not {wanted}")
    assert not wrong


def test_literals_keep_every_bit(compiled: dict[FunctionRef, NativeFunction]) -> None:
    for function, (_, _, value) in zip(LITERAL_FUNCTIONS, LITERALS, strict=True):
        found = run(compiled[function.ref], ())
        assert equal(found, value), f"{value} became {found}"
        assert type(found) is type(value)


@pytest.mark.parametrize("operations", [C_OPERATIONS, GO_OPERATIONS], ids=LANGUAGES)
def test_no_row_is_forgotten(operations: dict[str, str]) -> None:
    assert set(PRIMITIVES) <= set(operations)


def test_the_source_is_kept_beside_what_was_made_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DORA_CACHE", str(tmp_path))
    function = function_of(PRIMITIVES["int.plus"])
    provider = SourceProvider("c")
    for _ in range(2):
        made = provider.compile([function])[function.ref]
        assert not isinstance(made, str) and made(20, 22) == 42
        assert sorted(path.suffix for path in (tmp_path / "source").iterdir()) == [".c", ".so"]

"""The lowering by LLVM: all instructions, the meaning of each row, what is refused, both processors."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from test_baseline_primitives import Runner, equal, function_for, meaning, values

from compiling import bytecode_of, compiled_program, own_bytecode
from doralang.bytecode.instructions import INSTRUCTIONS
from doralang.cli import combinations
from doralang.cli.main import run_command
from doralang.code.tiers import LLVM, OPTIMIZED
from doralang.library.internals import INTERNALS, Supplier
from doralang.machine.code import ABSOLUTE_64
from doralang.machine.targets import TARGETS
from doralang.native import options
from doralang.native.showing import environment_of
from doralang.native.world import ProgramWorld
from doralang.optimizing.optimizer import Times, optimize
from doralang.settings import Settings
from doralang.types.primitives import PRIMITIVES

pytest.importorskip("llvmlite")

from doralang.optimizing.llvm import elf, stackmaps
from doralang.optimizing.llvm.binding import compile_text
from doralang.optimizing.llvm.calls import INLINE
from doralang.optimizing.llvm.compiler import compile_for, lower_for
from doralang.optimizing.llvm.emitters import EMITTERS, NotLowered
from doralang.optimizing.llvm.primitives import ROWS

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.dora"))
PROGRAM = """
class Box(var text: Str, var next: Box)
fun chain(n: int) -> Box {
  var last: Box = nil;
  for i in range(0, n) { last = Box(i.toString(), last); }
  return last;
}
fun hypotenuse(a: double, b: double) -> double { return a.sin() * b.pow(2.5) + 0.1; }
fun main() { println(chain(3).text + hypotenuse(1.0, 2.0).toString()); }
"""


def test_every_instruction_and_row_has_an_emitter() -> None:
    assert set(EMITTERS) == set(INSTRUCTIONS)
    assert set(ROWS) == set(PRIMITIVES)
    assert set(INLINE) == {key for key, row in INTERNALS.items() if row.supplier is Supplier.COMPILER}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_functions_of_examples_compile(path: Path, target: str) -> None:
    """The points are those of a frame: no slot is the caller's frame pointer or the return address."""
    program = compiled_program(path.read_text())
    refused = 0
    for specializer, bytecode in own_bytecode(program):
        optimized = optimize(bytecode, Times(), ProgramWorld(specializer))
        try:
            code = compile_for(TARGETS[target], optimized, environment_of(specializer))
        except NotLowered:
            refused += 1
            continue
        assert code.tier == LLVM
        places = {chain[0] for chain in optimized.chains} | {(bytecode.ref, line) for line in optimized.lines}
        for point in code.points:
            assert 0 < point.offset <= code.code.body_size
            assert all(slot % 8 == 0 and slot not in (0, 8) for slot in point.slots)
            assert (point.function, point.line) in places or point.line == optimized.entry_line
    assert refused == 0


def whole(text: str, name: str, target: str):
    for specializer, bytecode in own_bytecode(compiled_program(text)):
        if bytecode.name == name:
            environment = environment_of(specializer)
            optimized = optimize(bytecode, Times(), ProgramWorld(specializer))
            return optimized, environment, TARGETS[target]
    raise KeyError(name)


@pytest.mark.parametrize("target", TARGETS)
def test_c_functions_are_reached_by_way_of_the_code_itself(target: str) -> None:
    """They may lie anywhere, so a jump within the code goes on at a word that holds the address."""
    optimized, environment, processor = whole(PROGRAM, "hypotenuse", target)
    code = compile_for(processor, optimized, environment).code
    absolute = [str(symbol) for _, kind, symbol, _ in code.relocations if kind is ABSOLUTE_64]
    assert sorted(absolute) == ["native:pow", "native:sin"]


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.machine.close()


@pytest.mark.parametrize("name", PRIMITIVES)
def test_code_means_what_the_row_says(name: str, runner: Runner) -> None:
    row = PRIMITIVES[name]
    cases = list(product(*(values(kind) for kind in row.operands)))
    homes = ("home",) * len(row.operands)
    function = function_for(row, cases[0], homes, "home")
    code = compile_for(runner.machine.module.space.target, function, runner.environment)
    for operands in random.Random(name).sample(cases, min(len(cases), 60)):
        result, expected = runner.run_code(code, operands), meaning(row, operands)
        assert equal(result, expected), f"{operands} gives {result}, not {expected}"


def test_references_are_in_slots_across_calls() -> None:
    optimized, environment, processor = whole(PROGRAM, "chain", "x64")
    code = compile_for(processor, optimized, environment)
    assert any(point.slots for point in code.points)


def test_raw_functions_are_left_to_the_other_lowering() -> None:
    program = compiled_program(PROGRAM)
    raw = next((s, f) for s, f in bytecode_of(program) if f.ref.raw)
    with pytest.raises(NotLowered):
        lower_for(TARGETS["x64"], raw[1], environment_of(raw[0]))


# What is not known is refused.


def image_of(target: str = "x64"):
    optimized, environment, processor = whole(PROGRAM, "chain", target)
    lowered = lower_for(processor, optimized, environment)
    return bytearray(compile_text(lowered.text, processor)), processor, lowered.names


def test_a_relocation_of_another_kind_is_refused() -> None:
    image, processor, names = image_of()
    file = elf.ObjectFile(bytes(image), processor, names)
    section = next(one for one in file.sections if one.name == ".rela.text")
    struct.pack_into("<I", image, section.offset + 8, 9)  # R_X86_64_GOTPCREL
    with pytest.raises(NotLowered, match="relocation 9"):
        elf.read_object(bytes(image), processor, names)


def test_a_symbol_that_nobody_has_named_is_refused() -> None:
    image, processor, names = image_of()
    names = dict(list(names.items())[1:])
    with pytest.raises(NotLowered, match="symbol"):
        elf.read_object(bytes(image), processor, names)


@pytest.mark.parametrize(
    "location", [(1, 0, 8, 3, 0, 0), (3, 0, 16, 7, 0, 8), (3, 0, 8, 1, 0, 8), (4, 0, 8, 0, 0, 5)]
)
def test_a_reference_elsewhere_than_in_a_slot_is_refused(location: tuple[int, ...]) -> None:
    """In a register, too wide, by another register, a number that is not nil."""
    with pytest.raises(NotLowered):
        stackmaps.slot_of(location, stackmaps.FrameRegisters(7, 6, 40), 3)


def test_a_large_frame_is_refused() -> None:
    data = stackmaps.HEADER.pack(3, 0, 0, 1, 0, 0) + stackmaps.FUNCTION.pack(0, (1 << 64) - 1, 0)
    with pytest.raises(NotLowered):
        stackmaps.stack_size(data)


# The command.


def run(tmp_path: Path, text: str, *options: str) -> tuple[int, str]:
    path = tmp_path / "program.dora"
    path.write_text(text)
    out, err = io.BytesIO(), io.BytesIO()
    status = run_command(["run", "--engine=opt", *options, str(path)], io.BytesIO(), out, err)
    return status, out.getvalue().decode() + err.getvalue().decode()


def test_the_text_can_be_seen(tmp_path: Path) -> None:
    status, shown = run(tmp_path, PROGRAM, "--emit=llvm")
    assert status == 0
    assert 'define void @function(ptr swiftself noundef nonnull %thread) #0 gc "statepoint-example"' in shown
    assert "does nothing" in run(tmp_path, PROGRAM, "--emit=llvm", "--no-llvm")[1]


def test_without_llvm_its_text_cannot_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combinations, "is_installed", lambda name: False)
    assert "pip install dora-lang[llvm]" in run(tmp_path, PROGRAM, "--emit=llvm")[1]


def test_without_llvm_the_other_lowering_makes_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options.tier_of(Settings(engine="opt")) == LLVM
    assert options.tier_of(Settings(engine="opt", llvm=False)) == OPTIMIZED
    monkeypatch.setattr(options, "is_installed", lambda name: False)
    assert options.tier_of(Settings(engine="opt")) == OPTIMIZED


@pytest.mark.parametrize("collector", ["swiper", "copy", "sweep"])
def test_collections_find_what_is_live(tmp_path: Path, collector: str) -> None:
    plain = run(tmp_path, PROGRAM, "--no-llvm")
    assert run(tmp_path, PROGRAM, f"--gc={collector}", "--gc-stress", "--gc-verify") == plain

"""The example programs: each with its default size and one other, against the exact output.

`examples/NAME-SIZE.txt` beside this file holds what `examples/NAME.dora` prints for a size.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import ENGINES, Result, dora

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
EXPECTED = HERE / "examples"

DEFAULTS = {
    "accounts": 1,
    "binarytrees": 6,
    "cache": 1000,
    "expressions": 2,
    "fannkuch": 6,
    "frequencies": 10,
    "hello": 1,
    "json": 4,
    "mandelbrot": 12,
    "nbody": 100,
    "postoffice": 100,
    "queens": 6,
    "richards": 300,
    "routes": 12,
    "simplify": 2,
    "spectralnorm": 8,
    "turnstile": 1,
    "wordcount": 200,
}

INPUTS = {
    "frequencies": "Fair is foul, and foul is fair:\r\nHover through the fog and filthy air.\n\n"
    "When shall we three meet again?  In thunder, lightning, or in rain?",
}
"""what those read that read something"""

RUNS = sorted(path.stem.rsplit("-", 1) for path in EXPECTED.glob("*.txt"))


def expected(name: str, size: str) -> Result:
    return Result(0, (EXPECTED / f"{name}-{size}.txt").read_text(), "")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", DEFAULTS)
def test_default_size(name: str, engine: str) -> None:
    file = str(EXAMPLES / f"{name}.dora")
    assert dora(f"--engine={engine}", file, stdin=INPUTS.get(name, "")) == expected(name, str(DEFAULTS[name]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "size"), RUNS)
def test_given_size(name: str, size: str, engine: str) -> None:
    file = str(EXAMPLES / f"{name}.dora")
    assert dora(f"--engine={engine}", file, size, stdin=INPUTS.get(name, "")) == expected(name, size)


def test_every_example_is_run_with_two_sizes() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.dora")}
    assert names == set(DEFAULTS)
    for name, default in DEFAULTS.items():
        sizes = {size for other, size in RUNS if other == name}
        assert str(default) in sizes
        assert len(sizes) >= 2


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.dora")), ids=lambda path: path.stem)
def test_every_example_begins_with_its_purpose(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("// ")
    assert any(line.startswith(f"//   dora examples/{path.name} ") for line in lines[:8])


@pytest.mark.parametrize("engine", ENGINES)
def test_words_of_a_file(engine: str, tmp_path: Path) -> None:
    file, text = str(EXAMPLES / "frequencies.dora"), tmp_path / "text"
    text.write_text(INPUTS["frequencies"])
    assert dora(f"--engine={engine}", file, "10", str(text)) == expected("frequencies", "10")
    missing = f"cannot read {text}2: No such file or directory\n"
    assert dora(f"--engine={engine}", file, "10", f"{text}2") == Result(1, missing, "")

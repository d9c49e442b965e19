"""Who may import whom: the architecture of `docs/architecture.md`, enforced.

`LAYERS` is the picture: each package names the packages it may import.  Modules are
read as syntax trees, nothing is imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "src" / "doralang"

# Modules directly under `doralang` count as packages of one file.
LAYERS: dict[str, set[str]] = {
    "version": set(),
    "text": set(),
    "optional": set(),
    "settings": set(),
    "interrupts": set(),
    "user_cache": set(),
    "syntax": {"text"},
    "types": {"text"},
    "library": {"text"},
    "checker": {"text", "syntax", "types", "library"},
    "interpreter": {"text", "types", "library"},
    "treewalk": {"text", "types", "library", "checker", "interpreter"},
    "bytecode": {"text", "types"},
    "lower": {"text", "types", "library", "checker", "bytecode"},
    "vm": {"text", "types", "library", "bytecode", "interpreter"},
    "machine": {"types"},
    "code": {"types", "machine", "bytecode"},
    "baseline": {"text", "types", "library", "bytecode", "machine", "code"},
    "optimizing": {"text", "types", "library", "bytecode", "machine", "code"},
    "runtime": {"text", "types", "machine", "bytecode", "code"},
    "source": {"text", "types", "bytecode", "user_cache", "interrupts"},
    "tracing": {"text", "types", "bytecode", "vm", "source", "interpreter"},
}
BELOW_ENGINES = set(LAYERS)
LAYERS["pipeline"] = BELOW_ENGINES
LAYERS["native"] = BELOW_ENGINES
LAYERS["engines"] = BELOW_ENGINES | {"pipeline", "native"}
LAYERS["session"] = BELOW_ENGINES | {"pipeline", "native", "engines"}
LAYERS["embed"] = BELOW_ENGINES | {"pipeline", "native", "engines", "session"}
LAYERS["cli"] = BELOW_ENGINES | {"pipeline", "engines", "session", "embed"}
LAYERS["__init__"] = {"embed", "version"}
LAYERS["__main__"] = {"interrupts", "cli"}

MODULES = sorted(ROOT.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported(tree: ast.AST) -> Iterator[str]:
    """Names of the project's modules that are imported anywhere in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "doralang")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "doralang":
            known = {f"{node.module}.{alias.name}" for alias in node.names} & ALL_MODULES
            yield from known or {node.module}


ALL_MODULES = {module_name(path) for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_follow_the_layers(path: Path) -> None:
    package = package_of(module_name(path))
    assert package in LAYERS, f"package {package} has no row in LAYERS"
    for name in imported(ast.parse(path.read_text())):
        other = package_of(name)
        assert other in {package, "optional", "settings"} | LAYERS[package], (
            f"{package} must not import {name}"
        )


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_import_inside_a_function(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                assert not isinstance(node, ast.Import | ast.ImportFrom), f"import in {function.name}"


def test_no_import_cycle() -> None:
    graph = {module_name(path): set(imported(ast.parse(path.read_text()))) for path in MODULES}
    for name, others in graph.items():
        others.discard(name)
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")

"""Who may import whom: the architecture of `docs/architecture.md`, enforced.

`LAYERS` is the picture: each package names the packages it may import.  Modules are
read as syntax trees, nothing is imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "src" / "doralang"

# Modules directly under `doralang` count as packages of one file.
LAYERS: dict[str, set[str]] = {
    "version": set(),
    "optional": set(),
    "settings": set(),
    "typing_forms": set(),
    "interrupts": set(),
    "locks": set(),
    "text": {"locks"},
    "finder": set(),
    "user_cache": set(),
    "syntax": {"text"},
    "types": {"text"},
    "library": {"text"},
    "checker": {"locks", "text", "syntax", "types", "library"},
    "interpreter": {"text", "types", "library"},
    "treewalk": {"text", "types", "library", "checker", "interpreter"},
    "bytecode": {"text", "types"},
    "lower": {"text", "types", "library", "checker", "bytecode"},
    "vm": {"text", "types", "library", "bytecode", "interpreter"},
    "machine": {"locks", "types"},
    "code": {"types", "machine", "bytecode"},
    "baseline": {"text", "types", "library", "bytecode", "machine", "code"},
    "optimizing": {"text", "types", "library", "bytecode", "machine", "code"},
    "runtime": {"locks", "text", "types", "machine", "bytecode", "code"},
    "source": {"locks", "text", "types", "bytecode", "user_cache", "interrupts"},
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
        assert other in {package, "optional", "settings", "typing_forms"} | LAYERS[package], (
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


def loaded_by_name(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Module and attribute of each `load("doralang.…").attribute`, also by way of a variable."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            nodes = list(ast.walk(function))
            pairs = [pair for node in nodes if isinstance(node, ast.Assign) for pair in assigned(node)]
            modules = {
                target.id: name
                for target, value in pairs
                if isinstance(target, ast.Name) and (name := loaded_module(value))
            }
            for node in nodes:
                if isinstance(node, ast.Attribute):
                    owner = node.value
                    name = modules.get(owner.id, "") if isinstance(owner, ast.Name) else loaded_module(owner)
                    if name:
                        yield name, node.attr


def assigned(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=False))  # one may be starred
    return [(target, value)]


def loaded_module(node: ast.expr) -> str:
    """The name in `load("doralang.…")`, or an empty one."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "load"):
        return ""
    name = node.args[0]
    return name.value if isinstance(name, ast.Constant) and str(name.value).startswith("doralang.") else ""


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_what_is_loaded_by_name_is_there(path: Path) -> None:
    """The type checker cannot see that."""
    for name, attribute in loaded_by_name(ast.parse(path.read_text())):
        if "llvm" not in name:  # whose package may not be installed
            assert hasattr(import_module(name), attribute), f"{name} has no {attribute}"


EXPENSIVE = {"dataclasses", "inspect"}
"""modules that take as long to load as the parser: `text.records` does what is needed of the first"""


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_nobody_loads_what_takes_long(path: Path) -> None:
    loaded = {
        name
        for node in ast.parse(path.read_text()).body
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert path.parts[-2] == "embed" or not loaded & EXPENSIVE

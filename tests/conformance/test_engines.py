"""The conformance of every engine that there is a row for and that this machine can run."""

from __future__ import annotations

import pytest
from engine_conformance import EngineConformance

from doralang.engines.rows import ENGINES, works_here
from doralang.source.toolchains import find_c, find_go

TOOLCHAINS = {"c": find_c, "go": find_go}

for row in ENGINES.values():
    is_there = works_here(row) and TOOLCHAINS.get(row.name, lambda: True)() is not None
    name = f"Test{row.name.capitalize()}"
    members = {
        "engine": row.name,
        "pytestmark": pytest.mark.skipif(not is_there, reason=f"{row.name} does not work here"),
    }
    globals()[name] = type(name, (EngineConformance,), members)

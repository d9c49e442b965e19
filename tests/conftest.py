"""Options of the test suite."""

from __future__ import annotations

import os

import pytest

try:
    from hypothesis import settings
except ImportError:  # under emulation, where nothing random is run
    settings = None

os.environ["DORA_VERIFY"] = "1"  # bytecode is verified before it is compiled, in all tests
os.environ["DORA_CACHE"] = "off"  # all tests compile, but those of the cache

if settings is not None:  # no test measures time
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="accept what the stages print now as expected")


@pytest.fixture
def bless(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--bless"))

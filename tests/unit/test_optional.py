"""Modules that are loaded when somebody wants them, while other threads do so and while the process forks."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from doralang import optional


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_waits_for_what_others_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else Python would wait in the child for a thread that is not there."""
    (tmp_path / "loaded_slowly.py").write_text(
        "import threading, time\nthreading.loading.set()\ntime.sleep(0.3)\nnumber = 7\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    loading = threading.Event()
    monkeypatch.setattr(threading, "loading", loading, raising=False)
    thread = threading.Thread(target=optional.load, args=["loaded_slowly"])
    thread.start()
    loading.wait()
    if (child := os.fork()) == 0:
        os._exit(optional.load("loaded_slowly").number)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    thread.join()
    assert not optional.UNDER_WAY


def test_what_has_been_loaded_is_what_python_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert optional.load("json") is sys.modules["json"]
    monkeypatch.setitem(sys.modules, "json", None)
    with pytest.raises(ImportError):
        optional.load("json")

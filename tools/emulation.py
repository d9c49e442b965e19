"""Dora on AArch64, on any Linux host: Debian's arm64 Python under qemu-user.

    tools/aarch64 setup               make the folder with Python and the wheels, if it is not there
    tools/aarch64 run prog.dora       `dora` there; options come before the file, as always
    tools/aarch64 python prog.py      that Python itself
    tools/aarch64 pytest tests/...    pytest there
    tools/aarch64 suite lambdas       the programs of some folders of the language suite
    tools/aarch64 test                the language suite there: every program with every collector,
                                      a part with a collection at every allocation, a part by the
                                      optimizing compiler and LLVM, and the tests of the machine and
                                      runtime layers

qemu-aarch64 must be installed (Debian's package `qemu-user`); nothing else needs more rights than a user has.
Packages come from the mirrors that apt knows, into an apt of its own for arm64, and are only unpacked:

    ~/.cache/dora-aarch64/2/
        apt/        lists and packages; removed when all is unpacked
        root/       usr/bin/python3, the C library
        wheels/     pytest, capstone, llvmlite
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent
RECIPE: Final = 2
"""grows when the folder must be made in another way"""
EMULATOR: Final = "qemu-aarch64"
PACKAGES: Final = ("python3", "libstdc++6")
WHEELS: Final = ("pytest>=8", "capstone>=5.0.1,<6", "llvmlite>=0.50,<0.51")
PLATFORMS: Final = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64")

MACHINE_TESTS: Final = (
    "tests/unit/machine/test_macro_operations.py",
    "tests/unit/machine/test_memory.py",
    "tests/unit/machine/test_packed.py",
    "tests/unit/machine/test_listing.py",
    "tests/unit/test_natives.py",
    "tests/unit/test_handles.py",
    "tests/conformance/test_code.py",
    "tests/unit/test_raw_functions.py",
    "tests/unit/test_heap_functions.py",
    "tests/test_perf_map.py",
)
"""What looks at the processor itself."""
QUICK_TESTS: Final = 6
"""of these the first ones, which run no programs"""
MORE_TESTS: Final = (
    "tests/unit/test_baseline_primitives.py",
    "tests/test_examples.py",
    "tests/test_large_programs.py",
)
"""What takes some minutes there, with the engines that are the same on every machine left out."""
OPTIMIZED: Final = (("--no-llvm", "--every=5", "--gc=swiper"), ("--every=20", "--gc=swiper"))
"""parts of the language suite by the optimizing compiler: its own lowering, and LLVM, which is slow there"""
TOO_SLOW_FOR: Final = "not wakes_up"
"""tests there that count on a program to have started within a moment"""
NOT_UNDER_UNICORN: Final = f"{TOO_SLOW_FOR} and (not macro_operations or calls or frames or jump)"
"""for pytest's -k: what the tests of the machine layer on other hosts do not run"""


class Unavailable(Exception):
    """There is no emulation here; the message says what is missing."""


def folder() -> Path:
    """Where everything is kept, for all work trees."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "dora-aarch64" / str(RECIPE)


def emulator() -> str:
    """The emulator.  Raises Unavailable."""
    found = shutil.which(EMULATOR)
    if found is None:
        raise Unavailable(f"{EMULATOR} is missing: apt-get install qemu-user")
    return found


def check() -> None:
    """Raises Unavailable if `setup` has not been here."""
    emulator()
    if not (folder() / "complete").exists():
        raise Unavailable("the arm64 Python is not set up: tools/aarch64 setup")


# ---- Setting up ----


def setup() -> None:
    """Make the folder, if it is not complete."""
    emulator()
    place = folder()
    if (place / "complete").exists():
        return
    shutil.rmtree(place, ignore_errors=True)
    fetch_packages(place / "apt")
    unpack_packages(place / "apt", place / "root")
    fetch_wheels(place / "wheels", python_version(place / "root"))
    shutil.rmtree(place / "apt")
    (place / "complete").touch()


def apt_options(place: Path) -> list[str]:
    """An apt of its own: for arm64, on a machine where nothing is installed."""
    options = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "",
        "Acquire::Retries": 3,
        "Dir::State": place / "state",
        "Dir::State::status": place / "status",
        "Dir::Cache": place / "cache",
        "Dir::Log": place / "log",
    }
    return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def fetch_packages(place: Path) -> None:
    """Python, and what it needs, as packages."""
    for name in ("state/lists/partial", "cache/archives/partial", "log"):
        (place / name).mkdir(parents=True)
    (place / "status").touch()
    options = apt_options(place)
    call(["apt-get", *options, "-q", "update"])
    call(
        ["apt-get", *options, "-q", "-y", "--download-only", "--no-install-recommends", "install", *PACKAGES]
    )


def unpack_packages(place: Path, root: Path) -> None:
    for package in sorted((place / "cache" / "archives").glob("*.deb")):
        call(["dpkg-deb", "-x", str(package), str(root)])
    if not (root / "lib").exists():
        (root / "lib").symlink_to("usr/lib")


def python_version(root: Path) -> str:
    """Such as `3.11`."""
    return (root / "usr" / "bin" / "python3").resolve().name.removeprefix("python")


def fetch_wheels(place: Path, version: str) -> None:
    platforms = [f"--platform={name}" for name in PLATFORMS]
    options = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:", f"--target={place}"]
    kind = ["--implementation=cp", f"--python-version={version}"]
    call([sys.executable, "-m", "pip", "install", *options, *kind, *platforms, *WHEELS])


def call(command: Sequence[str]) -> None:
    """Run a command of the host; its output is shown only if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Unavailable(f"{' '.join(command)}:\n{done.stdout}")


# ---- Running ----


def command_line(arguments: Sequence[str], tests: bool = False) -> list[str]:
    """The emulated Python with arguments.  Raises Unavailable."""
    check()
    root = folder() / "root"
    path = [PROJECT / "src", *([PROJECT / "tests", folder() / "wheels"] if tests else [folder() / "wheels"])]
    settings = {
        "PYTHONHOME": root / "usr",
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONDONTWRITEBYTECODE": "1" if tests else "",
        "DORA_VERIFY": "1" if tests else "",
        "DORA_CACHE": "off" if tests else "",
        "EMULATED": "1" if tests else "",
    }
    variables = [word for name, value in settings.items() for word in ("-E", f"{name}={value}")]
    python = root / "usr" / "bin" / "python3"
    return [emulator(), "-L", str(root), *variables, str(python.resolve()), *arguments]


def pytest(arguments: Sequence[str]) -> int:
    command = command_line(["-m", "pytest", "-p", "no:cacheprovider", *arguments], tests=True)
    return subprocess.run(command, cwd=PROJECT).returncode


def suite(arguments: Sequence[str]) -> int:
    """The language suite; `tests/emulated_suite.py` has the arguments."""
    command = command_line(["tests/emulated_suite.py", *arguments], tests=True)
    return subprocess.run(command, cwd=PROJECT).returncode


def test(arguments: Sequence[str]) -> int:
    """Everything that is worth running there."""
    setup()
    status = suite(arguments)
    for optimized in OPTIMIZED:
        status = suite(["--engine=opt", *optimized]) or status
    status = pytest(["-k", TOO_SLOW_FOR, *MACHINE_TESTS]) or status
    return pytest(["-k", "baseline", *MORE_TESTS]) or status


def main(arguments: Sequence[str]) -> int:
    command, *rest = arguments or ["help"]
    if command == "setup":
        setup()
    elif command in ("run", "python"):
        setup()
        words = command_line(["-m", "doralang", "run", *rest] if command == "run" else rest)
        os.execv(words[0], words)
    elif command in ("pytest", "suite"):
        setup()
        return pytest(rest) if command == "pytest" else suite(rest)
    elif command == "test":
        return test(rest)
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as problem:
        sys.exit(f"tools/aarch64: {problem}")

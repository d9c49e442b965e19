"""The command `dora`: reads its arguments and hands over to the command they name.

`entry` is the process; `run_command` does the same inside a process, with any streams.
"""

from __future__ import annotations

import atexit
import errno
import os
import sys

from doralang import interrupts
from doralang.cli.invocation import UsageError
from doralang.cli.reading import check_command, parse_arguments
from doralang.machine.targets import host
from doralang.optional import load
from doralang.settings import ImpossibleSetting, Streams
from doralang.text.pause import NO_CYCLES
from doralang.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Final, NoReturn

    from doralang.cli.invocation import Invocation
    from doralang.settings import ByteSource

USAGE: Final = 2
INTERNAL_ERROR: Final = 70
OUT_OF_MEMORY: Final = 107
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141


def entry() -> NoReturn:
    """Run the command line of this process, and end it without the host's slow farewell."""
    NO_CYCLES.keeps = True
    stdin: ByteSource = _Closed() if sys.stdin is None else sys.stdin.buffer  # type: ignore[assignment]
    streams = Streams(stdin, _binary(sys.stdout), _binary(sys.stderr))
    try:
        interrupts.raise_once()
        status = run_command(sys.argv[1:], streams.stdin, streams.stdout, streams.stderr)
        interrupts.end_at_once()
    except KeyboardInterrupt:
        interrupts.say_interrupted()
        status = INTERRUPTED
    except interrupts.Terminated:
        status = INTERRUPTED
    status = _flush(streams, status)
    atexit._run_exitfuncs()
    interrupts.end(interrupts.RECEIVED.number, status)


class _Closed:
    """A standard input that was closed by whoever started us."""

    def read1(self, most: int, /) -> bytes:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _binary(stream: object) -> BinaryIO:
    """The bytes under a standard stream for output, which may be closed as well."""
    buffer = getattr(stream, "buffer", None)
    return buffer if buffer is not None else open(os.devnull, "wb")


def _flush(streams: Streams, status: int) -> int:
    try:
        streams.stdout.flush()
        streams.stderr.flush()
    except OSError:
        return status or BROKEN_PIPE
    return status


def run_command(arguments: list[str], stdin: ByteSource, stdout: BinaryIO, stderr: BinaryIO) -> int:
    """Do what the arguments of a command line say, and return the exit status."""
    try:
        return _survive(arguments, Streams(stdin, stdout, stderr))
    except BrokenPipeError:
        return BROKEN_PIPE
    except OSError:
        return 1  # not even a message can be written


def complain(streams: Streams, text: str) -> None:
    load("doralang.cli.output").complain(streams, text)


def _survive(arguments: list[str], streams: Streams) -> int:
    try:
        status = _run(arguments, streams)
        streams.stdout.flush()
        return status
    except UsageError as error:
        joint = " " if str(error).endswith("?") else "; "
        complain(streams, f"dora: {error}{joint}see `{f'dora {error.command}'.rstrip()} --help`\n")
        return USAGE
    except ImpossibleSetting as error:
        complain(streams, f"dora: {error}\n")
        return USAGE
    except MemoryError:
        complain(streams, "out of memory\n")
        return OUT_OF_MEMORY
    except KeyboardInterrupt:
        complain(streams, "interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:
        load("doralang.cli.output").write(streams.stderr, f"dora: {error}\n")
        return 1
    except Exception as error:
        interrupts.raise_again()
        return _internal_error(error, streams)


def _run(arguments: list[str], streams: Streams) -> int:
    if not arguments:
        raise UsageError("nothing to do")
    invocation = parse_arguments(arguments)
    if invocation.information is not None:
        load("doralang.cli.output").write(streams.stdout, _information(invocation))
        return 0
    check_command(invocation)
    try:
        if invocation.given or host() is None:  # the defaults go together, if there is a processor for them
            load("doralang.cli.combinations").check(invocation)
        if invocation.strays:
            complain(streams, stray_options(invocation.strays))
        main = load(f"doralang.cli.{invocation.command.name}").main
        return int(main(invocation, streams))
    except UsageError as error:
        error.command = error.command or invocation.command.name
        raise


def _information(invocation: Invocation) -> str:
    if invocation.information == "version":
        return f"dora {VERSION}\n"
    usage = load("doralang.cli.usage")
    text: str = usage.command_usage(invocation.command) if invocation.named else usage.usage()
    return text


def stray_options(strays: list[str]) -> str:
    """A warning about options behind the file of `run`."""
    names = ", ".join(f"`{stray}`" for stray in strays)
    verb = "stands" if len(strays) == 1 else "stand"
    return f"dora: warning: {names} {verb} behind the file, for the program (say `--` before it if so)\n"


def _internal_error(error: Exception, streams: Streams) -> int:
    if os.environ.get("DORA_DEBUG"):
        complain(streams, "".join(load("traceback").format_exception(error)))
    complain(
        streams,
        f"dora: internal error: {type(error).__name__}: {error}\n"
        "This is a mistake in dora itself. Please report it, together with the program.\n",
    )
    return INTERNAL_ERROR

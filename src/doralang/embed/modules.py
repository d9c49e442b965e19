"""Programs inside Python: compile a text, call its functions.

    m = dora.compile("fun twice(n: int) -> int { return 2 * n; }")
    m.twice(21)      ->   42

A `Module` is the checked program and its code.  Its functions run in an `Instance`, which has the globals and
the heap: in `Module.instance` if the program has globals; without any, in one of a pool, so all threads may
call at once.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from threading import Lock
from types import MappingProxyType
from typing import Any, Final, Literal

from doralang.checker import program as typed
from doralang.checker.checker import MainRule, check_program
from doralang.checker.library import compiled_library
from doralang.code.constants import layout_constants
from doralang.embed import errors
from doralang.embed.conversion import FromValue, ToWord, annotation, converter_for, result_of
from doralang.embed.instances import CancelRequest, Host, Print
from doralang.embed.limits import Limits
from doralang.engines.native import module_of
from doralang.library.files import GRANTED
from doralang.native.module import Module as Code
from doralang.runtime import instance as runtime
from doralang.settings import Settings
from doralang.syntax.parser import parse_file
from doralang.text.diagnostics import Diagnostics
from doralang.text.source import Source
from doralang.types.failures import Exit, Failure
from doralang.types.types import ClassType

Policy = Literal["trusted", "untrusted"]

GRANTS: Final[Mapping[str, frozenset[str]]] = {
    "files": frozenset({"File"}),
    "clock": frozenset({"sleep"}),
    "process": frozenset({"getpid", "getppid"}),
    "native": frozenset(GRANTED) - {"File", "sleep", "getpid", "getppid"},
}
"""the names of the library that each grant makes known"""

MOST_POOLED: Final = 8
"""instances that a module keeps for the next calls"""


def to_stdout(text: str) -> None:
    sys.stdout.write(text)


def compile(
    source: str | None = None,
    *,
    path: str | PathLike[str] | None = None,
    filename: str = "<string>",
    print: Print | None = to_stdout,
    grant: tuple[str, ...] | list[str] = (),
    policy: Policy = "trusted",
    limits: Limits | None = None,
) -> Module:
    """Compile a program, given as text or by the path of its file.

    Warnings go to `warnings.warn`.  `print` gets what the program prints (None drops it).  `grant` names what
    it may reach: "files", "clock", "process", "native".  Raises CompileError with every mistake.
    """
    if policy not in ("trusted", "untrusted"):
        raise ValueError(f"policy: {policy!r} is neither 'trusted' nor 'untrusted'")
    limits = limits or (Limits.untrusted() if policy == "untrusted" else Limits())
    if (source is None) == (path is None):
        raise TypeError("give a text or the path of a file, one of them")
    if path is not None:
        filename = fspath(path)
        with open(path, encoding="utf-8") as file:
            source = file.read()
    if not isinstance(source, str):
        raise TypeError(f"the source is a str, not {type(source).__name__}")
    granted = granted_names(grant, policy)
    return Module(checked(Source(filename, source), granted, limits), limits, print)


def granted_names(grant: tuple[str, ...] | list[str], policy: Policy) -> frozenset[str]:
    """The names of the library that are made known.  Nothing is, unless it is granted."""
    for name in grant:
        if name not in GRANTS:
            raise ValueError(f"grant: there is no {name!r}; there are {', '.join(GRANTS)}")
    if grant and policy == "untrusted":
        raise ValueError("grant: an untrusted program is granted nothing")
    return frozenset().union(*(GRANTS[name] for name in grant))


def checked(source: Source, granted: frozenset[str], limits: Limits) -> typed.Program:
    """The typed program.  Raises CompileError, and warns."""
    if limits.source_size is not None and len(source.text.encode("utf-8", "replace")) > limits.source_size:
        raise errors.too_large(source, limits.source_size)
    diagnostics = Diagnostics()
    file = parse_file(source, diagnostics)
    library = compiled_library(layout_constants())
    program = check_program(source, file, diagnostics, library, main=MainRule.OPTIONAL, granted=granted)
    if diagnostics.errors:
        raise errors.CompileError(diagnostics)
    for report in errors.diagnostics_of(diagnostics):
        warnings.warn(f"{source.name}:{report.line}:{report.column}: {report.message}", stacklevel=4)
    return program


class Module:
    """A checked program and its code; its functions are attributes."""

    def __init__(self, program: typed.Program, limits: Limits, print: Print | None) -> None:
        self._program = program
        self._limits = limits
        self._print = print
        self._code: Code = module_of(program, Settings())
        self._lock = Lock()
        self._spare: list[Host] = []
        self._instance: Instance | None = None
        text = program.library.classes["Str"].of()
        self.functions: Mapping[str, Function] = MappingProxyType(
            {
                name: Function(self, function, text)
                for name, function in program.functions.items()
                if not function.type_parameters
            }
        )

    @property
    def instance(self) -> Instance:
        """The instance in which the functions of a program with globals run; made when first asked for."""
        with self._lock:
            if self._instance is None:
                self._instance = Instance(self, self._limits)
            return self._instance

    def new(self, limits: Limits | None = None) -> Instance:
        """Another instance, with a heap and globals of its own."""
        return Instance(self, limits or self._limits)

    def _new_host(self, limits: Limits) -> Host:
        return Host(self._code, limits, self._print)

    @contextmanager
    def _host(self) -> Iterator[Host]:
        """An instance for one call."""
        if self._program.globals:
            with self.instance._entered() as host:
                yield host
            return
        try:
            host = self._spare.pop()
        except IndexError:
            host = self._new_host(self._limits)
        try:
            yield host
        finally:
            if host.instance.is_spent or len(self._spare) >= MOST_POOLED:
                host.instance.close()
            else:
                self._spare.append(host)

    def __getattr__(self, name: str) -> Function:
        functions = self.__dict__.get("functions", {})
        if name in functions:
            return functions[name]  # type: ignore[no-any-return]
        raise AttributeError(f"the program has no function `{name}`")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.functions]

    def __del__(self) -> None:
        code, spare = self.__dict__.get("_code"), self.__dict__.get("_spare", [])
        if code is None:
            return

        def free() -> None:
            for host in spare:
                host.instance.close()
            code.close()

        code.space.condemn(free)


class Instance:
    """A heap and the globals of one program.  `close`, or dropping it, frees all of it at once."""

    def __init__(self, module: Module, limits: Limits) -> None:
        self._module = module
        self.limits = limits
        self.spent: errors.DoraError | None = None
        """why it can no longer be called"""
        self._host = module._new_host(limits)
        self._is_initialized = False
        self._lock = Lock()

    @contextmanager
    def _entered(self) -> Iterator[Host]:
        """The instance for one call, its globals initialised.  Raises InstanceBusy and InstanceSpent."""
        if not self._lock.acquire(blocking=False):
            raise errors.InstanceBusy("the instance is running already")
        try:
            if self.spent is not None:
                raise errors.InstanceSpent(f"the instance cannot be used any more: {self.spent}")
            if not self._is_initialized:
                self._host.begin_call()
                entering(self._host.initialize_globals)
                self._is_initialized = True
            yield self._host
            if self._host.instance.is_spent:
                self.spent = errors.InstanceSpent("it was left in the middle of a collection")
        finally:
            self._lock.release()

    def cancel(self) -> None:
        """From any thread: the running call raises Cancelled soon."""
        self._host.cancel()

    def close(self) -> None:
        """Free it.  Raises InstanceBusy if it is running."""
        if not self._lock.acquire(blocking=False):
            raise errors.InstanceBusy("the instance is running")
        try:
            self.spent = self.spent or errors.InstanceSpent("it was closed")
            self._host.instance.close()
        finally:
            self._lock.release()

    def __getattr__(self, name: str) -> BoundFunction:
        module = self.__dict__.get("_module")
        if module is not None and name in module.functions:
            return BoundFunction(module.functions[name], self)
        raise AttributeError(f"the program has no function `{name}`")

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if "_host" in self.__dict__:
            instance = self._host.instance
            instance.space.condemn(instance.close)


def entering(run: Callable[[], Any]) -> Any:
    """Run something in an instance, with what it raises as the API has it."""
    try:
        return run()
    except Failure as failure:
        raise errors.failure_of(failure) from None
    except Exit as exit:
        raise errors.Exited(exit.status) from None
    except CancelRequest:
        raise errors.Cancelled("the call was cancelled") from None
    except runtime.InstanceBusy as busy:
        raise errors.InstanceBusy(str(busy)) from None


class Function:
    """A function of a program, called like one of Python's; arguments are converted exactly or refused."""

    def __init__(self, module: Module, function: typed.Function, text: ClassType) -> None:
        self._module = module
        self._function = function
        self.__name__ = self.__qualname__ = function.name
        self.signature = function.signature
        self._names = [parameter.name for parameter in function.parameters]
        self._converters: list[ToWord | None] = [
            converter_for(parameter.type, text) for parameter in function.parameters
        ]
        self._result: FromValue | None = result_of(function.result, text)
        self.__signature__ = inspect.Signature(
            [
                inspect.Parameter(
                    parameter.name,
                    inspect.Parameter.POSITIONAL_OR_KEYWORD,
                    annotation=annotation(parameter.type, text),
                )
                for parameter in function.parameters
            ],
            return_annotation=annotation(function.result, text),
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self._module._host() as host:
            return self._call(host, args, kwargs)

    def _call(self, host: Host, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call it in an instance that nobody else uses."""
        values = self._bound(args, kwargs)
        if self._result is None:
            raise TypeError(f"{self.__name__}() returns an object, which cannot come out")
        host.begin_call()
        words = []
        for convert, value, name in zip(self._converters, values, self._names, strict=True):
            if convert is None:
                raise TypeError(f"{self.__name__}(): `{name}` is an object, which cannot get in")
            words.append(convert(host, value, name))
        ref = self._module._code.specializer.entry_ref(self._function)
        return self._result(entering(lambda: host.run(ref, words)))

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments in order.  Raises TypeError as Python does."""
        names = self._names
        if not kwargs and len(args) == len(names):
            return args
        try:
            return self.__signature__.bind(*args, **kwargs).args
        except TypeError as error:
            raise TypeError(f"{self.__name__}(): {error}") from None

    def __repr__(self) -> str:
        return f"<dora function {self.signature}>"


class BoundFunction:
    """A function of a program in one instance of it."""

    def __init__(self, function: Function, instance: Instance) -> None:
        self._function = function
        self._instance = instance
        self.__name__ = function.__name__
        self.__signature__ = function.__signature__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self._instance._entered() as host:
            return self._function._call(host, args, kwargs)

"""Programs inside Python: compile a text, call its functions.

    m = dora.compile("fun twice(n: int) -> int { return 2 * n; }")
    m.twice(21)      ->   42

A `Module` is the checked program and its code.  Its functions run in an `Instance`, which has the globals and
the heap: in `Module.instance` if the program has globals; without any, in one of a pool, so all threads may
call at once.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from os import PathLike, fspath
from types import MappingProxyType
from typing import Any, Final, Literal
from weakref import ref

from doralang.checker import program as typed
from doralang.checker.checker import MainRule, check_program
from doralang.checker.library import compiled_library
from doralang.code.constants import layout_constants
from doralang.embed import errors
from doralang.embed.callbacks import Callback, callbacks_of
from doralang.embed.functions import Function, SlowCallee
from doralang.embed.instances import Alone, Instances, Pool, Print
from doralang.embed.layouts import refuse_free_threading
from doralang.embed.limits import Limits
from doralang.embed.objects import Object, object_at, python_class
from doralang.embed.programs import CheckedProgram, Stage
from doralang.embed.recipes import recipe_of, remade
from doralang.optional import load
from doralang.runtime.instance import InstanceBusy
from doralang.syntax.parser import parse_file
from doralang.text.source import Source

refuse_free_threading()

Policy = Literal["trusted", "untrusted"]

GRANTS: Final[Mapping[str, frozenset[str]]] = {
    "files": frozenset({"File", "IoError", "appendFile", "fileExists", "readFile", "writeFile"}),
    "input": frozenset({"IoError", "readInput", "readLine"}),
    "clock": frozenset({"currentMillis", "monotonicNanos", "sleep"}),
    "environment": frozenset({"environment"}),
    "process": frozenset({"getpid", "getppid"}),
    "native": frozenset(
        {"call0", "call1", "call2", "call3", "loadFunction"}
        | {"native_free", "native_malloc", "native_string", "set_uint8"}
    ),
}
"""the names of the library that each grant makes known"""

NO_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType({})


def to_stdout(text: str) -> None:
    sys.stdout.write(text)


DEFAULTS: Final[dict[str, Any]] = {
    "filename": "<string>",
    "functions": NO_FUNCTIONS,
    "print": to_stdout,
    "grant": (),
    "policy": "trusted",
    "limits": None,
}


def compile(
    source: str | None = None,
    *,
    path: str | PathLike[str] | None = None,
    filename: str = "<string>",
    functions: Mapping[str, Callable[..., Any]] = NO_FUNCTIONS,
    print: Print | None = to_stdout,
    grant: tuple[str, ...] | list[str] = (),
    policy: Policy = "trusted",
    limits: Limits | None = None,
) -> Module:
    """Compile a program, given as text or by the path of its file.

    Warnings go to `warnings.warn`.  `functions` are Python functions that it may call by these names; their
    annotations are the signatures.  `print` gets what the program prints (None drops it).  `grant` names
    what it may reach: "files", "clock", "process", "native".  Raises CompileError with every mistake.
    """
    bounds, limits = limits, limits_for(policy, limits)
    if (source is None) == (path is None):
        raise TypeError("give a text or the path of a file, one of them")
    if path is not None:
        filename = fspath(path)
        with open(path, encoding="utf-8") as file:
            source = file.read()
    if not isinstance(source, str):
        raise TypeError(f"the source is a str, not {type(source).__name__}")
    granted = granted_names(grant, policy)
    library = compiled_library(layout_constants())
    callbacks = callbacks_of(functions, library.library.classes["Str"].of())
    program = checked(Source(filename, source), granted, limits, callbacks)
    made = CheckedProgram(program, limits, print, callbacks, object_at, policy == "untrusted")
    given = {
        "filename": filename,
        "functions": functions,
        "print": print,
        "grant": grant,
        "policy": policy,
        "limits": bounds,
    }
    made.recipe = recipe_of(source, given, DEFAULTS)
    return Module(made)


def limits_for(policy: Policy, limits: Limits | None) -> Limits:
    """The limits of a policy, unless there are others.  Raises ValueError."""
    if policy not in ("trusted", "untrusted"):
        raise ValueError(f"policy: {policy!r} is neither 'trusted' nor 'untrusted'")
    return limits or (Limits.untrusted() if policy == "untrusted" else Limits())


def granted_names(grant: tuple[str, ...] | list[str], policy: Policy) -> frozenset[str]:
    """The names of the library that are made known.  Nothing is, unless it is granted."""
    for name in grant:
        if name not in GRANTS:
            raise ValueError(f"grant: there is no {name!r}; there are {', '.join(GRANTS)}")
    if grant and policy == "untrusted":
        raise ValueError("grant: an untrusted program is granted nothing")
    return frozenset().union(*(GRANTS[name] for name in grant))


def checked(
    source: Source, granted: frozenset[str], limits: Limits, callbacks: Sequence[Callback]
) -> typed.Program:
    """The typed program.  Raises CompileError, and warns."""
    if limits.source_size is not None and len(source.text.encode("utf-8", "replace")) > limits.source_size:
        raise errors.too_large(source, limits.source_size)
    library = compiled_library(layout_constants())
    hosts = [callback.declaration for callback in callbacks]
    with errors.compile_time(source, limits.compile_time) as diagnostics:
        file = parse_file(source, diagnostics)
        program = check_program(
            source, file, diagnostics, library, main=MainRule.OPTIONAL, granted=granted, hosts=hosts
        )
    if diagnostics.errors:
        raise errors.CompileError(diagnostics)
    for report in errors.diagnostics_of(diagnostics):
        warnings.warn(f"{source.name}:{report.line}:{report.column}: {report.message}", stacklevel=4)
    return program


def function_of(program: CheckedProgram, name: str, instances: Instances) -> Function[Any]:
    """A function of a program in its instances.  Raises AttributeError."""
    function = program.typed.functions.get(name)
    if function is None or function.type_parameters:
        what = "a generic function, which cannot be called" if function else "no function"
        raise AttributeError(f"the program has {what} of the name `{name}`")
    return Function(SlowCallee(program, function, instances))


def callable_names(program: CheckedProgram) -> list[str]:
    return [name for name, function in program.typed.functions.items() if not function.type_parameters]


class Module:
    """A checked program and its code; its functions are attributes."""

    def __init__(self, program: CheckedProgram) -> None:
        self._program = program
        program.module = ref(self)
        self._made: Instance | None = None
        self._pool = Pool(program.code, program.new_host)

    @property
    def functions(self) -> Mapping[str, Function[Any]]:
        """All that can be called, by name."""
        return MappingProxyType({name: getattr(self, name) for name in callable_names(self._program)})

    @property
    def classes(self) -> Mapping[str, type[Object]]:
        """The classes of which Python may get objects, by name: for `isinstance`.  A class that extends
        another one does so in Python, too; those of one generic class are one class."""
        program = self._program
        classes = program.typed.classes.items()
        return MappingProxyType(
            {name: python_class(program, head) for name, head in classes if not head.is_value}
        )

    @property
    def instance(self) -> Instance:
        """The instance in which the functions of a program with globals run; made when first asked for."""
        if self._made is None:
            made = Instance(self._program, self._program.limits)
            self._made = self._made or made  # of all threads that make one; nobody comes in between
        return self._made

    def new(self, limits: Limits | None = None) -> Instance:
        """Another instance, with a heap and globals of its own.

        Raises ValueError if these limits count fuel and the module's do not: it would need other code.
        """
        if limits is not None and limits.fuel is not None and self._program.limits.fuel is None:
            raise ValueError("fuel: the module was compiled without it; give `compile` limits with `fuel`")
        return Instance(self._program, limits or self._program.limits)

    def explain(self, stage: Stage, name: str | None = None) -> str:
        """What the program is in a stage: its tokens, its ast or its checked program; bytecode or asm of its
        functions that can be reached, or of those of one name.

        Raises ValueError, and ListingError for machine code without Capstone.
        """
        return load("doralang.embed.explaining").module_explained(self._program, stage, name)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Function[Any]:
        program = self.__dict__.get("_program")
        if program is None:
            raise AttributeError(name)
        instances: Instances = self.instance._instances if program.typed.globals else self._pool
        function: Function[Any] = self.__dict__.setdefault(name, function_of(program, name, instances))
        return function

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *callable_names(self._program)]

    def __reduce__(self) -> tuple[Any, ...]:
        """The text and the options of `compile`."""
        recipe = self._program.recipe_to_pickle()
        assert recipe is not None, "it was compiled from a text"
        return remade_module, tuple(recipe)

    def __copy__(self) -> Module:
        return self

    def __deepcopy__(self, memo: object) -> Module:
        return self


def remade_module(source: str, options: tuple[tuple[str, Any], ...]) -> Module:
    """The module of a pickle.  Raises CompileError if another version does not understand it."""
    module = remade(compile, source, options)
    assert isinstance(module, Module), "they are kept"
    return module


def remade_function(source: str, options: tuple[tuple[str, Any], ...], name: str) -> Function[Any]:
    """The function of a pickle."""
    found = getattr(remade_module(source, options), name)
    assert isinstance(found, Function), "it was one"
    return found


class Instance:
    """A heap and the globals of one program.  `close`, or dropping it and its functions, frees all of it at
    once."""

    def __init__(self, program: CheckedProgram, limits: Limits) -> None:
        self._program = program
        self.limits = limits
        self._instances = Alone(program.new_host(limits))

    @property
    def spent(self) -> errors.DoraError | None:
        """Why it can no longer be called."""
        return self._instances.host.spent

    @property
    def memory_used(self) -> int:
        """Bytes of its objects, but for what nobody has found dead yet."""
        return self._instances.host.bytes_in_use

    @property
    def fuel_used(self) -> int:
        """Units of fuel in all calls so far; 0 if the module was compiled without the limit `fuel`."""
        return self._instances.host.fuel_used

    def cancel(self) -> None:
        """From any thread: the running call, if there is one, raises Cancelled soon."""
        self._instances.host.cancel()

    def close(self) -> None:
        """Free it.  Raises InstanceBusy if it is running."""
        try:
            self._instances.host.close()
        except InstanceBusy:
            raise errors.InstanceBusy("the instance is running") from None

    def __getattr__(self, name: str) -> Function[Any]:
        program = self.__dict__.get("_program")
        if program is None:
            raise AttributeError(name)
        function: Function[Any] = self.__dict__.setdefault(name, function_of(program, name, self._instances))
        return function

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *callable_names(self._program)]

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an instance cannot be pickled or copied; its module can")

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

"""Functions of programs, as Python calls them.

m.twice(21)      machine code, if the arguments are what it takes (`embed.wrappers`)
m.twice(n=21)    `Callee.call`: names put in order, everything converted or refused with the parameter's name
"""

from __future__ import annotations

import inspect
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from keyword import iskeyword
from typing import Any, Final, Generic, TypeVar
from weakref import WeakValueDictionary

from doralang.bytecode.entities import ClassRef
from doralang.checker.program import Class
from doralang.checker.program import Function as Typed
from doralang.embed import layouts, wrappers
from doralang.embed.borders import Border, border_of
from doralang.embed.conversion import TO_WORD, annotation, utf8, wrong
from doralang.embed.copied_arrays import copied, new_array
from doralang.embed.held import Held
from doralang.embed.instances import Host, Instances
from doralang.embed.native_calls import CallWords, NativeCall, keep_vectorcall, set_words
from doralang.embed.programs import CheckedProgram, Stage
from doralang.embed.slices import borrow, lent, new_slice
from doralang.embed.wrappers import Surroundings, Wrapped
from doralang.machine.code import Code, link
from doralang.optional import load
from doralang.runtime.code_space import CodeSpace
from doralang.types.types import ClassType, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from doralang.embed.arrays import Computation

T = TypeVar("T")

ARRAY_CALLS: Final = "doralang.embed.array_calls"
EXPLAINING: Final = "doralang.embed.explaining"
"""loaded when they are needed"""


class PlacedCode:
    """Machine code that is freed with the object, to which nothing leads weakly."""

    __slots__ = ("address", "size", "space")

    def __init__(self, space: CodeSpace, code: Code) -> None:
        self.space, self.size = space, len(code.data)
        with space.freeing, space.lock:
            self.address = space.arena.allocate(self.size)
            space.arena.write(self.address, link(code, self.address, space.address))  # type: ignore[arg-type]

    def __del__(self) -> None:
        space, address, size = self.space, self.address, self.size
        space.condemn(lambda: space.arena.free(address, size))


class PlacedWrapper:
    """A wrapper that has been placed, for as long as functions use it.

    It has no finalizer: while that runs another thread may still find it by a weak reference.
    """

    __slots__ = ("__weakref__", "code")

    def __init__(self, space: CodeSpace, code: Code) -> None:
        self.code = PlacedCode(space, code)

    @property
    def address(self) -> int:
        """Of its first instruction."""
        return self.code.address


WRAPPERS: Final[WeakValueDictionary[Wrapped, PlacedWrapper]] = WeakValueDictionary()
"""those that functions use"""
RECENT: Final[deque[PlacedWrapper]] = deque(maxlen=64)
"""the last ones that were made, for the next function of the same signature"""


def surroundings(space: CodeSpace) -> Surroundings:
    return Surroundings(
        space.ticker.table.address,
        layouts.int_layout(),
        layouts.floats_are_known(),
        layouts.tuple_items(),
        layouts.text_layout(),
    )


def placed_wrapper(space: CodeSpace, wrapped: Wrapped) -> PlacedWrapper | None:
    """The wrapper for a signature; None if each call has to be a slow one."""
    if not wrappers.can_wrap(wrapped, surroundings(space)):
        return None
    found = WRAPPERS.get(wrapped)
    if found is None:
        code = wrappers.wrapper(space.target.assembler(), wrapped, surroundings(space))
        found = WRAPPERS[wrapped] = PlacedWrapper(space, code)
        RECENT.append(found)
    return found


class SlowCallee:
    """A function of a program in its instances: how it is called when machine code does not do it alone."""

    def __init__(
        self, program: CheckedProgram, function: Typed, instances: Instances, receiver: Held | None = None
    ) -> None:
        self.program = program
        self.function = function
        self.instances = instances
        self.receiver = receiver
        """the object whose method it is"""
        self.elements: Computation | None = None
        """what computes arrays element by element; made at the first such call"""
        self.ufunc: Any = None
        """the same for NumPy"""
        text = program.text
        types = [parameter.type for parameter in function.parameters]
        self.parameters = [
            (parameter.name, border_of(type, text), type)
            for parameter, type in zip(function.parameters, types, strict=True)
        ]
        self.lent = {index: found for index, type in enumerate(types) if (found := lent(type))}
        """the parameters that take buffers, by their numbers"""
        self.copied = {index: element for index, type in enumerate(types) if (element := copied(type))}
        """the types of elements of those that take copies of sequences"""
        self.result = border_of(function.result, text)
        self.signature = signature_of(function, text)
        with program.code.space.freeing, program.code.space.lock:
            self.ref = program.code.specializer.entry_ref(function)
            self.cell = program.code.loader.cell(self.ref)

    @property
    def wrapped(self) -> Wrapped | None:
        """The signature for machine code."""
        borders = [border for _, border, _ in self.parameters]
        if None in borders or self.result is None or self.receiver is not None:
            return None
        return Wrapped(tuple(borders), self.result)  # type: ignore[arg-type]  # none is None

    def call(self, /, *args: Any, **kwargs: Any) -> Any:
        """The slow way: every kind of argument, and all errors."""
        values = self.bound(args, kwargs)
        if self.result is None:
            raise TypeError(f"{self.function.name}() returns a {self.function.result}, which cannot come out")
        mine = (value for value in values if isinstance(value, Held) and value._instances is self.instances)
        owner = self.receiver or next(mine, None)
        if owner is not None:
            owner._host.begin()
            return self.call_in(owner._host, values)
        host = self.instances.take()
        try:
            return self.call_in(host, values)
        finally:
            self.instances.give_back(host)

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments in order.  Raises TypeError as Python does."""
        values = in_order([name for name, _, _ in self.parameters], args, kwargs)
        if values is not None:
            return values
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.function.name}(): {error}") from None
        bound.apply_defaults()
        return bound.args

    def call_in(self, host: Host, values: tuple[Any, ...]) -> Any:
        """Call it in the instance, whose turn has begun and ends here."""
        crossing = Crossing(self, host)
        try:
            return host.call(self.ref, self.cell, lambda: crossing.words(values), crossing.take)
        finally:
            for place in crossing.made.values():
                host.drop(place)
            crossing.held.close()


def in_order(names: Sequence[str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...] | None:
    """The arguments in the order of the parameters; None if they are not those."""
    if len(args) + len(kwargs) != len(names):
        return None
    try:
        return args + tuple([kwargs[name] for name in names[len(args) :]])
    except KeyError:
        return None


class Crossing:
    """One slow call: its arguments on their way in and its result on its way out."""

    def __init__(self, callee: SlowCallee, host: Host) -> None:
        self.callee = callee
        self.host = host
        self.made: dict[int, int] = {}
        """handles of texts, slices and arrays, by the number of the argument"""
        self.held = ExitStack()
        """the buffers that are lent"""

    def words(self, values: tuple[Any, ...]) -> list[int]:
        """The words of all arguments.  Objects are looked up last: what is made may need a collection."""
        callee, words = self.callee, []
        for index, ((name, border, type), value) in enumerate(zip(callee.parameters, values, strict=True)):
            if border is Border.TEXT:
                self.made[index] = self.host.hold(self.host.new_text(utf8(value, name)))
                words.append(0)
            elif index in callee.lent:
                self.made[index] = self.host.hold(self.slice_of(index, name, value))
                words.append(0)
            elif index in callee.copied and value is not None and not isinstance(value, Held):
                found = new_array(self.host, type, callee.copied[index], value, name)
                self.made[index] = self.host.hold(found)
                words.append(0)
            elif border is Border.OBJECT:
                self.look_at_object(name, type, value)
                words.append(0)
            elif border is None or border is Border.UNIT:
                raise TypeError(f"{callee.function.name}(): `{name}` is a {type}, which cannot get in")
            else:
                words.append(TO_WORD[border](value, name))
        for index, value in enumerate(values):
            if index in self.made:
                words[index] = self.host.at(self.made[index])
            elif isinstance(value, Held):
                words[index] = value._address
        return [callee.receiver._address, *words] if callee.receiver is not None else words

    def slice_of(self, index: int, name: str, value: Any) -> int:
        """The slice that stands for a buffer, which is held from here on.  Raises TypeError and others."""
        wanted = self.callee.lent[index]
        return new_slice(self.host, wanted, borrow(value, name, wanted, self.held))

    def look_at_object(self, name: str, type: Type, value: Any) -> None:
        """Raises TypeError if a value is no object for a parameter of this class."""
        if value is None:
            return
        if not isinstance(value, Held):
            raise wrong(name, str(type), value)
        if value._host is not self.host:
            raise TypeError(f"`{name}`: the object belongs to another instance")
        assert isinstance(type, ClassType), "traits do not cross"
        code = self.callee.program.code
        with code.space.freeing, code.space.lock:
            wanted = code.specializer.class_ref(type)
        if not is_a(self.host.class_at(value._address), wanted):
            raise TypeError(f"`{name}`: expected {type}, found {self.host.class_at(value._address).name}")

    def take(self, result: Any) -> Any:
        """What the function has returned, for Python."""
        border, callee = self.callee.result, self.callee
        if border is Border.CHAR:
            return chr(result)
        if border is Border.TEXT:
            text = self.host.text_at(result)
            return None if text is None else text.data.decode()
        if border is Border.OBJECT:
            return (
                callee.program.make_object(callee.program, callee.instances, self.host, result)
                if result
                else None
            )
        return result


def is_a(cls: ClassRef, other: ClassRef) -> bool:
    """Whether a class is another one or derives from it."""
    return any(step.symbol == other.symbol for step in cls.display)


def signature_of(function: Typed, text: Type) -> inspect.Signature:
    """As Python shows it; a name that Python has no parameters of is shown with its number."""
    return inspect.Signature(
        [
            inspect.Parameter(
                shown_name(parameter.name, index),
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                annotation=annotation(parameter.type, text),
            )
            for index, parameter in enumerate(function.parameters)
        ],
        return_annotation=annotation(function.result, text),
    )


def shown_name(name: str, index: int) -> str:
    return name if name.isidentifier() and not iskeyword(name) else f"_{index}"


def comment_above(declared: Typed | Class) -> str | None:
    """The comment right above a function or class, without its slashes."""
    lines = declared.source.text[: declared.span[0]].split("\n")[:-1]
    comment: list[str] = []
    while lines and lines[-1].lstrip().startswith("//"):
        comment.append(lines.pop().strip().lstrip("/").removeprefix(" "))
    return "\n".join(reversed(comment)) or None


class Function(NativeCall, Generic[T]):
    """A function of a program, called like one of Python's; arguments are converted exactly or refused."""

    __name__: str
    __signature__: inspect.Signature
    signature: str

    def __init__(self, callee: SlowCallee) -> None:
        function = callee.function
        self._callee = callee
        self._slow: Callable[..., Any] = callee.call
        self.__name__ = self.__qualname__ = function.name
        self.__doc__ = comment_above(function)
        self.__signature__ = callee.signature
        self.signature = function.signature
        self._by_name = False
        """whether Python finds it by its name, as it has taken the place of a Python function"""
        self._place()

    def _place(self) -> None:
        """Let calls lead to machine code, or to Python if there is none for the signature."""
        callee = self._callee
        code, instances = callee.program.code, callee.instances
        thread = 0
        wrapped = callee.wrapped
        wrapper = placed_wrapper(code.space, wrapped) if wrapped is not None else None
        if wrapper is not None and instances.host.machine_code_may_enter:
            thread = instances.host.instance.thread.address
        own = wrapper or placed_wrapper(code.space, Wrapped((), Border.UNIT))
        assert own is not None, "there is one for no arguments"
        self._wrapper = own
        self._names = tuple([sys.intern(name) for name, _, _ in callee.parameters])
        self._thread = thread
        set_words(self, self._words())

    def _words(self) -> CallWords:
        """What leads to machine code, as long as this function is there."""
        code, callee = self._callee.program.code, self._callee
        shape = code.loader.shape(code.text_class)
        return CallWords(self._wrapper.address, self._thread, callee.cell, self._slow, shape, self._names)

    def map(self, args: Sequence[Any] | Mapping[str, Any], *, out: Any = None, threads: int = 1) -> Any:
        """The function for arguments in order or by name, some of which are arrays, element by element.

        For functions from numbers to a number.  `out` is the array that gets the results; it may be one of
        the inputs.  `threads` share the elements, unless the program has globals; the results are the same.
        Raises TypeError, and whatever a call raises, with the element in its notes.
        """
        return load(ARRAY_CALLS).function_mapped(self._callee, args, out, threads)

    def over(self, table: Any, *, out: Any = None, threads: int = 1) -> Any:
        """The function over columns of a table, by the names of its parameters: a mapping, a DataFrame, a
        structured array, or an object with attributes.  Further columns do not matter."""
        return load(ARRAY_CALLS).function_over(self._callee, table, out, threads)

    @property
    def ufunc(self) -> Any:
        """A real `numpy.ufunc` over the function, for numbers of exactly its kinds, made when first asked
        for.  Raises TypeError for functions that are not from numbers to a number, and for a NumPy older than
        2; ImportError without NumPy."""
        return load(ARRAY_CALLS).function_ufunc(self._callee)

    def explain(self, stage: Stage = "asm") -> str:
        """What the function is in a stage: its bytecode or its machine code, or the tokens, the tree or the
        checked program that it is in.  Raises ValueError, and ListingError for machine code without
        Capstone."""
        callee = self._callee
        return load(EXPLAINING).function_explained(callee.program, stage, callee.function)  # type: ignore[no-any-return]

    def __reduce__(self) -> str | tuple[Any, ...]:
        """The module's text and options and the name; one from a Python stub is found by its name."""
        callee = self._callee
        recipe = callee.program.recipe_to_pickle()
        if recipe is None or callee.receiver is not None:
            raise TypeError(f"{self!r} cannot be pickled or copied")
        if self._by_name:
            return self.__qualname__
        return load("doralang.embed.modules").remade_function, (*recipe, self.__name__)

    def __copy__(self) -> Function[T]:
        return self

    def __deepcopy__(self, memo: object) -> Function[T]:
        return self

    def __repr__(self) -> str:
        return f"<dora function {self.signature}>"


keep_vectorcall(Function)

"""How a running program fails: from what an upcall finds to a `Trapped` with text and trace."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Sequence
from typing import Final

from doralang.bytecode.places import Site
from doralang.code import layout
from doralang.interpreter.context import FrameDescription
from doralang.native.upcalls import ADDRESS_BITS, Upcalls
from doralang.runtime.active import active_sites
from doralang.runtime.memory import load_word
from doralang.types.failures import Trapped
from doralang.types.traps import TRACE_LIMIT, StackTrace, Trap, trace_of

TRAPS: Final = tuple(Trap)
"""by the numbers that stubs pass"""
MASK_64: Final = (1 << 64) - 1


def trace(upcalls: Upcalls) -> StackTrace:
    """The functions that are active."""
    sites, left_out = active_sites(upcalls.instance)
    return trace_of(sites, describe_site, left_out)


def trapped(upcalls: Upcalls, number: int) -> Trapped:
    """What a trap stands for."""
    trap = TRAPS[number]
    if trap is Trap.UNCAUGHT:
        return uncaught(upcalls, upcalls.instance.thread[layout.THREAD_ARGUMENT])
    return overflow(upcalls) if trap is Trap.STACK else Trapped(trap)


def overflow(upcalls: Upcalls) -> Trapped:
    """The failure of the innermost function that has no room on the stack, at the call of it."""
    sites, left_out = active_sites(upcalls.instance, overflow=True)
    return Trapped(Trap.STACK, trace=trace_of(sites, describe_site, left_out))


def uncaught(upcalls: Upcalls, line: int) -> Trapped:
    """An exception that nobody caught: its text, and the trace that it recorded or the present one."""
    address = upcalls.instance.thread[layout.THREAD_EXCEPTION]
    module, cls = upcalls.module, upcalls.class_at(address)
    roots, environment = module.roots, module.environment
    sites, left_out = active_sites(upcalls.instance)
    if line and sites:
        sites = [sites[0]._replace(line=line), *sites[1:]]
    text, trace = cls.name, trace_of(sites, describe_site, left_out)
    if cls.is_text:
        text = str(upcalls.text_at(address))
    elif any(step.symbol == roots.exception_class.symbol for step in cls.display):
        message = load_word(address + environment.field_offset(roots.msg_field))
        text = str(upcalls.text_at(message)) if message else text
        record = load_word(address + environment.field_offset(roots.record_field))
        if record:
            trace = recorded_trace(upcalls, longs_at(record))
    return Trapped(Trap.UNCAUGHT, text, trace)


def recorded_trace(upcalls: Upcalls, entries: Sequence[int]) -> StackTrace:
    """The trace that an exception has recorded; it may be very long."""
    ends = [*entries[:TRACE_LIMIT], *entries[max(TRACE_LIMIT, len(entries) - TRACE_LIMIT) :]]
    sites = [site for entry in ends for site in upcalls.recorded_chain(entry)]
    counts = Counter(entries).items()
    total = sum(count * len(upcalls.recorded_chain(entry)) for entry, count in counts)
    return trace_of(sites, describe_site, total - len(sites))


def describe(upcalls: Upcalls, entry: int) -> FrameDescription:
    """What an entry of a recorded trace stands for."""
    index = (entry & MASK_64) >> ADDRESS_BITS
    return describe_site(upcalls.recorded_chain(entry)[index])


def describe_site(site: Site) -> FrameDescription:
    return FrameDescription(site.function.signature, site.line, site.function.file)


def longs_at(address: int) -> Sequence[int]:
    """The elements of an `Array<long>`, where they are."""
    length = load_word(address + layout.ARRAY_LENGTH)
    elements = (ctypes.c_uint64 * length).from_address(address + layout.ARRAY_ELEMENTS)
    return memoryview(elements).cast("B").cast("Q")

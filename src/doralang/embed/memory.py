"""What the process holds for programs and formulas: counted, and back to zero when all is dropped.

Code that is shared by all (the library's, stubs, wrappers of the last signatures) stays for the next program
and is not counted.
"""

from __future__ import annotations

from doralang.embed.direct import PLACES
from doralang.embed.instances import LIVE_HOSTS
from doralang.embed.programs import LIVE_PROGRAMS
from doralang.runtime.code_space import SPACES


def memory() -> dict[str, int]:
    """What is held now.

    code         bytes of machine code of programs and formulas
    formulas     formulas that took the direct path
    modules      programs and other formulas, whose code is there
    instances    heaps with the globals of a program
    mappings     of the system's memory that they have, from the first thing that is allocated in one
    objects      bytes of all objects in them, but for what nobody has found dead yet

    No file is open for any of them.
    """
    for space in SPACES.values():  # what Ctrl-C has kept a thread from freeing is not held
        space.free_condemned()
    hosts = [host for host in LIVE_HOSTS if not host.instance.is_closed]
    return {
        "code": sum(program.code.loader.code_size for program in LIVE_PROGRAMS)
        + sum(place.used for place in PLACES),
        "formulas": sum(place.formulas for place in PLACES),
        "modules": len(LIVE_PROGRAMS),
        "instances": len(hosts),
        "mappings": sum(host.mappings for host in hosts),
        "objects": sum(host.bytes_in_use for host in hosts),
    }

"""Objects of a program that Python holds, by a handle that is dropped with the Python object."""

from __future__ import annotations

from doralang.embed.instances import Host, Instances
from doralang.runtime.memory import load_word


class Held:
    """A handle in an instance, which it keeps alive."""

    __slots__ = ("_instances", "_host", "_place")

    def __init__(self, instances: Instances, host: Host, address: int) -> None:
        self._instances = instances
        self._host = host
        self._place = host.hold(address)

    @property
    def _address(self) -> int:
        """Where the object is now; good as long as nothing runs in the instance."""
        return load_word(self._place)

    def __del__(self) -> None:
        try:
            place = object.__getattribute__(self, "_place")
        except AttributeError:  # there was no room for it
            return
        self._host.drop(place)

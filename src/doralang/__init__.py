"""Dora: a statically typed language with a just-in-time compiler, hosted in Python."""

from doralang.version import VERSION as __version__

__all__ = ["__version__"]

"""The library, written in Dora: the prelude, and the heap of compiled programs."""

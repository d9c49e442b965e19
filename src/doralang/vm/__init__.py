"""The virtual machine: bytecode, translated once into Python closures.

In the order of reading: `code` (what functions become, and the loop that runs them), `translator`, and
the makers of closures (`arithmetic`, `comparisons`, `objects`, `arrays`, `calls`, `control`).
"""

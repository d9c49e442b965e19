"""The tree walk: runs typed programs as they are, slowly and plainly.

It is the definition that all other engines are compared with.  `interpreter` is the door; the others
in the order of reading: `frames`, `classes`, `machine`, `expressions`, `statements`.
"""

"""Dora inside Python: `import doralang as dora`, programs and formulas, compiled and called at run time."""

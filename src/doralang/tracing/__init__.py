"""Traces: hot loops of the VM as the linear paths that they really take, compiled.

In the order of reading: `trace` (what a trace is made of), `references`, `recorder`, `printer`, `closures`
(runs a trace without a toolchain: the reference for tests), `c_text` and `compiler` (traces as C), `resume`
(back into the VM), `loops` (which loops are hot, entering and growing their traces).
"""

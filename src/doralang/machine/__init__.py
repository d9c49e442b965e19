"""A free-standing assembler library: buffers, encoders, macro assemblers, code memory.

It knows processors and the C calling convention, and nothing of the language but the register kinds.
"""

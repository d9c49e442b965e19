"""What both interpreters share: Dora objects as Python objects, internal functions, native code."""

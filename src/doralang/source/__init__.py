"""The source JIT: bytecode to C or Go text, compiled by that language's toolchain, loaded and called.

In the order of reading: `provider` (what the VM asks), `functions` (bytecode to text, for any language),
`c` and `go` (the two languages), `toolchains`, `loading`.
"""

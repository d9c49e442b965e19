"""The lowering of optimized bytecode by LLVM, where `llvmlite` is installed (the extra `dora-lang[llvm]`).

    bytecode -> text of an LLVM module -> O3 -> object file -> code object for the same loader

`module` writes the text with the emitters of `primitives`, `objects`, `calls` and `control`; `binding` is all
that knows llvmlite; `elf` and `stackmaps` read what comes back; `compiler` puts it together.
"""

"""AArch64: registers, encodings, assembler, macro assembler."""

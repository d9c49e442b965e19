"""What compiled code runs on: layouts, code, memory, stacks, entries, traps and upcalls."""

"""The baseline compiler: bytecode to machine code in two quick passes."""

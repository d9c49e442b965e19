"""What a compiled function is, and what compilers must know of the world it will run in."""

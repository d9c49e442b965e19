"""The typed, register-based instructions between the front end and the compilers."""

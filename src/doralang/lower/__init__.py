"""Typed program to bytecode: the one place where generics are specialised."""

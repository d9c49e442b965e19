"""The types of the language, its primitive operations, and the ways a program can fail."""

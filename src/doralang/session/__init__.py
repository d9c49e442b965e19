"""The door through which commands and hosts come in: checking, running, testing, formulas."""

"""Objects and internal functions as the two interpreters have them, in Python."""

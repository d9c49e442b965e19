"""Source texts, positions and diagnostics: what every later stage reports with."""

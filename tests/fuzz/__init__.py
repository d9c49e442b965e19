"""Random programs, run by all engines and compared."""

"""The compiled engine: front end, baseline compiler and runtime put together."""

"""The reference engine: walks the typed program and defines what programs mean."""

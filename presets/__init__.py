"""Camera moves as data: pydantic schema and JSON files. Imports no torch."""

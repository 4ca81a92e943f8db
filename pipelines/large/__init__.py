"""The large engine's parts: the transformer, its control by the memory, and how released weights become it."""

"""What the engine says when it refuses something, in Italian: its English sentences are the keys.

Blanks, their formats included, are the same on both sides. A test holds the tables complete and free of what nobody
says.
"""

from studio.words.engine import cameras, clip, foreign, formats, large, media, memory, photo, poses, presets, weights

TABLES = (photo, cameras, formats, poses, foreign, clip, memory, media, weights, presets, large)
ITALIAN: dict[str, str] = {english: italian for table in TABLES for english, italian in table.SENTENCES.items()}

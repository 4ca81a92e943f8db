"""Every sentence of the studio, in English and Italian side by side, in one place.

A table per subject holds those of the page; `engine/` holds the Italian of what the engine says in English. Errors
carry a key or a sentence and its values, see `Refusal` and `pipelines.errors.Refused`. No user text passes through
here but as a value.
"""

from studio.words.editor import editor_words
from studio.words.figures import decimal, duration, size
from studio.words.sentences import TEXT, Refusal, explain, say, translated

__all__ = ["TEXT", "Refusal", "decimal", "duration", "editor_words", "explain", "say", "size", "translated"]

"""Old names of what is in studio/words."""

from studio.words import editor_words
from studio.words import say as tell

__all__ = ["editor_words", "tell"]

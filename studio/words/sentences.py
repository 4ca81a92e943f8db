"""The one lookup: a key, a sentence of the engine or any error becomes what the visitor reads."""

import os
from typing import Any

from pipelines.errors import Refused, Sentence
from pipelines.media.photos import PhotoError
from presets.schema import load_moves
from studio.words import clip, editor, models, page, refusals
from studio.words.engine import ITALIAN
from studio.words.figures import Comma

TEXT: dict[str, tuple[str, str]] = page.TEXT | clip.TEXT | models.TEXT | refusals.TEXT | editor.TEXT
MAX_FOREIGN = 300  # letters of a sentence that is not this project's


def say(language: str, key: str, **values: Any) -> str:
    """The sentence `key` of TEXT in `language` ("en" or "it"; anything else reads English), its blanks filled.

    values: numbers (written as the language writes them), text, sentences of the engine, exceptions.
    """
    return TEXT[key][language == "it"].format(**_as_read(language, values))


def explain(language: str, error: BaseException) -> str:
    """Any exception as the visitor reads it; no traceback, no folders of this machine."""
    if isinstance(error, Refusal):
        return error.said_in(language)
    if isinstance(error, PhotoError):
        return reason(language, error)
    if isinstance(error, OSError):
        return say(language, "not_saved")
    if isinstance(error, ValueError):  # the engine's own sentence: value, limit, fix
        return say(language, "engine_error", reason=error)
    return say(language, "unexpected", reason=type(error).__name__)


class Refusal(ValueError):
    """What the page answers to a request it cannot serve: a key of TEXT and what fills its sentence, see `say`."""

    def __init__(self, key: str, **values: Any):
        self.key, self.values = key, values
        super().__init__(self.said_in("en"))

    def said_in(self, language: str) -> str:
        values = dict(self.values)
        if isinstance(values.get("allowed"), tuple):
            values["allowed"] = ", ".join(choice_word(language, values["name"], each) for each in values["allowed"])
        if values.get("value") == "None":  # a field that was cleared
            values["value"] = say(language, "empty")
        if (field := f"field_{values.get('name')}") in TEXT:
            values["name"] = say(language, field)
        return say(language, self.key, **values)


def choice_word(language: str, field: str, choice: str) -> str:
    """A choice as the page calls it; in English, and where the page has no word for it, as it is."""
    if language != "it":
        return choice
    if field == "move" and choice in load_moves():
        return load_moves()[choice].name.it
    key = "drawn" if field == "move" else refusals.CHOICES.get(field, "").format(choice)
    return say(language, key) if key in TEXT else choice


def reason(language: str, error: BaseException) -> str:
    """Why something failed, to stand inside another sentence."""
    if isinstance(error, Refusal):
        return error.said_in(language)
    if isinstance(error, Refused):
        return _without_folders(translated(language, error.sentence))
    words = " ".join(str(error).split()) or type(error).__name__
    return _without_folders(words[:MAX_FOREIGN])


def translated(language: str, sentence: str) -> str:
    """A sentence of the engine and those inside it; what has no translation stays English."""
    if not isinstance(sentence, Sentence):
        return sentence
    template = ITALIAN.get(sentence.template, sentence.template) if language == "it" else sentence.template
    return template.format(**_as_read(language, sentence.values)) if sentence.values else template


def _as_read(language: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(language, value) for name, value in values.items()}


def _value(language: str, value: Any) -> Any:
    if isinstance(value, BaseException):
        return reason(language, value)
    if isinstance(value, Sentence):
        return translated(language, value)
    if isinstance(value, (str, os.PathLike)) and os.path.isabs(value):  # of this machine, spaces and all
        return "…"
    return Comma(value) if language == "it" and isinstance(value, float) else value


def _without_folders(text: str) -> str:
    """One line, in which words that begin at the root of a disk of this machine are left out."""
    return " ".join("…" if word.lstrip("'\"(").startswith("/") else word for word in text.split())

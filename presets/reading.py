"""JSON of strangers into models: counted before it is built, checked strictly, refused in one sentence.

Standard library and pydantic only; which models there are is schema.py's business.
"""

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipelines.errors import Refused, Sentence

Model = TypeVar("Model", bound=BaseModel)
SCHEMA = 1  # of the files; a later one is not guessed at
MAX_FILE_BYTES = 256 * 1024
MAX_DEPTH = 32  # objects and lists inside each other
MAX_FIELDS = 5_000

QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|$)', re.DOTALL)
BRACKETS = re.compile(r"[\[\]{}]")


class LaterSchema(Refused):
    """A file that a newer studio wrote: it can be shown by its name, not used."""


def parse_json(data: bytes, name: str, max_bytes: int = MAX_FILE_BYTES, max_fields: int = MAX_FIELDS) -> dict[str, Any]:
    """A JSON object of at most `max_bytes` whose keys are all different, not nested deeper than 32.

    Everything is counted before anything is built. Raises Refused that names the file, the limit and the fix.
    """
    if len(data) > max_bytes:
        raise Refused("{file} is over {limit} bytes, the limit for it. Shorten it.", file=name, limit=max_bytes)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("{file} is no UTF-8 text. Save it as UTF-8.", file=name) from error
    deepest, fields = _shape(text)
    if deepest > MAX_DEPTH:
        raise Refused(
            "{file} is nested {depth} deep, at most {limit}. Flatten it.", file=name, depth=deepest, limit=MAX_DEPTH
        )
    if fields > max_fields:
        raise Refused(
            "{file} has {fields} fields, at most {limit}. Remove some.", file=name, fields=fields, limit=max_fields
        )
    try:
        content = json.loads(text, object_pairs_hook=_without_duplicates)
    except Refused as error:
        raise Refused("{file}: {reason}", file=name, reason=error) from error
    except ValueError as error:
        raise Refused("{file} is no JSON ({reason}). Export it again.", file=name, reason=str(error)) from error
    if not isinstance(content, dict):
        raise Refused("{file} holds no JSON object. Export it again.", file=name)
    return content


def _shape(text: str) -> tuple[int, int]:
    """How deep JSON is nested and how many fields it has, without building it; quoted text does not count."""
    depth = deepest = 0
    marks = QUOTED.sub("", text)
    for mark in BRACKETS.findall(marks):
        depth += 1 if mark in "{[" else -1
        deepest = max(deepest, depth)
    return deepest, marks.count(":")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused("the field {field!r:.60} stands twice. Keep one of them.", field=twice)
    return found


def checked(model: type[Model], content: dict[str, Any], name: str) -> Model:
    """`content` as the model has it. Raises Refused that names the file and the first field that is wrong, and
    LaterSchema for what a newer studio wrote."""
    if isinstance(later := content.get("schema"), int) and later > SCHEMA:
        raise LaterSchema(
            "{file} was written by a newer Mirage Studio (schema {schema}, here {own}). Update this one to use it.",
            file=name,
            schema=later,
            own=SCHEMA,
        )
    try:
        return model.model_validate_json(json.dumps(content))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "file"
        raise Refused("{file}: {field}: {reason}", file=name, field=field, reason=_reason(first)) from error


def _reason(error: dict[str, Any]) -> Sentence:
    """What is wrong with a field, in words that can be said in any language."""
    limits, value = error.get("ctx", {}), f"{error['input']!r:.60}"
    match error["type"]:
        case "missing":
            return Sentence("it is missing. Add it.")
        case "extra_forbidden":
            return Sentence("no such field is known. Remove it.")
        case "literal_error" | "union_tag_invalid":
            allowed = limits.get("expected") or limits["expected_tags"]
            return Sentence("{value} must be one of {allowed}.", value=value, allowed=allowed)
        case "greater_than_equal" | "greater_than":
            return Sentence("{value} must be at least {limit}.", value=value, limit=limits.get("ge", limits.get("gt")))
        case "less_than_equal":
            return Sentence("{value} must be at most {limit}.", value=value, limit=limits["le"])
        case "string_pattern_mismatch":
            return Sentence(
                "{value} must be one line of plain text or a name in small letters. Retype it.", value=value
            )
        case "string_too_long" | "too_long":
            return Sentence("it holds more than {limit}, the limit. Shorten it.", limit=limits["max_length"])
        case "too_short" | "string_too_short":
            return Sentence("it holds fewer than {limit}, the least. Add some.", limit=limits["min_length"])
        case "float_type" | "int_type" | "finite_number":
            return Sentence("{value} must be a number.", value=value)
        case "string_type":
            return Sentence("{value} must be text.", value=value)
        case "bool_type":
            return Sentence("{value} must be true or false.", value=value)
    return Sentence("{value} does not fit ({reason}).", value=value, reason=error["msg"])

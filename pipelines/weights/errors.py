"""Weights that cannot be had, or do not fit a model, as sentences that say what to do."""

from collections.abc import Sequence
from typing import Any

from pipelines.errors import Sentence

FETCH_ERRORS = {
    "name": "{name} is no folder here and no Hub repository's name. Check it.",
    "gated": "{name} asks for its terms to be accepted. Do so on its page, then log in with `hf auth login`.",
    "missing": "{name} does not exist on the Hub, or needs a login. Check the name, or run `hf auth login`.",
    "revision": "{name} has no revision {revision!r}. Check it.",
    "offline": "{name} is not complete on this machine and the Hub cannot be reached. Connect to fetch the rest.",
    "login": "{name} could not be fetched: the Hub answers {status}. Log in with `hf auth login`.",
    "hub": "{name} could not be fetched: the Hub answers {status}. Try again later.",
    "broken": "The connection broke while {name} was fetched. Try again: it goes on from there.",
    "room": "{name} needs {needed:.1f} GiB, {free:.1f} are free. Free some disk space.",
    "full": "The disk became full while {name} was fetched. Free some space and try again: it goes on from there.",
    "damaged": "{file} of {name} is damaged and was removed. Fetch it again.",
    "changed": "{file} of {name} is not the file that is known by this name, and was removed. Ask who publishes it.",
    "cache": "{name} cannot be kept in {place} ({why}). Choose another folder with HF_HOME.",
    "file": "{name} holds no {file}. Look on its page how the file is called now.",
}


class FetchError(ValueError):
    """Weights that cannot be had. reason: a key of FETCH_ERRORS; values: what its sentence names."""

    def __init__(self, reason: str, **values: Any):
        super().__init__(FETCH_ERRORS[reason].format(**values))
        self.reason, self.values = reason, values


def misfits(
    missing: Sequence[str] = (),
    of_another_shape: Sequence[str] = (),
    of_whole_numbers: Sequence[str] = (),
    left_over: Sequence[str] = (),
) -> Sentence | None:
    """Lists of tensors that do not fit a model -> one sentence without a full stop; None where all lists are empty."""
    parts = []
    if missing:
        parts.append(Sentence("{count} missing: {names}", count=len(missing), names=", ".join(missing)))
    if names := of_another_shape:
        parts.append(Sentence("{count} of another shape: {names}", count=len(names), names=", ".join(names)))
    if names := of_whole_numbers:
        parts.append(Sentence("{count} of whole numbers: {names}", count=len(names), names=", ".join(names)))
    if left_over:
        parts.append(Sentence("{count} left over: {names}", count=len(left_over), names=", ".join(left_over)))
    while len(parts) > 1:
        parts[-2:] = [Sentence("{part}; {others}", part=parts[-2], others=parts[-1])]
    return parts[0] if parts else None

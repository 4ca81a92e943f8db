"""Weights that cannot be had, or do not fit a model, as sentences that say what to do."""

from collections.abc import Sequence
from os import PathLike

from pipelines.errors import Refused, Sentence


class FetchError(Refused):
    """Weights that cannot be fetched."""


def unreachable(name: str | PathLike) -> FetchError:
    """What to raise where no Hub answers. name: what was asked for."""
    return FetchError(
        "{name} is not complete on this machine and the Hub cannot be reached. Connect to fetch the rest.", name=name
    )


def unreadable(folder: str | PathLike, error: Exception) -> Refused:
    """What to raise where a library cannot read a file in a folder of weights. error: its words."""
    return Refused(
        "A file in {folder} cannot be read ({error}). Fetch or convert it again.", folder=folder, error=error
    )


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

"""What the suites say while they run, and figures beside what they must reach."""

import sys


def target(value: float, at_least: float | None = None, at_most: float | None = None) -> dict:
    """A figure beside what it must reach."""
    low, high = -float("inf") if at_least is None else at_least, float("inf") if at_most is None else at_most
    limits = {name: limit for name, limit in (("at_least", at_least), ("at_most", at_most)) if limit is not None}
    return {"value": round(value, 3), **limits, "reached": bool(low <= value <= high)}


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)

"""Keys: the cameras that an editable path passes through, and what their numbers may be. docs/path.md has the table."""

import math
import re
from dataclasses import dataclass

import numpy as np

from pipelines.cameras.easing import EASES
from pipelines.errors import Refused, Sentence

KEYS = (2, 200)  # of a path
SECONDS = (0.25, 60.0)
MAX_POSITION = 1e4  # scene units from the photo's camera
FOV = (1.0, 179.0)  # degrees across the width
MAX_ROLL = 3600.0  # degrees: ten turns
MAX_NAME = 40  # letters
LINE = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*"  # no control characters, no halves of letters


@dataclass(frozen=True)
class Key:
    """One camera that the path passes through.

    time: seconds from the start. position: (x, y, z) in scene units. orientation: camera to world as a quaternion
    (w, x, y, z), any length, normalised here. roll: degrees about the optical axis, added to the orientation; + turns
    the camera clockwise. fov: degrees across the WIDTH, 1..179. ease: how the way to the next key is timed, a name of
    `EASES`; that of the last key is not used. name: what a person calls it, at most 40 letters in one line; it means
    nothing to the curve. Raises ValueError with the value, the limit and the fix.
    """

    time: float
    position: tuple[float, float, float]
    orientation: tuple[float, float, float, float]
    roll: float = 0.0
    fov: float = 60.0
    ease: str = "linear"
    name: str = ""

    def __post_init__(self):
        set_field = object.__setattr__  # frozen
        set_field(self, "time", checked_number("time", self.time, 0, SECONDS[1], Sentence("seconds")))
        set_field(self, "position", checked_point("position", self.position))
        q = _numbers("orientation", self.orientation, 4)
        length = math.hypot(*q)
        if not 1e-6 <= length <= 1e6:
            raise Refused(
                "orientation is a quaternion of length {length:.3g}, must be 1 (it is normalised from 1e-6..1e6). "
                "Use [1, 0, 0, 0] to look straight ahead.",
                length=length,
            )
        if abs(length - 1) > 1e-12:  # what is a unit quaternion already keeps its bits
            q = tuple(x / length for x in q)
        set_field(self, "orientation", q)
        set_field(self, "roll", checked_number("roll", self.roll, -MAX_ROLL, MAX_ROLL, Sentence("degrees")))
        set_field(self, "fov", checked_number("fov", self.fov, *FOV, Sentence("degrees")))
        if not isinstance(self.ease, str) or self.ease not in EASES:
            raise Refused(
                "ease={value!r:.40} must be one of {allowed}. Use linear.", value=self.ease, allowed=", ".join(EASES)
            )
        if not isinstance(self.name, str) or len(self.name) > MAX_NAME or not re.fullmatch(LINE, self.name):
            raise Refused(
                "name={value!r:.60} must be one line of at most {limit} letters. Shorten it.",
                value=self.name,
                limit=MAX_NAME,
            )

    def to_dict(self) -> dict:
        """The key as it stands in a path's JSON; an empty name is left out."""
        named = {"name": self.name} if self.name else {}
        return {
            "time": self.time,
            "position": list(self.position),
            "orientation": list(self.orientation),
            "roll": self.roll,
            "fov": self.fov,
            "ease": self.ease,
            **named,
        }


def check_count(count: int) -> None:
    """Raises ValueError for a number of keys that no path has."""
    low, high = KEYS
    if not low <= count <= high:
        fix = Sentence("Add a key.") if count < low else Sentence("Remove keys, or draw the way as a stroke.")
        raise Refused(
            "The path has {count} keys, must be {low}..{high}. {fix}", count=count, low=low, high=high, fix=fix
        )


def check_fields(place: str, data, needed: tuple[str, ...], optional: tuple[str, ...]) -> None:
    """Raises ValueError where a JSON object lacks a needed field, or has one that is neither. place: who it is."""
    if not isinstance(data, dict):
        got = type(data).__name__
        raise Refused("{place} must be a JSON object, got {got}. See docs/path.md.", place=place, got=got)
    if missing := [name for name in needed if name not in data]:
        raise Refused("{place} lacks {fields}. Add them as in docs/path.md.", place=place, fields=", ".join(missing))
    if unknown := sorted(str(name)[:40] for name in data.keys() - {*needed, *optional}):
        raise Refused("{place} has unknown fields {fields:.200}. Remove them.", place=place, fields=", ".join(unknown))


def checked_number(name: str, value, low: float, high: float, unit: str) -> float:
    """`value` as a float in low..high, or an error that names it."""
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # NaN fails the comparison too
        raise Refused(
            "{name}={value!r:.40} must be a number from {low:g} to {high:g} {unit}.",
            name=name,
            value=value,
            low=low,
            high=high,
            unit=unit,
        )
    return float(value)


def checked_point(name: str, value) -> tuple[float, float, float]:
    """`value` as three floats within 1e4 scene units of the origin, or an error that names it."""
    point = _numbers(name, value, 3)
    if not math.hypot(*point) <= MAX_POSITION:
        raise Refused(
            "{name} is {away:.3g} scene units away, must be within {limit:g}. "
            "Give metres, or distances relative to the photo's camera.",
            name=name,
            away=math.hypot(*point),
            limit=MAX_POSITION,
        )
    return point


def _numbers(name: str, value, count: int) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple, np.ndarray)) or len(value) != count:
        is_list = isinstance(value, (list, tuple))
        got = Sentence("{count} values", count=len(value)) if is_list else type(value).__name__
        raise Refused("{name} must be a list of {count} numbers, got {got}.", name=name, count=count, got=got)
    return tuple(checked_number(f"{name}[{i}]", x, -1e300, 1e300, "") for i, x in enumerate(value))

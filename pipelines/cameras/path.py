"""A camera path as a person edits it: a few keys and one spline. docs/path.md has the file format and the sources.

A `Path` becomes a `Trajectory` (one camera per frame) by `path.trajectory(height, width)`; that one is what renders.
The editor draws the same curve in the browser; a test holds the two within 1e-5.
"""

import json
import math
import os
import pathlib
import re
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pipelines.cameras.camera import checked_side
from pipelines.cameras.easing import EASES
from pipelines.cameras.rotations import look_at, quaternion, roll, rotation
from pipelines.cameras.trajectory import MAX_FRAMES, NATIVE_FPS, Trajectory, checked_fps, read_json
from pipelines.files import atomic_write

VERSION = 1
KEYS = (2, 200)
SECONDS = (0.25, 60.0)
MAX_POSITION = 1e4  # scene units from the photo's camera
FOV = (1.0, 179.0)  # degrees across the width
MAX_ROLL = 3600.0  # degrees: ten turns
MAX_NAME = 40  # letters
MAX_FILE_BYTES = 256 * 1024  # 200 keys in full precision take about 50 KiB
SAME = 1e-9  # two points of the spline (positions, quaternions, log focals, rolls) that are closer are one
CLOSED_TOLERANCE = 1e-6
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
        set_field(self, "time", checked_number("time", self.time, 0, SECONDS[1], "seconds"))
        set_field(self, "position", checked_point("position", self.position))
        q = _numbers("orientation", self.orientation, 4)
        length = math.hypot(*q)
        if not 1e-6 <= length <= 1e6:
            raise ValueError(
                f"orientation is a quaternion of length {length:.3g}, must be 1 (it is normalised from 1e-6..1e6). "
                "Use [1, 0, 0, 0] to look straight ahead."
            )
        if abs(length - 1) > 1e-12:  # what is a unit quaternion already keeps its bits
            q = tuple(x / length for x in q)
        set_field(self, "orientation", q)
        set_field(self, "roll", checked_number("roll", self.roll, -MAX_ROLL, MAX_ROLL, "degrees"))
        set_field(self, "fov", checked_number("fov", self.fov, *FOV, "degrees"))
        if not isinstance(self.ease, str) or self.ease not in EASES:
            raise ValueError(f"ease={self.ease!r:.40} must be one of {', '.join(EASES)}. Use linear.")
        if not isinstance(self.name, str) or len(self.name) > MAX_NAME or not re.fullmatch(LINE, self.name):
            raise ValueError(f"name={self.name!r:.60} must be one line of at most {MAX_NAME} letters. Shorten it.")

    def to_dict(self) -> dict:
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


class Views(NamedTuple):
    """What a path shows at given times: c2w (T, 4, 4), fov (T,) degrees across the width."""

    c2w: np.ndarray
    fov: np.ndarray


@dataclass(frozen=True)
class Path:
    """Keys and the curve through them, in the world of the photo: the first of an edited path is the photo's camera.

    keys: 2..200 in the order of their times; the first at 0, the last at 0.25..60 s, which is the length of the clip.
    closed: the last key is the first one again, and the curve goes through it without a corner.
    target: a point that every camera looks at, level with the photo; orientations are then ignored, rolls are not.

    Between keys everything (position, orientation as a quaternion, log focal, roll) runs on one centripetal
    Catmull-Rom spline, see `spline`. Errors number keys from 1, as the page does.
    """

    keys: tuple[Key, ...]
    closed: bool = False
    target: tuple[float, float, float] | None = None

    def __post_init__(self):
        keys = tuple(self.keys)
        object.__setattr__(self, "keys", keys)
        _check_count(len(keys))
        if keys[0].time != 0:
            raise ValueError(f"Key 1: time={keys[0].time:g} must be 0. Subtract {keys[0].time:g} from every time.")
        for i in range(1, len(keys)):
            if keys[i].time <= keys[i - 1].time:
                raise ValueError(
                    f"Key {i + 1}: time={keys[i].time:g} must be later than key {i} ({keys[i - 1].time:g}). "
                    "Sort the keys by time and keep one of those at the same time."
                )
        low, high = SECONDS
        if not low <= self.duration <= high:
            raise ValueError(
                f"Key {len(keys)}: time={self.duration:g} is the length of the path, must be {low:g}..{high:g} "
                "seconds. Retime the path."
            )
        if not isinstance(self.closed, bool):
            raise ValueError(f"closed={self.closed!r:.40} must be true or false.")
        if self.target is not None:
            object.__setattr__(self, "target", checked_point("target", self.target))
        if self.closed and (apart := self._apart()) > CLOSED_TOLERANCE:
            raise ValueError(
                f"Key {len(keys)}: a closed path must end at key 1 within {CLOSED_TOLERANCE:g}, but its last key "
                f"is {apart:.3g} away. Add a last key that equals key 1, or set closed to false."
            )

    def _apart(self) -> float:
        """The largest difference between the numbers of the last key and those of the first."""
        first, last = self.keys[0], self.keys[-1]
        apart = [abs(a - b) for a, b in zip(first.position, last.position, strict=True)]
        apart += [abs(first.roll - last.roll), abs(first.fov - last.fov)]
        if self.target is None:
            sign = 1 if sum(a * b for a, b in zip(first.orientation, last.orientation, strict=True)) >= 0 else -1
            apart += [abs(a - sign * b) for a, b in zip(first.orientation, last.orientation, strict=True)]
        return max(apart)

    @property
    def duration(self) -> float:
        """Seconds from the first key to the last."""
        return self.keys[-1].time

    @property
    def times(self) -> np.ndarray:
        """(n,) seconds of the keys."""
        return np.array([key.time for key in self.keys])

    @property
    def positions(self) -> np.ndarray:
        """(n, 3) of the keys, scene units."""
        return np.array([key.position for key in self.keys])

    # -- from keys to cameras -----------------------------------------------------------------------------------------

    def sample(self, times: np.ndarray) -> Views:
        """times: (T,) seconds, clipped to 0..duration -> the cameras there. Keys are met exactly.

        On segment i from key i to key i + 1, u = ease_i((t - t_i) / (t_(i+1) - t_i)) runs from 0 to 1.
        """
        times = np.clip(np.asarray(times, dtype=np.float64), 0, self.duration)
        knots = self.times
        segment = np.clip(np.searchsorted(knots, times, side="right") - 1, 0, len(knots) - 2)
        share = (times - knots[segment]) / (knots[segment + 1] - knots[segment])
        u = np.empty_like(share)
        for i in np.unique(segment):
            u[segment == i] = EASES[self.keys[i].ease](share[segment == i])

        c2w = np.zeros((len(times), 4, 4))
        c2w[:, 3, 3] = 1
        c2w[:, :3, 3] = spline(self.positions, segment, u, self.closed)
        if self.target is None:
            q = hemisphere(np.array([key.orientation for key in self.keys]))
            q = spline(q, segment, u, self.closed, wrap=np.copysign(1.0, q[0] @ q[-1]))
            R = rotation(q / np.linalg.norm(q, axis=-1, keepdims=True))
        else:
            R = look_at(c2w[:, :3, 3], self.target)
        rolls = np.array([[key.roll] for key in self.keys])
        c2w[:, :3, :3] = R if not rolls.any() else R @ roll(spline(rolls, segment, u, self.closed)[:, 0])
        focals = np.log([[focal(key.fov)] for key in self.keys])
        return Views(c2w, fov(np.exp(spline(focals, segment, u, self.closed)[:, 0])))

    def trajectory(self, height: int, width: int, fps: int | float = NATIVE_FPS) -> Trajectory:
        """One camera per frame for a (height, width) picture, square pixels, the principal point in the middle.

        The number of frames is the 4n + 1 nearest to duration * fps + 1 (at least 5); they are spread evenly over the
        path, so the first frame is exactly the first key and the last frame the last key.
        """
        height, width = checked_side("height", height), checked_side("width", width)
        frames = num_frames(self.duration, checked_fps(fps))
        if frames > MAX_FRAMES:
            raise ValueError(
                f"The path has {frames} frames at fps={fps:g}, must be at most {MAX_FRAMES}. "
                f"Use fps={MAX_FRAMES / self.duration - 1:.0f} or less."
            )
        views = self.sample(np.linspace(0, self.duration, frames))
        K = np.zeros((len(views.fov), 3, 3))
        K[:, 0, 0] = K[:, 1, 1] = width * focal(views.fov)
        K[:, 0, 2], K[:, 1, 2], K[:, 2, 2] = width / 2, height / 2, 1
        return Trajectory(views.c2w, K, height, width, fps)

    # -- edits: a new path each ---------------------------------------------------------------------------------------

    def retimed(self, seconds: float) -> "Path":
        """The same way in `seconds`, every part faster or slower by the same factor."""
        seconds = checked_number("seconds", seconds, *SECONDS, "seconds")
        last = len(self.keys) - 1
        times = [seconds if i == last else key.time * seconds / self.duration for i, key in enumerate(self.keys)]
        return replace(self, keys=tuple(replace(key, time=time) for key, time in zip(self.keys, times, strict=True)))

    def aimed(self, target: tuple[float, float, float]) -> "Path":
        """The keys look at a point, all but the first (and in a loop the last), which stays the photo's camera."""
        q = quaternion(look_at(self.positions, checked_point("target", target))).tolist()
        last = len(self.keys) - 1 if self.closed else len(self.keys)
        keys = [replace(key, orientation=tuple(q[i])) if 0 < i < last else key for i, key in enumerate(self.keys)]
        return replace(self, keys=tuple(keys), target=None)

    # -- from cameras to keys -----------------------------------------------------------------------------

    @classmethod
    def from_trajectory(
        cls,
        trajectory: Trajectory,
        keys: int | None = None,
        tolerance: float = 0.01,
        max_degrees: float = 0.3,
        max_keys: int = 24,
    ) -> "Path":
        """Few keys that reproduce a trajectory, so that a move from the gallery or a file can be edited.

        keys: so many, placed where they help most; without it as many as needed (up to `max_keys`) for an error of at
        most `tolerance` of the path's length in position, `max_degrees` in rotation and 1 % in focal.
        `fitting.fit_error` says what was reached. The world stays the trajectory's (`trajectory.relative()` puts its
        first camera where the photo's is); pixels are taken as square and the principal point as the middle.
        """
        from pipelines.cameras.fitting import fit_trajectory  # it builds paths, so it comes after this module

        return fit_trajectory(trajectory, keys, tolerance, max_degrees, max_keys)

    # -- JSON ---------------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict:
        """The published JSON form. Plain numbers only; `from_dict` restores the very same bits."""
        return {
            "version": VERSION,
            "closed": self.closed,
            "target": None if self.target is None else list(self.target),
            "keys": [key.to_dict() for key in self.keys],
        }

    @classmethod
    def from_dict(cls, data: dict) -> "Path":
        """Reads the published JSON form; anything missing, unknown or of the wrong kind is refused with a sentence.

        `closed`, `target` and a key's `roll`, `ease` and `name` may be left out.
        """
        _check_fields("The path", data, ("version", "keys"), ("closed", "target"))
        if data["version"] != VERSION or isinstance(data["version"], bool):
            raise ValueError(f"The path's version is {data['version']!r:.40}, only {VERSION} is read. Convert it.")
        if not isinstance(data["keys"], list):
            raise ValueError(f"The path's keys are {type(data['keys']).__name__}, must be a list. See docs/path.md.")
        _check_count(len(data["keys"]))  # before any of them is read
        keys = []
        for i, entry in enumerate(data["keys"], 1):
            _check_fields(f"Key {i}", entry, ("time", "position", "orientation", "fov"), ("roll", "ease", "name"))
            try:
                keys.append(Key(**entry))
            except ValueError as error:
                raise ValueError(f"Key {i}: {error}") from error
        return cls(tuple(keys), data.get("closed", False), data.get("target"))

    @staticmethod
    def json_schema() -> dict:
        """JSON Schema (2020-12) of `to_dict`. That times increase and quaternions are not 0 is checked on reading."""

        def numbers(count: int, limit: float) -> dict:
            item = {"type": "number", "minimum": -limit, "maximum": limit}
            return {"type": "array", "items": item, "minItems": count, "maxItems": count}

        key = {
            "time": {"type": "number", "minimum": 0, "maximum": SECONDS[1]},
            "position": numbers(3, MAX_POSITION),
            "orientation": numbers(4, 1e6),
            "roll": {"type": "number", "minimum": -MAX_ROLL, "maximum": MAX_ROLL, "default": 0},
            "fov": {"type": "number", "minimum": FOV[0], "maximum": FOV[1]},
            "ease": {"enum": list(EASES), "default": "linear"},
            "name": {"type": "string", "maxLength": MAX_NAME, "pattern": f"^{LINE}$", "default": ""},
        }
        key_schema = {
            "type": "object",
            "properties": key,
            "required": ["time", "position", "orientation", "fov"],
            "additionalProperties": False,
        }
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Mirage Studio editable path",
            "type": "object",
            "properties": {
                "version": {"const": VERSION},
                "closed": {"type": "boolean", "default": False},
                "target": {"anyOf": [{"type": "null"}, numbers(3, MAX_POSITION)], "default": None},
                "keys": {"type": "array", "items": key_schema, "minItems": KEYS[0], "maxItems": KEYS[1]},
            },
            "required": ["version", "keys"],
            "additionalProperties": False,
        }

    def save(self, file: str | os.PathLike) -> None:
        """Writes the JSON file whole or not at all."""
        with atomic_write(file) as temporary:
            temporary.write_text(json.dumps(self.to_dict(), allow_nan=False), encoding="utf-8")

    @classmethod
    def load(cls, file: str | os.PathLike) -> "Path":
        """Reads a JSON file of at most 256 KiB; errors name the file."""
        data = read_json(file, MAX_FILE_BYTES)
        try:
            return cls.from_dict(data)
        except ValueError as error:
            raise ValueError(f"{pathlib.Path(file).name}: {error}") from error


# ---- the curve ---------------------------------------------------------------------------------------------------


def spline(points: np.ndarray, segment: np.ndarray, u: np.ndarray, closed: bool = False, wrap: float = 1) -> np.ndarray:
    """Centripetal Catmull-Rom through points (n, d): segment (T,) 0..n-2 and u (T,) 0..1 on it -> (T, d).

    Barry and Goldman's pyramid (SIGGRAPH 1988) with knots |p_(i+1) - p_i| ** 0.5 apart, which leaves no cusps and no
    loops within a segment (Yuksel, Schaefer and Keyser 2011). In one dimension its slope at a point is the harmonic
    mean of those beside it, and 0 where they differ in sign: it never overshoots (Fritsch and Butland 1984).

    A segment shorter than 1e-9 stands still, and its neighbours end there as at an end of the path: their missing
    point is the other one reflected, 2 p_0 - p_1. closed: the last point is the first, neighbours are those across
    it; wrap is the factor between the two (-1 when a quaternion came back with the other sign). u = 0 and 1 are exact.
    """
    start, end = points[:-1], points[1:]
    step = np.sqrt(np.linalg.norm(end - start, axis=1))  # (n - 1,) between knots
    stands = step <= math.sqrt(SAME)
    before, after = np.roll(points, 1, axis=0)[:-1], np.roll(points, -1, axis=0)[1:]
    step_before, step_after = np.roll(step, 1), np.roll(step, -1)
    before[0], after[-1] = points[-2] * wrap, points[1] * wrap
    ends_before, ends_after = np.roll(stands, 1), np.roll(stands, -1)
    if not closed:
        ends_before[0] = ends_after[-1] = True
    before = np.where(ends_before[:, None], 2 * start - end, before)
    after = np.where(ends_after[:, None], 2 * end - start, after)
    step_before, step_after = np.where(ends_before, step, step_before), np.where(ends_after, step, step_after)

    p0, p1, p2, p3 = before[segment], start[segment], end[segment], after[segment]
    a, b, c = (np.where(stands, 1, x)[segment, None] for x in (step_before, step, step_after))
    a, c = np.where(a > 0, a, 1), np.where(c > 0, c, 1)
    u = u[:, None]
    # Written with differences, so that a very short neighbour costs no digits.
    A1 = p1 + (p1 - p0) * (u * b / a)
    A2 = p1 + (p2 - p1) * u
    A3 = p2 - (p3 - p2) * ((1 - u) * b / c)
    B1 = ((1 - u) * b * A1 + (a + u * b) * A2) / (a + b)
    B2 = (((1 - u) * b + c) * A2 + u * b * A3) / (b + c)
    curve = (1 - u) * B1 + u * B2
    curve = np.where(u <= 0, p1, np.where(u >= 1, p2, curve))
    return np.where(stands[segment, None], p1 + (p2 - p1) * u, curve)


def hemisphere(q: np.ndarray) -> np.ndarray:
    """(n, 4) unit quaternions -> the same turns, each with the sign that is nearer to the one before."""
    flips = np.where((q[1:] * q[:-1]).sum(-1) < 0, -1.0, 1.0)
    return q * np.concatenate([[1.0], np.cumprod(flips)])[:, None]


def focal(fov: np.ndarray | float) -> np.ndarray:
    """Degrees across the width -> focal in widths of the picture."""
    return 0.5 / np.tan(np.radians(fov) / 2)


def fov(focal: np.ndarray | float) -> np.ndarray:
    """Focal in widths of the picture -> degrees across the width."""
    return 2 * np.degrees(np.arctan(0.5 / np.asarray(focal)))


def num_frames(seconds: float, fps: int | float) -> int:
    """The 4n + 1 nearest to seconds * fps + 1, at least 5; of two as near, the larger."""
    return 4 * max(1, math.floor(seconds * fps / 4 + 0.5)) + 1


# ---- what is refused ---------------------------------------------------------------------------------------------


def _check_count(count: int) -> None:
    low, high = KEYS
    if not low <= count <= high:
        fix = "Add a key." if count < low else "Remove keys, or draw the way as a stroke."
        raise ValueError(f"The path has {count} keys, must be {low}..{high}. {fix}")


def _check_fields(place: str, data, needed: tuple[str, ...], optional: tuple[str, ...]) -> None:
    if not isinstance(data, dict):
        raise ValueError(f"{place} must be a JSON object, got {type(data).__name__}. See docs/path.md.")
    if missing := [name for name in needed if name not in data]:
        raise ValueError(f"{place} lacks {', '.join(missing)}. Add them as in docs/path.md.")
    if unknown := sorted(str(name)[:40] for name in data.keys() - {*needed, *optional}):
        raise ValueError(f"{place} has unknown fields {', '.join(unknown)[:200]}. Remove them.")


def checked_number(name: str, value, low: float, high: float, unit: str) -> float:
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # NaN fails the comparison too
        raise ValueError(f"{name}={value!r:.40} must be a number from {low:g} to {high:g} {unit}.")
    return float(value)


def _numbers(name: str, value, count: int) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple, np.ndarray)) or len(value) != count:
        got = f"{len(value)} values" if isinstance(value, (list, tuple)) else type(value).__name__
        raise ValueError(f"{name} must be a list of {count} numbers, got {got}.")
    return tuple(checked_number(f"{name}[{i}]", x, -1e300, 1e300, "") for i, x in enumerate(value))


def checked_point(name: str, value) -> tuple[float, float, float]:
    point = _numbers(name, value, 3)
    if not math.hypot(*point) <= MAX_POSITION:
        raise ValueError(
            f"{name} is {math.hypot(*point):.3g} scene units away, must be within {MAX_POSITION:g}. "
            "Give metres, or distances relative to the photo's camera."
        )
    return point

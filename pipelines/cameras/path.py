"""A camera path as a person edits it: a few keys and one spline. docs/path.md has the file format and the sources.

A `Path` becomes a `Trajectory` (one camera per frame) by `path.trajectory(height, width)`; that one is what renders.
"""

import json
import os
import pathlib
from dataclasses import dataclass, replace

import numpy as np

from pipelines.cameras.camera import checked_side
from pipelines.cameras.curve import Views, focal, num_frames, sample
from pipelines.cameras.easing import EASES
from pipelines.cameras.fitting import fitted_keys
from pipelines.cameras.keys import (
    FOV,
    KEYS,
    LINE,
    MAX_NAME,
    MAX_POSITION,
    MAX_ROLL,
    SECONDS,
    Key,
    check_count,
    check_fields,
    checked_number,
    checked_point,
)
from pipelines.cameras.rotations import look_at, quaternion
from pipelines.cameras.trajectory import MAX_FRAMES, NATIVE_FPS, Trajectory, checked_fps, read_json
from pipelines.errors import Refused, Sentence
from pipelines.files import atomic_write

VERSION = 1
MAX_FILE_BYTES = 256 * 1024  # 200 keys in full precision take about 50 KiB
CLOSED_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Path:
    """Keys and the curve through them, in the world of the photo: the first of an edited path is the photo's camera.

    keys: 2..200 in the order of their times; the first at 0, the last at 0.25..60 s, which is the length of the clip.
    closed: the last key is the first one again, and the curve goes through it without a corner.
    target: a point that every camera looks at, level with the photo; orientations are then ignored, rolls are not.

    Between keys everything (position, orientation as a quaternion, log focal, roll) runs on one centripetal
    Catmull-Rom spline, see `curve.spline`. Errors number keys from 1, as the page does.
    """

    keys: tuple[Key, ...]
    closed: bool = False
    target: tuple[float, float, float] | None = None

    def __post_init__(self):
        keys = tuple(self.keys)
        object.__setattr__(self, "keys", keys)
        check_count(len(keys))
        if keys[0].time != 0:
            raise Refused("Key 1: time={time:g} must be 0. Subtract {time:g} from every time.", time=keys[0].time)
        for i in range(1, len(keys)):
            if keys[i].time <= keys[i - 1].time:
                raise Refused(
                    "Key {number}: time={time:g} must be later than key {before} ({earlier:g}). "
                    "Sort the keys by time and keep one of those at the same time.",
                    number=i + 1,
                    time=keys[i].time,
                    before=i,
                    earlier=keys[i - 1].time,
                )
        low, high = SECONDS
        if not low <= self.duration <= high:
            raise Refused(
                "Key {number}: time={time:g} is the length of the path, must be {low:g}..{high:g} seconds. "
                "Retime the path.",
                number=len(keys),
                time=self.duration,
                low=low,
                high=high,
            )
        if not isinstance(self.closed, bool):
            raise Refused("closed={value!r:.40} must be true or false.", value=self.closed)
        if self.target is not None:
            object.__setattr__(self, "target", checked_point("target", self.target))
        if self.closed and (apart := self._apart()) > CLOSED_TOLERANCE:
            raise Refused(
                "Key {number}: a closed path must end at key 1 within {limit:g}, but its last key is {apart:.3g} away. "
                "Add a last key that equals key 1, or set closed to false.",
                number=len(keys),
                limit=CLOSED_TOLERANCE,
                apart=apart,
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
        """times: (T,) seconds, clipped to 0..duration -> the cameras there. Keys are met exactly."""
        return sample(self.keys, times, self.closed, self.target)

    def trajectory(self, height: int, width: int, fps: int | float = NATIVE_FPS) -> Trajectory:
        """One camera per frame for a (height, width) picture, square pixels, the principal point in the middle.

        The number of frames is the one nearest to duration * fps (at least 2); they are spread evenly over the path.
        The first frame is exactly the first key, and the last frame the last key; that of a closed path is one step
        before it, since what follows is the first frame again (`Trajectory.loop`).
        """
        height, width = checked_side("height", height), checked_side("width", width)
        frames = num_frames(self.duration, checked_fps(fps))
        if frames > MAX_FRAMES:
            raise Refused(
                "The path has {frames} frames at fps={fps:g}, must be at most {limit}. Use fps={fix:.0f} or less.",
                frames=frames,
                fps=fps,
                limit=MAX_FRAMES,
                fix=MAX_FRAMES / self.duration,
            )
        views = self.sample(np.linspace(0, self.duration, frames, endpoint=not self.closed))
        K = np.zeros((len(views.fov), 3, 3))
        K[:, 0, 0] = K[:, 1, 1] = width * focal(views.fov)
        K[:, 0, 2], K[:, 1, 2], K[:, 2, 2] = width / 2, height / 2, 1
        return Trajectory(views.c2w, K, height, width, fps, loop=self.closed)

    # -- edits: a new path each ---------------------------------------------------------------------------------------

    def retimed(self, seconds: float) -> "Path":
        """The same way in `seconds`, every part faster or slower by the same factor."""
        seconds = checked_number("seconds", seconds, *SECONDS, Sentence("seconds"))
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
        return cls(*fitted_keys(trajectory, keys, tolerance, max_degrees, max_keys))

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
        check_fields(Sentence("The path"), data, ("version", "keys"), ("closed", "target"))
        if data["version"] != VERSION or isinstance(data["version"], bool):
            raise Refused(
                "The path's version is {got!r:.40}, only {version} is read. Convert it.",
                got=data["version"],
                version=VERSION,
            )
        if not isinstance(data["keys"], list):
            got = type(data["keys"]).__name__
            raise Refused("The path's keys are {got}, must be a list. See docs/path.md.", got=got)
        check_count(len(data["keys"]))  # before any of them is read
        keys = []
        for number, entry in enumerate(data["keys"], 1):
            place = Sentence("Key {number}", number=number)
            check_fields(place, entry, ("time", "position", "orientation", "fov"), ("roll", "ease", "name"))
            try:
                keys.append(Key(**entry))
            except ValueError as error:
                raise Refused("Key {number}: {reason}", number=number, reason=error) from error
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
        """Writes the JSON file, atomically."""
        with atomic_write(file) as temporary:
            temporary.write_text(json.dumps(self.to_dict(), allow_nan=False), encoding="utf-8")

    @classmethod
    def load(cls, file: str | os.PathLike) -> "Path":
        """Reads a JSON file of at most 256 KiB; errors name the file."""
        data = read_json(file, MAX_FILE_BYTES)
        try:
            return cls.from_dict(data)
        except ValueError as error:
            raise Refused("{file}: {reason}", file=pathlib.Path(file).name, reason=error) from error

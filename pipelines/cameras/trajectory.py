"""A camera path: one camera per frame of the clip. The JSON form is described in docs/trajectory.md."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipelines.cameras.camera import MAX_SIDE, Camera, checked_c2w, checked_K, checked_side, resized_K
from pipelines.cameras.rotations import inverse
from pipelines.errors import Refused, Sentence
from pipelines.files import atomic_write

MAX_FRAMES = 2000
MAX_FPS = 240
MAX_FILE_BYTES = 4 * 1024 * 1024  # 2000 frames in full precision take about 1 MiB
NATIVE_FPS = 24  # frames per second of a clip, unless something else is wanted: ad platforms take 23 to 60

FORMAT = "mirage-studio/trajectory"
VERSION = 1
CONVENTION = "opencv-c2w"  # axes +x right, +y down, +z forward; camera to world; pixel centres at 0.5
CLOSED_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The cameras of a clip, in order; frame 0 of a path made by `move` is the photo's own camera.

    c2w: (T, 4, 4) float64 camera to world, OpenCV axes, translation in scene units; T is 1..2000.
    K:   (T, 3, 3) float64 in pixels of a (height, width) image, centres at 0.5. It may change along the path (zoom).
    fps: frames per second, 1..240.
    loop: the clip is played round and round: after the last frame comes the first, one step further on. The last camera
    is then one step before the first, so that no round shows a frame twice.

    Immutable: arrays are copied and read-only. `len(path)`, `path[i]` and iteration give cameras; `path[a:b]` gives
    the shorter path. Raises ValueError or TypeError with the value, the limit and the fix. See docs/conventions.md.
    """

    c2w: np.ndarray
    K: np.ndarray
    height: int
    width: int
    fps: int | float = NATIVE_FPS
    loop: bool = False

    def __post_init__(self):
        shape = np.shape(self.c2w)
        if len(shape) != 3:
            raise Refused("c2w has shape {shape}, must be (T, 4, 4): one pose per frame.", shape=shape)
        num_frames = _checked_count(shape[0])
        object.__setattr__(self, "height", checked_side("height", self.height))
        object.__setattr__(self, "width", checked_side("width", self.width))
        object.__setattr__(self, "fps", checked_fps(self.fps))
        object.__setattr__(self, "c2w", checked_c2w(self.c2w, shape=(num_frames, 4, 4)))
        object.__setattr__(self, "K", checked_K(self.K, shape=(num_frames, 3, 3)))
        if not isinstance(self.loop, bool):
            raise Refused("loop={value!r:.40} must be true or false.", value=self.loop)

    @classmethod
    def from_cameras(cls, cameras: list[Camera], fps: int | float = NATIVE_FPS) -> "Trajectory":
        """Cameras of one grid, in order -> the path."""
        sizes = sorted({(camera.height, camera.width) for camera in cameras})
        if len(sizes) != 1:
            raise Refused(
                "The cameras have sizes {sizes}, must be one size. Use camera.resized(height, width).", sizes=sizes
            )
        height, width = sizes[0]
        return cls(np.stack([c.c2w for c in cameras]), np.stack([c.K for c in cameras]), height, width, fps)

    def __len__(self) -> int:
        return len(self.c2w)

    def __getitem__(self, index: int | slice) -> "Camera | Trajectory":
        if isinstance(index, slice):
            return replace(self, c2w=self.c2w[index], K=self.K[index], loop=False)
        return Camera(self.K[index], self.c2w[index], self.height, self.width)

    def __iter__(self) -> Iterator[Camera]:
        return (self[index] for index in range(len(self)))

    def __eq__(self, other: object) -> bool:
        """Exact: same grid, fps and bits, so that 'the preview is what renders' can be asserted."""
        if not isinstance(other, Trajectory):
            return NotImplemented
        formats = [(path.height, path.width, path.fps, path.loop) for path in (self, other)]
        return formats[0] == formats[1] and np.array_equal(self.K, other.K) and np.array_equal(self.c2w, other.c2w)

    @property
    def seconds(self) -> float:
        """Playing time of the clip."""
        return len(self) / self.fps

    @property
    def is_closed(self) -> bool:
        """A loop, or the last camera is the first one: c2w within 1e-6 scene units, K within 1e-6 of the focal."""
        if self.loop or len(self) < 2:
            return self.loop
        same_c2w = np.abs(self.c2w[-1] - self.c2w[0]).max() <= CLOSED_TOLERANCE
        return bool(same_c2w and np.abs(self.K[-1] - self.K[0]).max() <= CLOSED_TOLERANCE * self.K[0, 0, 0])

    def with_return(self) -> "Trajectory":
        """A loop with the camera that it comes back to, its first, once more at the end; any other path as it is."""
        if not self.loop:
            return self
        c2w, K = (np.concatenate([values, values[:1]]) for values in (self.c2w, self.K))
        return replace(self, c2w=c2w, K=K, loop=False)

    def resized(self, height: int, width: int) -> "Trajectory":
        """Same path on another grid, for example image to latents."""
        K = resized_K(self.K, (self.height, self.width), (height, width))
        return replace(self, K=K, height=height, width=width)

    def zoomed(self, factor: float) -> "Trajectory":
        """The same poses with `factor` times the focal length, about the principal points."""
        scale = np.array([[factor, factor, 1], [factor, factor, 1], [1, 1, 1]])
        return replace(self, K=self.K * scale)

    def relative(self) -> "Trajectory":
        """The same path in the coordinates of its first camera, which becomes exactly the identity."""
        c2w = inverse(self.c2w[0]) @ self.c2w
        c2w[(self.c2w == self.c2w[0]).all((-2, -1))] = np.eye(4)  # frames that are the first one stay so to the bit
        return replace(self, c2w=c2w)

    # -- JSON ---------------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict:
        """The published JSON form. Plain numbers only; `from_dict` restores the very same bits."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "convention": CONVENTION,
            "height": self.height,
            "width": self.width,
            "fps": self.fps,
            **({"loop": True} if self.loop else {}),
            "intrinsics": self.K[:, [0, 1, 0, 1], [0, 1, 2, 2]].tolist(),
            "c2w": self.c2w.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict) -> "Trajectory":
        """Reads the published JSON form; anything missing, unknown or of the wrong kind is refused with a sentence."""
        if not isinstance(data, dict):
            got = type(data).__name__
            raise Refused("A trajectory must be a JSON object, got {got}. See docs/trajectory.md.", got=got)
        schema = cls.json_schema()
        if missing := sorted(set(schema["required"]) - data.keys()):
            raise Refused("The trajectory lacks {keys}. Add them as in docs/trajectory.md.", keys=", ".join(missing))
        if unknown := sorted(map(str, data.keys() - schema["properties"].keys())):
            raise Refused("The trajectory has unknown keys {keys:.200}. Remove them.", keys=", ".join(unknown))
        for key, value in (("format", FORMAT), ("version", VERSION), ("convention", CONVENTION)):
            if data[key] != value or isinstance(data[key], bool):
                raise Refused(
                    "The trajectory's {key} is {got!r:.80}, only {value!r} is read. Convert it.",
                    key=key,
                    got=data[key],
                    value=value,
                )
        num_frames = _checked_count(len(data["c2w"]) if isinstance(data["c2w"], list) else 0)
        c2w = _numbers("c2w", data["c2w"], (num_frames, 4, 4))
        fx, fy, cx, cy = _numbers("intrinsics", data["intrinsics"], (num_frames, 4)).T
        K = np.zeros((num_frames, 3, 3))
        K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2], K[:, 2, 2] = fx, fy, cx, cy, 1
        return cls(c2w, K, data["height"], data["width"], data["fps"], data.get("loop", False))

    @staticmethod
    def json_schema() -> dict:
        """JSON Schema (2020-12) of `to_dict`. Rigidity of c2w cannot be said there and is checked on reading."""

        def array_of(items: dict, low: int, high: int) -> dict:
            return {"type": "array", "items": items, "minItems": low, "maxItems": high}

        number, side = {"type": "number"}, {"type": "integer", "minimum": 1, "maximum": MAX_SIDE}
        properties = {
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "convention": {"const": CONVENTION},
            "height": side,
            "width": side,
            "fps": {"type": "number", "minimum": 1, "maximum": MAX_FPS},
            "loop": {"type": "boolean", "default": False},
            "intrinsics": array_of(array_of(number, 4, 4), 1, MAX_FRAMES),
            "c2w": array_of(array_of(array_of(number, 4, 4), 4, 4), 1, MAX_FRAMES),
        }
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Mirage Studio trajectory",
            "type": "object",
            "properties": properties,
            "required": [name for name in properties if name != "loop"],
            "additionalProperties": False,
        }

    def save(self, path: str | os.PathLike) -> None:
        """Writes the JSON file, atomically."""
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(self.to_dict(), allow_nan=False), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Trajectory":
        """Reads a JSON file of at most 4 MiB; errors name the file."""
        data = read_json(path, MAX_FILE_BYTES)
        try:
            return cls.from_dict(data)
        except (ValueError, TypeError) as error:
            raise Refused("{file}: {reason}", file=Path(path).name, reason=error) from error


def read_json(path: str | os.PathLike, max_bytes: int):
    """The content of a JSON file of at most `max_bytes`. Raises ValueError with the file's name and the reason."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            text = file.read(max_bytes + 1)  # a size on disk can be wrong
    except OSError as error:
        raise Refused(
            "{file} cannot be opened ({reason}). Give a trajectory file.", file=path.name, reason=error.strerror
        ) from error
    if len(text) > max_bytes:
        raise Refused("{file} is over {limit} bytes, the limit. Shorten the path.", file=path.name, limit=max_bytes)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        raise Refused(
            "{file} is not JSON ({reason}). Save it as in docs/trajectory.md.", file=path.name, reason=reason
        ) from error


def _checked_count(num_frames: int) -> int:
    if not 1 <= num_frames <= MAX_FRAMES:
        raise Refused(
            "The path has {frames} frames, must be 1..{limit}. Cut it into shorter clips.",
            frames=num_frames,
            limit=MAX_FRAMES,
        )
    return num_frames


def checked_fps(fps: int | float) -> int | float:
    """`fps` within 1..240, an int where it is whole, or an error that names it."""
    if isinstance(fps, bool) or not isinstance(fps, (int, float, np.integer, np.floating)) or not 1 <= fps <= MAX_FPS:
        raise Refused(
            "fps={fps!r:.80} must be a number from 1 to {limit}. Use {usual}.", fps=fps, limit=MAX_FPS, usual=NATIVE_FPS
        )
    return int(fps) if fps == int(fps) else float(fps)


def checked_distance(distance: float) -> float:
    """Depth of the subject as a float, 0.001..100000 scene units, or an error that names it."""
    if not isinstance(distance, (int, float, np.integer, np.floating)) or not 1e-3 <= distance <= 1e5:
        raise Refused(
            "distance={distance!r:.60} must be 0.001..100000 scene units. Use the median depth of the subject.",
            distance=distance,
        )
    return float(distance)


def _numbers(name: str, value, shape: tuple[int, ...]) -> np.ndarray:
    """A nested list of JSON numbers of exactly `shape`; numpy alone would also take "1.0", true and null."""

    def flat(item, depth: int, place: str):
        if depth == len(shape):
            if isinstance(item, bool) or not isinstance(item, (int, float)):
                raise Refused("{place} is {value!r:.40}, must be a number.", place=place, value=item)
            yield item
            return
        if not isinstance(item, list) or len(item) != shape[depth]:
            got = Sentence("a list of {count}", count=len(item)) if isinstance(item, list) else type(item).__name__
            raise Refused(
                "{place} is {got}, must be a list of {count}. See docs/trajectory.md.",
                place=place,
                got=got,
                count=shape[depth],
            )
        for index, child in enumerate(item):
            yield from flat(child, depth + 1, f"{place}[{index}]")

    try:
        return np.array(list(flat(value, 0, name)), dtype=np.float64).reshape(shape)
    except OverflowError as error:
        raise Refused("{name} holds a number too large for float64. Give translations in metres.", name=name) from error

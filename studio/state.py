"""What the page remembers of one visit, and what a request means once it is checked. No widgets here."""

import contextlib
import json
import math
import secrets
import shutil
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from pipelines.cameras import Camera, Trajectory
from pipelines.cameras.curve import focal, fov, num_frames
from pipelines.cameras.moves import MOVES, move
from pipelines.cameras.path import Path as CameraPath
from pipelines.depth import ESTIMATORS
from pipelines.limits import TRAVEL, TURN_DEGREES
from pipelines.media.photos import MAX_SIDE
from presets.schema import MovePreset, load_moves
from studio.words import Refusal

FPS = 16  # of the embedded model, of the presets and of the editor; a large model has its own
SECONDS = (2, 8)
STRENGTH = (10, 150)  # percent
ZOOM = (100, 150)  # percent
MAX_SEED = 2**31 - 1
KEPT_PICTURES = 40  # two seconds of the fastest render: a slow browser still fetches them
LEFTOVER_SECONDS = 24 * 3600  # no visit lasts so long
QUALITIES = ("draft", "standard", "full")
RATIOS = ("photo", "16:9", "9:16", "1:1", "4:5")
DIRECTIONS = ("left", "right", "in", "out")
DRAWN = "drawn"  # in place of a preset: the path of the editor
START_TOLERANCE = 1e-6
MAX_TEXT = 256 * 1024  # letters of a path: 200 keys take about 50,000
MAX_PROMPT = 1000  # letters; the text encoder reads 512 tokens

# (height, width) of the clip. The large sizes are those the ad platforms ask for.
SIZES = {
    ("16:9", "draft"): (288, 512),
    ("16:9", "standard"): (720, 1280),
    ("16:9", "full"): (1080, 1920),
    ("9:16", "draft"): (512, 288),
    ("9:16", "standard"): (1280, 720),
    ("9:16", "full"): (1920, 1080),
    ("1:1", "draft"): (384, 384),
    ("1:1", "standard"): (960, 960),
    ("1:1", "full"): (1080, 1080),
    ("4:5", "draft"): (480, 384),
    ("4:5", "standard"): (1040, 832),
    ("4:5", "full"): (1350, 1080),
}
AREA = {"draft": 288 * 512, "standard": 720 * 1280, "full": 1080 * 1920}
GRID = 2  # pixels: video files want even sides
MAX_PARTS = 24  # the photo's own ratio as a fraction of at most this denominator
SAME_SHAPE = 0.03  # of a ratio: what is cut off to have a large model's own size
SHAPE_WEIGHT = 20  # one percent of another shape is as bad as 20 percent less area


@cache
def presets() -> dict[str, MovePreset]:
    return load_moves()


def clip_size(ratio: str, quality: str, photo_size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of the embedded model's clip. photo_size: (height, width), only asked for the ratio "photo".

    Every quality has exactly the same shape, so that the cameras of the preview are those of the render.
    """
    if ratio != "photo":
        return SIZES[ratio, quality]
    for parts in range(MAX_PARTS, 0, -1):
        shape = Fraction(*photo_size).limit_denominator(parts)
        if shape.numerator * shape.denominator * GRID**2 <= AREA["draft"]:
            break
    rows, columns = shape.numerator, shape.denominator
    step = min(math.sqrt(AREA[quality] / (rows * columns)), MAX_SIDE / max(rows, columns))
    step = max(int(step / GRID) * GRID, GRID)
    return rows * step, columns * step


def large_size(
    ratio: str, quality: str, photo_size: tuple[int, int], own: tuple[int, int], grid: int
) -> tuple[int, int]:
    """(height, width) of a large model's clip, multiples of `grid`. own: what it was trained with, lying.

    A clip of nearly that shape, lying or upright, has that size; of another shape it is as large in area. A draft is
    small, and as near to the shape as the grid allows: the preview then shows up to 2 % more or less at two rims.
    """
    columns, rows = photo_size[::-1] if ratio == "photo" else map(int, ratio.split(":"))
    height, width = min(own, own[::-1], key=lambda size: abs(math.log(size[0] * columns / (size[1] * rows))))
    if abs(math.log(height * columns / (width * rows))) > SAME_SHAPE:
        height, width = near_shape(rows / columns, own[0] * own[1], grid)
    return near_shape(height / width, AREA["draft"], grid) if quality == "draft" else (height, width)


def near_shape(shape: float, area: int, grid: int) -> tuple[int, int]:
    """The multiples of `grid` that are nearly height / width = shape and large, but no larger than area."""
    cells, side = area // grid**2, MAX_SIDE // grid
    sizes = [(rows, math.floor(rows / shape) + more) for rows in range(2, side + 1) for more in (0, 1)]
    sizes = [(rows, columns) for rows, columns in sizes if 2 <= columns <= side and rows * columns <= cells]

    def loss(size: tuple[int, int]) -> float:
        return SHAPE_WEIGHT * abs(math.log(size[0] / size[1] / shape)) - math.log(size[0] * size[1])

    rows, columns = min(sizes, key=loss)
    return rows * grid, columns * grid


def qualities(own: tuple[int, int] | None) -> tuple[str, ...]:
    """Those that a model has; own: see `large_size`, None for the embedded one."""
    return QUALITIES if own is None else QUALITIES[:2]


@dataclass(frozen=True)
class Order:
    """A clip that was asked for. Every field is checked; `Order.read` refuses anything else with a sentence."""

    preset: str
    seconds: int = 4
    ratio: str = "photo"
    quality: str = "draft"
    direction: str = "right"
    strength: float = 1.0
    focus: float = 0.5
    seed: int = 0
    path: CameraPath | None = None  # only where it was drawn; its keys then say how long the clip is
    prompt: str = ""
    zoom: float = 1.0  # how much closer than the whole photo
    depth: str | None = None  # the estimator that was chosen; None where the studio offers no choice
    fps: int = FPS  # the model's

    @classmethod
    def read(
        cls,
        preset,
        seconds,
        ratio,
        quality,
        direction,
        strength,
        focus,
        seed,
        path=None,
        prompt="",
        zoom=100,
        depth=None,
        fps: int = FPS,
    ) -> "Order":
        """Values as the widgets send them (strength, focus and zoom in percent). Raises Refusal."""
        if preset is None:
            raise Refusal("need_move")
        return cls(
            preset=one_of("move", preset, (*presets(), DRAWN)),
            seconds=int(number_in("seconds", seconds, *SECONDS, whole=True)),
            ratio=one_of("format", ratio, RATIOS),
            quality=one_of("quality", quality, QUALITIES),
            direction=one_of("direction", direction, DIRECTIONS),
            strength=number_in("strength", strength, *STRENGTH) / 100,
            focus=number_in("crop", focus, 0, 100) / 100,
            seed=int(number_in("seed", seed, 0, MAX_SEED, whole=True)),
            path=drawn_path(path) if preset == DRAWN else None,
            prompt=prompt_of(prompt),
            zoom=number_in("closeness", zoom, *ZOOM) / 100,
            depth=None if depth is None else one_of("depth", depth, tuple(ESTIMATORS)),
            fps=fps,
        )

    @property
    def frames(self) -> int:
        """4n + 1: latents hold the first frame, then fours."""
        return self.seconds * self.fps + 1 if self.path is None else num_frames(self.path.duration, self.fps)

    def trajectory(self, photo_camera, distance: float) -> Trajectory:
        """The very cameras that are previewed and rendered. distance: depth of the subject in scene units."""
        if self.path is not None:
            return with_lens(self.path, photo_camera).trajectory(photo_camera.height, photo_camera.width, self.fps)
        preset = presets()[self.preset]
        takes = MOVES[preset.move].params
        params: dict[str, Any] = {**preset.params, "strength": self.scaled(preset.params.get("strength", 1.0))}
        if "direction" in takes and self.direction in takes["direction"].options:
            params["direction"] = self.direction
        return move(preset.move, photo_camera, distance=distance, frames=self.frames, fps=self.fps, **params)

    def scaled(self, strength: float) -> float:
        """The preset's own strength times the slider's, inside what moves accept."""
        return min(max(strength * self.strength, 0.1), 1.5)

    def widgets(self) -> tuple:
        """The values that the widgets show for this order, in the order of `read`."""
        return (
            self.preset,
            self.seconds,
            self.ratio,
            self.quality,
            self.direction,
            round(self.strength * 100),
            round(self.focus * 100),
            self.seed,
            None if self.path is None else self.path.to_dict(),
            self.prompt,
            round(self.zoom * 100),
            self.depth,
        )

    def recipe(self) -> dict:
        """What was asked for, as it is written into the clip."""
        asked = {name: value for name, value in self.__dict__.items() if name != "path" and value not in ("", None)}
        if self.path is not None:
            return {**asked, "path": self.path.to_dict()}
        return {**asked, "preset_version": presets()[self.preset].version}


def drawn_path(data) -> CameraPath:
    """The editor's value, an object or its JSON text, checked: it must begin at the photo's camera. Raises Refusal."""
    if data is None:
        raise Refusal("need_path")
    if isinstance(data, str):
        if len(data) > MAX_TEXT:
            long = Refusal("long_path", letters=len(data), limit=MAX_TEXT)
            raise Refusal("bad_path", reason=long)
        try:
            data = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Refusal("not_json") from error
    try:
        path = CameraPath.from_dict(data)
    except ValueError as error:
        raise Refusal("bad_path", reason=error) from error
    first = path.sample(np.zeros(1)).c2w[0]
    if np.abs(first - np.eye(4)).max() > START_TOLERANCE:
        raise Refusal("path_start")
    return path


def with_lens(path: CameraPath, photo_camera: Camera) -> CameraPath:
    """The path on another crop of the photo: key 0 is its camera, the others keep their zoom against it."""
    lens = photo_camera.K[0, 0] / photo_camera.width
    zoom = lens / focal(path.keys[0].fov)
    if abs(zoom - 1) < 1e-9:
        return path
    return replace(path, keys=tuple(replace(key, fov=float(fov(focal(key.fov) * zoom))) for key in path.keys))


def directions(preset: str) -> tuple[str, ...]:
    """What `direction` may be for a preset's move; empty where it takes none."""
    param = MOVES[presets()[preset].move].params.get("direction")
    # there-and-back names a side that only its arc uses
    idle = presets()[preset].params.get("base") == "push-in"
    return () if param is None or idle else param.options


def calm_seconds(trajectory: Trajectory, distance: float) -> int | None:
    """The length at which a path that is too fast would be calm; None where it is calm already (or never would be)."""
    quarter = round(trajectory.fps / 4)  # of a second, which the limits are for
    before, after = trajectory.c2w[:-quarter], trajectory.c2w[quarter:]
    travel = np.linalg.norm(after[:, :3, 3] - before[:, :3, 3], axis=-1).max() / (TRAVEL * distance)
    chord = np.linalg.norm(after[:, :3, :3] - before[:, :3, :3], axis=(-2, -1)).max() / (2 * math.sqrt(2))
    excess = max(travel, 2 * math.degrees(math.asin(min(chord, 1))) / TURN_DEGREES)
    if excess <= 1.02:
        return None
    return min(math.ceil(trajectory.seconds * excess), SECONDS[1])


def prompt_of(text) -> str:
    if not isinstance(text, str | None):
        raise Refusal("bad_value", name="description", value=f"{text!r:.40}", allowed=("text",))
    text = (text or "").strip()
    if len(text) > MAX_PROMPT:
        raise Refusal("long_prompt", letters=len(text), limit=MAX_PROMPT)
    return text


def one_of(name: str, value, allowed: tuple) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise Refusal("bad_value", name=name, value=f"{value!r:.40}", allowed=allowed)
    return value


def number_in(name: str, value, low: float, high: float, whole: bool = False) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    if not is_number or (whole and value != int(value)):
        raise Refusal("bad_value", name=name, value=f"{value!r:.40}", allowed=f"{low}–{high}")
    return value


@dataclass
class Take:
    """One render while it runs: what is ready, and whether it has ended. recipe: of the whole clip."""

    order: Order
    recipe: dict = field(default_factory=dict)
    frames: list[np.ndarray] = field(default_factory=list)
    coverage: list[np.ndarray] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def num_frames(self) -> int:
        return sum(len(chunk) for chunk in self.frames)


@dataclass(frozen=True)
class Clip:
    """A finished (or stopped) clip on disk. size: (height, width)."""

    order: Order
    video: Path
    poster: Path
    size: tuple[int, int]
    num_frames: int
    coverage: np.ndarray
    recipe: dict


class Session:
    """One visit: its photo, its last clip, and a folder with a name that cannot be guessed.

    Gradio copies the initial value of a State for every visitor; copying a session therefore makes a new one.
    """

    def __init__(self):
        self.photo: Image.Image | None = None
        self.focal_35mm: float | None = None
        self.lifts: dict[float, Any] = {}  # zoom -> Lifted, of one crop of the present photo
        self.lifted_crop: tuple | None = None
        self.take: Take | None = None
        self.clip: Clip | None = None
        self.shown: dict = {"kind": "empty"}  # the picture on the stage
        self.coverage: np.ndarray | None = None  # of the last preview or clip
        self.calm_seconds: int | None = None
        self.torn = 0.0
        self.asked: dict[str, int] = {}  # handler -> the newest of its calls
        self.zoom = 1.0  # of the last preview
        self.drawing = False  # the editor is in front of the picture
        self.drawn = False  # the picture is of a path of the editor
        self.place: dict | None = None  # what the editor shows, see studio.editor
        self._place_key: tuple | None = None
        self._folder: Path | None = None
        self._passing: deque[Path] = deque()

    def __deepcopy__(self, memo) -> "Session":
        return Session()

    @property
    def folder(self) -> Path:
        if self._folder is None:
            visits = Path(get_upload_folder()) / "studio"
            sweep(visits)
            self._folder = visits / secrets.token_urlsafe(16)
            self._folder.mkdir(parents=True, mode=0o700)
            # also where nobody calls `close`: the visit was pushed out by others, or the server stops
            self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def new_file(self, suffix: str) -> Path:
        return self.folder / f"{secrets.token_hex(6)}{suffix}"

    def set_photo(self, photo: Image.Image, focal_35mm: float | None) -> None:
        self.photo, self.focal_35mm = photo, focal_35mm
        self.keep(None)
        self.coverage, self.drawn = None, False
        self.lifts.clear()
        self._place_key = None

    def keep(self, clip: Clip | None) -> None:
        """The clip that the page offers. The one before it goes: nothing leads to its files any more."""
        if self.clip is not None:
            shutil.rmtree(self.clip.video.parent, ignore_errors=True)
        self.clip = clip

    def show(self, kind: str, file: Path, height: int, width: int) -> None:
        """kind: "photo", "preview", "live" or "clip"."""
        if kind != "clip":  # what only passes by is dropped once the browser has surely moved on
            self._passing.append(file)
            if len(self._passing) > KEPT_PICTURES:
                self._passing.popleft().unlink(missing_ok=True)
        self.shown = {"kind": kind, "file": str(file), "height": height, "width": width}

    def enter(self, key: tuple, make) -> None:
        """The place that the editor shows; made by `make(file)` -> facts, unless it is still that of `key`."""
        if key != self._place_key:
            old, file = self.place, self.new_file(".place")
            self.place, self._place_key = {**make(file), "file": str(file)}, key
            if old is not None:
                Path(old["file"]).unlink(missing_ok=True)

    def measure(self, coverage: np.ndarray, calm_seconds: int | None, torn: float = 0.0) -> None:
        """What the photo-backed strip shows. calm_seconds: the better length of a path that is too fast; torn: the
        largest share of a frame that opens between near and far."""
        self.coverage, self.calm_seconds, self.torn = np.asarray(coverage), calm_seconds, torn

    def close(self) -> None:
        """The visit is over: nothing of it stays on disk."""
        if self._folder is not None:
            self._remove()
            self._folder = None


def sweep(visits: Path) -> None:
    """Drop what servers that were killed have left of visits."""
    for folder in visits.glob("*"):
        with contextlib.suppress(OSError):  # another server may sweep as well
            if time.time() - folder.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


class Pace:
    """How long renders take here. Starts from a measured line, then follows what this machine really does."""

    FIXED = 1.0  # seconds: depth, tokens, file
    PER_MEGAPIXEL = 0.4  # seconds per frame and megapixel on two cores: 5, 25 and 55 s for four seconds of clip

    def __init__(self):
        self.factor = 1.0
        self.has_learned = False

    def estimate(self, frames: int, height: int, width: int) -> float:
        """Seconds for a clip."""
        return self.factor * (self.FIXED + frames * self.PER_MEGAPIXEL * height * width / 1e6)

    def learn(self, seconds: float, frames: int, height: int, width: int) -> None:
        """A clip took `seconds`: half of the way towards what it says, so that one hiccup does not decide."""
        self.has_learned = True
        ratio = seconds / self.estimate(frames, height, width)
        self.factor = min(max(self.factor * ratio**0.5, 0.1), 20.0)

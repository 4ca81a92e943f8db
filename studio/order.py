"""What the page's widgets hold, and the clip that is ordered with them once everything is checked."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from pipelines.cameras import Camera, Trajectory
from pipelines.cameras.curve import num_frames
from pipelines.cameras.moves import MOVES, move
from pipelines.cameras.path import Path as CameraPath
from pipelines.cameras.trajectory import NATIVE_FPS
from pipelines.depth import ESTIMATORS
from pipelines.media.clips import RATES
from presets.schema import MovePreset, load_moves
from studio.drawn import DRAWN, drawn_path, with_lens
from studio.sizes import QUALITIES, RATIOS
from studio.words import Refusal

SECONDS = (2, 8)
SHORTEST = 3  # seconds: Instagram, TikTok and LinkedIn take no shorter clip
STRENGTH = (10, 150)  # percent
ZOOM = (50, 150)  # percent
MAX_SEED = 2**31 - 1
MAX_PROMPT = 1000  # letters; the text encoder reads 512 tokens
ALPHAS = ("off", "webm", "zip")  # a transparent file beside the mp4: none, a WebM, a zip of PNGs
DIRECTIONS = ("left", "right", "in", "out")


@cache
def presets() -> dict[str, MovePreset]:
    return load_moves()


@dataclass(frozen=True)
class Inputs:
    """What the widgets hold, each under its own name, as the page sends it: nothing is checked. The defaults are what
    a new page shows.

    strength, focus, zoom: percent. path: the editor's, an object or its JSON text. depth: an estimator's name, None
    where the studio offers no choice. alpha: one of ALPHAS. yaw, pitch: degrees to the right and up, of a panorama's
    flat view. The last two travel with the values that they are about, so that a click that overtakes an answer is
    noticed; whoever is not the page and leaves them out gets the preset's own settings. picked: the preset whose own
    seconds and direction are shown. suited: the choice (see `choice`) that strength and zoom were found for.
    """

    preset: Any = None
    seconds: Any = 4
    ratio: Any = "photo"
    quality: Any = "draft"
    fps: Any = NATIVE_FPS
    direction: Any = "right"
    strength: Any = 100
    focus: Any = 50
    seed: Any = 0
    path: Any = None
    prompt: Any = ""
    zoom: Any = 100
    depth: Any = None
    alpha: Any = "off"
    yaw: Any = 0
    pitch: Any = 0
    picked: Any = None
    suited: Any = None

    def choice(self, photo_id: str) -> str:
        """What a strength and a zoom suit: this move in this direction, in this format, of this photo."""
        return f"{photo_id} {self.preset} {self.direction} {self.ratio}"


@dataclass(frozen=True)
class Order:
    """A clip to be made. Every field is checked; `Order.read` refuses anything else with a sentence."""

    preset: str
    seconds: int
    ratio: str
    quality: str
    direction: str
    strength: float  # of the move, 1 as the preset has it
    focus: float  # where the crop lies, 0 left or top .. 1 right or bottom
    seed: int
    path: CameraPath | None  # only where it was drawn; its keys then say how long the clip is
    prompt: str
    zoom: float  # how much closer than the whole photo
    depth: str | None  # the chosen estimator; None where the studio offers no choice
    fps: int  # of the file
    alpha: str | None = None  # suffix of the transparent file beside the mp4; None for none
    native_fps: int | None = None  # at which the model makes frames; None where it makes them at any rate

    @classmethod
    def read(cls, inputs: Inputs, native_fps: int | None = None) -> "Order":
        """native_fps: the model's. Raises Refusal, which names the first widget whose value is not allowed."""
        if inputs.preset is None:
            raise Refusal("need_move")
        return cls(
            preset=one_of("move", inputs.preset, (*presets(), DRAWN)),
            seconds=int(number_in("seconds", inputs.seconds, *SECONDS, whole=True)),
            ratio=one_of("format", inputs.ratio, RATIOS),
            quality=one_of("quality", inputs.quality, QUALITIES),
            direction=one_of("direction", inputs.direction, DIRECTIONS),
            strength=number_in("strength", inputs.strength, *STRENGTH) / 100,
            focus=number_in("crop", inputs.focus, 0, 100) / 100,
            seed=int(number_in("seed", inputs.seed, 0, MAX_SEED, whole=True)),
            path=drawn_path(inputs.path) if inputs.preset == DRAWN else None,
            prompt=prompt_of(inputs.prompt),
            zoom=number_in("closeness", inputs.zoom, *ZOOM) / 100,
            depth=None if inputs.depth is None else one_of("depth", inputs.depth, tuple(ESTIMATORS)),
            fps=rate_of(inputs.fps),
            alpha=None if inputs.alpha == "off" else one_of("alpha", inputs.alpha, ALPHAS),
            native_fps=native_fps,
        )

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.seconds if self.path is None else self.path.duration

    @property
    def frames(self) -> int:
        """Of the file."""
        return num_frames(self.duration, self.fps)

    @property
    def made_fps(self) -> int:
        """Frames per second that are made; the file repeats some of them where that is less than `fps`."""
        return self.native_fps or self.fps

    @property
    def made_frames(self) -> int:
        """How many frames are made, one for each camera of `trajectory`."""
        return num_frames(self.duration, self.made_fps)

    def trajectory(self, photo_camera: Camera, distance: float) -> Trajectory:
        """The very cameras that are previewed and rendered. distance: depth of the subject in scene units."""
        if self.path is not None:
            return with_lens(self.path, photo_camera).trajectory(photo_camera.height, photo_camera.width, self.made_fps)
        preset = presets()[self.preset]
        takes = MOVES[preset.move].params
        params: dict[str, Any] = {**preset.params, "strength": self._scaled(preset.params.get("strength", 1.0))}
        if "direction" in takes and self.direction in takes["direction"].options:
            params["direction"] = self.direction
        frames = {"frames": self.made_frames, "fps": self.made_fps}
        return move(preset.move, photo_camera, distance=distance, **frames, **params)

    def _scaled(self, strength: float) -> float:
        """The preset's own strength times the slider's, inside what moves accept."""
        return min(max(strength * self.strength, 0.1), 1.5)

    def inputs(self) -> Inputs:
        """What the widgets show for this order, but for `suited`, which only the visit knows."""
        return Inputs(
            preset=self.preset,
            seconds=self.seconds,
            ratio=self.ratio,
            quality=self.quality,
            fps=self.fps,
            direction=self.direction,
            strength=round(self.strength * 100),
            focus=round(self.focus * 100),
            seed=self.seed,
            path=None if self.path is None else self.path.to_dict(),
            prompt=self.prompt,
            zoom=round(self.zoom * 100),
            depth=self.depth,
            alpha=self.alpha or "off",
            picked=self.preset,
        )

    def recipe(self) -> dict:
        """The order as it is written into the clip."""
        written = {name: value for name, value in self.__dict__.items() if name != "path" and value not in ("", None)}
        if self.path is not None:
            return {**written, "path": self.path.to_dict()}
        return {**written, "preset_version": presets()[self.preset].version}


def directions(preset: str) -> tuple[str, ...]:
    """What `direction` may be for a preset's move; empty where it takes none."""
    param = MOVES[presets()[preset].move].params.get("direction")
    # there-and-back names a side that only its arc uses
    idle = presets()[preset].params.get("base") == "push-in"
    return () if param is None or idle else param.options


def own_settings(preset: str) -> dict[str, Any]:
    """Seconds and direction that a preset starts with, as `Inputs` names them."""
    chosen, ways = presets()[preset], directions(preset)
    own = chosen.params.get("direction")
    seconds = min(max(round(chosen.seconds), SECONDS[0]), SECONDS[1])
    return {"seconds": seconds, "direction": own if own in (ways or ("left", "right")) else "right"}


def prompt_of(text) -> str:
    """The description without spaces around it. Raises Refusal where it is no text, or too long."""
    if not isinstance(text, str | None):
        raise Refusal("bad_value", name="description", value=f"{text!r:.40}", allowed=("text",))
    text = (text or "").strip()
    if len(text) > MAX_PROMPT:
        raise Refusal("long_prompt", letters=len(text), limit=MAX_PROMPT)
    return text


def rate_of(value) -> int:
    """Frames per second, one of those that are offered. Raises Refusal."""
    if isinstance(value, bool) or value not in RATES:
        raise Refusal("bad_value", name="rate", value=f"{value!r:.40}", allowed=tuple(map(str, RATES)))
    return int(value)


def one_of(name: str, value, allowed: tuple) -> str:
    """The value, if it is one of the allowed texts. Raises Refusal, in which the widget is called `name`."""
    if not isinstance(value, str) or value not in allowed:
        raise Refusal("bad_value", name=name, value=f"{value!r:.40}", allowed=allowed)
    return value


def number_in(name: str, value, low: float, high: float, whole: bool = False) -> float:
    """The value, if it is a number in low..high, and a whole one where it must be. Raises Refusal, as `one_of`."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    if not is_number or (whole and value != int(value)):
        raise Refusal("bad_value", name=name, value=f"{value!r:.40}", allowed=f"{low}–{high}")
    return value

"""Camera moves by name: one decorated function per move. docs/moves.md lists them; docs/conventions.md has the axes.

A move is written for a photo camera at the origin that looks along +z, with the subject at distance D straight ahead;
`move` carries it to the real photo camera. Sideways moves are written to the right, the left ones are their mirror.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.easing import smooth, soft_ends
from pipelines.cameras.trajectory import MAX_FRAMES, NATIVE_FPS, Trajectory, checked_distance
from pipelines.errors import Refused

MIN_FRAMES = 2


@dataclass(frozen=True)
class Number:
    """A number that a move takes: its default, its range and its unit."""

    default: float
    low: float
    high: float
    unit: str  # "D" (share of the distance to the subject), "degrees" or "x" (factor)

    def checked(self, name: str, value) -> float:
        """`value` as a float inside the range, or an error that names it."""
        is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if not is_number or not self.low <= value <= self.high:  # NaN fails the comparison too
            raise Refused(
                "{name}={value!r:.60} must be {low:g}..{high:g}. Use {default:g}.",
                name=name,
                value=value,
                low=self.low,
                high=self.high,
                default=self.default,
            )
        return float(value)


@dataclass(frozen=True)
class Choice:
    """One of a few words that a move takes."""

    default: str
    options: tuple[str, ...]

    def checked(self, name: str, value) -> str:
        """`value` if it is one of the options, or an error that names it."""
        if not isinstance(value, str) or value not in self.options:
            raise Refused(
                "{name}={value!r:.60} must be one of {allowed}. Use {default}.",
                name=name,
                value=value,
                allowed=", ".join(self.options),
                default=self.default,
            )
        return value


STRENGTH = Number(1.0, 0.1, 1.5, "x")  # every move takes it: scales how far the move goes, not how long it takes
SIDE = ("left", "right")  # the values of `direction` that mirror a move


class Motion(NamedTuple):
    """What a move does, relative to the photo: c2w (T, 4, 4) and focal factor (T,), both starting at identity."""

    c2w: np.ndarray
    zoom: np.ndarray


@dataclass(frozen=True)
class Move:
    """A registered move. params: what it takes beside `strength`; closed: a loop; zooms: K changes."""

    name: str
    path: Callable[..., Motion]
    params: dict[str, Number | Choice]
    closed: bool
    zooms: bool

    @property
    def defaults(self) -> dict[str, float | str]:
        """Every parameter with its default."""
        return {name: param.default for name, param in self.params.items()}

    def checked(self, params: dict) -> dict[str, float | str]:
        """Every parameter of the move with a value inside its range, defaults filled in; unknown ones are refused."""
        if unknown := sorted(map(str, params.keys() - self.params.keys())):
            raise Refused(
                "The move {move} has no parameter {unknown:.80}. It takes {known}.",
                move=self.name,
                unknown=", ".join(unknown),
                known=", ".join(self.params),
            )
        return {name: param.checked(name, params.get(name, param.default)) for name, param in self.params.items()}

    def motion(self, frames: int, distance: float, params: dict[str, float | str]) -> Motion:
        """The path relative to the photo. Left is derived from right by mirroring, so both match bit for bit."""
        own = {name: value for name, value in params.items() if name != "direction" or not self.mirrors}
        times = np.arange(frames) / frames if self.closed else np.linspace(0, 1, frames)
        motion = self.path(times, distance, **own)
        if self.mirrors and params["direction"] == "left":
            side = np.array([-1.0, 1, 1, 1])
            motion = motion._replace(c2w=motion.c2w * np.outer(side, side))
        return motion

    @property
    def mirrors(self) -> bool:
        """`direction` means left or right."""
        return "direction" in self.params and self.params["direction"].options == SIDE


MOVES: dict[str, Move] = {}


def register(name: str, closed: bool = False, zooms: bool = False, **params: Number | Choice):
    """Adds a function (t (T,) 0..1, D, strength, **params) -> Motion to MOVES under `name`.

    t runs evenly from 0 to 1; that of a closed move ends one step earlier, since what follows is frame 0 again.
    """

    def add(path: Callable[..., Motion]) -> Callable[..., Motion]:
        MOVES[name] = Move(name, path, {**params, "strength": STRENGTH}, closed, zooms)
        return path

    return add


def move(
    name: str,
    photo_camera: Camera,
    distance: float,
    frames: int = 4 * NATIVE_FPS,
    fps: int | float = NATIVE_FPS,
    **params: float | str,
) -> Trajectory:
    """The path of a named move, seen by the photo's lens at the photo's size.

    name: a key of MOVES. distance: depth D of the subject in scene units, > 0; every travel is a share of it.
    frames: 2..2000. params: those of MOVES[name].params, among them strength 0.1..1.5.

    Frame 0 is exactly `photo_camera`. An open move ends exactly where it goes, a closed one is a loop: its last frame
    is one step before the first. Raises ValueError for an unknown name or parameter and for values out of range.
    """
    if name not in MOVES:
        raise Refused("Unknown move {name!r:.60}. Choose from {allowed}.", name=name, allowed=", ".join(MOVES))
    frames = checked_frames(frames)
    distance = checked_distance(distance)
    chosen = MOVES[name]
    motion = chosen.motion(frames, distance, chosen.checked(params))
    c2w = photo_camera.c2w @ motion.c2w
    K = np.repeat(photo_camera.K[None], frames, axis=0)
    K[:, [0, 1], [0, 1]] *= motion.zoom[:, None]
    c2w[0], K[0] = photo_camera.c2w, photo_camera.K  # the product above may miss it by a rounding
    return Trajectory(c2w, K, photo_camera.height, photo_camera.width, fps, loop=chosen.closed)


def checked_frames(frames: int) -> int:
    """`frames` as a whole number within 2..2000, or an error that names it."""
    is_number = isinstance(frames, (int, np.integer)) and not isinstance(frames, bool)
    if not is_number or not MIN_FRAMES <= frames <= MAX_FRAMES:
        raise Refused(
            "frames={frames!r:.60} must be a whole number within {least}..{most}. Use {usual}, which are {seconds} "
            "seconds.",
            frames=frames,
            least=MIN_FRAMES,
            most=MAX_FRAMES,
            usual=4 * NATIVE_FPS,
            seconds=4,
        )
    return int(frames)


def poses(t: np.ndarray, x=0.0, y=0.0, z=0.0, yaw=0.0, pitch=0.0) -> np.ndarray:
    """(T, 4, 4) camera to world. x right, y down, z forward; yaw + turns right, pitch + turns up, radians, no roll."""
    c2w = np.zeros((len(t), 4, 4))
    cos_yaw, sin_yaw, cos_pitch, sin_pitch = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    c2w[:, 0, 0], c2w[:, 0, 1], c2w[:, 0, 2] = cos_yaw, sin_yaw * sin_pitch, sin_yaw * cos_pitch
    c2w[:, 1, 1], c2w[:, 1, 2] = cos_pitch, -sin_pitch
    c2w[:, 2, 0], c2w[:, 2, 1], c2w[:, 2, 2] = -sin_yaw, cos_yaw * sin_pitch, cos_yaw * cos_pitch
    c2w[:, 0, 3], c2w[:, 1, 3], c2w[:, 2, 3], c2w[:, 3, 3] = x, y, z, 1
    return c2w


def _travel(c2w: np.ndarray) -> Motion:
    return Motion(c2w, np.ones(len(c2w)))


@register("push-in", travel=Number(0.25, 0.05, 0.5, "D"))
def push_in(t, D, strength, travel) -> Motion:
    """Straight towards the subject."""
    return _travel(poses(t, z=smooth(t) * strength * travel * D))


@register("pull-back", travel=Number(0.35, 0.05, 0.7, "D"))
def pull_back(t, D, strength, travel) -> Motion:
    """Straight away from the subject."""
    return _travel(poses(t, z=-smooth(t) * strength * travel * D))


@register("side-slide", travel=Number(0.22, 0.05, 0.5, "D"), direction=Choice("right", SIDE))
def side_slide(t, D, strength, travel) -> Motion:
    """Sideways at an even pace, heading fixed."""
    return _travel(poses(t, x=soft_ends(t) * strength * travel * D))


@register("gentle-arc", degrees=Number(20.0, 5.0, 45.0, "degrees"), direction=Choice("right", SIDE))
def gentle_arc(t, D, strength, degrees) -> Motion:
    """On a circle of radius D round the subject, which stays in the middle."""
    angle = smooth(t) * strength * math.radians(degrees)
    return _travel(poses(t, x=D * np.sin(angle), z=D * (1 - np.cos(angle)), yaw=-angle))


@register("look-around", closed=True, degrees=Number(12.0, 2.0, 30.0, "degrees"), direction=Choice("left", SIDE))
def look_around(t, D, strength, degrees) -> Motion:
    """Turns to one side, then to the other, then back, without travelling. `direction` is the side that comes first."""
    quarter, half, last = (
        smooth(np.clip(t * 4, 0, 1)),
        smooth(np.clip(t * 2 - 0.5, 0, 1)),
        smooth(np.clip(t * 4 - 3, 0, 1)),
    )
    return _travel(poses(t, yaw=strength * math.radians(degrees) * (quarter - 2 * half + last)))


@register(
    "parallax-breath",
    closed=True,
    width=Number(0.05, 0.01, 0.15, "D"),
    height=Number(0.025, 0.0, 0.1, "D"),
    direction=Choice("right", SIDE),
)
def parallax_breath(t, D, strength, width, height) -> Motion:
    """An ellipse through the photo's place, eyes on the subject. Even speed, so that the loop has no visible seam.

    width, height: half axes; the ellipse lies above the photo's place.
    """
    turn = 2 * np.pi * t
    x, y = strength * width * D * np.sin(turn), -strength * height * D * (1 - np.cos(turn))
    return _travel(poses(t, x=x, y=y, yaw=np.arctan2(-x, D), pitch=np.arctan2(y, np.hypot(x, D))))


@register(
    "there-and-back",
    closed=True,
    base=Choice("push-in", ("push-in", "gentle-arc")),
    direction=Choice("right", SIDE),
)
def there_and_back(t, D, strength, base) -> Motion:
    """A push-in or a gentle arc, then its exact reverse. `direction` matters to the arc only."""
    own = {name: value for name, value in MOVES[base].defaults.items() if name not in ("direction", "strength")}
    out = MOVES[base].path(2 * t[: len(t) // 2 + 1], D, strength, **own).c2w
    frames = np.arange(len(t))
    return _travel(out[np.minimum(frames, len(t) - frames)])  # the way back passes the very same cameras


@register(
    "lens-zoom",
    zooms=True,
    direction=Choice("in", ("in", "out")),
    ratio_in=Number(1.35, 1.05, 2.0, "x"),
    ratio_out=Number(1.2, 1.05, 1.5, "x"),
)
def lens_zoom(t, D, strength, direction, ratio_in, ratio_out) -> Motion:
    """The lens changes, the camera stays: the focal goes to x ratio_in or / ratio_out, geometrically between."""
    ratio = ratio_in if direction == "in" else 1 / ratio_out
    return Motion(poses(t), ratio ** (strength * smooth(t)))


@register("steady-hold", closed=True, drift=Number(0.008, 0.002, 0.02, "D"), degrees=Number(0.4, 0.0, 1.0, "degrees"))
def steady_hold(t, D, strength, drift, degrees) -> Motion:
    """Almost still: a slow sway of `drift` to each side and upwards, the turn against it keeps the subject in place."""
    turn = 2 * np.pi * t
    x, y = strength * drift * D * np.sin(turn), -strength * drift * D * (1 - np.cos(turn)) / 2
    return _travel(poses(t, x=x, y=y, yaw=-strength * math.radians(degrees) * np.sin(turn)))

"""Mends what `checks.py` finds: pure functions from path to path, which keep the photo's camera first.

`repaired` calls one by the name that a finding gives.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.checks import Outlook, lens_limits, surfaces
from pipelines.cameras.keys import SECONDS
from pipelines.cameras.path import Path
from pipelines.cameras.shortening import turns_from_start, weaker
from pipelines.cameras.speed import excess_speed
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.limits import BACKED, SLACK, TORN

BISECTIONS = 6  # strength to 1/64

Look = Callable[[Trajectory], Outlook]  # what the photo will show of a path


def slow_down(path: Path, distance: float, fps: int | float = NATIVE_FPS) -> Path:
    """The same way in more time, until no quarter of a second turns or travels too far; at most in 60 s."""
    for _ in range(8):  # a clip has whole frames, so one factor is not always enough
        excess = excess_speed(path.trajectory(9, 16, fps), distance) / SLACK
        if excess <= 1 or path.duration >= SECONDS[1]:
            break
        path = path.retimed(min(path.duration * max(excess, 1 + 2 / (fps * path.duration)), SECONDS[1]))
    return path


def shorten(path: Path, is_fine: Callable[[Path], bool]) -> Path:
    """The path with all its motion weaker, as strong as `is_fine` allows."""
    return _strongest(lambda factor: weaker(path, factor), is_fine)


def lift(path: Path, distance: float, is_fine: Callable[[Path], bool]) -> Path:
    """The path higher up, as little as `is_fine` allows; where height does not help within half of D, shorter.

    The photo's camera, first and in a loop last, stays where it is.
    """
    last = len(path.keys) - 1 if path.closed else len(path.keys)

    def lifted(height: float) -> Path:
        keys = [
            replace(key, position=(key.position[0], key.position[1] - height, key.position[2])) if 0 < i < last else key
            for i, key in enumerate(path.keys)
        ]
        return replace(path, keys=tuple(keys))

    for height in np.linspace(0, 0.5 * distance, 21).tolist():
        if is_fine(candidate := lifted(height)):
            return candidate
    return shorten(path, is_fine)


def turn_back(
    path: Path,
    look: Look,
    least: float = BACKED,
    height: int = 288,
    width: int = 512,
    fps: float = NATIVE_FPS,
) -> Path:
    """The same way with the camera turned less away from the photo's heading, as far as every frame stays backed by
    `least`; where turning is not enough, `keep_honest`. What is torn, turning does not mend."""
    if path.target is not None:
        path = path.aimed(path.target)

    def turned(factor: float) -> Path:
        heading = weaker(path, factor)
        keys = [
            replace(key, orientation=turn.orientation, roll=turn.roll)
            for key, turn in zip(path.keys, heading.keys, strict=True)
        ]
        return replace(path, keys=tuple(keys))

    def is_fine(path: Path) -> bool:
        return bool((look(path.trajectory(height, width, fps)).coverage >= least).all())

    if turns_from_start(path).max() >= 179 or not is_fine(turned(0)):
        return keep_honest(path, look, least, height, width, fps)
    return _strongest(turned, is_fine)


def keep_honest(
    path: Path,
    look: Look,
    least: float = BACKED,
    height: int = 288,
    width: int = 512,
    fps: float = NATIVE_FPS,
) -> Path:
    """The path as strong as it can be with at least `least` of every frame backed by the memory, and at most TORN of it
    open between surfaces.

    Weaker means less travel, turn and lens change in the same time, as `shortened`; a path that turns right
    round is cut short first. 7 calls of look, 15 when the path's target lies outside the photo.
    """

    def is_fine(path: Path) -> bool:
        seen = look(path.trajectory(height, width, fps))
        return bool((seen.coverage >= least).all() and (seen.torn <= TORN).all())

    found = _strongest(lambda factor: weaker(path, factor), is_fine)
    if path.target is not None and not is_fine(found):  # it is the aim that leaves the photo
        aimed = path.aimed(path.target)
        found = _strongest(lambda factor: weaker(aimed, factor), is_fine)
    return found


def fit_lens(path: Path) -> Path:
    """Fields of view inside `limits.FOV_DEGREES`, or the photo's own. Between keys the lens stays between theirs."""
    low, high = lens_limits(path.keys[0].fov)
    return replace(path, keys=tuple(replace(key, fov=min(max(key.fov, low), high)) for key in path.keys))


REPAIRS = ("slow_down", "shorten", "lift", "turn_back", "keep_honest", "fit_lens")


def repaired(
    path: Path,
    repair: str,
    camera: Camera,
    distance: float,
    depth: np.ndarray | None = None,
    look: Look | None = None,
    fps: int | float = NATIVE_FPS,
) -> Path:
    """The path after one of REPAIRS by name, which makes the findings that name it go away.

    camera: the photo's, whose size the clip has; depth (H, W) of that size. Raises ValueError for an unknown name, and
    for `turn_back` and `keep_honest` without `look`.
    """
    height, width = camera.height, camera.width

    def keeps_clear(path: Path) -> bool:
        clip = path.trajectory(height, width, fps)
        return depth is None or not surfaces(clip, distance, np.asarray(depth), camera)

    if repair not in REPAIRS:
        raise ValueError(f"Unknown repair {repair!r:.40}. Choose from {', '.join(REPAIRS)}.")
    if repair in ("turn_back", "keep_honest"):
        if look is None:
            raise ValueError(f"The repair {repair} needs to look at paths. Lift the photo first.")
        return (turn_back if repair == "turn_back" else keep_honest)(path, look, BACKED, height, width, fps)
    if repair == "slow_down":
        return slow_down(path, distance, fps)
    if repair == "shorten":
        return shorten(path, keeps_clear)
    if repair == "lift":
        return lift(path, distance, keeps_clear)
    return fit_lens(path)


def _strongest(make: Callable[[float], Path], is_fine: Callable[[Path], bool]) -> Path:
    """make(factor) for the largest factor 0..1 that is fine, to 1/64; make(0) if none is."""
    if is_fine(full := make(1.0)):
        return full
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_fine(make(middle)) else (low, middle)
    return make(low)

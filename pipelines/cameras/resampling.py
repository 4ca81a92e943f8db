"""Any number of cameras put onto any number of frames, through the same first and last pose.

Between cameras everything runs on cubic Bezier curves whose slope at a camera is that of the cameras beside it
(Catmull and Rom 1974): positions, log focals and principal points by de Casteljau's construction, orientations by the
same construction with slerp in place of lerp (Shoemake 1985), so that a steady turn stays steady. No slope is longer
than three times the shorter step beside it: a camera that waits does not sway before it leaves (de Boor and Swartz
1977).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pipelines.cameras.curve import hemisphere
from pipelines.cameras.rotations import degrees_between, quaternion, rotation
from pipelines.cameras.trajectory import MAX_FRAMES, Trajectory
from pipelines.errors import Refused

PACES = ("kept", "even")
LEAST_SECONDS = 1.0  # cameras that take less are no clip: photos of a place have no time
USUAL_SECONDS = 4.0  # what they are given then
LEAST_FRAMES = 2
FINE = 128  # parts of a step when the length of the way is measured
STANDS = 1e-6  # of the whole way: a shorter step is none


def resampled(trajectory: Trajectory, frames: int, pace: str = "kept") -> Trajectory:
    """The same way in `frames` cameras, 2..2000; the first and the last are those of `trajectory` to the bit.

    pace: "kept", every part takes the same share of the clip as before, and as many frames as there were give the same
    bits; "even", equal steps along the way (by distance; by angle, then by focal, where the camera never travels), what
    turns on the spot keeps its share, and what waits is passed over. Size and fps stay, so the clip becomes longer or
    shorter. Raises ValueError for any other number or pace.
    """
    if (
        isinstance(frames, bool)
        or not isinstance(frames, (int, np.integer))
        or not LEAST_FRAMES <= frames <= MAX_FRAMES
    ):
        raise Refused(
            "resample={frames!r:.40} must be a whole number of frames from {low} to {high}. Use 97.",
            frames=frames,
            low=LEAST_FRAMES,
            high=MAX_FRAMES,
        )
    if pace not in PACES:
        raise Refused("Unknown pace {pace!r:.40}. Choose from {allowed}.", pace=pace, allowed=", ".join(PACES))
    if trajectory.loop:  # the step from the last camera to the first is one of the steps
        return replace(resampled(trajectory.with_return(), frames + 1, pace)[:-1], loop=True)
    last = len(trajectory) - 1
    times = np.linspace(0, last, frames) if pace == "kept" else _even_times(trajectory, frames)
    times[-1] = last
    c2w, K = _views(trajectory, times)
    return replace(trajectory, c2w=c2w, K=K)


def _even_times(trajectory: Trajectory, frames: int) -> np.ndarray:
    """(frames,) places on the way, in frames of the trajectory, between which the steps are equal."""
    last = len(trajectory) - 1
    fine = np.linspace(0, last, last * FINE + 1)
    c2w, K = _views(trajectory, fine)
    travel = np.linalg.norm(np.diff(c2w[:, :3, 3], axis=0), axis=1)
    turn = degrees_between(c2w[:-1, :3, :3], c2w[1:, :3, :3])
    zoom = np.abs(np.diff(np.log(K[:, 0, 0])))
    ways = [step for step in (travel, turn, zoom) if step.sum() > STANDS]
    if not ways:
        return np.linspace(0, last, frames)
    first, *others = (step / step.sum() for step in ways)
    on_the_spot = (first <= STANDS / len(fine)) & (sum(others, np.zeros(len(first))) > STANDS / len(fine))
    share = on_the_spot.mean()
    weight = np.where(on_the_spot, 1 / len(first), first * (1 - share))
    along = np.concatenate([[0.0], np.cumsum(weight)])
    return np.interp(np.linspace(0, along[-1], frames), along, fine)


def _views(trajectory: Trajectory, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """times: (T,) frames of the trajectory, 0..len - 1 -> c2w (T, 4, 4) and K (T, 3, 3); whole frames to the bit."""
    if len(trajectory) == 1:
        return np.repeat(trajectory.c2w, len(times), axis=0), np.repeat(trajectory.K, len(times), axis=0)
    segment = np.minimum(times.astype(int), len(trajectory) - 2)
    u = (times - segment)[:, None]
    c2w, K = np.zeros((len(times), 4, 4)), np.zeros((len(times), 3, 3))
    c2w[:, 3, 3] = K[:, 2, 2] = 1
    c2w[:, :3, 3] = _curve(trajectory.c2w[:, :3, 3], segment, u)
    q = hemisphere(quaternion(trajectory.c2w[:, :3, :3]))
    c2w[:, :3, :3] = rotation(_curve(q, segment, u, _slerp, _turn_between, _turned))
    focals = trajectory.K[:, [0, 1], [0, 1]]
    K[:, [0, 1], [0, 1]] = focals[0] * np.exp(_curve(np.log(focals / focals[0]), segment, u))
    K[:, :2, 2] = _curve(trajectory.K[:, :2, 2], segment, u)
    whole = times == np.round(times)
    c2w[whole], K[whole] = trajectory.c2w[times[whole].astype(int)], trajectory.K[times[whole].astype(int)]
    return c2w, K


def _lerp(a: np.ndarray, b: np.ndarray, u: np.ndarray) -> np.ndarray:
    return a + (b - a) * u


def _curve(
    points: np.ndarray,
    segment: np.ndarray,
    u: np.ndarray,
    mix: Callable = _lerp,
    step: Callable = lambda a, b: b - a,
    moved: Callable = lambda a, by: a + by,
) -> np.ndarray:
    """points (n, d), segment (T,) 0..n - 2, u (T, 1) 0..1 on it -> (T, d).

    mix(a, b, u) is the point between two, step(a, b) the vector from one to the other, moved(a, by) its inverse.
    """
    steps = step(points[:-1], points[1:])
    before, after = np.vstack([steps[:1], steps]), np.vstack([steps, steps[-1:]])
    slope = (before + after) / 2
    if len(steps) > 1:  # at the ends that of the parabola through the last three
        slope[0], slope[-1] = 1.5 * steps[0] - 0.5 * steps[1], 1.5 * steps[-1] - 0.5 * steps[-2]
    most = 3 * np.minimum(np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1))
    length = np.linalg.norm(slope, axis=1)
    slope *= np.where(length > most, most / np.where(length > 0, length, 1), 1)[:, None]
    start, end = points[segment], points[segment + 1]
    one, two = moved(start, slope[segment] / 3), moved(end, -slope[segment + 1] / 3)
    a, b, c = mix(start, one, u), mix(one, two, u), mix(two, end, u)
    return mix(mix(a, b, u), mix(b, c, u), u)


# -- unit quaternions w, x, y, z --------------------------------------------------------------------------------------


def _product(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    pw, pv, qw, qv = p[..., :1], p[..., 1:], q[..., :1], q[..., 1:]
    w = pw * qw - (pv * qv).sum(-1, keepdims=True)
    return np.concatenate([w, pw * qv + qw * pv + np.cross(pv, qv)], axis=-1)


def _turn_between(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """(..., 4) twice -> (..., 3): half the rotation vector from p to q, in the axes of p; the shorter way."""
    d = _product(p * [1, -1, -1, -1], q)
    d = np.where(d[..., :1] < 0, -d, d)
    sine = np.linalg.norm(d[..., 1:], axis=-1, keepdims=True)
    angle = np.arctan2(sine, d[..., :1])
    return d[..., 1:] * np.where(sine > 1e-12, angle / np.where(sine > 1e-12, sine, 1), 1)


def _turned(p: np.ndarray, by: np.ndarray) -> np.ndarray:
    """p turned by what `_turn_between` gives."""
    angle = np.linalg.norm(by, axis=-1, keepdims=True)
    turn = np.concatenate([np.cos(angle), by * np.sinc(angle / np.pi)], axis=-1)
    return _product(p, turn)


def _slerp(p: np.ndarray, q: np.ndarray, u: np.ndarray) -> np.ndarray:
    return _turned(p, _turn_between(p, q) * u)

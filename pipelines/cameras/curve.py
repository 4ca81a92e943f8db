"""The curve through the keys of a path: one spline for everything. docs/path.md has its properties and sources.

The editor draws the same curve in the browser; a test holds the two within 1e-5.
"""

import math
from typing import NamedTuple

import numpy as np

from pipelines.cameras.easing import EASES
from pipelines.cameras.keys import Key
from pipelines.cameras.rotations import look_at, roll, rotation

SAME = 1e-9  # two points of the spline (positions, quaternions, log focals, rolls) that are closer are one


class Views(NamedTuple):
    """What a path shows at given times: c2w (T, 4, 4), fov (T,) degrees across the width."""

    c2w: np.ndarray
    fov: np.ndarray


def sample(
    keys: tuple[Key, ...], times: np.ndarray, closed: bool = False, target: tuple[float, float, float] | None = None
) -> Views:
    """keys in the order of their times, the first at 0; times: (T,) seconds -> the cameras there, T of them.

    Times are clipped to those of the keys, and keys are met exactly. closed and target: see `Path`. On segment i from
    key i to key i + 1, u = ease_i((t - t_i) / (t_(i+1) - t_i)) runs from 0 to 1.
    """
    knots = np.array([key.time for key in keys])
    times = np.clip(np.asarray(times, dtype=np.float64), 0, knots[-1])
    segment = np.clip(np.searchsorted(knots, times, side="right") - 1, 0, len(knots) - 2)
    share = (times - knots[segment]) / (knots[segment + 1] - knots[segment])
    u = np.empty_like(share)
    for i in np.unique(segment):
        u[segment == i] = EASES[keys[i].ease](share[segment == i])

    c2w = np.zeros((len(times), 4, 4))
    c2w[:, 3, 3] = 1
    c2w[:, :3, 3] = spline(np.array([key.position for key in keys]), segment, u, closed)
    if target is None:
        q = hemisphere(np.array([key.orientation for key in keys]))
        q = spline(q, segment, u, closed, wrap=np.copysign(1.0, q[0] @ q[-1]))
        R = rotation(q / np.linalg.norm(q, axis=-1, keepdims=True))
    else:
        R = look_at(c2w[:, :3, 3], target)
    rolls = np.array([[key.roll] for key in keys])
    c2w[:, :3, :3] = R if not rolls.any() else R @ roll(spline(rolls, segment, u, closed)[:, 0])
    focals = np.log([[focal(key.fov)] for key in keys])
    return Views(c2w, fov(np.exp(spline(focals, segment, u, closed)[:, 0])))


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
    """The whole number nearest to seconds * fps, at least 2; of two as near, the larger."""
    return max(2, math.floor(seconds * fps + 0.5))

"""Few keys for many cameras: editable paths from trajectories (moves of the gallery, files) and from free strokes."""

import math
from dataclasses import replace

import numpy as np

from pipelines.cameras.easing import EASES
from pipelines.cameras.path import (
    FOV,
    KEYS,
    MAX_POSITION,
    SAME,
    SECONDS,
    Key,
    Path,
    Views,
    checked_number,
    checked_point,
    focal,
    fov,
    hemisphere,
    spline,
)
from pipelines.cameras.rotations import degrees_between, quaternion
from pipelines.cameras.trajectory import Trajectory

STANDS = 0.25  # share of the mean speed below which the slowest frame between two faster parts is a stop
MAX_JERK = 0.2  # how much the speed of an edited move may differ from its own, as a share of its peak


def fit_error(path: Path, trajectory: Trajectory) -> tuple[float, float, float]:
    """How far a path is from the trajectory it was made of: the largest errors of position (share of the path's
    length), rotation (degrees) and focal (share)."""
    return tuple(float(error.max()) for error in _errors(path.sample(_times(trajectory)), trajectory))


def fit_trajectory(
    trajectory: Trajectory, keys: int | None, tolerance: float, max_degrees: float, max_keys: int
) -> Path:
    """See `Path.from_trajectory`.

    First keys at even distances between the places where the camera stops, so many that the speed follows the
    trajectory's too: on a centripetal spline even distances make even speed. Where that is not enough, keys where the
    path is worst, one more at a time.
    """
    fit = _Fit(trajectory, tolerance, max_degrees)
    most = max_keys if keys is None else keys
    if not KEYS[0] <= most <= KEYS[1]:
        raise ValueError(f"keys={most} must be {KEYS[0]}..{KEYS[1]}. Use 24.")
    if keys is None:
        parts = np.ones(len(fit.stops) - 1, int)  # of every way from stop to stop
        while parts.sum() < most:
            path, error, jerk = fit.path(fit.evenly(parts))
            worst = int(np.argmax(np.maximum(error, jerk)))
            if max(error[worst], jerk[worst]) <= 1:
                return path
            parts[np.searchsorted(fit.stops[1:-1], worst)] += 1
    times = fit.times[[0, -1]]
    while True:
        path, error, _ = fit.path(times)
        free = ~np.isin(fit.times, times)
        if len(times) >= most or not free.any() or (keys is None and error.max() <= 1):
            return path
        times = np.union1d(times, fit.times[np.argmax(np.where(free, error, -1))])


class _Fit:
    """A trajectory whose cameras can be asked for at any time, and how well keys at given times follow it."""

    def __init__(self, trajectory: Trajectory, tolerance: float, max_degrees: float):
        frames, self.times = len(trajectory), _times(trajectory)
        if frames < 2 or not SECONDS[0] <= self.times[-1] <= SECONDS[1]:
            raise ValueError(
                f"The trajectory has {frames} frames and takes {self.times[-1]:g} s, must be at least 2 frames and "
                f"{SECONDS[0]:g}..{SECONDS[1]:g} s to be edited. Cut it, or give another fps."
            )
        fovs = fov(trajectory.K[:, 0, 0] / trajectory.width)
        outside = (fovs < FOV[0]) | (fovs > FOV[1])
        far = np.linalg.norm(trajectory.c2w[:, :3, 3], axis=1) > MAX_POSITION / 2
        if outside.any() or far.any():
            which = int(np.argmax(outside | far))
            raise ValueError(
                f"Frame {which} is at {np.round(trajectory.c2w[which, :3, 3], 3).tolist()} with a field of view of "
                f"{fovs[which]:.4g} degrees; a path takes {MAX_POSITION / 2:g} scene units and {FOV[0]:g}..{FOV[1]:g} "
                "degrees. Scale the trajectory."
            )
        self.trajectory, self.tolerance, self.max_degrees = trajectory, tolerance, max_degrees
        self.closed = trajectory.is_closed and frames >= 5
        self.position = trajectory.c2w[:, :3, 3]
        self.q = hemisphere(quaternion(trajectory.c2w[:, :3, :3]))
        self.focal = np.log(focal(fovs))[:, None]

        channels = (self.position, self.q, self.focal)
        steps = [np.linalg.norm(np.diff(values, axis=0), axis=1) for values in channels]
        steps = sum([step / step.sum() for step in steps if step.sum() > SAME], np.full(frames - 1, SAME))
        self.along = np.concatenate([[0.0], np.cumsum(steps)])
        self.stops, slow = [0], STANDS * steps.mean()
        beside = steps[1:] + steps[:-1]  # of frame i + 1: the steps to it and from it
        for i in range(1, len(steps)):
            is_slowest = np.argmin(beside[max(0, i - 4) : i + 3]) == min(i - 1, 3) and beside[i - 1] <= 2 * slow
            if is_slowest and steps[self.stops[-1] : i].max() > 2 * slow < steps[i:].max():
                self.stops.append(i)
        self.stops.append(frames - 1)

    def evenly(self, parts: np.ndarray) -> np.ndarray:
        """Times of keys that cut the way from every stop to the next into so many parts of the same length."""
        cuts = [
            np.linspace(self.along[a], self.along[b], count, endpoint=False)
            for a, b, count in zip(self.stops[:-1], self.stops[1:], parts, strict=True)
        ]
        return np.append(np.interp(np.concatenate(cuts), self.along, self.times), self.times[-1])

    def path(self, times: np.ndarray) -> tuple[Path, np.ndarray, np.ndarray]:
        """Keys at these times with the eases that suit them best: the path, and per frame (T,) its error and the error
        of its speed, both in units of what is allowed."""
        errors, jerks = {}, {}
        for name in EASES:  # an ease acts on its own segment alone: one pass for all segments
            errors[name], jerks[name] = self.errors(self._through(times, [name] * len(times)))
        eases = []
        for a, b in zip(times[:-1], times[1:], strict=True):
            inside = np.flatnonzero((self.times >= a) & (self.times <= b))
            worst = {  # the step into the segment is also that of the segment before, whose ease may be another
                name: max(errors[name][inside].max(initial=0), jerks[name][inside[1:]].max(initial=0)) for name in EASES
            }
            eases.append("linear" if worst["linear"] <= 1 else min(worst, key=worst.get))
        path = self._through(times, [*eases, "linear"])
        error, jerk = self.errors(path)
        return path, error, jerk

    def errors(self, path: Path) -> tuple[np.ndarray, np.ndarray]:
        """(T,) per frame, in units of what is allowed: the error of the camera, and that of its speed."""
        views = path.sample(self.times)
        off, degrees, zoom = _errors(views, self.trajectory)
        error = np.max([off / self.tolerance, degrees / self.max_degrees, zoom / 0.01], axis=0)
        return error, _jerks(views, self.trajectory) / MAX_JERK

    def _through(self, times: np.ndarray, eases: list[str]) -> Path:
        segment = np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, len(self.times) - 2)
        share = (times - self.times[segment]) / (self.times[segment + 1] - self.times[segment])
        position, q, log_focal = (spline(p, segment, share) for p in (self.position, self.q, self.focal))
        fovs = fov(np.exp(log_focal[:, 0]))
        keys = [
            Key(time, tuple(p), tuple(turn), 0.0, lens, ease)
            for time, p, turn, lens, ease in zip(
                times.tolist(), position.tolist(), q.tolist(), fovs.tolist(), eases, strict=True
            )
        ]
        if self.closed and len(keys) > 2:  # is_closed allows a millionth; a closed path returns to the very key
            keys[-1] = replace(keys[0], time=keys[-1].time, ease="linear")
        return Path(tuple(keys), self.closed and len(keys) > 2)


def _times(trajectory: Trajectory) -> np.ndarray:
    return np.linspace(0, (len(trajectory) - 1) / trajectory.fps, len(trajectory))


def _errors(views: Views, trajectory: Trajectory) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T,) each, per frame: position as a share of the path's length, rotation in degrees, focal as a share."""
    position = trajectory.c2w[:, :3, 3]
    length = np.linalg.norm(np.diff(position, axis=0), axis=1).sum()
    off = np.linalg.norm(views.c2w[:, :3, 3] - position, axis=1) / max(length, SAME)
    degrees = degrees_between(views.c2w[:, :3, :3], trajectory.c2w[:, :3, :3])
    return off, degrees, np.abs(focal(views.fov) * trajectory.width / trajectory.K[:, 0, 0] - 1)


def _jerks(views: Views, trajectory: Trajectory) -> np.ndarray:
    """(T,) how far the step from the frame before is from the trajectory's, as a share of its longest one."""
    there, here = trajectory.c2w, views.c2w
    travel = np.diff(there[:, :3, 3], axis=0)
    off = np.linalg.norm(np.diff(here[:, :3, 3], axis=0) - travel, axis=1)
    off = off / max(np.linalg.norm(travel, axis=1).max(), SAME)
    turn, turned = (np.swapaxes(R[:-1, :3, :3], 1, 2) @ R[1:, :3, :3] for R in (there, here))
    degrees = degrees_between(turn, turned) / max(degrees_between(turn, np.eye(3)).max(), 1e-6)
    return np.concatenate([[0.0], np.maximum(off, degrees)])


# ---- from a stroke to keys ---------------------------------------------------------------------------------------


def fit_stroke(points, seconds, fov, look, target, start, closed, tolerance, max_keys) -> Path:
    """See `Path.from_stroke`."""
    points = _stroke(points, start)
    if look not in ("ahead", "along"):
        raise ValueError(f"look={look!r:.40} must be ahead or along. Use ahead.")
    if not 2 <= max_keys <= KEYS[1]:
        raise ValueError(f"max_keys={max_keys} must be 2..{KEYS[1]}. Use 12.")
    extent = np.linalg.norm(np.ptp(points, axis=0))  # not its length, which the shake of the hand adds to
    if not extent > 1e-6:
        raise ValueError(f"The stroke is {extent:.2g} scene units wide, must be over 1e-6. Draw a longer one.")
    if closed and np.linalg.norm(points[-1] - points[0]) > SAME:
        points = np.concatenate([points, points[:1]])
    curve = rounded(evenly(simplified(points, tolerance * extent), 257), closed)
    for count in range(4 if closed else 2, max(max_keys, 4 if closed else 2) + 1):
        positions = evenly(curve, count)
        if farthest(dense(positions, closed), curve) <= tolerance * extent / 2:
            break
    heading = np.tile([1.0, 0, 0, 0], (len(positions), 1))
    if look == "along":
        tangents = np.gradient(dense(positions, closed), axis=0)[::16]
        yaw = np.arctan2(tangents[:, 0], tangents[:, 2])
        heading[:, 0], heading[:, 2] = np.cos(yaw / 2), np.sin(yaw / 2)
        heading[0] = 1, 0, 0, 0
        if closed:
            heading[-1] = heading[0]
    times = np.linspace(0, checked_number("seconds", seconds, *SECONDS, "seconds"), len(positions))
    keys = [
        Key(time, tuple(position), tuple(q), 0.0, fov)
        for time, position, q in zip(times.tolist(), positions.tolist(), heading.tolist(), strict=True)
    ]
    return Path(tuple(keys), closed, target)


def _stroke(points: np.ndarray, start: tuple[float, float, float] | None) -> np.ndarray:
    """(n, 3) without repeated points, led from `start`."""
    try:
        points = np.array(points, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"The stroke must be an array of numbers (n, 2) or (n, 3): {error}.") from error
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not 2 <= len(points) <= 20_000:
        raise ValueError(f"The stroke has shape {points.shape}, must be (n, 2) or (n, 3) with 2..20000 points.")
    bad = ~(np.abs(points) <= MAX_POSITION / 10).all(-1)  # NaN fails the comparison too
    if bad.any():
        raise ValueError(
            f"Point {int(np.argmax(bad))} of the stroke is {points[bad][0].tolist()}, must be finite and within "
            f"{MAX_POSITION / 10:g} scene units. Drop it."
        )
    start = None if start is None else np.array(checked_point("start", start))
    if points.shape[1] == 2:
        height = 0.0 if start is None else start[1]
        points = np.stack([points[:, 0], np.full(len(points), height), points[:, 1]], axis=1)
    if start is not None:
        points = np.concatenate([start[None], points])
    moves = np.linalg.norm(np.diff(points, axis=0), axis=1) > SAME
    return points[np.concatenate([[True], moves])]


def simplified(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Ramer-Douglas-Peucker: those of points (n, d) that a polyline needs to pass within `tolerance` of all."""
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    parts = [(0, len(points) - 1)]
    while parts:
        a, b = parts.pop()
        if b - a < 2:
            continue
        off = _from_segment(points[a + 1 : b], points[a], points[b])
        worst = int(np.argmax(off))
        if off[worst] > tolerance:
            keep[a + 1 + worst] = True
            parts += [(a, a + 1 + worst), (a + 1 + worst, b)]
    return points[keep]


def _from_segment(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, d) -> (n,) distances to the segment a-b."""
    along = b - a
    share = np.clip((points - a) @ along / max(along @ along, 1e-300), 0, 1)
    return np.linalg.norm(points - a - share[:, None] * along, axis=1)


def rounded(curve: np.ndarray, closed: bool = False, width: float = 0.03) -> np.ndarray:
    """Corners of an evenly sampled polyline (n, d) made round: a Gaussian of `width` x its length, the ends kept."""
    n = len(curve)
    reach = math.ceil(3 * width * n)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (width * n)) ** 2)
    if closed:
        before, after = curve[-1 - reach : -1], curve[1 : reach + 1]
    else:  # reflected through the end, which so stays where it is
        before, after = 2 * curve[0] - curve[reach:0:-1], 2 * curve[-1] - curve[-2 : -2 - reach : -1]
    padded = np.concatenate([before, curve, after])
    out = np.stack([np.convolve(axis, kernel / kernel.sum(), mode="valid") for axis in padded.T], axis=1)
    out[0], out[-1] = curve[0], curve[-1]
    return out


def dense(points: np.ndarray, closed: bool = False, steps: int = 16) -> np.ndarray:
    """(n, d) -> ((n - 1) * steps + 1, d): the spline through them."""
    at = np.arange((len(points) - 1) * steps + 1)
    segment = np.minimum(at // steps, len(points) - 2)
    return spline(points, segment, at / steps - segment, closed)


def evenly(curve: np.ndarray, count: int) -> np.ndarray:
    """`count` points at even distances along a polyline (n, d), its ends among them."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    at = np.linspace(0, along[-1], count)
    points = np.stack([np.interp(at, along, axis) for axis in curve.T], axis=1)
    points[0], points[-1] = curve[0], curve[-1]
    return points


def farthest(curve: np.ndarray, other: np.ndarray) -> float:
    """The largest distance between two polylines at equal shares of their lengths."""
    return float(np.linalg.norm(evenly(curve, 200) - evenly(other, 200), axis=1).max())

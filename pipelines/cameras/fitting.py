"""Few keys for many cameras: editable paths from trajectories (moves of the gallery, files)."""

from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from pipelines.cameras.curve import SAME, Views, focal, fov, hemisphere, sample, spline
from pipelines.cameras.easing import EASES
from pipelines.cameras.keys import FOV, KEYS, MAX_POSITION, SECONDS, Key
from pipelines.cameras.rotations import degrees_between, quaternion
from pipelines.cameras.trajectory import Trajectory
from pipelines.errors import Refused

STANDS = 0.25  # share of the mean speed below which the slowest frame between two faster parts is a stop
MAX_JERK = 0.2  # how much the speed of an edited move may differ from its own, as a share of its peak


class FittedKeys(NamedTuple):
    """What a `Path` is made of: its keys, and whether it is closed."""

    keys: tuple[Key, ...]
    closed: bool


class Sampled(Protocol):
    """Anything that gives cameras for times, as `Path` does."""

    def sample(self, times: np.ndarray) -> Views: ...


def fit_error(path: Sampled, trajectory: Trajectory) -> tuple[float, float, float]:
    """How far a path is from the trajectory it was made of: the largest errors of position (share of the path's
    length), rotation (degrees) and focal (share)."""
    return tuple(float(error.max()) for error in _errors(path.sample(_times(trajectory)), trajectory))


def fitted_keys(
    trajectory: Trajectory, keys: int | None, tolerance: float, max_degrees: float, max_keys: int
) -> FittedKeys:
    """Keys whose curve follows a trajectory; the arguments are those of `Path.from_trajectory`.

    First keys at even distances between the places where the camera stops, so many that the speed follows the
    trajectory's too: on a centripetal spline even distances make even speed. Where that is not enough, keys where the
    path is worst, one more at a time.
    """
    fit = _Fit(trajectory, tolerance, max_degrees)
    most = max_keys if keys is None else keys
    low, high = KEYS
    if not low <= most <= high:
        raise Refused("keys={count} must be {low}..{high}. Use 24.", count=most, low=low, high=high)
    if keys is None:
        parts = np.ones(len(fit.stops) - 1, int)  # of every way from stop to stop
        while parts.sum() < most:
            fitted, error, jerk = fit.keys(fit.evenly(parts))
            worst = int(np.argmax(np.maximum(error, jerk)))
            if max(error[worst], jerk[worst]) <= 1:
                return fitted
            parts[np.searchsorted(fit.stops[1:-1], worst)] += 1
    times = fit.times[[0, -1]]
    while True:
        fitted, error, _ = fit.keys(times)
        free = ~np.isin(fit.times, times)
        if len(times) >= most or not free.any() or (keys is None and error.max() <= 1):
            return fitted
        times = np.union1d(times, fit.times[np.argmax(np.where(free, error, -1))])


class _Fit:
    """A trajectory with cameras at any time between its frames, and how well keys at given times follow it."""

    def __init__(self, trajectory: Trajectory, tolerance: float, max_degrees: float):
        self.closed = trajectory.is_closed and len(trajectory) >= 5
        seconds, trajectory = trajectory.seconds, trajectory.with_return()
        frames, self.times = len(trajectory), np.linspace(0, seconds, len(trajectory))
        if frames < 2 or not SECONDS[0] <= self.times[-1] <= SECONDS[1]:
            raise Refused(
                "The trajectory has {frames} frames and takes {seconds:g} s, must be at least 2 frames and "
                "{low:g}..{high:g} s to be edited. Cut it, or give another fps.",
                frames=frames,
                seconds=self.times[-1],
                low=SECONDS[0],
                high=SECONDS[1],
            )
        fovs = fov(trajectory.K[:, 0, 0] / trajectory.width)
        outside = (fovs < FOV[0]) | (fovs > FOV[1])
        far = np.linalg.norm(trajectory.c2w[:, :3, 3], axis=1) > MAX_POSITION / 2
        if outside.any() or far.any():
            which = int(np.argmax(outside | far))
            raise Refused(
                "Frame {index} is at {position} with a field of view of {fov:.4g} degrees; a path takes {limit:g} "
                "scene units and {low:g}..{high:g} degrees. Scale the trajectory.",
                index=which,
                position=np.round(trajectory.c2w[which, :3, 3], 3).tolist(),
                fov=fovs[which],
                limit=MAX_POSITION / 2,
                low=FOV[0],
                high=FOV[1],
            )
        self.trajectory, self.tolerance, self.max_degrees = trajectory, tolerance, max_degrees
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

    def keys(self, times: np.ndarray) -> tuple[FittedKeys, np.ndarray, np.ndarray]:
        """Keys at these times with the eases that suit them best, and per frame (T,) their error and the error of
        their speed, both in units of what is allowed."""
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
        fitted = self._through(times, [*eases, "linear"])
        error, jerk = self.errors(fitted)
        return fitted, error, jerk

    def errors(self, fitted: FittedKeys) -> tuple[np.ndarray, np.ndarray]:
        """(T,) per frame, in units of what is allowed: the error of the camera, and that of its speed."""
        views = sample(fitted.keys, self.times, fitted.closed)
        off, degrees, zoom = _errors(views, self.trajectory)
        error = np.max([off / self.tolerance, degrees / self.max_degrees, zoom / 0.01], axis=0)
        return error, _jerks(views, self.trajectory) / MAX_JERK

    def _through(self, times: np.ndarray, eases: list[str]) -> FittedKeys:
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
        return FittedKeys(tuple(keys), self.closed and len(keys) > 2)


def _times(trajectory: Trajectory) -> np.ndarray:
    """(T,) seconds of its cameras on a path of its length: see `Path.trajectory`."""
    return np.linspace(0, trajectory.seconds, len(trajectory), endpoint=not trajectory.loop)


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

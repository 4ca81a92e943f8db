"""Few keys for many cameras: editable paths from trajectories (moves of the gallery, files)."""

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

"""How fast a camera moves: its steps over a quarter of a second, against the limits of `pipelines.limits`."""

import numpy as np

from pipelines.cameras.rotations import degrees_between
from pipelines.cameras.trajectory import Trajectory, checked_distance
from pipelines.limits import TRAVEL, TURN_DEGREES


def quarter_second(fps: int | float) -> int:
    """Frames in a quarter of a second, at least 1: the time that the limits are for. 6 at 24 a second."""
    return max(1, round(fps / 4))


def steps(trajectory: Trajectory) -> tuple[np.ndarray, np.ndarray]:
    """(N,) degrees and (N,) scene units in the quarter of a second after every frame; N is 0 in a path that is shorter.

    Where no whole number of frames makes a quarter of a second, those of the nearest number are scaled to it.
    """
    frames = quarter_second(trajectory.fps)
    before, after = trajectory.c2w[:-frames], trajectory.c2w[frames:]
    travel = np.linalg.norm(after[:, :3, 3] - before[:, :3, 3], axis=-1)
    scale = trajectory.fps / (4 * frames)
    return degrees_between(before[:, :3, :3], after[:, :3, :3]) * scale, travel * scale


def steps_over_cap(trajectory: Trajectory, distance: float) -> np.ndarray:
    """Where a path is too fast: (N,) first frames of the quarters of a second that turn by more than TURN_DEGREES or
    travel more than TRAVEL x `distance`. Empty when the path is calm, or shorter than that."""
    distance = checked_distance(distance)
    degrees, travel = steps(trajectory)
    slack = 1 + 1e-9  # a step exactly at the cap is inside
    return np.flatnonzero((degrees > TURN_DEGREES * slack) | (travel > TRAVEL * distance * slack))


def excess_speed(trajectory: Trajectory, distance: float) -> float:
    """How many times the fastest quarter of a second is over what a calm clip allows, turning or travelling: 0 stands
    still, 1 is at the limit, at 2 the clip needs twice the time. distance: depth of the subject in scene units."""
    degrees, travel = steps(trajectory)
    return float(
        max(degrees.max(initial=0) / TURN_DEGREES, travel.max(initial=0) / (TRAVEL * checked_distance(distance)))
    )

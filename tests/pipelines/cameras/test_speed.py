"""Speed is measured over a quarter of a second, whatever the frame rate."""

import math

import numpy as np
import pytest

from pipelines.cameras import Camera, Trajectory, excess_speed, steps_over_cap
from pipelines.cameras.speed import quarter_second
from pipelines.limits import TRAVEL, TURN_DEGREES

PHOTO = Camera.from_fov(60, 54, 96)
D = 3.0


def clip(seconds: float, fps: int, speed: float = 0.0, degrees: float = 0.0) -> Trajectory:
    """An even travel, in distances to the subject a second, and an even turn, in degrees a second."""
    times = np.arange(round(seconds * fps) + 1) / fps
    c2w = np.tile(np.eye(4), (len(times), 1, 1))
    angle = np.radians(degrees * times)
    c2w[:, 0, 0] = c2w[:, 2, 2] = np.cos(angle)
    c2w[:, 0, 2], c2w[:, 2, 0] = np.sin(angle), -np.sin(angle)
    c2w[:, 0, 3] = speed * D * times
    return Trajectory(c2w, np.tile(PHOTO.K, (len(times), 1, 1)), 54, 96, fps)


@pytest.mark.parametrize("fps", [8, 16, 24, 60])
def test_excess_is_a_share_of_the_limits_at_any_frame_rate(fps):
    assert excess_speed(clip(2, fps, speed=4 * TRAVEL), D) == pytest.approx(1)
    assert excess_speed(clip(2, fps, degrees=8 * TURN_DEGREES), D) == pytest.approx(2)
    assert excess_speed(clip(2, fps, speed=12 * TRAVEL, degrees=4 * TURN_DEGREES), D) == pytest.approx(3)
    assert excess_speed(clip(2, fps, speed=4 * TRAVEL), 2 * D) == pytest.approx(0.5)
    assert excess_speed(clip(2, fps), D) == 0


def test_twice_the_time_halves_the_excess():
    fast = clip(2, 16, speed=1.0)
    slow = clip(4, 16, speed=0.5)
    assert excess_speed(slow, D) == pytest.approx(excess_speed(fast, D) / 2)
    assert len(steps_over_cap(fast, D)) == len(fast) - 4 and excess_speed(fast, D) > 1


def test_a_path_shorter_than_a_quarter_of_a_second_is_calm():
    assert excess_speed(clip(2, 16, speed=9.0)[:4], D) == 0
    assert [quarter_second(fps) for fps in (1, 4, 16, 24, 30, math.pi * 8)] == [1, 1, 4, 6, 8, 6]

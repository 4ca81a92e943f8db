"""Any number of cameras put onto any number of frames: laws of `resampled`."""

import numpy as np
import pytest

from pipelines.cameras import MOVES, Camera, Trajectory, move
from pipelines.cameras.resampling import resampled
from pipelines.cameras.rotations import degrees_between, rotation

CAMERA = Camera.from_fov(60, 90, 160)


def path(positions, R=None, focals=None, fps=16) -> Trajectory:
    """positions (T, 3); R (T, 3, 3), upright by default; focals (T,) pixels."""
    c2w = np.tile(np.eye(4), (len(positions), 1, 1))
    c2w[:, :3, 3] = positions
    if R is not None:
        c2w[:, :3, :3] = R
    K = np.tile(CAMERA.K, (len(positions), 1, 1))
    if focals is not None:
        K[:, 0, 0] = K[:, 1, 1] = focals
    return Trajectory(c2w, K, 90, 160, fps)


def about_y(degrees) -> np.ndarray:
    half = np.radians(degrees) / 2
    return rotation(np.stack([np.cos(half), 0 * half, np.sin(half), 0 * half], axis=-1))


def circle(cameras: int, degrees: float = 300.0, uneven: float = 1.0) -> Trajectory:
    """Round the origin at a distance of 2, looking at it."""
    angle = np.linspace(0, 1, cameras) ** uneven * degrees
    R = about_y(angle)
    return path(-2 * R[:, :, 2], R)


def anything(cameras: int) -> Trajectory:
    rng = np.random.default_rng(cameras)
    q = np.cumsum(rng.normal(size=(cameras, 4)) * 0.3, axis=0) + [1, 0, 0, 0]
    positions = np.cumsum(rng.normal(size=(cameras, 3)), axis=0)
    return path(positions, rotation(q / np.linalg.norm(q, axis=1, keepdims=True)), rng.uniform(80, 200, cameras))


def steps(trajectory: Trajectory) -> np.ndarray:
    return np.linalg.norm(np.diff(trajectory.c2w[:, :3, 3], axis=0), axis=1)


@pytest.mark.parametrize("cameras", [2, 3, 16, 49, 77, 121])
@pytest.mark.parametrize("frames", [2, 16, 97, 240])
@pytest.mark.parametrize("pace", ["kept", "even"])
def test_first_and_last_are_the_same_to_the_bit_and_all_are_cameras(cameras, frames, pace):
    trajectory = anything(cameras)
    out = resampled(trajectory, frames, pace)  # Trajectory itself refuses what is not rigid
    assert len(out) == frames and (out.height, out.width, out.fps) == (90, 160, 16)
    for end in (0, -1):
        assert np.array_equal(out.c2w[end], trajectory.c2w[end]) and np.array_equal(out.K[end], trajectory.K[end])


@pytest.mark.parametrize("name", sorted(MOVES))
def test_as_many_frames_as_there_were_are_the_same_bits(name):
    trajectory = move(name, CAMERA, distance=2.0, frames=33)
    assert resampled(trajectory, 33) == trajectory


@pytest.mark.parametrize("cameras", [2, 5, 16])
def test_a_straight_line_stays_one_and_a_steady_turn_steady(cameras):
    share = np.linspace(0, 1, cameras)[:, None]
    out = resampled(path(share * [3.0, -1, 2], about_y(share[:, 0] * 120), 100 * 2 ** share[:, 0]), 97)
    wanted = np.linspace(0, 1, 97)[:, None]
    np.testing.assert_allclose(out.c2w[:, :3, 3], wanted * [3.0, -1, 2], atol=1e-12)
    assert degrees_between(out.c2w[:, :3, :3], about_y(wanted[:, 0] * 120)).max() < 1e-6
    np.testing.assert_allclose(out.K[:, 0, 0], 100 * 2 ** wanted[:, 0], rtol=1e-12)


@pytest.mark.parametrize("pace", ["kept", "even"])
def test_a_circle_stays_one_and_its_cameras_look_at_the_middle(pace):
    out = resampled(circle(16), 97, pace)
    assert np.abs(np.linalg.norm(out.c2w[:, :3, 3], axis=1) / 2 - 1).max() < 1e-3  # 20 degrees between cameras
    ahead = -out.c2w[:, :3, 3] / np.linalg.norm(out.c2w[:, :3, 3], axis=1, keepdims=True)
    assert (ahead * out.c2w[:, :3, 2]).sum(1).min() > np.cos(np.radians(0.5))


@pytest.mark.parametrize(
    "trajectory", [circle(49, uneven=2.0), path(np.linspace(0, 1, 33)[:, None] ** 3 * [0, 0, 5.0])]
)
def test_an_even_pace_has_equal_steps_and_a_kept_one_the_files_own(trajectory):
    even = steps(resampled(trajectory, 121, "even"))
    assert even.max() / even.min() < 1.01
    kept = steps(resampled(trajectory, 2 * len(trajectory) - 1))
    np.testing.assert_allclose(kept[::2] + kept[1::2], steps(trajectory), rtol=0.02, atol=1e-3)


def test_a_camera_that_waits_does_not_sway():
    positions = np.array([0.0, 0, 0, 1, 2, 2, 2])[:, None] * [0, 0, 1.0]
    out = resampled(path(positions, about_y(np.array([0.0, 0, 0, 30, 60, 60, 60]))), 121)
    assert np.diff(out.c2w[:, 2, 3]).min() >= 0 and out.c2w[:, 2, 3].max() <= 2
    turn = degrees_between(out.c2w[:, :3, :3], np.eye(3))
    assert np.diff(turn).min() > -1e-6


def test_an_even_pace_passes_over_waits_but_not_over_turns_on_the_spot():
    ahead = np.array([0.0, 1, 2, 2, 2, 3, 4])[:, None] * [0, 0, 1.0]
    waits = steps(resampled(path(ahead), 97, "even"))
    assert waits.max() / waits.min() < 1.01
    turned = resampled(path(ahead, about_y(np.array([0.0, 0, 0, 30, 60, 60, 60]))), 97, "even")
    turns = degrees_between(turned.c2w[:-1, :3, :3], turned.c2w[1:, :3, :3])
    assert turns.max() < 5  # 60 degrees, a third of the clip
    pan = resampled(path(np.zeros((17, 3)), about_y(np.linspace(0, 1, 17) ** 2 * 80)), 65, "even")
    angles = degrees_between(pan.c2w[:-1, :3, :3], pan.c2w[1:, :3, :3])
    assert angles.max() / angles.min() < 1.01
    still = resampled(path(np.zeros((3, 3))), 9, "even")
    assert np.array_equal(still.c2w, np.tile(np.eye(4), (9, 1, 1)))
    assert len(resampled(path(np.zeros((1, 3))), 9)) == 9


@pytest.mark.parametrize("frames", [0, 1, 2001, 9.5, True, "97", None])
def test_other_numbers_are_refused(frames):
    with pytest.raises(ValueError, match="must be a whole number of frames from 2 to 2000"):
        resampled(circle(16), frames)
    with pytest.raises(ValueError, match="Unknown pace 'fast'. Choose from kept, even"):
        resampled(circle(16), 97, "fast")


@pytest.mark.parametrize("name", [name for name in MOVES if MOVES[name].closed])
def test_a_loop_stays_a_loop(name):
    loop = move(name, Camera.from_fov(60, 72, 128), 2.0, frames=48)
    assert resampled(loop, 48) == loop
    finer = resampled(loop, 96)
    assert finer.loop and len(finer) == 96 and np.abs(finer.c2w[::2] - loop.c2w).max() < 1e-9
    around = finer.with_return().c2w[:, :3, 3]
    steps = np.linalg.norm(np.diff(around, axis=0), axis=1)
    assert steps[-1] <= 1.5 * max(steps[0], steps[-2]) + 1e-9

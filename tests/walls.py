"""Photos with depth by hand: a wall, and a post before it."""

import numpy as np
from helpers import photo

from pipelines import Trajectory

SIZE = 72, 128


def wall() -> np.ndarray:
    """Depth (H, W): a wall four units away."""
    return np.full(SIZE, 4.0, np.float32)


def post() -> np.ndarray:
    """Depth (H, W): the wall, and a post two units away before it."""
    depth = wall()
    depth[:, 56:72] = 2.0
    return depth


def lift(pipe, depth=None, **options):
    return pipe.lift(photo(*SIZE), *SIZE, depth=depth, **options)


def slide(lifted, aside: float, frames: int = 5) -> Trajectory:
    """Straight to the right by `aside` scene units."""
    c2w = np.tile(lifted.camera.c2w, (frames, 1, 1))
    c2w[:, 0, 3] += np.linspace(0, aside, frames)
    return Trajectory(c2w, np.tile(lifted.camera.K, (frames, 1, 1)), *SIZE)

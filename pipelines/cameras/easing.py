"""Timing curves. Each maps time (T,) in 0..1 to progress (T,) in 0..1, is monotone and exact at both ends."""

from collections.abc import Callable

import numpy as np


def linear(t: np.ndarray) -> np.ndarray:
    """Even speed."""
    return t


def ease_in(t: np.ndarray) -> np.ndarray:
    """Starts from rest and is at twice the mean speed at the end."""
    return t * t


def ease_out(t: np.ndarray) -> np.ndarray:
    """`ease_in` backwards: starts at twice the mean speed and comes to rest."""
    return t * (2 - t)


def smooth(t: np.ndarray) -> np.ndarray:
    """Smooth start and stop (smoothstep). Peak speed 1.5 x the mean; quintic curves peak at 1.9 x."""
    return t * t * (3 - 2 * t)


def soft_ends(t: np.ndarray, ramp: float = 0.2) -> np.ndarray:
    """Even speed with soft ends: accelerates over the first `ramp` (0..0.5) of the time, brakes over the last."""
    speed = 1 / (1 - ramp)
    start, middle, stop = speed * t**2 / (2 * ramp), speed * (t - ramp / 2), 1 - speed * (1 - t) ** 2 / (2 * ramp)
    return np.where(t < ramp, start, np.where(t > 1 - ramp, stop, middle))


# By the names that stand in path files; the editor in the browser has the same ones.
EASES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": linear,
    "in": ease_in,
    "out": ease_out,
    "smooth": smooth,
}

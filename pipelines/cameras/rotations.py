"""Rotations as matrices and as unit quaternions (w first), and rigid motions. Every function takes stacks."""

import numpy as np


def quaternion(R: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation -> (..., 4) unit quaternion w, x, y, z with w >= 0.

    The eigenvector of Bar-Itzhack's symmetric matrix, which has no special cases and, for a rotation that is slightly
    off, is the nearest one.
    """
    R = np.asarray(R, dtype=np.float64)
    xx, xy, xz, yx, yy, yz, zx, zy, zz = np.moveaxis(R.reshape(*R.shape[:-2], 9), -1, 0)
    A = np.zeros((*R.shape[:-2], 4, 4))  # its lower half; eigh reads no more
    A[..., 0, 0] = xx + yy + zz
    A[..., 1, 0], A[..., 1, 1] = zy - yz, xx - yy - zz
    A[..., 2, 0], A[..., 2, 1], A[..., 2, 2] = xz - zx, xy + yx, yy - xx - zz
    A[..., 3, 0], A[..., 3, 1], A[..., 3, 2], A[..., 3, 3] = yx - xy, xz + zx, yz + zy, zz - xx - yy
    q = np.linalg.eigh(A, UPLO="L")[1][..., -1]
    return np.where(q[..., :1] < 0, -q, q) + 0.0  # no -0.0 in files


def rotation(q: np.ndarray) -> np.ndarray:
    """(..., 4) unit quaternion w, x, y, z -> (..., 3, 3) rotation."""
    w, x, y, z = np.moveaxis(np.asarray(q, dtype=np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def roll(degrees: np.ndarray) -> np.ndarray:
    """(...,) degrees -> (..., 3, 3) turn about the optical axis; + turns the camera clockwise as its holder sees it."""
    angle = np.radians(degrees)
    R = np.zeros((*np.shape(angle), 3, 3))
    R[..., 0, 0] = R[..., 1, 1] = np.cos(angle)
    R[..., 1, 0], R[..., 0, 1], R[..., 2, 2] = np.sin(angle), -np.sin(angle), 1
    return R


def look_at(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(..., 3) camera positions, (3,) point -> (..., 3, 3) camera to world, level: +y of the world is down.

    A camera on the target keeps the photo's heading; one straight above or below it keeps the photo's right.
    """
    ahead = np.asarray(target, dtype=np.float64) - position
    length = np.linalg.norm(ahead, axis=-1, keepdims=True)
    ahead = np.where(length > 1e-9, ahead / np.maximum(length, 1e-300), [0.0, 0, 1])
    right = np.stack([ahead[..., 2], np.zeros_like(ahead[..., 0]), -ahead[..., 0]], axis=-1)  # down x ahead
    length = np.linalg.norm(right, axis=-1, keepdims=True)
    right = np.where(length > 1e-9, right / np.maximum(length, 1e-300), [1.0, 0, 0])
    return np.stack([right, np.cross(ahead, right), ahead], axis=-1)


def degrees_between(R1: np.ndarray, R2: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations -> (...,) angle between them, 0..180 degrees."""
    # |R1 - R2| = 2 sqrt(2) sin(angle / 2): unlike the trace, accurate for small angles
    chord = np.linalg.norm(np.asarray(R1) - R2, axis=(-2, -1)) / np.sqrt(8)
    return np.degrees(2 * np.arcsin(np.clip(chord, 0, 1)))


def inverse(rigid: np.ndarray) -> np.ndarray:
    """(..., 4, 4) rigid motion -> its inverse, whose last row is 0 0 0 1 to the bit."""
    rigid = np.asarray(rigid, dtype=np.float64)
    out = np.zeros_like(rigid)
    out[..., :3, :3] = np.swapaxes(rigid[..., :3, :3], -1, -2)
    out[..., :3, 3] = -np.einsum("...ij,...j->...i", out[..., :3, :3], rigid[..., :3, 3])
    out[..., 3, 3] = 1
    return out

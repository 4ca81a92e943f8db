"""World points to pixels and back, in numpy. Pixel centres at 0.5, z-depth; see docs/conventions.md."""

import numpy as np

from pipelines.cameras.camera import Camera


def pixel_centers(height: int, width: int) -> np.ndarray:
    """(H, W, 2) float64 positions (u, v) of all pixel centres: the first is (0.5, 0.5)."""
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([u, v], axis=-1)


def project(points: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """points: (..., 3) world, scene units -> pixels (..., 2) as (u, v), z-depth (...,).

    Points at or behind the camera (z-depth <= 0) get NaN pixels: they are nowhere in the picture.
    """
    w2c = camera.w2c
    local = np.asarray(points, dtype=np.float64) @ w2c[:3, :3].T + w2c[:3, 3]
    depth = local[..., 2]
    ahead = np.where(depth > 0, depth, np.nan)
    focal, center = camera.K[[0, 1], [0, 1]], camera.K[:2, 2]
    return local[..., :2] / ahead[..., None] * focal + center, depth


def unproject(pixels: np.ndarray, depth: np.ndarray, camera: Camera) -> np.ndarray:
    """pixels: (..., 2) as (u, v), depth: (...,) z-depth in scene units -> world points (..., 3)."""
    depth = np.asarray(depth, dtype=np.float64)[..., None]
    focal, center = camera.K[[0, 1], [0, 1]], camera.K[:2, 2]
    local = np.concatenate([(np.asarray(pixels, dtype=np.float64) - center) / focal * depth, depth], axis=-1)
    return local @ camera.c2w[:3, :3].T + camera.c2w[:3, 3]

"""Pinhole geometry and the z-buffer, as pure functions over torch tensors.

OpenCV axes (+x right, +y down, +z forward), camera-to-world poses, z-depth, and 0.5 pixel centres, so that K of
another grid is a plain ratio (docs/conventions.md). Geometry is float32; poses are combined in float64 first.
"""

import numpy as np
import torch
from torch import Tensor

from pipelines.cameras import Camera

# No surface is read closer than this many scene units: it would fill the frame and divide by nearly zero.
NEAR = 1e-3
_EMPTY = torch.iinfo(torch.int64).max


def cell_centres(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """(height, width, 3) homogeneous centres of a grid's cells: (0.5, 0.5, 1) is the first one."""
    y = torch.arange(height, dtype=torch.float32, device=device) + 0.5
    x = torch.arange(width, dtype=torch.float32, device=device) + 0.5
    yy, xx = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([xx, yy, torch.ones_like(xx)], dim=-1)


def unproject(depth: Tensor, camera: Camera) -> Tensor:
    """Lift a depth map into the world.

    depth: (h, w) z-depth of camera's own grid. Returns (h, w, 3) world points in scene units.
    """
    ray_to_world = torch.from_numpy(camera.c2w[:3, :3] @ np.linalg.inv(camera.K)).float()
    origin = torch.from_numpy(camera.c2w[:3, 3].copy()).float()
    rays = cell_centres(*depth.shape) @ ray_to_world.T
    return rays * depth[..., None] + origin


def world_to_pixels(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """(3, 3) A and (3,) b with A p + b = z (u, v, 1) for a world point p: the camera's projection matrix, split."""
    w2c = np.linalg.inv(camera.c2w)
    return camera.K @ w2c[:3, :3], camera.K @ w2c[:3, 3]


def pixels_to_pixels(target: Camera, source: Camera) -> tuple[np.ndarray, np.ndarray]:
    """(3, 3) A and (3,) b with z' (u', v', 1) = z A (u, v, 1) + b: a target pixel at depth z, seen by the source."""
    source_from_target = np.linalg.inv(source.c2w) @ target.c2w
    return source.K @ source_from_target[:3, :3] @ np.linalg.inv(target.K), source.K @ source_from_target[:3, 3]


def project(points: Tensor, matrices: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """See points from several cameras at once.

    points: (N, 3); matrices (T, 3, 3) and offsets (T, 3) from `world_to_pixels`.
    Returns u, v, z, each (T, N), pixels and scene units; u and v are meaningless where z < NEAR.
    """
    x, y, z = torch.baddbmm(offsets[..., None], matrices, points.T.expand(len(matrices), -1, -1)).unbind(1)
    inverse = z.clamp(min=NEAR).reciprocal()
    return x * inverse, y * inverse, z


def zbuffer(u: Tensor, v: Tensor, z: Tensor, height: int, width: int) -> Tensor:
    """The nearest point of every cell.

    u, v, z: (T, N) from `project`. Returns (T, height, width) int64: index of the winning point, -1 where none falls.
    Exact and independent of order and thread count: depth (as the bits of a positive float32, which sort like the
    number) and point index share one 64-bit key, and the minimum of a set does not depend on how it is reached.
    Equal depths go to the point written last.
    """
    num_cameras, num_points = z.shape
    column, row = u.floor(), v.floor()
    inside = (z >= NEAR) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    pair = inside.reshape(-1).nonzero()[:, 0]
    camera, point = pair // num_points, pair % num_points
    column, row, z = (x.reshape(-1).index_select(0, pair) for x in (column, row, z))
    cell = (camera * height + row.long()) * width + column.long()
    key = (z.view(torch.int32).long() << 32) | (num_points - 1 - point)
    buffer = torch.full((num_cameras * height * width,), _EMPTY, dtype=torch.int64, device=z.device)
    buffer.scatter_reduce_(0, cell, key, "amin", include_self=True)
    winner = num_points - 1 - (buffer & 0xFFFFFFFF)
    return winner.masked_fill_(buffer == _EMPTY, -1).reshape(num_cameras, height, width)

"""Pinhole geometry and the z-buffer, as pure functions over torch tensors.

OpenCV axes (+x right, +y down, +z forward), camera-to-world poses, z-depth, and 0.5 pixel centres, so that K of
another grid is a plain ratio (docs/conventions.md). Geometry is float32; poses are combined in float64 first.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pipelines.cameras import Camera

# No surface is read closer than this many scene units: it would fill the frame and divide by nearly zero.
NEAR = 1e-3


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


def pixels_to_pixels(targets: Sequence[Camera], sources: Sequence[Camera]) -> np.ndarray:
    """(T, S, 3, 4) maps [A b]: a target's pixel (u, v) at depth z is seen by the source at z A (u, v, 1) + b."""
    back = np.stack([c.c2w[:3] for c in targets])
    back[:, :, :3] = back[:, :, :3] @ np.linalg.inv(np.stack([c.K for c in targets]))
    forth = np.linalg.inv(np.stack([c.c2w for c in sources]))
    K = np.stack([c.K for c in sources])
    maps = (K @ forth[:, :3, :3]) @ back[:, None]
    maps[..., 3] += (K @ forth[:, :3, 3:])[..., 0]
    return maps


def project(points: Tensor, matrices: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """See points from several cameras at once.

    points: (N, 3); matrices (T, 3, 3) and offsets (T, 3) from `world_to_pixels`.
    Returns u, v, z, each (T, N), pixels and scene units; u and v are meaningless where z < NEAR.
    """
    rows = torch.addmm(offsets.reshape(-1, 1), matrices.reshape(-1, 3), points.T)
    x, y, z = rows.view(len(matrices), 3, -1).unbind(1)
    inverse = z.clamp(min=NEAR).reciprocal_()
    return x * inverse, y * inverse, z


def into_cells(u: Tensor, v: Tensor, z: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """u, v, z (T, N) from `project` -> cell (T, N) int64 and depth (T, N), infinite where it is less than NEAR.

    Cells are numbered on a grid with one more on every side, which take what falls outside: (height + 2, width + 2).
    """
    column, row = u.floor().clamp_(-1, width), v.floor().clamp_(-1, height)
    cell = row.add_(1).mul_(width + 2).add_(column).add_(1)  # exact in float32 up to 16 million cells
    return cell.long(), torch.where(z < NEAR, torch.inf, z)


def nearest(cell: Tensor, depth: Tensor, tolerance: Tensor) -> Tensor:
    """The points that lie within a share of the nearest of their cell, 0 or more, given for each cell.

    cell, depth (T, N) from `into_cells`, tolerance (cells,). Returns (n,) places in the flattened (T, N). Exact, and
    independent of order and thread count: the minimum of a set does not depend on how it is reached.
    """
    front = depth.new_full((len(cell), len(tolerance)), torch.inf).scatter_reduce_(1, cell, depth, "amin")
    limit = torch.where(front == torch.inf, -torch.inf, front * (1 + tolerance))
    return (depth <= limit.gather(1, cell)).view(-1).nonzero()[:, 0]


def best_of_cells(cell: Tensor, count: int, *keys: Tensor) -> Tensor:
    """(count,) int64: for each cell the row that is greatest by the keys in turn, the last of equals; -1 where none is.

    cell (n,) int64 below count, keys (n,) each.
    """
    row = torch.arange(len(cell))
    for key in keys:
        here, value = cell.take(row), key.take(row)
        lowest = -torch.inf if value.is_floating_point() else torch.iinfo(value.dtype).min
        best = value.new_full((count,), lowest).scatter_reduce_(0, here, value, "amax")
        row = row[value == best.take(here)]
    return torch.full((count,), -1).scatter_reduce_(0, cell.take(row), row, "amax")

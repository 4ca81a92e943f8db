"""Pinhole geometry and the z-buffer, as pure functions over torch tensors.

OpenCV axes (+x right, +y down, +z forward), camera-to-world poses, z-depth, and 0.5 pixel centres, so that K of
another grid is a plain ratio (docs/conventions.md). Geometry is float32; poses are combined in float64 first.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.cameras import Camera

# No surface is read closer than this many scene units: it would fill the frame and divide by nearly zero.
NEAR = 1e-3
# Points seen at once by the z-buffer: what it makes of them stays in the cache.
POINTS_PER_BLOCK = 65536


def cell_centres(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """(height, width, 3) homogeneous centres of a grid's cells: (0.5, 0.5, 1) is the first one."""
    y = torch.arange(height, dtype=torch.float32, device=device) + 0.5
    x = torch.arange(width, dtype=torch.float32, device=device) + 0.5
    yy, xx = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([xx, yy, torch.ones_like(xx)], dim=-1)


def applied(maps: Tensor, points: Tensor) -> Tensor:
    """maps (n, 4) of points (3, N), places in the world or pixels: (n, N), maps[:, :3] @ points + maps[:, 3:].

    Step by step, because the last bits of a matrix product depend on the number of threads.
    """
    out = maps[:, 0:1] * points[0]
    return out.addcmul_(maps[:, 1:2], points[1]).addcmul_(maps[:, 2:3], points[2]).add_(maps[:, 3:])


def unproject(depth: Tensor, camera: Camera) -> Tensor:
    """Lift a depth map into the world.

    depth: (h, w) z-depth of camera's own grid. Returns (h, w, 3) world points in scene units.
    """
    rays = torch.zeros(3, 4)
    rays[:, :3] = torch.from_numpy(camera.c2w[:3, :3] @ np.linalg.inv(camera.K)).float()
    origin = torch.from_numpy(camera.c2w[:3, 3].copy()).float()
    places = applied(rays, cell_centres(*depth.shape).view(-1, 3).T).mul_(depth.reshape(-1)).add_(origin[:, None])
    return places.T.reshape(*depth.shape, 3)


def projections(K: np.ndarray, c2w: np.ndarray) -> np.ndarray:
    """(..., 3, 4) float64 projection matrices P of cameras, K (..., 3, 3) and c2w (..., 4, 4).

    P (x, y, z, 1) = depth (u, v, 1) for a world point.
    """
    return K @ np.linalg.inv(c2w)[..., :3, :]


def pixels_to_pixels(K: np.ndarray, c2w: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """(T, S, 3, 4) maps: pixel (u, v) at depth z of a target is seen by a source at map (z u, z v, z, 1).

    K (T, 3, 3), c2w (T, 4, 4): of the targets; sources (S, 3, 4): from `projections`.
    """
    back = c2w.copy()
    back[:, :3, :3] = back[:, :3, :3] @ np.linalg.inv(K)
    return sources @ back[:, None]


def project(points: Tensor, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """See points (N, 3) from several cameras at once, maps (T, 3, 4) from `projections`.

    Returns u, v, z, each (T, N), pixels and scene units; u and v are meaningless where z < NEAR.
    """
    x, y, z = applied(maps.reshape(-1, 4), points.T).view(len(maps), 3, -1).unbind(1)
    inverse = z.clamp(min=NEAR).reciprocal_()
    return x * inverse, y * inverse, z


def look_up(table: Tensor, index: Tensor) -> Tensor:
    """table (n,) at index, int64 of any shape; on a processor `index_select` takes a third of the time of `take`."""
    return table.index_select(0, index.reshape(-1)).view(index.shape)


def indices_of(mask: Tensor | np.ndarray) -> Tensor:
    """(n,) int64: where a mask of any shape is true, counted flat; numpy takes a third of the time of `nonzero`."""
    return torch.from_numpy(np.flatnonzero(np.asarray(mask)))


def front_points(
    points: Tensor, maps: Tensor, height: int, width: int, tolerance: Tensor, layer: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The z-buffer: which points lie in front, in the cells of several cameras.

    points (3, N) in the world, maps (T, 3, 4) from `projections`. tolerance (layers,): points within this share of the
    nearest of their cell count as in front, 0 or more. layer (N,) whole numbers: each layer hides only its own points.
    Returns camera, point, cell (n,) int64 and inverse depth (n,). Cells are numbered layer by layer on a grid with one
    more on every side, which takes what falls outside: (layers, height + 2, width + 2). A point nearer than NEAR is
    nowhere. Exact, and independent of order and thread count: the greatest of a set is, however it is found.
    """
    count, cells = len(maps), (height + 2) * (width + 2)
    to_cells = maps.clone()
    to_cells[:, :2] += maps[:, 2:]  # one cell to the right and down, for the one more on every side
    to_x, to_y, to_z = to_cells.unbind(1)
    # Inverse depth needs one division for u, v and the order; behind a camera it is below 0 and never the greatest.
    front = maps.new_full((count, len(tolerance) * cells), -torch.inf)
    inverse = points.new_empty(count, points.shape[1])
    cell = torch.empty(inverse.shape, dtype=torch.int64)
    for start in range(0, points.shape[1], POINTS_PER_BLOCK):
        block = slice(start, start + POINTS_PER_BLOCK)
        z = F.threshold_(applied(to_z, points[:, block]), NEAR, -1.0).reciprocal_()
        column = applied(to_x, points[:, block]).mul_(z).clamp_(0, width + 1).floor_()
        row = applied(to_y, points[:, block]).mul_(z).clamp_(0, height + 1).floor_()
        inverse[:, block] = z
        cell[:, block] = column.add_(row, alpha=width + 2)  # exact in float32 up to 16 million cells
        if layer is not None:
            cell[:, block] += layer[block] * cells
        front.scatter_reduce_(1, cell[:, block], z, "amax")
    limit = front / (1 + tolerance).repeat_interleave(cells)
    limit.masked_fill_(front <= 0, torch.inf)
    found = indices_of(inverse.numpy() >= limit.gather(1, cell).numpy())
    camera = torch.from_numpy(found.numpy() // points.shape[1])  # numpy takes a tenth of the time
    point = found.sub(camera, alpha=points.shape[1])
    return camera, point, look_up(cell.view(-1), found), look_up(inverse.view(-1), found)


def best_of_cells(cell: Tensor, count: int, *keys: Tensor) -> Tensor:
    """(count,) int64: for each cell the row that is greatest by the keys in turn, the last of equals; -1 where none is.

    cell (n,) int64 below count, keys (n,) each.
    """
    row = None  # all of them
    for key in keys:
        key = key if row is None else look_up(key, row)
        lowest = -torch.inf if key.is_floating_point() else torch.iinfo(key.dtype).min
        best = key.new_full((count,), lowest).scatter_reduce_(0, cell, key, "amax")
        kept = indices_of(key.numpy() == look_up(best, cell).numpy())
        cell, row = look_up(cell, kept), kept if row is None else look_up(row, kept)
    return torch.full((count,), -1).scatter_reduce_(0, cell, row, "amax")

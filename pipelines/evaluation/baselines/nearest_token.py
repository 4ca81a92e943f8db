"""A view read as the published method reads it: every fine token a point, of which the nearest in a cell shows."""

import numpy as np
import torch
import torch.nn.functional as F

from pipelines.cameras import Camera
from pipelines.inpainting.smooth import smooth_fill
from pipelines.memory.projection import best_of_cells, front_points, projections
from pipelines.memory.projection import unproject as lifted_points


def nearest_tokens(engine, image: np.ndarray, depth: np.ndarray, camera: Camera, view: Camera):
    """As the published method reads: each token a point, the nearest one of each cell as it is, then decoded.

    Cells without a point, which that method leaves at zero, are filled smoothly.
    Returns (H, W, 3) uint8 and where a token was found, (H, W) bool.
    """
    height, width = depth.shape
    tokens = engine.encode(torch.from_numpy(image).permute(2, 0, 1).float() / 255)
    grid = rows, columns = tokens.shape[1:]
    at_tokens = F.interpolate(torch.from_numpy(depth)[None, None], grid, mode="nearest-exact")[0, 0]
    known = at_tokens > 0
    points = lifted_points(at_tokens, camera.resized(*grid))[known].T.contiguous()
    target = view.resized(*grid)
    maps = torch.from_numpy(projections(target.K, target.c2w))[None].float()
    _, point, cell, _ = front_points(points, maps, *grid, tolerance=torch.zeros(1))
    seen = best_of_cells(cell, (rows + 2) * (columns + 2), point).view(rows + 2, columns + 2)[1:-1, 1:-1]
    shown = seen >= 0
    latents = tokens[:, known][:, point[seen.clamp(min=0)]]
    picture = engine.autoencoder.decode(smooth_fill(latents, shown)[None])[0]
    shown = shown.repeat_interleave(height // rows, 0).repeat_interleave(width // columns, 1)
    return (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy(), shown.numpy()

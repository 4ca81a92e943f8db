"""Depth edges against picture edges."""

import numpy as np
import torch
import torch.nn.functional as F

from pipelines.memory.latent_memory import between_surfaces

# A neighbour nearer by more than this share is another surface.
STEP = 0.06


def settle(depth: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Put flying samples, which lie between a near and a far neighbour and on neither, on the near one.

    depth (H, W) z-depth, valid (H, W) bool. Returns (H, W) float32. So the memory has nothing to leave out at the
    outlines of a photo, and shows all of it from where it was taken.
    """
    known = torch.from_numpy(np.where(valid, depth, 0).astype(np.float32))
    nearest = -F.max_pool2d(torch.where(known > 0, -known, -torch.inf)[None, None], 3, 1, 1)[0, 0]
    return torch.where(between_surfaces(known), nearest, torch.from_numpy(depth.astype(np.float32))).numpy()


def grow_near(depth: np.ndarray, valid: np.ndarray, radius: int) -> np.ndarray:
    """Let near surfaces reach `radius` pixels over what is behind them.

    Along an outline the pixels of a photo mix near and far colours. On the far surface they would stay behind as a
    ghost of the outline when the camera moves; on the near one they travel with it, as a thin rim that nobody sees.
    depth (H, W) z-depth, valid (H, W) bool. Returns (H, W) float32; depth away from edges is unchanged.
    """
    if radius < 1:
        return depth
    known = torch.from_numpy(np.where(valid, depth, np.inf).astype(np.float32))[None, None]
    window = 2 * radius + 1
    rows = -F.max_pool2d(-known, (window, 1), 1, (radius, 0))
    nearest = -F.max_pool2d(-rows, (1, window), 1, (0, radius))
    behind = known > nearest * (1 + STEP)
    # On a steep slope a neighbour is nearer too, but then the one on the other side is farther by as much.
    farthest = F.max_pool2d(torch.where(known.isinf(), 0.0, known), window, 1, radius)
    behind &= (known - nearest) > 2 * (farthest - known)
    grown = torch.where(behind & known.isfinite(), nearest, known)[0, 0].numpy()
    return np.where(valid, grown, depth).astype(np.float32)

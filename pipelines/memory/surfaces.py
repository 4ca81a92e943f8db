"""What counts as one surface in a depth map, and the flying samples that lie between two."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Neighbouring samples whose depths differ by less than this share belong to one surface.
SAME_SURFACE = 0.1


def between_surfaces(depth: Tensor) -> Tensor:
    """(H, W) bool: flying samples, which sit between a near and a far neighbour and belong to neither.

    depth: (H, W) z-depth, 0 = unknown; unknown neighbours do not count.
    """
    known = depth > 0
    near, far = nearest_around(depth), F.max_pool2d(torch.where(known, depth, 0.0)[None, None], 3, 1, 1)[0, 0]
    step = far - near
    return known & (step > 0.25 * depth) & (depth - near > 0.3 * step) & (far - depth > 0.3 * step)


def nearest_around(depth: Tensor) -> Tensor:
    """The least known depth among each sample and its eight neighbours: (H, W) -> (H, W), infinite where none is."""
    return -F.max_pool2d(torch.where(depth > 0, -depth, -torch.inf)[None, None], 3, 1, 1)[0, 0]


def settle(depth: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Put flying samples on the near one of the two surfaces that they lie between.

    depth (H, W) z-depth, valid (H, W) bool. Returns (H, W) float32. So the memory has nothing to leave out at the
    outlines of a photo, and shows all of it from where it was taken.
    """
    known = torch.from_numpy(np.where(valid, depth, 0).astype(np.float32))
    for _ in range(2):  # a neighbour of one that settles may be left between two surfaces itself
        flying = between_surfaces(known)
        if not flying.any():
            break
        known = torch.where(flying, nearest_around(known), known)
    return np.where(valid, known.numpy(), depth).astype(np.float32)

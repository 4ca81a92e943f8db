"""The smooth fill of a hole: for thin cracks, for depth, and wherever nothing is to be invented."""

import torch
from torch import Tensor
from torch.nn import functional as F


def smooth_fill(features: Tensor, mask: Tensor) -> Tensor:
    """Fill a hole from a pyramid of averages of what is known (push-pull).

    features: (C, h, w) float; mask: (h, w) bool, True where known.
    Returns (C, h, w): known tokens bit for bit, the hole smooth. Without any known token: zeros.
    """
    weight = mask[None, None].to(features.dtype)
    known = torch.where(mask, features, 0.0)[None]
    return torch.where(mask, features, _push_pull(known, weight)[0])


def _push_pull(known: Tensor, weight: Tensor) -> Tensor:
    """known (1, C, h, w), already multiplied by weight (1, 1, h, w) in 0..1 -> (1, C, h, w)."""
    if min(weight.shape[-2:]) < 3 or weight.min() > 0.5:
        # The mean, not zero: the coarsest cells of a wide hole have seen nothing, and zero is a colour too.
        mean = known.sum((2, 3), keepdim=True) / weight.sum().clamp(min=1e-6)
        return known + (1 - weight) * mean
    share = F.avg_pool2d(weight, 2, ceil_mode=True, count_include_pad=False)
    coarse = F.avg_pool2d(known, 2, ceil_mode=True, count_include_pad=False) / share.clamp(min=1e-4)
    seen = (share > 0).to(known.dtype)
    up = F.interpolate(_push_pull(coarse * seen, seen), size=weight.shape[-2:], mode="bilinear", align_corners=False)
    return known + (1 - weight) * up


def nearest_known(mask: Tensor) -> tuple[Tensor, Tensor]:
    """For every token the nearest known one. mask: (h, w) bool, at least one True.

    Returns rows, columns: (h, w) int64 each. Exact and O(h w (h + w)): meant for small grids.
    """
    h, w = mask.shape
    rows = torch.arange(h)[:, None].expand(h, w)
    far = 4 * (h + w)
    above = torch.where(mask, rows, -far).cummax(0).values
    below = torch.where(mask, rows, far).flip(0).cummin(0).values.flip(0)
    nearest_row = torch.where(rows - above <= below - rows, above, below)  # in the same column
    columns = torch.arange(w)
    squared = (columns[:, None] - columns[None]) ** 2  # (column of the token, column of the candidate)
    distance = (nearest_row - rows)[:, None, :] ** 2 + squared[None]
    column = distance.argmin(-1)
    return nearest_row.gather(1, column), column

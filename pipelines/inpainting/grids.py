"""Small grids of a view: what the exemplar search looks at, and the means and windows it takes there."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pipelines.inpainting.geometry import Surroundings, survey
from pipelines.inpainting.smooth import nearest_known


@dataclass(frozen=True)
class Grid:
    """One small grid (h, w) of the view.

    values: (C, h, w) float32, 0 where unknown. known, source: (h, w) bool; a source may be copied.
    around: planes, foreground and depth. colour: (3, C), see `colour_directions`.
    """

    values: Tensor
    known: Tensor
    source: Tensor
    around: Surroundings
    colour: Tensor

    @property
    def hole(self) -> Tensor:
        return ~self.known


def small_grid(
    features: Tensor, mask: Tensor, depth: Tensor, K: Tensor, colour: Tensor, longest: int, seed: int
) -> Grid:
    """The view on a grid whose longer side is at most `longest` tokens; arguments as for fill."""
    h, w = mask.shape
    scale = min(1.0, longest / max(h, w))
    size = max(1, round(h * scale)), max(1, round(w * scale))
    values, share = reduce(features, mask, size)
    known = share > min(0.6, 0.99 * float(share.max()))  # a lone token in a large hole still counts
    # depth is picked, not averaged: the mean of a near and a far surface is on neither
    rows, columns = nearest_cells(size[0], h), nearest_cells(size[1], w)
    picked = depth[rows][:, columns]
    ratio = torch.tensor([size[1] / w, size[0] / h, 1.0])
    around = survey(picked, known, ratio[:, None] * K, seed)
    source = share > 0.99
    if not around.near.any():
        source &= ~around.foreground
    return Grid(values, known, source, around, colour)


def nearest_cells(count: int, length: int) -> Tensor:
    """(count,) int64: the cells of a row of `length` in the middle of those of a row of `count`."""
    return ((torch.arange(count) + 0.5) * length / count).long().clamp(max=length - 1)


def resize(x: Tensor, size: tuple[int, int], mode: str = "bilinear") -> Tensor:
    """x (C, h, w) on another grid: (C, *size)."""
    return F.interpolate(x[None], tuple(size), mode=mode, align_corners=False if mode == "bilinear" else None)[0]


def reduce(x: Tensor, weight: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Weighted mean of x (C, h, w) over the cells of a smaller grid, (C, *size), and the mean weight there, *size.

    weight (h, w): 0..1 or bool.
    """
    weight = weight.to(x.dtype)
    share = F.adaptive_avg_pool2d(weight[None, None], tuple(size))[0, 0]
    mean = F.adaptive_avg_pool2d((x * weight)[None], tuple(size))[0] / share.clamp(min=1e-6)
    return torch.where(share > 0, mean, 0.0), share


def blurred(x: Tensor, radius: int) -> Tensor:
    """Mean over a window, twice: close to a Gaussian. x (C, h, w)."""
    for _ in range(2):
        padded = F.pad(x[None], (radius,) * 4, mode="replicate")
        x = F.avg_pool2d(padded, (2 * radius + 1, 1), 1)
        x = F.avg_pool2d(x, (1, 2 * radius + 1), 1)[0]
    return x


def detail_of(shown: Tensor, known: Tensor, radius: int) -> Tensor:
    """What colours (3, h, w) are beyond the mean of what is known around, 0 where unknown."""
    weight = known[None].float()
    return weight * (shown - blurred(shown * weight, radius) / blurred(weight, radius).clamp(min=1e-3))


def unbroken(known: Tensor, size: int) -> Tensor:
    """Centres of patches that lie inside the grid and are known all over. (h, w) bool -> (h, w) bool."""
    padded = F.pad(known[None, None].float(), (size // 2,) * 4)
    return -F.max_pool2d(-padded, size, 1)[0, 0] > 0


def away(known: Tensor) -> Tensor:
    """Distance of every token from the nearest known one, in tokens. (h, w) bool -> (h, w) float."""
    h, w = known.shape
    row, column = nearest_known(known)
    return ((row - torch.arange(h)[:, None]) ** 2 + (column - torch.arange(w)[None]) ** 2).float().sqrt()


def colour_directions(features: Tensor, mask: Tensor, count: int = 3) -> Tensor:
    """The orthonormal directions (count, C) of a token that change slowly over the picture: its colour.

    The other directions of a token are the detail inside it. Averaged or spread over a hole, detail turns into
    stripes; so only colour is ever smoothed, corrected or compared.
    """
    size = [max(1, n // 4) for n in mask.shape]
    low, share = reduce(features, mask, size)
    low = low[:, share > min(0.99, 0.99 * float(share.max()))]
    low = low - low.mean(1, keepdim=True)
    return torch.linalg.eigh(low @ low.T)[1][:, -count:].T


def scaled_colour(grid: Grid) -> Tensor:
    """(3, C): `colour_directions`, scaled so that the known colours of the grid have a variance of 1 in all."""
    shown = torch.einsum("kc,chw->khw", grid.colour, grid.values)[:, grid.known]
    return grid.colour / (shown - shown.mean(1, keepdim=True)).pow(2).mean(1).sum().clamp(min=1e-8).sqrt()

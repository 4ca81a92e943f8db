"""What is likely in a hole before anything is copied into it, and what of the copies may stay where in doubt."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipelines.inpainting.config import SearchConfig
from pipelines.inpainting.grids import Grid, blurred, detail_of, reduce, resize
from pipelines.inpainting.kriging import krige
from pipelines.inpainting.smooth import nearest_known, smooth_fill

FLAT = 0.02  # detail below this, in units of a token, is as good as none


@dataclass(frozen=True)
class Guess:
    """What is likely in the hole, before anything is copied: small grids (h, w).

    values: (C, h, w), colours without detail, known cells as they are; contrast: how strong the detail around is, the
    sum over colours of its size; doubt: 0 where known to 1 where nothing tells.
    """

    values: Tensor
    contrast: Tensor
    doubt: Tensor


def first_guess(grid: Grid, features: Tensor, mask: Tensor, radius: int) -> Guess:
    """Colours and contrast by kriging. features (C, h, w), mask (h, w) bool: the full grid; radius: of detail."""
    detail = detail_of(torch.einsum("kc,chw->khw", grid.colour, features), mask, radius)
    strength, _ = reduce(detail.abs().sum(0, keepdim=True), mask, grid.known.shape)
    mean = grid.values[:, grid.known].mean(1)[:, None, None]
    colours = torch.einsum("kc,chw->khw", grid.colour, grid.values - mean)
    found, doubt = krige(torch.cat([colours, (strength + FLAT).log()]), grid.known, grid.around)
    values = mean + torch.einsum("kc,khw->chw", grid.colour, found[:3])
    return Guess(torch.where(grid.known, grid.values, values), (found[3].exp() - FLAT).clamp(min=0), doubt)


def proof(grid: Grid, field: Tensor, radius: int, reach: int = 5) -> Tensor:
    """How well the sources of the hole predict what is known beside it, -1..1, for every cell of the grid (h, w).

    The offset of the nearest cell of the hole is used on the known cells within `reach` of it as well. What counts is
    the correlation of detail: that a plain wall looks like a plain wall proves nothing.
    """
    h, w = field.shape
    shown = torch.einsum("kc,chw->khw", grid.colour, grid.values)
    detail = detail_of(shown, grid.known, radius)
    row, column = nearest_known(grid.hole)
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    beside = grid.known & ((row - y) ** 2 + (column - x) ** 2 <= reach**2)
    source = field[row, column]
    y, x = y + source // w - row, x + source % w - column
    beside &= (y >= 0) & (y < h) & (x >= 0) & (x < w) & (source != row * w + column)
    y, x = y.clamp(0, h - 1), x.clamp(0, w - 1)
    beside &= grid.known[y, x]
    there = detail[:, y, x]
    agreement = torch.stack([2 * (detail * there).sum(0), (detail**2 + there**2).sum(0)]) * beside
    tested = blurred(beside[None].float(), reach - 1)[0] > 0.05
    agreement = smooth_fill(blurred(agreement, reach - 1), tested)
    return agreement[0] / (agreement[1] + 0.003)


def calmed(
    filled: Tensor, mask: Tensor, guess: Guess, proved: Tensor, colour: Tensor, radius: int, config: SearchConfig
) -> Tensor:
    """Where the surroundings tell little, broad colours give way to the likeliest ones, and detail is as strong as
    theirs: what nobody has seen should not draw the eye. A pattern that is proved to go on stays as it is.
    """
    size = mask.shape
    doubt, contrast = resize(guess.doubt[None], size), resize(guess.contrast[None], size)
    unsure = (4 * doubt - 0.4).clamp(0, 1) * resize((2.5 - 2.5 * proved).clamp(0, 1)[None], size)
    mean = filled[:, mask].mean(1)[:, None, None]
    likely = mean + torch.einsum("kc,kd,dhw->chw", colour, colour, resize(guess.values, size) - mean)
    change = torch.where(mask, 0.0, filled - likely)
    shown = torch.einsum("kc,chw->khw", colour, change)
    broad = blurred(shown, radius)
    own = blurred((shown - broad).abs().sum(0, keepdim=True), radius)
    gain = 1 + unsure * ((config.contrast * contrast / own.clamp(min=1e-3)).clamp(max=2) - 1)
    broad = torch.einsum("kc,khw->chw", colour, broad)
    return likely + (1 - config.calm * unsure) * broad + gain * (change - broad)

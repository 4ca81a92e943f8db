"""What a new view adds to a memory: where it agrees with what is remembered, contradicts it, or replaces it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.cameras import Camera
from pipelines.memory.projection import project, projections, unproject
from pipelines.memory.readout import Readout
from pipelines.memory.samples import Samples, of_samples
from pipelines.memory.views import View

# Within this share of the depths around it a sample agrees with what is remembered.
AGREES = 0.05
# A view whose tokens are this many times finer takes the place of what is remembered.
FINER = 1.5
# A sample that stands in front of a remembered surface by more than this share would hide something that was seen.
FREE_SPACE = 0.03


@dataclass(frozen=True)
class WriteReport:
    """What became of the samples of a write. Together they are all of its samples.

    Stored are `new` ones, where nothing was remembered, and those that `replaced` something: seen from too far,
    invented, or seen through more often than seen. Left out are `explained` ones, which the memory already shows;
    `disagrees`, behind a surface that others saw; `free_space`, in front of something seen; `depth_edge`, between two
    surfaces, on neither; and `invalid`: not finite, nearer than NEAR, beyond MAX_DISTANCE, or left out by `valid`.
    """

    new: int = 0
    replaced: int = 0
    explained: int = 0
    disagrees: int = 0
    free_space: int = 0
    depth_edge: int = 0
    invalid: int = 0

    def __add__(self, other: "WriteReport") -> "WriteReport":
        return WriteReport(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def compared(samples: Samples, shown: Readout, depth: Tensor) -> tuple[Tensor, Tensor]:
    """Where a depth map (H, W) agrees with what was seen and is shown there, and where it looks through it.

    shown: what the memory of these samples shows to the camera of the depth map. Returns two (H, W) bool.
    """
    known, remembered = shown.mask[0], shown.depth[0]
    seen = known & ~samples.invented[shown.view[0].clamp(min=0)]

    def range_of(values: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
        ends = torch.stack([torch.where(where, -values, -torch.inf), torch.where(where, values, -torch.inf)])
        near, far = F.max_pool2d(ends, 3, 1, 1)
        return -near, far

    near, far = range_of(remembered, known)
    first, last = range_of(depth, depth > 0)
    # Beside an outline a sample may be off by a cell: any depth that is remembered around it will do.
    outline = last > first * (1 + 2 * AGREES)
    agrees = (depth - remembered).abs() <= AGREES * remembered
    agrees |= outline & (depth >= near * (1 - AGREES)) & (depth <= far * (1 + AGREES))
    return seen & agrees, seen & ~agrees & (depth > remembered)


def in_free_space(depth: Tensor, camera: Camera, valid: Tensor, views: Sequence[View]) -> Tensor:
    """(H, W) bool: valid samples that one of the views looked through, because it saw a surface behind them."""
    hidden = torch.zeros_like(valid)
    points = unproject(depth, camera)[valid]
    blocks = torch.zeros(len(points), dtype=torch.bool)
    for view in views:
        P = torch.from_numpy(projections(view.camera.K, view.camera.c2w)).float()
        u, v, z = project(points, P[None])
        (rows, columns), (u, v, z) = view.depth.shape, (u[0].floor(), v[0].floor(), z[0])
        inside = (z > 0) & (u >= 0) & (u < columns) & (v >= 0) & (v < rows)
        seen = view.depth[v.clamp(0, rows - 1).long(), u.clamp(0, columns - 1).long()]
        blocks |= inside & (seen > 0) & (z < seen * (1 - FREE_SPACE))
    hidden[valid] = blocks
    return hidden


def count_votes(
    samples: Samples, shown: Readout, votes: Tensor, valid: Tensor, agrees: Tensor, behind: Tensor, size: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What a seen view says of the samples that it is shown, and which of them it can stand in for.

    shown: what the memory of these samples shows to that view. votes (H, W) uint8: how many views say so. valid,
    agrees, behind (H, W) bool: samples of the view that count, and see `compared`. size (H, W): of its tokens, scene
    units.
    Returns, flat over the planes of all views, the new confidence uint8 and which samples to forget, bool; and where
    the view takes their place, (H, W) bool.
    """
    view = shown.view[0].clamp(min=0)
    row = of_samples(samples.cell, shown.sample[0]).masked_fill_(~shown.mask[0], -1)
    count = len(samples.depth)
    cells = row[row >= 0].bincount(minlength=count)

    def every(where: Tensor) -> Tensor:
        """(count,) bool: samples of which all cells that show them lie in `where`."""
        return (cells > 0) & (row[where].bincount(minlength=count) == cells)

    def votes_of(where: Tensor) -> Tensor:
        """(count,) int: votes of the cells in `where` for each sample; once, in however many of them it shows."""
        return torch.zeros(count, dtype=torch.int32).scatter_reduce_(0, row[where], votes[where].int(), "amax")

    confidence = samples.confidence + votes_of(agrees) - votes_of(behind) * every(behind)
    written = samples.depth[row.clamp(min=0)] / samples.token_focal[view]
    finer = agrees & (size * FINER < written)
    border = F.pad(torch.zeros_like(row[2:, 2:], dtype=torch.bool), (1, 1, 1, 1), value=True)
    # What reaches over the border of this view stays: it is needed there.
    forgotten = (confidence <= 0) | every(finer & ~border)
    forgotten |= every(valid & shown.mask[0] & samples.invented[view])
    forgotten &= samples.depth > 0
    replaces = finer | (valid & (row >= 0) & forgotten[row.clamp(min=0)])
    return confidence.clamp_(0, 255).to(torch.uint8), forgotten, replaces

"""Which of the memory's samples show in each cell of the cameras that it is read from: one z-buffer for all samples,
then cracks and rims (cracks.py).
"""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.memory.cracks import MARGIN, WIDEST, close_cracks, close_rims
from pipelines.memory.projection import NEAR, best_of_cells, front_points, look_up, project
from pipelines.memory.samples import Samples
from pipelines.memory.targets import PAIRS_PER_PASS, Targets

# Samples of one cell whose depths differ by less than this share show the same surface; the best view of it counts.
SAME_DEPTH = 0.01


@torch.no_grad()
def visible_samples(samples: Samples, targets: Targets, thin: int = 1) -> tuple[Tensor, Tensor]:
    """What T targets see: depth (T, h, w) float32, 0 where unknown, and sample (T, h, w) int64, -1 where unknown.

    thin: use every thin-th row and column of samples only.
    """
    num, height, width = len(targets), targets.height, targets.width
    if not len(samples):
        return torch.zeros(num, height, width), torch.full((num, height, width), -1)
    chosen = None if thin == 1 else samples.thinned(thin)
    per_pass = max(1, PAIRS_PER_PASS // ((len(samples) if chosen is None else len(chosen)) + height * width))
    parts, start = [], 0
    for coarser, run in itertools.groupby(coarsening(samples, targets, thin)):
        stop = start + len(list(run))
        for first in range(start, stop, per_pass):
            part = targets[first : min(first + per_pass, stop)]
            parts.append(visible_in_pass(samples, chosen, part, thin, coarser))
        start = stop
    return parts[0] if len(parts) == 1 else tuple(torch.cat(part) for part in zip(*parts, strict=True))


def coarsening(samples: Samples, targets: Targets, thin: int) -> list[int]:
    """How many times coarser than each target its grid must be, so that samples lie at most WIDEST cells apart.

    By the median of a few samples; 1 but for a telephoto lens or a very close look.
    """
    some = slice(None, None, max(1, len(samples) // 500))
    view = samples.view[some]
    u, v, z = project(samples.points[:, some].T, targets.maps)
    # In the picture or around it: a long lens may see the place between four samples.
    across, down = (u / targets.width - 0.5).abs_(), (v / targets.height - 0.5).abs_()
    inside = (z > NEAR) & (torch.maximum(across, down) < 1.5)
    spacing = look_up(samples.depth, samples.cell[some]) / look_up(samples.focal, view)
    median = torch.where(inside, spacing * targets.focal[:, None] / z, torch.nan).nanmedian(1).values.nan_to_num(0.0)
    return (thin * median / WIDEST).ceil().clamp(min=1).int().tolist()


def visible_in_pass(
    samples: Samples, chosen: Tensor | None, targets: Targets, thin: int, coarser: int
) -> tuple[Tensor, Tensor]:
    """`visible_samples` on a grid that is `coarser` times as coarse. chosen (n,): the samples to use; all if None."""
    height, width = targets.height, targets.width
    rows, columns = max(1, height // coarser), max(1, width // coarser)
    wide = (targets if coarser == 1 else targets.resized(rows, columns)).with_margin(MARGIN)
    depth, sample = close_cracks(samples, *front(samples, chosen, wide), thin)
    close_rims(samples, wide.into(samples), depth, sample, thin)

    depth, sample = (plane[:, MARGIN:-MARGIN, MARGIN:-MARGIN] for plane in (depth, sample))
    if coarser > 1:
        row, column = (((torch.arange(n) + 0.5) * m / n).long() for n, m in ((height, rows), (width, columns)))
        depth, sample = (plane.index_select(1, row).index_select(2, column) for plane in (depth, sample))
    return depth.contiguous(), sample.contiguous()


def front(samples: Samples, chosen: Tensor | None, targets: Targets) -> tuple[Tensor, Tensor]:
    """What the targets see of the chosen samples before cracks are closed: depth and sample, (T, h, w) each."""
    invented = samples.invented
    points, view = samples.points, samples.view
    if chosen is not None:
        points, view = points[:, chosen], view[chosen]
    # What was invented lies on a layer of its own, below what was seen. One view alone has no rivals.
    views = torch.stack([(~invented).sum(), invented.sum()])[: 1 + bool(invented.any())]
    layers, rivals = len(views), views > 1
    camera, sample, cell, inverse = front_points(
        points,
        targets.maps,
        targets.height,
        targets.width,
        tolerance=SAME_DEPTH * rivals,
        layer=invented[view].long() if layers > 1 else None,
    )
    if chosen is not None:
        sample = look_up(chosen, sample)
    # The most alike view wins, then the nearest sample: positive floats sort as their bits do.
    key = inverse.view(torch.int32).long()
    if rivals.any():
        key += likeness(samples, targets, camera, sample, inverse) << 32
    grid = layers, targets.height + 2, targets.width + 2
    cells = grid[0] * grid[1] * grid[2]
    best = best_of_cells(cell + camera * cells, len(targets) * cells, key).view(-1, *grid)[:, :, 1:-1, 1:-1]
    row = best[:, 0] if layers == 1 else torch.where(best[:, 0] >= 0, best[:, 0], best[:, 1])
    inverse, sample = F.pad(inverse, (1, 0), value=torch.inf), F.pad(sample, (1, 0), value=-1)  # of row -1: nothing
    return look_up(inverse, row + 1).reciprocal_(), look_up(sample, row + 1)


def likeness(samples: Samples, targets: Targets, camera: Tensor, sample: Tensor, inverse: Tensor) -> Tensor:
    """(n,) int64, the greater the better a sample suits the camera that sees it, of several of one surface.

    First how alike the view that wrote it was: half octaves of resolution and steps of ten degrees between the two
    lines of sight; then the newest view. camera, sample, inverse depth as the camera sees it: (n,).
    """
    view = look_up(samples.view, sample)
    octaves = look_up(samples.token_depth, sample) + (look_up(targets.focal, camera) * inverse).log2_()
    points = samples.points.index_select(1, sample)
    here = points.sub_(targets.eyes.T.index_select(1, camera))
    cosine = (here * samples.sight.index_select(1, sample)).sum(0).div_(here.square_().sum(0).sqrt_())
    tens = cosine.clamp_(-1, 1).arccos_().mul_(18 / np.pi)
    unlike = octaves.abs_().mul_(2).round_() + tens.round_()
    return view - unlike.long() * len(samples.views)

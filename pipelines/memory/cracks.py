"""What closes cracks: gaps that open in a surface when it is seen larger than it was written, and its bare rims.

Works on the cells of T targets, depth (T, h, w), 0 where unknown, and the sample that shows there (T, h, w), -1 where
unknown. See docs/memory.md.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipelines.memory.projection import best_of_cells, indices_of, look_up
from pipelines.memory.samples import Samples, of_samples
from pipelines.memory.surfaces import SAME_SURFACE
from pipelines.memory.targets import ON_SAMPLE, offset_from_sample

# What is seen between two samples of one surface, this share behind it, shines through a crack.
BEHIND = 0.05
# Ends of a crack are at most this many samples apart; those between them fell into the same cells as the ends.
HIDDEN = 4
# Ends of a crack are at most this many cells apart.
WIDEST = 4
# Cells around the picture that are read too: what is out there covers cells inside, and cracks reach in from there.
MARGIN = WIDEST - 1


def close_cracks(samples: Samples, depth: Tensor, sample: Tensor, thin: int) -> tuple[Tensor, Tensor]:
    """Fill the gaps that open when a surface is seen larger than it was written; depth and sample (T, h, w).

    A gap is a run of up to three cells whose two ends were neighbours in the view that wrote them, or nearly, and
    lie on one surface with all between them; the run may be empty or show something behind. What was never seen is
    not between neighbours, so it stays unknown. What was seen also closes over what was invented.
    thin: as of the readout; only every thin-th row and column of samples is there.
    """
    invented = look_up(samples.invented, samples.view) if samples.invented.any() else None
    depth, sample, _ = close_along(2, samples, invented, depth, sample, thin)
    depth, sample, closed = close_along(1, samples, invented, depth, sample, thin)
    if closed:  # which gives rows new ends
        depth, sample, _ = close_along(2, samples, invented, depth, sample, thin)
    return depth, sample


class Gaps(NamedTuple):
    """Runs of cells along one axis, (n,) each: the flat index of the cell at one end, how many cells on the other end
    lies, and the depths and samples at both ends."""

    cell: Tensor
    span: Tensor
    depth: Tensor
    other_depth: Tensor
    sample: Tensor
    other_sample: Tensor

    def only(self, rows: Tensor) -> "Gaps":
        """rows (m,) int64: the ones to keep."""
        return Gaps(*(look_up(part, rows) for part in self))


def close_along(
    dim: int, samples: Samples, invented: Tensor | None, depth: Tensor, sample: Tensor, thin: int
) -> tuple[Tensor, Tensor, bool]:
    """`close_cracks` along one axis, and whether it closed any. invented (N,) bool: of each sample; None if none is."""
    gaps = gaps_along(dim, invented, depth, sample)
    joined = look_up(samples.view, gaps.sample) == look_up(samples.view, gaps.other_sample)
    nearer = torch.minimum(gaps.depth, gaps.other_depth)
    joined &= (gaps.depth - gaps.other_depth).abs() < SAME_SURFACE * nearer
    joined = indices_of(joined)
    if not len(joined):
        return depth, sample, False
    gaps = gaps.only(joined)
    gaps = gaps.only(indices_of(of_one_surface(samples, gaps, thin)))
    return filled(samples, invented, gaps, depth, sample, depth.stride(dim))


def gaps_along(dim: int, invented: Tensor | None, depth: Tensor, sample: Tensor) -> Gaps:
    """All runs of 1 to WIDEST - 1 cells in which something shows that is farther than both ends, or nothing."""
    size, stride = depth.shape[dim], depth.stride(dim)
    known = sample >= 0
    # How far one sees through each cell: for ever, if nothing is there or only something invented.
    solid = known if invented is None else known & ~of_samples(invented, sample)
    through = torch.where(solid, depth, torch.inf)
    ends = torch.where(known, depth * (1 + BEHIND), torch.nan)  # nothing is farther than what is unknown
    deepest = through.narrow(dim, 1, max(0, size - 1))
    found = np.zeros((WIDEST - 1, *depth.shape), dtype=bool)
    for span in range(2, min(WIDEST + 1, size)):
        n = size - span
        deepest = torch.maximum(deepest.narrow(dim, 0, n), through.narrow(dim, span - 1, n))
        nearer = torch.minimum(ends.narrow(dim, 0, n), ends.narrow(dim, span, n))
        np.greater(deepest, nearer, out=found[span - 2][:, :n] if dim == 1 else found[span - 2][:, :, :n])
    cell = indices_of(found)
    span = cell.div(depth.numel(), rounding_mode="floor")
    cell.sub_(span, alpha=depth.numel())
    span += 2
    other = cell + span * stride
    flat_depth, flat_sample = depth.view(-1), sample.view(-1)
    return Gaps(
        cell,
        span,
        look_up(flat_depth, cell),
        look_up(flat_depth, other),
        look_up(flat_sample, cell),
        look_up(flat_sample, other),
    )


def of_one_surface(samples: Samples, gaps: Gaps, thin: int) -> Tensor:
    """(n,) bool: gaps whose ends, of one view and near in depth, were neighbours there or have one surface between."""
    across, down = (look_up(axis, gaps.sample) - look_up(axis, gaps.other_sample) for axis in (samples.x, samples.y))
    apart = torch.maximum(across.abs(), down.abs())
    # Where more than one sample fell into a cell, the ends are not neighbours, but those between are alike.
    closed = apart <= HIDDEN * thin
    far = indices_of(closed & (apart > thin))
    # Sensors miss single samples all over a surface; of two in a row nobody knows what is there.
    if len(far):
        ends = gaps.sample[far], gaps.other_sample[far]
        closed[far] = one_surface(samples, *ends, dropout=apart[far] <= 2 * thin)
    return closed


def one_surface(samples: Samples, one: Tensor, other: Tensor, dropout: Tensor) -> Tensor:
    """(n,) bool: nothing but one surface lies between two samples of a view, each (n,) and up to HIDDEN apart.

    dropout (n,) bool: a sample that is missing between those two does not count.
    """
    view = look_up(samples.view, one)
    start, columns = look_up(samples.depth_start, view), look_up(samples.columns, view)
    share = torch.arange(1, HIDDEN)[:, None] / HIDDEN
    x, y = (
        torch.lerp(look_up(axis, one), look_up(axis, other), share).sub_(0.5).round_().long()
        for axis in (samples.x, samples.y)
    )
    mine, there = look_up(samples.depth, look_up(samples.cell, one)), look_up(samples.depth, start + y * columns + x)
    alike = (there - mine).abs() < SAME_SURFACE * mine
    return (alike | ((there == 0) & dropout)).all(dim=0)


def filled(
    samples: Samples, invented: Tensor | None, gaps: Gaps, depth: Tensor, sample: Tensor, stride: int
) -> tuple[Tensor, Tensor, bool]:
    """depth and sample with every cell in a gap given the nearer of its two ends, and whether there was any.

    stride: from a cell to the next along the gaps. Of several surfaces that close over a cell the nearest shows.
    """
    flat_depth, flat_sample = depth.view(-1), sample.view(-1)
    inner = [indices_of(gaps.span > step) for step in range(1, WIDEST)]
    gap = torch.cat(inner)
    step = torch.cat([torch.full_like(part, step) for step, part in enumerate(inner, 1)])
    cell = gaps.cell[gap] + step * stride
    share = step / gaps.span[gap]
    between = torch.lerp(gaps.depth[gap], gaps.other_depth[gap], share)
    end = torch.where(share > 0.5, gaps.other_sample[gap], gaps.sample[gap])
    here = look_up(flat_sample, cell)
    open_cell = here < 0
    # What lies behind is open too, but for a sample between the two ends in their own view: a dent in their surface.
    behind = indices_of(~open_cell & (look_up(flat_depth, cell) > between * (1 + BEHIND)))
    ends = look_up(gap, behind)
    one, other = look_up(gaps.sample, ends), look_up(gaps.other_sample, ends)
    open_cell[behind] = ~lies_between(samples, look_up(here, behind), one, other)
    if invented is not None:
        seen = ~look_up(invented, end)
        open_cell |= seen & of_samples(invented, here) & (here >= 0)
    cell, between, end = (x[open_cell] for x in (cell, between, end))
    keys = (-between,) if invented is None else (seen[open_cell].long(), -between)
    best = best_of_cells(cell, depth.numel(), *keys)
    cell = indices_of(best >= 0)
    best = look_up(best, cell)
    depth = flat_depth.index_copy(0, cell, between[best]).view(depth.shape)
    sample = flat_sample.index_copy(0, cell, end[best]).view(depth.shape)
    return depth, sample, len(cell) > 0


def lies_between(samples: Samples, sample: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """(n,) bool: samples that their view holds in the box between two others of one view, (n,) each."""
    inside = look_up(samples.view, sample) == look_up(samples.view, one)
    for axis in (samples.x, samples.y):
        at, a, b = (look_up(axis, of) for of in (sample, one, other))
        inside &= (at >= torch.minimum(a, b)) & (at <= torch.maximum(a, b))
    return inside


def close_rims(samples: Samples, relative: Tensor, depth: Tensor, sample: Tensor, thin: int) -> None:
    """Grow each surface, in place, to the cells that the footprint of its outermost samples still covers.

    relative: from `Targets.into` of the targets whose cells these are.
    """
    columns, cells = depth.shape[2], depth[0].numel()
    flat_depth, flat_sample = depth.view(-1), sample.view(-1)
    for dim, step in ((2, 1), (2, -1), (1, 1), (1, -1)):
        mask, beside = sample >= 0, depth.shape[dim] - 1
        here, there = (mask.narrow(dim, first, beside) for first in ((1, 0) if step == 1 else (0, 1)))
        bare = torch.zeros_like(mask)
        torch.gt(there, here, out=bare.narrow(dim, max(step, 0), beside))
        cell = indices_of(bare)
        if not len(cell):
            continue
        source = cell - step * depth.stride(dim)
        d, s = look_up(flat_depth, source), look_up(flat_sample, source)
        camera, row, column = cell // cells, cell % cells // columns, cell % columns
        at = (look_up(table, s) for table in (samples.view, samples.x, samples.y))
        off_x, off_y = offset_from_sample(samples, relative, (camera, row, column), d, *at)
        covered = indices_of(torch.maximum(off_x.abs(), off_y.abs()) <= thin / 2 + ON_SAMPLE)
        flat_depth.index_copy_(0, cell[covered], d[covered])
        flat_sample.index_copy_(0, cell[covered], s[covered])

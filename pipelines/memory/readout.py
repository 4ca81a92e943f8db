"""Reading a memory: every sample goes through one z-buffer, cracks between samples that touched in their view are
closed, and each cell looks up the exact place in the view it came from.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.cameras import Camera
from pipelines.cameras.camera import resized_K
from pipelines.memory.projection import (
    NEAR,
    best_of_cells,
    front_points,
    look_up,
    pixels_to_pixels,
    places_of,
    project,
    projections,
)
from pipelines.memory.samples import Samples

if TYPE_CHECKING:
    from pipelines.memory.latent_memory import LatentMemory

# Neighbouring samples whose depths differ by less than this share belong to one surface.
SAME_SURFACE = 0.1
# What is seen between two samples of one surface, this share behind it, shines through a crack.
BEHIND = 0.05
# Samples of one cell whose depths differ by less than this share show the same surface; the best view of it counts.
SAME_DEPTH = 0.01
# A place in a view this close to a sample (in cells) is that sample: what is read where it was written comes back
# bit for bit, and float32 projection is good to about 1e-4 cells.
ON_SAMPLE = 2e-3
# Ends of a crack are at most this many samples apart; those between them fell into the same cells as the ends.
HIDDEN = 4
# Ends of a crack are at most this many cells apart.
WIDEST = 4
# Cells around the picture that are read too: what is out there covers cells inside, and cracks reach in from there.
MARGIN = WIDEST - 1
# Point-camera pairs per z-buffer pass; bounds the working memory of a readout to about 250 MB.
PAIRS_PER_PASS = 4_000_000


@dataclass(frozen=True)
class Readout:
    """The memory seen from T cameras, `targets`, on their grid of (height, width).

    depth (T, h, w) float32, 0 where unknown. sample (T, h, w) int64: which of the memory's samples shows, -1 where
    unknown. memory: as it was when it was read. The rest is made when first asked for.
    """

    depth: Tensor
    sample: Tensor
    targets: "Targets"
    memory: "LatentMemory"

    @cached_property
    def mask(self) -> Tensor:
        """(T, h, w) bool: a surface is remembered there."""
        return self.sample >= 0

    @cached_property
    def view(self) -> Tensor:
        """(T, h, w) int64: which view the cell came from, in the order they were written; -1 where unknown."""
        return of_samples(self.memory.samples.view, self.sample).masked_fill_(~self.mask, -1)

    @cached_property
    @torch.no_grad()
    def latents(self) -> Tensor:
        """(T, C, h, w) float32: the tokens there, 0 where unknown."""
        samples, features = self.memory.samples, self.memory.features
        if not len(samples):
            latents = torch.zeros(*self.mask.shape, self.memory.channels)
        elif self.memory.interpolates:
            latents = torch.zeros(*self.mask.shape, self.memory.channels)
            latents[self.mask] = blend(samples, features, self.sample[self.mask], self.xy[self.mask])
        else:
            tokens = features.index_select(0, of_samples(samples.token, self.sample).view(-1)).float()
            unknown = places_of(~self.mask)
            latents = tokens.index_fill_(0, unknown, 0.0).view(*self.mask.shape, -1)
        return latents.permute(0, 3, 1, 2)

    @cached_property
    @torch.no_grad()
    def xy(self) -> Tensor:
        """(T, h, w, 2) float32: the place in the sample's view, as fractions of its width and height."""
        samples = self.memory.samples
        if not len(samples):
            return torch.zeros(*self.depth.shape, 2)
        per_pass = max(1, PAIRS_PER_PASS // self.depth[0].numel())
        passes = [slice(first, first + per_pass) for first in range(0, len(self.depth), per_pass)]
        places = [exact_places(samples, self.targets[some], self.depth[some], self.sample[some]) for some in passes]
        return torch.cat(places)

    @cached_property
    def place(self) -> Tensor:
        """(T, h, w, 2): xy in cells of the view's depth grid."""
        samples, view = self.memory.samples, self.view.clamp(min=0)
        return self.xy * torch.stack([look_up(samples.columns, view), look_up(samples.rows, view)], dim=-1)

    @cached_property
    def offset(self) -> Tensor:
        """(T, h, w, 2): how far the place lies from the sample that shows there, x and y in cells of the view."""
        samples = self.memory.samples
        return self.place - torch.stack([of_samples(samples.x, self.sample), of_samples(samples.y, self.sample)], -1)


def of_samples(table: Tensor, sample: Tensor) -> Tensor:
    """table (N,) at samples, int64 of any shape; where a sample is -1 the result means nothing."""
    return look_up(table, sample.clamp(min=0))


# --- tokens at places ------------------------------------------------------------------------------------------------


def blend(samples: Samples, features: Tensor, sample: Tensor, xy: Tensor) -> Tensor:
    """(n, C) float32: the four tokens around each place, blended, without those that lie on another surface.

    sample (n,), xy (n, 2): of a Readout, where it knows something.
    """
    view = look_up(samples.view, sample)
    depth_start, columns, token_start, h, w = (
        look_up(table, view)
        for table in (samples.depth_start, samples.columns, samples.token_start, samples.h, samples.w)
    )
    k = columns // w
    x, y = xy[:, 0] * w - 0.5, xy[:, 1] * h - 0.5
    x0, y0 = x.floor(), y.floor()
    on_token = ((x - x.round()).abs() < ON_SAMPLE) & ((y - y.round()).abs() < ON_SAMPLE)
    x0, y0 = torch.where(on_token, x.round(), x0), torch.where(on_token, y.round(), y0)
    fx, fy = torch.where(on_token, 0.0, x - x0), torch.where(on_token, 0.0, y - y0)
    reference = look_up(samples.depth, look_up(samples.cell, sample))
    values = torch.zeros(len(view), features.shape[1])
    total = torch.zeros(len(view), 1)
    for dy in (0, 1):
        for dx in (0, 1):
            tx, ty = (x0 + dx).long().clamp(min=0).minimum(w - 1), (y0 + dy).long().clamp(min=0).minimum(h - 1)
            token = look_up(samples.token_at, token_start + ty * w + tx).long()
            middle = depth_start + (ty * k + k // 2) * columns + tx * k + k // 2
            there = look_up(samples.depth, middle)
            alike = (token >= 0) & ((there - reference).abs() < SAME_SURFACE * reference)
            weight = (fx if dx else 1 - fx) * (fy if dy else 1 - fy) * alike
            values.addcmul_(features.index_select(0, token.clamp_(min=0)).float(), weight[:, None])
            total += weight[:, None]
    lone = total < 1e-3
    own = features.index_select(0, look_up(samples.token, sample)).float()
    return torch.where(lone, own, values / total.clamp(min=1e-3))


# --- surfaces in front -----------------------------------------------------------------------------------------------


class Targets:
    """T cameras on one grid, as arrays: K (T, 3, 3), c2w (T, 4, 4) float64, height, width."""

    def __init__(self, K: np.ndarray, c2w: np.ndarray, height: int, width: int):
        self.K, self.c2w, self.height, self.width = K, c2w, height, width

    @classmethod
    def of(cls, cameras: Sequence[Camera], height: int, width: int) -> "Targets":
        K = np.stack([resized_K(c.K, (c.height, c.width), (height, width)) for c in cameras])
        return cls(K, np.stack([c.c2w for c in cameras]), height, width)

    def __len__(self) -> int:
        return len(self.K)

    def __getitem__(self, some: slice) -> "Targets":
        return Targets(self.K[some], self.c2w[some], self.height, self.width)

    def resized(self, height: int, width: int) -> "Targets":
        K = resized_K(self.K, (self.height, self.width), (height, width))
        return Targets(K, self.c2w, height, width)

    def with_margin(self) -> "Targets":
        """The same views with MARGIN more cells on every side."""
        K = self.K.copy()
        K[:, :2, 2] += MARGIN
        return Targets(K, self.c2w, self.height + 2 * MARGIN, self.width + 2 * MARGIN)

    @cached_property
    def maps(self) -> Tensor:
        """(T, 3, 4) float32, see `projections`."""
        return torch.from_numpy(projections(self.K, self.c2w)).float()

    @cached_property
    def focal(self) -> Tensor:
        return torch.from_numpy(self.K[:, 0, 0].copy()).float()

    @cached_property
    def eyes(self) -> Tensor:
        return torch.from_numpy(self.c2w[:, :3, 3].copy()).float()

    def into(self, samples: Samples) -> Tensor:
        """(12, T * V) maps from each target's pixels to each view's, see `pixels_to_pixels`."""
        return torch.from_numpy(pixels_to_pixels(self.K, self.c2w, samples.maps)).float().view(-1, 12).T.contiguous()


@torch.no_grad()
def read(samples: Samples, targets: Targets, thin: int = 1, best_view: bool = True) -> tuple[Tensor, Tensor]:
    """depth and sample of a Readout of these targets.

    thin: use every thin-th row and column of samples only. best_view: of several views of one surface take the one
    most alike the target; if not, the nearest sample.
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
            parts.append(read_pass(samples, chosen, part, thin, coarser, best_view))
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


def read_pass(
    samples: Samples, chosen: Tensor | None, targets: Targets, thin: int, coarser: int, best_view: bool
) -> tuple[Tensor, Tensor]:
    """`read` of targets whose grid must be `coarser` times as coarse. chosen (n,): the samples to use; all if None."""
    height, width = targets.height, targets.width
    rows, columns = max(1, height // coarser), max(1, width // coarser)
    wide = (targets if coarser == 1 else targets.resized(rows, columns)).with_margin()
    depth, sample = close_cracks(samples, *front(samples, chosen, wide, best_view), thin)
    close_rims(samples, wide.into(samples), depth, sample, thin)

    depth, sample = (plane[:, MARGIN:-MARGIN, MARGIN:-MARGIN] for plane in (depth, sample))
    if coarser > 1:
        row, column = (((torch.arange(n) + 0.5) * m / n).long() for n, m in ((height, rows), (width, columns)))
        depth, sample = (plane.index_select(1, row).index_select(2, column) for plane in (depth, sample))
    return depth.contiguous(), sample.contiguous()


def exact_places(samples: Samples, targets: Targets, depth: Tensor, sample: Tensor) -> Tensor:
    """`Readout.xy` of depth and sample (T, h, w): where in its view the surface at the centre of each cell lies."""
    camera, row, column = (torch.arange(n) for n in depth.shape)
    view, x, y = (of_samples(table, sample) for table in (samples.view, samples.x, samples.y))
    cells = camera[:, None, None], row[:, None], column
    off_x, off_y = offset_from_sample(samples, targets.into(samples), cells, depth, view, x, y)
    # A wrong depth must not send a cell to another part of the view: stay near the sample, or within its crack.
    off_x, off_y = (off.clamp_(-HIDDEN / 2 - 0.5, HIDDEN / 2 + 0.5) for off in (off_x, off_y))
    on_sample = torch.maximum(off_x.abs(), off_y.abs()) < ON_SAMPLE
    x = x.add_(off_x.masked_fill_(on_sample, 0)).div_(look_up(samples.columns, view))
    y = y.add_(off_y.masked_fill_(on_sample, 0)).div_(look_up(samples.rows, view))
    return torch.stack([x, y], dim=-1)


def front(samples: Samples, chosen: Tensor | None, targets: Targets, best_view: bool) -> tuple[Tensor, Tensor]:
    """What the targets see of the chosen samples, cracks open: depth and sample, (T, h, w) each."""
    made = samples.invented
    points, view = samples.points, samples.view
    if chosen is not None:
        points, view = points[:, chosen], view[chosen]
    # What was invented lies on a layer of its own, below what was seen. One view alone has no rivals.
    views = torch.stack([(~made).sum(), made.sum()])[: 1 + bool(made.any())]
    layers, rivals = len(views), (views > 1) & best_view
    camera, sample, cell, inverse = front_points(
        points,
        targets.maps,
        targets.height,
        targets.width,
        tolerance=SAME_DEPTH * rivals,
        layer=made[view].long() if layers > 1 else None,
    )
    if chosen is not None:
        sample = look_up(chosen, sample)
    # The most alike view wins, then the nearest sample: positive floats sort as their bits do.
    key = inverse.view(torch.int32).long()
    if rivals.any():
        key += alike(samples, targets, camera, sample, inverse) << 32
    grid = layers, targets.height + 2, targets.width + 2
    cells = grid[0] * grid[1] * grid[2]
    best = best_of_cells(cell + camera * cells, len(targets) * cells, key).view(-1, *grid)[:, :, 1:-1, 1:-1]
    row = best[:, 0] if layers == 1 else torch.where(best[:, 0] >= 0, best[:, 0], best[:, 1])
    inverse, sample = F.pad(inverse, (1, 0), value=torch.inf), F.pad(sample, (1, 0), value=-1)  # of row -1: nothing
    return look_up(inverse, row + 1).reciprocal_(), look_up(sample, row + 1)


def alike(samples: Samples, targets: Targets, camera: Tensor, sample: Tensor, inverse: Tensor) -> Tensor:
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


# --- cracks and rims -------------------------------------------------------------------------------------------------


def close_cracks(samples: Samples, depth: Tensor, sample: Tensor, thin: int) -> tuple[Tensor, Tensor]:
    """Fill the gaps that open when a surface is seen larger than it was written; depth and sample (T, h, w).

    A gap is a run of up to three cells whose two ends were neighbours in the view that wrote them, or nearly, and
    lie on one surface with all between them; the run may be empty or show something behind. What was never seen is
    not between neighbours, so it stays unknown. What was seen also closes over what was invented.
    """
    made = look_up(samples.invented, samples.view) if samples.invented.any() else None
    depth, sample, _ = close_along(2, samples, made, depth, sample, thin)
    depth, sample, closed = close_along(1, samples, made, depth, sample, thin)
    if closed:  # which gives rows new ends
        depth, sample, _ = close_along(2, samples, made, depth, sample, thin)
    return depth, sample


def close_along(
    dim: int, samples: Samples, made: Tensor | None, depth: Tensor, sample: Tensor, thin: int
) -> tuple[Tensor, Tensor, bool]:
    """`close_cracks` along one axis, and whether it closed any. made (N,) bool: samples that were invented, if any."""
    size, stride = depth.shape[dim], depth.stride(dim)
    known = sample >= 0
    # How far one sees through each cell: for ever, if nothing is there or only something invented.
    solid = known if made is None else known & ~of_samples(made, sample)
    through = torch.where(solid, depth, torch.inf)
    ends = torch.where(known, depth * (1 + BEHIND), torch.nan)  # nothing is farther than what is unknown
    deepest = through.narrow(dim, 1, max(0, size - 1))
    gaps = np.zeros((WIDEST - 1, *depth.shape), dtype=bool)
    for span in range(2, min(WIDEST + 1, size)):
        n = size - span
        deepest = torch.maximum(deepest.narrow(dim, 0, n), through.narrow(dim, span - 1, n))
        nearer = torch.minimum(ends.narrow(dim, 0, n), ends.narrow(dim, span, n))
        np.greater(deepest, nearer, out=gaps[span - 2][:, :n] if dim == 1 else gaps[span - 2][:, :, :n])
    gap = places_of(gaps)
    span = gap.div(depth.numel(), rounding_mode="floor")
    one = gap.sub_(span, alpha=depth.numel())
    span += 2
    flat_depth, flat_sample = depth.view(-1), sample.view(-1)
    d0, d1 = look_up(flat_depth, one), look_up(flat_depth, one + span * stride)
    s0, s1 = look_up(flat_sample, one), look_up(flat_sample, one + span * stride)
    joined = look_up(samples.view, s0) == look_up(samples.view, s1)
    joined &= (d0 - d1).abs() < SAME_SURFACE * torch.minimum(d0, d1)
    joined = places_of(joined)
    if not len(joined):
        return depth, sample, False
    one, span, d0, d1, s0, s1 = (look_up(x, joined) for x in (one, span, d0, d1, s0, s1))
    across, down = (look_up(axis, s0) - look_up(axis, s1) for axis in (samples.x, samples.y))
    apart = torch.maximum(across.abs(), down.abs())
    # Where more than one sample fell into a cell, the ends are not neighbours, but those between are alike.
    closed = apart <= HIDDEN * thin
    far = places_of(closed & (apart > thin))
    # Sensors miss single samples all over a surface; of two in a row nobody knows what is there.
    if len(far):
        closed[far] = one_surface(samples, s0[far], s1[far], dropout=apart[far] <= 2 * thin)
    closed = places_of(closed)
    one, span, d0, d1, s0, s1 = (look_up(x, closed) for x in (one, span, d0, d1, s0, s1))
    # Every cell between the ends of its gap; of several surfaces that close over a cell the nearest counts.
    inner = [places_of(span > step) for step in range(1, WIDEST)]
    gap = torch.cat(inner)
    step = torch.cat([torch.full_like(part, step) for step, part in enumerate(inner, 1)])
    cell = one[gap] + step * stride
    share = step / span[gap]
    between, end = torch.lerp(d0[gap], d1[gap], share), torch.where(share > 0.5, s1[gap], s0[gap])
    here = look_up(flat_sample, cell)
    open_cell = here < 0
    # What lies behind is open too, but for a sample between the two ends in their own view: a dent in their surface.
    behind = places_of(~open_cell & (look_up(flat_depth, cell) > between * (1 + BEHIND)))
    ends = look_up(gap, behind)
    open_cell[behind] = ~lies_between(samples, look_up(here, behind), look_up(s0, ends), look_up(s1, ends))
    if made is not None:
        seen = ~look_up(made, end)
        open_cell |= seen & of_samples(made, here) & (here >= 0)
    cell, between, end = (x[open_cell] for x in (cell, between, end))
    keys = (-between,) if made is None else (seen[open_cell].long(), -between)
    best = best_of_cells(cell, depth.numel(), *keys)
    cell = places_of(best >= 0)
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


def close_rims(samples: Samples, relative: Tensor, depth: Tensor, sample: Tensor, thin: int) -> None:
    """Grow each surface, in place, to the cells that the footprint of its outermost samples still covers."""
    columns, cells = depth.shape[2], depth[0].numel()
    flat_depth, flat_sample = depth.view(-1), sample.view(-1)
    for dim, step in ((2, 1), (2, -1), (1, 1), (1, -1)):
        mask, beside = sample >= 0, depth.shape[dim] - 1
        here, there = (mask.narrow(dim, first, beside) for first in ((1, 0) if step == 1 else (0, 1)))
        bare = torch.zeros_like(mask)
        torch.gt(there, here, out=bare.narrow(dim, max(step, 0), beside))
        cell = places_of(bare)
        if not len(cell):
            continue
        source = cell - step * depth.stride(dim)
        d, s = look_up(flat_depth, source), look_up(flat_sample, source)
        camera, row, column = cell // cells, cell % cells // columns, cell % columns
        at = (look_up(table, s) for table in (samples.view, samples.x, samples.y))
        off_x, off_y = offset_from_sample(samples, relative, (camera, row, column), d, *at)
        covered = places_of(torch.maximum(off_x.abs(), off_y.abs()) <= thin / 2 + ON_SAMPLE)
        flat_depth.index_copy_(0, cell[covered], d[covered])
        flat_sample.index_copy_(0, cell[covered], s[covered])


def offset_from_sample(
    samples: Samples, relative: Tensor, cells: tuple[Tensor, ...], depth: Tensor, view: Tensor, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    """How far, in cells of the view, the surface at the centre of a target cell lies from the sample it came from.

    relative: of `Targets.into`. cells: camera, row and column, of one shape or broadcast to it; depth there, view of
    the sample and its centre x, y in it: of that shape. Returns x and y offsets of that shape.
    """
    camera, row, column = cells
    pair = camera * len(samples.views) + view
    maps = relative.index_select(1, pair.view(-1)).view(12, *pair.shape)
    from_x, from_y = pixels_in_view(maps, column + 0.5, row + 0.5, depth)
    return from_x.sub_(x), from_y.sub_(y)


def pixels_in_view(maps: Tensor, u: Tensor, v: Tensor, depth: Tensor) -> tuple[Tensor, Tensor]:
    """Where views see the surfaces at pixels u, v of targets, in cells of the views' depth grids: x and y.

    maps (12, ...): from each pixel's target into its view, of `Targets.into`; the rest of shapes that broadcast.
    """
    x = depth * (maps[0] * u + maps[1] * v + maps[2]) + maps[3]
    y = depth * (maps[4] * u + maps[5] * v + maps[6]) + maps[7]
    z = (depth * (maps[8] * u + maps[9] * v + maps[10]) + maps[11]).clamp_(min=1e-6)
    return x.div_(z), y.div_(z)

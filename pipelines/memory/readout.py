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
from pipelines.memory.projection import NEAR, best_of_cells, front_points, pixels_to_pixels, project, projections
from pipelines.memory.samples import Samples

if TYPE_CHECKING:
    from pipelines.memory.latent_memory import LatentMemory

# Neighbouring samples whose depths differ by less than this share belong to one surface.
SAME_SURFACE = 0.1
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
    """The memory seen from T cameras on a (height, width) grid.

    mask (T, h, w) bool: a surface is remembered there. depth (T, h, w) float32, 0 where unknown.
    view (T, h, w) int64: which view the cell came from, -1 where unknown; sample (T, h, w) int64: which of its samples.
    xy (T, h, w, 2) float32: the place in that view, as fractions of its width and height.
    latents (T, C, h, w) float32: the tokens there, 0 where unknown; fetched when first asked for.
    memory: as it was when it was read.
    """

    mask: Tensor
    depth: Tensor
    view: Tensor
    xy: Tensor
    sample: Tensor
    memory: "LatentMemory"

    @cached_property
    @torch.no_grad()
    def latents(self) -> Tensor:
        samples, features = self.memory.samples, self.memory.features
        if not len(features):
            return torch.zeros(*self.mask.shape, self.memory.channels).permute(0, 3, 1, 2)
        if not self.memory.interpolates:
            token = token_of(samples, self.view.clamp(min=0), self.sample.clamp(min=0))
            latents = features.index_select(0, token.view(-1).clamp_(min=0)).float()
            unknown = (~self.mask).view(-1).nonzero()[:, 0]
            latents = latents.index_fill_(0, unknown, 0.0).view(*self.mask.shape, -1)
        else:
            latents = torch.zeros(*self.mask.shape, self.memory.channels)
            latents[self.mask] = blend(
                samples, features, self.view[self.mask], self.sample[self.mask], self.xy[self.mask]
            )
        return latents.permute(0, 3, 1, 2)

    @cached_property
    def place(self) -> Tensor:
        """(T, h, w, 2): xy in cells of the view's depth grid."""
        rows, columns = self.memory.samples.sizes(self.view)
        return self.xy * torch.stack(torch.broadcast_tensors(columns, rows), dim=-1)

    @cached_property
    def offset(self) -> Tensor:
        """(T, h, w, 2): how far the place lies from the sample that shows there, x and y in cells of the view."""
        _, columns = self.memory.samples.sizes(self.view)
        return self.place - torch.stack([self.sample % columns, self.sample // columns], dim=-1) - 0.5


# --- tokens at places ------------------------------------------------------------------------------------------------


def token_of(samples: Samples, view: Tensor, sample: Tensor) -> Tensor:
    """Rows, int64, in the features: the token that carries each sample of a view. view, sample int64 of one shape."""
    columns, w = samples.columns.take(view), samples.w.take(view)
    k = columns // w
    own = samples.token_start.take(view) + (sample // columns // k) * w + sample % columns // k
    return samples.token.take(own).long()


def blend(samples: Samples, features: Tensor, view: Tensor, sample: Tensor, xy: Tensor) -> Tensor:
    """(n, C) float32: the four tokens around each place, blended, without those that lie on another surface.

    view, sample (n,), xy (n, 2): of a Readout.
    """
    depth_start, columns, token_start, h, w = (
        table.take(view) for table in (samples.depth_start, samples.columns, samples.token_start, samples.h, samples.w)
    )
    k = columns // w
    x, y = xy[:, 0] * w - 0.5, xy[:, 1] * h - 0.5
    x0, y0 = x.floor(), y.floor()
    on_token = ((x - x.round()).abs() < ON_SAMPLE) & ((y - y.round()).abs() < ON_SAMPLE)
    x0, y0 = torch.where(on_token, x.round(), x0), torch.where(on_token, y.round(), y0)
    fx, fy = torch.where(on_token, 0.0, x - x0), torch.where(on_token, 0.0, y - y0)
    reference = samples.depth[depth_start + sample]
    values = torch.zeros(len(view), features.shape[1])
    total = torch.zeros(len(view), 1)
    for dy in (0, 1):
        for dx in (0, 1):
            tx, ty = (x0 + dx).long().clamp(min=0).minimum(w - 1), (y0 + dy).long().clamp(min=0).minimum(h - 1)
            token = samples.token[token_start + ty * w + tx].long()
            middle = depth_start + (ty * k + k // 2) * columns + tx * k + k // 2
            there = samples.depth[middle]
            alike = (token >= 0) & ((there - reference).abs() < SAME_SURFACE * reference)
            weight = (fx if dx else 1 - fx) * (fy if dy else 1 - fy) * alike
            values.addcmul_(features[token.clamp(min=0)].float(), weight[:, None])
            total += weight[:, None]
    lone = total < 1e-3
    own = features[token_of(samples, view, sample)].float()
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
def read(samples: Samples, targets: Targets, thin: int = 1, best_view: bool = True) -> tuple[Tensor, ...]:
    """mask, depth, view, xy and sample of a Readout of these targets.

    thin: use every thin-th row and column of samples only. best_view: of several views of one surface take the one
    most alike the target; if not, the nearest sample.
    """
    num, height, width = len(targets), targets.height, targets.width
    if not len(samples):
        unknown = torch.full((num, height, width), -1)
        nothing = torch.zeros_like(unknown, dtype=torch.bool), torch.zeros(unknown.shape)
        return *nothing, unknown, torch.zeros(*unknown.shape, 2), unknown
    chosen = None if thin == 1 else samples.thinned(thin)
    per_pass = max(1, PAIRS_PER_PASS // ((len(samples) if chosen is None else len(chosen)) + height * width))
    parts, start = [], 0
    for coarser, run in itertools.groupby(coarsening(samples, targets, thin)):
        stop = start + len(list(run))
        for first in range(start, stop, per_pass):
            part = targets[first : min(first + per_pass, stop)]
            parts.append(read_pass(samples, chosen, part, thin, coarser, best_view))
        start = stop
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))


def coarsening(samples: Samples, targets: Targets, thin: int) -> list[int]:
    """How many times coarser than each target its grid must be, so that samples lie at most WIDEST cells apart.

    By the median of a few samples; 1 but for a telephoto lens or a very close look.
    """
    some = slice(None, None, max(1, len(samples) // 500))
    view = samples.view[some]
    u, v, z = project(samples.points[:3, some].T, targets.maps)
    wide, high = targets.width, targets.height
    # In the picture or around it: a long lens may see the place between four samples.
    inside = (z > NEAR) & (u >= -wide) & (u < 2 * wide) & (v >= -high) & (v < 2 * high)
    focal = samples.token_focal.take(view) * samples.columns.take(view) / samples.w.take(view)
    spacing = samples.depth.take(samples.depth_start.take(view) + samples.cell[some]) / focal
    median = torch.where(inside, spacing * targets.focal[:, None] / z, torch.nan).nanmedian(1).values.nan_to_num(0.0)
    return (thin * median / WIDEST).ceil().clamp(min=1).int().tolist()


def read_pass(samples: Samples, chosen: Tensor | None, targets: Targets, thin: int, coarser: int, best_view: bool):
    num, height, width = len(targets), targets.height, targets.width
    rows, columns = max(1, height // coarser), max(1, width // coarser)
    wide = (targets if coarser == 1 else targets.resized(rows, columns)).with_margin()
    mask, depth, view, sample = close_cracks(samples, *front(samples, chosen, wide, best_view), thin)
    close_rims(samples, wide.into(samples), mask, depth, view, sample, thin)

    row, column = (((torch.arange(n) + 0.5) * m / n).long() + MARGIN for n, m in ((height, rows), (width, columns)))
    depth, view, sample = (x[:, row[:, None], column] for x in (depth, view, sample))
    cells = torch.meshgrid(torch.arange(num), torch.arange(height), torch.arange(width), indexing="ij")
    off_x, off_y = offset_from_sample(samples, targets.into(samples), cells, depth, view, sample)
    # A wrong depth must not send a cell to another part of the view: stay near the sample.
    off_x, off_y = off_x.clamp_(-1.5, 1.5), off_y.clamp_(-1.5, 1.5)
    on_sample = torch.maximum(off_x.abs(), off_y.abs()) < ON_SAMPLE
    rows, columns = samples.sizes(view)
    x = (sample % columns + 0.5 + off_x.masked_fill_(on_sample, 0)) / columns
    y = (sample // columns + 0.5 + off_y.masked_fill_(on_sample, 0)) / rows
    return view >= 0, depth, view, torch.stack([x, y], dim=-1), sample


def front(samples: Samples, chosen: Tensor | None, targets: Targets, best_view: bool):
    """What the targets see of the chosen samples, cracks open: mask, depth, view and sample, (T, h, w) each."""
    made = samples.invented
    points, view_of, cell_of = samples.points, samples.view, samples.cell
    if chosen is not None:
        points, view_of, cell_of = points[:, chosen], view_of[chosen], cell_of[chosen]
    # What was invented lies on a layer of its own, below what was seen. One view alone has no rivals.
    views = torch.stack([(~made).sum(), made.sum()])[: 1 + bool(made.any())]
    layers, rivals = len(views), (views > 1) & best_view
    camera, point, cell, inverse = front_points(
        points,
        targets.maps,
        targets.height,
        targets.width,
        tolerance=SAME_DEPTH * rivals,
        layer=made[view_of].long() if layers > 1 else None,
    )
    # The most alike view wins, then the nearest sample: positive floats sort as their bits do.
    key = inverse.view(torch.int32).long()
    if rivals.any():
        key += alike(samples, targets, camera, point if chosen is None else chosen[point], inverse) << 32
    grid = layers, targets.height + 2, targets.width + 2
    cells = grid[0] * grid[1] * grid[2]
    best = best_of_cells(cell + camera * cells, len(targets) * cells, key).view(-1, *grid)[:, :, 1:-1, 1:-1]
    row = best[:, 0] if layers == 1 else torch.where(best[:, 0] >= 0, best[:, 0], best[:, 1])
    mask = row >= 0
    # Row -1 is the last one, which there is only if any point was in front of any camera.
    point, inverse = F.pad(point, (0, 1)), F.pad(inverse, (0, 1), value=torch.inf)
    found = point[row]
    return mask, inverse[row].reciprocal_(), *(of.take(found).masked_fill_(~mask, -1) for of in (view_of, cell_of))


def alike(samples: Samples, targets: Targets, camera: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
    """(n,) int64, the greater the better a sample suits the camera that sees it, of several of one surface.

    First how alike the view that wrote it was: half octaves of resolution and steps of ten degrees between the two
    lines of sight; then the newest view. camera, index of the sample, inverse depth as the camera sees it: (n,).
    """
    view = samples.view.take(index)
    octaves = samples.token_depth.take(index) + (targets.focal.take(camera) * inverse).log2_()
    points = samples.points[:3].index_select(1, index)
    here, there = points - targets.eyes.T.index_select(1, camera), points - samples.eyes.T.index_select(1, view)
    lengths = (here * here).sum(0) * (there * there).sum(0)
    cosine = (here * there).sum(0) * lengths.rsqrt_()
    tens = cosine.clamp_(-1, 1).arccos_().mul_(18 / np.pi)
    unlike = octaves.abs_().mul_(2).round_() + tens.round_()
    return view - unlike.long() * len(samples.views)


# --- cracks and rims -------------------------------------------------------------------------------------------------


def close_cracks(samples: Samples, mask: Tensor, depth: Tensor, view: Tensor, sample: Tensor, thin: int):
    """Fill the gaps that open when a surface is seen larger than it was written.

    A gap is a run of up to three cells whose two ends were neighbours in the view that wrote them, or nearly, and
    lie on one surface with all between them; the run may be empty or show something behind. What was never seen is
    not between neighbours, so it stays unknown. What was seen also closes over what was invented.
    """
    made = samples.invented
    for dim in (2, 1, 2):
        size, stride = depth.shape[dim], depth.stride(dim)
        # How far one sees through each cell: for ever, if nothing is there or only something invented.
        solid = mask & ~made.take(view.clamp(min=0)) if made.any() else mask
        through = torch.where(solid, depth, torch.inf)
        deepest, starts, spans = through.narrow(dim, 1, max(0, size - 1)), [], []
        for span in range(2, min(WIDEST + 1, size)):
            n = size - span
            deepest = torch.maximum(deepest.narrow(dim, 0, n), through.narrow(dim, span - 1, n))
            ends = torch.minimum(depth.narrow(dim, 0, n), depth.narrow(dim, span, n)) * (1 + SAME_SURFACE)
            gap = deepest > ends
            gap &= mask.narrow(dim, 0, n) & mask.narrow(dim, span, n)
            found = gap.nonzero()
            starts.append((found * found.new_tensor(depth.stride())).sum(1))
            spans.append(torch.full_like(starts[-1], span))
        if not starts:
            continue
        one, span = torch.cat(starts), torch.cat(spans)
        other = one + span * stride
        d0, d1, v = depth.take(one), depth.take(other), view.take(one)
        joined = ((v == view.take(other)) & ((d0 - d1).abs() < SAME_SURFACE * torch.minimum(d0, d1))).nonzero()[:, 0]
        one, other, span, d0, d1, v = (x.take(joined) for x in (one, other, span, d0, d1, v))
        s0, s1, columns = sample.take(one), sample.take(other), samples.columns.take(v)
        apart = torch.maximum((s0 // columns - s1 // columns).abs(), (s0 % columns - s1 % columns).abs())
        # Where more than one sample fell into a cell, the ends are not neighbours, but those between are alike.
        closed = apart <= HIDDEN * thin
        far = (closed & (apart > thin)).nonzero()[:, 0]
        closed[far] = one_surface(samples, v[far], s0[far], s1[far])
        one, span, d0, d1, v, s0 = (x[closed] for x in (one, span, d0, d1, v, s0))
        # Every cell between the ends of its gap; of several surfaces that close over a cell the nearest counts.
        inner = [(span > step).nonzero()[:, 0] for step in range(1, WIDEST)]
        gap = torch.cat(inner)
        step = torch.cat([torch.full_like(part, step) for step, part in enumerate(inner, 1)])
        cell = one[gap] + step * stride
        between = torch.lerp(d0[gap], d1[gap], step / span[gap])
        here, made_here = view.take(cell), made[v[gap]]
        open_cell = (here < 0) | (depth.take(cell) > between * (1 + SAME_SURFACE))
        open_cell |= ~made_here & made[here.clamp(min=0)] & (here >= 0)
        cell, between, gap, made_here = (x[open_cell] for x in (cell, between, gap, made_here))
        keys = ((~made_here).long(), -between) if made.any() else (-between,)
        best = best_of_cells(cell, depth.numel(), *keys)
        cell = (best >= 0).nonzero()[:, 0]
        best = best[cell]
        mask, depth, view, sample = (
            plane.reshape(-1).index_copy(0, cell, value).view(plane.shape)
            for plane, value in (
                (mask, torch.ones_like(cell, dtype=torch.bool)),
                (depth, between[best]),
                (view, v[gap[best]]),
                (sample, s0[gap[best]]),
            )
        )
    return mask, depth, view, sample


def one_surface(samples: Samples, view: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """(n,) bool: nothing but one surface lies between two samples of a view, each (n,) and up to HIDDEN apart."""
    start, columns = samples.depth_start.take(view), samples.columns.take(view)
    x0, y0, x1, y1 = one % columns, one // columns, other % columns, other // columns
    mine, same = samples.depth[start + one], torch.ones_like(view, dtype=torch.bool)
    for share in torch.arange(1, HIDDEN) / HIDDEN:
        x, y = torch.lerp(x0.float(), x1.float(), share), torch.lerp(y0.float(), y1.float(), share)
        there = samples.depth[start + y.round().long() * columns + x.round().long()]
        same &= (there - mine).abs() < SAME_SURFACE * mine
    return same


def close_rims(
    samples: Samples, relative: Tensor, mask: Tensor, depth: Tensor, view: Tensor, sample: Tensor, thin: int
) -> None:
    """Grow each surface, in place, to the cells that the footprint of its outermost samples still covers."""
    for dim, step in ((2, 1), (2, -1), (1, 1), (1, -1)):
        beside = mask.roll(step, dim)
        beside.select(dim, 0 if step == 1 else -1).fill_(False)
        cells = (beside & ~mask).nonzero(as_tuple=True)
        source = tuple(index - step if axis == dim else index for axis, index in enumerate(cells))
        d, v, s = depth[source], view[source], sample[source]
        off_x, off_y = offset_from_sample(samples, relative, cells, d, v, s)
        covered = (torch.maximum(off_x.abs(), off_y.abs()) <= thin / 2 + ON_SAMPLE).nonzero()[:, 0]
        cells = tuple(index[covered] for index in cells)
        mask[cells], depth[cells], view[cells], sample[cells] = True, d[covered], v[covered], s[covered]


def offset_from_sample(samples: Samples, relative: Tensor, cells, depth: Tensor, view: Tensor, sample: Tensor):
    """How far, in cells of the view, the surface at the centre of a target cell lies from the sample it came from.

    cells: (camera, row, column) indices; depth, view, sample: of the same shape. Returns x and y offsets; where
    view is -1 they mean nothing.
    """
    camera, row, column = cells
    pair = camera if len(samples.views) == 1 else camera * len(samples.views) + view.clamp(min=0)
    a = relative.index_select(1, pair.reshape(-1)).view(12, *pair.shape)
    u, v, z = column + 0.5, row + 0.5, depth
    x = z * (a[0] * u + a[1] * v + a[2]) + a[3]
    y = z * (a[4] * u + a[5] * v + a[6]) + a[7]
    w = (z * (a[8] * u + a[9] * v + a[10]) + a[11]).clamp_(min=1e-6)
    _, columns = samples.sizes(view)
    return x.div_(w) - (sample % columns + 0.5), y.div_(w) - (sample // columns + 0.5)

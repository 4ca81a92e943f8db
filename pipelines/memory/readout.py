"""What a readout gives: depth, tokens, and for each cell the exact place in the view it came from."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from pipelines.memory.cracks import HIDDEN
from pipelines.memory.projection import indices_of, look_up
from pipelines.memory.samples import Samples, of_samples
from pipelines.memory.surfaces import SAME_SURFACE
from pipelines.memory.targets import ON_SAMPLE, PAIRS_PER_PASS, Targets, offset_from_sample


class Remembered(Protocol):
    """What a readout looks up in the memory it was made from, a LatentMemory.

    channels: of a token; interpolates: tokens may be blended; features (tokens, C); samples: all that is stored.
    """

    channels: int
    interpolates: bool
    features: Tensor
    samples: Samples


@dataclass(frozen=True)
class Readout:
    """The memory seen from T cameras, `targets`, on their grid of (height, width).

    depth (T, h, w) float32 z-depth, 0 where unknown. sample (T, h, w) int64: which of the memory's samples shows, -1
    where unknown. memory: as it was when it was read. All else is computed at its first use.
    """

    depth: Tensor
    sample: Tensor
    targets: Targets
    memory: Remembered

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
            unknown = indices_of(~self.mask)
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
        places = [exact_xy(samples, self.targets[some], self.depth[some], self.sample[some]) for some in passes]
        return torch.cat(places)

    @cached_property
    def view_xy(self) -> Tensor:
        """(T, h, w, 2): xy in cells of the view's depth grid."""
        samples, view = self.memory.samples, self.view.clamp(min=0)
        return self.xy * torch.stack([look_up(samples.columns, view), look_up(samples.rows, view)], dim=-1)

    @cached_property
    def offset(self) -> Tensor:
        """(T, h, w, 2): how far the place lies from the sample that shows there, x and y in cells of the view."""
        samples = self.memory.samples
        return self.view_xy - torch.stack([of_samples(samples.x, self.sample), of_samples(samples.y, self.sample)], -1)


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


def exact_xy(samples: Samples, targets: Targets, depth: Tensor, sample: Tensor) -> Tensor:
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

"""The samples of all views as flat tables, in which a readout looks things up."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from pipelines.memory.projection import look_up, projections, unproject
from pipelines.memory.views import View


class Samples:
    """Every stored sample of some views, in the order of the views and, in each, row by row. Never changed.

    points (3, N) float32: places in the world, scene units. view (N,) int64: whose sample it is; x, y (N,) float32: the
    centre of its cell in that view's depth grid; cell (N,) int64: that cell in the flat planes.
    depth, confidence and token_at: the planes of all views, flat, one view after the other: see View.
    For each of the V views: rows, columns of its depth grid, h, w of its tokens, and where in the flat planes its own
    begin; focal, token_focal (V,): focal length in cells and in tokens; invented (V,) bool; maps (V, 3, 4) float64: see
    `projections`.
    """

    def __init__(self, views: Sequence[View]):
        self.views = tuple(views)
        depths, tokens = [v.depth for v in views], [v.token_at for v in views]
        self.depth = torch.cat([torch.zeros(0), *(d.reshape(-1) for d in depths)])
        self.token_at = torch.cat([torch.zeros(0, dtype=torch.int32), *(t.reshape(-1) for t in tokens)])
        nothing = torch.zeros(0, dtype=torch.uint8)
        self.confidence = torch.cat([nothing, *(v.confidence.reshape(-1) for v in views)])
        sizes = np.array([(*d.shape, *t.shape) for d, t in zip(depths, tokens, strict=True)]).reshape(-1, 4)
        self.rows, self.columns, self.h, self.w = torch.from_numpy(sizes).long().unbind(1)
        self.depth_start, self.token_start = (
            torch.cat([torch.zeros(1, dtype=torch.int64), count.cumsum(0)])[:-1]
            for count in (self.rows * self.columns, self.h * self.w)
        )
        self.K = np.stack([v.camera.K for v in views]) if views else np.zeros((0, 3, 3))
        self.c2w = np.stack([v.camera.c2w for v in views]) if views else np.zeros((0, 4, 4))
        self.maps = projections(self.K, self.c2w)
        self.eyes = torch.from_numpy(self.c2w[:, :3, 3].copy()).float()
        self.focal = torch.from_numpy(self.K[:, 0, 0].copy()).float()
        self.token_focal = self.focal * self.w / self.columns
        self.invented = torch.tensor([v.invented for v in views], dtype=torch.bool)
        stored = [(d > 0).nonzero() for d in depths]
        row, column = torch.cat([torch.zeros(0, 2, dtype=torch.int64), *stored]).unbind(1)
        self.view = torch.repeat_interleave(torch.tensor([len(s) for s in stored], dtype=torch.int64))
        self.cell = look_up(self.depth_start, self.view) + row * look_up(self.columns, self.view) + column
        self.x, self.y = column + 0.5, row + 0.5
        places = [unproject(v.depth, v.camera)[s.unbind(1)] for v, s in zip(views, stored, strict=True)]
        self.points = torch.cat([torch.zeros(0, 3), *places]).T.contiguous()

    def __len__(self) -> int:
        return len(self.view)

    @cached_property
    def token_depth(self) -> Tensor:
        """(N,) float32: logarithm to base 2 of the size of a token where each sample lies, scene units."""
        return (look_up(self.depth, self.cell) / look_up(self.token_focal, self.view)).log2_()

    @cached_property
    def sight(self) -> Tensor:
        """(3, N) float32: unit direction in which its view sees each sample."""
        ahead = self.points - self.eyes.T.index_select(1, self.view)
        return ahead.div_(ahead.square().sum(0).sqrt_().clamp_(min=1e-12))

    @cached_property
    def token(self) -> Tensor:
        """(N,) int64: row in the memory's features of the token that carries each sample."""
        w = look_up(self.w, self.view)
        k = look_up(self.columns, self.view) // w
        own = self.y.long() // k * w + self.x.long() // k
        return look_up(self.token_at, look_up(self.token_start, self.view) + own).long()

    def thinned(self, thin: int) -> Tensor:
        """(n,) int64: the samples in every thin-th row and column of their views."""
        middle = thin // 2 + 0.5
        return ((self.x % thin == middle) & (self.y % thin == middle)).nonzero()[:, 0]


def of_samples(table: Tensor, sample: Tensor) -> Tensor:
    """table (N,) at samples, int64 of any shape; where a sample is -1 the result means nothing."""
    return look_up(table, sample.clamp(min=0))

"""The cameras that a memory is read from, and the way from their pixels into the views that were written."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from pipelines.cameras import Camera
from pipelines.cameras.camera import resized_K
from pipelines.memory.projection import pixels_to_pixels, projections
from pipelines.memory.samples import Samples

# A place in a view this close to a sample (in cells) is that sample: what is read where it was written comes back
# bit for bit, and float32 projection is good to about 1e-4 cells.
ON_SAMPLE = 2e-3
# Points or cells times cameras in one pass of a readout; bounds its working memory to about 250 MB.
PAIRS_PER_PASS = 4_000_000


class Targets:
    """T cameras on one grid, as arrays.

    K (T, 3, 3) in cells of the grid, c2w (T, 4, 4), both float64; height, width: of the grid.
    """

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

    def with_margin(self, cells: int) -> "Targets":
        """The same views with so many more cells on every side."""
        K = self.K.copy()
        K[:, :2, 2] += cells
        return Targets(K, self.c2w, self.height + 2 * cells, self.width + 2 * cells)

    @cached_property
    def maps(self) -> Tensor:
        """(T, 3, 4) float32, see `projections`."""
        return torch.from_numpy(projections(self.K, self.c2w)).float()

    @cached_property
    def focal(self) -> Tensor:
        """(T,) float32: focal lengths along x, in cells."""
        return torch.from_numpy(self.K[:, 0, 0].copy()).float()

    @cached_property
    def eyes(self) -> Tensor:
        """(T, 3) float32: where the cameras stand, scene units."""
        return torch.from_numpy(self.c2w[:, :3, 3].copy()).float()

    def into(self, samples: Samples) -> Tensor:
        """(12, T * V) float32: maps from each target's pixels to each of V views', see `pixels_to_pixels`."""
        return torch.from_numpy(pixels_to_pixels(self.K, self.c2w, samples.maps)).float().view(-1, 12).T.contiguous()


def offset_from_sample(
    samples: Samples, relative: Tensor, cells: tuple[Tensor, ...], depth: Tensor, view: Tensor, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    """How far, in cells of the view, the surface at the centre of a target's cell lies from the sample it came from.

    relative: from `Targets.into`. cells: camera, row and column, of one shape or broadcast to it; depth there, view of
    the sample and its centre x, y in it: of that shape. Returns x and y offsets of that shape.
    """
    camera, row, column = cells
    pair = camera * len(samples.views) + view
    maps = relative.index_select(1, pair.view(-1)).view(12, *pair.shape)
    from_x, from_y = pixels_in_view(maps, column + 0.5, row + 0.5, depth)
    return from_x.sub_(x), from_y.sub_(y)


def pixels_in_view(maps: Tensor, u: Tensor, v: Tensor, depth: Tensor) -> tuple[Tensor, Tensor]:
    """Where views see the surfaces at pixels u, v of targets, in cells of the views' depth grids: x and y.

    maps (12, ...): from each pixel's target into its view, from `Targets.into`; the rest of shapes that broadcast.
    """
    x = depth * (maps[0] * u + maps[1] * v + maps[2]) + maps[3]
    y = depth * (maps[4] * u + maps[5] * v + maps[6]) + maps[7]
    z = (depth * (maps[8] * u + maps[9] * v + maps[10]) + maps[11]).clamp_(min=1e-6)
    return x.div_(z), y.div_(z)

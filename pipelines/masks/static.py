"""The mask that needs no download: sky and strays from depth and colour, motion from what the memory expected."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.depth.edges import connected
from pipelines.masks import Expected, check_inputs

# Motion and sky are decided on cells: this many along the long side. A cell evens out noise, and small shifts of what
# the memory shows against what was generated.
CELLS = 128
# Largest channel difference, 0..1, that two pictures of one static place show beyond the local range of colours.
SAME_COLOUR = 0.1
# Depths that differ by less than this share show the same surface; neighbours by less than CONTINUES lie on one.
SAME_DEPTH, CONTINUES = 0.1, 0.05
# Sky is at least this many times farther than the nearer third of the picture.
FAR = 2.5
# How far, in cells, something that moves is followed into what the memory does not know.
REACH = 24
# A pixel with fewer than this many of the 24 around it near its own depth is a stray. A line has 4, a 2x2 speck 3.
COMPANY = 4


class StaticMask:
    """The default mask. Deterministic; about 25 ms at 288x512 on one core.

    sky: leave out what looks like sky. Where the estimator knows its sky, leave that out instead, and pass False.
    """

    def __init__(self, sky: bool = True):
        self.sky = sky

    def __call__(
        self, image: np.ndarray, depth: np.ndarray | None = None, expected: Expected | None = None
    ) -> np.ndarray:
        """See `Mask`. Without depth nothing is a stray or sky, without expectation nothing moves."""
        check_inputs(image, depth, expected)
        keep = np.ones(image.shape[:2], dtype=bool)
        if depth is not None:
            keep &= ~is_stray(depth)
            if self.sky:
                keep &= ~is_sky(image, depth)
        if expected is not None:
            keep &= ~has_moved(image, expected, depth)
        return keep


@torch.no_grad()
def is_stray(depth: np.ndarray) -> np.ndarray:
    """depth (H, W) -> (H, W) bool: no depth, or one that too few pixels around share. Lines and edges are none."""
    depth = torch.as_tensor(depth).float()
    depth = torch.where(torch.isfinite(depth) & (depth > 0), depth, 0.0)
    height, width = depth.shape
    padded = F.pad(depth[None, None], (2, 2, 2, 2), mode="replicate")[0, 0]  # a line goes on beyond the border
    company = torch.zeros(height, width, dtype=torch.uint8)
    for dy in range(5):
        for dx in range(5):
            if (dy, dx) != (2, 2):
                other = padded[dy : dy + height, dx : dx + width]
                company += (other - depth).abs() < SAME_DEPTH * depth
    return (company < COMPANY).numpy()


@torch.no_grad()
def is_sky(image: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(H, W) bool: even in colour, farther than all else, and reaching the upper border; +inf depth counts as far.

    For depth whose estimator does not know its sky. It is careful: haze, or a sky behind branches, is often missed.
    """
    colours, _ = cells_of(image)
    far = torch.as_tensor(depth).float().nan_to_num(nan=0.0, posinf=1e6)
    far = F.interpolate(far[None, None], colours.shape[1:], mode="nearest-exact")[0, 0]
    known = far[far > 0]
    if not len(known):
        return np.zeros(depth.shape, dtype=bool)
    near, farthest = known.quantile(torch.tensor([0.3, 0.99])).tolist()
    farthest = far >= max(FAR * near, 0.5 * farthest)
    even = (largest(colours) + largest(-colours)).amax(dim=0) < 0.12
    red, light, blue = colours[0], colours.mean(dim=0), colours[2]
    bright = ((light > light.median()) & (blue > 0.9 * red)) | (blue > 1.1 * red)
    sky = connected(farthest & even & bright, torch.arange(len(far))[:, None] == 0)
    sky = largest(sky) > 0  # the rim of a cell is uneven because it is one
    return resized(sky & farthest, depth.shape)


@torch.no_grad()
def has_moved(image: np.ndarray, expected: Expected, depth: np.ndarray | None = None) -> np.ndarray:
    """(H, W) bool: what was generated where the memory expected something else.

    Colours differ by more than exposure and a small shift explain, or by half of that where depth differs too. Depth
    alone is no motion: it is estimated anew, and the memory judges it by itself. What moves is followed along its
    surface for a while into what the memory does not know.
    """
    known = np.asarray(expected.depth) > 0
    made, _ = cells_of(image, known)
    there, share = cells_of(expected.image, known)
    seen = share > 0.5
    if not seen.any():
        return np.zeros(known.shape, dtype=bool)
    gain = ((made[:, seen] + 0.02) / (there[:, seen] + 0.02)).median(dim=1).values.clamp(0.7, 1.4)
    there = there * gain[:, None, None]
    different = torch.maximum(beyond(made, there, seen), beyond(there, made, seen))
    moved = different > SAME_COLOUR
    if depth is None:
        return resized(grown(moved & seen), known.shape)
    surface, before = (depth_of_cells(x, seen.shape) for x in (depth, expected.depth))
    elsewhere = (surface > 0) & (before > 0) & ((surface - before).abs() > SAME_DEPTH * before)
    moved = grown((moved | (elsewhere & (different > SAME_COLOUR / 2))) & seen)
    # A rim without depth keeps the shifts below from reaching round the border.
    surface, unseen, follow = (F.pad(x, (1, 1, 1, 1)) for x in (surface, ~seen, moved & elsewhere))
    for _ in range(REACH):
        for shift in (-1, 1):
            for axis in (0, 1):
                near = (surface - surface.roll(shift, axis)).abs() < CONTINUES * surface
                follow |= unseen & near & follow.roll(shift, axis)
    moved |= follow[1:-1, 1:-1]
    return resized(moved, known.shape)


# ---- helpers ----------------------------------------------------------------------------------------------------


def cells_of(image: np.ndarray, known: np.ndarray | None = None) -> tuple[Tensor, Tensor]:
    """Mean colours 0..1 of the known pixels of each cell (3, h, w), and their share of the cell (h, w)."""
    height, width = image.shape[:2]
    size = tuple(max(1, round(side * CELLS / max(height, width, CELLS))) for side in (height, width))
    picture = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
    weight = torch.ones(height, width) if known is None else torch.from_numpy(np.ascontiguousarray(known)).float()
    sums = F.adaptive_avg_pool2d(torch.cat([picture * weight, weight[None]]), size)
    return sums[:3] / sums[3].clamp(min=1e-6), sums[3]


def depth_of_cells(depth: np.ndarray, size: torch.Size) -> Tensor:
    """Depth in the middle of each cell, 0 where unknown; never a mean of two surfaces."""
    depth = torch.as_tensor(depth).float().nan_to_num(nan=0.0, posinf=0.0, neginf=0.0).clamp(min=0)
    return F.interpolate(depth[None, None], size, mode="nearest-exact")[0, 0]


def grown(cells: Tensor) -> Tensor:
    """Leave out cells on their own (fewer than four of the nine around), and add the rim of the others."""
    return largest(cells & (F.avg_pool2d(cells[None, None].float(), 3, 1, 1)[0, 0] > 0.4)) > 0


def beyond(value: Tensor, other: Tensor, seen: Tensor) -> Tensor:
    """How far colours (3, h, w) lie outside the range of the other picture around them: (h, w), largest channel."""
    high = largest(torch.where(seen, other, -torch.inf))
    low = -largest(torch.where(seen, -other, -torch.inf))
    return torch.maximum(value - high, low - value).clamp(min=0).amax(dim=0)


def largest(value: Tensor) -> Tensor:
    """The maximum of the 3x3 window around each cell: (..., h, w) -> (..., h, w) float."""
    value = value.float()
    return F.max_pool2d(value.reshape(1, -1, *value.shape[-2:]), 3, 1, 1).reshape(value.shape)


def resized(cells: Tensor, shape: tuple[int, int]) -> np.ndarray:
    return (F.interpolate(cells[None, None].float(), shape, mode="nearest-exact")[0, 0] > 0).numpy()

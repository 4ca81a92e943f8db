"""Which earlier pictures a large model gets as references while it generates a chunk.

`quality` and `cover` take depth maps and cameras only, so that training could choose from a data set as inference does
from the memory. What is trained here has no references.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.cameras import Camera, Trajectory
from pipelines.memory.latent_memory import LatentMemory
from pipelines.memory.projection import NEAR, project, projections, unproject
from pipelines.memory.surfaces import SAME_SURFACE

GRID = 32  # cells along the long side: enough to tell what is seen, if not how it looks
# A reference must add this share of what could be shown of the targets; less is what its neighbours show already.
MIN_GAIN = 0.04
# Quality is counted in whole steps: sums of whole numbers are the same in any order, and so are ties and choices.
STEPS = 1 << 16
PAIRS_PER_PASS = 1_000_000  # candidates times target cells; bounds the working memory to about 100 MB


@torch.no_grad()
def choose_references(
    memory: LatentMemory,
    targets: Trajectory | Iterable[Camera],
    candidates: Trajectory | Iterable[Camera],
    count: int,
    exclude_last: int = 0,
) -> list[int]:
    """Up to `count` candidates that together show best what the targets will see, the most useful one first.

    memory: the surfaces known so far; a picture can only be a reference for those. targets: cameras of the chunk;
    candidates: cameras of the pictures there are, oldest first. exclude_last: newest candidates that are never chosen,
    because the chunk gets them as its preceding frames anyway.
    Returns indices into candidates: fewer than `count` if no other adds anything, [] if the memory is empty.
    Deterministic; of equal candidates the oldest is taken, which has drifted least. Raises ValueError for negative
    numbers.

    For N points, T targets, C candidates and grids of G cells: one readout, O((T + C) N), then O(count C T G).
    """
    if count < 0 or exclude_last < 0:
        raise ValueError(f"count={count} and exclude_last={exclude_last} must not be negative. Use 0.")
    targets, candidates = list(targets), list(candidates)
    candidates = candidates[: max(0, len(candidates) - exclude_last)]
    if not (count and targets and candidates and memory.num_points):
        return []
    long_side = max(targets[0].height, targets[0].width)
    grid = [max(1, round(side * GRID / long_side)) for side in (targets[0].height, targets[0].width)]
    thin = max(1, max(max(view.depth.shape) for view in memory.views) // (2 * GRID))
    depth = memory.readout([*targets, *candidates], *grid, thin=thin).depth
    return cover(quality(depth[: len(targets)], targets, depth[len(targets) :], candidates), count)


def quality(
    target_depth: Tensor,  # (T, h, w) z-depth, 0 = unknown
    targets: Sequence[Camera],
    depth: Tensor,  # (C, h, w)
    candidates: Sequence[Camera],
) -> Tensor:
    """(C, M) int32, 0..STEPS: how well each candidate shows each of the M known target cells.

    0 if the surface is outside its picture or behind something else; otherwise the cosine of the angle between the
    two lines of sight times the share of the target's resolution that it has, at most 1. So STEPS means: as good as
    the picture from the target itself. Cameras may be of any size; all are compared on the grid of the depth maps.
    """
    grid = target_depth.shape[1:]
    targets, candidates = ([camera.resized(*grid) for camera in group] for group in (targets, candidates))
    known = target_depth > 0
    lifted = [unproject(d, camera)[k] for d, camera, k in zip(target_depth, targets, known, strict=True)]
    points, of = torch.cat(lifted), torch.nonzero(known)[:, 0]
    to_target = F.normalize(_positions(targets)[of] - points, dim=-1)
    resolution = _focals(targets)[of] / target_depth[known]
    # A coarse cell of a slanted surface holds many depths, so a point may be as far as the farthest cell next to it.
    limit = F.max_pool2d(depth[:, None], 3, 1, 1)[:, 0] * (1 + SAME_SURFACE)

    def of_some(some: slice) -> Tensor:
        maps = np.stack([projections(camera.K, camera.c2w) for camera in candidates[some]])
        u, v, z = project(points, torch.from_numpy(maps).float())
        inside = (z >= NEAR) & (u >= 0) & (u < grid[1]) & (v >= 0) & (v < grid[0])
        cell = v.clamp(0, grid[0] - 1).long() * grid[1] + u.clamp(0, grid[1] - 1).long()
        visible = inside & (z <= limit[some].flatten(1).gather(1, cell))
        to_candidate = F.normalize(_positions(candidates[some])[:, None] - points, dim=-1)
        share = _focals(candidates[some])[:, None] / z.clamp(min=NEAR) / resolution
        value = (to_candidate * to_target).sum(-1).clamp(0, 1) * share.clamp(max=1) * visible
        return (value * STEPS).round().to(torch.int32)

    per_pass = max(1, PAIRS_PER_PASS // max(1, len(points)))
    return torch.cat([of_some(slice(i, i + per_pass)) for i in range(0, len(candidates), per_pass)])


def cover(quality: Tensor, count: int) -> list[int]:
    """Up to `count` rows of `quality` (C, M) that together cover the columns best, chosen one after the other.

    The worth of a set is the sum over cells of the best quality in it. That is submodular, so the greedy choice is at
    least 63 % as good as the best set there is, and a second picture of what one shows already is worth nothing.
    """
    chosen, best = [], torch.zeros_like(quality[0])
    for _ in range(count):
        gain = (quality - best).clamp(min=0).sum(dim=1)
        index = int(gain.argmax())  # the first of equal ones
        if not gain[index] or gain[index] < MIN_GAIN * STEPS * quality.shape[1]:
            break
        chosen.append(index)
        best = torch.maximum(best, quality[index])
    return chosen


def _positions(cameras: Sequence[Camera]) -> Tensor:
    return torch.tensor(np.stack([camera.position for camera in cameras]), dtype=torch.float32)


def _focals(cameras: Sequence[Camera]) -> Tensor:
    return torch.tensor([np.sqrt(camera.K[0, 0] * camera.K[1, 1]) for camera in cameras], dtype=torch.float32)

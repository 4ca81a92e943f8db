"""Geometry of a hole: the planes that enclose the place, what stands before them, and how far the unseen part is.

Planes decide only where the depth really consists of planes (`trust`). Estimated depth is often bent, and bent depth
read as planes calls a facade "foreground" and fills the hole beside it with sky.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pipelines.inpainting.smooth import nearest_known, smooth_fill

FAR = 1e6  # where no plane is met


@dataclass(frozen=True)
class Surroundings:
    """What a small grid (h, w) of the view says about the room around it.

    planes: (P, 4) rows (n, o) with n . x = o in the view's camera frame, camera on the positive side; P = 0: no trust.
    label: (h, w) int64, the plane met first along the ray, -1 for none.
    foreground: (h, w) bool, known tokens that stand in front; near: (h, w) bool, tokens of the hole where one goes on.
    far: (h, w) depth of the hole, complete: behind the foreground except where `near`.
    trust: 0..1, share of tokens that lie on their plane among those close to it.
    """

    planes: Tensor
    label: Tensor
    foreground: Tensor
    near: Tensor
    far: Tensor
    trust: float


def rays(K: Tensor, h: int, w: int) -> Tensor:
    """Directions with z = 1 through the token centres (at 0.5). (h, w, 3)"""
    y = (torch.arange(h) + 0.5 - K[1, 2]) / K[1, 1]
    x = (torch.arange(w) + 0.5 - K[0, 2]) / K[0, 0]
    return torch.stack([x[None].expand(h, w), y[:, None].expand(h, w), torch.ones(h, w)], -1)


def fit_planes(depth: Tensor, known: Tensor, K: Tensor, seed: int = 0, limit: int = 8, tolerance: float = 0.025):
    """Planes with hardly anything behind them, by RANSAC over points with normals. depth, known: (h, w) -> (P, 4)."""
    g = torch.Generator().manual_seed(seed)
    direction = rays(K, *depth.shape)
    points = direction * depth[..., None]
    normals = torch.zeros_like(points)
    along_x, along_y = points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1]
    normals[1:-1, 1:-1] = F.normalize(torch.linalg.cross(along_x, along_y), dim=-1)
    inner = F.pad(F.max_pool2d(-known[None, None].float(), 3, 1)[0, 0] < -0.5, (1, 1, 1, 1))
    if inner.sum() < 100:
        return torch.zeros(0, 4)
    inner &= depth < 6 * depth[inner].median()
    index = inner.reshape(-1).nonzero()[:, 0]
    index = index[torch.randperm(len(index), generator=g)[:2000]]
    points, normals = points.reshape(-1, 3)[index], normals.reshape(-1, 3)[index]
    z = points[:, 2]
    left = torch.ones(len(index), dtype=torch.bool)
    found, areas = [], []
    for _ in range(limit):
        rest = left.nonzero()[:, 0]
        if len(rest) < 0.05 * len(index):
            break
        pick = rest[torch.randint(len(rest), (160,), generator=g)]
        offset = (normals[pick] * points[pick]).sum(-1)
        close = (points[rest] @ normals[pick].T - offset).abs() < tolerance * z[rest, None]
        close &= (normals[rest] @ normals[pick].T).abs() > 0.85
        members = rest[close[:, close.sum(0).argmax()]]
        if len(members) < 0.025 * len(index):
            break
        for _ in range(2):  # least squares; noise of depth grows with depth, so near points weigh more
            weight = 1 / z[members] ** 2
            centre = (points[members] * weight[:, None]).sum(0) / weight.sum()
            spread = (points[members] - centre) * weight.sqrt()[:, None]
            normal = torch.linalg.eigh(spread.T @ spread)[1][:, 0]
            offset = normal @ centre
            residual = (points[rest] @ normal - offset).abs()
            members = rest[(residual < tolerance * z[rest]) & ((normals[rest] @ normal).abs() > 0.8)]
            if len(members) < 30:
                break
        left[rest[residual < 1.5 * tolerance * z[rest]]] = False
        if len(members) < 30:
            continue
        if offset > 0:
            normal, offset = -normal, -offset
        behind = (points @ normal - offset < -0.05 * z).float().mean()
        if behind < 0.05:
            found.append(torch.cat([normal, offset[None]]))
            slant = (points[members] @ normal).abs() / z[members]
            areas.append((z[members] ** 2 / slant.clamp(min=0.05)).sum())
    if not found:
        return torch.zeros(0, 4)
    areas = torch.stack(areas)
    return torch.stack(found)[areas > 0.04 * areas.max()]  # a cupboard door at the edge of the picture is no wall


def hull(planes: Tensor, K: Tensor, h: int, w: int) -> tuple[Tensor, Tensor]:
    """First plane along each ray: its depth (h, w), FAR where none, and its number (h, w) int64, -1 where none."""
    if not len(planes):
        return torch.full((h, w), FAR), torch.full((h, w), -1)
    slope = rays(K, h, w) @ planes[:, :3].T
    depth = torch.where(slope < -1e-3, planes[:, 3] / slope.clamp(max=-1e-3), FAR)
    depth, label = depth.min(-1)
    return depth, torch.where(depth < FAR, label, -1)


def gap_sides(depth: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gaps that open between a near and a far surface. depth: (h, w); known: (h, w) bool.

    Returns (h, w) float, on known tokens at the near side of a gap the depth of its far side, 0 elsewhere;
    (h, w) bool, known tokens at the far side; and (h, w) bool, the tokens of gaps.
    """
    near, far, gap, away, cut = _gap_sides_of_rows(depth, known)
    near_down, far_down, gap_down, away_down, cut_down = (part.T for part in _gap_sides_of_rows(depth.T, known.T))
    # an object that the frame cuts off is not beside a gap because a column of its rim ends above it by chance
    gap = (gap & ~(cut_down & (away_down < away))) | (gap_down & ~(cut & (away < away_down)))
    return torch.maximum(near, near_down), far | far_down, gap


def _gap_sides_of_rows(depth: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Both ends of every empty run are compared in inverse depth, in which flat surfaces are straight lines.

    Returns also how far every token is from the nearer end, (h, w) int64; and whether the frame cuts its run off.
    """
    h, w = depth.shape
    column = torch.arange(w)[None].expand(h, w)
    left = torch.where(known, column, -1).cummax(1).values
    right = torch.where(known, column, w).flip(1).cummin(1).values.flip(1)
    gap = ~known & (left >= 0) & (right < w)
    a, b = left.clamp(0, w - 1), right.clamp(0, w - 1)
    inverse = torch.where(known, 1 / depth.clamp(min=1e-6), 0.0)
    at_a, at_b = inverse.gather(1, a), inverse.gather(1, b)
    # where the surface at either end would be at the other end
    step = 3
    back_a, back_b = (a - step).clamp(min=0), (b + step).clamp(max=w - 1)
    slope_a = torch.where(known.gather(1, back_a), (at_a - inverse.gather(1, back_a)) / step, 0.0)
    slope_b = torch.where(known.gather(1, back_b), (inverse.gather(1, back_b) - at_b) / step, 0.0)
    length = b - a
    jump = torch.minimum((at_a + slope_a * length - at_b).abs(), (at_b - slope_b * length - at_a).abs())
    jump = torch.minimum(jump, (at_a - at_b).abs())
    gap &= jump > 0.15 * torch.maximum(at_a, at_b)
    nearer, farther = torch.where(at_a > at_b, a, b), torch.where(at_a > at_b, b, a)
    beyond = torch.where(gap, 1 / torch.minimum(at_a, at_b).clamp(min=1e-6), 0.0)
    near = torch.zeros(h, w).scatter_reduce(1, nearer, beyond, "amax")
    far = torch.zeros(h, w).scatter_reduce(1, farther, gap.float(), "amax") > 0
    away = torch.minimum(torch.where(left >= 0, column - left, w + h), torch.where(right < w, right - column, w + h))
    return near, far, gap, away, (left < 0) | (right == w)


def whole_objects(far_side: Tensor, depth: Tensor, within: Tensor, steps: int) -> Tensor:
    """Grow the near sides of gaps over the objects they belong to.

    far_side: (h, w) from gap_sides; within: (h, w) bool, where objects may be. An object goes on without a step, stays
    near one depth (the floor below it does not) and before what lies behind the gap.
    """
    own = torch.where(far_side > 0, depth, 0.0)
    for _ in range(steps):
        wide = F.max_pool2d(far_side[None, None], 3, 1, 1)[0, 0]
        wide_own = F.max_pool2d(own[None, None], 3, 1, 1)[0, 0]
        nearest = -F.max_pool2d(-torch.where(far_side > 0, depth, FAR)[None, None], 3, 1, 1)[0, 0]
        joined = within & (far_side == 0) & ((depth - nearest).abs() < 0.06 * depth) & (depth < 0.87 * wide)
        joined &= (depth - wide_own).abs() < 0.15 * wide_own
        far_side, own = torch.where(joined, wide, far_side), torch.where(joined, wide_own, own)
    return far_side > 0


def survey(depth: Tensor, known: Tensor, K: Tensor, seed: int = 0) -> Surroundings:
    """Look around on a small grid. depth (h, w), 0 where unknown; known (h, w) bool; K of this grid."""
    h, w = depth.shape
    valid = known & (depth > 0) & depth.isfinite()
    planes, trust = torch.zeros(0, 4), 0.0
    if valid.sum() >= 100 and min(h, w) >= 8:
        planes = fit_planes(depth, valid, K, seed)
    if len(planes):
        behind, label = hull(planes, K, h, w)
        use = valid & (depth < 6 * depth[valid].median())
        error = ((depth - behind).abs() / depth.clamp(min=1e-6))[use]
        near = (error < 0.1).float().mean()
        trust = float((error < 0.025).float().mean() / near.clamp(min=1e-3))
        if trust < 0.75 or near < 0.3:
            planes = planes[:0]
    behind, label = hull(planes, K, h, w)
    if len(planes):  # a wall that runs to infinity is no wall there
        limit = 1.5 * depth[valid].quantile(0.98)
        label = torch.where(behind > limit, -1, label)
    far_sides, _, gaps = gap_sides(depth, valid)
    standing = valid
    if len(planes):
        standing = valid & (label >= 0) & (depth < 0.93 * behind)
    foreground = whole_objects(far_sides, depth, standing, steps=max(h, w) // 5)
    if len(planes):
        foreground |= (F.max_pool2d(standing[None, None].float(), 3, 1, 1)[0, 0] > 0) & valid
    usable = valid & ~foreground
    if usable.sum() < 16:
        usable, foreground = valid, torch.zeros_like(valid)
    near = torch.zeros_like(valid)
    if foreground.any():  # a table that the frame cuts off goes on; what stands beside a gap does not
        row, column = nearest_known(known)
        near = ~known & ~gaps & foreground[row, column]
    far = smooth_fill(depth.clamp(min=1e-3).log()[None], usable)[0].exp() if valid.any() else torch.ones(h, w)
    if len(planes):
        far = torch.where(label >= 0, behind, torch.maximum(far, behind.clamp(max=limit)))
    if near.any():
        on = smooth_fill(depth.clamp(min=1e-3).log()[None], foreground)[0].exp()
        far = torch.where(near, torch.minimum(on, far), far)
    return Surroundings(planes, torch.where(near, -1, label), foreground, near, far, trust)


def complete_depth(depth: Tensor, mask: Tensor, K: Tensor, around: Surroundings) -> Tensor:
    """Depth (h, w) of the full grid: known values bit for bit, planes exactly, elsewhere from the small grid."""
    h, w = depth.shape
    far = F.interpolate(around.far.log()[None, None], (h, w), mode="bilinear", align_corners=False)[0, 0].exp()
    if len(around.planes):
        behind, _ = hull(around.planes, K, h, w)
        small = F.interpolate((around.label >= 0)[None, None].float(), (h, w), mode="nearest-exact")[0, 0] > 0
        far = torch.where(small & (behind < FAR), behind, far)
    return torch.where(mask & (depth > 0) & depth.isfinite(), depth, far)

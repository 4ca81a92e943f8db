"""From the network's coarse depth to the photo's resolution: straight where the scene is flat, cut where the photo is.

Everything works on inverse depth, because the inverse depth of a plane is affine in pixel coordinates. Four steps:

1. `sharpen`: a coarse cell that sits on a depth edge holds a mean of two surfaces, a depth that exists nowhere. It
   takes the value that most of the cells of its own colour agree on.
2. `fit_planes` and `straighten`: a handful of large planes (floor, walls, ceiling, table, facade) is found, and what
   agrees with one of them is moved onto it. What agrees with none is left free.
3. `upsample`: every cell carries a small plane. A pixel compares its colour with the cells around it, goes with the
   best match and averages the cells that agree with that one. Values are selected rather than blended across an edge,
   so no pixel flies between two surfaces. `align` then moves the edges to those of the picture.
4. `straighten_lines`: along what is a straight line in the picture, depth is made straight too.
"""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.depth.edges import align, connected
from pipelines.depth.straighten import straighten_lines
from pipelines.pictures import check_picture

CERTAIN = 0.8  # probability that makes a region of the picture a sky
SKY_FACTOR = 1.6  # sky is this many times farther than the 95th percentile of the rest; more tears false skies


def refine_depth(
    log_depth: Tensor,
    image: np.ndarray,
    sky: Tensor | None = None,
    log_error: Tensor | None = None,
    planes: int = 8,
) -> tuple[np.ndarray, np.ndarray]:
    """Coarse depth and its photo -> depth at the photo's size.

    log_depth (h, w) log of z-depth up to a constant; image (H, W, 3) uint8; sky (h, w) probability; log_error (h, w)
    as in DepthOutput; planes: how many planes are looked for at most, 0 switches straightening off, that of lines too.
    Returns z-depth (H, W) float32, positive and finite, and is_sky (H, W) bool. Median depth outside the sky is 1.
    """
    check_picture(image)
    height, width = image.shape[:2]
    photo = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float().div_(255)
    sky = torch.zeros_like(log_depth) if sky is None else sky
    ground = ~certain_sky(sky)
    reference = log_depth[ground].median() if ground.any() else log_depth.median()
    inverse = torch.exp(reference - log_depth).clamp(0.01, 100)
    trust = (
        torch.ones_like(inverse)
        if log_error is None
        else torch.exp(-2 * (log_error - log_error.median())).clamp(0.1, 4)
    )

    guide = F.interpolate(photo[None], log_depth.shape, mode="area")[0]
    sky_inverse = inverse[ground].quantile(0.05) / SKY_FACTOR if ground.any() else inverse.new_tensor(1 / SKY_FACTOR)
    # The sky is one more surface, at a distance of its own, so that its outline is cut like every other edge.
    inverse = torch.where(ground, inverse, sky_inverse)
    inverse = sharpen(inverse, guide, trust)
    is_sky = inverse < SKY_FACTOR**0.5 * sky_inverse
    is_sky = is_sky & (sky > 0.2)
    cells = local_planes(inverse)
    if planes:
        found = fit_planes(inverse, trust * ~is_sky, planes)
        cells = straighten(inverse, cells, found, guide, ~is_sky)
    # By way of a middle size: from 10 pixels to 3 and from 3 to 1 keeps more of the photo's edges than one leap.
    middle = tuple(max(s, min(round(s * 3), f)) for s, f in zip(log_depth.shape, (height, width), strict=True))
    if middle[0] > 1.5 * log_depth.shape[0] and height > 1.5 * middle[0]:
        picture = F.interpolate(photo[None], middle, mode="area")[0]
        inverse = align(upsample(cells, guide, picture), picture, reach(middle, log_depth.shape))
        cells, guide = local_planes(inverse), picture
    inverse = align(upsample(cells, guide, photo), photo, reach((height, width), cells.shape[1:]))
    far = SKY_FACTOR**0.5 * sky_inverse if is_sky.any() else 0.0
    if planes:
        straight = straighten_lines(inverse, photo)
        inverse = torch.where((inverse < far) & (straight < far), inverse, straight)  # a sky moves with nothing
    is_sky = inverse < far
    depth = inverse.clamp(1e-3, 1e3).reciprocal()
    sample = depth[::4, ::4][~is_sky[::4, ::4]]
    depth /= sample.median() if len(sample) else depth.median()
    return depth.numpy(), is_sky.numpy()


def certain_sky(sky: Tensor) -> Tensor:
    """sky (h, w) probability -> (h, w) bool: regions above one half that are nearly certain somewhere.

    A pale door or a bright window is a doubtful sky all over; a sky is doubtful only towards its outline.
    """
    return connected(sky > 0.5, sky > CERTAIN)


def reach(size: tuple[int, int], cells: tuple[int, int]) -> int:
    """How many pixels an edge may be off after upsampling: one and a half cells."""
    return max(2, round(1.5 * size[0] / cells[0]))


def neighbours(grid: Tensor, radius: int) -> Tensor:
    """(C, h, w) -> (n, C, h, w) with n = (2 radius + 1) squared, row by row; edges repeat."""
    height, width = grid.shape[-2:]
    padded = F.pad(grid[None], (radius,) * 4, mode="replicate")[0]
    side = 2 * radius + 1
    return torch.stack([padded[:, dy : dy + height, dx : dx + width] for dy in range(side) for dx in range(side)])


def sharpen(inverse: Tensor, guide: Tensor, trust: Tensor, radius: int = 2, passes: int = 2) -> Tensor:
    """Weighted mode of the window: inverse, trust (h, w), guide (3, h, w) -> inverse (h, w).

    Neighbours vote with their own small planes, so a slope votes for itself. Votes fall with the difference in colour
    and with how bent the neighbour's surroundings are, since such a cell is likely a mixture.
    """
    side = 2 * radius + 1
    offsets = torch.arange(side) - radius
    near = torch.exp(-(offsets[:, None] ** 2 + offsets[None] ** 2) / (2 * radius**2)).reshape(-1, 1, 1)
    off_y, off_x = (o.reshape(-1, 1, 1) for o in torch.meshgrid(offsets, offsets, indexing="ij"))
    alike = torch.exp(-(neighbours(guide, radius) - guide).square().sum(1) / (2 * 0.10**2)) + 0.02
    inside = F.unfold(torch.ones_like(inverse)[None, None], side, padding=radius).reshape(-1, *inverse.shape)
    for _ in range(passes):
        value, slope_x, slope_y = local_planes(inverse)
        around = neighbours(inverse[None], 1)[:, 0]
        bend = (around[3] + around[5] - 2 * inverse).abs() + (around[1] + around[7] - 2 * inverse).abs()
        bend[[0, -1]], bend[:, [0, -1]] = bend[[1, -2]], bend[:, [1, -2]]
        clean = torch.exp(-bend / (0.1 * inverse)) + 0.05
        packed = neighbours(torch.stack([value, slope_x, slope_y, clean * trust]), radius)
        reach = -packed[:, 1] * off_x - packed[:, 2] * off_y
        votes = (packed[:, 0] + reach.clamp(-0.5 * packed[:, 0], 0.5 * packed[:, 0])).log()
        weights = packed[:, 3] * alike * near * inside
        support = torch.stack([(weights * torch.exp(-((votes - v) / 0.06).square())).sum(0) for v in votes.unbind(0)])
        best = votes.gather(0, (support * inside).argmax(0, keepdim=True))
        chosen = weights * torch.exp(-((votes - best) / 0.06).square())
        mode = (chosen * votes).sum(0) / chosen.sum(0)
        # A cell that agrees with the mode keeps its own, finer value.
        move = (((inverse.log() - mode).abs() - 0.04) / 0.04).clamp(0, 1)
        inverse = torch.exp(torch.lerp(inverse.log(), mode, move))
    return inverse


def local_planes(inverse: Tensor) -> Tensor:
    """(h, w) -> (3, h, w): value and slopes along x and y per cell; the smaller one-sided slope, so no edge leaks."""
    padded = F.pad(inverse[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    left, right = inverse - padded[1:-1, :-2], padded[1:-1, 2:] - inverse
    up, down = inverse - padded[:-2, 1:-1], padded[2:, 1:-1] - inverse
    # At the border of the picture one side is missing; take the other.
    left[:, 0], right[:, -1] = right[:, 0], left[:, -1]
    up[0], down[-1] = down[0], up[-1]
    return torch.stack([inverse, smaller(left, right), smaller(up, down)])


def smaller(a: Tensor, b: Tensor) -> Tensor:
    """The one of smaller magnitude where both have the same sign, else 0 (minmod)."""
    return torch.where(a * b > 0, torch.where(a.abs() < b.abs(), a, b), torch.zeros_like(a))


def plane_basis(height: int, width: int) -> Tensor:
    """(3, h, w): ones, x, y with x and y in [-1, 1] at cell centres."""
    y = (torch.arange(height) + 0.5) / height * 2 - 1
    x = (torch.arange(width) + 0.5) / width * 2 - 1
    yy, xx = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([torch.ones_like(xx), xx, yy])


def weighted_planes(basis: Tensor, inverse: Tensor, weights: Tensor) -> Tensor:
    """Least squares of inverse (n,) on basis (n, 3), one plane for each row of weights (k, n) -> (k, 3)."""
    pairs = (basis[:, :, None] * basis[:, None, :]).reshape(-1, 9)
    normal = (weights @ pairs).reshape(-1, 3, 3)
    ridge = torch.eye(3) * (1e-4 * normal[:, :1, :1] + 1e-9)
    return torch.linalg.solve(normal + ridge, (weights @ (basis * inverse[:, None]))[..., None])[..., 0]


def fit_planes(
    inverse: Tensor, weights: Tensor, count: int = 8, tolerance: float = 0.04, smallest: float = 0.03
) -> Tensor:
    """The large planes of a scene, the largest first: (k, 3) coefficients on `plane_basis`, k <= count.

    Candidates are least-squares fits to windows of three sizes all over the picture, made robust by reweighting, so
    the result does not depend on chance. A plane must explain the share `smallest` of the picture within `tolerance`
    of its inverse depth, and explained cells are taken out before the next is looked for.
    """
    basis = plane_basis(*inverse.shape).flatten(1).T.contiguous()
    value, left = inverse.flatten(), weights.flatten().clone()
    sigma = tolerance * value
    total = weights.sum().clamp(min=1e-6)
    yy, xx = basis[:, 2], basis[:, 1]
    windows = []
    for half in (0.2, 0.4, 0.8):
        steps = torch.linspace(-1 + half, 1 - half, 3 if half == 0.8 else round(2 / half) - 1)
        windows += [((yy - y).abs() < half) & ((xx - x).abs() < half) for y in steps for x in steps]
    windows = torch.stack(windows).float()
    found = []
    for _ in range(count):
        planes = weighted_planes(basis, value, windows * left / sigma.square() + 1e-12)
        # The narrower the later fits, the less the far side of a crease bends the plane.
        for narrow in (1.0, 1.0, 0.7, 0.4, 0.25):
            residual = (planes @ basis.T - value) / (sigma * narrow)
            robust = left / (1 + residual.square()).square()
            planes = weighted_planes(basis, value, robust / sigma.square() + 1e-12)
        residual = (planes @ basis.T - value) / sigma
        agree = left * (residual.abs() < 1.5)
        best = int(agree.sum(1).argmax())
        if agree[best].sum() < smallest * total:
            break
        plane = planes[best]
        found.append(plane)
        left = left * (residual[best].abs() > 2.5)
    return torch.stack(found) if found else torch.zeros(0, 3)


def straighten(inverse: Tensor, cells: Tensor, planes: Tensor, guide: Tensor, allowed: Tensor) -> Tensor:
    """Move the cells that agree with a plane onto it: cells (3, h, w) as from `local_planes` -> the same.

    Full pull within 3 % of a plane, none beyond 9 %; both are judged over a window of cells of one colour, so a single
    cell neither sticks to a plane its neighbours ignore nor drops out of one they follow. Planes that fit equally well
    share a cell, which keeps creases closed.
    """
    if not len(planes):
        return cells
    height, width = inverse.shape
    on_plane = torch.einsum("kc,chw->khw", planes, plane_basis(height, width))
    residual = ((on_plane - inverse) / inverse).abs().clamp(max=0.3)
    alike = torch.exp(-(neighbours(guide, 2) - guide).square().sum(1) / (2 * 0.12**2)) + 0.05
    smooth = residual
    for _ in range(3):
        smooth = (neighbours(smooth, 2) * alike[:, None]).sum(0) / alike.sum(0)
    cost = torch.maximum(smooth, 0.7 * residual).masked_fill(on_plane < 0.02, 1.0)
    share = torch.softmax(-cost / 0.008, 0)
    pull = ((0.09 - (share * cost).sum(0)) / 0.06).clamp(0, 1) * allowed
    slope_x, slope_y = planes[:, 1] * 2 / width, planes[:, 2] * 2 / height
    flat = torch.stack(
        [on_plane, *torch.broadcast_tensors(slope_x[:, None, None], slope_y[:, None, None], on_plane)[:2]]
    )
    return torch.lerp(cells, (share * flat).sum(1), pull[None])


def upsample(cells: Tensor, guide: Tensor, photo: Tensor, colour: float = 0.06, agree: float = 0.04) -> Tensor:
    """cells (3, h, w) as from `local_planes`, guide (3, h, w) their mean colours, photo (3, H, W) -> inverse (H, W).

    Worked in strips of rows, so that the nine candidates of a strip stay in the cache.
    """
    rows, columns = cells.shape[1:]
    height, width = photo.shape[1:]
    table = F.pad(torch.cat([cells, guide])[None], (1, 1, 1, 1), mode="replicate")[0]
    # A replicated border cell lies one cell farther out; its plane must be read from there.
    x = (torch.arange(width) + 0.5) * columns / width - 0.5
    y = (torch.arange(height) + 0.5) * rows / height - 0.5
    column, row = x.round().long().clamp(0, columns - 1), y.round().long().clamp(0, rows - 1)
    out = torch.empty(height, width)
    strip = max(1, 40000 // width)
    for top in range(0, height, strip):
        stop = min(height, top + strip)
        pixels = photo[:, top:stop]
        values, places, colours = [], [], []
        for dy in (0, 1, 2):
            line = table[:, row[top:stop] + dy]
            off_y = (y[top:stop] - (row[top:stop] + dy - 1).clamp(0, rows - 1))[:, None]
            for dx in (0, 1, 2):
                here = line[:, :, column + dx]
                off_x = (x - (column + dx - 1).clamp(0, columns - 1))[None]
                # Slopes reach at most half the value, so an extrapolated plane never turns over.
                reach = torch.addcmul(here[1] * off_x, here[2], off_y)
                value = here[0] + torch.minimum(torch.maximum(reach, -0.5 * here[0]), 0.5 * here[0])
                values.append(value)
                places.append((off_x**2 + off_y**2) / (2 * 0.6**2))
                colours.append((here[3:] - pixels).square().sum(0).mul_(0.5 / colour**2))
        # Where the cells agree there is nothing to choose, and choosing by colour would print the texture on the depth.
        low, high = functools.reduce(torch.minimum, values), functools.reduce(torch.maximum, values)
        choice = ((high / low - 1 - agree) / (2 * agree)).clamp_(0, 1)
        distances = [c.mul_(choice).add_(p) for c, p in zip(colours, places, strict=True)]
        nearest, best = distances[0], values[0]
        for value, distance in zip(values[1:], distances[1:], strict=True):
            best = torch.where(distance < nearest, value, best)
            nearest = torch.minimum(distance, nearest)
        tolerance = agree * best
        total, mass = torch.zeros_like(best), torch.zeros_like(best)
        for value, distance in zip(values, distances, strict=True):
            weight = (nearest - distance).exp_().mul_((value - best).abs_() < tolerance)
            total.addcmul_(weight, value)
            mass += weight
        out[top:stop] = total / mass
    return out

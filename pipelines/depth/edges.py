"""Edges of depth, moved to the edges of the picture, and near surfaces grown over what is behind them."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Neighbours whose depths differ by more than this, as a logarithm, come apart when the camera moves.
APART = 0.1
# Depths whose logarithms differ by more than this within reach of an edge are two sides of it.
CONTRAST = 0.15
# On one side of an edge depth varies less than this, as a logarithm.
SIDE = 0.08
# On one surface depth varies less than this between three neighbours.
EVEN = 0.04
# Weight of the vote of a pixel beside an edge, whose depth may be that of the other side.
DOUBT = 0.2
# How much steeper depth changes than the votes for near and far.
SNAP = 4.0


def align(inverse: Tensor, photo: Tensor, reach: int) -> Tensor:
    """Move every depth edge to the picture edge it stands for, and make it one clean step.

    inverse (H, W) inverse depth, positive; photo (3, H, W) in [0, 1]; reach: how many pixels an edge may be off.
    Returns (H, W) inverse depth; what is farther than `reach` from any edge is unchanged. To which side a pixel beside
    an edge belongs is decided by the pixels around it, which vote for near or far; a vote counts the less the more
    colour changes on its way. The pixel then takes the value of that side.
    """
    value = inverse.log()
    edge, high, low = outlines(value, reach, CONTRAST)
    if not edge.any():
        return inverse
    beside = largest(edge.float(), reach)
    around, beside = largest(beside, reach) > 0, beside > 0
    near = value > (largest(high, reach) - largest(-low, reach)) / 2
    weight = torch.where(beside, DOUBT, 1.0) * around
    votes = smooth_within_colours(torch.stack([weight * near, weight]), photo, 2.0 * reach)
    # 0 is far, 1 is near. Where no picture edge lies between the two, the votes change slowly, and so will the depth:
    # stretched, an even colour looks the same, and torn it does not.
    share = (SNAP * (votes[0] / votes[1].clamp(min=1e-9) - 0.5) + 0.5).clamp(0, 1)
    return two_sides(value, near, share, beside, high, low, reach).exp()


def outlines(value: Tensor, reach: int, contrast: float) -> tuple[Tensor, Tensor, Tensor]:
    """Where a near surface ends before a far one, and the greatest and least value within reach: (H, W) each.

    value (H, W): logarithm of inverse depth.
    """
    height, width = value.shape
    high, low = largest(value, reach), -largest(-value, reach)
    # A slope rises evenly over the window, an edge, however blurred, within half of it.
    step = max(1, reach // 2)
    padded = F.pad(value[None, None], (step,) * 4, mode="replicate")[0, 0]
    across = (padded[step:-step, 2 * step :] - padded[step:-step, :width]).abs()
    down = (padded[2 * step :, step:-step] - padded[:height, step:-step]).abs()
    return (torch.maximum(across, down) > 0.7 * (high - low)) & (high - low > contrast), high, low


def two_sides(
    value: Tensor, near: Tensor, share: Tensor, beside: Tensor, high: Tensor, low: Tensor, reach: int
) -> Tensor:
    """Give what lies beside an edge the value of the side it belongs to: (H, W), elsewhere as it is.

    near (H, W) bool: on which side it is by its own value; share (H, W): 0 far, 1 near, on which it shall be; high and
    low: see `outlines`.
    """
    # What lies between the two sides and is even is a third surface; what is uneven is the blur of the edge.
    even = largest(value, 1) + largest(-value, 1) < EVEN
    front = spread(value, near & (~beside | even | (value > high - SIDE)), beside & (share > 0), reach)
    back = spread(value, ~near & (~beside | even | (value < low + SIDE)), beside & (share < 1), reach)
    return torch.where(beside, torch.lerp(back, front, share), value)


def largest(value: Tensor, radius: int) -> Tensor:
    """The maximum of the window of 2 radius + 1 pixels around each: (H, W) -> (H, W)."""
    rows = F.max_pool2d(value[None, None], (2 * radius + 1, 1), 1, (radius, 0))
    return F.max_pool2d(rows, (1, 2 * radius + 1), 1, (0, radius))[0, 0]


def connected(allowed: Tensor, start: Tensor) -> Tensor:
    """(H, W) bool: what a path through allowed pixels, of eight neighbours each, leads to from those of the start."""
    reached = allowed & start
    while True:
        wider = (largest(reached.float(), 1) > 0) & allowed
        if torch.equal(wider, reached):
            return reached
        reached = wider


def smooth_within_colours(values: Tensor, photo: Tensor, scale: float, colour: float = 0.05, rounds: int = 3) -> Tensor:
    """Least-squares smoothing that stops at picture edges: values (C, H, W), photo (3, H, W) in [0, 1] -> (C, H, W).

    scale: how far, in pixels, a value reaches where colour is even; colour: the step between two pixels that counts as
    an edge. The system is solved along rows, then columns, `rounds` times (Min et al., Fast Global Image Smoothing,
    TIP 2014), so it costs a few passes over the picture whatever the scale.
    """
    beside = torch.exp(-(photo[:, :, 1:] - photo[:, :, :-1]).abs().amax(0) / colour) + 0.003
    below = torch.exp(-(photo[:, 1:] - photo[:, :-1]).abs().amax(0) / colour) + 0.003
    values = values.permute(1, 0, 2).contiguous()  # (H, C, W)
    for turn in range(1, rounds + 1):
        strength = 1.5 * 4 ** (rounds - turn) / (4**rounds - 1) * scale**2
        across = smooth_chain(values.permute(2, 1, 0).contiguous(), strength * beside.T.contiguous())
        values = smooth_chain(across.permute(2, 1, 0).contiguous(), strength * below)
    return values.permute(1, 0, 2)


def smooth_chain(values: Tensor, links: Tensor) -> Tensor:
    """Minimise |u - values|^2 + links |du|^2 along the first axis: values (n, C, m), links (n - 1, m) -> (n, C, m).

    Gaussian elimination of a tridiagonal system, all m lines at once. `values` is overwritten.
    """
    back = torch.empty_like(links)
    pivot = (1 + links[0]).reciprocal_()
    values[0] *= pivot
    for i, link in enumerate(links):
        torch.mul(link, pivot, out=back[i])
        pivot = 1 + link - link * back[i]
        if i + 1 < len(links):
            pivot += links[i + 1]
        pivot.reciprocal_()
        values[i + 1].addcmul_(link, values[i]).mul_(pivot)
    for i in range(len(links) - 1, -1, -1):
        values[i].addcmul_(back[i], values[i + 1])
    return values


def spread(value: Tensor, known: Tensor, wanted: Tensor, radius: int) -> Tensor:
    """Give wanted pixels the mean of the known ones around them, from the border inwards, evened out over `radius`.

    value (H, W), known and wanted (H, W) bool. What no known pixel leads to keeps its value.
    """
    width = value.shape[1] + 2
    wanted = wanted & ~known
    value, known, todo = (F.pad(x[None, None].float(), (1, 1, 1, 1))[0, 0] for x in (value, known, wanted))
    flat, known, todo = value.reshape(-1), known.reshape(-1), todo.reshape(-1).nonzero()[:, 0]
    offsets = torch.tensor([dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx])
    while len(todo):
        around = todo[:, None] + offsets
        weight = known[around]
        total = weight.sum(1)
        reached = total > 0
        if not reached.any():
            break
        flat[todo[reached]] = ((weight * flat[around]).sum(1) / total)[reached]
        known[todo[reached]] = 1.0
        todo = todo[~reached]
    value = value[1:-1, 1:-1]
    # Each pixel follows the one on the border it was reached from; together they must not show the border's unevenness.
    filled = (wanted & (known.reshape(-1, width)[1:-1, 1:-1] > 0)).float()
    mean = box_mean(torch.stack([torch.where(filled > 0, value, 0), filled]), radius)
    return torch.where(filled > 0, mean[0] / mean[1].clamp(min=1e-9), value)


def box_mean(values: Tensor, radius: int) -> Tensor:
    """Mean of the window of 2 radius + 1 pixels around each, zeros outside: (C, H, W) -> (C, H, W)."""
    side = 2 * radius + 1
    # In double precision, or the differences of sums over the whole picture would be rough.
    sums = F.pad(values.double(), (radius + 1, radius) * 2).cumsum(1).cumsum(2)
    rows = sums[:, side:] - sums[:, :-side]
    return ((rows[:, :, side:] - rows[:, :, :-side]) / side**2).to(values.dtype)


def grow_near(depth: np.ndarray, valid: np.ndarray, radius: int) -> np.ndarray:
    """Let near surfaces reach `radius` pixels over what is behind them.

    Along an outline the pixels of a photo mix near and far colours. On the far surface they would stay behind as a
    ghost of the outline when the camera moves; on the near one they travel with it, as a thin rim that nobody sees.
    The new outline is even where the old one was ragged, and one clean step where it was a ramp.
    depth (H, W) z-depth, valid (H, W) bool. Returns (H, W) float32; depth away from edges is unchanged.
    """
    if radius < 1:
        return depth
    known = torch.from_numpy(valid)
    value = -torch.from_numpy(np.where(valid, depth, 1).astype(np.float32)).log()
    if not valid.all():
        value = spread(value, known, ~known, 1)
    reach = 2 * radius
    edge, high, low = outlines(value, reach, APART)
    beside = largest(edge.float(), radius) > 0
    near = beside & (2 * value > high + low)
    # Twice a box is a triangle, of which an eighth lies `radius` beyond a straight edge. Over a ragged one it is even.
    grown = box_mean(box_mean(near[None].float(), radius), radius)[0] > 1 / 8
    value = two_sides(value, near, grown.float(), beside, high, low, reach)
    # Where depth is uneven along an outline, the outline would be when the camera moves.
    for side in (beside & grown, beside & ~grown):
        ends = [torch.where(side, end, -torch.inf) for end in (value, -value)]
        one_surface = largest(ends[0], radius) + largest(ends[1], radius) < APART
        total, count = box_mean(torch.stack([torch.where(side, value, 0.0), side.float()]), radius)
        value = torch.where(side & edge & one_surface, total / count.clamp(min=1e-9), value)
    return np.where(valid & beside.numpy(), (-value).exp().numpy(), depth).astype(np.float32)

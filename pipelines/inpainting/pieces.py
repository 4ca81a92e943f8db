"""Large pieces instead of single tokens: few offsets, with as few seams as the match allows, and on a finer grid."""

import torch
from torch import Tensor
from torch.nn import functional as F

from pipelines.inpainting.config import SearchConfig
from pipelines.inpainting.grids import Grid


def large_pieces(vectors: Tensor, field: Tensor, grid: Grid, liking: Tensor, config: SearchConfig) -> Tensor:
    """One source for every token of the hole out of the most frequent offsets, with as few seams as the match allows.

    vectors: (h * w, n), squared distance = cost of a match. Min-sum belief propagation with a constant cost per seam.
    """
    h, w = field.shape
    nodes = grid.hole.reshape(-1).nonzero()[:, 0]
    if not len(nodes):
        return field
    match = field.reshape(-1)[nodes]
    code = (match // w - nodes // w + h) * (2 * w) + match % w - nodes % w + w
    histogram = torch.bincount(code, minlength=4 * h * w).float().reshape(1, 1, 2 * h, 2 * w)
    histogram = F.avg_pool2d(histogram, 3, 1, 1)
    peaks = histogram * (histogram == F.max_pool2d(histogram, 3, 1, 1))
    top = peaks.reshape(-1).topk(min(config.offsets, peaks.numel())).indices
    y = nodes[:, None] // w + top // (2 * w) - h
    x = nodes[:, None] % w + top % (2 * w) - w
    inside = (y >= 0) & (y < h) & (x >= 0) & (x < w)
    index = y.clamp(0, h - 1) * w + x.clamp(0, w - 1)
    inside &= grid.source.reshape(-1)[index]
    cost = torch.stack([((vectors[nodes] - vectors[i]) ** 2).sum(1) for i in index.T], 1)
    cost += liking.reshape(-1)[index]
    unary = torch.zeros(h * w, len(top))
    unary[nodes] = torch.where(inside, cost, 10.0)
    unary = unary.reshape(h, w, -1)
    seam = config.seam * grid.hole.float()[..., None]
    across, down = torch.minimum(seam[:, 1:], seam[:, :-1]), torch.minimum(seam[1:], seam[:-1])

    def send(belief: Tensor, edge: Tensor) -> Tensor:
        return torch.minimum(belief - belief.min(-1, keepdim=True).values, edge)

    from_left, from_right, from_above, from_below = (torch.zeros_like(unary) for _ in range(4))
    for _ in range(20):
        belief = unary + from_left + from_right + from_above + from_below
        new = send((belief - from_right)[:, :-1], across), send((belief - from_left)[:, 1:], across)
        new += send((belief - from_below)[:-1], down), send((belief - from_above)[1:], down)
        slots = from_left[:, 1:], from_right[:, :-1], from_above[1:], from_below[:-1]
        for slot, message in zip(slots, new, strict=True):
            slot.lerp_(message, 0.5)  # damped, or loops of the grid oscillate
    belief = unary + from_left + from_right + from_above + from_below
    label = belief.reshape(h * w, -1)[nodes].argmin(1, keepdim=True)
    chosen = torch.where(inside.gather(1, label), index.gather(1, label), match[:, None])[:, 0]
    return field.reshape(-1).scatter(0, nodes, chosen).reshape(h, w)


def enlarge(field: Tensor, size: tuple[int, int]) -> Tensor:
    """A field of flat indices (h, w) on a finer grid: every token keeps the offset of its cell."""
    h, w = field.shape
    H, W = size
    rows, columns = torch.arange(H), torch.arange(W)
    y, x = (rows * h // H)[:, None], (columns * w // W)[None]
    match = field[y, x]
    dy = ((match // w - y) * (H / h)).round().long()
    dx = ((match % w - x) * (W / w)).round().long()
    return (rows[:, None] + dy).clamp(0, H - 1) * W + (columns[None] + dx).clamp(0, W - 1)

"""Pieces copied into a hole, joined in the gradient domain (Perez et al., "Poisson image editing", SIGGRAPH 2003)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def blend(
    features: Tensor,
    copied: Tensor,
    guide: Tensor,
    field: Tensor,
    mask: Tensor,
    sourced: Tensor,
    layer: Tensor,
    colour: Tensor,
    pull: float,
) -> Tensor:
    """Join copied pieces: inside a piece its differences are kept, a seam takes the mean of what both sides say.

    features, copied, guide: (C, h, w); field: (h, w) flat index of the source; mask, sourced (has a source), layer
    (known foreground, which must not bleed into what is behind it): (h, w) bool. pull: towards guide, 1 / frame width.
    """
    c, h, w = features.shape
    hole = ~mask
    nodes = hole.reshape(-1).nonzero()[:, 0]
    values, current = features.reshape(c, -1).T.contiguous(), copied.reshape(c, -1).T.contiguous()
    has_source, usable, layer = (sourced & hole).reshape(-1), mask.reshape(-1), layer.reshape(-1)
    field = field.reshape(-1)
    strength = (pull / max(h, w)) ** 2
    rhs = strength * (guide.reshape(c, -1).T[nodes] - current[nodes])
    weights = []
    for dy, dx in STEPS:
        neighbour, inside = stepped(nodes, dy, dx, h, w)
        ahead, ahead_inside = stepped(field[nodes], dy, dx, h, w)
        behind, behind_inside = stepped(field[neighbour], -dy, -dx, h, w)
        mine = (ahead_inside & has_source[nodes] & usable[ahead])[:, None]
        theirs = (behind_inside & has_source[neighbour] & usable[behind])[:, None]
        wanted = torch.where(mine, values[ahead] - values[field[nodes]], 0.0)
        wanted += torch.where(theirs, values[field[neighbour]] - values[behind], 0.0)
        wanted /= (mine.float() + theirs.float()).clamp(min=1)
        weight = (inside & (layer[neighbour] == layer[nodes])).to(values.dtype)
        rhs += weight[:, None] * (current[neighbour] - current[nodes] - wanted)
        weights.append(weight)
    # an edge to a known token holds the correction at 0: it is an anchor, not a link
    weights = torch.stack(weights, 1)
    linked = torch.stack([hole.reshape(-1)[stepped(nodes, dy, dx, h, w)[0]] for dy, dx in STEPS], 1)
    anchor = (weights * ~linked).sum(1, keepdim=True)
    links, anchor = on_grid(weights * linked, nodes, h, w), on_grid(anchor, nodes, h, w)[0]
    correction = solve(on_grid(rhs @ colour.T, nodes, h, w), links, anchor + strength * hole, hole)
    return torch.where(mask, features, copied + torch.einsum("kc,khw->chw", colour, correction))


STEPS = (0, 1), (0, -1), (1, 0), (-1, 0)


def stepped(index: Tensor, dy: int, dx: int, h: int, w: int) -> tuple[Tensor, Tensor]:
    """The token one step on, clamped to the grid, and whether it is on the grid."""
    y, x = index // w + dy, index % w + dx
    return y.clamp(0, h - 1) * w + x.clamp(0, w - 1), (y >= 0) & (y < h) & (x >= 0) & (x < w)


def on_grid(rows: Tensor, nodes: Tensor, h: int, w: int) -> Tensor:
    """rows (n, C) at flat indices -> (C, h, w), 0 elsewhere."""
    grid = rows.new_zeros(h * w, rows.shape[1])
    grid[nodes] = rows
    return grid.T.reshape(-1, h, w)


def solve(rhs: Tensor, links: Tensor, anchor: Tensor, hole: Tensor) -> Tensor:
    """Minimum of sum links (c_j - c_i)^2 / 2 + anchor c_i^2 / 2 - rhs c_i, from the minimum on a grid half as fine.

    rhs: (C, h, w); links: (4, h, w) weights of the four edges in the order of STEPS; anchor: (h, w) pull towards 0;
    hole: (h, w) bool, the tokens to solve for. Returns (C, h, w), 0 outside the hole.
    """
    c, h, w = rhs.shape
    nodes = hole.reshape(-1).nonzero()[:, 0]
    if not len(nodes):
        return torch.zeros_like(rhs)
    x, iterations = rhs.new_zeros(len(nodes), c), 60
    if len(nodes) > 300:
        rhs_half, links_half, anchor_half, hole_half = halved(rhs, links, anchor, hole)
        coarse = solve(rhs_half, links_half, anchor_half, hole_half)
        fine = F.interpolate(coarse[None], scale_factor=2, mode="bilinear", align_corners=False)[0, :, :h, :w]
        x, iterations = fine.reshape(c, -1).T[nodes], 12
    number = torch.full((h * w,), len(nodes))
    number[nodes] = torch.arange(len(nodes))
    neighbours = [number[stepped(nodes, dy, dx, h, w)[0]] for dy, dx in STEPS]
    edges = links.reshape(4, -1)[:, nodes, None]
    diagonal = edges.sum(0) + anchor.reshape(-1)[nodes, None] + 1e-9

    def apply(v: Tensor) -> Tensor:
        v = torch.cat([v, v.new_zeros(1, c)])
        out = diagonal * v[:-1]
        for edge, neighbour in zip(edges, neighbours, strict=True):
            out -= edge * v[neighbour]
        return out

    residual = rhs.reshape(c, -1).T[nodes] - apply(x)
    direction = residual / diagonal
    size = (residual * direction).sum(0)
    for _ in range(iterations):
        image = apply(direction)
        length = size / (direction * image).sum(0).clamp(min=1e-20)
        x = x + length * direction
        residual = residual - length * image
        scaled = residual / diagonal
        previous, size = size, (residual * scaled).sum(0)
        direction = scaled + size / previous.clamp(min=1e-20) * direction
    return on_grid(x, nodes, h, w)


def halved(rhs: Tensor, links: Tensor, anchor: Tensor, hole: Tensor):
    """The same problem for values that are constant on cells of 2 x 2: all terms of a cell add up."""
    h, w = hole.shape
    pad = (0, w % 2, 0, h % 2)
    rhs, links, anchor = (F.pad(a, pad) for a in (rhs, links, anchor))
    right, left, down, up = links
    right, left = right[:, 1::2], left[:, 0::2]  # only the outer edges of a cell lead to another one
    down, up = down[1::2], up[0::2]
    across = [edge[0::2] + edge[1::2] for edge in (right, left)]
    along = [edge[:, 0::2] + edge[:, 1::2] for edge in (down, up)]
    hole = F.max_pool2d(F.pad(hole, pad)[None, None].float(), 2)[0, 0] > 0
    rhs, anchor = 4 * F.avg_pool2d(rhs[None], 2)[0], 4 * F.avg_pool2d(anchor[None, None], 2)[0, 0]
    return rhs, torch.stack(across + along), anchor, hole

"""The search for like patches: every patch of the hole looks for the known patch most like it, and the matches vote.

Wexler et al., "Space-time completion of video", PAMI 2007. What makes a match good or bad beside its colours is in
`places`, `preference` and `uniqueness`.
"""

from collections.abc import Generator

import torch
from torch import Tensor
from torch.nn import functional as F

from pipelines.inpainting.config import SearchConfig
from pipelines.inpainting.grids import Grid, away, resize, scaled_colour, unbroken
from pipelines.inpainting.pieces import large_pieces


def search(
    grid: Grid,
    x: Tensor,
    rounds: int,
    config: SearchConfig,
    first: bool,
    last: bool,
    liking: Tensor,
) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """Match and vote on one grid (h, w), from start values x (C, h, w).

    liking (h, w): added to the cost of copying from there. The first grid grows the fill inwards: a patch is compared
    only where it is known or filled already. The last one puts large pieces together.
    Yields after every round. Returns the filled x and the field (h, w) int64, flat index of every token's source.
    """
    h, w = grid.known.shape
    size, r = config.patch, config.patch // 2
    rim = (r, r, r, r)
    canvas = F.pad(x[None], rim, mode="replicate")[0]
    free = F.pad(grid.hole, rim, value=True)  # what lies outside the frame is unknown as well
    near = F.max_pool2d(grid.hole[None, None].float(), size, 1, r)[0, 0] > 0
    query = near.reshape(-1).nonzero()[:, 0]
    pool = candidates(grid, size)
    colour, place = scaled_colour(grid), places(grid, config)
    distance = away(grid.known)
    trust = 0.1 + 0.9 * 0.85**distance
    use = torch.zeros(h * w)
    for turn in range(rounds):
        seen = colour_patches(canvas, colour, size)
        price = config.reuse * (use[pool] - 1).clamp(0, 4) + liking.reshape(-1)[pool]
        if first:
            filled = F.pad(trust * (distance <= turn * r), rim)
            weight = F.unfold(filled[None, None], size)[0].T[query].repeat(1, len(colour)) + config.guess
            weight = weight / weight.sum(1, keepdim=True) * len(colour)
            cost, best = best_by_what_is_filled(seen[query], weight, seen[pool], place[query], place[pool], price)
        else:
            if turn == 0:
                projection = principal(seen[pool], 32) / size
                reference = torch.cat([seen[pool] @ projection, place[pool]], 1)
            cost, best = best_match(torch.cat([seen[query] @ projection, place[query]], 1), reference, price)
        match = pool[best]
        use = torch.bincount(match, minlength=h * w).float()
        vote = torch.exp(-cost / (config.temperature * cost.median().clamp(min=1e-4))) * trust.reshape(-1)[query] + 1e-6
        change = free & F.pad(distance <= (turn + 1) * r, rim, value=True) if first else free
        canvas = voted(canvas, size, query, match, vote, change)
        yield
    field = torch.arange(h * w)
    field[query] = match
    field = field.reshape(h, w)
    x = canvas[:, r : r + h, r : r + w]
    if last:
        seen = colour_patches(canvas, colour, size)
        field = large_pieces(torch.cat([seen @ projection, place], 1), field, grid, liking, config)
    return x, field


def candidates(grid: Grid, size: int) -> Tensor:
    """(n,) flat indices of the patches that may be copied: unbroken ones of one layer, if there are enough of them."""
    layer = grid.around.foreground | grid.around.near
    whole = unbroken(grid.source, size) & (layer | unbroken(grid.source & ~layer, size))
    for allowed in (whole, grid.source, grid.known):
        pool = allowed.reshape(-1).nonzero()[:, 0]
        if len(pool) >= 16:
            break
    return pool


def colour_patches(canvas: Tensor, colour: Tensor, size: int) -> Tensor:
    """The colours of every patch of a canvas (C, h + size - 1, w + size - 1): (h * w, 3 * size * size)."""
    return F.unfold(torch.einsum("kc,chw->khw", colour, canvas)[None], size)[0].T


def best_by_what_is_filled(
    wanted: Tensor, weight: Tensor, seen: Tensor, here: Tensor, there: Tensor, price: Tensor
) -> tuple[Tensor, Tensor]:
    """Cost and row of the best of m patches for each of n, which are compared by weight.

    wanted, weight (n, k); seen (m, k); here (n, d), there (m, d): coordinates of `places`; price (m,): added.
    """
    cost = weighted_distances(wanted, weight, seen)
    cost = torch.addmm(cost, here, there.T, alpha=-2)
    cost, best = (cost + (price + (there**2).sum(1))).min(1)
    return (cost + (here**2).sum(1)).clamp(min=0), best


def best_match(wanted: Tensor, reference: Tensor, price: Tensor) -> tuple[Tensor, Tensor]:
    """Cost and row of the best of m vectors, reference (m, k), for each of n, wanted (n, k); price (m,): added."""
    price = price + (reference**2).sum(1)
    cost, best = torch.addmm(price[None], wanted, reference.T, alpha=-2).min(1)
    return (cost + (wanted**2).sum(1)).clamp(min=0), best


def voted(canvas: Tensor, size: int, query: Tensor, match: Tensor, vote: Tensor, change: Tensor) -> Tensor:
    """A canvas (C, H, W) on which every patch says what its match shows; where `change` (H, W) the mean counts.

    query, match (n,): flat indices of patches and of what they are like; vote (n,): how much each has to say.
    """
    patches = F.unfold(canvas[None], size)[0]
    votes = torch.zeros(len(patches) + 1, patches.shape[1])
    votes[:-1, query] = patches[:, match] * vote
    votes[-1, query] = vote
    total = F.fold(votes[None, :-1], canvas.shape[1:], size)[0]
    mass = F.fold(votes[None, -1:].expand(1, size * size, -1), canvas.shape[1:], size)[0]
    return torch.where(change & (mass > 0), total / mass.clamp(min=1e-9), canvas)


def places(grid: Grid, config: SearchConfig) -> Tensor:
    """Coordinates (h * w, n): their squared distance is what copying from there to here costs, whatever it shows."""
    h, w = grid.known.shape
    rows, columns = torch.meshgrid(torch.arange(h) / max(h, w), torch.arange(w) / max(h, w), indexing="ij")
    coordinates = [rows * config.across**0.5, columns * config.along**0.5]
    # 2: as dear as the opposite of what is wanted
    coordinates.append((grid.around.foreground | grid.around.near) * 2.0)
    for plane in range(len(grid.around.planes)):
        coordinates.append((grid.around.label == plane) * (config.plane / 2) ** 0.5)
    return torch.stack(coordinates).reshape(len(coordinates), -1).T


def preference(size: tuple[int, int], seed: int) -> Tensor:
    """(h, w) in 0..1, slowly varying: what a seed would rather not copy. Zeros for seed 0."""
    if seed == 0:
        return torch.zeros(size)
    noise = torch.rand(1, 4, 6, generator=torch.Generator().manual_seed(seed))
    return resize(noise, size)[0]


def uniqueness(grid: Grid, size: int) -> Tensor:
    """How unlike all others, farther away than it is wide, each patch of the picture is, (h, w) in units of variance.

    A window of a facade or the board of a floor is one of many and may be continued; a second globe is a ghost.
    """
    h, w = grid.known.shape
    shown = torch.einsum("kc,chw->khw", scaled_colour(grid), grid.values)
    patches = F.unfold(shown[None], size, padding=size // 2)[0].T / size
    pool = unbroken(grid.known, size).reshape(-1).nonzero()[:, 0]
    rarity = torch.zeros(h * w)
    if len(pool) > 1:
        patches = patches[pool]
        norms = patches.square().sum(1)
        unlike = torch.addmm(norms[:, None] + norms, patches, patches.T, alpha=-2).clamp_(min=0)
        beside = ((pool[:, None] // w - pool // w).abs() < size) & ((pool[:, None] % w - pool % w).abs() < size)
        rarity[pool] = unlike.masked_fill_(beside, torch.inf).amin(1).nan_to_num_(posinf=0.0)
    return rarity.reshape(h, w)


def weighted_distances(a: Tensor, weight: Tensor, b: Tensor) -> Tensor:
    """sum_k weight_ik (a_ik - b_jk)^2 for a, weight (n, k) and b (m, k), by two matrix products. (n, m)"""
    cost = torch.addmm((weight * a * a).sum(1, keepdim=True), weight * a, b.T, alpha=-2)
    return torch.addmm(cost, weight, (b * b).T)


def principal(rows: Tensor, count: int) -> Tensor:
    """The directions (n, count) that hold most of the variance of rows (m, n)."""
    sample = rows[:: max(1, len(rows) // 3000)]
    sample = sample - sample.mean(0)
    return torch.linalg.eigh(sample.T @ sample)[1][:, -count:]

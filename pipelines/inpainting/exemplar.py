"""What the photo never saw: a hole is filled with pieces of the known picture (exemplar search, no weights).

The search runs on small grids, from the likeliest colours of the hole (kriging.py). Every patch that touches the hole
looks for the known patch most like it, the matches vote for new values, and this repeats from coarse to fine (Wexler et
al., "Space-time completion of video", PAMI 2007). All that makes a match good or bad, its tokens, its plane, how far it
lies along a row or (dearer) across rows, is a coordinate of one vector, so a grid is searched exhaustively by one
matrix product. Of the offsets found, the most frequent ones compete for large pieces (He and Sun, "Statistics of patch
offsets", ECCV 2012). The field is then enlarged to the full grid, one token is copied for every token of the hole, and
the pieces are joined in the gradient domain (Perez et al., "Poisson image editing", SIGGRAPH 2003). Last, where neither
the place nor the rim of the hole speaks for a piece, its broad colours give way to the likeliest ones.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor
from torch.nn import functional as F

from pipelines.inpainting.geometry import Surroundings, complete_depth, gap_sides, survey
from pipelines.inpainting.kriging import krige
from pipelines.inpainting.poisson import blend
from pipelines.inpainting.smooth import nearest_known, smooth_fill


@dataclass(frozen=True)
class Filled:
    """A complete view.

    features: (C, h, w) float32, known tokens bit for bit; depth: (h, w) float32, complete;
    source: (h, w, 2) int32 row and column each token was copied from; itself if known, or in a crack closed smoothly;
    """

    features: Tensor
    depth: Tensor
    source: Tensor


# (step, number of steps) while it goes on
Steps = Generator[tuple[int, int], None, Filled]


@dataclass(frozen=True)
class SearchConfig:
    """The dials of the search. Costs are in units of the picture's variance."""

    grids: tuple[int, ...] = (64, 128)  # longer side of the grids that are searched, tokens
    rounds: tuple[int, ...] = (8, 3)  # match-and-vote rounds on each
    patch: int = 7
    along: float = 0.1  # cost of copying from a frame width away along the row
    across: float = 6.0  # and across rows
    plane: float = 0.3  # cost of copying from another plane
    reuse: float = 0.04  # cost of every further copy of the same patch
    temperature: float = 0.1  # of the votes, relative to the median cost
    offsets: int = 40  # how many offsets compete for pieces
    variety: float = 0.3  # how much a seed prefers one part of the picture over another; seed 0 prefers none
    unique: float = 0.5  # cost of copying what the picture shows only once, against how unlike all else it is
    seam: float = 0.03  # cost of a seam between two pieces, per token
    pull: float = 7.0  # how strongly the blend holds on to the copied values, in 1 / frame width
    guess: float = 0.1  # weight of the first guess against what is known, while the fill grows
    calm: float = 0.9  # how far the colours of the fill give way to the likeliest ones where in doubt
    contrast: float = 0.6  # how strong its detail is there, against that around
    broad: float = 0.023  # what is wider than this is colour and not detail, in frame widths


FLAT = 0.02  # detail below this, in units of a token, is as good as none


@dataclass(frozen=True)
class Grid:
    """One small grid of the view, (h, w). values: (C, h, w), 0 where unknown; known, source: bool."""

    values: Tensor
    known: Tensor
    source: Tensor  # may be copied
    around: Surroundings
    colour: Tensor  # (3, C), see colour_directions

    @property
    def hole(self) -> Tensor:
        return ~self.known


@contextmanager
def one_thread():
    """Sums are split by thread, and a sum that rounds differently can decide for another patch."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def fill(
    features: Tensor,
    mask: Tensor,
    depth: Tensor,
    K: Tensor,
    *,
    seed: int = 0,
    colour: Tensor | None = None,
    config: SearchConfig = SearchConfig(),
) -> Filled:
    """Invent what a view does not know, from what it does.

    features: (C, h, w) float; mask: (h, w) bool, True = known; depth: (h, w) z-depth, 0 where unknown;
    K: (3, 3) of this grid. colour: (3, C) orthonormal directions of a token along which a flat colour changes; guessed
    from the picture if None, which goes wrong where it has little colour. The same seed gives the same bits. Nothing
    known: zeros at depth 1. Raises ValueError for shapes that do not agree.
    """
    steps = fill_steps(features, mask, depth, K, seed=seed, colour=colour, config=config)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def fill_steps(*view: Tensor, config: SearchConfig = SearchConfig(), **options) -> Steps:
    """`fill`, yielding (step, number of steps) as it goes on: to show it, or to stop it by closing the generator."""
    work = _work(*view, config=config, **options)
    for step in count(1):
        with torch.no_grad(), one_thread():  # not while it waits: what others do then is their own business
            try:
                next(work)
            except StopIteration as done:
                return done.value
        yield step, sum(config.rounds) + 2


def _work(features: Tensor, mask: Tensor, depth: Tensor, K: Tensor, *, config: SearchConfig, seed=0, colour=None):
    c, h, w = features.shape
    for name, value, shape in (("mask", mask, (h, w)), ("depth", depth, (h, w)), ("K", K, (3, 3))):
        if tuple(value.shape) != shape:
            raise ValueError(f"{name} is {tuple(value.shape)}, but features {tuple(features.shape)} need {shape}.")
    K = torch.as_tensor(K, dtype=torch.float32)
    mask = mask.bool()
    own = torch.arange(h * w).reshape(h, w)
    if mask.all() or not mask.any():
        features = torch.where(mask, features.float(), 0.0)
        distance = torch.where(mask & (depth > 0) & depth.isfinite(), depth.float(), 1.0)
        return Filled(features, distance, torch.stack([own // w, own % w], -1).int())
    features = torch.where(mask, features.float(), 0.0)  # whatever stands in a hole is not to be read
    depth = torch.where(mask & depth.isfinite(), depth.float(), 0.0)
    shown, features = features, without_ghosts(features, mask, depth)
    colour = colour_directions(features, mask) if colour is None else colour
    radius = max(1, round(config.broad * max(h, w)))
    x = None
    for longest, rounds in zip(config.grids, config.rounds, strict=True):
        grid = small_grid(features, mask, depth, K, colour, longest, seed)
        if x is None:
            guess = first_guess(grid, features, mask, radius)
            x = guess.values
            rarity = uniqueness(grid, config.patch)
        x = torch.where(grid.known, grid.values, resize(x, grid.known.shape))
        liking = preference(grid.known.shape, seed) * config.variety
        liking += config.unique * resize(rarity[None], grid.known.shape)[0]
        first, last = longest == config.grids[0], longest == config.grids[-1]
        x, field = yield from search(grid, x, rounds, config, first, last, liking)
    full = torch.where(mask, own, enlarge(field, (h, w)))
    yield
    layer = resize((grid.around.foreground | grid.around.near)[None].float(), (h, w), "nearest-exact")[0] > 0
    sourced = mask.reshape(-1)[full] & (layer | ~layer.reshape(-1)[full])  # foreground only where it goes on
    flat = features.reshape(c, -1)
    # cracks thinner than a cell of the grid have no source: they need nothing better than their rims
    copied = torch.where(mask | sourced, flat[:, full], smooth_fill(features, mask))
    guide = copied + resize(x - reduce(copied, torch.ones(h, w), grid.known.shape)[0], (h, w))
    out = blend(features, copied, guide, full, mask, sourced, layer, colour, config.pull)
    proved = proof(grid, field, max(1, round(config.broad * max(grid.known.shape))))
    out = torch.where(mask, shown, calmed(out, mask, guess, proved, colour, radius, config))
    yield
    full = torch.where(mask | sourced, full, own)
    source = torch.stack([full // w, full % w], -1).int()
    return Filled(out, complete_depth(depth, mask, K, grid.around), source)


def without_ghosts(features: Tensor, mask: Tensor, depth: Tensor, reach: int = 3) -> Tensor:
    """The far side of a gap in the colours of what lies next to it: in the photo its last token was half foreground.

    Left alone it would draw the outline of what stood there into the hole. (C, h, w), as features.
    """
    h, w = mask.shape
    y, x = gap_sides(depth, mask & (depth > 0))[1].nonzero().T
    if not len(y):
        return features
    rims = torch.zeros_like(mask)
    rims[y, x] = True
    steps = torch.tensor([(i, j) for i in range(-reach, reach + 1) for j in range(-reach, reach + 1)])
    steps = steps[steps.square().sum(1).argsort(stable=True)]  # the nearest of the same surface
    there_y, there_x = (y[:, None] + steps[:, 0]).clamp(0, h - 1), (x[:, None] + steps[:, 1]).clamp(0, w - 1)
    like = (depth[there_y, there_x] - depth[y, x, None]).abs() < 0.15 * depth[y, x, None]
    like &= mask[there_y, there_x] & ~rims[there_y, there_x]
    first = like.int().argmax(1, keepdim=True)  # the token itself where none is like it
    cleaned = features.clone()
    cleaned[:, y, x] = features[:, there_y.gather(1, first)[:, 0], there_x.gather(1, first)[:, 0]]
    return cleaned


def resize(x: Tensor, size: tuple[int, int], mode: str = "bilinear") -> Tensor:
    """x (C, h, w) -> (C, *size)."""
    return F.interpolate(x[None], tuple(size), mode=mode, align_corners=False if mode == "bilinear" else None)[0]


def reduce(x: Tensor, weight: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Mean of x (C, h, w) over the cells of a smaller grid, counting only where weight (h, w) is; and its share."""
    weight = weight.to(x.dtype)
    share = F.adaptive_avg_pool2d(weight[None, None], tuple(size))[0, 0]
    mean = F.adaptive_avg_pool2d((x * weight)[None], tuple(size))[0] / share.clamp(min=1e-6)
    return torch.where(share > 0, mean, 0.0), share


def small_grid(
    features: Tensor, mask: Tensor, depth: Tensor, K: Tensor, colour: Tensor, longest: int, seed: int
) -> Grid:
    """The view on a grid whose longer side is at most `longest` tokens; arguments as for fill."""
    h, w = mask.shape
    scale = min(1.0, longest / max(h, w))
    size = max(1, round(h * scale)), max(1, round(w * scale))
    values, share = reduce(features, mask, size)
    known = share > min(0.6, 0.99 * float(share.max()))  # a lone token in a large hole still counts
    # depth is picked, not averaged: the mean of a near and a far surface is on neither
    rows, columns = nearest_cells(size[0], h), nearest_cells(size[1], w)
    picked = depth[rows][:, columns]
    ratio = torch.tensor([size[1] / w, size[0] / h, 1.0])
    around = survey(picked, known, ratio[:, None] * K, seed)
    source = share > 0.99
    if not around.near.any():
        source &= ~around.foreground
    return Grid(values, known, source, around, colour)


def nearest_cells(count: int, length: int) -> Tensor:
    return ((torch.arange(count) + 0.5) * length / count).long().clamp(max=length - 1)


def away(known: Tensor) -> Tensor:
    """Distance of every token from the nearest known one, in tokens. (h, w) bool -> (h, w) float."""
    h, w = known.shape
    row, column = nearest_known(known)
    return ((row - torch.arange(h)[:, None]) ** 2 + (column - torch.arange(w)[None]) ** 2).float().sqrt()


@dataclass(frozen=True)
class Guess:
    """What is likely in the hole, before anything is copied: small grids (h, w).

    values: (C, h, w), colours without detail, known cells as they are; contrast: how strong the detail around is, the
    sum over colours of its size; doubt: 0 where known to 1 where nothing tells.
    """

    values: Tensor
    contrast: Tensor
    doubt: Tensor


def first_guess(grid: Grid, features: Tensor, mask: Tensor, radius: int) -> Guess:
    """Colours and contrast by kriging. features (C, h, w), mask (h, w) bool: the full grid; radius: of detail."""
    detail = detail_of(torch.einsum("kc,chw->khw", grid.colour, features), mask, radius)
    strength, _ = reduce(detail.abs().sum(0, keepdim=True), mask, grid.known.shape)
    mean = grid.values[:, grid.known].mean(1)[:, None, None]
    colours = torch.einsum("kc,chw->khw", grid.colour, grid.values - mean)
    found, doubt = krige(torch.cat([colours, (strength + FLAT).log()]), grid.known, grid.around)
    values = mean + torch.einsum("kc,khw->chw", grid.colour, found[:3])
    return Guess(torch.where(grid.known, grid.values, values), (found[3].exp() - FLAT).clamp(min=0), doubt)


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


def scaled_colour(grid: Grid) -> Tensor:
    """(3, C): the colours of a token, in units in which those of the picture vary by 1 in all."""
    shown = torch.einsum("kc,chw->khw", grid.colour, grid.values)[:, grid.known]
    return grid.colour / (shown - shown.mean(1, keepdim=True)).pow(2).mean(1).sum().clamp(min=1e-8).sqrt()


def search(
    grid: Grid,
    x: Tensor,
    rounds: int,
    config: SearchConfig,
    first: bool,
    last: bool,
    liking: Tensor,
):
    """Match and vote on one grid, from start values x (C, h, w). liking (h, w): added to the cost of a source.

    The first grid grows the fill inwards: a patch is compared only where it is known or filled already.
    Yields after every round. Returns x, field (h, w) int64 (flat index of the source).
    """
    c, h, w = x.shape
    size, r = config.patch, config.patch // 2
    rim = (r, r, r, r)
    canvas = F.pad(x[None], rim, mode="replicate")[0]
    free = F.pad(grid.hole, rim, value=True)  # what lies outside the frame is unknown as well
    near = F.max_pool2d(grid.hole[None, None].float(), size, 1, r)[0, 0] > 0
    query = near.reshape(-1).nonzero()[:, 0]
    layer = grid.around.foreground | grid.around.near
    whole = unbroken(grid.source, size) & (layer | unbroken(grid.source & ~layer, size))
    for candidates in (whole, grid.source, grid.known):
        pool = candidates.reshape(-1).nonzero()[:, 0]
        if len(pool) >= 16:
            break
    colour = scaled_colour(grid)
    place = places(grid, config)
    distance = away(grid.known)
    trust = 0.1 + 0.9 * 0.85**distance
    use = torch.zeros(h * w)
    for turn in range(rounds):
        seen = F.unfold(torch.einsum("kc,chw->khw", colour, canvas)[None], size)[0].T
        filled = F.pad(trust * (distance <= turn * r), rim)
        price = config.reuse * (use[pool] - 1).clamp(0, 4) + liking.reshape(-1)[pool]
        if first:
            weight = F.unfold(filled[None, None], size)[0].T[query].repeat(1, len(colour)) + config.guess
            weight = weight / weight.sum(1, keepdim=True) * len(colour)
            cost = weighted_distances(seen[query], weight, seen[pool])
            cost = torch.addmm(cost, place[query], place[pool].T, alpha=-2)
            price = price + (place[pool] ** 2).sum(1)
            cost, best = (cost + price).min(1)
            cost = (cost + (place[query] ** 2).sum(1)).clamp(min=0)
        else:
            if turn == 0:
                projection = principal(seen[pool], 32) / size
                reference = torch.cat([seen[pool] @ projection, place[pool]], 1)
            wanted = torch.cat([seen[query] @ projection, place[query]], 1)
            price = price + (reference**2).sum(1)
            cost, best = torch.addmm(price[None], wanted, reference.T, alpha=-2).min(1)
            cost = (cost + (wanted**2).sum(1)).clamp(min=0)
        match = pool[best]
        use = torch.bincount(match, minlength=h * w).float()

        vote = torch.exp(-cost / (config.temperature * cost.median().clamp(min=1e-4))) * trust.reshape(-1)[query] + 1e-6
        patches = F.unfold(canvas[None], size)[0]
        votes = torch.zeros(len(patches) + 1, h * w)
        votes[:-1, query] = patches[:, match] * vote
        votes[-1, query] = vote
        total = F.fold(votes[None, :-1], canvas.shape[1:], size)[0]
        mass = F.fold(votes[None, -1:].expand(1, size * size, -1), canvas.shape[1:], size)[0]
        change = free & (mass > 0)
        if first:
            change &= F.pad(distance <= (turn + 1) * r, rim, value=True)
        canvas = torch.where(change, total / mass.clamp(min=1e-9), canvas)
        yield
    field = torch.arange(h * w)
    field[query] = match
    field = field.reshape(h, w)
    x = canvas[:, r : r + h, r : r + w]
    if last:
        seen = F.unfold(torch.einsum("kc,chw->khw", colour, canvas)[None], size)[0].T
        field = large_pieces(torch.cat([seen @ projection, place], 1), field, grid, liking, config)
    return x, field


def proof(grid: Grid, field: Tensor, radius: int, reach: int = 5) -> Tensor:
    """How well the sources of the hole predict what is known beside it, -1..1, for every cell of the grid (h, w).

    The offset of the nearest cell of the hole is used on the known cells within `reach` of it as well. What counts is
    the correlation of detail: that a plain wall looks like a plain wall proves nothing.
    """
    h, w = field.shape
    shown = torch.einsum("kc,chw->khw", grid.colour, grid.values)
    detail = detail_of(shown, grid.known, radius)
    row, column = nearest_known(grid.hole)
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    beside = grid.known & ((row - y) ** 2 + (column - x) ** 2 <= reach**2)
    source = field[row, column]
    y, x = y + source // w - row, x + source % w - column
    beside &= (y >= 0) & (y < h) & (x >= 0) & (x < w) & (source != row * w + column)
    y, x = y.clamp(0, h - 1), x.clamp(0, w - 1)
    beside &= grid.known[y, x]
    there = detail[:, y, x]
    agreement = torch.stack([2 * (detail * there).sum(0), (detail**2 + there**2).sum(0)]) * beside
    tested = blurred(beside[None].float(), reach - 1)[0] > 0.05
    agreement = smooth_fill(blurred(agreement, reach - 1), tested)
    return agreement[0] / (agreement[1] + 0.003)


def detail_of(shown: Tensor, known: Tensor, radius: int) -> Tensor:
    """What colours (3, h, w) are beyond the mean of what is known around, 0 where unknown."""
    weight = known[None].float()
    return weight * (shown - blurred(shown * weight, radius) / blurred(weight, radius).clamp(min=1e-3))


def calmed(
    filled: Tensor, mask: Tensor, guess: Guess, proved: Tensor, colour: Tensor, radius: int, config: SearchConfig
) -> Tensor:
    """Where the surroundings tell little, broad colours give way to the likeliest ones, and detail is as strong as
    theirs: what nobody has seen should not draw the eye. A pattern that is proved to go on stays as it is.
    """
    size = mask.shape
    doubt, contrast = resize(guess.doubt[None], size), resize(guess.contrast[None], size)
    unsure = (4 * doubt - 0.4).clamp(0, 1) * resize((2.5 - 2.5 * proved).clamp(0, 1)[None], size)
    mean = filled[:, mask].mean(1)[:, None, None]
    likely = mean + torch.einsum("kc,kd,dhw->chw", colour, colour, resize(guess.values, size) - mean)
    change = torch.where(mask, 0.0, filled - likely)
    shown = torch.einsum("kc,chw->khw", colour, change)
    broad = blurred(shown, radius)
    own = blurred((shown - broad).abs().sum(0, keepdim=True), radius)
    gain = 1 + unsure * ((config.contrast * contrast / own.clamp(min=1e-3)).clamp(max=2) - 1)
    broad = torch.einsum("kc,khw->chw", colour, broad)
    return likely + (1 - config.calm * unsure) * broad + gain * (change - broad)


def blurred(x: Tensor, radius: int) -> Tensor:
    """Mean over a window, twice: close to a Gaussian. x (C, h, w)."""
    for _ in range(2):
        padded = F.pad(x[None], (radius,) * 4, mode="replicate")
        x = F.avg_pool2d(padded, (2 * radius + 1, 1), 1)
        x = F.avg_pool2d(x, (1, 2 * radius + 1), 1)[0]
    return x


def unbroken(known: Tensor, size: int) -> Tensor:
    """Centres of patches that lie inside the grid and are known all over. (h, w) bool -> (h, w) bool."""
    padded = F.pad(known[None, None].float(), (size // 2,) * 4)
    return -F.max_pool2d(-padded, size, 1)[0, 0] > 0


def weighted_distances(a: Tensor, weight: Tensor, b: Tensor) -> Tensor:
    """sum_k weight_ik (a_ik - b_jk)^2 for a, weight (n, k) and b (m, k), by two matrix products. (n, m)"""
    cost = torch.addmm((weight * a * a).sum(1, keepdim=True), weight * a, b.T, alpha=-2)
    return torch.addmm(cost, weight, (b * b).T)


def principal(rows: Tensor, count: int) -> Tensor:
    """The directions (n, count) that hold most of the variance of rows (m, n)."""
    sample = rows[:: max(1, len(rows) // 3000)]
    sample = sample - sample.mean(0)
    return torch.linalg.eigh(sample.T @ sample)[1][:, -count:]


def colour_directions(features: Tensor, mask: Tensor, count: int = 3) -> Tensor:
    """The orthonormal directions (count, C) of a token that change slowly over the picture: its colour.

    The other directions of a token are the detail inside it. Averaged or spread over a hole, detail turns into
    stripes; so only colour is ever smoothed, corrected or compared.
    """
    size = [max(1, n // 4) for n in mask.shape]
    low, share = reduce(features, mask, size)
    low = low[:, share > min(0.99, 0.99 * float(share.max()))]
    low = low - low.mean(1, keepdim=True)
    return torch.linalg.eigh(low @ low.T)[1][:, -count:].T


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

"""What the photo never saw: a hole is filled with pieces of the known picture (exemplar search, no weights).

The search runs on small grids (grids.py), from the likeliest colours of the hole (guess.py, kriging.py). Every patch
that touches the hole looks for the known patch most like it, the matches vote for new values, and this repeats from
coarse to fine (search.py; Wexler et al., "Space-time completion of video", PAMI 2007). All that makes a match good or
bad, its tokens, its plane, how far it lies along a row or (dearer) across rows, is a coordinate of one vector, so a
grid is searched exhaustively by one matrix product. Of the offsets found, the most frequent ones compete for large
pieces (pieces.py; He and Sun, "Statistics of patch offsets", ECCV 2012). The field is then enlarged to the full grid,
one token is copied for every token of the hole, and the pieces are joined in the gradient domain (poisson.py; Perez et
al., "Poisson image editing", SIGGRAPH 2003). Last, where neither the place nor the rim of the hole speaks for a piece,
its broad colours give way to the likeliest ones (guess.py). Depth and planes of the hole are in geometry.py.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from pipelines.inpainting.config import DEFAULT, SearchConfig
from pipelines.inpainting.geometry import complete_depth, gap_sides
from pipelines.inpainting.grids import colour_directions, reduce, resize, small_grid
from pipelines.inpainting.guess import calmed, first_guess, proof
from pipelines.inpainting.pieces import enlarge
from pipelines.inpainting.poisson import blend
from pipelines.inpainting.search import preference, search, uniqueness
from pipelines.inpainting.smooth import smooth_fill


@dataclass(frozen=True)
class Filled:
    """A complete view.

    features: (C, h, w) float32, known tokens bit for bit. depth: (h, w) float32 z-depth, known everywhere.
    source: (h, w, 2) int32, row and column that each token was copied from; its own if it was known, or if it lies in a
    crack that was closed smoothly.
    """

    features: Tensor
    depth: Tensor
    source: Tensor


# Yields (steps that are done, steps in all) as the work goes on, and returns what was made
Steps = Generator[tuple[int, int], None, Filled]


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
    config: SearchConfig = DEFAULT,
) -> Filled:
    """Invent what a view does not know, from what it does. The same seed gives the same bits.

    features: (C, h, w) float; mask: (h, w) bool, True where known; depth: (h, w) z-depth in scene units, 0 where
    unknown; K: (3, 3) in tokens of this grid. colour: (3, C) orthonormal directions of a token along which a flat
    colour changes; estimated from the picture if None, which goes wrong where the picture has little colour.
    A view without any known token becomes zeros at depth 1. Raises ValueError for shapes that do not agree.
    """
    steps = fill_steps(features, mask, depth, K, seed=seed, colour=colour, config=config)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def fill_steps(*view: Tensor, config: SearchConfig = DEFAULT, **options) -> Steps:
    """`fill` as a generator of (steps that are done, steps in all), before each; closing it stops the work."""
    work = _fill(*view, config=config, **options)
    for step in count():
        yield step, sum(config.rounds) + 2
        with torch.no_grad(), one_thread():  # not while it waits: both are for the whole process
            try:
                next(work)
            except StopIteration as done:
                return done.value


def _fill(
    features: Tensor, mask: Tensor, depth: Tensor, K: Tensor, *, config: SearchConfig, seed: int = 0, colour=None
) -> Generator[None, None, Filled]:
    """`fill`, with a yield after every round of the search, after the copying and after the joining."""
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

    # 1. What is known, as the search may see it
    features = torch.where(mask, features.float(), 0.0)  # whatever stands in a hole is not to be read
    depth = torch.where(mask & depth.isfinite(), depth.float(), 0.0)
    shown, features = features, without_ghosts(features, mask, depth)
    colour = colour_directions(features, mask) if colour is None else colour
    radius = max(1, round(config.broad * max(h, w)))

    # 2. The search, from the coarsest grid to the finest
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

    # 3. Tokens are copied
    full = torch.where(mask, own, enlarge(field, (h, w)))
    yield
    layer = resize((grid.around.foreground | grid.around.near)[None].float(), (h, w), "nearest-exact")[0] > 0
    sourced = mask.reshape(-1)[full] & (layer | ~layer.reshape(-1)[full])  # foreground only where it goes on
    flat = features.reshape(c, -1)
    # cracks thinner than a cell of the grid have no source: they need nothing better than their rims
    copied = torch.where(mask | sourced, flat[:, full], smooth_fill(features, mask))

    # 4. The copies are joined, and calmed where they are in doubt
    guide = copied + resize(x - reduce(copied, torch.ones(h, w), grid.known.shape)[0], (h, w))
    out = blend(features, copied, guide, full, mask, sourced, layer, colour, config.pull)
    proved = proof(grid, field, max(1, round(config.broad * max(grid.known.shape))))
    out = torch.where(mask, shown, calmed(out, mask, guess, proved, colour, radius, config))
    yield
    full = torch.where(mask | sourced, full, own)
    source = torch.stack([full // w, full % w], -1).int()
    return Filled(out, complete_depth(depth, mask, K, grid.around), source)


def without_ghosts(features: Tensor, mask: Tensor, depth: Tensor, reach: int = 3) -> Tensor:
    """features (C, h, w) with the far side of every gap in the colours of what lies beside it, up to `reach` away.

    In the photo the last token there was half foreground; left alone it would draw that outline into the hole.
    mask (h, w) bool, depth (h, w), 0 where unknown.
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

"""The long straight edges of a picture: those of one gradient, put together, and uprights followed by their colour.

What depth does with them is in straighten.py.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

GRADIENTS = (0.02, 0.06)  # of brightness, per pixel: faint lines, and strong ones that touch faint clutter
SECTORS = 16  # of the circle: the gradients of one line lie in one of them
STRAIGHT = 1.0  # pixels, root mean square: how far an edge may stray from its line
BEND = 0.01  # of its length: how far the middle of a line may lie beside its ends; more is a curve
SHORTEST = 0.07  # of the picture's diagonal
PIECE = 0.6  # of that: what an upright is followed from
FAINT, ACROSS = 0.02, 0.85  # an edge goes on where brightness changes by so much, and in its direction by this share
SAME_PAINT, BESIDE = 0.15, 3  # and where the colour so many pixels beside it stays the same
GAP, MOSTLY = 0.03, 0.6  # but for gaps of this share of the diagonal, and for this share of its way
LONG, LONGER = 2.0, 1.2  # an upright is so many times as long as the shortest line, and as what it is followed from
UPRIGHT = 0.07  # radians: a line this close to upright is upright in space


@dataclass(frozen=True)
class Lines:
    """n lines: start, end (n, 2) as x, y in pixels.

    side (n,): 0 where the picture is darker on the left of the way from start to end, and straight with it on both
    sides; 1 or -1 where only what is on the right or on the left belongs to the line.
    """

    start: Tensor
    end: Tensor
    side: Tensor

    def __len__(self) -> int:
        return len(self.start)


def find_lines(photo: Tensor) -> Lines:
    """The long straight edges of photo (3, H, W) in [0, 1], by line support regions.

    Burns, Hanson, Riseman: Extracting straight lines, TPAMI 1986. Pixels whose gradients lie in one sector are grown
    together, for two divisions of the circle into sectors; each pixel then stands for the larger of its two regions.
    What stands upright is followed on, see `uprights`.
    """
    height, width = photo.shape[1:]
    shortest = SHORTEST * (height**2 + width**2) ** 0.5
    if min(height, width) < 3:
        return Lines(torch.zeros(0, 2), torch.zeros(0, 2), torch.zeros(0))
    grey = F.avg_pool2d(photo.mean(0)[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
    dx, dy = torch.zeros_like(grey), torch.zeros_like(grey)
    dx[:, 1:-1] = (grey[:, 2:] - grey[:, :-2]) / 2
    dy[1:-1] = (grey[2:] - grey[:-2]) / 2
    gradient = torch.hypot(dx, dy)
    angle = torch.atan2(dy, dx) / (2 * torch.pi) * SECTORS
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    pixels = torch.stack([v.flatten() for v in (x, y, gradient, dx, dy)]).double()
    found = []
    for least in GRADIENTS:
        strong = gradient > least
        regions = [grow(torch.where(strong, (angle + s).floor() % SECTORS, -1)) for s in (0.0, 0.5)]
        sizes = [region.bincount(minlength=len(region)) for region in regions]
        first = sizes[0][regions[0]] >= sizes[1][regions[1]]
        for region, size, mine in zip(regions, sizes, (first, ~first), strict=True):
            votes = region[mine & strong.flatten()].bincount(minlength=len(region))
            member = strong.flatten() & ((votes > 0.5 * size) & (size > PIECE * shortest))[region]
            found.append(fit_lines(pixels[:, member], region[member].unique(return_inverse=True)[1]))
    _, start, end = join(*(torch.cat(parts) for parts in zip(*found, strict=True)))
    start, end = start.float(), end.float()
    length = (end - start).norm(dim=1)
    pieces, long = length > PIECE * shortest, length > shortest
    followed = uprights(start[pieces], end[pieces], photo, dx, dy)
    lines = start[long], end[long], torch.zeros(int(long.sum()))
    return Lines(*(torch.cat(parts) for parts in zip(lines, followed, strict=True)))


def uprights(start: Tensor, end: Tensor, photo: Tensor, dx: Tensor, dy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What stands upright, from pieces of its edges on: as far as the edge goes on and one side keeps its colour.

    Where what is behind changes, so does the darker side of an edge, and the regions of one gradient are short. start,
    end (n, 2); dx, dy (H, W): change of brightness. Returns start, end and side of `Lines`, of an edge once or twice.
    """
    height, width = dx.shape
    diagonal = (height**2 + width**2) ** 0.5
    way = (end - start) * (end - start)[:, 1:].sign()  # all downwards, so that sides can be compared
    upright = way[:, 0].abs() < UPRIGHT * way.norm(dim=1)
    middle, half = ((start + end) / 2)[upright], way[upright].norm(dim=1)[:, None] / 2
    along = way[upright] / (2 * half)
    right = torch.stack([-along[:, 1], along[:, 0]], 1)
    t = torch.arange(-math.ceil(diagonal), math.ceil(diagonal) + 1.0)  # 0 in the middle of the piece

    def beside(offset: float) -> tuple[Tensor, Tensor, Tensor]:
        """Rows, columns and whether they are in the picture, (n, t) each, along a line so far to the right."""
        place = middle[:, None] + along[:, None] * t[:, None] + right[:, None] * offset
        x, y = place.floor().long().unbind(-1)
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        return y.clamp(0, height - 1), x.clamp(0, width - 1), inside

    goes_on = torch.zeros(len(middle), len(t), dtype=torch.bool)
    for offset in (-1, 0, 1):
        y, x, inside = beside(offset)
        change = torch.stack([dx[y, x], dy[y, x]], -1)
        strength, across = change.norm(dim=-1), (change * right[:, None]).sum(-1).abs()
        goes_on |= inside & (strength > FAINT) & (across > ACROSS * strength)
    found, paint = [], F.avg_pool2d(photo, 3, 1, 1, count_include_pad=False)
    for side in (-1.0, 1.0):
        y, x, inside = beside(BESIDE * side)
        colour = paint[:, y, x]
        own = torch.where(t.abs() < half, colour, torch.nan).nanmedian(-1, keepdim=True).values
        follows = goes_on & inside & ((colour - own).abs().amax(0) < SAME_PAINT)
        beyond = (t - half).clamp(min=0)
        ends = []
        for there in (follows, follows.flip(1)):
            there = there & (beyond > 0)
            last = torch.where(there, beyond, 0).cummax(1).values
            unbroken = (beyond - last <= GAP * diagonal).long().cumprod(1).bool()
            mostly = there.cumsum(1) > MOSTLY * beyond
            ends.append(torch.where(there & unbroken & mostly, beyond, 0).amax(1, keepdim=True))
        length = 2 * half + ends[0] + ends[1]
        kept = ((length > LONG * SHORTEST * diagonal) & (length > LONGER * 2 * half))[:, 0]
        ways = middle - along * (half + ends[1]), middle + along * (half + ends[0])
        first, last = (place[kept] for place in ways)
        once = longest(first, last)
        found.append((first[once], last[once], torch.full((len(once),), side)))
    return tuple(torch.cat(parts) for parts in zip(*found, strict=True))


def longest(start: Tensor, end: Tensor) -> Tensor:
    """The index of every line of start, end (n, 2) but those that lie on a longer one: what follows from one edge."""
    length = (end - start).norm(dim=1)
    order = length.argsort(descending=True, stable=True)
    start, way, length = start[order], (end - start)[order], length[order]
    along, off = way / length[:, None], (start + way / 2)[None] - start[:, None]  # [i, j]: of line j, seen from line i
    ahead = (off * along[:, None]).sum(-1)
    aside = (off[..., 0] * along[:, None, 1] - off[..., 1] * along[:, None, 0]).abs()
    on_longer = (aside < 2) & (ahead > 0) & (ahead < length[:, None])
    return order[~on_longer.triu(1).any(0)]


def grow(label: Tensor) -> Tensor:
    """Regions of one label: (H, W), negative where there is none -> (H W,) the index of a pixel of each region."""
    height, width = label.shape
    index = torch.arange(height * width).view(height, width)
    links = []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        left, stop = max(0, -right), width - max(0, right)
        here = (slice(0, height - down), slice(left, stop))
        there = (slice(down, height), slice(left + right, stop + right))
        same = (label[here] == label[there]) & (label[here] >= 0)
        links.append(torch.stack([index[here][same], index[there][same]]))
    return components(torch.cat(links, 1), height * width)


def components(links: Tensor, count: int) -> Tensor:
    """Connected components of a graph of `count` nodes with edges links (2, n): (count,) the least node of each."""
    label = torch.arange(count)
    while True:
        a, b = label[links[0]], label[links[1]]
        least = torch.minimum(a, b)
        after = label.scatter_reduce(0, a, least, "amin").scatter_reduce(0, b, least, "amin")
        after = after[after]
        if torch.equal(after, label):
            return label
        label = after


def fit_lines(pixels: Tensor, label: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A line for each label: pixels (5, n) x, y, weight, gradient; label (n,) -> moments (k, 8), start, end (k, 2).

    What hangs on a line, and is not of it, is left out of a second fit. What is no line is left out altogether.
    """
    x, y, weight, dx, dy = pixels
    count = int(label.max()) + 1 if len(label) else 0
    terms = torch.stack([weight, weight * x, weight * y, weight * x * x, weight * x * y, weight * y * y, dx, dy], 1)
    on_line = torch.ones_like(label, dtype=torch.bool)
    for _ in range(2):
        moments = terms.new_zeros(count, 8).index_add_(0, label[on_line], terms[on_line])
        mean, along, stray = axis(moments)
        offset = pixels[:2].T - mean[label]
        away = offset[:, 0] * along[label, 1] - offset[:, 1] * along[label, 0]
        on_line &= away.abs() < 2 * STRAIGHT
    start, end = span(mean, along, pixels[:2, on_line].T, label[on_line])
    length = (end - start).norm(dim=1)
    central = on_line & ((offset * along[label]).sum(1).abs() < length[label] / 4)
    middle, ends = (
        weight.new_zeros(count).index_add_(0, label[part], (weight * away)[part])
        / weight.new_full((count,), 1e-9).index_add_(0, label[part], weight[part])
        for part in (central, on_line & ~central)
    )
    kept = label[on_line].bincount(minlength=count) > 0.6 * label.bincount(minlength=count)
    kept &= (stray < STRAIGHT) & ((middle - ends).abs() < BEND * length)
    return moments[kept], start[kept], end[kept]


def axis(moments: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean place (n, 2), direction (n, 2) with the darker side on the left, rms distance from the axis (n,)."""
    total = moments[:, :1].clamp(min=1e-12)
    mean = moments[:, 1:3] / total
    xx, xy, yy = (moments[:, 3:6] / total - torch.stack([mean[:, 0] ** 2, mean.prod(1), mean[:, 1] ** 2], 1)).unbind(1)
    half, gap = (xx + yy) / 2, torch.hypot((xx - yy) / 2, xy)
    turn = 0.5 * torch.atan2(2 * xy, xx - yy)
    along = torch.stack([turn.cos(), turn.sin()], 1)
    # The gradient points to the brighter side, which is the right of the way.
    brighter = (moments[:, 6:] * torch.stack([-along[:, 1], along[:, 0]], 1)).sum(1)
    return mean, torch.where(brighter[:, None] < 0, -along, along), (half - gap).clamp(min=0).sqrt()


def span(mean: Tensor, along: Tensor, points: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Start and end (k, 2) of lines that go through mean (k, 2) and reach as far as their points (n, 2)."""
    place = ((points - mean[label]) * along[label]).sum(1)
    none = place.new_zeros(len(mean))
    low, high = (none.scatter_reduce(0, label, place, how, include_self=False) for how in ("amin", "amax"))
    return mean + along * low[:, None], mean + along * high[:, None]


def join(moments: Tensor, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Put together the pieces of a line that is cut by what stands before it. Arguments and result as of fit_lines."""
    mean, along, _ = axis(moments)
    length = (end - start).norm(dim=1)
    between = mean[None] - mean[:, None]
    ahead = (between * along[:, None]).sum(-1).abs()
    aside = (between[..., 0] * along[:, None, 1] - between[..., 1] * along[:, None, 0]).abs()
    gap = ahead - (length[:, None] + length) / 2
    one = (along @ along.T > 0.9995) & (aside < 2) & (aside.T < 2)
    one &= gap < 0.5 * torch.minimum(length[:, None], length).clamp(min=20)
    label = components(one.nonzero().T, len(mean)).unique(return_inverse=True)[1]
    count = int(label.max()) + 1 if len(label) else 0
    moments = moments.new_zeros(count, 8).index_add_(0, label, moments)
    mean, along, _ = axis(moments)
    return moments, *span(mean, along, torch.cat([start, end]), label.repeat(2))

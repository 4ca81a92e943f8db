"""Depth that keeps the straight lines of the picture straight.

Inverse depth along a straight line in space is affine along its picture. Where an estimate departs from that along a
window bar, a door frame or the edge of a wall, the line wavers as soon as the camera moves, and nothing looks more
wrong. So beside every line the depth is read along threads parallel to it, and each thread follows the one straight
course that most of it agrees with: a bar that comes forward for most of its length does so for all of it, and a step
beside it stays where it is most of the time.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.depth.edges import smooth_within_colours
from pipelines.depth.lines import UPRIGHT, Lines, find_lines

DETECTION = 640  # lines are looked for in a picture whose longer side has at most so many pixels
STRIP = 0.014  # of the diagonal: how far threads lie from their line, on either side
THREADS, SAMPLES = 8, 40  # threads of one side, and samples of a thread
AGREE = 0.1  # depths whose logarithms differ by less agree on one course; less would miss one that wavers all along
EXACT = 0.04  # and by less than this are on it
MAJORITY = 0.35  # share of a thread that must agree on its course
FRONT = 0.7  # what is nearer than its thread by more than this, as a logarithm, stands before the line
PAINT = 0.08  # a colour this far outside of those of its thread is of something else
SURROUNDINGS = 0.05  # of the diagonal: how far beside a strip depth moves with it, where colour is even
STILL = 0.03  # weight of staying where it is


def straighten_lines(inverse: Tensor, photo: Tensor, lines: Lines | None = None) -> Tensor:
    """Make depth affine along every thread beside every line: inverse (H, W), photo (3, H, W) in [0, 1] -> (H, W).

    lines: those of the photo, found if None. What moves takes along what is around it and of its colour.
    """
    height, width = inverse.shape
    diagonal = (height**2 + width**2) ** 0.5
    if lines is None:
        scale = min(1.0, DETECTION / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        lines = find_lines(F.interpolate(photo[None], size, mode="area")[0])
        scale = torch.tensor([width / size[1], height / size[0]])
        lines = Lines(lines.start * scale, lines.end * scale, lines.side)
    if not len(lines):
        return inverse
    value, reach = inverse.log(), STRIP * diagonal
    middle, way = (lines.start + lines.end) / 2, lines.end - lines.start
    length = way.norm(dim=1)
    along = way / length[:, None]
    right = torch.stack([-along[:, 1], along[:, 0]], 1)

    # Samples of the threads: (n, threads, samples).
    t = (torch.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    d = ((torch.arange(2 * THREADS) + 0.5) / THREADS - 1) * reach
    place = middle[:, None, None] + right[:, None, None] * d[:, None, None] + way[:, None, None] * t[:, None]
    x, y = place.floor().long().unbind(-1)
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    level, slope, agree = courses(value[y, x], inside, t, along[:, 0].abs() < UPRIGHT)
    share = agree.sum(-1) / inside.sum(-1).clamp(min=1)
    trust = ((share - MAJORITY) / 0.15).clamp(0, 1)
    typical = agree > 0.3
    fine = round(reach / THREADS / 2)  # colours are compared at about the width of a thread
    paint = F.avg_pool2d(photo, 2 * fine + 1, 1, fine, count_include_pad=False)
    colour = paint[:, y, x]
    darkest = torch.where(typical, colour, torch.inf).amin(-1)
    lightest = torch.where(typical, colour, -torch.inf).amax(-1)

    # Where the pixels of the threads should go.
    pixels, moves, weights = [], [], []
    for i in range(len(lines)):
        index, t, d = strip(lines.start[i], lines.end[i], reach, height, width)
        thread = ((d / reach + 1) * THREADS).long().clamp(0, 2 * THREADS - 1)
        move = (level[i, thread] + slope[i, thread] * t).clamp(min=1e-3).log() - value.flatten()[index]
        colour = paint.flatten(1)[:, index]
        odd = torch.maximum(darkest[:, i, thread] - colour, colour - lightest[:, i, thread]).amax(0) / PAINT
        weight = (
            (lines.side[i] * d >= 0) * trust[i, thread] * (2 - odd).clamp(0, 1) * (2 + 2 * move / FRONT).clamp(0, 1)
        )
        pixels.append(index)
        moves.append(move)
        beyond = (t.abs() - 0.5).clamp(min=0) * length[i]
        weights.append(weight * (2 - 2 * d.abs() / reach).clamp(max=1) * (1 - beyond / reach))
    pixels, move, weight = torch.cat(pixels), torch.cat(moves), torch.cat(weights)
    # Where lines cross, the nearer one passes in front.
    nothing = torch.zeros(height * width)
    nearest = (nothing - torch.inf).scatter_reduce(0, pixels, torch.where(weight > 0.3, move, -torch.inf), "amax")
    weight = weight * torch.exp(-((nearest[pixels] - move).clamp(min=0) / AGREE).square())
    total = nothing.index_add(0, pixels, weight)
    move = (nothing.index_add(0, pixels, weight * move) / total.clamp(min=1e-9)).view(height, width)
    weight = nothing.scatter_reduce(0, pixels, weight, "amax").view(height, width)

    # What lies around moves along, the less the farther away it is, as far as there is no edge of colour or depth.
    guide = torch.cat([photo, value[None]])
    around = smooth_within_colours(torch.stack([weight * move, weight]), guide, SURROUNDINGS * diagonal)
    return (value + torch.lerp(around[0] / (around[1] + STILL), move, weight)).exp()


def courses(value: Tensor, inside: Tensor, t: Tensor, upright: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The course that most of each thread agrees on.

    value (n, threads, samples) log inverse depth, inside: which samples are in the picture, t (samples,) from -0.5 to
    0.5, upright (n,) bool. Returns inverse depth in the middle of a thread and its change from end to end, each
    (n, threads), and how much each sample agrees with that, 0..1. The threads of one side share their direction.
    """
    slopes = 2 * torch.linspace(-1.5, 1.5, 25).tanh()
    level, slope, agree = follow(value, inside, t, slopes, bound=False)
    # An estimate that is straight already may lean; one that is not stands up where the line does.
    exact = ((agree > math.exp(-((EXACT / AGREE) ** 2))).sum(-1) > 0.8 * inside.sum(-1)).float()
    leans = exact.unflatten(1, (2, THREADS)).mean(-1).repeat_interleave(THREADS, 1) > 0.7
    standing = follow(value, inside, t, torch.zeros(1), bound=True)
    stand = upright[:, None] & ~leans
    return (
        torch.where(stand, standing[0], level),
        torch.where(stand, standing[1], slope),
        torch.where(stand[..., None], standing[2], agree),
    )


def follow(value: Tensor, inside: Tensor, t: Tensor, slopes: Tensor, bound: bool) -> tuple[Tensor, Tensor, Tensor]:
    """As `courses`, starting from the best of some slopes (k,), given as shares of the level; bound: keep to them."""
    inside = inside.float()
    count = inside.sum(-1).clamp(min=1)
    votes, levels = [], []
    for slope in slopes:
        level = value - (1 + slope * t).log()
        tried = level[..., ::2]
        near = torch.exp(-((tried[..., None] - level[..., None, :]) / AGREE).square())
        vote, best = ((near * inside[..., None, :]).sum(-1) * inside[..., ::2]).max(-1)
        votes.append(vote / count)
        levels.append(tried.gather(-1, best[..., None])[..., 0])
    side = torch.stack(votes).unflatten(-1, (2, THREADS)).mean(-1).argmax(0).repeat_interleave(THREADS, 1)
    level = torch.stack(levels).gather(0, side[None])[0].exp()
    share = slopes[side]
    slope = share * level
    # Least squares of level (1 + share t) + rest t, which weighs less and less what does not agree.
    shape = 1 + share[..., None] * t
    for tolerance in (1.0, 1.0, 0.7, 0.5):
        course = (level[..., None] + slope[..., None] * t).clamp(min=1e-3)
        weight = torch.exp(-((course.log() - value) / (tolerance * AGREE)).square()) * inside / course.square()
        a, b, c = (weight * shape.square()).sum(-1), (weight * shape * t).sum(-1), (weight * t.square()).sum(-1)
        u, v = (weight * shape * value.exp()).sum(-1), (weight * t * value.exp()).sum(-1)
        c = c + 1e-3 * a + 1e-9
        rest = torch.zeros_like(a) if bound else (v * a - u * b) / (a * c - b * b).clamp(min=1e-12)
        known = a > 1e-6
        level = torch.where(known, (u - b * rest) / a.clamp(min=1e-6), level)
        slope = torch.where(known, share * level + rest, slope)
    course = (level[..., None] + slope[..., None] * t).clamp(min=1e-3)
    return level, slope, torch.exp(-((course.log() - value) / AGREE).square()) * inside


def strip(start: Tensor, end: Tensor, reach: float, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """The pixels within reach of a line: index (n,), place along it (-0.5 start, 0.5 end), distance to its right."""
    way = end - start
    length = way.norm()
    down = bool(way[1].abs() > way[0].abs())
    if not down:  # the same with rows and columns changed
        start, end, height, width = start.flip(0), end.flip(0), width, height
    first, last = sorted((float(start[1]), float(end[1])))
    rows = torch.arange(max(0, math.floor(first - reach)), min(height, math.ceil(last + reach)))
    slant = (end[0] - start[0]) / (end[1] - start[1])
    centre = start[0] + (rows + 0.5 - start[1]) * slant
    aside = torch.arange(-math.ceil(1.5 * reach) - 1, math.ceil(1.5 * reach) + 2)
    x = (centre.floor().long()[:, None] + aside).flatten()
    y = rows[:, None].expand(-1, len(aside)).flatten()
    if not down:
        x, y, start, end, height, width = y, x, start.flip(0), end.flip(0), width, height
    along = way / length
    offset = torch.stack([x, y], 1) + 0.5 - (start + end) / 2
    t = (offset * along).sum(1) / length
    d = offset[:, 1] * along[0] - offset[:, 0] * along[1]
    chosen = (x >= 0) & (x < width) & (y >= 0) & (y < height) & ((t.abs() - 0.5) * length < reach) & (d.abs() < reach)
    return (y * width + x)[chosen], t[chosen], d[chosen]

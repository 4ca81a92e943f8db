"""The likeliest colours of a hole: the mean of all pictures that agree with what is known (simple kriging).

Colours are taken for a Gaussian field whose covariance says what goes together in pictures of places: what is near,
what lies on the same plane (above all above one another: a wall keeps its colour down to the floor), what lies in the
same rows, and hardly what stands in front and what is behind. The best guess of every token is then a weighted mean of
the known ones, by one linear system, and how much of the variance it explains says how far it may be believed
(Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapter 2).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pipelines.inpainting.geometry import Surroundings


@dataclass(frozen=True)
class Covariance:
    """What goes together, fitted by the error of the guess on generated rooms. Lengths in frame widths.

    Every part: (variance, length along a row, length across rows); exponential in the scaled distance.
    """

    fine: tuple[float, float, float] = (0.8, 0.06, 0.11)
    broad: tuple[float, float, float] = (2.9, 0.24, 0.31)
    rows: tuple[float, float, float] = (4.0, 0.26, 0.12)
    plane: tuple[float, float, float] = (2.0, 0.08, 1.8)
    layers: float = 0.65  # share that foreground and background have in common
    mean: float = 500.0  # variance of the mean of a picture
    noise: float = 0.001  # what a token has for itself


def krige(values: Tensor, known: Tensor, around: Surroundings, model: Covariance = Covariance()):
    """values (k, h, w), known (h, w) bool on a small grid, at least one known.

    Returns the guess (k, h, w), known tokens as they are; and (h, w) the share of the variance it leaves open,
    0 where known to nearly 1 where nothing tells.
    """
    k, h, w = values.shape
    hole = ~known
    flat, guess, doubt = values.reshape(k, -1), values.reshape(k, -1).clone(), torch.zeros(h * w)
    wanted = hole.reshape(-1).nonzero()[:, 0]
    given = thinned(known).reshape(-1).nonzero()[:, 0]
    mean = flat[:, given].mean(1, keepdim=True)
    # in double precision: the mean varies by so much more than the noise that a factor in single could fail
    system = covariance(given, given, around, model) + model.noise * torch.eye(len(given), dtype=torch.float64)
    factor = torch.linalg.cholesky(system)
    cross = covariance(wanted, given, around, model)
    guess[:, wanted] = (cross @ torch.cholesky_solve((flat[:, given] - mean).T.double(), factor)).T.float() + mean
    explained = torch.linalg.solve_triangular(factor, cross.T, upper=False).square().sum(0)
    own = model.fine[0] + model.broad[0] + model.rows[0] + model.plane[0] * (around.label.reshape(-1)[wanted] >= 0)
    doubt[wanted] = ((own + model.mean - explained) / own).clamp(0, 1).float()
    return guess.reshape(k, h, w), doubt.reshape(h, w)


def thinned(known: Tensor) -> Tensor:
    """The known tokens near a hole, and of those far from it, whose neighbours say the same, every third."""
    h, w = known.shape
    edge = F.max_pool2d((~known)[None, None].float(), 7, 1, 3)[0, 0] > 0
    sparse = (torch.arange(h)[:, None] % 3 == 1) & (torch.arange(w)[None] % 3 == 1)
    chosen = known & (edge | sparse)
    return chosen if chosen.any() else known


def covariance(a: Tensor, b: Tensor, around: Surroundings, model: Covariance) -> Tensor:
    """Between tokens of two lists of flat indices (n,), (m,) -> (n, m)."""
    h, w = around.label.shape
    down, along = torch.arange(h, dtype=torch.float64)[:, None] / max(h, w), torch.arange(w) / max(h, w)

    def part(variance, length_along, length_down):
        return variance * torch.exp(-((along / length_along) ** 2 + (down / length_down) ** 2).sqrt())

    # by distance in rows and columns: far fewer of them than there are pairs
    distance = (a // w)[:, None].sub(b // w).abs() * w + (a % w)[:, None].sub(b % w).abs()
    same_plane = (around.label.reshape(-1)[a][:, None] == around.label.reshape(-1)[b]) * (
        around.label.reshape(-1)[a] >= 0
    )[:, None]
    layer = (around.foreground | around.near).reshape(-1)
    same_layer = layer[a][:, None] == layer[b]
    everywhere = part(*model.fine) + part(*model.broad) + part(*model.rows)
    choices = torch.stack([everywhere, everywhere + part(*model.plane)])
    choices = torch.stack([choices * model.layers, choices]) + model.mean
    return choices.reshape(-1)[(same_layer * 2 + same_plane.long()) * (h * w) + distance]

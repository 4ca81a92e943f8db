"""Depth that agrees with itself: a new depth map, brought to the scale of what the memory already holds.

Depth estimated from one picture is right up to a scale, and its inverse up to a shift as well (MiDaS: Ranftl et al.,
TPAMI 2020, arXiv 1907.01341), so this is the model, in inverse depth:

    1 / aligned = 1 / (scale * depth) + shift

The fit minimises relative errors of inverse depth, since depth is uncertain by a share of itself. It is an MM-estimate
(Yohai, Annals of Statistics 1987): a start that outliers cannot spoil, then least squares with Tukey's biweight. The
start is found as MSAC does (Torr and Zisserman, CVIU 2000), by a truncated sum of residuals, but over every line
through two of `BINS` points, each the median of an equal share of the pixels in order of depth. These are all the
candidates there are, so no random numbers are drawn.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# With fewer common pixels than this, or a smaller share of the new depth map, its scale is not known well enough.
MIN_PIXELS, MIN_OVERLAP = 32, 0.05
# Aligned depths within this share of the reference agree. Where fewer than half do, the two show different things.
AGREES, MIN_AGREEMENT = 0.1, 0.5
# A shift differs from a scale only where inverse depth varies: by this share at least, and by more than the noise.
MIN_SPREAD = 0.02
# A shift beyond this share of the median inverse depth of the reference leaves too little to what was estimated.
MAX_SHIFT = 0.7
BINS = 32
TUKEY = 4.685  # 95 % of the efficiency of least squares when the noise is Gaussian
ROUNDS = 8
# A shift that puts a pixel this many times farther than its scale alone has lost it: its depth is unknown.
FARTHER = 100.0


class AlignmentError(ValueError):
    """Two depth maps that cannot be aligned. overlap, agreement: shares, 0..1; agreement is None if not computed."""

    def __init__(self, message: str, overlap: float, agreement: float | None = None):
        super().__init__(message)
        self.overlap, self.agreement = overlap, agreement


@dataclass(frozen=True, eq=False)
class Aligned:
    """A depth map in the units of its reference, and how that was done.

    depth: float32, of the new map's shape; 0 where unknown. scale > 0; shift in 1 / scene unit, 0 unless `shifted`.
    overlap: share of the known new depth that the reference knows too. agreement: share of the overlap that is within
    10 % of the reference now. error: median relative error there. spread: how much inverse depth varies in what agrees,
    as standard deviation over mean. Only the scale is fitted (`shifted` is False) where the spread is below 2 % or
    below the noise, and where the best shift is not a sensible one (MAX_SHIFT).
    """

    depth: Tensor
    scale: float
    shift: float
    shifted: bool
    overlap: float
    agreement: float
    error: float
    spread: float

    def apply(self, depth: Tensor | np.ndarray) -> Tensor:
        """The same scale and shift for another map of the same estimate, for example the one at full resolution."""
        return rescaled(as_depth("depth", depth), self.scale, self.shift)


@torch.no_grad()
def align_depth(
    depth: Tensor | np.ndarray,
    reference: Tensor | np.ndarray,
    valid: Tensor | np.ndarray | None = None,
    shift: bool = True,
) -> Aligned:
    """Bring a new depth map to the scale and shift of the memory's own, by the pixels that both know.

    depth, reference: z-depth of one shape, (H, W) or (T, H, W), seen from the same cameras; what is not finite and
    positive is unknown. All maps of a call share one scale and shift. reference: the depth of a readout. valid: bool
    of that shape, pixels that may be trusted (no sky, nothing that moves): the fit is to them, all are rescaled.
    shift: False fits the scale alone.
    A fifth of the overlap may be wrong by any amount. Deterministic; the order of pixels does not matter.
    Raises AlignmentError, a ValueError, when the overlap is too small or the two maps do not agree.
    """
    depth, reference = as_depth("depth", depth), as_depth("reference", reference)
    known = depth > 0
    if valid is not None:
        valid = torch.as_tensor(valid).cpu().bool()
    for name, other in (("reference", reference), ("valid", valid)):
        if other is not None and other.shape != depth.shape:
            raise ValueError(
                f"{name} {tuple(other.shape)} must have the shape of depth {tuple(depth.shape)}. Read the memory out "
                "on the grid of the new depth map."
            )
    if valid is not None:
        known = known & valid
    common = known & (reference > 0)
    count, overlap = int(common.sum()), float(common.sum() / known.sum().clamp(min=1))
    if count < MIN_PIXELS or overlap < MIN_OVERLAP:
        raise AlignmentError(
            f"The memory knows {count} pixels ({overlap:.1%}) of the new depth map; at least {MIN_PIXELS} and "
            f"{MIN_OVERLAP:.0%} are needed to align it. Give a view that sees more of what the memory knows.",
            overlap,
        )
    x, y = depth[common].double().reciprocal(), reference[common].double().reciprocal()
    a, b = x / y, 1 / y  # the residual of (slope, offset) is slope a + offset b - 1: a relative error
    shifted = False
    if shift and (start := likeliest_line(x, y)) is not None:
        slope, offset, weight, noise = refined(a, b, *start, with_offset=True)
        sensible = slope > 0 and abs(offset) < MAX_SHIFT * float(y.median())
        shifted = sensible and relative_spread(x, weight) > max(MIN_SPREAD, noise)
    if not shifted:
        slope, offset, weight, noise = refined(a, b, float(1 / a.median()), 0.0, with_offset=False)
    aligned = rescaled(depth, 1 / slope, offset)
    error = (aligned[common] / reference[common] - 1).abs()
    agreement = float((error <= AGREES).float().mean())
    if agreement < MIN_AGREEMENT:
        raise AlignmentError(
            f"The best scale ({1 / slope:.3g}) and shift ({offset:.3g}) bring {agreement:.0%} of {count} common pixels "
            f"within {AGREES:.0%} of the memory's depth; {MIN_AGREEMENT:.0%} are needed. Check the camera pose, or "
            "leave out what moves with `valid`.",
            overlap,
            agreement,
        )
    spread = relative_spread(x, weight)
    return Aligned(aligned, 1 / slope, offset, shifted, overlap, agreement, float(error.median()), spread)


def as_depth(name: str, depth: Tensor | np.ndarray) -> Tensor:
    """Depth as float32, with 0 for what is not finite and positive."""
    depth = torch.as_tensor(depth).cpu()
    if depth.ndim not in (2, 3):
        raise ValueError(f"{name} {tuple(depth.shape)} must be (H, W) or (T, H, W): one z-depth per pixel.")
    depth = depth.float()
    return torch.where(torch.isfinite(depth) & (depth > 0), depth, 0.0)


def rescaled(depth: Tensor, scale: float, shift: float) -> Tensor:
    """1 / (1 / (scale depth) + shift) where depth > 0; 0 where it is unknown or pushed FARTHER away."""
    stretch = 1 + shift * scale * depth.double()
    known = (depth > 0) & (stretch > 1 / FARTHER)
    return torch.where(known, scale * depth.double() / stretch.clamp(min=1 / FARTHER), 0.0).float()


def likeliest_line(x: Tensor, y: Tensor) -> tuple[float, float] | None:
    """Slope > 0 and offset of y = slope x + offset, by relative residuals that count AGREES at most, over bins of x.

    None if x does not vary.
    """
    order = x.argsort()
    size = len(x) // BINS or 1
    groups = order[: len(x) // size * size].reshape(-1, size)
    px, py = x[groups].median(dim=1).values, y[groups].median(dim=1).values
    i, j = torch.triu_indices(len(px), len(px), offset=1)
    run = px[j] - px[i]
    far = run > MIN_SPREAD * px.median()
    if not far.any():
        return None
    slope = (py[j] - py[i])[far] / run[far]
    offset = py[i][far] - slope * px[i][far]
    residual = ((slope[:, None] * px + offset[:, None]) / py - 1).abs().clamp(max=AGREES).mean(dim=1)
    residual = torch.where(slope > 0, residual, torch.inf)
    best = residual.argmin()
    return (float(slope[best]), float(offset[best])) if residual[best].isfinite() else None


def refined(a: Tensor, b: Tensor, slope: float, offset: float, with_offset: bool) -> tuple[float, float, Tensor, float]:
    """Reweighted least squares on slope a + offset b = 1, from a start: slope, offset, weights and noise."""
    for _ in range(ROUNDS):
        before = slope
        residual = (a * slope).add_(b, alpha=offset).sub_(1).abs_()
        sigma = max(1.4826 * float(residual.median()), 1e-9)
        weight = residual.div_(TUKEY * sigma).square_().neg_().add_(1).clamp_(min=0).square_()
        wa = weight * a
        aa, sa = float(wa @ a), float(wa.sum())
        if with_offset:
            wb = weight * b
            ab, bb, sb = float(wa @ b), float(wb @ b), float(wb.sum())
            determinant = aa * bb - ab * ab
            if determinant <= 1e-12 * aa * bb:  # everything that counts has one depth
                break
            slope, offset = (bb * sa - ab * sb) / determinant, (aa * sb - ab * sa) / determinant
        else:
            slope = sa / aa
        if abs(slope - before) < 1e-7 * abs(slope):
            break
    return slope, offset, weight, sigma


def relative_spread(x: Tensor, weight: Tensor) -> float:
    """Weighted standard deviation over weighted mean."""
    mean = (weight @ x) / weight.sum()
    return float(((weight @ (x - mean).square()) / weight.sum()).sqrt() / mean)

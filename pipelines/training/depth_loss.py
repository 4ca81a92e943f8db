"""The loss of the depth network."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.depth.embedded import BINS

NEARNESS = 1.0  # power of inverse depth over the median's that an error is weighted with; 1 is what AbsRel does
NEAR, FAR = 0.05, 300.0  # metres; depth outside is clamped before the logarithm


def masked_mean(value: Tensor, mask: Tensor) -> Tensor:
    """Mean of value weighted with mask, which may be bool."""
    return (value * mask).sum() / mask.sum().clamp(min=1)


def median_where(weight: Tensor, value: Tensor) -> Tensor:
    """Weighted median of value (B, h, w) for each photo, (B, 1, 1), over every other row and column.

    weight may be bool; the median of a photo is 0 where all its weights are 0.
    """
    value, order = value[:, ::2, ::2].flatten(1).sort(1)
    share = weight[:, ::2, ::2].flatten(1).float().gather(1, order).cumsum(1)
    middle = torch.searchsorted(share, share[:, -1:] / 2).clamp(max=value.shape[1] - 1)
    return torch.where(share[:, -1:] > 0, value.gather(1, middle), 0.0)[:, :, None]


def depth_loss(output, depth: Tensor, log_focal: Tensor) -> tuple[Tensor, dict[str, float]]:
    """output of DepthNet against depth (B, h, w) metres, 0 = sky, and log(focal / diagonal) (B,), NaN = unknown.

    Every term ignores the scale of each photo. Returns the loss and its unweighted parts.
    """
    known = depth > 0
    truth = depth.clamp(NEAR, FAR).log()
    truth = truth - median_where(known, truth)
    error = output.log_depth - truth
    # What stands near matters most: it is what moves, it covers few pixels, and in doubt a median would paint it away.
    nearness = (-NEARNESS * truth).exp().clamp(0.3, 5) * known
    # The best scale in the L1 sense is the weighted median of the error. Nothing else fixes it, so it is held near
    # zero; left alone it drifts until the exponentials saturate.
    median = median_where(nearness, error)
    anchor = F.huber_loss(median, torch.zeros_like(median), delta=10.0)
    error = error - median.detach()
    size = masked_mean(error.abs(), nearness)

    # The same as a question of class, on the coarse grid: cross-entropy with the two nearest bins.
    cells = truth[:, 2::4, 2::4]
    position = (cells - BINS[0]).div(BINS[1] - BINS[0]).clamp(0, len(BINS) - 1.001)
    low, part = position.long(), position.frac()
    logs = output.layout.log_softmax(1)
    cross = -(logs.gather(1, low[:, None])[:, 0] * (1 - part) + logs.gather(1, low[:, None] + 1)[:, 0] * part)
    layout = masked_mean(cross, nearness[:, 2::4, 2::4])

    # Edges and shapes: differences of the error at four scales; averages only over fully known cells.
    edges = error.new_zeros(())
    level, mask = error, known.float()
    for _ in range(4):
        for axis in (1, 2):
            n = level.shape[axis] - 1
            both = mask.narrow(axis, 1, n) * mask.narrow(axis, 0, n)
            edges = edges + masked_mean((level.narrow(axis, 1, n) - level.narrow(axis, 0, n)).abs(), both)
        level = F.avg_pool2d(level[:, None], 2)[:, 0]
        mask = (F.avg_pool2d(mask[:, None], 2)[:, 0] > 0.99).float()

    # Planes: where the true inverse depth is affine along three samples, the predicted one must be too.
    flat = error.new_zeros(())
    for step in (2, 6):
        for axis in (1, 2):
            n = depth.shape[axis] - 2 * step
            bends, allowed = [], None
            for log_depth in (truth, output.log_depth):
                parts = [(-log_depth).narrow(axis, k * step, n).exp() for k in range(3)]
                bend = (
                    2 * (parts[0] - 2 * parts[1] + parts[2]) / (parts[0] + parts[2])
                )  # free of scale, gradient included
                if allowed is None:
                    together = [known.narrow(axis, k * step, n) for k in range(3)]
                    allowed = (bend.abs() < 0.004) & together[0] & together[1] & together[2]
                bends.append(bend)
            flat = flat + masked_mean(bends[1].abs().clamp(max=1), allowed)

    sky = F.binary_cross_entropy_with_logits(output.sky_logits, (~known).float())
    # Behind the horizon: under sky the depth should not be nearer than the farthest known part.
    farthest = torch.where(known, truth, -torch.inf).flatten(1).max(1).values
    farthest = torch.where(farthest.isfinite(), farthest, 0.0)[:, None, None]
    behind = masked_mean((farthest - output.log_depth + median.detach()).clamp(0, 2), ~known)
    spread = output.log_error.clamp(-5, 2)
    doubt = masked_mean(error.detach().abs() * (-spread).exp() + spread, known)
    with_focal = ~log_focal.isnan()
    focal = masked_mean((output.log_focal - log_focal.nan_to_num()).abs(), with_focal)
    total = (
        size
        + 0.2 * layout
        + 0.25 * edges
        + 0.5 * flat
        + 0.2 * sky
        + 0.05 * behind
        + 0.05 * doubt
        + 0.05 * focal
        + 0.05 * anchor
    )
    parts = dict(log=size, anchor=anchor, layout=layout, edges=edges, flat=flat, sky=sky, focal=focal)
    return total, {name: float(value.detach()) for name, value in parts.items()}

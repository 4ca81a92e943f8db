"""The losses of the autoencoders."""

import math
import random

import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.evaluation.baselines.coarse_autoencoder import CoarseAutoencoder
from pipelines.training.autoencoder_pairs import PairPool

LATENT_NOISE = 0.1  # largest standard deviation of the noise on coarse latents; a generator is never exact


def fine_loss(model: FineAutoencoder, pool: PairPool, batch_size: int) -> tuple[Tensor, dict[str, float]]:
    """Of the picture decoded from its tokens, with noise on them somewhat above the rounding of half precision.

    Returns the loss and, for the progress bar, psnr in dB.
    Decoding tokens that were fetched between their places is not part of it: it gains 0.1 dB there and costs 2.5 dB
    here, since four averaged tokens no longer hold the detail. Whoever needs another view decodes first, then fetches.
    """
    image = pool.batch(batch_size).source
    tokens = model.encode(image)
    decoded = model.decode(tokens + 0.005 * torch.randn_like(tokens))
    return gradient_l1(decoded, image), {"psnr": psnr(decoded.detach(), image)}


def coarse_loss(
    model: CoarseAutoencoder, fine: FineAutoencoder, pool: PairPool, batch_size: int
) -> tuple[Tensor, dict[str, float]]:
    """Of a view decoded from its coarse latents and the part of it that a memory of another view would know.

    Often that part is nothing. Returns the loss and, for the progress bar, the mean error of log depth and, where the
    batch has such pictures, psnr in dB of those decoded from their latents alone.
    """
    pair = pool.batch(batch_size, renew=3)
    with torch.no_grad():
        source, target = fine.encode(torch.cat([pair.source, pair.target])).chunk(2)
        fetched, inside = fetch(source, pair.grid)
        mask = inside * random_mask(inside)
    with torch.autocast("cpu", torch.bfloat16):
        latents = model.encode(target, pair.log_depth)
        noisy = latents + torch.randn_like(latents) * torch.rand(batch_size, 1, 1, 1) * LATENT_NOISE
        tokens, log_depth = model.decode(noisy, fetched, pair.log_depth, mask)
        tokens, log_depth, latents = tokens.float(), log_depth.float(), latents.float()
        decoded = fine.decode(tokens)
    loss = (
        gradient_l1(decoded.float(), pair.target)
        + 0.1 * (tokens - target).abs().mean()
        + 0.1 * gradient_l1(log_depth, pair.log_depth)
        + 3e-3 * (latents.square().mean() - 1).clamp(min=0)
    )
    alone = mask.flatten(1).amax(1) == 0
    figures = {"depth": (log_depth - pair.log_depth).abs().mean().item()}
    if alone.any():
        figures["alone"] = psnr(decoded[alone].detach().float(), pair.target[alone])
    return loss, figures


def gradient_l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error plus half that of the finite differences."""
    error = prediction - target
    dx, dy = error.diff(dim=-1), error.diff(dim=-2)
    return error.abs().mean() + 0.5 * (dx.abs().mean() + dy.abs().mean())


def fetch(tokens: Tensor, grid: Tensor) -> tuple[Tensor, Tensor]:
    """tokens (B, C, h, w) of the source as the target sees them -> the same shape, mask (B, 1, h, w), 1 = seen."""
    inside = (grid.abs().amax(-1) < 1 - 2 / tokens.shape[-1]).float()[:, None]
    return F.grid_sample(tokens, grid, mode="bilinear", padding_mode="border", align_corners=False), inside


def random_mask(like: Tensor) -> Tensor:
    """What is known of each picture, (B, 1, h, w): nothing (40 %), all but a band and blobs (35 %), or everything."""
    mask = torch.ones_like(like)
    height, width = like.shape[-2:]
    for one in mask:
        choice = random.random()
        if choice < 0.4:
            one.zero_()
        elif choice < 0.75:
            band = random.randint(width // 16, width // 2)
            one.rot90(random.randint(0, 3), (1, 2))[..., :band] = 0
            noise = torch.randn(1, 1, random.randint(3, 10), random.randint(3, 10))
            noise = F.interpolate(noise, (height, width), mode="bicubic")[0]
            one *= (noise < random.uniform(0.2, 1.5)).float()
    return mask


def psnr(prediction: Tensor, target: Tensor) -> float:
    """dB for values in [0, 1]; the prediction is clipped first."""
    return -10 * math.log10((prediction.clamp(0, 1) - target).square().mean().item() + 1e-10)

"""Pictures as tensors, and how alike they are, for tests of the autoencoders."""

import torch


def synthetic_picture(height: int = 144, width: int = 256) -> torch.Tensor:
    """Stripes, discs and a gradient with soft edges: (1, 3, height, width) in [0, 1]."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    stripes = torch.sigmoid(4 * torch.sin(x / 5 + y / 11))
    disc = torch.sigmoid(40 - ((x - 90).square() + (y - 70).square()).sqrt())
    ramp = (x + y) / (height + width)
    return torch.stack([ramp, 0.3 + 0.5 * stripes * disc, 0.8 - 0.6 * disc])[None]


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return -10 * torch.log10((a.clamp(0, 1) - b).square().mean()).item()

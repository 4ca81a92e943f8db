"""How alike two pictures are. Pictures are (H, W, 3) uint8, or any equal shapes for `psnr`."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def psnr(a: np.ndarray, b: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio in dB of 8-bit pictures, over `mask` (H, W) if given; 99.0 for equal pictures."""
    error = (a.astype(np.float32) - b.astype(np.float32)) ** 2
    if mask is not None:
        error = error[mask]
    mean = float(error.mean(dtype=np.float64)) if error.size else math.nan
    return min(99.0, 10 * math.log10(255**2 / mean)) if mean > 0 else 99.0


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity, 0..1, mean over pixels and channels (Wang et al. 2004: 11x11 Gaussian, sigma 1.5).

    As its authors' code does, pictures are first averaged down by round(shorter side / 256), so that a score means
    the same at every size.
    """
    pair = torch.from_numpy(np.stack([a, b]).astype(np.float32) / 255).permute(3, 0, 1, 2)
    pair = F.avg_pool2d(pair, max(1, round(min(pair.shape[-2:]) / 256)))
    line = torch.exp(-(torch.arange(-5.0, 6.0) ** 2) / (2 * 1.5**2))
    line = line / line.sum()

    def blur(p):
        return F.conv2d(F.conv2d(p[:, None], line.reshape(1, 1, 1, 11)), line.reshape(1, 1, 11, 1))[:, 0]

    x, y = pair.unbind(1)
    mx, my = blur(x), blur(y)
    vx, vy, vxy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    score = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return float(score.mean())


def gradient(picture: np.ndarray, mask: np.ndarray) -> float:
    """Sum of absolute differences between neighbours that are both in `mask` (H, W), mean over channels."""
    picture = picture.astype(np.float32)
    across = np.abs(np.diff(picture, axis=1)).mean(2)[mask[:, 1:] & mask[:, :-1]]
    down = np.abs(np.diff(picture, axis=0)).mean(2)[mask[1:] & mask[:-1]]
    return float(across.sum(dtype=np.float64) + down.sum(dtype=np.float64))


class Sharpness:
    """Gradient of many pictures over that of the truth: 1 is right, less is blur, more is noise.

    Pooled, since a flat wall alone would divide by nothing.
    """

    def __init__(self):
        self.ours = self.true = 0.0

    def add(self, picture: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> None:
        self.ours += gradient(picture, mask)
        self.true += gradient(truth, mask)

    @property
    def value(self) -> float:
        """NaN without any gradient in the truth."""
        return self.ours / self.true if self.true else math.nan

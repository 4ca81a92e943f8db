"""Product photos, drawn: a vase with a handle, on paper, with a soft shadow."""

import numpy as np
import torch
import torch.nn.functional as F


def product_photo(backdrop=(255, 255, 255), height=180, width=240, shadow=0.35, slope=0.0, middle=(0.5, 0.5)):
    """(H, W, 3) uint8, and where the product is, (H, W) bool.

    backdrop: colour of the paper. shadow: how dark the soft shadow beside the product is, 0..1. slope: how much darker
    the paper is on the right, as a share. middle: of the product, as shares of the width and the height.
    """
    y, x = np.mgrid[:height, :width].astype(float)
    x, y, size = x - middle[0] * width, y - middle[1] * height, height * 0.2
    body = (x / size) ** 2 + (y / (1.3 * size)) ** 2 < 1
    ring = ((x + 1.1 * size) / (0.6 * size)) ** 2 + (y / (0.7 * size)) ** 2
    product = body | ((0.45 < ring) & (ring < 1))
    paper = np.array(backdrop, float) * (1 - slope * np.mgrid[:height, :width][1] / width)[..., None]
    soft = np.exp(-(((x - 0.9 * size) / (0.9 * size)) ** 2) - ((y - 1.1 * size) / (0.4 * size)) ** 2)
    soft = np.where(soft > 0.05, soft, 0)
    picture = paper * (1 - shadow * soft)[..., None]
    texture = np.stack([120 + 60 * np.sin(x / 3), 60 + 40 * np.sin(y / 4), 70 + 50 * np.sin((x + y) / 5)], axis=-1)
    share = torch.from_numpy(product.astype(np.float32))[None, None]
    share = F.avg_pool2d(share, 3, 1, 1, count_include_pad=False)[0, 0].numpy()[..., None]  # its outline is mixed
    picture = picture * (1 - share) + texture * share
    return picture.round().clip(0, 255).astype(np.uint8), product


class ProductDepth:
    """A DepthEstimator that sees the product of `product_photo` before a floor that runs away upwards, with blurred
    outlines, as a small network does."""

    def __init__(self, product: np.ndarray):
        self.product = product

    def __call__(self, image, K):
        height, width = image.shape[:2]
        share = torch.from_numpy(self.product.astype(np.float32))[None, None]
        share = F.avg_pool2d(F.interpolate(share, (height, width), mode="bilinear"), 9, 1, 4)[0, 0].numpy()
        floor = 1 / (1.6 - 0.5 * np.linspace(0, 1, height, dtype=np.float32)[:, None])
        return (1 / (floor * (1 - share) + share)).astype(np.float32), np.ones((height, width), bool)

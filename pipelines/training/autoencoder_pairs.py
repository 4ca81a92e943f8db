"""What the autoencoders are trained on: crops of pictures, each beside another view of itself."""

import math
import random
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from pipelines.evaluation.baselines.coarse_autoencoder import CoarseAutoencoder


@dataclass(frozen=True)
class Picture:
    """rgb (3, H, W) uint8; log_depth (1, H, W) float16, see CoarseAutoencoder, None where depth is not known."""

    rgb: Tensor
    log_depth: Tensor | None = None


def load_pictures(folders: list[Path]) -> list[Picture]:
    """Every jpg and png under `folders`."""
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return [Picture(torch.from_numpy(np.array(Image.open(p).convert("RGB"))).permute(2, 0, 1)) for p in paths]


def load_shards(folders: list[Path], limit: int = 1500) -> list[Picture]:
    """Up to `limit` frames spread over all shards found now."""
    paths = sorted(p for folder in folders for p in folder.rglob("*.npz"))
    pictures = []
    for path in paths:
        with np.load(path) as shard:
            rgb, depth = (torch.from_numpy(shard[name]).flatten(0, 1) for name in ("rgb", "depth"))
        for i in range(0, len(rgb), max(1, math.ceil(len(rgb) * len(paths) / limit))):
            pictures.append(Picture(rgb[i].clone(), relative_log_depth(depth[i].float())[None].half()))
    return pictures


def relative_log_depth(depth: Tensor) -> Tensor:
    """depth (H, W), 0 = sky -> log depth over the frame's median, sky at the far limit."""
    seen = depth > 0
    reference = depth[seen].median() if seen.any() else torch.tensor(1.0)
    far = torch.full_like(depth, CoarseAutoencoder.MAX_LOG_DEPTH)
    return torch.where(seen, (depth.clamp(min=1e-4) / reference).log(), far)


@dataclass(frozen=True)
class Pair:
    """Two views of one crop and the way between them.

    source, target: (3, S, S) in [0, 1].
    log_depth:      (1, S/2, S/2) of the target, on the token grid.
    grid:           (S/2, S/2, 2), for every token of the target its place in the source, in grid_sample coordinates
                    (align_corners=False).
    """

    source: Tensor
    target: Tensor
    log_depth: Tensor
    grid: Tensor


def draw_pair(picture: Picture, size: int, rng: random.Random) -> Pair:
    """A random crop at a random scale and an affine view of it, `size` pixels wide.

    Both views are reduced from one grid of twice the resolution: warping the small source itself would give
    targets that are blurrier than a camera's.
    """
    height, width = picture.rgb.shape[-2:]
    side = min(int(size * math.exp(rng.uniform(-0.2, math.log(3)))), height, width)
    top, left = rng.randint(0, height - side), rng.randint(0, width - side)
    area = (..., slice(top, top + side), slice(left, left + side))
    crop = picture.rgb[area][None].float() / 255
    log_depth = invented_log_depth(crop) if picture.log_depth is None else picture.log_depth[area][None].float()
    if rng.random() < 0.5:
        crop, log_depth = crop.flip(-1), log_depth.flip(-1)

    angle, scale = rng.gauss(0, 0.05), math.exp(rng.gauss(0, 0.08))
    shift = [rng.gauss(0, 6) / size * 2 for _ in range(2)]
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    theta = torch.tensor([[[cos, -sin, shift[0]], [sin, cos, shift[1]]]])
    large = F.interpolate(crop, (2 * size, 2 * size), mode="bicubic", antialias=True)
    pixels = F.affine_grid(theta, large.shape, align_corners=False)
    turned = F.grid_sample(large, pixels, mode="bicubic", padding_mode="reflection", align_corners=False)
    views = F.interpolate(torch.cat([large, turned]), (size, size), mode="bicubic", antialias=True).clamp(0, 1)
    grid = F.affine_grid(theta, (1, 3, size // 2, size // 2), align_corners=False)
    seen = F.grid_sample(log_depth, grid, mode="nearest", padding_mode="reflection", align_corners=False)
    return Pair(views[0], views[1], seen[0], grid[0])


def invented_log_depth(image: Tensor) -> Tensor:
    """image (1, 3, H, W) -> (1, 1, H, W): a smooth field with steps where the picture's broad areas meet."""
    height, width = image.shape[-2:]
    tilt = torch.linspace(0.7, -0.7, 3)[:, None] * torch.rand(1)
    smooth = F.interpolate(torch.randn(1, 1, 3, 4) * 0.3 + tilt, (height, width), mode="bicubic")
    areas = F.interpolate(image.mean(1, keepdim=True), (24, 24), mode="bilinear", antialias=True)
    areas = F.interpolate(areas, (height, width), mode="bicubic")
    return smooth + torch.randn(1) * 0.4 * (areas > areas.mean()).float()


class PairPool:
    """A few hundred pairs of which every batch renews some: preparing pairs stays cheaper than the step."""

    def __init__(self, pictures: list[Picture], size: int, capacity: int, rng: random.Random):
        self.pictures, self.size, self.rng = pictures, size, rng
        self.pairs = [self._draw() for _ in tqdm(range(capacity), desc="pairs", leave=False)]

    def _draw(self) -> Pair:
        return draw_pair(self.rng.choice(self.pictures), self.size, self.rng)

    def batch(self, count: int, renew: int = 2) -> Pair:
        """`count` pairs, stacked."""
        for _ in range(renew):
            self.pairs[self.rng.randrange(len(self.pairs))] = self._draw()
        pairs = self.rng.sample(self.pairs, count)
        return Pair(*(torch.stack([getattr(p, f.name) for p in pairs]) for f in fields(Pair)))

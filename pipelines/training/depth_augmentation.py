"""Augmentation of generated views for depth: crops, pasted objects, defocus, colour and noise; z-depth stays exact."""

import io
import math
import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor


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
    scale *= 1.0 if rng.random() < 0.5 else rng.uniform(0.6, 1)
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
    """rgb (3, h, w) in [0, 1] after JPEG compression at a random quality."""
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

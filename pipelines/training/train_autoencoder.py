"""Train the embedded autoencoder: fine tokens first, the coarse RGB-D latents on top of them.

    python -m pipelines.training.train_autoencoder --shards DIR... [--pictures DIR...] --out RUN --minutes M

Shards are the npz files of pipelines.synthetic.scenes, pictures are folders of jpg or png files. A run can be stopped
at any time and started again with the same --out: it goes on where its last checkpoint was. RUN/autoencoder and
RUN/coarse_autoencoder hold the exported moving average of the weights in half precision, RUN/sheet.png the pictures
beside what comes back.
"""

import argparse
import copy
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.evaluation.baselines.coarse_autoencoder import CoarseAutoencoder
from pipelines.files import atomic_write

CHECKPOINT_SECONDS = 60
FINE_CROP, COARSE_CROP = 112, 128  # side of a training crop, pixels
LATENT_NOISE = 0.1  # largest standard deviation of the noise on coarse latents; a generator is never exact


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


def gradient_l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error plus half that of the finite differences."""
    error = prediction - target
    dx, dy = error.diff(dim=-1), error.diff(dim=-2)
    return error.abs().mean() + 0.5 * (dx.abs().mean() + dy.abs().mean())


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


def fetch(tokens: Tensor, grid: Tensor) -> tuple[Tensor, Tensor]:
    """tokens (B, C, h, w) of the source as the target sees them -> the same shape, mask (B, 1, h, w), 1 = seen."""
    inside = (grid.abs().amax(-1) < 1 - 2 / tokens.shape[-1]).float()[:, None]
    return F.grid_sample(tokens, grid, mode="bilinear", padding_mode="border", align_corners=False), inside


def fine_loss(model: FineAutoencoder, pool: PairPool, batch_size: int) -> tuple[Tensor, dict[str, float]]:
    """The picture from its tokens, with noise somewhat above the rounding of half precision on them.

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
    """A view from its coarse latents and the part of it that a memory of another view would know; often nothing."""
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


def train(
    model: nn.Module,
    loss: Callable[[], tuple[Tensor, dict[str, float]]],
    export: Callable[[nn.Module], None],
    run: Path,
    minutes: float,
    learning_rate: float,
) -> nn.Module:
    """AdamW with warm-up and cosine decay over `minutes` of training time, resumed from run/state.pt where it exists.

    Returns the moving average of the weights. Time spent in earlier runs counts.
    """
    run.mkdir(parents=True, exist_ok=True)
    state_path, average = run / "state.pt", copy.deepcopy(model).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=(0.9, 0.98), weight_decay=1e-4)
    step, spent = 0, 0.0
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["seconds"]

    started = saved = time.time()
    means: dict[str, float] = {}
    with tqdm(total=minutes * 60, initial=spent, unit="s", desc=run.name, mininterval=10) as bar:
        while (progress := (spent + time.time() - started) / (minutes * 60)) < 1:
            decay = 1 if progress < 0.3 else 0.5 * (1 + math.cos(math.pi * (progress - 0.3) / 0.7)) + 0.01
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * min(1, (step + 1) / 60) * decay
            value, figures = loss()
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            keep = min(0.998, step / (step + 20))
            with torch.no_grad():
                for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
                    mean.lerp_(weight, 1 - keep)
            for name, figure in (("loss", value.item()), *figures.items()):
                means[name] = means.get(name, figure) * 0.99 + figure * 0.01
            bar.set_postfix(step=step, **{k: f"{v:.3f}" for k, v in means.items()}, refresh=False)
            bar.update(min(bar.total, spent + time.time() - started) - bar.n)
            if time.time() - saved > CHECKPOINT_SECONDS:
                saved = time.time()
                _save(state_path, model, average, optimizer, step, spent + saved - started)
                export(average)
    _save(state_path, model, average, optimizer, step, spent + time.time() - started)
    export(average)
    return average


def _save(path: Path, model, average, optimizer, step: int, seconds: float) -> None:
    state = {"model": model.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict()}
    with atomic_write(path) as temporary:
        torch.save(state | {"step": step, "seconds": seconds}, temporary)


def export_half(model: nn.Module, folder: Path) -> None:
    """Save a copy in half precision; from_pretrained(folder, torch_dtype=torch.float32) gives it back in single."""
    copy.deepcopy(model).half().save_pretrained(folder)


def train_fine(pictures: list[Picture], run: Path, minutes: float, batch_size: int, rng: random.Random) -> None:
    pool = PairPool(pictures, FINE_CROP, capacity=400, rng=rng)
    model = FineAutoencoder()
    model.init_from_pca(torch.stack([pair.source for pair in pool.pairs]))
    model = model.to(memory_format=torch.channels_last)
    train(
        model,
        loss=lambda: fine_loss(model, pool, batch_size),
        export=lambda average: export_half(average, run / "autoencoder"),
        run=run / "fine",
        minutes=minutes,
        learning_rate=2e-3,
    )


def train_coarse(pictures: list[Picture], run: Path, minutes: float, batch_size: int, rng: random.Random) -> None:
    """Needs the fine autoencoder of the same run, which stays as it is."""
    fine = FineAutoencoder.from_pretrained(run / "autoencoder", torch_dtype=torch.float32).requires_grad_(False)
    pool = PairPool(pictures, COARSE_CROP, capacity=400, rng=rng)
    model = CoarseAutoencoder()
    with torch.no_grad():
        tokens = fine.encode(torch.stack([pair.target for pair in pool.pairs]))
    model.init_from_pca(tokens, torch.stack([pair.log_depth for pair in pool.pairs]))
    model = model.to(memory_format=torch.channels_last)
    train(
        model,
        loss=lambda: coarse_loss(model, fine, pool, batch_size),
        export=lambda average: export_half(average, run / "coarse_autoencoder"),
        run=run / "coarse",
        minutes=minutes,
        learning_rate=1e-3,
    )


@torch.no_grad()
def save_sheet(pictures: list[Picture], run: Path, columns: int = 6) -> None:
    """run/sheet.png: pictures, fine tokens decoded, coarse latents alone decoded, one row each."""
    fine = FineAutoencoder.from_pretrained(run / "autoencoder", torch_dtype=torch.float32)
    coarse = CoarseAutoencoder.from_pretrained(run / "coarse_autoencoder", torch_dtype=torch.float32)
    rng = random.Random(1)
    pairs = [draw_pair(picture, 192, rng) for picture in rng.sample(pictures, min(columns, len(pictures)))]
    images, log_depth = (torch.stack([getattr(p, name) for p in pairs]) for name in ("target", "log_depth"))
    tokens = fine.encode(images)
    rows = [images, fine.decode(tokens), fine.decode(coarse.decode(coarse.encode(tokens, log_depth))[0])]
    sheet = torch.cat([torch.cat(list(row), dim=-1) for row in rows], dim=-2).clamp(0, 1)
    Image.fromarray((sheet.permute(1, 2, 0) * 255).round().byte().numpy()).save(run / "sheet.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=Path, nargs="*", default=[], help="folders of scene shards (npz)")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="folders of jpg or png pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=float, required=True, help="training time of each stage")
    parser.add_argument("--stage", choices=("fine", "coarse", "both"), default="both")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    random.seed(args.seed)
    pictures = load_pictures(args.pictures) + load_shards(args.shards)
    if not pictures:
        parser.error("no training pictures: give --pictures with jpg or png files, or --shards with npz files")
    rng = random.Random(args.seed)
    if args.stage in ("fine", "both"):
        train_fine(pictures, args.out, args.minutes, args.batch_size, rng)
    if args.stage in ("coarse", "both"):
        train_coarse(pictures, args.out, args.minutes, args.batch_size, rng)
        save_sheet(pictures, args.out)


if __name__ == "__main__":
    main()

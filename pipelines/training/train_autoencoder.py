"""Train the embedded autoencoder: fine tokens first, the coarse RGB-D latents on top of them.

    python -m pipelines.training.train_autoencoder --shards DIR... [--pictures DIR...] --out RUN --minutes M

Shards are the npz files of pipelines.training.scenes, pictures are folders of jpg or png files. A run can be stopped
at any time and started again with the same --out: it goes on where its last checkpoint was. RUN/autoencoder and
RUN/coarse_autoencoder hold the exported moving average of the weights in half precision, RUN/*.png the evaluation sheets.
"""

import argparse
import copy
import math
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from pipelines.engines.autoencoder import FineAutoencoder

CHECKPOINT_SECONDS = 60
SOURCE_SIZE = 112  # side of a training crop of the fine stage, pixels


def load_pictures(folders: list[Path]) -> list[Tensor]:
    """Every jpg and png under `folders` as (3, H, W) uint8."""
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return [torch.from_numpy(np.array(Image.open(p).convert("RGB"))).permute(2, 0, 1) for p in paths]


def load_shard_frames(folders: list[Path], limit: int = 1500) -> list[Tensor]:
    """Up to `limit` frames (3, H, W) uint8 spread over all shards found now."""
    paths = sorted(p for folder in folders for p in folder.rglob("*.npz"))
    frames = []
    for path in paths:
        rgb = np.load(path)["rgb"].reshape(-1, *np.load(path)["rgb"].shape[-3:])
        step = max(1, math.ceil(len(rgb) * len(paths) / limit))
        frames += [torch.from_numpy(frame.copy()) for frame in rgb[::step]]
    return frames


def gradient_l1(prediction: Tensor, target: Tensor, weight: Tensor | float = 1.0) -> Tensor:
    """Mean absolute error plus that of the finite differences; `weight` (B, 1, H, W) leaves pixels out."""
    error = (prediction - target) * weight
    dx, dy = error.diff(dim=-1), error.diff(dim=-2)
    return error.abs().mean() + 0.5 * (dx.abs().mean() + dy.abs().mean())


def warped_pair(picture: Tensor, size: int, rng: random.Random) -> tuple[Tensor, Tensor, Tensor]:
    """Two views of one crop and the way between them.

    picture (3, H, W) uint8 -> source (3, size, size), target (3, size, size) in [0, 1], grid (size/2, size/2, 2): for
    every token of the target its place in the source in grid_sample coordinates (align_corners=False).

    Both views are reduced from one grid of twice the resolution: warping the small source itself would give
    targets that are blurrier than a camera's.
    """
    height, width = picture.shape[-2:]
    side = min(int(size * math.exp(rng.uniform(0, math.log(3)))), height, width)
    top, left = rng.randint(0, height - side), rng.randint(0, width - side)
    crop = picture[None, :, top : top + side, left : left + side].float() / 255
    if rng.random() < 0.5:
        crop = crop.flip(-1)
    large = F.interpolate(crop, (2 * size, 2 * size), mode="bicubic", antialias=True)

    angle, scale = rng.gauss(0, 0.05), math.exp(rng.gauss(0, 0.08))
    shift = [rng.gauss(0, 6) / size * 2 for _ in range(2)]
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    theta = torch.tensor([[[cos, -sin, shift[0]], [sin, cos, shift[1]]]])
    turned = F.grid_sample(
        large, F.affine_grid(theta, large.shape, align_corners=False), mode="bicubic", align_corners=False
    )
    views = F.interpolate(torch.cat([large, turned]), (size, size), mode="bicubic", antialias=True).clamp(0, 1)
    return views[0], views[1], F.affine_grid(theta, (1, 3, size // 2, size // 2), align_corners=False)[0]


class PairPool:
    """A few hundred warped pairs of which every batch renews some: preparing pairs stays cheaper than the step."""

    def __init__(self, pictures: list[Tensor], size: int, capacity: int, rng: random.Random):
        self.pictures, self.size, self.rng = pictures, size, rng
        self.pairs = [self._draw() for _ in range(capacity)]

    def _draw(self):
        return warped_pair(self.rng.choice(self.pictures), self.size, self.rng)

    def batch(self, count: int, renew: int = 2) -> list[Tensor]:
        for _ in range(renew):
            self.pairs[self.rng.randrange(len(self.pairs))] = self._draw()
        return [torch.stack(parts) for parts in zip(*self.rng.sample(self.pairs, count), strict=True)]


def fine_loss(model: FineAutoencoder, pool: PairPool, batch_size: int) -> tuple[Tensor, dict[str, float]]:
    """The picture from its tokens, and another view of it from the same tokens fetched where that view sees them."""
    source, target, grid = pool.batch(batch_size)
    tokens = model.encode(source)
    noisy = tokens + 0.01 * torch.randn_like(tokens)
    warped = F.grid_sample(noisy, grid, mode="bilinear", align_corners=False)
    # Cells near the rim mix in places that the source does not show.
    inside = (grid.abs().amax(-1) < 1 - 8 / SOURCE_SIZE).float()[:, None]
    inside = -F.max_pool2d(-inside, 7, 1, 3)
    inside = F.interpolate(inside, scale_factor=2.0)
    decoded, seen = model.decode(torch.cat([noisy, warped])).chunk(2)
    loss = gradient_l1(decoded, source) + gradient_l1(seen, target, inside)
    with torch.no_grad():
        warp_error = ((seen - target).square() * inside).sum() / (3 * inside.sum().clamp(min=1))
        figures = {"psnr": psnr(decoded, source), "warp_psnr": -10 * math.log10(warp_error.item() + 1e-10)}
    return loss, figures


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
    torch.save(state | {"step": step, "seconds": seconds}, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def export_half(model: nn.Module, folder: Path) -> None:
    """Save a copy in half precision; from_pretrained(folder, torch_dtype=torch.float32) gives it back in single."""
    copy.deepcopy(model).half().save_pretrained(folder)


def train_fine(pictures: list[Tensor], run: Path, minutes: float, batch_size: int, seed: int) -> FineAutoencoder:
    rng = random.Random(seed)
    model = FineAutoencoder()
    pool = PairPool(pictures, SOURCE_SIZE, capacity=400, rng=rng)
    model.init_from_pca(torch.stack([pair[0] for pair in pool.pairs]))
    export_half(model, run / "autoencoder")
    model = model.to(memory_format=torch.channels_last)
    return train(
        model,
        loss=lambda: fine_loss(model, pool, batch_size),
        export=lambda average: export_half(average, run / "autoencoder"),
        run=run / "fine",
        minutes=minutes,
        learning_rate=2e-3,
    )


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
    pictures = load_pictures(args.pictures) + load_shard_frames(args.shards)
    if not pictures:
        parser.error("no training pictures: give --pictures with jpg or png files, or --shards with npz files")
    train_fine(pictures, args.out, args.minutes, args.batch_size, args.seed)


if __name__ == "__main__":
    main()

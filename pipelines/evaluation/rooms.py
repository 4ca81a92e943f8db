"""The rooms suite: clips through held-out generated rooms (room_truth.py), against their exact renderings."""

import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from pipelines.evaluation.baselines import BASELINES, chosen
from pipelines.evaluation.baselines.append_only import append_only
from pipelines.evaluation.baselines.coarse_autoencoder import CoarseAutoencoder, coarse_folder
from pipelines.evaluation.baselines.lookup import PhotoPixels, seen_along, true_lookup
from pipelines.evaluation.baselines.no_memory import without_memory
from pipelines.evaluation.reporting import say, target
from pipelines.evaluation.room_truth import SKY, Room, make_room
from pipelines.inputs import check_size
from pipelines.metrics import Sharpness
from pipelines.weights.shipped import EMBEDDED_FOLDER

SIZE = (144, 256)
AWAY = 16  # frames from the start that count as near enough for the covered figure
LAST = 4  # frames at the end that count as the closed loop


def evaluate(pipe, args) -> dict:
    """The rooms suite: figures per method, and the gaps between methods beside their targets."""
    baselines = chosen(args.baseline, BASELINES, pipe.autoencoder is not None)
    coarse = coarse_autoencoder(args.model) if "append" in baselines else None
    if "append" in baselines and coarse is None:
        say("append is left out: this model has no coarse_autoencoder folder yet.")
        baselines.remove("append")
    height, width = args.size or SIZE
    check_size(height, width, pipe.engine.facts.size_step, pipe.engine.facts.max_side)  # before a room is made
    scores, per_scene = defaultdict(RoomScore), []
    for index in range(args.scenes):
        room = make_room(index, args.frames, height, width, args.length, pipe)
        for name, frames in clips(pipe, room, baselines, coarse, args.seed, args.depth_error or ()):
            scores[name].add(frames, room, pipe.engine.facts.frames_per_chunk)
            alone = RoomScore()
            alone.add(frames, room, pipe.engine.facts.frames_per_chunk)
            per_scene.append({"scene": room.name, "method": name, **alone.figures()})
        say(f"scene {index + 1} of {args.scenes}, {room.name}: " + short(per_scene, room.name))
    methods = {name: score.figures() for name, score in scores.items()}
    # where a surface is not covered, the look-up shows what stands before it
    methods["exact"] = {name: methods["exact"][name] for name in ("covered", "clear")}
    return {
        "scenes": args.scenes,
        "frames": args.frames,
        "size": [height, width],
        "length": args.length,
        "methods": methods,
        "targets": targets(methods),
        "details": per_scene,
    }


def short(per_scene: list[dict], scene: str) -> str:
    """One line of progress: the covered figure of every method in a scene."""
    return ", ".join(f"{row['method']} {row['covered']}" for row in per_scene if row["scene"] == scene) + " dB covered"


def targets(methods: dict[str, dict]) -> dict[str, dict]:
    """What the figures must reach; gaps only to the baselines that were run."""
    ours = methods["ours"]
    found = {
        "covered": target(ours["covered"], at_least=34),
        "clear below exact": target(methods["exact"]["clear"] - ours["clear"], at_most=1),
        "covered, estimated depth": target(methods["estimated depth"]["covered"], at_least=31.5),
        "loop": target(ours["loop"], at_least=38),
        "end": target(ours["end"], at_least=42),
        "hole sharpness": target(ours["hole_sharpness"], at_least=0.8, at_most=1.2),
        "join": target(ours["join"], at_most=1),
    }
    if "none" in methods:
        found["loop over none"] = target(ours["loop"] - methods["none"]["loop"], at_least=12)
    if "append" in methods:
        found["covered over append"] = target(ours["covered"] - methods["append"]["covered"], at_least=10)
    if "rgb" in methods:
        found["rgb over covered"] = target(methods["rgb"]["covered"] - ours["covered"], at_most=1)
    if "smooth" in methods:
        found["holes over smooth"] = target(ours["holes"] - methods["smooth"]["holes"], at_least=1.5)
    return found


# ---- the figures ----


class Pool:
    """Squared errors of many pictures, pooled into one figure."""

    def __init__(self):
        self.total, self.count = 0.0, 0

    def add(self, picture: np.ndarray, truth: np.ndarray, mask: np.ndarray | None = None) -> None:
        error = (picture.astype(np.float32) - truth.astype(np.float32)) ** 2
        error = error if mask is None else error[mask]
        self.total, self.count = self.total + float(error.sum(dtype=np.float64)), self.count + error.size

    @property
    def psnr(self) -> float:
        """dB over everything added; 99.0 without any error, NaN without any pixel."""
        if not self.count:
            return math.nan
        return min(99.0, 10 * math.log10(255**2 * self.count / self.total)) if self.total else 99.0


class RoomScore:
    """Figures of one method, pooled over pixels: see docs/evaluation.md for what each means."""

    def __init__(self):
        self.covered, self.clear, self.holes, self.loop, self.end = Pool(), Pool(), Pool(), Pool(), Pool()
        self.sharpness = Sharpness()
        self.joins, self.inside = [], []

    def add(self, frames: np.ndarray, room: Room, frames_per_chunk: int) -> None:
        out = slice(1, min(AWAY, len(frames) // 2) + 1)
        self.covered.add(frames[out], room.frames[out], room.covered[out])
        self.clear.add(frames[out], room.frames[out], room.clear[out])
        self.holes.add(frames[out], room.frames[out], ~room.covered[out])
        self.loop.add(frames[-LAST:], room.frames[-LAST:])
        self.end.add(frames[-1], room.frames[-1])
        for frame, truth, covered in zip(frames[out], room.frames[out], room.covered[out], strict=True):
            self.sharpness.add(frame, truth, ~covered)
        # The colour step of a frame is that of its mean error: what the true clip changes by itself does not count.
        error = (frames.astype(np.float32) - room.frames).mean(axis=(1, 2))
        steps = np.abs(np.diff(error, axis=0)).max(axis=1)
        at_join = np.arange(1, len(frames)) % frames_per_chunk == 0
        self.joins += steps[at_join].tolist()
        self.inside += steps[~at_join].tolist()

    def figures(self) -> dict[str, float | None]:
        join = np.mean(self.joins) - np.mean(self.inside) if self.joins else 0.0
        figures = {
            "covered": self.covered.psnr,
            "clear": self.clear.psnr,
            "holes": self.holes.psnr,
            "hole_sharpness": self.sharpness.value,
            "loop": self.loop.psnr,
            "end": self.end.psnr,
            "join": join,
        }
        return {name: None if math.isnan(value) else round(float(value), 3) for name, value in figures.items()}


# ---- the methods ----


@torch.no_grad()
def clips(
    pipe, room: Room, baselines: list[str], coarse: CoarseAutoencoder | None, seed: int, errors: Iterable[float] = ()
):
    """Yields (method, frames (T, H, W, 3) uint8), one clip at a time. errors: see `wrong_depth`."""
    path, photo, depth = room.trajectory, room.frames[0], room.depth[0]
    lifted = pipe.lift(photo, path.height, path.width, path[0], depth)
    result = pipe(lifted, path, seed=seed)
    yield "ours", result.frames
    estimate, known = pipe.engine.depth(photo, path[0].K)
    near = known & (depth < SKY)
    scale = np.median(depth[near]) / np.median(estimate[near])  # one picture cannot know its scale
    yield "estimated depth", pipe(photo, path, seed=seed, depth=np.where(known, estimate * scale, 0)).frames
    for error in errors:
        yield f"depth off by {error:g}", pipe(photo, path, seed=seed, depth=wrong_depth(depth, error, seed)).frames
    yield "exact", np.stack([true_lookup(room, t) for t in range(len(path))])
    if "smooth" in baselines:
        yield "smooth", seen_along(pipe.engine, lifted.memory, path)
    if "rgb" in baselines:
        yield "rgb", seen_along(PhotoPixels(pipe.engine, photo), result.memory, path)
    if "none" in baselines:
        yield "none", without_memory(pipe, room, seed)
    if "append" in baselines:
        yield "append", append_only(pipe.autoencoder, coarse, room, pipe.engine.facts.frames_per_chunk)


def wrong_depth(depth: np.ndarray, error: float, seed: int) -> np.ndarray:
    """depth (H, W) times a smooth random field, so that its mean relative error is `error`; the sky stays."""
    noise = torch.randn(1, 1, 4, 6, generator=torch.Generator().manual_seed(seed))
    noise = F.interpolate(noise, depth.shape, mode="bicubic", align_corners=True)[0, 0].numpy()
    near = depth < SKY
    noise -= np.median(noise[near])  # its scale is right, as that of an estimate is set to be
    return np.where(near, depth * np.exp(noise * error / np.abs(noise[near]).mean()), depth).astype(np.float32)


def coarse_autoencoder(model: str) -> CoarseAutoencoder | None:
    """The coarse autoencoder of a model, which is "embedded" or a folder; None where there is none."""
    folder = coarse_folder(EMBEDDED_FOLDER if model == "embedded" else Path(model))
    return CoarseAutoencoder.from_pretrained(folder, torch_dtype=torch.float32).eval() if folder.is_dir() else None

"""What the depth network is trained on: views of generated scenes from shards that may grow meanwhile."""

import random
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from pipelines.training.depth_augmentation import Pictures, augment

# Sides of the pictures and size of the batches, by share of the training time. Small ones first: the layout of a room
# shows on a thumbnail, and twenty thumbnails cost less than four full pictures.
STAGES = {
    0.35: (32, [(64, 96)] * 5 + [(64, 128)] * 2 + [(96, 64)] + [(96, 96)]),
    0.75: (14, [(128, 160)] * 4 + [(128, 192)] * 3 + [(96, 192)] * 2 + [(160, 128)] * 2 + [(160, 160)]),
    1.0: (8, [(192, 256), (192, 288)] * 4 + [(160, 256), (256, 192), (224, 224)] * 2 + [(160, 288)]),
}
SIZES = STAGES[1.0][1]


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


def next_batch(progress: float, rng: random.Random) -> tuple[int, tuple[int, int], float]:
    """How many pictures, of which size (height, width), and what share of them is made strange.

    progress: share of the training time, 0..1; 1 for weights that were trained before and know the layouts.
    """
    count, sizes = next(stage for until, stage in STAGES.items() if progress <= until)
    # Plain pictures first; what makes photographs work is added as the network learns to see. Not to most of them:
    # things pasted anywhere and dirt that is no depth also teach it to look through what stands in a room.
    strange = 0.2 + 0.3 * min(1.0, progress / 0.6)
    return count, rng.choice(sizes), strange


def make_batch(
    rng: random.Random, shards: Shards, pictures: Pictures, count: int, size: tuple[int, int], strange: float
):
    """rgb (B, 3, h, w) in [0, 1], depth (B, h/2, w/2) metres with 0 = sky, log(focal / diagonal) (B,) or NaN."""
    items = [augment(rng, *shards.pick(rng), pictures, size, strange) for _ in range(count)]
    depth = torch.stack([z for _, z, _ in items])
    # Nearest, not averaged: a mean over an edge is a depth that exists nowhere.
    depth = F.interpolate(depth[:, None], scale_factor=0.5, mode="nearest")[:, 0]
    return torch.stack([rgb for rgb, _, _ in items]), depth, torch.tensor([f for _, _, f in items])

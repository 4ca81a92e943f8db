"""How good is what was invented? Fillers compared where the truth is known.

Rooms: held-out generated scenes, remembered from one exact view and read at the far end of each of the product's
gentle moves, and of wide ones that go further than the product proposes; the truth is the rendering there. Photos: a
strip is cut off the side of a real picture and filled back. PSNR alone rewards fog and sharpness alone rewards noise,
so both stand side by side.

    python -m pipelines.evaluation.holes --scenes 9 --size 144x256 [--first 300] [--photos DIR --sheet out.png]
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipelines.cameras import Camera, Trajectory, move, shortened
from pipelines.cameras.moves import poses
from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.evaluation.room_truth import FIRST_SEED, PATHS, SKY, true_view
from pipelines.evaluation.sheet import write_sheet
from pipelines.inpainting.exemplar import fill
from pipelines.inpainting.smooth import nearest_known, smooth_fill
from pipelines.memory import LatentMemory
from pipelines.metrics import Sharpness
from pipelines.photo.lifted import subject_distance
from pipelines.synthetic.paths import is_free
from pipelines.synthetic.scenes import HELD_OUT_FAMILIES, make_scene
from pipelines.weights.shipped import EMBEDDED_FOLDER

PATHS_PER_SCENE = 3
RIMS = {"right": (0, 0, 0, 0.15), "left": (0, 0, 0.15, 0), "top": (0.1, 0, 0, 0), "all round": (0.12,) * 4}
SMALLEST = 0.01  # share of the picture from which on a hole counts


def mirror_fill(features: Tensor, mask: Tensor) -> Tensor:
    """Fill a hole with the picture reflected at the nearest known token; where that is unknown too, smoothly.

    features: (C, h, w) float; mask: (h, w) bool. Returns (C, h, w), known tokens bit for bit.
    """
    if not mask.any() or mask.all():
        return smooth_fill(features, mask)
    h, w = mask.shape
    row, column = nearest_known(mask)
    y = (2 * row - torch.arange(h)[:, None]).clamp(0, h - 1)
    x = (2 * column - torch.arange(w)[None]).clamp(0, w - 1)
    return torch.where(mask | mask[y, x], features[:, y, x].where(~mask, features), smooth_fill(features, mask))


METHODS = {
    "smooth": lambda case: smooth_fill(case.features, case.mask),
    "mirror": lambda case: mirror_fill(case.features, case.mask),
    "exemplar": lambda case: fill(case.features, case.mask, case.depth, case.K, colour=case.colour).features,
}


@dataclass(frozen=True)
class Case:
    """One view with a hole. features (C, h, w), mask, depth (h, w) on the token grid with K; truth (H, W, 3) uint8.

    colour: (3, C) directions of a token that are its colour.
    """

    name: str
    features: Tensor
    mask: Tensor
    depth: Tensor
    K: Tensor
    truth: np.ndarray
    colour: Tensor


def gentle_paths(index: int, camera: Camera, distance: float) -> Iterator[tuple[str, Trajectory]]:
    """Three of the product's moves, at their default strength."""
    for k in range(PATHS_PER_SCENE):
        name, params = PATHS[(index * PATHS_PER_SCENE + k) % len(PATHS)]
        label = f"{name} {params.get('direction', '')}".strip()
        yield label, move(name, camera, distance=distance, frames=9, **params)


def wide_paths(index: int, camera: Camera, distance: float) -> Iterator[tuple[str, Trajectory]]:
    """Further than the product goes: a pan of 20-38 degrees, an arc of 0.5-1 m, a pull-back of up to 1.3 m."""
    rng = np.random.default_rng([index, 7])
    t = np.linspace(0, 1, 9)
    side, degrees, across, back = rng.choice([-1, 1]), rng.uniform(20, 38), rng.uniform(0.5, 1), rng.uniform(0.6, 1.3)
    x, z = side * across * t, min(distance, 3.5)
    walks = {
        f"pan {side * degrees:.0f}": poses(t, yaw=side * np.radians(degrees) * t),
        f"arc {side * across:.1f}": poses(t, x=x, yaw=-np.arctan2(x, z)),
        f"pull-back {back:.1f}": poses(t, z=-back * min(1, distance / 4) * t),
    }
    for name, c2w in walks.items():
        yield name, Trajectory(camera.c2w @ c2w, np.repeat(camera.K[None], len(t), 0), camera.height, camera.width)


MOVES = {"gentle": gentle_paths, "wide": wide_paths}


def room_cases(
    index: int, autoencoder: FineAutoencoder, height: int, width: int, moves: str = "gentle"
) -> Iterator[Case]:
    """Held-out scene `index`, seen from its photo's camera, at the farthest poses of the paths MOVES[moves]."""
    family = HELD_OUT_FAMILIES[index % len(HELD_OUT_FAMILIES)]
    scene = make_scene(FIRST_SEED + index, family)
    scene.vignette = 0.0
    camera = Camera.from_fov(scene.fov_degrees, height, width)
    photo, depth = true_view(scene, camera)
    memory = LatentMemory(autoencoder.config.latent_channels, interpolates=True)
    memory.write(encode(autoencoder, photo), torch.from_numpy(depth), camera)
    distance = subject_distance(depth, depth < SKY)
    for name, path in MOVES[moves](index, camera, distance):
        for _ in range(10):
            if is_free(scene, (scene.camera @ path.c2w)[:, :3, 3])[1:].all():
                break
            path = shortened(path, 0.8)
        seen = memory.readout(list(path), height // 2, width // 2)
        t = int(seen.mask.float().mean((1, 2)).argmin())
        if (~seen.mask[t]).float().mean() < SMALLEST:
            continue
        K = torch.tensor(path[t].resized(height // 2, width // 2).K, dtype=torch.float32)
        truth, _ = true_view(scene, path[t])
        label = f"{family} {index} {name}"
        yield Case(
            label, seen.latents[t].float(), seen.mask[t], seen.depth[t], K, truth, autoencoder.colour_directions()
        )


def photo_cases(photo: np.ndarray, name: str, autoencoder: FineAutoencoder, sides=tuple(RIMS)) -> Iterator[Case]:
    """A photo (H, W, 3) uint8 with strips of its sides hidden. No depth is known."""
    tokens = encode(autoencoder, photo)
    h, w = tokens.shape[1:]
    K = torch.tensor([[0.9 * w, 0, w / 2], [0, 0.9 * w, h / 2], [0, 0, 1]])
    for side in sides:
        top, bottom, left, right = (round(share * n) for share, n in zip(RIMS[side], (h, h, w, w), strict=True))
        mask = torch.zeros(h, w, dtype=torch.bool)
        mask[top : h - bottom, left : w - right] = True
        yield Case(f"{name} {side}", tokens * mask, mask, torch.zeros(h, w), K, photo, autoencoder.colour_directions())


@torch.no_grad()
def encode(autoencoder: FineAutoencoder, picture: np.ndarray) -> Tensor:
    """picture (H, W, 3) uint8 -> tokens (C, H/2, W/2)."""
    return autoencoder.encode(torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255)[0]


@torch.no_grad()
def decode(autoencoder: FineAutoencoder, tokens: Tensor) -> np.ndarray:
    """tokens (C, h, w) -> picture (2h, 2w, 3) uint8."""
    picture = autoencoder.decode(tokens[None])[0].clamp(0, 1)
    return (picture * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


class HoleScore:
    """Mean PSNR over holes, sharpness pooled over them, CPU seconds."""

    def __init__(self):
        self.psnr, self.sharpness, self.seconds = [], Sharpness(), []

    def add(self, picture: np.ndarray, case: Case, seconds: float) -> None:
        hole = (~case.mask).repeat_interleave(2, 0).repeat_interleave(2, 1).numpy()
        picture, truth = picture.astype(np.float32), case.truth.astype(np.float32)
        error = ((picture - truth)[hole] ** 2).mean()
        self.psnr.append(10 * np.log10(255**2 / max(error, 1e-3)))
        self.sharpness.add(picture, truth, hole)
        self.seconds.append(seconds)

    def figures(self) -> dict[str, float]:
        return {
            "psnr": round(float(np.mean(self.psnr)), 2),
            "sharpness": round(self.sharpness.value, 2),
            "seconds": round(float(np.mean(self.seconds)), 3),
        }


def compare(cases: Iterator[Case], autoencoder: FineAutoencoder, rows: list | None = None) -> dict:
    """Figures of every method over the cases, beside the smooth fill; rows: of a sheet, to which pictures are added."""
    scores = {name: HoleScore() for name in METHODS}
    wins = {name: 0 for name in METHODS}
    for case in cases:
        dimmed = np.where(case.mask.repeat_interleave(2, 0).repeat_interleave(2, 1)[..., None], case.truth, 32)
        pictures = [case.truth, dimmed.astype(np.uint8)]
        for name, method in METHODS.items():
            start = time.process_time()
            tokens = method(case)
            seconds = time.process_time() - start
            pictures.append(decode(autoencoder, tokens))
            scores[name].add(pictures[-1], case, seconds)
            wins[name] += int(scores[name].psnr[-1] > scores["smooth"].psnr[-1])
        if rows is not None:
            rows.append((case.name, pictures))
    figures = {name: {**score.figures(), "beats_smooth": wins[name]} for name, score in scores.items()}
    for name, figure in figures.items():
        figure["over_smooth"] = round(float(np.mean(scores[name].psnr) - np.mean(scores["smooth"].psnr)), 2)
    return {"holes": len(scores["smooth"].psnr), "methods": figures}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=9, help="number of scenes")
    parser.add_argument("--first", type=int, default=0, help="index of the first scene")
    parser.add_argument("--moves", choices=MOVES, default=None, help="gentle: the product's, wide; default: both")
    parser.add_argument("--size", default="144x256", help="picture size, height x width, both multiples of 16")
    parser.add_argument("--photos", type=Path, default=None, help="folder of pictures, for the rims")
    parser.add_argument("--sheet", type=Path, default=None, help="PNG of every hole and every method")
    parser.add_argument("--model", type=Path, default=EMBEDDED_FOLDER, help="folder with autoencoder/")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    height, width = (int(n) for n in args.size.split("x"))
    autoencoder = FineAutoencoder.from_pretrained(args.model / "autoencoder", torch_dtype=torch.float32).eval()
    rows = []
    report = {"size": [height, width]}
    for moves in [args.moves] if args.moves else MOVES:
        scenes = range(args.first, args.first + args.scenes)
        cases = (case for index in scenes for case in room_cases(index, autoencoder, height, width, moves))
        report[moves] = compare(cases, autoencoder, rows)
    if args.photos:
        report["photo rims"] = compare(rims_of(args.photos, autoencoder, height, width), autoencoder, rows)
    if args.sheet:
        write_sheet(rows, ["truth", "seen", *METHODS], args.sheet)
    print(json.dumps(report))


def rims_of(folder: Path, autoencoder: FineAutoencoder, height: int, width: int) -> Iterator[Case]:
    """Two sides of every picture in the folder, all four in turn."""
    from PIL import Image, ImageOps

    sides = list(RIMS)
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    for i, path in enumerate(paths):
        photo = np.array(ImageOps.fit(Image.open(path).convert("RGB"), (width, height), Image.Resampling.LANCZOS))
        yield from photo_cases(photo, path.stem, autoencoder, (sides[i % 4], sides[(i + 2) % 4]))


if __name__ == "__main__":
    main()

"""Closed loops on photos: the camera comes back to where it stood, and the last frame must be the photo again."""

import numpy as np
from PIL import Image

from pipelines.cameras import move
from pipelines.evaluation.reporting import say, target
from pipelines.evaluation.sheet import write_sheet
from pipelines.media.photos import open_photo
from pipelines.metrics import psnr, ssim

SIZE = (288, 512)
MOVES = ("there-and-back", "parallax-breath")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def evaluate(pipe, args) -> dict:
    """The loop suite: medians over photos and moves, one row per clip in the details, and the contact sheet."""
    photos = sorted(file for file in args.photos.iterdir() if file.suffix.lower() in SUFFIXES)
    if not photos:
        raise ValueError(f"--photos {args.photos} holds no {', '.join(SUFFIXES)} file.")
    height, width = args.size or SIZE
    clips, rows = [], []
    for index, file in enumerate(photos):
        seconds = {"encode": 0.0, "depth": 0.0, "memory_write": 0.0}
        lifted = pipe.lift(open_photo(file), height, width, seconds=seconds)
        tiles = [lifted.image, inverse_picture(lifted.depth)]
        for name in MOVES:
            path = move(name, lifted.camera, lifted.distance, args.frames - 1).with_return()
            result = pipe(lifted, path, seed=args.seed)
            clips.append({"photo": file.stem, "move": name, **figures(result, lifted.image)})
            clips[-1]["seconds_per_frame"] = round((result.seconds["total"] + sum(seconds.values())) / len(path), 3)
            quarters = [round(share * (len(path) - 1)) for share in (0.25, 0.5, 0.75, 1)]
            tiles += [result.frames[t] for t in quarters]
        rows.append((file.stem, tiles))
        if args.sheet is not None:
            columns = [f"{name} {share}" for name in MOVES for share in ("1/4", "1/2", "3/4", "last")]
            write_sheet(rows, ["photo", "depth", *columns], args.sheet)  # again after every photo: a look at any time
        ends = ", ".join(f"{clip['move']} {clip['last']} dB" for clip in clips[-len(MOVES) :])
        say(f"photo {index + 1} of {len(photos)}, {file.stem}: last frame {ends}")
    names = [name for name in clips[0] if name not in ("photo", "move")]
    median = {name: round(float(np.median([clip[name] for clip in clips])), 3) for name in names}
    return {
        "photos": len(photos),
        "moves": list(MOVES),
        "frames": args.frames,
        "size": [height, width],
        "median": median,
        "lowest": {name: min(clip[name] for clip in clips) for name in ("last", "loop_psnr", "least_coverage")},
        "targets": {"last": target(median["last"], at_least=36)},
        "details": clips,
    }


def figures(result, photo: np.ndarray) -> dict[str, float]:
    """last: dB of the last frame against the photo; the others as the render itself reports them."""
    return {
        "last": round(psnr(result.frames[-1], photo), 2),
        "last_ssim": round(ssim(result.frames[-1], photo), 4),
        "loop_psnr": round(result.loop.psnr, 2),
        "loop_ssim": round(result.loop.ssim, 4),
        "least_coverage": round(float(result.coverage.min()), 4),
        "drift": round(float(result.drift), 3),
    }


def inverse_picture(depth: np.ndarray) -> np.ndarray:
    """depth (H, W) -> (H, W, 3) uint8, near is bright."""
    inverse = 1 / np.maximum(depth, 1e-6)
    low, high = np.percentile(inverse, [2, 98])
    grey = np.clip((inverse - low) / max(high - low, 1e-9), 0, 1) * 255
    return np.asarray(Image.fromarray(grey.astype(np.uint8)).convert("RGB"))

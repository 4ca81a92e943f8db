"""RGB-D sequences on disk: pictures of a real or ray-traced camera with measured depth and poses."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class RgbdFrame:
    """image (H, W, 3) uint8, depth (H, W) float32 metres with 0 = not measured, K (3, 3) pixels, c2w (4, 4)."""

    image: np.ndarray
    depth: np.ndarray
    K: np.ndarray
    c2w: np.ndarray


def rgbd_sequence(folder: Path | str, step: int = 1) -> Iterator[RgbdFrame]:
    """Every `step`-th frame of a folder with sequence.json, rgb/*.jpg and depth/*.png (16 bit / depth_scale)."""
    folder = Path(folder)
    index = folder / "sequence.json"
    if not index.is_file():
        raise FileNotFoundError(f"{index} is missing; an RGB-D sequence is sequence.json beside rgb/ and depth/")
    sequence = json.loads(index.read_text())
    lens = sequence["intrinsics"]
    K = np.array([[lens["fx"], 0, lens["cx"]], [0, lens["fy"], lens["cy"]], [0, 0, 1.0]])
    for i, frame in list(enumerate(sequence["frames"]))[::step]:
        image = np.array(Image.open(folder / "rgb" / f"{i:04d}.jpg").convert("RGB"))
        depth = np.array(Image.open(folder / "depth" / f"{i:04d}.png")).astype(np.float32) / sequence["depth_scale"]
        yield RgbdFrame(image, depth, K, np.array(frame["c2w"]))

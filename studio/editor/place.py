"""The photo as a place, for the browser: depth and colours of its pixels in one small binary file."""

import struct
from pathlib import Path

import numpy as np

from pipelines.cameras import Camera

MAGIC = b"MPL1"
MAX_POINTS = 200_000


def write_place(file: Path, image: np.ndarray, depth: np.ndarray, camera: Camera) -> Path:
    """image (H, W, 3) uint8, depth (H, W) in scene units (0 or not finite: unknown), the photo's camera -> `file`.

    Little-endian: "MPL1", width and height as uint32, fx, fy, cx, cy as float32, 4 bytes unused; then the depth as
    float32 and the colours as uint8, row by row. Every other row and column is left out until 200,000 points are not
    exceeded. place.js reads it.
    """
    step = 1
    while -(-depth.shape[0] // step) * -(-depth.shape[1] // step) > MAX_POINTS:
        step += 1
    K = camera.resized(*depth.shape).K
    depth, image = depth[::step, ::step], image[::step, ::step]
    depth = np.where(np.isfinite(depth) & (depth > 0), depth, 0)
    height, width = depth.shape
    # pixel i of the smaller grid is pixel step * i of the photo's: its centre lies at step * i + 0.5
    lens = K[0, 0] / step, K[1, 1] / step, (K[0, 2] - 0.5) / step + 0.5, (K[1, 2] - 0.5) / step + 0.5
    head = struct.pack("<4sII4f4x", MAGIC, width, height, *lens)
    file.write_bytes(head + depth.astype("<f4").tobytes() + np.ascontiguousarray(image, np.uint8).tobytes())
    return file

"""The photo as a place, for the browser: depth and colours of its pixels in one small binary file, and its measures."""

import struct
from pathlib import Path

import numpy as np

from pipelines.cameras import Camera
from pipelines.cameras.curve import fov
from pipelines.cameras.projection import pixel_centers, unproject

MAGIC = b"MPL1"
MAX_POINTS = 200_000
LEVEL = 0.95  # cosine of the angle to straight up: 18 degrees
FLOOR_SHARE = 0.02  # of the picture, at least
LAYER = 0.08  # thickness of a level, as a share of how far it lies below the camera


def describe(file: Path, lifted, seconds: float, is_metric: bool) -> dict:
    """Writes the place and says what the editor must know of it.

    lifted: a `photo.lifted.Lifted`; what lies around the clip's frame is shown as well. seconds: length of a new path.
    is_metric: a scene unit is a metre. Gives {height, width, fov, distance, metric, floor, seconds}: fov is of the
    clip's camera across the width, floor how far below it the floor lies, in scene units, None where none is seen.
    """
    write_place(file, lifted.photo, lifted.photo_depth, lifted.photo_camera)
    return {
        "height": lifted.camera.height,
        "width": lifted.camera.width,
        "fov": float(fov(lifted.camera.K[0, 0] / lifted.camera.width)),
        "distance": lifted.distance,
        "metric": is_metric,
        "floor": floor_below(lifted.photo_depth, lifted.photo_camera),
        "seconds": seconds,
    }


def floor_below(depth: np.ndarray, camera: Camera) -> float | None:
    """depth (H, W) in scene units, 0 or not finite: unknown -> how far the floor lies below a camera that was held
    level; None where the photo shows none.

    Of the level surfaces below the camera the lowest that is not much smaller than the largest: tables are not floors.
    """
    step = max(1, round(max(depth.shape) / 160))
    z = depth[::step, ::step].astype(np.float64)
    known = np.isfinite(z) & (z > 0)
    pixels = pixel_centers(*depth.shape)[::step, ::step]
    points = unproject(pixels.reshape(-1, 2), np.where(known, z, 1).ravel(), camera.resized(*depth.shape))
    points = points.reshape(*z.shape, 3)
    right, down = points[:-1, 1:] - points[:-1, :-1], points[1:, :-1] - points[:-1, :-1]
    normal = np.cross(right, down)
    length = np.linalg.norm(normal, axis=-1)
    heights = points[:-1, :-1, 1]
    is_level = known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:]
    is_level &= (np.abs(normal[..., 1]) > LEVEL * length) & (heights > 0.1 * z[:-1, :-1])
    found = np.sort(heights[is_level])
    if len(found) < FLOOR_SHARE * z.size:
        return None
    within = np.searchsorted(found, found * (1 + LAYER)) - np.arange(len(found))
    lowest = np.flatnonzero(within >= max(0.5 * within.max(), FLOOR_SHARE * z.size / 2))
    if not len(lowest):
        return None
    first = lowest[-1]
    return float(np.median(found[first : first + within[first]]))


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

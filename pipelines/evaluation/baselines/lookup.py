"""The photo looked up where the truth says, and a memory read without any generator: what a reader could reach."""

from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F

from pipelines.cameras import Camera, pixel_centers, project, unproject
from pipelines.engines.embedded import EmbeddedEngine
from pipelines.evaluation.room_truth import Room
from pipelines.memory import LatentMemory


def seen_along(engine, memory: LatentMemory, cameras: Iterable[Camera]) -> np.ndarray:
    """(T, H, W, 3) uint8: a memory read and decoded at cameras of one size, nothing generated."""
    stride = engine.facts.decode_stride
    grids = ((view, view.height // stride, view.width // stride) for view in cameras)
    return np.concatenate([engine.decode(memory.readout(*grid), None) for grid in grids])


class PhotoPixels(EmbeddedEngine):
    """Reads the photo's own pixels where the embedded engine reads decoded tokens; the reader is the same."""

    def __init__(self, engine: EmbeddedEngine, photo: np.ndarray):
        super().__init__(engine.autoencoder, engine.depth_estimator)
        self.photo = torch.from_numpy(photo).permute(2, 0, 1).float() / 255

    def _picture(self, readout, index):
        return self.photo if index == 0 else super()._picture(readout, index)


def true_lookup(room: Room, t: int) -> np.ndarray:
    """(H, W, 3) uint8: frame t from the photo's pixels at exactly the right places, by true depth.

    Where the room is `clear` no reader can do much better: what is missing is not in the photo, such as finer detail
    and highlights. At an outline it copies pixels that mix two surfaces. Means nothing where it is not `covered`.
    """
    return looked_up(room.frames[0], room.depth[t], room.trajectory[t], room.trajectory[0])


def looked_up(photo: np.ndarray, depth: np.ndarray, view: Camera, camera: Camera) -> np.ndarray:
    """(H, W, 3) uint8: what `view` sees at z-depth (H, W), looked up in the photo (H, W, 3) uint8 of `camera`."""
    height, width = depth.shape
    pixels, _ = project(unproject(pixel_centers(height, width), depth, view), camera)
    grid = torch.from_numpy(np.nan_to_num(pixels) / [camera.width, camera.height] * 2 - 1).float()[None]
    pixels = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
    found = F.grid_sample(pixels, grid, "bicubic", "border", align_corners=False)[0]
    return found.clamp(0, 255).round().to(torch.uint8).permute(1, 2, 0).numpy()

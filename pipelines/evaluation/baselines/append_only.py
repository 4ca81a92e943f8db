"""A memory in the style of the published method: coarse latents, everything appended, the nearest point read."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from pipelines.cameras import Camera
from pipelines.engines.autoencoder import TOKEN_STRIDE, FineAutoencoder
from pipelines.evaluation.baselines.coarse_autoencoder import COARSE_STRIDE, CoarseAutoencoder
from pipelines.evaluation.room_truth import Room
from pipelines.inpainting.smooth import smooth_fill
from pipelines.memory import LatentMemory, Readout
from pipelines.memory.cracks import MARGIN, close_cracks, close_rims
from pipelines.memory.projection import best_of_cells, front_points
from pipelines.memory.targets import Targets
from pipelines.memory.views import View

COARSE = TOKEN_STRIDE * COARSE_STRIDE  # pixels per coarse latent


class AppendMemory(LatentMemory):
    """As the published method: whatever is appended stays, beside what was there before; the nearest sample is read."""

    def append(self, latents: torch.Tensor, depth: torch.Tensor, camera: Camera) -> None:
        """latents (C, h, w), depth (h, w), all of it known."""
        rows = len(self.features) + torch.arange(depth.numel(), dtype=torch.int32)
        confidence = torch.ones_like(depth, dtype=torch.uint8)
        view = View(camera.resized(*depth.shape), depth, rows.reshape(depth.shape), confidence)
        self._keep(torch.cat([self.features, latents.flatten(1).T.to(self.dtype)]), [*self.views, view])

    def readout(self, camera: Camera, height: int, width: int) -> Readout:
        """Of all samples in a cell the nearest shows, not the one of the best view; cracks are closed all the same."""
        targets = Targets.of([camera], height, width)
        wide = targets.with_margin(MARGIN)
        grid = 1, wide.height + 2, wide.width + 2
        _, sample, cell, inverse = front_points(
            self.samples.points, wide.maps, wide.height, wide.width, tolerance=torch.zeros(1)
        )
        row = best_of_cells(cell, math.prod(grid), sample).view(grid)[:, 1:-1, 1:-1].contiguous()
        depth, sample = torch.where(row < 0, 0.0, 1 / inverse[row]), torch.where(row < 0, -1, sample[row])
        depth, sample = close_cracks(self.samples, depth, sample, thin=1)
        close_rims(self.samples, wide.into(self.samples), depth, sample, thin=1)
        depth, sample = (plane[:, MARGIN:-MARGIN, MARGIN:-MARGIN] for plane in (depth, sample))
        return Readout(depth, sample, targets, self.copy())


def append_only(fine: FineAutoencoder, coarse: CoarseAutoencoder, room: Room, step: int) -> np.ndarray:
    """(T, H, W, 3) uint8 along the room's path: coarse latents, nearest token, holes filled smoothly.

    The last frame of every chunk of `step` frames is encoded and written again.
    """
    path = room.trajectory
    grid = path.height // COARSE, path.width // COARSE
    memory = AppendMemory(coarse.config.latent_channels)
    reference = float(np.median(room.depth[0]))

    def write(frame: np.ndarray, depth: torch.Tensor, camera: Camera) -> None:
        tokens = fine.encode(torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255)
        at_tokens = F.interpolate(depth[None, None], tokens.shape[-2:], mode="nearest-exact")
        latents = coarse.encode(tokens, (at_tokens.clamp(min=1e-3) / reference).log())[0]
        memory.append(latents, F.interpolate(depth[None, None], grid, mode="nearest-exact")[0, 0], camera)

    def decode(latents: torch.Tensor) -> np.ndarray:
        picture = fine.decode(coarse.decode(latents[None])[0])[0]
        return (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()

    write(room.frames[0], torch.from_numpy(room.depth[0]), path[0])
    frames = []
    for index, camera in enumerate(path):
        seen = memory.readout(camera, *grid)
        frames.append(decode(smooth_fill(seen.latents[0], seen.mask[0])))
        if index and index % step == step - 1:
            write(frames[-1], smooth_fill(seen.depth, seen.mask[0])[0], camera)
    return np.stack(frames)

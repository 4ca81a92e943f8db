"""The engine that ships with the project: no download, no GPU.

The memory holds fine tokens (stride 2), so what the photo shows is rendered at the clip's own resolution: every pixel
looks up its exact place in the decoded view it came from. What the photo never saw is invented once, at the poses
that see most of it, written into the memory, and from then on read like everything else. So a place stays itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.cameras import Camera, Trajectory
from pipelines.depth import DepthEstimator
from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.engines.base import EngineFacts, Generated, Steps, fingerprint
from pipelines.engines.outlines import soften
from pipelines.inpainting.exemplar import SearchConfig, fill_steps
from pipelines.inpainting.smooth import smooth_fill
from pipelines.memory import Readout

# A frame counts as complete when the memory shows this share of it; what is left are specks between surfaces.
COMPLETE = 0.985
MAX_KEYS = 6
SEARCH = {"draft": SearchConfig(rounds=(4, 1)), "standard": SearchConfig()}


class EmbeddedEngine:
    """An `Engine` of fine tokens, two pixels wide: the photo's own pixels where it shows something, a search elsewhere.

    autoencoder: makes and reads tokens; depth_estimator: measures a photo. Both stay on the CPU.
    """

    facts = EngineFacts(
        name="embedded",
        channels=8,
        stride=2,
        interpolates=True,
        decode_stride=1,
        frames_per_chunk=8,
        size_step=2,
        max_side=1920,
        takes_prompt=False,
    )

    def __init__(self, autoencoder: FineAutoencoder, depth_estimator: DepthEstimator):
        self.autoencoder = autoencoder.eval()
        self.facts = replace(EmbeddedEngine.facts, codec=fingerprint(autoencoder))
        self.depth_estimator = depth_estimator
        self.colour = self.autoencoder.colour_directions()
        self._pictures: WeakKeyDictionary = WeakKeyDictionary()  # View -> (3, H, W), each decoded once

    @torch.no_grad()
    def encode(self, image: Tensor) -> Tensor:
        return self.autoencoder.encode(image[None])[0]

    def depth(self, image: np.ndarray, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.depth_estimator(image, K)

    def begin(self, trajectory: Trajectory, photo: np.ndarray | None, prompt: str | None, seed: int) -> None:
        return None

    def next_keys(self, coverage: np.ndarray, chunk: range, made: frozenset[int]) -> list[int]:
        """The frame of the whole path that sees most of the unknown, so that a hole is filled once and in one piece."""
        open_frames = [t for t in range(len(coverage)) if coverage[t] < COMPLETE and t not in made]
        if not open_frames or len(made) >= MAX_KEYS:
            return []
        return [min(open_frames, key=lambda t: coverage[t])]

    @torch.no_grad()
    def denoise(self, control: Readout, cameras: Sequence[Camera], seed: int, quality: str, clip: None = None) -> Steps:
        tokens, depths = [], []
        for index, camera in enumerate(cameras):
            K = torch.tensor(camera.resized(*control.mask.shape[1:]).K, dtype=torch.float32)
            view = control.latents[index], control.mask[index], control.depth[index]
            filled = yield from fill_steps(*view, K, seed=seed, colour=self.colour, config=SEARCH[quality])
            tokens.append(filled.features)
            depths.append(filled.depth)
        depth = F.interpolate(
            torch.stack(depths)[:, None], scale_factor=self.facts.stride, mode="bilinear", align_corners=False
        )[:, 0]
        return Generated(torch.stack(tokens), depth, torch.ones_like(depth, dtype=torch.bool))

    @torch.no_grad()
    def decode(self, readout: Readout, generated: Generated | None = None) -> np.ndarray:
        frames = torch.zeros(len(readout.mask), 3, *readout.mask.shape[1:])
        grid = readout.xy * 2 - 1
        for index in readout.view[readout.mask].unique().tolist():
            picture = self._picture(readout, index)
            looked_up = F.grid_sample(
                picture.expand(len(frames), -1, -1, -1), grid, "bicubic", "border", align_corners=False
            )
            frames = torch.where((readout.view == index)[:, None], looked_up, frames)
        if not readout.mask.all():
            frames = torch.stack([smooth_fill(f, m) for f, m in zip(frames, readout.mask, strict=True)])
        frames = soften(frames, readout)
        return (frames.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()

    def _picture(self, readout: Readout, index: int) -> Tensor:
        view = readout.memory.views[index]
        if view not in self._pictures:
            tokens, stored = readout.memory.tokens_of(index)
            if not stored.all():
                tokens = smooth_fill(tokens, stored)  # so that the decoder's margin sees no step at the rim
            self._pictures[view] = self.autoencoder.decode(tokens[None])
        return self._pictures[view]

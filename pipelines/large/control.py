"""What the memory shows, as the input of the transformer's control branch.

Its first half is the memory itself: tokens, or rendered colours encoded as a video. Its second half is a video that
says where something is known, or a white one. Which, a layout says (families.py).
"""

from collections.abc import Callable, Sequence

import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from pipelines.cameras import Camera, Trajectory
from pipelines.large.families import Layout
from pipelines.large.painting import paint
from pipelines.large.video import encode_video
from pipelines.memory import LatentMemory, Readout

DEPTH_STRIDE = 8  # pixels per depth sample in the memory: 2 x 2 samples for every token


class MemoryControl:
    """Makes control input of readouts.

    stride: pixels per token. pictures_of: a readout -> the pictures of the views that it shows, as `paint` wants them.
    """

    def __init__(self, vae: AutoencoderKLWan, stride: int, pictures_of: Callable[[Readout], dict[int, Tensor]]):
        self.vae, self.stride, self.pictures_of = vae, stride, pictures_of
        self._white: dict[tuple[int, ...], Tensor] = {}  # latents of white videos, by the videos' shape

    @torch.no_grad()
    def __call__(
        self, layout: Layout, readout: Readout, cameras: Sequence[Camera], path: Trajectory, channels: int
    ) -> Tensor:
        """What the memory shows at the chunk's latents: (channels, T, h, w).

        readout: at the cameras of the latents, on the token grid. path: the cameras of all frames that the chunk makes.
        channels: of the control branch; those of the memory alone, or twice as many.
        """
        if layout.readout == "pixel":
            shown, mask = self.rendered(readout.memory, path)
            shown = encode_video(self.vae, shown)
        else:
            if layout.cell_centre != 0.5:
                readout = read_off_centre(readout, cameras, layout.cell_centre)
            shown, mask = readout.latents.transpose(0, 1), readout.mask
        if channels == len(shown):
            return shown
        if layout.second_half == "ones":
            second = self.white(*shown.shape[1:], layout.latent_frames)
        elif layout.readout == "pixel":
            second = encode_video(self.vae, hole_video(mask))
        else:
            second = encode_video(self.vae, hole_video(mask, self.stride, layout.latent_frames))
        return torch.cat([shown.to(second), second])

    def rendered(self, memory: LatentMemory, path: Trajectory) -> tuple[Tensor, Tensor]:
        """The memory's colours at every camera: (3, T, H, W) in [-1, 1], black where unknown, and (T, H, W) bool."""
        readout = memory.readout(list(path), path.height // DEPTH_STRIDE, path.width // DEPTH_STRIDE)
        return paint(readout, self.pictures_of(readout), path.height, path.width)

    def white(self, latents: int, height: int, width: int, latent_frames: int) -> Tensor:
        """Latents of a white video, (C, latents, height, width), which some weights get where others get holes."""
        shape = (3, 1 + (latents - 1) * latent_frames, height * self.stride, width * self.stride)
        if shape not in self._white:
            self._white[shape] = encode_video(self.vae, torch.ones(shape))
        return self._white[shape]


def read_off_centre(readout: Readout, cameras: Sequence[Camera], cell_centre: float) -> Readout:
    """The same readout with tokens lifted and read where a layout has the centre of a cell, 0.5 the exact one."""
    grid, cells = readout.mask.shape[1:], 0.5 - cell_centre
    return readout.memory.shifted(cells).readout([c.resized(*grid).shifted(cells, cells) for c in cameras], *grid)


def hole_video(mask: Tensor, stride: int = 1, latent_frames: int = 1) -> Tensor:
    """A video that is 1 where nothing is known and 0 elsewhere, as Spatia's weights were shown it.

    mask (T, h, w) bool, True where known -> (3, T', stride h, stride w) float32. latent_frames: how many frames each
    mask stands for (the first stands for one).
    """
    holes = (~mask).float().repeat_interleave(stride, 1).repeat_interleave(stride, 2)
    holes = torch.cat([holes[:1], holes[1:].repeat_interleave(latent_frames, 0)])
    return holes.expand(3, -1, -1, -1)

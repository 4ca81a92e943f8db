"""Videos as latents and back, as Wan's autoencoder makes them.

Latents are normalised channel by channel, as Wan's transformer wants them. After `vae.enable_tiling()` the autoencoder
looks at one tile of the picture after the other (tiles.py).
"""

from collections.abc import Generator, Iterator

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d, unpatchify
from diffusers.utils.accelerate_utils import apply_forward_hook
from diffusers.utils.torch_utils import get_module_execution_device
from torch import Tensor

from pipelines.large.tiles import Blend, Tiles


def _normalisation(vae: AutoencoderKLWan, like: Tensor) -> list[Tensor]:
    """Mean and standard deviation of the latents' channels, (C, 1, 1, 1) each."""
    return [torch.tensor(x).to(like)[:, None, None, None] for x in (vae.config.latents_mean, vae.config.latents_std)]


@torch.no_grad()
def encode_video(vae: AutoencoderKLWan, video: Tensor) -> Tensor:
    """video (3, 1 + 4 n, H, W), pictures in [-1, 1] -> latents (C, 1 + n, h, w) float32, the posterior's mean."""
    device, stride = get_module_execution_device(vae), vae.config.scale_factor_spatial
    tiles = Tiles(vae, *(side // stride for side in video.shape[-2:]))
    encoded = (vae.encode(tile[None].to(device, vae.dtype)).latent_dist.mode()[0] for tile in tiles.of(video, stride))
    latents = tiles.blended(encoded).float()
    mean, std = _normalisation(vae, latents)
    return (latents - mean) / std


def to_video(frames: np.ndarray) -> Tensor:
    """frames (T, H, W, 3) uint8 -> (3, T, H, W) in [-1, 1]."""
    return torch.from_numpy(frames).permute(3, 0, 1, 2).float() / 127.5 - 1


def to_frames(video: Tensor) -> np.ndarray:
    """(3, T, H, W) in [-1, 1] -> frames (T, H, W, 3) uint8."""
    pixels = ((video.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return pixels.permute(1, 2, 3, 0).contiguous().cpu().numpy()


class VideoDecoder:
    """Decodes latents as they come; the frames are those of all of them decoded at once.

    Wan's decoder looks back in time only, so what it must remember of the past is kept here between calls: for every
    tile of its own, and where there are several, on the CPU.
    """

    def __init__(self, vae: AutoencoderKLWan):
        self.vae = vae
        self.num_convolutions = sum(isinstance(module, WanCausalConv3d) for module in vae.decoder.modules())
        self.features: dict[int, list] = {}  # of each tile: what every convolution has seen last

    def __call__(self, latents: Tensor) -> np.ndarray:
        """latents (C, T, h, w) -> frames (4 T, H, W, 3) uint8; 4 T - 3 in the first call."""
        steps = self.steps(latents)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value

    @torch.no_grad()
    def steps(self, latents: Tensor) -> Generator[tuple[int, int], None, np.ndarray]:
        """A call that yields (latents that are done, latents in all) before each one of every tile, and may be closed:
        then this decoder is of no further use."""
        onload(self.vae)  # as vae.decode does first; here its parts are called
        mean, std = _normalisation(self.vae, latents)
        latents = latents * std + mean
        tiles, count = Tiles(self.vae, *latents.shape[-2:]), latents.shape[1]
        keep = torch.device("cpu") if len(tiles) > 1 else None
        blend = Blend(tiles, tiles.stride)
        for index, tile in enumerate(tiles.of(latents)):
            videos, parts = self.videos(tile, index, keep), []
            for step in range(count):
                yield index * count + step, len(tiles) * count
                part = next(videos)
                parts.append(to_frames(part) if keep is None else part.cpu())
            next(videos, None)  # its last lines, which keep what is remembered
            if keep is None:
                return np.concatenate(parts)
            blend.add(torch.cat(parts, dim=1))
        return np.concatenate([to_frames(part) for part in blend.picture().split(4, dim=1)])

    @torch.no_grad()
    def videos(self, latents: Tensor, tile: int = 0, keep: torch.device | None = None) -> Iterator[Tensor]:
        """One tile's latents (C, T, h, w), not normalised -> what each shows, (3, 4 or, the very first, 1, H, W).

        keep: the device on which what is remembered waits for the next call; None: it stays.
        """
        vae, device = self.vae, get_module_execution_device(self.vae)
        first = tile not in self.features
        features = [None] * self.num_convolutions if first else moved(self.features[tile], device)
        latents = vae.post_quant_conv(latents[None].to(device, vae.dtype))
        for i in range(latents.shape[2]):
            video = vae.decoder(
                latents[:, :, i : i + 1], feat_cache=features, feat_idx=[0], first_chunk=first and i == 0
            )
            yield (video if vae.config.patch_size is None else unpatchify(video, vae.config.patch_size))[0]
        self.features[tile] = moved(features, keep) if keep else features


@apply_forward_hook
def onload(vae: AutoencoderKLWan) -> None:
    """Bring an autoencoder that is offloaded to the device where it works, as calling it would."""


def moved(features: list, device: torch.device) -> list:
    """What the decoder remembers, on another device; some entries are a word instead of a tensor."""
    return [feature.to(device) if isinstance(feature, Tensor) else feature for feature in features]

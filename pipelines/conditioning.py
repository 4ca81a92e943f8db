"""What a large model is given beside noise: text, pictures and videos as latents, and what the memory shows.

Latents are normalised channel by channel, as Wan's transformer wants them.
"""

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
from diffusers.pipelines.wan.pipeline_wan import prompt_clean
from diffusers.utils.torch_utils import get_module_execution_device
from torch import Tensor

from pipelines.memory import Readout

MAX_TOKENS = 512  # of a prompt


@torch.no_grad()
def encode_prompt(tokenizer, text_encoder, prompt: str, max_tokens: int = MAX_TOKENS) -> Tensor:
    """(1, max_tokens, D): the text as Wan was trained to read it, zero behind its end."""
    tokens = tokenizer(
        [prompt_clean(prompt)], padding="max_length", max_length=max_tokens, truncation=True, return_tensors="pt"
    ).to(get_module_execution_device(text_encoder))
    embeds = text_encoder(tokens.input_ids, tokens.attention_mask).last_hidden_state
    return embeds * tokens.attention_mask[..., None]


def _normalisation(vae: AutoencoderKLWan, like: Tensor) -> list[Tensor]:
    """Mean and standard deviation of the latents' channels, (C, 1, 1, 1) each."""
    return [torch.tensor(x).to(like)[:, None, None, None] for x in (vae.config.latents_mean, vae.config.latents_std)]


@torch.no_grad()
def encode_video(vae: AutoencoderKLWan, video: Tensor) -> Tensor:
    """video (3, 1 + 4 n, H, W), pictures in [-1, 1] -> latents (C, 1 + n, h, w) float32, the posterior's mean."""
    latents = vae.encode(video[None].to(get_module_execution_device(vae), vae.dtype)).latent_dist.mode()[0].float()
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

    Wan's decoder looks back in time only, so what it must remember of the past is kept here between calls.
    """

    def __init__(self, vae: AutoencoderKLWan):
        self.vae = vae
        self.features = None

    @torch.no_grad()
    def __call__(self, latents: Tensor) -> np.ndarray:
        """latents (C, T, h, w) -> frames (4 T, H, W, 3) uint8; 4 T - 3 in the first call."""
        vae, frames = self.vae, []
        if hasattr(vae, "_hf_hook"):  # offloaded; what vae.decode does first, and we call its parts
            vae._hf_hook.pre_forward(vae)
        mean, std = _normalisation(vae, latents)
        latents = vae.post_quant_conv((latents * std + mean)[None].to(get_module_execution_device(vae), vae.dtype))
        for i in range(latents.shape[2]):
            first = self.features is None
            if first:
                self.features = [None] * vae._cached_conv_counts["decoder"]
            video = vae.decoder(latents[:, :, i : i + 1], feat_cache=self.features, feat_idx=[0], first_chunk=first)
            if vae.config.patch_size is not None:
                video = unpatchify(video, vae.config.patch_size)
            frames.append(to_frames(video[0]))
        return np.concatenate(frames)


def paint(readout: Readout, pictures: dict[int, Tensor]) -> Tensor:
    """The memory's colours: what every pixel of a readout shows of the pictures of its views, black where unknown.

    pictures: index of a view -> (3, H, W) in [-1, 1]. Returns (3, T, h, w) in [-1, 1].
    """
    frames = torch.full((len(readout.mask), 3, *readout.mask.shape[1:]), -1.0)
    for index in readout.view[readout.mask].unique().tolist():
        picture = pictures[index].expand(len(frames), -1, -1, -1)
        looked_up = F.grid_sample(picture, readout.xy * 2 - 1, "bilinear", "border", align_corners=False)
        frames = torch.where((readout.view == index)[:, None], looked_up, frames)
    return frames.transpose(0, 1)


def hole_video(mask: Tensor, stride: int = 1, latent_frames: int = 1) -> Tensor:
    """A video that is 1 where nothing is known and 0 elsewhere, as Spatia's weights were shown it.

    mask (T, h, w) bool, True where known -> (3, T', stride h, stride w) float32. latent_frames: how many frames each
    mask stands for (the first stands for one).
    """
    holes = (~mask).float().repeat_interleave(stride, 1).repeat_interleave(stride, 2)
    holes = torch.cat([holes[:1], holes[1:].repeat_interleave(latent_frames, 0)])
    return holes.expand(3, -1, -1, -1)

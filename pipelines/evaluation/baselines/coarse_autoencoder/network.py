"""Fine tokens + depth <-> coarse RGB-D latents (stride 8 of the picture), for comparison only: no render uses them.

Coarse latents are what a generator would make: one small grid that carries colour and depth together. Like the fine
autoencoder, a linear transform that can be set from the PCA of patches plus a convolution path that starts at zero.
"""

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from pipelines.engines.autoencoder import check_multiple, principal_components

COARSE_STRIDE = 4  # fine tokens per coarse latent


def _conv(channels_in: int, channels_out: int, kernel: int = 3, zero: bool = False) -> nn.Conv2d:
    conv = nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2)
    if zero:
        nn.init.zeros_(conv.weight)
        nn.init.zeros_(conv.bias)
    return conv


class _Residual(nn.Module):
    """x + conv(relu(conv(relu(x)))), the identity at the start."""

    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = _conv(width, width), _conv(width, width, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(F.relu(x))))


class CoarseAutoencoder(ModelMixin, ConfigMixin):
    """Fine tokens + log depth <-> coarse latents, stride 4 of the tokens (8 of the picture).

    log_depth is ln(depth / reference) with one reference per scene (the photo's median depth), clipped to
    [-MAX_LOG_DEPTH, MAX_LOG_DEPTH]; sky and unknown depth are MAX_LOG_DEPTH. Every latent channel has a standard
    deviation near 1; channels come in the order of the variance they explain.
    The decoder is an inpainting decoder: where the memory knows the tokens they pass through, and what is decoded
    beside them continues them.

    Args:
        token_channels: channels of the fine tokens.
        latent_channels: channels of the coarse latents.
        width: features at stride 8; the finer levels use fractions of it.
    """

    MAX_LOG_DEPTH = 3.0

    @register_to_config
    def __init__(self, token_channels: int = 8, latent_channels: int = 32, width: int = 160):
        super().__init__()
        cell = token_channels + 1  # tokens and log depth
        patch = cell * COARSE_STRIDE**2
        self.encode_linear = _conv(patch, latent_channels)
        self.encode_tokens = _conv(4 * cell, width // 4)
        self.encode_patches = nn.Sequential(_conv(width, width, 1), _Residual(width), _Residual(width), nn.ReLU())
        self.encode_out = _conv(width, latent_channels, zero=True)

        known = cell + 1  # and the mask
        self.decode_linear = _conv(latent_channels, patch)
        self.decode_latents = _conv(latent_channels, width)
        self.known_8 = _conv(16 * known, width, 1)
        self.level_8 = nn.Sequential(*[_Residual(width) for _ in range(3)], nn.ReLU(), _conv(width, 4 * 64, 1))
        self.known_4 = _conv(4 * known, 64, 1)
        self.level_4 = nn.Sequential(_Residual(64), nn.ReLU(), _conv(64, 4 * 32, 1))
        self.known_2 = _conv(known, 32)
        self.level_2 = nn.Sequential(nn.ReLU(), _conv(32, 32), nn.ReLU(), _conv(32, cell, zero=True))

    def encode(self, tokens: Tensor, log_depth: Tensor) -> Tensor:
        """tokens (B, token_channels, h, w), log_depth (B, 1, h, w) -> latents (B, latent_channels, h/4, w/4).

        Raises:
            ValueError: h or w not a multiple of 4.
        """
        check_multiple("token grid", tokens, COARSE_STRIDE, "one coarse latent covers 4x4 tokens")
        cells = torch.cat([tokens, self._limit(log_depth)], 1)
        features = F.pixel_unshuffle(F.relu(self.encode_tokens(F.pixel_unshuffle(cells, 2))), 2)
        return self.encode_linear(F.pixel_unshuffle(cells, 4)) + self.encode_out(self.encode_patches(features))

    def decode(
        self, latents: Tensor, tokens: Tensor | None = None, log_depth: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """latents (B, latent_channels, h/4, w/4) -> tokens (B, token_channels, h, w), log_depth (B, 1, h, w).

        tokens, log_depth, mask: what the memory knows, on the token grid; mask (B, 1, h, w), 1 = known. Values outside
        the mask are ignored. Without them everything is decoded from the latents.
        """
        linear = F.pixel_shuffle(self.decode_linear(latents), 4)
        if mask is None:
            mask = torch.zeros_like(linear[:, :1])
            known = torch.zeros_like(linear)
        else:
            known = torch.cat([tokens, self._limit(log_depth)], 1) * mask
        context = torch.cat([known, mask], 1)
        x = self.decode_latents(latents) + self.known_8(F.pixel_unshuffle(context, 4))
        x = F.pixel_shuffle(self.level_8(x), 2) + self.known_4(F.pixel_unshuffle(context, 2))
        x = F.pixel_shuffle(self.level_4(x), 2) + self.known_2(context)
        cells = known + (1 - mask) * linear + self.level_2(x)
        return cells[:, :-1], self._limit(cells[:, -1:])

    @torch.no_grad()
    def init_from_pca(self, tokens: Tensor, log_depth: Tensor) -> None:
        """Set both linear paths from the PCA of 4x4 cells; tokens (N, C, h, w), log_depth (N, 1, h, w)."""
        cells = F.pixel_unshuffle(torch.cat([tokens, self._limit(log_depth)], 1), 4).permute(0, 2, 3, 1).flatten(0, 2)
        mean, components = principal_components(cells, self.config.latent_channels)
        scale = ((cells - mean) @ components.T).std(0)
        for conv in (self.encode_linear, self.decode_linear):
            nn.init.zeros_(conv.weight)
        self.encode_linear.weight[:, :, 1, 1] = components / scale[:, None]
        self.encode_linear.bias.copy_(-(components / scale[:, None]) @ mean)
        self.decode_linear.weight[:, :, 1, 1] = components.T * scale
        self.decode_linear.bias.copy_(mean)

    def _limit(self, log_depth: Tensor) -> Tensor:
        return log_depth.clamp(-self.MAX_LOG_DEPTH, self.MAX_LOG_DEPTH)

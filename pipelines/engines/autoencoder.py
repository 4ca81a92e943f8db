"""The embedded autoencoder: photo <-> fine tokens (stride 2).

Each of its two nets is a linear transform that can be set from the PCA of patches plus a convolution path that starts
at zero, so it is useful before the first training step and a tiny net is enough afterwards. Fine tokens are what the
memory stores: local, nearly lossless, cheap to decode at 1920x1080.
"""

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

TOKEN_STRIDE = 2  # picture pixels per fine token


def check_multiple(name: str, tensor: Tensor, step: int, why: str) -> None:
    """Refuse a (..., H, W) tensor whose height or width is not a multiple of `step`.

    Raises:
        ValueError: naming the size, the step and the two nearest sizes that work.
    """
    for axis, value in zip(("height", "width"), tensor.shape[-2:], strict=True):
        if value < step or value % step:
            low = max(step, value // step * step)
            raise ValueError(f"{name} {axis}={value} must be a multiple of {step} ({why}). Use {low} or {low + step}.")


class _LocalNet(nn.Module):
    """Linear 3x3 transform + three-convolution path, all without padding: an output cell sees `halo` cells around it.

    The two share their first convolution: its first `channels_out` features are the linear output.
    """

    halo = 3

    def __init__(self, channels_in: int, channels_out: int, width: int):
        super().__init__()
        self.channels_out = channels_out
        self.head = nn.Conv2d(channels_in, channels_out + width, 3)
        self.body = nn.Conv2d(width, width, 3)
        self.tail = nn.Conv2d(width, channels_out, 3)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, channels_in, h + 6, w + 6) -> (B, channels_out, h, w)."""
        x = self.head(x)
        linear, features = x[:, : self.channels_out, 2:-2, 2:-2], F.relu(x[:, self.channels_out :])
        return linear + self.tail(F.relu(self.body(features)))

    @torch.no_grad()
    def set_linear(self, weight: Tensor, bias: Tensor) -> None:
        """Make the linear path `weight @ cell + bias`: weight (channels_out, channels_in), bias (channels_out,)."""
        self.head.weight[: self.channels_out] = 0
        self.head.weight[: self.channels_out, :, 1, 1] = weight
        self.head.bias[: self.channels_out] = bias


def _run_in_strips(net: _LocalNet, x: Tensor, rows: int) -> Tensor:
    """`net` over x (B, C, h, w) with its edge repeated outwards, `rows` rows at a time.

    Exactly the whole result: every strip carries its halo. Strips keep the features inside the processor's cache,
    which halves the time of a large frame; autograd needs all features anyway, so training runs in one piece.
    """
    x = F.pad(x, (net.halo,) * 4, mode="replicate").contiguous(memory_format=torch.channels_last)
    height = x.shape[-2] - 2 * net.halo
    if torch.is_grad_enabled():
        rows = height
    strips = [net(x[:, :, top : min(top + rows, height) + 2 * net.halo]) for top in range(0, height, rows)]
    return strips[0] if len(strips) == 1 else torch.cat(strips, dim=2)


class FineAutoencoder(ModelMixin, ConfigMixin):
    """Picture <-> fine tokens, stride 2: 12 numbers of a 2x2 block become `latent_channels`.

    A token depends on the 14x14 pixels around it and a pixel on the 7x7 tokens around it; nothing else is global, so
    tiles with that margin give exactly the pixels of the whole picture. Tokens have a standard deviation near 1.

    Args:
        latent_channels: channels of a token.
        encoder_width, decoder_width: features of the convolution paths.
        strip_rows: token rows computed at a time outside training; speed only.
    """

    @register_to_config
    def __init__(
        self, latent_channels: int = 8, encoder_width: int = 24, decoder_width: int = 32, strip_rows: int = 64
    ):
        super().__init__()
        patch = 3 * TOKEN_STRIDE**2
        self.encoder = _LocalNet(patch, latent_channels, encoder_width)
        self.decoder = _LocalNet(latent_channels, patch, decoder_width)

    def encode(self, image: Tensor) -> Tensor:
        """image (B, 3, H, W) RGB in [0, 1], H and W even -> tokens (B, latent_channels, H/2, W/2).

        Raises:
            ValueError: odd height or width.
        """
        check_multiple("image", image, TOKEN_STRIDE, "one fine token covers 2x2 pixels")
        patches = F.pixel_unshuffle(image * 2 - 1, TOKEN_STRIDE)
        return _run_in_strips(self.encoder, patches, self.config.strip_rows)

    def decode(self, latents: Tensor) -> Tensor:
        """latents (B, latent_channels, h, w) -> image (B, 3, 2h, 2w) RGB in [0, 1] up to small overshoots."""
        patches = _run_in_strips(self.decoder, latents, self.config.strip_rows)
        return F.pixel_shuffle(patches, TOKEN_STRIDE) * 0.5 + 0.5

    @torch.no_grad()
    def colour_directions(self) -> Tensor:
        """(3, latent_channels) orthonormal directions of a token along which a flat colour changes.

        The other directions are the detail inside a token: averaged over an area they turn into a pattern.
        """
        grey = torch.full((1, 3, 32, 32), 0.5)
        flat = torch.cat([grey, *(grey + 0.2 * torch.eye(3)[i].reshape(1, 3, 1, 1) for i in range(3))])
        tokens = self.encode(flat)[:, :, 8, 8]
        return torch.linalg.qr((tokens[1:] - tokens[:1]).T)[0].T.contiguous()

    @torch.no_grad()
    def init_from_pca(self, images: Tensor) -> None:
        """Set both linear paths from the PCA of 2x2 blocks of images (N, 3, H, W) in [0, 1]."""
        patches = F.pixel_unshuffle(images * 2 - 1, TOKEN_STRIDE).permute(0, 2, 3, 1).flatten(0, 2)
        mean, components = principal_components(patches, self.config.latent_channels)
        # One scale for all channels: noise of a given size then costs the same in every direction of the block.
        scale = ((patches - mean) @ components.T).std()
        self.encoder.set_linear(components / scale, -components @ mean / scale)
        self.decoder.set_linear(components.T * scale, mean)


def principal_components(samples: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """samples (N, D) -> mean (D,), the `count` leading directions (count, D), orthonormal, largest variance first."""
    mean = samples.mean(0)
    centred = (samples - mean).double()
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    return mean, vectors.flip(1)[:, :count].T.to(samples.dtype)

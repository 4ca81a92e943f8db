"""The depth network that ships with the project, and the estimator around it.

Two facts shape the network. Depth of a photo is known up to scale, so it is trained scale-invariantly on log depth.
And the inverse depth of a plane is affine in pixel coordinates, so every cell of the decoder predicts a small plane
and every output pixel picks among the planes of its nine neighbour cells: flat things come out flat, edges sharp.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from pipelines.depth.backbone import LEVELS, EfficientNetLite0
from pipelines.depth.refine import refine_depth
from pipelines.errors import Refused
from pipelines.pictures import check_picture
from pipelines.weights.shipped import EMBEDDED_FOLDER

BINS = torch.linspace(-2.5, 3.0, 32)  # log depth over the photo's median: classes of the layout output
MAX_SLOPE = 0.5  # largest relative change of inverse depth across one cell of four pixels


class ResidualConvs(nn.Module):
    """x + conv(gelu(conv(norm(x)))); the last convolution starts at zero, so a new network is nearly linear."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.gelu(self.first(self.norm(x))))


class GlobalBlock(nn.Module):
    """Self-attention over the whole photo, then an MLP with a 3x3 depthwise convolution for locality."""

    def __init__(self, width: int, heads: int, expansion: int = 3):
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.widen = nn.Linear(width, expansion * width)
        self.local = nn.Conv2d(expansion * width, expansion * width, 3, padding=1, groups=expansion * width)
        self.narrow = nn.Linear(expansion * width, width)
        for last in (self.out, self.narrow):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, tokens: Tensor, height: int, width: int) -> Tensor:
        batch, count, channels = tokens.shape
        qkv = self.qkv(self.norm_attention(tokens)).reshape(batch, count, 3, self.heads, channels // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        # Written out: on a CPU in bfloat16 the fused kernel's backward takes five times as long at 192 tokens.
        similarity = (query * (channels // self.heads) ** -0.5) @ key.transpose(-1, -2)
        mixed = similarity.softmax(-1) @ value
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(batch, count, channels))
        hidden = self.widen(self.norm_mlp(tokens))
        grid = hidden.transpose(1, 2).reshape(batch, -1, height, width)
        hidden = hidden + self.local(grid).flatten(2).transpose(1, 2)
        return tokens + self.narrow(F.gelu(hidden))


@dataclass
class DepthOutput:
    """What the network says about a batch of photos of (H, W) pixels.

    log_depth:  (B, H/2, W/2) natural log of z-depth, up to a constant per photo.
    sky_logits: (B, H/2, W/2) positive where there is nothing to stand on: sky, or a window onto it.
    log_error:  (B, H/2, W/2) log of the expected absolute error of log_depth; lower is more certain.
    log_focal:  (B,) log of focal length / diagonal of the photo.
    layout:     (B, 32, H/8, W/8) logits over BINS; trained beside log_depth, because which of 32 classes is a question
                that a new network learns from faster than by how much it is off.
    """

    log_depth: Tensor
    sky_logits: Tensor
    log_error: Tensor
    log_focal: Tensor
    layout: Tensor


class DepthNet(ModelMixin, ConfigMixin):
    """U-Net with attention at 1/16; convolutions at 1/4 and 1/8. See the module's docstring for the output layer.

    Every level of the way down also gets what EfficientNet-Lite0 sees there. Its weights began as those that were
    trained on ImageNet: generated scenes teach geometry, but not what the things in a photo are.
    """

    config_name = "config.json"

    @register_to_config
    def __init__(self, widths: tuple = (48, 96, 224), convs: int = 2, blocks: int = 7, heads: int = 7):
        super().__init__()
        fine, middle, coarse = widths
        self.stem = nn.Conv2d(3 * 16 + 2, fine, 3, padding=1)
        self.encode_fine = nn.Sequential(*[ResidualConvs(fine) for _ in range(convs)])
        self.to_middle = nn.Conv2d(4 * fine, middle, 1)
        self.encode_middle = nn.Sequential(*[ResidualConvs(middle) for _ in range(convs)])
        self.to_coarse = nn.Conv2d(4 * middle, coarse, 1)
        self.backbone = EfficientNetLite0()
        self.from_backbone = nn.ModuleList(
            nn.Conv2d(channels, width, 1)
            for channels, width in zip(LEVELS.values(), (fine, middle, coarse, coarse), strict=True)
        )
        self.position = nn.Parameter(torch.randn(1, coarse, 12, 12) * 0.02)
        self.attention = nn.ModuleList([GlobalBlock(coarse, heads) for _ in range(blocks)])
        self.norm = nn.LayerNorm(coarse)
        self.from_coarse = nn.Conv2d(coarse, 4 * middle, 1)
        self.decode_middle = nn.Sequential(*[ResidualConvs(middle) for _ in range(convs)])
        self.from_middle = nn.Conv2d(middle, 4 * fine, 1)
        self.decode_fine = nn.Sequential(*[ResidualConvs(fine) for _ in range(convs)])
        # A distribution of log depth for 2 x 2 parts of each cell of the attention grid. The fine planes are added to
        # its mean, so the layout of the scene is learned by the shortest way.
        self.layout = nn.Conv2d(coarse, 4 * len(BINS), 1)
        self.plane = nn.Sequential(
            nn.GroupNorm(1, fine), nn.Conv2d(fine, fine, 3, padding=1), nn.GELU(), nn.Conv2d(fine, 3, 1)
        )
        # Per cell of four pixels and per output pixel in it (2 x 2): nine weights, sky, error.
        self.pick = nn.Sequential(
            nn.GroupNorm(1, fine), nn.Conv2d(fine, 2 * fine, 3, padding=1), nn.GELU(), nn.Conv2d(2 * fine, 44, 1)
        )
        self.focal = nn.Linear(coarse, 1)
        for conv in (self.stem, self.to_middle, self.to_coarse, self.from_coarse, self.from_middle):
            nn.init.normal_(conv.weight, std=conv.weight[0].numel() ** -0.5)  # keeps the variance of its input
        for head in (self.layout, self.plane[-1], self.pick[-1], self.focal, *self.from_backbone):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        with torch.no_grad():
            self.pick[-1].bias.view(4, 11)[:, 4] = 2.0  # start from the pixel's own cell

    def forward(self, image: Tensor) -> DepthOutput:
        """image (B, 3, H, W) in [0, 1], H and W multiples of 32."""
        batch, _, height, width = image.shape
        if height % 32 or width % 32:
            raise ValueError(f"image is {height}x{width}; both sides must be multiples of 32. Resize it first.")
        image = image.contiguous(memory_format=torch.channels_last)
        maps = self.backbone(image)
        seen_fine, seen_middle, *seen_coarse = (conv(m) for conv, m in zip(self.from_backbone, maps, strict=True))
        cells = F.pixel_unshuffle(image * 2 - 1, 4)
        y = torch.linspace(-1, 1, height // 4, dtype=cells.dtype, device=cells.device)
        x = torch.linspace(-1, 1, width // 4, dtype=cells.dtype, device=cells.device)
        grid = torch.stack(torch.meshgrid(y, x, indexing="ij")).expand(batch, -1, -1, -1)
        stem = self.stem(torch.cat([cells, grid], 1).contiguous(memory_format=torch.channels_last))
        fine = self.encode_fine(stem + seen_fine)
        middle = self.encode_middle(self.to_middle(F.pixel_unshuffle(fine, 2)) + seen_middle)
        coarse = self.to_coarse(F.pixel_unshuffle(middle, 2)) + seen_coarse[0]
        coarse = coarse + F.interpolate(seen_coarse[1], scale_factor=2, mode="bilinear", align_corners=False)
        rows, columns = coarse.shape[-2:]
        position = F.interpolate(self.position, (rows, columns), mode="bilinear", align_corners=False)
        tokens = (coarse + position).flatten(2).transpose(1, 2)
        for block in self.attention:
            tokens = block(tokens, rows, columns)
        tokens = self.norm(tokens)
        log_focal = self.focal(tokens.mean(1))[:, 0].float()
        coarse = tokens.transpose(1, 2).reshape(batch, -1, rows, columns)
        layout = F.pixel_shuffle(self.layout(coarse), 2).float()
        level = -torch.einsum("bkhw,k->bhw", layout.softmax(1), BINS.to(layout.device))[:, None]
        level = F.interpolate(level, scale_factor=2, mode="bilinear", align_corners=False)
        middle = self.decode_middle(middle + F.pixel_shuffle(self.from_coarse(coarse), 2))
        fine = self.decode_fine(fine + F.pixel_shuffle(self.from_middle(middle), 2))
        picked = self.pick(fine).float().reshape(batch, 4, 11, height // 4, width // 4)
        planes = self.plane(fine).float() + F.pad(level, (0, 0, 0, 0, 0, 2))
        log_depth = -upsample_planes(planes, picked[:, :, :9].log_softmax(2))
        sky_logits, log_error = (F.pixel_shuffle(picked[:, :, i], 2)[:, 0] for i in (9, 10))
        return DepthOutput(log_depth, sky_logits, log_error, log_focal, layout)


def upsample_planes(planes: Tensor, log_weights: Tensor) -> Tensor:
    """Log inverse depth at twice the resolution from one plane per cell.

    planes (B, 3, h, w): log inverse depth at the cell's centre, and its relative slopes along x and y per cell,
    before squashing. log_weights (B, 4, 9, h, w): log of how much each of the 2 x 2 pixels of a cell takes from the
    plane of each of the 3 x 3 cells around, summing to 1 over the nine. Returns (B, 2h, 2w).
    Inverse depths are averaged, but as logarithms, so that no level is too far for a gradient.
    """
    batch, _, height, width = planes.shape
    slopes = MAX_SLOPE * planes[:, 1:].tanh()
    padded = F.pad(torch.cat([planes[:, :1], slopes], 1), (1, 1, 1, 1), mode="replicate")
    shifts = [(dy, dx) for dy in range(3) for dx in range(3)]
    around = torch.stack([padded[..., dy : dy + height, dx : dx + width] for dy, dx in shifts], 2)  # (B, 3, 9, h, w)
    level, slope_x, slope_y = around.unbind(1)
    pixels = []
    for i, (sub_y, sub_x) in enumerate(((-0.25, -0.25), (-0.25, 0.25), (0.25, -0.25), (0.25, 0.25))):
        # From the centre of the neighbour cell to this pixel, in cells.
        off_y = planes.new_tensor([sub_y - (dy - 1) for dy, _ in shifts])[:, None, None]
        off_x = planes.new_tensor([sub_x - (dx - 1) for _, dx in shifts])[:, None, None]
        value = level + (1 + slope_x * off_x + slope_y * off_y).clamp(min=0.1).log()
        pixels.append(torch.logsumexp(log_weights[:, i] + value, 1))
    return F.pixel_shuffle(torch.stack(pixels, 1), 2)[:, 0]


class EmbeddedDepth:
    """The shipped estimator: one photo -> depth at the photo's size. A DepthEstimator; deterministic.

    Depth is relative: the photo's median is 1. K is accepted as the protocol asks but not needed, since a network
    trained scale-invariantly on many lenses reads perspective from the picture.
    """

    def __init__(self, net: DepthNet, pixels: int = 160 * 224, planes: int = 8):
        """net; pixels: size of the network's input; planes: see refine_depth."""
        self.net = net.float().eval().to(memory_format=torch.channels_last)
        self.pixels = pixels
        self.planes = planes

    @classmethod
    def from_pretrained(cls, folder: str | Path = EMBEDDED_FOLDER / "depth", **options) -> "EmbeddedDepth":
        """Load config.json and diffusion_pytorch_model.safetensors from a folder."""
        folder = Path(folder)
        if not (folder / "config.json").is_file():
            raise Refused("{name} holds no config.json of a depth model. Check it, or fetch it again.", name=folder)
        return cls(DepthNet.from_pretrained(folder), **options)

    def __call__(self, image: np.ndarray, K: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """image (H, W, 3) uint8 -> z-depth (H, W) float32 with median 1, valid (H, W) bool. Sky is valid and far."""
        depth, _ = self.with_sky(image)
        return depth, np.isfinite(depth)

    def with_sky(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """image (H, W, 3) uint8 -> z-depth (H, W) float32, is_sky (H, W) bool."""
        output = self.predict(image)
        sky = output.sky_logits[0].sigmoid()
        return refine_depth(output.log_depth[0], image, sky, output.log_error[0], planes=self.planes)

    @torch.inference_mode()
    def predict(self, image: np.ndarray) -> DepthOutput:
        """Mean of the network's answers to the photo and to its mirror image, on the network's grid, batch of 1."""
        check_picture(image)
        photo = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255
        size = working_size(*image.shape[:2], self.pixels)
        photo = F.interpolate(photo, size, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)
        output = self.net(torch.cat([photo, photo.flip(-1)]))

        def both(value: Tensor) -> Tensor:
            return (value[:1] + value[1:].flip(-1)) / 2

        maps = (output.log_depth, output.sky_logits, output.log_error)
        return DepthOutput(*map(both, maps), output.log_focal.mean(0, True), both(output.layout))


def working_size(height: int, width: int, pixels: int) -> tuple[int, int]:
    """Sides that are multiples of 32, near the photo's aspect (at most 1:2.5), with about so many pixels."""
    aspect = min(max(width / height, 0.4), 2.5)
    rows = (pixels / aspect) ** 0.5
    return max(1, round(rows / 32)) * 32, max(1, round(rows * aspect / 32)) * 32

"""What a large model is given beside noise: text, pictures and videos as latents, and what the memory shows.

Latents are normalised channel by channel, as Wan's transformer wants them. After `vae.enable_tiling()` the autoencoder
looks at one tile of the picture after the other (`Tiles`), so that one tile has to fit into its device's memory.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
from diffusers.pipelines.wan.pipeline_wan import prompt_clean
from diffusers.utils.torch_utils import get_module_execution_device
from torch import Tensor

from pipelines.memory import Readout
from pipelines.memory.surfaces import SAME_SURFACE
from pipelines.memory.targets import pixels_in_view

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


class Tiles:
    """Pictures of height x width latents, taken apart into tiles that overlap, and put together again.

    Tiles are as few as `vae.enable_tiling` allows, all of one size and no larger than needed; the whole picture is one
    where tiling is off. Counted in latents.
    """

    def __init__(self, vae: AutoencoderKLWan, height: int, width: int):
        self.stride, self.size = vae.config.scale_factor_spatial, (height, width)
        largest = vae.tile_sample_min_height, vae.tile_sample_min_width
        steps = vae.tile_sample_stride_height, vae.tile_sample_stride_width
        self.overlaps = [(most - step) // self.stride for most, step in zip(largest, steps, strict=True)]
        largest = [most // self.stride for most in largest] if vae.use_tiling else self.size
        rows, columns = map(parts_of, self.size, largest, self.overlaps)
        self.parts = [(row, column) for row in rows for column in columns]

    def __len__(self) -> int:
        return len(self.parts)

    def of(self, pictures: Tensor, stride: int = 1) -> Iterator[Tensor]:
        """(..., stride height, stride width) -> every tile of it."""
        for part in self.parts:
            rows, columns = (slice(stride * axis.start, stride * axis.stop) for axis in part)
            yield pictures[..., rows, columns]

    def blended(self, tiles: Iterable[Tensor], stride: int = 1) -> Tensor:
        """Every tile, (C, T, stride h, stride w) -> (C, T, stride height, stride width); float32 on the CPU if several.

        Where tiles overlap, the share of each falls evenly towards its rim.
        """
        if len(self) == 1:
            return next(iter(tiles))
        height, width = (stride * size for size in self.size)
        total, shares = None, torch.zeros(height, width)
        for part, tile in zip(self.parts, tiles, strict=True):
            rows, columns = (slice(stride * axis.start, stride * axis.stop) for axis in part)
            share = torch.outer(*map(ramp, part, self.size, self.overlaps, (stride, stride)))
            if total is None:
                total = torch.zeros(*tile.shape[:2], height, width)
            total[..., rows, columns] += share * tile.float().cpu()
            shares[rows, columns] += share
        return total.div_(shares)


def parts_of(size: int, largest: int, overlap: int) -> list[slice]:
    """As few parts of one size, at most `largest`, as cover `size` and overlap by `overlap`; evenly spread."""
    if size <= largest:
        return [slice(0, size)]
    if not 0 < overlap < largest:
        raise ValueError(f"Tiles of {largest} latents cannot overlap by {overlap}. Use 1 to {largest - 1}.")
    count = math.ceil((size - overlap) / (largest - overlap))
    part = math.ceil((size + (count - 1) * overlap) / count)
    starts = [round(i * (size - part) / (count - 1)) for i in range(count)]
    return [slice(start, start + part) for start in starts]


def ramp(part: slice, size: int, overlap: int, stride: int) -> Tensor:
    """The share of every pixel of a part: 1 inside, falling towards a rim that is not the picture's."""
    place = (torch.arange(stride * part.start, stride * part.stop) + 0.5) / stride
    up = (place - part.start) / overlap if part.start else torch.ones_like(place)
    down = (part.stop - place) / overlap if part.stop < size else torch.ones_like(place)
    return torch.minimum(up, down).clamp(max=1)


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
        self.features: dict[int, list] = {}

    @torch.no_grad()
    def __call__(self, latents: Tensor) -> np.ndarray:
        """latents (C, T, h, w) -> frames (4 T, H, W, 3) uint8; 4 T - 3 in the first call."""
        if hasattr(self.vae, "_hf_hook"):  # offloaded; what vae.decode does first, and we call its parts
            self.vae._hf_hook.pre_forward(self.vae)
        mean, std = _normalisation(self.vae, latents)
        latents = latents * std + mean
        tiles = Tiles(self.vae, *latents.shape[-2:])
        if len(tiles) == 1:
            return np.concatenate([to_frames(video) for video in self.videos(latents)])
        keep = torch.device("cpu")
        videos = (
            torch.cat([video.cpu() for video in self.videos(tile, index, keep)], dim=1)
            for index, tile in enumerate(tiles.of(latents))
        )
        blended = tiles.blended(videos, tiles.stride)
        return np.concatenate([to_frames(part) for part in blended.split(4, dim=1)])

    @torch.no_grad()
    def videos(self, latents: Tensor, tile: int = 0, keep: torch.device | None = None) -> Iterator[Tensor]:
        """One tile's latents (C, T, h, w), not normalised -> what each shows, (3, 4 or, the very first, 1, H, W).

        keep: the device on which what is remembered waits for the next call; None: it stays.
        """
        vae, device = self.vae, get_module_execution_device(self.vae)
        first = tile not in self.features
        features = [None] * vae._cached_conv_counts["decoder"] if first else placed(self.features[tile], device)
        latents = vae.post_quant_conv(latents[None].to(device, vae.dtype))
        for i in range(latents.shape[2]):
            video = vae.decoder(
                latents[:, :, i : i + 1], feat_cache=features, feat_idx=[0], first_chunk=first and i == 0
            )
            yield (video if vae.config.patch_size is None else unpatchify(video, vae.config.patch_size))[0]
        self.features[tile] = placed(features, keep) if keep else features


def placed(features: list, device: torch.device) -> list:
    """What the decoder remembers, on another device; some of it is a word."""
    return [feature.to(device) if isinstance(feature, Tensor) else feature for feature in features]


def paint(readout: Readout, pictures: dict[int, Tensor], height: int, width: int) -> tuple[Tensor, Tensor]:
    """The memory's colours at every pixel of its targets: what the pictures of its views show there.

    readout: on a grid whose cells are whole pixels of height x width. Within a surface every pixel looks up its exact
    place; surfaces end where cells do. pictures: index of a view -> (3, H, W) in [-1, 1], all on one device, which
    does the work. Returns on the CPU (3, T, height, width) in [-1, 1], black where nothing is known, and
    (T, height, width) bool, True where something is.
    """
    samples, (frames, rows, columns) = readout.memory.samples, readout.mask.shape
    video, masks = torch.full((3, frames, height, width), -1.0), readout.mask
    masks = masks.repeat_interleave(height // rows, 1).repeat_interleave(width // columns, 2)
    if not pictures:
        return video, masks
    device = next(iter(pictures.values())).device
    maps = readout.targets.resized(height, width).into(samples).view(12, frames, -1).to(device)
    for frame in range(frames):
        view = readout.view[frame].to(device)
        shown = view.repeat_interleave(height // rows, 0).repeat_interleave(width // columns, 1)
        depth = finer(readout.depth[frame].to(device), height, width)
        painted = torch.full((3, height, width), -1.0, device=device)
        for index in view[view >= 0].unique().tolist():
            row, column = (shown == index).nonzero().unbind(1)
            x, y = pixels_in_view(maps[:, frame, index], column + 0.5, row + 0.5, depth[row, column])
            grid = torch.stack([x / samples.columns[index], y / samples.rows[index]], dim=-1) * 2 - 1
            picture = pictures[index][None]
            painted[:, row, column] = F.grid_sample(picture, grid[None, None], "bilinear", "border", False)[0, :, 0]
        video[:, frame] = painted
    return video, masks


def finer(depth: Tensor, height: int, width: int) -> Tensor:
    """depth (h, w), 0 where unknown -> (height, width): planes between cells of one surface, steps between surfaces."""
    inverse = torch.where(depth > 0, depth.reciprocal(), 0.0)
    ends, shares = [], []
    for size, cells in ((height, len(depth)), (width, depth.shape[1])):
        place = (torch.arange(size, device=depth.device) + 0.5) * (cells / size) - 0.5
        first = place.floor()
        ends.append([(first + step).long().clamp_(0, cells - 1) for step in (0, 1)])
        shares.append([1 - (place - first), place - first])
    nearest = [torch.where(b > 0.5, second, first) for (first, second), (_, b) in zip(ends, shares, strict=True)]
    own = inverse[nearest[0][:, None], nearest[1]]
    total, weights = torch.zeros_like(own), torch.zeros_like(own)
    for row, a in zip(ends[0], shares[0], strict=True):
        for column, b in zip(ends[1], shares[1], strict=True):
            corner = inverse[row[:, None], column]
            weight = a[:, None] * b * ((corner - own).abs() < SAME_SURFACE * own)
            total.addcmul_(corner, weight)
            weights += weight
    return weights / total  # nan where unknown


def hole_video(mask: Tensor, stride: int = 1, latent_frames: int = 1) -> Tensor:
    """A video that is 1 where nothing is known and 0 elsewhere, as Spatia's weights were shown it.

    mask (T, h, w) bool, True where known -> (3, T', stride h, stride w) float32. latent_frames: how many frames each
    mask stands for (the first stands for one).
    """
    holes = (~mask).float().repeat_interleave(stride, 1).repeat_interleave(stride, 2)
    holes = torch.cat([holes[:1], holes[1:].repeat_interleave(latent_frames, 0)])
    return holes.expand(3, -1, -1, -1)

"""Pictures taken apart into tiles that overlap, and put together again, so that one tile has to fit into memory."""

import math
from collections.abc import Iterable, Iterator

import torch
from diffusers import AutoencoderKLWan
from torch import Tensor


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
        blend = Blend(self, stride)
        for tile in tiles:
            blend.add(tile)
        return blend.picture()


class Blend:
    """Pictures that grow tile by tile, in the order of `Tiles.parts`: see `Tiles.blended`."""

    def __init__(self, tiles: Tiles, stride: int = 1):
        self.tiles, self.stride, self.parts = tiles, stride, iter(tiles.parts)
        self.total: Tensor | None = None
        self.shares = torch.zeros(*(stride * size for size in tiles.size))

    def add(self, tile: Tensor) -> None:
        """The next tile, (C, T, stride h, stride w)."""
        part, stride = next(self.parts), self.stride
        rows, columns = (slice(stride * axis.start, stride * axis.stop) for axis in part)
        share = torch.outer(*map(ramp, part, self.tiles.size, self.tiles.overlaps, (stride, stride)))
        if self.total is None:
            self.total = torch.zeros(*tile.shape[:2], *self.shares.shape)
        self.total[..., rows, columns] += share * tile.float().cpu()
        self.shares[rows, columns] += share

    def picture(self) -> Tensor:
        """All of them, (C, T, stride height, stride width) float32 on the CPU; once, when every tile is there."""
        return self.total.div_(self.shares)


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

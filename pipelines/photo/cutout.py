"""A product cut out of its backdrop: how opaque every pixel of a frame is, and its colour without the backdrop's.

Straight (not premultiplied) alpha: a pixel P before a backdrop of the colour C is P = a F + (1 - a) C, with a in 0..1
and F the product's own colour, or black for a shadow (Porter and Duff, "Compositing Digital Images", 1984).
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
import torch.nn.functional as F

from pipelines.engines.base import EngineFacts
from pipelines.errors import Refused
from pipelines.memory import Readout
from pipelines.photo.backdrop import GRID, OUTLINE, eroded, reached_from, shadow_in
from pipelines.photo.lifted import Lifted
from pipelines.photo.plate import COARSE

CONTRAST = 48  # of 255, in some channel: product and backdrop that differ by less do not tell how they are mixed
ALONE = 0.9  # of a pixel: more is the product's alone


def check_engine(facts: EngineFacts) -> None:
    """Raises Refused for an engine that does not show a photo's own pixels, and with them its plain backdrop."""
    if facts.decode_stride != 1:
        raise Refused(
            "The {model} model draws the backdrop anew, so its clips have no transparent background. Use the embedded "
            "one.",
            model=facts.name,
        )


def check_photo(lifted: Lifted | None) -> None:
    """Raises Refused for a photo (None: a memory alone) without a backdrop of one colour."""
    if lifted is None or lifted.backdrop_colour is None:
        raise Refused(
            "This photo has no backdrop of one colour, so there is nothing to make transparent. Use a product on white "
            "or a cut-out, or render it without a transparent background."
        )


def check_before(facts: EngineFacts, photo: object) -> None:
    """Raises Refused as `check_cut_out`, as far as it is known before a photo is lifted."""
    check_engine(facts)
    if photo is None or isinstance(photo, Lifted):
        check_photo(photo)


def check_cut_out(facts: EngineFacts, lifted: Lifted | None) -> None:
    """Raises Refused where frames of this photo (None: of a memory alone) cannot be cut out of their backdrop."""
    check_engine(facts)
    check_photo(lifted)


def can_be_cut_out(facts: EngineFacts, lifted: Lifted) -> bool:
    """Whether frames of this photo can be cut out of their backdrop."""
    try:
        check_cut_out(facts, lifted)
    except Refused:
        return False
    return True


def cover_of(facts: EngineFacts, lifted: Lifted | None) -> np.ndarray:
    """(H, W) float32, 0..1: how much of each pixel of the photo that is kept the product covers.

    The photo file's own transparency, where it has one. Else it is told by the colours along the product's outline,
    which lie between that of the backdrop and that of the product further inside. Raises Refused as `check_cut_out`.
    """
    check_cut_out(facts, lifted)
    backdrop = lifted.plate.backdrop
    if backdrop.alpha is not None:
        return backdrop.alpha.astype(np.float32) / 255
    photo, colour = lifted.photo.astype(np.float32), backdrop.colour.astype(np.float32)
    width = 1 + round(OUTLINE * max(photo.shape) / GRID)
    product = backdrop.product & ~shadow_in(lifted.photo, backdrop.product, backdrop.colour)
    solid = eroded(product, width)
    inside = np.stack([carried(np.where(solid, photo[..., c], np.nan), product) for c in range(3)], axis=-1)
    contrast = inside - colour
    is_told = np.nan_to_num(np.abs(contrast).max(axis=-1)) >= CONTRAST
    share = np.where(is_told, ((photo - colour) * contrast).sum(axis=-1) / np.maximum((contrast**2).sum(axis=-1), 1), 1)
    # from outside as far as the first pixel that is the product's alone: what is pale behind it is the product
    mixed = reached_from(~product, product & ~solid & (share < ALONE))
    return np.where(product, np.where(mixed, share.clip(0, 1), 1), 0).astype(np.float32)


def carried(values: np.ndarray, product: np.ndarray) -> np.ndarray:
    """(H, W) with nan: known colours carried into the rest of the product (H, W) bool, along it and not across what is
    not of it: a mug's rim, the temples of glasses. nan in pieces that have none."""
    height, width = values.shape
    step = max(1, max(height, width) // COARSE)
    known = np.isfinite(values)
    planes = torch.from_numpy(np.stack([np.where(known, values, 0), known, product]).astype(np.float32))
    planes = F.pad(planes[None], (0, -width % step, 0, -height % step))[0]
    total, count, share = F.avg_pool2d(planes[:, None], step)[:, 0]
    coarse, open_ = torch.where(count > 0, total / count.clamp(min=1e-9), 0), share > 0
    filled = (count > 0).float()
    while True:
        around = F.avg_pool2d(torch.stack([coarse * filled, filled])[:, None], 3, 1, 1)[:, 0]
        new = (filled == 0) & open_ & (around[1] > 0)
        if not new.any():
            break
        coarse = torch.where(new, around[0] / around[1].clamp(min=1e-9), coarse)
        filled[new] = 1
    coarse = torch.where(filled > 0, coarse, torch.nan).numpy()
    return coarse.repeat(step, 0).repeat(step, 1)[:height, :width]


def alpha_of(
    frames: np.ndarray, readout: Readout, plate: torch.Tensor, lifted: Lifted, cover: np.ndarray
) -> np.ndarray:
    """(T, H, W) uint8, 0 clear .. 255 opaque, of frames (T, H, W, 3) uint8 that show a readout.

    plate (T, H, W) bool: where the frames show the backdrop. cover: see `cover_of`. Of what was invented, such as the
    side of a product that nobody has seen, only the colours tell: what is half as dark as can be is opaque.
    """
    least = least_alpha(frames, lifted.backdrop_colour)
    grid = readout.xy * 2 - 1
    plane = torch.from_numpy(cover)[None, None].expand(len(frames), -1, -1, -1)
    looked_up = F.grid_sample(plane, grid, padding_mode="border", align_corners=False)[:, 0]
    looked_up = torch.where(readout.view == lifted.view, looked_up, torch.from_numpy(least) * (2 / 255)).clamp(max=1)
    covered = (torch.where(plate, 0.0, looked_up) * 255).round().to(torch.uint8).numpy()
    return np.maximum(covered, least)


def least_alpha(frames: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """(..., H, W) uint8: the least alpha with which frames (..., H, W, 3) uint8 are some colour before `colour` (3,).

    0 where they have that colour; of a shadow on white, how dark it is.
    """
    value = np.arange(256.0)[:, None]
    room = np.where(value > colour, 255.0 - colour, colour)
    least = np.ceil(np.abs(value - colour) / np.maximum(room, 1) * 255).astype(np.uint8)  # (256, 3)
    return np.maximum.reduce([least[frames[..., channel], channel] for channel in range(3)])


def cut_out(frames: Iterable[np.ndarray], alpha: Iterable[np.ndarray], colour: np.ndarray) -> Iterator[np.ndarray]:
    """RGBA (H, W, 4) uint8, straight alpha, of every frame (H, W, 3) uint8 before a backdrop of `colour` (3,) uint8.

    alpha (H, W) uint8 of each. Laid on that colour again they are the frames, within 1 of 255; clear pixels are black.
    """
    backdrop = np.asarray(colour, np.float32)
    for frame, opacity in zip(frames, alpha, strict=True):
        share = opacity[..., None].astype(np.float32) / 255
        own = backdrop + (frame - backdrop) / np.maximum(share, 1 / 255)
        own = np.where(share > 0, own.round().clip(0, 255), 0)
        yield np.concatenate([own.astype(np.uint8), opacity[..., None]], axis=-1)

"""A product before a plain backdrop, such as a sheet of white paper: what belongs to it and what does not.

The backdrop is what can be reached from the photo's rim without crossing an edge or squeezing through a gap, and what
it encloses in the same colour (a mug's handle). So a soft shadow on it belongs to it, and moves with it. A narrow band
of it along the outline belongs to the product: there the colours of both are mixed, and a contact shadow lies.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter

GRID = 320  # pixels along the long side on which the backdrop is looked for
EDGE = 5  # of 255 between neighbours there: more is an edge. Paper under soft light and a soft shadow stay below
SAME = 16  # of 255: how far a backdrop may be from a quadric through its colours, and a patch that it encloses
RIM = 0.8  # share of the rim that a backdrop covers at least: a product may reach one side
AREA = 0.2, 0.99  # share of the photo that it covers
NECK = 2  # pixels there: half as wide as the gaps are through which a soft shadow leads on, say to grey metal
SPECK = 6  # pixels there: less is dust on the paper
FLAT = 1  # of 255: what differs no more from one colour is that colour
SOFT = 20  # of 255 between neighbours there: more is an edge of the product, less may be one of its shadow
NEUTRAL = 0.06  # of the light: by how much a shadow may be coloured
DARKEST = 0.5  # of the light is left in a shadow; what is darker touches the product
SHADOW = 0.25  # of what was found to be the product, at most, is shadow
OUTLINE = 3  # pixels there: how wide that band is
PLAIN = 0.6  # share of a backdrop that has one colour, so that it is one; the others are soft shadows


@dataclass(frozen=True)
class Backdrop:
    """product (H, W) bool, of a whole photo or a part of it. colour: (3,) uint8 of a backdrop that is one colour, else
    None. flat (H, W) bool: where the photo has that colour, within FLAT; None for any other backdrop. alpha (H, W)
    uint8, 0 clear .. 255 opaque: the photo file's own transparency, None where it has none.
    """

    product: np.ndarray
    colour: np.ndarray | None = None
    flat: np.ndarray | None = None
    alpha: np.ndarray | None = None

    def __getitem__(self, part: tuple[slice, slice]) -> "Backdrop":
        flat, alpha = (None if plane is None else plane[part] for plane in (self.flat, self.alpha))
        return Backdrop(self.product[part], self.colour, flat, alpha)

    def extended(self, more: tuple[tuple[int, int], tuple[int, int]]) -> "Backdrop":
        """Of a photo that goes on beyond its rim in the colour of its backdrop, see `Framed.more`."""
        flat = None if self.flat is None else extended(self.flat, more, True)
        alpha = None if self.alpha is None else extended(self.alpha, more)
        return Backdrop(extended(self.product, more), self.colour, flat, alpha)


def find_backdrop(photo: np.ndarray, alpha: np.ndarray | None = None) -> Backdrop | None:
    """photo (H, W, 3) uint8 -> its product and backdrop, or None where it is no product before a plain backdrop.

    alpha (H, W) uint8: the photo file's own transparency. It decides alone where it leaves out a backdrop's share.
    """
    if alpha is not None and AREA[0] <= (alpha == 0).mean() <= AREA[1]:
        clear = alpha == 0
        colour = np.median(photo[clear], axis=0)
        flat = clear & (np.abs(photo - colour).max(axis=-1) <= FLAT)
        return Backdrop(alpha >= 128, colour.round().astype(np.uint8), flat, alpha)
    height, width = photo.shape[:2]
    scale = GRID / max(height, width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = Image.fromarray(photo).resize(size, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.7))
    colours = np.asarray(small, dtype=np.float32)
    even = edges(colours) <= EDGE
    reached = grown(reached_from_rim(eroded(even, NECK)), NECK) & even
    rim = np.concatenate([reached[0], reached[-1], reached[:, 0], reached[:, -1]])
    if rim.mean() < RIM or not AREA[0] <= reached.mean() <= AREA[1]:
        return None
    light = light_of(colours, reached)
    off = np.abs(colours - lit(light, *reached.shape)).max(axis=-1)
    if np.quantile(off[reached], 0.8) > SAME:
        return None
    enclosed = without_specks(even & (off <= SAME) & ~reached, GRID // 16)
    product = without_specks(~(reached | enclosed), SPECK)
    if not product.any():
        return None
    own = product & ~shadow_in(np.asarray(small), product, lit(light, *product.shape))
    product &= grown(own, OUTLINE)
    full = Image.fromarray(np.uint8(product) * 255).resize((width, height), Image.Resampling.BILINEAR)
    product = np.asarray(full.filter(ImageFilter.GaussianBlur(1 / scale))) >= 128

    beside = ~product
    colour = np.median(photo[beside], axis=0)
    flat = np.abs(photo - colour).max(axis=-1) <= FLAT
    if flat[beside].mean() < PLAIN:
        return Backdrop(product)
    # what the blur has taken for the product is flat all the same; what is flat inside of it, such as a label, is not
    return Backdrop(product, colour.round().astype(np.uint8), flat & ~eroded(product, max(1, round(2 / scale))))


def extended(plane: np.ndarray, more: tuple[tuple[int, int], tuple[int, int]], colour=0) -> np.ndarray:
    """An array (H, W, ...) with so much more of one value or colour around it, see `Framed.more`."""
    (above, below), (left, right) = more
    height, width = plane.shape[:2]
    if not (above or below or left or right):
        return np.ascontiguousarray(plane)
    out = np.empty((above + height + below, left + width + right, *plane.shape[2:]), plane.dtype)
    out[:] = colour
    out[above : above + height, left : left + width] = plane
    return out


def shadow_in(photo: np.ndarray, product: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(H, W) bool: the paper along the outline and the dark middle of a soft shadow, found to be of a product.

    It is reached from the backdrop through pixels that are the backdrop's colour, darker, without a hard edge. A shadow
    is smaller than its product: where more than SHADOW of that is reached, it is a pale product, and stays.
    photo (H, W, 3) uint8, product (H, W) bool. light (H, W, 3) or (3,): the backdrop's colours without shadow, 0..255.
    """
    share = photo / np.maximum(light, 1)
    is_dimmed = (
        (np.ptp(share, axis=-1) <= NEUTRAL) & (share.min(axis=-1) >= DARKEST) & (share.max(axis=-1) <= 1 + NEUTRAL)
    )
    scale = max(product.shape) / GRID
    smooth = np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(scale)), np.float32)  # paper has grain
    open_ = product & is_dimmed & (edges(smooth) <= SOFT / scale)
    shadow = reached_from(~product, open_)
    # what is cut off from the product by its shadow is shadow
    shadow = product & ~without_specks(product & ~shadow, max(2, round(SPECK * scale)))
    inner = eroded(product, round(OUTLINE * scale))
    return shadow & ((shadow & inner).sum() <= SHADOW * inner.sum())


def edges(colours: np.ndarray) -> np.ndarray:
    """(H, W, 3) -> (H, W): the largest difference of a channel to a neighbour on the right or below."""
    found = np.zeros(colours.shape[:2], np.float32)
    for axis in (0, 1):
        step = np.abs(np.diff(colours, axis=axis)).max(axis=-1)
        for part in (slice(None, -1), slice(1, None)):
            view = found[part] if axis == 0 else found[:, part]
            np.maximum(view, step, out=view)
    return found


def reached_from_rim(open_: np.ndarray) -> np.ndarray:
    """(H, W) bool -> those that hang together with an open pixel of the rim, by their sides."""
    rim = np.zeros_like(open_)
    rim[[0, -1]], rim[:, [0, -1]] = open_[[0, -1]], open_[:, [0, -1]]
    return reached_from(rim, open_)


def reached_from(start: np.ndarray, open_: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels of open_ that hang together, by their sides, with start (H, W) bool, or are of it."""
    reached, passable = start, open_ | start
    count = -1
    while count != (count := int(reached.sum())):
        for flip in (False, True):  # sweeps along rows and columns, both ways
            for axis in (0, 1):
                reached = _swept(reached, passable, axis, flip)
    return reached & open_


def _swept(reached: np.ndarray, open_: np.ndarray, axis: int, flip: bool) -> np.ndarray:
    """Every run of open pixels along an axis is reached from its first reached pixel on."""
    turn = (lambda x: np.flip(x, axis)) if flip else (lambda x: x)
    reached, open_ = turn(reached), turn(open_)
    index = np.indices(open_.shape)[axis]
    last_wall = np.maximum.accumulate(np.where(open_, -1, index), axis=axis)
    last_seed = np.maximum.accumulate(np.where(reached, index, -1), axis=axis)
    return turn(open_ & (last_seed > last_wall))


def light_of(colours: np.ndarray, where: np.ndarray) -> np.ndarray:
    """(6, 3): the quadratic surface through the colours (H, W, 3) of `where`, by least squares; light falls off."""
    terms = quadric_terms(*pixel_shares(*where.shape))
    return np.linalg.lstsq(terms[where], colours[where], rcond=None)[0]


def lit(light: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W, 3): the colours of a backdrop in the light (6, 3) of `light_of`, on any grid."""
    return quadric_terms(*pixel_shares(height, width)) @ light


def pixel_shares(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) each: x and y of all pixel centres as shares of the width and the height."""
    rows, columns = np.indices((height, width)) + 0.5
    return columns / width, rows / height


def quadric_terms(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x and y of any shape, as shares of the picture -> (..., 6) terms of a quadratic surface."""
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def without_specks(mask: np.ndarray, across: int) -> np.ndarray:
    """(H, W) bool without pieces that are nowhere so many pixels wide and high; the others stay whole."""
    core = eroded(mask, across // 2)
    before = None
    while before is None or core.sum() != before:
        before = core.sum()
        core = grown(core, 2) & mask
    return core


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """(H, W) bool, larger by so many pixels to every side."""
    plane = torch.from_numpy(mask.astype(np.float32))[None, None]
    return F.max_pool2d(plane, 2 * pixels + 1, 1, pixels)[0, 0].numpy() > 0


def eroded(mask: np.ndarray, pixels: int) -> np.ndarray:
    """(H, W) bool, smaller by so many pixels from every side; what lies outside counts as mask."""
    return ~grown(~mask, pixels)

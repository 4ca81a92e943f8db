"""A product before a plain backdrop, such as a sheet of white paper: what belongs to it and what does not.

The backdrop is what can be reached from the photo's rim without crossing an edge, and what it encloses in the same
colour (a mug's handle). So a soft shadow on it belongs to it, and moves with it.
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
SPECK = 6  # pixels there: less is dust on the paper
FLAT = 1  # of 255: what differs no more from one colour is that colour
PLAIN = 0.6  # share of a backdrop that has one colour, so that it is one; the others are soft shadows


@dataclass(frozen=True)
class Backdrop:
    """product (H, W) bool, of a whole photo or a part of it. colour: (3,) uint8 of a backdrop that is one colour, else
    None. flat (H, W) bool: where the photo has that colour, within FLAT; None for any other backdrop.
    """

    product: np.ndarray
    colour: np.ndarray | None = None
    flat: np.ndarray | None = None

    def __getitem__(self, part: tuple[slice, slice]) -> "Backdrop":
        return Backdrop(self.product[part], self.colour, None if self.flat is None else self.flat[part])


def find_backdrop(photo: np.ndarray) -> Backdrop | None:
    """photo (H, W, 3) uint8 -> its product and backdrop, or None where it is no product before a plain backdrop."""
    height, width = photo.shape[:2]
    scale = GRID / max(height, width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = Image.fromarray(photo).resize(size, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.7))
    colours = np.asarray(small, dtype=np.float32)
    backdrop = reached_from_rim(edges(colours) <= EDGE)
    rim = np.concatenate([backdrop[0], backdrop[-1], backdrop[:, 0], backdrop[:, -1]])
    if rim.mean() < RIM or not AREA[0] <= backdrop.mean() <= AREA[1]:
        return None
    expected = quadric(colours, backdrop)
    off = np.abs(colours - expected).max(axis=-1)
    if np.quantile(off[backdrop], 0.8) > SAME:
        return None
    enclosed = (edges(colours) <= EDGE) & (off <= SAME) & ~backdrop
    backdrop |= without_specks(enclosed, GRID // 16)
    product = without_specks(~backdrop, SPECK)
    if not product.any():
        return None
    full = Image.fromarray(np.uint8(product) * 255).resize((width, height), Image.Resampling.BILINEAR)
    product = np.asarray(full.filter(ImageFilter.GaussianBlur(1 / scale))) >= 128

    beside = ~product
    colour = np.median(photo[beside], axis=0)
    flat = np.abs(photo - colour).max(axis=-1) <= FLAT
    if flat[beside].mean() < PLAIN:
        return Backdrop(product)
    # what the blur has taken for the product is flat all the same; what is flat inside of it, such as a label, is not
    return Backdrop(product, colour.round().astype(np.uint8), flat & ~eroded(product, max(1, round(2 / scale))))


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
    reached = np.zeros_like(open_)
    reached[[0, -1]], reached[:, [0, -1]] = open_[[0, -1]], open_[:, [0, -1]]
    count = -1
    while count != (count := int(reached.sum())):
        for flip in (False, True):  # sweeps along rows and columns, both ways
            for axis in (0, 1):
                reached = _swept(reached, open_, axis, flip)
    return reached


def _swept(reached: np.ndarray, open_: np.ndarray, axis: int, flip: bool) -> np.ndarray:
    """Every run of open pixels along an axis is reached from its first reached pixel on."""
    turn = (lambda x: np.flip(x, axis)) if flip else (lambda x: x)
    reached, open_ = turn(reached), turn(open_)
    index = np.indices(open_.shape)[axis]
    last_wall = np.maximum.accumulate(np.where(open_, -1, index), axis=axis)
    last_seed = np.maximum.accumulate(np.where(reached, index, -1), axis=axis)
    return turn(open_ & (last_seed > last_wall))


def quadric(colours: np.ndarray, where: np.ndarray) -> np.ndarray:
    """(H, W, 3): the quadratic surface through the colours (H, W, 3) of `where`, by least squares; light falls off."""
    height, width = where.shape
    rows, columns = np.indices((height, width)) + 0.5
    terms = quadric_terms(columns / width, rows / height)
    solution, *_ = np.linalg.lstsq(terms[where], colours[where], rcond=None)
    return terms @ solution


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

"""Bars at the rims of a picture: flat strips that somebody laid around a photo, of any colour, thickness and side.

A bar is flat up to a straight line across all of the picture, at which the photo begins at once. A product on a plain
ground, a clear sky or a wall ends in no such line. Not found: blurred copies of the picture beside it, frames of one
light colour all round, and bars of the colour that the photo has there. Numbers and Pillow only.
"""

from dataclasses import astuple, dataclass

import numpy as np
from PIL import Image

from pipelines.media.photos import MAX_ASPECT, MIN_SIDE

SIDES = ("left", "top", "right", "bottom")
SAMPLES = 480  # pixels of a line that are looked at
NOISE = 14  # of 255: pixels of a bar differ from its colour by at most so much, but for one in twenty
STRAY = 0.02  # of a line of a bar: pixels that may differ by more
REACH = 16  # pixels that JPEG's blocks blur around the end of a bar
RINGING = 16  # of 255: how much they may disturb its colour there
LINE = 0.75  # of the pixels along the end of a bar differ from it there, and at least
PART = 0.25  # of every eighth of it
THINNEST, THICKEST = 0.004, 0.4  # of the picture's side
DARK = 64  # of 255: a lighter frame of one colour round a corner may as well be the ground a product stands on


@dataclass(frozen=True)
class Bars:
    """Pixels that bars take at each side of a picture, 0 where there is none."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    @property
    def sides(self) -> tuple[str, ...]:
        """Those that have a bar, of SIDES."""
        return tuple(side for side in SIDES if getattr(self, side))

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """What they leave of a picture: left, top, right, bottom, as Pillow's `crop` takes it."""
        return self.left, self.top, width - self.right, height - self.bottom


def find_bars(photo: Image.Image) -> Bars | None:
    """The bars of an RGB picture; None where it has none, or where too little would be left without them."""
    pixels = np.asarray(photo)
    bars = _ending_in_lines(pixels, _flat_rims(pixels))
    left, top, right, bottom = bars.box(photo.width, photo.height)
    sides = right - left, bottom - top
    if not bars.sides or min(sides) < MIN_SIDE or max(sides) > MAX_ASPECT * min(sides):
        return None
    return bars


def _flat_rims(pixels: np.ndarray) -> Bars:
    """How far a picture (H, W, 3) is flat at each side; twice round, since a bar may lie between two others."""
    bars = Bars()
    for side in SIDES * 2:
        if not getattr(bars, side):
            bars = _with(bars, side, _flat(_lines(pixels, bars, side)))
    return bars


def _ending_in_lines(pixels: np.ndarray, flat: Bars) -> Bars:
    """Of flat rims those that are bars, each up to its line.

    Where one is none, the lines of its neighbours have to reach over it too.
    """
    found = bars = flat
    for side in flat.sides:
        lines = _lines(pixels, flat, side)
        end = _line(lines, getattr(flat, side))
        is_bar = max(3, THINNEST * len(lines)) <= end <= THICKEST * len(lines)
        found = _with(found, side, end if is_bar else 0)
        bars = bars if is_bar else _with(bars, side, 0)
    if bars != flat:
        return _ending_in_lines(pixels, bars)
    return Bars() if _may_be_ground(pixels, found) else found


def _may_be_ground(pixels: np.ndarray, bars: Bars) -> bool:
    """Whether bars go round a corner in one light colour."""
    goes_round = bool({"left", "right"} & set(bars.sides)) and bool({"top", "bottom"} & set(bars.sides))
    colours = np.array([_colour(_lines(pixels, bars, side)) for side in bars.sides])
    return goes_round and np.ptp(colours, axis=0).max() <= NOISE and colours.max() > DARK


def _with(bars: Bars, side: str, thickness: int) -> Bars:
    return Bars(**{**dict(zip(SIDES, astuple(bars), strict=True)), side: thickness})


def _lines(pixels: np.ndarray, bars: Bars, side: str) -> np.ndarray:
    """The picture's lines (n, samples, 3) from a rim inwards, between the bars of the two sides beside it."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = bars.box(width, height)
    if side in ("top", "bottom"):
        lines, first, last = pixels, left + REACH * bool(bars.left), right - REACH * bool(bars.right)
    else:
        lines, first, last = pixels.swapaxes(0, 1), top + REACH * bool(bars.top), bottom - REACH * bool(bars.bottom)
    lines = lines[:, first : max(last, first + 1) : max(1, (last - first) // SAMPLES)]
    return lines[::-1] if side in ("right", "bottom") else lines


def _colour(lines: np.ndarray) -> np.ndarray:
    """(3,) of the outermost lines"""
    return np.median(lines[:3].reshape(-1, 3), axis=0)


def _difference(lines: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """(n, samples): how far pixels are from a colour, 0..255 in the channel where it is most."""
    red, green, blue = (np.abs(lines[..., c] - colour[c].astype(np.int16)) for c in range(3))
    return np.maximum(np.maximum(red, green), blue)


def _tolerance(lines: np.ndarray) -> float | None:
    """How far pixels of a bar may be from its colour, by its outermost lines; None where these are not flat."""
    noise = np.quantile(_difference(lines[:3], _colour(lines)), 0.95)
    return 6 + 1.6 * noise if noise <= NOISE else None


def _flat(lines: np.ndarray) -> int:
    """The number of lines from the rim on that have one colour; 0 where it is all of them."""
    if len(lines) < MIN_SIDE or (tolerance := _tolerance(lines)) is None:
        return 0
    colour = _colour(lines)
    for start in range(0, len(lines), 64):  # most pictures end in the first few
        strays = (_difference(lines[start : start + 64], colour) > tolerance).mean(axis=1) > STRAY
        if strays.any():
            return start + int(strays.argmax())
    return 0


def _line(lines: np.ndarray, flat: int) -> int:
    """Where a rim that is flat for so many lines ends in a straight line: the number of lines up to it; 0 where it does
    not."""
    tolerance, colour = _tolerance(lines), _colour(lines)
    if tolerance is None or lines.shape[1] < 8:
        return 0
    first = max(flat - 2, 0)
    difference = _difference(lines[first : flat + 2 * REACH], colour)
    before, after = difference[: REACH + 2], difference[2 : REACH + 4]
    step = after - before
    begins = (before <= tolerance + RINGING) & (after > tolerance) & (step > tolerance / 2)
    is_line = begins.mean(axis=1) >= LINE
    is_line &= np.min([part.mean(axis=1) for part in np.array_split(begins, 8, axis=1)], axis=0) >= PART
    end = int(np.where(is_line, step.mean(axis=1), 0).argmax()) + 2  # JPEG smears it: its steepest line
    goes_on = (difference[end:] > tolerance).mean() >= LINE / 2  # or it is a line drawn on a flat ground
    return first + end + 1 if is_line[end - 2] and goes_on else 0  # with the line that a codec mixes

"""A 360 degree panorama: how it is told from a photo, and a flat view of it, which is a photo.

In the equirectangular projection every column is a direction and every row an elevation, so straight lines are bent and
no camera of ours could have taken it. A flat view is what a pinhole camera at the same place would have seen.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.errors import Refused
from pipelines.media.photos import FORMATS, MAX_SIDE, MIN_SIDE, open_photo

FLAT_FOV = 90.0  # degrees across a flat view
SHAPE = 3 / 4  # its height over its width
# Half its height, in degrees: as far up and down as a panorama has to go
HALF_HEIGHT = float(np.degrees(np.arctan(SHAPE * np.tan(np.radians(FLAT_FOV / 2)))))
FOCAL_35MM = float(np.hypot(36, 24) / np.hypot(1, SHAPE) / (2 * np.tan(np.radians(FLAT_FOV / 2))))  # of a flat view
YAW, PITCH = (-180, 180), (-60, 60)  # degrees, of directions that are offered
MAX_WIDTH = 6144  # pixels of a panorama that are of use: a flat view of it is as wide as the largest clip
MAX_XMP = 2**16  # bytes
SAME_SHAPE = 0.01
# Rims of a panorama are neighbours: their detail, what is left without broad shades, is the same
BROAD = 31  # pixels
SAME_DETAIL, SOME_DETAIL = 0.8, 2.0  # correlation; standard deviation of 255
POLE = 6.0  # of 255: standard deviation of the first and of the last row, each of which is one point


@dataclass(frozen=True)
class Panorama:
    """An equirectangular picture of all directions around a camera; its middle column is straight ahead.

    image: RGB. low, high: elevation of its lower and of its upper rim in degrees, -90 and 90 where nothing is missing.
    """

    image: Image.Image
    low: float = -90.0
    high: float = 90.0

    def flat_view(self, yaw: float, pitch: float) -> Image.Image:
        """What a pinhole camera sees there, FLAT_FOV degrees across, as fine as the panorama is in its middle.

        yaw: degrees to the right of straight ahead, -180..180. pitch: degrees up, -60..60. Bicubic, Catmull and Rom's.
        Raises Refused for directions beyond these, and where the view would leave the panorama.
        """
        check_direction("yaw", yaw, YAW)
        check_direction("pitch", pitch, PITCH)
        width = min(MAX_SIDE, int(self.image.width / np.pi)) // 4 * 4
        x, y = np.meshgrid(*(np.arange(n) + 0.5 - n / 2 for n in (width, width * SHAPE)))
        longitude, latitude = directions(x, y, width / 2 / np.tan(np.radians(FLAT_FOV / 2)), yaw, pitch)
        if latitude.max() > self.high or latitude.min() < self.low:
            raise Refused(
                "A view {pitch:g} degrees up leaves this panorama, which shows {low:.0f} to {high:.0f} degrees. Use a "
                "pitch of 0.",
                pitch=pitch,
                low=self.low,
                high=self.high,
            )
        columns = (longitude / 360 + 0.5) * self.image.width - 0.5
        rows = (self.high - latitude) / (self.high - self.low) * self.image.height - 0.5
        return Image.fromarray(bicubic(np.asarray(self.image), rows, columns))


def check_direction(name: str, degrees: float, limits: tuple[int, int]) -> None:
    is_number = isinstance(degrees, (int, float)) and not isinstance(degrees, bool)
    if not is_number or not limits[0] <= degrees <= limits[1]:
        raise Refused(
            "{name}={degrees!r} must be {low}..{high} degrees. Use 0.",
            name=name,
            degrees=degrees,
            low=limits[0],
            high=limits[1],
        )


def directions(x: np.ndarray, y: np.ndarray, focal: float, yaw: float, pitch: float) -> tuple[np.ndarray, np.ndarray]:
    """Longitude (to the right) and latitude (up), in degrees, of points x to the right of and y below the middle of a
    picture with `focal`, all in pixels, of a camera that is turned by yaw and then tilted up by pitch."""
    yaw, pitch = np.radians(yaw), np.radians(pitch)
    down, ahead = y * np.cos(pitch) - focal * np.sin(pitch), y * np.sin(pitch) + focal * np.cos(pitch)
    right, ahead = x * np.cos(yaw) + ahead * np.sin(yaw), ahead * np.cos(yaw) - x * np.sin(yaw)
    return np.degrees(np.arctan2(right, ahead)), np.degrees(np.arctan2(-down, np.hypot(right, ahead)))


def bicubic(pixels: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """A panorama (H, W, 3) uint8 at rows and columns (h, w), 0 in the middle of the first pixel -> (h, w, 3) uint8.

    It goes on beyond its sides, and beyond a pole on the other side of it.
    """
    height, width = pixels.shape[:2]
    across = [np.roll(rim[::-1], width // 2, axis=1) for rim in (pixels[:2], pixels[-2:])]
    pixels = np.concatenate([across[0], pixels, across[1]]).reshape(-1, 3)
    result = np.empty((*rows.shape, 3), np.uint8)
    for start in range(0, len(rows), 64):  # a few rows at a time: sixteen pixels are read for each
        part = slice(start, start + 64)
        row, column = np.floor(rows[part]).astype(int), np.floor(columns[part]).astype(int)
        down, right = weights(rows[part] - row), weights(columns[part] - column)
        total = np.zeros((*row.shape, 3), np.float32)
        for i in range(4):
            line = (row + i + 1).clip(0, height + 3) * width  # two rows were added at the top
            values = sum(right[j][..., None] * pixels.take(line + (column + j - 1) % width, axis=0) for j in range(4))
            total += down[i][..., None] * values
        result[part] = (total + 0.5).clip(0, 255)
    return result


def weights(t: np.ndarray) -> list[np.ndarray]:
    """Of the four pixels around a place, which is t in 0..1 after the second; float32."""
    t = t.astype(np.float32)
    return [
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    ]


# -- how one is told --------------------------------------------------------------------------------------------------


def find_panorama(path: str | Path, photo: Image.Image) -> Panorama | None:
    """The panorama that a file holds, at its own resolution; None where it is none, or not one all around.

    photo: what `open_photo` made of the file. It is told by Google's photo sphere metadata (GPano, see
    https://developers.google.com/streetview/spherical-metadata), or by its shape, rims and poles.
    """
    span = sphere_span(path, photo.size)
    if span is None and wraps_around(photo):
        span = -90.0, 90.0
    if span is None or span[0] > -HALF_HEIGHT or span[1] < HALF_HEIGHT:
        return None
    return Panorama(open_photo(path, max_side=MAX_WIDTH), *span)


def sphere_span(path: str | Path, size: tuple[int, int]) -> tuple[float, float] | None:
    """The lowest and the highest elevation, in degrees, of a file whose GPano metadata tell a panorama all around.

    size: (width, height) of the picture. None without such metadata, and where they are of another picture.
    """
    facts = gpano(path)
    if facts.get("ProjectionType", "").lower() != "equirectangular":
        return None
    names = ("FullPanoWidth", "FullPanoHeight", "CroppedAreaImageWidth", "CroppedAreaImageHeight", "CroppedAreaTop")
    try:
        full_width, full_height, width, height, top = (float(facts[f"{name}Pixels"]) for name in names)
    except (KeyError, ValueError):
        return (-90.0, 90.0) if is_shape(size, 2) else None
    if not (full_width == width > 0 and full_height >= top + height > top >= 0 and is_shape(size, width / height)):
        return None
    return 90 - 180 * (top + height) / full_height, 90 - 180 * top / full_height


def is_shape(size: tuple[int, int], aspect: float) -> bool:
    return abs(size[0] / size[1] / aspect - 1) <= SAME_SHAPE


def gpano(path: str | Path) -> dict[str, str]:
    """The entries of GPano in a file's XMP, by name; empty where there are none or they cannot be read."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            xmp = image.info.get("xmp", b"")
    except Exception:  # the photo itself is judged by open_photo
        return {}
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    found = re.findall(rb"""(?<!/)GPano:(\w{1,40})(?:\s*=\s*["']([^"'<>]{0,40})["']|>([^<>]{0,40})<)""", xmp[:MAX_XMP])
    return {name.decode(): (quoted or inner).decode("ascii", "ignore").strip() for name, quoted, inner in found}


def wraps_around(photo: Image.Image) -> bool:
    """Whether an RGB picture is twice as wide as high, goes on from right rim to left rim, and has even poles."""
    if not is_shape(photo.size, 2) or photo.height < MIN_SIDE:
        return False
    pixels = np.asarray(photo.convert("L"), dtype=np.float64)
    if max(pixels[0].std(), pixels[-1].std()) > POLE:
        return False
    left, right = (detail(pixels[:, column]) for column in (0, -1))
    if min(left.std(), right.std()) < SOME_DETAIL:
        return False
    return float(np.corrcoef(left, right)[0, 1]) >= SAME_DETAIL


def detail(line: np.ndarray) -> np.ndarray:
    """A line of pixels without its broad shades."""
    padded = np.pad(line, BROAD // 2, mode="edge")
    return line - np.convolve(padded, np.full(BROAD, 1 / BROAD), mode="valid")

"""Where in a photo the clip's frame lies: how the photo is cropped and scaled, and the camera that sees the frame.

Numbers and Pillow only. Sizes are (height, width) in pixels, but Pillow's own `size`, which is (width, height).
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipelines.cameras import Camera
from pipelines.errors import Refused
from pipelines.media.photos import alpha_of, focal_pixels

DEFAULT_FOV = 60.0  # degrees across the long side, where the photo's file does not say its focal length
MARGIN = 0.5  # of the frame's sides: how far beyond it a photo is kept
MIN_ZOOM, MAX_ZOOM = 0.5, 1.5  # below 1 the frame shows more than the photo: its backdrop goes on
MAX_ENLARGED = 1.8  # pixels of a clip per pixel of the photo, along a side: beyond, the clip looks soft


def check_focus(focus: float) -> float:
    """The same focus, 0 (left or top) .. 1 (right or bottom); Refused for anything else."""
    if not isinstance(focus, (int, float)) or not 0 <= focus <= 1:
        raise Refused("focus={focus!r} must be 0 (left or top) to 1 (right or bottom). Use 0.5.", focus=focus)
    return focus


def check_zoom(zoom: float) -> float:
    """The same zoom, MIN_ZOOM .. MAX_ZOOM, 1 is the whole photo; Refused for anything else."""
    if not isinstance(zoom, (int, float)) or not MIN_ZOOM <= zoom <= MAX_ZOOM:
        raise Refused(
            "zoom={zoom!r} must be {least:g} to {limit:g}; 1 is the whole photo. Use 1.",
            zoom=zoom,
            least=MIN_ZOOM,
            limit=MAX_ZOOM,
        )
    return zoom


def crop_size(size: tuple[int, int], height: int, width: int) -> tuple[int, int]:
    """(width, height) of the largest part with the ratio width : height of a picture of (width, height)."""
    scale = min(size[0] / width, size[1] / height)
    return min(size[0], round(width * scale)), min(size[1], round(height * scale))


def crop(image: Image.Image, height: int, width: int, focus: float, zoom: float = 1.0) -> Image.Image:
    """The frame at the photo's own resolution: the largest part of it with the ratio width : height.

    focus: where it lies, 0 left or top .. 1 right or bottom. zoom: how much closer, about the same middle; below 1 the
    photo goes on beyond its rim in the colour that this has (in the median).
    """
    inner = frame_size(image.size, height, width, zoom)
    sides = zip(image.size, crop_size(image.size, height, width), inner, strict=True)
    left, top = (first_of(total, largest, side, focus) for total, largest, side in sides)
    if zoom >= 1:
        return image.crop((left, top, left + inner[0], top + inner[1]))
    pixels = np.asarray(image)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    frame = Image.new(image.mode, inner, tuple(int(value) for value in np.median(rim, axis=0)))
    frame.paste(image, (-left, -top))
    return frame


def first_of(total: int, largest: float, side: int, focus: float) -> int:
    """Where a frame of `side` pixels begins along an axis of a photo of `total`: about the middle of the largest one,
    and within the photo, or else all of the photo within it (then it is negative or 0)."""
    room = total - side
    first = round((total - largest) * focus + (largest - side) / 2)
    return min(max(first, min(0, room)), max(0, room))


def frame_size(size: tuple[int, int], height: int, width: int, zoom: float = 1.0) -> tuple[int, int]:
    """(width, height) of the frame, see `crop`, in pixels of a photo of (width, height)."""
    return tuple(round(side / zoom) for side in crop_size(size, height, width))


def is_soft(size: tuple[int, int], height: int, width: int, zoom: float = 1.0) -> bool:
    """Whether a photo of (width, height) has too few pixels in the frame for a clip of (height, width)."""
    return cover_scale(size, height, width) * zoom > MAX_ENLARGED


def covering(
    photo: Image.Image, height: int, width: int, focus: float, zoom: float
) -> tuple[Image.Image, tuple[int, int]]:
    """The photo scaled until a (height, width) frame just fits, times zoom; (left, top) of that frame in its pixels.

    focus, zoom: as of `crop`, which sees the same frame.
    """
    scale = cover_scale(photo.size, height, width)
    least = (width, height) if zoom >= 1 else (1, 1)
    size = tuple(max(low, round(side * scale * zoom)) for low, side in zip(least, photo.size, strict=True))
    scaled = photo if photo.size == size else photo.resize(size, Image.Resampling.LANCZOS)
    sides = zip(size, (width, height), strict=True)
    left, top = (first_of(total, zoom * side, side, focus) for total, side in sides)
    return scaled, (left, top)


@dataclass(frozen=True)
class Framed:
    """A photo at the clip's scale, and what a memory keeps of it: the clip's frame and what lies around it.

    pixels (H, W, 3) uint8: all of the photo. kept: rows and columns of it that are kept; more: how many rows before and
    behind them, and columns, it goes on beyond its rim; frame: rows and columns of what is kept, with those, that the
    clip shows at first. left, top: of the frame in the photo, in pixels. alpha (H, W) uint8: the photo file's own
    transparency, see `open_photo`; None where it has none.
    """

    pixels: np.ndarray
    kept: tuple[slice, slice]
    more: tuple[tuple[int, int], tuple[int, int]]
    frame: tuple[slice, slice]
    left: int
    top: int
    alpha: np.ndarray | None = None


def framed(photo: Image.Image, height: int, width: int, focus: float, zoom: float, step: int) -> Framed:
    """An RGB photo scaled for a frame of (height, width) pixels; as far as MARGIN beyond it is kept, in whole steps.

    focus, zoom: as of `crop`. step: pixels of a token.
    """
    scaled, (left, top) = covering(photo, height, width, focus, zoom)
    axes = (top, height, scaled.height), (left, width, scaled.width)
    kept = tuple(beyond(*axis, step) for axis in axes)
    more = tuple((max(0, -first), max(0, first + length - total)) for first, length, total in axes)
    starts = [max(0, first - part.start) for (first, _, _), part in zip(axes, kept, strict=True)]
    frame = tuple(slice(start, start + length) for start, (_, length, _) in zip(starts, axes, strict=True))
    alpha = alpha_of(photo)
    if alpha is not None:
        alpha = np.array(covering(alpha, height, width, focus, zoom)[0])
    return Framed(np.array(scaled), kept, more, frame, left, top, alpha)


def cover_scale(size: tuple[int, int], height: int, width: int) -> float:
    """Pixels of a (height, width) frame per pixel of a photo of (width, height) that just covers it."""
    return max(height / size[1], width / size[0])


def beyond(start: int, length: int, total: int, step: int) -> slice:
    """The part of an axis that is kept: the frame and at most MARGIN of it on both sides, in whole steps; all of it
    where the frame is longer."""
    if length > total:
        return slice(0, total)
    before, after = (min(room, int(MARGIN * length)) // step * step for room in (start, total - start - length))
    return slice(start - before, start + length + after)


def frame_camera(
    size: tuple[int, int],
    height: int,
    width: int,
    focal_35mm: float | None = None,
    fov_degrees: float = DEFAULT_FOV,
    zoom: float = 1.0,
) -> Camera:
    """The camera at the origin that sees the (height, width) frame of a photo of (width, height).

    focal_35mm: the photo's focal length in 35 mm terms, see `media.photos.read_focal`; None where it is not known: then
    the largest frame spans fov_degrees across its long side. zoom: how much closer the frame is than the largest one.
    """
    if focal_35mm is None:
        return Camera.from_fov(fov_degrees, height, width).zoomed(zoom)
    focal = focal_pixels(focal_35mm, size[1], size[0]) * cover_scale(size, height, width)
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    return Camera(K, np.eye(4), height, width).zoomed(zoom)

"""A photo as a place: what `MiragePipeline.lift` gives, and where in a photo the clip's frame lies."""

import hashlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipelines.cameras import Camera
from pipelines.memory import LatentMemory

NEAR_QUANTILE = 0.08  # of a photo's depth: what counts as near
MARGIN = 0.5  # of the frame's sides: how far beyond it a photo is kept
MAX_ZOOM = 1.5


@dataclass(frozen=True)
class Lifted:
    """A photo as a place: with depth, written into a memory.

    photo (H, W, 3) uint8, photo_depth (H, W) float32 in scene units, photo_camera: the picture, of which the clip shows
    a frame at first; what lies around that, as far as MARGIN, comes into view when the camera moves.
    frame: rows and columns of the photo; camera: sees these. memory: knows the photo, and nothing else unless one was
    given; view: the photo's in it, None where it added nothing; distance: depth of the subject (D); focus, zoom: see
    `lift`; sha256: of the photo that was given, see `photo_sha256`.
    """

    photo: np.ndarray
    photo_depth: np.ndarray
    photo_camera: Camera
    frame: tuple[slice, slice]
    camera: Camera
    memory: LatentMemory
    view: int | None
    distance: float
    focus: float = 0.5
    zoom: float = 1.0
    sha256: str | None = None

    @property
    def image(self) -> np.ndarray:
        """The clip's frame of the photo, (h, w, 3) uint8."""
        return self.photo[self.frame]

    @property
    def depth(self) -> np.ndarray:
        """Depth of the clip's frame, (h, w) float32 in scene units."""
        return self.photo_depth[self.frame]


def photo_sha256(photo: Image.Image | np.ndarray) -> str:
    """By what a recipe knows its photo: the SHA-256 of its RGB pixels, row by row, as `media.open_photo` gives them."""
    photo = photo.convert("RGB") if isinstance(photo, Image.Image) else photo
    return hashlib.sha256(photo.tobytes()).hexdigest()


def covering(
    photo: Image.Image, height: int, width: int, focus: float, zoom: float
) -> tuple[Image.Image, tuple[int, int]]:
    """The photo scaled until a (height, width) frame just fits, times zoom; (left, top) of that frame: see `lift`."""
    scale = max(height / photo.height, width / photo.width) * zoom
    size = max(width, round(photo.width * scale)), max(height, round(photo.height * scale))
    whole = photo if photo.size == size else photo.resize(size, Image.Resampling.LANCZOS)
    sides = zip(size, (width, height), strict=True)
    left, top = (round((total - zoom * side) * focus + (zoom - 1) / 2 * side) for total, side in sides)
    return whole, (min(max(left, 0), size[0] - width), min(max(top, 0), size[1] - height))


def check_focus(focus: float) -> float:
    if not isinstance(focus, (int, float)) or not 0 <= focus <= 1:
        raise ValueError(f"focus={focus!r} must be 0 (left or top) to 1 (right or bottom). Use 0.5.")
    return focus


def check_zoom(zoom: float) -> float:
    if not isinstance(zoom, (int, float)) or not 1 <= zoom <= MAX_ZOOM:
        raise ValueError(f"zoom={zoom!r} must be 1 (the whole photo) to {MAX_ZOOM:g}. Use 1.")
    return zoom


def beyond(start: int, length: int, total: int, step: int) -> slice:
    """The part of an axis that is kept: the frame and at most MARGIN of it on both sides, in whole steps."""
    before, after = (min(room, int(MARGIN * length)) // step * step for room in (start, total - start - length))
    return slice(start - before, start + length + after)


def resize_nearest(depth: np.ndarray, height: int, width: int) -> np.ndarray:
    """Depth on another grid without averaging across edges."""
    rows = (np.arange(height) + 0.5) * depth.shape[0] / height
    columns = (np.arange(width) + 0.5) * depth.shape[1] / width
    return depth[rows.astype(int)[:, None], columns.astype(int)[None]]


def subject_distance(depth: np.ndarray, valid: np.ndarray) -> float:
    """D: the median depth of the picture's middle, but not so far that a move of 0.25 D runs into what is near."""
    height, width = depth.shape
    middle = (slice(height // 3, -(height // 3)), slice(width // 3, -(width // 3)))
    known = depth[middle][valid[middle]]
    subject = np.median(known if known.size else depth[valid])
    near = np.quantile(depth[valid], NEAR_QUANTILE)
    return float(min(subject, 1.5 * near))

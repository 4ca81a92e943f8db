"""A photo as a place: what `MiragePipeline.lift` gives."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from pipelines.cameras import Camera, Trajectory
from pipelines.memory import LatentMemory, Readout
from pipelines.photo.measured import MeasuredDepth
from pipelines.photo.plate import Plate

NEAR_QUANTILE = 0.08  # of a photo's depth: what counts as near


@dataclass(frozen=True)
class Lifted:
    """A photo as a place: with depth, written into a memory.

    source: the photo that was given, RGB; sha256: see `photo_sha256`; measured: depth of all of it.
    photo (H, W, 3) uint8, photo_depth (H, W) float32 in scene units, photo_camera: the picture that is kept, of which
    the clip shows a frame at first; what lies around that, as far as MARGIN, comes into view when the camera moves.
    frame: rows and columns of that picture; camera: sees these. memory: holds the picture, and what was in the memory
    that was given, if any; view: the picture's in it, None where it added nothing. distance: depth of the subject (D);
    near: depth of what is near in the frame, see `near_depth`; both in scene units. focus, zoom: where in the photo the
    frame lies, see `MiragePipeline.lift`. plate: of the picture that is kept, where it is a product before a plain
    backdrop.
    """

    source: Image.Image
    sha256: str
    measured: MeasuredDepth
    photo: np.ndarray
    photo_depth: np.ndarray
    photo_camera: Camera
    frame: tuple[slice, slice]
    camera: Camera
    memory: LatentMemory
    view: int | None
    distance: float
    near: float
    focus: float = 0.5
    zoom: float = 1.0
    plate: Plate | None = None

    @property
    def depth_weights(self) -> tuple[dict[str, Any], ...]:
        """Licence entries of what measured the depth; none for a map that was given."""
        return self.measured.weights

    def plate_in(self, readout: Readout, cameras: Sequence[Camera]) -> torch.Tensor | None:
        """(T, h, w) bool: where a readout at T cameras, of a memory that holds this photo, shows its plate, see
        `Plate.shown`; None for a photo without one."""
        if self.plate is None or self.view is None:
            return None
        return self.plate.shown(readout, cameras, self.view, len(self.memory.views))

    def paint_plate(self, frames: np.ndarray, readout: Readout, cameras: Trajectory) -> torch.Tensor | None:
        """Put the plate into frames (T, H, W, 3) uint8, in place, which were decoded from a readout of these cameras.

        Returns where, see `plate_in`; None where there is no plate, or the readout is coarser than the frames.
        """
        if readout.view.shape[1:] != frames.shape[1:3]:
            return None
        shown = self.plate_in(readout, cameras)
        if shown is not None:
            self.plate.paint(frames, shown, cameras)
        return shown

    @property
    def backdrop_colour(self) -> np.ndarray | None:
        """(3,) uint8 of a product before a backdrop of one colour; None for any other photo."""
        return None if self.plate is None or self.view is None else self.plate.backdrop.colour

    @property
    def image(self) -> np.ndarray:
        """The clip's frame of the photo, (h, w, 3) uint8."""
        return self.photo[self.frame]

    @property
    def depth(self) -> np.ndarray:
        """Depth of the clip's frame, (h, w) float32 in scene units."""
        return self.photo_depth[self.frame]


def photo_sha256(photo: Image.Image | np.ndarray) -> str:
    """What identifies a photo in a recipe: the SHA-256 of its RGB pixels, row by row, as `open_photo` gives them."""
    photo = photo.convert("RGB") if isinstance(photo, Image.Image) else photo
    return hashlib.sha256(photo.tobytes()).hexdigest()


def near_depth(depth: np.ndarray, valid: np.ndarray) -> float:
    """Only NEAR_QUANTILE of what is known is nearer: depth (H, W) z-depth in scene units, valid (H, W) bool."""
    return float(np.quantile(depth[valid], NEAR_QUANTILE))


def subject_distance(depth: np.ndarray, valid: np.ndarray) -> float:
    """D: the median depth of the picture's middle, but not so far that a move of 0.25 D runs into what is near.

    depth (H, W) z-depth in scene units, valid (H, W) bool.
    """
    height, width = depth.shape
    middle = (slice(height // 3, -(height // 3)), slice(width // 3, -(width // 3)))
    known = depth[middle][valid[middle]]
    subject = np.median(known if known.size else depth[valid])
    return float(min(subject, 1.5 * near_depth(depth, valid)))

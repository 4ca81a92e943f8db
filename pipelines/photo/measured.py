"""Depth of a whole photo: measured once for a size of the clip, however often the photo is framed anew."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pipelines.depth import DepthEstimator
from pipelines.errors import Refused
from pipelines.photo.backdrop import Backdrop, find_backdrop
from pipelines.photo.plate import product_depth
from pipelines.weights.licences import depth_weights

FINER = 1.3  # a closer frame takes the whole one's depth over up to this zoom: beyond, outlines would be coarse
OUTLINE = 150  # of the long side: estimated outlines are off by one part of so many
BLENDED = 0.02  # of the logarithm: neighbours that differ by less are one surface


@dataclass(frozen=True)
class MeasuredDepth:
    """Depth of a photo, all of it, whatever part of it a clip shows.

    depth (H, W) float32 z-depth in scene units, valid (H, W) bool: of the photo scaled to H x W; of a map that was
    given, at its own size. estimator: what measured it, None for a map. weights: the estimator's licence entries.
    backdrop: of a product before a plain one, of the photo as large as it was measured.
    """

    depth: np.ndarray
    valid: np.ndarray
    estimator: DepthEstimator | None = None
    weights: tuple[dict[str, Any], ...] = ()
    backdrop: Backdrop | None = None

    def serves(self, height: int, width: int, estimator: DepthEstimator) -> bool:
        """Whether this is what an estimator would measure of the photo, scaled to height x width; a map always is."""
        return self.estimator is None or (self.estimator is estimator and self.depth.shape == (height, width))

    def on_grid(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Depth (height, width) float32 and valid, bool. What was measured on this grid is returned as it is.

        Depth of a map is never averaged. What was measured is averaged within a surface, so that it shows no steps, and
        not across edges, which stay one clean step.
        """
        if self.depth.shape == (height, width):
            return self.depth, self.valid
        nearest, valid = (resize_nearest(plane, height, width) for plane in (self.depth, self.valid))
        if self.estimator is None:
            return nearest, valid
        inverse = torch.from_numpy(1 / np.where(self.valid, self.depth, np.nan))[None, None]
        mean = 1 / F.interpolate(inverse, (height, width), mode="bilinear", align_corners=False)[0, 0].numpy()
        one_surface = np.abs(np.log(mean / np.where(valid, nearest, np.nan))) < BLENDED  # nan is none
        return np.where(one_surface, mean, nearest).astype(np.float32), valid


def measure(
    pixels: np.ndarray,
    K: np.ndarray,
    estimator: DepthEstimator,
    before: MeasuredDepth | None = None,
    alpha: np.ndarray | None = None,
) -> MeasuredDepth:
    """Depth of a whole photo, pixels (H, W, 3) uint8 seen with K (3, 3), or `before` where that serves.

    alpha (H, W) uint8: the photo file's own transparency, None where it has none.
    """
    if before is not None and before.serves(*pixels.shape[:2], estimator):
        return before
    depth, valid = estimator(pixels, K)
    backdrop = find_backdrop(pixels, alpha)
    if backdrop is not None:
        depth = product_depth(depth, valid, backdrop.product, max(1, max(valid.shape) // OUTLINE))
    return MeasuredDepth(depth, valid, estimator, depth_weights(estimator), backdrop)


def given_depth(depth: np.ndarray, pixels: np.ndarray, alpha: np.ndarray | None = None) -> MeasuredDepth:
    """A depth map of a whole photo, (H, W) z-depth in scene units, 0 or not finite where unknown. pixels, alpha: of the
    photo, as in `measure`.

    Raises Refused, as `check_depth`.
    """
    depth = check_depth(depth)
    return MeasuredDepth(depth, np.isfinite(depth) & (depth > 0), backdrop=find_backdrop(pixels, alpha))


def check_depth(depth: np.ndarray) -> np.ndarray:
    """A depth map as (H, W) float32; Refused for another shape, and where no value is positive and finite."""
    depth = np.asarray(depth, dtype=np.float32)
    if depth.ndim != 2:
        raise Refused("depth {shape} must be (H, W): one z-depth per pixel of the photo.", shape=depth.shape)
    if not (np.isfinite(depth) & (depth > 0)).any():
        raise Refused("depth has no positive finite value. Give z-depth in scene units, 0 where unknown.")
    return depth


def resize_nearest(depth: np.ndarray, height: int, width: int) -> np.ndarray:
    """Depth on another grid without averaging across edges."""
    rows = (np.arange(height) + 0.5) * depth.shape[0] / height
    columns = (np.arange(width) + 0.5) * depth.shape[1] / width
    return depth[rows.astype(int)[:, None], columns.astype(int)[None]]

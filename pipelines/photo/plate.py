"""The clean plate of a product photo: its backdrop without the product, as a plane behind it.

A film crew shoots the set once more without the actors, so that whatever they uncover is known. Here the plate is what
the photo shows of its backdrop, closed smoothly where the product stands and continued beyond the photo's rim.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from pipelines.cameras import Camera, Trajectory
from pipelines.depth.edges import spread
from pipelines.inpainting.smooth import smooth_fill
from pipelines.memory import Readout
from pipelines.photo.backdrop import GRID, Backdrop, eroded, grown, light_of, pixel_shares, quadric_terms

MIN_SAMPLES = 50  # of a backdrop's depth, for a plane
FARTHEST = 3.0  # times the median depth of a backdrop: where its plane ends
# A product stands on its backdrop or lies before it, as its shadow shows: it is at most so many times nearer, in the
# median, and nearly everywhere (its top, where the floor goes back)
BESIDE, BESIDE_TOP = 1.3, 1.6
INSIDE = 6  # pixels of GRID: so far inside of its mask a product has its own depth, however its outline was found
SNAP = 6  # of 255: what a plate of one colour, estimated, differs less from it is that colour
CLOSE = 1.03  # what is less nearer than the plane counts as the backdrop
COARSE = 160  # pixels along the long side on which a plate is closed
REACH = 0.5  # of the photo's sides: how far beyond them the light of a plate goes on as it does inside


def product_depth(depth: np.ndarray, valid: np.ndarray, product: np.ndarray, outline: int) -> np.ndarray:
    """Estimated depth (H, W) float32, valid (H, W) bool, as it is with a product (H, W) bool before a plain backdrop.

    The backdrop is a plane (a floor, a wall, or paper bent between the two): a network sees nothing there to go by. The
    product stands on it or a little before it, and ends where its colours end. outline: pixels by which estimated
    outlines may be off. Without enough known depth on both of them it stays as it is.
    """
    core = outline + round(INSIDE * max(depth.shape) / GRID)
    backdrop, inside = ~grown(product, 2 * outline) & valid, eroded(product, core) & valid
    if min(backdrop.sum(), inside.sum()) < MIN_SAMPLES:
        return depth
    inverse = np.where(valid, 1 / np.where(valid, depth, 1), np.nan)
    behind = on_plane(plane_through(inverse, backdrop), *depth.shape)
    median, top = np.quantile(inverse[inside] / behind[inside], [0.5, 0.95])
    behind *= max(1.0, median / BESIDE, top / BESIDE_TOP)
    # Along it, and not across what is not of it: a mug's rim, the temples of glasses. What nothing leads to lies flat
    start = torch.from_numpy(np.where(inside, inverse, behind).astype(np.float32))
    nearer = spread(start, torch.from_numpy(inside), torch.from_numpy(product), 2 * outline).numpy()
    nearer = nearer.clip(behind, BESIDE_TOP * behind)
    return (1 / np.where(product, nearer, behind)).astype(np.float32)


@dataclass(frozen=True)
class Plate:
    """backdrop: where it is. camera: the photo's. plane: inverse depth a + b x + c y in that camera, x and y in its
    pixels. light: coefficients of `quadric_terms` for the colours of the backdrop; rest (3, h, w): what the photo has
    beside them, on a coarse grid, in 1/255.
    """

    backdrop: Backdrop
    camera: Camera
    plane: np.ndarray
    light: np.ndarray
    rest: torch.Tensor

    @classmethod
    def of(
        cls, photo: np.ndarray, depth: np.ndarray, valid: np.ndarray, camera: Camera, backdrop: Backdrop
    ) -> "Plate | None":
        """photo (H, W, 3) uint8 with depth (H, W), valid (H, W) bool, seen by camera -> its plate; None where too
        little of the backdrop has depth."""
        height, width = depth.shape
        free = ~grown(backdrop.product, max(1, max(height, width) // COARSE))
        if (free & valid).sum() < MIN_SAMPLES:
            return None
        plane = plane_through(np.where(valid, 1 / np.where(valid, depth, 1), np.nan), free & valid)
        terms = quadric_terms(*pixel_shares(height, width))
        colours = torch.from_numpy(photo.astype(np.float32)).permute(2, 0, 1)
        if backdrop.colour is None:
            light = light_of(photo.astype(float), free)
        else:
            light = np.zeros((terms.shape[-1], 3))
            light[0] = backdrop.colour
        rest = colours - torch.from_numpy((terms @ light).astype(np.float32)).permute(2, 0, 1)
        known = torch.from_numpy(free.astype(np.float32))[None]
        size = tuple(max(4, round(side * COARSE / max(height, width))) for side in (height, width))
        total, count = (F.adaptive_avg_pool2d(part[None], size)[0] for part in (rest * known, known))
        rest = torch.where(count > 0.5, total / count.clamp(min=0.5), 0)
        return cls(backdrop, camera, plane, light, smooth_fill(rest, count[0] > 0.5))

    def shown(self, readout: Readout, cameras: Sequence[Camera], view: int, num_known_views: int) -> torch.Tensor:
        """(T, h, w) bool: which cells of a readout at T cameras show the plate, uncovered, or the photo's own of one
        colour.

        view: the photo's in the memory; views from num_known_views on were invented. What nobody has seen is backdrop,
        unless it lies between two parts of the product.
        """
        known = (readout.view >= 0) & (readout.view < num_known_views)
        height, width = known.shape[1:]
        planes = [self.inverse_depth(camera.resized(height, width)) for camera in cameras]
        behind = torch.from_numpy(np.stack(planes))
        product = known & (readout.depth * behind < 1 / CLOSE)
        uncovered = ~known & ~(_nearest_is(product, known, 1) & _nearest_is(product, known, -1))
        if self.backdrop.flat is None:
            return uncovered
        flat = torch.from_numpy(self.backdrop.flat)
        columns = (readout.xy[..., 0] * flat.shape[1]).long().clamp(0, flat.shape[1] - 1)
        rows = (readout.xy[..., 1] * flat.shape[0]).long().clamp(0, flat.shape[0] - 1)
        return uncovered | (known & (readout.view == view) & flat[rows, columns])

    def inverse_depth(self, camera: Camera) -> np.ndarray:
        """(H, W) float32: of the plane, as a camera sees it from anywhere; not positive where it does not."""
        normal, to_own = self.normal, self.camera.w2c @ camera.c2w
        turned = (to_own[:3, :3].T @ normal) / (1 - normal @ to_own[:3, 3])
        x = (np.arange(camera.width) + 0.5 - camera.K[0, 2]) / camera.K[0, 0]
        y = (np.arange(camera.height) + 0.5 - camera.K[1, 2]) / camera.K[1, 1]
        return (turned[2] + turned[0] * x[None] + turned[1] * y[:, None]).astype(np.float32)

    @property
    def normal(self) -> np.ndarray:
        """n (3,) of the plane n . X = 1 in the photo's camera."""
        (a, b, c), K = self.plane, self.camera.K
        return np.array([b * K[0, 0], c * K[1, 1], a + b * K[0, 2] + c * K[1, 2]])

    def paint(self, frames: np.ndarray, shown: torch.Tensor, cameras: Trajectory) -> None:
        """Put the plate into frames (T, H, W, 3) uint8 at T cameras, in place, where shown (T, H, W) bool."""
        for frame, mask, camera in zip(frames, shown.numpy(), cameras, strict=True):
            if mask.any():
                frame[mask] = self.colours(camera, *np.nonzero(mask))

    def colours(self, camera: Camera, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(N, 3) uint8: the plate at pixels (N,) of a camera that sees it from elsewhere."""
        x, y = self.seen_at(camera, rows, columns)
        inside = [share.clip(0, 1) for share in (x, y)]
        grid = torch.from_numpy(np.stack(inside, axis=-1).astype(np.float32) * 2 - 1)[None, None]
        rest = F.grid_sample(self.rest[None], grid, padding_mode="border", align_corners=False)[0, :, 0].T.numpy()
        beyond = np.maximum(*(np.abs(share - near) for share, near in zip((x, y), inside, strict=True)))
        reached = [share.clip(-REACH, 1 + REACH) for share in (x, y)]
        found = quadric_terms(*reached) @ self.light + rest * np.exp(-beyond / 0.1)[:, None]
        found = found.round().clip(0, 255).astype(np.uint8)
        if (colour := self.backdrop.colour) is not None:
            found[np.abs(found - colour.astype(int)).max(axis=-1) <= SNAP] = colour
        return found

    def seen_at(self, camera: Camera, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where in the photo, as shares of its width and height, pixels (N,) of a camera meet the plane."""
        K, own = camera.K, self.camera
        rays = np.stack([(columns + 0.5 - K[0, 2]) / K[0, 0], (rows + 0.5 - K[1, 2]) / K[1, 1], np.ones(len(rows))], -1)
        to_own, normal = own.w2c @ camera.c2w, self.normal
        directions, start = rays @ to_own[:3, :3].T, to_own[:3, 3]
        steps = (1 - start @ normal) / np.maximum(directions @ normal, 1e-6)
        points = start + steps[:, None] * directions
        ahead = np.maximum(points[:, 2], 1e-6)
        x = points[:, 0] / ahead * own.K[0, 0] + own.K[0, 2]
        y = points[:, 1] / ahead * own.K[1, 1] + own.K[1, 2]
        return x / own.width, y / own.height


def _nearest_is(product: torch.Tensor, known: torch.Tensor, step: int) -> torch.Tensor:
    """(T, h, w) bool: the nearest known cell before (step 1) or behind (-1) in the row is one of the product."""
    if step < 0:
        return _nearest_is(product.flip(2), known.flip(2), 1).flip(2)
    last = torch.where(known, torch.arange(known.shape[2]), -1).cummax(2).values
    return product.gather(2, last.clamp(min=0)) & (last >= 0)


def plane_through(inverse: np.ndarray, where: np.ndarray) -> np.ndarray:
    """(a, b, c): the plane a + b x + c y through inverse depths (H, W) of `where`, x and y in pixels, by least squares
    of which the worst fifth is left out."""
    rows, columns = np.nonzero(where)
    chosen = slice(None, None, max(1, len(rows) // 20_000))
    rows, columns = rows[chosen], columns[chosen]
    values = inverse[rows, columns]
    terms = np.stack([np.ones(len(rows)), columns + 0.5, rows + 0.5], axis=-1)
    keep = np.ones(len(rows), bool)
    for _ in range(3):
        solution, *_ = np.linalg.lstsq(terms[keep], values[keep], rcond=None)
        off = np.abs(values - terms @ solution)
        keep = off <= np.quantile(off, 0.8)
    return solution


def on_plane(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W) inverse depth of a plane, nowhere farther than FARTHEST times its median depth."""
    rows, columns = np.indices((height, width)) + 0.5
    inverse = plane[0] + plane[1] * columns + plane[2] * rows
    return np.maximum(inverse, np.median(inverse) / FARTHEST)

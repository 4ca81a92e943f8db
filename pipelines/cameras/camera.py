"""One pinhole view. The conventions (axes, pixel centres, units) are on one page: docs/conventions.md."""

import math
from dataclasses import dataclass

import numpy as np

from pipelines.errors import Refused, Sentence

MAX_SIDE = 16384  # pixels; guards against a size that is really a byte count or a typing slip
MAX_DISTANCE = 1e6  # scene units; farther than that float32 projection is noise
ROTATION_TOLERANCE = 1e-4  # files written in float32 by other tools pass, a scaled or sheared pose does not
FOV_RANGE = (1.0, 170.0)  # degrees


@dataclass(frozen=True, eq=False)
class Camera:
    """One pinhole view. OpenCV axes: +x right, +y down, +z forward; see docs/conventions.md.

    K:   (3, 3) float64 [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in pixels of a (height, width) image;
         the centre of the first pixel is (0.5, 0.5), so the centre of the image is (width / 2, height / 2).
    c2w: (4, 4) float64 camera to world, rigid, translation in scene units (metres when depth is metric).

    Arrays are copied, stored as float64 and read-only. Raises ValueError for values that are not finite, focals
    that are not positive, skew, and rotations that are not orthonormal within 1e-4; TypeError for sizes that are
    not whole numbers.
    """

    K: np.ndarray
    c2w: np.ndarray
    height: int
    width: int

    def __post_init__(self):
        object.__setattr__(self, "height", checked_side("height", self.height))
        object.__setattr__(self, "width", checked_side("width", self.width))
        object.__setattr__(self, "K", checked_K(self.K, shape=(3, 3)))
        object.__setattr__(self, "c2w", checked_c2w(self.c2w, shape=(4, 4)))

    def __eq__(self, other: object) -> bool:
        """Exact: same grid, same bits in K and c2w."""
        if not isinstance(other, Camera):
            return NotImplemented
        same_grid = (self.height, self.width) == (other.height, other.width)
        return same_grid and np.array_equal(self.K, other.K) and np.array_equal(self.c2w, other.c2w)

    @classmethod
    def from_fov(cls, fov_degrees: float, height: int, width: int, c2w: np.ndarray | None = None) -> "Camera":
        """A camera with square pixels and a centred principal point.

        fov_degrees: full angle across the LONG side of the image (horizontal in landscape, vertical in portrait),
        1..170, so that turning the phone does not change the lens. c2w: (4, 4), identity by default.
        """
        low, high = FOV_RANGE
        if not (math.isfinite(fov_degrees) and low <= fov_degrees <= high):
            raise Refused(
                "fov_degrees={value} must be {low:g}..{high:g} (across the long side). Use 60.",
                value=fov_degrees,
                low=low,
                high=high,
            )
        height, width = checked_side("height", height), checked_side("width", width)
        focal = max(height, width) / 2 / math.tan(math.radians(fov_degrees) / 2)
        K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
        return cls(K, np.eye(4) if c2w is None else c2w, height, width)

    @property
    def fov_degrees(self) -> float:
        """Full angle of view across the long side, in degrees (principal point taken as centred)."""
        side, focal = (self.width, self.K[0, 0]) if self.width >= self.height else (self.height, self.K[1, 1])
        return math.degrees(2 * math.atan(side / 2 / focal))

    @property
    def w2c(self) -> np.ndarray:
        """(4, 4) float64 world to camera, the inverse of c2w."""
        return np.linalg.inv(self.c2w)

    @property
    def position(self) -> np.ndarray:
        """(3,) camera centre in the world, scene units."""
        return self.c2w[:3, 3]

    def resized(self, height: int, width: int) -> "Camera":
        """Same view on another grid, for example image to latents. A plain ratio is exact with 0.5 centres."""
        return Camera(resized_K(self.K, (self.height, self.width), (height, width)), self.c2w, height, width)

    def zoomed(self, factor: float) -> "Camera":
        """`factor` times the focal length, about the principal point."""
        return Camera(self.K * [[factor, factor, 1], [factor, factor, 1], [1, 1, 1]], self.c2w, self.height, self.width)

    def shifted(self, right: float, down: float) -> "Camera":
        """The principal point moved by as many pixels."""
        return Camera(self.K + [[0, 0, right], [0, 0, down], [0, 0, 0]], self.c2w, self.height, self.width)


def resized_K(K: np.ndarray, size: tuple[int, int], new_size: tuple[int, int]) -> np.ndarray:
    """K: (..., 3, 3) of a grid of `size` (height, width) -> (..., 3, 3) of a grid of `new_size`."""
    new_height, new_width = checked_side("height", new_size[0]), checked_side("width", new_size[1])
    # multiply before dividing: going to half the size and back is then free of rounding for most values
    scale = np.array([[new_width], [new_height], [1]], dtype=np.float64)
    return np.asarray(K) * scale / np.array([[size[1]], [size[0]], [1]], dtype=np.float64)


class NotWhole(Refused, TypeError):
    """A size that is not a whole number; a TypeError too, as for any other value of the wrong type."""


def checked_side(name: str, value: int) -> int:
    """`value` as an int in 1..16384, or an error that names it."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise NotWhole("{name}={value!r} must be a whole number of pixels. Use int({name}).", name=name, value=value)
    if not 1 <= value <= MAX_SIDE:
        raise Refused(
            "{name}={value} must be 1..{high} pixels. Give the size of the image or latent grid.",
            name=name,
            value=value,
            high=MAX_SIDE,
        )
    return int(value)


def checked_K(K: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Intrinsics as a read-only float64 array of `shape` (3, 3) or (T, 3, 3), or an error that names what is wrong."""
    K = _float_array("K", K, shape)
    focals = K[..., [0, 1], [0, 1]]
    bad = ~(focals >= 1e-6).all(-1)
    if bad.any():
        fx, fy = focals[bad][0]
        raise Refused(
            "K{where} is singular: fx={fx:g}, fy={fy:g}, both must be > 0 pixels. "
            "Give focals in pixels, for example with Camera.from_fov(60, height, width).",
            where=_where(bad),
            fx=fx,
            fy=fy,
        )
    pinhole = K.copy()
    pinhole[..., [0, 1], [0, 1]] = 0
    pinhole[..., [0, 1], 2] = 0
    bad = np.abs(pinhole - np.diag([0.0, 0.0, 1.0])).max((-2, -1)) > 1e-9
    if bad.any():
        raise Refused(
            "K{where} is {value}, but must be [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]: "
            "no skew, no scale. Divide by K[2, 2] and undistort the image first.",
            where=_where(bad),
            value=np.round(K[bad][0], 4).tolist(),
        )
    return _read_only(K)


def checked_c2w(c2w: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Rigid camera-to-world as a read-only float64 array of `shape` (4, 4) or (T, 4, 4), or an error that says why."""
    c2w = _float_array("c2w", c2w, shape)
    bad = (c2w[..., 3, :] != [0, 0, 0, 1]).any(-1)
    if bad.any():
        raise Refused(
            "c2w{where} has the last row {row}, which must be [0, 0, 0, 1]. "
            "Append that row to a 3x4 pose, or transpose a column-major one.",
            where=_where(bad),
            row=c2w[bad][0, 3].tolist(),
        )
    R = c2w[..., :3, :3]
    # clipped, so that absurd entries give a large error instead of an overflow warning
    error = np.abs(np.clip(R, -1e3, 1e3) @ np.swapaxes(np.clip(R, -1e3, 1e3), -1, -2) - np.eye(3)).max((-2, -1))
    bad = error > ROTATION_TOLERANCE
    if bad.any():
        raise Refused(
            "c2w{where} is not rigid: its rotation is off by {error:.2g}, at most {limit:g} is allowed. "
            "Remove scale and shear from the pose.",
            where=_where(bad),
            error=error[bad].max(),
            limit=ROTATION_TOLERANCE,
        )
    bad = np.linalg.det(R) < 0
    if bad.any():
        raise Refused(
            "c2w{where} mirrors the world: the determinant of its rotation is -1, must be +1. "
            "Convert to OpenCV axes (+x right, +y down, +z forward) by flipping two axes, not one.",
            where=_where(bad),
        )
    far = np.abs(c2w[..., :3, 3]).max(-1)
    bad = far > MAX_DISTANCE
    if bad.any():
        raise Refused(
            "c2w{where} is {away:.3g} scene units away, at most {limit:g} is allowed. "
            "Give translations in metres, or relative to the photo's camera.",
            where=_where(bad),
            away=far[bad].max(),
            limit=MAX_DISTANCE,
        )
    return _read_only(c2w)


def _float_array(name: str, value, shape: tuple[int, ...]) -> np.ndarray:
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        got = type(value).__name__
        raise Refused(
            "{name} must be an array of numbers of shape {shape}, got {got}.", name=name, shape=shape, got=got
        ) from error
    if array.shape != shape:
        raise Refused("{name} has shape {got}, must be {shape}.", name=name, got=array.shape, shape=shape)
    bad = ~np.isfinite(array).all((-2, -1))
    if bad.any():
        raise Refused(
            "{name}{where} holds NaN or infinity, must be finite. Fix or drop that pose.", name=name, where=_where(bad)
        )
    return array


def _where(bad: np.ndarray) -> str:
    """' of frame 3' for a stack, '' for a single camera."""
    return Sentence(" of frame {index}", index=int(np.argmax(bad))) if bad.ndim else ""


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array

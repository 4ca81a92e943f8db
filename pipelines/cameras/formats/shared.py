"""What the formats share: names and order of frames, numbers out of text, cameras that are checked."""

import math
import re
from collections.abc import Iterable

import numpy as np

from pipelines.cameras.camera import ROTATION_TOLERANCE, Camera
from pipelines.cameras.rotations import inverse, rotation
from pipelines.cameras.trajectory import MAX_FPS, MAX_FRAMES, Trajectory
from pipelines.errors import Refused, Sentence

OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])  # on the right of c2w; it is its own inverse
UNIT_TOLERANCE = 1e-3  # of a quaternion's length; tools print as few as four digits
ROUNDING = 2e-3  # how far off a rotation is whose numbers were printed with three digits


def numbered(cameras: Iterable[Camera]) -> Iterable[tuple[str, Camera]]:
    """Every camera with the file name of its picture: images/frame_00001.png and so on."""
    return ((f"images/frame_{index:05d}.png", camera) for index, camera in enumerate(cameras, start=1))


def checked_camera(name: str, convention: str, K, c2w, height: int, width: int, flip: bool = False) -> Camera:
    """A checked camera. Raises ValueError that begins with the frame's name and the convention that was assumed.

    K (3, 3) in pixels, c2w (3, 4) or (4, 4). flip: c2w is in OpenGL axes.
    """
    try:
        c2w = np.array(c2w, dtype=np.float64)
        if c2w.shape == (3, 4):  # some tools leave the last row out
            c2w = np.vstack([c2w, [0, 0, 0, 1]])
        if flip and c2w.shape == (4, 4):
            c2w = c2w * OPENGL_FROM_OPENCV.diagonal()  # the product, without warnings about infinity
        return Camera(K, rigid(c2w), height, width)
    except (TypeError, ValueError, OverflowError) as error:
        raise _read_as(name, convention, error) from error


def from_w2c(name: str, convention: str, K, w2c, height: int, width: int) -> Camera:
    """A checked camera from a rigid w2c, (3, 4) or (4, 4). Raises ValueError as `checked_camera`."""
    try:
        rows = np.array(w2c, dtype=np.float64)
        if rows.shape not in ((3, 4), (4, 4)):
            raise Refused("w2c has shape {shape}, must be (3, 4) or (4, 4).", shape=rows.shape)
        if not np.isfinite(rows).all():
            raise Refused("w2c holds NaN or infinity, must be finite. Fix or drop that pose.")
        if rows.shape == (4, 4) and (rows[3] != [0, 0, 0, 1]).any():
            row = rows[3].tolist()
            raise Refused("w2c has the last row {row}, must be [0, 0, 0, 1]. Transpose the matrix.", row=row)
    except (TypeError, ValueError, OverflowError) as error:
        raise _read_as(name, convention, error) from error
    rows = rigid(np.vstack([rows[:3], [0, 0, 0, 1]]))
    return checked_camera(name, convention, K, inverse(rows), height, width)


def rigid(pose: np.ndarray, most: float = ROUNDING) -> np.ndarray:
    """(4, 4) pose -> the same with the nearest rotation, where its own is off by at most `most`; others as they are."""
    if pose.shape != (4, 4) or not off_rigid(pose[:3, :3]) <= most or np.linalg.det(pose[:3, :3]) <= 0:
        return pose
    if off_rigid(pose[:3, :3]) > ROTATION_TOLERANCE:
        U, _, V = np.linalg.svd(pose[:3, :3])
        pose = pose.copy()
        pose[:3, :3] = U @ V
    return pose


def off_rigid(R: np.ndarray) -> float:
    """How far (3, 3) is from a rotation: the largest entry of |R R^T - 1|; infinite where R is not finite."""
    if not np.isfinite(R).all():
        return math.inf
    R = np.clip(R, -1e3, 1e3)  # absurd entries give a large error instead of an overflow warning
    return float(np.abs(R @ R.T - np.eye(3)).max())


def from_quaternion(
    place: str, convention: str, view: Camera, q: np.ndarray, position: np.ndarray, order: str, flip: bool = False
) -> Camera:
    """The camera at (3,) `position` with the lens and size of `view`. q: (4,) w, x, y, z of camera to world; order: how
    the file lists them, for the error; flip: in OpenGL axes."""
    c2w = np.eye(4)
    c2w[:3, :3] = rotation(unit(place, np.asarray(q, dtype=np.float64), order))
    c2w[:3, 3] = position
    return checked_camera(place, convention, view.K, c2w, view.height, view.width, flip)


def _read_as(place: str, convention: str, error: Exception) -> Refused:
    return Refused("{place}, read as {convention}: {reason}", place=place, convention=convention, reason=error)


def normalised(camera: Camera) -> list[float]:
    """fx, fy, cx, cy in widths and heights of the picture."""
    size = np.array([camera.width, camera.height, camera.width, camera.height])
    return (camera.K[[0, 1, 0, 1], [0, 1, 2, 2]] / size).tolist()


def in_pixels(intrinsics: list[float], height: int, width: int) -> list[list[float]]:
    """fx, fy, cx, cy in widths and heights of the picture -> K."""
    fx, fy, cx, cy = intrinsics
    return [[fx * width, 0, cx * width], [0, fy * height, cy * height], [0, 0, 1]]


def natural_size(intrinsics: list[float], height: int = 288) -> tuple[int, int]:
    """(height, width) at which normalised intrinsics have square pixels, for files without a picture size."""
    fx, fy = intrinsics[:2]
    ratio = fy / fx if fx > 0 and fy > 0 else 16 / 9
    return height, round(height * min(max(ratio, 0.1), 10))


def in_order(named: list[tuple[str, Camera]], fps: int | float) -> Trajectory:
    """The path through cameras that are named after their pictures: frame_2 comes before frame_10."""

    def in_numbers(entry: tuple[str, Camera]) -> list:
        return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", entry[0])]

    return Trajectory.from_cameras([camera for _, camera in sorted(named, key=in_numbers)], fps)


def lines(text: str, keep_empty: bool = False) -> list[tuple[int, list[str]]]:
    """The lines that are no comments, split into words, with their numbers in the file."""
    split = [(number, line.split()) for number, line in enumerate(text.splitlines(), start=1)]
    return [(number, words) for number, words in split if (words or keep_empty) and not (words and words[0][0] == "#")]


def rows_of(text: str, count: int) -> list[tuple[int, list[float]]]:
    """The lines that are no comments as `count` finite numbers each, with their numbers in the file; commas may stand
    between them, names of columns above them. Raises ValueError with the line, and where there is none."""
    found = lines(text.replace(",", " "))
    if found and not any(character.isdecimal() for character in "".join(found[0][1])):
        found = found[1:]
    check_count(len(found))
    rows = [(number, floats(Sentence("Line {number}", number=number), words, count)) for number, words in found]
    if not rows:
        raise Refused("The file has no lines, at least 1 camera is needed. Export the cameras again.")
    return rows


def check_count(cameras: int) -> None:
    """Raises ValueError for more cameras than a path has, before any of them is read."""
    if cameras > MAX_FRAMES:
        raise Refused(
            "The path has {frames} frames, must be 1..{limit}. Cut it into shorter clips.",
            frames=cameras,
            limit=MAX_FRAMES,
        )


def lens_missing(convention: str) -> Refused:
    """The refusal of cameras that tell no lens, where nobody gave one."""
    return Refused(
        "These cameras tell no lens ({convention}). Give it with --lens, in mm of full frame, or --fov, in degrees "
        "across the long side of the picture, and the size of the picture with --size.",
        convention=convention,
    )


def size_missing(convention: str) -> Refused:
    """The refusal of cameras that tell no size of their pictures, where nobody gave one."""
    return Refused(
        "These cameras tell no size of their pictures ({convention}). Give it with --size.", convention=convention
    )


def line_of(file: str, number: int) -> Sentence:
    """A line of a file, as errors name it."""
    return Sentence("Line {number} of {file}", number=number, file=file)


def both(names: Iterable[str]) -> str:
    """One name, or two as "a and b"."""
    first, *second = names
    return Sentence("{first} and {second}", first=first, second=second[0]) if second else first


def floats(place: str, words: list[str], count: int) -> list[float]:
    """`words` as `count` finite numbers. Raises ValueError that begins with `place`."""
    if len(words) != count:
        raise Refused(
            "{place} has {got} numbers where {count} belong. Export the model again.",
            place=place,
            got=len(words),
            count=count,
        )
    try:
        if np.isfinite(values := [float(word) for word in words]).all():
            return values
    except ValueError:
        pass
    raise Refused(
        "{place} holds {words!r:.80}, must be {count} finite numbers. Fix or drop it.",
        place=place,
        words=" ".join(words),
        count=count,
    )


def whole_number(name: str, value) -> int:
    """A size in pixels; other tools also write 1920.0. Raises ValueError that begins with `name`."""
    try:
        if float(value) == int(float(value)):
            return int(float(value))
    except (TypeError, ValueError, OverflowError):
        pass
    raise Refused("{name} is {value!r:.40}, must be a whole number of pixels. Fix it.", name=name, value=value)


def unit(place: str, q: np.ndarray, order: str = "QW QX QY QZ") -> np.ndarray:
    """q: (4,) quaternion of length 1 within 0.001 -> of length 1. Raises ValueError that begins with `place` and names
    the order in which the file lists the numbers."""
    length = math.hypot(*q)
    if not abs(length - 1) <= UNIT_TOLERANCE:  # NaN fails the comparison too
        raise Refused(
            "{place} has a quaternion of length {length:.4g}, must be 1 within {limit:g}. Check the order {order}.",
            place=place,
            length=length,
            limit=UNIT_TOLERANCE,
            order=order,
        )
    return q / length


def frame_rate(seconds: list[float]) -> float | None:
    """Frames per second of the median step between times, whole where it nearly is; None where there is none to tell
    or it is no rate of pictures."""
    step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
    if not 1 / MAX_FPS <= step <= 1:
        return None
    return round(1 / step) if abs(1 / step - round(1 / step)) < 0.01 / step else 1 / step

"""COLMAP text: w2c as quaternion and translation, intrinsics in pixels.

Source: https://colmap.github.io/format.html. The binary form of the same is in `colmap_binary.py`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.lenses import COLMAP_MODELS, left_out, pinhole_part
from pipelines.cameras.formats.shared import (
    both,
    checked_camera,
    floats,
    in_order,
    line_of,
    lines,
    numbered,
    unit,
    whole_number,
)
from pipelines.cameras.rotations import inverse, quaternion, rotation
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

COLMAP = Sentence("COLMAP text, w2c in OpenCV axes (+x right, +y down, +z forward)")


class Lens(NamedTuple):
    """A camera of a COLMAP model: K of its pinhole part in pixels, the size, the model's name and its distortion."""

    K: list[list[float]]
    height: int
    width: int
    model: str
    distortion: list[float]


def to_colmap(cameras: Trajectory | Iterable[Camera]) -> dict[str, str]:
    """The three files of a COLMAP text model by name: `cameras.txt`, `images.txt` and an empty `points3D.txt`.

    w2c as a quaternion (w first, w >= 0) and a translation, PINHOLE cameras in pixels with centres at 0.5. Frames that
    share a lens share a camera. Numbers are written so that reading them gives the same float64.
    """
    lenses: dict[str, int] = {}
    images = []
    for index, (name, camera) in enumerate(numbered(cameras), start=1):
        numbers = " ".join(repr(float(x)) for x in camera.K[[0, 1, 0, 1], [0, 1, 2, 2]])
        lens = lenses.setdefault(f"PINHOLE {camera.width} {camera.height} {numbers}", len(lenses) + 1)
        w2c = camera.w2c
        pose = [*quaternion(w2c[:3, :3]), *w2c[:3, 3]]
        # The second line of an image lists its 2D points; it must be there even if there are none.
        images.append(f"{index} {' '.join(repr(float(x)) for x in pose)} {lens} {Path(name).name}\n\n")
    return {
        "cameras.txt": "# CAMERA_ID MODEL WIDTH HEIGHT PARAMS[]\n"
        + "".join(f"{number} {lens}\n" for lens, number in lenses.items()),
        "images.txt": "# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME\n# POINTS2D[] as X Y POINT3D_ID\n"
        + "".join(images),
        "points3D.txt": "# POINT3D_ID X Y Z R G B ERROR TRACK[] as IMAGE_ID POINT2D_IDX\n",
    }


def from_colmap(files: Mapping[str, str], fps: int | float = NATIVE_FPS) -> Trajectory:
    """Reads the text of `cameras.txt` and `images.txt`, in the order of the file names (frame_2 before frame_10).

    Assumes w2c in OpenCV axes and centres at 0.5; of a lens that is no pinhole that part is read, see
    `left_out_of_colmap`. The format has no frame rate, so it is given here. Raises ValueError with the file, the line,
    the limit and the fix.
    """
    if missing := [name for name in ("cameras.txt", "images.txt") if name not in files]:
        raise Refused(
            "{files} missing ({convention}). Export with colmap model_converter, type TXT.",
            files=both(missing),
            convention=COLMAP,
        )
    return in_order(_images(files["images.txt"], _lenses(files["cameras.txt"])), fps)


def left_out_of_colmap(files: Mapping[str, str]) -> list[Sentence]:
    """What `from_colmap` leaves out of a model that it reads."""
    return left_out_of(_lenses(files["cameras.txt"]).values())


def left_out_of(lenses: Iterable[Lens]) -> list[Sentence]:
    """What is lost when these lenses are read as pinholes."""
    return left_out((lens.model, {f"k{i}": x for i, x in enumerate(lens.distortion, 1)}) for lens in lenses)


def lens_of(place: str, model: str, width: int, height: int, numbers: list[float]) -> Lens:
    """Raises ValueError that begins with `place` for a model or a number of numbers that COLMAP does not have."""
    K, distortion = pinhole_part(place, model, numbers)
    return Lens(K, height, width, model, distortion)


def camera_of(place: str, convention: str, pose: np.ndarray, lens: Lens) -> Camera:
    """pose: (7,) QW QX QY QZ TX TY TZ of w2c. Raises ValueError that begins with `place`."""
    w2c = np.eye(4)
    w2c[:3, :3] = rotation(unit(place, pose[:4]))
    w2c[:3, 3] = pose[4:]
    return checked_camera(place, convention, lens.K, inverse(w2c), lens.height, lens.width)


def _lenses(text: str) -> dict[str, Lens]:
    """Every line of `cameras.txt`, by its CAMERA_ID."""
    lenses = {}
    for number, words in lines(text):
        place = line_of("cameras.txt", number)
        if len(words) < 4:
            raise Refused(
                "{place} has {count} words, must be {columns}. Fix it.",
                place=place,
                count=len(words),
                columns="CAMERA_ID MODEL WIDTH HEIGHT PARAMS",
            )
        numbers = floats(place, words[4:], COLMAP_MODELS.get(words[1], len(words) - 4))
        size = Sentence("The size in line {number} of {file}", number=number, file="cameras.txt")
        width, height = (whole_number(size, word) for word in words[2:4])
        lenses[words[0]] = lens_of(place, words[1], width, height, numbers)
    return lenses


def _images(text: str, lenses: Mapping[str, Lens]) -> list[tuple[str, Camera]]:
    """File name and camera of every image of `images.txt`; lenses: those of `cameras.txt`."""
    named, rows = [], iter(lines(text, keep_empty=True))
    for number, words in rows:
        place = line_of("images.txt", number)
        if not words:
            continue
        if len(words) < 10:
            raise Refused(
                "{place} has {count} words, must be {columns}. Fix it.",
                place=place,
                count=len(words),
                columns="IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME",
            )
        # A file without the lines of 2D points would lose every second camera without a word.
        _, points = next(rows, (0, []))
        if len(points) % 3:
            raise Refused(
                "{place} must list 2D points in threes or be empty; it has {count} words. "
                "Put an empty line after every image.",
                place=line_of("images.txt", number + 1),
                count=len(points),
            )
        if words[8] not in lenses:
            raise Refused(
                "{place} names the camera {camera:.30}, which cameras.txt does not have. Add it.",
                place=place,
                camera=words[8],
            )
        camera = camera_of(place, COLMAP, np.array(floats(place, words[1:8], 7)), lenses[words[8]])
        named.append((" ".join(words[9:]), camera))
    if not named:
        raise Refused("images.txt lists no image, at least 1 is needed. Export the model again.")
    return named

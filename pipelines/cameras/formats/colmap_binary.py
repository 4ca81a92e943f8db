"""COLMAP binary: `cameras.bin` and `images.bin`, the text form's numbers in little-endian bytes.

Source: https://colmap.github.io/format.html and src/colmap/scene/reconstruction_io_binary.cc: a count (uint64), then
per camera id and model (int32), width and height (uint64) and the model's numbers (float64); per image id (uint32), w2c
as QW QX QY QZ TX TY TZ (float64), the camera's id (uint32), the name up to a zero byte, and a count (uint64) of 2D
points of 24 bytes each.
"""

import struct
from collections.abc import Mapping

import numpy as np

from pipelines.cameras.formats.colmap import Lens, camera_of, left_out_of, lens_of
from pipelines.cameras.formats.lenses import COLMAP_MODELS
from pipelines.cameras.formats.shared import both, in_order
from pipelines.cameras.trajectory import MAX_FRAMES, NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

COLMAP_BINARY = Sentence("COLMAP binary, w2c in OpenCV axes (+x right, +y down, +z forward)")
POINT_BYTES = 24
MAX_NAME_BYTES = 1024


def from_colmap_binary(files: Mapping[str, bytes], fps: int | float = NATIVE_FPS) -> Trajectory:
    """Reads the bytes of `cameras.bin` and `images.bin`, in the order of the file names; otherwise as `from_colmap`.

    Raises ValueError with the file, the camera or image, the limit and the fix; no count of the file is trusted.
    """
    if missing := [name for name in ("cameras.bin", "images.bin") if name not in files]:
        raise Refused(
            "{files} missing ({convention}). Give both files, or their folder.",
            files=both(missing),
            convention=COLMAP_BINARY,
        )
    lenses = _lenses(files["cameras.bin"])
    stream, named = _Bytes("images.bin", files["images.bin"]), []
    (count,) = stream.take("<Q")
    if not 1 <= count <= MAX_FRAMES:
        raise Refused(
            "images.bin lists {count} images, must be 1..{limit}. Export fewer, or another file.",
            count=count,
            limit=MAX_FRAMES,
        )
    for number in range(1, count + 1):
        place = Sentence("Image {number} of {file}", number=number, file="images.bin")
        _, *pose, lens = stream.take("<I7dI")
        name = stream.text()
        stream.skip(stream.take("<Q")[0] * POINT_BYTES)
        if lens not in lenses:
            raise Refused(
                "{place} names the camera {camera}, which cameras.bin does not have. Export the model again.",
                place=place,
                camera=lens,
            )
        if not np.isfinite(pose).all():
            raise Refused("{place} holds NaN or infinity, must be finite. Fix or drop that pose.", place=place)
        named.append((name, camera_of(place, COLMAP_BINARY, np.array(pose), lenses[lens])))
    return in_order(named, fps)


def left_out_of_colmap_binary(files: Mapping[str, bytes]) -> list[Sentence]:
    """What `from_colmap_binary` leaves out of a model that it reads."""
    return left_out_of(_lenses(files["cameras.bin"]).values())


def _lenses(data: bytes) -> dict[int, Lens]:
    stream, lenses, models = _Bytes("cameras.bin", data), {}, list(COLMAP_MODELS)
    (count,) = stream.take("<Q")
    for number in range(1, min(count, MAX_FRAMES) + 1):
        place = Sentence("Camera {number} of {file}", number=number, file="cameras.bin")
        identity, model, width, height = stream.take("<IiQQ")
        name = models[model] if 0 <= model < len(models) else str(model)
        numbers = list(stream.take(f"<{COLMAP_MODELS.get(name, 0)}d"))
        lenses[identity] = lens_of(place, name, width, height, numbers)
    return lenses


class _Bytes:
    """What is left to read of a file; never beyond its end."""

    def __init__(self, file: str, data: bytes):
        self.file, self.data, self.at = file, data, 0

    def take(self, layout: str) -> tuple:
        start = self.at
        self.skip(struct.calcsize(layout))
        return struct.unpack_from(layout, self.data, start)

    def skip(self, count: int) -> None:
        if count > len(self.data) - self.at:
            raise Refused(
                "{file} is no binary file of COLMAP, or is cut short. Export the model again.", file=self.file
            )
        self.at += count

    def text(self) -> str:
        end = self.data.find(b"\0", self.at, self.at + MAX_NAME_BYTES)
        if end < 0:
            raise Refused(
                "{file} is no binary file of COLMAP, or is cut short. Export the model again.", file=self.file
            )
        start, self.at = self.at, end + 1
        return self.data[start:end].decode("utf-8", errors="replace")

"""Transparent frames become files: VP9 with alpha in a WebM, which browsers and editors lay over anything, or PNGs.

Frames are RGBA (H, W, 4) uint8 with straight alpha, see `pipelines.photo.cutout`.
"""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from PIL import Image

from pipelines.errors import Refused
from pipelines.files import atomic_write
from pipelines.media.clips import at_rate, check_even, set_up

WEBM = {"fflags": "+bitexact"}  # else the file gets a number of chance
VP9 = {"crf": "20", "b": "0", "deadline": "good", "cpu-used": "4", "auto-alt-ref": "0"}  # alt-ref frames know no alpha
EARLIEST = (1980, 1, 1, 0, 0, 0)  # the date of everything in a zip: equal frames give equal files


def write_webm(
    frames: Iterable[np.ndarray],
    path: str | os.PathLike,
    fps: float,
    recipe: dict | None = None,
    rate: float | None = None,
) -> Path:
    """RGBA frames -> VP9 with alpha (yuva420p, BT.709) in a WebM, at a constant rate.

    frames: array (T, H, W, 4) uint8 or any iterable of (H, W, 4) uint8, T >= 1, H and W even. fps, rate, recipe: as of
    `write_mp4`; times are whole milliseconds, as WebM has them. Equal frames and recipes give equal files. The file
    appears under its name only when it is complete. Raises Refused (a ValueError) for frames that do not fit and
    OSError when the disk refuses; neither leaves anything behind.
    """
    rate = rate or fps
    frames = _checked(at_rate(frames, fps, rate))
    first = next(frames)
    height, width = first.shape[:2]
    check_even(height, width)
    with (
        atomic_write(path) as temporary,
        av.open(str(temporary), "w", format="webm", options=WEBM) as container,
    ):
        if recipe is not None:
            container.metadata["comment"] = _json(recipe)
        stream = container.add_stream("libvpx-vp9", rate=Fraction(rate).limit_denominator(1001))
        stream.height, stream.width, stream.pix_fmt = height, width, "yuva420p"
        stream.options = VP9
        stream.metadata["alpha_mode"] = "1"
        set_up(stream, rate)
        for image in chain([first], frames):
            frame = av.VideoFrame.from_ndarray(bled(image), format="rgba")
            frame = frame.reformat(format="yuva420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Path(path)


def write_png_sequence(
    frames: Iterable[np.ndarray],
    path: str | os.PathLike,
    fps: float,
    recipe: dict | None = None,
    rate: float | None = None,
) -> Path:
    """RGBA frames -> a zip of frame_00001.png, frame_00002.png, ... and clip.json: {fps, frames, recipe}.

    Arguments and errors as of `write_webm`, but for any size. fps in clip.json is the file's rate: played at it, the
    frames take as long as the clip.
    """
    rate = rate or fps
    frames = _checked(at_rate(frames, fps, rate))
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as file:  # a PNG is packed already
        number = 0
        for number, image in enumerate(frames, 1):
            packed = io.BytesIO()
            Image.fromarray(image, "RGBA").save(packed, "PNG", compress_level=4)
            file.writestr(zipfile.ZipInfo(f"frame_{number:05}.png", EARLIEST), packed.getvalue())
        told = {"fps": rate, "frames": number, "recipe": recipe}
        file.writestr(zipfile.ZipInfo("clip.json", EARLIEST), _json(told))
    return Path(path)


Writer = Callable[..., Path]
WRITERS: dict[str, Writer] = {".webm": write_webm, ".zip": write_png_sequence}  # by the suffix of the file


def bled(image: np.ndarray) -> np.ndarray:
    """RGBA (H, W, 4) uint8 whose clear pixels have the colours beside them: a video blends colours across outlines."""
    height, width = image.shape[:2]
    opacity = image[..., 3:].astype(np.float32) / 255
    weighted = np.concatenate([image[..., :3] * opacity, opacity * 255], axis=-1).round().astype(np.uint8)
    size = max(1, width // 8), max(1, height // 8)
    coarse = Image.fromarray(weighted, "RGBA").resize(size, Image.Resampling.BOX)
    around = np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    colours = (around[..., :3] * 255 / np.maximum(around[..., 3:], 1)).clip(0, 255).round().astype(np.uint8)
    return np.concatenate([np.where(image[..., 3:] > 0, image[..., :3], colours), image[..., 3:]], axis=-1)


def _checked(frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The same frames, refused where they are none or not RGBA of one size."""
    shape = None
    for frame in frames:
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 4:
            got = f"{frame.dtype} {frame.shape}"
            raise Refused("A frame is {got}, must be (height, width, 4) uint8. Convert it first.", got=got)
        shape = shape or frame.shape
        if frame.shape != shape:
            raise Refused(
                "A frame is {shape}, the first was {first}. Keep one size per clip.", shape=frame.shape, first=shape
            )
        yield frame
    if shape is None:
        raise Refused("The clip has 0 frames, at least 1 is needed. Render it again.")


def _json(content: dict) -> str:
    return json.dumps(content, separators=(",", ":"), allow_nan=False)

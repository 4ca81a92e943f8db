"""Frames become a clip that every browser and ad platform plays, and a poster; the recipe travels in the file."""

import io
import json
import math
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from PIL import Image

from pipelines.errors import Refused
from pipelines.files import atomic_write

RATES = (24, 25, 30)  # frames per second that are offered: Instagram, TikTok, LinkedIn and Amazon take 23 to 60
KEYFRAME_SECONDS = 2  # from one key frame to the next, at most
# No edit list, which several platforms refuse: frames out of order get negative offsets instead of a late start. The
# movie's clock has a whole number of ticks for a frame of every rate that is offered.
MP4 = {"movflags": "+faststart+negative_cts_offsets", "use_editlist": "0", "movie_timescale": "600"}

# mbtree reads memory that nobody wrote: equal frames would give other files every time. ipratio: a key frame is coded
# 2.5 times as finely as what follows, which then stays as close to the source. So the picture changes less when the
# next key frame comes, where the camera stands still by a quarter, for 4 to 9 % more bytes.
X264 = "mbtree=0:ipratio=2.5"


def write_mp4(
    frames: Iterable[np.ndarray],
    path: str | os.PathLike,
    fps: float,
    recipe: dict | None = None,
    crf: int = 17,
    preset: str = "veryfast",
    rate: float | None = None,
) -> Path:
    """Frames -> H.264 mp4 that every browser and ad platform plays: yuv420p, BT.709, a constant rate, a key frame at
    least every two seconds, no edit list, moov in front.

    frames: array (T, H, W, 3) uint8 or any iterable of (H, W, 3) uint8, T >= 1, H and W even. fps: at which they were
    made. rate: frames per second of the file, fps if None; frames are repeated (see `at_rate`), never blended.
    recipe: JSON-able; kept in the file's comment, `read_recipe` gives it back. crf: 0 (lossless) .. 51.
    Equal frames and recipes give equal files. The file appears under its name only when it is complete. Raises
    ValueError for frames that do not fit and OSError when the disk refuses; neither leaves anything behind.
    """
    path = Path(path)
    frames, rate = at_rate(frames, fps, rate or fps), rate or fps
    first = next(frames, None)
    if first is None:
        raise Refused("The clip has 0 frames, at least 1 is needed. Render it again.")
    height, width = _checked_frame(first).shape[:2]
    check_even(height, width)
    with atomic_write(path) as temporary:
        with av.open(str(temporary), "w", format="mp4", options=MP4) as container:
            if recipe is not None:
                container.metadata["comment"] = json.dumps(recipe, separators=(",", ":"), allow_nan=False)
            stream = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1001))
            stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
            stream.options = {"crf": str(crf), "preset": preset, "x264-params": X264}
            set_up(stream, rate)
            for image in chain([first], frames):
                if _checked_frame(image).shape != first.shape:
                    raise Refused(
                        "A frame is {shape}, the first was {first}. Keep one size per clip.",
                        shape=image.shape,
                        first=first.shape,
                    )
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def check_even(height: int, width: int) -> None:
    """Raise Refused for sides that a video with halved colours cannot have."""
    if height % 2 or width % 2:
        raise Refused(
            "The frames are {width}x{height}, both sides must be even (yuv420p). Use {even_width}x{even_height}.",
            width=width,
            height=height,
            even_width=width & ~1,
            even_height=height & ~1,
        )


def set_up(stream: av.VideoStream, rate: float) -> None:
    """Key frames as often as KEYFRAME_SECONDS says. Untagged HD is read as BT.709 by some players and BT.601 by others:
    it is tagged as BT.709, limited range."""
    context = stream.codec_context
    context.gop_size = max(1, math.floor(KEYFRAME_SECONDS * rate))
    context.colorspace = context.color_primaries = context.color_trc = 1
    context.color_range = 1


def at_rate(frames: Iterable[np.ndarray], fps: float, rate: float) -> Iterator[np.ndarray]:
    """Frames made at `fps` for a file of `rate` frames per second: each as often as it is on the screen longest.

    T frames become the whole number nearest to T * rate / fps, so that the clip takes as long as before. At a lower
    rate some are left out.
    """
    ratio, shown = Fraction(rate) / Fraction(fps), 0
    for index, frame in enumerate(frames, 1):
        until = math.floor(index * ratio + Fraction(1, 2))
        yield from [frame] * (until - shown)
        shown = until


def _checked_frame(frame: np.ndarray) -> np.ndarray:
    if not (isinstance(frame, np.ndarray) and frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3):
        got = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else type(frame).__name__
        raise Refused("A frame is {got}, must be (height, width, 3) uint8. Convert it first.", got=got)
    return frame


def read_recipe(path: str | os.PathLike) -> dict | None:
    """The recipe that `write_mp4` or `write_webm` kept in the file, None where there is none. Raises ValueError for no
    video."""
    try:
        with av.open(str(path)) as container:
            comment = container.metadata.get("comment") or container.metadata.get("COMMENT")  # WebM
    except av.FFmpegError as error:
        raise Refused(
            "{file} cannot be read as a video ({reason}). Give an mp4 that was rendered here.",
            file=Path(path).name,
            reason=error.strerror,
        ) from error
    try:
        recipe = json.loads(comment or "null")
    except ValueError:
        return None  # a comment of somebody else's
    return recipe if isinstance(recipe, dict) else None


def write_poster(frame: np.ndarray, path: str | os.PathLike, quality: int = 90) -> Path:
    """One (H, W, 3) uint8 frame -> a JPEG file, written atomically. Ad platforms take posters under 2 MB."""
    buffer = io.BytesIO()  # Pillow takes a disk that is full half-way for a success
    Image.fromarray(_checked_frame(frame)).save(buffer, "JPEG", quality=quality, optimize=True)
    with atomic_write(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return Path(path)

"""RealEstate10K txt: one line per frame with its time, normalised intrinsics and w2c."""

import numpy as np

from pipelines.cameras.formats.shared import floats, from_w2c, in_pixels, lines, natural_size, normalised
from pipelines.cameras.rotations import inverse
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

REALESTATE10K = Sentence(
    "RealEstate10K, w2c 3x4 in OpenCV axes (+x right, +y down, +z forward), intrinsics in widths and heights"
)
COLUMNS = Sentence("timestamp fx fy cx cy 0 0 and 12 numbers of w2c")


def to_realestate10k(trajectory: Trajectory) -> str:
    """First line: where the video comes from (a word of ours, other tools skip it). Then one line per frame: time in
    microseconds, fx fy cx cy in widths and heights of the picture, two zeros, w2c 3x4 row by row."""
    rows = ["mirage-studio"]
    for index, camera in enumerate(trajectory):
        numbers = [*normalised(camera), 0.0, 0.0, *(inverse(camera.c2w)[:3] + 0.0).ravel().tolist()]
        rows.append(f"{round(index / trajectory.fps * 1e6)} {' '.join(map(repr, numbers))}")
    return "\n".join(rows) + "\n"


def from_realestate10k(
    text: str, height: int | None = None, width: int | None = None, fps: int | float | None = None
) -> Trajectory:
    """Assumes w2c in OpenCV axes, centres at 0.5 and lines in the order of time.

    height, width: of the picture, which the format lacks; without them 288 high and as wide as makes pixels square.
    fps: without it, that of the median step between timestamps (16 if there is none). Raises ValueError with the line,
    the limit and the fix.
    """
    rows = lines(text)
    if rows and not rows[0][1][0].lstrip("-").replace(".", "", 1).isdecimal():  # the address of the video
        rows = rows[1:]
    if not rows:
        raise Refused(
            "There is no line of {columns} ({convention}). Give a RealEstate10K file.",
            columns=COLUMNS,
            convention=REALESTATE10K,
        )
    values = [floats(Sentence("Line {number}", number=number), words, 19) for number, words in rows]
    if height is None or width is None:
        height, width = natural_size(values[0][1:5])
    if fps is None:
        steps = np.diff([row[0] for row in values])
        step = float(np.median(steps)) if len(steps) else 0.0
        fps = 1e6 / step if step >= 1 else NATIVE_FPS
        fps = round(fps) if abs(fps - round(fps)) < 1e-3 * fps else fps  # timestamps are whole microseconds
    cameras = [
        from_w2c(
            Sentence("Line {number}", number=number),
            REALESTATE10K,
            in_pixels(row[1:5], height, width),
            np.reshape(row[7:], (3, 4)),
            height,
            width,
        )
        for (number, _), row in zip(rows, values, strict=True)
    ]
    return Trajectory.from_cameras(cameras, fps)

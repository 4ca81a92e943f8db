"""TUM: one line per camera, its time and c2w as position and quaternion; no lens.

Source: https://cvg.cit.tum.de/data/datasets/rgbd-dataset/file_formats: "timestamp tx ty tz qx qy qz qw", seconds, the
optical centre of the colour camera; its camera looks along +z with +y down.
"""

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.shared import frame_rate, from_quaternion, rows_of
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.errors import Sentence

TUM = Sentence("TUM, c2w as position and quaternion in OpenCV axes (+x right, +y down, +z forward)")
ORDER = "tx ty tz qx qy qz qw"


def from_tum(text: str, view: Camera, fps: int | float | None = None) -> Trajectory:
    """Assumes camera to world in OpenCV axes and lines in the order of time. view: the lens and size, which the format
    lacks. fps: without it that of the median step between the times. Raises ValueError with the line and the fix."""
    rows = rows_of(text, 8)
    cameras = [
        from_quaternion(Sentence("Line {number}", number=number), TUM, view, np.roll(row[4:], 1), row[1:4], ORDER)
        for number, row in rows
    ]
    return Trajectory.from_cameras(cameras, fps or frame_rate([row[0] for _, row in rows]) or NATIVE_FPS)

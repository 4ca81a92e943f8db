"""KITTI odometry `poses/00.txt`: c2w 3x4 row by row, one camera a line; neither lens nor time.

Source: the readme of the KITTI odometry development kit: each line is a 3x4 matrix, row by row, that takes a point of
the left camera of frame i (+x right, +y down, +z forward) into that of frame 0. Recorded at 10 frames a second.
"""

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.shared import checked_camera, rows_of
from pipelines.cameras.trajectory import Trajectory
from pipelines.errors import Sentence

KITTI = Sentence("KITTI, c2w 3x4 in OpenCV axes (+x right, +y down, +z forward)")
FPS = 10


def from_kitti(text: str, view: Camera, fps: int | float | None = None) -> Trajectory:
    """view: the lens and size, which the format lacks. fps: without it KITTI's 10. Raises ValueError with the line,
    the limit and the fix."""
    cameras = [
        checked_camera(
            Sentence("Line {number}", number=number), KITTI, view.K, np.reshape(row, (3, 4)), view.height, view.width
        )
        for number, row in rows_of(text, 12)
    ]
    return Trajectory.from_cameras(cameras, FPS if fps is None else fps)

"""MotionCtrl: a JSON list of w2c matrices, 12 numbers (3x4 row by row) a camera; no lens, no size, no time.

Source: TencentARC/MotionCtrl, examples/camera_poses/*.json, which are cut from RealEstate10K: moving ahead makes the
third translation negative, so they are world to camera in OpenCV axes. ComfyUI-MotionCtrl keeps the same as txt.
"""

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.shared import check_count, from_w2c
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

MOTIONCTRL = Sentence("MotionCtrl, w2c 3x4 in OpenCV axes (+x right, +y down, +z forward)")


def from_motionctrl(data: list, view: Camera, fps: int | float | None = None) -> Trajectory:
    """data: the JSON, a list of 12 numbers, 3x4 or 4x4 matrices. view: the lens and size, which the format lacks.
    Raises ValueError with the camera, the limit and the fix."""
    check_count(len(data))
    cameras = []
    for number, entry in enumerate(data, start=1):
        place = Sentence("Camera {number}", number=number)
        try:
            w2c = np.array(entry, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):  # ragged, no numbers, or too large
            w2c = np.empty(0)
        if w2c.shape not in ((12,), (3, 4), (4, 4)):
            raise Refused(
                "{place} must be 12 numbers ({convention}). Fix or drop it.", place=place, convention=MOTIONCTRL
            )
        w2c = w2c.reshape(-1, 4)
        cameras.append(from_w2c(place, MOTIONCTRL, view.K, w2c, view.height, view.width))
    return Trajectory.from_cameras(cameras, NATIVE_FPS if fps is None else fps)

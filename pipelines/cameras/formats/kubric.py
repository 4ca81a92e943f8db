"""Kubric `metadata.json`: Blender's camera over time, a lens in millimetres.

Source: google-research/kubric, kubric/utils.py (get_camera_info, get_scene_metadata) and kubric/core/cameras.py:
`camera` with `positions` and `quaternions` (w x y z), camera to world in OpenGL axes, the world with +z up;
`focal_length` and `sensor_width` in mm; `metadata` with `resolution` (width, height) and `frame_rate`.
"""

import math

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.shared import check_count, from_quaternion, size_missing, whole_number
from pipelines.cameras.trajectory import MAX_FPS, NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

KUBRIC = Sentence("Kubric, c2w as position and quaternion in OpenGL axes (+x right, +y up, -z forward)")
ORDER = "qw qx qy qz"


def from_kubric(data: dict, size: tuple[int, int] | None = None, fps: int | float | None = None) -> Trajectory:
    """size: (height, width) where the file tells none. fps: without it the file's own. Raises ValueError with the
    camera, the limit and the fix."""
    camera, metadata = data["camera"], data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    try:
        positions = np.array(camera["positions"], dtype=np.float64).reshape(-1, 3)
        turns = np.array(camera["quaternions"], dtype=np.float64).reshape(-1, 4)
        focal = float(camera["focal_length"]) / float(camera["sensor_width"])  # in widths
        is_right = len(positions) == len(turns) > 0 and math.isfinite(focal) and focal > 0
    except (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError):
        is_right = False
    if not is_right:
        raise Refused(
            "The camera must have as many positions as quaternions, focal_length and sensor_width ({convention}). "
            "Export it again.",
            convention=KUBRIC,
        )
    if isinstance(resolution := metadata.get("resolution"), list) and len(resolution) == 2:
        size = tuple(whole_number("resolution", side) for side in reversed(resolution))
    if size is None:
        raise size_missing(KUBRIC)
    check_count(len(positions))
    height, width = size
    K = [[focal * width, 0, width / 2], [0, focal * width, height / 2], [0, 0, 1]]
    view = Camera(K, np.eye(4), height, width)
    cameras = [
        from_quaternion(Sentence("Camera {number}", number=number), KUBRIC, view, turn, position, ORDER, flip=True)
        for number, (position, turn) in enumerate(zip(positions, turns, strict=True), start=1)
    ]
    own = metadata.get("frame_rate")
    is_rate = isinstance(own, (int, float)) and 1 <= own <= MAX_FPS
    return Trajectory.from_cameras(cameras, fps or (own if is_rate else NATIVE_FPS))

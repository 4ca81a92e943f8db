"""Record3D `metadata.json`: poses of ARKit as quaternion and position, a lens for all or one per frame.

Source: nerfstudio/process_data/record3d_utils.py: `poses` are qx qy qz qw tx ty tz, camera to world in OpenGL axes;
`K` is a 3x3 matrix column by column in pixels of `w` x `h`; `perFrameIntrinsicCoeffs` are fx fy cx cy. Metres.
"""

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.shared import check_count, from_quaternion, whole_number
from pipelines.cameras.trajectory import MAX_FPS, NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

RECORD3D = Sentence("Record3D, c2w as quaternion and position in OpenGL axes (+x right, +y up, -z forward)")
ORDER = "qx qy qz qw tx ty tz"


def from_record3d(data: dict, fps: int | float | None = None) -> Trajectory:
    """fps: without it the file's own. Raises ValueError with the pose, the limit and the fix."""
    height, width = (
        whole_number(Sentence("{key} of {place}", key=key, place="Record3D"), data.get(key)) for key in "hw"
    )
    poses = data["poses"] if isinstance(data["poses"], list) else []
    check_count(len(poses))
    numbers = [_numbers(Sentence("Pose {number}", number=i), pose, 7) for i, pose in enumerate(poses, start=1)]
    if not numbers:
        raise Refused("The list of poses is empty ({convention}). Record it again.", convention=RECORD3D)
    lenses = data.get("perFrameIntrinsicCoeffs")
    if isinstance(lenses, list) and len(lenses) == len(numbers):
        lenses = [_numbers(Sentence("Lens {number}", number=i), lens, 4) for i, lens in enumerate(lenses, start=1)]
    else:
        K = _numbers("K", data.get("K"), 9)
        lenses = [[K[0], K[4], K[6], K[7]]] * len(numbers)
    cameras = []
    for index, (pose, (fx, fy, cx, cy)) in enumerate(zip(numbers, lenses, strict=True), start=1):
        place = Sentence("Pose {number}", number=index)
        view = Camera([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], np.eye(4), height, width)
        cameras.append(from_quaternion(place, RECORD3D, view, np.roll(pose[:4], 1), pose[4:], ORDER, flip=True))
    own = data.get("fps")
    is_rate = isinstance(own, (int, float)) and 1 <= own <= MAX_FPS
    return Trajectory.from_cameras(cameras, fps or (own if is_rate else NATIVE_FPS))


def _numbers(place: str, value, count: int) -> np.ndarray:
    try:
        numbers = np.array(value, dtype=np.float64).ravel()
        if numbers.shape == (count,) and np.isfinite(numbers).all():
            return numbers
    except (TypeError, ValueError, OverflowError):
        pass
    raise Refused(
        "{place} holds {words!r:.80}, must be {count} finite numbers. Fix or drop it.",
        place=place,
        words=str(value),
        count=count,
    )

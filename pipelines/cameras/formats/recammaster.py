"""ReCamMaster `camera_extrinsics.json`: poses of Unreal Engine as text, several cameras a frame; no lens.

Source: KlingTeam/ReCamMaster, vis_cam.py and inference_recammaster.py. Each frame has its cameras by name,
{"frame0": {"cam01": "[...] [...] [...] [...]"}}, four rows of four. The transpose is camera to world in Unreal's axes
(+x forward, +y right, +z up, left-handed), in centimetres; its columns are taken as right, up, forward and the second
is turned, which makes OpenCV axes. MultiCamVideo is recorded at 15 frames a second.
"""

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.shared import check_count, checked_camera
from pipelines.cameras.trajectory import Trajectory
from pipelines.errors import Refused, Sentence

RECAMMASTER = Sentence("ReCamMaster, c2w of Unreal Engine (+x forward, +y right, +z up) in centimetres")
OPENCV_FROM_UNREAL = np.array([[0.0, 1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
METRES = 0.01  # a centimetre
FPS = 15


def from_recammaster(data: dict, view: Camera, fps: int | float | None = None) -> Trajectory:
    """The first camera of the file, in the order of the frames' numbers, in metres and in a world with +y down.

    view: the lens and size, which the format lacks. Raises ValueError with the frame, the limit and the fix.
    """
    check_count(len(data))
    chosen = cameras_of(data)[0]
    cameras = []
    for frame in sorted(data, key=_number):
        place = Sentence("{key} of {place}", key=chosen, place=frame)
        entry = data[frame].get(chosen) if isinstance(data[frame], dict) else None
        try:
            rows = entry.replace("[", " ").replace("]", " ").split() if isinstance(entry, str) else np.ravel(entry)
            pose = np.array(rows, dtype=np.float64).reshape(4, 4).T
        except (TypeError, ValueError, OverflowError) as error:
            raise Refused(
                "{place} must be a matrix of 16 numbers ({convention}). Export it again.",
                place=place,
                convention=RECAMMASTER,
            ) from error
        if np.isfinite(pose).all():
            pose[:3, 3] *= METRES
            pose = OPENCV_FROM_UNREAL @ pose @ OPENCV_FROM_UNREAL.T
        cameras.append(checked_camera(place, RECAMMASTER, view.K, pose, view.height, view.width))
    return Trajectory.from_cameras(cameras, FPS if fps is None else fps)


def left_out_of_recammaster(data: dict) -> list[Sentence]:
    """What `from_recammaster` leaves out of a file that it reads."""
    first, *others = cameras_of(data)
    if not others:
        return []
    return [
        Sentence(
            "The file holds {count} cameras: {first} is read, {others:.60} are not. For one of those keep only it in "
            "every frame.",
            count=len(others) + 1,
            first=first,
            others=", ".join(others),
        )
    ]


def cameras_of(data: dict) -> list[str]:
    """Names of the cameras in the first frame, in order: cam01, cam02 and so on. Raises ValueError where none is."""
    first = data[min(data, key=_number)]
    if not isinstance(first, dict) or not first:
        raise Refused(
            "{place} holds no camera ({convention}). Export it again.", place="frame0", convention=RECAMMASTER
        )
    return sorted(map(str, first))


def _number(frame: str) -> int:
    digits = "".join(letter for letter in frame if letter in "0123456789")
    return int(digits[:9] or 0)

"""A camera path of nerfstudio's viewer (`camera_path.json`): c2w in OpenGL axes, a vertical field of view.

Sources: nerfstudio/viewer/render_panel.py (what is written: `camera_path` with `camera_to_world`, 16 numbers row by
row, and `fov` in degrees across the height) and nerfstudio/cameras/camera_paths.py (how it is read).
"""

import math

import numpy as np

from pipelines.cameras.camera import ROTATION_TOLERANCE, Camera
from pipelines.cameras.formats.lenses import WITHOUT_FOCAL, checked_model, left_out, model_name
from pipelines.cameras.formats.shared import check_count, checked_camera, lens_missing, off_rigid, rigid, whole_number
from pipelines.cameras.trajectory import MAX_FPS, NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

VIEWER = Sentence("nerfstudio camera path, c2w in OpenGL axes (+x right, +y up, -z forward), fov across the height")
MOST = 1.0  # how far off the rotations of paths that were written by hand may be


def from_viewer(data: dict, view: Camera | None = None) -> Trajectory:
    """Reads every camera of `camera_path`, in its order, at `fps` (the clip's own if it is missing).

    view: the lens for `equirectangular` paths, which have none; of fisheyes the straight lens of the same focal length
    is read. Rotations that are off, as in files written by hand, become the nearest ones, see `left_out_of_viewer`.
    Raises ValueError with the camera, the limit and the fix.
    """
    model = checked_model(Sentence("The camera path"), model_name(data.get("camera_type")))
    size = []
    for key in ("render_height", "render_width"):
        size.append(whole_number(Sentence("{key} of {place}", key=key, place="camera_path"), data.get(key)))
    if model in WITHOUT_FOCAL:
        if view is None:
            raise lens_missing(Sentence("nerfstudio, lens model {model}", model=model))
        size = (view.height, view.width)
    cameras = []
    for index, entry in enumerate(_entries(data)):
        place = Sentence("Camera {number}", number=index + 1)
        K = view.K if model in WITHOUT_FOCAL else _lens(place, entry, *size)
        cameras.append(checked_camera(place, VIEWER, K, rigid(_pose(place, entry), MOST), *size, flip=True))
    fps = data.get("fps", NATIVE_FPS)
    is_rate = isinstance(fps, (int, float)) and 1 <= fps <= MAX_FPS
    return Trajectory.from_cameras(cameras, fps if is_rate else NATIVE_FPS)


def left_out_of_viewer(data: dict) -> list[Sentence]:
    """What `from_viewer` leaves out of a path that it reads, or mends in it."""
    notes = left_out([(model_name(data.get("camera_type")), {})])
    off = [off_rigid(_pose("", entry)[:3, :3]) for entry in _entries(data)]
    if max(off) > ROTATION_TOLERANCE:
        notes.append(
            Sentence(
                "{count} of {cameras} cameras are not rigid (the worst, camera {number}, is off by {error:.2g}): the "
                "nearest rotation is used.",
                count=sum(error > ROTATION_TOLERANCE for error in off),
                cameras=len(off),
                number=int(np.argmax(off)) + 1,
                error=max(off),
            )
        )
    return notes


def _entries(data: dict) -> list[dict]:
    entries = data.get("camera_path")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise Refused(
            "There is no list camera_path of at least 1 camera ({convention}). Generate the path in the viewer again.",
            convention=VIEWER,
        )
    check_count(len(entries))
    return entries


def _pose(place: str, entry: dict) -> np.ndarray:
    try:
        pose = np.array(entry["camera_to_world"], dtype=np.float64)
        if pose.size in (12, 16):
            pose = pose.reshape(-1, 4)
            return pose if len(pose) == 4 else np.vstack([pose, [0, 0, 0, 1]])
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    raise Refused(
        "{place} has no camera_to_world of 16 numbers ({convention}). Generate the path in the viewer again.",
        place=place,
        convention=VIEWER,
    )


def _lens(place: str, entry: dict, height: int, width: int) -> list[list[float]]:
    angle = entry.get("fov")
    if isinstance(angle, bool) or not isinstance(angle, (int, float)) or not 1 <= angle <= 179:
        raise Refused(
            "{place} has fov={angle!r:.40}, must be a number from 1 to 179 degrees. Fix it.", place=place, angle=angle
        )
    focal = height / 2 / math.tan(math.radians(angle) / 2)
    return [[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]

"""nerfstudio `transforms.json`: c2w in OpenGL axes, intrinsics in pixels.

Sources: docs/quickstart/data_conventions.md of nerfstudio; the synthetic scenes of NeRF, which tell one
`camera_angle_x` (radians across the width) and no size; instant-ngp's scripts/colmap2nerf.py.
"""

import math
from collections.abc import Iterable

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.lenses import WITHOUT_FOCAL, checked_model, left_out, model_name
from pipelines.cameras.formats.shared import (
    OPENGL_FROM_OPENCV,
    check_count,
    checked_camera,
    in_order,
    lens_missing,
    numbered,
    size_missing,
    whole_number,
)
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

NERFSTUDIO = Sentence("nerfstudio, c2w in OpenGL axes (+x right, +y up, -z forward)")
DISTORTION = ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")


def to_nerfstudio(cameras: Trajectory | Iterable[Camera]) -> dict:
    """The content of a `transforms.json`: c2w in OpenGL axes, intrinsics per frame in pixels, centres at 0.5.

    The world stays as it is, so +y is down in it; nerfstudio turns it upright when it loads the file.
    `file_path` is where the picture of that frame belongs; no picture is made here.
    """
    frames = [
        {
            "file_path": name,
            "fl_x": float(camera.K[0, 0]),
            "fl_y": float(camera.K[1, 1]),
            "cx": float(camera.K[0, 2]),
            "cy": float(camera.K[1, 2]),
            "w": camera.width,
            "h": camera.height,
            "transform_matrix": (camera.c2w @ OPENGL_FROM_OPENCV).tolist(),
        }
        for name, camera in numbered(cameras)
    ]
    return {"camera_model": "OPENCV", "fps": getattr(cameras, "fps", NATIVE_FPS), "frames": frames}


def from_nerfstudio(data: dict, size: tuple[int, int] | None = None, view: Camera | None = None) -> Trajectory:
    """Reads the content of a `transforms.json`, in the order of the file names (frame_2 before frame_10).

    Assumes c2w in OpenGL axes and centres at 0.5. Intrinsics may stand at the top or with each frame; `fps` at the top,
    the clip's own if it is missing. A lens may be one angle (`camera_angle_x`), a missing principal point is the
    middle. size: (height, width) where the file tells none. view: the lens for panoramas, which have none. Of other
    lenses the pinhole part is read, see `left_out_of_nerfstudio`. Raises ValueError with the frame, the limit and the
    fix.
    """
    named = []
    for index, frame in enumerate(_frames(data)):
        place = Sentence("Frame {index} ({file!r:.60})", index=index, file=frame.get("file_path"))
        merged = {**data, **frame}
        if merged.get("transform_matrix") is None:
            raise _lacks(place, ["transform_matrix"])
        K, height, width = _lens(place, merged, size, view)
        camera = checked_camera(place, NERFSTUDIO, K, merged["transform_matrix"], height, width, flip=True)
        named.append((str(frame.get("file_path", "")), camera))
    return in_order(named, data.get("fps", NATIVE_FPS))


def left_out_of_nerfstudio(data: dict) -> list[Sentence]:
    """What `from_nerfstudio` leaves out of a file that it reads."""

    def distortion(frame: dict) -> dict[str, float]:
        numbers = {name: frame.get(name) for name in DISTORTION}
        return {name: value for name, value in numbers.items() if isinstance(value, (int, float))}

    merged = [{**data, **frame} for frame in _frames(data)]
    return left_out((_model(frame), distortion(frame)) for frame in merged)


def _frames(data: dict) -> list[dict]:
    frames = data.get("frames") if isinstance(data, dict) else None
    if not isinstance(frames, list) or not all(isinstance(frame, dict) for frame in frames):
        raise Refused(
            "There is no list of frames, which a transforms.json has ({convention}). Give that file.",
            convention=NERFSTUDIO,
        )
    if not frames:
        raise Refused("The list of frames is empty, at least 1 camera is needed. Export the cameras again.")
    check_count(len(frames))
    return frames


def _model(frame: dict) -> str:
    model = model_name(frame.get("camera_model"))
    if frame.get("is_fisheye") is True:  # instant-ngp
        return "OPENCV_FISHEYE"
    return model


def _lens(
    place: str, frame: dict, size: tuple[int, int] | None, view: Camera | None
) -> tuple[np.ndarray | list, int, int]:
    """K, height and width of a frame, with what stands at the top of the file."""
    if checked_model(place, _model(frame)) in WITHOUT_FOCAL:
        if view is None:
            raise lens_missing(Sentence("nerfstudio, lens model {model}", model=_model(frame)))
        return view.K, view.height, view.width
    if frame.get("w") is not None and frame.get("h") is not None:
        size = tuple(whole_number(Sentence("{key} of {place}", key=key, place=place), frame[key]) for key in "hw")
    angle = frame.get("camera_angle_x")
    if frame.get("fl_x") is None and angle is not None:
        if size is None:
            raise size_missing(NERFSTUDIO)
        is_number = isinstance(angle, (int, float)) and not isinstance(angle, bool)
        if not is_number or not 0.01 < angle < math.pi - 0.01:
            raise Refused(
                "{place} has camera_angle_x={angle!r:.40}, must be a number from 0.01 to 3.13 radians. Fix it.",
                place=place,
                angle=angle,
            )
        focal = size[1] / 2 / math.tan(angle / 2)
        frame = {**frame, "fl_x": focal, "fl_y": focal}
    needed = ("fl_x", "fl_y", "h", "w")
    if missing := [key for key in needed if frame.get(key) is None and not (key in "hw" and size)]:
        raise _lacks(place, missing)
    height, width = size
    cx, cy = (frame.get("cx", width / 2), frame.get("cy", height / 2))
    return [[frame["fl_x"], 0, cx], [0, frame["fl_y"], cy], [0, 0, 1]], height, width


def _lacks(place: str, fields: list[str]) -> Refused:
    return Refused(
        "{place} lacks {fields}, here or at the top of the file. Add them.", place=place, fields=", ".join(fields)
    )

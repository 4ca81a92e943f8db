"""nerfstudio `transforms.json`: c2w in OpenGL axes, intrinsics in pixels."""

from collections.abc import Iterable

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.shared import OPENGL_FROM_OPENCV, checked_camera, in_order, numbered, whole_number
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

NERFSTUDIO = Sentence("nerfstudio, c2w in OpenGL axes (+x right, +y up, -z forward)")
DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")


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


def from_nerfstudio(data: dict) -> Trajectory:
    """Reads the content of a `transforms.json`, in the order of the file names (frame_2 before frame_10).

    Assumes c2w in OpenGL axes and undistorted pictures with centres at 0.5. Intrinsics may stand at the top or with
    each frame; `fps` at the top, 16 if it is missing. Raises ValueError with the frame, the limit and the fix.
    """
    frames = data.get("frames") if isinstance(data, dict) else None
    if not isinstance(frames, list) or not all(isinstance(frame, dict) for frame in frames):
        raise Refused(
            "There is no list of frames, which a transforms.json has ({convention}). Give that file.",
            convention=NERFSTUDIO,
        )
    if not frames:
        raise Refused("The list of frames is empty, at least 1 camera is needed. Export the cameras again.")

    def read(index: int, frame: dict) -> tuple[str, Camera]:
        merged = {**data, **frame}
        name = Sentence("Frame {index} ({file!r:.60})", index=index, file=frame.get("file_path"))
        needed = ("file_path", "transform_matrix", "fl_x", "fl_y", "cx", "cy", "w", "h")
        if missing := [key for key in needed if merged.get(key) is None]:
            raise Refused(
                "{place} lacks {fields}, here or at the top of the file. Add them.",
                place=name,
                fields=", ".join(missing),
            )
        if bent := {key: merged[key] for key in DISTORTION if merged.get(key)}:
            raise Refused(
                "{place} has lens distortion {distortion:.80}, must be 0. Undistort the pictures first.",
                place=name,
                distortion=str(bent),
            )
        K = [[merged["fl_x"], 0, merged["cx"]], [0, merged["fl_y"], merged["cy"]], [0, 0, 1]]
        size = (whole_number(Sentence("{key} of {place}", key=key, place=name), merged[key]) for key in "hw")
        return str(frame["file_path"]), checked_camera(
            name, NERFSTUDIO, K, merged["transform_matrix"], *size, flip=True
        )

    return in_order([read(index, frame) for index, frame in enumerate(frames)], data.get("fps", NATIVE_FPS))

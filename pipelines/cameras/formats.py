"""Camera paths in the formats of other tools: one writer and one reader per format. docs/formats.md has the facts.

Writers take a `Trajectory`, or any cameras in order, and return plain data; `save_cameras` puts it on disk. Readers
take the same data and give a `Trajectory`; each says which convention it assumes and refuses what breaks it.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.rotations import inverse, quaternion, rotation
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.files import whole

NERFSTUDIO = "nerfstudio, c2w in OpenGL axes (+x right, +y up, -z forward)"
COLMAP = "COLMAP text, w2c in OpenCV axes (+x right, +y down, +z forward)"
OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])  # on the right of c2w; it is its own inverse
DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")
PARAMS = {"PINHOLE": (0, 1, 2, 3), "SIMPLE_PINHOLE": (0, 0, 1, 2)}  # which of them are fx, fy, cx, cy
UNIT_TOLERANCE = 1e-3  # of a quaternion's length; tools print as few as four digits


# ---- nerfstudio --------------------------------------------------------------------------------------------------


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
        for name, camera in _named(cameras)
    ]
    return {"camera_model": "OPENCV", "fps": getattr(cameras, "fps", NATIVE_FPS), "frames": frames}


def from_nerfstudio(data: dict) -> Trajectory:
    """Reads the content of a `transforms.json`, in the order of the file names (frame_2 before frame_10).

    Assumes c2w in OpenGL axes and undistorted pictures with centres at 0.5. Intrinsics may stand at the top or with
    each frame; `fps` at the top, 16 if it is missing. Raises ValueError with the frame, the limit and the fix.
    """
    frames = data.get("frames") if isinstance(data, dict) else None
    if not isinstance(frames, list) or not all(isinstance(frame, dict) for frame in frames):
        raise ValueError(f"There is no list of frames, which a transforms.json has ({NERFSTUDIO}). Give that file.")
    if not frames:
        raise ValueError("The list of frames is empty, at least 1 camera is needed. Export the cameras again.")

    def read(index: int, frame: dict) -> tuple[str, Camera]:
        merged = {**data, **frame}
        name = f"Frame {index} ({frame.get('file_path')!r:.60})"
        needed = ("file_path", "transform_matrix", "fl_x", "fl_y", "cx", "cy", "w", "h")
        if missing := [key for key in needed if merged.get(key) is None]:
            raise ValueError(f"{name} lacks {', '.join(missing)}, here or at the top of the file. Add them.")
        if bent := {key: merged[key] for key in DISTORTION if merged.get(key)}:
            raise ValueError(f"{name} has lens distortion {bent}, must be 0. Undistort the pictures first.")
        K = [[merged["fl_x"], 0, merged["cx"]], [0, merged["fl_y"], merged["cy"]], [0, 0, 1]]
        size = (_whole_number(f"{key} of {name}", merged[key]) for key in "hw")
        return str(frame["file_path"]), _camera(name, NERFSTUDIO, K, merged["transform_matrix"], *size, flip=True)

    return _path([read(index, frame) for index, frame in enumerate(frames)], data.get("fps", NATIVE_FPS))


# ---- COLMAP ------------------------------------------------------------------------------------------------------


def to_colmap(cameras: Trajectory | Iterable[Camera]) -> dict[str, str]:
    """The three files of a COLMAP text model by name: `cameras.txt`, `images.txt` and an empty `points3D.txt`.

    w2c as a quaternion (w first, w >= 0) and a translation, PINHOLE cameras in pixels with centres at 0.5. Frames that
    share a lens share a camera. Numbers are written so that reading them gives the same float64.
    """
    lenses: dict[str, int] = {}
    images = []
    for index, (name, camera) in enumerate(_named(cameras), start=1):
        numbers = " ".join(repr(float(x)) for x in camera.K[[0, 1, 0, 1], [0, 1, 2, 2]])
        lens = lenses.setdefault(f"PINHOLE {camera.width} {camera.height} {numbers}", len(lenses) + 1)
        w2c = camera.w2c
        pose = [*quaternion(w2c[:3, :3]), *w2c[:3, 3]]
        # The second line of an image lists its 2D points; it must be there even if there are none.
        images.append(f"{index} {' '.join(repr(float(x)) for x in pose)} {lens} {Path(name).name}\n\n")
    return {
        "cameras.txt": "# CAMERA_ID MODEL WIDTH HEIGHT PARAMS[]\n"
        + "".join(f"{number} {lens}\n" for lens, number in lenses.items()),
        "images.txt": "# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME\n# POINTS2D[] as X Y POINT3D_ID\n"
        + "".join(images),
        "points3D.txt": "# POINT3D_ID X Y Z R G B ERROR TRACK[] as IMAGE_ID POINT2D_IDX\n",
    }


def from_colmap(files: Mapping[str, str], fps: int | float = NATIVE_FPS) -> Trajectory:
    """Reads the text of `cameras.txt` and `images.txt`, in the order of the file names (frame_2 before frame_10).

    Assumes w2c in OpenCV axes and undistorted pictures with centres at 0.5. The format knows no frame rate, so it is
    given here. Raises ValueError with the file, the line, the limit and the fix.
    """
    if missing := [name for name in ("cameras.txt", "images.txt") if name not in files]:
        raise ValueError(f"{' and '.join(missing)} missing ({COLMAP}). Export with colmap model_converter, type TXT.")
    lenses: dict[str, tuple] = {}
    for number, words in _lines(files["cameras.txt"]):
        place = f"Line {number} of cameras.txt"
        if len(words) < 4:
            raise ValueError(f"{place} has {len(words)} words, must be CAMERA_ID MODEL WIDTH HEIGHT PARAMS. Fix it.")
        if words[1] not in PARAMS:
            raise ValueError(
                f"{place} has the model {words[1]:.30}, only {' and '.join(PARAMS)} are read. Undistort the pictures "
                "with colmap image_undistorter first."
            )
        which = PARAMS[words[1]]
        fx, fy, cx, cy = np.array(_floats(place, words[4:], max(which) + 1))[list(which)]
        K = [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]
        width, height = (_whole_number(f"The size in {place[0].lower()}{place[1:]}", word) for word in words[2:4])
        lenses[words[0]] = (K, height, width)

    named, lines = [], iter(_lines(files["images.txt"], keep_empty=True))
    for number, words in lines:
        place = f"Line {number} of images.txt"
        if not words:
            continue
        if len(words) < 10:
            raise ValueError(
                f"{place} has {len(words)} words, must be IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME. Fix it."
            )
        # A file without the lines of 2D points would lose every second camera without a word.
        _, points = next(lines, (0, []))
        if len(points) % 3:
            raise ValueError(
                f"Line {number + 1} of images.txt must list 2D points in threes or be empty; it has {len(points)} "
                "words. Put an empty line after every image."
            )
        if words[8] not in lenses:
            raise ValueError(f"{place} names the camera {words[8]:.30}, which cameras.txt does not have. Add it.")
        pose = np.array(_floats(place, words[1:8], 7))
        w2c = np.eye(4)
        w2c[:3, :3] = rotation(_unit(place, pose[:4]))
        w2c[:3, 3] = pose[4:]
        named.append(
            (" ".join(words[9:]), _camera(place, COLMAP, lenses[words[8]][0], inverse(w2c), *lenses[words[8]][1:]))
        )
    if not named:
        raise ValueError("images.txt lists no image, at least 1 is needed. Export the model again.")
    return _path(named, fps)


# ---- on disk -----------------------------------------------------------------------------------------------------


def save_cameras(cameras: Trajectory | Iterable[Camera], folder: str | os.PathLike) -> None:
    """Writes `transforms.json` and `sparse/0/*.txt` into the folder, where nerfstudio and COLMAP look for them.

    Each file appears whole or not at all. Raises OSError when the disk refuses.
    """
    cameras = cameras if isinstance(cameras, Trajectory) else list(cameras)
    model = {f"sparse/0/{name}": text for name, text in to_colmap(cameras).items()}
    for name, text in {"transforms.json": json.dumps(to_nerfstudio(cameras), indent=1), **model}.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


# ---- what the readers share --------------------------------------------------------------------------------------


def _named(cameras: Iterable[Camera]) -> Iterable[tuple[str, Camera]]:
    return ((f"images/frame_{index:05d}.png", camera) for index, camera in enumerate(cameras, start=1))


def _camera(name: str, convention: str, K, c2w, height: int, width: int, flip: bool = False) -> Camera:
    """A checked camera; what is wrong is said of the frame by its name, with the convention that was assumed."""
    try:
        c2w = np.array(c2w, dtype=np.float64)
        if c2w.shape == (3, 4):  # some tools leave the last row out
            c2w = np.vstack([c2w, [0, 0, 0, 1]])
        return Camera(K, c2w @ OPENGL_FROM_OPENCV if flip and c2w.shape == (4, 4) else c2w, height, width)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}, read as {convention}: {error}") from error


def _path(named: list[tuple[str, Camera]], fps: int | float) -> Trajectory:
    def in_numbers(entry: tuple[str, Camera]) -> list:
        return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", entry[0])]

    return Trajectory.from_cameras([camera for _, camera in sorted(named, key=in_numbers)], fps)


def _lines(text: str, keep_empty: bool = False) -> list[tuple[int, list[str]]]:
    """The lines that are no comments, split into words, with their numbers in the file."""
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), start=1)]
    return [(number, words) for number, words in lines if (words or keep_empty) and not (words and words[0][0] == "#")]


def _floats(place: str, words: list[str], count: int) -> list[float]:
    if len(words) != count:
        raise ValueError(f"{place} has {len(words)} numbers where {count} belong. Export the model again.")
    try:
        if np.isfinite(values := [float(word) for word in words]).all():
            return values
    except ValueError:
        pass
    raise ValueError(f"{place} holds {' '.join(words)!r:.80}, must be {count} finite numbers. Fix or drop it.")


def _whole_number(name: str, value) -> int:
    """A size; files of other tools also write it as 1920.0."""
    try:
        if float(value) == int(float(value)):
            return int(float(value))
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{name} is {value!r:.40}, must be a whole number of pixels. Fix it.")


def _unit(place: str, q: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(q))
    if not abs(length - 1) <= UNIT_TOLERANCE:  # NaN fails the comparison too
        raise ValueError(
            f"{place} has a quaternion of length {length:.4g}, must be 1 within {UNIT_TOLERANCE:g}. Check the order "
            "QW QX QY QZ."
        )
    return q / length

"""LingBot-World `poses.npy` and `intrinsics.npy`: c2w in OpenCV axes, a lens in pixels of 832x480.

Source: the readme of LingBot-World (poses [num_frames, 4, 4] in OpenCV coordinates, intrinsics [num_frames, 4], fx fy
cx cy) and its inference code, which takes the poses for camera to world and the lens for one of 480 x 832 pixels.
Arrays are read by their published layout (NEP 1) alone: nothing in them is run, objects (pickle) are refused.
"""

import math
import re
import struct
from collections.abc import Mapping

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.shared import check_count, checked_camera
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

LINGBOT = Sentence("LingBot-World arrays, c2w in OpenCV axes (+x right, +y down, +z forward)")
SIZE = (480, 832)  # that its lenses are for
HEADER = re.compile(
    r"\{'descr': (?:'([^']+)'|\[.*\]), 'fortran_order': (True|False), 'shape': \(([0-9, L]*)\),? *\}", re.DOTALL
)
MAX_HEADER = 4096


def from_lingbot(files: Mapping[str, bytes], view: Camera | None = None, fps: int | float | None = None) -> Trajectory:
    """files: the bytes of `poses.npy` (T, 4, 4) or (T, 3, 4), and of `intrinsics.npy` (T, 4) or (4,) where it is there.

    view: the lens and size where `intrinsics.npy` is missing. Raises ValueError with the file, the limit and the fix.
    """
    poses = array_of("poses.npy", files["poses.npy"])
    if poses.ndim != 3 or poses.shape[1:] not in ((4, 4), (3, 4)) or not len(poses):
        raise Refused(
            "The array has the shape {shape}, must be (frames, 4, 4) ({convention}). Save the poses of the cameras "
            "alone.",
            shape=poses.shape,
            convention=LINGBOT,
        )
    check_count(len(poses))
    if "intrinsics.npy" not in files:
        lenses, height, width = np.broadcast_to(view.K, (len(poses), 3, 3)), view.height, view.width
    else:
        numbers = array_of("intrinsics.npy", files["intrinsics.npy"])
        if numbers.shape not in ((4,), (1, 4), (len(poses), 4)):
            raise Refused(
                "{file} has the shape {shape}, must be ({frames}, 4): fx, fy, cx, cy ({convention}). Save it again.",
                file="intrinsics.npy",
                shape=numbers.shape,
                frames=len(poses),
                convention=LINGBOT,
            )
        height, width = SIZE
        lenses = np.zeros((len(poses), 3, 3))
        lenses[:, [0, 1, 0, 1], [0, 1, 2, 2]] = numbers
        lenses[:, 2, 2] = 1
    cameras = [
        checked_camera(Sentence("Camera {number}", number=number), LINGBOT, K, pose, height, width)
        for number, (pose, K) in enumerate(zip(poses, lenses, strict=True), start=1)
    ]
    return Trajectory.from_cameras(cameras, NATIVE_FPS if fps is None else fps)


def array_of(file: str, data: bytes) -> np.ndarray:
    """The numbers of a `.npy` file as float64. Raises ValueError with its name for anything but finite sizes of plain
    numbers; nothing is allocated that the file does not hold."""
    cut_short = Refused("{file} is no array of numpy, or is cut short. Save it again.", file=file)
    if not data.startswith(b"\x93NUMPY") or len(data) < 12:
        raise cut_short
    size = "<H" if data[6] == 1 else "<I"
    start = 8 + struct.calcsize(size)
    end = start + struct.unpack_from(size, data, 8)[0]
    header = HEADER.fullmatch(data[start:end][:MAX_HEADER].decode("latin-1").strip())
    if header is None:
        raise cut_short
    kind, is_fortran, shape = header.groups(default="several fields")
    if not re.fullmatch("[<>|=]?([fiu][1248])", kind):
        raise Refused(
            "{file} holds {kind!r:.40}, must be numbers; Python objects (pickle) can run code and are never read. Save "
            "the poses with numpy.save as an array of floats.",
            file=file,
            kind=kind,
        )
    shape = [int(side[:12]) for side in re.findall("[0-9]+", shape)]
    try:
        layout = np.dtype(kind)
    except TypeError as error:  # a float of one byte, say
        raise cut_short from error
    if math.prod(shape) * layout.itemsize != len(data) - end:
        raise cut_short
    numbers = np.frombuffer(data, layout, offset=end).astype(np.float64)
    return numbers.reshape(shape, order="F" if is_fortran == "True" else "C")

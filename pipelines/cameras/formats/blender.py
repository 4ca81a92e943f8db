"""A Python script that makes an animated camera in Blender: open it in the Scripting workspace and run it."""

import json

import numpy as np

from pipelines.cameras.formats.shared import OPENGL_FROM_OPENCV, checked_camera
from pipelines.cameras.rotations import inverse
from pipelines.cameras.trajectory import Trajectory
from pipelines.errors import Refused, Sentence

BLENDER = Sentence("Blender script, camera to world in OpenGL axes (+x right, +y up, -z forward), the world with +z up")
WORLD = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])  # ours (+y down) -> Blender's (+z up)
SENSOR = 36.0  # mm across the width
DATA = "PATH = "

SCRIPT = '''"""An animated camera from Mirage Studio. In Blender: Scripting, open this file, run it.

The world has +z up and the photo's camera at its origin, looking along +y. One unit is one unit of the scene.
"""

import bpy
from mathutils import Matrix

{data}

scene = bpy.context.scene
scene.render.resolution_x, scene.render.resolution_y = PATH["width"], PATH["height"]
scene.render.resolution_percentage = 100
scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1.0
scene.render.fps = max(1, round(PATH["fps"]))
scene.render.fps_base = scene.render.fps / PATH["fps"]
scene.frame_start, scene.frame_end = 1, len(PATH["frames"])

lens = bpy.data.cameras.new("Mirage camera")
lens.sensor_fit, lens.sensor_width = "HORIZONTAL", PATH["sensor_width"]
camera = bpy.data.objects.new("Mirage camera", lens)
scene.collection.objects.link(camera)
scene.camera = camera
camera.rotation_mode = "QUATERNION"
before = None
for frame, view in enumerate(PATH["frames"], start=1):
    location, turn, _ = Matrix(view["matrix_world"]).decompose()
    if before is not None and before.dot(turn) < 0:
        turn.negate()
    before = turn.copy()
    camera.location, camera.rotation_quaternion = location, turn
    lens.lens, lens.shift_x, lens.shift_y = view["lens"], view["shift_x"], view["shift_y"]
    for name in ("location", "rotation_quaternion"):
        camera.keyframe_insert(name, frame=frame)
    for name in ("lens", "shift_x", "shift_y"):
        lens.keyframe_insert(name, frame=frame)
'''


def to_blender(trajectory: Trajectory) -> str:
    """The text of the script. It holds numbers only. Every frame is a keyframe.

    Raises ValueError when pixels are not square, which a Blender camera cannot change frame by frame.
    """
    height, width = trajectory.height, trajectory.width
    frames = []
    for index, camera in enumerate(trajectory):
        (fx, _, cx), (_, fy, cy), _ = camera.K.tolist()
        if abs(fx / fy - 1) > 1e-6:
            raise Refused(
                "Frame {index} has fx={fx:.6g} and fy={fy:.6g} pixels, must be equal for Blender. Resize the path to "
                "the shape it was made for.",
                index=index,
                fx=fx,
                fy=fy,
            )
        frames.append(
            {
                "matrix_world": (WORLD @ camera.c2w @ OPENGL_FROM_OPENCV).tolist(),
                "lens": fx / width * SENSOR,
                "shift_x": 0.5 - cx / width,
                "shift_y": (cy - height / 2) / width,  # in widths too, where the sensor fits the width
            }
        )
    path = {"height": height, "width": width, "fps": trajectory.fps, "sensor_width": SENSOR, "frames": frames}
    return SCRIPT.format(data=DATA + json.dumps(path, allow_nan=False))


def from_blender(text: str) -> Trajectory:
    """Reads the numbers out of a script that `to_blender` wrote; the script is not run. Cameras made in Blender itself
    come over as nerfstudio or COLMAP exports. Raises ValueError with the frame, the limit and the fix."""
    data = [line for line in text.splitlines() if line.startswith(DATA)]
    if len(data) != 1:
        raise Refused(
            "The script has no line {line!r} ({convention}). Only scripts written here are read.",
            line=DATA.strip(),
            convention=BLENDER,
        )
    try:
        path = json.loads(data[0].removeprefix(DATA))
    except (ValueError, RecursionError) as error:
        raise Refused("The line PATH of the script is not JSON. Export the path again.") from error
    try:
        height, width, frames = path["height"], path["width"], path["frames"]
        cameras = []
        if not frames:
            raise Refused("The script has no frames, at least 1 is needed. Export the path again.")
        for index, view in enumerate(frames):
            focal, shift_x, shift_y = (float(view[name]) for name in ("lens", "shift_x", "shift_y"))
            focal *= width / float(path["sensor_width"])
            K = [[focal, 0, (0.5 - shift_x) * width], [0, focal, height / 2 + shift_y * width], [0, 0, 1]]
            c2w = np.array(view["matrix_world"], dtype=np.float64)
            if np.isfinite(c2w).all():  # what is not is refused below
                c2w = inverse(WORLD) @ c2w @ OPENGL_FROM_OPENCV
            cameras.append(checked_camera(Sentence("Frame {index}", index=index), BLENDER, K, c2w, height, width))
        return Trajectory.from_cameras(cameras, path["fps"])
    except (KeyError, TypeError, ZeroDivisionError, OverflowError) as error:
        raise Refused(
            "The numbers of the script cannot be read ({error:.80}). Export the path again.", error=repr(error)
        ) from error

"""Files of cameras that a visitor chose -> a path that begins with the photo."""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from pipelines.cameras import Camera, Trajectory, formats
from pipelines.cameras.path import Path as CameraPath
from pipelines.cameras.rotations import inverse
from studio.state import drawn_path, with_lens
from studio.words import Refusal, explain, say

MAX_FILES = 3  # what a COLMAP model has
FIXES = ("backwards", "inverse")  # y-up needs none: every path is carried to the photo's camera


def opened(
    files: list[str], camera: Camera, language: str, fix: str | None = None
) -> tuple[CameraPath | None, str, list[dict]]:
    """The path, carried to the photo's camera and lens, what there is to say of it, and the other ways to read it, as
    [{fix, label}]; None, why not, and [].

    files: one, or those of a format of several files under their own names. fix: of FIXES, read it that way.
    """
    if len(files) > MAX_FILES:
        return None, say(language, "cameras_many", count=len(files), limit=MAX_FILES), []
    # a list of poses does not tell the size of its pictures: the clip's
    size = (camera.height, camera.width) if all(file.endswith(".txt") for file in files) else ()
    with tempfile.TemporaryDirectory() as folder:
        together = [Path(shutil.copy(file, folder)) for file in files]
        source = together[0] if len(together) == 1 else Path(folder)
        try:
            read = formats.read_cameras(source, *size, fix=fix)
            if read.convention == formats.EDITABLE:
                path = CameraPath.load(source)
            else:
                path = CameraPath.from_trajectory(from_photo(read.trajectory))
            path = with_lens(drawn_path(path.to_dict()), camera)
        except Refusal as refusal:
            return None, explain(language, refusal), []
        except ValueError as error:
            return None, explain(language, Refusal("cameras_refused", reason=error)), []
    said = say(language, "cameras_read", cameras=len(read.trajectory), convention=read.convention)
    kinds = [doubt.kind for doubt in read.doubts]
    fixes = [{"fix": kind, "label": say(language, f"fix_{kind}")} for kind in kinds if kind in FIXES]
    return path, " ".join([said, *(say(language, f"doubt_{kind}") for kind in kinds)]), fixes


def from_photo(trajectory: Trajectory) -> Trajectory:
    """The same way from where the photo was taken: frame 0 is its camera."""
    c2w = inverse(trajectory.c2w[0]) @ trajectory.c2w
    c2w[0] = np.eye(4)
    return Trajectory(c2w, trajectory.K, trajectory.height, trajectory.width, trajectory.fps)

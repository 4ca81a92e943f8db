"""Files of cameras that a visitor chose -> a path that begins with the photo."""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from pipelines.cameras import Camera, Trajectory, formats
from pipelines.cameras.path import Path as CameraPath
from pipelines.cameras.rotations import inverse
from studio.drawn import drawn_path, with_lens
from studio.words import Refusal, explain, say

MAX_FILES = 3  # what a COLMAP model has
FIXES = ("backwards", "inverse")  # y-up needs none: every path is moved to the photo's camera


def opened(
    files: list[str], camera: Camera, language: str, fix: str | None = None
) -> tuple[CameraPath | None, str, list[dict]]:
    """(path, notice, fixes): the path, moved to the photo's camera and lens; a sentence about it; and the other ways to
    read the files, as [{fix, label}]. Where they cannot be read: (None, why, []).

    files: one, or those of a format of several files under their own names. camera: the photo's. fix: one of FIXES, to
    read them that way.
    """
    if len(files) > MAX_FILES:
        return None, say(language, "cameras_many", count=len(files), limit=MAX_FILES), []
    # text formats may lack the size of their pictures: then it is the clip's
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
    """The same path, moved so that frame 0 is the photo's camera."""
    c2w = inverse(trajectory.c2w[0]) @ trajectory.c2w
    c2w[0] = np.eye(4)
    return Trajectory(c2w, trajectory.K, trajectory.height, trajectory.width, trajectory.fps)

"""Files of cameras that a visitor chose -> a path that begins with the photo."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipelines.cameras import Camera, Trajectory, formats
from pipelines.cameras.fitting import fit_error
from pipelines.cameras.keys import SECONDS
from pipelines.cameras.path import Path as CameraPath
from pipelines.cameras.resampling import LEAST_SECONDS, USUAL_SECONDS, resampled
from pipelines.cameras.rotations import inverse
from pipelines.cameras.trajectory import NATIVE_FPS
from studio.drawn import drawn_path, with_lens
from studio.words import Refusal, explain, say, translated

MAX_FILES = 5  # what a COLMAP model has
FIXES = ("backwards", "inverse")  # y-up needs none: every path is moved to the photo's camera


def opened(
    files: list[str], camera: Camera, language: str, fix: str | None = None
) -> tuple[CameraPath | None, str, list[dict]]:
    """(path, notice, fixes): the path, moved to the photo's camera and lens; what was read, left out and made of it, in
    plain words first, the axes that were assumed last; and the other ways to read the files, as [{fix, label}]. Where
    they cannot be read: (None, why, []).

    files: one, or those of a format of several files under their own names. camera: the photo's, whose lens and size
    hold where the files tell none. fix: one of FIXES, to read them that way. First and last camera are the files' own.
    """
    if len(files) > MAX_FILES:
        return None, say(language, "cameras_many", count=len(files), limit=MAX_FILES), []
    with tempfile.TemporaryDirectory() as folder:
        together = [Path(shutil.copy(file, folder)) for file in files]
        source = together[0] if len(together) == 1 else Path(folder)
        try:
            read = formats.read_cameras(source, fix=fix, view=camera)
            notes = [translated(language, sentence) for sentence in read.left_out]
            if read.convention == formats.EDITABLE:
                path = CameraPath.load(source)
            else:
                trajectory = from_photo(in_time(read.trajectory))
                path = CameraPath.from_trajectory(trajectory)
                notes += made(path, read.trajectory, trajectory, language)
            path = with_lens(drawn_path(path.to_dict()), camera)
        except Refusal as refusal:
            return None, explain(language, refusal), []
        except ValueError as error:
            return None, explain(language, Refusal("cameras_refused", reason=error)), []
    convention = translated(language, read.convention)
    said = say(language, "cameras_read", cameras=len(read.trajectory), format=convention.split(",")[0])
    details = say(language, "cameras_details", convention=convention)
    kinds = [doubt.kind for doubt in read.doubts]
    fixes = [{"fix": kind, "label": say(language, f"fix_{kind}")} for kind in kinds if kind in FIXES]
    return path, " ".join([said, *notes, *(say(language, f"doubt_{kind}") for kind in kinds), details]), fixes


def in_time(trajectory: Trajectory) -> Trajectory:
    """The cameras in a time that a clip may take: the file's own where it is, else 4 seconds, or the longest that a
    path has (two cameras, or two thousand)."""
    seconds, longest = trajectory.seconds, SECONDS[1]
    if len(trajectory) < 2 or LEAST_SECONDS <= seconds <= longest:
        return trajectory
    seconds = USUAL_SECONDS if seconds < LEAST_SECONDS else longest
    return replace(resampled(trajectory, round(seconds * NATIVE_FPS)), fps=NATIVE_FPS)


def made(path: CameraPath, read: Trajectory, trajectory: Trajectory, language: str) -> list[str]:
    """What became of the cameras: how many points, and how near the path stays to them."""
    off, degrees, _ = fit_error(path, trajectory)
    figures = {"points": len(path.keys), "seconds": path.duration, "percent": 100 * off, "degrees": degrees}
    said = [say(language, "cameras_made", **figures)]
    if len(trajectory) != len(read):
        said.append(say(language, "cameras_in_time", own=read.seconds))
    return said


def from_photo(trajectory: Trajectory) -> Trajectory:
    """The same path, moved so that frame 0 is the photo's camera."""
    c2w = inverse(trajectory.c2w[0]) @ trajectory.c2w
    c2w[0] = np.eye(4)
    return replace(trajectory, c2w=c2w)

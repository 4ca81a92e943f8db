"""Reads cameras from a file or folder of any known format; `recognising.py` tells which one it is."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.curve import fov
from pipelines.cameras.formats.blender import BLENDER, from_blender
from pipelines.cameras.formats.colmap import COLMAP, from_colmap, left_out_of_colmap
from pipelines.cameras.formats.colmap_binary import COLMAP_BINARY, from_colmap_binary, left_out_of_colmap_binary
from pipelines.cameras.formats.doubts import Doubt, corrected, doubts
from pipelines.cameras.formats.kitti import KITTI, from_kitti
from pipelines.cameras.formats.kubric import KUBRIC, from_kubric
from pipelines.cameras.formats.lingbot import LINGBOT, from_lingbot
from pipelines.cameras.formats.motionctrl import MOTIONCTRL, from_motionctrl
from pipelines.cameras.formats.nerfstudio import NERFSTUDIO, from_nerfstudio, left_out_of_nerfstudio
from pipelines.cameras.formats.realestate10k import REALESTATE10K, from_realestate10k
from pipelines.cameras.formats.recammaster import RECAMMASTER, from_recammaster, left_out_of_recammaster
from pipelines.cameras.formats.recognising import found_in
from pipelines.cameras.formats.record3d import RECORD3D, from_record3d
from pipelines.cameras.formats.registry import EDITABLE, OURS
from pipelines.cameras.formats.shared import lens_missing
from pipelines.cameras.formats.spatia import SPATIA, from_spatia
from pipelines.cameras.formats.tum import TUM, from_tum
from pipelines.cameras.formats.viewer import VIEWER, from_viewer, left_out_of_viewer
from pipelines.cameras.path import Path as EditablePath
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

DEFAULT_SIZE = (288, 512)


@dataclass(frozen=True)
class Imported:
    """Cameras that were read, the convention that was assumed, what is odd about them, and what of the file was left
    out or mended."""

    trajectory: Trajectory
    convention: Sentence
    doubts: tuple[Doubt, ...]
    left_out: tuple[Sentence, ...] = ()


class Given(NamedTuple):
    """What is known besides the file. size: (height, width) of the clip. fps: how it plays. view: a camera whose lens
    and size hold where the file tells none."""

    size: tuple[int, int] | None
    fps: int | float | None
    view: Camera | None

    def lens(self, convention: Sentence) -> Camera:
        """The view, for formats that tell no lens. Raises ValueError where nobody gave it."""
        if self.view is None:
            raise lens_missing(convention)
        return self.view if self.size is None else self.view.resized(*self.size)

    @property
    def picture(self) -> tuple[int, int] | None:
        """(height, width) for formats that tell no size; None where nobody gave it."""
        return self.size or (self.view and (self.view.height, self.view.width))

    @property
    def rate(self) -> int | float:
        return NATIVE_FPS if self.fps is None else self.fps


@dataclass(frozen=True)
class Reader:
    """convention: what it assumes; it begins with the name of the format. read: the data and what is given -> cameras.
    left_out: what it leaves out of data that it reads. any_up: see `doubts`; None where there is nothing to doubt.
    has_lens: whether its files tell the lens, which else is given."""

    convention: Sentence
    read: Callable[[Any, Given], Trajectory]
    left_out: Callable[[Any], list[Sentence]] = lambda data: []
    any_up: bool | None = False
    has_lens: Callable[[Any], bool] = lambda data: True


def no_lens(data: Any) -> bool:
    """`Reader.has_lens` of formats that never tell any."""
    return False


def _of_path(data: dict, given: Given) -> Trajectory:
    return EditablePath.from_dict(data).trajectory(*(given.size or DEFAULT_SIZE), given.rate)


READERS = {
    "json": Reader(OURS, lambda data, _: Trajectory.from_dict(data)),
    "path": Reader(EDITABLE, _of_path, any_up=None),  # it can be written in one convention only
    "nerfstudio": Reader(
        NERFSTUDIO, lambda data, g: from_nerfstudio(data, g.picture, g.view), left_out_of_nerfstudio, any_up=True
    ),
    "viewer": Reader(VIEWER, lambda data, g: from_viewer(data, g.view), left_out_of_viewer, any_up=True),
    "colmap": Reader(COLMAP, lambda files, g: from_colmap(files, g.rate), left_out_of_colmap),
    "colmap-binary": Reader(
        COLMAP_BINARY, lambda files, g: from_colmap_binary(files, g.rate), left_out_of_colmap_binary
    ),
    "re10k": Reader(REALESTATE10K, lambda text, g: from_realestate10k(text, *(g.size or (None, None)), g.fps)),
    "spatia": Reader(SPATIA, lambda files, g: from_spatia(files, *(g.size or (None, None)), g.fps)),
    "blender": Reader(BLENDER, lambda text, _: from_blender(text)),
    "tum": Reader(TUM, lambda text, g: from_tum(text, g.lens(TUM), g.fps), any_up=True, has_lens=no_lens),
    "kitti": Reader(KITTI, lambda text, g: from_kitti(text, g.lens(KITTI), g.fps), has_lens=no_lens),
    "motionctrl": Reader(
        MOTIONCTRL, lambda data, g: from_motionctrl(data, g.lens(MOTIONCTRL), g.fps), has_lens=no_lens
    ),
    "recammaster": Reader(
        RECAMMASTER,
        lambda data, g: from_recammaster(data, g.lens(RECAMMASTER), g.fps),
        left_out_of_recammaster,
        has_lens=no_lens,
    ),
    "record3d": Reader(RECORD3D, lambda data, g: from_record3d(data, g.fps), any_up=True),
    "kubric": Reader(KUBRIC, lambda data, g: from_kubric(data, g.picture, g.fps), any_up=True),
    "lingbot": Reader(
        LINGBOT,
        lambda files, g: from_lingbot(files, None if "intrinsics.npy" in files else g.lens(LINGBOT), g.fps),
        any_up=True,
        has_lens=lambda files: "intrinsics.npy" in files,
    ),
}


def read_cameras(
    source: str | os.PathLike,
    height: int | None = None,
    width: int | None = None,
    fps: int | float | None = None,
    fix: str | None = None,
    view: Camera | None = None,
) -> Imported:
    """Cameras of any known format, the convention that was assumed, what is odd about them and what was left out.

    source: a file, or a folder of those that belong together, of the formats in docs/formats.md; its content tells
    which. height, width: the size of the clip; the shape must be the file's. fps: of an editable path and of formats
    without a frame rate; for others it sets the playing speed. fix: read it in another convention, one of CORRECTIONS.
    view: the photo's camera, say: its lens and size hold where the file tells none. Raises ValueError with one
    sentence.
    """
    source = Path(source)
    size = None if height is None or width is None else (height, width)
    name, data = found_in(source)
    reader = READERS[name]
    try:
        trajectory = reader.read(data, Given(size, fps, view))
        if size is not None:
            trajectory = _of_size(trajectory, *size)
        if fps is not None and fps != trajectory.fps:
            trajectory = replace(trajectory, fps=fps)
        if fix is not None:
            trajectory = corrected(trajectory, fix)
        left_out = tuple(reader.left_out(data))
        if not reader.has_lens(data):
            left_out += (lens_used(trajectory[0]),)
    except (ValueError, TypeError) as error:
        raise Refused("{file}: {reason}", file=source.name or source, reason=error) from error
    found = () if reader.any_up is None else tuple(doubts(trajectory, reader.any_up))
    return Imported(trajectory, reader.convention, found, left_out)


def lens_used(camera: Camera) -> Sentence:
    """What is said of cameras that got their lens elsewhere."""
    focal = camera.K[0, 0]
    return Sentence(
        "The file tells no lens: one of {degrees:.0f} degrees across the long side is used ({mm:.0f} mm of full "
        "frame).",
        degrees=fov(focal / max(camera.width, camera.height)),
        mm=focal * np.hypot(36, 24) / np.hypot(camera.width, camera.height),
    )


def _of_size(trajectory: Trajectory, height: int, width: int) -> Trajectory:
    if abs(trajectory.width * height - trajectory.height * width) > 0.01 * trajectory.width * height:
        raise Refused(
            "--size {height}x{width} has another shape than the cameras ({own_height}x{own_width}). "
            "Use a size of that shape.",
            height=height,
            width=width,
            own_height=trajectory.height,
            own_width=trajectory.width,
        )
    return trajectory.resized(height, width)

"""The formats that are known, by name: what each assumes, and how a path is written in it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.cameras.formats.blender import BLENDER, to_blender
from pipelines.cameras.formats.colmap import COLMAP, to_colmap
from pipelines.cameras.formats.nerfstudio import NERFSTUDIO, to_nerfstudio
from pipelines.cameras.formats.realestate10k import REALESTATE10K, to_realestate10k
from pipelines.cameras.formats.spatia import SPATIA, to_spatia
from pipelines.cameras.trajectory import Trajectory
from pipelines.errors import Sentence

OURS = Sentence("Mirage Studio trajectory, c2w in OpenCV axes (+x right, +y down, +z forward)")
EDITABLE = Sentence("Mirage Studio editable path, c2w in OpenCV axes (+x right, +y down, +z forward)")


@dataclass(frozen=True)
class Format:
    """convention: what it assumes. write: trajectory -> text of every file by name. any_up: see `doubts`."""

    convention: Sentence
    write: Callable[[Trajectory], Mapping[str, str]]
    any_up: bool = False


FORMATS = {
    "json": Format(OURS, lambda path: {"path.json": json.dumps(path.to_dict(), allow_nan=False)}),
    "re10k": Format(REALESTATE10K, lambda path: {"path.txt": to_realestate10k(path)}),
    "colmap": Format(COLMAP, to_colmap),
    "nerfstudio": Format(
        NERFSTUDIO, lambda path: {"transforms.json": json.dumps(to_nerfstudio(path), indent=1)}, any_up=True
    ),
    "blender": Format(BLENDER, lambda path: {"camera.py": to_blender(path)}),
    "spatia": Format(SPATIA, to_spatia),
}

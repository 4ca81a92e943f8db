"""Camera paths in the formats of other tools: one module per format. docs/formats.md has the facts.

Writers take a `Trajectory` (those of COLMAP and nerfstudio any cameras, in order) and return plain data; readers take
the same data and return a `Trajectory`. Each reader names the convention it assumes and refuses what breaks it; what is
only odd comes as doubts (`doubts.py`). `read_cameras` recognises the format of a file or folder, `write_cameras` writes
one to disk.
"""

from pipelines.cameras.formats.blender import from_blender, to_blender
from pipelines.cameras.formats.colmap import from_colmap, to_colmap
from pipelines.cameras.formats.colmap_binary import from_colmap_binary
from pipelines.cameras.formats.doubts import CORRECTIONS, Doubt, corrected, doubts
from pipelines.cameras.formats.kitti import from_kitti
from pipelines.cameras.formats.kubric import from_kubric
from pipelines.cameras.formats.lingbot import from_lingbot
from pipelines.cameras.formats.motionctrl import from_motionctrl
from pipelines.cameras.formats.nerfstudio import from_nerfstudio, to_nerfstudio
from pipelines.cameras.formats.reading import DEFAULT_SIZE, READERS, Imported, read_cameras
from pipelines.cameras.formats.realestate10k import from_realestate10k, to_realestate10k
from pipelines.cameras.formats.recammaster import from_recammaster
from pipelines.cameras.formats.record3d import from_record3d
from pipelines.cameras.formats.registry import EDITABLE, FORMATS
from pipelines.cameras.formats.spatia import from_spatia, to_spatia
from pipelines.cameras.formats.tum import from_tum
from pipelines.cameras.formats.viewer import from_viewer
from pipelines.cameras.formats.writing import save_cameras, write_cameras

__all__ = [
    "CORRECTIONS",
    "DEFAULT_SIZE",
    "EDITABLE",
    "FORMATS",
    "READERS",
    "Doubt",
    "Imported",
    "corrected",
    "doubts",
    "from_blender",
    "from_colmap",
    "from_colmap_binary",
    "from_kitti",
    "from_kubric",
    "from_lingbot",
    "from_motionctrl",
    "from_nerfstudio",
    "from_realestate10k",
    "from_recammaster",
    "from_record3d",
    "from_spatia",
    "from_tum",
    "from_viewer",
    "read_cameras",
    "save_cameras",
    "to_blender",
    "to_colmap",
    "to_nerfstudio",
    "to_realestate10k",
    "to_spatia",
    "write_cameras",
]

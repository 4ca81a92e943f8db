"""Writes cameras in any known format: all of its files, or none."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.colmap import to_colmap
from pipelines.cameras.formats.nerfstudio import to_nerfstudio
from pipelines.cameras.formats.registry import FORMATS
from pipelines.cameras.trajectory import Trajectory
from pipelines.errors import Refused
from pipelines.files import atomic_write


def write_cameras(trajectory: Trajectory, name: str, out: str | os.PathLike) -> list[Path]:
    """Writes the path in the format `name` of FORMATS, all its files or none; returns what was written.

    out: the file, for formats that are one file; for the others, and where out has no suffix, the folder for them.
    Raises ValueError for what the format cannot hold, OSError where the disk cannot be written.
    """
    if name not in FORMATS:
        raise Refused("Unknown format {name!r:.40}. Choose from {allowed}.", name=name, allowed=", ".join(FORMATS))
    out = Path(out)
    if not out.parent.is_dir():
        raise Refused("The folder {folder} does not exist. Make it first.", folder=out.parent)
    texts = FORMATS[name].write(trajectory)
    if len(texts) == 1 and out.suffix and not out.is_dir():
        return _written({out: next(iter(texts.values()))})
    return _written({out / file: text for file, text in texts.items()})


def save_cameras(cameras: Trajectory | Iterable[Camera], folder: str | os.PathLike) -> None:
    """Writes `transforms.json` and `sparse/0/*.txt` into the folder, where nerfstudio and COLMAP look for them.

    All files appear or none. Raises OSError where the disk cannot be written.
    """
    cameras = cameras if isinstance(cameras, Trajectory) else list(cameras)
    model = {Path(folder) / "sparse" / "0" / name: text for name, text in to_colmap(cameras).items()}
    _written({Path(folder) / "transforms.json": json.dumps(to_nerfstudio(cameras), indent=1), **model})


def _written(texts: Mapping[Path, str]) -> list[Path]:
    """Files get their names when all of them are on the disk; folders that were made for them go if that fails."""
    made = []
    try:
        with ExitStack() as stack:
            for file, text in texts.items():
                missing = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()]
                for folder in reversed(missing):
                    folder.mkdir()
                    made.append(folder)
                stack.enter_context(atomic_write(file)).write_text(text, encoding="utf-8")
    except BaseException:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()  # only if it is empty
        raise
    return list(texts)

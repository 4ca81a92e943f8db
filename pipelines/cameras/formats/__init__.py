"""Camera paths in the formats of other tools: one module per format. docs/formats.md has the facts.

Writers take a `Trajectory` (two of them any cameras in order) and return plain data; readers take the same data and
give a `Trajectory`. Each reader says which convention it assumes and refuses what breaks it; what is only odd comes as
doubts (`doubts.py`). `read_cameras` finds out the format of a file or folder, `write_cameras` puts one on disk.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.cameras.camera import Camera
from pipelines.cameras.formats.blender import BLENDER, from_blender, to_blender
from pipelines.cameras.formats.colmap import COLMAP, from_colmap, to_colmap
from pipelines.cameras.formats.doubts import CORRECTIONS, Doubt, corrected, doubts
from pipelines.cameras.formats.nerfstudio import NERFSTUDIO, from_nerfstudio, to_nerfstudio
from pipelines.cameras.formats.realestate10k import REALESTATE10K, from_realestate10k, to_realestate10k
from pipelines.cameras.formats.spatia import SPATIA, from_spatia, to_spatia
from pipelines.cameras.path import Path as EditablePath
from pipelines.cameras.rotations import inverse, quaternion, rotation
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.files import atomic_write

__all__ = [
    "CORRECTIONS",
    "FORMATS",
    "Doubt",
    "Imported",
    "corrected",
    "doubts",
    "from_blender",
    "from_colmap",
    "from_nerfstudio",
    "from_realestate10k",
    "from_spatia",
    "inverse",
    "quaternion",
    "read_cameras",
    "rotation",
    "save_cameras",
    "to_blender",
    "to_colmap",
    "to_nerfstudio",
    "to_realestate10k",
    "to_spatia",
    "write_cameras",
]

OURS = "Mirage Studio trajectory, c2w in OpenCV axes (+x right, +y down, +z forward)"
EDITABLE = "Mirage Studio editable path, c2w in OpenCV axes (+x right, +y down, +z forward)"
MAX_BYTES = 64 * 1024 * 1024  # of one file; COLMAP lists its 2D points beside the cameras
DEFAULT_SIZE = (288, 512)


@dataclass(frozen=True)
class Format:
    """convention: what it assumes. write: trajectory -> text of every file by name. any_up: see `doubts`."""

    convention: str
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


@dataclass(frozen=True)
class Imported:
    """Cameras that were read, the convention that was assumed, and what is odd about them."""

    trajectory: Trajectory
    convention: str
    doubts: tuple[Doubt, ...]


def read_cameras(
    source: str | os.PathLike,
    height: int | None = None,
    width: int | None = None,
    fps: int | float | None = None,
    fix: str | None = None,
) -> Imported:
    """Cameras of any format that is known here, told by the names and the content of the files.

    source: a JSON (ours, an editable path, nerfstudio), a RealEstate10K txt, a Blender script of ours, or a folder with
    `transforms.json`, a COLMAP text model (there or in `sparse/0`) or the Spatia pair. height, width: the size of the
    clip; the shape must be the file's. fps: of an editable path and of formats that tell none; for others it sets the
    playing speed. fix: read it the other way, one of CORRECTIONS. Raises ValueError with one sentence.
    """
    source = Path(source)
    name, texts = _found(source)
    try:
        trajectory = _parsed(name, texts, height, width, fps)
        if height is not None and width is not None:
            trajectory = _of_size(trajectory, height, width)
        if fps is not None and fps != trajectory.fps:
            trajectory = Trajectory(trajectory.c2w, trajectory.K, trajectory.height, trajectory.width, fps)
        if fix is not None:
            trajectory = corrected(trajectory, fix)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source.name or source}: {error}") from error
    if name == "path":  # nothing to doubt: it can be written in one convention only
        return Imported(trajectory, EDITABLE, ())
    return Imported(trajectory, FORMATS[name].convention, tuple(doubts(trajectory, FORMATS[name].any_up)))


def write_cameras(trajectory: Trajectory, name: str, out: str | os.PathLike) -> list[Path]:
    """Writes the path in the format `name` of FORMATS, all its files or none; returns what was written.

    out: the file, for formats that are one file; for the others, and where out has no suffix, the folder for them.
    Raises ValueError for what the format cannot say, OSError when the disk refuses.
    """
    if name not in FORMATS:
        raise ValueError(f"Unknown format {name!r:.40}. Choose from {', '.join(FORMATS)}.")
    out = Path(out)
    if not out.parent.is_dir():
        raise ValueError(f"The folder {out.parent} does not exist. Make it first.")
    texts = FORMATS[name].write(trajectory)
    if len(texts) == 1 and out.suffix and not out.is_dir():
        return _written({out: next(iter(texts.values()))})
    return _written({out / file: text for file, text in texts.items()})


def save_cameras(cameras: Trajectory | Iterable[Camera], folder: str | os.PathLike) -> None:
    """Writes `transforms.json` and `sparse/0/*.txt` into the folder, where nerfstudio and COLMAP look for them.

    All files appear whole or none. Raises OSError when the disk refuses.
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


def _found(source: Path) -> tuple[str, dict[str, str]]:
    """Which format a file or folder holds, and the text of its files."""
    if not source.exists():
        raise ValueError(f"{source} does not exist. Give a file with cameras, or a folder.")
    folder = source if source.is_dir() else source.parent
    if source.is_dir() or source.name in ("w2c.txt", "intrinsics.txt", "cameras.txt", "images.txt"):
        if source.is_dir() and (folder / "transforms.json").is_file():
            return "nerfstudio", {"transforms.json": _text(folder / "transforms.json")}
        for name, files, places in (
            ("colmap", ("cameras.txt", "images.txt"), (folder, folder / "sparse" / "0")),
            ("spatia", ("w2c.txt", "intrinsics.txt"), (folder,)),
        ):
            for place in places:
                if all((place / file).is_file() for file in files) and (source.is_dir() or source.name in files):
                    return name, {file: _text(place / file) for file in files}
    if source.is_dir():
        raise ValueError(
            f"{source} holds no cameras: no transforms.json, no cameras.txt with images.txt (there or in sparse/0) and "
            "no w2c.txt with intrinsics.txt. Give the folder that does."
        )
    suffix = source.suffix.lower()
    if suffix == ".txt":
        return "re10k", {source.name: _text(source)}
    if suffix == ".py":
        return "blender", {source.name: _text(source)}
    if suffix != ".json":
        raise ValueError(f"{source.name} is no .json, .txt or .py. Give a file of docs/formats.md, or a folder.")
    text = _text(source)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{source.name} is not JSON ({str(error) or type(error).__name__:.80}). Save it again."
        ) from error
    for name, key in (("json", "c2w"), ("path", "keys"), ("nerfstudio", "frames")):
        if isinstance(data, dict) and key in data:
            return name, {source.name: text}
    raise ValueError(
        f"{source.name} has neither c2w (a trajectory), keys (an editable path) nor frames (nerfstudio). See "
        "docs/formats.md."
    )


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)  # never more, whatever the size on disk says
        if len(data) > MAX_BYTES:
            raise ValueError(f"{file.name} is over {MAX_BYTES} bytes, the limit. Cut the path.")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"{file.name} cannot be opened ({error.strerror}). Check it.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file.name} is no text in UTF-8. Give a file of docs/formats.md.") from error


def _parsed(name: str, texts: dict[str, str], height: int | None, width: int | None, fps) -> Trajectory:
    text = next(iter(texts.values()))
    if name == "path":
        size = DEFAULT_SIZE if height is None or width is None else (height, width)
        return EditablePath.from_dict(json.loads(text)).trajectory(*size, NATIVE_FPS if fps is None else fps)
    if name == "json":
        return Trajectory.from_dict(json.loads(text))
    if name == "nerfstudio":
        return from_nerfstudio(json.loads(text))
    if name == "colmap":
        return from_colmap(texts, NATIVE_FPS if fps is None else fps)
    if name == "blender":
        return from_blender(text)
    if name == "re10k":
        return from_realestate10k(text, height, width, fps)
    return from_spatia(texts, height, width, fps)


def _of_size(trajectory: Trajectory, height: int, width: int) -> Trajectory:
    if abs(trajectory.width * height - trajectory.height * width) > 0.01 * trajectory.width * height:
        raise ValueError(
            f"--size {height}x{width} has another shape than the cameras ({trajectory.height}x{trajectory.width}). "
            "Use a size of that shape."
        )
    return trajectory.resized(height, width)

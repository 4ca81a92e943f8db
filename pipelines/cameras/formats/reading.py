"""Reads cameras from a file or folder of any known format, recognised by file names and content."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.cameras.formats.blender import from_blender
from pipelines.cameras.formats.colmap import from_colmap
from pipelines.cameras.formats.doubts import Doubt, corrected, doubts
from pipelines.cameras.formats.nerfstudio import from_nerfstudio
from pipelines.cameras.formats.realestate10k import from_realestate10k
from pipelines.cameras.formats.registry import EDITABLE, FORMATS
from pipelines.cameras.formats.spatia import from_spatia
from pipelines.cameras.path import Path as EditablePath
from pipelines.cameras.trajectory import NATIVE_FPS, Trajectory
from pipelines.errors import Refused, Sentence

MAX_BYTES = 64 * 1024 * 1024  # of one file; COLMAP lists its 2D points beside the cameras
DEFAULT_SIZE = (288, 512)


@dataclass(frozen=True)
class Imported:
    """Cameras that were read, the convention that was assumed, and what is odd about them."""

    trajectory: Trajectory
    convention: Sentence
    doubts: tuple[Doubt, ...]


def read_cameras(
    source: str | os.PathLike,
    height: int | None = None,
    width: int | None = None,
    fps: int | float | None = None,
    fix: str | None = None,
) -> Imported:
    """Cameras of any known format, the convention that was assumed and what is odd about them.

    source: a JSON (ours, an editable path, nerfstudio), a RealEstate10K txt, a Blender script of ours, or a folder with
    `transforms.json`, a COLMAP text model (there or in `sparse/0`) or the Spatia pair. height, width: the size of the
    clip; the shape must be the file's. fps: of an editable path and of formats without a frame rate; for others it sets
    the playing speed. fix: read it in another convention, one of CORRECTIONS. Raises ValueError with one sentence.
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
        raise Refused("{file}: {reason}", file=source.name or source, reason=error) from error
    if name == "path":  # nothing to doubt: it can be written in one convention only
        return Imported(trajectory, EDITABLE, ())
    return Imported(trajectory, FORMATS[name].convention, tuple(doubts(trajectory, FORMATS[name].any_up)))


def _found(source: Path) -> tuple[str, dict[str, str]]:
    """Which format a file or folder holds, and the text of its files."""
    if not source.exists():
        raise Refused("{path} does not exist. Give a file with cameras, or a folder.", path=source)
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
        raise Refused(
            "{path} holds no cameras: no transforms.json, no cameras.txt with images.txt (there or in sparse/0) and "
            "no w2c.txt with intrinsics.txt. Give the folder that does.",
            path=source,
        )
    suffix = source.suffix.lower()
    if suffix == ".txt":
        return "re10k", {source.name: _text(source)}
    if suffix == ".py":
        return "blender", {source.name: _text(source)}
    if suffix != ".json":
        raise Refused("{file} is no .json, .txt or .py. Give a file of docs/formats.md, or a folder.", file=source.name)
    text = _text(source)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(
            "{file} is not JSON ({reason:.80}). Save it again.",
            file=source.name,
            reason=str(error) or type(error).__name__,
        ) from error
    for name, key in (("json", "c2w"), ("path", "keys"), ("nerfstudio", "frames")):
        if isinstance(data, dict) and key in data:
            return name, {source.name: text}
    raise Refused(
        "{file} has neither c2w (a trajectory), keys (an editable path) nor frames (nerfstudio). See docs/formats.md.",
        file=source.name,
    )


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)  # a size on disk can be wrong
        if len(data) > MAX_BYTES:
            raise Refused("{file} is over {limit} bytes, the limit. Cut the path.", file=file.name, limit=MAX_BYTES)
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Refused("{file} cannot be opened ({reason}). Check it.", file=file.name, reason=error.strerror) from error
    except UnicodeDecodeError as error:
        raise Refused("{file} is no text in UTF-8. Give a file of docs/formats.md.", file=file.name) from error


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
        raise Refused(
            "--size {height}x{width} has another shape than the cameras ({own_height}x{own_width}). "
            "Use a size of that shape.",
            height=height,
            width=width,
            own_height=trajectory.height,
            own_width=trajectory.width,
        )
    return trajectory.resized(height, width)

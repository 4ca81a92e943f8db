"""Which format a file or folder holds, told by its content; names count only where several files belong together."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.cameras.formats import foreign
from pipelines.cameras.formats.blender import DATA as BLENDER_LINE
from pipelines.cameras.formats.shared import lines
from pipelines.errors import Refused

MAX_BYTES = 64 * 1024 * 1024  # of one file; COLMAP lists its 2D points beside the cameras
TOGETHER = {  # format: the files that belong together, all of them needed but those of LingBot
    "colmap": ("cameras.txt", "images.txt"),
    "colmap-binary": ("cameras.bin", "images.bin"),
    "spatia": ("w2c.txt", "intrinsics.txt"),
    "lingbot": ("poses.npy", "intrinsics.npy"),
}
PLACES = ("", "sparse/0", "sparse", "colmap/sparse/0", "EXR_RGBD")  # where COLMAP and others put them in a folder
ALONE = ("transforms.json", "camera_path.json", "metadata.json", "camera_extrinsics.json")
COLUMNS = {8: "tum", 12: "kitti", 19: "re10k"}  # numbers in a line


class Found(NamedTuple):
    """name: the format, as `reading.READERS` has it. data: what its reader takes: text, JSON, or {file: content}."""

    name: str
    data: Any


def found_in(source: Path) -> Found:
    """Raises ValueError with one sentence where nothing is read, naming what it seems to be and what to do."""
    if not source.exists():
        raise Refused("{path} does not exist. Give a file with cameras, or a folder.", path=source)
    if source.is_dir():
        for folder in (source / place for place in PLACES):
            for file in ALONE:
                if (folder / file).is_file():
                    return _in_file(folder / file)
            if found := _together(folder):
                return found
        raise Refused(
            "{path} holds no cameras: no transforms.json, no cameras.txt with images.txt (or .bin, there or in "
            "sparse/0), no w2c.txt with intrinsics.txt and no poses.npy. Give the folder that does.",
            path=source,
        )
    for name, files in TOGETHER.items():
        if source.name in files and (found := _together(source.parent, name)):
            return found
    return _in_file(source)


def _together(folder: Path, only: str | None = None) -> Found | None:
    """The files of one format that lie side by side."""
    for name, files in TOGETHER.items():
        there = [file for file in files if (folder / file).is_file()]
        is_complete = there == list(files) or (name == "lingbot" and files[0] in there)
        if is_complete and only in (None, name):
            read = read_bytes if name in ("lingbot", "colmap-binary") else read_text
            return Found(name, {file: read(folder / file) for file in there})
    return None


def _in_file(file: Path) -> Found:
    data = read_bytes(file)
    if not data.strip():
        raise Refused("{file} is empty. Export the cameras again.", file=file.name)
    foreign.refuse_binary(file.name, data[:512])
    if data.startswith(b"\x93NUMPY"):
        return Found("lingbot", {"poses.npy": data})
    for name, files in TOGETHER.items():
        if name == "colmap-binary" and file.name in files:
            return Found(name, {file.name: data})  # its reader says which one is missing
    text = decoded(file.name, data)
    if file.suffix.lower() == ".json" or text.lstrip()[:1] in ("{", "["):
        if file.name not in TOGETHER["spatia"]:
            return _in_json(file.name, text)
    if file.suffix.lower() == ".py" or text.startswith(BLENDER_LINE) or f"\n{BLENDER_LINE}" in text:
        return Found("blender", text)
    foreign.refuse_text(file.name, text)
    return _in_lines(file.name, text)


def _in_lines(file: str, text: str) -> Found:
    count = _count_of_numbers(text)
    if count in COLUMNS:
        return Found(COLUMNS[count], text)
    for name in ("colmap", "spatia"):
        if file in TOGETHER[name]:
            return Found(name, {file: text})  # its reader says which one is missing
    foreign.refuse_columns(file, count)
    if file.lower().endswith(".txt"):
        return Found("re10k", text)  # the usual txt: its reader says what a line must be
    raise Refused(
        "{file} is none of the files that are read: JSON, lines of numbers (RealEstate10K, TUM, KITTI), COLMAP, arrays "
        "of numpy, a Blender script of ours. Give a file of docs/formats.md, or a folder.",
        file=file,
    )


def _count_of_numbers(text: str) -> int:
    """How many numbers most lines hold; the first line may be an address. 0 where most are no numbers."""
    counts = []
    for _, words in lines(text.replace(",", " "))[:50]:
        try:
            [float(word) for word in words]
            counts.append(len(words))
        except ValueError:
            counts.append(0)
    return max(set(counts), key=counts[1:].count) if len(counts) > 1 else (counts or [0])[0]


def _in_json(file: str, text: str) -> Found:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(
            "{file} is not JSON ({reason:.80}). Save it again.", file=file, reason=str(error) or type(error).__name__
        ) from error
    for name, is_it in JSON_FORMATS.items():
        if is_it(data):
            return Found(name, data)
    foreign.refuse_keys(file, data)
    raise Refused(
        "{file} has neither c2w (a trajectory), keys (an editable path), frames or camera_path (nerfstudio) nor the "
        "poses of Record3D, Kubric, ReCamMaster or MotionCtrl. See docs/formats.md.",
        file=file,
    )


def _has(*keys: str) -> Callable[[Any], bool]:
    return lambda data: isinstance(data, dict) and all(key in data for key in keys)


def _is_kubric(data) -> bool:
    return _has("camera")(data) and _has("positions", "quaternions")(data["camera"])


def _is_recammaster(data) -> bool:
    return isinstance(data, dict) and bool(data) and all(key[:5] == "frame" and key[5:].isdecimal() for key in data)


def _is_motionctrl(data) -> bool:
    return isinstance(data, list) and bool(data) and all(isinstance(entry, list) and entry for entry in data)


JSON_FORMATS = {
    "json": _has("c2w"),
    "path": _has("keys"),
    "viewer": _has("camera_path"),
    "nerfstudio": _has("frames"),
    "record3d": _has("poses"),
    "kubric": _is_kubric,
    "recammaster": _is_recammaster,
    "motionctrl": _is_motionctrl,
}


def read_bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)  # a size on disk can be wrong
    except OSError as error:
        raise Refused("{file} cannot be opened ({reason}). Check it.", file=file.name, reason=error.strerror) from error
    if len(data) > MAX_BYTES:
        foreign.refuse_binary(file.name, data[:512])
        raise Refused("{file} is over {limit} bytes, the limit. Cut the path.", file=file.name, limit=MAX_BYTES)
    return data


def read_text(file: Path) -> str:
    return decoded(file.name, read_bytes(file))


def decoded(file: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("{file} is no text in UTF-8. Give a file of docs/formats.md.", file=file) from error

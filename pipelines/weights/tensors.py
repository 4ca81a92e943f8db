"""Files of weights, safetensors and GGUF, never a pickle: reading them, and whether they hold all a model needs."""

import importlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers import ConfigMixin
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from pipelines.errors import Refused
from pipelines.files import read_json
from pipelines.weights import gguf
from pipelines.weights.errors import misfits, unreadable

INDEX = ".safetensors.index.json"
LIBRARIES = ("diffusers", "transformers", "pipelines")  # whose classes a folder may name


def files_of(path: str | os.PathLike) -> list[Path]:
    """The safetensors files that a file, an index of several, or a folder of them stands for.

    Raises Refused (a ValueError) for anything else, and for one that an index names and that is not there.
    """
    path = Path(path)
    if not path.exists():
        raise Refused("{path} does not exist. Check the name.", path=path)
    files = set(path.glob("*.safetensors")) if path.is_dir() else set()
    indices = path.glob(f"*{INDEX}") if path.is_dir() else [path] if path.name.endswith(INDEX) else []
    for index in indices:
        named = read_json(index).get("weight_map")
        if not isinstance(named, dict) or any(Path(str(name)).name != name for name in named.values()):
            raise Refused("{file} is no index of safetensors files. Fetch it again.", file=index)
        files |= {index.parent / name for name in named.values()}
        if missing := sorted(file.name for file in files if not file.is_file()):
            raise Refused("{file} names {missing}, not there. Fetch the rest.", file=index, missing=", ".join(missing))
    files = sorted(files) or [path]
    if any(file.suffix != ".safetensors" or not file.is_file() for file in files):
        raise Refused(
            "{path} is no safetensors file, index or folder. Give one; other formats may run code.", path=path
        )
    return files


@contextmanager
def content_of(file: Path) -> Iterator[safe_open]:
    try:
        with safe_open(file, "pt") as content:
            yield content
    except SafetensorError as error:
        raise Refused("{file} cannot be read ({error}). Download it again.", file=file, error=error) from error


def read_tensors(path: str | os.PathLike) -> dict[str, Tensor]:
    """All tensors of a safetensors file, of an index of several, of a folder of them, or of a GGUF file.

    Raises Refused (a ValueError) for anything else: a pickle may run code when it is opened.
    """
    path = Path(path)
    if path.suffix == ".gguf" and path.is_file():
        return gguf.read(path)
    tensors = {}
    for file in files_of(path):
        with content_of(file) as content:
            for name in content.keys():
                if name in tensors:
                    raise Refused(
                        "{name} is in two files of {folder}. Give each tensor once.", name=name, folder=path.name
                    )
                tensors[name] = content.get_tensor(name)
    return tensors


def shapes_in(path: str | os.PathLike) -> dict[str, tuple[int, ...]]:
    """Of all tensors, by their names; only the files' headers are read."""
    shapes = {}
    for file in files_of(path):
        with content_of(file) as content:
            shapes |= {name: tuple(content.get_slice(name).get_shape()) for name in content.keys()}
    return shapes


def metadata_of(file: str | os.PathLike) -> dict[str, str]:
    with content_of(Path(file)) as content:
        return content.metadata() or {}


def check_parts(folder: Path, index: Mapping[str, Any], given: Collection[str] = ()) -> dict[str, nn.Module]:
    """Every part that a pipeline's index names is in its folder, and of a model every tensor, in its shape.

    diffusers and transformers would go on with random numbers. Only configurations and headers are read, so this comes
    before any weights. given: parts that come from elsewhere. Returns the models, on the meta device. Raises Refused
    (a ValueError) that lists what is missing or of another shape.
    """
    models = {}
    for part, found in index.items():
        if part in given or not isinstance(found, list) or len(found) != 2 or None in found:
            continue
        if not (folder / part).is_dir():
            raise Refused("{folder} holds no {part}. Fetch or convert it again.", folder=folder, part=part)
        library, name = map(str, found)
        if library.partition(".")[0] not in LIBRARIES:
            continue  # refused when it is opened
        kind = class_named(library, name, folder)
        if issubclass(kind, nn.Module):
            models[part] = model_on_meta(kind, folder / part)
            if list((folder / part).glob("*.safetensors*")):  # weights in blocks are checked as they are read
                check_shapes(folder / part, models[part])
        elif issubclass(kind, ConfigMixin):
            read_json(folder / part / kind.config_name)
    return models


def class_named(library: str, name: str, folder: Path) -> type:
    """The class of this name; Refused where the library has none. folder: which says so in its index."""
    try:
        kind = getattr(importlib.import_module(library), name)
        if isinstance(kind, type):
            return kind
        error = TypeError(f"{library}.{name} is no class")
    except (ImportError, AttributeError) as failed:
        error = failed
    raise unreadable(folder, error) from error


def model_on_meta(kind: type, folder: Path) -> nn.Module:
    """A model of diffusers or transformers without values, of a folder's config.json. Raises Refused for a damaged
    one."""
    config = read_json(folder / "config.json")
    try:
        with torch.device("meta"):
            if issubclass(kind, ConfigMixin):
                return kind.from_config(config)
            return kind(kind.config_class.from_dict(config))
    except Exception as error:  # whatever a model makes of values that do not go together
        raise unreadable(folder, error) from error


def check_shapes(folder: Path, model: nn.Module) -> None:
    found, expected = shapes_in(folder), model.state_dict(keep_vars=True)
    there = {id(expected[name]) for name in expected.keys() & found.keys()}  # one that has two names needs one of them
    wrong = misfits(
        missing=[name for name, tensor in expected.items() if id(tensor) not in there],
        of_another_shape=[
            f"{name} {found[name]}, not {tuple(tensor.shape)}"
            for name, tensor in expected.items()
            if name in found and found[name] != tensor.shape
        ],
    )
    if wrong:
        raise Refused(
            "The weights in {folder} do not fit. {wrong}. Fetch or convert them again.", folder=folder, wrong=wrong
        )

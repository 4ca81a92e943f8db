"""The licence card: what weights are in use, of which revision, and on what terms. No torch.

An entry is a dict: name; revision (a commit), else sha256 (of the safetensors, one after the other); licence;
commercial_use in the EU: "yes", "no" or "unknown". "unknown" wherever the owner of the weights has not
stated it; it is no advice.
"""

import functools
import re
from pathlib import Path
from typing import Any

from pipelines.files import sha256_of
from pipelines.weights.cache import COMMIT
from pipelines.weights.conversion import read_conversion
from pipelines.weights.hub import CONFIGURATIONS, REPOSITORY, local_folder, read_index
from pipelines.weights.pins import DEPTH_CHECKPOINTS
from pipelines.weights.shipped import EMBEDDED_FOLDER

OWN = {"licence": "Apache-2.0", "commercial_use": "yes"}  # trained by this project on what it generated
ORIGINS = {"depth": {"from": "EfficientNet-Lite0 for ImageNet-1k, Apache-2.0"}}
UNKNOWN = {"licence": "unknown", "commercial_use": "unknown"}
WAN, WAN_TERMS = "Wan2.2-TI2V-5B", {"licence": "Apache-2.0", "commercial_use": "yes"}  # by a part of every copy's name

# ---- of a pipeline that is open ---------------------------------------------------------------------------------


def licence_card(engine, estimator=None) -> list[dict[str, Any]]:
    """The entries of all weights in use: of the engine, of what measures depth, and of the mask.

    estimator: what measures the photo's; the engine's own if None.
    """
    entries = *engine.facts.weights, *measuring_weights(engine, depth_weights(estimator or engine.depth_estimator))
    return [dict(entry) for entry in (*entries, *mask_weights(engine))]


def measuring_weights(engine, of_photo: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """The entries of what measures depth: of a photo, which are given, and of what the engine generates."""
    own = depth_weights(engine.depth_estimator) if engine.facts.measures else ()
    return (*of_photo, *(entry for entry in own if entry not in of_photo))


def mask_weights(engine) -> tuple[dict[str, Any], ...]:
    """The entries that an engine's mask lists; () for a mask without weights."""
    return tuple(getattr(getattr(engine, "mask", None), "weights", ()))


def depth_weights(estimator) -> tuple[dict[str, Any], ...]:
    """The entries that an estimator lists; the embedded one is known by the folder it was read from."""
    if (weights := getattr(estimator, "weights", None)) is not None:
        return tuple(weights)
    net = getattr(estimator, "net", None)
    if net is None:  # a file, or exact depth: no weights
        return ()
    folder = Path(net.config.get("_name_or_path") or "unnamed")
    is_shipped = (EMBEDDED_FOLDER / "depth").resolve() in (folder.resolve(), (folder / "depth").resolve())
    return (shipped("depth") if is_shipped else {"name": folder.name, **UNKNOWN},)


def transformer_weights(model) -> tuple[dict[str, Any], ...]:
    """The entries of a transformer that comes from elsewhere than the rest: those of the folder it was read from."""
    folder = Path(model.config.get("_name_or_path") or "unnamed")
    return engine_weights(folder.parent if folder.name == "transformer" else folder)


# ---- of folders and files ---------------------------------------------------------------------------------------


@functools.cache
def shipped(name: str) -> dict[str, Any]:
    """The entry of a part of the embedded model, by its folder's name."""
    digest = sha256_of(sorted((EMBEDDED_FOLDER / name).glob("*.safetensors")))
    return {"name": f"embedded/{name}", "sha256": digest, **OWN, **ORIGINS.get(name, {})}


def engine_weights(folder: Path, name: str | Path | None = None) -> tuple[dict[str, Any], ...]:
    """The entries of a folder in the diffusers layout. name: the one it was opened by, if not its own.

    A converted folder has a record of them; where it came from a repository, "from" in each names that too. Of others
    only what this project ships and Wan's own name are known.
    """
    folder, opened_as = Path(folder), str(name or folder)
    is_repository = REPOSITORY.fullmatch(opened_as) and not Path(opened_as).is_dir()
    name = opened_as.partition("@")[0] if is_repository else folder.absolute().name  # without the path to it
    revision = {"revision": folder.name} if COMMIT.fullmatch(folder.name) else {}
    if entries := read_conversion(folder).get("weights"):
        source = {"from": f"{name}@{folder.name}"} if revision else {}
        return tuple({**entry, **source} for entry in entries)
    if folder.resolve() == EMBEDDED_FOLDER.resolve():
        return (shipped("autoencoder"),)
    return ({"name": name, **revision, **terms_of_base(opened_as)},)


def terms_of_base(name: str) -> dict[str, str]:
    """Licence and commercial use of a base by its name or path; unknown unless it is called Wan2.2-TI2V-5B."""
    return WAN_TERMS if WAN in name else UNKNOWN


def file_entry(path: Path, name: str | None = None) -> dict[str, Any]:
    """Name, size and hash of a file or folder of safetensors, the beginning of its entry.

    name: the one that `hub.local_file` fetched it by; the entry of a file from the Hub has that name and its commit.
    """
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    entry = {"name": path.name, "bytes": sum(file.stat().st_size for file in files), "sha256": sha256_of(files)}
    if name and Path(name) != path:
        commit = next(folder.name for folder in path.parents if COMMIT.fullmatch(folder.name))
        entry |= {"name": re.sub(r"@[\w.-]+", "", name, count=1), "revision": commit}
    return entry


# ---- of a model that is not loaded ------------------------------------------------------------------------------


def card_of(model: str, depth: str = "embedded") -> list[dict[str, Any]]:
    """The card of "embedded", a folder, or a repository, of which a few kilobytes are fetched.

    depth: name of the estimator beside it. Raises Refused (a ValueError) where nothing can be read.
    """
    folder = EMBEDDED_FOLDER if model == "embedded" else local_folder(model, CONFIGURATIONS)
    read_index(folder, model)
    return [*map(dict, engine_weights(folder, model)), dict(entry_of_depth(depth))]


def entry_of_depth(name: str) -> dict[str, Any]:
    """The entry of a depth estimator, by its name."""
    if name == "embedded":
        return shipped("depth")
    known = DEPTH_CHECKPOINTS.get(name)
    if known is None:
        return {"name": name, **UNKNOWN}
    terms = {"licence": known.licence, "commercial_use": known.commercial_use}
    return {"name": known.repository, "revision": known.revision, **terms}


def as_table(card: list[dict[str, Any]]) -> str:
    """A card as a Markdown table."""
    rows = [["weights", "revision or SHA-256", "licence", "commercial use, EU"], ["---"] * 4]
    for entry in card:
        revision = entry.get("revision") or entry.get("sha256") or "unknown"
        rows.append([entry["name"], revision, entry["licence"], entry["commercial_use"]])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)

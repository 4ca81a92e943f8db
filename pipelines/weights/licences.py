"""The licence card: what weights are in use, of which revision, and on what terms. No torch.

An entry is a dict: name; revision (a commit), else sha256 (of the safetensors, one after the other); licence;
commercial_use in the EU: "yes", "no" or "unknown". "unknown" is said wherever nobody who owns the weights has stated
it; it is no advice.
"""

import functools
from pathlib import Path
from typing import Any

from pipelines.files import read_json, sha256_of
from pipelines.large.families import BASE_COMMERCIAL_USE, BASE_LICENCE, CONVERSION
from pipelines.weights.hub import COMMIT, CONFIGURATIONS, REPOSITORY, local_folder
from pipelines.weights.shipped import EMBEDDED_FOLDER

OWN = {"licence": "Apache-2.0", "commercial_use": "yes"}  # trained by this project on what it generated
ORIGINS = {"depth": {"from": "EfficientNet-Lite0 for ImageNet-1k, Apache-2.0"}}
UNKNOWN = {"licence": "unknown", "commercial_use": "unknown"}
BASE = "Wan2.2-TI2V-5B"  # part of the name of every copy of the base that is not renamed


def licence_card(pipe) -> list[dict[str, Any]]:
    """Every weight that a pipeline uses: those of its engine, of its depth estimator and of its mask."""
    engine = pipe.engine
    entries = *engine.facts.weights, *depth_weights(engine.depth_estimator), *mask_weights(engine)
    return [dict(entry) for entry in entries]


@functools.cache
def shipped(name: str) -> dict[str, Any]:
    """A part of the embedded model, by its folder."""
    digest = sha256_of(sorted((EMBEDDED_FOLDER / name).glob("*.safetensors")))
    return {"name": f"embedded/{name}", "sha256": digest, **OWN, **ORIGINS.get(name, {})}


def mask_weights(engine) -> tuple[dict[str, Any], ...]:
    """What an engine's mask lists itself; most masks have none."""
    return tuple(getattr(getattr(engine, "mask", None), "weights", ()))


def depth_weights(estimator) -> tuple[dict[str, Any], ...]:
    """What an estimator lists itself; the embedded one is known by the folder it was read from."""
    if (weights := getattr(estimator, "weights", None)) is not None:
        return tuple(weights)
    net = getattr(estimator, "net", None)
    if net is None:  # a file, or exact depth: no weights
        return ()
    place = Path(net.config.get("_name_or_path") or "unnamed")
    is_shipped = (EMBEDDED_FOLDER / "depth").resolve() in (place.resolve(), (place / "depth").resolve())
    return (shipped("depth") if is_shipped else {"name": place.name, **UNKNOWN},)


def engine_weights(folder: Path, name: str | Path | None = None) -> tuple[dict[str, Any], ...]:
    """The entries of a folder in the diffusers layout; name: what it was asked for as, if not the folder's own.

    A converted folder has written them down; where it came from a repository, each tells that too. Of others only
    what this project ships and Wan's own name are known.
    """
    folder, asked = Path(folder), str(name or folder)
    is_repository = REPOSITORY.fullmatch(asked) and not Path(asked).is_dir()
    name = asked.partition("@")[0] if is_repository else folder.absolute().name  # not where it lies
    revision = {"revision": folder.name} if COMMIT.fullmatch(folder.name) else {}
    if (folder / CONVERSION).is_file():
        source = {"from": f"{name}@{folder.name}"} if revision else {}
        if entries := read_json(folder / CONVERSION).get("weights"):
            return tuple({**entry, **source} for entry in entries)
    if folder.resolve() == EMBEDDED_FOLDER.resolve():
        return (shipped("autoencoder"),)
    return ({"name": name, **revision, **terms_of_base(asked)},)


def terms_of_base(name: str) -> dict[str, str]:
    """Licence and commercial use of a base by its name or place; of one that is not called Wan 2.2 none is known."""
    return {"licence": BASE_LICENCE, "commercial_use": BASE_COMMERCIAL_USE} if BASE in name else UNKNOWN


def transformer_weights(model) -> tuple[dict[str, Any], ...]:
    """The entries of a transformer that comes from elsewhere than the rest: those of the folder it was read from."""
    place = Path(model.config.get("_name_or_path") or "unnamed")
    return engine_weights(place.parent if place.name == "transformer" else place)


def card_of(model: str, depth: str = "embedded") -> list[dict[str, Any]]:
    """The card of a model that is not loaded: "embedded", a folder, or a repository, of which a few kilobytes are read.

    depth: name of the estimator beside it. Raises ValueError where nothing can be read.
    """
    folder = EMBEDDED_FOLDER if model == "embedded" else local_folder(model, CONFIGURATIONS)
    if not (folder / "model_index.json").is_file():
        raise ValueError(f"{model} holds no model_index.json. Give a folder in the diffusers layout.")
    return [*map(dict, engine_weights(folder, model)), *map(dict, card_of_depth(depth))]


def card_of_depth(name: str) -> list[dict[str, Any]]:
    if name == "embedded":
        return [dict(shipped("depth"))]
    from pipelines.depth.depth_anything import CHECKPOINTS

    known = CHECKPOINTS.get(name)
    if known is None:
        return [{"name": name, **UNKNOWN}]
    terms = {"licence": known.licence, "commercial_use": known.commercial_use}
    return [{"name": known.repository, "revision": known.revision, **terms}]


def as_table(card: list[dict[str, Any]]) -> str:
    """Markdown."""
    rows = [["weights", "revision or SHA-256", "licence", "commercial use, EU"], ["---"] * 4]
    for entry in card:
        revision = entry.get("revision") or entry.get("sha256") or "unknown"
        rows.append([entry["name"], revision, entry["licence"], entry["commercial_use"]])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)

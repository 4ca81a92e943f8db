"""Depth of one photo: a protocol that is one call wide, the estimator that ships with the project, and others by name.

Nothing heavy is imported here; estimators bring in torch when they are first used. See docs/depth.md.
"""

import importlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from pipelines.errors import Refused, Sentence
from pipelines.files import read_json

_EXPORTS = {
    "EmbeddedDepth": "pipelines.depth.embedded",
    "DepthNet": "pipelines.depth.embedded",
    "DepthAnything": "pipelines.depth.depth_anything",
    "refine_depth": "pipelines.depth.refine",
}
__all__ = ["DepthEstimator", "ESTIMATORS", "depth_estimator", "register", *_EXPORTS]
PLUG_INS = "mirage_studio.depth"  # the group of entry points under which installed packages offer estimators


@runtime_checkable
class DepthEstimator(Protocol):
    """Anything that turns one photo into depth: a network, a file, the exact depth of a generated scene."""

    def __call__(self, image: np.ndarray, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """image (H, W, 3) uint8, K (3, 3) pixels -> z-depth (H, W) float32 in scene units, valid (H, W) bool.

        Scene units are metres when the estimator is metric; otherwise the photo's median depth is 1.
        Depth is positive and finite wherever valid is True.
        An estimator with weights may list them in `weights`, as EngineFacts does.
        """
        ...


Loader = Callable[..., DepthEstimator]  # called with the options of `depth_estimator`
ESTIMATORS: dict[str, Loader] = {}


def register(name: str) -> Callable[[Loader], Loader]:
    """Decorator that offers what makes an estimator by this name. Raises ValueError for a name that is taken."""

    def add(loader: Loader) -> Loader:
        if ESTIMATORS.setdefault(name, loader) is not loader:
            raise ValueError(f"A depth estimator {name!r} is registered already. Give yours another name.")
        return loader

    return add


@register("embedded")
def _embedded(**options) -> DepthEstimator:
    from pipelines.depth.embedded import EmbeddedDepth

    check_unused("embedded", options)
    return EmbeddedDepth.from_pretrained()


def check_unused(name: str | Path, options: Collection[str]) -> None:
    """Raise Refused where an estimator that ships here, or is made like it, is given options: it takes none."""
    if options:
        raise Refused("The depth estimator {name} takes no {option}. Leave it out.", name=name, option=min(options))


def _depth_anything(name: str) -> Loader:
    def load(**options) -> DepthEstimator:
        from pipelines.depth.depth_anything import DepthAnything

        return DepthAnything.from_pretrained(name, **options)

    return load


for _name in ("depth-anything", "depth-anything-metric-indoor", "depth-anything-metric-outdoor"):
    register(_name)(_depth_anything(_name))


def depth_estimator(name: str | Path, **options) -> DepthEstimator:
    """The estimator of this name: one of ESTIMATORS, a plug-in, or what a folder or Hub repository holds.

    A plug-in is registered here, or offered by an installed package as an entry point of the group PLUG_INS: something
    that returns an estimator when called. options: device, where it is not the embedded one, and those of
    pipelines.weights.hub.HUB_OPTIONS where there is something to fetch.
    Raises Refused or OSError where there is no such estimator, or its weights are damaged or cannot be fetched.
    """
    if str(name) in ESTIMATORS:
        return ESTIMATORS[str(name)](**options)
    from importlib.metadata import entry_points

    offered = {point.name: point for point in entry_points(group=PLUG_INS)}
    if str(name) in offered:
        return offered[str(name)].load()(**options)
    if "/" not in str(name) and not Path(name).is_dir():
        known = ", ".join([*ESTIMATORS, *offered])
        raise Refused(
            "depth estimator {name!r} is unknown. Use one of {known}, a folder or a Hub repository.",
            name=name,
            known=known,
        )
    return _of_folder(name, **options)


def _of_folder(name: str | Path, **options) -> DepthEstimator:
    from pipelines.weights.hub import HUB_OPTIONS, local_folder

    folder = local_folder(name, **{key: value for key, value in options.items() if key in HUB_OPTIONS})
    if not (folder / "config.json").is_file():
        raise Refused("{name} holds no config.json of a depth model. Check it, or fetch it again.", name=name)
    config = read_json(folder / "config.json")
    if config.get("_class_name") == "DepthNet":
        from pipelines.depth.embedded import EmbeddedDepth

        check_unused(name, options.keys() - set(HUB_OPTIONS))
        return EmbeddedDepth.from_pretrained(folder)
    kind = config.get("model_type")
    if kind == "depth_anything":
        return _depth_anything(name)(**options)
    raise Refused(
        "{name} is a {kind}; this reads depth_anything and the project's own DepthNet. Offer it as a plug-in, see "
        "docs/depth.md.",
        name=name,
        kind=kind or Sentence("model of no known kind"),
    )


def __getattr__(name: str):
    if name not in _EXPORTS:
        raise AttributeError(f"module 'pipelines.depth' has no attribute {name!r}; it exports {', '.join(__all__)}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)

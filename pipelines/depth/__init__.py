"""Depth of one photo: a protocol that is one call wide, and the estimator that ships with the project.

Nothing heavy is imported here; `EmbeddedDepth` and `DepthNet` bring in torch when they are first used.
"""

import importlib
from typing import Protocol, runtime_checkable

import numpy as np

_EXPORTS = {
    "EmbeddedDepth": "pipelines.depth.embedded",
    "DepthNet": "pipelines.depth.embedded",
    "refine_depth": "pipelines.depth.refine",
}
__all__ = ["DepthEstimator", *_EXPORTS]


@runtime_checkable
class DepthEstimator(Protocol):
    """Anything that turns one photo into depth: a network, a file, the exact depth of a generated scene."""

    def __call__(self, image: np.ndarray, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """image (H, W, 3) uint8, K (3, 3) pixels -> z-depth (H, W) float32 in scene units, valid (H, W) bool.

        Scene units are metres when the estimator is metric; otherwise the photo's median depth is 1.
        Depth is positive and finite wherever valid is True.
        """
        ...


def __getattr__(name: str):
    if name not in _EXPORTS:
        raise AttributeError(f"module 'pipelines.depth' has no attribute {name!r}; it exports {', '.join(__all__)}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)

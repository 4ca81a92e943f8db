"""Which pixels of a picture may be written to the memory: a protocol that is one call wide, and two masks.

Nothing heavy is imported here; the masks bring in torch, and `OneFormerMask` transformers, when they are first used.
"""

import importlib
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from pipelines.pictures import check_picture

_EXPORTS = {
    "StaticMask": "pipelines.masks.static",
    "OneFormerMask": "pipelines.masks.oneformer",
}
__all__ = ["Expected", "Mask", "whole_cells", *_EXPORTS]


@dataclass(frozen=True, eq=False)
class Expected:
    """What the memory shows to the camera of a picture, on the grid of that picture.

    image (H, W, 3) uint8: a readout, decoded; depth (H, W): its z-depth, 0 where the memory knows nothing.
    """

    image: np.ndarray
    depth: np.ndarray


@runtime_checkable
class Mask(Protocol):
    """Decides which pixels of a picture stand still and have a surface."""

    def __call__(
        self, image: np.ndarray, depth: np.ndarray | None = None, expected: Expected | None = None
    ) -> np.ndarray:
        """image (H, W, 3) uint8, z-depth (H, W) in scene units -> keep (H, W) bool: may be written to the memory.

        A mask uses what it is given of depth and expectation, and works without. Masks are joined with `&`.
        """
        ...


def whole_cells(keep: np.ndarray, height: int, width: int) -> np.ndarray:
    """keep (H, W) bool on a coarser grid: (height, width) bool, True where all pixels of a cell are kept.

    A token of which a part moves is spoiled as a whole. Raises ValueError unless H and W are multiples of the grid.
    """
    rows, columns = keep.shape
    if rows % height or columns % width:
        raise ValueError(f"keep {rows}x{columns} must be a whole multiple of the token grid {height}x{width}.")
    return keep.reshape(height, rows // height, width, columns // width).all(axis=(1, 3))


def check_inputs(image: np.ndarray, depth: np.ndarray | None = None, expected: Expected | None = None) -> None:
    """Raise ValueError for arrays that no mask takes."""
    check_picture(image)
    others = {"depth": depth}
    if expected is not None:
        others |= {"expected.depth": expected.depth, "expected.image": expected.image[..., 0]}
    for name, other in others.items():
        if other is not None and other.shape != image.shape[:2]:
            raise ValueError(f"{name} {other.shape} must be of the size of the image {image.shape[:2]}. Resize it.")


def __getattr__(name: str):
    if name not in _EXPORTS:
        raise AttributeError(f"module 'pipelines.masks' has no attribute {name!r}; it exports {', '.join(__all__)}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)

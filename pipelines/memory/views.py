"""Views: what a memory is made of, each one camera's share of the scene."""

from dataclasses import dataclass

from torch import Tensor

from pipelines.cameras import Camera


@dataclass(frozen=True, eq=False)
class View:
    """One camera's share of the memory.

    camera: on the grid of the depth samples. depth (H, W) float32, 0 where this view stores nothing.
    token_at (h, w) int32: row in the memory's features of each token, -1 where it stores none; H = k h, W = k w.
    confidence (H, W) uint8: views that saw the sample there less those that saw through it; above 0 where it is stored.
    invented: generated rather than seen; it shows only where nothing seen does.
    """

    camera: Camera
    depth: Tensor
    token_at: Tensor
    confidence: Tensor
    invented: bool = False


def carrying_tokens(samples: Tensor, h: int, w: int) -> Tensor:
    """(h, w) bool: the tokens that carry any of some samples. samples: (k h, k w) bool."""
    k = samples.shape[0] // h
    return samples.reshape(h, k, w, k).any(dim=3).any(dim=1)

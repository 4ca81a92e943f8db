"""The moving average of a network's weights, which is what is exported."""

import torch
from torch import nn


@torch.no_grad()
def move_average(average: nn.Module, model: nn.Module, keep: float) -> None:
    """average = keep x average + (1 - keep) x model, weight by weight; keep 0..1."""
    for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(weight, 1 - keep)

"""How the depth network's weights change: the learning rate over a run, and the optimizer of each kind of weights."""

import math

import torch
from torch import Tensor

from pipelines.depth.embedded import DepthNet

BACKBONE_RATE = 0.15  # times the learning rate of AdamW
MUON_RATE = 13.0  # times the learning rate of AdamW


def learning_rate(progress: float, step: int, peak: float) -> float:
    """Warm up over 200 steps, hold until 35 % of the time, then cosine down to 2 % of the peak."""
    if progress > 0.35:
        peak *= 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - 0.35) / 0.65)))
    return peak * min(1.0, (step + 1) / 200)


class Optimizer:
    """Muon for the matrices between features, AdamW for the rest: ends, biases, norms and depthwise filters.

    Muon takes matrices, so convolutions are given to it as views, one row per output channel. Against AdamW alone, a
    loss that took 730 s of one core was reached in 475 s.
    """

    def __init__(self, net: DepthNet, rate: float):
        ends = ("stem", "position", "layout", "plane.3", "pick.3", "focal", "backbone")
        named = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
        self.parameters = [p for _, p in named]
        inner = [p.ndim >= 2 and not name.startswith(ends) and ".local." not in name for name, p in named]
        self.matrices = [p for p, is_inner in zip(self.parameters, inner, strict=True) if is_inner]
        backbone = [p for name, p in named if name.startswith("backbone.")]
        others = [p for (name, p), m in zip(named, inner, strict=True) if not m and not name.startswith("backbone.")]
        self.views = [as_matrix(p.detach()) for p in self.matrices]
        self.muon = torch.optim.Muon(self.views, lr=rate * MUON_RATE, weight_decay=0.0)
        self.adamw = torch.optim.AdamW(others, lr=rate, weight_decay=0.02, betas=(0.9, 0.98), fused=True)
        self.gentle = torch.optim.AdamW(backbone, lr=rate, weight_decay=0.0, betas=(0.9, 0.98), fused=True)

    def step(self, rate: float):
        """One step at this learning rate; gradients are cleared. Nothing else happens where one is not finite."""
        if torch.isfinite(torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)):
            for view, parameter in zip(self.views, self.matrices, strict=True):
                view.grad = as_matrix(parameter.grad)
            for optimizer, scale in ((self.muon, MUON_RATE), (self.adamw, 1), (self.gentle, BACKBONE_RATE)):
                optimizer.param_groups[0]["lr"] = rate * scale
                optimizer.step()
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict:
        return {name: getattr(self, name).state_dict() for name in ("muon", "adamw", "gentle")}

    def load_state_dict(self, state: dict):
        for name, part in state.items():
            getattr(self, name).load_state_dict(part)


def as_matrix(weight: Tensor) -> Tensor:
    """(out, in) or (out, in, kh, kw) -> (out, the rest), sharing memory if it is contiguous, channels last."""
    return weight if weight.ndim == 2 else weight.permute(0, 2, 3, 1).reshape(len(weight), -1)

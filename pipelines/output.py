"""What `MiragePipeline.__call__` returns."""

from dataclasses import dataclass, fields

import numpy as np
from diffusers.utils import BaseOutput

from pipelines.events import DoneEvent, LoopScore
from pipelines.memory import LatentMemory


@dataclass
class MirageOutput(BaseOutput):
    """frames (T, H, W, 3) uint8, memory, coverage (T,) 0..1, loop (closed, psnr in dB, ssim), drift in 1/255,
    seconds per part, recipe, alpha (T, H, W) uint8 and backdrop (3,) uint8, or None: see DoneEvent."""

    frames: np.ndarray
    memory: LatentMemory
    coverage: np.ndarray
    loop: LoopScore
    drift: float
    seconds: dict
    recipe: dict
    alpha: np.ndarray | None = None
    backdrop: np.ndarray | None = None

    @classmethod
    def of(cls, done: DoneEvent) -> "MirageOutput":
        return cls(**{field.name: getattr(done, field.name) for field in fields(cls)})

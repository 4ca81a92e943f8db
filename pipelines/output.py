"""What `MiragePipeline.__call__` returns."""

from dataclasses import dataclass, fields

import numpy as np
from diffusers.utils import BaseOutput

from pipelines.events import DoneEvent, LoopScore
from pipelines.memory import LatentMemory


@dataclass
class MirageOutput(BaseOutput):
    """What `DoneEvent` says, under the same names."""

    frames: np.ndarray
    memory: LatentMemory
    coverage: np.ndarray
    loop: LoopScore
    drift: float
    seconds: dict
    recipe: dict
    unplaced: int = 0
    alpha: np.ndarray | None = None
    backdrop: np.ndarray | None = None

    @classmethod
    def of(cls, done: DoneEvent) -> "MirageOutput":
        return cls(**{field.name: getattr(done, field.name) for field in fields(cls)})

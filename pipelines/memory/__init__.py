"""The scene as latent tokens in 3D: written with depth, read back from any camera."""

from pipelines.memory.alignment import Aligned, AlignmentError, align_depth
from pipelines.memory.latent_memory import LatentMemory
from pipelines.memory.readout import Readout
from pipelines.memory.writing import WriteReport

__all__ = ["Aligned", "AlignmentError", "LatentMemory", "Readout", "WriteReport", "align_depth"]

"""The scene as latent tokens in 3D: written with depth, read back from any camera."""

from pipelines.memory.latent_memory import LatentMemory, Readout, WriteReport

__all__ = ["LatentMemory", "Readout", "WriteReport"]

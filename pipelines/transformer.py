"""Folders saved before `pipelines.large` existed name the class by this path in their `model_index.json`."""

from pipelines.large.transformer import MirageTransformer3DModel

__all__ = ["MirageTransformer3DModel"]

"""Folders saved before `pipelines.large` existed name the class by this path in their `model_index.json`."""

from diffusers import ModelMixin  # diffusers looks here for what the class is loaded by

from pipelines.large.transformer import MirageTransformer3DModel

__all__ = ["MirageTransformer3DModel", "ModelMixin"]

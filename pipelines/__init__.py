"""The engine of Mirage Studio. Exports are lazy: importing `pipelines.cameras` must not import torch."""

import importlib

_EXPORTS = {
    "MiragePipeline": "pipelines.pipeline_mirage",
    "StepEvent": "pipelines.events",
    "ChunkEvent": "pipelines.events",
    "DoneEvent": "pipelines.events",
    "LatentMemory": "pipelines.memory",
    "Camera": "pipelines.cameras",
    "Trajectory": "pipelines.cameras",
    "move": "pipelines.cameras",
}
__all__ = list(_EXPORTS)


def __getattr__(name: str):
    if name not in _EXPORTS:
        raise AttributeError(f"module 'pipelines' has no attribute {name!r}; it exports {', '.join(__all__)}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)

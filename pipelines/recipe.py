"""What it takes to render a clip again. The clip's file carries it."""

from typing import Any

import diffusers
import numpy as np
import torch
from PIL import Image

from pipelines.cameras import Trajectory
from pipelines.depth import DepthEstimator
from pipelines.engines.base import Engine
from pipelines.photo.lifted import Lifted, photo_sha256
from pipelines.weights.licences import depth_weights, mask_weights, measuring_weights


def recipe_of(
    engine: Engine,
    photo: Image.Image | np.ndarray | Lifted | None,
    trajectory: Trajectory,
    seed: int,
    quality: str,
    prompt: str | None = None,
    focus: float | None = None,
    zoom: float | None = None,
    estimator: DepthEstimator | None = None,
    profile: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Photo hash and framing, trajectory, seed, model, weights and versions, as plain JSON values.

    photo: as `MiragePipeline.stream` takes it; None for a clip that starts in a memory. focus, zoom: its framing; a
    `Lifted` one has its own. estimator: what measures the photo's depth; the engine's own if None, and for a `Lifted`
    photo what has measured it. profile: how a large model runs.
    """
    if isinstance(photo, Lifted):
        sha256, focus, zoom = photo.sha256, photo.focus, photo.zoom
        measured = photo.depth_weights
    else:
        sha256 = None if photo is None else photo_sha256(photo)
        measured = depth_weights(estimator or engine.depth_estimator)
    measured = measuring_weights(engine, measured)
    return {
        "app": "mirage-studio",
        "model": engine.facts.name,
        "photo_sha256": sha256,
        **({} if focus is None else {"focus": focus}),
        **({} if zoom is None else {"zoom": zoom}),
        "seed": int(seed),
        "quality": quality,
        **({"prompt": prompt} if prompt else {}),
        **({"profile": profile} if profile else {}),
        **({"weights": list(engine.facts.weights)} if engine.facts.weights else {}),
        **({"depth": list(measured)} if measured else {}),
        **({"mask": list(masking)} if (masking := mask_weights(engine)) else {}),
        "trajectory": trajectory.to_dict(),
        "versions": {"torch": torch.__version__, "diffusers": diffusers.__version__, "numpy": np.__version__},
    }

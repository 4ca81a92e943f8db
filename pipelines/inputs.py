"""What a render accepts. Checked before any work; every refusal names the value, the limit and the fix."""

from typing import Any

import numpy as np
from PIL import Image

from pipelines.cameras import Trajectory, checked_frames
from pipelines.engines.base import EngineFacts
from pipelines.errors import Refused
from pipelines.memory import LatentMemory
from pipelines.photo.frame import check_focus, check_zoom
from pipelines.photo.lifted import Lifted
from pipelines.photo.measured import check_depth
from pipelines.pictures import check_picture

QUALITIES = ("draft", "standard")
MIN_SIDE = 64  # pixels


def check_inputs(
    facts: EngineFacts,
    image: Any,
    trajectory: Trajectory,
    prompt: Any,
    seed: Any,
    memory: LatentMemory | None,
    depth: Any,
    quality: Any,
    focus: Any,
    zoom: Any,
) -> None:
    """Raise Refused unless an engine can render this; see `MiragePipeline.stream` for the arguments."""
    frames, height, width = len(trajectory), trajectory.height, trajectory.width
    check_size(height, width, facts.size_step, facts.max_side)
    checked_frames(frames)
    if quality not in QUALITIES:
        allowed = ", ".join(QUALITIES)
        raise Refused("quality={quality!r} is unknown. Use one of {allowed}.", quality=quality, allowed=allowed)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise Refused("seed={seed!r} must be a whole number from 0 to 2**63 - 1. Use 0.", seed=seed)
    if not isinstance(prompt, (str, type(None))):
        raise Refused("prompt={prompt!r} must be text, or None for none.", prompt=prompt)
    if prompt and not facts.takes_prompt:
        raise Refused(
            "The {model} model has no text input, so a prompt would be ignored. Leave it out.", model=facts.name
        )
    if image is None and (memory is None or not memory.num_points):
        raise Refused("There is neither a photo nor a memory to start from. Give one of them.")
    if image is not None and not isinstance(image, (Lifted, Image.Image)):
        check_picture(image)
    if isinstance(image, Lifted) and (image.camera.height, image.camera.width) != (height, width):
        raise Refused(
            "The photo was lifted at {lifted_height}x{lifted_width} and the trajectory is {height}x{width}. Lift it at "
            "the size of the clip.",
            lifted_height=image.camera.height,
            lifted_width=image.camera.width,
            height=height,
            width=width,
        )
    if isinstance(image, Lifted) and memory is not None:
        raise Refused("A lifted photo has its memory already, so another one would be ignored. Lift it in that memory.")
    memory = image.memory if isinstance(image, Lifted) else memory
    if memory is not None and not memory.is_of(facts.channels, facts.interpolates, facts.codec):
        raise Refused(
            "This memory holds {channels}-channel tokens of another model (weights {codec!r}); the {model} model uses "
            "{own_channels} (weights {own_codec!r}). Open the scene with the model it was made with, or start again "
            "from its photo.",
            channels=memory.channels,
            codec=memory.codec,
            model=facts.name,
            own_channels=facts.channels,
            own_codec=facts.codec,
        )
    if depth is not None:
        check_depth(depth)
    check_focus(focus)
    check_zoom(zoom)


def check_size(height: int, width: int, step: int, max_side: int) -> None:
    """Raise Refused unless both sides are multiples of step in MIN_SIDE..max_side pixels."""
    for name, value in (("height", height), ("width", width)):
        if not MIN_SIDE <= value <= max_side:
            raise Refused(
                "{name}={value} must be {low}..{high} pixels. Use {nearest}.",
                name=name,
                value=value,
                low=MIN_SIDE,
                high=max_side,
                nearest=min(max(value, MIN_SIDE), max_side),
            )
        if value % step:
            low = value // step * step
            raise Refused(
                "{name}={value} must be a multiple of {step}. Use {low} or {high}.",
                name=name,
                value=value,
                step=step,
                low=low,
                high=low + step,
            )

"""One denoising run: the latents of a chunk from noise, beside frames that are known and a memory that is read.

The same few lines serve every layout; what differs between layouts is which latents go where.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler
from diffusers.hooks import HookRegistry
from diffusers.schedulers import SchedulerMixin
from diffusers.utils.torch_utils import get_module_execution_device
from torch import Tensor

from pipelines.large.families import Layout
from pipelines.large.transformer import MirageTransformer3DModel


def scheduler_of(layout: Layout) -> UniPCMultistepScheduler:
    """The scheduler that a layout's weights are sampled with: flow matching, with its shift."""
    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=layout.shift)


@dataclass(frozen=True)
class ChunkInputs:
    """What goes into a chunk. Latents are normalised as the transformer wants them, (B, C, frames, h, w).

    noise: of the targets, as many as there are. text, negative_text: (B, L, D); the latter only for guidance.
    clean: the first targets where they are known (the photo, or frames made before).
    references, preceding: clean frames beside the targets. control: (B, Cc, targets + preceding, h, w).
    """

    noise: Tensor
    text: Tensor
    negative_text: Tensor | None = None
    clean: Tensor | None = None
    references: Tensor | None = None
    preceding: Tensor | None = None
    control: Tensor | None = None


@torch.no_grad()
def denoise_chunk(
    transformer: MirageTransformer3DModel,
    scheduler: SchedulerMixin,
    inputs: ChunkInputs,
    num_inference_steps: int,
    guidance_scale: float = 1.0,
    max_sigma: float | None = None,
) -> Generator[tuple[int, int, float], None, Tensor]:
    """Denoise, yielding (step, number of steps, timestep) after every step; returns the latents, (B, C, T, h, w).

    scheduler: of flow matching, with its shift; it is not changed. max_sigma: noise levels before the shift go from
    here evenly down to 0; None: the scheduler's own. Latents stay in the dtype of the noise (float32 is right), the
    model gets them in its own.
    """
    scheduler = type(scheduler).from_config(scheduler.config)
    device, dtype = get_module_execution_device(transformer), transformer.dtype
    latents = inputs.noise.to(device, copy=True)
    parts = (inputs.clean, inputs.references, inputs.preceding)
    clean, references, preceding = (latents[:, :, :0] if part is None else part.to(latents) for part in parts)
    num_clean = clean.shape[2]

    def in_order(targets: Tensor, references: Tensor, preceding: Tensor) -> list[Tensor]:
        segments = {"references": references, "targets": targets, "preceding": preceding}
        return [segments[name] for name in transformer.config.segment_order]

    before = transformer.config.segment_order.index("targets")
    lengths = [segment.shape[2] for segment in in_order(latents, references, preceding)]
    start, num_targets = sum(lengths[:before]), latents.shape[2]
    targets = slice(start, start + num_targets)
    is_noisy = torch.zeros(len(latents), sum(lengths), device=device)
    is_noisy[:, start + num_clean : targets.stop] = 1

    control = None if inputs.control is None else inputs.control.to(device, dtype)
    if control is not None:
        shown = control[:, :, :num_targets], control[:, :, :0], control[:, :, num_targets:]
        control = torch.cat(in_order(*shown), dim=2)
    prompts = {"cond": inputs.text.to(device, dtype)}
    if guidance_scale != 1:
        if inputs.negative_text is None:
            raise ValueError(f"guidance_scale={guidance_scale} needs a negative text. Give one, or use 1.")
        prompts["uncond"] = inputs.negative_text.to(device, dtype)
    constants = {name: {} for name in prompts}

    if max_sigma is None:
        scheduler.set_timesteps(num_inference_steps, device=device)
    else:
        scheduler.set_timesteps(sigmas=np.linspace(max_sigma, 0, num_inference_steps + 1)[:-1], device=device)
    if transformer.is_cache_enabled:
        # What a cache keeps belongs to one run.
        HookRegistry.check_if_exists_or_initialize(transformer).reset_stateful_hooks()
    latents[:, :, :num_clean] = clean
    for step, t in enumerate(scheduler.timesteps, start=1):
        sequence = torch.cat(in_order(latents, references, preceding), dim=2).to(dtype)
        times, flows = is_noisy * t, {}
        for name, text in prompts.items():
            with transformer.cache_context(name):
                flow = transformer(
                    sequence,
                    times,
                    text,
                    control,
                    num_reference_frames=references.shape[2],
                    constants=constants[name],
                ).sample
            flows[name] = flow[:, :, targets].to(latents.dtype)
        flow = flows["cond"]
        if "uncond" in flows:
            flow = flows["uncond"] + guidance_scale * (flow - flows["uncond"])
        latents = scheduler.step(flow, t, latents, return_dict=False)[0]
        latents[:, :, :num_clean] = clean
        yield step, len(scheduler.timesteps), float(t)
    return latents

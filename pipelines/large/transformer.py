"""`MirageTransformer3DModel`: Wan 2.2's transformer with reference frames and a control branch that reads a memory.

Weights and their names are those of diffusers' `WanTransformer3DModel` (and `WanVACETransformer3DModel`, where there is
a control branch), so a stock checkpoint loads as it is. What is added to their forward: a timestep for every frame,
positions of their own for reference frames, and hints that leave the references alone.

Inside, tokens keep their frames apart: (B, F, N, D), N tokens per frame. What is said once per frame (its timestep,
its place in time) is a row per frame, never one per token.
"""

import math
import os
from collections.abc import Mapping
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.loaders import PeftAdapterMixin

# What `_cp_plan` is written in; diffusers exports it nowhere else.
from diffusers.models._modeling_parallel import ContextParallelInput, ContextParallelOutput
from diffusers.models.attention import AttentionMixin
from diffusers.models.cache_utils import CacheMixin
from diffusers.models.modeling_outputs import Transformer2DModelOutput
from diffusers.models.normalization import FP32LayerNorm
from diffusers.models.transformers.transformer_wan import WanTimeTextImageEmbedding
from diffusers.utils import apply_lora_scale
from torch import Tensor, nn

from pipelines.errors import Refused
from pipelines.large.blocks import MirageControlBlock, MirageTransformerBlock
from pipelines.large.families import SEGMENTS
from pipelines.large.rotary import SegmentRotaryPosEmbed
from pipelines.weights.errors import misfits


class MirageTransformer3DModel(ModelMixin, ConfigMixin, PeftAdapterMixin, CacheMixin, AttentionMixin):
    """Wan 2.2 TI2V with reference frames and a control branch (defaults: the 5B model, no branch).

    Arguments are those of diffusers' `WanVACETransformer3DModel`; its own are:

    vace_layers: transformer blocks that get a hint, one for each control block; empty: no control branch.
    vace_in_channels: channels of the control input; None: as many as `in_channels`, twice (memory and its mask).
    segment_order: how frames follow each other in the sequence, references first or last; all others count from 0.
    reference_offset: see `SegmentRotaryPosEmbed`.
    Raises ValueError for arguments that do not go together.
    """

    _supports_gradient_checkpointing = True
    _skip_layerwise_casting_patterns = ["patch_embedding", "vace_patch_embedding", "condition_embedder", "norm"]
    _no_split_modules = ["MirageTransformerBlock", "MirageControlBlock"]
    _keep_in_fp32_modules = ["time_embedder", "scale_shift_table", "norm1", "norm2", "norm3"]
    _repeated_blocks = ["MirageTransformerBlock", "MirageControlBlock"]
    # Every device holds some tokens of every frame, so rows per frame (timesteps) need no splitting.
    _cp_plan = {
        "rope": {i: ContextParallelInput(split_dim=2, expected_dims=4, split_output=True) for i in (0, 1)},
        "vace_blocks.0": {
            name: ContextParallelInput(split_dim=2, expected_dims=4)
            for name in ("hidden_states", "control_hidden_states")
        },
        "blocks.0": {"hidden_states": ContextParallelInput(split_dim=2, expected_dims=4)},
        "proj_out": ContextParallelOutput(gather_dim=2, expected_dims=4),
    }

    @register_to_config
    def __init__(
        self,
        patch_size: tuple[int, int, int] = (1, 2, 2),
        num_attention_heads: int = 24,
        attention_head_dim: int = 128,
        in_channels: int = 48,
        out_channels: int | None = None,
        text_dim: int = 4096,
        freq_dim: int = 256,
        ffn_dim: int = 14336,
        num_layers: int = 30,
        cross_attn_norm: bool = True,
        qk_norm: str | None = "rms_norm_across_heads",
        eps: float = 1e-6,
        vace_layers: tuple[int, ...] = (),
        vace_in_channels: int | None = None,
        segment_order: tuple[str, ...] = SEGMENTS,
        reference_offset: tuple[int, int, int] = (-1, 1, 0),
    ):
        super().__init__()
        inner_dim = num_attention_heads * attention_head_dim
        block = inner_dim, ffn_dim, num_attention_heads, qk_norm, cross_attn_norm, eps
        if patch_size[0] != 1:
            raise ValueError(f"patch_size={tuple(patch_size)} must be 1 in time: every frame has a time of its own.")
        if any(layer not in range(num_layers) for layer in vace_layers) or len(set(vace_layers)) < len(vace_layers):
            raise ValueError(
                f"vace_layers={list(vace_layers)} must be among the {num_layers} layers, 0 the first, each once."
            )
        if sorted(segment_order) != sorted(SEGMENTS):
            raise ValueError(f"segment_order={list(segment_order)} must name each of {', '.join(SEGMENTS)} once.")
        if "references" not in (segment_order[0], segment_order[-1]):
            raise ValueError(f"segment_order={list(segment_order)} must have the references first or last.")

        # 1. Patches and their positions
        self.rope = SegmentRotaryPosEmbed(attention_head_dim, reference_offset)
        self.patch_embedding = nn.Conv3d(in_channels, inner_dim, kernel_size=patch_size, stride=patch_size)

        # 2. Time and text
        self.condition_embedder = WanTimeTextImageEmbedding(inner_dim, freq_dim, inner_dim * 6, text_dim)

        # 3. Blocks, and those of the control branch
        self.blocks = nn.ModuleList(MirageTransformerBlock(*block) for _ in range(num_layers))
        if vace_layers:
            channels = vace_in_channels or 2 * in_channels
            self.vace_patch_embedding = nn.Conv3d(channels, inner_dim, kernel_size=patch_size, stride=patch_size)
            self.vace_blocks = nn.ModuleList(
                MirageControlBlock(*block, apply_input_projection=i == 0, apply_output_projection=True)
                for i in range(len(vace_layers))
            )
        else:
            self._cp_plan = {name: part for name, part in self._cp_plan.items() if name != "vace_blocks.0"}

        # 4. Output
        self.norm_out = FP32LayerNorm(inner_dim, eps, elementwise_affine=False)
        self.proj_out = nn.Linear(inner_dim, (out_channels or in_channels) * math.prod(patch_size))
        self.scale_shift_table = nn.Parameter(torch.randn(1, 2, inner_dim) / inner_dim**0.5)

        self.gradient_checkpointing = False

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike, **kwargs):
        """As in diffusers, which makes up tensors that a file lacks; here they are a Refused error that lists them."""
        with_info = kwargs.pop("output_loading_info", False)
        model, info = super().from_pretrained(pretrained_model_name_or_path, output_loading_info=True, **kwargs)
        wrong = misfits(missing=sorted(info["missing_keys"]), left_over=sorted(info["unexpected_keys"]))
        if wrong:
            raise Refused("The weights in {name} do not fit. {wrong}.", name=pretrained_model_name_or_path, wrong=wrong)
        return (model, info) if with_info else model

    @apply_lora_scale("attention_kwargs")
    def forward(
        self,
        hidden_states: Tensor,  # (B, C, F, h, w): references, targets, preceding frames as `segment_order` says
        timestep: Tensor,  # (B, F) in 0..1000, 0 for a clean frame; (B,) where all frames share one
        encoder_hidden_states: Tensor,  # (B, L, text_dim)
        control_hidden_states: Tensor | None = None,  # (B, vace_in_channels, F - R, h, w); None: without control
        num_reference_frames: int = 0,
        return_dict: bool = True,
        constants: dict[str, Any] | None = None,
        attention_kwargs: Mapping[str, Any] | None = None,
    ) -> Transformer2DModelOutput | tuple[Tensor]:
        """The flow (noise less clean latents) of all F frames, (B, C, F, h, w) as `sample`.

        constants: a dict that the caller keeps for as long as text, control and shapes stay the same, usually one
        denoising run of one prompt; empty at first, the first call puts into it what later ones need not compute.
        """
        self._check(hidden_states, timestep, control_hidden_states, num_reference_frames)
        references_first = self.config.segment_order[0] == "references"

        # 1. Tokens: (B, F, N, D)
        shape = [size // patch for size, patch in zip(hidden_states.shape[2:], self.config.patch_size, strict=True)]
        clip = slice(num_reference_frames, None) if references_first else slice(shape[0] - num_reference_frames)
        hidden_states = self._tokens(self.patch_embedding(hidden_states))

        # 2. What no step changes: text, positions, control
        constants = {} if constants is None else constants
        if not constants:
            constants["text"] = self.condition_embedder.text_embedder(encoder_hidden_states)
            constants["rotary"] = self.rope(*shape, num_reference_frames, references_first, hidden_states.device)
            if control_hidden_states is not None:
                constants["control"] = self._tokens(self.vace_patch_embedding(control_hidden_states))
        text, rotary_emb = constants["text"], constants["rotary"]

        # 3. Modulation, once per distinct time
        temb, timestep_proj = self._time(timestep, shape[0], text)

        # 4. Hints of the control branch, for all frames but the references
        hints = {}
        if control_hidden_states is not None:
            control = constants["control"]
            clip_proj, clip_rotary = timestep_proj[:, clip], tuple(part[:, clip] for part in rotary_emb)
            padding = (0, 0, 0, 0) + ((num_reference_frames, 0) if references_first else (0, num_reference_frames))
            for layer, block in zip(self.config.vace_layers, self.vace_blocks, strict=True):
                hint, control = self._run(block, hidden_states[:, clip], text, control, clip_proj, clip_rotary)
                hints[layer] = nn.functional.pad(hint, padding)

        # 5. Blocks
        for layer, block in enumerate(self.blocks):
            hidden_states = self._run(block, hidden_states, text, timestep_proj, rotary_emb, hints.pop(layer, None))

        # 6. Output
        shift, scale = (self.scale_shift_table[:, None] + temb[:, :, None]).to(hidden_states.device).chunk(2, dim=2)
        hidden_states = (self.norm_out(hidden_states.float()) * (1 + scale) + shift).type_as(hidden_states)
        sample = self._pixels(self.proj_out(hidden_states), *shape)
        return Transformer2DModelOutput(sample=sample) if return_dict else (sample,)

    def _run(self, block: nn.Module, *args):
        if torch.is_grad_enabled() and self.gradient_checkpointing:
            return self._gradient_checkpointing_func(block, *args)
        return block(*args)

    def _tokens(self, patches: Tensor) -> Tensor:
        """(B, D, F, h, w) -> (B, F, h * w, D)"""
        return patches.flatten(3).permute(0, 2, 3, 1).contiguous()

    def _pixels(self, tokens: Tensor, frames: int, rows: int, columns: int) -> Tensor:
        """(B, F, N, patch * C) -> (B, C, F, h, w)"""
        tokens = tokens.unflatten(2, (rows, columns)).unflatten(-1, (*self.config.patch_size, -1))
        return tokens.permute(0, 7, 1, 4, 2, 5, 3, 6).flatten(6, 7).flatten(4, 5).flatten(2, 3)

    def _time(self, timestep: Tensor, num_frames: int, text: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding (B, F, D) and modulation (B, F, 6, D) of the frames' times. Most share one: each is made once."""
        if timestep.ndim == 1:
            distinct, which = timestep, torch.arange(len(timestep), device=timestep.device)[:, None]
            which = which.expand(-1, num_frames)
        else:
            distinct, which = timestep.unique(return_inverse=True)
        embedder = self.condition_embedder
        projected = embedder.timesteps_proj(distinct).to(embedder.time_embedder.linear_1.weight.dtype)
        temb = embedder.time_embedder(projected).type_as(text)
        modulation = embedder.time_proj(embedder.act_fn(temb)).unflatten(1, (6, -1))
        return temb[which], modulation[which]

    def _check(self, hidden_states: Tensor, timestep: Tensor, control: Tensor | None, num_references: int) -> None:
        batch, channels, frames, height, width = hidden_states.shape
        for name, size, patch in zip(("height", "width"), (height, width), self.config.patch_size[1:], strict=True):
            if size % patch:
                raise ValueError(f"{name}={size} of the latents must be a multiple of the patch, {patch}.")
        if not 0 <= num_references < frames:
            raise ValueError(f"num_reference_frames={num_references} must be 0..{frames - 1} for {frames} frames.")
        if timestep.shape not in ((batch,), (batch, frames)):
            raise ValueError(f"timestep {tuple(timestep.shape)} must be {(batch, frames)}, one for every frame.")
        if control is None:
            return
        if not self.config.vace_layers:
            raise ValueError("This model has no control branch. Leave control_hidden_states out, or convert one in.")
        expected = (batch, self.vace_patch_embedding.in_channels, frames - num_references, height, width)
        if control.shape != expected:
            raise ValueError(
                f"control_hidden_states {tuple(control.shape)} must be {expected}: all frames but the references."
            )

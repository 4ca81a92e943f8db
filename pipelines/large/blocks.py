"""The blocks of `MirageTransformer3DModel`: diffusers' Wan blocks with a modulation for every frame, and hints.

Tokens keep their frames apart: (B, F, N, D), F frames of N tokens each.
"""

# Only blocks that are registered can be skipped by diffusers' caches, and it has no public way to do so.
from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry
from diffusers.models.transformers.transformer_wan import WanTransformerBlock
from diffusers.models.transformers.transformer_wan_vace import WanVACETransformerBlock
from torch import Tensor

from pipelines.large.rotary import Rotary


def modulated(
    block: WanTransformerBlock | WanVACETransformerBlock,
    hidden_states: Tensor,  # (B, F, N, D)
    encoder_hidden_states: Tensor,  # (B, L, D)
    temb: Tensor,  # (B, F, 6, D)
    rotary_emb: Rotary,
) -> Tensor:
    """The three parts of a Wan block, with a modulation for every frame. Norms and residuals in float32, as in Wan."""
    frames = hidden_states.shape[1:3]
    rotary_emb = tuple(part.flatten(1, 2)[:, :, None] for part in rotary_emb)  # (1, S, 1, head dim)
    shift, scale, gate, ffn_shift, ffn_scale, ffn_gate = (block.scale_shift_table[:, None] + temb.float()).chunk(6, 2)

    normed = (block.norm1(hidden_states.float()) * (1 + scale) + shift).type_as(hidden_states)
    attended = block.attn1(normed.flatten(1, 2), None, None, rotary_emb).unflatten(1, frames)
    hidden_states = (hidden_states.float() + attended * gate).type_as(hidden_states)

    normed = block.norm2(hidden_states.float()).type_as(hidden_states)
    hidden_states = hidden_states + block.attn2(normed.flatten(1, 2), encoder_hidden_states).unflatten(1, frames)

    normed = (block.norm3(hidden_states.float()) * (1 + ffn_scale) + ffn_shift).type_as(hidden_states)
    return (hidden_states.float() + block.ffn(normed).float() * ffn_gate).type_as(hidden_states)


class MirageTransformerBlock(WanTransformerBlock):
    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        temb: Tensor,
        rotary_emb: Rotary,
        hint: Tensor | None = None,  # (B, F, N, D), 0 for the references
    ) -> Tensor:
        hidden_states = modulated(self, hidden_states, encoder_hidden_states, temb, rotary_emb)
        # Inside the block, so that a cache which skips the block skips its hint too.
        return hidden_states if hint is None else hidden_states + hint


class MirageControlBlock(WanVACETransformerBlock):
    def forward(
        self,
        hidden_states: Tensor,  # (B, F, N, D) tokens of the frames under control; only the first block looks at them
        encoder_hidden_states: Tensor,
        control_hidden_states: Tensor,  # (B, F, N, D)
        temb: Tensor,
        rotary_emb: Rotary,
    ) -> tuple[Tensor, Tensor]:
        """The hint for the transformer, and the control tokens for the next of these blocks."""
        if self.proj_in is not None:
            control_hidden_states = self.proj_in(control_hidden_states) + hidden_states
        control_hidden_states = modulated(self, control_hidden_states, encoder_hidden_states, temb, rotary_emb)
        return self.proj_out(control_hidden_states), control_hidden_states


TransformerBlockRegistry.register(
    model_class=MirageTransformerBlock,
    metadata=TransformerBlockMetadata(return_hidden_states_index=0, return_encoder_hidden_states_index=None),
)

"""Rotary positions of the transformer's tokens: the frames of the clip, and references that stand apart from them."""

import torch
from diffusers.models.embeddings import get_1d_rotary_pos_embed
from torch import Tensor, nn

Rotary = tuple[Tensor, Tensor]  # cosines and sines, (1, F, N, head dim) each


class SegmentRotaryPosEmbed(nn.Module):
    """Positions in time, height and width: the frames of the clip count from 0, references from an offset.

    attention_head_dim: of which a third each goes to height and width, the rest to time. reference_offset: where
    references stand from the clip's first token, in multiples of their own extent, in time, height and width.
    (-1, 1, 0): R references have times -R..-1 and rows h..2h-1.
    """

    def __init__(self, attention_head_dim: int, reference_offset: tuple[int, int, int], theta: float = 10000.0):
        super().__init__()
        side = 2 * (attention_head_dim // 6)
        self.dims = (attention_head_dim - 2 * side, side, side)
        self.reference_offset, self.theta = reference_offset, theta

    def forward(
        self, num_frames: int, height: int, width: int, num_reference_frames: int, references_first: bool, device
    ) -> Rotary:
        """Sizes in tokens -> cosines and sines, (1, F, height * width, head dim) float32 each."""
        segments = [(num_frames - num_reference_frames, (0, 0, 0))]
        segments.insert(0 if references_first else 1, (num_reference_frames, self.reference_offset))
        cos, sin = zip(*(self._segment((f, height, width), at, device) for f, at in segments if f), strict=True)
        return torch.cat(cos, dim=1), torch.cat(sin, dim=1)

    def _segment(self, extent: tuple[int, int, int], offset: tuple[int, int, int], device) -> Rotary:
        exact = torch.float32 if torch.device(device).type == "mps" else torch.float64
        axes = []
        for axis, (size, multiple, dim) in enumerate(zip(extent, offset, self.dims, strict=True)):
            positions = torch.arange(size, device=device, dtype=exact) + multiple * size
            shape = [1, 1, 1, dim]
            shape[axis] = size
            parts = get_1d_rotary_pos_embed(dim, positions, self.theta, use_real=True, freqs_dtype=exact)
            axes.append([part.view(shape).expand(*extent, dim) for part in parts])
        return tuple(torch.cat(parts, dim=-1).flatten(1, 2)[None] for parts in zip(*axes, strict=True))

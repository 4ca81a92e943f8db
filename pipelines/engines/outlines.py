"""Smooth outlines: how much of a pixel a near surface covers."""

import torch
from torch import Tensor

from pipelines.memory import Readout
from pipelines.memory.surfaces import SAME_SURFACE


def soften(frames: Tensor, readout: Readout) -> Tensor:
    """Anti-alias where a near surface has moved in front of another, or away from it.

    frames (T, 3, h, w), one surface per pixel; readout: of the same cells. Returns (T, 3, h, w).
    Between a near cell and a far one beside it, the outline runs where the outermost near sample ends, half a cell
    beyond its centre. So the offset of the cell's place from that sample is the share of the far colour in the near
    cell, or, if negative, that of the near colour in the far cell. Outlines that are as the view saw them stay: the
    photo has anti-aliased them.
    """
    out = frames.clone()
    depth = torch.where(readout.mask, readout.depth, torch.inf)
    xy, offset = readout.view_xy, readout.offset
    for axis, beyond in ((2, offset[..., 0]), (1, offset[..., 1])):
        last = depth.shape[axis] - 1
        for near, far in ((0, 1), (1, 0)):
            step = depth.narrow(axis, near, last) * (1 + SAME_SURFACE) < depth.narrow(axis, far, last)
            t, row, column = step.nonzero(as_tuple=True)
            p, q = ((t, row + i * (axis == 1), column + i * (axis == 2)) for i in (near, far))
            # How far apart the two were in their view, beyond the one cell that neighbours are apart anyway.
            moved = (xy[p] - xy[q]).abs().amax(-1).sub_(1).clamp_(0, 1)
            moved[readout.view[p] != readout.view[q]] = 1
            share = ((far - near) * beyond[p]).clamp(-0.5, 0.5) * moved
            p, q = ((t, slice(None), row, column) for t, row, column in (p, q))
            change = frames[q] - frames[p]
            out[p] += share.clamp(min=0)[:, None] * change
            out[q] += share.clamp(max=0)[:, None] * change
    return out

"""Outlines that move by fractions of a pixel."""

import pytest
import torch
from tiny_memories import camera

from pipelines.engines.outlines import soften
from pipelines.memory import LatentMemory


@pytest.mark.parametrize("pixels", [0.0, 2.0, 2.25, 2.5, 2.8, 3.1])
def test_a_softened_outline_moves_by_fractions_of_a_pixel(pixels):
    """A white square in front of a black sky: its middle is where the camera says, not on the nearest pixel."""
    depth = torch.full((12, 16), 1000.0)
    depth[3:8, 5:10] = 2.0
    memory = LatentMemory(1)
    memory.write(torch.zeros(1, 12, 16), depth, camera())
    readout = memory.readout(camera(x=pixels * 2.0 / 14), 12, 16)
    frame = (readout.mask & (readout.depth < 3)).float()[:, None].expand(-1, 3, -1, -1)
    row = soften(frame, readout)[0, 0, 5]
    middle = (row * (torch.arange(16) + 0.5)).sum() / row.sum()
    assert torch.equal(row, frame[0, 0, 5]) == (pixels == round(pixels))
    assert row.sum().item() == pytest.approx(5, abs=0.02) and middle.item() == pytest.approx(7.5 - pixels, abs=0.02)

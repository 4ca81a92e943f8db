"""Flying samples: what lies between two surfaces belongs to neither."""

import torch
from tiny_memories import camera

from pipelines.memory import LatentMemory


def test_samples_between_two_surfaces_are_not_stored():
    depth = torch.full((12, 16), 8.0)
    depth[:, :8] = 2.0
    depth[:, 8] = 5.0  # as an estimator smooths it
    memory = LatentMemory(1)
    report = memory.write(torch.zeros(1, 12, 16), depth, camera())
    assert report.depth_edge == 12 and memory.num_points == 12 * 15
    assert set(memory.readout(camera(x=-1.0), 12, 16).depth.unique().tolist()) == {0.0, 2.0, 8.0}

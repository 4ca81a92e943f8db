"""Surfaces stay closed when they are seen larger than they were written, and nothing shows through."""

import pytest
import torch
from tiny_memories import all_kept, camera, flat

from pipelines.memory import LatentMemory


def test_a_surface_reaches_as_far_as_the_footprints_of_its_outermost_samples():
    valid = torch.zeros(12, 16, dtype=torch.bool)
    valid[4:8, 6:10] = True  # four by four around the middle
    memory = LatentMemory(1)
    memory.write(torch.zeros(1, 12, 16), torch.full((12, 16), 4.0), camera(), valid)
    out = memory.readout(camera(z=1.78), 12, 16)  # 1.8 times as large: 7.2 cells, which hold the middles of eight
    assert 60 <= out.mask[0, 2:10, 4:12].sum() == out.mask.sum()


def test_moving_closer_opens_no_cracks_and_shows_nothing_behind():
    memory = LatentMemory(1)
    wall = torch.full((48, 64), 2.0)
    memory.write(torch.zeros(1, 48, 64), wall, camera(48, 64, focal=56.0))
    behind = camera(48, 64, x=4.0, focal=56.0)  # sees, through the open right side, a red wall further back
    memory.write(torch.ones(1, 48, 64), torch.full((48, 64), 6.0), behind)
    closer = camera(48, 64, z=0.8, focal=56.0)  # 0.6 of the distance
    out = memory.readout(closer, 48, 64)
    assert out.mask.float().mean() > 0.99
    assert (out.latents[out.mask[:, None]] == 0).all()


@pytest.mark.parametrize("depth", [4.0, 2.1])
def test_a_wall_shines_through_no_crack_however_close_behind_it_is(depth):
    walls = ((0.0, 2.0, 0.0), (1.0, depth, 0.02))
    memory = all_kept(*((token, torch.full((48, 64), z), camera(48, 64, x=x, focal=56.0)) for token, z, x in walls))
    out = memory.readout(camera(48, 64, x=0.1, z=0.6, focal=56.0), 48, 64)  # 1.4 and, at 2.1, 1.5 away
    assert out.mask[:, 1:-1, 1:-1].all() and (out.latents[0, 0, 1:-1, 1:-1] == 0).all()


def test_uneven_depth_opens_no_holes_in_a_near_surface():
    """Samples of one surface that change places leave cells without any; the wall behind must not show there."""
    depth = torch.full((12, 64), 50.0)
    depth[:, 16:48] = 1.0 + 0.08 * torch.rand(12, 32, generator=torch.Generator().manual_seed(0))
    memory = LatentMemory(1)
    memory.write(torch.zeros(1, 12, 64), depth, camera(12, 64, focal=56.0))
    readout = memory.readout(camera(12, 64, x=0.2, focal=56.0), 12, 64)
    near = readout.mask & (readout.depth < 2)
    assert near[0, 1:-1, 7:34].all()


def test_what_a_sensor_missed_in_a_surface_shows_nothing_behind_but_a_real_gap_does():
    """Every fifth row and column without depth, as depth cameras give it; a gap of four is a window."""
    depth = torch.full((32, 64), 50.0)
    depth[:, 16:48] = 1.0
    depth[::5], depth[:, ::5] = 0.0, 0.0
    depth[12:16, 28:32] = 0.0
    memory = LatentMemory(1)
    memory.write(torch.where(depth == 1, 1.0, 0.0)[None], depth, camera(32, 64, focal=56.0))
    readout = memory.readout(camera(32, 64, x=0.1, focal=56.0), 32, 64)  # 5.6 cells to the left
    near = readout.mask[0] & (readout.depth[0] < 2)
    assert near[1:-1, 12:21].all() and near[1:-1, 28:41].all()
    assert not near[13:15, 23:25].any()


@pytest.mark.parametrize("focal", [14.0, 56.0, 140.0, 800.0])
def test_a_longer_lens_opens_no_pinholes(focal):
    memory = LatentMemory(1)
    memory.write(torch.zeros(1, 24, 32), flat(3.0), camera(24, 32, focal=28.0))
    out = memory.readout(camera(24, 32, focal=focal), 24, 32)
    inside = out.mask[0, 6:18, 8:24] if focal < 28 else out.mask[0]
    assert inside.all() and torch.allclose(out.depth[out.mask], torch.tensor(3.0))

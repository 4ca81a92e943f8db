"""Which sample shows: the nearer surface, and of several views of it the most alike."""

import numpy as np
import pytest
import torch
from tiny_memories import all_kept, camera, flat

from pipelines.cameras import Camera
from pipelines.memory import LatentMemory


@pytest.mark.parametrize("depths", [(1.0, 2.0), (2.0, 1.0)])
def test_nearer_surface_wins_whatever_the_order_of_points(depths):
    near_camera, far_camera = camera(x=0.0), camera(x=0.0)
    memory = LatentMemory(1)
    for i, depth in enumerate(depths):  # each write leaves half of the picture open, so that both are stored
        valid = torch.zeros(12, 16, dtype=torch.bool)
        valid[:, i::2] = True
        memory.write(torch.full((1, 12, 16), depth), torch.full((12, 16), depth), [near_camera, far_camera][i], valid)
    coarse = memory.readout(near_camera, 12, 8)
    assert coarse.mask.all() and (coarse.latents == 1.0).all()  # cells are copied, never mixed: exact


@pytest.mark.parametrize("order", [(0.0, 1.0), (1.0, 0.0)])
def test_of_two_views_that_show_a_surface_alike_the_newer_shows(order):
    memory = all_kept(*((token, torch.full((12, 16), 3.0), camera()) for token in order))
    assert (memory.readout(camera(), 12, 16).latents == order[1]).all()


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_views_the_one_of_like_resolution_or_angle_shows(swapped):
    wide, tele = camera(focal=14.0), camera(focal=42.0)
    c, t = np.cos(np.radians(25)), np.sin(np.radians(25))
    turn = np.array([[c, 0, t, -3 * t], [0, 1, 0, 0], [-t, 0, c, 3 - 3 * c], [0, 0, 0, 1]])
    aside = Camera(wide.K, turn, 12, 16)  # looks at the middle of the wall from the left, as far away as the wide one
    slanted = (3 / (c - t * (torch.arange(16) + 0.5 - 8) / 14)).float().expand(12, 16) * c  # the same wall
    wall = torch.full((12, 16), 3.0)
    for first, second in (((wall, wide), (wall, tele)), ((wall, wide), (slanted, aside))):
        written = [(0.0, *first), (1.0, *second)]
        memory = all_kept(*written[::-1] if swapped else written)
        for token, depth, cam in written:
            shown = memory.readout(cam, 12, 16)
            both = np.s_[3:9, 5:11]
            assert torch.allclose(shown.depth[0][both], depth[both], rtol=0.05)
            # On a slanted wall the other's sample may be nearer in a cell, by more than makes them one surface.
            assert (shown.latents[0, 0][both] == token).float().mean() > 0.8


def test_of_two_views_of_one_surface_the_more_alike_shows():
    memory = LatentMemory(1)
    wide, tele = camera(24, 32, focal=28.0), camera(24, 32, focal=40.0)  # 1.4 times as fine: both are kept
    left = torch.zeros(24, 32, dtype=torch.bool)
    left[:, :16] = True
    memory.write(torch.zeros(1, 24, 32), flat(3.0), wide)
    memory.write(torch.ones(1, 24, 32), flat(3.0), tele, valid=left)
    assert (memory.readout(wide, 24, 32).latents == 0).all()

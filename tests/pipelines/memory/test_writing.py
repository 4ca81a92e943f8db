"""Laws of writing: nothing is stored twice, nothing seen is hidden, better views and more votes win."""

import numpy as np
import pytest
import torch
from tiny_memories import any_camera, box_depth, camera, flat, tokens

from pipelines.cameras import Camera
from pipelines.memory import LatentMemory


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.03])
def test_a_rough_surface_comes_back_bit_for_bit_and_is_not_written_twice(noise):
    depth = box_depth(48, 64) * (1 + noise * torch.randn(48, 64, generator=torch.Generator().manual_seed(0)))
    depth[30, 40] *= 1.07  # a dent, farther than all around it but of the same surface
    cam, memory = any_camera(0, 48, 64), LatentMemory(3)
    memory.write(tokens(3, 48, 64), depth, cam)
    stored, points = memory.views[0].depth > 0, memory.num_points
    out = memory.readout(cam, 48, 64)
    assert torch.equal(out.latents[0][:, stored], tokens(3, 48, 64)[:, stored])
    again = memory.write(tokens(3, 48, 64, seed=1), depth, cam)
    assert again.new == again.replaced == 0 and memory.num_points == points


def test_writing_twice_equals_writing_once():
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera())
    points, size = memory.num_points, memory.nbytes
    report = memory.write(tokens(seed=1), box_depth(), camera())
    assert (memory.num_points, memory.nbytes) == (points, size)
    assert report.new == 0 and report.explained == 12 * 16


@pytest.mark.parametrize("depth", [1e-30, 1e-3, 2e-3, 1e3, 1e6, 1.1e6, 3e38])
def test_what_is_too_near_or_too_far_to_be_read_is_not_stored(depth):
    memory = LatentMemory(3)
    once = memory.write(tokens(), torch.full((12, 16), depth), camera())
    seen = int(memory.readout(camera(), 12, 16).mask.sum())
    again = memory.write(tokens(), torch.full((12, 16), depth), camera())
    assert once.new == seen == (12 * 16 if 1e-3 < depth <= 1e6 else 0) and once.invalid == 12 * 16 - seen
    assert again.new == 0 and memory.num_points == seen


def test_a_new_view_never_hides_what_was_seen():
    memory = LatentMemory(1)
    memory.write(torch.zeros(1, 12, 16), box_depth(), camera())
    before = memory.readout(camera(), 12, 16)
    wrong = torch.full((12, 16), 1.2)  # in front of everything, also where the block hid the wall
    report = memory.write(torch.ones(1, 12, 16), wrong, camera(x=0.6))
    assert report.free_space > 0
    assert torch.equal(memory.readout(camera(), 12, 16).depth, before.depth)


def test_what_was_invented_hides_nothing_seen_from_any_camera():
    memory = LatentMemory(1)
    memory.write(torch.zeros(1, 12, 16), torch.full((12, 16), 4.0), camera())
    alone = memory.readout(camera(x=1.2), 12, 16)
    beside = torch.zeros(12, 16, dtype=torch.bool)
    beside[:, 12:] = True  # a near wall just outside the first camera's view
    memory.write(torch.ones(1, 12, 16), torch.full((12, 16), 1.0), camera(x=1.0), beside, invented=True)
    out = memory.readout(camera(x=1.2), 12, 16)
    assert (out.mask & ~alone.mask).any()
    assert (out.latents[0, 0][alone.mask[0]] == 0).all()
    across = np.array([[0, 0, -1, 4], [0, 1, 0, 0], [1, 0, 0, 2], [0, 0, 0, 1.0]])  # looks through the first one's view
    in_the_way = memory.write(
        torch.ones(1, 12, 16), torch.full((12, 16), 4.0), Camera(camera().K, across, 12, 16), invented=True
    )
    assert in_the_way.free_space > 12 * 16 / 4


def test_unusable_depth_is_left_out_and_counted():
    depth = box_depth()
    depth[0, 0], depth[0, 1], depth[0, 2], depth[0, 3] = torch.nan, torch.inf, 0.0, -1.0
    memory = LatentMemory(3)
    report = memory.write(tokens(), depth, camera())
    assert report.invalid == 4 and report.new == 12 * 16 - 4
    out = memory.readout(camera(), 12, 16)
    assert not out.mask[0, 0, :4].any() and torch.isfinite(out.latents).all()


@pytest.mark.parametrize("name", ["latents", "depth", "valid"])
def test_what_is_written_is_brought_from_its_device_before_anything_changes(name):
    given = {"latents": tokens(), "depth": box_depth(), "valid": torch.ones(12, 16, dtype=torch.bool)}
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera(z=-0.5))
    before = memory.samples
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):  # the copy, which meta refuses
        memory.write(**{**given, name: given[name].to("meta")}, cameras=camera())
    assert memory.samples is before


def test_shapes_that_do_not_belong_together_name_both_sides():
    memory = LatentMemory(8)
    with pytest.raises(ValueError, match="3 channels, this memory holds 8"):
        memory.write(tokens(3), box_depth(), camera())
    with pytest.raises(ValueError, match="whole multiple"):
        memory.write(tokens(8), torch.ones(13, 16), camera())
    with pytest.raises(ValueError, match="2 latents, 2 depth maps and 1 cameras"):
        memory.write(tokens(8).expand(2, -1, -1, -1), box_depth().expand(2, -1, -1), camera())
    for value in (torch.nan, 1e5):  # the latter is more than float16 holds
        with pytest.raises(ValueError, match="torch.float16 cannot, or NaN; nothing was written"):
            memory.write(torch.full((8, 12, 16), value), box_depth(), camera())
    assert not memory.views


def test_a_closer_look_replaces_and_looking_again_adds_nothing():
    memory = LatentMemory(3)
    far, close = camera(24, 32, focal=28.0), camera(24, 32, z=3.0, focal=28.0)
    memory.write(tokens(3, 24, 32), flat(4.0), far)
    fine = tokens(3, 24, 32, seed=1)
    report = memory.write(fine, flat(1.0), close)  # four times as near: a patch of 6 x 8 samples
    assert report.replaced > 24 * 32 * 0.7 and report.replaced + report.explained + report.new == 24 * 32
    shown = memory.readout(close, 24, 32).latents[0]
    assert (shown == fine).all(dim=0).float().mean() > 0.7
    points = memory.num_points
    assert points < 24 * 32 * 2
    for cam, depth in ((far, 4.0), (close, 1.0)):
        assert memory.write(tokens(3, 24, 32, seed=2), flat(depth), cam).new == 0
    assert memory.num_points == points and memory.readout(far, 24, 32).mask.all()


def test_what_is_seen_through_goes_and_what_was_seen_often_stays():
    ghost = flat(4.0)
    ghost[8:14, 10:20] = 2.0
    cams = [camera(24, 32, x=x, focal=28.0) for x in (0.0, 0.2, -0.2, 0.1)]
    once = LatentMemory(1)
    once.write(torch.zeros(1, 24, 32), ghost, cams[0])
    assert once.write(torch.ones(1, 24, 32), flat(4.0), cams[0]).replaced == 60
    assert (once.readout(cams[0], 24, 32).depth == 4.0).all()

    often = LatentMemory(1)
    for cam in cams:
        often.write(torch.zeros(1, 24, 32), flat(3.0), cam)
    before = often.readout(cams[0], 24, 32).depth
    wrong = often.write(torch.ones(1, 24, 32), flat(4.0), cams[0])
    assert wrong.disagrees == 24 * 32 and wrong.new == wrong.replaced == 0
    assert torch.equal(often.readout(cams[0], 24, 32).depth, before)


def test_what_is_seen_takes_the_place_of_what_was_invented():
    memory = LatentMemory(1)
    cam = camera(24, 32, focal=28.0)
    memory.write(torch.zeros(1, 24, 32), flat(2.0), cam, invented=True)
    assert memory.write(torch.ones(1, 24, 32), flat(3.0), cam).replaced == 24 * 32
    assert memory.num_points == 24 * 32 and (memory.readout(cam, 24, 32).latents == 1).all()

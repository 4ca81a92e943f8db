"""Memories merged and cropped."""

import numpy as np
import pytest
import torch
from tiny_memories import box_depth, camera, flat, tokens

from pipelines.cameras import Camera
from pipelines.memory import LatentMemory


def test_merging_equals_having_written_everything_and_again_adds_nothing():
    one, other, both = (LatentMemory(3) for _ in range(3))
    left, right = camera(), camera(x=1.5)
    one.write(tokens(), box_depth(), left)
    other.write(tokens(seed=1), box_depth(), right)
    both.write(tokens(), box_depth(), left)
    both.write(tokens(seed=1), box_depth(), right)
    moved = np.eye(4)
    moved[:3, 3] = 0.5, -0.25, 2.0
    away = LatentMemory(3)  # the same second view, remembered in a world of its own
    away.write(tokens(seed=1), box_depth(), Camera(right.K, np.linalg.inv(moved) @ right.c2w, 12, 16))
    for second, pose in ((other, None), (away, moved)):
        merged = one.copy()
        merged.merge(second, pose)
        assert merged.num_points == both.num_points
        a, b = (m.readout(camera(x=0.7), 12, 16) for m in (merged, both))
        assert torch.equal(a.mask, b.mask) and torch.allclose(a.latents, b.latents)
    points = merged.num_points
    assert merged.merge(other).new == 0 and merged.num_points == points
    made = LatentMemory(3)
    made.write(tokens(seed=2), box_depth(), camera(x=3.0), invented=True)
    assert made.copy().merge(one).replaced > 0 and one.copy().merge(made).free_space > 0
    away = made.copy()
    away.merge(made, moved)
    assert all(view.invented for view in away.views)
    with pytest.raises(ValueError, match="3 channels .*and 4 channels"):
        one.merge(LatentMemory(4))
    with pytest.raises(ValueError, match="3 channels not to interpolate .*and 3 channels to interpolate"):
        one.merge(LatentMemory(3, interpolates=True))


def test_a_merge_brings_the_votes_and_the_weights_name_and_may_be_with_itself():
    seen, once = LatentMemory(1, codec="ours"), LatentMemory(1)
    cams = [camera(24, 32, x=x, focal=28.0) for x in (0.0, 0.2, -0.2, 0.1)]
    for cam in cams:
        seen.write(torch.zeros(1, 24, 32), flat(3.0), cam)
    once.write(torch.zeros(1, 24, 32), flat(3.0), cams[0])
    for memory, other in ((LatentMemory(1), seen), (once, seen)):  # into an empty one, and one that knows the place
        memory.merge(other)
        wrong = memory.write(torch.ones(1, 24, 32), flat(4.0), cams[0])
        assert wrong.disagrees == 24 * 32 and wrong.new == wrong.replaced == 0
        with pytest.raises(ValueError, match="weights 'ours'.*weights 'theirs'"):
            memory.merge(LatentMemory(1, codec="theirs"))
    away = np.eye(4)
    away[2, 3] = 50.0
    points = seen.num_points
    seen.merge(seen, away)
    assert seen.num_points == 2 * points


def test_crop_keeps_the_samples_in_the_box_with_their_tokens():
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera())
    block = memory.crop((-9, -9, 1.9), (9, 9, 2.1))
    assert block.num_points == 25 and len(block.features) == 25
    whole, part = memory.readout(camera(), 12, 16), block.readout(camera(), 12, 16)
    assert torch.equal(part.mask, box_depth()[None] == 2.0)
    assert torch.equal(part.latents[0][:, part.mask[0]], whole.latents[0][:, part.mask[0]])
    wall = memory.crop((-9, -9, 2.1), (9, 9, 9))
    assert wall.num_points == 12 * 16 - 25 and (wall.views[0].depth[box_depth() == 2.0] == 0).all()
    nothing = memory.crop((50, 50, 50), (51, 51, 51))
    assert not nothing.views and nothing.nbytes == 0 and not nothing.readout(camera(), 12, 16).mask.any()
    assert LatentMemory(3).crop((-1, -1, -1), (1, 1, 1)).num_points == 0
    with pytest.raises(ValueError, match="must be below"):
        memory.crop((0, 0, 0), (1, 1, 0))

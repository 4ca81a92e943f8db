"""What a path will show of a photo: known before anything is invented."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import photo
from walls import lift, post, slide, wall

from pipelines import move
from pipelines.metrics import psnr
from pipelines.photo import outlook
from pipelines.photo.outlook import between_known, covered, look, nearer_beside, share_of

STEPS = (0.0, 0.1, 0.2, 0.3, 0.4)  # aside, in scene units


@pytest.mark.parametrize("depth", [wall(), post(), None])
def test_from_its_own_camera_all_of_a_photo_is_there(pipe, depth):
    lifted = lift(pipe, depth)
    seen = look(lifted.memory, slide(lifted, 0.0))
    assert np.array_equal(seen.coverage, np.ones(5)) and not seen.torn.any()


def test_the_further_aside_before_a_wall_the_less_of_it_and_nothing_is_torn(pipe):
    lifted = lift(pipe, wall())
    seen = [look(lifted.memory, slide(lifted, aside)) for aside in STEPS]
    least = [one.coverage[-1] for one in seen]
    shift = [aside * lifted.camera.K[0, 0] / 4 / 128 for aside in STEPS]  # of the width
    assert np.allclose(least, 1 - np.array(shift), atol=0.008) and (np.diff(least) < 0).all()
    assert not any(one.torn.any() for one in seen)
    assert (np.diff(seen[-1].coverage) <= 0).all()


def test_the_further_aside_before_a_post_the_more_opens_beside_it(pipe):
    lifted = lift(pipe, post())
    torn = [look(lifted.memory, slide(lifted, aside)).torn for aside in STEPS]
    last = [one[-1] for one in torn]
    parted = [aside * lifted.camera.K[0, 0] * (1 / 2 - 1 / 4) / 128 for aside in STEPS]  # of the width
    assert np.allclose(last, parted, atol=0.012) and last[0] == 0 and (np.diff(last) > 0).all()
    assert (np.diff(torn[-1]) >= 0).all()


def test_what_opens_beside_the_nearest_things_counts_twice(pipe):
    """A photo with a post two units away, in a place whose nearest things are as far or, at the rim, much nearer."""
    for before, count in ((post(), 2), (post(), 1)):
        if count == 1:
            before[:, :20] = 0.5
        lifted = lift(pipe, before)
        path = slide(lifted, 0.05)
        plain, torn = look(lifted.memory, path).torn, look(lifted.memory, path, lifted).torn
        assert plain[0] == torn[0] == 0 and plain[-1] > 0
        beside_post = 0.05 * lifted.camera.K[0, 0] * (1 / 2 - 1 / 4) / 128
        rim = 0 if count == 2 else 0.05 * lifted.camera.K[0, 0] * (1 / 0.5 - 1 / 4) / 128
        assert torn[-1] == pytest.approx(count * beside_post + 2 * rim, abs=0.02)
        assert torn[-1] - plain[-1] == pytest.approx(beside_post if count == 2 else rim, abs=0.01)


def test_the_nearer_surface_beside_a_gap_may_stand_on_either_side():
    none = torch.inf
    depth = torch.tensor([[[none, 2, none, none, 5, none, 3, none]]])
    beside = nearer_beside(depth)[0, 0].tolist()
    assert beside[1:7] == [2, 2, 2, 5, 3, 3]


def test_a_gap_is_what_has_something_known_on_both_sides():
    mask = torch.tensor([[[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 1]]]).bool()
    assert torch.equal(between_known(mask).int(), torch.tensor([[[0, 0, 1, 0, 0], [0] * 5, [0, 1, 1, 1, 0]]]).int())


def test_preview_shows_the_same_cameras_and_hatches_what_is_unknown(pipe):
    lifted = lift(pipe)
    trajectory = move("side-slide", lifted.camera, distance=lifted.distance, frames=17)
    frames = outlook.preview(pipe.engine, lifted, trajectory, max_frames=5)
    coverage = outlook.coverage(lifted.memory, trajectory)
    assert frames.shape == (5, 72, 128, 3) and coverage.shape == (17,)
    assert psnr(frames[0], lifted.image) > 36
    assert coverage[0] > 0.99 > coverage[-1]
    rendered = pipe(lifted, trajectory)
    known = lifted.memory.readout(trajectory[16], 72, 128).mask[0].numpy()
    assert psnr(frames[-1], rendered.frames[-1], known) > 40


def test_cells_that_one_sample_makes_known_are_counted_without_flattery():
    rows, columns = torch.meshgrid(torch.arange(288.0), torch.arange(512.0), indexing="ij")
    known = torch.stack([(columns - 5 * t).abs() + (rows - 140).abs() / 3 < 150 for t in range(64)])
    known |= (rows - 40) ** 2 + (columns - 400) ** 2 < 1000
    cells = F.max_pool2d(known.float(), 8).bool()  # one pixel of 8x8 is enough
    truth = share_of(known)
    assert (share_of(cells) - truth).mean() > 0.015
    assert np.abs(covered(cells) - truth).max() < 0.008


def test_coverage_before_a_render_is_that_of_the_clip(pipe):
    lifted = pipe.lift(photo(), 144, 256)
    trajectory = move("side-slide", lifted.camera, lifted.distance, frames=17)
    clip = pipe(lifted, trajectory, quality="draft").coverage
    assert clip.min() < 0.9 and clip[0] == 1
    assert np.abs(outlook.coverage(lifted.memory, trajectory) - clip).max() < 0.02

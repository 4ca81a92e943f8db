import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from pipelines.inpainting import search
from pipelines.inpainting.config import SearchConfig
from pipelines.inpainting.exemplar import fill, fill_steps
from pipelines.inpainting.geometry import Surroundings, gap_sides, hull, survey
from pipelines.inpainting.kriging import krige
from pipelines.inpainting.smooth import nearest_known, smooth_fill

torch.set_num_threads(1)


def intrinsics(h, w):
    return torch.tensor([[0.9 * w, 0, w / 2], [0, 0.9 * w, h / 2], [0, 0, 1]])


def picture(h, w, channels=3, seed=0):
    """Waves and a little noise: nothing in it repeats exactly."""
    g = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(h) / 9.0, torch.arange(w) / 7.0, indexing="ij")
    waves = [torch.sin(x * (k + 1) * 0.37 + y * 0.61 * k) for k in range(channels)]
    return torch.stack(waves) + 0.1 * torch.randn(channels, h, w, generator=g)


def right_strip(h, w, share=0.2):
    mask = torch.ones(h, w, dtype=torch.bool)
    mask[:, w - round(share * w) :] = False
    return mask


def psnr(a, b):
    return -10 * math.log10(float(((a - b) ** 2).mean()) + 1e-12)


@pytest.mark.parametrize("h, w, channels", [(45, 80, 3), (80, 45, 8), (61, 61, 8), (150, 270, 3)])
def test_known_tokens_stay_and_everything_is_complete(h, w, channels):
    features, mask = picture(h, w, channels), right_strip(h, w)
    depth = torch.full((h, w), 3.0) * mask
    broken = torch.where(mask, features, math.nan)  # what stands in a hole must not be read
    out = fill(broken, mask, depth, intrinsics(h, w))
    assert torch.equal(out.features[:, mask], features[:, mask]) and torch.equal(out.depth[mask], depth[mask])
    assert out.features.isfinite().all() and (out.depth > 0).all()
    source = out.source.long()
    assert mask[source[..., 0], source[..., 1]][~mask].all(), "every token of a wide hole has a known source"


def test_same_seed_same_bits_whatever_the_thread_count():
    h, w = 60, 100
    features, mask = picture(h, w), right_strip(h, w)
    depth = torch.full((h, w), 3.0) * mask
    first = fill(features, mask, depth, intrinsics(h, w), seed=3)
    torch.set_num_threads(2)
    try:
        second = fill(features, mask, depth, intrinsics(h, w), seed=3)
    finally:
        torch.set_num_threads(1)
    assert torch.equal(first.features, second.features) and torch.equal(first.source, second.source)


def test_a_periodic_texture_goes_on():
    h, w = 72, 128
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    features = torch.stack([((x // 8 + y // 12) % 2).float(), (x % 16 < 3).float(), (y % 24 < 5).float()])
    mask = right_strip(h, w)
    out = fill(features, mask, torch.full((h, w), 3.0) * mask, intrinsics(h, w))
    hole = ~mask
    assert psnr(out.features[:, hole], features[:, hole]) > 20
    assert psnr(smooth_fill(features, mask)[:, hole], features[:, hole]) < 13
    moved_y, moved_x = out.source[..., 0] - y, out.source[..., 1] - x
    assert ((moved_y % 24 == 0) & (moved_x % 16 == 0))[hole].float().mean() > 0.8, "by whole periods"


def box_before_a_wall(h=72, w=128):
    """A near red box, a far grey wall with grain, and the gap that opens beside the box when the camera slides."""
    g = torch.Generator().manual_seed(0)
    features = 0.5 + 0.05 * torch.randn(3, h, w, generator=g)
    box = torch.zeros(h, w, dtype=torch.bool)
    box[20:52, 40:64] = True
    features[:, box] = torch.tensor([1.0, 0.0, 0.0])[:, None] + 0.05 * torch.randn(3, int(box.sum()), generator=g)
    mask = torch.ones(h, w, dtype=torch.bool)
    mask[20:52, 64:76] = False
    depth = torch.where(box, 1.5, 4.0) * mask
    return features, mask, depth, box


@pytest.mark.parametrize("bent", [False, True], ids=["planes", "no planes"])
def test_what_stands_before_a_gap_is_not_copied_into_it(bent):
    features, mask, depth, box = box_before_a_wall()
    h, w = mask.shape
    if bent:  # estimated depth: no plane fits, the step at the gap is all there is to see
        ripple = 1 + 0.08 * torch.sin(torch.arange(w) / 5.0) * torch.cos(torch.arange(h) / 6.0)[:, None]
        depth = depth * ripple
    out = fill(features, mask, depth, intrinsics(h, w))
    source = out.source.long()
    assert not box[source[..., 0], source[..., 1]][~mask].any()
    assert (out.features[0, ~mask] - 0.5).abs().max() < 0.3, "red must not bleed into the wall"
    assert (out.depth[~mask] > 3.2).all(), "the gap lies behind the box"


def test_the_outline_of_what_stood_before_a_gap_is_not_drawn_into_it():
    """In the photo the far side of the gap began in the middle of a token: half of its colour is the box's."""
    features, mask, depth, box = box_before_a_wall()
    h, w = mask.shape
    features[0, 20:52, 76] += 0.25
    features[1:, 20:52, 76] -= 0.25
    out = fill(features, mask, depth, intrinsics(h, w))
    assert (out.features[0] - 0.5)[20:52, 72:76].mean() < 0.05, "red runs from the outline into the gap"
    assert torch.equal(out.features[:, mask], features[:, mask])


def test_thin_cracks_close_smoothly():
    h, w = 200, 340
    y, x = torch.meshgrid(torch.arange(h) / 30, torch.arange(w) / 40, indexing="ij")
    features = torch.stack([torch.sin(x), torch.cos(y), torch.sin(x + y)])
    mask = torch.ones(h, w, dtype=torch.bool)
    mask[:, 100] = mask[50:52, 200:230] = False
    out = fill(features, mask, 2.0 * mask, intrinsics(h, w))
    assert (out.features - features)[:, ~mask].abs().max() < 0.05
    assert torch.allclose(out.depth, torch.tensor(2.0), rtol=1e-3)


def test_near_side_of_a_gap_but_not_a_floor_or_a_rim():
    h, w = 40, 64
    K = intrinsics(h, w)
    floor = 1.2 / ((torch.arange(h) + 0.5 - h / 2) / K[1, 1]).clamp(min=0.05)[:, None].expand(h, w)
    known = torch.ones(h, w, dtype=torch.bool)
    known[26:32, 20:40] = False
    assert not gap_sides(floor.contiguous(), known)[2].any(), "a floor that recedes has no near side"
    known[:] = True
    known[:, 50:] = False
    assert not gap_sides(torch.full((h, w), 2.0), known)[2].any()
    _, known, depth, box = box_before_a_wall()
    near, far, gap = gap_sides(depth, known)
    assert torch.equal(gap, ~known), "all of what opens beside the box is a gap"
    assert torch.equal(near > 0, box & (torch.arange(128) == 63)) and (near[near > 0] == 4).all()
    assert torch.equal(far[20:52], (torch.arange(128) == 76).expand(32, -1))


def test_a_near_wall_goes_on_in_one_piece_beside_its_slanted_rim():
    """Along a column the rim has the wall at one end and at the other what shows above it: no gap opens there."""
    h, w = 72, 128
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    known = (x >= 24 - y // 18) | (y < 3)
    depth = torch.where((x < 40) & (y >= 3), 2.0, 8.0) * known
    around = survey(depth, known, intrinsics(h, w))
    rim = ~known[12:, 18:]
    assert around.near[12:, 18:][rim].float().mean() > 0.95 and (around.far[12:, 18:][rim] < 3).float().mean() > 0.95


def test_depth_of_a_hole_lies_on_the_known_planes():
    h, w = 72, 128
    K = intrinsics(h, w)
    room = torch.tensor([[0, -1, 0, -1.2], [-1, 0, 0, -1], [0, 0, -1, -5], [1, 0, 0, -2], [0, 1, 0, -1.3]])
    truth, _ = hull(room, K, h, w)
    mask = right_strip(h, w, 0.25)
    out = fill(picture(h, w), mask, truth * mask, K)
    assert survey(truth * mask, mask, K).trust > 0.9
    ratio = out.depth[~mask] / truth[~mask]
    assert ratio.min() > 0.99 and ratio.max() < 1.05


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (12, 20)])
@pytest.mark.parametrize("known", ["none", "all", "one"])
def test_degenerate_masks(size, known):
    mask = torch.full(size, known == "all")
    if known == "one":
        mask[size[0] // 2, size[1] // 2] = True
    features = picture(*size)
    out = fill(features, mask, 2.0 * mask, intrinsics(*size))
    assert out.features.isfinite().all() and (out.depth > 0).all() and out.depth.isfinite().all()
    assert torch.equal(out.features[:, mask], features[:, mask])
    assert out.features.shape == (3, *size) and out.source.shape == (*size, 2) and out.source.dtype == torch.int32


def test_progress_is_reported_and_the_work_stops_when_closed():
    features, mask = picture(30, 50), right_strip(30, 50)
    view = features, mask, 2.0 * mask, intrinsics(30, 50)
    steps, reported = fill_steps(*view), []
    threads = torch.get_num_threads()
    while True:
        try:
            reported.append(next(steps))
            assert torch.get_num_threads() == threads
        except StopIteration as done:
            filled = done.value
            break
    assert [i for i, _ in reported] == list(range(reported[0][1] + 1))
    assert torch.equal(filled.features, fill(*view).features)


def test_a_round_of_the_search_is_done_between_two_steps_and_none_before_the_first(monkeypatch):
    """So closing the generator stops the work within a round."""
    features, mask = picture(30, 50), right_strip(30, 50)
    rounds, voted = [], search.voted
    monkeypatch.setattr(search, "voted", lambda *args: rounds.append(1) or voted(*args))
    seen = [len(rounds) for _ in fill_steps(features, mask, 2.0 * mask, intrinsics(30, 50))]
    assert seen[0] == 0 and seen[-1] == sum(SearchConfig().rounds)
    assert max(after - before for before, after in pairwise(seen)) == 1


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(ValueError, match=r"mask is \(4, 5\), but features \(3, 4, 6\) need \(4, 6\)"):
        fill(torch.zeros(3, 4, 6), torch.ones(4, 5, dtype=torch.bool), torch.ones(4, 6), torch.eye(3))


def test_nearest_known_is_nearest_and_one_colour_is_filled_with_itself():
    mask = torch.rand(23, 37, generator=torch.Generator().manual_seed(0)) > 0.9
    row, column = nearest_known(mask)
    y, x = torch.meshgrid(torch.arange(23), torch.arange(37), indexing="ij")
    brute = ((y[..., None] - mask.nonzero()[:, 0]) ** 2 + (x[..., None] - mask.nonzero()[:, 1]) ** 2).amin(-1)
    assert mask[row, column].all() and torch.equal((row - y) ** 2 + (column - x) ** 2, brute)
    constant = torch.full((2, 40, 64), 0.7)
    wide = torch.zeros(40, 64, dtype=torch.bool)
    wide[3, 4] = True  # the middle of a wide hole must not fall to zero
    assert torch.allclose(smooth_fill(constant * wide, wide), constant)


def nothing_around(h, w, **changes):
    none = torch.zeros(h, w, dtype=torch.bool)
    plain = Surroundings(torch.zeros(0, 4), torch.full((h, w), -1), none, none, torch.ones(h, w), 0.0)
    return replace(plain, **changes)


def test_the_likeliest_colours_keep_what_is_known_and_doubt_grows_with_distance():
    h, w = 36, 64
    values, mask = picture(h, w), right_strip(h, w, 0.4)
    guess, doubt = krige(values, mask, nothing_around(h, w))
    assert torch.equal(guess[:, mask], values[:, mask]) and (doubt[mask] == 0).all()
    rows = doubt[:, ~mask[0]]
    assert (rows.diff(dim=1) >= 0).all() and rows.min() > 0 and rows[:, 0].max() < 0.5 < rows[:, -1].min() <= 1
    flat = torch.full_like(values, 0.7)
    assert torch.allclose(krige(flat, mask, nothing_around(h, w))[0], flat, atol=1e-5)


def test_a_wall_is_guessed_from_the_wall_and_not_from_what_stands_before_it():
    """A light wall over a dark floor, a hole across their edge, and something bright in front beside it."""
    h, w = 36, 64
    values = torch.ones(1, h, w)
    values[:, 24:] = -1.0
    mask = torch.ones(h, w, dtype=torch.bool)
    mask[18:30, 20:40] = False
    label = torch.zeros(h, w, dtype=torch.int64)
    label[24:] = 1
    middle = (slice(0, 1), slice(24, 26), slice(28, 32))
    plain, _ = krige(values * mask, mask, nothing_around(h, w))
    planes, _ = krige(values * mask, mask, nothing_around(h, w, label=label))
    assert planes[middle].mean() < plain[middle].mean() - 0.05, "the floor goes on under the edge of the wall"
    thing = torch.zeros(h, w, dtype=torch.bool)
    thing[18:30, 40:46] = True
    values[:, thing] = 5.0
    beside = (slice(0, 1), slice(18, 30), slice(34, 40))
    leaks, _ = krige(values * mask, mask, nothing_around(h, w))
    apart, _ = krige(values * mask, mask, nothing_around(h, w, foreground=thing))
    assert apart[beside].mean() < leaks[beside].mean() - 0.5

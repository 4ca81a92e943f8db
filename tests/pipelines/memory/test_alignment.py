"""Laws of depth alignment: any scale and shift is undone, outliers or not; what cannot be known is refused."""

import numpy as np
import pytest
import torch

from pipelines.cameras import Camera
from pipelines.memory import LatentMemory
from pipelines.memory.alignment import MIN_OVERLAP, AlignmentError, align_depth


def room(height=72, width=128):
    """Depth of a room with a floor, a ceiling, two walls and a table: 1.4 to 6."""
    y = torch.linspace(-1, 1, height)[:, None].abs().clamp(min=1e-3)
    x = torch.linspace(-1.7, 1.7, width)[None].abs().clamp(min=1e-3)
    depth = torch.minimum(1.4 / y, 2.5 / x).clamp(max=6.0)
    depth[height // 2 : height * 3 // 4, width // 3 : width // 2].clamp_(max=2.2)
    return depth


def estimate(reference, scale, shift, noise=0.01, seed=0):
    """The map that `scale` and `shift` bring to the reference, with and without noise."""
    clean = 1 / (scale * (1 / reference - shift))
    assert (clean > 0).all()
    return clean, clean * (1 + noise * torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed)))


def spoiled(depth, how, seed=1):
    """A fifth of a depth map made wrong."""
    generator = torch.Generator().manual_seed(seed)
    wrong = torch.rand(depth.shape, generator=generator) < 0.2
    if how == "mixed":
        return torch.where(wrong, depth * torch.exp(3 * torch.randn(depth.shape, generator=generator)), depth)
    if how == "near":
        return torch.where(wrong, 0.05 * depth, depth)
    if how == "a little near":
        return torch.where(wrong, 0.7 * depth, depth)
    if how == "far":
        return torch.where(wrong, 30 * depth, depth)
    if how == "one object":
        depth = depth.clone()
        depth[:, : depth.shape[1] // 5] = 0.6 * depth.median()
    return depth


@pytest.mark.parametrize("how", ["clean", "mixed", "near", "a little near", "far", "one object"])
@pytest.mark.parametrize("shift", [-0.1, 0.0, 0.15])
@pytest.mark.parametrize("scale", [0.5, 0.9, 2.0])
def test_scale_and_shift_are_recovered_within_one_percent_despite_a_fifth_of_outliers(scale, shift, how):
    reference = room()
    clean, noisy = estimate(reference, scale, shift)
    aligned = align_depth(spoiled(noisy, how), reference)
    assert aligned.shifted and aligned.scale == pytest.approx(scale, rel=0.01)
    assert ((aligned.apply(clean) / reference - 1).abs() < 0.01).all()


def test_what_agrees_already_stays_and_both_maps_may_be_swapped():
    reference = room()
    same = align_depth(reference, reference)
    assert torch.allclose(same.depth, reference, rtol=1e-6) and same.agreement == same.overlap == 1.0
    there = align_depth(estimate(reference, 1.4, 0.0, noise=0.0)[0], reference)
    back = align_depth(reference, estimate(reference, 1.4, 0.0, noise=0.0)[0])
    assert there.scale * back.scale == pytest.approx(1, abs=1e-6)


def test_the_order_of_pixels_does_not_matter_and_no_random_number_is_drawn():
    reference = room()
    depth = spoiled(estimate(reference, 1.3, 0.05)[1], "mixed")
    order = torch.randperm(depth.numel())
    torch.manual_seed(1)
    first = align_depth(depth, reference)
    torch.manual_seed(2)
    again = align_depth(depth, reference)
    other = align_depth(*(x.reshape(-1)[order].reshape(2, 36, 128) for x in (depth, reference)))
    assert torch.equal(first.depth, again.depth)
    assert other.scale == pytest.approx(first.scale, rel=1e-9) and other.shift == pytest.approx(first.shift, rel=1e-9)


def test_unknown_and_untrusted_pixels_do_not_take_part():
    reference = room()
    clean, depth = estimate(reference, 0.7, 0.1, noise=0.003)
    broken = depth.clone()
    broken[0, :5] = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, -2.0])
    moves = torch.zeros_like(depth, dtype=torch.bool)
    moves[:, 20:110] = True  # far more than any robust fit could bear
    broken[moves] *= 0.3
    reference_with_holes = torch.where(torch.arange(72)[:, None] % 3 > 0, reference, float("nan"))
    aligned = align_depth(broken.numpy(), reference_with_holes.numpy(), valid=~moves.numpy())
    assert ((aligned.apply(clean) / reference - 1).abs() < 0.01).all()
    assert (aligned.depth[0, :5] == 0).all() and torch.isfinite(aligned.depth).all()


def test_a_constant_depth_gets_a_scale_and_no_shift():
    reference = torch.where(torch.rand(72, 128) < 0.2, 9.0, 4.0)
    aligned = align_depth(torch.full((72, 128), 2.0), reference)
    assert not aligned.shifted and aligned.shift == 0 and aligned.spread < 1e-6
    assert torch.allclose(aligned.depth, torch.tensor(4.0), rtol=1e-6)


def test_noise_on_a_flat_wall_is_taken_for_no_shift():
    generator = torch.Generator().manual_seed(0)
    wall = 2.0 * (1 + 0.03 * torch.randn(72, 128, generator=generator))
    reference = 4.0 * (1 + 0.03 * torch.randn(72, 128, generator=generator))
    aligned = align_depth(wall, reference)
    assert not aligned.shifted and aligned.spread > 0.02 and aligned.scale == pytest.approx(2, rel=0.01)
    assert aligned.apply(torch.full((1, 1), 20.0)) == pytest.approx(40, rel=0.01)  # far from all that was fitted


def test_too_little_overlap_is_refused_with_the_numbers():
    reference = room()
    reference[:, 4:] = 0  # 288 of 9216 pixels
    with pytest.raises(AlignmentError, match=r"288 pixels \(3\.1%\).*at least 32 and 5%.*Give a view") as refused:
        align_depth(room(), reference)
    assert refused.value.overlap == pytest.approx(288 / 9216) and refused.value.overlap < MIN_OVERLAP
    with pytest.raises(AlignmentError, match="0 pixels"):
        align_depth(room(), torch.zeros(72, 128))
    with pytest.raises(AlignmentError, match="0 pixels"):
        align_depth(torch.zeros(72, 128), room())
    with pytest.raises(ValueError, match=r"reference \(2, 2\) must have the shape of depth \(72, 128\)"):
        align_depth(room(), torch.ones(2, 2))


def test_maps_of_different_things_are_refused():
    depth = torch.from_numpy(np.random.default_rng(0).uniform(1, 9, (72, 128)))
    with pytest.raises(AlignmentError, match=r"within 10% of the memory's depth; 50% are needed") as refused:
        align_depth(depth, room())
    assert refused.value.agreement < 0.5


def test_a_shift_that_turns_far_into_behind_gives_unknown_depth():
    reference = room()
    _, depth = estimate(reference, 1.0, -0.1, noise=0.0)  # inverse depth comes out too large by 0.1 everywhere
    depth[0, 0] = 50.0  # in truth beyond infinity
    aligned = align_depth(depth, reference)
    assert aligned.depth[0, 0] == 0 and (aligned.depth[1:] > 0).all()


def test_a_wall_seen_again_with_an_estimate_of_another_scale_stays_one_wall():
    height, width, focal = 48, 64, 50.0
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
    cameras, depths = [], []
    for x in (0.0, 1.2):
        c2w = np.eye(4)
        c2w[0, 3] = x
        cameras.append(Camera(K, c2w, height, width))
        slope = (torch.arange(width) + 0.5 - width / 2) / focal
        depths.append(((4 + 0.5 * x) / (1 - 0.5 * slope)).expand(height, width))  # the plane z = 4 + x / 2
    memory = LatentMemory(channels=1)
    memory.write(torch.zeros(1, height, width), depths[0], cameras[0])
    expected = memory.readout(cameras[1], height, width)
    assert 0.5 < expected.mask.float().mean() < 0.9
    aligned = align_depth(estimate(depths[1], 0.6, 0.05)[0], expected.depth[0])
    assert ((aligned.depth / depths[1] - 1).abs() < 0.01).all()
    assert memory.write(torch.zeros(1, height, width), aligned.depth, cameras[1]).new > 0
    after = memory.readout(cameras, height, width)
    assert after.mask.all() and ((after.depth / torch.stack(depths) - 1).abs() < 0.01).all()

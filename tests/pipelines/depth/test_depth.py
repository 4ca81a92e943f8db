"""Depth: what refinement must keep, and what the estimator promises whatever the photo. No weights, no shared data."""

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pipelines.depth import DepthEstimator, DepthNet, EmbeddedDepth, refine_depth
from pipelines.depth.edges import align, grow_near
from pipelines.depth.lines import find_lines
from pipelines.depth.refine import fit_planes, plane_basis
from pipelines.depth.straighten import straighten_lines
from pipelines.errors import Refused
from pipelines.evaluation.depth import abs_rel, align_inverse, align_median, delta1
from pipelines.evaluation.rgbd_frames import rgbd_sequence

TINY = {"widths": (8, 16, 32), "convs": 1, "blocks": 1, "heads": 2}


@pytest.fixture
def estimator() -> EmbeddedDepth:
    """A small network with random heads, so that its answers depend on the photo."""
    torch.manual_seed(0)
    net = DepthNet(**TINY)
    for head in (net.plane[-1], net.pick[-1]):
        torch.nn.init.normal_(head.weight, std=0.5)
    return EmbeddedDepth(net, pixels=64 * 96)


def pixel_grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:height, :width]
    return (y + 0.5) / height, (x + 0.5) / width


def coarse(inverse: np.ndarray, height: int, width: int) -> torch.Tensor:
    """Full-size inverse depth -> blurred log depth on a coarse grid, as a network would give it."""
    small = F.interpolate(torch.from_numpy(inverse)[None, None].float(), (height, width), mode="area")
    return -F.avg_pool2d(F.pad(small, (1,) * 4, mode="replicate"), 3, 1)[0, 0].log()


@pytest.mark.parametrize("planes", [0, 8])
def test_a_plane_stays_a_plane_whatever_is_painted_on_it(planes):
    y, x = pixel_grid(180, 240)
    inverse = 0.4 + 0.9 * y + 0.3 * x
    checker = (((y * 9).astype(int) + (x * 12).astype(int)) % 2 * 200).astype(np.uint8)
    cells = plane_basis(45, 60)
    log_depth = -(0.4 + 0.9 * (cells[2] + 1) / 2 + 0.3 * (cells[1] + 1) / 2).log()
    depth, is_sky = refine_depth(log_depth, np.repeat(checker[..., None], 3, 2), planes=planes)
    ratio = depth * inverse
    # One scale for all pixels; float32 maths and the value clamp at the border cells leave 1e-3.
    np.testing.assert_allclose(ratio / np.median(ratio), 1, atol=2e-3)
    assert not is_sky.any()


def test_a_step_is_sharp_and_sits_on_the_edge_of_the_photo():
    y, x = pixel_grid(240, 320)
    near = (x - 0.5) ** 2 + (y - 0.45) ** 2 < 0.06
    image = np.where(near[..., None], [190, 60, 40], [90, 120, 140]).astype(np.uint8)
    inverse = np.where(near, 2.0, 0.5)
    depth, _ = refine_depth(coarse(inverse, 30, 40), image)
    scaled = depth * (np.median(1 / inverse) / np.median(depth))
    wrong = np.abs(scaled * inverse - 1) > 0.1
    flying = (scaled > 0.6) & (scaled < 1.7)
    assert wrong.mean() < 0.003, "the edge moved away from the photo's edge"
    assert flying.mean() < 0.001, "pixels hang between the two surfaces"


def test_a_bowed_wall_is_straightened_and_a_ball_is_not():
    y, x = pixel_grid(96, 128)
    wall = 0.5 + 0.5 * x
    bowed = wall * (1 + 0.02 * np.sin(6 * y) * np.cos(5 * x))
    radius = np.hypot(x - 0.5, y - 0.5) / 0.2
    ball = 1.4 + 0.8 * np.sqrt(np.clip(1 - radius**2, 0, 1))
    inverse = np.where(radius < 1, ball, bowed)
    image = np.where((radius < 1)[..., None], [200, 40, 40], [180, 180, 170]).astype(np.uint8)
    log_depth = -torch.from_numpy(inverse).float().log()
    errors = {}
    for planes in (0, 6):
        depth, _ = refine_depth(log_depth, image, planes=planes)
        scale = np.median(depth * wall)
        error = np.abs(depth * np.where(radius < 1, ball, wall) / scale - 1)
        errors[planes] = error[radius > 1.2].mean(), error[radius < 0.8].mean()
    assert errors[6][0] < 0.35 * errors[0][0]
    assert errors[6][1] < errors[0][1] + 0.025  # large facets of a large ball may be pulled a little


def test_planes_of_a_corner_are_found_exactly():
    basis = plane_basis(48, 64)
    floor, wall = torch.tensor([0.8, 0.0, 0.7]), torch.tensor([0.7, -0.5, 0.0])
    inverse = torch.maximum((floor[:, None, None] * basis).sum(0), (wall[:, None, None] * basis).sum(0))
    found = fit_planes(inverse, torch.ones_like(inverse), count=2)
    for plane in (floor, wall):
        assert (found - plane).abs().amax(1).min() < 1e-2


def test_sky_is_far_and_flagged():
    y, _ = pixel_grid(120, 160)
    sky = torch.zeros(30, 40)
    sky[:10] = 0.99
    image = np.where(y[..., None] < 1 / 3, [120, 170, 240], [90, 80, 60]).astype(np.uint8).repeat(1, 1)
    depth, is_sky = refine_depth(torch.linspace(2, 0, 30)[:, None].expand(30, 40), image, sky=sky)
    assert (is_sky == (y < 1 / 3)).mean() > 0.97
    assert depth[is_sky].min() > 1.4 * depth[~is_sky].max()


def test_a_straight_tower_takes_nothing_of_the_sky_along():
    """A tower whose upper part fell back by a quarter, before a sky of nearly its colour."""
    y, x = pixel_grid(180, 240)
    tower = (np.abs(x - 0.5) < 0.04) & (y > 0.1)
    ground = y > 0.8
    image = np.where((tower | ground)[..., None], [150, 150, 150], [180, 185, 190]).astype(np.uint8)
    inverse = np.where(ground, 2 * y, np.where(tower, np.where(y < 0.4, 1.2, 1.6), 0.2))
    log_depth = -torch.from_numpy(inverse).float().log()
    depth, is_sky = refine_depth(log_depth, image, sky=torch.from_numpy(~(tower | ground) * 0.99).float())
    assert (is_sky == ~(tower | ground)).mean() > 0.99
    assert depth[is_sky].min() > 0.999 * depth[is_sky].max()
    assert np.std(np.log(depth[tower])) < 0.5 * np.std(np.log(inverse[tower]))


@pytest.mark.parametrize("size", [(97, 161), (160, 90), (5, 7), (1, 1), (40, 400)])
def test_any_photo_gives_finite_depth_of_its_size(estimator, size):
    image = np.random.default_rng(0).integers(0, 255, (*size, 3)).astype(np.uint8)
    depth, valid = estimator(image, np.eye(3))
    assert depth.shape == valid.shape == size and depth.dtype == np.float32 and valid.dtype == bool
    assert valid.all() and np.isfinite(depth).all() and depth.min() > 0


def test_black_photo_and_twice_the_same_bits(estimator):
    assert isinstance(estimator, DepthEstimator)
    black = np.zeros((60, 80, 3), np.uint8)
    first, second = estimator(black, np.eye(3))[0], estimator(black, np.eye(3))[0]
    assert np.isfinite(first).all() and (first == second).all()


def test_float_photo_is_refused(estimator):
    with pytest.raises(ValueError, match=r"float64 \(8, 8, 3\)\. Give an \(H, W, 3\) uint8"):
        estimator(np.zeros((8, 8, 3)), np.eye(3))
    with pytest.raises(ValueError, match="33x64; both sides must be multiples of 32"):
        estimator.net(torch.zeros(1, 3, 33, 64))


def test_weights_survive_a_round_trip(estimator, tmp_path):
    estimator.net.save_pretrained(tmp_path)
    loaded = EmbeddedDepth.from_pretrained(tmp_path, pixels=64 * 96)
    image = np.random.default_rng(1).integers(0, 255, (64, 96, 3)).astype(np.uint8)
    assert (loaded(image)[0] == estimator(image)[0]).all()  # a copy: exact
    assert tuple(loaded.net.config.widths) == TINY["widths"]
    with pytest.raises(Refused, match="holds no config.json"):
        EmbeddedDepth.from_pretrained(tmp_path / "nowhere")


def test_scores_ignore_what_they_say_they_ignore():
    truth = np.random.default_rng(0).uniform(1, 5, 1000)
    assert abs_rel(align_median(3.7 * truth, truth), truth) < 1e-9
    assert abs_rel(align_inverse(1 / (0.3 / truth + 0.2), truth), truth) < 1e-9
    assert delta1(align_median(truth**3, truth), truth) < 0.6


def test_rgbd_sequence_reads_metres(tmp_path):
    from PIL import Image

    for folder in ("rgb", "depth"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (4, 3), (10, 20, 30)).save(tmp_path / "rgb" / "0000.jpg")
    Image.fromarray(np.array([[0, 2500, 5000, 1]] * 3, np.uint16)).save(tmp_path / "depth" / "0000.png")
    sequence = {"intrinsics": {"fx": 4, "fy": 4, "cx": 2, "cy": 1.5}, "depth_scale": 5000.0}
    sequence["frames"] = [{"rgb": "rgb/0000.jpg", "depth": "depth/0000.png", "c2w": np.eye(4).tolist()}]
    (tmp_path / "sequence.json").write_text(json.dumps(sequence))
    (frame,) = rgbd_sequence(tmp_path)
    np.testing.assert_allclose(frame.depth[0], [0, 0.5, 1.0, 0.0002])
    with pytest.raises(FileNotFoundError, match=r"sequence\.json is missing"):
        list(rgbd_sequence(tmp_path / "rgb"))


def test_depth_edges_move_to_the_edges_of_the_picture():
    """A near square whose depth is off by up to five pixels, and blurred; its outline in the picture is exact."""
    rows, columns = torch.meshgrid(torch.arange(60), torch.arange(80), indexing="ij")
    inside = (rows - 30).abs().maximum((columns - 40).abs()) <= 15
    photo = torch.where(inside, 0.7, 0.3).expand(3, -1, -1)
    jagged = (rows - 30).abs().maximum((columns - 40 + 4 * (rows // 4 % 2) - 2).abs()) <= 13
    blurred = F.avg_pool2d(F.pad(torch.where(jagged, 2.0, 1.0)[None], (2, 2, 2, 2), mode="replicate"), 5, 1)[0]
    aligned = align(blurred, photo, 6)
    assert ((aligned > 1.4) == inside).float().mean() > 0.995
    between = (aligned > 1.1) & (aligned < 1.8)
    assert between.float().mean() < 0.2 * ((blurred > 1.1) & (blurred < 1.8)).float().mean()


def test_what_is_no_depth_edge_stays_as_it_is():
    rows, columns = torch.meshgrid(torch.arange(60.0), torch.arange(80.0), indexing="ij")
    slope = 1 + 0.04 * columns  # an oblique wall: steep, but even
    stripes = ((columns // 6 % 2) * 0.8).expand(3, -1, -1)
    assert torch.equal(align(slope, stripes, 6), slope)


def test_near_surfaces_grow_over_an_outline_and_nowhere_else():
    depth = np.repeat(np.linspace(2, 3, 40, dtype=np.float32)[None], 30, 0)
    depth[10:20, 10:20] = 1
    grown = grow_near(depth, np.ones_like(depth, bool), 3)
    near = np.zeros_like(depth, bool)
    near[7:23, 7:23] = True
    sides = np.zeros_like(near)
    sides[7:23, 11:19] = sides[11:19, 7:23] = True  # between the corners, which become round
    away = np.ones_like(near)
    away[4:26, 4:26] = False
    np.testing.assert_array_equal(grown[sides], 1)
    np.testing.assert_array_equal(grown[10:20, 10:20], 1)
    np.testing.assert_array_equal(grown[away], depth[away])
    assert (abs(grown / depth - 1) < 0.02)[~near].all(), "what is behind stays where it is"
    assert not ((grown > 1.01) & (grown < 1.9)).any(), "nothing flies between the two"


def test_a_ragged_outline_becomes_even_and_a_ramp_one_step():
    rows, columns = np.indices((60, 80))
    ragged = 38 + (rows // 2 % 2) * 4  # where a near wall of one and a half ends
    ramp = np.clip((columns - ragged) / 4 + 0.5, 0, 1)
    depth = (1.5 + 2.5 * ramp + 0.02 * np.sin(rows * 2.0) * (ramp == 0)).astype(np.float32)
    grown = grow_near(depth, np.ones_like(depth, bool), 4)[8:-8]
    near = grown < 2
    ends = near.sum(1)
    assert ends.max() - ends.min() <= 1 and 42 <= ends.min() <= 48
    assert (abs(grown[~near] - 4) < 0.05).all() and (abs(grown[near] - 1.5) < 0.05).all()
    rim = grown[:, 39 : ends.min()]
    assert rim.std(0).max() < 0.5 * depth[8:-8, 30:34].std(0).max(), "it moves in one piece"


def barred_window() -> tuple[torch.Tensor, torch.Tensor]:
    """A photo of a dark bar before a light wall, (3, 180, 240), and where the bar is, bool."""
    rows, columns = torch.meshgrid(torch.arange(180), torch.arange(240), indexing="ij")
    bar = (columns - 120).abs() <= 4
    texture = 0.03 * torch.sin(rows * 0.9) * torch.cos(columns * 0.7)
    return (torch.where(bar, 0.25, 0.75) + texture).expand(3, -1, -1), bar


@pytest.mark.parametrize(("fallen", "near", "whole"), [(0.4, 1.0, 1.0), (0.6, 0.6, 0.5)])
def test_a_bar_is_near_or_far_as_a_whole(fallen, near, whole):
    """The upper share of the bar fell back to the wall; what most of the bar says should hold for all of it."""
    photo, bar = barred_window()
    rows = torch.arange(180)[:, None]
    straight = straighten_lines(torch.where(bar & (rows >= fallen * 180), near, 0.5), photo)
    assert (straight[bar] / whole - 1).abs().max() < 0.08
    assert (straight[~bar] / 0.5 - 1).abs().max() < 0.08, "the wall moved"


def test_a_pillar_before_a_busy_wall_is_near_as_a_whole_and_the_wall_is_not():
    """Bands behind it are darker and brighter in turn, so no piece of its edges is long."""
    rows, columns = torch.meshgrid(torch.arange(270), torch.arange(360), indexing="ij")
    pillar = (columns - 180).abs() <= 5
    photo = torch.where(pillar, 0.5, torch.where(rows % 48 < 24, 0.85, 0.15)).expand(3, -1, -1)
    assert sorted(find_lines(photo).side.tolist()) == [-1] + [0] * 11 + [1]  # every edge once, and those of the bands
    straight = straighten_lines(torch.where(pillar & (rows >= 100), 1.0, 0.5), photo)
    assert (straight[pillar] - 1).abs().quantile(0.99) < 0.08
    assert (straight[~pillar] / 0.5 - 1).abs().quantile(0.99) < 0.08, "the wall moved"


def test_lines_leave_a_plane_and_what_stands_before_it_as_they_are():
    photo, _ = barred_window()
    rows, columns = torch.meshgrid(torch.arange(180.0), torch.arange(240.0), indexing="ij")
    plane = 0.4 + 0.002 * rows + 0.001 * columns
    before = (rows - 90).abs().maximum((columns - 120).abs()) < 25  # a box that hides a part of the bar
    photo, inverse = torch.where(before, 0.5, photo), torch.where(before, 2.0, plane)
    torch.testing.assert_close(straighten_lines(inverse, photo), inverse, rtol=0.01, atol=0)


def test_lines_are_found_where_they_are_and_a_curve_is_none():
    rows, columns = torch.meshgrid(torch.arange(200) + 0.5, torch.arange(300) + 0.5, indexing="ij")
    tilted = (columns - 40) * math.cos(0.3) + (rows - 20) * math.sin(0.3) > 60
    lines = find_lines(torch.where(tilted, 0.8, 0.3).expand(3, -1, -1))
    assert len(lines) == 1
    for point in (lines.start[0], lines.end[0]):
        assert abs((point[0] - 40) * math.cos(0.3) + (point[1] - 20) * math.sin(0.3) - 60) < 0.7
    assert (lines.end[0] - lines.start[0]).norm() > 190
    disc = (rows - 100) ** 2 + (columns - 150) ** 2 < 70**2
    assert len(find_lines(torch.where(disc, 0.8, 0.3).expand(3, -1, -1))) == 0

"""The scene generator: repeatable, exact in depth and pose, and honest about what is held out."""

import numpy as np
import pytest
import torch

from pipelines.cameras import Camera
from pipelines.synthetic.paths import PATHS, is_free, photo_camera, scene_path
from pipelines.synthetic.render import render
from pipelines.synthetic.scenes import HELD_OUT_FAMILIES, TRAIN_FAMILIES, make_scene, write_shards

H, W = 72, 96


def world_points(camera, depth):
    """Points (h, w, 3) of a depth image in the frame of the photo."""
    y, x = np.mgrid[0 : camera.height, 0 : camera.width] + 0.5
    rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(camera.K).T
    return rays * depth.numpy()[..., None] @ camera.c2w[:3, :3].T + camera.c2w[:3, 3]


def outline(depth):
    """Pixels (h, w) whose 3x3 neighbourhood holds a jump in depth."""
    d = torch.where(depth > 0, depth, torch.full_like(depth, 1e4))[None, None]
    far, near = torch.nn.functional.max_pool2d(d, 3, 1, 1), -torch.nn.functional.max_pool2d(-d, 3, 1, 1)
    return (far > 1.1 * near)[0, 0]


def test_same_seed_same_bits_and_another_seed_another_scene():
    one, two, other = (make_scene(seed, "room") for seed in (3, 3, 4))
    camera = photo_camera(one, H, W)
    first, second = render(one, camera), render(two, camera)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], render(other, camera)[0])


def test_depth_of_a_floor_is_the_analytic_plane():
    scene = make_scene(0, "garden")
    floor = (scene.kind == 3) & (scene.half[:, 0] > 50)
    for name in ("kind", "axes", "centre", "half", "ends", "cutout", "casts"):
        setattr(scene, name, getattr(scene, name)[floor][:1])
    scene.faces = scene.faces[np.repeat(floor, 4)][:4]
    camera = photo_camera(scene, H, W)
    _, depth, sky = render(scene, camera)
    c2w = scene.camera
    y, x = np.mgrid[0:H, 0:W] + 0.5
    rays = np.stack([x, y, np.ones_like(x)], -1) @ (c2w[:3, :3] @ np.linalg.inv(camera.K)).T
    expected = -c2w[1, 3] / np.where(rays[..., 1] < -1e-3, rays[..., 1], np.nan)
    known = ~sky.numpy() & (expected < 40)
    assert known.mean() > 0.2
    np.testing.assert_allclose(depth.numpy()[known], expected[known], rtol=1e-3)
    assert (depth[sky] == 0).all() and (depth[~sky] > 0).all()


@pytest.mark.parametrize("family", TRAIN_FAMILIES + HELD_OUT_FAMILIES)
def test_every_family_renders_from_a_free_place(family):
    scene = make_scene(11, family)
    rgb, depth, sky = render(scene, photo_camera(scene, H, W))
    assert rgb.shape == (3, H, W) and depth.shape == sky.shape == (H, W)
    assert torch.isfinite(rgb).all() and rgb.min() >= 0 and rgb.max() <= 1 and rgb.std() > 0.03
    assert sky.float().mean() < 0.8 and depth[~sky].std() > 0.01
    assert is_free(scene, scene.camera[None, :3, 3], margin=0.0)[0]


@pytest.mark.parametrize("seed, family", [(1, "room"), (2, "shop"), (5, "facade")])
def test_depth_and_poses_carry_one_view_onto_another(seed, family):
    scene = make_scene(seed, family)
    scene.blur = scene.vignette = 0  # these belong to the lens, not to the place
    scene.mirror_height = None
    a, b = (scene_path(scene, "slide", 3, seed, 2 * H, 2 * W)[i] for i in (0, 1))
    (rgb_a, depth_a, sky), (rgb_b, depth_b, _) = render(scene, a), render(scene, b)
    w2c = np.linalg.inv(b.c2w)
    q = (world_points(a, depth_a) @ w2c[:3, :3].T + w2c[:3, 3]) @ b.K.T
    grid = torch.from_numpy(q[..., :2] / np.maximum(q[..., 2:], 1e-6) / [W, H] - 1).float()[None]
    warped = torch.nn.functional.grid_sample(rgb_b[None], grid, align_corners=False)[0]
    seen = torch.nn.functional.grid_sample(depth_b[None, None], grid, mode="nearest", align_corners=False)[0, 0]
    both = (grid[0].abs() < 0.98).all(-1) & ~sky & ((seen - torch.from_numpy(q[..., 2])).abs() < 0.01 * seen)
    both &= ~outline(depth_a)  # a pixel on a silhouette mixes two surfaces, which part when the camera moves
    assert both.float().mean() > 0.25
    psnr = -10 * torch.log10(((warped - rgb_a)[:, both] ** 2).mean())
    still = -10 * torch.log10(((rgb_b - rgb_a)[:, both] ** 2).mean())
    assert psnr > 25 and psnr > still + 8, f"{psnr:.1f} dB, without the warp {still:.1f} dB"


@pytest.mark.parametrize("kind", PATHS)
def test_paths_start_at_the_photo_and_run_through_nothing(kind):
    scene = make_scene(7, "office")
    path = scene_path(scene, kind, 9, seed=1)
    np.testing.assert_allclose(path.c2w[0], np.eye(4), atol=1e-12)
    assert is_free(scene, (scene.camera @ path.c2w)[1:, :3, 3], margin=0.1).all()
    if kind == "there-and-back":
        np.testing.assert_allclose(path.c2w[-1], path.c2w[0], atol=1e-12)


def test_held_out_families_are_never_drawn_for_training():
    assert not set(TRAIN_FAMILIES) & set(HELD_OUT_FAMILIES) and len(HELD_OUT_FAMILIES) >= 2
    assert {make_scene(seed).family for seed in range(12)} <= set(TRAIN_FAMILIES)
    with pytest.raises(ValueError, match="family='cave' is unknown"):
        make_scene(0, "cave")


def test_shards_hold_the_promised_arrays_and_resume(tmp_path):
    write_shards(tmp_path, 2, seed=40, size=(24, 32), views=2)
    file = tmp_path / "shard_00000.npz"
    with np.load(file) as shard:
        assert shard["rgb"].shape == (2, 2, 3, 24, 32) and shard["rgb"].dtype == np.uint8
        assert shard["depth"].shape == (2, 2, 24, 32) and shard["depth"].dtype == np.float16
        assert shard["K"].shape == (2, 2, 3, 3) and shard["c2w"].shape == (2, 2, 4, 4)
        assert list(shard["seed"]) == [40, 41] and set(shard["family"]) <= set(TRAIN_FAMILIES)
        K = shard["K"][0, 0]
    assert K[0, 2] == 16 and K[1, 2] == 12
    before = file.stat().st_mtime_ns
    write_shards(tmp_path, 2, seed=40, size=(24, 32), views=2)
    assert file.stat().st_mtime_ns == before and not list(tmp_path.glob("*.tmp"))


def test_camera_or_bare_matrices_give_the_same_view():
    scene = make_scene(2, "attic")
    camera = Camera.from_fov(50, H, W)
    one, two = render(scene, camera), render(scene, camera.K, camera.c2w, H, W)
    assert torch.equal(one[0], two[0])

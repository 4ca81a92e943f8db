"""Laws of the memory: what was written comes back, nearer wins, nothing is said twice, files hold it all."""

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from pipelines.cameras import Camera
from pipelines.engines.outlines import soften
from pipelines.memory import LatentMemory, files
from pipelines.memory.projection import best_of_cells, front_points, project, projections, unproject
from pipelines.memory.scene import Scene


def camera(height=12, width=16, x=0.0, y=0.0, z=0.0, focal=14.0):
    c2w = np.eye(4)
    c2w[:3, 3] = x, y, z
    return Camera(np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]]), c2w, height, width)


def box_depth(height=12, width=16, seed=0):
    """A slanted back wall with a nearer block in front."""
    depth = 4.0 + torch.linspace(0, 1, width).expand(height, width).clone()
    depth[3:8, 5:10] = 2.0
    return depth


def tokens(channels=3, height=12, width=16, seed=0):
    return torch.randn(channels, height, width, generator=torch.Generator().manual_seed(seed)).half().float()


def any_camera(seed, height=12, width=16):
    """Somewhere, turned any way, with pixels that are not square and a middle that is not in the middle."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    c2w = np.eye(4)
    c2w[:3, :3], c2w[:3, 3] = turn * np.linalg.det(turn), rng.uniform(-20, 20, 3)
    fx, fy = width * rng.uniform(0.5, 4, 2)
    return Camera(
        np.array([[fx, 0, rng.uniform(0, width)], [0, fy, rng.uniform(0, height)], [0, 0, 1.0]]), c2w, height, width
    )


@pytest.mark.parametrize("seed", range(6))
def test_any_camera_sees_what_it_wrote_bit_for_bit_where_it_was(seed):
    cam, depth = any_camera(seed), box_depth()
    points = unproject(depth, cam)
    u, v, z = project(points.reshape(-1, 3), torch.from_numpy(projections(cam.K, cam.c2w)[None]).float())
    rows, columns = torch.meshgrid(torch.arange(12) + 0.5, torch.arange(16) + 0.5, indexing="ij")
    assert torch.allclose(u[0], columns.reshape(-1), atol=1e-3) and torch.allclose(v[0], rows.reshape(-1), atol=1e-3)
    assert torch.allclose(z[0], depth.reshape(-1), atol=1e-4)
    pixel = np.array([3.5, 7.5, 1])  # row 7, column 3, by another way than ours
    place = cam.c2w[:3, :3] @ (np.linalg.inv(cam.K) @ pixel * float(depth[7, 3])) + cam.c2w[:3, 3]
    assert np.allclose(points[7, 3], place, atol=1e-4)
    for interpolates in (False, True):
        memory = LatentMemory(3, interpolates)
        memory.write(tokens(seed=seed), depth, cam)
        out = memory.readout(cam, 12, 16)
        assert out.mask.all() and torch.equal(out.latents[0], tokens(seed=seed))


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


def test_project_undoes_unproject():
    cam, depth = camera(x=0.3, y=-0.2, z=0.5), box_depth()
    maps = torch.from_numpy(projections(cam.K, cam.c2w)[None]).float()
    points = unproject(depth, cam).reshape(-1, 3)
    u, v, z = project(points, maps)
    rows, columns = torch.meshgrid(torch.arange(12) + 0.5, torch.arange(16) + 0.5, indexing="ij")
    assert torch.allclose(u[0], columns.reshape(-1), atol=1e-4) and torch.allclose(v[0], rows.reshape(-1), atol=1e-4)
    assert torch.allclose(z[0], depth.reshape(-1), atol=1e-5)


@pytest.mark.parametrize("interpolates", [False, True])
@pytest.mark.parametrize("factor", [1, 2])
def test_readout_at_the_writing_camera_returns_what_was_written_bit_for_bit(interpolates, factor):
    cam, written = camera(x=0.7, z=-0.4), tokens()
    depth = box_depth().repeat_interleave(factor, 0).repeat_interleave(factor, 1)
    memory = LatentMemory(3, interpolates=interpolates)
    memory.write(written, depth, cam)
    out = memory.readout(cam, 12, 16)
    assert out.mask.all()
    assert torch.equal(out.latents[0], written)


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


def test_what_is_in_front_does_not_depend_on_the_order_of_points():
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(3, 40_000, generator=generator) * torch.tensor([[4.0], [3.0], [4.0]])
    points = points - torch.tensor([[2.0], [1.5], [-0.5]])
    maps = torch.from_numpy(np.stack([projections(c.K, c.c2w) for c in (camera(), camera(x=0.3, z=0.4))])).float()
    shuffled = torch.randperm(40_000, generator=generator)
    here, there = (front_points(p, maps, 12, 16, torch.tensor([0.01])) for p in (points, points[:, shuffled]))
    one = set(zip(here[0].tolist(), here[1].tolist(), strict=True))
    other = set(zip(there[0].tolist(), shuffled[there[1]].tolist(), strict=True))
    assert one == other and len(one) > 2 * 12 * 16


def all_kept(*written):
    """A memory of whole views, (token, depth, camera) each, whether they show the same or not."""
    memory, views = LatentMemory(1), []
    for row, (_, depth, cam) in enumerate(written):
        part = LatentMemory(1)
        part.write(torch.zeros(1, *depth.shape), depth, cam)
        (view,) = part.views
        views.append(replace(view, token_at=torch.full_like(view.token_at, row)))
    memory._keep(torch.tensor([[token] for token, _, _ in written]).half(), views)
    return memory


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


def test_of_equal_rows_the_last_is_best():
    assert best_of_cells(torch.tensor([0, 1, 0, 0]), 3, torch.tensor([5, 1, 5, 4])).tolist() == [2, 1, -1]


def test_tokens_of_two_surfaces_are_never_blended():
    depth = box_depth(48, 64)
    memory = LatentMemory(1, interpolates=True)
    memory.write((depth == 2.0).float()[None], depth, camera(48, 64, focal=56.0))
    out = memory.readout(camera(48, 64, x=0.013, y=0.007, focal=56.0), 48, 64)  # between the cells of both
    near = out.mask[0] & (out.depth[0] < 3)
    assert near.sum() > 20 and (out.latents[0, 0][out.mask[0]] == near[out.mask[0]].float()).all()


def test_a_surface_reaches_as_far_as_the_footprints_of_its_outermost_samples():
    valid = torch.zeros(12, 16, dtype=torch.bool)
    valid[4:8, 6:10] = True  # four by four around the middle
    memory = LatentMemory(1)
    memory.write(torch.zeros(1, 12, 16), torch.full((12, 16), 4.0), camera(), valid)
    out = memory.readout(camera(z=1.78), 12, 16)  # 1.8 times as large: 7.2 cells, which hold the middles of eight
    assert 60 <= out.mask[0, 2:10, 4:12].sum() == out.mask.sum()


def test_samples_between_two_surfaces_are_not_stored():
    depth = torch.full((12, 16), 8.0)
    depth[:, :8] = 2.0
    depth[:, 8] = 5.0  # as an estimator smooths it
    memory = LatentMemory(1)
    report = memory.write(torch.zeros(1, 12, 16), depth, camera())
    assert report.depth_edge == 12 and memory.num_points == 12 * 15
    assert set(memory.readout(camera(x=-1.0), 12, 16).depth.unique().tolist()) == {0.0, 2.0, 8.0}


@pytest.mark.parametrize("fov", [1, 90, 179])
@pytest.mark.parametrize("z", [0.0, 2.0, 4.5])
def test_any_lens_anywhere_even_inside_a_wall_reads_finite_values(fov, z):
    memory = LatentMemory(3, interpolates=True)
    memory.write(tokens(), box_depth(), camera())
    out = memory.readout(camera(z=z, focal=8 / np.tan(np.radians(fov) / 2)), 12, 16)
    assert torch.isfinite(out.latents).all() and torch.isfinite(out.depth).all() and torch.isfinite(out.xy).all()
    assert (out.depth[out.mask] > 0).all() and (out.depth[~out.mask] == 0).all()
    assert (out.latents.permute(0, 2, 3, 1)[~out.mask] == 0).all()


@pytest.mark.parametrize("z", [-2.0, -0.7, 0.0, 0.5])
def test_every_cell_has_its_place_where_the_surface_is_in_cracks_too(z):
    depth = 4.0 + torch.linspace(0, 1, 64).expand(48, 64)
    valid = (torch.arange(64) % 3 != 1).expand(48, 64)  # a sensor that misses every third column
    cam, view = camera(48, 64, focal=56.0), camera(48, 64, x=0.1, z=z, focal=56.0)
    memory = LatentMemory(3)
    memory.write(tokens(height=48, width=64), depth, cam, valid)
    out = memory.readout(view, 48, 64)
    world = unproject(out.depth[0], view)[out.mask[0]]
    u, v, _ = project(world, torch.from_numpy(projections(cam.K, cam.c2w)[None]).float())
    there = torch.stack([u[0] / 64, v[0] / 48], dim=-1)
    assert len(there) > 1000
    assert ((there - out.xy[0][out.mask[0]]).abs() * torch.tensor([64, 48]) < 0.05).all()  # of a cell


def test_same_bits_for_any_number_of_threads_and_again():
    targets = [camera(48, 64, x=0.01 * i, z=0.2 * i, focal=56.0) for i in range(9)]
    before = torch.get_num_threads()
    results = []
    for threads in (1, 2, 2):  # samples enough that every step of write and readout is shared out between threads
        torch.set_num_threads(threads)
        memory = LatentMemory(8, interpolates=True)
        for i in range(2):
            memory.write(tokens(8, 96, 128), box_depth(192, 256), camera(192, 256, x=0.5 * i, focal=224.0))
        results.append(memory.readout(targets, 48, 64))
    torch.set_num_threads(before)
    for other in results[1:]:
        assert torch.equal(results[0].latents, other.latents) and torch.equal(results[0].depth, other.depth)


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


def test_save_and_load_hold_everything(tmp_path):
    memory = LatentMemory(3, interpolates=True, codec="0123456789ab")
    memory.write(tokens(), box_depth(), camera())
    memory.write(tokens(seed=1), torch.full((12, 16), 5.0), camera(x=2.0))
    memory.write(tokens(seed=2), box_depth(), camera())
    memory.write(tokens(seed=3), torch.full((12, 16), 5.0), camera(x=6.0), invented=True)
    memory.save(tmp_path / "scene.safetensors")
    again = LatentMemory.load(tmp_path / "scene.safetensors")
    target = camera(x=1.0, z=0.3)
    assert torch.equal(memory.readout(target, 24, 32).latents, again.readout(target, 24, 32).latents)
    assert (again.num_points, again.nbytes) == (memory.num_points, memory.nbytes)
    parts, header = saved_parts(tmp_path / "scene.safetensors")
    cameras = ("K", "c2w", "sizes", "invented")
    assert sum(part.nbytes for name, part in parts.items() if name not in cameras) == memory.nbytes
    assert (again.codec, again.interpolates, again.dtype) == ("0123456789ab", True, torch.float16)
    assert torch.equal(memory.features, again.features) and memory.samples.confidence.max() > 1
    for one, other in zip(memory.views, again.views, strict=True):
        assert one.camera == other.camera and one.invented == other.invented
        assert all(torch.equal(getattr(one, n), getattr(other, n)) for n in ("depth", "token_at", "confidence"))
    assert [file.name for file in tmp_path.iterdir()] == ["scene.safetensors"]
    rows = torch.arange(len(memory.features), dtype=torch.int32)
    (tmp_path / "scene.safetensors").write_bytes(save({**parts, "token_rows": rows}, header | {"version": "1"}))
    assert torch.equal(LatentMemory.load(tmp_path / "scene.safetensors").features, memory.features)


def test_ply_holds_every_sample_at_its_place(tmp_path):
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera(x=0.5))
    colors = torch.arange(12 * 16 * 3).reshape(-1, 3).to(torch.uint8)
    memory.to_ply(tmp_path / "scene.ply", colors)
    header, body = (tmp_path / "scene.ply").read_bytes().split(b"end_header\n", 1)
    assert b"element vertex 192" in header
    rows = np.frombuffer(body, [("xyz", "<f4", 3), ("rgb", "u1", 3)])
    assert np.allclose(rows["xyz"], unproject(box_depth(), camera(x=0.5)).reshape(-1, 3))
    assert np.array_equal(rows["rgb"], colors.numpy())
    for wrong in (colors[1:], colors / 255):
        with pytest.raises(ValueError, match="one row per point"):
            memory.to_ply(tmp_path / "scene.ply", wrong)


@pytest.mark.parametrize("name", ["latents", "depth", "valid"])
def test_what_is_written_is_brought_from_its_device_before_anything_changes(name):
    given = {"latents": tokens(), "depth": box_depth(), "valid": torch.ones(12, 16, dtype=torch.bool)}
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera(z=-0.5))
    before = memory.samples
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):  # the copy, which meta refuses
        memory.write(**{**given, name: given[name].to("meta")}, cameras=camera())
    assert memory.samples is before


def test_a_loaded_memory_outlives_its_file_and_a_failed_save_leaves_the_old_one(tmp_path, monkeypatch):
    memory, path = LatentMemory(3), tmp_path / "scene.safetensors"
    memory.write(tokens(), box_depth(), camera())
    memory.save(path)
    loaded, size = LatentMemory.load(path), path.stat().st_size
    path.write_bytes(bytes(size))  # in place, as a copy over it does
    assert torch.equal(loaded.features, memory.features)
    memory.save(path)
    before = path.read_bytes()

    def full(file, data):
        with open(file, "wb") as half:
            half.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    for write in (memory.save, memory.to_ply):
        with pytest.raises(OSError, match="could not be written .*Free some disk space"):
            write(path)
    monkeypatch.undo()
    for nowhere in (path / "below a file", tmp_path / "no folder" / "a", tmp_path):
        with pytest.raises(OSError, match="could not be written .*Choose another place"):
            memory.save(nowhere)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def saved_parts(path):
    """The tensors of a saved memory, on their own, and its header."""
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).clone() for name in file.keys()}, dict(file.metadata())


def changed(index, value):
    def change(tensor):
        tensor.reshape(-1)[index] = value
        return tensor

    return change


SPOILED = [
    *(
        (name, changed(0, value))
        for name in ("sample_depth", "features", "K", "c2w")
        for value in (torch.nan, torch.inf)
    ),
    *(("sample_depth", changed(0, value)) for value in (0.0, -1.0, 1e38)),
    *((n, changed(0, value)) for n in ("sample_cells", "token_cells") for value in (-1, -7, 1, 10**6)),
    *((name, lambda tensor: tensor[:-1]) for name in ("features", "sample_cells", "token_cells", "K")),
    *((name, lambda tensor: tensor[:1]) for name in ("sample_depth", "sample_confidence", "invented", "sizes")),
    *((name, lambda tensor: tensor.double()) for name in ("sample_depth", "sample_confidence", "sizes")),
    *((name, lambda tensor: tensor.flip(0)) for name in ("sample_cells", "token_cells")),
    *((name, lambda tensor: tensor.flatten()) for name in ("features", "K", "sizes")),
    *(("sizes", changed(0, value)) for value in (-12, 0, 6, 13, 10**9, 2**62)),
    *(("sizes", changed(2, value)) for value in (-12, 0, 5, 13)),
    ("features", lambda tensor: tensor.long()),
    ("features", lambda tensor: tensor[:, :0]),
    ("c2w", changed(0, 2.0)),
    ("K", changed(0, -3.0)),
]


def test_a_memory_that_was_tampered_with_is_refused_by_name(tmp_path):
    memory, path = LatentMemory(3), tmp_path / "scene.safetensors"
    for x in (0.0, 2.0):
        memory.write(tokens(), box_depth(), camera(x=x))
    memory.save(path)
    parts, header = saved_parts(path)
    for name, change in SPOILED:
        path.write_bytes(save({**parts, name: change(parts[name].clone()).contiguous()}, metadata=header))
        with pytest.raises(ValueError, match="scene.safetensors is damaged or incomplete"):
            LatentMemory.load(path)
    for name in parts:
        path.write_bytes(save({other: parts[other] for other in parts if other != name}, metadata=header))
        with pytest.raises(ValueError, match="scene.safetensors is damaged or incomplete"):
            LatentMemory.load(path)
    for wrong in ({"version": "one"}, {"codec": "{"}):
        path.write_bytes(save(parts, metadata=header | wrong))
        with pytest.raises(ValueError, match="scene.safetensors is damaged or incomplete"):
            LatentMemory.load(path)
    memory.save(path)
    data = path.read_bytes()
    for length in {0, 7, 8, 9, *range(10, len(data), 331), len(data) - 1}:
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match="scene.safetensors is damaged or incomplete"):
            LatentMemory.load(path)


def test_what_could_not_be_loaded_is_not_saved(tmp_path, monkeypatch):
    memory, path = LatentMemory(3), tmp_path / "scene.safetensors"
    memory.write(tokens(), box_depth(), camera())
    cells = memory.views[0].depth.numel()
    monkeypatch.setattr(files, "MAX_CELLS", cells)
    memory.save(path)
    assert LatentMemory.load(path).num_points == memory.num_points
    monkeypatch.setattr(files, "MAX_CELLS", cells - 1)
    with pytest.raises(ValueError, match=f"{cells} cells, at most {cells - 1} can be saved. Crop it"):
        memory.save(tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=f"damaged or incomplete .*{cells} cells"):
        LatentMemory.load(path)
    assert [file.name for file in tmp_path.iterdir()] == ["scene.safetensors"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version": 1', '"version": 2', "version 2 is not known; update the program"),
        ('"distance": 2.5', '"distance": NaN', "distance=nan must be positive"),
        ('"distance": 2.5', f'"distance": 1{"0" * 400}', "int too large"),
        ('"distance": 2.5', '"distance": null', "NoneType"),
        ('"height": 12', '"height": "12"', "height='12' must be a whole number"),
        ('"format": "mirage-scene"', '"form": 1', "'format'"),
        ("}", "", "delimiter"),
    ],
)
def test_the_index_of_a_scene_is_checked(tmp_path, old, new, message):
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera())
    Scene(memory, camera(), 2.5).save(tmp_path)
    assert Scene.load(tmp_path).distance == 2.5
    index = tmp_path / "scene.json"
    assert old in index.read_text()
    index.write_text(index.read_text().replace(old, new))
    with pytest.raises(ValueError, match=f"scene.json cannot be read: .*{message}.*Render the scene again"):
        Scene.load(tmp_path)


def test_files_that_are_no_memory_are_refused(tmp_path, monkeypatch):
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera())
    path = tmp_path / "scene.safetensors"
    memory.save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="damaged or incomplete"):
        LatentMemory.load(path)
    monkeypatch.setattr(files, "VERSION", files.VERSION + 1)
    memory.save(path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=f"format version {files.VERSION + 1}; this program reads up to"):
        LatentMemory.load(path)
    path.write_bytes(save({"a": torch.zeros(1)}))
    with pytest.raises(ValueError, match="not a saved memory"):
        LatentMemory.load(path)
    with pytest.raises(ValueError, match="is a folder. Give the file"):
        LatentMemory.load(tmp_path)


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


def test_empty_memory_behind_the_camera_and_one_point(tmp_path):
    nothing = LatentMemory(3)
    nothing.save(tmp_path / "empty.safetensors")
    for memory in (nothing, LatentMemory.load(tmp_path / "empty.safetensors"), nothing.copy()):
        empty = memory.readout(camera(), 4, 6)
        assert not empty.mask.any() and empty.latents.shape == (1, 3, 4, 6) and memory.bounds == ([0.0] * 3, [0.0] * 3)
    assert nothing.merge(LatentMemory(3)).new == 0
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera())
    with pytest.raises(ValueError, match="There are 0 cameras"):
        memory.readout([], 4, 6)
    for z in (6.0, 8.0, 100.0):
        assert not memory.readout(camera(z=z), 12, 16).mask.any()
    one = LatentMemory(3)
    valid = torch.zeros(12, 16, dtype=torch.bool)
    valid[6, 8] = True
    one.write(tokens(), box_depth(), camera(), valid)
    assert one.num_points == 1 and one.readout(camera(), 12, 16).mask.sum() == 1


@pytest.mark.parametrize("pixels", [0.0, 2.0, 2.25, 2.5, 2.8, 3.1])
def test_a_softened_outline_moves_by_fractions_of_a_pixel(pixels):
    """A white square in front of a black sky: its middle is where the camera says, not on the nearest pixel."""
    depth = torch.full((12, 16), 1000.0)
    depth[3:8, 5:10] = 2.0
    memory = LatentMemory(1)
    memory.write(torch.zeros(1, 12, 16), depth, camera())
    readout = memory.readout(camera(x=pixels * 2.0 / 14), 12, 16)
    frame = (readout.mask & (readout.depth < 3)).float()[:, None].expand(-1, 3, -1, -1)
    row = soften(frame, readout)[0, 0, 5]
    middle = (row * (torch.arange(16) + 0.5)).sum() / row.sum()
    assert torch.equal(row, frame[0, 0, 5]) == (pixels == round(pixels))
    assert row.sum().item() == pytest.approx(5, abs=0.02) and middle.item() == pytest.approx(7.5 - pixels, abs=0.02)


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


def flat(depth, height=24, width=32):
    return torch.full((height, width), depth)


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


def test_of_two_views_of_one_surface_the_more_alike_shows():
    memory = LatentMemory(1)
    wide, tele = camera(24, 32, focal=28.0), camera(24, 32, focal=40.0)  # 1.4 times as fine: both are kept
    left = torch.zeros(24, 32, dtype=torch.bool)
    left[:, :16] = True
    memory.write(torch.zeros(1, 24, 32), flat(3.0), wide)
    memory.write(torch.ones(1, 24, 32), flat(3.0), tele, valid=left)
    assert (memory.readout(wide, 24, 32).latents == 0).all()


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


@pytest.mark.parametrize("focal", [14.0, 56.0, 140.0, 800.0])
def test_a_longer_lens_opens_no_pinholes(focal):
    memory = LatentMemory(1)
    memory.write(torch.zeros(1, 24, 32), flat(3.0), camera(24, 32, focal=28.0))
    out = memory.readout(camera(24, 32, focal=focal), 24, 32)
    inside = out.mask[0, 6:18, 8:24] if focal < 28 else out.mask[0]
    assert inside.all() and torch.allclose(out.depth[out.mask], torch.tensor(3.0))

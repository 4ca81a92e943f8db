"""Laws of reading: what was written comes back bit for bit, finite and the same every time."""

import numpy as np
import pytest
import torch
from tiny_memories import any_camera, box_depth, camera, tokens

from pipelines.memory import LatentMemory
from pipelines.memory.projection import project, projections, unproject


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


def test_tokens_of_two_surfaces_are_never_blended():
    depth = box_depth(48, 64)
    memory = LatentMemory(1, interpolates=True)
    memory.write((depth == 2.0).float()[None], depth, camera(48, 64, focal=56.0))
    out = memory.readout(camera(48, 64, x=0.013, y=0.007, focal=56.0), 48, 64)  # between the cells of both
    near = out.mask[0] & (out.depth[0] < 3)
    assert near.sum() > 20 and (out.latents[0, 0][out.mask[0]] == near[out.mask[0]].float()).all()


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

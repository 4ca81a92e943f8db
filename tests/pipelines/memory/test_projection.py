"""Laws of pinhole geometry and of the z-buffer."""

import numpy as np
import torch
from tiny_memories import box_depth, camera

from pipelines.memory.projection import best_of_cells, front_points, project, projections, unproject


def test_project_undoes_unproject():
    cam, depth = camera(x=0.3, y=-0.2, z=0.5), box_depth()
    maps = torch.from_numpy(projections(cam.K, cam.c2w)[None]).float()
    points = unproject(depth, cam).reshape(-1, 3)
    u, v, z = project(points, maps)
    rows, columns = torch.meshgrid(torch.arange(12) + 0.5, torch.arange(16) + 0.5, indexing="ij")
    assert torch.allclose(u[0], columns.reshape(-1), atol=1e-4) and torch.allclose(v[0], rows.reshape(-1), atol=1e-4)
    assert torch.allclose(z[0], depth.reshape(-1), atol=1e-5)


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


def test_of_equal_rows_the_last_is_best():
    assert best_of_cells(torch.tensor([0, 1, 0, 0]), 3, torch.tensor([5, 1, 5, 4])).tolist() == [2, 1, -1]

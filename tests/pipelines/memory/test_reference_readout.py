"""The readout equals a slow reference, which looks at one sample after the other and knows no z-buffer."""

from collections import defaultdict

import numpy as np
import pytest
import torch
from tiny_memories import tokens

from pipelines.cameras import Camera
from pipelines.memory import LatentMemory
from pipelines.memory.projection import NEAR
from pipelines.memory.surfaces import SAME_SURFACE
from pipelines.memory.targets import Targets
from pipelines.memory.views import View
from pipelines.memory.visibility import SAME_DEPTH, front

HEIGHT, WIDTH = 24, 32


def turned_camera(rng, height=HEIGHT, width=WIDTH, focal=None):
    """Near the origin, looking within 20 degrees of +z, with any lens."""
    x, y = np.radians(rng.uniform(-20, 20, 2))
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    c2w = np.eye(4)
    c2w[:3, :3], c2w[:3, 3] = about_y @ about_x, rng.uniform(-0.6, 0.6, 3)
    fx = width * (focal or rng.uniform(0.7, 1.6))
    return Camera(np.array([[fx, 0, width / 2], [0, 1.1 * fx, height / 2], [0, 0, 1.0]]), c2w, height, width)


def scene(seed):
    """Five views, two of them invented, of a far wall and a near block, no two of them alike; all is kept."""
    rng, memory, views = np.random.default_rng(seed), LatentMemory(3), []
    for index in range(5):
        depth = 4 + 0.5 * np.sin(np.arange(WIDTH) / 5 + index) + rng.normal(0, 0.01, (HEIGHT, WIDTH))
        top, left = rng.integers(0, 12, 2)
        depth[top : top + 10, left : left + 14] = 2 + rng.normal(0, 0.01, (10, 14))
        depth[rng.random((HEIGHT, WIDTH)) < 0.1] = 0
        k = 1 + index % 2
        rows = torch.arange((HEIGHT // k) * (WIDTH // k), dtype=torch.int32).view(HEIGHT // k, WIDTH // k)
        depth = torch.from_numpy(depth).float()
        rows = rows + sum(view.token_at.numel() for view in views)
        views.append(View(turned_camera(rng), depth, rows, (depth > 0).to(torch.uint8), invented=index in (1, 4)))
    features = tokens(3, sum(view.token_at.numel() for view in views), 1, seed=seed)[:, :, 0].T.half()
    memory._keep(features, views)
    return memory, rng


def slow_readout(memory: LatentMemory, camera: Camera):
    """What a camera sees on its own grid, cracks open, by the rules of docs/memory.md in double precision.

    Returns depth (h, w), the place of its sample among all of the memory's, -1 where none falls, and tokens (h, w, C).
    """
    w2c, cells, number = np.linalg.inv(camera.c2w), defaultdict(list), 0
    for age, view in enumerate(memory.views):
        k = view.depth.shape[0] // view.token_at.shape[0]
        for row, column in np.argwhere(view.depth.numpy() > 0):
            depth = float(view.depth[row, column])
            ray = np.linalg.inv(view.camera.K) @ (column + 0.5, row + 0.5, 1.0)
            place = view.camera.c2w[:3, :3] @ (ray * depth) + view.camera.position
            u, v, z = camera.K @ (w2c[:3, :3] @ place + w2c[:3, 3])
            if z > NEAR and 0 <= u / z < camera.width and 0 <= v / z < camera.height:
                here, there = place - camera.position, place - view.camera.position
                cosine = here @ there / np.linalg.norm(here) / np.linalg.norm(there)
                finer = np.log2((depth * k / view.camera.K[0, 0]) / (z / camera.K[0, 0]))
                unlike = round(2 * abs(finer)) + round(np.degrees(np.arccos(min(cosine, 1.0))) / 10)
                token = memory.features[view.token_at[row // k, column // k]]
                cells[int(v / z), int(u / z)].append((view.invented, z, unlike, -age, number, token))
            number += 1
    shown = np.zeros((camera.height, camera.width)), np.full((camera.height, camera.width), -1)
    latents = torch.zeros(camera.height, camera.width, memory.channels)
    for cell, found in cells.items():
        layer = [one for one in found if not one[0]] or found  # what was invented shows only where nothing seen does
        nearest = min(one[1] for one in layer)
        surface = [one for one in layer if one[1] <= nearest * (1 + SAME_DEPTH)]
        _, z, _, _, sample, token = min(surface, key=lambda one: (one[2], one[3], one[1]))
        shown[0][cell], shown[1][cell], latents[cell] = z, sample, token
    return *shown, latents


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [(12, 16), (HEIGHT, WIDTH)])  # several samples fall into a cell, about one does
def test_what_shows_is_what_the_slow_reference_shows(seed, size):
    memory, rng = scene(seed)
    camera = turned_camera(rng, *size)
    depth, sample, latents = slow_readout(memory, camera)
    known = sample >= 0
    assert known.mean() > 0.25

    open_depth, open_sample = (x[0].numpy() for x in front(memory.samples, None, Targets.of([camera], *size)))
    equal = open_sample == sample
    assert equal.mean() > 0.995  # single precision may round a place to the next cell
    assert np.allclose(open_depth[equal], depth[equal], rtol=1e-4)

    out = memory.readout(camera, *size)
    shown, equal = out.depth[0].numpy(), out.sample[0].numpy() == sample
    assert out.mask[0].numpy()[known].all() and (equal & known).sum() > 0.4 * known.sum()
    assert torch.equal(out.latents[0].permute(1, 2, 0)[torch.from_numpy(equal & known)], latents[equal & known])
    # Where cracks close another sample shows, of a nearer surface or of the same; or seen, where one was invented.
    invented = memory.samples.invented[memory.samples.view].numpy()[sample]
    assert (shown < depth * (1 + SAME_SURFACE))[known & ~invented].all()

"""Small cameras, depth maps, tokens and memories for tests."""

from dataclasses import replace

import numpy as np
import torch

from pipelines.cameras import Camera
from pipelines.memory import LatentMemory


def camera(height=12, width=16, x=0.0, y=0.0, z=0.0, focal=14.0):
    c2w = np.eye(4)
    c2w[:3, 3] = x, y, z
    return Camera(np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]]), c2w, height, width)


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


def box_depth(height=12, width=16):
    """A slanted back wall with a nearer block in front."""
    depth = 4.0 + torch.linspace(0, 1, width).expand(height, width).clone()
    depth[3:8, 5:10] = 2.0
    return depth


def flat(depth, height=24, width=32):
    return torch.full((height, width), depth)


def tokens(channels=3, height=12, width=16, seed=0):
    return torch.randn(channels, height, width, generator=torch.Generator().manual_seed(seed)).half().float()


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

"""A memory on disk: one safetensors file of its own format, and a point cloud for other programs."""

import json
import os
from collections.abc import Sequence

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pipelines.cameras import Camera
from pipelines.files import whole
from pipelines.memory.views import View

FORMAT, VERSION = "mirage-latent-memory", 1


def write_views(path: str | os.PathLike, features: Tensor, views: Sequence[View], **facts) -> None:
    """features (tokens, C) and the views that use them; facts: what JSON can hold. Only what is stored takes space."""
    depth, confidence, token_at = (
        torch.cat([torch.zeros(0, dtype=kind), *(getattr(v, name).reshape(-1) for v in views)])
        for name, kind in (("depth", torch.float32), ("confidence", torch.uint8), ("token_at", torch.int32))
    )
    tensors = {
        "features": features.contiguous(),
        "token_cells": (token_at >= 0).nonzero()[:, 0].to(torch.int32),
        "token_rows": token_at[token_at >= 0],
        "sample_cells": (depth > 0).nonzero()[:, 0].to(torch.int32),
        "sample_depth": depth[depth > 0],
        "sample_confidence": confidence[depth > 0],
        "K": torch.from_numpy(np.array([v.camera.K for v in views]).reshape(-1, 3, 3)),
        "c2w": torch.from_numpy(np.array([v.camera.c2w for v in views]).reshape(-1, 4, 4)),
        "sizes": torch.tensor([[*v.depth.shape, *v.token_at.shape] for v in views]).long().reshape(-1, 4),
        "invented": torch.tensor([v.invented for v in views], dtype=torch.uint8),
    }
    header = {"format": FORMAT, "version": str(VERSION), **{name: json.dumps(fact) for name, fact in facts.items()}}
    with whole(path) as temporary:
        temporary.write_bytes(save(tensors, metadata=header))


def read_views(path: str | os.PathLike) -> tuple[Tensor, list[View], dict]:
    """features, views and facts as `write_views` was given them. Raises ValueError for any other file, or a folder."""
    if os.path.isdir(path):
        raise ValueError(f"{path} is a folder. Give the file of the memory, in a scene memory.safetensors.")
    try:
        with safe_open(path, framework="pt") as file:
            header = dict(file.metadata() or {})
            if header.pop("format", None) != FORMAT:
                raise ValueError(f"{path} is not a saved memory: its header does not name the format {FORMAT!r}.")
            version = int(header.pop("version"))
            if version > VERSION:
                raise ValueError(
                    f"{path} has format version {version}; this program reads up to {VERSION}. Update the program."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        sizes = tensors["sizes"].tolist()
        depth = torch.zeros(sum(rows * columns for rows, columns, _, _ in sizes))
        depth[tensors["sample_cells"].long()] = tensors["sample_depth"]
        confidence = torch.zeros(len(depth), dtype=torch.uint8)
        confidence[tensors["sample_cells"].long()] = tensors["sample_confidence"]
        token_at = torch.full((sum(h * w for _, _, h, w in sizes),), -1, dtype=torch.int32)
        token_at[tensors["token_cells"].long()] = tensors["token_rows"]
        if len(token_at) and not token_at.max() < len(tensors["features"]):
            raise IndexError("a token is missing")
        views, sample, token = [], 0, 0
        for index, (rows, columns, h, w) in enumerate(sizes):
            camera = Camera(tensors["K"][index].numpy(), tensors["c2w"][index].numpy(), rows, columns)
            samples, tokens = slice(sample, sample + rows * columns), slice(token, token + h * w)
            planes = depth[samples].view(rows, columns), token_at[tokens].view(h, w)
            seen = confidence[samples].view(rows, columns)
            views.append(View(camera, *planes, seen, bool(tensors["invented"][index])))
            sample, token = samples.stop, tokens.stop
        return tensors["features"], views, {name: json.loads(fact) for name, fact in header.items()}
    except (SafetensorError, KeyError, IndexError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged or incomplete ({error}). Save it again from its scene.") from error


def write_ply(path: str | os.PathLike, points: Tensor, colors: Tensor | None = None) -> None:
    """points (N, 3) float32, colors (N, 3) uint8 or None -> a binary PLY file."""
    layout = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    names = ["property float x", "property float y", "property float z"]
    if colors is not None:
        if tuple(colors.shape) != (len(points), 3):
            raise ValueError(f"colors {tuple(colors.shape)} must be ({len(points)}, 3), one row per point.")
        layout += [("red", "u1"), ("green", "u1"), ("blue", "u1")]
        names += ["property uchar red", "property uchar green", "property uchar blue"]
    rows = np.empty(len(points), dtype=layout)
    for axis, name in enumerate("xyz"):
        rows[name] = points[:, axis].numpy()
    for channel, (name, _) in enumerate(layout[3:]):
        rows[name] = colors[:, channel].cpu().numpy()
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}", *names, "end_header\n"]
    with whole(path) as temporary:
        temporary.write_bytes("\n".join(header).encode("ascii") + rows.tobytes())

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
from pipelines.cameras.camera import MAX_DISTANCE, MAX_SIDE
from pipelines.errors import Refused
from pipelines.files import atomic_write
from pipelines.memory.views import View, carrying_tokens

FORMAT, VERSION = "mirage-latent-memory", 2  # 1 also stored the row of each token, which follows from their order
# The dtype of every tensor in a file but the features, which may be of any floating kind.
KINDS = {
    **dict.fromkeys(("token_cells", "sample_cells"), torch.int32),
    **dict.fromkeys(("sample_confidence", "invented"), torch.uint8),
    **{"sample_depth": torch.float32, "K": torch.float64, "c2w": torch.float64, "sizes": torch.int64},
}
MAX_CELLS = 2**28  # of all depth grids, or of all token grids: a small file must not take more than 2.5 GiB to load


def write_views(path: str | os.PathLike, features: Tensor, views: Sequence[View], **facts) -> None:
    """Write features (tokens, C) and the views that use them; facts: of the memory, as JSON. Empty cells take no space.

    Raises Refused for more cells than a file may have, OSError when the disk refuses.
    """
    depth, confidence, token_at = (
        torch.cat([torch.zeros(0, dtype=kind), *(getattr(v, name).reshape(-1) for v in views)])
        for name, kind in (("depth", torch.float32), ("confidence", torch.uint8), ("token_at", torch.int32))
    )
    if len(depth) > MAX_CELLS:
        raise Refused(
            "The memory's views have {count} cells, at most {limit} can be saved. Crop it first.",
            count=len(depth),
            limit=MAX_CELLS,
        )
    tensors = {
        "features": features[token_at[token_at >= 0].long()],  # in the order of their cells
        "token_cells": (token_at >= 0).nonzero()[:, 0].to(torch.int32),
        "sample_cells": (depth > 0).nonzero()[:, 0].to(torch.int32),
        "sample_depth": depth[depth > 0],
        "sample_confidence": confidence[depth > 0],
        "K": torch.from_numpy(np.array([v.camera.K for v in views]).reshape(-1, 3, 3)),
        "c2w": torch.from_numpy(np.array([v.camera.c2w for v in views]).reshape(-1, 4, 4)),
        "sizes": torch.tensor([[*v.depth.shape, *v.token_at.shape] for v in views]).long().reshape(-1, 4),
        "invented": torch.tensor([v.invented for v in views], dtype=torch.uint8),
    }
    header = {"format": FORMAT, "version": str(VERSION), **{name: json.dumps(fact) for name, fact in facts.items()}}
    with atomic_write(path) as temporary:
        temporary.write_bytes(save(tensors, metadata=header))


def read_views(path: str | os.PathLike) -> tuple[Tensor, list[View], dict]:
    """What `write_views` wrote: features (tokens, C), views, facts. Raises Refused for any other file, or a folder."""
    if os.path.isdir(path):
        raise Refused("{path} is a folder. Give the file of the memory, in a scene memory.safetensors.", path=path)
    try:
        with safe_open(path, framework="pt") as file:
            header = dict(file.metadata() or {})
            if header.pop("format", None) != FORMAT:
                raise WrongFile(
                    "{path} is not a saved memory: its header does not name the format {format!r}.",
                    path=path,
                    format=FORMAT,
                )
            version = int(header.pop("version"))
            if version > VERSION:
                raise WrongFile(
                    "{path} has format version {version}; this program reads up to {limit}. Update the program.",
                    path=path,
                    version=version,
                    limit=VERSION,
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        features = tensors["features"].clone()  # the file's own pages would change, or be gone, when the file does
        return features, views_of(tensors), {name: json.loads(fact) for name, fact in header.items()}
    except WrongFile:
        raise
    except (SafetensorError, KeyError, IndexError, RuntimeError, TypeError, ValueError, MemoryError) as error:
        raise Refused(
            "{path} is damaged or incomplete ({error}). Save it again from its scene.", path=path, error=error
        ) from error


class WrongFile(Refused):
    """A sound file that holds no memory, or one that only a newer program reads."""


def demand(sound: bool | Tensor, what: str) -> None:
    if not sound:
        raise ValueError(f"unsound {what}")


def views_of(tensors: dict[str, Tensor]) -> list[View]:
    """The views that `write_views` took apart. Raises ValueError or KeyError for tensors that it cannot have made."""
    features, sizes = tensors["features"], tensors["sizes"]
    demand(features.ndim == 2 and features.shape[1] and features.is_floating_point(), "features")
    demand(features.isfinite().all() and len(features) == len(tensors["token_cells"]), "features")
    for name, kind in KINDS.items():
        demand(tensors[name].dtype == kind, f"{name}, {tensors[name].dtype}")
    demand(sizes.ndim == 2 and sizes.shape[1] == 4 and ((sizes >= 1) & (sizes <= MAX_SIDE)).all(), "sizes")
    rows, columns, h, w = sizes.unbind(1)
    demand(((rows % h == 0) & (columns % w == 0) & (rows // h == columns // w)).all(), "sizes")
    demand(((tensors["sample_depth"] > 0) & (tensors["sample_depth"] <= MAX_DISTANCE)).all(), "sample_depth")

    def planes(cells: str, value: Tensor, counts: Tensor, empty: int) -> tuple[Tensor, ...]:
        """The plane of each view, flat: values in their cells, which are numbered over all views, elsewhere `empty`."""
        cell, count = tensors[cells].long(), int(counts.sum())
        demand(count <= MAX_CELLS, f"sizes, {count} cells")
        demand(cell.ndim == 1 and cell.shape == value.shape, cells)
        demand((cell.diff() > 0).all() and (cell[:1] >= 0).all() and (cell[-1:] < count).all(), cells)
        return torch.full((count,), empty, dtype=value.dtype).index_copy_(0, cell, value).split(counts.tolist())

    views = []
    for size, K, c2w, depth, token_at, confidence, invented in zip(
        sizes.tolist(),
        tensors["K"].numpy(),
        tensors["c2w"].numpy(),
        planes("sample_cells", tensors["sample_depth"], rows * columns, 0),
        planes("token_cells", torch.arange(len(features), dtype=torch.int32), h * w, -1),
        planes("sample_cells", tensors["sample_confidence"], rows * columns, 0),
        tensors["invented"].tolist(),
        strict=True,
    ):
        depth, confidence, token_at = depth.view(size[:2]), confidence.view(size[:2]), token_at.view(size[2:])
        demand((token_at[carrying_tokens(depth > 0, *size[2:])] >= 0).all(), "token_cells, a sample has no token")
        views.append(View(Camera(K, c2w, *size[:2]), depth, token_at, confidence, bool(invented)))
    return views


def write_ply(path: str | os.PathLike, points: Tensor, colors: Tensor | None = None) -> None:
    """points (N, 3) float32, colors (N, 3) uint8 or None -> a binary PLY file."""
    layout = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    names = ["property float x", "property float y", "property float z"]
    if colors is not None:
        if tuple(colors.shape) != (len(points), 3) or colors.dtype != torch.uint8:
            raise ValueError(
                f"colors are {colors.dtype} {tuple(colors.shape)} and must be torch.uint8 ({len(points)}, 3), one row "
                "per point."
            )
        layout += [("red", "u1"), ("green", "u1"), ("blue", "u1")]
        names += ["property uchar red", "property uchar green", "property uchar blue"]
    rows = np.empty(len(points), dtype=layout)
    for axis, name in enumerate("xyz"):
        rows[name] = points[:, axis].numpy()
    for channel, (name, _) in enumerate(layout[3:]):
        rows[name] = colors[:, channel].cpu().numpy()
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}", *names, "end_header\n"]
    with atomic_write(path) as temporary:
        temporary.write_bytes("\n".join(header).encode("ascii") + rows.tobytes())

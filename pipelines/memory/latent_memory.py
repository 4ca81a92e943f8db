"""`LatentMemory`: the one class that remembers.

What is stored is a list of *views*. A view is a camera, the depth of the surface samples it contributed, and the
latent tokens those samples carry. A later view stores only what the earlier ones left open, so nothing is stored twice.
How a view is weighed against what is remembered is in writing.py, how the memory is read in visibility.py and
readout.py.
"""

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pipelines.cameras import Camera
from pipelines.cameras.camera import MAX_DISTANCE
from pipelines.errors import Refused
from pipelines.memory.files import read_views, write_ply, write_views
from pipelines.memory.projection import NEAR
from pipelines.memory.readout import Readout
from pipelines.memory.samples import Samples
from pipelines.memory.surfaces import between_surfaces
from pipelines.memory.targets import Targets
from pipelines.memory.views import View, carrying_tokens
from pipelines.memory.visibility import visible_samples
from pipelines.memory.writing import WriteReport, compared, count_votes, in_free_space


class LatentMemory:
    """Latent tokens of a scene, placed in 3D.

    channels: of a token. interpolates: tokens vary smoothly with position, so a readout may blend the four around a
    place; if not, it takes the token of the nearest surface sample unchanged. dtype: of the stored features.
    codec: fingerprint of the model whose tokens these are; no other can decode them. "" if that is not known.
    """

    def __init__(self, channels: int, interpolates: bool = False, dtype: torch.dtype = torch.float16, codec: str = ""):
        if channels < 1:
            raise ValueError(f"channels={channels} must be at least 1.")
        self.channels, self.interpolates, self.dtype, self.codec = channels, interpolates, dtype, codec
        self._keep(torch.zeros(0, channels, dtype=dtype), [])

    def __len__(self) -> int:
        return self.num_points

    def __repr__(self) -> str:
        return f"LatentMemory({self.num_points} points, {len(self.views)} views, {self.nbytes / 2**20:.2f} MiB)"

    @property
    def num_points(self) -> int:
        """Surface samples that take part in the z-buffer."""
        return len(self.samples)

    @property
    def views(self) -> tuple[View, ...]:
        """The views, in the order they were written."""
        return self.samples.views

    @property
    def nbytes(self) -> int:
        """Bytes of features, depths, confidences and their two indices: a saved file's, but for the cameras."""
        return self.features.nbytes + len(self.features) * 4 + self.num_points * 9

    @property
    def bounds(self) -> tuple[list[float], list[float]]:
        """Least and greatest x, y, z of the stored samples, scene units; zeros when empty."""
        if not self.num_points:
            return [0.0] * 3, [0.0] * 3
        low, high = self.samples.points.aminmax(dim=1)
        return low.tolist(), high.tolist()

    def is_of(self, channels: int, interpolates: bool, codec: str = "") -> bool:
        """Whether a model with such tokens can read what is stored here; an unknown codec ("") suits any."""
        same_weights = not self.codec or not codec or self.codec == codec
        return (self.channels, self.interpolates) == (channels, interpolates) and same_weights

    def copy(self) -> "LatentMemory":
        """An independent memory with the same content; tensors are shared, since none is ever changed in place."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    # ---- write -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def write(
        self,
        latents: Tensor,  # (C, h, w) or (T, C, h, w)
        depth: Tensor | np.ndarray,  # (H, W) or (T, H, W); H = k h and W = k w for a whole k >= 1
        cameras: Camera | Sequence[Camera],
        valid: Tensor | np.ndarray | None = None,  # bool, on the grid of the tokens or of the depth
        invented: bool = False,
    ) -> WriteReport:
        """Remember what these views add.

        What the memory already shows stays as it is, unless it was invented and the new view was seen, or the new view
        is FINER times as fine, or as many views have now seen through it as saw it. Each view has one vote on every
        sample that it sees or sees through.

        depth: z-depth in scene units; what is not between NEAR and MAX_DISTANCE or not `valid` is left out. cameras:
        of any grid. invented: generated rather than seen; it hides nothing that was seen, from whatever camera.
        Tensors may be on any device; the memory is in the computer's own, and so is all that it returns.
        Raises ValueError for shapes that do not fit together and latents that are not finite.
        """
        latents, depth = torch.as_tensor(latents).cpu().to(self.dtype), torch.as_tensor(depth).cpu().float()
        valid = torch.ones_like(depth, dtype=torch.bool) if valid is None else torch.as_tensor(valid).cpu().bool()
        cameras = [cameras] if isinstance(cameras, Camera) else list(cameras)
        if latents.ndim == 3:
            latents, depth, valid = latents[None], depth[None], valid[None]
        self._check_write(latents, depth, cameras)
        if valid.shape[1:] == latents.shape[2:] != depth.shape[1:]:
            k = depth.shape[1] // latents.shape[2]
            valid = valid.repeat_interleave(k, 1).repeat_interleave(k, 2)
        if valid.shape != depth.shape:
            raise ValueError(
                f"valid {tuple(valid.shape)} must have the shape of the depth {tuple(depth.shape)} or of the tokens."
            )
        report = WriteReport()
        for view_latents, view_depth, camera, view_valid in zip(latents, depth, cameras, valid, strict=True):
            camera = camera.resized(*view_depth.shape)
            report += self._write_view(view_latents, view_depth, camera, view_valid.to(torch.uint8), invented)
        return report

    def merge(self, other: "LatentMemory", pose: np.ndarray | None = None) -> WriteReport:
        """Write all that another memory holds into this one, its views in the order they were written.

        pose: (4, 4) from the other's world to this one's, rigid; the same world if None. What both hold is stored once,
        and a surface that many views saw there has as many votes here. Raises ValueError for tokens of another model
        or a pose that is not rigid; nothing is written then.
        """
        if not self.is_of(other.channels, other.interpolates, other.codec):
            here, there = (
                f"{m.channels} channels {'' if m.interpolates else 'not '}to interpolate (weights {m.codec!r})"
                for m in (self, other)
            )
            raise ValueError(
                f"The memories hold tokens of different models: {here} and {there}. Merge memories of one model."
            )
        other = other.copy()  # it may be this one
        pose = np.eye(4) if pose is None else np.asarray(pose, dtype=np.float64)
        cameras = [Camera(v.camera.K, pose @ v.camera.c2w, v.camera.height, v.camera.width) for v in other.views]
        self.codec = self.codec or other.codec
        report = WriteReport()
        for index, (view, camera) in enumerate(zip(other.views, cameras, strict=True)):
            latents = other.tokens_of(index)[0].to(self.dtype)
            report += self._write_view(latents, view.depth, camera, view.confidence, view.invented)
        return report

    def crop(self, low: Sequence[float], high: Sequence[float]) -> "LatentMemory":
        """The part of this memory in a box, from corner `low` to corner `high`, both included: x, y, z, scene units.

        Raises ValueError unless low < high in all three.
        """
        low, high = (torch.as_tensor(corner, dtype=torch.float32) for corner in (low, high))
        if low.shape != (3,) or high.shape != (3,) or not (low < high).all():
            raise ValueError(f"low={low.tolist()} must be below high={high.tolist()} in x, y and z.")
        samples, part = self.samples, self.copy()
        points = samples.points.T
        outside = ~((points >= low) & (points <= high)).all(dim=1)
        gone = torch.zeros(len(samples.depth), dtype=torch.bool)
        gone[samples.cell[outside]] = True
        part._forget(gone, samples.confidence)
        return part

    def shifted(self, cells: float) -> "LatentMemory":
        """This memory as if the ray of every token went through a place `cells` tokens further left and up.

        For weights that were trained with another centre of a cell than 0.5, which alone is exact. The cameras that
        such weights read from must be shifted as well. Shifts and turns of the camera are then read as before; a zoom
        by s is off by (s - 1) * cells tokens.
        """
        other = self.copy()
        pixels = [cells * view.depth.shape[1] / view.token_at.shape[1] for view in self.views]
        cameras = [view.camera.shifted(by, by) for view, by in zip(self.views, pixels, strict=True)]
        other._keep(self.features, [replace(v, camera=camera) for v, camera in zip(self.views, cameras, strict=True)])
        return other

    def _check_write(self, latents: Tensor, depth: Tensor, cameras: Sequence[Camera]) -> None:
        if latents.ndim != 4 or depth.ndim != 3:
            raise ValueError(
                f"latents {tuple(latents.shape)} and depth {tuple(depth.shape)} must be (C, h, w) and (H, W) for one "
                "view, (T, C, h, w) and (T, H, W) for several."
            )
        if latents.shape[1] != self.channels:
            raise ValueError(
                f"latents have {latents.shape[1]} channels, this memory holds {self.channels}. Write latents of the "
                "model the memory was made with."
            )
        if not len(latents) == len(depth) == len(cameras):
            raise ValueError(f"{len(latents)} latents, {len(depth)} depth maps and {len(cameras)} cameras must match.")
        (h, w), (rows, columns) = latents.shape[2:], depth.shape[1:]
        if rows % h or columns % w or rows // h != columns // w:
            raise ValueError(f"depth {rows}x{columns} must be a whole multiple of the token grid {h}x{w}.")
        if not torch.isfinite(latents).all():
            raise Refused(
                "Latents hold values that {dtype} cannot, or NaN; nothing was written. Check the model's weights.",
                dtype=self.dtype,
            )

    def _write_view(self, latents: Tensor, depth: Tensor, camera: Camera, votes: Tensor, invented: bool) -> WriteReport:
        """`write` of one view. votes (H, W) uint8: how many views saw each sample, 0 where it is not valid."""
        valid = (votes > 0) & (depth > NEAR) & (depth <= MAX_DISTANCE)
        depth = torch.where(valid, depth, 0.0)
        counts = {"invalid": int((~valid).sum())}

        def leave_out(reason: str, where: Tensor) -> None:
            nonlocal valid
            counts[reason] = int((valid & where).sum())
            valid = valid & ~where

        leave_out("depth_edge", between_surfaces(depth))
        taken = torch.zeros_like(valid)
        if self.views:
            shown = self.readout([camera], *depth.shape)
            if invented:
                leave_out("explained", shown.mask[0])
                leave_out("free_space", in_free_space(depth, camera, valid, self.views))
            else:
                agrees, behind = compared(self.samples, shown, depth)
                seen = [view for view in self.views if not view.invented]
                leave_out("free_space", in_free_space(depth, camera, valid & ~agrees, seen))
                token_focal = camera.K[0, 0] * latents.shape[2] / depth.shape[1]
                size = depth / token_focal
                confidence, forgotten, taken = count_votes(
                    self.samples, shown, votes, valid, agrees & valid, behind & valid, size
                )
                self._forget(forgotten, confidence)
                leave_out("explained", agrees & ~taken)
                leave_out("disagrees", behind & ~taken)
        stored = int(valid.sum())
        counts["replaced"] = int((valid & taken).sum())
        counts["new"] = stored - counts["replaced"]
        if stored:
            h, w = latents.shape[1:]
            kept = carrying_tokens(valid, h, w)
            token_at = torch.full((h, w), -1, dtype=torch.int32)
            token_at[kept] = torch.arange(len(self.features), len(self.features) + int(kept.sum()), dtype=torch.int32)
            features = torch.cat([self.features, latents[:, kept].T])
            view = View(camera, torch.where(valid, depth, 0.0), token_at, torch.where(valid, votes, 0), invented)
            self._keep(features, [*self.views, view])
        return WriteReport(**counts)

    def _forget(self, samples: Tensor, confidence_of: Tensor) -> None:
        """Remove samples, and the tokens that none is left of; the other samples get new confidences.

        samples bool, confidence_of uint8: flat, over the planes of all views.
        """
        views, features, start, begin = [], [self.features[:0]], 0, 0
        for view in self.views:
            end = start + view.depth.numel()
            gone = samples[start:end].view_as(view.depth)
            depth = torch.where(gone, 0.0, view.depth) if gone.any() else view.depth
            confidence = torch.where(depth > 0, confidence_of[start:end].view_as(depth), 0)
            token_at, (h, w) = view.token_at, view.token_at.shape
            if depth is not view.depth:
                token_at = token_at.masked_fill(~carrying_tokens(depth > 0, h, w), -1)
            stored = token_at >= 0
            features.append(self.features[token_at[stored].long()])
            token_at = torch.full_like(token_at, -1)
            token_at[stored] = torch.arange(begin, begin + len(features[-1]), dtype=torch.int32)
            begin += len(features[-1])
            views.append(View(view.camera, depth, token_at, confidence, view.invented))
            start = end
        self._keep(torch.cat(features), [view for view in views if (view.token_at >= 0).any()])

    def _keep(self, features: Tensor, views: Sequence[View]) -> None:
        """Replace all content: features (tokens, C) and the views that use them."""
        self.features, self.samples = features, Samples(views)

    # ---- read --------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def readout(self, cameras: Camera | Sequence[Camera], height: int, width: int, thin: int = 1) -> Readout:
        """The memory seen from one camera or several, on a grid of any size.

        thin: use every thin-th row and column of samples only; for estimates of coverage on coarse grids.
        Returns the same bits for any number of threads. An empty memory gives an empty mask.
        """
        cameras = [cameras] if isinstance(cameras, Camera) else list(cameras)
        if not cameras:
            raise ValueError("There are 0 cameras; a readout needs at least 1.")
        targets = Targets.of(cameras, height, width)
        return Readout(*visible_samples(self.samples, targets, thin), targets, self.copy())

    def tokens_of(self, index: int) -> tuple[Tensor, Tensor]:
        """The tokens that view `index` stores, on its own grid: (C, h, w) float32, 0 where none, and (h, w) bool."""
        token_at = self.views[index].token_at
        stored = token_at >= 0
        latents = torch.zeros(*token_at.shape, self.channels)
        latents[stored] = self.features[token_at[stored].long()].float()
        return latents.permute(2, 0, 1), stored

    # ---- files -------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike) -> None:
        """Write one safetensors file, complete or not at all. Raises OSError when the disk refuses, Refused for more
        cells than a file may have."""
        write_views(path, self.features, self.views, interpolates=self.interpolates, codec=self.codec)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "LatentMemory":
        """Read a file that `save` wrote. Raises Refused for a truncated, foreign or newer file."""
        features, views, facts = read_views(path)
        memory = cls(features.shape[1], facts.get("interpolates", False), features.dtype, facts.get("codec", ""))
        memory._keep(features, views)
        return memory

    def to_ply(self, path: str | os.PathLike, colors: Tensor | None = None) -> None:
        """Write the samples as a binary PLY point cloud.

        colors: (num_points, 3) uint8, in the order of the stored samples; left out if None.
        """
        write_ply(path, self.samples.points.T, colors)

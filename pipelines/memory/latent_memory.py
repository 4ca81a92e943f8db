"""`LatentMemory`: the one class that remembers.

What is stored is a list of *views*. A view is a camera, the depth of the surface samples it contributed, and the
latent tokens those samples carry. A later view stores only what the earlier ones left open, so nothing is said twice.
Reading a target camera is three steps: every sample goes through one z-buffer, cracks between samples that touched in
their view are closed, and each cell looks up the exact place in the view it came from.
"""

import functools
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.cameras import Camera
from pipelines.memory.files import read_views, write_ply, write_views
from pipelines.memory.projection import (
    NEAR,
    best_of_cells,
    into_cells,
    nearest,
    pixels_to_pixels,
    project,
    unproject,
    world_to_pixels,
)
from pipelines.memory.views import View

# Neighbouring samples whose depths differ by less than this share belong to one surface.
SAME_SURFACE = 0.1
# Samples of one cell whose depths differ by less than this share show the same surface; the best view of it counts.
SAME_DEPTH = 0.01
# Within this share of the depths around it a sample agrees with what is remembered.
AGREES = 0.05
# A view whose tokens are this many times finer takes the place of what is remembered.
FINER = 1.5
# A sample that stands in front of a remembered surface by more than this share would hide something that was seen.
FREE_SPACE = 0.03
# A place in a view this close to a sample (in cells) is that sample: what is read where it was written comes back
# bit for bit, and float32 projection is good to about 1e-4 cells.
ON_SAMPLE = 2e-3
# Ends of a crack are at most this many samples apart; those between them fell into the same cells as the ends.
HIDDEN = 4
# Ends of a crack are at most this many cells apart.
WIDEST = 4
# Cells around the picture that are read too: what is out there covers cells inside, and cracks reach in from there.
MARGIN = WIDEST - 1
# Point-camera pairs per z-buffer pass; bounds the working memory of a readout to about 250 MB.
PAIRS_PER_PASS = 4_000_000


@dataclass(frozen=True)
class WriteReport:
    """What became of the samples of a write. Together they are all of its samples.

    Stored are `new` ones, where nothing was remembered, and those that `replaced` something: seen from too far,
    invented, or seen through more often than seen. Left out are `explained` ones, which the memory already shows;
    `disagrees`, behind a surface that others saw; `free_space`, in front of something seen; `depth_edge`, between two
    surfaces, on neither; and `invalid`: not finite, not positive, or left out by `valid`.
    """

    new: int = 0
    replaced: int = 0
    explained: int = 0
    disagrees: int = 0
    free_space: int = 0
    depth_edge: int = 0
    invalid: int = 0

    def __add__(self, other: "WriteReport") -> "WriteReport":
        return WriteReport(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class Readout:
    """The memory seen from T cameras on a (height, width) grid.

    mask (T, h, w) bool: a surface is remembered there. depth (T, h, w) float32, 0 where unknown.
    view (T, h, w) int64: which view the cell came from, -1 where unknown.
    xy (T, h, w, 2) float32: the place in that view, as fractions of its width and height.
    latents (T, C, h, w) float32: the tokens there, 0 where unknown; fetched when first asked for.
    """

    mask: Tensor
    depth: Tensor
    view: Tensor
    xy: Tensor
    sample: Tensor
    memory: "LatentMemory"

    @cached_property
    def latents(self) -> Tensor:
        return self.memory._fetch(self)

    @cached_property
    def place(self) -> Tensor:
        """(T, h, w, 2): xy in cells of the view's depth grid."""
        rows, columns = self.memory._sizes(self.view)
        return self.xy * torch.stack(torch.broadcast_tensors(columns, rows), dim=-1)

    @cached_property
    def offset(self) -> Tensor:
        """(T, h, w, 2): how far the place lies from the sample that shows there, x and y in cells of the view."""
        _, columns = self.memory._sizes(self.view)
        return self.place - torch.stack([self.sample % columns, self.sample // columns], dim=-1) - 0.5


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
        self.features = torch.zeros(0, channels, dtype=dtype)
        self.views: list[View] = []
        self._reindex()

    def __len__(self) -> int:
        return self.num_points

    def __repr__(self) -> str:
        return f"LatentMemory({self.num_points} points, {len(self.views)} views, {self.nbytes / 2**20:.2f} MiB)"

    @property
    def num_points(self) -> int:
        """Surface samples that take part in the z-buffer."""
        return len(self._points)

    @property
    def nbytes(self) -> int:
        """Bytes of what is remembered: features, depths, confidences and the two indices (as saved, without caches)."""
        return self.features.nbytes + len(self.features) * 4 + self.num_points * 9

    @property
    def bounds(self) -> tuple[list[float], list[float]]:
        """Least and greatest x, y, z of the stored samples, scene units; zeros when empty."""
        if not self.num_points:
            return [0.0] * 3, [0.0] * 3
        return self._points.min(dim=0).values.tolist(), self._points.max(dim=0).values.tolist()

    def is_of(self, channels: int, interpolates: bool, codec: str = "") -> bool:
        """Whether a model with such tokens can read what is stored here; an unknown codec suits any."""
        same_weights = not self.codec or not codec or self.codec == codec
        return (self.channels, self.interpolates) == (channels, interpolates) and same_weights

    def copy(self) -> "LatentMemory":
        """An independent memory with the same content; tensors are shared, since none is ever changed in place."""
        other = LatentMemory(self.channels, self.interpolates, self.dtype, self.codec)
        other.features, other.views = self.features, list(self.views)
        other._reindex()
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

        What the memory already shows stays as it is, unless it was invented and this is seen, this shows it FINER times
        as fine, or as many views have now seen through it as saw it. Each view counts as one opinion on every sample
        that it sees or sees through.

        depth is z-depth in scene units; samples that are not finite, not positive or not `valid` are left out.
        cameras may be of any grid. invented: generated, not seen; from no camera will it hide what was seen.
        Raises ValueError for shapes that do not belong together.
        """
        latents = torch.as_tensor(latents)
        depth = torch.as_tensor(depth).float()
        single = latents.ndim == 3
        if single:
            latents, depth, cameras = latents[None], depth[None], [cameras]
            valid = None if valid is None else torch.as_tensor(valid)[None]
        self._check_write(latents, depth, cameras)
        if valid is None:
            valid = torch.ones_like(depth, dtype=torch.bool)
        valid = torch.as_tensor(valid).to(torch.bool)
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
            report += self._write_view(view_latents, view_depth, camera, view_valid, invented)
        return report

    def merge(self, other: "LatentMemory", pose: np.ndarray | None = None) -> WriteReport:
        """Write all that another memory holds into this one, its views in the order they were written.

        pose: (4, 4) the other's world in this one's, rigid; the same world if None. What both know is stored once.
        Raises ValueError for tokens of another model or a pose that is not rigid; nothing is written then.
        """
        if not self.is_of(other.channels, other.interpolates, other.codec):
            raise ValueError(
                f"The memories hold tokens of different models: {self.channels} channels (weights {self.codec!r}) and "
                f"{other.channels} channels (weights {other.codec!r}). Merge memories of one model."
            )
        pose = np.eye(4) if pose is None else np.asarray(pose, dtype=np.float64)
        cameras = [Camera(v.camera.K, pose @ v.camera.c2w, v.camera.height, v.camera.width) for v in other.views]
        report = WriteReport()
        for index, (view, camera) in enumerate(zip(other.views, cameras, strict=True)):
            report += self.write(other.tokens_of(index)[0], view.depth, camera, invented=view.invented)
        return report

    def crop(self, low: Sequence[float], high: Sequence[float]) -> "LatentMemory":
        """The part of this memory between two corners of a box: x, y, z in scene units, low < high, both included."""
        low, high = (torch.as_tensor(corner, dtype=torch.float32) for corner in (low, high))
        if low.shape != (3,) or high.shape != (3,) or not (low < high).all():
            raise ValueError(f"low={low.tolist()} must be below high={high.tolist()} in x, y and z.")
        outside = ~((self._points >= low) & (self._points <= high)).all(dim=1)
        part = self.copy()
        samples = torch.zeros(len(self._flat_depth), dtype=torch.bool)
        samples[(self._table[self._view, 0] + self._cell)[outside]] = True
        part._forget(samples)
        return part

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
            raise ValueError("latents hold NaN or infinite values; nothing was written.")

    def _write_view(self, latents: Tensor, depth: Tensor, camera: Camera, valid: Tensor, invented: bool) -> WriteReport:
        valid = valid & torch.isfinite(depth) & (depth > 0)
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
                leave_out("free_space", self._in_free_space(depth, camera, valid, self.views))
            else:
                agrees, behind = self._compare(shown, depth)
                seen = [view for view in self.views if not view.invented]
                leave_out("free_space", self._in_free_space(depth, camera, valid & ~agrees, seen))
                token_focal = camera.K[0, 0] * latents.shape[2] / depth.shape[1]
                taken = self._vote(shown, valid, agrees & valid, behind & valid, depth / token_focal)
                leave_out("explained", agrees & ~taken)
                leave_out("disagrees", behind & ~taken)
        stored = int(valid.sum())
        counts["replaced"] = int((valid & taken).sum())
        counts["new"] = stored - counts["replaced"]
        if stored:
            h, w = latents.shape[1:]
            k = depth.shape[0] // h
            kept = valid.reshape(h, k, w, k).any(dim=3).any(dim=1)
            token_at = torch.full((h, w), -1, dtype=torch.int32)
            token_at[kept] = torch.arange(len(self.features), len(self.features) + int(kept.sum()), dtype=torch.int32)
            self.features = torch.cat([self.features, latents[:, kept].T.to(self.dtype)])
            confidence = valid.to(torch.uint8)
            self.views.append(View(camera, torch.where(valid, depth, 0.0), token_at, confidence, invented))
            self._reindex()
        return WriteReport(**counts)

    def _compare(self, shown: Readout, depth: Tensor) -> tuple[Tensor, Tensor]:
        """Where a depth map (H, W) agrees with what was seen and is shown there, and where it looks through it."""
        known, remembered = shown.mask[0], shown.depth[0]
        seen = known & ~self._invented[shown.view[0].clamp(min=0)]

        def range_of(values: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
            ends = torch.stack([torch.where(where, -values, -torch.inf), torch.where(where, values, -torch.inf)])
            near, far = F.max_pool2d(ends, 3, 1, 1)
            return -near, far

        near, far = range_of(remembered, known)
        first, last = range_of(depth, depth > 0)
        # Beside an outline a sample may be off by a cell: any depth that is remembered around it will do.
        outline = last > first * (1 + 2 * AGREES)
        agrees = (depth - remembered).abs() <= AGREES * remembered
        agrees |= outline & (depth >= near * (1 - AGREES)) & (depth <= far * (1 + AGREES))
        return seen & agrees, seen & ~agrees & (depth > remembered)

    def _vote(self, shown: Readout, valid: Tensor, agrees: Tensor, behind: Tensor, size: Tensor) -> Tensor:
        """Count what a seen view says of the samples it is shown, and forget those it can stand in for.

        Masks (H, W); size (H, W): of its tokens in the scene. Returns where it takes over, (H, W) bool.
        """
        view = shown.view[0].clamp(min=0)
        row = (self._table[view, 0] + shown.sample[0]).masked_fill_(~shown.mask[0], -1)
        count = len(self._flat_depth)
        cells = row[row >= 0].bincount(minlength=count)

        def every(where: Tensor) -> Tensor:
            """(count,) bool: samples of which all cells that show them lie in `where`."""
            return (cells > 0) & (row[where].bincount(minlength=count) == cells)

        confidence = self._flat_confidence.int()
        confidence[row[agrees]] += 1  # once for each sample, in however many cells it shows
        confidence -= every(behind).int()
        written = self._flat_depth[row.clamp(min=0)] / self._token_focal[view]
        finer = agrees & (size * FINER < written)
        border = F.pad(torch.zeros_like(row[2:, 2:], dtype=torch.bool), (1, 1, 1, 1), value=True)
        # What reaches over the border of this view stays: it is needed there.
        forgotten = (confidence <= 0) | every(finer & ~border)
        forgotten |= every(valid & shown.mask[0] & self._invented[view])
        forgotten &= self._flat_depth > 0
        self._flat_confidence = confidence.clamp_(0, 255).to(torch.uint8)
        self._forget(forgotten)
        return finer | (valid & (row >= 0) & forgotten[row.clamp(min=0)])

    def _forget(self, samples: Tensor) -> None:
        """Take samples out, (all of them,) bool, and the tokens that no sample carries any more."""
        views, features, start, begin = [], [self.features[:0]], 0, 0
        for view in self.views:
            end = start + view.depth.numel()
            gone = samples[start:end].view_as(view.depth)
            depth = torch.where(gone, 0.0, view.depth) if gone.any() else view.depth
            confidence = torch.where(depth > 0, self._flat_confidence[start:end].view_as(depth), 0)
            token_at, (h, w) = view.token_at, view.token_at.shape
            if depth is not view.depth:
                k = depth.shape[0] // h
                token_at = token_at.masked_fill(~(depth > 0).reshape(h, k, w, k).any(dim=3).any(dim=1), -1)
            stored = token_at >= 0
            features.append(self.features[token_at[stored].long()])
            token_at = torch.full_like(token_at, -1)
            token_at[stored] = torch.arange(begin, begin + len(features[-1]), dtype=torch.int32)
            begin += len(features[-1])
            views.append(View(view.camera, depth, token_at, confidence, view.invented))
            start = end
        self.features = torch.cat(features)
        self.views = [view for view in views if (view.token_at >= 0).any()]
        self._reindex()

    def _in_free_space(self, depth: Tensor, camera: Camera, valid: Tensor, views: list[View]) -> Tensor:
        """(H, W) bool: valid samples that one of the views looked through, because it saw a surface behind them."""
        hidden = torch.zeros_like(valid)
        points = unproject(depth, camera)[valid]
        blocks = torch.zeros(len(points), dtype=torch.bool)
        for view in views:
            matrix, offset = world_to_pixels(view.camera)
            u, v, z = project(points, torch.tensor(matrix[None]).float(), torch.tensor(offset[None]).float())
            (rows, columns), (u, v, z) = view.depth.shape, (u[0].floor(), v[0].floor(), z[0])
            inside = (z > 0) & (u >= 0) & (u < columns) & (v >= 0) & (v < rows)
            seen = view.depth[v.clamp(0, rows - 1).long(), u.clamp(0, columns - 1).long()]
            blocks |= inside & (seen > 0) & (z < seen * (1 - FREE_SPACE))
        hidden[valid] = blocks
        return hidden

    def _reindex(self) -> None:
        """Rebuild the flat tables that a readout gathers from: one row per stored sample, one table over all views."""
        points, cells, views = [torch.zeros(0, 3)], [torch.zeros(0, dtype=torch.int64)], [torch.zeros(0).long()]
        depth_start, token_start = 0, 0
        table = []
        for index, view in enumerate(self.views):
            (rows, columns), (h, w) = view.depth.shape, view.token_at.shape
            stored = (view.depth > 0).reshape(-1).nonzero()[:, 0]
            points.append(unproject(view.depth, view.camera).reshape(-1, 3)[stored])
            cells.append(stored)
            views.append(torch.full((len(stored),), index))
            table.append([depth_start, rows, columns, token_start, h, w])
            depth_start, token_start = depth_start + rows * columns, token_start + h * w
        self._points, self._cell, self._view = torch.cat(points), torch.cat(cells), torch.cat(views)
        self._table = torch.tensor(table, dtype=torch.int64).reshape(-1, 6)
        focal = [v.camera.K[0, 0] * v.token_at.shape[1] / v.depth.shape[1] for v in self.views]
        self._token_focal = torch.tensor(focal, dtype=torch.float32)
        self._invented = torch.tensor([v.invented for v in self.views], dtype=torch.bool)
        self._flat_depth = torch.cat([v.depth.reshape(-1) for v in self.views]) if self.views else torch.zeros(0)
        self._flat_confidence = (
            torch.cat([v.confidence.reshape(-1) for v in self.views])
            if self.views
            else torch.zeros(0, dtype=torch.uint8)
        )
        self._flat_token = (
            torch.cat([v.token_at.reshape(-1) for v in self.views]) if self.views else torch.zeros(0, dtype=torch.int32)
        )

    # ---- readout -----------------------------------------------------------------------------------------------

    @torch.no_grad()
    def readout(self, cameras: Camera | Sequence[Camera], height: int, width: int, thin: int = 1) -> Readout:
        """The memory seen from one camera or several, on a grid of any size.

        thin: use every thin-th row and column of samples only; for coverage estimates on coarse grids.
        Deterministic: the same bits for any number of threads. An empty memory gives an empty mask.
        """
        cameras = [cameras] if isinstance(cameras, Camera) else list(cameras)
        cameras = [camera.resized(height, width) for camera in cameras]
        chosen = slice(None) if thin == 1 else self._thinned(thin)
        points, cell_of, view_of = self._points[chosen], self._cell[chosen], self._view[chosen]
        per_pass = max(1, PAIRS_PER_PASS // max(1, len(points) + height * width))
        parts = []
        grids = self._coarser(cameras, thin) if len(points) else [1] * len(cameras)
        for coarser, run in itertools.groupby(zip(cameras, grids, strict=True), lambda pair: pair[1]):
            for some in batched([camera for camera, _ in run], per_pass):
                parts.append(self._readout_pass(some, height, width, points, cell_of, view_of, thin, coarser))
        mask, depth, view, xy, sample = (torch.cat(part) for part in zip(*parts, strict=True))
        return Readout(mask, depth, view, xy, sample, self._snapshot())

    def _coarser(self, cameras: Sequence[Camera], thin: int) -> list[int]:
        """How many times coarser than each target its grid must be, so that samples lie at most WIDEST cells apart.

        By the median of a few samples; 1 but for a telephoto lens or a very close look.
        """
        some = slice(None, None, max(1, len(self._points) // 1000))
        matrices, offsets = (
            torch.from_numpy(np.stack(part)).float() for part in zip(*map(world_to_pixels, cameras), strict=True)
        )
        u, v, z = project(self._points[some], matrices, offsets)
        wide, high = (
            torch.tensor([[getattr(c, side)] for c in cameras], dtype=torch.float32) for side in ("width", "height")
        )
        # In the picture or around it: a long lens may see the place between four samples.
        inside = (z > NEAR) & (u >= -wide) & (u < 2 * wide) & (v >= -high) & (v < 2 * high)
        start, _, columns, _, _, token_columns = self._table[self._view[some]].unbind(1)
        focal = self._token_focal[self._view[some]] * columns / token_columns
        lens = torch.tensor([[c.K[0, 0]] for c in cameras], dtype=torch.float32)
        spacing = self._flat_depth[start + self._cell[some]] / focal * lens / z
        median = torch.where(inside, spacing, torch.nan).nanmedian(1).values.nan_to_num(0.0)
        return (thin * median / WIDEST).ceil().clamp(min=1).int().tolist()

    def _readout_pass(self, cameras, height, width, points, cell_of, view_of, thin, coarser):
        num = len(cameras)
        unknown = torch.full((num, height, width), -1)
        nothing = torch.zeros_like(unknown, dtype=torch.bool), torch.zeros(unknown.shape), unknown
        nothing += torch.zeros(*unknown.shape, 2), unknown
        if not len(points):
            return nothing
        rows, columns = max(1, height // coarser), max(1, width // coarser)
        targets, cameras = cameras, [with_margin(camera.resized(rows, columns)) for camera in cameras]
        projections = [world_to_pixels(camera) for camera in cameras]
        matrices = torch.from_numpy(np.stack([a for a, _ in projections])).float()
        offsets = torch.from_numpy(np.stack([b for _, b in projections])).float()
        front = self._front(cameras, matrices, offsets, points, cell_of, view_of)
        relative = self._relative(cameras)
        mask, depth, view, sample = self._close_cracks(*front, thin)
        self._close_rims(relative, mask, depth, view, sample, thin)

        row, column = (((torch.arange(n) + 0.5) * m / n).long() + MARGIN for n, m in ((height, rows), (width, columns)))
        depth, view, sample = (x[:, row[:, None], column] for x in (depth, view, sample))
        cells = torch.meshgrid(torch.arange(num), torch.arange(height), torch.arange(width), indexing="ij")
        off_x, off_y = self._offset_from_sample(self._relative(targets), cells, depth, view, sample)
        # A wrong depth must not send a cell to another part of the view: stay near the sample.
        off_x, off_y = off_x.clamp_(-1.5, 1.5), off_y.clamp_(-1.5, 1.5)
        on_sample = torch.maximum(off_x.abs(), off_y.abs()) < ON_SAMPLE
        rows, columns = self._sizes(view)
        x = (sample % columns + 0.5 + off_x.masked_fill_(on_sample, 0)) / columns
        y = (sample // columns + 0.5 + off_y.masked_fill_(on_sample, 0)) / rows
        return view >= 0, depth, view, torch.stack([x, y], dim=-1), sample

    def _front(self, cameras, matrices: Tensor, offsets: Tensor, points: Tensor, cell_of: Tensor, view_of: Tensor):
        """What the cameras see of the points, cracks open: mask, depth, view and sample, (T, h, w) each."""
        rows, columns = cameras[0].height, cameras[0].width
        cell, z = into_cells(*project(points, matrices, offsets), rows, columns)
        cells = (rows + 2) * (columns + 2)
        # What was invented lies on a layer of its own, below what was seen. One view alone has no rivals.
        made = self._invented
        views = torch.stack([(~made).sum(), made.sum()])[: 1 + bool(made.any())]
        layers, rivals = len(views), views > 1
        if layers == 2:
            cell += cells * made[view_of]
        pair = nearest(cell, z, (SAME_DEPTH * rivals).repeat_interleave(cells))
        camera, point = pair // len(points), pair % len(points)
        cell, depth = cell.take(pair), z.take(pair)
        keys = ()
        if rivals.any():
            some = rivals[cell // cells].nonzero()[:, 0]
            p = point[some]
            where = points.index_select(0, p), view_of.take(p), cell_of.take(p)
            alike = torch.zeros_like(cell).index_copy_(0, some, self._alike(cameras, camera[some], *where, depth[some]))
            keys = alike, -depth
        row = best_of_cells(cell + camera * (layers * cells), len(cameras) * layers * cells, *keys)
        row = row.view(len(cameras), layers, rows + 2, columns + 2)[:, :, 1:-1, 1:-1]
        row = row[:, 0] if layers == 1 else torch.where(row[:, 0] >= 0, row[:, 0], row[:, 1])
        mask = row >= 0
        depth, point = torch.zeros(row.shape).masked_scatter_(mask, depth[row[mask]]), point[row[mask]]
        view, sample = (torch.full_like(row, -1).masked_scatter_(mask, of[point]) for of in (view_of, cell_of))
        return mask, depth, view, sample

    def _alike(
        self, cameras: Sequence[Camera], camera: Tensor, points: Tensor, view: Tensor, sample: Tensor, depth: Tensor
    ) -> Tensor:
        """(n,) int64, the greater the better a sample suits the camera that sees it, of several of one surface.

        First how alike the view that wrote it was: half octaves of resolution and steps of ten degrees between the two
        lines of sight; then the newest view. points (n, 3); the others (n,); depth as the camera sees it.
        """
        focal = torch.tensor([c.K[0, 0] for c in cameras], dtype=torch.float32)
        written = self._flat_depth.take(self._table[:, 0].take(view) + sample) / self._token_focal.take(view)
        octaves = (written * focal.take(camera) / depth).log2_().abs_()
        eyes, sources = (
            torch.from_numpy(np.stack([c.c2w[:3, 3] for c in group])).float()
            for group in (cameras, [v.camera for v in self.views])
        )
        here, there = points - eyes.index_select(0, camera), points - sources.index_select(0, view)
        cosine = (here * there).sum(1) * (here.square().sum(1) * there.square().sum(1)).rsqrt_()
        degrees = cosine.clamp_(-1, 1).arccos_().rad2deg_()
        unlike = (2 * octaves).round_() + (degrees / 10).round_()
        return view - unlike.long() * len(self.views)

    def _close_cracks(self, mask: Tensor, depth: Tensor, view: Tensor, sample: Tensor, thin: int):
        """Fill the gaps that open when a surface is seen larger than it was written.

        A gap is a run of up to three cells whose two ends were neighbours in the view that wrote them, or nearly, and
        lie on one surface with all between them; the run may be empty or show something behind. What was never seen is
        not between neighbours, so it stays unknown. What was seen also closes over what was invented.
        """
        made = self._invented
        for dim in (2, 1, 2):
            size, stride = depth.shape[dim], depth.stride(dim)
            new = [mask.clone(), depth.clone(), view.clone(), sample.clone()]
            # How far one sees through each cell: for ever, if nothing is there or only something invented.
            solid = mask & ~made.take(view.clamp(min=0)) if made.any() else mask
            through = torch.where(solid, depth, torch.inf)
            for span in range(2, min(WIDEST + 1, size)):
                m0, m1, d0, d1 = (x.narrow(dim, i, size - span) for x in (mask, depth) for i in (0, span))
                deepest = functools.reduce(
                    torch.maximum, [through.narrow(dim, step, size - span) for step in range(1, span)]
                )
                gap = (m0 & m1 & (deepest > torch.minimum(d0, d1) * (1 + SAME_SURFACE))).nonzero()
                one = (gap * gap.new_tensor(depth.stride())).sum(1)
                other = one + span * stride
                d0, d1 = depth.take(one), depth.take(other)
                joined = (view.take(one) == view.take(other)) & ((d0 - d1).abs() < SAME_SURFACE * torch.minimum(d0, d1))
                one, other, d0, d1 = (x[joined] for x in (one, other, d0, d1))
                v, s0, s1 = view.take(one), sample.take(one), sample.take(other)
                columns = self._table[v, 2]
                apart = torch.maximum((s0 // columns - s1 // columns).abs(), (s0 % columns - s1 % columns).abs())
                # Where more than one sample fell into a cell, the ends are not neighbours, but those between are alike.
                closed = apart <= HIDDEN * thin
                far = (closed & (apart > thin)).nonzero()[:, 0]
                closed[far] = self._one_surface(v[far], s0[far], s1[far])
                one, d0, d1, v, s0 = (x[closed] for x in (one, d0, d1, v, s0))
                for step in range(1, span):
                    cell, between = one + step * stride, torch.lerp(d0, d1, step / span)
                    here = new[2].take(cell)
                    open_cell = ~new[0].take(cell) | (new[1].take(cell) > between * (1 + SAME_SURFACE))
                    open_cell |= ~made[v] & made[here.clamp(min=0)] & (here >= 0)
                    for plane, value in zip(new, (True, between, v, s0), strict=True):
                        plane.view(-1)[cell[open_cell]] = value if value is True else value[open_cell]
            mask, depth, view, sample = new
        return mask, depth, view, sample

    def _one_surface(self, view: Tensor, one: Tensor, other: Tensor) -> Tensor:
        """(n,) bool: nothing but one surface lies between two samples of a view, each (n,) and up to HIDDEN apart."""
        start, _, columns = self._table[view, :3].unbind(1)
        x0, y0, x1, y1 = one % columns, one // columns, other % columns, other // columns
        mine, same = self._flat_depth[start + one], torch.ones_like(view, dtype=torch.bool)
        for share in torch.arange(1, HIDDEN) / HIDDEN:
            x, y = torch.lerp(x0.float(), x1.float(), share), torch.lerp(y0.float(), y1.float(), share)
            there = self._flat_depth[start + y.round().long() * columns + x.round().long()]
            same &= (there - mine).abs() < SAME_SURFACE * mine
        return same

    def _close_rims(self, relative, mask: Tensor, depth: Tensor, view: Tensor, sample: Tensor, thin: int) -> None:
        """Grow each surface, in place, to the cells that the footprint of its outermost samples still covers."""
        for dim, step in ((2, 1), (2, -1), (1, 1), (1, -1)):
            beside = mask.roll(step, dim)
            beside.select(dim, 0 if step == 1 else -1).fill_(False)
            cells = (beside & ~mask).nonzero(as_tuple=True)
            source = tuple(index - step if axis == dim else index for axis, index in enumerate(cells))
            d, v, s = depth[source], view[source], sample[source]
            off_x, off_y = self._offset_from_sample(relative, cells, d, v, s)
            covered = (torch.maximum(off_x.abs(), off_y.abs()) <= thin / 2 + ON_SAMPLE).nonzero()[:, 0]
            cells = tuple(index[covered] for index in cells)
            mask[cells], depth[cells], view[cells], sample[cells] = True, d[covered], v[covered], s[covered]

    def _sizes(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """Rows and columns of the depth grid of the view each cell came from; one number each if there is one view."""
        if len(self.views) == 1:
            return self._table[0, 1], self._table[0, 2]
        safe = view.clamp(min=0)
        return self._table[:, 1].take(safe), self._table[:, 2].take(safe)

    def _relative(self, cameras) -> Tensor:
        """(T, V, 12) maps from each target's pixels to each view's, see `pixels_to_pixels`."""
        maps = pixels_to_pixels(cameras, [v.camera for v in self.views])
        return torch.from_numpy(maps).float().flatten(2)

    def _offset_from_sample(self, relative: Tensor, cells, depth: Tensor, view: Tensor, sample: Tensor):
        """How far, in cells of the view, the surface at the centre of a target cell lies from the sample it came from.

        cells: (camera, row, column) indices; depth, view, sample: of the same shape. Returns x and y offsets; where
        view is -1 they mean nothing.
        """
        camera, row, column = cells
        pair = camera if len(self.views) == 1 else camera * len(self.views) + view.clamp(min=0)
        a = relative.reshape(-1, 12).index_select(0, pair.reshape(-1)).T.reshape(12, *pair.shape)
        u, v, z = column + 0.5, row + 0.5, depth
        x = z * (a[0] * u + a[1] * v + a[2]) + a[3]
        y = z * (a[4] * u + a[5] * v + a[6]) + a[7]
        w = (z * (a[8] * u + a[9] * v + a[10]) + a[11]).clamp_(min=1e-6)
        _, columns = self._sizes(view)
        return x.div_(w) - (sample % columns + 0.5), y.div_(w) - (sample // columns + 0.5)

    def _thinned(self, thin: int) -> Tensor:
        columns = self._table[self._view, 2]
        return ((self._cell // columns % thin == thin // 2) & (self._cell % columns % thin == thin // 2)).nonzero()[
            :, 0
        ]

    def _snapshot(self) -> "LatentMemory":
        """What a Readout keeps: later writes make new tensors, so holding the present ones is enough."""
        frozen = LatentMemory.__new__(LatentMemory)
        frozen.__dict__.update(self.__dict__, views=list(self.views))
        return frozen

    @torch.no_grad()
    def _fetch(self, out: Readout) -> Tensor:
        """(T, C, h, w) float32 tokens at the places of a readout."""
        of, mask = out.view[out.mask], out.mask
        depth_start, rows, columns, token_start, h, w = self._table[of].unbind(1)
        sample = out.sample[mask]
        k = rows // h
        own = token_start + (sample // columns // k) * w + sample % columns // k
        if not self.interpolates:
            values = self.features[self._flat_token[own].long()].float()
        else:
            # Blend the four tokens around the place, leaving out those on another surface.
            x, y = out.xy[mask][:, 0] * w - 0.5, out.xy[mask][:, 1] * h - 0.5
            x0, y0 = x.floor(), y.floor()
            on_token = ((x - x.round()).abs() < ON_SAMPLE) & ((y - y.round()).abs() < ON_SAMPLE)
            x0, y0 = torch.where(on_token, x.round(), x0), torch.where(on_token, y.round(), y0)
            fx, fy = torch.where(on_token, 0.0, x - x0), torch.where(on_token, 0.0, y - y0)
            reference = self._flat_depth[depth_start + sample]
            values = torch.zeros(len(of), self.channels)
            total = torch.zeros(len(of), 1)
            for dy in (0, 1):
                for dx in (0, 1):
                    tx, ty = (x0 + dx).long().clamp(min=0).minimum(w - 1), (y0 + dy).long().clamp(min=0).minimum(h - 1)
                    token = self._flat_token[token_start + ty * w + tx].long()
                    middle = depth_start + (ty * k + k // 2) * columns + tx * k + k // 2
                    there = self._flat_depth[middle]
                    alike = (token >= 0) & ((there - reference).abs() < SAME_SURFACE * reference)
                    weight = (fx if dx else 1 - fx) * (fy if dy else 1 - fy) * alike
                    values.addcmul_(self.features[token.clamp(min=0)].float(), weight[:, None])
                    total += weight[:, None]
            lone = total < 1e-3
            own_values = self.features[self._flat_token[own].long()].float()
            values = torch.where(lone, own_values, values / total.clamp(min=1e-3))
        latents = torch.zeros(*mask.shape, self.channels)
        latents[mask] = values
        return latents.permute(0, 3, 1, 2)

    def tokens_of(self, index: int) -> tuple[Tensor, Tensor]:
        """The tokens that view `index` stores, on its own grid: (C, h, w) float32, 0 where none, and (h, w) bool."""
        token_at = self.views[index].token_at
        stored = token_at >= 0
        latents = torch.zeros(*token_at.shape, self.channels)
        latents[stored] = self.features[token_at[stored].long()].float()
        return latents.permute(2, 0, 1), stored

    # ---- files -------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike) -> None:
        """Write one safetensors file, complete or not at all. Raises OSError when the disk refuses."""
        write_views(path, self.features, self.views, interpolates=self.interpolates, codec=self.codec)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "LatentMemory":
        """Read a file that `save` wrote. Raises ValueError for a truncated, foreign or newer file."""
        features, views, facts = read_views(path)
        memory = cls(features.shape[1], facts.get("interpolates", False), features.dtype, facts.get("codec", ""))
        memory.features, memory.views = features, views
        memory._reindex()
        return memory

    def to_ply(self, path: str | os.PathLike, colors: Tensor | None = None) -> None:
        """Write the samples as a binary PLY point cloud.

        colors: (num_points, 3) uint8, in the order of the stored samples; left out if None.
        """
        write_ply(path, self._points, colors)


def batched(items: list, size: int) -> Iterator[list]:
    """The items in order, in lists of at most `size`."""
    return (items[i : i + size] for i in range(0, len(items), size))


def with_margin(camera: Camera) -> Camera:
    """The same view with MARGIN more cells on every side."""
    K = camera.K.copy()
    K[:2, 2] += MARGIN
    return Camera(K, camera.c2w, camera.height + 2 * MARGIN, camera.width + 2 * MARGIN)


def between_surfaces(depth: Tensor) -> Tensor:
    """(H, W) bool: flying samples, which sit between a near and a far neighbour and belong to neither.

    depth: (H, W), 0 = unknown; unknown neighbours do not count.
    """
    known = depth > 0
    far = F.max_pool2d(torch.where(known, depth, 0.0)[None, None], 3, 1, 1)[0, 0]
    near = -F.max_pool2d(torch.where(known, -depth, -torch.inf)[None, None], 3, 1, 1)[0, 0]
    step = far - near
    return known & (step > 0.25 * depth) & (depth - near > 0.3 * step) & (far - depth > 0.3 * step)

"""The memory's colours at every pixel: the pictures of its views, painted where a camera sees them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.memory import Readout
from pipelines.memory.surfaces import SAME_SURFACE
from pipelines.memory.targets import pixels_in_view


def paint(readout: Readout, pictures: dict[int, Tensor], height: int, width: int) -> tuple[Tensor, Tensor]:
    """The memory's colours at every pixel of its targets: what the pictures of its views show there.

    readout: on a grid whose cells are whole pixels of height x width. Within a surface every pixel looks up its exact
    place; surfaces end where cells do. pictures: index of a view -> (3, H, W) in [-1, 1], all on one device, which
    does the work. Returns on the CPU (3, T, height, width) in [-1, 1], black where nothing is known, and
    (T, height, width) bool, True where something is.
    """
    samples, (frames, rows, columns) = readout.memory.samples, readout.mask.shape
    video, masks = torch.full((3, frames, height, width), -1.0), readout.mask
    masks = masks.repeat_interleave(height // rows, 1).repeat_interleave(width // columns, 2)
    if not pictures:
        return video, masks
    device = next(iter(pictures.values())).device
    maps = readout.targets.resized(height, width).into(samples).view(12, frames, -1).to(device)
    for frame in range(frames):
        view = readout.view[frame].to(device)
        shown = view.repeat_interleave(height // rows, 0).repeat_interleave(width // columns, 1)
        depth = finer(readout.depth[frame].to(device), height, width)
        painted = torch.full((3, height, width), -1.0, device=device)
        for index in view[view >= 0].unique().tolist():
            row, column = (shown == index).nonzero().unbind(1)
            x, y = pixels_in_view(maps[:, frame, index], column + 0.5, row + 0.5, depth[row, column])
            grid = torch.stack([x / samples.columns[index], y / samples.rows[index]], dim=-1) * 2 - 1
            picture = pictures[index][None]
            painted[:, row, column] = F.grid_sample(picture, grid[None, None], "bilinear", "border", False)[0, :, 0]
        video[:, frame] = painted
    return video, masks


def finer(depth: Tensor, height: int, width: int) -> Tensor:
    """depth (h, w), 0 where unknown -> (height, width): planes between cells of one surface, steps between surfaces."""
    inverse = torch.where(depth > 0, depth.reciprocal(), 0.0)
    ends, shares = [], []
    for size, cells in ((height, len(depth)), (width, depth.shape[1])):
        place = (torch.arange(size, device=depth.device) + 0.5) * (cells / size) - 0.5
        first = place.floor()
        ends.append([(first + step).long().clamp_(0, cells - 1) for step in (0, 1)])
        shares.append([1 - (place - first), place - first])
    nearest = [torch.where(b > 0.5, second, first) for (first, second), (_, b) in zip(ends, shares, strict=True)]
    own = inverse[nearest[0][:, None], nearest[1]]
    total, weights = torch.zeros_like(own), torch.zeros_like(own)
    for row, a in zip(ends[0], shares[0], strict=True):
        for column, b in zip(ends[1], shares[1], strict=True):
            corner = inverse[row[:, None], column]
            weight = a[:, None] * b * ((corner - own).abs() < SAME_SURFACE * own)
            total.addcmul_(corner, weight)
            weights += weight
    return weights / total  # nan where unknown

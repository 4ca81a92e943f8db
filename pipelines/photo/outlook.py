"""What a camera path will show of a photo, before anything is invented. Reads memories and generates nothing."""

import numpy as np
import torch

from pipelines.cameras import Trajectory
from pipelines.cameras.checks import Outlook
from pipelines.engines.base import Engine
from pipelines.memory import LatentMemory, Readout
from pipelines.photo.lifted import Lifted

GRID = 128  # cells along the long side
STEP = 4  # frames from one that is read to the next
# A surface is near up to so many times the depth of what is near in the photo. Of 19 slides the five that look torn are
# those in which much opens beside such a surface; what opens before the sky or far away heals.
NEAR = 1.5


def look(
    memory: LatentMemory, trajectory: Trajectory, lifted: Lifted | None = None, frames: int | None = None
) -> Outlook:
    """What a memory shows of a path, from one readout on a coarse grid; 0.03 s for 65 frames.

    lifted: a photo in the memory; the plate behind a product counts as shown, and what opens beside near surfaces
    twice. frames: how many are read, evenly spaced, the first and the last among them; None: every fourth, or more.
    """
    last = len(trajectory) - 1
    some = np.unique(np.linspace(0, last, min(frames or -(-last // STEP) + 1, last + 1)).round().astype(int))
    mask, depth = coarse_readout(memory, Trajectory.from_cameras([trajectory[t] for t in some], trajectory.fps), lifted)
    opened = between_known(mask)
    torn = share_of(opened)
    if lifted is not None:
        torn += share_of(opened & (nearer_beside(depth) < NEAR * lifted.near))
    return Outlook(*(np.interp(range(len(trajectory)), some, share) for share in (covered(mask), torn)))


def coverage(memory: LatentMemory, trajectory: Trajectory, lifted: Lifted | None = None) -> np.ndarray:
    """(T,) share of every frame that the memory shows, 0..1: see `look`."""
    return look(memory, trajectory, lifted).coverage


@torch.no_grad()
def coarse_readout(
    memory: LatentMemory, trajectory: Trajectory, lifted: Lifted | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """(T, h, w) bool: which cells of a coarse grid the memory shows, in every frame; and (T, h, w): z-depth of its
    surfaces, infinite where it has none. lifted: see `look`."""
    scale = GRID / max(trajectory.height, trajectory.width)
    height, width = (max(1, round(side * scale)) for side in (trajectory.height, trajectory.width))
    finest = max((view.camera.K[0, 0] for view in memory.views), default=0)
    thin = max(1, int(finest / (2 * scale * trajectory[0].K[0, 0])))  # two samples for every cell
    readout = memory.readout(list(trajectory), height, width, thin)
    plate = None if lifted is None else lifted.plate_in(readout, trajectory)
    depth = torch.where(readout.mask, readout.depth, torch.inf)
    return readout.mask if plate is None else readout.mask | plate, depth


def share_of(mask: torch.Tensor) -> np.ndarray:
    """(T, h, w) bool -> (T,) 0..1"""
    return mask.flatten(1).float().mean(dim=1).numpy()


def covered(mask: torch.Tensor) -> np.ndarray:
    """(T, h, w) bool -> (T,) 0..1, the share of the picture that coarse cells stand for.

    One sample makes a cell known, so those at the edge of what is known count half: on average they are that.
    """
    unknown = ~mask
    beside = torch.zeros_like(mask)
    for dim in (1, 2):
        n = mask.shape[dim] - 1
        beside.narrow(dim, 0, n).logical_or_(unknown.narrow(dim, 1, n))
        beside.narrow(dim, 1, n).logical_or_(unknown.narrow(dim, 0, n))
    return share_of(mask) - share_of(mask & beside) / 2


def backed(readout: Readout, num_known_views: int, plate: torch.Tensor | None) -> np.ndarray:
    """(T,) share of every frame of a readout that is from the photo or an earlier memory, 0..1: the first
    num_known_views views, and plate (T, h, w) bool."""
    known = (readout.view >= 0) & (readout.view < num_known_views)
    return share_of(known if plate is None else known | plate)


def between_known(mask: torch.Tensor) -> torch.Tensor:
    """(T, h, w) bool: unknown cells with known ones on both sides in their row."""
    known = mask.int()
    return ~mask & (known.cummax(2).values > 0) & (known.flip(2).cummax(2).values.flip(2) > 0)


def nearer_beside(depth: torch.Tensor) -> torch.Tensor:
    """depth (T, h, w), infinite where there is no surface -> (T, h, w): at every cell, the lesser depth of the two
    surfaces that come next in its row, one on either side."""
    column = torch.arange(depth.shape[2]).expand_as(depth)
    before = column.where(depth.isfinite(), 0).cummax(2).values
    behind = column.where(depth.isfinite(), depth.shape[2] - 1).flip(2).cummin(2).values.flip(2)
    return torch.minimum(depth.gather(2, before), depth.gather(2, behind))


@torch.no_grad()
def preview(engine: Engine, lifted: Lifted, trajectory: Trajectory, max_frames: int = 24) -> np.ndarray:
    """The path as it will be, before anything is invented: (n, H, W, 3) uint8.

    At most max_frames evenly spaced frames at the size the photo was lifted at; what the photo does not show is
    hatched.
    """
    path = trajectory.resized(lifted.camera.height, lifted.camera.width)
    chosen = np.unique(np.linspace(0, len(path) - 1, min(max_frames, len(path))).round().astype(int))
    stride = engine.facts.decode_stride
    frames = np.empty((len(chosen), path.height, path.width, 3), np.uint8)
    for i, t in enumerate(chosen):
        readout = lifted.memory.readout(path[t], path.height // stride, path.width // stride)
        frame, mask = engine.decode(readout, None), readout.mask
        if (plate := lifted.paint_plate(frame, readout, path[t : t + 1])) is not None:
            mask = mask | plate
        mask = mask[0].repeat_interleave(stride, 0).repeat_interleave(stride, 1)
        frames[i] = hatched(frame[0], mask.numpy())
    return frames


def hatched(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """frame (H, W, 3) uint8 with calm diagonal lines where mask (H, W) bool is False: what is unknown."""
    rows, columns = np.indices(mask.shape)
    period = max(8, mask.shape[1] // 48)
    lines = ((rows + columns) % period < period // 4)[..., None]
    return np.where(mask[..., None], frame, np.where(lines, 176, 200)).astype(np.uint8)

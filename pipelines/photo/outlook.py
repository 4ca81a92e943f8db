"""What a move will show of a photo, before anything is invented; and the framing and strength that suit the two."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from pipelines.cameras import Trajectory
from pipelines.memory import LatentMemory
from pipelines.photo.lifted import NEAR_QUANTILE, Lifted

SIDEWAYS = 0.2  # of the depth of what is near (NEAR_QUANTILE): how far estimated depth lets a camera step aside
BACKED = 0.87  # a move whose frames all show this share of the photo looks like the photo
ROOM_BACKED = 0.95  # the same where the frame is closer than the photo, which has room for the camera to move then
ZOOMS = (1.0, 1.1, 1.2)  # that a frame may be closer
# Of a frame, what opens between near and far surfaces; more than that shows as torn outlines, as 19 photos were judged.
TORN = 0.026
MIN_STRENGTH = 0.2
STRENGTHS = tuple(np.arange(1.0, MIN_STRENGTH, -0.1).round(2).tolist())  # that are tried, the largest first
COVERAGE_GRID = 128  # cells along the long side, for coverage of a whole path
COVERAGE_STEP = 4  # frames from one that is looked at to the next


class OutlookMixin:
    """The part of `MiragePipeline` that looks ahead: it reads memories, and generates nothing."""

    @torch.no_grad()
    def coverage(self, memory: LatentMemory, trajectory: Trajectory) -> np.ndarray:
        """(T,) share of every frame that the memory shows, 0..1: what the finished clip tells, to 0.01 or so.

        On a coarse grid, at every fourth frame and evenly between: 0.03 s for 65 frames.
        """
        some = sorted({*range(0, len(trajectory), COVERAGE_STEP), len(trajectory) - 1})
        path = Trajectory.from_cameras([trajectory[t] for t in some], trajectory.fps)
        return np.interp(range(len(trajectory)), some, covered(self._shown(memory, path)))

    @torch.no_grad()
    def torn(self, memory: LatentMemory, trajectory: Trajectory) -> np.ndarray:
        """(T,) share of every frame that opens between surfaces: unknown, with something known on both sides, 0..1.

        What the camera sees beyond the photo's frame does not count. At the cost of `coverage`.
        """
        return share_of(between_known(self._shown(memory, trajectory)))

    def _shown(self, memory: LatentMemory, trajectory: Trajectory) -> torch.Tensor:
        """(T, h, w) bool: which cells of a coarse grid the memory shows."""
        scale = COVERAGE_GRID / max(trajectory.height, trajectory.width)
        height, width = (max(1, round(side * scale)) for side in (trajectory.height, trajectory.width))
        finest = max((view.camera.K[0, 0] for view in memory.views), default=0)
        thin = max(1, int(finest / (2 * scale * trajectory[0].K[0, 0])))  # two samples for every cell
        return memory.readout(list(trajectory), height, width, thin).mask

    def gentle_strength(
        self, lifted: Lifted, path: Callable[[float], Trajectory], backed: float | None = None
    ) -> float:
        """The largest strength of a move, at most 1, that suits this photo; MIN_STRENGTH if none does.

        path: strength -> the trajectory of that strength. Every frame shows at least `backed` of the photo, so what is
        invented stays at the rim, at most TORN of it opens between surfaces, and the camera does not step aside further
        than SIDEWAYS. backed: BACKED for a frame that is the whole
        photo, ROOM_BACKED for a closer one, if None.
        """
        if backed is None:
            backed = ROOM_BACKED if lifted.zoom > 1 else BACKED
        for strength in STRENGTHS:
            if self._suits(lifted, path(strength), backed):
                return strength
        return MIN_STRENGTH

    def suited(
        self, lift: Callable[[float], Lifted], path: Callable[[Lifted, float], Trajectory]
    ) -> tuple[Lifted, float]:
        """The photo lifted as close as a move needs to show hardly anything else, and the strength that suits the two.

        A camera that steps aside sees beyond the photo, unless its frame is a little closer and leaves room for that.
        lift: zoom -> `Lifted`; path: of a lifted photo and a strength. Of ZOOMS it is the smallest that allows as much
        strength as the largest does; 1 for moves that see nothing new, such as a push-in.
        """
        whole = lift(1.0)

        def suits(zoom: float, strength: float) -> bool:
            return self._suits(whole, path(whole, strength).zoomed(zoom), ROOM_BACKED)

        strongest = next((strength for strength in STRENGTHS if suits(ZOOMS[-1], strength)), MIN_STRENGTH)
        zoom = next((zoom for zoom in ZOOMS if suits(zoom, strongest)), ZOOMS[-1])
        if zoom == 1:
            return whole, strongest
        lifted = lift(zoom)  # its subject may be another one, and with it the scale of the move
        return lifted, self.gentle_strength(lifted, partial(path, lifted), ROOM_BACKED)

    def _suits(self, lifted: Lifted, trajectory: Trajectory, backed: float) -> bool:
        """Whether a path suits a photo: see `gentle_strength`."""
        near = np.quantile(lifted.depth, NEAR_QUANTILE)
        aside = np.linalg.norm(trajectory.c2w[:, :3, 3] @ lifted.camera.c2w[:3, :2], axis=1).max()
        if aside > SIDEWAYS * near:
            return False
        shown = self._shown(lifted.memory, trajectory[:: max(1, len(trajectory) // 16)])
        return bool(covered(shown).min() >= backed and share_of(between_known(shown)).max() <= TORN)

    @torch.no_grad()
    def preview(self, lifted: Lifted, trajectory: Trajectory, max_frames: int = 24) -> tuple[np.ndarray, np.ndarray]:
        """The path as it will be, before anything is invented.

        Returns (n, H, W, 3) uint8, at most max_frames evenly spaced frames at the size the photo was lifted at, with
        what the photo does not show hatched, and (T,) coverage of every frame.
        """
        path = trajectory.resized(lifted.camera.height, lifted.camera.width)
        chosen = np.unique(np.linspace(0, len(path) - 1, min(max_frames, len(path))).round().astype(int))
        stride = self.engine.facts.decode_stride
        frames = np.empty((len(chosen), path.height, path.width, 3), np.uint8)
        for i, t in enumerate(chosen):
            readout = lifted.memory.readout(path[t], path.height // stride, path.width // stride)
            mask = readout.mask[0].repeat_interleave(stride, 0).repeat_interleave(stride, 1)
            frames[i] = hatched(self.engine.decode(readout, None)[0], mask.numpy())
        return frames, self.coverage(lifted.memory, path)


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


def between_known(mask: torch.Tensor) -> torch.Tensor:
    """(T, h, w) bool: unknown cells with known ones on both sides in their row."""
    known = mask.int()
    return ~mask & (known.cummax(2).values > 0) & (known.flip(2).cummax(2).values.flip(2) > 0)


def hatched(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The frame with calm diagonal lines over what is unknown."""
    rows, columns = np.indices(mask.shape)
    period = max(8, mask.shape[1] // 48)
    lines = ((rows + columns) % period < period // 4)[..., None]
    return np.where(mask[..., None], frame, np.where(lines, 176, 200)).astype(np.uint8)

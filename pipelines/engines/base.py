"""What differs between models, as one small interface. The chunk loop, the memory and the page know nothing else."""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from torch import Tensor, nn

from pipelines.cameras import Camera, Trajectory
from pipelines.depth import DepthEstimator
from pipelines.memory import Readout


class Step(NamedTuple):
    """How far an engine's run is, as `StepEvent` tells it; a shorter tuple will do."""

    step: int
    num_steps: int
    timestep: float | None = None
    stage: str = "denoise"


# An engine's run yields a `Step` after every step of denoising, and before whatever else takes long; what it made is
# its return value.
Steps = Generator[Step | tuple[int, int] | tuple[int, int, float], None, "Generated"]


@dataclass(frozen=True)
class EngineFacts:
    """Constants of an engine.

    name: as written into recipes. channels, stride: of its tokens (stride in pixels of the clip).
    interpolates: neighbouring tokens may be blended. decode_stride: grid on which `decode` wants its readout, in
    pixels (1: the pixels themselves). frames_per_chunk: frames made in one go; frame 0 counts. first_chunk: those of
    the first chunk, 0 if they are as many. frame_step: frames that share a latent; frame_step * n + 1 are made.
    depth_stride: pixels per depth sample that the memory keeps. fps: the rate that it was trained at, None: any is as
    good. size: native (height, width) of a landscape clip; None: any is as good. size_step, max_side: clips are
    multiples of the one and at most the other, in pixels. takes_prompt: understands text. measures: measures the depth
    of what it generates, with its estimator. codec: fingerprint of the weights that encode and decode tokens.
    weights: of each file in use its name, licence, commercial_use in the EU ("yes", "no", "unknown") and, if known,
    its sha256.
    """

    name: str
    channels: int
    stride: int
    interpolates: bool
    decode_stride: int
    frames_per_chunk: int
    size_step: int
    max_side: int
    takes_prompt: bool
    measures: bool = False
    codec: str = ""
    first_chunk: int = 0
    depth_stride: int = 1
    frame_step: int = 1
    fps: int | None = None
    size: tuple[int, int] | None = None
    weights: tuple[dict[str, Any], ...] = ()


def cameras_of(facts: EngineFacts, trajectory: Trajectory) -> Trajectory:
    """The cameras that an engine makes for a path, which are its first ones: a loop comes back to where it began, so
    that the return can be measured, and the last camera is held until the engine's count of frames is reached."""
    cameras = trajectory.with_return()
    frames = np.minimum(range(len(cameras) + (1 - len(cameras)) % facts.frame_step), len(cameras) - 1)
    return replace(cameras, c2w=cameras.c2w[frames], K=cameras.K[frames])


def chunks_of(facts: EngineFacts, num_frames: int) -> list[range]:
    """The frames of a clip in the order in which they are made."""
    first = min(facts.first_chunk or facts.frames_per_chunk, num_frames)
    starts = [0, *range(first, num_frames, facts.frames_per_chunk)]
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], num_frames], strict=True)]


@dataclass(frozen=True)
class Generated:
    """What an engine made for n cameras: tokens (n, C, h, w), z-depth (n, H, W), valid (n, H, W) bool.

    seconds: time that went into other parts than denoising, by the names of events.PARTS. unplaced: how many of the
    frames are not valid anywhere since their depth could not be brought into the memory's scale.
    """

    tokens: Tensor
    depth: Tensor
    valid: Tensor
    seconds: dict[str, float] = field(default_factory=dict, kw_only=True)
    unplaced: int = field(default=0, kw_only=True)


class Engine(Protocol):
    """depth_estimator: measures a photo where no other one is given, and what the engine generates if it `measures`."""

    facts: EngineFacts
    depth_estimator: DepthEstimator

    def encode(self, image: Tensor) -> Tensor:
        """image (3, H, W) RGB in [0, 1] -> tokens (C, H / stride, W / stride)."""
        ...

    def depth(self, image: np.ndarray, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """image (H, W, 3) uint8, K (3, 3) pixels -> z-depth (H, W) float32 in scene units, valid (H, W) bool."""
        ...

    def begin(self, trajectory: Trajectory, photo: np.ndarray | None, prompt: str | None, seed: int) -> Any:
        """What the engine carries through one clip, handed back to `denoise`; None if it carries nothing.

        photo (H, W, 3) uint8: what trajectory[0] shows; None when the clip starts in a known world.
        """
        ...

    def next_keys(self, coverage: np.ndarray, chunk: range, made: frozenset[int]) -> list[int]:
        """Which frames to generate now, before `chunk` is decoded; [] when nothing more is needed.

        coverage (T,): share of every frame that the memory shows, 0..1; made: frames generated so far.
        """
        ...

    def denoise(self, control: Readout, cameras: Sequence[Camera], seed: int, quality: str, clip: Any = None) -> Steps:
        """Generate what `control`, a readout on the token grid, leaves open. Closing the generator stops the work."""
        ...

    def decode(self, readout: Readout, generated: Generated | None) -> np.ndarray:
        """A readout on the decode grid, and what was generated for these frames, -> frames (n, H, W, 3) uint8."""
        ...


def fingerprint(model: nn.Module) -> str:
    """12 hexadecimal digits that stand for the weights of a model, for `EngineFacts.codec`."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.float().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]

"""How a render comes along: what `MiragePipeline.stream` yields, for the page and the command line."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pipelines.memory import LatentMemory

PARTS = ("encode", "depth", "memory_write", "memory_readout", "denoise", "decode")  # of a render's time


@dataclass(frozen=True)
class StepEvent:
    """How far the work has come.

    chunk, num_chunks: which chunk of the clip, counted from 0. stage: what comes next. "depth": the photo is measured
    and written into a memory, once and before all others; "denoise": what the memory does not show is generated, in
    steps of denoising (or search); "decode": frames are made, and those to be remembered measured. step, num_steps: how
    many steps of the stage are done, of how many: 0 of 1 for "depth"; for "decode" frames, or latents and what is
    measured. timestep: the scheduler's, after a step of denoising; None for an engine without one.
    """

    chunk: int
    num_chunks: int
    step: int
    num_steps: int
    stage: str = "denoise"
    timestep: float | None = None


@dataclass(frozen=True)
class ChunkEvent:
    """Frames that are ready, in order.

    frames: (N, H, W, 3) uint8; first_frame: index of frames[0] in the clip;
    coverage: (N,) share of each frame that the photo (or an earlier memory) backs, 0..1.
    alpha: (N, H, W) uint8, 0 clear .. 255 opaque, where it was asked for; `photo.cutout.cut_out` takes it.
    """

    chunk: int
    num_chunks: int
    first_frame: int
    frames: np.ndarray
    coverage: np.ndarray
    alpha: np.ndarray | None = None


@dataclass(frozen=True)
class LoopScore:
    """How well the end meets the start. closed: the camera comes back to where it began, at the end or, in a loop, one
    step after it. psnr in dB, ssim 0..1, between what is seen there at first and at last; None if open."""

    closed: bool
    psnr: float | None = None
    ssim: float | None = None


@dataclass(frozen=True)
class DoneEvent:
    """The clip is complete, or was interrupted: then it ends with the last chunk that was complete.

    frames: (T, H, W, 3) uint8; coverage: (T,) 0..1; memory: what was remembered, ready for another clip;
    loop: LoopScore; drift: the largest, over the last frames of all chunks, of the mean colour change of
    what is shown of the photo, in 1/255, see photo/drift.py;
    seconds: the time of each of PARTS and "total"; of the photo's part only what this render did itself.
    recipe: see pipelines/recipe.py. unplaced: generated frames that were not remembered, since their depth could not be
    brought into the memory's scale. alpha: (T, H, W), as in `ChunkEvent`; backdrop (3,) uint8: the colour that alpha
    leaves out.
    """

    frames: np.ndarray
    coverage: np.ndarray
    memory: "LatentMemory"
    loop: LoopScore
    drift: float
    seconds: dict[str, float]
    recipe: dict[str, Any] = field(default_factory=dict)
    unplaced: int = 0
    alpha: np.ndarray | None = None
    backdrop: np.ndarray | None = None


def timed_steps(steps: Generator, seconds: dict[str, float], part: str) -> Generator:
    """The same steps and return value; the time that they take, not that between them, goes to seconds[part]."""
    while True:
        try:
            with timed(seconds, part):
                step = next(steps)
        except StopIteration as done:
            return done.value
        yield step


@contextmanager
def timed(seconds: dict[str, float], part: str):
    """Add the time of a block to seconds[part]."""
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds[part] += time.perf_counter() - start

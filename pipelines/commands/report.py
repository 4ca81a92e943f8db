"""Figures of a render, as `render --report` keeps them."""

from typing import TYPE_CHECKING

from pipelines.cameras import Trajectory
from pipelines.cameras.curve import num_frames

if TYPE_CHECKING:
    from pipelines.events import DoneEvent


def report_of(model: str, made: Trajectory, rate: float, seed: int, done: "DoneEvent") -> dict:
    """made: the cameras that the model made frames of; rate: frames per second of the file, which repeats some where
    that is more. Plain JSON; `seconds` and `chunks` are added by who has counted them."""
    return {
        "frames": num_frames(made.seconds, rate),
        "fps": rate,
        **({} if rate == made.fps else {"made": {"frames": len(made), "fps": made.fps}}),
        "width": made.width,
        "height": made.height,
        "model": model,
        "seed": seed,
        "coverage": [round(float(value), 4) for value in done.coverage],
        "loop": {"closed": done.loop.closed, "psnr": done.loop.psnr, "ssim": done.loop.ssim},
        "memory": {"points": done.memory.num_points, "bytes": done.memory.nbytes},
        "drift": round(done.drift, 3),
        "unplaced": done.unplaced,
    }

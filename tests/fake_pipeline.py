"""A stand-in for `MiragePipeline` with the same seams and no model: the page's own tests run in seconds on it.

Photos are lifted by the real `lift`, with colours for tokens and a wall for depth; only clips are not rendered but
drawn.
"""

import threading
import time

import numpy as np
import torch.nn.functional as F
from PIL import Image

from pipelines import MiragePipeline
from pipelines.engines.base import EngineFacts
from pipelines.events import ChunkEvent, DoneEvent, LoopScore, StepEvent
from pipelines.photo.cutout import check_photo, least_alpha


def weights(name: str) -> dict:
    return {"name": name, "licence": "Apache-2.0", "commercial_use": "yes"}


class Wall:
    """A DepthEstimator that sees a wall two units away in every photo."""

    def __init__(self, name: str = "fake/depth"):
        self.weights = (weights(name),)
        self.calls = 0

    def __call__(self, image, K):
        self.calls += 1
        return np.full(image.shape[:2], 2.0, np.float32), np.ones(image.shape[:2], bool)


class Post(Wall):
    """A DepthEstimator that sees a low post before the wall."""

    def __call__(self, image, K):
        depth, valid = super().__call__(image, K)
        height, width = depth.shape
        depth[5 * height // 8 :, 2 * width // 5 : width // 2] = 1.2
        return depth, valid


class FakeEngine:
    """Tokens are colours, two pixels wide."""

    def __init__(self, is_large: bool):
        own = {"size": (704, 1248), "size_step": 32, "fps": 16} if is_large else {"size_step": 2}
        self.facts = EngineFacts(
            name="fake",
            channels=3,
            stride=2,
            interpolates=False,
            decode_stride=2,
            frames_per_chunk=8,
            max_side=1920,
            takes_prompt=is_large,
            weights=(weights("fake/model"),),
            **own,
        )
        self.depth_estimator = Wall()

    def encode(self, image):
        return F.avg_pool2d(image[None], 2)[0]

    def decode(self, readout, generated):
        frames = readout.latents.float().repeat_interleave(2, 2).repeat_interleave(2, 3)
        return (frames * 255).round().byte().permute(0, 2, 3, 1).numpy()


class FakePipeline:
    """`closed` is set when a render was closed before its end; `calls` holds what was rendered. A test holds the
    parameters of its methods to those of the real ones.

    is_large: with the facts of a large engine.
    """

    profile = None

    def __init__(self, step_seconds: float = 0.0, is_large: bool = False):
        self.step_seconds = step_seconds
        self.closed = threading.Event()
        self.calls: list[dict] = []
        self.engine = FakeEngine(is_large)

    lift = MiragePipeline.lift
    recipe = MiragePipeline.recipe

    def stream(
        self,
        image,
        trajectory,
        prompt=None,
        seed=0,
        memory=None,
        depth=None,
        quality="standard",
        focus=0.5,
        zoom=1.0,
        estimator=None,
        alpha=False,
    ):
        """Shows the photo's frame sliding by one pixel a frame."""
        self.calls.append(
            {"lifted": image, "trajectory": trajectory, "prompt": prompt, "seed": seed, "quality": quality}
        )
        frame = np.asarray(Image.fromarray(image.image).resize((trajectory.width, trajectory.height)))
        frames = np.stack([np.roll(frame, index, axis=1) for index in range(len(trajectory))])
        coverage = np.linspace(1, 0.9, len(trajectory))
        opaque = None
        if alpha:
            check_photo(image)
            opaque = least_alpha(frames, image.backdrop_colour)
        chunks = range(0, len(trajectory), 8)
        try:
            for index, start in enumerate(chunks):
                for step in (1, 2):
                    time.sleep(self.step_seconds)
                    yield StepEvent(index, len(chunks), step, 2)
                part = slice(start, start + 8)
                shown = None if opaque is None else opaque[part]
                yield ChunkEvent(index, len(chunks), start, frames[part], coverage[part], shown)
            loop = LoopScore(trajectory.is_closed, 40.0 if trajectory.is_closed else None)
            recipe = self.recipe(image, trajectory, seed, quality, prompt)
            clear = {"alpha": opaque, "backdrop": image.backdrop_colour}
            yield DoneEvent(frames, coverage, image.memory, loop, 0.4, {"total": 1.0}, recipe, **clear)
        except GeneratorExit:
            self.closed.set()
            raise

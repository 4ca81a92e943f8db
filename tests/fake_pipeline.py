"""A stand-in for `MiragePipeline` with the same seams and no model: the page's own tests run in seconds on it."""

import threading
import time
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from PIL import Image

from pipelines.cameras import Camera
from pipelines.events import ChunkEvent, DoneEvent, LoopScore, StepEvent
from studio.media import crop


@dataclass(frozen=True)
class FakeLifted:
    image: np.ndarray
    camera: Camera
    depth: np.ndarray
    memory: None
    distance: float
    zoom: float
    photo = property(lambda self: self.image)
    photo_depth = property(lambda self: self.depth)
    photo_camera = property(lambda self: self.camera)


def weights(name: str) -> dict:
    return {"name": name, "licence": "Apache-2.0", "commercial_use": "yes"}


class FakePipeline:
    """Draws the photo wherever the camera is. `closed` is set when a render was closed before its end.

    lifted_with: the depth estimator of every lift. is_large: with the facts of a large engine.
    """

    def __init__(self, step_seconds: float = 0.0, is_large: bool = False):
        self.step_seconds = step_seconds
        self.closed = threading.Event()
        self.calls: list[dict] = []
        self.lifted_with: list = []
        own = (
            {"size": (704, 1248), "size_step": 32, "fps": 24} if is_large else {"size": None, "size_step": 2, "fps": 16}
        )
        facts = SimpleNamespace(name="fake", takes_prompt=is_large, weights=(weights("fake/model"),), **own)
        self.engine = SimpleNamespace(facts=facts, depth_estimator=SimpleNamespace(weights=(weights("fake/depth"),)))

    def lift(self, image, height, width, fov_degrees=60.0, focus=0.5, zoom=1.0):
        assert not height % self.engine.facts.size_step and not width % self.engine.facts.size_step
        self.lifted_with.append(self.engine.depth_estimator)
        pixels = np.asarray(crop(image, height, width, focus, zoom).resize((width, height)))
        camera = Camera.from_fov(fov_degrees, height, width).zoomed(zoom)
        return FakeLifted(pixels, camera, np.full((height, width), 2.0), None, 2.0, zoom)

    def coverage(self, memory, trajectory):
        return 1 - np.minimum(np.linalg.norm(trajectory.c2w[:, :3, 3], axis=-1), 1)

    def torn(self, memory, trajectory):
        return 0.2 * np.abs(trajectory.c2w[:, 0, 3])

    def suited(self, lift, path):
        whole = lift(1.0)
        return (lift(1.1), 0.6) if self.coverage(None, path(whole, 1.0)).min() < 0.8 else (whole, 1.0)

    def preview(self, lifted, trajectory, max_frames=24):
        frames = np.repeat(lifted.image[None], min(max_frames, len(trajectory)), axis=0)
        return frames, self.coverage(None, trajectory)

    def recipe(self, photo, trajectory, seed, quality, prompt=None, focus=0.5, zoom=1.0):
        card = {"weights": list(self.engine.facts.weights), "depth": list(self.engine.depth_estimator.weights)}
        return {"seed": seed, "prompt": prompt, **card, "trajectory": trajectory.to_dict()}

    def stream(self, image, trajectory, prompt=None, seed=0, quality="standard", focus=0.5, zoom=1.0):
        self.calls.append({"trajectory": trajectory, "prompt": prompt, "seed": seed, "quality": quality})
        size = trajectory.height, trajectory.width
        frame = np.asarray(crop(image, *size, focus, zoom).resize(size[::-1], Image.Resampling.BILINEAR))
        frames = np.stack([np.roll(frame, index, axis=1) for index in range(len(trajectory))])
        coverage = self.coverage(None, trajectory)
        chunks = range(0, len(trajectory), 8)
        try:
            for index, start in enumerate(chunks):
                for step in (1, 2):
                    time.sleep(self.step_seconds)
                    yield StepEvent(index, len(chunks), step, 2)
                part = slice(start, start + 8)
                yield ChunkEvent(index, len(chunks), start, frames[part], coverage[part])
            loop = LoopScore(trajectory.is_closed, 40.0 if trajectory.is_closed else None)
            recipe = self.recipe(None, trajectory, seed, quality, prompt)
            yield DoneEvent(frames, coverage, None, loop, 0.4, {"total": 1.0}, recipe)
        except GeneratorExit:
            self.closed.set()
            raise

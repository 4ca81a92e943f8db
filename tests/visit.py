"""A visit to the studio without a browser: what its widgets hold, and what a handler answers."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from pipelines.cameras.keys import Key
from pipelines.cameras.path import Path as CameraPath
from studio.order import Inputs

PHOTO_SIZE, PHOTO_ID = (180, 320), "photo"  # of the visit in studio/conftest.py


def settled(preset: str | None = "push-in", photo: str = PHOTO_ID, **changes) -> Inputs:
    """What the page sends once every answer has reached it: two seconds, and a strength that was found for them."""
    inputs = replace(Inputs(preset=preset, seconds=2, seed=7, depth="embedded"), **changes)
    return replace(inputs, picked=inputs.preset, suited=inputs.choice(photo))


def last(answers):
    return list(answers)[-1]


def returned(steps):
    """What a generator returns at its end, and what it yielded before."""
    yielded = []
    while True:
        try:
            yielded.append(next(steps))
        except StopIteration as end:
            return end.value, yielded


def collected(answers) -> list[dict]:
    """Of an asynchronous generator, in a thread of its own: in the main one the browser's tests keep a loop running."""

    async def collect():
        return [answer async for answer in answers]

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, collect()).result()


def path_of(*positions, fov=60.0, seconds=2.0) -> dict:
    """A drawn path that looks straight on, as the editor sends it."""
    times = np.linspace(0, seconds, len(positions)).tolist()
    keys = [Key(time, position, (1, 0, 0, 0), 0.0, fov) for time, position in zip(times, positions, strict=True)]
    return CameraPath(tuple(keys)).to_dict()


WAY = path_of((0, 0, 0), (0.1, 0, 0.1), (0.2, -0.1, 0.1))


def drawn(path, **changes) -> Inputs:
    return settled("drawn", seconds=4, path=path, **changes)

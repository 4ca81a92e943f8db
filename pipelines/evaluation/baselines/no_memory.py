"""A clip without a memory: every chunk begins anew from the frame before it."""

import numpy as np

from pipelines.evaluation.room_truth import Room


def without_memory(pipe, room: Room, seed: int) -> np.ndarray:
    """(T, H, W, 3) uint8: every chunk knows the last rendered frame only, with the depth that is read back for it."""
    path, step = room.trajectory, pipe.engine.facts.frames_per_chunk
    frames, last, depth = [], room.frames[0], room.depth[0]
    for start in range(0, len(path) - 1, step):
        part = path[start : start + step + 1]  # begins with the frame that the chunk before ended with
        result = pipe(last, part, seed=seed, depth=depth)
        frames += list(result.frames[1 if frames else 0 :])
        last = frames[-1]
        depth = result.memory.readout(part[len(part) - 1], path.height, path.width).depth[0].numpy()
    return np.stack(frames)

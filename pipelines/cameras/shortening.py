"""Less of the same motion: cameras and paths whose way, turns and lens are scaled down, or that end earlier."""

import math
from dataclasses import replace

import numpy as np

from pipelines.cameras.curve import focal, fov
from pipelines.cameras.keys import KEYS, SECONDS, Key
from pipelines.cameras.path import Path
from pipelines.cameras.rotations import degrees_between, quaternion, rotation
from pipelines.cameras.trajectory import Trajectory
from pipelines.errors import Refused


def shortened(trajectory: Trajectory, factor: float) -> Trajectory:
    """The same kind of path with its motion scaled: 1 changes nothing, 0 stands still at frame 0.

    factor: 0..1. Relative to frame 0, turns are scaled by slerp, travel and principal point linearly, the focal ratio
    geometrically. Frame 0, the number of frames and closedness are kept. Paths that turn by 179 degrees or more from
    frame 0 are refused: the way back to it is then not unique. For a path made by `move`, a smaller `strength` does
    the same and keeps its aim exact.
    """
    if not (isinstance(factor, (int, float, np.floating)) and 0 <= factor <= 1):
        raise Refused("factor={factor!r:.60} must be 0..1. Use 0.5 for half the motion.", factor=factor)
    if factor == 1:
        return trajectory
    first = trajectory.c2w[0]
    relative = np.linalg.inv(first) @ trajectory.c2w
    relative[:, :3, :3] = _scaled_rotation(relative[:, :3, :3], factor)
    relative[:, :3, 3] *= factor
    c2w = first @ relative
    K = trajectory.K[0] + factor * (trajectory.K - trajectory.K[0])
    focal = np.array([trajectory.K[0, 0, 0], trajectory.K[0, 1, 1]])
    K[:, [0, 1], [0, 1]] = focal * (trajectory.K[:, [0, 1], [0, 1]] / focal) ** factor
    home = (trajectory.c2w == first).all((-2, -1))  # frames that are exactly frame 0 stay exactly there
    c2w[home] = first
    return replace(trajectory, c2w=c2w, K=K)


def weaker(path: Path, factor: float) -> Path:
    """The path with its motion scaled, 0 stands still at key 0: `shortened` applied to the keys.

    The spline follows its keys, so every camera between them is scaled too. Where keys turn by 179 degrees or more from
    key 0, the way back to it is not unique; such a path is cut before the first of them, then scaled.
    """
    if factor == 1:
        return path
    while len(far := np.flatnonzero(turns_from_start(path) >= 179)) and path.duration > SECONDS[0]:
        before = path.keys[far[0] - 1].time
        path = cut(path, max(before if before else path.keys[far[0]].time / 2, SECONDS[0]))
    first = path.keys[0]
    c2w = np.tile(np.eye(4), (len(path.keys), 1, 1))
    c2w[:, :3, :3] = rotation(np.array([key.orientation for key in path.keys]))
    c2w[:, :3, 3] = path.positions
    K = np.tile(np.eye(3), (len(path.keys), 1, 1))
    K[:, 0, 0] = K[:, 1, 1] = [focal(key.fov) for key in path.keys]
    scaled = shortened(Trajectory(c2w, K, 1, 1), factor)
    turns, fovs = quaternion(scaled.c2w[:, :3, :3]), fov(scaled.K[:, 0, 0])
    keys = [
        replace(
            key,
            position=tuple(scaled.c2w[i, :3, 3].tolist()),
            orientation=tuple(turns[i].tolist()),
            roll=first.roll + factor * (key.roll - first.roll),
            fov=key.fov if key.fov == first.fov else float(fovs[i]),  # a log and back costs a bit
        )
        for i, key in enumerate(path.keys)
    ]
    keys[0] = first
    if path.closed:
        keys[-1] = replace(first, time=path.duration)
    return replace(path, keys=tuple(keys))


def cut(path: Path, seconds: float) -> Path:
    """The path until `seconds`, with a last key there; a closed one is open then."""
    if seconds >= path.duration:
        return path
    kept = [key for key in path.keys if key.time < seconds - 1e-3] or [path.keys[0]]
    views = replace(path, keys=tuple(replace(key, roll=0.0) for key in path.keys)).sample(np.array([seconds]))
    rolls = np.interp(seconds, path.times, [key.roll for key in path.keys])
    q = tuple(quaternion(views.c2w[0, :3, :3]).tolist())
    last = Key(seconds, tuple(views.c2w[0, :3, 3].tolist()), q, float(rolls), float(views.fov[0]))
    return replace(path, keys=(*kept[: KEYS[1] - 1], last), closed=False)


def turns_from_start(path: Path) -> np.ndarray:
    """(n,) degrees from key 0 to every key."""
    turns = rotation(np.array([key.orientation for key in path.keys]))
    return degrees_between(turns, turns[0])


def _scaled_rotation(R: np.ndarray, factor: float) -> np.ndarray:
    """(T, 3, 3) rotations -> (T, 3, 3) about the same axes by `factor` times the angle (slerp from identity)."""
    twice_sine = np.stack([R[:, 2, 1] - R[:, 1, 2], R[:, 0, 2] - R[:, 2, 0], R[:, 1, 0] - R[:, 0, 1]], axis=-1)
    sine = np.linalg.norm(twice_sine, axis=-1) / 2
    angle = np.arctan2(sine, (np.trace(R, axis1=-2, axis2=-1) - 1) / 2)
    bad = angle > math.radians(179)
    if bad.any():
        raise Refused(
            "Frame {index} turns by {degrees:.1f} degrees from frame 0, must be under 179 to be shortened. "
            "Cut the path first.",
            index=int(np.argmax(bad)),
            degrees=math.degrees(angle[bad][0]),
        )
    axis = twice_sine / np.maximum(2 * sine, 1e-300)[:, None]  # no turn: sine and axis are 0, and so is the result
    cross = np.zeros_like(R)
    cross[:, 2, 1], cross[:, 0, 2], cross[:, 1, 0] = axis.T
    cross -= np.swapaxes(cross, -1, -2)
    angle = (factor * angle)[:, None, None]
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross  # Rodrigues

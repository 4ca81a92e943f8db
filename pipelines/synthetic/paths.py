"""Camera paths through a scene that start at its photo and run through nothing."""

import numpy as np

from pipelines.cameras import Camera, Trajectory
from pipelines.synthetic.tracing import trace

PATHS = ("push-in", "slide", "arc", "pan", "there-and-back")
MARGIN = 0.18  # metres a camera keeps from every surface


def photo_camera(scene, height=216, width=288) -> Camera:
    """The camera of the photo, at identity: all poses of a scene are relative to it."""
    return Camera.from_fov(scene.fov_degrees, height, width)


def _motion(kind, s, D, side, degrees):
    """Pose (4, 4) of a path relative to its start; s 0..1 along it, D the distance of the subject."""
    c2w = np.eye(4)
    turn = 0.0
    if kind == "push-in":
        c2w[:3, 3] = [0.06 * D * side * s, 0, 0.35 * D * s]
    elif kind == "slide":
        c2w[:3, 3] = [0.3 * D * side * s, 0, 0]
    elif kind == "pan":
        turn = np.radians(degrees) * side * s
        c2w[:3, 3] = [0.03 * D * side * s, 0, 0]
    else:  # arc around the subject; there-and-back returns along it
        turn = -np.radians(degrees) * side * s
        c2w[:3, 3] = [-D * np.sin(turn), 0, D * (1 - np.cos(turn)) + 0.05 * D * s]
    c2w[:3, :3] = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    return c2w


def scene_path(scene, kind, frames, seed, height=216, width=288) -> Trajectory:
    """A path of `kind` (see PATHS) from the photo camera that keeps clear of everything; shortened where it must be.

    Poses are relative to the photo camera: frame 0 is the identity. "there-and-back" ends where it began.
    """
    if kind not in PATHS:
        raise ValueError(f"kind={kind!r} is unknown. Use one of {', '.join(PATHS)}.")
    rng = np.random.default_rng([seed, scene.seed, PATHS.index(kind)])
    camera = photo_camera(scene, height, width)
    K = camera.resized(30, 40).K
    with np.errstate(all="ignore"):
        z, _ = trace(scene, scene.camera[:3, 3], scene.camera[:3, :3] @ np.linalg.inv(K), 30, 40)
    # the subject is what stands in the middle; very near things anywhere also limit the step
    D = float(np.clip(np.median(z[10:22, 12:28]), 0.2, 12))
    D = min(D, 6 * float(np.percentile(z, 3)))
    side, degrees = rng.choice([-1, 1]), rng.uniform(12, 30)
    margin = 0.05 if scene.close_up else MARGIN
    steps = np.linspace(0, 1, 33)
    for _ in range(10):
        walk = np.stack([scene.camera @ _motion(kind, s, D, side, degrees) for s in steps])
        free = is_free(scene, walk[:, :3, 3], margin)
        if free[1:].all():
            break
        side, D, degrees = -side, D * 0.8, degrees * 0.9
    else:
        # no room to move: a turn in place is always safe
        kind, degrees, D = "pan", min(degrees, 15), 0.0
    if frames > 1:
        s = np.linspace(0, 1, frames)
        s = 0.5 - 0.5 * np.cos(2 * np.pi * s) if "back" in kind else s * s * (3 - 2 * s)
    else:
        s = np.zeros(1)
    c2w = np.stack([_motion(kind, k, D, side, degrees) for k in s])
    return Trajectory(c2w, np.repeat(camera.K[None], frames, 0), height, width)


def is_free(scene, positions, margin=MARGIN):
    """Which of the world positions (N, 3) keep `margin` metres from every primitive -> (N,) bool."""
    local = np.einsum("pij,npj->npi", scene.axes, np.asarray(positions)[:, None] - scene.centre)
    return ~(np.abs(local) < scene.half + margin).all(-1).any(-1)

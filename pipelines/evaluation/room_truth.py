"""Held-out rooms: paths through generated scenes, rendered exactly.

Nothing here was trained on: neither the seeds nor the families of the scenes. Every path goes out in the first half
and comes back the same way, so the last camera is the photo's and the last true frame is the photo itself.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from pipelines.cameras import (
    MOVES,
    Camera,
    Trajectory,
    move,
    pixel_centers,
    project,
    shortened,
    steps_over_cap,
    unproject,
)
from pipelines.photo.lifted import subject_distance
from pipelines.photo.strength import gentle_strength
from pipelines.synthetic.paths import is_free
from pipelines.synthetic.render import render
from pipelines.synthetic.scenes import HELD_OUT_FAMILIES, make_scene

FIRST_SEED = 900_000_000  # far from every seed that a trainer uses
SKY = 1000.0  # metres: so far that the sky moves only when the camera turns
SAME_DEPTH = 0.02  # a point of frame t is visible in frame 0 if the depths agree within this share
OUTLINE = 0.05  # second difference of inverse depth, as a share of it, that ends a surface
# The first four are met by every family in the default of 12 scenes.
PATHS = (
    ("push-in", {}),
    ("gentle-arc", {"direction": "right"}),
    ("side-slide", {"direction": "left"}),
    ("look-around", {}),
    ("pull-back", {}),
    ("gentle-arc", {"direction": "left"}),
    ("side-slide", {"direction": "right"}),
)


@dataclass(frozen=True)
class Room:
    """A path through a scene and the truth: frames (T, H, W, 3) uint8, depth (T, H, W) float32 metres,
    covered (T, H, W) bool: the surface of that pixel is visible in frame 0; clear (T, H, W) bool: so it is, and no
    outline passes through the pixel, there or here."""

    name: str
    trajectory: Trajectory
    frames: np.ndarray
    depth: np.ndarray
    covered: np.ndarray
    clear: np.ndarray


def make_room(index: int, frames: int, height: int, width: int, length: str = "capped", pipe=None) -> Room:
    """Room `index`: held-out family, held-out seed, a move of PATHS that ends where it began.

    length: "whole": the move at full strength; "capped": shortened to the product's limit of speed; "gentle": at the
    strength that suits the photo as `pipe` lifts it, and capped. Every path is shortened until it runs into nothing.
    """
    num_families = len(HELD_OUT_FAMILIES)
    family = HELD_OUT_FAMILIES[index % num_families]
    scene = make_scene(FIRST_SEED + index, family)
    scene.vignette = 0.0  # belongs to a lens, not to the place: a clip keeps the one of its photo
    camera = Camera.from_fov(scene.fov_degrees, height, width)
    photo, first_depth = true_view(scene, camera)
    distance = subject_distance(first_depth, first_depth < SKY)
    name, params = PATHS[index // num_families % len(PATHS)]
    if length == "gentle":
        lifted = pipe.lift(photo, height, width, camera)

        def path_of(strength: float) -> Trajectory:
            return closed_path(name, camera, lifted.distance, frames, **params, strength=strength)

        params = {**params, "strength": gentle_strength(lifted, path_of)}
    path = closed_path(name, camera, distance, frames, **params)
    for _ in range(20):
        too_fast = length != "whole" and len(steps_over_cap(path, distance))
        if not too_fast and is_free(scene, (scene.camera @ path.c2w)[:, :3, 3])[1:].all():
            break
        path = shortened(path, 0.9)

    seen = {}  # the way back passes the same cameras
    for pose, view in zip(path.c2w, path, strict=True):
        if pose.tobytes() not in seen:
            seen[pose.tobytes()] = true_view(scene, view)
    pictures, depth = (np.stack(part) for part in zip(*(seen[pose.tobytes()] for pose in path.c2w), strict=True))
    clean = ~outlines(depth[0])
    pairs = [visible_in(depth[t], path[t], depth[0], path[0], clean) for t in range(frames)]
    covered, clear = (np.stack(part) for part in zip(*pairs, strict=True))
    clear &= np.stack([~outlines(z) for z in depth])
    return Room(f"{family}-{FIRST_SEED + index}-{name}", path, pictures, depth, covered, clear)


def true_view(scene, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) uint8 and (H, W) float32 metres: what the photographer would get, the sky at SKY.

    The picture is a reduction of one twice as large, since a real one does not alias, and is cut out of a wider one,
    since the renderer's ambient occlusion looks at the surroundings of a pixel and changes at the rim.
    """
    height, width = camera.height, camera.width
    rim = 2 * (width // 20)
    K = camera.K.copy()
    K[:2, 2] += rim
    wide = Camera(K, camera.c2w, height + 2 * rim, width + 2 * rim)
    rgb, _, _ = render(scene, wide.resized(2 * wide.height, 2 * wide.width))
    rgb = F.avg_pool2d(rgb[None], 2)[0, :, rim : rim + height, rim : rim + width]
    _, depth, sky = render(scene, camera)
    picture = (rgb.permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8)
    return picture, np.where(sky, SKY, depth).astype(np.float32)


def closed_path(name: str, camera: Camera, distance: float, frames: int, **params) -> Trajectory:
    """A move that ends where it began: as it is if it does, else out in half of the frames and the same way back."""
    if MOVES[name].closed:
        return move(name, camera, distance, frames - 1, **params).with_return()
    out = move(name, camera, distance, frames=65, **params)
    turn = np.linspace(0, len(out) - 1, frames // 2 + 1).round().astype(int)
    order = np.concatenate([turn, turn[-2::-1]])
    return Trajectory(out.c2w[order], out.K[order], camera.height, camera.width)


def visible_in(
    depth: np.ndarray, camera: Camera, other_depth: np.ndarray, other: Camera, clean: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of `camera` whose surface `other` sees too, by exact depth of both: (H, W) bool; and where all four pixels
    of `other` around the place are `clean` (H, W).

    The depth of the other picture must agree at one of those four: at an outline and on a steep floor a single one
    would refuse what is visible.
    """
    pixels, z = project(unproject(pixel_centers(*depth.shape), depth, camera), other)
    x, y = np.nan_to_num(pixels[..., 0], nan=-1), np.nan_to_num(pixels[..., 1], nan=-1)
    inside = (x >= 0) & (x < other.width) & (y >= 0) & (y < other.height)
    found, clear = np.zeros_like(inside), inside.copy()
    for row in (np.floor(y - 0.5), np.floor(y + 0.5)):
        for column in (np.floor(x - 0.5), np.floor(x + 0.5)):
            at = row.clip(0, other.height - 1).astype(int), column.clip(0, other.width - 1).astype(int)
            there = other_depth[at]
            found |= (np.abs(there - z) < SAME_DEPTH * there) | ((there >= SKY) & (depth >= SKY))
            clear &= clean[at]
    return inside & found, found & clear


def outlines(depth: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels within one of a bend or step of depth, where a pixel may mix two surfaces.

    The inverse depth of a plane is affine in the picture, so a second difference means that a plane ends.
    """
    inverse = 1 / depth
    bend = np.zeros_like(inverse)
    bend[:, 1:-1] = np.abs(inverse[:, 2:] + inverse[:, :-2] - 2 * inverse[:, 1:-1])
    down = np.abs(inverse[2:] + inverse[:-2] - 2 * inverse[1:-1])
    bend[1:-1] = np.maximum(bend[1:-1], down)
    edge = torch.from_numpy(bend > OUTLINE * inverse)[None, None].float()
    return F.max_pool2d(edge, 3, 1, 1)[0, 0].numpy() > 0

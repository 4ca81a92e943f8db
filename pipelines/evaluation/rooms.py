"""Held-out rooms: clips through generated scenes, against their exact renderings.

Nothing here was trained on: neither the seeds nor the families of the scenes. Every path goes out in the first half
and comes back the same way, so the last camera is the photo's and the last true frame is the photo itself.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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
from pipelines.engines.autoencoder import CoarseAutoencoder, FineAutoencoder
from pipelines.engines.embedded import EmbeddedEngine
from pipelines.evaluation.suites import BASELINES, say, target
from pipelines.inpainting.smooth import smooth_fill
from pipelines.memory import LatentMemory
from pipelines.memory.views import View
from pipelines.metrics import Sharpness
from pipelines.photo.lifted import subject_distance
from pipelines.weights.shipped import EMBEDDED_FOLDER

FIRST_SEED = 900_000_000  # far from every seed that a trainer uses
SIZE = (144, 256)
SKY = 1000.0  # metres: so far that the sky moves only when the camera turns
AWAY = 16  # frames from the start that count as near enough for the covered figure
LAST = 4  # frames at the end that count as the closed loop
SAME_DEPTH = 0.02  # a point of frame t is visible in frame 0 if the depths agree within this share
OUTLINE = 0.05  # second difference of inverse depth, as a share of it, that ends a surface
COARSE = 8  # pixels per coarse latent
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


class Pool:
    """Squared errors of many pictures, told as one figure."""

    def __init__(self):
        self.total, self.count = 0.0, 0

    def add(self, picture: np.ndarray, truth: np.ndarray, mask: np.ndarray | None = None) -> None:
        error = (picture.astype(np.float32) - truth.astype(np.float32)) ** 2
        error = error if mask is None else error[mask]
        self.total, self.count = self.total + float(error.sum(dtype=np.float64)), self.count + error.size

    @property
    def psnr(self) -> float:
        """dB over everything added; 99.0 without any error, NaN without any pixel."""
        if not self.count:
            return math.nan
        return min(99.0, 10 * math.log10(255**2 * self.count / self.total)) if self.total else 99.0


def evaluate(pipe, args) -> dict:
    """The rooms suite: figures per method, and the gaps between methods beside their targets."""
    baselines = [name for name in BASELINES if name in (args.baseline or BASELINES)]
    coarse = coarse_autoencoder(args.model) if "append" in baselines else None
    if "append" in baselines and coarse is None:
        say("append is left out: this model has no coarse_autoencoder folder yet.")
        baselines.remove("append")
    height, width = args.size or SIZE
    scores, per_scene = defaultdict(Score), []
    for index in range(args.scenes):
        room = make_room(index, args.frames, height, width, args.length, pipe)
        for name, frames in clips(pipe, room, baselines, coarse, args.seed, args.depth_error or ()):
            scores[name].add(frames, room, pipe.engine.facts.frames_per_chunk)
            alone = Score()
            alone.add(frames, room, pipe.engine.facts.frames_per_chunk)
            per_scene.append({"scene": room.name, "method": name, **alone.figures()})
        say(f"scene {index + 1} of {args.scenes}, {room.name}: " + short(per_scene, room.name))
    methods = {name: score.figures() for name, score in scores.items()}
    # what is not covered it looks up behind something
    methods["exact"] = {name: methods["exact"][name] for name in ("covered", "clear")}
    return {
        "scenes": args.scenes,
        "frames": args.frames,
        "size": [height, width],
        "length": args.length,
        "methods": methods,
        "targets": targets(methods),
        "details": per_scene,
    }


def short(per_scene: list[dict], scene: str) -> str:
    return ", ".join(f"{row['method']} {row['covered']}" for row in per_scene if row["scene"] == scene) + " dB covered"


def targets(methods: dict[str, dict]) -> dict[str, dict]:
    """What the figures must reach; gaps only to the baselines that were run."""
    ours = methods["ours"]
    found = {
        "covered": target(ours["covered"], at_least=34),
        "clear below exact": target(methods["exact"]["clear"] - ours["clear"], at_most=1),
        "covered, estimated depth": target(methods["estimated depth"]["covered"], at_least=31.5),
        "loop": target(ours["loop"], at_least=38),
        "end": target(ours["end"], at_least=42),
        "hole sharpness": target(ours["hole_sharpness"], at_least=0.8, at_most=1.2),
        "join": target(ours["join"], at_most=1),
    }
    if "none" in methods:
        found["loop over none"] = target(ours["loop"] - methods["none"]["loop"], at_least=12)
    if "append" in methods:
        found["covered over append"] = target(ours["covered"] - methods["append"]["covered"], at_least=10)
    if "rgb" in methods:
        found["rgb over covered"] = target(methods["rgb"]["covered"] - ours["covered"], at_most=1)
    if "smooth" in methods:
        found["holes over smooth"] = target(ours["holes"] - methods["smooth"]["holes"], at_least=1.5)
    return found


class Score:
    """Figures of one method, pooled over pixels: see docs/evaluation.md for what each means."""

    def __init__(self):
        self.covered, self.clear, self.holes, self.loop, self.end = Pool(), Pool(), Pool(), Pool(), Pool()
        self.sharpness = Sharpness()
        self.joins, self.inside = [], []

    def add(self, frames: np.ndarray, room: Room, frames_per_chunk: int) -> None:
        out = slice(1, min(AWAY, len(frames) // 2) + 1)
        self.covered.add(frames[out], room.frames[out], room.covered[out])
        self.clear.add(frames[out], room.frames[out], room.clear[out])
        self.holes.add(frames[out], room.frames[out], ~room.covered[out])
        self.loop.add(frames[-LAST:], room.frames[-LAST:])
        self.end.add(frames[-1], room.frames[-1])
        for frame, truth, covered in zip(frames[out], room.frames[out], room.covered[out], strict=True):
            self.sharpness.add(frame, truth, ~covered)
        # The colour step of a frame is that of its mean error: what the true clip changes by itself does not count.
        error = (frames.astype(np.float32) - room.frames).mean(axis=(1, 2))
        steps = np.abs(np.diff(error, axis=0)).max(axis=1)
        at_join = np.arange(1, len(frames)) % frames_per_chunk == 0
        self.joins += steps[at_join].tolist()
        self.inside += steps[~at_join].tolist()

    def figures(self) -> dict[str, float | None]:
        join = np.mean(self.joins) - np.mean(self.inside) if self.joins else 0.0
        figures = {
            "covered": self.covered.psnr,
            "clear": self.clear.psnr,
            "holes": self.holes.psnr,
            "hole_sharpness": self.sharpness.value,
            "loop": self.loop.psnr,
            "end": self.end.psnr,
            "join": join,
        }
        return {name: None if math.isnan(value) else round(float(value), 3) for name, value in figures.items()}


# ---- the methods ------------------------------------------------------------------------------------------------


@torch.no_grad()
def clips(
    pipe, room: Room, baselines: list[str], coarse: CoarseAutoencoder | None, seed: int, errors: Iterable[float] = ()
):
    """Yields (method, frames (T, H, W, 3) uint8), one clip at a time. errors: see `wrong_depth`."""
    path, photo, depth = room.trajectory, room.frames[0], room.depth[0]
    lifted = pipe.lift(photo, path.height, path.width, path[0], depth)
    result = pipe(lifted, path, seed=seed)
    yield "ours", result.frames
    estimate, known = pipe.engine.depth(photo, path[0].K)
    near = known & (depth < SKY)
    scale = np.median(depth[near]) / np.median(estimate[near])  # one picture cannot know its scale
    yield "estimated depth", pipe(photo, path, seed=seed, depth=np.where(known, estimate * scale, 0)).frames
    for error in errors:
        yield f"depth off by {error:g}", pipe(photo, path, seed=seed, depth=wrong_depth(depth, error, seed)).frames
    yield "exact", np.stack([true_lookup(room, t) for t in range(len(path))])
    if "smooth" in baselines:
        yield "smooth", seen_along(pipe.engine, lifted.memory, path)
    if "rgb" in baselines:
        yield "rgb", seen_along(PhotoPixels(pipe.engine, photo), result.memory, path)
    if "none" in baselines:
        yield "none", without_memory(pipe, room, seed)
    if "append" in baselines:
        yield "append", append_only(pipe.autoencoder, coarse, room, pipe.engine.facts.frames_per_chunk)


def wrong_depth(depth: np.ndarray, error: float, seed: int) -> np.ndarray:
    """depth (H, W) times a smooth random field, so that its mean relative error is `error`; the sky stays."""
    noise = torch.randn(1, 1, 4, 6, generator=torch.Generator().manual_seed(seed))
    noise = F.interpolate(noise, depth.shape, mode="bicubic", align_corners=True)[0, 0].numpy()
    near = depth < SKY
    noise -= np.median(noise[near])  # its scale is right, as that of an estimate is set to be
    return np.where(near, depth * np.exp(noise * error / np.abs(noise[near]).mean()), depth).astype(np.float32)


def seen_along(engine, memory: LatentMemory, cameras: Iterable[Camera]) -> np.ndarray:
    """(T, H, W, 3) uint8: a memory read and decoded at cameras of one size, nothing generated."""
    return np.concatenate([engine.decode(memory.readout(view, view.height, view.width), None) for view in cameras])


def true_lookup(room: Room, t: int) -> np.ndarray:
    """(H, W, 3) uint8: frame t from the photo's pixels at exactly the right places, by true depth.

    Where the room is `clear` no reader can do much better: what is missing is not in the photo, such as finer detail
    and highlights. At an outline it copies pixels that mix two surfaces. Means nothing where it is not `covered`.
    """
    return looked_up(room.frames[0], room.depth[t], room.trajectory[t], room.trajectory[0])


def looked_up(photo: np.ndarray, depth: np.ndarray, view: Camera, camera: Camera) -> np.ndarray:
    """(H, W, 3) uint8: what `view` sees at z-depth (H, W), looked up in the photo (H, W, 3) uint8 of `camera`."""
    height, width = depth.shape
    pixels, _ = project(unproject(pixel_centers(height, width), depth, view), camera)
    grid = torch.from_numpy(np.nan_to_num(pixels) / [camera.width, camera.height] * 2 - 1).float()[None]
    pixels = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
    found = F.grid_sample(pixels, grid, "bicubic", "border", align_corners=False)[0]
    return found.clamp(0, 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


class PhotoPixels(EmbeddedEngine):
    """Reads the photo's own pixels where the embedded engine reads decoded tokens; the reader is the same."""

    def __init__(self, engine: EmbeddedEngine, photo: np.ndarray):
        super().__init__(engine.autoencoder, engine.depth_estimator)
        self.photo = torch.from_numpy(photo).permute(2, 0, 1).float() / 255

    def _picture(self, readout, index):
        return self.photo if index == 0 else super()._picture(readout, index)


def without_memory(pipe, room: Room, seed: int) -> np.ndarray:
    """Every chunk knows the last rendered frame only, with the depth that is read back for it."""
    path, step = room.trajectory, pipe.engine.facts.frames_per_chunk
    frames, last, depth = [], room.frames[0], room.depth[0]
    for start in range(0, len(path) - 1, step):
        part = path[start : start + step + 1]  # begins with the frame that the chunk before ended with
        result = pipe(last, part, seed=seed, depth=depth)
        frames += list(result.frames[1 if frames else 0 :])
        last = frames[-1]
        depth = result.memory.readout(part[len(part) - 1], path.height, path.width).depth[0].numpy()
    return np.stack(frames)


class AppendMemory(LatentMemory):
    """Reference style: whatever is appended stays, beside what was there before; the nearest sample is read."""

    best_view = False

    def append(self, latents: torch.Tensor, depth: torch.Tensor, camera: Camera) -> None:
        """latents (C, h, w), depth (h, w), all of it known."""
        rows = len(self.features) + torch.arange(depth.numel(), dtype=torch.int32)
        confidence = torch.ones_like(depth, dtype=torch.uint8)
        view = View(camera.resized(*depth.shape), depth, rows.reshape(depth.shape), confidence)
        self._keep(torch.cat([self.features, latents.flatten(1).T.to(self.dtype)]), [*self.views, view])


def append_only(fine: FineAutoencoder, coarse: CoarseAutoencoder, room: Room, step: int) -> np.ndarray:
    """Coarse latents, nearest token, holes smooth; the last frame of every chunk is encoded and written again."""
    path = room.trajectory
    grid = path.height // COARSE, path.width // COARSE
    memory = AppendMemory(coarse.config.latent_channels)
    reference = float(np.median(room.depth[0]))

    def write(frame: np.ndarray, depth: torch.Tensor, camera: Camera) -> None:
        tokens = fine.encode(torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255)
        at_tokens = F.interpolate(depth[None, None], tokens.shape[-2:], mode="nearest-exact")
        latents = coarse.encode(tokens, (at_tokens.clamp(min=1e-3) / reference).log())[0]
        memory.append(latents, F.interpolate(depth[None, None], grid, mode="nearest-exact")[0, 0], camera)

    def decode(latents: torch.Tensor) -> np.ndarray:
        picture = fine.decode(coarse.decode(latents[None])[0])[0]
        return (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()

    write(room.frames[0], torch.from_numpy(room.depth[0]), path[0])
    frames = []
    for index, camera in enumerate(path):
        seen = memory.readout(camera, *grid)
        frames.append(decode(smooth_fill(seen.latents[0], seen.mask[0])))
        if index and index % step == step - 1:
            write(frames[-1], smooth_fill(seen.depth, seen.mask[0])[0], camera)
    return np.stack(frames)


def coarse_autoencoder(model: str) -> CoarseAutoencoder | None:
    folder = (EMBEDDED_FOLDER if model == "embedded" else Path(model)) / "coarse_autoencoder"
    return CoarseAutoencoder.from_pretrained(folder, torch_dtype=torch.float32).eval() if folder.is_dir() else None


# ---- the rooms --------------------------------------------------------------------------------------------------


def make_room(index: int, frames: int, height: int, width: int, length: str = "capped", pipe=None) -> Room:
    """Room `index`: held-out family, held-out seed, a move of PATHS that ends where it began.

    length: "whole" moves, "capped" at the product's limit of speed, or "gentle": as strong as `pipe` finds right for
    the photo as a whole. Then shortened until it runs into nothing.
    """
    from pipelines.synthetic.scenes import HELD_OUT_FAMILIES, is_free, make_scene

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
        strength = pipe.gentle_strength(
            lifted, lambda part: closed_path(name, camera, lifted.distance, frames, **params, strength=part)
        )
        params = {**params, "strength": strength}
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
    from pipelines.synthetic.scenes import render

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
        return move(name, camera, distance, frames, **params)
    out = move(name, camera, distance, **params)
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
            place = row.clip(0, other.height - 1).astype(int), column.clip(0, other.width - 1).astype(int)
            there = other_depth[place]
            found |= (np.abs(there - z) < SAME_DEPTH * there) | ((there >= SKY) & (depth >= SKY))
            clear &= clean[place]
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

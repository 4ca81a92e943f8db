"""RGB-D sequences: a frame of a real camera, lifted with its depth and seen from the true cameras of later frames.

A real camera changes its exposure from frame to frame, which hides all else in some pairs, and blurs what moves; both
are inside these figures but for `gain_exposed`. Poses that the measured depths of two frames contradict are corrected
by depth alone, see `registered`.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from pipelines.cameras import Camera, pixel_centers, project, unproject
from pipelines.cameras.rotations import rotation
from pipelines.evaluation.baselines import chosen
from pipelines.evaluation.baselines.lookup import PhotoPixels, looked_up, seen_along
from pipelines.evaluation.baselines.nearest_token import nearest_tokens
from pipelines.evaluation.reporting import say
from pipelines.evaluation.rgbd_frames import RgbdFrame, rgbd_sequence
from pipelines.memory import LatentMemory
from pipelines.metrics import psnr

GAPS = (1, 2, 5, 10)  # frames between the photo and the view
SAME_DEPTH = 0.05  # measured depths of one surface agree within this share
ENOUGH = 500  # pixels that a figure needs
ROUNDS = 30  # of registration
TUKEY = 4.685  # see alignment.py


def evaluate(pipe, args) -> dict:
    """The rgbd suite: medians over pairs of frames, per gap and over all."""
    folders = sorted(file.parent for file in Path(args.data).rglob("sequence.json"))
    if not folders:
        raise ValueError(f"--data {args.data} holds no sequence.json. Give a folder of RGB-D sequences.")
    baselines = chosen(args.baseline, ("rgb", "append"), pipe.autoencoder is not None)
    pairs = []
    for folder in folders:
        count = len(json.loads((folder / "sequence.json").read_text())["frames"])
        frames = list(rgbd_sequence(folder))
        for gap in (gap for gap in GAPS if gap < count):
            starts = np.unique(np.linspace(0, count - 1 - gap, args.pairs).round().astype(int))
            for start in starts.tolist():
                photo, later = frames[start], registered(frames[start], frames[start + gap])
                scores = evaluate_pair(pipe, photo, later, baselines)
                if scores is not None:
                    corrected = later is not frames[start + gap]
                    pairs.append(
                        {"sequence": folder.name, "start": start, "gap": gap, "corrected": corrected, **scores}
                    )
        say(f"{folder.name}: " + str(medians([pair for pair in pairs if pair["sequence"] == folder.name])))
    return {
        "all": medians(pairs),
        "gaps": {str(gap): medians([pair for pair in pairs if pair["gap"] == gap]) for gap in GAPS},
        "sequences": {f.name: medians([pair for pair in pairs if pair["sequence"] == f.name]) for f in folders},
        "details": pairs,
    }


def medians(pairs: list[dict]) -> dict[str, float]:
    """Median of every figure over pairs, the mean gains, how many pairs, and how many of them with another pose."""
    names = [name for name in (pairs[0] if pairs else {}) if name not in ("sequence", "start", "gap", "corrected")]
    figures = {name: round(float(np.median([pair[name] for pair in pairs])), 2) for name in names}
    for gain in (name for name in names if name in ("gain", "gain_lifted", "gain_exposed", "gain_of_exact")):
        figures[f"{gain}_mean"] = round(float(np.mean([pair[gain] for pair in pairs])), 2)
    return figures | {"pairs": len(pairs), "corrected": sum(pair["corrected"] for pair in pairs)}


@torch.no_grad()
def evaluate_pair(pipe, photo: RgbdFrame, later: RgbdFrame, baselines: Sequence[str]) -> dict[str, float] | None:
    """PSNR in dB over the covered pixels of one view, by what reads the photo; None where too little is covered.

    true: measured depth, written as it is.
    rgb: the same, read from the photo's own pixels.
    lifted: measured depth as the pipeline takes it, outlines grown.
    estimated: the model's depth after scale and shift, lifted.
    exact: the decoded photo looked up pixel by pixel where the later frame's own measured depth says, which no reader
        can know: what is missing there is exposure, blur, noise and errors of pose.
    append: measured depth and the nearest point's token as it is, pinholes filled smoothly.
    gain, in dB over the pixels that the memory backs: how much better `true` is than `append`; gain_of_exact: `exact`;
        gain_on_points: `true`, only where a nearest point falls; gain_exposed: `true`, after both pictures were exposed
        as the later frame is; gain_lifted: `lifted`, over the pixels that its own memory backs.
    covered: share of the later frame, 0..1, that was measured and is visible in the photo.
    """
    step = pipe.engine.facts.size_step
    height, width = (side // step * step for side in photo.depth.shape)
    (image, depth), (truth, later_depth) = (
        (f.image[:height, :width], f.depth[:height, :width]) for f in (photo, later)
    )
    camera, view = Camera(photo.K, photo.c2w, height, width), Camera(later.K, later.c2w, height, width)
    covered = covered_by(depth, camera, later_depth, view)
    if covered.sum() < ENOUGH:
        return None
    memory = written(pipe.engine, image, depth, camera)
    read, decoded = (seen_along(pipe.engine, memory, [there])[0] for there in (view, camera))
    grown = pipe.lift(image, height, width, camera, depth).memory
    lifted, exact = seen_along(pipe.engine, grown, [view])[0], looked_up(decoded, later_depth, view, camera)
    pictures = {"true": read, "exact": exact, "lifted": lifted}
    if "rgb" in baselines:
        pictures["rgb"] = seen_along(PhotoPixels(pipe.engine, image), memory, [view])[0]
    scores = {name: psnr(picture, truth, covered) for name, picture in pictures.items()}
    if "append" in baselines:
        nearest, shown = nearest_tokens(pipe.engine, image, depth, camera, view)
        backed, backed_lifted = (covered & m.readout(view, height, width).mask[0].numpy() for m in (memory, grown))
        scores["append"] = psnr(nearest, truth, backed)
        for gain, reader, where in (
            ("gain", read, backed),
            ("gain_on_points", read, backed & shown),
            ("gain_of_exact", exact, backed),
            ("gain_lifted", lifted, backed_lifted),
        ):
            scores[gain] = psnr(reader, truth, where) - psnr(nearest, truth, where)
        alike = [exposed_as(truth, picture, backed) for picture in (read, nearest)]
        scores["gain_exposed"] = psnr(alike[0], truth, backed) - psnr(alike[1], truth, backed)
    estimate, valid = pipe.engine.depth(image, camera.K)
    aligned = scaled_and_shifted(estimate, np.where(valid, depth, 0))
    lifted = pipe.lift(image, height, width, camera, np.where(valid, aligned, 0))
    scores["estimated"] = psnr(seen_along(pipe.engine, lifted.memory, [view])[0], truth, covered)
    scores["covered"] = float(covered.mean())
    return scores if all(math.isfinite(score) for score in scores.values()) else None


def written(engine, image: np.ndarray, depth: np.ndarray, camera: Camera) -> LatentMemory:
    """A memory of one view: image (H, W, 3) uint8 and its depth (H, W), nothing about it improved."""
    facts = engine.facts
    memory = LatentMemory(facts.channels, facts.interpolates, codec=facts.codec)
    memory.write(engine.encode(torch.from_numpy(image).permute(2, 0, 1).float() / 255), depth, camera)
    return memory


def exposed_as(truth: np.ndarray, picture: np.ndarray, where: np.ndarray) -> np.ndarray:
    """picture (H, W, 3) uint8 with a gain and an offset of each channel that fit it to truth in `where` (H, W) bool."""
    fitted = np.empty_like(picture)
    for channel in range(3):
        line = np.polyfit(picture[where, channel].astype(np.float64), truth[where, channel].astype(np.float64), 1)
        fitted[..., channel] = np.polyval(line, picture[..., channel].astype(np.float64)).clip(0, 255).round()
    return fitted


def registered(photo: RgbdFrame, later: RgbdFrame) -> RgbdFrame:
    """`later`, with its pose corrected if the measured depths then agree at least twice as well; else as it is.

    Points of `later` are brought onto the surface of `photo` along its normals (Chen and Medioni, IVC 1992), with
    Tukey's weights. Colours are not looked at, so no picture gets closer to another than the depths demand.
    """
    height, width = photo.depth.shape
    eye = Camera(photo.K, np.eye(4), height, width)
    surface = unproject(pixel_centers(height, width), np.where(photo.depth > 0, photo.depth, np.nan), eye)
    normals = normals_of(surface)
    measured = later.depth > 0
    points = unproject(pixel_centers(*later.depth.shape), np.where(measured, later.depth, 1), eye)[measured]
    points = points[:: max(1, len(points) // 50_000)]
    pose = np.linalg.inv(photo.c2w) @ later.c2w
    errors = []
    for _ in range(ROUNDS):
        moved = points @ pose[:3, :3].T + pose[:3, 3]
        pixels, z = project(moved, eye)
        column, row = np.nan_to_num(pixels, nan=-1).clip(-1, max(height, width)).astype(int).T
        inside = (z > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
        there, normal, moved = surface[row[inside], column[inside]], normals[row[inside], column[inside]], moved[inside]
        same = np.abs(there[:, 2] / moved[:, 2] - 1) < SAME_DEPTH  # false where one is not known
        same &= np.isfinite(normal[:, 0])
        if same.sum() < ENOUGH:
            return later
        there, normal, moved = there[same], normal[same], moved[same]
        error = ((there - moved) * normal).sum(1) / there[:, 2]
        errors.append(np.median(np.abs(error)))
        weight = np.clip(1 - (error / (TUKEY * 1.4826 * errors[-1] + 1e-9)) ** 2, 0, None) ** 2
        slopes = np.concatenate([np.cross(moved, normal), normal], axis=1) / there[:, 2:]
        x = np.linalg.lstsq(np.sqrt(weight)[:, None] * slopes, np.sqrt(weight) * error, rcond=1e-4)[0]
        motion, turn = np.eye(4), np.array([1, *x[:3] / 2])
        motion[:3, :3], motion[:3, 3] = rotation(turn / np.linalg.norm(turn)), x[3:]
        pose = motion @ pose
    return replace(later, c2w=photo.c2w @ pose) if 2 * errors[-1] < errors[0] else later


def normals_of(surface: np.ndarray) -> np.ndarray:
    """(H, W, 3) unit normals of a grid of points (H, W, 3); NaN at its border, beside NaN and at outlines."""
    normals = np.full_like(surface, np.nan)
    across, down = surface[1:-1, 2:] - surface[1:-1, :-2], surface[2:, 1:-1] - surface[:-2, 1:-1]
    normal = np.cross(across, down)
    step = np.maximum(np.abs(across[..., 2]), np.abs(down[..., 2]))
    smooth = step < SAME_DEPTH * surface[1:-1, 1:-1, 2]
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    normals[1:-1, 1:-1] = np.where(smooth[..., None], normal, np.nan)
    return normals


def covered_by(depth: np.ndarray, camera: Camera, later_depth: np.ndarray, view: Camera) -> np.ndarray:
    """(H, W) bool: pixels of `view` whose measured surface was measured in `camera` too; 0 is no measurement."""
    known = later_depth > 0
    points = unproject(pixel_centers(*later_depth.shape), np.where(known, later_depth, 1), view)
    pixels, z = project(points, camera)
    column, row = (np.nan_to_num(pixels[..., axis], nan=-1) for axis in (0, 1))
    inside = known & (z > 0) & (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    there = depth[row.clip(0, camera.height - 1).astype(int), column.clip(0, camera.width - 1).astype(int)]
    return inside & (there > 0) & (np.abs(there - z) < SAME_DEPTH * there)


def scaled_and_shifted(estimate: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """estimate (H, W), its inverse scaled and shifted to fit measured (H, W; 0 = unknown) in least squares.

    Kept within the measured range, beyond which a shift would turn depth over.
    """
    known = measured > 0
    inverse = 1 / estimate.astype(np.float64)
    columns = np.stack([inverse[known], np.ones(known.sum())], axis=1)
    (scale, shift), *_ = np.linalg.lstsq(columns, 1 / measured[known].astype(np.float64), rcond=None)
    nearest, farthest = measured[known].min(), measured[known].max()
    return (1 / np.clip(scale * inverse + shift, 1 / farthest, 1 / nearest)).astype(np.float32)

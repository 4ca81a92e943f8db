"""RGB-D sequences: a frame of a real camera, lifted with its depth and seen from the true cameras of later frames.

A real camera changes its exposure from frame to frame and blurs what moves; both are inside these figures.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from pipelines.cameras import Camera, pixel_centers, project, unproject
from pipelines.engines.baselines import smooth_fill
from pipelines.evaluation.depth import RgbdFrame, rgbd_sequence
from pipelines.evaluation.fidelity import psnr
from pipelines.evaluation.rooms import AppendMemory, PhotoPixels, looked_up, seen_along
from pipelines.evaluation.suites import say

GAPS = (1, 2, 5, 10)  # frames between the photo and the view
SAME_DEPTH = 0.05  # measured depths of one surface agree within this share
ENOUGH = 500  # pixels that a figure needs


def evaluate(pipe, args) -> dict:
    """The rgbd suite: medians over pairs of frames, per gap and over all."""
    folders = sorted(file.parent for file in Path(args.data).rglob("sequence.json"))
    if not folders:
        raise ValueError(f"--data {args.data} holds no sequence.json. Give a folder of RGB-D sequences.")
    baselines = args.baseline or ["rgb", "append"]
    pairs = []
    for folder in folders:
        count = len(json.loads((folder / "sequence.json").read_text())["frames"])
        frames = list(rgbd_sequence(folder))
        for gap in (gap for gap in GAPS if gap < count):
            starts = np.unique(np.linspace(0, count - 1 - gap, args.pairs).round().astype(int))
            for start in starts.tolist():
                scores = evaluate_pair(pipe, frames[start], frames[start + gap], baselines)
                if scores is not None:
                    pairs.append({"sequence": folder.name, "start": start, "gap": gap, **scores})
        say(f"{folder.name}: " + str(medians([pair for pair in pairs if pair["sequence"] == folder.name])))
    return {
        "all": medians(pairs),
        "gaps": {str(gap): medians([pair for pair in pairs if pair["gap"] == gap]) for gap in GAPS},
        "sequences": {f.name: medians([pair for pair in pairs if pair["sequence"] == f.name]) for f in folders},
        "details": pairs,
    }


def medians(pairs: list[dict]) -> dict[str, float]:
    """Median of every figure over pairs, the mean gains, and how many there were."""
    names = [name for name in (pairs[0] if pairs else {}) if name not in ("sequence", "start", "gap")]
    figures = {name: round(float(np.median([pair[name] for pair in pairs])), 2) for name in names}
    for gain in (name for name in ("gain", "gain_of_exact") if name in names):
        figures[f"{gain}_mean"] = round(float(np.mean([pair[gain] for pair in pairs])), 2)
    return figures | {"pairs": len(pairs)}


@torch.no_grad()
def evaluate_pair(pipe, photo: RgbdFrame, later: RgbdFrame, baselines: Sequence[str]) -> dict[str, float] | None:
    """Covered PSNR in dB of one view, by what is known about the photo's depth; None where too little is covered.

    true: measured depth. rgb: the same, read from the photo's own pixels. estimated: the model's depth after scale and
    shift. exact: the decoded photo looked up pixel by pixel where the later frame's own measured depth says, which no
    reader can know: what is missing there is exposure, blur, noise and errors of pose. append: measured depth and the
    nearest point's token as it is, pinholes filled smoothly. gain: by how much `true` is better than that over the
    cells that the memory backs; gain_on_points: where a nearest point falls, too; gain_of_exact: what `exact` would
    gain there. covered: share of the later frame that was measured and is visible in the photo.
    """
    height, width = (side // 2 * 2 for side in photo.depth.shape)
    (image, depth), (truth, later_depth) = (
        (f.image[:height, :width], f.depth[:height, :width]) for f in (photo, later)
    )
    camera, view = Camera(photo.K, photo.c2w, height, width), Camera(later.K, later.c2w, height, width)
    covered = covered_by(depth, camera, later_depth, view)
    if covered.sum() < ENOUGH:
        return None
    lifted = pipe.lift(image, height, width, camera, depth)
    read = seen_along(pipe.engine, lifted.memory, [view])[0]
    decoded = seen_along(pipe.engine, lifted.memory, [camera])[0]
    exact = looked_up(decoded, later_depth, view, camera)
    scores = {"true": psnr(read, truth, covered), "exact": psnr(exact, truth, covered)}
    if "rgb" in baselines:
        scores["rgb"] = psnr(seen_along(PhotoPixels(pipe.engine, image), lifted.memory, [view])[0], truth, covered)
    if "append" in baselines:
        nearest, shown = nearest_tokens(pipe.engine, image, depth, camera, view)
        backed = covered & lifted.memory.readout(view, height, width).mask[0].numpy()
        scores["append"] = psnr(nearest, truth, backed)
        scores["gain"], scores["gain_on_points"], scores["gain_of_exact"] = (
            psnr(reader, truth, where) - psnr(nearest, truth, where)
            for reader, where in ((read, backed), (read, backed & shown), (exact, backed))
        )
    estimate, valid = pipe.engine.depth(image, camera.K)
    aligned = scaled_and_shifted(estimate, np.where(valid, depth, 0))
    lifted = pipe.lift(image, height, width, camera, np.where(valid, aligned, 0))
    scores["estimated"] = psnr(seen_along(pipe.engine, lifted.memory, [view])[0], truth, covered)
    scores["covered"] = float(covered.mean())
    return scores if all(math.isfinite(score) for score in scores.values()) else None


def nearest_tokens(engine, image: np.ndarray, depth: np.ndarray, camera: Camera, view: Camera):
    """As the published method reads: each token a point, the nearest one of each cell as it is, then decoded.

    Returns (H, W, 3) uint8 and where a token was found, (H, W) bool.
    """
    height, width = depth.shape
    tokens = engine.encode(torch.from_numpy(image).permute(2, 0, 1).float() / 255)
    grid = tokens.shape[1:]
    at_tokens = F.interpolate(torch.from_numpy(depth)[None, None], grid, mode="nearest-exact")[0, 0]
    memory = AppendMemory(len(tokens))
    memory.append(tokens, at_tokens, camera)
    seen = memory.readout(view, *grid)
    picture = engine.autoencoder.decode(smooth_fill(seen.latents[0], seen.mask[0])[None])[0]
    shown = seen.mask[0].repeat_interleave(height // grid[0], 0).repeat_interleave(width // grid[1], 1)
    return (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy(), shown.numpy()


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

"""How good is the depth: numbers on rooms and RGB-D sequences, pictures of photographs.

    python -m pipelines.evaluation.depth --rgbd DIR --rooms 24 --photos DIR --sheet sheet.png

prints one JSON line. --model takes any estimator of docs/depth.md.

Rooms are generated scenes of families that no training run sees; their depth is exact and the estimate is scaled by one
number, the ratio of medians. An RGB-D sequence has real or ray-traced depth; the estimate is fitted with a scale and a
shift of inverse depth, one pair for each frame, by least squares over the measured pixels.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pipelines.depth import DepthEstimator
from pipelines.evaluation.depth_sheet import photo_sheet
from pipelines.evaluation.rgbd_frames import rgbd_sequence
from pipelines.process import prepare_process


def abs_rel(depth: np.ndarray, truth: np.ndarray) -> float:
    """Mean of |depth - truth| / truth over (n,) pixels."""
    return float(np.mean(np.abs(depth - truth) / truth))


def delta1(depth: np.ndarray, truth: np.ndarray) -> float:
    """Share of (n,) pixels whose depth is within a factor of 1.25 of the truth."""
    return float(np.mean(np.maximum(depth / truth, truth / depth) < 1.25))


def align_median(depth: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """depth (n,) times the one number that gives it the median of truth (n,)."""
    return depth * (np.median(truth) / np.median(depth))


def align_inverse(depth: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Scale and shift of inverse depth that fit truth (n,) best in least squares; clamped to the range of truth."""
    inverse = 1 / depth
    columns = np.stack([inverse, np.ones_like(inverse)], 1)
    (scale, shift), *_ = np.linalg.lstsq(columns, 1 / truth, rcond=None)
    return 1 / np.clip(scale * inverse + shift, 1 / truth.max(), 1 / truth.min())


def score(
    depth: np.ndarray, truth: np.ndarray, align: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> dict[str, float]:
    """depth, truth (H, W), truth 0 = unknown -> abs_rel, delta1, and the rank correlation, which needs no alignment.

    align: `align_median` or `align_inverse`.
    """
    known = truth > 0
    estimate, truth = depth[known].astype(np.float64), truth[known].astype(np.float64)
    aligned = align(estimate, truth)
    ranks = [np.argsort(np.argsort(v[:: max(1, len(v) // 20000)])) for v in (estimate, truth)]
    return {
        "abs_rel": abs_rel(aligned, truth),
        "delta1": delta1(aligned, truth),
        "rank": float(np.corrcoef(*ranks)[0, 1]),
    }


def mean_scores(scores: list[dict[str, float]]) -> dict[str, float]:
    """Mean of every figure over frames, and how many frames."""
    return {name: round(float(np.mean([s[name] for s in scores])), 4) for name in scores[0]} | {"frames": len(scores)}


def evaluate_rgbd(estimator: DepthEstimator, folder: Path, frames: int = 8) -> dict[str, dict]:
    """Scores of each sequence below `folder` (about `frames` frames of each), and their mean as "all"."""
    results = {}
    for sequence in sorted(p.parent for p in Path(folder).rglob("sequence.json")):
        count = len(json.loads((sequence / "sequence.json").read_text())["frames"])
        scores = [
            score(estimator(f.image, f.K)[0], f.depth, align_inverse)
            for f in rgbd_sequence(sequence, max(1, count // frames))
        ]
        results[sequence.name] = mean_scores(scores)
    if not results:
        raise FileNotFoundError(f"no sequence.json below {folder}")
    results["all"] = {
        k: round(float(np.mean([r[k] for r in results.values()])), 4) for k in ("abs_rel", "delta1", "rank")
    }
    return results


def evaluate_ideal(folder: Path, frames: int = 8) -> dict[str, float]:
    """abs_rel that relative depth can reach at best: that of the truth, its scale and shift removed.

    ideal: after `to_inverse_depth` has found both again; reference: of the reference depth alone; without_shift: of the
    truth without its shift, as it is. One scale for each frame; means over the frames of all sequences below `folder`.
    What Depth Anything adds to `ideal` is its own error.
    """
    import torch

    from pipelines.depth import EmbeddedDepth
    from pipelines.depth.depth_anything import REFERENCE_SIDE, resized, resized_photo, to_inverse_depth

    reference, errors = EmbeddedDepth.from_pretrained().with_sky, {"ideal": [], "reference": [], "without_shift": []}
    for sequence in sorted(p.parent for p in Path(folder).rglob("sequence.json")):
        count = len(json.loads((sequence / "sequence.json").read_text())["frames"])
        for frame in rgbd_sequence(sequence, max(1, count // frames)):
            known = frame.depth > 0
            inverse = np.where(known, 1 / np.maximum(frame.depth, 1e-3), 0)
            least, most = inverse[known].min(), inverse[known].max()
            relative = torch.from_numpy(np.where(known, (inverse - 0.9 * least) / (most - least), 0)).float()
            depth, sky = (torch.from_numpy(part) for part in reference(resized_photo(frame.image, REFERENCE_SIDE)))
            found = {
                "ideal": to_inverse_depth(relative, depth, sky).reciprocal(),
                "reference": resized(depth, relative.shape),
                "without_shift": (relative + 1e-3).reciprocal(),
            }
            for name, estimate in found.items():
                estimate, truth = estimate.numpy()[known], frame.depth[known]
                errors[name].append(abs_rel(align_median(estimate, truth), truth))
    return {name: round(float(np.mean(values)), 4) for name, values in errors.items()} | {
        "frames": len(errors["ideal"])
    }


def evaluate_rooms(
    estimator: DepthEstimator, count: int, assets: Path | None = None, seed: int = 910_000
) -> dict[str, float | dict]:
    """Scores on `count` generated views of the held-out families, in turn; sky is left out.

    seed: of the first scene. Training shards start at 0, so these seeds and families are never trained on.
    """
    from pipelines.synthetic.scenes import HELD_OUT_FAMILIES, render_views

    scores: dict[str, list] = {family: [] for family in HELD_OUT_FAMILIES}
    for i in range(count):
        family = HELD_OUT_FAMILIES[i % len(HELD_OUT_FAMILIES)]
        view = render_views(seed + i, views=1, assets=assets, family=family)
        image = np.ascontiguousarray(view["rgb"][0].transpose(1, 2, 0))
        depth, _ = estimator(image, view["K"][0])
        scores[family].append(score(depth, view["depth"][0].astype(np.float32), align_median))
    by_family = {family: mean_scores(found) for family, found in scores.items() if found}
    return mean_scores([s for found in scores.values() for s in found]) | {"families": by_family}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", default="embedded", help="name of an estimator, a folder or repository; docs/depth.md"
    )
    parser.add_argument("--rgbd", type=Path, help="folder of RGB-D sequences")
    parser.add_argument("--ideal", action="store_true", help="what a perfect relative network would reach on --rgbd")
    parser.add_argument("--frames", type=int, default=8, help="frames of each sequence")
    parser.add_argument("--rooms", type=int, default=0, help="how many held-out generated views")
    parser.add_argument("--assets", type=Path, help="folder with textures/ and pictures/ for the generated views")
    parser.add_argument("--photos", type=Path, help="folder of photos for the sheet")
    parser.add_argument("--sheet", type=Path, help="where the sheet goes")
    parser.add_argument("--maps-only", action="store_true", help="a sheet of depth maps without the photos")
    parser.add_argument("--planes", type=int, default=8, help="embedded: 0 switches straightening off")
    parser.add_argument("--pixels", type=int, default=160 * 224, help="embedded: size of the network's input")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    prepare_process()

    import torch

    from pipelines.depth import EmbeddedDepth, depth_estimator

    torch.set_num_threads(args.threads)
    try:
        estimator = depth_estimator(args.model)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    report: dict = {"model": args.model}
    if isinstance(estimator, EmbeddedDepth):
        estimator.planes, estimator.pixels = args.planes, args.pixels
        report |= {"planes": args.planes, "pixels": args.pixels}
    began = time.perf_counter()
    if args.rgbd:
        report["rgbd"] = evaluate_rgbd(estimator, args.rgbd, args.frames)
        if args.ideal:
            report["ideal"] = evaluate_ideal(args.rgbd, args.frames)
    if args.rooms:
        report["rooms"] = evaluate_rooms(estimator, args.rooms, args.assets)
    if args.photos and args.sheet:
        photos = sorted(p for p in args.photos.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
        photo_sheet(estimator, photos, args.sheet, 5 if args.maps_only else 2, args.maps_only)
    report["seconds"] = round(time.perf_counter() - began, 1)
    print(json.dumps(report))


if __name__ == "__main__":
    main()

"""How well a new depth map is brought to the memory's own: python benchmarks/alignment.py [--data RGBD] [--runs 20]

Regime: one thread, 288x512. `recovery`: a synthetic room against itself under every scale and shift of the tables
below, 1 % noise, and a fifth of the pixels wrong in five ways; largest and median relative error of depth after
alignment, against the median ratio (scale alone, as many tools do) and plain least squares (MiDaS). `real`, with
--data, a folder of RGB-D sequences: the shipped estimator's depth of a later frame, aligned to what a memory written
with an earlier frame's measured depth shows there; median relative error against the later frame's measured depth,
where the memory knows and where it does not, over the pairs that are not refused. The last line of stdout is one JSON
object.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipelines.cameras import Camera  # noqa: E402
from pipelines.memory import LatentMemory  # noqa: E402
from pipelines.memory.alignment import AlignmentError, align_depth  # noqa: E402

SCALES, SHIFTS = (0.5, 0.7, 1.0, 1.4, 2.0), (-0.1, -0.05, 0.0, 0.05, 0.15)
OUTLIERS = ("mixed", "near", "a little near", "far", "one object")
GAPS = (1, 5, 10, 20)


def room(height: int = 288, width: int = 512) -> torch.Tensor:
    y = torch.linspace(-1, 1, height)[:, None].abs().clamp(min=1e-3)
    x = torch.linspace(-1.7, 1.7, width)[None].abs().clamp(min=1e-3)
    depth = torch.minimum(1.4 / y, 2.5 / x).clamp(max=6.0)
    depth[height // 2 : height * 3 // 4, width // 3 : width // 2].clamp_(max=2.2)
    return depth


def spoiled(depth: torch.Tensor, how: str, generator: torch.Generator) -> torch.Tensor:
    wrong = torch.rand(depth.shape, generator=generator) < 0.2
    factor = {"near": 0.05, "a little near": 0.7, "far": 30.0}.get(how, 1.0)
    if how == "mixed":
        factor = torch.exp(3 * torch.randn(depth.shape, generator=generator))
    if how == "one object":
        wrong, factor = torch.arange(depth.shape[1]).expand(depth.shape) < depth.shape[1] // 5, 0.6
    return torch.where(wrong, factor * depth, depth)


def median_ratio(depth: torch.Tensor, reference: torch.Tensor):
    scale = float((reference / depth).median())
    return lambda other: scale * other


def least_squares(depth: torch.Tensor, reference: torch.Tensor):
    x, y = depth.double().reciprocal().flatten(), reference.double().reciprocal().flatten()
    slope, shift = torch.linalg.lstsq(torch.stack([x, torch.ones_like(x)], 1), y[:, None]).solution[:, 0].tolist()
    return lambda other: (slope / other + shift).clamp(min=1e-6).reciprocal()


def recovery() -> dict:
    reference = room()
    methods = {
        "ours": lambda depth, reference: align_depth(depth, reference).apply,
        "median_ratio": median_ratio,
        "least_squares": least_squares,
    }
    errors = {name: [] for name in methods}
    for seed, (scale, shift, how) in enumerate((a, b, c) for a in SCALES for b in SHIFTS for c in OUTLIERS):
        generator = torch.Generator().manual_seed(seed)
        clean = 1 / (scale * (1 / reference - shift))
        noisy = clean * (1 + 0.01 * torch.randn(clean.shape, generator=generator))
        for name, method in methods.items():
            aligned = method(spoiled(noisy, how, generator), reference)(clean)
            errors[name].append(float((aligned / reference - 1).abs().max()))
    return {
        name: {"worst": round(max(values), 4), "median": round(float(np.median(values)), 4)}
        for name, values in errors.items()
    } | {"cases": len(errors["ours"])}


def milliseconds(runs: int) -> dict:
    reference, generator = room(), torch.Generator().manual_seed(0)
    depth = spoiled(1.3 * reference * (1 + 0.01 * torch.randn(reference.shape, generator=generator)), "near", generator)
    align_depth(depth, reference)
    times = []
    for _ in range(runs):
        start = time.process_time()
        align_depth(depth, reference)
        times.append(1000 * (time.process_time() - start))
    return {"median": round(float(np.median(times)), 1), "worst": round(max(times), 1)}


def real(data: Path) -> dict:
    from pipelines.depth import EmbeddedDepth
    from pipelines.evaluation.rgbd_frames import rgbd_sequence

    estimator = EmbeddedDepth.from_pretrained()
    rows, refused = {"shift": [], "scale": []}, {"shift": 0, "scale": 0}
    for folder in sorted(file.parent for file in data.rglob("sequence.json")):
        frames = list(rgbd_sequence(folder))
        for gap in (gap for gap in GAPS if gap < len(frames)):
            for start in np.unique(np.linspace(0, len(frames) - 1 - gap, 4).astype(int)):
                reference, truth, estimate = seen_later(frames[start], frames[start + gap], estimator)
                known, measured = reference > 0, truth > 0
                for name, shift in (("shift", True), ("scale", False)):
                    try:
                        aligned = align_depth(estimate, reference, shift=shift).depth
                    except AlignmentError:
                        refused[name] += 1
                        continue
                    error = (aligned / truth - 1).abs()
                    parts = (known & measured, ~known & measured)
                    rows[name].append([float(error[part].median()) if part.any() else np.nan for part in parts])
    return {
        name: {
            "known": round(float(np.nanmedian(np.array(rows[name])[:, 0])), 4),
            "unknown": round(float(np.nanmedian(np.array(rows[name])[:, 1])), 4),
            "aligned": len(rows[name]),
            "refused": refused[name],
        }
        for name in rows
        if rows[name]
    }


def seen_later(photo, later, estimator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the memory of one frame shows at the other's camera, the other's measured and estimated depth."""
    height, width = (side // 2 for side in photo.depth.shape)
    there, truth = (np.ascontiguousarray(f.depth[::2, ::2][:height, :width]) for f in (photo, later))
    cameras = [Camera(f.K, f.c2w, *f.depth.shape).resized(height, width) for f in (photo, later)]
    memory = LatentMemory(channels=1)
    memory.write(torch.zeros(1, height, width), there, cameras[0])
    estimate, _ = estimator(later.image)
    estimate = np.ascontiguousarray(estimate[::2, ::2][:height, :width])
    return memory.readout(cameras[1], height, width).depth[0], torch.from_numpy(truth), torch.from_numpy(estimate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of RGB-D sequences")
    parser.add_argument("--runs", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(1)
    report = {"recovery": recovery(), "milliseconds": milliseconds(args.runs)}
    if args.data is not None:
        report["real"] = real(args.data)
    print(json.dumps(report))


if __name__ == "__main__":
    main()

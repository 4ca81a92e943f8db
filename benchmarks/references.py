"""What the chosen references show of a chunk, and what choosing costs: python benchmarks/references.py [--scene DIR]

Regime: one thread, up to 4 references of every camera so far for the 9 cameras of a chunk, in a square room of 14,000
points on three paths; with --scene, a folder that `python -m pipelines render --scene` wrote, also the last chunk of a
look round it. `shown` is the mean quality, 0..1, of the best reference for each cell that the targets see
(pipelines/memory/references.py). Baseline: each candidate alone by the IoU of the points in its frustum with those of
all targets, in cells of 0.1 units as Python sets, as the published code of the method does it; that code keeps what a
frame saw from when it was written, so a part of the seconds falls elsewhere there. `shown` is what ours maximises; the
baseline was not made for it. The last line of stdout is one JSON object.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipelines.cameras import Camera, move, pixel_centers, project, unproject  # noqa: E402
from pipelines.memory import LatentMemory  # noqa: E402
from pipelines.memory.references import STEPS, choose_references, quality  # noqa: E402
from pipelines.memory.scene import Scene  # noqa: E402

COUNT, HALF, GRID = 4, 2.0, (18, 32)


def camera(z: float = 0.0, yaw: float = 0.0) -> Camera:
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    return Camera.from_fov(60, 36, 64, np.array([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, z], [0, 0, 0, 1]]))


def room() -> LatentMemory:
    """The walls x, y, z = +-HALF, seen all round from the middle."""
    memory = LatentMemory(channels=1)
    for view in (camera(yaw=yaw) for yaw in range(0, 360, 40)):
        rays = unproject(pixel_centers(36, 64), np.ones((36, 64)), view)
        memory.write(torch.ones(1, 36, 64), (HALF / np.abs(rays)).min(-1), view)
    return memory


def in_frustum(points: np.ndarray, view: Camera) -> set:
    """Cells of 0.1 units that hold a point inside the picture, whether something hides it or not."""
    pixels, _ = project(points, view)
    inside = ((pixels >= 0) & (pixels < (view.width, view.height))).all(-1)
    return set(map(tuple, np.floor(points[inside] / 0.1).astype(int).tolist()))


def by_iou(memory: LatentMemory, targets, candidates, count: int, exclude_last: int) -> list[int]:
    grids = [unproject(pixel_centers(*v.depth.shape), v.depth.numpy(), v.camera) for v in memory.views]
    points = np.concatenate([grid[v.depth.numpy() > 0] for grid, v in zip(grids, memory.views, strict=True)])
    wanted = set().union(*(in_frustum(points, view) for view in targets))
    seen = [in_frustum(points, view) for view in candidates[: len(candidates) - exclude_last]]
    scores = [len(cells & wanted) / max(1, len(cells | wanted)) for cells in seen]
    return [i for i in sorted(range(len(scores)), key=lambda i: -scores[i])[:count] if scores[i] >= 0.04]


def measured(choose, memory: LatentMemory, targets, candidates, exclude_last: int) -> dict:
    started = time.perf_counter()
    chosen = choose(memory, targets, candidates, COUNT, exclude_last)
    seconds = time.perf_counter() - started
    depth = memory.readout([*targets, *candidates], *GRID).depth
    values = quality(depth[: len(targets)], targets, depth[len(targets) :], candidates)[chosen]
    shown = float(values.amax(dim=0).double().mean()) / STEPS if chosen else 0.0
    return {"chosen": chosen, "shown": round(shown, 3), "seconds": round(seconds, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    there = [camera(yaw=yaw) for yaw in np.linspace(0, 90, 33)]
    forward = [camera(z) for z in np.linspace(-1.5, 1.5, 33)]
    round_once = [camera(yaw=yaw) for yaw in np.linspace(0, 360, 65)]
    memory = room()
    cases = {
        "turn and return": (memory, there[::-4], there, 0),
        "in and back out": (memory, forward[::-4], forward, 0),
        "round and on": (memory, round_once[:17:2], round_once, 8),
    }
    if args.scene:
        scene = Scene.load(args.scene)
        path = list(move("look-around", scene.camera, distance=scene.distance, frames=129))
        cases["look round a photo"] = (scene.memory, path[97:129:4], path[:97], 8)
    choose_references(memory, there[:9], there, COUNT)  # warm up
    report = {}
    for name, case in cases.items():
        report[name] = {"points": case[0].num_points}
        report[name] |= {key: measured(choose, *case) for key, choose in (("ours", choose_references), ("iou", by_iou))}
        print(f"{name}: {report[name]}", file=sys.stderr)
    print(json.dumps(report))


if __name__ == "__main__":
    main()

"""What the memory costs and keeps: python benchmarks/memory.py [readout bounds laps pinholes conditioning]

Regime: random tokens of 48 channels on the grid of a 704x1280 clip (44x80), a box room of 6 x 2.8 x 8 units with exact
depth, this machine's CPU. Every part prints one JSON line. On a machine that others use too, `--threads 1 --clock cpu`
counts the processor's time instead of the clock's.

readout       9 views out of 158,400 and 3,199,680 points, against the reference's way (one frame at a time: sort all
              points by depth, farthest first, and scatter depth and tokens): the best of several runs of each, in turn,
              and the cells in which a farther surface shows than the nearest point's.
bounds        bytes after 5 chunks (41 views) that pan away and return; exact depth, and with 1 % noise per cell and
              1 % jitter of scale per view.
laps          20 chunks (161 views) on a circle, four laps: bytes and readout time by lap.
pinholes      cells without a surface, and cells that show another wall, when the camera moves to a share of D.
conditioning  one chunk's control from the memory, against a cloud of RGB points rendered and encoded with the Wan 2.2
              autoencoder (random weights; --size and --frames of the encoded video set its cost).
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipelines import Camera, LatentMemory  # noqa: E402
from pipelines.memory.projection import projections  # noqa: E402
from pipelines.memory.views import View  # noqa: E402

HEIGHT, WIDTH, CHANNELS = 44, 80, 48
ROOM = np.array([3.0, 1.4, 4.0])  # half sides; the camera starts in the middle
SEED = 0


def camera(position=(0, 0, 0), yaw: float = 0.0, height: int = HEIGHT, width: int = WIDTH) -> Camera:
    c2w = np.eye(4)
    c2w[:3, :3] = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    c2w[:3, 3] = position
    return Camera(Camera.from_fov(60, height, width).K, c2w, height, width)


def room(view: Camera) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact z-depth (h, w) of the box room, and the wall that each cell shows (h, w) int, 0..5."""
    y, x = np.mgrid[: view.height, : view.width] + 0.5
    rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(view.K).T @ view.c2w[:3, :3].T
    with np.errstate(divide="ignore"):
        hits = (np.where(rays > 0, ROOM, -ROOM) - view.c2w[:3, 3]) / rays
    hits = np.where(rays == 0, np.inf, hits)
    axis = hits.argmin(-1)
    side = np.take_along_axis(rays > 0, axis[..., None], -1)[..., 0]
    return torch.from_numpy(hits.min(-1)).float(), torch.from_numpy(2 * axis + side)


def walk(views: list[Camera], noise: float = 0.0, jitter: float = 0.0):
    """Write the room from every view in turn, and yield the memory after each."""
    generator = torch.Generator().manual_seed(SEED)
    memory = LatentMemory(CHANNELS)
    for index, view in enumerate(views):
        depth, _ = room(view)
        depth = depth * (1 + noise * torch.randn(depth.shape, generator=generator))
        depth = depth * (1 + jitter * float(torch.randn((), generator=generator)) * (index > 0))
        memory.write(torch.randn(CHANNELS, HEIGHT, WIDTH, generator=generator), depth, view)
        yield memory


def best_seconds(*calls, rounds: int, clock) -> list[float]:
    """The least time of each call; they take turns, so that a busy machine is unfair to none."""
    times = [[] for _ in calls]
    for _ in range(rounds):
        for call, spent in zip(calls, times, strict=True):
            start = clock()
            call()
            spent.append(clock() - start)
    return [min(spent) for spent in times]


# --- readout ---------------------------------------------------------------------------------------------------------


def panels(count: int) -> tuple[LatentMemory, torch.Tensor, torch.Tensor]:
    """A memory of so many overlapping views, all kept, and its points (N, 3) and tokens (N, C) as flat lists."""
    generator = torch.Generator().manual_seed(SEED)
    memory, cells, views = LatentMemory(CHANNELS), HEIGHT * WIDTH, []
    for i in range(count):
        depth = 3 + i % 5 * 0.7 + 0.02 * torch.rand(HEIGHT, WIDTH, generator=generator)
        rows = torch.arange(i * cells, (i + 1) * cells, dtype=torch.int32).view(HEIGHT, WIDTH)
        share = i / count - 0.5
        confidence = torch.ones(HEIGHT, WIDTH, dtype=torch.uint8)
        views.append(View(camera((2 * share, 0, 0), 0.6 * share), depth, rows, confidence))
    memory._keep(torch.randn(count * cells, CHANNELS, generator=generator).half(), views)
    return memory, memory.samples.points.T.contiguous(), memory.features


def seen_from(view: Camera, points: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """points (N, 3) -> z u, z v, z (N,) of one camera."""
    P = torch.from_numpy(projections(view.K, view.c2w)).float()
    return (points @ P[:, :3].T + P[:, 3]).unbind(1)


def sort_and_scatter(points: torch.Tensor, tokens: torch.Tensor, views: list[Camera]):
    """The way of the published code: microsoft/LatentSpatialMemory, one frame at a time."""
    depths, images = [], []
    for view in views:
        x, y, z = seen_from(view, points)
        column, row = (x / z.clamp(min=1e-6)).floor().long(), (y / z.clamp(min=1e-6)).floor().long()
        inside = (z > 1e-3) & (column >= 0) & (column < WIDTH) & (row >= 0) & (row < HEIGHT)
        column, row, z, token = column[inside], row[inside], z[inside], tokens[inside]
        order = torch.argsort(z, descending=True)
        depth, image = torch.zeros(HEIGHT, WIDTH), torch.zeros(HEIGHT, WIDTH, CHANNELS, dtype=tokens.dtype)
        depth[row[order], column[order]] = z[order]
        image[row[order], column[order]] = token[order]
        depths.append(depth)
        images.append(image)
    return torch.stack(depths), torch.stack(images)


def nearest_points(points: torch.Tensor, views: list[Camera]) -> torch.Tensor:
    """(T, h, w) exact depth of the nearest point in each cell, infinite where none falls."""
    depths = torch.full((len(views), HEIGHT * WIDTH), torch.inf)
    for depth, view in zip(depths, views, strict=True):
        x, y, z = seen_from(view, points)
        column, row = (x / z).floor(), (y / z).floor()
        inside = (z > 1e-3) & (column >= 0) & (column < WIDTH) & (row >= 0) & (row < HEIGHT)
        depth.scatter_reduce_(0, (row * WIDTH + column)[inside].long(), z[inside], "amin")
    return depths.view(-1, HEIGHT, WIDTH)


def readout(args) -> dict:
    views = [camera((0.05 * i - 0.2, 0, 0), 0.03 * i - 0.12) for i in range(9)]
    result = {}
    for count, rounds in ((45, 12), (909, 3)):
        memory, points, tokens = panels(count)
        ours, theirs = best_seconds(
            lambda memory=memory: memory.readout(views, HEIGHT, WIDTH).latents,
            lambda points=points, tokens=tokens: sort_and_scatter(points, tokens, views),
            rounds=rounds,
            clock=CLOCKS[args.clock],
        )
        exact, out = nearest_points(points, views), memory.readout(views, HEIGHT, WIDTH)
        reference, _ = sort_and_scatter(points, tokens, views)
        known = exact < torch.inf
        result[str(memory.num_points)] = {
            "milliseconds": round(1e3 * ours, 1),
            "sort_and_scatter": round(1e3 * theirs, 1),
            "ratio": round(theirs / ours, 1),
            # one surface is what lies within 1 % of its nearest point
            "farther_cells": int((out.depth[known] > 1.0101 * exact[known]).sum() + (~out.mask[known]).sum()),
            "farther_cells_sort_and_scatter": int((reference[known] > 1.0101 * exact[known]).sum()),
        }
    return result


# --- what is kept ----------------------------------------------------------------------------------------------------


def bounds(args) -> dict:
    turn = [np.sin(np.pi * i / 40) for i in range(41)]
    views = [camera((0.5 * s, 0, 0), np.radians(50) * s) for s in turn]
    result = {}
    for name, error in (("exact", 0.0), ("noise", 0.01)):
        sizes = []
        for memory in walk(views, error, error):
            sizes.append(memory.nbytes / 2**20)
        covered = memory.readout(views[:1], HEIGHT, WIDTH).mask.float().mean()
        result[name] = {
            "mib": round(sizes[-1], 2),
            "way_back_percent": round(100 * (sizes[-1] / sizes[20] - 1), 1),
            "start_covered_percent": round(100 * float(covered), 2),
            "append_only_mib": round(41 * HEIGHT * WIDTH * (2 * CHANNELS + 13) / 2**20, 1),
        }
    return result


def laps(args) -> dict:
    angles = np.linspace(0, 8 * np.pi, 161)
    views = [camera((np.sin(a), 0, -np.cos(a)), -a) for a in angles]
    result = {}
    for name, error in (("exact", 0.0), ("noise", 0.01)):
        sizes, times = [], []
        for index, memory in enumerate(walk(views, error, error)):
            if index % 40 == 0 and index:
                sizes.append(round(memory.nbytes / 2**20, 2))
                chunk = views[index - 8 : index + 1]
                (seconds,) = best_seconds(
                    lambda m=memory, c=chunk: m.readout(c, HEIGHT, WIDTH).latents, rounds=7, clock=CLOCKS[args.clock]
                )
                times.append(round(1e3 * seconds, 1))
        result[name] = {"mib": sizes, "readout_milliseconds": times}
    return result


def pinholes(args) -> dict:
    start = camera()
    distance = float(ROOM[2])
    memory = next(walk([start]))
    result = {}
    for share in (0.8, 0.6, 0.4):
        closer = camera((0, 0, (1 - share) * distance))
        out = memory.readout([closer], HEIGHT, WIDTH)
        depth, _ = room(closer)
        wrong = out.mask[0] & ((out.depth[0] / depth - 1).abs() > 0.1)
        result[f"{share} D"] = {
            "holes_percent": round(100 * float((~out.mask).float().mean()), 2),
            "other_wall_cells": int(wrong.sum()),
        }
    # A near wall in front of a far one: what is behind must not show through as the camera comes near.
    generator = torch.Generator().manual_seed(SEED)
    both = LatentMemory(1)
    near, far = torch.full((HEIGHT, WIDTH), 2.0), torch.full((HEIGHT, WIDTH), 4.0)
    for depth, token in ((far, 1.0), (near, 0.0)):
        part = LatentMemory(1)
        part.write(torch.full((1, HEIGHT, WIDTH), token), depth, start)
        (view,), before = part.views, len(both.features)
        view = View(view.camera, view.depth, view.token_at + before, view.confidence)
        both._keep(torch.cat([both.features, part.features]), [*both.views, view])
    shift = 0.3 * torch.rand(3, generator=generator).numpy()
    seen = both.readout([camera((shift[0], shift[1] * 0.2, 0.8), 0.05 * shift[2])], HEIGHT, WIDTH)
    result["back_face_cells"] = int((seen.latents[0, 0][seen.mask[0]] > 0).sum())
    return result


# --- conditioning ----------------------------------------------------------------------------------------------------


def conditioning(args) -> dict:
    from diffusers import AutoencoderKLWan

    height, width = map(int, args.size.split("x"))
    latent_frames = (args.frames - 1) // 4 + 1
    path = [camera((0.02 * i, 0, 0), 0.01 * i) for i in range(args.frames)]
    *_, memory = walk([camera((0.3 * i, 0, 0), 0.2 * i) for i in range(5)])
    latent_views = [view.resized(height // 16, width // 16) for view in path[::4]]

    # The cloud holds every pixel of the same five views.
    clouds, colours = [], []
    for i in range(5):
        view = camera((0.3 * i, 0, 0), 0.2 * i, height, width)
        depth, wall = room(view)
        y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
        rays = torch.stack([x, y, torch.ones_like(x)], -1) @ torch.from_numpy(np.linalg.inv(view.K)).float().T
        c2w = torch.from_numpy(view.c2w.copy()).float()
        clouds.append(((rays * depth[..., None]) @ c2w[:3, :3].T + c2w[:3, 3]).view(-1, 3))
        colours.append((wall.view(-1, 1) / 5.0).expand(-1, 3))
    points, colours = torch.cat(clouds), torch.cat(colours)
    vae = AutoencoderKLWan(
        base_dim=160, decoder_base_dim=256, z_dim=48, is_residual=True, in_channels=12, out_channels=12, patch_size=2,
        scale_factor_spatial=16, dim_mult=[1, 2, 4, 4], temperal_downsample=[False, True, True],
        latents_mean=[0.0] * 48, latents_std=[1.0] * 48,
    ).eval()  # fmt: skip

    def render_and_encode():
        video = torch.zeros(args.frames, height * width, 3)
        for frame, view in zip(video, path, strict=True):
            x, y, z = seen_from(view.resized(height, width), points)
            column, row = (x / z).floor(), (y / z).floor()
            inside = ((z > 1e-3) & (column >= 0) & (column < width) & (row >= 0) & (row < height)).nonzero()[:, 0]
            cell, z = (row * width + column)[inside].long(), z[inside]
            front = torch.full((height * width,), torch.inf).scatter_reduce_(0, cell, z, "amin")
            shown = z <= front[cell]
            frame[cell[shown]] = colours[inside[shown]]
        video = video.view(args.frames, height, width, 3).permute(3, 0, 1, 2)[None]
        return vae.encode(video * 2 - 1).latent_dist.mode()

    def from_memory():
        return memory.readout(latent_views, height // 16, width // 16).latents

    with torch.inference_mode():
        (ours,) = best_seconds(from_memory, rounds=5, clock=CLOCKS[args.clock])
        (theirs,) = best_seconds(render_and_encode, rounds=1, clock=CLOCKS[args.clock])
    return {
        "frames": args.frames,
        "latent_frames": latent_frames,
        "size": args.size,
        "milliseconds": round(1e3 * ours, 1),
        "render_and_encode_seconds": round(theirs, 2),
        "ratio": round(theirs / ours, 1),
    }


CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
PARTS = {part.__name__: part for part in (readout, bounds, laps, pinholes, conditioning)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="wall, or the time of all of cpu's threads")
    parser.add_argument("--size", default="352x640", help="of the encoded video of `conditioning`, multiples of 16")
    parser.add_argument("--frames", type=int, default=5, help="of the encoded video of `conditioning`, 4n+1")
    args = parser.parse_args()
    unknown = set(args.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}. Use some of {', '.join(PARTS)}.")
    torch.set_num_threads(args.threads)
    for name in args.parts or PARTS:
        print(json.dumps({"part": name, "threads": args.threads, "clock": args.clock, **PARTS[name](args)}), flush=True)


if __name__ == "__main__":
    main()

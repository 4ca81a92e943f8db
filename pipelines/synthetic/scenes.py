"""Scenes to train and evaluate on, by seed, and shards of their views with exact depth and poses.

python -m pipelines.synthetic.scenes --out DIR --count 4000 --seed 0 [--assets DIR] [--size 216x288] [--views 4]
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipelines.cameras import Camera
from pipelines.files import atomic_write
from pipelines.synthetic.builder import Builder
from pipelines.synthetic.families import FAMILIES
from pipelines.synthetic.furniture import any_piece, chair, table
from pipelines.synthetic.materials.bank import texture_bank
from pipelines.synthetic.paths import MARGIN, PATHS, is_free, scene_path
from pipelines.synthetic.plants import plant
from pipelines.synthetic.render import radiance, render
from pipelines.synthetic.scene import GeneratedScene
from pipelines.synthetic.street_life import person
from pipelines.synthetic.things import thing
from pipelines.synthetic.tracing import trace

HELD_OUT_FAMILIES = ("gallery", "kitchen", "arcade")
TRAIN_FAMILIES = tuple(name for name in FAMILIES if name not in HELD_OUT_FAMILIES)
SCENES_PER_SHARD = 32


def make_scene(seed, family=None, assets=None) -> GeneratedScene:
    """The scene of a seed: same seed, family and assets, same scene, bit for bit.

    family: one of TRAIN_FAMILIES or HELD_OUT_FAMILIES; None draws one of the training families.
    assets: folder with textures/ and pictures/, or None for drawn textures only.
    """
    if family is not None and family not in FAMILIES:
        raise ValueError(f"family={family!r} is unknown. Use one of {', '.join(FAMILIES)}.")
    rng = np.random.default_rng([seed, 2026])
    family = family or TRAIN_FAMILIES[rng.integers(len(TRAIN_FAMILIES))]
    builder = Builder(rng, texture_bank(None if assets is None else str(assets)))
    FAMILIES[family](builder)
    shallow, roll = builder.settings.pop("shallow", 0.12), builder.settings.pop("roll", 2.0)
    scene = _pack(builder, family, seed)
    _place_camera(scene, builder.views, rng, roll)
    if not scene.close_up and rng.random() < 0.35:
        _add_foreground(builder, scene, rng)
        scene = _pack(builder, family, seed, scene.camera, scene.fov_degrees)
    _expose(scene, rng, shallow)
    return scene


def _pack(builder, family, seed, camera=None, fov_degrees=60.0) -> GeneratedScene:
    kind, axes, centre, half, ends, cutout, casts, faces = zip(*builder.parts, strict=True)
    half = np.array(half, np.float32)
    return GeneratedScene(
        family=family, seed=seed, bank=builder.bank, kind=np.array(kind), axes=np.array(axes, np.float32),
        centre=np.array(centre, np.float32), half=half, ends=np.array(ends, np.float32), cutout=np.array(cutout),
        casts=np.array(casts) & (np.sort(half, 1)[:, 1] > 0.02), faces=np.concatenate(faces).astype(np.float32),
        camera=np.eye(4) if camera is None else camera, fov_degrees=fov_degrees, lights=builder.lights,
        **_float32(builder.settings),
    )  # fmt: skip


def _add_foreground(builder, scene, rng):
    """Things close to the photographer: without them a network learns that near means the bottom of the frame."""
    u, eye = builder.u, scene.camera[:3, 3]
    forward, right = scene.camera[:3, 2], scene.camera[:3, 0]
    for _ in range(rng.integers(1, 4)):
        away = u(0.9, 3.0)
        x, _, z = eye + forward * away + right * away * u(-0.55, 0.55)
        with builder.at(x, 0, z, u(0, 6.3)):
            what = rng.integers(0, 6)
            if what == 0:
                person(builder)
            elif what == 1:
                plant(builder, u(0.6, 1.7))
            elif what == 2:
                table(builder, u(0.5, 1.2), u(0.5, 0.9), u(0.5, 0.9), 6)
            elif what == 3:
                chair(builder)
            elif what == 4:  # a display pillar with something on it
                size, high = u(0.2, 0.5), max(0.2, eye[1] - u(0.2, 0.8))
                builder.block(0, 0, 0, size, high, size, builder.plain())
                with builder.at(0, high, 0):
                    thing(builder, u(0.15, 0.5))
            else:
                any_piece(builder)
    if not is_free(_pack(builder, scene.family, 0), eye[None])[0]:
        del builder.parts[len(scene.kind) :]


def _float32(settings):
    lights = ("key_colour", "sky_light", "ground_light")
    return {k: np.asarray(v, np.float32) if k in lights else v for k, v in settings.items()}


def look_at(eye, target, roll=0.0):
    """Camera to world (4, 4), OpenCV axes in a world with +y up, looking from eye to target; roll in radians."""
    forward = np.asarray(target, float) - eye
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right = right / np.linalg.norm(right)
    down = np.cross(forward, right)
    c2w = np.eye(4)
    c2w[:3, 0] = right * np.cos(roll) + down * np.sin(roll)
    c2w[:3, 1] = down * np.cos(roll) - right * np.sin(roll)
    c2w[:3, 2], c2w[:3, 3] = forward, eye
    return c2w


def _place_camera(scene, views, rng, roll):
    """The first view that stands free, sees most of its frame at a fair distance, and is not all sky or one wall.

    roll: degrees that the camera may be held askew.
    """
    best = -1.0
    for eye, target in views:
        eye, target = np.array(eye), np.array(target)
        ahead = target - eye
        flat = np.hypot(ahead[0], ahead[2])
        pitch = np.clip(np.arctan2(ahead[1], flat), np.radians(-25), np.radians(scene.steepest))
        if scene.close_up:
            pitch = np.arctan2(ahead[1], flat)
        c2w = look_at(eye, eye + [ahead[0], flat * np.tan(pitch), ahead[2]], np.radians(rng.uniform(-roll, roll)))
        fov = rng.uniform(40, 85)
        K = Camera.from_fov(fov, 30, 40).K
        with np.errstate(all="ignore"):
            z, face = trace(scene, eye, c2w[:3, :3] @ np.linalg.inv(K), 30, 40)
        near, sky = np.percentile(z, 5), np.isinf(z).mean()
        _, counts = np.unique(face // 4, return_counts=True)
        limit = 0.15 if scene.close_up else 0.7
        score = min(1, near / limit) + min(0.75, 1 - sky) + min(0.45, 1 - counts.max() / face.size)
        score += 2.0 * is_free(scene, eye[None], 0.06 if scene.close_up else MARGIN)[0]
        if score > best + 1e-6:
            best, scene.camera, scene.fov_degrees = score, c2w, float(fov)
        if score > 4.19:
            return


def _expose(scene, rng, shallow):
    """Expose for the photo, as a camera does, then vary like photographers and their cameras do."""
    K = Camera.from_fov(scene.fov_degrees, 48, 64).K
    with np.errstate(all="ignore"):
        image, z = radiance(scene, scene.camera, K, 48, 64)
    level = np.exp(np.log(image.mean(-1) + 0.02).mean()) * 0.6 + image.mean() * 0.4
    scene.exposure = float(rng.uniform(0.28, 0.5) / level)
    scene.white_balance = np.exp(rng.normal(0, 0.05, 3)).astype(np.float32)
    scene.contrast = float(rng.uniform(-0.1, 0.7))
    scene.vignette = float(rng.uniform(0, 0.4) * (rng.random() < 0.4))
    if rng.random() < shallow:
        seen = z[np.isfinite(z)]
        scene.focus = float(np.median(z[20:36, 22:42]) if rng.random() < 0.7 else np.percentile(seen, 15))
        if np.isfinite(scene.focus):
            scene.blur = float(rng.uniform(0.003, 0.014) * (1.0 if scene.close_up else 0.6))


def render_views(seed, views=4, height=216, width=288, assets=None, family=None):
    """One training sample: view 0 is the photo, the others follow a gentle path -> dict of the arrays of a shard."""
    scene = make_scene(seed, family, assets)
    kind = PATHS[np.random.default_rng([seed, 5]).integers(len(PATHS) - 1)]
    path = scene_path(scene, kind, views, seed, height, width)
    rgb, depth = [], []
    for camera in path:
        colour, z, _ = render(scene, camera)
        rgb.append((colour.numpy() * 255 + 0.5).astype(np.uint8))
        depth.append(z.numpy().astype(np.float16))
    return {
        "rgb": np.stack(rgb), "depth": np.stack(depth), "K": path.K.astype(np.float32),
        "c2w": path.c2w.astype(np.float32), "seed": np.int64(seed), "family": np.str_(scene.family),
    }  # fmt: skip


def write_shards(out, count, seed, assets=None, size=(216, 288), views=4, families=None):
    """Write `count` scenes of seeds seed, seed+1, ... in shards of 32; shards that exist are kept, so it resumes."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    rendered, start = 0, time.perf_counter()
    for first in range(0, count, SCENES_PER_SHARD):
        file = out / f"shard_{first // SCENES_PER_SHARD:05d}.npz"
        if file.exists():
            continue
        samples = []
        for i in range(first, min(first + SCENES_PER_SHARD, count)):
            family = families[i % len(families)] if families else None
            samples.append(render_views(seed + i, views, *size, assets, family))
        with atomic_write(file) as temporary:
            np.savez(temporary, **{k: np.stack([s[k] for s in samples]) for k in samples[0]})
        rendered += len(samples) * views
        print(f"{file.name}: {rendered} views, {rendered / (time.perf_counter() - start):.1f} frames/s", flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder for the shards")
    parser.add_argument("--count", type=int, required=True, help="number of scenes")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first scene; the next ones follow")
    parser.add_argument("--assets", default=None, help="folder with textures/ and pictures/")
    parser.add_argument("--size", default="216x288", help="height x width in pixels")
    parser.add_argument("--views", type=int, default=4, help="views per scene")
    parser.add_argument("--families", default=None, help="comma-separated, default: the training families at random")
    a = parser.parse_args(argv)
    size = tuple(int(v) for v in a.size.split("x"))
    write_shards(a.out, a.count, a.seed, a.assets, size, a.views, a.families.split(",") if a.families else None)


if __name__ == "__main__":
    main()

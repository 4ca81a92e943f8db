"""python -m pipelines render | evaluate | info | path | convert: the engine from the command line."""

import argparse
import io
import json
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from pipelines.files import atomic_write
from pipelines.large.families import FewSteps
from pipelines.loading import add_arguments as add_device
from pipelines.loading import few_steps_of, load_pipeline, named_values
from pipelines.process import keep_freed_memory


def build_parser() -> argparse.ArgumentParser:
    from pipelines.cameras.formats import CORRECTIONS, FORMATS
    from pipelines.evaluation import suites

    parser = argparse.ArgumentParser(prog="python -m pipelines", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    render = commands.add_parser("render", help="one photo and one camera move become a clip")
    render.add_argument("photo", nargs="?", type=Path, help="any common image file; may be left out with --scene")
    path = render.add_mutually_exclusive_group()
    path.add_argument("--move", default="there-and-back", help="name of a camera move (default there-and-back)")
    path.add_argument("--trajectory", type=Path, help="cameras in any format of docs/formats.md, or an editable path")
    render.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="parameter of the move; strength is chosen for the photo",
    )
    render.add_argument("--frames", type=int, default=65, help="4n+1 (default 65: four seconds)")
    render.add_argument("--size", type=size, default=(288, 512), metavar="HxW", help="pixels (default 288x512)")
    render.add_argument("--seed", type=int, default=0)
    render.add_argument(
        "--focus", type=float, default=0.5, help="where in the photo the frame lies: 0 left or top .. 1 right or bottom"
    )
    render.add_argument(
        "--zoom",
        type=float,
        help="how much closer than the whole photo, 1..1.5; if left out, as the move needs room, and 1 with --scene",
    )
    render.add_argument("--quality", default="standard", help="draft or standard")
    render.add_argument("--fov", type=float, help="degrees across the long side; from the photo's EXIF, else 60")
    render.add_argument("--model", default="embedded", help="embedded, a folder or a Hub repository")
    add_device(render)
    render.add_argument("--few-step-lora", metavar="FILE", help="a LoRA distilled for few steps; or team/name/FILE")
    render.add_argument(
        "--few-step",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="how it is sampled: strength=1 steps=4 shift=5 guidance=1 alpha=... licence=... commercial_use=...",
    )
    render.add_argument(
        "--depth-model",
        metavar="NAME",
        help="what estimates depth: embedded (default), depth-anything, a folder, ... see docs/depth.md",
    )
    render.add_argument("--scene", type=Path, help="go on in this scene if it exists, and keep it there")
    render.add_argument("--prompt", help="for models that read text")
    render.add_argument("--depth", type=Path, help="16-bit PNG of the photo's z-depth, 0 = unknown")
    render.add_argument("--depth-scale", type=float, default=1000.0, help="PNG value of one scene unit (default 1000)")
    render.add_argument("--out", type=Path, required=True, help="the mp4")
    render.add_argument("--report", type=Path, help="figures of the render as JSON")

    evaluate = commands.add_parser("evaluate", help="measure the engine against truth and baselines")
    suites.add_arguments(evaluate)

    info = commands.add_parser("info", help="what a scene folder, a saved memory, a clip or a model holds")
    info.add_argument(
        "path",
        type=Path,
        nargs="?",
        help="with --profiles and --licences: a model, as --model of render; --profiles alone: the released ones",
    )
    about = info.add_mutually_exclusive_group()
    about.add_argument("--profiles", action="store_true", help="how a large model may run, and what each way needs")
    about.add_argument("--licences", action="store_true", help="terms of every weight that the model uses")
    info.add_argument("--depth-model", metavar="NAME", default="embedded", help="with --licences, as of render")
    info.add_argument("--top-view", type=Path, metavar="PNG", help="draw a map of the place and its cameras")
    info.add_argument(
        "--clip", type=Path, help="a clip of the scene, or cameras in any format, whose way the map shows"
    )
    info.add_argument("--ply", type=Path, help="write the points as a PLY cloud, with colours")
    info.add_argument("--cameras", type=Path, metavar="FOLDER", help="write the cameras for nerfstudio and COLMAP")
    info.add_argument("--model", default="embedded", help="what made the scene, for its colours (default embedded)")
    add_device(info)

    path = commands.add_parser("path", help="cameras of one format into another, see docs/formats.md")
    path.add_argument(
        "source", metavar="IN", type=Path, help="file or folder of any of the formats, or an editable path"
    )
    path.add_argument("--to", required=True, choices=FORMATS, help="the format to write")
    path.add_argument("--out", type=Path, required=True, help="the file, or the folder for formats of several files")
    path.add_argument("--size", type=size, metavar="HxW", help="pixels; the file's own, where it tells any")
    path.add_argument("--fps", type=float, help="frames per second; the file's own, where it tells any")
    path.add_argument("--fix", choices=CORRECTIONS, help="read it as written in the convention that a warning names")

    convert = commands.add_parser("convert", help="released weights become a folder that --model opens")
    convert.add_argument(
        "--base", required=True, help="Wan 2.2 TI2V-5B in the diffusers layout: a folder, or team/name[@revision]"
    )
    convert.add_argument(
        "--vace", help="the control branch: a safetensors file, index or folder, or team/name/FILE.safetensors"
    )
    convert.add_argument("--lora", help="the LoRA, likewise")
    convert.add_argument("--lora-alpha", type=float, help="its alpha, where the file does not say (default: its rank)")
    convert.add_argument("--layout", help="spatia or lsm-world; told by the number of control blocks if left out")
    convert.add_argument("--dtype", choices=("bfloat16", "float32"), help="of the weights; the base's if left out")
    convert.add_argument("--gguf", choices=("q8_0", "q4_0"), help="keep large matrices in eight or four bits, as GGUF")
    convert.add_argument("--out", type=Path, required=True, help="the folder, which must not exist yet")
    return parser


def size(text: str) -> tuple[int, int]:
    try:
        height, width = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} must be HEIGHTxWIDTH in pixels, for example 288x512") from error
    return height, width


def few_steps_asked(args: argparse.Namespace) -> FewSteps | None:
    if args.few_step_lora is not None:
        return few_steps_of(args.few_step_lora, "--few-step", args.few_step)
    if args.few_step:
        raise ValueError("--few-step says how a LoRA is sampled, and there is none. Give --few-step-lora FILE.")
    return None


def load_depth(path: Path, scale: float) -> np.ndarray:
    from PIL import Image

    if not scale > 0:
        raise ValueError(f"--depth-scale {scale} must be positive. Use 1000 for millimetres.")
    try:
        with Image.open(path, formats=("PNG",)) as image:
            values = np.array(image)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read as a PNG ({error}). Give a 16-bit grey PNG.") from error
    if values.ndim != 2:
        raise ValueError(f"{path.name} has {values.shape[2]} channels. Give a 16-bit grey PNG.")
    return values.astype(np.float32) / scale


def render(args: argparse.Namespace) -> dict:
    started = time.perf_counter()
    from pipelines.cameras import Camera, Trajectory, checked_frames, move
    from pipelines.media.clips import write_mp4
    from pipelines.media.photos import focal_pixels, open_photo, read_focal
    from pipelines.memory.scene import Scene
    from pipelines.photo.lifted import Lifted

    # What can be known to be wrong without the model is found before it loads; it refuses the rest before any work.
    photo = open_photo(args.photo) if args.photo else None
    scene = Scene.load(args.scene) if args.scene and args.scene.exists() else None
    if photo is None and scene is None:
        raise ValueError("There is no photo to render. Give its path, or --scene with a scene that exists.")
    depth = load_depth(args.depth, args.depth_scale) if args.depth else None
    params = named_values("--set", args.set)
    few_steps = few_steps_asked(args)
    checked_frames(args.frames)
    for out in filter(None, (args.out, args.report)):
        if not out.parent.is_dir():
            raise ValueError(f"The folder {out.parent} does not exist. Make it first.")
        if out.exists() and not out.is_file():
            raise ValueError(f"{out} is there already and is no file. Choose another name.")
    height, width = args.size
    trajectory = None
    if args.trajectory:
        trajectory = cameras_from(args.trajectory, height, width).trajectory
        checked_frames(len(trajectory))
        camera = trajectory[0]
    elif scene:
        camera = scene.camera_for(height, width)
    elif args.fov is None and (focal := read_focal(args.photo)):
        scale = max(height / photo.height, width / photo.width)
        focal = focal_pixels(focal, photo.height, photo.width) * scale
        camera = Camera(np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]), np.eye(4), height, width)
    else:
        camera = Camera.from_fov(60 if args.fov is None else args.fov, height, width)
    if trajectory is None:
        trajectory = move(args.move, camera, distance=scene.distance if scene else 1.0, frames=args.frames, **params)

    before_loading = time.perf_counter()
    estimator = None
    if args.depth_model:
        from pipelines.depth import depth_estimator

        estimator = depth_estimator(args.depth_model)
    options = {"depth": estimator} if estimator else {}
    if few_steps:
        options["few_steps"] = few_steps
    place = args.device, args.dtype, args.profile, args.size, args.first_block_cache
    pipe = load_pipeline(args.model, *place, **options)
    load_seconds = time.perf_counter() - before_loading
    fps = pipe.engine.facts.fps
    if not args.trajectory:
        trajectory = replace(trajectory, fps=fps)
    source, memory, lift_seconds = photo, scene.memory if scene else None, {}
    closer = 1.0 if args.zoom is None else args.zoom
    distance = scene.distance if scene else None
    if photo is not None and scene is None:
        # The size of a move depends on how far its subject is, so the photo is lifted before the path is made.
        pipe.check_inputs(photo, trajectory, args.prompt, args.seed, None, depth, args.quality, args.focus, closer)
        lift_seconds = dict.fromkeys(("encode", "depth", "memory_write"), 0.0)

        def lift(zoom: float) -> Lifted:
            frame = camera if args.trajectory else camera.zoomed(zoom)
            return pipe.lift(photo, height, width, frame, depth, focus=args.focus, zoom=zoom, seconds=lift_seconds)

        def path(lifted: Lifted, strength: float) -> Trajectory:
            settings = {"frames": args.frames, "fps": fps, "strength": strength, **params}
            return move(args.move, lifted.camera, distance=lifted.distance, **settings)

        if args.zoom is None and not (args.trajectory or args.scene):
            source, strength = pipe.suited(lift, path)
            trajectory = path(source, strength)
        else:  # a scene that is kept is the whole photo: other moves follow in it
            source = lift(closer)
            if not args.trajectory:
                is_given = "strength" in params
                trajectory = path(source, 1.0 if is_given else pipe.gentle_strength(source, partial(path, source)))
        camera, distance = source.camera, source.distance
    num_chunks, last_shown = 0, None
    for event in pipe.stream(
        source, trajectory, args.prompt, args.seed, memory, depth, args.quality, args.focus, closer
    ):
        shown = getattr(event, "chunk", None)
        if shown is not None and shown != last_shown:
            num_chunks, last_shown = event.num_chunks, shown
            print(f"chunk {event.chunk + 1} of {event.num_chunks}", file=sys.stderr, flush=True)
    write_mp4(event.frames, args.out, trajectory.fps, event.recipe)
    if args.scene:
        Scene(event.memory, scene.camera if scene else camera, distance).save(args.scene)

    seconds = {"load": load_seconds, **event.seconds}
    for part, value in lift_seconds.items():
        seconds[part] += value
    seconds["total"] = time.perf_counter() - started
    return {
        "frames": len(trajectory),
        "fps": trajectory.fps,
        "width": width,
        "height": height,
        "model": pipe.engine.facts.name,
        "seed": args.seed,
        "seconds": {part: round(value, 3) for part, value in seconds.items()},
        "chunks": num_chunks,
        "coverage": [round(float(value), 4) for value in event.coverage],
        "loop": {"closed": event.loop.closed, "psnr": event.loop.psnr, "ssim": event.loop.ssim},
        "memory": {"points": event.memory.num_points, "bytes": event.memory.nbytes},
        "drift": round(event.drift, 3),
    }


def info(args: argparse.Namespace) -> dict:
    from pipelines.cameras.formats import save_cameras
    from pipelines.media.clips import read_recipe
    from pipelines.memory import LatentMemory
    from pipelines.memory.scene import Scene

    if args.path is None and not args.profiles:
        raise ValueError("There is nothing to tell about. Give a scene folder, a saved memory, a clip or a model.")
    if args.profiles or args.licences:
        return info_of_model(args)
    if not args.path.exists():
        raise ValueError(f"{args.path} does not exist. Give a scene folder, a saved memory or a clip.")
    if args.path.suffix.lower() == ".mp4":
        if args.top_view or args.ply or args.cameras:
            raise ValueError(f"{args.path.name} is a clip and holds no points. Give the folder of its scene.")
        recipe = read_recipe(args.path)
        if recipe is None:
            raise ValueError(f"{args.path.name} carries no recipe. Only clips rendered here do.")
        return recipe
    for out in filter(None, (args.top_view, args.ply, args.cameras)):
        if not out.parent.is_dir():
            raise ValueError(f"The folder {out.parent} does not exist. Make it first.")
        if out.is_dir() != (out is args.cameras) and out.exists():
            raise ValueError(f"{out} is there already and is no {'folder' if out is args.cameras else 'file'}.")
    if args.top_view and args.top_view.suffix.lower() != ".png":
        raise ValueError(f"--top-view {args.top_view.name} must end in .png. Rename it.")
    if args.path.is_file() and args.path.suffix.lower() != ".safetensors":
        raise ValueError(f"{args.path.name} is none of these: a scene folder, a memory (.safetensors), a clip (.mp4).")
    way = clip_trajectory(args.clip) if args.clip else None
    scene = Scene.load(args.path) if args.path.is_dir() else None
    memory = scene.memory if scene else LatentMemory.load(args.path)

    low, high = memory.bounds
    report = {"points": memory.num_points, "bytes": memory.nbytes}
    report["bounds"] = {"min": [round(x, 3) for x in low], "max": [round(x, 3) for x in high]}
    report["views"] = [
        {
            "kind": "invented" if view.invented else "seen",
            "height": view.camera.height,
            "width": view.camera.width,
            "points": int((view.depth > 0).sum()),
        }
        for view in memory.views
    ]
    if scene:
        report["distance"] = scene.distance
    if args.cameras:
        if not memory.views:
            raise ValueError(f"{args.path} remembers nothing yet, so it has no cameras. Render a clip in it first.")
        save_cameras([view.camera for view in memory.views], args.cameras)
    if args.top_view or args.ply:
        from pipelines.memory.top_view import colors_of, top_view

        colors = colors_of(memory, load_pipeline(args.model, args.device, args.dtype, args.profile).engine)
        if colors is None:
            print(f"note: {args.model} cannot read these tokens, so there are no colours.", file=sys.stderr)
        if args.ply:
            memory.to_ply(args.ply, colors)
        if args.top_view:
            place = {"camera": scene.camera, "distance": scene.distance} if scene else {}
            picture = top_view(memory, colors, path=way, title=args.path.resolve().name, **place)
            buffer = io.BytesIO()  # Pillow takes a disk that is full half-way for a success
            picture.save(buffer, "PNG")
            with atomic_write(args.top_view) as temporary:
                temporary.write_bytes(buffer.getvalue())
    return report


def info_of_model(args: argparse.Namespace) -> dict:
    """A table for people goes to stderr, the same as JSON to stdout."""
    from pipelines.weights import licences

    if args.licences:
        card = licences.card_of(str(args.path), args.depth_model)
        print(licences.as_table(card), file=sys.stderr)
        return {"weights": card}
    from pipelines.large import costs

    rows = costs.table(args.path)
    print(costs.as_table(rows), file=sys.stderr)
    return {"profiles": rows}


def convert(args: argparse.Namespace) -> dict:
    import diffusers
    import torch

    from pipelines.large.convert import convert

    diffusers.utils.logging.set_verbosity_error()
    dtype = getattr(torch, args.dtype) if args.dtype else None
    files = args.base, args.out, args.vace, args.lora
    return convert(*files, args.layout, args.lora_alpha, dtype, args.gguf)


def cameras_from(source: Path, height: int | None, width: int | None, fps: float | None = None, fix: str | None = None):
    """Cameras of any format; what is odd about them is told on stderr."""
    from pipelines.cameras.formats import read_cameras

    found = read_cameras(source, height, width, fps, fix)
    for doubt in found.doubts:
        print(f"warning: {doubt.sentence}", file=sys.stderr)
    return found


def convert_path(args: argparse.Namespace) -> dict:
    from pipelines.cameras.formats import write_cameras

    height, width = args.size or (None, None)
    found = cameras_from(args.source, height, width, args.fps, args.fix)
    written = write_cameras(found.trajectory, args.to, args.out)
    return {
        "convention": found.convention,
        "cameras": len(found.trajectory),
        "height": found.trajectory.height,
        "width": found.trajectory.width,
        "fps": found.trajectory.fps,
        "warnings": [doubt.sentence for doubt in found.doubts],
        "written": [str(file) for file in written],
    }


def clip_trajectory(path: Path):
    """The cameras of a clip rendered here, or of a file in any format that `path` reads."""
    from pipelines.cameras import Trajectory
    from pipelines.cameras.formats import read_cameras
    from pipelines.media.clips import read_recipe

    if path.suffix.lower() != ".mp4":
        return read_cameras(path).trajectory
    if not path.is_file():
        raise ValueError(f"--clip {path} does not exist. Give a clip, or cameras.")
    recipe = read_recipe(path) or {}
    if "trajectory" not in recipe:
        raise ValueError(f"{path.name} carries no recipe. Only clips rendered here do.")
    return Trajectory.from_dict(recipe["trajectory"])


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    keep_freed_memory()
    try:
        if args.command == "render":
            report = render(args)
            if args.report:
                with atomic_write(args.report) as temporary:
                    temporary.write_text(json.dumps(report, indent=1))
        elif args.command == "evaluate":
            from pipelines.evaluation import suites

            suites.run(args)  # prints and writes its own report, suite by suite
            return 0
        elif args.command == "path":
            report = convert_path(args)
        elif args.command == "convert":
            report = convert(args)
        else:
            report = info(args)
    except (ValueError, TypeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 130
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())

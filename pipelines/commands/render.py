"""`python -m pipelines render`: one photo and one camera move become a clip.

`run` is the story; its chapters follow in order: cameras, load, lift, render, write. What comes first, reading and
checking what it is made from, is sources.py.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cameras import Camera, Trajectory, checked_frames, move
from pipelines.cameras.curve import num_frames
from pipelines.cameras.trajectory import NATIVE_FPS
from pipelines.commands.options import (
    SIZE,
    add_device_arguments,
    add_lens_arguments,
    add_resampling_arguments,
    device_values,
    given_camera,
    read_cameras_with_warnings,
    size,
)
from pipelines.commands.picture import direction, warn_of_few_pixels
from pipelines.commands.report import report_of
from pipelines.commands.sources import Sources, read_sources
from pipelines.files import atomic_write
from pipelines.limits import TORN
from pipelines.loading import load_pipeline
from pipelines.media.clips import RATES

if TYPE_CHECKING:
    from PIL import Image

    from pipelines.events import DoneEvent
    from pipelines.photo.lifted import Lifted
    from pipelines.pipeline_mirage import MiragePipeline

HELP = "one photo and one camera move become a clip"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", nargs="?", type=Path, help="any common image file; may be left out with --scene")
    path = parser.add_mutually_exclusive_group()
    path.add_argument("--move", default="there-and-back", help="name of a camera move (default there-and-back)")
    path.add_argument("--trajectory", type=Path, help="cameras in any format of docs/formats.md, or an editable path")
    add_resampling_arguments(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="parameter of the move; strength is chosen for the photo",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, help="length of the clip (default 4); of files that tell it, theirs")
    length.add_argument("--frames", type=int, help="length of the clip in frames")
    parser.add_argument("--fps", type=int, choices=RATES, help="frames per second of the clip (default 24)")
    parser.add_argument("--size", type=size, default=(288, 512), metavar=SIZE, help="pixels (default 288x512, wide)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--focus", type=float, default=0.5, help="where in the photo the frame lies: 0 left or top .. 1 right or bottom"
    )
    parser.add_argument(
        "--zoom",
        type=float,
        help="how much closer than the whole photo, 1..1.5, or farther, 0.5..1, before a backdrop of one colour; if "
        "left out, as the move needs room and a product is whole, and 1 with --scene",
    )
    within = parser.add_mutually_exclusive_group()
    within.add_argument("--cut-bars", action="store_true", help="use the photo between the bars at its rims")
    within.add_argument(
        "--flatten",
        type=direction,
        metavar="YAW[,PITCH]",
        help="use a flat view of a 360 panorama: degrees to the right and up, --flatten=-90,10 looks left",
    )
    parser.add_argument("--quality", default="standard", help="draft or standard")
    add_lens_arguments(parser, "of the photo; from its EXIF, else 60")
    parser.add_argument("--model", default="embedded", help="embedded, a folder or a Hub repository")
    add_device_arguments(parser)
    parser.add_argument("--few-step-lora", metavar="FILE", help="a LoRA distilled for few steps; or team/name/FILE")
    parser.add_argument(
        "--few-step",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="how it is sampled: strength=1 steps=4 shift=5 guidance=1 alpha=... licence=... commercial_use=...",
    )
    parser.add_argument(
        "--depth-model",
        metavar="NAME",
        help="what estimates depth: embedded (default), depth-anything, a folder, ... see docs/depth.md",
    )
    parser.add_argument("--scene", type=Path, help="go on in this scene if it exists, and keep it there")
    parser.add_argument("--prompt", help="for models that read text")
    parser.add_argument("--depth", type=Path, help="16-bit PNG of the photo's z-depth, 0 = unknown")
    parser.add_argument("--depth-scale", type=float, default=1000.0, help="PNG value of one scene unit (default 1000)")
    parser.add_argument("--out", type=Path, required=True, help="the mp4; with --alpha a .webm, or a .zip of PNGs")
    parser.add_argument(
        "--alpha", action="store_true", help="a transparent background, of a product before one colour or a cut-out"
    )
    parser.add_argument("--report", type=Path, help="figures of the render as JSON")


def run(args: argparse.Namespace) -> dict:
    """Render the clip and write it, with its scene and its report where they are asked for. Returns the report."""
    started = time.perf_counter()
    sources = read_sources(args)  # what can be known to be wrong without the model is found before it loads
    fps = args.fps or NATIVE_FPS
    shot = plan_shot(args, sources, fps)
    loading = time.perf_counter()
    pipe = load(args, sources)
    seconds = {"load": time.perf_counter() - loading}
    if pipe.engine.facts.fps not in (None, fps):  # it makes frames at its own rate
        shot = plan_shot(args, sources, pipe.engine.facts.fps)
    if sources.photo is not None and sources.scene is None:
        # The size of a move depends on how far its subject is, so the photo is lifted before the path is made.
        shot = lift(args, sources, pipe, shot)
    done, num_chunks = render(args, sources, pipe, shot)
    write(args, sources, shot, done)

    seconds |= done.seconds
    for part, value in shot.seconds.items():
        seconds[part] += value
    seconds["total"] = time.perf_counter() - started
    report = report_of(pipe.engine.facts.name, shot.trajectory, rate_of(args, shot), args.seed, done)
    report |= {"seconds": {part: round(value, 3) for part, value in seconds.items()}, "chunks": num_chunks}
    if args.report:
        with atomic_write(args.report) as temporary:
            temporary.write_text(json.dumps(report, indent=1))
    return report


# ---- cameras ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shot:
    """What is rendered, from where. source: a photo, a lifted one, or None to go on in the scene alone.

    camera: sees the clip's frame of the photo. distance: of the subject, in scene units; None before the photo has
    depth. zoom: how much closer than the whole photo the frame is. seconds: what it took to lift the photo.
    """

    source: "Image.Image | Lifted | None"
    camera: Camera
    trajectory: Trajectory
    distance: float | None = None
    zoom: float = 1.0
    seconds: dict[str, float] = field(default_factory=dict)


def plan_shot(args: argparse.Namespace, sources: Sources, fps: int) -> Shot:
    """The shot before the photo has depth: a move is made at its full strength, as if its subject were 1 away.

    fps: frames per second that are made, where the file of cameras does not say.
    """
    height, width = args.size
    distance = sources.scene.distance if sources.scene else None
    if args.trajectory:
        view = sources.scene.camera_for(height, width) if sources.scene else camera_of_photo(args, sources)
        rate = None if args.resample is None else fps
        trajectory = read_cameras_with_warnings(
            args.trajectory, height, width, rate, view=view, resample=args.resample, pace=args.pace
        ).trajectory
        camera = trajectory[0]
    else:
        camera = sources.scene.camera_for(height, width) if sources.scene else camera_of_photo(args, sources)
        length = {"frames": made_frames(args, fps), "fps": fps}
        trajectory = move(args.move, camera, distance=1.0 if distance is None else distance, **length, **sources.params)
    zoom = 1.0 if args.zoom is None else args.zoom
    if sources.photo is not None:
        warn_of_few_pixels(sources.photo.size, height, width, zoom)
    return Shot(sources.photo, camera, trajectory, distance, zoom)


def made_frames(args: argparse.Namespace, fps: int) -> int:
    """How many frames are made at `fps` for a clip of --seconds, or of --frames at the rate of its file."""
    if args.seconds is not None and not args.seconds > 0:
        raise ValueError(f"--seconds {args.seconds:g} must be positive. Use 4.")
    if args.frames is not None:
        checked_frames(args.frames)
    return num_frames((args.seconds or 4) if args.frames is None else args.frames / (args.fps or NATIVE_FPS), fps)


def camera_of_photo(args: argparse.Namespace, sources: Sources) -> Camera:
    """The camera that sees the clip's frame of the whole photo: by --fov or --lens, its file, or the usual lens."""
    from pipelines.photo.frame import frame_camera

    given = given_camera(args, sources.photo.size, *args.size)
    return given or frame_camera(sources.photo.size, *args.size, sources.focal_35mm)


# ---- load -------------------------------------------------------------------------------------------------------


def load(args: argparse.Namespace, sources: Sources) -> "MiragePipeline":
    options = {}
    if args.depth_model:
        from pipelines.depth import depth_estimator

        options["depth"] = depth_estimator(args.depth_model)  # first: a wrong name is refused before the model loads
    if sources.few_steps:
        options["few_steps"] = sources.few_steps
    pipe = load_pipeline(args.model, **device_values(args), **options)
    if args.alpha:
        from pipelines.photo.cutout import check_engine

        check_engine(pipe.engine.facts)
    return pipe


# ---- lift -------------------------------------------------------------------------------------------------------


def lift(args: argparse.Namespace, sources: Sources, pipe: "MiragePipeline", shot: Shot) -> Shot:
    """The photo as a place, and the move at the scale and strength that suit it; see pipelines/photo/."""
    from pipelines.photo.outlook import look
    from pipelines.photo.strength import STEP, gentle_strength, is_cropped, is_cut, suited

    depth, focus, seconds = sources.depth, args.focus, dict.fromkeys(("encode", "depth", "memory_write"), 0.0)
    pipe.check_inputs(
        sources.photo, shot.trajectory, args.prompt, args.seed, None, depth, args.quality, focus, shot.zoom
    )

    before: Lifted | None = None  # at another zoom: the depth of the photo is measured once

    def lift_at(zoom: float) -> "Lifted":
        nonlocal before
        camera = shot.camera if args.trajectory else shot.camera.zoomed(zoom)
        options = {"focus": focus, "zoom": zoom, "like": before, "seconds": seconds}
        before = pipe.lift(sources.photo, *args.size, camera, depth, **options)
        return before

    def path(lifted: "Lifted", strength: float) -> Trajectory:
        values = {"frames": len(shot.trajectory), "fps": shot.trajectory.fps, "strength": strength, **sources.params}
        return move(args.move, lifted.camera, distance=lifted.distance, **values)

    trajectory, strength = shot.trajectory, 1.0
    if args.zoom is None and not (args.trajectory or args.scene):
        lifted, strength = suited(lift_at, path)
        trajectory = path(lifted, strength)
    else:  # a scene that is kept is the whole photo: other moves follow in it
        lifted = lift_at(shot.zoom)
        if not args.trajectory:
            if "strength" not in sources.params:
                strength = gentle_strength(lifted, partial(path, lifted))
            trajectory = path(lifted, strength)
    if lifted.zoom < 1:
        print(
            f"note: zoom={lifted.zoom:g}: the frame shows more than the photo, whose backdrop goes on.", file=sys.stderr
        )
    if is_cropped(lifted):
        print(
            "note: this format cuts the product. Choose another --size, or move the crop with --focus.", file=sys.stderr
        )
    elif is_cut(lifted, trajectory):
        print("note: the camera cuts the product off. A lower --set strength= keeps it whole.", file=sys.stderr)
    elif strength < 1 and is_cut(lifted, path(lifted, strength + STEP)):
        print(f"note: strength={strength:g}, so that the product stays whole in every frame.", file=sys.stderr)
    if look(lifted.memory, trajectory, lifted).torn.max() > TORN:
        shorter = "a shorter path" if args.trajectory else "a lower --set strength="
        print(f"note: edges of what stands in front may look torn; {shorter} is cleaner.", file=sys.stderr)
    return Shot(lifted, lifted.camera, trajectory, lifted.distance, lifted.zoom, seconds)


# ---- render -----------------------------------------------------------------------------------------------------


def render(args: argparse.Namespace, sources: Sources, pipe: "MiragePipeline", shot: Shot) -> tuple["DoneEvent", int]:
    """Run the render, with a line on stderr for each chunk. Returns its last event and the number of chunks."""
    memory = sources.scene.memory if sources.scene else None
    num_chunks, last_chunk = 0, None
    for event in pipe.stream(
        shot.source,
        shot.trajectory,
        args.prompt,
        args.seed,
        memory,
        sources.depth,
        args.quality,
        args.focus,
        shot.zoom,
        alpha=args.alpha,
    ):
        chunk = getattr(event, "chunk", None)
        if chunk is not None and chunk != last_chunk:
            num_chunks, last_chunk = event.num_chunks, chunk
            print(f"chunk {chunk + 1} of {num_chunks}", file=sys.stderr, flush=True)
    return event, num_chunks


# ---- write ------------------------------------------------------------------------------------------------------


def write(args: argparse.Namespace, sources: Sources, shot: Shot, done: "DoneEvent") -> None:
    """The clip, and the scene where it is to be kept. A scene keeps the camera that it began with."""
    from pipelines.media.clips import write_mp4
    from pipelines.media.transparent import WRITERS
    from pipelines.memory.scene import Scene
    from pipelines.photo.cutout import cut_out

    frames, writer = done.frames, write_mp4
    if args.alpha:
        frames = cut_out(done.frames, done.alpha, done.backdrop)
        writer = WRITERS[args.out.suffix.lower()]
    writer(frames, args.out, shot.trajectory.fps, done.recipe, rate=rate_of(args, shot))
    if args.scene:
        camera = sources.scene.camera if sources.scene else shot.camera
        Scene(done.memory, camera, shot.distance).save(args.scene)


def rate_of(args: argparse.Namespace, shot: Shot) -> float:
    """Frames per second of the clip's file."""
    return args.fps or (shot.trajectory.fps if args.trajectory else NATIVE_FPS)

"""Options and readers that several subcommands share. No torch."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.cameras import Camera
from pipelines.cameras.formats import Imported, read_cameras
from pipelines.cameras.resampling import LEAST_SECONDS, PACES, USUAL_SECONDS, resampled
from pipelines.cameras.trajectory import NATIVE_FPS
from pipelines.loading import DEVICES, DTYPES

MILLIMETRES = (4, 1000)  # of lenses


def add_device_arguments(parser: argparse.ArgumentParser) -> None:
    """--device, --dtype, --profile and --first-block-cache: how a large model runs."""
    parser.add_argument("--device", choices=DEVICES, default="auto", help="auto: for large models the GPU if any")
    parser.add_argument("--dtype", choices=DTYPES, help="a large model's; default bfloat16 on a GPU, else float32")
    parser.add_argument(
        "--profile", help="how a large model fits into the GPU: auto (default), or a name of `info --profiles`"
    )
    parser.add_argument(
        "--first-block-cache",
        type=float,
        metavar="SHARE",
        help="with a profile: skip what changes less, 0.05 to 0.2",
    )


def device_values(args: argparse.Namespace) -> dict[str, Any]:
    """What `add_device_arguments` and --size gave, as `load_pipeline` takes it."""
    return {name: getattr(args, name) for name in ("device", "dtype", "profile", "size", "first_block_cache")}


SIZE = "HEIGHTxWIDTH"


def size(text: str) -> tuple[int, int]:
    """'288x512' -> (288, 512): height, width in pixels."""
    try:
        height, width = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} must be {SIZE} in pixels, for example 288x512") from error
    return height, width


def add_lens_arguments(parser: argparse.ArgumentParser, used: str) -> None:
    """--fov or --lens. used: what they are for, and what holds without them."""
    lens = parser.add_mutually_exclusive_group()
    lens.add_argument("--fov", type=float, metavar="DEGREES", help=f"across the long side, {used}")
    lens.add_argument("--lens", type=float, metavar="MM", help="the same as a focal length of full frame, such as 35")


def given_camera(args: argparse.Namespace, picture: tuple[int, int], height: int, width: int) -> Camera | None:
    """The camera of --fov or --lens for a clip of (height, width), None without them.

    picture: (width, height) of the photo. Raises ValueError for a lens that there is not.
    """
    from pipelines.photo.frame import frame_camera

    if args.lens is not None:
        low, high = MILLIMETRES
        if not low <= args.lens <= high:
            raise ValueError(f"--lens {args.lens:g} must be {low}..{high} mm of full frame. Use 35.")
        return frame_camera(picture, height, width, args.lens)
    return None if args.fov is None else frame_camera(picture, height, width, fov_degrees=args.fov)


def add_resampling_arguments(parser: argparse.ArgumentParser) -> None:
    """--resample and --pace: any number of cameras put onto any number of frames."""
    parser.add_argument(
        "--resample", type=int, metavar="N", help="cameras of a file put onto N frames, first and last as they are"
    )
    parser.add_argument(
        "--pace", choices=PACES, default="kept", help="with --resample: the file's own speed (kept), or equal steps"
    )


def read_cameras_with_warnings(
    source: Path,
    height: int | None,
    width: int | None,
    fps: float | None = None,
    fix: str | None = None,
    view: Camera | None = None,
    resample: int | None = None,
    pace: str = "kept",
) -> Imported:
    """`read_cameras`, whose doubts about the file and what it leaves out go to stderr; then `resampled`, if asked, to
    play at `fps`, the clip's own without one."""
    if resample is not None and fps is None:
        fps = NATIVE_FPS
    imported = read_cameras(source, height, width, fps, fix, view)
    if resample is not None:
        imported = replace(imported, trajectory=resampled(imported.trajectory, resample, pace))
    for warning in warnings_of(imported, resample):
        print(f"warning: {warning}", file=sys.stderr)
    return imported


def warnings_of(imported: Imported, resample: int | None = None) -> list[str]:
    """What was left out of a file of cameras, what is odd about it, and that it is short; resample: as it was asked."""
    found = [*imported.left_out, *(doubt.sentence for doubt in imported.doubts)]
    cameras = imported.trajectory
    if resample is None and cameras.seconds < LEAST_SECONDS:
        found.append(
            f"The {len(cameras)} cameras last {cameras.seconds:.2f} s at {cameras.fps:g} frames a second, which no "
            f"clip does: spread them over {USUAL_SECONDS:g} s with --resample {round(USUAL_SECONDS * NATIVE_FPS)}."
        )
    return found

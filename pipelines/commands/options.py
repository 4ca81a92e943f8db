"""Options and readers that several subcommands share. No torch."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.cameras import Camera
from pipelines.cameras.formats import Imported, read_cameras
from pipelines.cameras.resampling import PACES, resampled
from pipelines.cameras.trajectory import NATIVE_FPS
from pipelines.loading import DEVICES, DTYPES


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


def size(text: str) -> tuple[int, int]:
    """'288x512' -> (288, 512): height, width in pixels."""
    try:
        height, width = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} must be HEIGHTxWIDTH in pixels, for example 288x512") from error
    return height, width


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
    for warning in warnings_of(imported):
        print(f"warning: {warning}", file=sys.stderr)
    if resample is None:
        return imported
    return replace(imported, trajectory=resampled(imported.trajectory, resample, pace))


def warnings_of(imported: Imported) -> list[str]:
    return [*imported.left_out, *(doubt.sentence for doubt in imported.doubts)]

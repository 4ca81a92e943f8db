"""`python -m pipelines path`: cameras of one format into another, see docs/formats.md."""

import argparse
from pathlib import Path

from pipelines.cameras.formats import CORRECTIONS, DEFAULT_SIZE, FORMATS, write_cameras
from pipelines.commands.options import (
    SIZE,
    add_lens_arguments,
    add_resampling_arguments,
    given_camera,
    read_cameras_with_warnings,
    size,
    warnings_of,
)

HELP = "cameras of one format into another, see docs/formats.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="IN", type=Path, help="file or folder of any of the formats, or an editable path"
    )
    parser.add_argument("--to", choices=FORMATS, default="json", help="the format to write (default json)")
    parser.add_argument(
        "--out", type=Path, help="the file, or the folder for formats of several files; if left out nothing is written"
    )
    parser.add_argument("--size", type=size, metavar=SIZE, help="pixels; the file's own, where it tells any")
    add_lens_arguments(parser, "for cameras that tell no lens")
    parser.add_argument("--fps", type=float, help="frames per second; the file's own, where it tells any")
    parser.add_argument("--fix", choices=CORRECTIONS, help="read it as written in the convention that a warning names")
    add_resampling_arguments(parser)


def run(args: argparse.Namespace) -> dict:
    """Convert the cameras. Returns the convention they were read in, their number and size, and what was written."""
    height, width = args.size or (None, None)
    frame = args.size or DEFAULT_SIZE
    view = given_camera(args, frame[::-1], *frame)
    imported = read_cameras_with_warnings(
        args.source, height, width, args.fps, args.fix, view, args.resample, args.pace
    )
    written = [] if args.out is None else write_cameras(imported.trajectory, args.to, args.out)
    return {
        "convention": imported.convention,
        "cameras": len(imported.trajectory),
        "height": imported.trajectory.height,
        "width": imported.trajectory.width,
        "fps": imported.trajectory.fps,
        "warnings": warnings_of(imported, args.resample),
        "written": [str(file) for file in written],
    }

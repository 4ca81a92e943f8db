"""`python -m pipelines path`: cameras of one format into another, see docs/formats.md."""

import argparse
from pathlib import Path

from pipelines.cameras.formats import CORRECTIONS, FORMATS, write_cameras
from pipelines.commands.options import read_cameras_with_warnings, size

HELP = "cameras of one format into another, see docs/formats.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="IN", type=Path, help="file or folder of any of the formats, or an editable path"
    )
    parser.add_argument("--to", required=True, choices=FORMATS, help="the format to write")
    parser.add_argument("--out", type=Path, required=True, help="the file, or the folder for formats of several files")
    parser.add_argument("--size", type=size, metavar="HxW", help="pixels; the file's own, where it tells any")
    parser.add_argument("--fps", type=float, help="frames per second; the file's own, where it tells any")
    parser.add_argument("--fix", choices=CORRECTIONS, help="read it as written in the convention that a warning names")


def run(args: argparse.Namespace) -> dict:
    """Convert the cameras. Returns the convention they were read in, their number and size, and what was written."""
    height, width = args.size or (None, None)
    imported = read_cameras_with_warnings(args.source, height, width, args.fps, args.fix)
    written = write_cameras(imported.trajectory, args.to, args.out)
    return {
        "convention": imported.convention,
        "cameras": len(imported.trajectory),
        "height": imported.trajectory.height,
        "width": imported.trajectory.width,
        "fps": imported.trajectory.fps,
        "warnings": [doubt.sentence for doubt in imported.doubts],
        "written": [str(file) for file in written],
    }

"""`python -m pipelines evaluate`: what a model is worth, in numbers. See docs/evaluation.md.

    python -m pipelines evaluate --suite rooms [--scenes 12 --frames 33 --size 144x256]
    python -m pipelines evaluate --suite rgbd --data DIR
    python -m pipelines evaluate --suite loop --photos DIR [--sheet sheet.png]

Progress goes to stderr, one JSON line with the summary to stdout, the whole report to --out.
"""

import argparse
import importlib
import json
import time
from pathlib import Path

from pipelines.cameras import checked_frames
from pipelines.commands.options import add_device_arguments, device_values, size
from pipelines.evaluation.baselines import BASELINES
from pipelines.files import atomic_write
from pipelines.loading import load_pipeline

HELP = "measure the engine against truth and baselines"
SUITES = ("rooms", "rgbd", "loop")  # each a module of pipelines/evaluation/ with `evaluate(pipe, args) -> dict`


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--suite", choices=SUITES, required=True, help="what to measure")
    parser.add_argument("--model", default="embedded", help="'embedded' or a folder in the diffusers layout")
    add_device_arguments(parser)
    parser.add_argument("--depth-model", metavar="NAME", help="what estimates depth, see docs/depth.md")
    parser.add_argument("--baseline", action="append", choices=BASELINES, help="repeatable; default: all of the suite")
    parser.add_argument("--out", type=Path, help="the whole report as JSON")
    parser.add_argument("--seed", type=int, default=0, help="of what is invented")
    parser.add_argument("--frames", type=int, default=33, help="rooms, loop: frames of a clip, an odd number")
    parser.add_argument("--size", type=size, help="HEIGHTxWIDTH; default: rooms 144x256, loop 288x512")
    parser.add_argument("--scenes", type=int, default=12, help="rooms: how many held-out scenes")
    parser.add_argument(
        "--length", choices=("gentle", "capped", "whole"), default="capped", help="rooms: see docs/evaluation.md"
    )
    parser.add_argument("--depth-error", type=float, action="append", help="rooms: a row with depth so far off: 0.02")
    parser.add_argument("--data", type=Path, help="rgbd: folder of RGB-D sequences")
    parser.add_argument("--pairs", type=int, default=4, help="rgbd: pairs per sequence and gap")
    parser.add_argument("--photos", type=Path, help="loop: folder of photos")
    parser.add_argument("--sheet", type=Path, help="loop: contact sheet for people, PNG")


def run(args: argparse.Namespace) -> dict:
    """Measure, and write the whole report to --out. Returns the report without its details.

    Raises ValueError for arguments that do not fit, before any weights load.
    """
    if checked_frames(args.frames) % 2 == 0:
        raise ValueError(f"--frames {args.frames} must be odd: as many go out as come back. Use {args.frames + 1}.")
    if args.scenes < 1 or args.pairs < 1:
        raise ValueError(f"scenes={args.scenes} and pairs={args.pairs} must be at least 1.")
    for suite, option, folder in (("rgbd", "data", args.data), ("loop", "photos", args.photos)):
        if args.suite == suite and (folder is None or not folder.is_dir()):
            raise ValueError(f"The suite {suite} needs --{option} FOLDER, got {folder}.")
    options = {"depth": args.depth_model} if args.depth_model else {}
    pipe = load_pipeline(args.model, **device_values(args), **options)
    started = time.perf_counter()
    report = importlib.import_module(f"pipelines.evaluation.{args.suite}").evaluate(pipe, args)
    report = {
        "suite": args.suite,
        "model": args.model,
        **({"depth_model": args.depth_model} if args.depth_model else {}),
        **report,
        "seconds": round(time.perf_counter() - started, 1),
    }
    if args.out is not None:
        with atomic_write(args.out) as temporary:
            temporary.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return {name: value for name, value in report.items() if name != "details"}

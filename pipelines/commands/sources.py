"""What `render` is to make a clip from: files and options, read and checked before a model loads."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.commands.picture import read_photo, warn_of_turned_size
from pipelines.files import check_output
from pipelines.large.families import FewSteps
from pipelines.loading import parse_few_steps, parse_values

if TYPE_CHECKING:
    from PIL import Image

    from pipelines.memory.scene import Scene


@dataclass(frozen=True)
class Sources:
    """What a clip is made from. photo: None to go on in the scene alone. scene: None where a new place begins.

    focal_35mm: the photo's, None where nobody knows it. depth: (H, W) float32, the photo's z-depth in scene units, 0 =
    unknown; None: it is estimated. params: of the move.
    """

    photo: "Image.Image | None"
    focal_35mm: float | None
    scene: "Scene | None"
    depth: np.ndarray | None
    params: dict[str, Any]
    few_steps: FewSteps | None


def read_sources(args: argparse.Namespace) -> Sources:
    """Raises ValueError for a file that cannot be read, and for outputs that could not be written."""
    from pipelines.media.transparent import WRITERS
    from pipelines.memory.scene import Scene

    if args.resample is not None and not args.trajectory:
        raise ValueError(
            "--resample puts the cameras of a file onto a clip, and there is none. Give --trajectory FILE."
        )
    photo, focal_35mm = read_photo(args)
    if photo is not None:
        warn_of_turned_size(photo.size, *args.size)
    scene = Scene.load(args.scene) if args.scene and args.scene.exists() else None
    if photo is None and scene is None:
        raise ValueError("There is no photo to render. Give its path, or --scene with a scene that exists.")
    if args.depth and photo is None:
        raise ValueError("--depth is of a photo, and there is none. Give the photo, or leave it out.")
    depth = read_depth(args.depth, args.depth_scale) if args.depth else None
    params = parse_values("--set", args.set)
    few_steps = read_few_steps(args)
    if args.trajectory and params:
        raise ValueError("--set is for moves; a file of cameras has no parameters. Leave it out.")
    if args.trajectory and (args.seconds or args.frames):
        raise ValueError("--seconds and --frames are for moves; a file of cameras has its own length. Leave them out.")
    is_clear = args.out.suffix.lower() in WRITERS
    if args.alpha and not is_clear:
        raise ValueError(
            f"--out {args.out.name} cannot be transparent. Name it .webm (VP9), or .zip for numbered PNGs, or leave "
            "--alpha out."
        )
    if is_clear and not args.alpha:
        raise ValueError(f"--out {args.out.name} is of a transparent clip. Name it .mp4, or add --alpha.")
    for out in filter(None, (args.out, args.report)):
        check_output(out)
    return Sources(photo, focal_35mm, scene, depth, params, few_steps)


def read_depth(path: Path, scale: float) -> np.ndarray:
    """16-bit grey PNG -> z-depth (H, W) float32 in scene units, of which `scale` steps of the PNG make one."""
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


def read_few_steps(args: argparse.Namespace) -> FewSteps | None:
    if args.few_step_lora is not None:
        return parse_few_steps(args.few_step_lora, "--few-step", args.few_step)
    if args.few_step:
        raise ValueError("--few-step says how a LoRA is sampled, and there is none. Give --few-step-lora FILE.")
    return None

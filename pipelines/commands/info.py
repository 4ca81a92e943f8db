"""`python -m pipelines info`: what a scene folder, a saved memory, a clip or a model holds."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cameras import Trajectory
from pipelines.cameras.formats import read_cameras, save_cameras
from pipelines.commands.options import add_device_arguments
from pipelines.files import check_output
from pipelines.loading import load_pipeline
from pipelines.pictures import save_picture

if TYPE_CHECKING:
    from pipelines.memory import LatentMemory
    from pipelines.memory.scene import Scene

HELP = "what a scene folder, a saved memory, a clip or a model holds"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path",
        type=Path,
        nargs="?",
        help="with --profiles and --licences: a model, as --model of render; --profiles alone: the released ones",
    )
    about = parser.add_mutually_exclusive_group()
    about.add_argument("--profiles", action="store_true", help="how a large model may run, and what each way needs")
    about.add_argument("--licences", action="store_true", help="terms of every weight that the model uses")
    parser.add_argument("--depth-model", metavar="NAME", default="embedded", help="with --licences, as of render")
    parser.add_argument("--top-view", type=Path, metavar="PNG", help="draw a map of the place and its cameras")
    parser.add_argument(
        "--clip", type=Path, help="a clip of the scene, or cameras in any format, whose way the map shows"
    )
    parser.add_argument("--ply", type=Path, help="write the points as a PLY cloud, with colours")
    parser.add_argument("--cameras", type=Path, metavar="FOLDER", help="write the cameras for nerfstudio and COLMAP")
    parser.add_argument("--model", default="embedded", help="what made the scene, for its colours (default embedded)")
    add_device_arguments(parser)


def run(args: argparse.Namespace) -> dict:
    """Tell what is at the path, and write what is asked of a scene or a memory."""
    if args.path is None and not args.profiles:
        raise ValueError("There is nothing to tell about. Give a scene folder, a saved memory, a clip or a model.")
    if args.licences:
        return licences_of_model(args)
    if args.profiles:
        return profiles_of_model(args)
    if not args.path.exists():
        raise ValueError(f"{args.path} does not exist. Give a scene folder, a saved memory or a clip.")
    if args.path.suffix.lower() == ".mp4":
        return recipe_of_clip(args)
    return report_of_memory(args)


# ---- a model ----------------------------------------------------------------------------------------------------


def licences_of_model(args: argparse.Namespace) -> dict:
    """A table for people goes to stderr; the same is returned."""
    from pipelines.weights import licences

    card = licences.card_of(str(args.path), args.depth_model)
    print(licences.as_table(card), file=sys.stderr)
    return {"weights": card}


def profiles_of_model(args: argparse.Namespace) -> dict:
    """A table for people goes to stderr; the same is returned."""
    from pipelines.large import profile_table

    rows = profile_table.table(args.path)
    print(profile_table.as_table(rows), file=sys.stderr)
    return {"profiles": rows}


# ---- a clip -----------------------------------------------------------------------------------------------------


def recipe_of_clip(args: argparse.Namespace) -> dict:
    from pipelines.media.clips import read_recipe

    if args.top_view or args.ply or args.cameras:
        raise ValueError(f"{args.path.name} is a clip and holds no points. Give the folder of its scene.")
    recipe = read_recipe(args.path)
    if recipe is None:
        raise ValueError(f"{args.path.name} carries no recipe. Only clips rendered here do.")
    return recipe


def trajectory_of_clip(path: Path) -> Trajectory:
    """The cameras of a clip rendered here, or of a file in any format that `python -m pipelines path` reads."""
    from pipelines.media.clips import read_recipe

    if path.suffix.lower() != ".mp4":
        return read_cameras(path).trajectory
    if not path.is_file():
        raise ValueError(f"--clip {path} does not exist. Give a clip, or cameras.")
    recipe = read_recipe(path) or {}
    if "trajectory" not in recipe:
        raise ValueError(f"{path.name} carries no recipe. Only clips rendered here do.")
    return Trajectory.from_dict(recipe["trajectory"])


# ---- a scene or a memory ----------------------------------------------------------------------------------------


def report_of_memory(args: argparse.Namespace) -> dict:
    """What a scene folder or a saved memory holds; its map, points and cameras are written where they are to go."""
    from pipelines.memory import LatentMemory
    from pipelines.memory.scene import Scene

    check_outputs(args)
    if args.path.is_file() and args.path.suffix.lower() != ".safetensors":
        raise ValueError(f"{args.path.name} is none of these: a scene folder, a memory (.safetensors), a clip (.mp4).")
    path = trajectory_of_clip(args.clip) if args.clip else None
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
        draw(args, memory, scene, path)
    return report


def check_outputs(args: argparse.Namespace) -> None:
    for out in filter(None, (args.top_view, args.ply, args.cameras)):
        check_output(out, is_folder=out is args.cameras)
    if args.top_view and args.top_view.suffix.lower() != ".png":
        raise ValueError(f"--top-view {args.top_view.name} must end in .png. Rename it.")


def draw(args: argparse.Namespace, memory: "LatentMemory", scene: "Scene | None", path: Trajectory | None) -> None:
    """Write the point cloud and the map, in the colours that the model gives the memory's tokens."""
    from pipelines.memory.top_view import colors_of, top_view

    how = args.device, args.dtype, args.profile
    pipe = load_pipeline(args.model, *how, first_block_cache=args.first_block_cache)
    colors = colors_of(memory, pipe.engine)
    if colors is None:
        print(f"note: {args.model} cannot read these tokens, so there are no colours.", file=sys.stderr)
    if args.ply:
        memory.to_ply(args.ply, colors)
    if args.top_view:
        subject = {"camera": scene.camera, "distance": scene.distance} if scene else {}
        picture = top_view(memory, colors, path=path, title=args.path.resolve().name, **subject)
        save_picture(picture, args.top_view)

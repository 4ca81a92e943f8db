"""The photo of `render`: what of the picture is used, and warnings about what is found in it."""

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


def direction(text: str) -> tuple[float, float]:
    """'120' or '120,-10' -> degrees to the right, degrees up."""
    try:
        yaw, pitch = (float(part) for part in (text.split(",") if "," in text else (text, "0")))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be YAW or YAW,PITCH in degrees, for example 120,-10"
        ) from error
    return yaw, pitch


def read_photo(args: argparse.Namespace) -> "tuple[Image.Image | None, float | None]":
    """The photo as --cut-bars or --flatten makes it, and its focal length in 35 mm terms; None where there is none.

    What would better be cut or flattened is said on stderr.
    """
    from pipelines.photo.picture import open_picture

    changed = "--cut-bars" if args.cut_bars else "--flatten" if args.flatten is not None else None
    if args.photo is None:
        if changed:
            raise ValueError(f"{changed} is about a photo, and there is none. Give its path.")
        return None, None
    if changed and args.depth:
        raise ValueError(f"--depth is of the whole picture, {changed} is not. Leave one of them out.")
    if args.flatten is not None and (args.fov is not None or args.lens is not None):
        raise ValueError("--fov and --lens are not needed: the lens of a flat view is known. Leave it out.")
    picture = open_picture(args.photo)
    for remark in picture.remarks:
        print(f"note: {remark}", file=sys.stderr)
    if args.cut_bars:
        picture = picture.without_bars()
    elif args.flatten is not None:
        picture = picture.flat_view(*args.flatten)
    if picture.bars is not None:
        sides = " and ".join(filter(None, (", ".join(picture.bars.sides[:-1]), picture.bars.sides[-1])))
        warn(f"there are bars at the {sides} of the picture, which would tilt and tear. Cut them with --cut-bars.")
    if picture.panorama is not None:
        warn("this is a 360 degree panorama, in which straight lines are bent. Use a flat view: --flatten YAW[,PITCH].")
    return picture.image, picture.focal_35mm


def warn_of_turned_size(size: tuple[int, int], height: int, width: int) -> None:
    """Say on stderr where a wide photo of (width, height) becomes an upright clip, or the other way round."""
    across, down = size
    if (across - down) * (width - height) < 0:
        photo, clip = ("a wide", "an upright") if across > down else ("an upright", "a wide")
        warn(
            f"--size is HEIGHTxWIDTH: {height}x{width} makes {clip} clip of {photo} photo. "
            f"For {photo} one use --size {width}x{height}."
        )


def warn_of_few_pixels(size: tuple[int, int], height: int, width: int, zoom: float) -> None:
    """Say on stderr where a photo of (width, height) is too small for a clip of (height, width)."""
    from pipelines.photo.frame import MAX_ENLARGED, frame_size, is_soft

    if is_soft(size, height, width, zoom):
        across, down = frame_size(size, height, width, zoom)
        fits = [max(64, int(side * MAX_ENLARGED) // 2 * 2) for side in (down, across)]
        warn(
            f"the photo has {across}x{down} pixels in this frame, the clip {width}x{height}: it will look soft. "
            f"Use a larger version of it, or --size {fits[0]}x{fits[1]}."
        )


def warn(sentence: str) -> None:
    print(f"warning: {sentence}", file=sys.stderr)

"""A photo comes in: an upload or an example; how it is cropped and shown, and the same photo seen in 3D."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pipelines.cameras import Camera
from pipelines.errors import Sentence
from pipelines.media.clips import write_poster
from pipelines.media.photos import open_photo, read_focal
from pipelines.photo import frame
from studio import uploads
from studio.download import sheet
from studio.handlers.answers import Answer, explains, refuse_while_busy, stage
from studio.handlers.meter import meter
from studio.order import Inputs, Order, presets
from studio.pictures import examples
from studio.session import Session
from studio.sizes import clip_size, large_size
from studio.words import Refusal
from studio.workbench import Workbench

if TYPE_CHECKING:
    from pipelines.photo.lifted import Lifted  # brings torch

UNKNOWN_PHOTO = (9, 16)  # (height, width): the shape that is assumed before there is one


@explains
def take_photo(workbench: Workbench, session: Session, language: str, inputs: Inputs, event) -> Iterator[Answer]:
    """A photo was uploaded. event: {path}, where the upload route put it."""
    path = event.get("path") if isinstance(event, dict) else None
    if not uploads.is_upload(path):
        raise Refusal("not_an_upload")
    # GPS and the rest of the original must not stay on the disk longer than it takes to read it
    try:
        refuse_while_busy(session)
        photo = read(path)
    finally:
        uploads.discard(path)
    yield from show_new_photo(workbench, session, language, inputs, *photo)


@explains
def take_example(workbench: Workbench, session: Session, language: str, inputs: Inputs, event) -> Iterator[Answer]:
    """One of the studio's own photos was chosen. event: {id}."""
    refuse_while_busy(session)
    example = event.get("id") if isinstance(event, dict) else None
    if not isinstance(example, str) or example not in examples():
        raise Refusal("bad_value", name="example", value=f"{example!r:.40}", allowed=tuple(examples()))
    yield from show_new_photo(workbench, session, language, inputs, *read(examples()[example]))


def read(path: str | Path) -> tuple[Image.Image, float | None, tuple[Sentence, ...]]:
    """A file's photo, its focal length, and what is to be said of how it was read. Raises PhotoError."""
    remarks: list[Sentence] = []
    return open_photo(path, remarks.append), read_focal(path), tuple(remarks)


def show_new_photo(
    workbench: Workbench,
    session: Session,
    language: str,
    inputs: Inputs,
    photo: Image.Image,
    focal_35mm: float | None,
    remarks: tuple[Sentence, ...],
) -> Iterator[Answer]:
    order = framing_of(workbench, Inputs(ratio=inputs.ratio, focus=inputs.focus))
    session.set_photo(photo, focal_35mm, remarks)
    show_photo(workbench, session, order)
    yield {"stage": stage(session), **meter(session, language), **sheet(session.clip, language)}


def framing_of(workbench: Workbench, inputs: Inputs) -> Order:
    """Format, crop, closeness and depth of the inputs, whatever move is chosen. Raises Refusal."""
    return Order.read(replace(inputs, preset=next(iter(presets())), path=None), workbench.native_fps)


def size_of(workbench: Workbench, session: Session, order: Order, quality: str = "draft") -> tuple[int, int]:
    """(height, width) of a clip of this photo; a 16:9 photo is assumed where there is none yet."""
    photo_size = UNKNOWN_PHOTO if session.photo is None else (session.photo.height, session.photo.width)
    if workbench.own_size is None:
        return clip_size(order.ratio, quality, photo_size)
    return large_size(order.ratio, quality, photo_size, workbench.own_size, workbench.grid)


def show_photo(workbench: Workbench, session: Session, order: Order) -> None:
    """The stage shows the photo as it will be cropped."""
    height, width = size_of(workbench, session, order, "standard")
    file = session.new_file(".jpg")
    picture = frame.crop(session.photo, height, width, order.focus, order.zoom)
    write_poster(np.asarray(picture), file)
    session.show("photo", file, picture.height, picture.width)


def lift(workbench: Workbench, session: Session, order: Order, size: tuple[int, int] | None = None) -> "Lifted":
    """The photo in 3D, in the order's framing. size: (height, width) of a clip; that of a preview if None."""
    photo, lifts = session.photo, session.lifts  # a new photo may come in meanwhile
    height, width = size or size_of(workbench, session, order)
    camera, estimator = camera_of(session, order, height, width), workbench.estimator(order.depth)

    def make(like: "Lifted | None") -> "Lifted":
        framing = {"camera": camera, "focus": order.focus, "zoom": order.zoom}
        return workbench.pipe.lift(photo, height, width, **framing, estimator=estimator, like=like)

    key = order.depth, (height, width), (order.focus, order.zoom)
    if size is None:
        return lifts.get(*key, make)
    workbench.keep_large_of(lifts)
    return lifts.get_large(*key, make)


def camera_of(session: Session, order: Order, height: int, width: int) -> Camera:
    """The photo's camera, which sees the order's frame of it on a (height, width) grid."""
    return frame.frame_camera(session.photo.size, height, width, session.focal_35mm, zoom=order.zoom)

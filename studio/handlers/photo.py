"""A photo comes in: an upload or an example; how it is cropped and shown, and the same photo seen in 3D."""

from collections.abc import Iterator
from dataclasses import astuple, replace
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np

from pipelines.cameras import Camera
from pipelines.media.clips import write_poster
from pipelines.photo import frame
from pipelines.photo.panorama import PITCH, YAW
from pipelines.photo.picture import Picture, open_picture
from studio import uploads
from studio.download import sheet
from studio.handlers.answers import Answer, explains, refuse_while_busy, stage
from studio.handlers.found import found
from studio.handlers.meter import meter
from studio.order import Inputs, Order, number_in, presets
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
        picture = open_picture(path)
    finally:
        uploads.discard(path)
    yield from show_new_photo(workbench, session, language, inputs, picture)


@explains
def take_example(workbench: Workbench, session: Session, language: str, inputs: Inputs, event) -> Iterator[Answer]:
    """One of the studio's own photos was chosen. event: {id}."""
    refuse_while_busy(session)
    example = event.get("id") if isinstance(event, dict) else None
    if not isinstance(example, str) or example not in examples():
        raise Refusal("bad_value", name="example", value=f"{example!r:.40}", allowed=tuple(examples()))
    path = examples()[example]
    yield from show_new_photo(workbench, session, language, inputs, open_picture(path))


def show_new_photo(
    workbench: Workbench, session: Session, language: str, inputs: Inputs, picture: Picture, how: dict | None = None
) -> Iterator[Answer]:
    """A picture that came, as the photo; or what was made of the one that is there. how: see `Session.used`."""
    order = framing_of(workbench, Inputs(ratio=inputs.ratio, focus=inputs.focus))
    with session.lock:
        refuse_while_busy(session)  # again: reading a picture takes a while
        if how is None:
            session.bring(picture)
        else:
            session.use(picture, how)
    show_photo(workbench, session, order)
    shown = {"stage": stage(session), **meter(session, language), **sheet(session.clip, language)}
    hidden = {"alpha": gr.update(visible=False, value="off")}  # until its backdrop is known
    yield shown | found(session, language) | hidden | {"zoom": 100}  # a place shows no more than the photo


@explains
def use_or_undo(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """The button beside what was found in the picture: bars are cut away, a panorama is seen flat; or it is as it came
    again."""
    refuse_while_busy(session)
    if session.picture is None:
        raise Refusal("need_photo")
    if session.used:
        made, how = session.picture, {}
    elif session.picture.panorama is not None:
        made, how = session.picture.flat_view(0, 0), {"yaw": 0, "pitch": 0}
    else:
        made = session.picture.without_bars()
        how = {"cut_bars": list(astuple(session.picture.bars))}
    yield from show_new_photo(workbench, session, language, inputs, made, how)


@explains
def turn_view(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """The flat view of a panorama looks elsewhere."""
    refuse_while_busy(session)
    yaw, pitch = number_in("yaw", inputs.yaw, *YAW), number_in("pitch", inputs.pitch, *PITCH)
    if session.picture is None:
        raise Refusal("need_photo")
    made = session.picture.flat_view(yaw, pitch)
    for answer in show_new_photo(workbench, session, language, inputs, made, {"yaw": yaw, "pitch": pitch}):
        yield {name: value for name, value in answer.items() if name not in ("yaw", "pitch")}


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

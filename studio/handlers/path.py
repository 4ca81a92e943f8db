"""A path of one's own: the editor opens on the lifted photo, shows what is wrong with the path, and mends it."""

import functools
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np

from pipelines.cameras import Trajectory, checks, repairs
from pipelines.cameras.path import Path as CameraPath
from pipelines.cameras.trajectory import NATIVE_FPS
from studio import uploads
from studio.drawn import DRAWN, drawn_path, with_lens
from studio.editor.opening import FIXES, opened
from studio.editor.place import describe
from studio.editor.review import findings
from studio.handlers.answers import Answer, explains, stage, turn
from studio.handlers.clip import estimate
from studio.handlers.move import settings_of_drawn, settle
from studio.handlers.photo import framing_of, lift, show_photo, size_of
from studio.handlers.turns import in_turn
from studio.order import Inputs, Order, one_of
from studio.session import Session
from studio.words import Refusal, say
from studio.workbench import Workbench

if TYPE_CHECKING:
    from pipelines.photo.lifted import Lifted  # brings torch

reviews = functools.partial(in_turn, sequence="review")


# -- the editor comes in front --------------------------------------------------------------------------------------


def open_editor(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """The editor comes in front of the picture, with the photo as a place and a review of the path it holds."""
    framing = framing_of(workbench, inputs)
    show_photo(workbench, session, framing)
    session.drawing = True
    yield {"stage": stage(session, note=say(language, "lifting"))}
    lifted = enter(workbench, session, framing)
    yield {"stage": stage(session), "path": gr.update(place=session.place, **review(lifted, language, inputs))}


def enter(workbench: Workbench, session: Session, framing: Order) -> "Lifted":
    """The lifted photo; `session.place` then is what the editor needs to show it."""
    lifted = lift(workbench, session, framing)
    estimator = workbench.estimator(framing.depth) or workbench.pipe.engine.depth_estimator
    # most estimators are relative: they know no metres
    is_metric = bool(getattr(estimator, "is_metric", False))

    def make(file: Path) -> dict:
        return describe(file, lifted, framing.seconds, is_metric)

    size = size_of(workbench, session, framing)
    session.set_place((framing.ratio, framing.focus, framing.zoom, size, framing.depth), make)
    return lifted


@explains
@in_turn
def edit_path(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """From the picture to the editor: a move of the gallery comes along as keys, a drawn path is there already."""
    if session.photo is None:
        raise Refusal("need_photo")
    if inputs.preset == DRAWN:
        yield from open_editor(workbench, session, language, inputs)
        return
    inputs, order = yield from settle(workbench, session, language, inputs)
    lifted = enter(workbench, session, order)
    path = CameraPath.from_trajectory(order.trajectory(lifted.camera, lifted.distance))
    session.drawing = True
    yield {
        "stage": stage(session),
        "preset": DRAWN,
        **settings_of_drawn(language),
        "path": gr.update(value=path.to_dict(), place=session.place),
    }


# -- the path changed -----------------------------------------------------------------------------------------------


def edited(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Answer:
    """The path changed: what can be said at once."""
    try:
        drawn_path(inputs.path)
    except Refusal as error:
        notice = {} if error.key == "need_path" else {"notice": error.said_in(language), "turn": next(turn)}
        return {"path": gr.update(review=notice), "estimate": escape(error.said_in(language))}
    # what is wrong with it the page knows already, see editor.review.quick_check
    return estimate(workbench, session, language, inputs)


@explains
@reviews
def check_path(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """The path changed: how much of it the photo backs, and what should be better."""
    if session.photo is None or inputs.preset != DRAWN or inputs.path is None:
        yield {}
        return
    lifted = enter(workbench, session, framing_of(workbench, inputs))
    yield {"path": gr.update(**review(lifted, language, inputs))}


def review(lifted: "Lifted", language: str, inputs: Inputs) -> dict:
    """What the editor shows about the path it holds; nothing where that is none."""
    from pipelines.photo.outlook import look  # brings torch

    try:
        order = Order.read(replace(inputs, fps=NATIVE_FPS))  # in which the editor counts
    except Refusal:
        return {"review": {}}
    trajectory = order.trajectory(lifted.camera, lifted.distance)
    seen = look(lifted.memory, trajectory, lifted)
    found = checks.check_path(trajectory, lifted.distance, lifted.depth, lifted.camera, seen, order.path)
    good = {"level": "good", "words": say(language, "found_good", percent=int(100 * seen.coverage.min()))}
    return {
        "review": {
            "coverage": np.round(seen.coverage, 3).tolist(),
            "findings": findings(found, language) or [good],
            "turn": next(turn),
            "of": inputs.path if isinstance(inputs.path, str) else None,
        }
    }


@explains
@in_turn
def repair_path(workbench: Workbench, session: Session, language: str, inputs: Inputs, event) -> Iterator[Answer]:
    """The path after the repair that was chosen. The editor then has it reviewed as any other edit. event: {repair}."""
    from pipelines.photo.outlook import look  # brings torch

    if session.photo is None:
        raise Refusal("need_photo")
    repair = one_of("repair", event.get("repair") if isinstance(event, dict) else None, repairs.REPAIRS)
    path = drawn_path(inputs.path)
    yield {"stage": stage(session, note=say(language, "mending"))}
    lifted = enter(workbench, session, framing_of(workbench, inputs))

    def seen(trajectory: Trajectory) -> checks.Outlook:
        return look(lifted.memory, trajectory, lifted)

    scene = lifted.camera, lifted.distance, lifted.depth
    path = repairs.repaired(with_lens(path, lifted.camera), repair, *scene, seen)
    yield {"stage": stage(session), "path": gr.update(value=path.to_dict())}


# -- a path comes in ------------------------------------------------------------------------------------------------


def pasted(workbench: Workbench, session: Session, language: str, inputs: Inputs, event) -> Answer:
    """A path as text came in. event: {text}."""
    try:
        path = drawn_path(event.get("text") if isinstance(event, dict) else None)
    except Refusal as error:
        return {"path": gr.update(review={"notice": error.said_in(language), "turn": next(turn)})}
    return {"path": gr.update(value=path.to_dict())}


@explains
@in_turn
def take_cameras(workbench: Workbench, session: Session, language: str, inputs: Inputs, event) -> Iterator[Answer]:
    """Files with cameras were uploaded: their path, carried to the photo's camera and lens.

    event: {paths, fix}: where the upload route put them, and how to read them, of `opening.FIXES` or None.
    """
    if session.photo is None:
        raise Refusal("need_photo")
    event = event if isinstance(event, dict) else {}
    files, fix = event.get("paths"), event.get("fix")
    if not isinstance(files, list) or not files or not all(uploads.is_upload(file) for file in files):
        raise Refusal("not_an_upload")
    try:
        lifted = enter(workbench, session, framing_of(workbench, inputs))
        fix = None if fix is None else one_of("fix", fix, FIXES)
        path, notice, fixes = opened(files, lifted.camera, language, fix)
    finally:
        for file in files:
            uploads.discard(file)
    value = {} if path is None else {"value": path.to_dict()}
    reading = {"notice": notice, "fixes": fixes, "turn": next(turn)}
    yield {"stage": stage(session), "path": gr.update(review=reading, **value)}

"""The preview: the move on the photo itself, with what it would uncover, before anything is invented."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import gradio as gr

from pipelines.cameras import Trajectory
from pipelines.cameras.speed import excess_speed
from pipelines.limits import SLACK
from pipelines.media.clips import write_mp4
from studio.drawn import DRAWN
from studio.handlers.answers import Answer, explains, stage
from studio.handlers.meter import meter
from studio.handlers.move import settle
from studio.handlers.path import open_editor
from studio.handlers.photo import framing_of, lift, show_photo, size_of
from studio.handlers.turns import looks
from studio.order import SECONDS, Inputs, Order, presets
from studio.session import Measured, Session
from studio.words import Refusal, say
from studio.workbench import Workbench

if TYPE_CHECKING:
    from pipelines.photo.lifted import Lifted  # brings torch

PREVIEW_FRAMES = 33
DRAWN_FRAMES = 25  # of a drawn path: who draws looks again and again, and sees it smooth in the editor
SHORTER = 0.95  # of its strength, at most, is left of a move that is shortened


@explains
@looks
def look(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """Photo, move, format, length or crop changed: the preview follows; without a move only the crop does."""
    if session.photo is None:
        yield {}  # the photo was refused: nothing to frame
    elif inputs.preset == DRAWN:
        yield from open_editor(workbench, session, language, inputs)
    elif session.looked_at == what_is_seen(session, inputs):
        yield {}  # another photo was refused: why stays to be read
    elif inputs.preset is None:
        show_photo(workbench, session, framing_of(workbench, inputs))
        session.looked_at = what_is_seen(session, inputs)
        yield {"stage": stage(session)}
    else:
        yield from settle_and_draw(workbench, session, language, inputs)


def what_is_seen(session: Session, inputs: Inputs) -> tuple:
    """What a picture on the stage depends on: the photo, and what the widgets hold of the move and its framing."""
    start = Inputs()
    return session.photo_id, replace(
        inputs, quality=start.quality, seed=start.seed, prompt=start.prompt, alpha=start.alpha
    )


@explains
def look_as_set(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """Strength or closeness was set by hand: it stays as it is, and the preview follows."""
    by_hand = {"picked": inputs.preset, "suited": inputs.choice(session.photo_id)}
    if inputs.preset in presets():
        yield by_hand
    yield from look(workbench, session, language, replace(inputs, **by_hand))


@explains
@looks
def preview(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """The move on the lifted photo, without inventing anything: a few seconds, and what it would uncover."""
    if session.photo is None:
        raise Refusal("need_photo")
    yield from settle_and_draw(workbench, session, language, inputs)


@explains
@looks
def shorten(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """The strongest path of the same kind, shorter than this one, that suits the photo."""
    from pipelines.photo.strength import gentle_strength  # brings torch

    if session.photo is None:
        raise Refusal("need_photo")
    inputs, order = yield from settle(workbench, session, language, inputs)
    lifted = lift(workbench, session, order)
    yield {"stage": stage(session, note=say(language, "drawing_preview"))}

    def path(strength: float):
        return replace(order, strength=strength).trajectory(lifted.camera, lifted.distance)

    strength = round(100 * gentle_strength(lifted, path, at_most=SHORTER * order.strength))
    inputs = replace(inputs, strength=strength)
    yield {"strength": strength}
    yield from draw(workbench, session, language, inputs, Order.read(inputs, workbench.native_fps))


def settle_and_draw(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """The choice finished, then its preview. Raises Refusal before anything is shown."""
    before = Order.read(inputs, workbench.native_fps)
    show_photo(workbench, session, before)
    yield {"stage": stage(session, note=say(language, "lifting"))}
    inputs, order = yield from settle(workbench, session, language, inputs)
    if order.zoom != before.zoom:
        show_photo(workbench, session, order)
        yield {"stage": stage(session, note=say(language, "lifting"))}
    yield from draw(workbench, session, language, inputs, order)


def draw(workbench: Workbench, session: Session, language: str, inputs: Inputs, order: Order) -> Iterator[Answer]:
    """The preview of an order, what is to be said of it, and the values it was drawn with.

    The values are sent last of all: whatever has reached the page meanwhile, it then shows what it holds.
    """
    from pipelines.photo import outlook  # brings torch
    from pipelines.photo.cutout import can_be_cut_out

    session.drawing, session.drawn = False, order.path is not None
    lifted = lift(workbench, session, order)
    trajectory = order.trajectory(lifted.camera, lifted.distance)
    yield {"stage": stage(session, note=say(language, "drawing_preview"))}
    max_frames = DRAWN_FRAMES if session.drawn else PREVIEW_FRAMES
    frames = outlook.preview(workbench.pipe.engine, lifted, trajectory, max_frames)
    file = session.new_file(".mp4")
    write_mp4(frames, file, fps=len(frames) / trajectory.seconds, crf=23, preset="ultrafast")
    session.show("preview", file, *size_of(workbench, session, order))
    session.measured = measured(lifted, trajectory, order)
    session.looked_at = what_is_seen(session, inputs)
    drawn_with = {name: getattr(inputs, name) for name in ("strength", "zoom", "picked", "suited")}
    session.can_be_clear = can_be_cut_out(workbench.pipe.engine.facts, lifted)
    offered = {"alpha": gr.update(visible=True) if session.can_be_clear else gr.update(visible=False, value="off")}
    yield {"stage": stage(session), **meter(session, language), **offered, **drawn_with}


def measured(lifted: "Lifted", trajectory: Trajectory, order: Order) -> Measured:
    """What the strip shows of a preview."""
    from pipelines.photo import outlook  # brings torch

    seen = outlook.look(lifted.memory, trajectory, lifted)
    calm = None if order.path is not None else calm_seconds(trajectory, lifted.distance)
    return Measured(seen.coverage, float(seen.torn.max()), calm, order.zoom, of_product(lifted, trajectory, order))


def of_product(lifted: "Lifted", trajectory: Trajectory, order: Order) -> str | None:
    """What is to be said of a product before a plain backdrop, see `Measured.product`."""
    from pipelines.photo.strength import STEP, is_cropped, is_cut  # brings torch

    if is_cropped(lifted):
        return "cropped"
    if is_cut(lifted, trajectory):
        return "cut"
    if order.path is not None or order.strength >= 1:
        return None
    stronger = replace(order, strength=order.strength + STEP).trajectory(lifted.camera, lifted.distance)
    return "kept" if is_cut(lifted, stronger) else None


def calm_seconds(trajectory: Trajectory, distance: float) -> int | None:
    """The length at which a path that is too fast would be calm; None where it is calm already (or never would be)."""
    excess = excess_speed(trajectory, distance)
    return None if excess <= SLACK else min(math.ceil(trajectory.seconds * excess), SECONDS[1])

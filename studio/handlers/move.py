"""A move is chosen: its own length and directions, and the strength and closeness that suit the photo."""

from collections.abc import Generator, Iterator
from dataclasses import replace
from html import escape

import gradio as gr

from studio.drawn import DRAWN
from studio.handlers.answers import Answer, explains
from studio.handlers.photo import lift
from studio.order import Inputs, Order, directions, own_settings, presets
from studio.session import Session
from studio.words import say
from studio.workbench import Workbench

# -- the card -------------------------------------------------------------------------------------------------------


@explains
def pick_move(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """A card was chosen: its own length and its directions. A path of one's own says all of that itself."""
    if inputs.preset == DRAWN:
        yield settings_of_drawn(language)
        return
    session.drawing = False
    Order.read(Inputs(preset=inputs.preset))  # a preset there is
    yield settings_of_preset(inputs.preset, language)


def settings_of_preset(preset: str, language: str) -> Answer:
    """The widgets as a preset starts with them. preset: an id that there is."""
    own, ways = own_settings(preset), directions(preset)
    choices = ways or ("left", "right")  # a radio group without choices would refuse every value
    return {
        "seconds": gr.update(value=own["seconds"], visible=True),
        "strength": gr.update(value=100, visible=True),
        "direction": gr.update(
            visible=bool(ways), choices=[(say(language, way), way) for way in choices], value=own["direction"]
        ),
        "picked": preset,
        "suited": None,  # a strength is found anew
        "summary": move_summary(preset, language),
    }


def settings_of_drawn(language: str) -> Answer:
    """The widgets where the path itself says how long and how far the camera goes."""
    hidden = gr.update(visible=False)
    return {"seconds": hidden, "strength": hidden, "direction": hidden, "summary": move_summary(DRAWN, language)}


def move_summary(preset, language: str) -> str:
    """One sentence about a preset as markup; "" for what is none."""
    if preset == DRAWN:
        return escape(say(language, "drawn_summary"))
    if not isinstance(preset, str) or preset not in presets():
        return ""
    return escape(getattr(presets()[preset].summary, language if language == "it" else "en"))


# -- what suits it --------------------------------------------------------------------------------------------------


def settle(
    workbench: Workbench, session: Session, language: str, inputs: Inputs
) -> Generator[Answer, None, tuple[Inputs, Order]]:
    """The choice finished: what is ordered is what the page shows once every answer has reached it.

    A click may overtake the answers to the one before: the widgets then still hold another move's length, or a strength
    that was found for another choice. Such values are replaced, and the page is sent them. Returns the inputs as they
    then are, and their order. Raises Refusal.
    """
    order = Order.read(inputs, workbench.native_fps)
    if inputs.preset == DRAWN:
        return inputs, order
    if inputs.picked != inputs.preset:
        own = own_settings(inputs.preset)
        inputs = replace(inputs, strength=100, picked=inputs.preset, suited=None, **own)
        yield settings_of_preset(inputs.preset, language)
        order = Order.read(inputs, workbench.native_fps)
    choice = inputs.choice(session.photo_id)
    if inputs.suited != choice:
        strength, zoom = suited(workbench, session, order)
        inputs = replace(inputs, strength=strength, zoom=zoom, suited=choice)
        yield {"strength": strength, "zoom": zoom, "suited": choice}
        order = Order.read(inputs, workbench.native_fps)
    return inputs, order


def suited(workbench: Workbench, session: Session, order: Order) -> tuple[int, int]:
    """Strength and closeness, in percent, that suit the photo and the move."""
    from pipelines.photo.strength import suited as find  # brings torch

    lifted, strength = find(
        lambda zoom: lift(workbench, session, replace(order, zoom=zoom)),
        lambda lifted, part: replace(order, strength=part).trajectory(lifted.camera, lifted.distance),
    )
    return round(strength * 100), round(lifted.zoom * 100)

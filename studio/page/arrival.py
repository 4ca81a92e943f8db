"""A page loads: a new visit, or one that comes back as it was after its connection broke."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields, replace
from typing import Any

import gradio as gr

from studio import uploads
from studio.drawn import DRAWN, drawn_path
from studio.handlers import clip, models, photo, preview
from studio.handlers.answers import Answer, explains, stage
from studio.handlers.move import settings_of_drawn, settings_of_preset
from studio.order import Inputs, presets
from studio.page.language import LANGUAGES, words_of_page
from studio.page.widgets import SCRIPTS
from studio.session import Session
from studio.settings import EMBEDDED
from studio.visits import Visits
from studio.words import Refusal, say
from studio.workbench import Workbench

INPUTS = tuple(field.name for field in fields(Inputs))
# the page's ends of it, see scripts/visit.js
ARRIVE = "(session, language) => [session, language, ((%s)(%s))]" % (
    (SCRIPTS / "visit.js").read_text("utf-8").strip(),
    json.dumps(INPUTS),
)
KNOWN = "() => { window.visit?.known(); }"
KEEP = "(session, language, ...values) => { window.visit?.keep(language, values); }"


class Brought:
    """What a page says of itself when it loads, checked. kept: {key, upload, language, settings} as scripts/visit.js
    sends it, or whatever else a visitor may send.

    key: of its visit. upload: path of a photo that had just arrived. language, inputs: as its widgets were, None on a
    new page.
    """

    def __init__(self, kept):
        kept = kept if isinstance(kept, dict) else {}
        self.key, self.upload = kept.get("key"), kept.get("upload")
        self.language = kept.get("language") if kept.get("language") in LANGUAGES else None
        settings = kept.get("settings")
        self.inputs = inputs_of(settings) if isinstance(settings, dict) else None


def inputs_of(settings: dict) -> Inputs:
    """What widgets held, also where that cannot be rendered; a value that no widget can show is left out."""
    found = {name: value for name, value in settings.items() if name in INPUTS and is_shown(name, value)}
    try:
        path = drawn_path(settings.get("path")).to_dict()
    except Refusal:
        path = None
    return replace(Inputs(), **{**found, "path": path})


def is_shown(name: str, value) -> bool:
    """Whether the widget of this name can show the value, allowed or not."""
    kinds = int | float if isinstance(getattr(Inputs(), name), int) else str | int | float | None
    return isinstance(value, kinds) and not isinstance(value, bool)


async def arrive(
    workbench: Workbench, visits: Visits, page: str, session: Session, shown: str, language: str, kept
) -> AsyncIterator[tuple[Session, str, Answer]]:
    """Yields (visit, language, answer). page: Gradio's session hash. session: a new visit. shown: the language the page
    was served in, language: that of the browser. kept: see `Brought`."""
    brought = Brought(kept)
    session = visits.enter(page, brought.key, session)
    language = brought.language or language
    inputs = brought.inputs or Inputs(depth=EMBEDDED if workbench.depths else None)
    # asked once: what ends while the page arrives still has its last answer
    is_working = session.is_working
    first: Answer = {"visit": session.key}
    if brought.inputs is not None:
        first |= restored(workbench, session, language, inputs, is_working)
        if brought.key and session.key != brought.key and session.photo is None:
            first["stage"]["value"] = stage(session, error=say(language, "visit_gone"))
    elif language != shown:  # nobody has served the page in it
        first |= words_of_page(workbench, session, language, inputs)
    yield session, language, first
    if uploads.is_upload(brought.upload):  # it arrived, but nobody could say so
        taken = photo.take_photo(workbench, session, language, inputs, {"path": brought.upload})
        for answer in await asyncio.to_thread(list, taken):
            yield session, language, answer
    async for answer in models.watch_model(workbench, session, language, inputs):
        yield session, language, answer
    if is_working:
        async for answer in clip.watch(workbench, session, language, inputs):
            yield session, language, answer


def restored(workbench: Workbench, session: Session, language: str, inputs: Inputs, is_working: bool) -> Answer:
    """Every widget as it was, in words and values. is_working: a render of the visit runs."""
    settings: Answer = {}
    if inputs.preset == DRAWN:
        settings = settings_of_drawn(language)
    elif inputs.preset in presets():
        settings = settings_of_preset(inputs.preset, language)
    answer = {name: update_of(value) for name, value in words_of_page(workbench, session, language, inputs).items()}
    shown: dict[str, Any] = {name: {"value": getattr(inputs, name)} for name in INPUTS}
    shown["stage"] = {"value": stage(session)}
    shown["path"] |= {"place": session.place}
    buttons = clip.working() if is_working else {}
    for part in (settings, shown, buttons):
        for name, value in part.items():
            answer[name] = {**answer.get(name, {}), **update_of(value)}
    return answer


def update_of(value) -> dict:
    """An answer to a widget as an update: {name of a property: value}."""
    return gr.update(**value) if isinstance(value, dict) else gr.update(value=value)


@explains
def catch_up(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Iterator[Answer]:
    """The preview that was being drawn when the page went away."""
    if session.is_working or session.shown["kind"] not in ("photo", "preview"):
        yield {}
        return
    yield from preview.look(workbench, session, language, inputs)

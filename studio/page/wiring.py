"""Who hears what: every event of the page and the handler behind it."""

import inspect
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.handlers import clip, models, move, path, photo, preview
from studio.order import Inputs
from studio.page import arrival
from studio.page.arrival import INPUTS
from studio.page.language import LANGUAGES, language_of, words_of_page
from studio.page.widgets import SCRIPTS
from studio.visits import Visits
from studio.words import say
from studio.workbench import Workbench

# An answer may come while something is typed, and Gradio then puts the old value back: no answer touches these
TYPED = ("seed", "prompt")
QUIET = {
    "show_progress": "hidden",
    # what an answer may change is many widgets, and Gradio would show on each of them how far every event is
    "show_progress_on": [],
    "api_visibility": "private",
    # values arrive as they were sent: Gradio's own checks answer in English only, and leave Stop where Render was
    "preprocess": False,
}
# The workbench's own line lets one work at a time and shows the others their place; Gradio's queue behind it only
# bounds how many may wait there
ENGINE = {"concurrency_id": "engine", "concurrency_limit": 16}
UNBOUNDED = {"concurrency_limit": None}  # for what only watches
NEWEST = {"trigger_mode": "always_last"}
# A phone shows the stage and what is chosen on different screens. What the script gives back the handler gets
TO_STAGE = """(...values) => {
    const stage = document.querySelector('.stage');
    const isWanted = matchMedia('(max-width: 860px)').matches && (%s);
    const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
    if (isWanted) stage.scrollIntoView({ behavior, block: 'nearest' });
    return values;
}"""
TO_ANSWER, TO_PREVIEW = {"js": TO_STAGE % "true"}, {"js": TO_STAGE % "stage.dataset.kind !== 'empty'"}
GRADIO_SAYS = {"error": "Error", "lost": "Connection to the server was lost. Attempting reconnection..."}


@dataclass(frozen=True)
class Wiring:
    """The page's widgets by name, and how a handler is tied to an event of theirs.

    A handler is called with the workbench, the visit, the language and the `Inputs`; one that has a parameter `event`
    gets the event's own data as well, unchecked. It answers, once or again and again, with {name: value or update}.
    """

    demo: gr.Blocks
    workbench: Workbench
    ui: dict[str, gr.components.Component]
    session: gr.State
    language: gr.Radio
    visits: Visits

    @property
    def inputs(self) -> list[gr.components.Component]:
        return [self.session, self.language, *(self.ui[name] for name in INPUTS)]

    @property
    def shown(self) -> list[gr.components.Component]:
        """What answers may change."""
        return [widget for name, widget in self.ui.items() if name not in TYPED]

    def on(self, event: Callable, handler: Callable, outputs: list | None = None, **options: Any):
        """Have `handler` called on an event of a widget, for example `ui["render"].click`. Returns Gradio's event."""
        return event(self.tied(handler), self.inputs, outputs or self.shown, **{**QUIET, **options})

    def tied(self, handler: Callable) -> Callable:
        """The handler as Gradio calls it."""

        def arguments(session, language, *values):
            return self.workbench, session, language, Inputs(**dict(zip(INPUTS, values, strict=True)))

        def answer(*values):
            return self.widgets(handler(*arguments(*values)))

        def answers(*values):
            # closing this closes the handler, and with it the work of the engine
            with closing(handler(*arguments(*values))) as parts:
                yield from map(self.widgets, parts)

        async def async_answers(*values):
            async for part in handler(*arguments(*values)):
                yield self.widgets(part)

        def answer_to_event(event: gr.EventData, *values):
            return self.widgets(handler(*arguments(*values), event._data))

        def answers_to_event(event: gr.EventData, *values):
            with closing(handler(*arguments(*values), event._data)) as parts:
                yield from map(self.widgets, parts)

        is_generator = inspect.isgeneratorfunction(handler)
        if "event" in inspect.signature(handler).parameters:
            return answers_to_event if is_generator else answer_to_event
        if inspect.isasyncgenfunction(handler):
            return async_answers
        return answers if is_generator else answer

    def widgets(self, answer: dict[str, Any]) -> dict:
        return {self.ui[name]: value for name, value in answer.items()} or gr.skip()

    def count(self, event: Callable) -> None:
        """After `event`: what the clip would be, and how long it would take."""

        def counted(session, *values):
            # given back, the visit lives on from now: Gradio drops it and its files some time after the last such turn
            session.left_at = None
            return {self.session: session, **self.tied(clip.count)(session, *values)}

        event(counted, self.inputs, [self.session, *self.shown], **NEWEST, **QUIET)


def wire(page: Wiring) -> None:
    previews = [*wire_photo(page), *wire_move(page), *wire_clip_settings(page), *wire_visit(page)]
    for event in previews:
        page.count(event.then)
    wire_render(page, [*previews, *wire_path(page)])
    wire_language(page)


def wire_photo(page: Wiring) -> list:
    """A picture comes, or is made into another photo. Returns the events that draw a preview."""
    # every upload is read and removed, also where the next one is there before that
    dropped = page.on(page.ui["stage"].photo, photo.take_photo, trigger_mode="multiple")
    example = page.on(page.ui["examples"].picked, photo.take_example, **NEWEST)
    used = page.on(page.ui["use"].click, photo.use_or_undo)
    # `input`, as a key gives no `release`; while a slider is dragged no answer may put it back
    others = [widget for widget in page.shown if widget not in (page.ui["yaw"], page.ui["pitch"])]
    turned = [page.on(page.ui[name].input, photo.turn_view, others, **NEWEST) for name in ("yaw", "pitch")]
    return [page.on(event.then, preview.look, **NEWEST, **ENGINE) for event in (dropped, example, used, *turned)]


def wire_move(page: Wiring) -> list:
    """A card shows its preview at once. Returns the events that draw a preview."""
    card = page.on(page.ui["preset"].picked, move.pick_move, **NEWEST, **TO_PREVIEW)
    return [page.on(event, preview.look, **NEWEST, **ENGINE) for event in (card.then, page.ui["direction"].input)]


def wire_clip_settings(page: Wiring) -> list:
    """Format, length, and what is under Advanced. Returns the events that draw a preview."""
    ui = page.ui
    chosen = page.on(
        ui["depth"].input,
        models.choose_depth,
        [ui[name] for name in ("depth", "depth_note", "about")],
        trigger_mode="multiple",
        **UNBOUNDED,
    )
    for setting in ("quality", "fps"):  # which no preview shows
        page.count(ui[setting].input)
    follow = (ui["ratio"].input, ui["seconds"].input, ui["focus"].release, chosen.then)
    by_hand = (ui["strength"].release, ui["zoom"].release)
    return [
        *(page.on(event, preview.look, **NEWEST, **ENGINE) for event in follow),
        *(page.on(event, preview.look_as_set, **NEWEST, **ENGINE) for event in by_hand),
    ]


def wire_path(page: Wiring) -> list:
    """A path of one's own. Every edit comes here: the page has less to do where few widgets may change.

    Returns the events that give way to a render.
    """
    ui = page.ui
    opened = page.on(ui["stage"].edit, path.edit_path, **NEWEST, **ENGINE)
    page.count(opened.then)
    heard = page.on(ui["path"].edited, path.edited, [ui["path"], ui["estimate"]], **NEWEST)
    changed = [ui[name] for name in ("path", "estimate", "stage", "render", "preview", "cancel")]
    checked = page.on(heard.then, path.check_path, changed, **NEWEST, **ENGINE)
    read = page.on(ui["path"].cameras, path.take_cameras, **ENGINE)
    mended = page.on(ui["path"].repaired, path.repair_path, **ENGINE)
    page.on(ui["path"].pasted, path.pasted)
    return [opened, checked, read, mended]


def wire_render(page: Wiring, previews: list) -> None:
    """Preview, Render, Stop, and once more. previews: events that give way to a render."""
    ui = page.ui
    clicked = [
        page.on(ui["preview"].click, preview.preview, **NEWEST, **ENGINE, **TO_ANSWER),
        page.on(ui["shorter"].click, preview.shorten, **ENGINE, **TO_ANSWER),
    ]

    def renders(event: Callable):
        """After `event`: the button turns into Stop, and what the clip's job says is shown."""
        begun = page.on(event, clip.begin, **TO_ANSWER)
        return page.on(begun.then, clip.watch, **UNBOUNDED)

    again = page.on(ui["same_again"].click, clip.same_again, [ui[name] for name in INPUTS])
    fresh = page.on(ui["new_seed"].click, clip.new_seed, [ui["seed"]])
    # a preview still being drawn gives way, or it would take the place of the clip's progress, or of its refusal
    ui["render"].click(None, cancels=[*previews, *clicked])
    runs = [renders(ui["render"].click), renders(again.then), renders(fresh.then)]
    for run in runs:
        page.count(run.then)
    page.on(ui["cancel"].click, clip.stop, **UNBOUNDED)


def wire_language(page: Wiring) -> None:
    page.on(page.language.input, words_of_page, list(page.ui.values()))
    for event in (page.demo.load, page.language.change):
        event(None, [page.language], js="(code) => { document.documentElement.lang = code; }", **QUIET)
    page.count(page.language.change)
    ours = {code: {theirs: say(code, key) for key, theirs in GRADIO_SAYS.items()} for code in LANGUAGES}
    script = (SCRIPTS / "page.js").read_text("utf-8")
    page.demo.load(None, js=f"() => ({script})({json.dumps(ours)}, {json.dumps(GRADIO_SAYS['lost'])})", **QUIET)


def wire_visit(page: Wiring) -> list:
    """A page loads, and goes. Returns the events that draw a preview."""

    async def arrived(request: gr.Request, session, shown, kept):
        language = language_of(request)
        answers = arrival.arrive(page.workbench, page.visits, request.session_hash, session, shown, language, kept)
        async for visit, language, answer in answers:
            yield {page.session: visit, page.language: language, **page.widgets(answer)}

    def gone(request: gr.Request):
        page.visits.leave(request.session_hash)

    ui = page.ui
    outputs = [page.session, page.language, *ui.values()]
    comes = page.demo.load(
        arrived, [page.session, page.language, ui["visit"]], outputs, js=arrival.ARRIVE, **UNBOUNDED, **QUIET
    )
    page.count(comes.then)
    page.demo.unload(gone)
    ui["visit"].change(None, js=arrival.KNOWN, **QUIET)
    settings = [page.language, *(ui[name] for name in INPUTS)]
    gr.on([widget.change for widget in settings], None, page.inputs, js=arrival.KEEP, **QUIET)
    page.on(ui["retry"].click, models.try_again)
    return [page.on(comes.then, arrival.catch_up, **NEWEST, **ENGINE)]

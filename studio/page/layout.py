"""The page: `build_studio()` lays out the widgets and ties every event to its handler. Nothing here computes."""

import inspect
import json
from contextlib import closing
from pathlib import Path

import gradio as gr

from studio import handlers, media
from studio.editor.editor import STYLES, TrajectoryEditor
from studio.editor.words import editor_words
from studio.handlers import models as status
from studio.page.drawings import drawing
from studio.page.widgets import FOLDER, cards, fold, opener, stage
from studio.settings import EMBEDDED
from studio.state import DRAWN, LEFTOVER_SECONDS, QUALITIES, RATIOS, SECONDS, STRENGTH, ZOOM, Session, presets
from studio.words import say
from studio.workbench import Engine

CSS_PATHS = [Path(__file__).parent / "styles" / "studio.css", STYLES]
STAGE_WORDS = (
    "drop choose replace kinds uploading upload_failed too_heavy edit_path "
    "stage_photo stage_preview stage_live stage_clip"
).split()
SESSION_SECONDS = 6 * 3600
# A phone shows the stage and what is chosen on different screens. What the script gives back the handler gets
TO_STAGE = """(...values) => {
    const stage = document.querySelector('.stage');
    const isWanted = matchMedia('(max-width: 860px)').matches && (%s);
    const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
    if (isWanted) stage.scrollIntoView({ behavior, block: 'nearest' });
    return values;
}"""
TO_ANSWER, TO_PREVIEW = TO_STAGE % "true", TO_STAGE % "stage.dataset.kind !== 'empty'"
GRADIO_SAYS = {"error": "Error", "lost": "Connection to the server was lost. Attempting reconnection..."}


def theme() -> gr.themes.Base:
    """Quiet greys and one green; fonts of the visitor's own system, so that nothing is fetched."""
    fonts = ["Helvetica Neue", "Helvetica", "Segoe UI", "Roboto", "Arial", "sans-serif"]
    return gr.themes.Base(
        primary_hue=gr.themes.colors.emerald,
        neutral_hue=gr.themes.colors.stone,
        font=fonts,
        font_mono=["ui-monospace", "SF Mono", "Menlo", "Consolas", "monospace"],
        radius_size=gr.themes.sizes.radius_sm,
    )


def stage_words(language: str) -> dict[str, str]:
    return {key: say(language, key) for key in STAGE_WORDS}


def recipe_words(language: str) -> dict[str, str]:
    return {"title": say(language, "recipe"), **{key: say(language, key) for key in ("copy", "copied", "save")}}


def move_items() -> list[dict[str, str]]:
    moves = [{"id": preset.id, "art": drawing(preset.move), "level": preset.risk} for preset in presets().values()]
    return [{"id": DRAWN, "art": drawing(DRAWN)}, *moves]


def move_words(language: str) -> list[dict[str, str]]:
    own = {"title": say(language, "drawn"), "line": say(language, "drawn_line")}
    return [own] + [
        {
            "title": getattr(preset.name, language),
            "line": " · ".join(getattr(text, language) for text in preset.suits[:2]),
            "badge": say(language, f"risk_{preset.risk}"),
        }
        for preset in presets().values()
    ]


def example_items() -> list[dict[str, str]]:
    return [
        {"id": name, "art": f'<img src="{media.thumbnail(path)}" alt="">'} for name, path in media.examples().items()
    ]


def example_words(language: str) -> list[dict[str, str]]:
    return [{"title": f"{say(language, 'example')} {number + 1}"} for number in range(len(media.examples()))]


def heading(number: int, language: str, key: str, hint: str = "") -> str:
    hint = f"<span>{say(language, hint)}</span>" if hint else ""
    return f'<h2 class="step"><b>{number}</b>{say(language, key)}{hint}</h2>'


def sheet_title(language: str) -> str:
    return f'<h2 class="step">{say(language, "last_clip")}</h2>'


def choices(language: str, prefix: str, values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value if ":" in value else say(language, f"{prefix}{value}"), value) for value in values]


def build_studio(engine: Engine | None = None) -> gr.Blocks:
    """The studio's Blocks, in English; its `words` are {language: {id of a component: its props}} for the other one.

    engine: loads when the first visitor comes, unless it was warmed up before.
    """
    engine = engine or Engine()
    start = "en"
    # Values arrive as they were sent: Gradio's own checks answer in English only, and leave Stop where Render was
    quiet = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}
    # What an answer may change is many widgets, and Gradio tells each of them how far every event is
    quiet["show_progress_on"] = []
    # uploads that no page has claimed go as well
    cache = (3600, LEFTOVER_SECONDS)
    with gr.Blocks(title="Mirage Studio", fill_width=True, analytics_enabled=False, delete_cache=cache) as demo:
        session = gr.State(Session(), time_to_live=SESSION_SECONDS, delete_callback=Session.close)
        ui: dict[str, gr.components.Component] = {}
        with gr.Row(elem_id="top"):
            gr.HTML('<h1 class="mark"><i></i>Mirage Studio</h1>', elem_id="mark")
            ui["tagline"] = gr.HTML(say(start, "tagline"), elem_id="tagline")
            ui["status"] = gr.HTML(elem_id="status")
            language = gr.Radio(
                [("EN", "en"), ("IT", "it")],
                value=start,
                label="Language / Lingua",
                show_label=False,
                container=False,
                elem_id="language",
            )
        with gr.Row(visible=False, elem_id="model-row") as ui["model_row"]:
            ui["model_note"] = gr.HTML(elem_id="model-note")
            ui["retry"] = gr.Button(say(start, "retry"), visible=False, min_width=0, elem_id="retry")
        with gr.Row(elem_id="table"):
            with gr.Column(elem_id="left"):
                ui["stage"] = stage(stage_words(start), elem_id="stage")
                ui["editor"] = TrajectoryEditor(texts=editor_words(start), elem_id="editor")
                ui["strip"] = gr.HTML(elem_id="strip")
                with gr.Row(elem_id="careful"):
                    ui["advice"] = gr.HTML(elem_id="advice")
                    ui["shorter"] = gr.Button(say(start, "shorter"), visible=False, min_width=0, elem_id="shorter")
                with gr.Column(visible=False, elem_id="sheet") as ui["sheet"]:
                    # a preview may stand above it by now
                    ui["sheet_title"] = gr.HTML(sheet_title(start))
                    ui["facts"] = gr.HTML(elem_id="facts")
                    with gr.Row(elem_id="files"):
                        ui["download"] = gr.DownloadButton(
                            say(start, "download"), variant="primary", elem_id="download"
                        )
                        ui["poster"] = gr.DownloadButton(say(start, "poster"), elem_id="poster")
                        ui["same_again"] = gr.Button(say(start, "same_again"), elem_id="same-again")
                        ui["new_seed"] = gr.Button(say(start, "new_seed"), elem_id="new-seed")
                # beside the sheet, not in it: a widget of ours that is not shown loses its words to the next answer
                ui["recipe"] = fold(recipe_words(start), elem_id="recipe")
            with gr.Column(elem_id="right"):
                with gr.Column(elem_classes="step-box", elem_id="step-photo"):
                    ui["step_photo"] = gr.HTML(heading(1, start, "step_photo", "step_photo_hint"))
                    ui["examples"] = cards(
                        example_items(), example_words(start), say(start, "step_photo"), elem_id="examples"
                    )
                with gr.Column(elem_classes="step-box"):
                    ui["step_move"] = gr.HTML(heading(2, start, "step_move", "step_move_hint"))
                    ui["cards"] = cards(move_items(), move_words(start), say(start, "step_move"), elem_id="cards")
                    ui["summary"] = gr.HTML(elem_id="summary")
                    ui["direction"] = gr.Radio(
                        choices(start, "", ("left", "right")),
                        value="right",
                        label=say(start, "direction"),
                        visible=False,
                        elem_id="direction",
                        elem_classes="pills",
                    )
                with gr.Column(elem_classes="step-box"):
                    ui["step_clip"] = gr.HTML(heading(3, start, "step_clip"))
                    ui["ratio"] = gr.Radio(
                        choices(start, "ratio_", RATIOS),
                        value="photo",
                        label=say(start, "ratio"),
                        elem_id="ratio",
                        elem_classes="pills",
                    )
                    ui["quality"] = gr.Radio(
                        choices(start, "quality_", QUALITIES),
                        value="draft",
                        label=say(start, "quality"),
                        elem_id="quality",
                        elem_classes="pills",
                    )
                    ui["seconds"] = gr.Radio(
                        [(f"{seconds} s", seconds) for seconds in range(SECONDS[0], SECONDS[1] + 1)],
                        value=4,
                        label=say(start, "seconds"),
                        elem_id="seconds",
                        elem_classes="pills",
                    )
                    # the words are the visitor's: only the column around them comes and goes with answers
                    with gr.Column(visible=engine.takes_prompt is True, elem_id="prompt-box") as ui["prompt_box"]:
                        ui["prompt"] = gr.Textbox(
                            "",
                            lines=2,
                            max_lines=6,
                            label=say(start, "prompt"),
                            placeholder=say(start, "prompt_hint"),
                            elem_id="prompt",
                        )
                    with gr.Column(elem_id="advanced", elem_classes="folded"):
                        ui["advanced"] = opener(say(start, "advanced"), elem_id="advanced-opener")
                        ui["strength"] = gr.Slider(
                            *STRENGTH, value=100, step=5, label=say(start, "strength"), elem_id="strength"
                        )
                        ui["focus"] = gr.Slider(0, 100, value=50, step=5, label=say(start, "focus"), elem_id="focus")
                        ui["zoom"] = gr.Slider(*ZOOM, value=100, step=5, label=say(start, "zoom"), elem_id="zoom")
                        ui["seed"] = gr.Number(0, precision=0, label=say(start, "seed"), elem_id="seed")
                        ui["depth"] = gr.Radio(
                            depth_choices(engine, start),
                            value=EMBEDDED if engine.depths else None,
                            label=say(start, "depth"),
                            visible=bool(engine.depths),
                            elem_id="depth",
                            elem_classes="pills",
                        )
                        ui["depth_note"] = gr.HTML(elem_id="depth-note")
                ui["no_prompt"] = gr.HTML(
                    say(start, "no_prompt"), visible=engine.takes_prompt is False, elem_id="no-prompt"
                )
                ui["about"] = fold({"title": say(start, "about")}, elem_id="about")
                with gr.Column(elem_id="go"):
                    with gr.Row():
                        ui["preview"] = gr.Button(say(start, "preview"), min_width=0, elem_id="preview")
                        ui["render"] = gr.Button(say(start, "render"), variant="primary", min_width=0, elem_id="render")
                        ui["cancel"] = gr.Button(
                            say(start, "cancel"), variant="stop", min_width=0, visible=False, elem_id="cancel"
                        )
                    ui["estimate"] = gr.HTML(first_estimate(engine, start)["estimate"], elem_id="estimate")

        fields = [
            ui[name]
            for name in (
                *("cards", "seconds", "ratio", "quality", "direction", "strength", "focus", "seed", "editor"),
                *("prompt", "zoom", "depth"),
            )
        ]
        spoken = list(ui.values())
        # An answer may come while something is typed, and Gradio then puts the old value back: no answer touches these
        shown = [widget for name, widget in ui.items() if name not in ("seed", "prompt")]

        def widgets(answer: dict) -> dict:
            return {ui[name]: value for name, value in answer.items()} or gr.skip()

        def tie(handler):
            """`handler`, which answers by names -> a function that answers by widgets, as Gradio wants it."""

            def answer(*values):
                return widgets(handler(engine, *values))

            def answers(*values):
                # closing this closes the handler, and with it the work of the engine
                with closing(handler(engine, *values)) as parts:
                    yield from map(widgets, parts)

            async def async_answers(*values):
                async for part in handler(engine, *values):
                    yield widgets(part)

            if inspect.isasyncgenfunction(handler):
                return async_answers
            return answers if inspect.isgeneratorfunction(handler) else answer

        here = [session, language]
        # The engine's own line lets one work at a time and tells the others their place; Gradio's queue behind it
        # only bounds how many may wait there
        lane = {"concurrency_id": "engine", "concurrency_limit": 16, **quiet}
        look = dict(
            fn=tie(handlers.reframe), inputs=[*here, *fields], outputs=shown, trigger_mode="always_last", **lane
        )
        suit = dict(fn=tie(handlers.suit), inputs=[*here, *fields], outputs=shown, trigger_mode="always_last", **lane)

        def counted(visit, *values):
            # given back, the visit lives on from now: Gradio drops it and its files some time after the last such turn
            return {session: visit, **tie(handlers.estimate)(visit, *values)}

        count = dict(
            fn=counted, inputs=[*here, *fields], outputs=[session, *shown], trigger_mode="always_last", **quiet
        )

        def photo_dropped(session, language, ratio, focus, event: gr.EventData):
            path = event._data.get("path") if isinstance(event._data, dict) else None
            yield from tie(handlers.take_photo)(session, language, path, ratio, focus)

        async def arrive(session, shown_language, depth, request: gr.Request):
            chosen = handlers.language_of(request)
            if chosen != shown_language:  # nobody has served the page in it
                yield {language: chosen, **speak(session, chosen, None, depth)}
            async for answer in status.watch_engine(engine, chosen, depth):
                yield widgets(answer)

        def speak(session, chosen, preset, depth):
            return {ui[name]: value for name, value in said_in(engine, session, chosen, preset, depth).items()}

        # 1. photo
        picture = [ui["ratio"], ui["focus"]]
        # every upload is read and removed, also where the next one is there before that
        dropped = ui["stage"].photo(photo_dropped, [*here, *picture], shown, trigger_mode="multiple", **quiet)
        example = ui["examples"].picked(
            tie(handlers.take_example), [*here, ui["examples"], *picture], shown, trigger_mode="always_last", **quiet
        )

        # 2. move: a card shows its preview at once
        card = ui["cards"].picked(
            tie(handlers.pick_move), [*here, ui["cards"]], shown, trigger_mode="always_last", js=TO_PREVIEW, **quiet
        )
        # A zoom out uncovers what a zoom in does not, and an upright clip of a wide photo has room at its sides:
        # another direction or format has a closeness and a strength of its own that suit it
        turned = ui["direction"].input, ui["ratio"].input
        previews = [event(**suit) for event in (dropped.then, example.then, card.then, *turned)]
        for changed in (
            ui["seconds"].input,
            ui["strength"].release,
            ui["focus"].release,
            ui["zoom"].release,
        ):
            previews.append(changed(**look))
        for event in previews:
            event.then(**count)
        ui["quality"].input(**count)
        chosen = ui["depth"].input(
            tie(status.choose_depth),
            [language, ui["depth"]],
            [ui[name] for name in ("depth", "depth_note", "about")],
            trigger_mode="multiple",
            concurrency_limit=None,
            **quiet,
        )
        previews.append(chosen.then(**look))
        asked = [
            ui["preview"].click(
                tie(handlers.preview), [*here, *fields], shown, trigger_mode="always_last", js=TO_ANSWER, **lane
            ),
            ui["shorter"].click(tie(handlers.shorten), [*here, *fields], shown, js=TO_ANSWER, **lane),
        ]

        # a path of one's own. Every edit comes here: the page has less to do where few widgets may change
        told = [ui[name] for name in ("editor", "estimate", "stage", "render", "preview", "cancel")]
        look_at_path = dict(
            fn=tie(handlers.check_path), inputs=[*here, *fields], outputs=told, trigger_mode="always_last", **lane
        )
        opened = ui["stage"].edit(tie(handlers.edit_path), [*here, *fields], shown, trigger_mode="always_last", **lane)
        opened.then(**count)
        heard = ui["editor"].edited(
            tie(handlers.edited), [*here, *fields], told[:2], trigger_mode="always_last", **quiet
        )
        previews += [opened, heard.then(**look_at_path)]

        def text_pasted(session, language, event: gr.EventData):
            text = event._data.get("text") if isinstance(event._data, dict) else None
            return tie(handlers.pasted)(session, language, text)

        def repair_asked(event: gr.EventData, session, language, *values):
            repair = event._data.get("repair") if isinstance(event._data, dict) else None
            yield from tie(handlers.repair_path)(session, language, repair, *values)

        def cameras_dropped(event: gr.EventData, session, language, *values):
            said = event._data if isinstance(event._data, dict) else {}
            yield from tie(handlers.take_cameras)(session, language, said.get("paths"), said.get("fix"), *values)

        previews.append(ui["editor"].cameras(cameras_dropped, [*here, *fields], shown, **lane))
        mended = ui["editor"].repaired(repair_asked, [*here, *fields], shown, **lane)
        previews.append(mended)
        ui["editor"].pasted(text_pasted, here, shown, **quiet)

        # 3. clip
        def renders(event):
            """After `event`: the button turns into Stop, then the clip is made when its turn comes."""
            begun = event(tie(handlers.begin), None, shown, js=TO_ANSWER, **quiet)
            return begun.then(tie(handlers.render), [*here, *fields], shown, **lane)

        again = ui["same_again"].click(handlers.same_again, [*here, *fields], fields, **quiet)
        fresh = ui["new_seed"].click(handlers.new_seed, None, ui["seed"], **quiet)
        # a preview still being drawn gives way, or it would take the place of the clip's progress, or of its refusal
        ui["render"].click(None, cancels=[*previews, *asked])
        runs = [renders(ui["render"].click), renders(again.then), renders(fresh.then)]
        for run in runs:
            run.then(**count)
        # Two events: with both in one the page would ask for the cancelling only after `stopped` has answered
        ui["cancel"].click(None, cancels=[*runs, *asked])
        ui["cancel"].click(tie(handlers.stopped), here, shown, **quiet)

        language.input(speak, [*here, ui["cards"], ui["depth"]], spoken, **quiet)
        for spoken_now in (demo.load, language.change):
            spoken_now(None, [language], js="(code) => { document.documentElement.lang = code; }", **quiet)
        demo.load(arrive, [*here, ui["depth"]], [language, *spoken], concurrency_limit=None, **quiet).then(**count)
        ui["retry"].click(tie(status.try_again), [language, ui["depth"]], shown, **quiet)
        language.change(**count)
        own = {code: {theirs: say(code, key) for key, theirs in GRADIO_SAYS.items()} for code in ("en", "it")}
        demo.load(None, js=f"() => ({(FOLDER / 'page.js').read_text('utf-8')})({json.dumps(own)})", **quiet)
    demo.queue(default_concurrency_limit=8, max_size=64)
    said = said_in(engine, Session(), "it", None, ui["depth"].value) | first_estimate(engine, "it")
    del said["status"]  # told when somebody comes
    demo.words = {"it": {ui[name]._id: props(value) for name, value in said.items()} | {language._id: {"value": "it"}}}
    return demo


def props(update) -> dict:
    """What an answer to a widget changes of it."""
    is_update = isinstance(update, dict) and update.get("__type__") == "update"
    return {name: value for name, value in update.items() if name != "__type__"} if is_update else {"value": update}


def first_estimate(engine: Engine, language: str) -> dict[str, str]:
    """Of the settings the page begins with."""
    depth = EMBEDDED if engine.depths else None
    return handlers.estimate(
        engine, Session(), language, None, 4, "photo", "draft", "right", 100, 50, 0, None, "", 100, depth
    )


def depth_choices(engine: Engine, language: str) -> list[tuple[str, str]]:
    return [(say(language, "depth_embedded"), EMBEDDED), *((say(language, "depth_better"), x) for x in engine.depths)]


def said_in(engine: Engine, session: Session, language: str, preset: str | None, depth=None) -> dict[str, object]:
    """Every word of the page in `language`: {name of a widget: update}."""
    language = "it" if language == "it" else "en"
    labels = ("direction", "ratio", "seconds", "strength", "focus", "zoom", "seed")
    buttons = ("preview", "render", "cancel", "shorter", "download", "poster", "same_again", "new_seed")
    ways = handlers.directions(preset) if isinstance(preset, str) and preset in presets() else ()
    said: dict[str, object] = {name: gr.update(label=say(language, name)) for name in labels}
    said["direction"] = gr.update(
        label=say(language, "direction"), choices=choices(language, "", ways or ("left", "right"))
    )
    said["ratio"] = gr.update(label=say(language, "ratio"), choices=choices(language, "ratio_", RATIOS))
    said["prompt"] = gr.update(label=say(language, "prompt"), placeholder=say(language, "prompt_hint"))
    said["depth"] = gr.update(label=say(language, "depth"), choices=depth_choices(engine, language))
    said |= handlers.meter(session, language) | handlers.sheet(session, language)
    for name in buttons:
        # a DownloadButton's value is its file, its words are its label
        words = {"label" if name in ("download", "poster") else "value": say(language, name)}
        said[name] = {**said.get(name, {}), **gr.update(**words)}
    models = status.engine_status(engine, language, depth)
    return said | {
        "tagline": say(language, "tagline"),
        "stage": gr.update(texts=stage_words(language)),
        "editor": gr.update(texts=editor_words(language)),
        "sheet_title": sheet_title(language),
        "step_photo": heading(1, language, "step_photo", "step_photo_hint"),
        "step_move": heading(2, language, "step_move", "step_move_hint"),
        "step_clip": heading(3, language, "step_clip"),
        "examples": gr.update(texts=example_words(language), caption=say(language, "step_photo")),
        "cards": gr.update(texts=move_words(language), caption=say(language, "step_move")),
        "summary": handlers.move_summary(preset, language),
        "advanced": gr.update(title=say(language, "advanced")),
        "recipe": gr.update(texts=recipe_words(language), **({"value": said["recipe"]} if "recipe" in said else {})),
        "depth_note": "",
        **models,
        "about": gr.update(texts={"title": say(language, "about")}, value=models["about"]),
    }

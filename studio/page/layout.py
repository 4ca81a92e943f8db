"""What is on the page: `build_studio()` lays out the widgets and has them wired. Nothing here computes."""

from pathlib import Path

import gradio as gr

from pipelines.media.clips import RATES
from pipelines.photo.panorama import PITCH, YAW
from studio.editor import editor as trajectory_editor
from studio.editor.editor import TrajectoryEditor
from studio.handlers.clip import estimate
from studio.order import ALPHAS, SECONDS, STRENGTH, ZOOM, Inputs
from studio.page import language as speech
from studio.page.widgets import cards, fold, opener, stage
from studio.page.wiring import Wiring, wire
from studio.session import LEFTOVER_SECONDS, Session
from studio.settings import EMBEDDED
from studio.sizes import QUALITIES, RATIOS
from studio.visits import Visits
from studio.words import editor_words, say
from studio.workbench import Workbench

CSS_PATHS = [Path(__file__).parent / "styles" / "studio.css", trajectory_editor.STYLES]
SESSION_SECONDS = 6 * 3600
START = "en"  # the language of the page as it is built
UPLOAD_CHECK_SECONDS = 3600  # how often uploads that no page has claimed are looked for

Widgets = dict[str, gr.components.Component]


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


def build_studio(workbench: Workbench | None = None) -> gr.Blocks:
    """The studio's Blocks, in English; its `words` are {language: {id of a component: its props}} for the other one.

    workbench: loads when the first visitor comes, unless it was warmed up before.
    """
    workbench = workbench or Workbench()
    start = Inputs(depth=EMBEDDED if workbench.depths else None)
    with gr.Blocks(
        title="Mirage Studio",
        fill_width=True,
        analytics_enabled=False,
        delete_cache=(UPLOAD_CHECK_SECONDS, LEFTOVER_SECONDS),
    ) as demo:
        session = gr.State(Session(), time_to_live=SESSION_SECONDS)
        ui: Widgets = {}
        language = header(ui)
        model_row(ui)
        # the key of the visit: the page takes it along when it loads again, see scripts/visit.js
        ui["visit"] = gr.Textbox("", visible="hidden", show_label=False, elem_id="visit")
        with gr.Row(elem_id="table"):
            with gr.Column(elem_id="left"):
                stage_column(ui)
            with gr.Column(elem_id="right"):
                photo_step(ui)
                move_step(ui, start)
                clip_step(ui, workbench, start)
                ui["no_prompt"] = gr.HTML(
                    say(START, "no_prompt"), visible=workbench.takes_prompt is False, elem_id="no-prompt"
                )
                ui["about"] = fold({"title": say(START, "about")}, elem_id="about")
                action_bar(ui, estimate(workbench, Session(), START, start)["estimate"])
        wire(Wiring(demo, workbench, ui, session, language, Visits()))
    demo.queue(default_concurrency_limit=8, max_size=64)
    demo.words = {"it": italian(workbench, ui, start) | {language._id: {"value": "it"}}}
    return demo


def header(ui: Widgets) -> gr.Radio:
    """Name, status, and the choice of the language, which is returned."""
    with gr.Row(elem_id="top"):
        gr.HTML('<h1 class="mark"><i></i>Mirage Studio</h1>', elem_id="mark")
        ui["tagline"] = gr.HTML(say(START, "tagline"), elem_id="tagline")
        ui["status"] = gr.HTML(elem_id="status")
        return gr.Radio(
            [(code.upper(), code) for code in speech.LANGUAGES],
            value=START,
            label="Language / Lingua",
            show_label=False,
            container=False,
            elem_id="language",
        )


def model_row(ui: Widgets) -> None:
    """How far a large model is, or why it is not there."""
    with gr.Row(visible=False, elem_id="model-row") as ui["model_row"]:
        ui["model_note"] = gr.HTML(elem_id="model-note")
        ui["retry"] = gr.Button(say(START, "retry"), visible=False, min_width=0, elem_id="retry")


def stage_column(ui: Widgets) -> None:
    """The picture, or the editor in front of it; what is to be said of it; the finished clip."""
    ui["stage"] = stage(speech.stage_words(START), elem_id="stage")
    ui["path"] = TrajectoryEditor(texts=editor_words(START), elem_id="editor")
    with gr.Row(elem_id="found-row"):
        ui["found"] = gr.HTML(elem_id="found")
        ui["use"] = gr.Button(say(START, "cut_bars"), visible=False, min_width=0, elem_id="use")
        ui["yaw"] = slider("yaw", *YAW, 0, visible=False)
        ui["pitch"] = slider("pitch", *PITCH, 0, visible=False)
    ui["strip"] = gr.HTML(elem_id="strip")
    with gr.Row(elem_id="careful"):
        ui["advice"] = gr.HTML(elem_id="advice")
        ui["shorter"] = gr.Button(say(START, "shorter"), visible=False, min_width=0, elem_id="shorter")
    with gr.Column(visible=False, elem_id="sheet") as ui["sheet"]:
        # a preview may stand above it by now
        ui["sheet_title"] = gr.HTML(speech.sheet_title(START))
        ui["facts"] = gr.HTML(elem_id="facts")
        with gr.Row(elem_id="files"):
            ui["download"] = gr.DownloadButton(say(START, "download"), variant="primary", elem_id="download")
            ui["poster"] = gr.DownloadButton(say(START, "poster"), elem_id="poster")
            ui["transparent"] = gr.DownloadButton(say(START, "transparent"), visible=False, elem_id="transparent")
            ui["same_again"] = gr.Button(say(START, "same_again"), elem_id="same-again")
            ui["new_seed"] = gr.Button(say(START, "new_seed"), elem_id="new-seed")
    # beside the sheet, not in it: a widget of ours that is not shown loses its words to the next answer
    ui["recipe"] = fold(speech.recipe_words(START), elem_id="recipe")


def photo_step(ui: Widgets) -> None:
    with gr.Column(elem_classes="step-box", elem_id="step-photo"):
        ui["step_photo"] = gr.HTML(speech.heading(1, START, "step_photo", "step_photo_hint"))
        ui["examples"] = cards(
            speech.example_items(), speech.example_words(START), say(START, "step_photo"), elem_id="examples"
        )


def move_step(ui: Widgets, start: Inputs) -> None:
    with gr.Column(elem_classes="step-box"):
        ui["step_move"] = gr.HTML(speech.heading(2, START, "step_move", "step_move_hint"))
        ui["preset"] = cards(speech.move_items(), speech.move_words(START), say(START, "step_move"), elem_id="cards")
        ui["summary"] = gr.HTML(elem_id="summary")
        ui["direction"] = pills("direction", speech.choices(START, "", ("left", "right")), start.direction, False)
        # which choice the shown values belong to, see `order.Inputs`
        ui["picked"] = gr.Textbox(start.picked, visible="hidden", show_label=False, elem_id="picked")
        ui["suited"] = gr.Textbox(start.suited, visible="hidden", show_label=False, elem_id="suited")


def clip_step(ui: Widgets, workbench: Workbench, start: Inputs) -> None:
    with gr.Column(elem_classes="step-box"):
        ui["step_clip"] = gr.HTML(speech.heading(3, START, "step_clip"))
        ui["ratio"] = pills("ratio", speech.choices(START, "ratio_", RATIOS), start.ratio)
        ui["quality"] = pills("quality", speech.choices(START, "quality_", QUALITIES), start.quality)
        lengths = [(f"{seconds} s", seconds) for seconds in range(SECONDS[0], SECONDS[1] + 1)]
        ui["seconds"] = pills("seconds", lengths, start.seconds)
        ui["alpha"] = pills("alpha", speech.choices(START, "alpha_", ALPHAS), start.alpha, False)
        # the words are the visitor's: only the column around them comes and goes with answers
        with gr.Column(visible=workbench.takes_prompt is True, elem_id="prompt-box") as ui["prompt_box"]:
            ui["prompt"] = gr.Textbox(
                start.prompt,
                lines=2,
                max_lines=6,
                label=say(START, "prompt"),
                placeholder=say(START, "prompt_hint"),
                elem_id="prompt",
            )
        with gr.Column(elem_id="advanced", elem_classes="folded"):
            ui["advanced"] = opener(say(START, "advanced"), elem_id="advanced-opener")
            ui["strength"] = slider("strength", *STRENGTH, start.strength)
            ui["focus"] = slider("focus", 0, 100, start.focus)
            ui["zoom"] = slider("zoom", *ZOOM, start.zoom)
            ui["fps"] = pills("fps", [(str(rate), rate) for rate in RATES], start.fps)
            ui["seed"] = gr.Number(start.seed, precision=0, label=say(START, "seed"), elem_id="seed")
            ui["depth"] = pills("depth", speech.depth_choices(workbench, START), start.depth, bool(workbench.depths))
            ui["depth_note"] = gr.HTML(elem_id="depth-note")


def action_bar(ui: Widgets, first_estimate: str) -> None:
    with gr.Column(elem_id="go"):
        with gr.Row():
            ui["preview"] = gr.Button(say(START, "preview"), min_width=0, elem_id="preview")
            ui["render"] = gr.Button(say(START, "render"), variant="primary", min_width=0, elem_id="render")
            ui["cancel"] = gr.Button(say(START, "cancel"), variant="stop", min_width=0, visible=False, elem_id="cancel")
        ui["estimate"] = gr.HTML(first_estimate, elem_id="estimate")


def pills(name: str, choices: list[tuple[str, object]], value, visible: bool = True) -> gr.Radio:
    """A choice of few, as a row of buttons. Its word and its place in the page's styles are its name."""
    return gr.Radio(choices, value=value, label=say(START, name), visible=visible, elem_id=name, elem_classes="pills")


def slider(name: str, low: float, high: float, value: float, visible: bool = True) -> gr.Slider:
    """Percent or degrees, in steps of five."""
    return gr.Slider(low, high, value=value, step=5, label=say(START, name), visible=visible, elem_id=name)


def italian(workbench: Workbench, ui: Widgets, start: Inputs) -> dict[int, dict]:
    """{id of a component: its props in Italian} of a new page."""
    words = speech.words_of_page(workbench, Session(), "it", start)
    del words["status"]  # known when somebody comes
    words |= estimate(workbench, Session(), "it", start)
    return {ui[name]._id: props_of(value) for name, value in words.items()}


def props_of(update) -> dict:
    """What an answer to a widget changes of it."""
    is_update = isinstance(update, dict) and update.get("__type__") == "update"
    return {name: value for name, value in update.items() if name != "__type__"} if is_update else {"value": update}

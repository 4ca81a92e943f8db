"""The page in a language: which one a visitor wants, and every word of the page in it."""

from typing import Any

import gradio as gr
from starlette.requests import HTTPConnection

from pipelines.media.photos import MAX_MEGABYTES
from studio.download import sheet
from studio.drawn import DRAWN
from studio.handlers.found import found
from studio.handlers.meter import meter
from studio.handlers.models import model_status
from studio.handlers.move import move_summary
from studio.order import ALPHAS, Inputs, directions, presets
from studio.page.drawings import drawing
from studio.pictures import examples, thumbnail
from studio.session import Session
from studio.settings import EMBEDDED
from studio.sizes import RATIOS
from studio.words import editor_words, say
from studio.workbench import Workbench

LANGUAGES = ("en", "it")
STAGE_WORDS = (
    "drop choose replace kinds uploading upload_again upload_failed too_heavy edit_path "
    "stage_photo stage_preview stage_live stage_clip"
).split()
LABELS = ("direction", "ratio", "seconds", "fps", "strength", "focus", "zoom", "seed", "alpha")
BUTTONS = ("preview", "render", "cancel", "shorter", "same_again", "new_seed")
FILES = ("download", "poster", "transparent")  # a DownloadButton's value is its file, its words are its label


def language_of(request: gr.Request | HTTPConnection) -> str:
    """Italian for browsers that prefer Italian to English, English for all others."""
    wanted = [part.split(";")[0].strip()[:2] for part in request.headers.get("accept-language", "").lower().split(",")]
    return next((code for code in wanted if code in LANGUAGES), "en")


def words_of_page(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> dict[str, Any]:
    """{name of a widget: update} of every widget with words, as they are for this visit."""
    language = language if language in LANGUAGES else "en"
    preset = inputs.preset if isinstance(inputs.preset, str) else None
    ways = directions(preset) if preset in presets() else ()
    words: dict[str, Any] = {name: gr.update(label=say(language, name)) for name in LABELS}
    words["direction"]["choices"] = choices(language, "", ways or ("left", "right"))
    words["ratio"]["choices"] = choices(language, "ratio_", RATIOS)
    words["alpha"] |= {"choices": choices(language, "alpha_", ALPHAS), "visible": session.can_be_clear}
    words["prompt"] = gr.update(label=say(language, "prompt"), placeholder=say(language, "prompt_hint"))
    words["depth"] = gr.update(label=say(language, "depth"), choices=depth_choices(workbench, language))
    words |= meter(session, language) | sheet(session.clip, language) | found(session, language)
    for name in (*BUTTONS, *FILES):
        said = {"label" if name in FILES else "value": say(language, name)}
        words[name] = {**words.get(name, {}), **gr.update(**said)}
    models = model_status(workbench, language, inputs.depth)
    recipe = {"value": words["recipe"]} if "recipe" in words else {}
    return words | {
        "tagline": say(language, "tagline"),
        "stage": gr.update(texts=stage_words(language)),
        "path": gr.update(texts=editor_words(language)),
        "sheet_title": sheet_title(language),
        "step_photo": heading(1, language, "step_photo", "step_photo_hint"),
        "step_move": heading(2, language, "step_move", "step_move_hint"),
        "step_clip": heading(3, language, "step_clip"),
        "examples": gr.update(texts=example_words(language), caption=say(language, "step_photo")),
        "preset": gr.update(texts=move_words(language), caption=say(language, "step_move")),
        "summary": move_summary(preset, language),
        "advanced": gr.update(title=say(language, "advanced")),
        "recipe": gr.update(texts=recipe_words(language), **recipe),
        "depth_note": "",
        **models,
        "about": gr.update(texts={"title": say(language, "about")}, value=models["about"]),
    }


# -- words of single widgets ----------------------------------------------------------------------------------------


def stage_words(language: str) -> dict[str, str]:
    return {key: say(language, key, limit=MAX_MEGABYTES) for key in STAGE_WORDS}


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
    return [{"id": name, "art": f'<img src="{thumbnail(path)}" alt="">'} for name, path in examples().items()]


def example_words(language: str) -> list[dict[str, str]]:
    return [{"title": f"{say(language, 'example')} {number + 1}"} for number in range(len(examples()))]


def depth_choices(workbench: Workbench, language: str) -> list[tuple[str, str]]:
    better = [(say(language, "depth_better"), name) for name in workbench.depths]
    return [(say(language, "depth_embedded"), EMBEDDED), *better]


def choices(language: str, prefix: str, values: tuple[str, ...]) -> list[tuple[str, str]]:
    """(word, value) of every choice of a radio group; a ratio is its own word."""
    return [(value if ":" in value else say(language, f"{prefix}{value}"), value) for value in values]


def heading(number: int, language: str, key: str, hint: str = "") -> str:
    hint = f"<span>{say(language, hint)}</span>" if hint else ""
    return f'<h2 class="step"><b>{number}</b>{say(language, key)}{hint}</h2>'


def sheet_title(language: str) -> str:
    return f'<h2 class="step">{say(language, "last_clip")}</h2>'

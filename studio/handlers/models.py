"""What the page says about its models: how far they are, what failed, which are in use and on what terms."""

import asyncio
from collections.abc import AsyncIterator
from html import escape

import gradio as gr

from studio.background import Loading
from studio.handlers.answers import Answer
from studio.handlers.turns import how_far
from studio.order import Inputs
from studio.session import Session
from studio.settings import EMBEDDED
from studio.sizes import qualities
from studio.words import Refusal, say, size
from studio.workbench import Workbench

WATCH_SECONDS = 0.4


async def watch_model(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> AsyncIterator[Answer]:
    """Says how far the model is until it is there; where it fails, until somebody tries again."""
    workbench.warm_up()
    last = None
    while True:
        is_there = workbench.model.is_there
        answer = model_status(workbench, language, inputs.depth)
        if answer != last:
            last = answer
            yield answer
        if is_there:
            return
        await asyncio.sleep(WATCH_SECONDS)


def try_again(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> Answer:
    """The model failed to load: once more. Every page that watches sees how it goes."""
    workbench.model.retry()
    return model_status(workbench, language, inputs.depth)


def model_status(workbench: Workbench, language: str, depth=None) -> Answer:
    """What changes with the model: the status, what can be ordered, and what is known about it."""
    offered = [(say(language, f"quality_{quality}"), quality) for quality in qualities(workbench.own_size)]
    model = workbench.model
    figures = _progress(language, model, say(language, "model_meanwhile")) if model.progress[2] else ""
    fault = "" if model.error is None else Refusal("model_failed", reason=model.error).said_in(language)
    return {
        "status": _status(language, model),
        "model_row": gr.update(visible=bool(figures or fault)),
        "model_note": _line("failed", fault) if fault else figures,
        "retry": gr.update(visible=bool(fault), value=say(language, "retry")),
        "prompt_box": gr.update(visible=workbench.takes_prompt is True),
        "no_prompt": gr.update(visible=workbench.takes_prompt is False, value=say(language, "no_prompt")),
        "quality": gr.update(label=say(language, "quality"), choices=offered),
        "about": about(workbench, language, depth),
    }


def _status(language: str, model: Loading) -> str:
    """In the head of the page, so few words."""
    if model.error is not None:
        return _line("failed", say(language, "model_none"))
    if model.is_there:
        return _line("ready", say(language, "model_ready"))
    return _line("loading counted" if model.progress[2] else "loading", say(language, "model_load"))


def _progress(language: str, loading: Loading, more: str = "") -> str:
    words, share = how_far(language, loading)
    bar = "" if share is None else f'<span class="bar"><i style="width: {100 * share:.1f}%"></i></span>'
    return _line("loading", f"{words} {more}".strip(), bar)


def _line(kind: str, words: str, after: str = "") -> str:
    return f'<p class="status {kind}" role="status"><span>{plain(words)}</span>{after}</p>'


def plain(words: str) -> str:
    """Foreign text that may stand in the page: braces and dollars could be read as a template by it."""
    return escape(words).translate({ord(c): None for c in "{}$`"})


# -- depth ----------------------------------------------------------------------------------------------------------


async def choose_depth(workbench: Workbench, session: Session, language: str, inputs: Inputs) -> AsyncIterator[Answer]:
    """Another estimator was chosen: it is fetched if need be; where that fails the built-in one stays."""
    depth = inputs.depth
    try:
        loading = workbench.offered(depth)
    except Refusal as refusal:
        yield {"depth": _built_in(workbench), "depth_note": _line("failed", refusal.said_in(language))}
        return
    if loading is None:
        yield {"depth_note": "", "about": about(workbench, language, depth)}
        return
    loading.retry()
    last = None
    while loading.is_loading:
        if (words := _progress(language, loading)) != last:
            last = words
            yield {"depth_note": words}
        await asyncio.sleep(WATCH_SECONDS)
    if loading.error is None:
        note = _line("ready", say(language, "depth_ready"))
        yield {"depth_note": note, "about": about(workbench, language, depth)}
    else:
        failed = Refusal("depth_failed", reason=loading.error).said_in(language)
        yield {"depth": _built_in(workbench), "depth_note": _line("failed", failed)}


def _built_in(workbench: Workbench) -> str | None:
    return EMBEDDED if workbench.depths else None


# -- the models in use ----------------------------------------------------------------------------------------------


def about(workbench: Workbench, language: str, depth=None) -> str:
    """Model, device, profile, and the licence card of every weight in use with this depth."""
    if not workbench.model.is_there:
        return _status(language, workbench.model)
    opened = workbench.model.result()
    if workbench.settings.model == EMBEDDED:
        lines = [say(language, "about_embedded")]
    elif opened.device == "cpu":
        lines = [say(language, "about_cpu", name=workbench.facts.name)]
    else:
        lines = [say(language, "about_gpu", name=workbench.facts.name, device=opened.device)]
    if opened.profile is not None:
        how = {"profile": opened.profile, "what": say(language, f"profile_{opened.profile}")}
        if opened.free is None:
            lines.append(say(language, "profile_set", **how))
        else:
            lines.append(say(language, "profile_picked", free=size(language, opened.free), **how))
    weights = workbench.licence_card(depth if isinstance(depth, str) else None)
    cards = "".join(_card(language, entry) for entry in weights)
    return "".join(f"<p>{plain(line)}</p>" for line in lines) + f'<div class="licences">{cards}</div>'


def _card(language: str, entry: dict) -> str:
    """One weight: its name, then what is known of it."""
    use = entry.get("commercial_use")
    values = {
        "revision": str(entry.get("revision") or entry.get("sha256") or "")[:12],
        "licence": entry.get("licence") or "unknown",
        "commercial": say(language, f"commercial_{use if use in ('yes', 'no') else 'unknown'}"),
    }
    if values["licence"] == "unknown":
        values["licence"] = say(language, "card_unknown")
    rows = "".join(
        f"<div><dt>{say(language, f'card_{name}')}</dt><dd>{plain(str(value))}</dd></div>"
        for name, value in values.items()
        if value
    )
    return f"<section><h3>{plain(str(entry.get('name', '')))}</h3><dl>{rows}</dl></section>"

"""What handlers answer with: the stage and its words, refusals as sentences, and the buttons given back."""

import functools
import itertools
import logging
from collections.abc import Iterator

import gradio as gr

from pipelines.errors import Refused
from studio.session import Session
from studio.words import Refusal, explain
from studio.workbench import Workbench

log = logging.getLogger(__name__)
turn = itertools.count()  # makes every answer to the stage a new one, so that saying the same thing twice shows twice

Answer = dict[str, object]


def stage(session: Session, note: str = "", share: float | None = None, error: str = "") -> dict:
    """What the stage shows: the session's picture, and what is being done (share 0..1) or what went wrong."""
    editable = session.shown["kind"] in ("preview", "clip") and not session.drawing
    how = {"drawing": session.drawing, "editable": editable, "note": note, "share": share, "error": error}
    return {**session.shown, **how, "turn": next(turn)}


def explains(handler):
    """A handler that fails says why on the stage and gives the buttons back; the page goes on."""

    @functools.wraps(handler)
    def run(workbench: Workbench, session: Session, language: str, *values) -> Iterator[Answer]:
        try:
            yield from handler(workbench, session, language, *values)
        except Exception as error:
            if not isinstance(error, Refusal | Refused):
                log.exception("%s failed", handler.__name__)
            answer = {"stage": stage(session, error=explain(language, error))}
            yield answer if session.is_busy else {**answer, **idle()}  # a running render keeps its Stop button

    return run


def idle() -> Answer:
    """The buttons as they are while nothing is rendered."""
    return {"render": gr.update(visible=True), "preview": gr.update(visible=True), "cancel": gr.update(visible=False)}


def refuse_while_busy(session: Session) -> None:
    if session.is_busy:
        raise Refusal("busy")

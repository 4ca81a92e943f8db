"""What all handlers share: how the stage answers, who may work, and what is said where something failed."""

import functools
import itertools
import logging
import time
from collections.abc import Iterator

import gradio as gr

from pipelines.media.photos import PhotoError
from studio.state import Session
from studio.words import Refusal, say, say_photo_error, say_reason, size
from studio.workbench import Engine, Loading

log = logging.getLogger(__name__)
turn = itertools.count()  # makes every answer to the stage a new one, so that saying the same thing twice shows twice

WAIT_SECONDS = 0.5
LOADING_SECONDS = 0.5

Answer = dict[str, object]


def stage(session: Session, note: str = "", share: float | None = None, error: str = "") -> dict:
    """What the stage shows: the session's picture, and what is being done (share 0..1) or what went wrong."""
    editable = session.shown["kind"] in ("preview", "clip") and not session.drawing
    how = {"drawing": session.drawing, "editable": editable, "note": note, "share": share, "error": error}
    return {**session.shown, **how, "turn": next(turn)}


def sentence(language: str, error: Exception) -> str:
    """An error as the visitor reads it."""
    if isinstance(error, Refusal):
        return error.said_in(language)
    if isinstance(error, PhotoError):
        return say_photo_error(language, error)
    if isinstance(error, OSError):
        return say(language, "not_saved")
    if isinstance(error, ValueError):  # the engine's own sentence: value, limit, fix
        return say(language, "engine_error", reason=say_reason(language, error))
    return say(language, "unexpected", reason=type(error).__name__)


def explains(handler):
    """A handler that fails says why on the stage and gives the buttons back; the page goes on."""

    @functools.wraps(handler)
    def run(engine: Engine, session: Session, language: str, *values) -> Iterator[Answer]:
        try:
            yield from handler(engine, session, language, *values)
        except Exception as error:
            if not isinstance(error, Refusal | PhotoError):
                log.exception("%s failed", handler.__name__)
            answer = {"stage": stage(session, error=sentence(language, error))}
            yield answer if is_busy(session) else {**answer, **idle()}  # a running render keeps its Stop button

    return run


def in_turn(handler, gives_way: bool = False):
    """A handler that needs the engine for itself: until its turn comes it tells how many are before it.

    Before that it waits for what has to be loaded, outside the line: others may have all they need, so a later call
    may get its turn before an earlier one. gives_way: the earlier one then does nothing, or what it shows would stay.
    The last value is the depth that was chosen.
    """

    @functools.wraps(handler)
    def run(engine: Engine, session: Session, language: str, *values) -> Iterator[Answer]:
        refuse_while_busy(session)  # a visit does not stand in line behind itself
        mine = session.asked[handler.__name__] = next(turn)
        if session.photo is not None:  # without one it is refused, or there is nothing to do
            yield from until_ready(engine, session, language, values[-1])
        place = engine.join()
        try:
            while ahead := engine.ahead(place):
                # answering again and again is what lets Stop, or a closed tab, end the waiting
                yield {"stage": stage(session, note=say(language, "in_line", ahead=ahead))}
                time.sleep(WAIT_SECONDS)
            if gives_way and session.asked[handler.__name__] != mine:
                yield {}
            else:
                yield from handler(engine, session, language, *values)
        finally:
            engine.leave(place)

    return run


looks = functools.partial(in_turn, gives_way=True)


def idle() -> Answer:
    return {"render": gr.update(visible=True), "preview": gr.update(visible=True), "cancel": gr.update(visible=False)}


def is_busy(session: Session) -> bool:
    """A render of this visit is running."""
    return session.take is not None and not session.take.ended.is_set()


def refuse_while_busy(session: Session) -> None:
    if is_busy(session):
        raise Refusal("busy")


def until_ready(engine: Engine, session: Session, language: str, depth) -> Iterator[Answer]:
    """Tells how far model and depth are until both are there. Raises Refusal where they cannot be had."""
    for loading in filter(None, (engine.model, engine.offered(depth))):
        while not loading.wait(LOADING_SECONDS):
            note, share = how_far(language, loading)
            yield {"stage": stage(session, note=note, share=share)}
        loading.result()


def how_far(language: str, loading: Loading) -> tuple[str, float | None]:
    """What is being done about a model, in words, and the share (0..1) that is done, if anybody knows."""
    what, done, total = loading.progress
    figures = {"done": size(language, done), "total": size(language, total)} if total else {}
    return say(language, f"{loading.name}_{what}", **figures), done / total if total else None

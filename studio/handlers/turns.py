"""One piece of work at a time: a handler waits for the model it needs, then for its turn, and says so meanwhile."""

import functools
import time
from collections.abc import Iterator
from contextlib import closing

from studio.background import Loading
from studio.handlers.answers import Answer, refuse_while_busy, stage, turn
from studio.order import Inputs
from studio.session import Session
from studio.words import say, size
from studio.workbench import Workbench

WAIT_SECONDS = 0.5
LOADING_SECONDS = 0.5


def in_turn(handler, sequence: str | None = None):
    """A handler that needs the engine for itself: until its turn comes it says how many are before it.

    Before that it waits for what has to be loaded, outside the line: others may have all they need, so a later call
    may get its turn before an earlier one. sequence: of handlers that show the same thing; one that a later one of them
    has overtaken ends, or what it shows would stay.
    """

    @functools.wraps(handler)
    def run(workbench: Workbench, session: Session, language: str, inputs: Inputs, *values) -> Iterator[Answer]:
        refuse_while_busy(session)  # a visit does not stand in line behind itself
        number = next(turn)
        if sequence:
            session.newest[sequence] = number

        def is_overtaken() -> bool:
            return bool(sequence) and session.newest[sequence] != number

        if session.photo is not None:  # without one it is refused, or there is nothing to do
            yield from until_ready(workbench, session, language, inputs.depth)
        ticket = workbench.join()
        try:
            while ahead := workbench.ahead(ticket):
                # answering again and again is what lets Stop, or a closed tab, end the waiting
                yield {"stage": stage(session, note=say(language, "in_line", ahead=ahead))}
                time.sleep(WAIT_SECONDS)
            if is_overtaken():
                yield {}
                return
            with closing(handler(workbench, session, language, inputs, *values)) as answers:
                for answer in answers:
                    if is_overtaken():
                        yield {}
                        return
                    yield answer
        finally:
            workbench.leave(ticket)

    return run


looks = functools.partial(in_turn, sequence="look")


def until_ready(workbench: Workbench, session: Session, language: str, depth) -> Iterator[Answer]:
    """Says how far model and depth are until both are there. Raises Refusal where they cannot be had."""
    for loading in filter(None, (workbench.model, workbench.offered(depth))):
        while not loading.wait(LOADING_SECONDS):
            note, share = how_far(language, loading)
            yield {"stage": stage(session, note=note, share=share)}
        loading.result()


def how_far(language: str, loading: Loading) -> tuple[str, float | None]:
    """What is being done about a model, in words, and the share (0..1) that is done, if anybody knows."""
    what, done, total = loading.progress
    figures = {"done": size(language, done), "total": size(language, total)} if total else {}
    return say(language, f"{loading.name}_{what}", **figures), done / total if total else None

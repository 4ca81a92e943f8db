"""Whether the photo has enough pixels for the clip, in words."""

from html import escape

from pipelines.photo.frame import frame_size, is_soft
from studio.handlers.photo import size_of
from studio.order import Order
from studio.session import Session
from studio.sizes import qualities
from studio.words import say
from studio.workbench import Workbench


def softness(workbench: Workbench, session: Session, order: Order, language: str) -> str:
    """That the photo has too few pixels for the clip, and the quality that suits it, as markup.

    "" where it has enough, or there is none yet.
    """
    if session.photo is None:
        return ""
    size = session.photo.size

    def looks_soft(quality: str) -> bool:
        return is_soft(size, *size_of(workbench, session, order, quality), order.zoom)

    if not looks_soft(order.quality):
        return ""
    across, down = frame_size(size, *size_of(workbench, session, order, order.quality), order.zoom)
    best = next((each for each in reversed(qualities(workbench.own_size)) if not looks_soft(each)), None)
    figures = {"across": across, "down": down}
    if best is None:
        words = say(language, "soft_always", **figures)
    else:
        words = say(language, "soft", quality=say(language, f"quality_{best}"), **figures)
    return f'<span class="soft">{escape(words)}</span>'

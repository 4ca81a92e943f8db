"""What is found in a picture, in words: bars, or that it is a panorama; with what would mend it."""

from html import escape

import gradio as gr

from studio.handlers.answers import Answer
from studio.session import Session
from studio.words import say


def found(session: Session, language: str) -> Answer:
    """What was found in the picture that came, and the button that mends it or brings the picture back."""
    is_flat = "yaw" in session.used
    sliders = {
        name: gr.update(value=session.used.get(name, 0), visible=is_flat, label=say(language, name))
        for name in ("yaw", "pitch")
    }
    words, button = words_of(session, language)
    return {
        "found": f'<p class="found">{escape(words)}</p>' if words else "",
        "use": gr.update(value=say(language, button), visible=bool(words)),
        **sliders,
    }


def words_of(session: Session, language: str) -> tuple[str, str]:
    """The sentence, "" where nothing was found, and the key of its button's word."""
    picture = session.picture
    if "yaw" in session.used:
        return say(language, "is_flat"), "undo"
    if session.used:
        return say(language, "bars_cut"), "undo"
    if picture is not None and picture.panorama is not None:
        return say(language, "is_panorama"), "flatten"
    if picture is not None and picture.bars is not None:
        sides = [say(language, f"side_{side}") for side in picture.bars.sides]
        key = "has_bar" if len(sides) == 1 else "has_bars"
        return say(language, key, sides=listed(language, sides)), "cut_bars"
    return "", "cut_bars"


def listed(language: str, words: list[str]) -> str:
    """As in: top, left and right."""
    before = ", ".join(words[:-1])
    return f"{before} {say(language, 'and')} {words[-1]}" if before else words[-1]

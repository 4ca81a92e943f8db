"""Widgets Gradio does not have: the stage that holds the picture, cards to pick from, and folds that cost little.

All build their inside in JavaScript with textContent, so no text ever passes through a template. They are plain
`gr.HTML`, not subclasses: for a subclass Gradio would write an interface file beside this one at every import.
"""

from pathlib import Path

import gradio as gr

from pipelines.media.photos import MAX_MEGABYTES

SCRIPTS = Path(__file__).parent / "scripts"


def stage(texts: dict[str, str], **props) -> gr.HTML:
    """The large picture: drop zone, photo, preview, live frames, clip, and what is being done or went wrong.

    Its value is {kind, file, height, width, note, share, error, turn}; texts: the words of the drop zone.
    Event `photo` carries {path}: a file that the upload route took in.
    """
    return _scripted("stage", value={"kind": "empty"}, texts=texts, max_bytes=MAX_MEGABYTES * 10**6, **props)


def cards(items: list[dict[str, str]], texts: list[dict[str, str]], caption: str, **props) -> gr.HTML:
    """Pictures to choose one of, as a radio group. Its value is the id of the chosen one. Event `picked`.

    items: {id, art, level}; `art` is markup of our own (a drawing or an image). texts: {title, line, badge} of each,
    shown as plain text. caption: what a screen reader calls the group.
    """
    return _scripted("cards", value=None, items=items, texts=texts, caption=caption, **props)


def fold(texts: dict[str, str], **props) -> gr.HTML:
    """A title that unfolds markup of our own, or, with the texts copy, copied and save, plain text to keep.

    Its value is the one or the other.
    """
    return _scripted("fold", value="", texts=texts, **props)


def opener(title: str, **props) -> gr.HTML:
    """A title that unfolds what follows it in its column, which has the class `folded`."""
    return _scripted("opener", title=title, **props)


def _scripted(name: str, **props) -> gr.HTML:
    script = (SCRIPTS / f"{name}.js").read_text(encoding="utf-8")
    return gr.HTML(html_template=f'<div class="{name}"></div>', js_on_load=script, apply_default_css=False, **props)

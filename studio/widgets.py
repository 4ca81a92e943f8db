"""The two widgets Gradio does not have: the stage that holds the picture, and cards to pick from.

Both build their inside in JavaScript with textContent, so no text ever passes through a template. They are plain
`gr.HTML`, not subclasses: for a subclass Gradio would write an interface file beside this one at every import.
"""

from pathlib import Path

import gradio as gr

FOLDER = Path(__file__).parent


def stage(texts: dict[str, str], **props) -> gr.HTML:
    """The large picture: drop zone, photo, preview, live frames, clip, and what is being done or went wrong.

    Its value is {kind, file, height, width, note, share, error, turn}; texts: the words of the drop zone.
    Event `photo` carries {path}: a file that the upload route took in.
    """
    return _scripted("stage", value={"kind": "empty"}, texts=texts, **props)


def cards(items: list[dict[str, str]], caption: str, **props) -> gr.HTML:
    """Pictures to choose one of, as a radio group. Its value is the id of the chosen one. Event `picked`.

    items: {id, art, title, line, badge, level}; `art` is markup of our own (a drawing or an image), everything else
    is shown as plain text. caption: what a screen reader calls the group.
    """
    return _scripted("cards", value=None, items=items, caption=caption, **props)


def _scripted(name: str, **props) -> gr.HTML:
    script = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    return gr.HTML(html_template=f'<div class="{name}"></div>', js_on_load=script, apply_default_css=False, **props)

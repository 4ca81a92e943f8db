"""The two widgets Gradio does not have: the stage that holds the picture, and cards to pick from.

Both build their inside in JavaScript with textContent, so no text ever passes through a template.
"""

from pathlib import Path

import gradio as gr

FOLDER = Path(__file__).parent


class Stage(gr.HTML):
    """The large picture: drop zone, photo, preview, live frames, clip, and what is being done or went wrong.

    value: {kind, file, height, width, note, share, error, turn}; texts: the words of the drop zone.
    Event `photo` carries {path}: a file that the upload route took in.
    """

    def __init__(self, texts: dict[str, str], **kwargs):
        super().__init__(
            value={"kind": "empty"},
            html_template='<div class="stage"></div>',
            js_on_load=(FOLDER / "stage.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            texts=texts,
            **kwargs,
        )

    def api_info(self) -> dict:
        return {"type": "object"}


class Cards(gr.HTML):
    """Pictures to choose one of, as a radio group. value: the chosen id; items: [{id, art, title, line, badge, level}].

    `art` is markup of our own (a drawing or an image), everything else is shown as plain text. Event `picked`.
    """

    def __init__(self, items: list[dict[str, str]], label: str, **kwargs):
        super().__init__(
            value=None,
            html_template='<div class="cards"></div>',
            js_on_load=(FOLDER / "cards.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            items=items,
            caption=label,
            **kwargs,
        )

    def api_info(self) -> dict:
        return {"type": "string"}

"""The trajectory editor: the photo seen from above and from the camera, and the camera's way drawn into it.

What it edits is `pipelines.cameras.path.Path`; its value is that path as JSON, or None while nothing is drawn. The
page around it asks for the rest by events: `edited` (the path changed), `repaired` {repair}, `pasted` {text}, `cameras`
{path} (a file with cameras was uploaded).
"""

import os
from pathlib import Path

import gradio as gr

FOLDER = Path(__file__).parent
SCRIPTS = [FOLDER / name for name in ("editor.js", "edits.js", "path.js", "place.js", "static")]

# Runs once per widget, as a function body: the editor itself is a module. Gradio finds the events by their quoted names
OPEN = r"""
const root = element.querySelector('.editor');
const tell = {
  edited: () => trigger('edited', {}),
  repaired: (repair) => trigger('repaired', { repair }),
  pasted: (text) => trigger('pasted', { text }),
  // what the file is called is nobody's business, of what kind it is tells its ending
  cameras: async (file) => {
    const [ending] = file.name.match(/\.(json|txt|py)$/i) || ['.json'];
    const { path } = await upload(new File([file], `cameras${ending.toLowerCase()}`, { type: 'text/plain' }));
    trigger('cameras', { path });
  },
};
import(new URL('gradio_api/file=' + encodeURI(props.home) + '/editor.js', document.baseURI).href)
  .then(({ open }) => open(root, props, watch, tell))
  .catch((error) => { root.textContent = String(error); });
"""


class TrajectoryEditor(gr.HTML):
    """value: a path as `Path.to_dict()` gives it, the same as JSON text once it was edited, or None while nothing is
    drawn. texts: the words of the page's language.

    place: {file, height, width, fov, distance, metric, seconds}: the file of `write_place`, the shape of the clip,
    the photo camera's angle across the width in degrees, the depth of the subject, and the length of a new path.
    heard: changes when the server has read an edit. review: {coverage, findings, notice}: what it then says about the
    path; see `studio.handlers`.
    """

    def __init__(self, value: dict | None = None, texts: dict | None = None, **props):
        gr.set_static_paths(SCRIPTS)
        super().__init__(
            value=value,
            texts=texts or {},
            home=_served(FOLDER),
            html_template='<div class="editor"></div>',
            js_on_load=OPEN,
            apply_default_css=False,
            **{"place": None, "heard": None, "review": None, **props},
        )

    def api_info(self) -> dict:
        return {"type": "object"}


def _served(folder: Path) -> str:
    """The folder as the page may call it: without the folders above the studio's, where it can."""
    path = os.path.relpath(folder)
    return folder.as_posix() if path.startswith("..") else Path(path).as_posix()

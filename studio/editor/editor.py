"""The trajectory editor: the photo seen from above and from the camera, and the camera's way drawn into it.

What it edits is `pipelines.cameras.path.Path`; its value is that path as JSON, or None while nothing is drawn. The
page around it asks for the rest by events: `edited` (the path changed), `repaired` {repair}, `pasted` {text}, `cameras`
{paths, fix} (files with cameras were uploaded; how to read them), and by two functions that answer at once: `hear` and
`save`.
"""

import os
from pathlib import Path

import gradio as gr

from studio.editor.review import hear
from studio.editor.saving import save

FOLDER = Path(__file__).parent
SCRIPTS = FOLDER / "scripts"
STYLES = FOLDER / "styles" / "editor.css"

# Runs once per widget, as a function body: the editor itself is a module. Gradio finds the events by their quoted names
OPEN = r"""
const root = element.querySelector('.editor');
const place = () => props.place ?? { distance: 1, height: 288, width: 512 };
const tell = {
  edited: () => trigger('edited', {}),
  repaired: (repair) => trigger('repaired', { repair }),
  pasted: (text) => trigger('pasted', { text }),
  hear: (path) => server.hear({ path, distance: place().distance, language: props.texts.language }),
  save: (format, path) => server.save({ ...place(), format, path, language: props.texts.language }),
  // what a file is called is nobody's business, but for its ending and where two belong together
  cameras: async (files, fix) => {
    const pairs = /^(cameras|images|w2c|intrinsics)\.txt$/i;
    const paths = await Promise.all([...files].map(async (file) => {
      const [ending] = file.name.match(/\.(json|txt|py)$/i) || ['.json'];
      const name = pairs.test(file.name) ? file.name : `path${ending}`;
      return (await upload(new File([file], name.toLowerCase(), { type: 'text/plain' }))).path;
    }));
    trigger('cameras', { paths, fix });
  },
};
import(new URL('gradio_api/file=' + encodeURI(props.home) + '/editor.js', document.baseURI).href)
  .then(({ open }) => open(root, props, watch, tell))
  .catch((error) => { root.textContent = String(error); });
"""


class TrajectoryEditor(gr.HTML):
    """value: a path as `Path.to_dict()` gives it, the same as JSON text once it was edited, or None while nothing is
    drawn. texts: the words of the page's language.

    place: {file, height, width, fov, distance, metric, floor, seconds}: what `place.describe` gives.
    review: {coverage, findings, notice, fixes, of}: what the server says about the path `of`, see
    `studio.editor.review`.
    """

    def __init__(self, value: dict | None = None, texts: dict | None = None, **props):
        gr.set_static_paths([SCRIPTS, FOLDER / "static"])
        super().__init__(
            value=value,
            texts=texts or {},
            home=_served(SCRIPTS),
            html_template='<div class="editor"></div>',
            js_on_load=OPEN,
            apply_default_css=False,
            server_functions=[hear, save],
            **{"place": None, "review": None, **props},
        )

    def api_info(self) -> dict:
        return {"type": "object"}


def _served(folder: Path) -> str:
    """The folder as the page may call it: without the folders above the studio's, where it can."""
    path = os.path.relpath(folder)
    return folder.as_posix() if path.startswith("..") else Path(path).as_posix()

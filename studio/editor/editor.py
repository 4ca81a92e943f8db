"""The trajectory editor: the photo seen from above and from the camera, and the camera's path drawn into it.

What it edits is `pipelines.cameras.path.Path`; its value is that path as JSON, or None while nothing is drawn. The
page around it hears of the rest by events: `edited` (the path changed), `repaired` {repair}, `pasted` {text}, `cameras`
{paths, fix} (files with cameras were uploaded, and how to read them). Two functions answer the browser at once:
`quick_check` and `save`.
"""

import os
from pathlib import Path

import gradio as gr

from pipelines import limits
from pipelines.cameras import keys, trajectory
from pipelines.cameras.formats import FORMATS
from pipelines.cameras.formats.recognising import MAX_BYTES
from studio.drawn import MAX_TEXT
from studio.editor.review import quick_check
from studio.editor.saving import AS_KEYS, save

FOLDER = Path(__file__).parent
SCRIPTS = FOLDER / "scripts"
STYLES = FOLDER / "styles" / "editor.css"

# Runs once per widget, as a function body: the editor itself is a module. Gradio finds the events by their quoted names
OPEN = r"""
const root = element.querySelector('.editor');
const place = () => props.place ?? { distance: 1, height: 288, width: 512 };
const python = {
  edited: () => trigger('edited', {}),
  repair: (repair) => trigger('repaired', { repair }),
  paste: (text) => trigger('pasted', { text }),
  check: (path) => server.quick_check({ path, distance: place().distance, language: props.texts.language }),
  save: (format, path) => server.save({ ...place(), fps: props.fps, format, path, language: props.texts.language }),
  // a visitor's file name stays on the visitor's machine, but for its ending and for where two files belong together
  openCameras: async (files, fix) => {
    const pairs = /^((cameras|images|w2c|intrinsics)\.txt|(cameras|images)\.bin|(poses|intrinsics)\.npy)$/i;
    const paths = await Promise.all([...files].map(async (file) => {
      const [ending] = file.name.match(/\.[a-z0-9]{1,8}$/i) || [''];
      const name = pairs.test(file.name) ? file.name : `path${ending}`;
      return (await upload(new File([file], name.toLowerCase(), { type: 'text/plain' }))).path;
    }));
    trigger('cameras', { paths, fix });
  },
};
import(new URL('gradio_api/file=' + encodeURI(props.home) + '/editor.js', document.baseURI).href)
  .then(({ open }) => open(root, props, watch, python))
  .catch((error) => { root.textContent = String(error); });
"""


def served_limits() -> dict:
    """The numbers that the browser keeps to as well, so that each of them is written in one place only."""
    return {
        # how fast a new path may be, in a quarter of a second; see pipelines/limits.py
        "turn_degrees": limits.TURN_DEGREES,
        "travel": limits.TRAVEL,
        "slack": limits.SLACK,
        "fps": trajectory.NATIVE_FPS,
        # what a path may have: [least, most] or most
        "keys": keys.KEYS[1],
        "seconds": keys.SECONDS,
        "fov": keys.FOV,
        "name_letters": keys.MAX_NAME,
        "text_letters": MAX_TEXT,
        # of a file with cameras
        "file_bytes": MAX_BYTES,
    }


class TrajectoryEditor(gr.HTML):
    """value: a path as `Path.to_dict()` gives it, the same as JSON text once it was edited, or None while nothing is
    drawn. texts: the words of the page's language.

    place: {file, height, width, fov, distance, metric, floor, seconds}: what `place.describe` gives.
    fps: frames per second of the clip, at which cameras are saved.
    review: {coverage, findings, notice, fixes, of}: what the server says about the path `of`, see
    `studio.editor.review`.
    """

    def __init__(self, value: dict | None = None, texts: dict | None = None, **props):
        gr.set_static_paths([SCRIPTS, FOLDER / "static"])
        super().__init__(
            value=value,
            texts=texts or {},
            home=_served(SCRIPTS),
            limits=served_limits(),
            formats=[AS_KEYS, *FORMATS],
            html_template='<div class="editor"></div>',
            js_on_load=OPEN,
            apply_default_css=False,
            server_functions=[quick_check, save],
            **{"place": None, "fps": trajectory.NATIVE_FPS, "review": None, **props},
        )

    def api_info(self) -> dict:
        return {"type": "object"}


def _served(folder: Path) -> str:
    """The folder as the page may call it: without the folders above the studio's, where it can."""
    relative = os.path.relpath(folder)
    return folder.as_posix() if relative.startswith("..") else Path(relative).as_posix()

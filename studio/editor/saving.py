"""The path as a file for other tools: the browser calls `save` and offers the result as a download."""

import base64
import io
import json
import zipfile
from pathlib import Path

from pipelines.cameras.formats import FORMATS
from pipelines.cameras.formats.spatia import FPS as SPATIA_FPS
from studio.drawn import drawn_path
from studio.order import one_of, rate_of
from studio.words import Refusal, explain

NAME = "mirage-{}"
AS_KEYS = "path"  # beside FORMATS: the keys as they are edited


def save(request: dict) -> dict:
    """The path in a format of FORMATS, or as its keys.

    request: {format: a name of FORMATS or "path", path: JSON text, height, width: pixels of the clip, fps: its frames
    per second, language}. Returns {name, data}: the file's name and its bytes in base64 (several files come as one
    zip); or {refusal}: why not, as one sentence.
    """
    language = request.get("language") if isinstance(request, dict) else "en"
    try:
        name = one_of("format", request["format"], (AS_KEYS, *FORMATS))
        drawn = drawn_path(request["path"])
        if name == AS_KEYS:
            texts = {"path.json": json.dumps(drawn.to_dict(), allow_nan=False, indent=1)}
        else:
            fps = SPATIA_FPS if name == "spatia" else rate_of(request["fps"])  # the only format without a rate
            texts = FORMATS[name].write(drawn.trajectory(request["height"], request["width"], fps))
    except Refusal as refusal:
        return {"refusal": explain(language, refusal)}
    except (KeyError, TypeError, ValueError) as error:
        return {"refusal": explain(language, Refusal("path_not_saved", reason=error))}
    name = NAME.format("cameras" if name == "json" else name)
    if len(texts) == 1:
        (file, text), *_ = texts.items()
        ending, data = Path(file).suffix, text.encode()
    else:
        ending, data = ".zip", _zipped(texts)
    return {"name": name + ending, "data": base64.b64encode(data).decode()}


def _zipped(texts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in texts.items():
            file.writestr(name, text)
    return buffer.getvalue()

"""The path that a visitor drew in the editor: checked, and carried over to another crop of the photo."""

import json
from dataclasses import replace

import numpy as np

from pipelines.cameras import Camera
from pipelines.cameras.curve import focal, fov
from pipelines.cameras.path import Path as CameraPath
from studio.words import Refusal

DRAWN = "drawn"  # in place of a preset: the path of the editor
START_TOLERANCE = 1e-6  # of the first camera's pose against the photo's
MAX_TEXT = 256 * 1024  # letters of a path: 200 keys take about 50,000


def drawn_path(data) -> CameraPath:
    """The editor's value, an object or its JSON text, checked: it must begin at the photo's camera. Raises Refusal."""
    if data is None:
        raise Refusal("need_path")
    if isinstance(data, str):
        if len(data) > MAX_TEXT:
            raise Refusal("bad_path", reason=Refusal("long_path", letters=len(data), limit=MAX_TEXT))
        try:
            data = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Refusal("not_json") from error
    try:
        path = CameraPath.from_dict(data)
    except ValueError as error:
        raise Refusal("bad_path", reason=error) from error
    first = path.sample(np.zeros(1)).c2w[0]
    if np.abs(first - np.eye(4)).max() > START_TOLERANCE:
        raise Refusal("path_start")
    return path


def with_lens(path: CameraPath, photo_camera: Camera) -> CameraPath:
    """The path on another crop of the photo: key 0 is its camera, the others keep their zoom against it."""
    lens = photo_camera.K[0, 0] / photo_camera.width
    zoom = lens / focal(path.keys[0].fov)
    if abs(zoom - 1) < 1e-9:
        return path
    return replace(path, keys=tuple(replace(key, fov=float(fov(focal(key.fov) * zoom))) for key in path.keys))

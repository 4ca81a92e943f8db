"""Pictures as arrays: what a function may be given, and how one is written. Numpy and Pillow only."""

import io
import os
from typing import Any

import numpy as np
from PIL import Image

from pipelines.errors import Refused
from pipelines.files import atomic_write


def check_picture(image: Any) -> np.ndarray:
    """The same (H, W, 3) uint8 array; Refused for anything else."""
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise Refused("The picture is {got}. Give an (H, W, 3) uint8 array of RGB, or a PIL photo to lift.", got=got)
    return image


def save_picture(image: Image.Image, path: str | os.PathLike, kind: str = "PNG", **options: Any) -> None:
    """Write a picture, complete or not at all. kind, options: as of `Image.save`. Raises OSError when the disk refuses.

    Pillow itself takes a disk that is full half-way for a success.
    """
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    with atomic_write(path) as temporary:
        temporary.write_bytes(buffer.getvalue())

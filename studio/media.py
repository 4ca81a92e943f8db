"""Pictures of the page: crops, thumbnails, the photo-backed strip; and uploads, which go as soon as they are read."""

import base64
import contextlib
import io
from functools import cache
from html import escape
from pathlib import Path

import numpy as np
from gradio.utils import get_upload_folder, is_in_or_equal
from PIL import Image

EXAMPLES_FOLDER = Path(__file__).parent / "examples"


@cache
def examples() -> dict[str, Path]:
    """{id: file} of the example photos that come with the studio."""
    return {path.stem: path for path in sorted(EXAMPLES_FOLDER.glob("*.jpg"))}


@cache
def thumbnail(path: Path, width: int = 192, height: int = 120) -> str:
    """A small WebP of a picture as a data URI: no route has to be opened for it."""
    image = Image.open(path)
    image.draft("RGB", (2 * width, 2 * height))
    image = crop(image.convert("RGB"), height, width, 0.5).resize((width, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def crop_size(size: tuple[int, int], height: int, width: int) -> tuple[int, int]:
    """(width, height) of the largest part with the ratio width : height of a picture of (width, height)."""
    scale = min(size[0] / width, size[1] / height)
    return min(size[0], round(width * scale)), min(size[1], round(height * scale))


def crop(image: Image.Image, height: int, width: int, focus: float, zoom: float = 1.0) -> Image.Image:
    """The largest part of `image` with the ratio width : height, 0 left or top .. 1 right or bottom by focus.

    zoom: how much closer, about the same middle; 1 is the largest part.
    """
    w, h = crop_size(image.size, height, width)
    left, top = (image.width - w) * focus, (image.height - h) * focus
    inner = round(w / zoom), round(h / zoom)
    left, top = round(left + (w - inner[0]) / 2), round(top + (h - inner[1]) / 2)
    return image.crop((left, top, left + inner[0], top + inner[1]))


def small(frame: np.ndarray, side: int = 960) -> Image.Image:
    """(H, W, 3) uint8 -> picture of at most `side` pixels, for what only passes by."""
    picture = Image.fromarray(frame)
    picture.thumbnail((side, side), Image.Resampling.BOX)
    return picture


def strip_svg(coverage: np.ndarray, label: str) -> str:
    """The photo-backed strip: over time, how much of the picture comes from the photo (below) or is invented (above).

    coverage: (T,) 0..1. label: what a screen reader says. Numbers and the escaped label only.
    """
    coverage = np.clip(np.nan_to_num(np.asarray(coverage, dtype=np.float64)), 0, 1)
    x = np.linspace(0, 1000, len(coverage)) if len(coverage) > 1 else np.array([0.0, 1000.0])
    y = 40 * (1 - (coverage if len(coverage) > 1 else np.repeat(coverage, 2)))
    line = " ".join(f"{px:.1f},{py:.2f}" for px, py in zip(x, y, strict=True))
    return (
        f'<svg class="strip" viewBox="0 0 1000 40" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
        '<rect class="strip-invented" width="1000" height="40"/>'
        f'<polygon class="strip-backed" points="0,40 {line} 1000,40"/></svg>'
    )


# -- uploads --------------------------------------------------------------------------------------------------------


def is_upload(path) -> bool:
    """A file that the upload route wrote, and nothing else on this machine."""
    if not isinstance(path, str) or len(path) > 1024 or "\0" in path:
        return False
    return is_in_or_equal(path, get_upload_folder()) and Path(path).is_file()


def discard(upload: str) -> None:
    """Remove an upload, and the folder that the upload route made for it."""
    upload = Path(upload).resolve()
    upload.unlink(missing_ok=True)
    if upload.parent != Path(get_upload_folder()).resolve():
        with contextlib.suppress(OSError):  # another file came in with it
            upload.parent.rmdir()

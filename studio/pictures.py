"""Pictures of the page: examples, thumbnails, the photo-backed strip."""

import base64
import io
from functools import cache
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.photo.frame import crop

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

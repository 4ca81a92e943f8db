"""What the download buttons give: the clip and its poster on disk, and the recipe beside its figures."""

import json
import secrets
import shutil
from dataclasses import dataclass
from html import escape
from pathlib import Path

import gradio as gr
import numpy as np

from pipelines.events import DoneEvent
from pipelines.media.clips import write_mp4, write_poster
from studio.order import Order
from studio.words import decimal, say

SEAMLESS = 40  # dB between last and first frame: nobody sees the difference
LONG_LIST = 16  # entries: longer ones are only counted on the page


@dataclass(frozen=True)
class Clip:
    """A finished (or stopped) clip on disk. size: (height, width); coverage: (T,) 0..1, of the frames that were made;
    recipe: as in the mp4."""

    order: Order
    video: Path
    poster: Path
    size: tuple[int, int]
    seconds: float
    coverage: np.ndarray
    recipe: dict


def write_clip(folder: Path, order: Order, frames: np.ndarray, coverage: np.ndarray, recipe: dict) -> Clip:
    """Clip and poster in a new folder inside `folder`. Raises OSError, and leaves nothing, where the disk refuses.

    frames: (T, H, W, 3) uint8, `order.made_fps` a second; coverage: (T,) 0..1.
    """
    folder = folder / secrets.token_hex(6)
    folder.mkdir()
    name = f"mirage-{order.preset}-{order.ratio.replace(':', 'x')}-{order.seed}"
    try:
        video = write_mp4(frames, folder / f"{name}.mp4", fps=order.made_fps, recipe=recipe, rate=order.fps)
        poster = write_poster(frames[0], folder / f"{name}.jpg")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    seconds = len(frames) / order.made_fps
    return Clip(order, video, poster, tuple(frames.shape[1:3]), seconds, np.asarray(coverage), recipe)


def report_of(done: DoneEvent) -> dict:
    """The figures of a render, as they are written into the clip."""
    psnr, ssim = (None if value is None else round(float(value), 4) for value in (done.loop.psnr, done.loop.ssim))
    psnr = None if psnr is not None and not np.isfinite(psnr) else psnr  # equal frames: JSON knows no infinity
    return {
        "loop": {"closed": done.loop.closed, "psnr": psnr, "ssim": ssim},
        "drift": round(float(done.drift), 3),
        "seconds": {name: round(float(value), 3) for name, value in done.seconds.items()},
    }


def sheet(clip: Clip | None, language: str) -> dict[str, object]:
    """The finished clip in figures, its files and its recipe: {name of a widget: value or update}."""
    if clip is None:
        return {"sheet": gr.update(visible=False), "recipe": ""}
    rows = "".join(
        f"<div><dt>{escape(say(language, key))}</dt><dd>{escape(value)}</dd></div>"
        for key, value in facts(clip, language)
    )
    return {
        "sheet": gr.update(visible=True),
        "facts": f'<dl class="facts">{rows}</dl>',
        "download": gr.update(value=str(clip.video)),
        "poster": gr.update(value=str(clip.poster)),
        "recipe": json.dumps(shortened(clip.recipe), indent=2, ensure_ascii=False),
    }


def facts(clip: Clip, language: str) -> list[tuple[str, str]]:
    """(key of its word, value) of every figure. A stopped clip has only those of its file."""
    report = clip.recipe["report"]
    order = clip.order
    repeated = say(language, "rate_repeated", fps=order.fps, made=order.made_fps)
    found = [
        ("fact_length", f"{decimal(language, clip.seconds)} s"),
        ("fact_size", f"{clip.size[1]} × {clip.size[0]}"),
        ("fact_rate", str(order.fps) if order.made_fps >= order.fps else repeated),
        ("fact_seed", str(order.seed)),
    ]
    if "seconds" in report:
        loop = report["loop"]
        is_seamless = loop["psnr"] is None or loop["psnr"] >= SEAMLESS
        closed = say(language, "loop_seamless") if is_seamless else say(language, "loop_closed", psnr=loop["psnr"])
        found += [
            ("fact_loop", closed if loop["closed"] else say(language, "loop_open")),
            ("fact_drift", f"{decimal(language, report['drift'])} / 255"),
            ("fact_time", f"{report['seconds'].get('total', 0):.0f} s"),
        ]
    return found


def shortened(value):
    """The recipe for reading: the cameras of every frame stay in the file, the page says how many there are."""
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    if isinstance(value, list) and len(value) > LONG_LIST:
        return f"{len(value)} × …"
    return value

"""A finished clip: its files on disk, its figures and its recipe as the page tells them."""

import json
import secrets
import shutil
from html import escape

import gradio as gr
import numpy as np

from pipelines.events import DoneEvent
from pipelines.media.clips import write_mp4, write_poster
from studio.handlers.answers import Answer
from studio.state import Clip, Order, Session
from studio.words import decimal, say

SEAMLESS = 40  # dB between last and first frame: nobody sees the difference


def write_clip(session: Session, order: Order, frames: np.ndarray, coverage: np.ndarray, recipe: dict) -> Clip:
    """Clip and poster in a folder of their own; where the disk refuses, nothing of it stays."""
    folder = session.folder / secrets.token_hex(6)
    folder.mkdir()
    name = f"mirage-{order.preset}-{order.ratio.replace(':', 'x')}-{order.seed}"
    try:
        video = write_mp4(frames, folder / f"{name}.mp4", fps=order.fps, recipe=recipe)
        poster = write_poster(frames[0], folder / f"{name}.jpg")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Clip(order, video, poster, tuple(frames.shape[1:3]), len(frames), np.asarray(coverage), recipe)


def report_of(done: DoneEvent) -> dict:
    """The figures of a render, as they are written into the clip."""
    psnr, ssim = (None if value is None else round(float(value), 4) for value in (done.loop.psnr, done.loop.ssim))
    psnr = None if psnr is not None and not np.isfinite(psnr) else psnr  # equal frames: JSON knows no infinity
    return {
        "loop": {"closed": done.loop.closed, "psnr": psnr, "ssim": ssim},
        "drift": round(float(done.drift), 3),
        "seconds": {name: round(float(value), 3) for name, value in done.seconds.items()},
    }


def sheet(session: Session, language: str) -> Answer:
    """The finished clip in figures, its files and its recipe."""
    clip = session.clip
    if clip is None:
        return {"sheet": gr.update(visible=False), "recipe": ""}
    report = clip.recipe["report"]
    facts = [
        ("fact_length", f"{decimal(language, clip.num_frames / clip.order.fps)} s"),
        ("fact_size", f"{clip.size[1]} × {clip.size[0]}"),
        ("fact_seed", str(clip.order.seed)),
    ]
    if "seconds" in report:
        loop = report["loop"]
        is_seamless = loop["psnr"] is None or loop["psnr"] >= SEAMLESS
        closed = say(language, "loop_seamless") if is_seamless else say(language, "loop_closed", psnr=loop["psnr"])
        facts += [
            ("fact_loop", closed if loop["closed"] else say(language, "loop_open")),
            ("fact_drift", f"{decimal(language, report['drift'])} / 255"),
            ("fact_time", f"{report['seconds'].get('total', 0):.0f} s"),
        ]
    rows = "".join(f"<div><dt>{escape(say(language, key))}</dt><dd>{escape(value)}</dd></div>" for key, value in facts)
    return {
        "sheet": gr.update(visible=True),
        "facts": f'<dl class="facts">{rows}</dl>',
        "download": gr.update(value=str(clip.video)),
        "poster": gr.update(value=str(clip.poster)),
        "recipe": json.dumps(_brief(clip.recipe), indent=2, ensure_ascii=False),
    }


def _brief(recipe: dict) -> dict:
    """The recipe for reading: the cameras of every frame stay in the file, the page names how many there are."""

    def short(value):
        if isinstance(value, dict):
            return {key: short(item) for key, item in value.items()}
        if isinstance(value, list) and len(value) > 16:
            return f"{len(value)} × …"
        return value

    return short(recipe)

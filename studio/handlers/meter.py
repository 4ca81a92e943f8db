"""Under the stage: how much of the picture is the photo, what would make it better, and what is to be said of it."""

from html import escape

import gradio as gr

from pipelines import limits
from studio.handlers.answers import Answer
from studio.pictures import strip_svg
from studio.session import Session
from studio.words import say, translated

ALL_BACKED = 0.995  # of every frame: what is missing then are cracks that nobody sees


def meter(session: Session, language: str) -> Answer:
    """The strip and its plain words, for the last preview or the finished clip; what is to be said of the photo."""
    measured = session.measured
    is_clip = session.shown["kind"] == "clip"
    remarks = [] if is_clip else [translated(language, remark) for remark in session.remarks]
    if measured is None:
        return {"strip": "", "advice": advice(remarks), "shorter": gr.update(visible=False)}
    low, mean = float(measured.coverage.min()), float(measured.coverage.mean())
    if low >= ALL_BACKED:
        words = say(language, "backed_all")
    else:
        figures = {"percent": int(100 * low), "mean": int(100 * mean)}  # 99.9 is not all
        words = say(language, "backed_clip" if is_clip else "backed_preview", **figures)
        words += "" if is_clip else " " + say(language, "hatch")
    if measured.product == "kept" and not is_clip:
        words += " " + say(language, "product_kept")
    if measured.zoom > 1 and not is_clip:
        words += " " + say(language, "closer", percent=round(100 * measured.zoom - 100))
    if measured.zoom < 1 and not is_clip:
        words += " " + say(language, "farther", percent=round(100 * measured.zoom))
    legend = (
        f'<p class="legend"><i class="key-backed"></i>{escape(say(language, "backed"))}'
        f'<i class="key-invented"></i>{escape(say(language, "invented"))}</p>'
    )
    strip = f'<div class="meter">{strip_svg(measured.coverage, words)}{legend}<p>{escape(words)}</p></div>'
    is_bare, is_torn = (False, False) if is_clip else (low < limits.BACKED, measured.torn > limits.TORN)
    is_cut = measured.product == "cut" and not is_clip
    warnings = [say(language, "low_coverage")] if is_bare else [say(language, "torn")] if is_torn else []
    if measured.product == "cropped" and not is_clip:
        warnings.append(say(language, "product_cropped"))
    if is_cut:
        warnings.append(say(language, "product_cut"))
    if measured.calm_seconds and not is_clip:
        warnings.append(say(language, "too_fast", seconds=measured.calm_seconds))
    return {
        "strip": strip,
        "advice": advice([*remarks, *warnings]),
        "shorter": gr.update(visible=(is_bare or is_torn or is_cut) and not session.drawn),
    }


def advice(lines: list[str]) -> str:
    return "".join(f'<p class="warning">{escape(line)}</p>' for line in lines)

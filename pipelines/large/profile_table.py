"""All profiles in one table: what each needs and moves, and the least time of a chunk. `info --profiles` prints it."""

from pathlib import Path
from typing import Any

from pipelines.large.configurations import read_model, released
from pipelines.large.costs import CARDS, GIB, flop_of, least_seconds, moved_bytes, needed_bytes
from pipelines.large.counting import FRAMES, costs_of
from pipelines.large.families import LAYOUTS
from pipelines.large.profiles import PROFILES, is_available, suits
from pipelines.weights.gguf_kinds import GGUF_KINDS
from pipelines.weights.hub import CONFIGURATIONS, local_folder


def table(model: str | Path | None = None, height: int | None = None, width: int | None = None) -> list[dict[str, Any]]:
    """One row per profile of a folder or repository, or, if None, of every released family at full size.

    layout, profile, what, available; gib and gib_longest: for a chunk of FRAMES frames and of the layout's longest;
    tflop of the former, gib_moved to the GPU for a clip of it, and the least_seconds it takes, by card.
    """
    models = (
        [released(layout) for layout in LAYOUTS.values()]
        if model is None
        else [read_model(local_folder(model, CONFIGURATIONS))]
    )
    rows = []
    for each in models:
        short, longest = (costs_of(each, height, width, frames) for frames in (FRAMES, None))
        for profile in PROFILES.values():
            if model is not None and not suits(profile, each.kept) and each.kept in GGUF_KINDS:
                continue  # weights in blocks cannot be had otherwise
            rows.append(
                {
                    "layout": each.layout.name,
                    "profile": profile.name,
                    "what": profile.what,
                    "available": is_available(profile) and (model is None or suits(profile, each.kept)),
                    "gib": round(needed_bytes(profile, short) / GIB, 1),
                    "gib_longest": round(needed_bytes(profile, longest) / GIB, 1),
                    "tflop": round(flop_of(profile, short) / 1e12, 3),
                    "gib_moved": round(moved_bytes(profile, short) / GIB, 1),
                    "least_seconds": {card: round(least_seconds(profile, short, card), 3) for card in CARDS},
                }
            )
    return rows


def as_table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    columns = ["profile", "what", f"GiB, {FRAMES} frames", "GiB, longest chunk", "TFLOP", "GiB moved"]
    columns += [f"{card}, least s" for card in CARDS]
    lines = []
    for layout in dict.fromkeys(row["layout"] for row in rows):
        lines += ["", f"{layout}:", "", "| " + " | ".join(columns) + " |", "| --- " * len(columns) + "|"]
        for row in (row for row in rows if row["layout"] == layout):
            profile = PROFILES[row["profile"]]
            missing = "" if is_available(profile) else f" (install {profile.requires})"
            figures = [f"{row[name]:g}" for name in ("gib", "gib_longest", "tflop", "gib_moved")]
            figures += [f"{seconds:.3g}" for seconds in row["least_seconds"].values()]
            lines.append(f"| {row['profile']} | {row['what']}{missing} | " + " | ".join(figures) + " |")
    note = "Estimated. Seconds are a floor: a card's full speed. No GPU has measured any of it."
    return "\n".join([*lines[1:], "", note])

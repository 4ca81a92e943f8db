"""Writes the pages of docs/ that follow from the code, one at a time:

python -m pipelines.cameras > docs/moves.md
python -m pipelines.cameras path.schema.json > docs/path.schema.json
python -m pipelines.cameras trajectory.schema.json > docs/trajectory.schema.json
"""

import json
import sys

from pipelines.cameras.moves import MOVES, Choice
from pipelines.cameras.path import Path
from pipelines.cameras.trajectory import Trajectory
from pipelines.limits import TRAVEL, TURN_DEGREES
from presets.schema import load_moves

INTRO = f"""# Moves

Written by `python -m pipelines.cameras > docs/moves.md` from `presets/moves/*.json` and the registry in
`pipelines/cameras/moves.py`; a test holds that this page is up to date.

`D` is the distance to the subject: every travel is a share of it, so a move looks the same in a 3 m shop and in a
40 m hall. Frame 0 is exactly the photo's camera. A loop is played round and round: its last frame is one step before
the first. Left is the exact mirror of right. Risk says how much of the picture must be invented at a 60-degree lens.
At default length and strength no move turns by more than {TURN_DEGREES:g} degrees or travels more than
{100 * TRAVEL:g} % of D in a quarter of a second, which is 6 frames (`steps_over_cap`).
Axes and units: [conventions.md](conventions.md). Your own path as a file: [trajectory.md](trajectory.md).
"""


def moves_page() -> str:
    """docs/moves.md as text."""
    cards = [
        "| id | Name | Nome | Seconds | Loop | Lens changes | Aims at | Risk | Suits |",
        "|---" * 9 + "|",
    ]
    values = ["| Move | What it does | Parameter | Default | Range |", "|---" * 5 + "|"]
    for preset in load_moves().values():
        cards.append(
            f"| `{preset.id}` | {preset.name.en} | {preset.name.it} | {preset.seconds:g} "
            f"| {'yes' if preset.loop else 'no'} "
            f"| {'yes' if preset.changes_lens else 'no'} | {preset.pivot} | {preset.risk} "
            f"| {', '.join(text.en for text in preset.suits)} |"
        )
    for name, move in MOVES.items():
        summary = " ".join(move.path.__doc__.split())
        for param_name, param in move.params.items():
            if isinstance(param, Choice):
                default, limits = param.default, ", ".join(param.options)
            else:
                default, limits = f"{param.default:g} {param.unit}", f"{param.low:g}..{param.high:g} {param.unit}"
            values.append(f"| `{name}` | {summary} | `{param_name}` | {default} | {limits} |")
            summary = ""  # said once per move
    return "\n".join([INTRO, "## The cards", "", *cards, "", "## The parameters", "", *values]) + "\n"


def schema_page(schema: dict) -> str:
    return json.dumps(schema, indent=2) + "\n"


PAGES = {
    "moves.md": moves_page,
    "path.schema.json": lambda: schema_page(Path.json_schema()),
    "trajectory.schema.json": lambda: schema_page(Trajectory.json_schema()),
}


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "moves.md"
    if name not in PAGES:
        sys.exit(f"Unknown page {name:.40}. Choose from {', '.join(PAGES)}.")
    print(PAGES[name](), end="")

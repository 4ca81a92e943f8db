"""Limits that the page and Python share stand in Python alone: no script of the page has a copy of one."""

import math
import re
from pathlib import Path

import pytest

from pipelines import limits
from pipelines.media.photos import MAX_MEGABYTES
from studio.editor.editor import OPEN, served_limits

STUDIO = Path(__file__).parents[3] / "studio"
# Where a number has another meaning than the limit that happens to be equal
OTHER_MEANINGS = {
    ("editor.js", "AHEAD = 0.2;"),  # of the subject's distance, where a new point lies
    ("editor.js", "ANY_LENS = 60;"),  # degrees
    ("backdrop.js", "COARSE = 3;"),  # every third pixel
    ("gestures.js", "STILL = 3;"),  # pixels
    ("gestures.js", "ON_CAMERA = 24;"),  # pixels
    ("drawing.js", "MANY = 24;"),  # keys
    ("stage.js", "DAY = 24 * 3600 * 1000;"),
    ("panel.js", "LENSES = [18, 24, 35, 50, 85];"),  # mm
    ("height.js", "STILL = 3;"),
    ("timeline.js", "STILL = 3;"),
    ("history.js", "MAX_UNDO = 200;"),
    ("tools.js", "TOO_NEAR = 0.15;"),  # to what the camera looks at, not to a surface
    ("place.js", "fade: 0.25"),
    ("viewpoints.js", "-0.15 * distance"),  # what is shown round a path
    ("viewpoints.js", "-0.2 * distance"),
}
NUMBER = r"(?<![\w.])(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"


def scripts() -> dict[str, str]:
    """{file name: code} of all scripts of the page, without comments and quoted strings."""
    files = [*(STUDIO / "editor" / "scripts").glob("*.js"), *(STUDIO / "page" / "scripts").glob("*.js")]
    texts = {file.name: file.read_text(encoding="utf-8") for file in files} | {"editor.py": OPEN}
    return {name: re.sub(r"'[^'\n]*'|(?<!:)//.*", "", text) for name, text in texts.items()}


def shared_numbers() -> set[float]:
    table = [value for name, value in vars(limits).items() if name.isupper()]
    numbers = [*table, *served_limits().values(), MAX_MEGABYTES * 10**6]
    return {float(x) for value in numbers for x in (value if isinstance(value, tuple) else (value,))} - {1.0}


def copies(code: str) -> list[str]:
    """The lines with a number that Python decides. Small whole numbers mean many things: of those only the ones that
    were given a name count."""
    found = []
    for line in code.splitlines():
        numbers = [float(number.replace("_", "")) for number in re.findall(NUMBER, line)]
        numbers += [float(a) * float(b) for a, b in re.findall(rf"({NUMBER}) \* ({NUMBER})", line)]
        is_named = re.match(r"\s*(export )?const [A-Z_]+ = ", line)
        counted = [number for number in numbers if is_named or number % 1 or number >= 1000]
        if any(math.isclose(number, shared) for number in counted for shared in shared_numbers()):
            found.append(line)
    return found


def test_no_script_has_a_copy_of_a_limit():
    found = [(name, line) for name, code in scripts().items() for line in copies(code)]
    known = {
        (name, part) for name, part in OTHER_MEANINGS if any(name == file and part in line for file, line in found)
    }
    assert OTHER_MEANINGS - known == set()
    assert [at for at in found if not any(at[0] == name and part in at[1] for name, part in known)] == []


@pytest.mark.parametrize(
    "line", ["const FPS = 24;", "  if (travel > 0.04 * distance) {", "const MAX = 256 * 1024;", "if (size > 40e6) {"]
)
def test_a_copy_would_be_found(line):
    assert copies(line) == [line]


def test_every_limit_that_is_served_is_used():
    code = "".join(scripts().values())
    assert [
        name for name in served_limits() if not re.search(rf"limits\.{name}\b|\b{name}\b.* = \w+\.limits;", code)
    ] == []

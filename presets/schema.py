"""What a preset file may hold. The page's cards, the command line and the docs read presets through here.

A move preset names a move of the engine and gives it values; what the move does with them is the engine's business,
so this module knows its name only. Files are plain JSON, one preset each, named after the preset's id.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MOVES_FOLDER = Path(__file__).parent / "moves"
MAX_FILE_BYTES = 64 * 1024
MAX_FILES = 500

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=48)]
Line = Annotated[str, Field(pattern=r"^\S[^\x00-\x1f\x7f]*$", max_length=200)]  # one line of plain text


class _Strict(BaseModel):
    """Nothing unknown, nothing coerced, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Text(_Strict):
    """The same words in both languages of the page."""

    en: Line
    it: Line


class MovePreset(_Strict):
    """One card of the move picker.

    id: also the file's name. order: place among the cards, ascending. name, summary: what a marketer reads.
    move, params: name of a registered move and values for it (what is left out takes the move's default).
    seconds: default length. loop: the clip is played round and round without a seam. changes_lens: the focal varies.
    risk: how much of the picture must be invented at a 60-degree lens. pivot: "subject" when the camera aims at the
    point at the subject's distance straight ahead, "none" when its heading does not depend on the subject.
    suits: what it is good for. version counts up with every change of values.
    """

    id: Slug
    order: int = Field(ge=0, le=100_000)
    name: Text
    summary: Text
    family: Literal["travel", "arc", "turn", "loop", "lens", "still"]
    move: Slug
    params: dict[Annotated[str, Field(pattern=r"^[a-z][a-z_]*$", max_length=32)], float | Slug] = Field(max_length=16)
    seconds: float = Field(ge=0.5, le=60)
    loop: bool
    changes_lens: bool
    risk: Literal["little", "some", "much"]
    pivot: Literal["subject", "none"]
    suits: tuple[Text, ...] = Field(min_length=1, max_length=6)
    author: Line
    version: int = Field(ge=1, le=1_000_000)
    licence: Line


def load_move(path: Path) -> MovePreset:
    """Reads one preset file of at most 64 KiB. Raises ValueError with one sentence that names file and field."""
    with path.open("rb") as file:
        text = file.read(MAX_FILE_BYTES + 1)
    if len(text) > MAX_FILE_BYTES:
        raise ValueError(f"{path.name} is over {MAX_FILE_BYTES} bytes, the limit for a preset. Shorten its texts.")
    try:
        preset = MovePreset.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(map(str, first["loc"]))
        value = "" if first["type"] in ("missing", "json_invalid") else f" (got {first['input']!r:.60})"
        raise ValueError(f"{path.name}: {field or 'file'}: {first['msg']}{value}. Fix it in the file.") from error
    if preset.id != path.stem:
        raise ValueError(f"{path.name} holds the preset {preset.id!r}. Rename the file to {preset.id}.json.")
    return preset


def load_moves(folder: Path | str = MOVES_FOLDER) -> dict[str, MovePreset]:
    """All move presets of a folder as {id: preset}, in the order of the cards (order, then id)."""
    if not Path(folder).is_dir():
        raise ValueError(f"There is no folder {str(folder)!r} to read presets from. Give one that holds *.json files.")
    paths = sorted(Path(folder).glob("*.json"))
    if len(paths) > MAX_FILES:
        raise ValueError(f"{Path(folder).name} holds {len(paths)} presets, at most {MAX_FILES} are read. Remove some.")
    presets = sorted(map(load_move, paths), key=lambda preset: (preset.order, preset.id))
    return {preset.id: preset for preset in presets}

"""What a preset file may hold. The page's cards, the command line and the docs read presets through here.

A preset is one JSON object: words that a person reads, and values that the engine takes. What a move or a look does
with its values is the engine's business; this module knows names and ranges only. docs/presets.md describes the files,
docs/preset.schema.json is their JSON schema.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from pipelines.errors import Refused
from presets.reading import MAX_FILE_BYTES, SCHEMA, checked, parse_json

MOVES_FOLDER = Path(__file__).parent / "moves"
MAX_FILES = 500

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=48)]
# One line that looks like what it says: no control characters, and none of those that turn the direction of writing
UNSEEN = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
Line = Annotated[str, Field(pattern=rf"^[^\s{UNSEEN}][^{UNSEEN}]*$", max_length=200)]
Number3 = tuple[float, float, float]


class _Strict(BaseModel):
    """Nothing unknown, nothing coerced, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_by_name=True)


class Text(_Strict):
    """The same words in both languages of the page."""

    en: Line
    it: Line


class _Preset(_Strict):
    """What every preset has.

    schema: of the file, 1. id: also the file's name. name, summary: what a marketer reads. version counts up with every
    change. licence: of the preset itself, as an SPDX name or in words.
    """

    schema_: Literal[1] = Field(default=SCHEMA, alias="schema")
    id: Slug
    name: Text
    summary: Text
    author: Line
    version: int = Field(ge=1, le=1_000_000)
    licence: Line


class MovePreset(_Preset):
    """One card of the move picker.

    order: place among the cards, ascending. move, params: name of a registered move and values for it (what is left out
    takes the move's default). seconds: default length. loop: the clip is played round and round without a seam.
    changes_lens: the focal varies. risk: how much of the picture must be invented at a 60-degree lens. pivot: "subject"
    when the camera aims at the point at the subject's distance straight ahead, "none" when its heading does not depend
    on the subject. suits: what it is good for.
    """

    kind: Literal["move"] = "move"
    order: int = Field(ge=0, le=100_000)
    family: Literal["travel", "arc", "turn", "loop", "lens", "still"]
    move: Slug
    params: dict[Annotated[str, Field(pattern=r"^[a-z][a-z_]*$", max_length=32)], float | Slug] = Field(max_length=16)
    seconds: float = Field(ge=0.5, le=60)
    loop: bool
    changes_lens: bool
    risk: Literal["little", "some", "much"]
    pivot: Literal["subject", "none"]
    suits: tuple[Text, ...] = Field(min_length=1, max_length=6)


class DrawnKey(_Strict):
    """A camera that a drawn path passes through, as docs/path.md has it."""

    time: float = Field(ge=0, le=60)
    position: Number3
    orientation: tuple[float, float, float, float]
    fov: float = Field(ge=1, le=179)
    roll: float = 0.0
    ease: Annotated[str, Field(max_length=16)] = "linear"
    name: Annotated[str, Field(max_length=40)] = ""


class DrawnPath(_Strict):
    """A path as the editor keeps it, in scene units; the engine checks what lies between its keys (docs/path.md)."""

    version: Literal[1] = 1
    closed: bool = False
    target: Number3 | None = None
    keys: tuple[DrawnKey, ...] = Field(min_length=2, max_length=200)


class PathPreset(_Preset):
    """A move that was drawn. distance: the depth of the subject in the place it was drawn in, scene units, > 0: in
    another place all travel is scaled by the ratio of the distances."""

    kind: Literal["path"] = "path"
    path: DrawnPath
    distance: float = Field(gt=0, le=1e6)


class LookPreset(_Preset):
    """How the frames are graded. exposure: stops. contrast, saturation: factors round mid grey. warmth: -1 cold .. 1
    warm. grain, vignette: 0..1. prompt: for models that read text."""

    kind: Literal["look"] = "look"
    order: int = Field(default=1000, ge=0, le=100_000)
    exposure: float = Field(default=0.0, ge=-2, le=2)
    contrast: float = Field(default=1.0, ge=0.5, le=2)
    saturation: float = Field(default=1.0, ge=0, le=2)
    warmth: float = Field(default=0.0, ge=-1, le=1)
    grain: float = Field(default=0.0, ge=0, le=1)
    vignette: float = Field(default=0.0, ge=0, le=1)
    prompt: Annotated[str, Field(max_length=200)] = ""


class RecipePreset(_Preset):
    """Everything but the photo: a move or a drawn path, a look, and the settings of the page. strength: 1 as the move
    has it."""

    kind: Literal["recipe"] = "recipe"
    shot: Annotated[MovePreset | PathPreset, Field(discriminator="kind")]
    look: LookPreset | None = None
    ratio: Literal["photo", "16:9", "9:16", "1:1", "4:5"]
    quality: Literal["draft", "standard", "full"]
    seconds: float = Field(ge=0.5, le=60)
    fps: Literal[24, 25, 30]
    strength: float = Field(default=1.0, ge=0.1, le=1.5)
    direction: Literal["left", "right", "in", "out"] = "right"
    prompt: Annotated[str, Field(max_length=1000)] = ""


Preset = Annotated[MovePreset | PathPreset | LookPreset | RecipePreset, Field(discriminator="kind")]
KINDS = {"move": MovePreset, "path": PathPreset, "look": LookPreset, "recipe": RecipePreset}


def read_preset(data: bytes, name: str) -> Preset:
    """The preset in the bytes of a JSON file. name: the file's, for the sentence.

    Raises Refused that names the file, the field and what it may be; LaterSchema for what a newer studio wrote.
    """
    content = parse_json(data, name)
    kind = content.get("kind")
    if kind not in KINDS:
        raise Refused(
            "{file}: kind: {value!r:.60} must be one of {allowed}.", file=name, value=kind, allowed=", ".join(KINDS)
        )
    return checked(KINDS[kind], content, name)


def json_schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of a preset's file. That keys differ and names are single is checked on reading."""
    schema = TypeAdapter(Preset).json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Mirage Studio preset", **schema}


@cache
def shipped() -> dict[str, Preset]:
    """The presets that come with the studio, by id. They are never changed, only duplicated."""
    return dict(load_moves())


def load_move(path: Path) -> MovePreset:
    """Reads one preset file of a move. Raises ValueError with one sentence that names file and field."""
    with path.open("rb") as file:
        preset = checked(MovePreset, parse_json(file.read(MAX_FILE_BYTES + 1), path.name), path.name)
    if preset.id != path.stem:
        raise Refused("{file} holds the preset {id!r}. Rename the file to {id}.json.", file=path.name, id=preset.id)
    return preset


def load_moves(folder: Path | str = MOVES_FOLDER) -> dict[str, MovePreset]:
    """All move presets of a folder as {id: preset}, in the order of the cards (order, then id)."""
    if not Path(folder).is_dir():
        raise Refused(
            "There is no folder {folder!r} to read presets from. Give one that holds *.json files.", folder=str(folder)
        )
    paths = sorted(Path(folder).glob("*.json"))
    if len(paths) > MAX_FILES:
        raise Refused(
            "{folder} holds {count} presets, at most {limit} are read. Remove some.",
            folder=Path(folder).name,
            count=len(paths),
            limit=MAX_FILES,
        )
    presets = sorted(map(load_move, paths), key=lambda preset: (preset.order, preset.id))
    return {preset.id: preset for preset in presets}

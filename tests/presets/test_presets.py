import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.cameras import MOVES, Camera, move
from pipelines.cameras.__main__ import moves_page
from presets.schema import MOVES_FOLDER, MovePreset, load_moves

PRESETS = load_moves()
PUSH_IN = json.loads((MOVES_FOLDER / "push-in.json").read_text(encoding="utf-8"))


def test_the_nine_moves_have_a_card_in_the_registry_order():
    assert [preset.move for preset in PRESETS.values()] == list(MOVES) and list(PRESETS) == list(MOVES)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_card_and_engine_agree(preset):
    registered = MOVES[preset.move]
    assert registered.checked(preset.params) == preset.params  # every parameter is given, none is out of range
    frames = round(24 * preset.seconds)
    path = move(preset.move, Camera.from_fov(60, 288, 512), distance=2.0, frames=frames, **preset.params)
    assert path.is_closed == preset.loop == registered.closed
    assert preset.changes_lens == registered.zooms
    at_defaults = move(preset.move, Camera.from_fov(60, 288, 512), distance=2.0, frames=frames)
    assert path == at_defaults  # the page and a bare `move` show the same thing


def test_moves_page_is_written_from_the_data():
    page = Path(__file__).parents[2] / "docs" / "moves.md"
    assert page.read_text(encoding="utf-8") == moves_page(), "run: python -m pipelines.cameras > docs/moves.md"


def test_presets_know_nothing_of_the_engine():
    for source in MOVES_FOLDER.parent.glob("*.py"):
        imports = re.findall(r"^\s*(?:from|import) (pipelines\S*)", source.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(imports) <= {"pipelines.errors", "pipelines.files"}  # sentences, and files written whole


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "bad.json: colour: no such field is known. Remove it."),
        ({"move": None}, "bad.json: move: it is missing. Add it."),
        ({"seconds": 0}, "bad.json: seconds: 0 must be at least 0.5"),
        ({"seconds": "4"}, "bad.json: seconds: '4' must be a number"),
        ({"params": {"strength": True}}, "bad.json: params.strength"),
        ({"params": {"__class__": 1.0}}, "bad.json: params.__class__"),
        ({"id": "../bad"}, "bad.json: id: '../bad' must be one line of plain text or a name in small letters"),
        ({"id": "good"}, "bad.json holds the preset 'good'. Rename the file to good.json"),
        ({"name": {"en": "Only English"}}, "bad.json: name.it: it is missing"),
        ({"name": {"en": "two\nlines", "it": "due"}}, "bad.json: name.en"),
        ({"risk": "huge"}, "bad.json: risk: 'huge' must be one of 'little', 'some' or 'much'"),
        ({"suits": []}, "bad.json: suits"),
    ],
)
def test_bad_presets_are_refused_in_one_sentence(tmp_path, changes, message):
    data = {**PUSH_IN, "id": "bad", **changes}
    data = {key: value for key, value in data.items() if value is not None}
    (tmp_path / "bad.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        load_moves(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "bad.json is no JSON"),
        (json.dumps({**PUSH_IN, "id": "bad", "params": {"strength": float("nan")}}), "bad.json: "),
        (" " * 300_000, "bad.json is over 262144 bytes"),
    ],
)
def test_bad_preset_files_are_refused(tmp_path, text, message):
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_moves(tmp_path)


def test_presets_are_frozen_and_sorted(tmp_path):
    with pytest.raises(ValidationError, match="frozen"):
        PRESETS["push-in"].frames = 33
    for name, order in (("a", 3), ("b", 1), ("c", 3)):
        (tmp_path / f"{name}.json").write_text(json.dumps({**PUSH_IN, "id": name, "order": order}), encoding="utf-8")
    assert list(load_moves(tmp_path)) == ["b", "a", "c"]
    with pytest.raises(ValueError, match="no folder.*none"):
        load_moves(tmp_path / "none")


def test_json_round_trip():
    for preset in PRESETS.values():
        assert MovePreset.model_validate_json(preset.model_dump_json()) == preset

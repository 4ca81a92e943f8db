"""Presets as files and packs of them: what comes back is what left, and nothing else gets in."""

import io
import json
import zipfile

import pytest
from team import PUSH_IN, renamed

from pipelines.errors import Refused
from presets.exchange import MAX_ENTRIES, brought_in, exported, packed
from presets.schema import LookPreset, PathPreset, RecipePreset

WORDS = {"name": {"en": "Ours", "it": "Nostra"}, "summary": {"en": "One.", "it": "Una."}}
COMMON = {"schema": 1, **WORDS, "author": "Anna", "version": 3, "licence": "CC-BY-4.0"}
KEYS = [
    {"time": 0.0, "position": [0.0, 0.0, 0.0], "orientation": [1.0, 0.0, 0.0, 0.0], "fov": 60.0},
    {"time": 4.0, "position": [0.5, 0.0, 1.0], "orientation": [1.0, 0.0, 0.0, 0.0], "fov": 50.0, "ease": "smooth"},
]
PATH = PathPreset.model_validate_json(
    json.dumps({**COMMON, "id": "our-path", "kind": "path", "path": {"version": 1, "keys": KEYS}, "distance": 2.5})
)
LOOK = LookPreset.model_validate_json(json.dumps({**COMMON, "id": "our-look", "kind": "look", "warmth": 0.2}))
SETTINGS = {"ratio": "9:16", "quality": "standard", "seconds": 6.0, "fps": 25}
RECIPE = RecipePreset(**{**COMMON, **SETTINGS, "id": "our-recipe", "name": PUSH_IN.name, "summary": PUSH_IN.summary,
                         "kind": "recipe", "shot": PATH, "look": LOOK})  # fmt: skip
EVERY_KIND = [PUSH_IN, PATH, LOOK, RECIPE]


def content(preset):
    return preset.model_dump(exclude={"id", "version"})


@pytest.mark.parametrize("preset", EVERY_KIND, ids=lambda preset: preset.kind)
def test_a_file_comes_back_as_it_left_under_another_id(preset):
    [back] = brought_in(exported(preset), "x.mirage-preset.json").presets
    assert content(back) == content(preset) and back.id != preset.id and back.version == 1


def test_a_pack_comes_back_entry_by_entry():
    brought = brought_in(packed(EVERY_KIND), "pack.zip")
    assert [content(back) for back in brought.presets] == [content(preset) for preset in EVERY_KIND]
    assert brought.refused == [] and len({back.id for back in brought.presets}) == 4


def zipped(entries, **options):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in entries:
            pack.writestr(name, data)
    return target.getvalue()


def test_bad_entries_of_a_pack_are_named_and_the_others_come_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good = exported(PUSH_IN)
    later = json.dumps({**json.loads(good), "schema": 2}).encode()
    entries = {
        "../../evil.json": good,
        "/etc/x.json": b"{}",
        "big.json": b" " * 10_000_000,
        "later.json": later,
        "notes.txt": b"hello",
    }
    brought = brought_in(zipped(entries.items()), "pack.zip")
    assert [content(back) for back in brought.presets] == [content(PUSH_IN)]
    words = [
        "x.json: kind: None must be one of",
        "big.json is over 262144 bytes",
        "later.json was written by a newer",
        "notes.txt is no JSON",
    ]
    assert all(sentence.startswith(word) for word, sentence in zip(words, brought.refused, strict=True))
    assert list(tmp_path.iterdir()) == []


def encrypted():
    data = bytearray(zipped([("a.json", exported(PUSH_IN))]))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (zipped([(f"{n}.json", b"{}") for n in range(MAX_ENTRIES + 1)]), "holds 101 entries, at most 100"),
        (b"PK\x03\x04" + b"x" * 100, "is no zip that can be read"),
        (zipped([("a.json", exported(PUSH_IN))])[:-30], "is no zip that can be read"),
        (encrypted(), "is no zip that can be read"),
        (b"PK" + b"0" * (9 * 2**20), "is over 8388608 bytes"),
        (b"<html>", "is no JSON"),
        (b"\xff\xfe", "is no UTF-8 text"),
        (b"", "is no JSON"),
    ],
)
def test_files_that_are_no_packs_and_no_presets_are_refused_whole(data, sentence):
    with pytest.raises(Refused, match=sentence):
        brought_in(data, "x")


@pytest.mark.parametrize("name", ["   ", "a\u202eb", "a\nb", "x" * 201, "\u2066x", ""])
def test_names_that_do_not_look_like_what_they_are_are_refused(name):
    with pytest.raises(ValueError, match="name"):
        renamed(PUSH_IN, name)
    text = exported(PUSH_IN).decode().replace(json.dumps(PUSH_IN.name.en), json.dumps(name))
    with pytest.raises(Refused, match="name.en"):
        brought_in(text.encode(), "x")


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "${alert(1)}", "../../x", "☕ caffè", "موقع"])
def test_other_names_are_text_and_no_more(name):
    [back] = brought_in(exported(renamed(PUSH_IN, name)), "x").presets
    assert back.name.en == name and name not in back.id

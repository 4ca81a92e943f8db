"""The page without a browser: what it imports, what it says, what it refuses, and that it renders what it previewed."""

import asyncio
import json
import os
import re
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import av
import gradio as gr
import numpy as np
import pytest
from fake_pipeline import FakePipeline
from gradio.state_holder import StateHolder
from PIL import Image

import app
from pipelines.cameras.fitting import fit_error
from pipelines.cameras.keys import Key
from pipelines.cameras.path import Path as CameraPath
from pipelines.large.families import LAYOUTS, FewSteps
from pipelines.large.profiles import PROFILES, ProfileError
from pipelines.media.clips import read_recipe
from pipelines.weights.hub import FetchError
from presets.schema import load_moves
from studio import handlers
from studio.handlers import answers
from studio.handlers import models as status
from studio.media import examples, strip_svg
from studio.page import layout
from studio.page.drawings import drawing
from studio.settings import Opened, Settings
from studio.state import (
    FPS,
    KEPT_PICTURES,
    LEFTOVER_SECONDS,
    MAX_SIDE,
    QUALITIES,
    RATIOS,
    Order,
    Pace,
    Session,
    calm_seconds,
    clip_size,
    large_size,
)
from studio.words import TEXT, Refusal, say
from studio.workbench import Engine, Loading

ROOT = Path(__file__).parents[2]
# As the widgets send them: move, seconds, format, quality, direction, strength, crop, seed, path, prompt,
# closeness, depth
FIELDS = ("push-in", 2, "photo", "draft", "right", 100, 50, 7, None, "", 100, "embedded")


@pytest.fixture
def session(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    session = Session()
    y, x = np.mgrid[0:180, 0:320]
    session.set_photo(Image.fromarray(np.stack([x % 256, y, x // 2], -1).astype(np.uint8)), None)
    yield session
    session.close()


@pytest.fixture
def pipe():
    return FakePipeline()


@pytest.fixture
def engine(pipe):
    return Engine(load=lambda: Opened(pipe))


def last(answers):
    return list(answers)[-1]


def with_field(index: int, value) -> tuple:
    return (*FIELDS[:index], value, *FIELDS[index + 1 :])


# -- the page itself ------------------------------------------------------------------------------------------------


def test_opening_the_page_brings_in_no_torch():
    code = "import app, studio.page.layout, sys; studio.page.layout.build_studio(); "
    code += "print([name for name in ('torch', 'diffusers', 'transformers') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip().endswith("[]")


def test_every_move_has_a_drawing_of_its_own():
    drawings = {drawing(preset.move) for preset in load_moves().values()}
    assert len(drawings) == len(load_moves()) and not any("plain" in svg for svg in drawings)


def test_example_photos_open_on_the_first_visit():
    assert len(examples()) >= 2
    for path in examples().values():
        with Image.open(path) as image:
            assert image.size == (1280, 720) and path.stat().st_size < 400_000


@pytest.mark.parametrize(("header", "language"), [("it-IT,it;q=0.9,en;q=0.8", "it"), ("de,en;q=0.7", "en"), ("", "en")])
def test_language_follows_the_browser(header, language):
    request = type("Request", (), {"headers": {"accept-language": header}})()
    assert handlers.language_of(request) == language


# -- sizes, paths ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("photo", [(1440, 1920), (1920, 1277), (480, 1920), (64, 64), (1079, 1919)])
def test_every_quality_has_the_same_shape(ratio, photo):
    sizes = [clip_size(ratio, quality, photo) for quality in QUALITIES]
    assert all(side % 2 == 0 and side <= MAX_SIDE for size in sizes for side in size)
    assert len({h * sizes[0][1] - w * sizes[0][0] for h, w in sizes}) == 1  # h / w equal, exactly
    assert sizes == sorted(sizes)
    if ratio == "photo":
        assert sizes[0][0] / sizes[0][1] == pytest.approx(photo[0] / photo[1], rel=0.03)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("preset", load_moves())
def test_what_is_rendered_is_what_was_previewed(session, engine, pipe, ratio, preset, monkeypatch):
    previewed = []
    draw = pipe.preview
    monkeypatch.setattr(pipe, "preview", lambda lifted, path, **kw: previewed.append(path) or draw(lifted, path, **kw))
    fields = (preset, 2, ratio, "standard", "left", 80, 20, 3, None, "", 120, "embedded")
    order = Order.read(*fields)
    last(handlers.preview(engine, session, "en", *fields))
    height, width = clip_size(ratio, "standard", (180, 320))
    rendered = order.trajectory(pipe.lift(session.photo, height, width, focus=0.2, zoom=1.2).camera, 2.0)
    path = previewed[0].resized(height, width)
    assert np.array_equal(path.c2w, rendered.c2w)
    np.testing.assert_allclose(path.K, rendered.K, rtol=1e-9)
    assert len(rendered) == 33


def test_the_focal_length_of_the_photo_reaches_the_camera(session, engine, pipe):
    session.focal_35mm = 36.0
    # 36 mm on a 16:9 photo of the same diagonal: 2 atan(cos(atan(9/16)) * 43.27 / 2 / 36); a square sees 9/16 of that
    half = 16 / np.hypot(16, 9) * np.hypot(36, 24) / 72
    for size, share in (((288, 512), 1), ((512, 512), 9 / 16)):
        seen = handlers.lens(session, *size)["fov_degrees"]
        assert seen == pytest.approx(np.degrees(2 * np.arctan(share * half)))


def test_a_fast_path_asks_for_more_seconds(session, pipe):
    lifted = pipe.lift(session.photo, 288, 512)
    fast, calm = Order.read(*FIELDS), Order.read(*with_field(1, 8))
    assert calm_seconds(fast.trajectory(lifted.camera, 2.0), 2.0) in range(3, 9)
    assert calm_seconds(calm.trajectory(lifted.camera, 2.0), 2.0) is None


def test_the_estimate_learns():
    pace = Pace()
    before = pace.estimate(65, 720, 1280)
    for _ in range(8):
        pace.learn(3 * before, 65, 720, 1280)
    assert pace.estimate(65, 720, 1280) == pytest.approx(3 * before, rel=0.05)


# -- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "value", "sentence"),
    [
        (0, None, "No move is chosen"),
        (0, "../push-in", "move is '../push-in'"),
        (0, {"a": 1}, "move is"),
        (1, 0, "seconds is 0, allowed is 2–8"),
        (1, 10_000, "seconds is 10000"),
        (1, 2.5, "seconds is 2.5"),
        (1, float("nan"), "seconds is nan"),
        (1, "4", "seconds is '4'"),
        (2, "21:9", "format is '21:9'"),
        (3, "final", "quality is 'final'"),
        (4, "up", "direction is 'up'"),
        (5, 1e9, "strength is"),
        (6, -1, "crop is -1"),
        (7, -1, "seed is -1"),
        (7, True, "seed is True"),
        (7, 2**40, "seed is"),
        (9, {"text": "a"}, "description is {'text': 'a'}"),
        (9, "a" * 1001, "The description has 1001 letters, at most 1000 are read. Shorten it."),
        (11, "../../etc", "depth is '../../etc'"),
        (11, {"a": 1}, "depth is"),
        (10, 99, "closeness is 99, allowed is 100–150"),
    ],
)
def test_bad_payloads_get_a_sentence(session, engine, index, value, sentence):
    with pytest.raises(Refusal, match=re.escape(sentence)):
        Order.read(*with_field(index, value))
    for handler in (handlers.preview, handlers.render, handlers.shorten):
        answer = last(handler(engine, session, "it", *with_field(index, value)))
        assert answer["stage"]["error"].endswith((".", "!"))
        assert answer["render"]["visible"] and not answer["cancel"]["visible"]


def test_a_refusal_names_the_widget_in_the_language_of_the_page():
    with pytest.raises(Refusal) as refused:
        Order.read(*with_field(7, -1))
    assert refused.value.said_in("it").startswith("seme: il valore è -1, è ammesso 0–2147483647.")


@pytest.mark.parametrize(
    ("index", "value", "words"),
    [
        (0, "x", "Avvicinamento lento"),
        (2, "x", "è ammesso Come la foto, 16:9"),
        (3, "x", "è ammesso Bozza, Standard, Full HD."),
        (4, "x", "è ammesso Sinistra, Destra, Avanti, Indietro."),
        (9, 1, "è ammesso testo."),
    ],
)
def test_a_refusal_names_the_choices_as_the_page_does(index, value, words):
    with pytest.raises(Refusal) as refused:
        Order.read(*with_field(index, value))
    assert words in refused.value.said_in("it")


def test_italian_writes_decimals_with_a_comma(session, engine):
    assert say("it", "stopped_partial", seconds=1.25) == "Fermato dopo 1,2 s di video. La parte pronta è salva."
    last(handlers.render(engine, session, "it", *FIELDS))
    assert "2,1 s" in handlers.sheet(session, "it")["facts"] and "2.1 s" in handlers.sheet(session, "en")["facts"]


def test_a_field_that_was_cleared_is_called_empty(session, engine):
    answer = last(handlers.preview(engine, session, "it", *with_field(7, None)))
    assert answer["stage"]["error"].startswith("seme: il valore è vuoto, è ammesso 0–2147483647")


def test_a_full_disk_leaves_no_folder_of_a_clip(session, engine, monkeypatch):
    def full(*_, **__):
        raise OSError("clip.jpg could not be written (No space left on device). Free some disk space.")

    monkeypatch.setattr("pipelines.files.os.replace", lambda *_: full() if str(_[1]).endswith(".mp4") else None)
    answer = last(handlers.render(engine, session, "it", *FIELDS))
    assert answer["stage"]["error"] == say("it", "not_saved") and answer["render"]["visible"]
    assert not list(session.folder.rglob("*.mp4")) and not [x for x in session.folder.iterdir() if x.is_dir()]


def test_without_a_photo_the_page_asks_for_one(engine):
    for handler in (handlers.preview, handlers.render, handlers.shorten):
        answer = last(handler(engine, Session(), "it", *FIELDS))
        assert answer["stage"]["error"] == say("it", "need_photo")


@pytest.mark.parametrize("path", ["/etc/passwd", None, 3, "", "a\0b", "x" * 5000, {"path": "/etc/passwd"}])
def test_only_uploads_are_opened(session, engine, path):
    before = session.photo
    answer = last(handlers.take_photo(engine, session, "en", path, "photo", 50))
    assert answer["stage"]["error"] == say("en", "not_an_upload")
    assert session.photo is before


def test_a_bad_photo_gets_its_sentence_and_no_upload_stays(session, engine, tmp_path):
    upload = tmp_path / "photo"
    upload.write_bytes(b"not a picture at all")
    answer = last(handlers.take_photo(engine, session, "it", str(upload), "photo", 50))
    assert (
        answer["stage"]["error"]
        == "Questo file non è un'immagine leggibile. Usa JPEG, PNG, WebP, AVIF, TIFF, BMP o GIF."
    )
    assert not upload.exists()
    teal = Image.new("RGB", (640, 480), "teal")
    teal.paste("white", (0, 0, 100, 100))
    teal.save(upload, "PNG")
    answer = last(handlers.take_photo(engine, session, "it", str(upload), "1:1", 50))
    assert answer["stage"]["kind"] == "photo" and session.photo.size == (640, 480)
    assert not upload.exists()
    upload = tmp_path / "0123abcd" / "photo"  # where the upload route puts it
    upload.parent.mkdir()
    upload.write_bytes(b"not a picture at all")
    last(handlers.take_photo(engine, session, "it", str(upload), "photo", 50))
    assert not upload.parent.exists() and tmp_path.exists()


def test_a_photo_that_is_dropped_while_a_clip_is_made_is_refused_and_does_not_stay(session, engine, tmp_path):
    answers = handlers.render(engine, session, "en", *FIELDS)
    next(answers)
    upload = tmp_path / "photo"
    Image.new("RGB", (640, 480)).save(upload, "PNG")
    assert last(handlers.take_photo(engine, session, "en", str(upload), "photo", 50))["stage"]["error"] == say(
        "en", "busy"
    )
    assert not upload.exists()
    answers.close()


def test_a_model_that_does_not_load_is_told(session):
    def load():
        raise OSError("autoencoder is missing in /secret/place")

    engine = Engine(load=load)
    error = last(handlers.preview(engine, session, "en", *FIELDS))["stage"]["error"]
    assert error.startswith("The model could not be loaded: autoencoder is missing") and "secret" not in error
    answer = status.engine_status(engine, "it")
    assert "failed" in answer["status"] and answer["retry"]["visible"] and "Il modello non" in answer["model_note"]


def test_a_graphics_card_that_is_too_small_is_told_in_the_language_of_the_page():
    def load():
        raise ProfileError("small", name="group-offload", free=4.0, needed=7.9, missing=3.9)

    engine = Engine(Settings(model="team/large"), load=load)
    assert engine.model.wait(10)
    told = {language: status.engine_status(engine, language)["model_note"] for language in ("en", "it")}
    assert "4.0 GiB of GPU memory are free, and group-offload" in told["en"] and "mancano 3,9 GiB" in told["it"]


def test_what_the_engine_refuses_is_passed_on(session, engine, pipe, monkeypatch):
    def refuse(*args, **kwargs):
        raise ValueError("No depth could be found in this photo. Give a depth map.")

    monkeypatch.setattr(pipe, "lift", refuse)
    error = last(handlers.render(engine, session, "en", *FIELDS))["stage"]["error"]
    assert "No depth could be found" in error
    assert session.take.ended.is_set()


# -- a path of one's own --------------------------------------------------------------------------------------------


def path_of(*positions, fov=60.0, seconds=2.0) -> dict:
    times = np.linspace(0, seconds, len(positions)).tolist()
    keys = [Key(time, position, (1, 0, 0, 0), 0.0, fov) for time, position in zip(times, positions, strict=True)]
    return CameraPath(tuple(keys)).to_dict()


def drawn(path, ratio="photo") -> tuple:
    return ("drawn", 4, ratio, "draft", "right", 100, 50, 7, path, "", 100, "embedded")


WAY = path_of((0, 0, 0), (0.1, 0, 0.1), (0.2, -0.1, 0.1))


def test_a_drawn_path_is_previewed_and_rendered_as_it_is(session, engine, pipe):
    assert last(handlers.preview(engine, session, "en", *drawn(WAY)))["stage"]["kind"] == "preview"
    last(handlers.render(engine, session, "en", *drawn(json.dumps(WAY))))  # as the editor sends it
    rendered = pipe.calls[0]["trajectory"]
    assert rendered == CameraPath.from_dict(WAY).trajectory(rendered.height, rendered.width)
    recipe = read_recipe(session.clip.video)["studio"]
    assert recipe["preset"] == "drawn" and CameraPath.from_dict(recipe["path"]).to_dict() == WAY
    assert handlers.same_again(session, "en", *FIELDS)[8] == WAY


def test_on_another_crop_the_path_keeps_its_zoom(session, engine, pipe):
    zoomed = CameraPath.from_dict(WAY)
    zoomed = replace(zoomed, keys=(*zoomed.keys[:2], replace(zoomed.keys[2], fov=30.0))).to_dict()
    last(handlers.render(engine, session, "en", *drawn(zoomed, "9:16")))
    K = pipe.calls[0]["trajectory"].K
    np.testing.assert_allclose(K[0], pipe.lift(session.photo, 512, 288).camera.K)
    assert K[-1, 0, 0] / K[0, 0, 0] == pytest.approx(np.tan(np.radians(30)) / np.tan(np.radians(15)))


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (None, "Draw the camera's way first"),
        (["drawn"], "must be a JSON object"),
        ("drawn", "This text is not a path"),
        ({"version": 1, "keys": [WAY["keys"][0]]}, "1 keys, must be 2..200"),
        ({"version": 1, "keys": [*WAY["keys"], WAY["keys"][1]]}, "must be later than"),
        ({**WAY, "keys": [{**WAY["keys"][0], "fov": float("nan")}, *WAY["keys"][1:]]}, "fov=nan"),
        ({**WAY, "keys": WAY["keys"] * 4000}, "12000 keys"),
        ({**WAY, "__proto__": "<img src=x>"}, "unknown fields __proto__"),
        (path_of((0, 0, 0.5), (0, 0, 1)), "does not begin at the photo's camera"),
        ({**WAY, "target": [1, 0, 1]}, "does not begin at the photo's camera"),
    ],
)
def test_a_path_that_cannot_be_used_gets_a_sentence(session, engine, path, sentence):
    for handler in (handlers.preview, handlers.render):
        answer = last(handler(engine, session, "en", *drawn(path)))
        assert sentence in answer["stage"]["error"] and answer["render"]["visible"]
    assert "estimate" in handlers.edited(engine, session, "it", *drawn(path))


def test_the_editor_opens_on_the_lifted_photo_and_hears_what_to_mend(session, engine):
    answer = last(handlers.suit(engine, session, "en", *drawn(path_of((0, 0, 0), (0.6, 0, 0), seconds=1))))
    place, review = answer["editor"]["place"], answer["editor"]["review"]
    assert answer["stage"]["drawing"] and place["distance"] == 2.0 and place["fov"] == pytest.approx(60)
    assert len(review["coverage"]) == 17 and review["coverage"][0] == 1
    assert {"slow_down", "keep_honest"} <= {finding.get("repair") for finding in review["findings"]}

    file = Path(place["file"]).read_bytes()
    magic, width, height = struct.unpack("<4sII", file[:12])
    assert (magic, width, height) == (b"MPL1", place["width"], place["height"])
    depth = np.frombuffer(file, "<f4", width * height, 32)
    assert (depth == 2).all() and len(file) == 32 + 7 * width * height

    again = last(handlers.reframe(engine, session, "en", *drawn(None, "1:1")))["editor"]["place"]
    assert again["width"] == again["height"] and not Path(place["file"]).exists()


@pytest.mark.parametrize("repair", ["slow_down", "keep_honest", "shorten", "nonsense"])
def test_a_repair_gives_a_better_path(session, engine, pipe, repair):
    bad = path_of((0, 0, 0), (0.6, 0, 0), seconds=1)
    answer = last(handlers.repair_path(engine, session, "en", repair, *drawn(bad)))
    if repair == "nonsense":
        assert answer["stage"]["error"].startswith("repair is 'nonsense'")
        return
    path = CameraPath.from_dict(answer["editor"]["value"])
    assert path.duration > 1 if repair == "slow_down" else path.positions[-1, 0] <= 0.6
    if repair == "keep_honest":
        assert pipe.coverage(None, path.trajectory(9, 16)).min() >= 0.8


def test_a_move_of_the_gallery_opens_as_keys(session, engine):
    answer = last(handlers.edit_path(engine, session, "en", *with_field(0, "gentle-arc")))
    path = CameraPath.from_dict(answer["editor"]["value"])
    order = Order.read(*with_field(0, "gentle-arc"))
    camera = session.lifts[1.0].camera
    assert max(fit_error(path, order.trajectory(camera, 2.0))[:2]) < 0.3
    assert answer["cards"] == "drawn" and not answer["seconds"]["visible"] and answer["stage"]["drawing"]


def test_a_pasted_path_is_read_or_refused(session, engine):
    assert handlers.pasted(engine, session, "en", json.dumps(WAY))["editor"]["value"] == WAY
    for text in ("", "{", "[" * 100_000, '{"version": 2}', 7, "x" * 300_000):
        notice = handlers.pasted(engine, session, "it", text)["editor"]["review"]["notice"]
        assert "non" in notice.lower()


# -- the models -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("MODEL", "/nowhere/at/all", "embedded, a folder with a model_index.json, or a Hub repository (team/name)."),
        ("MODEL", str(ROOT), "embedded, a folder with a model_index.json"),  # a folder without one
        ("DEPTH", "deep", "embedded, depth-anything, depth-anything-metric-indoor,"),
        ("PROFILE", "resident", "none, since the embedded model needs no GPU"),
        ("FEW_STEPS", "turbo.safetensors", "none, since the embedded model needs no GPU"),
    ],
)
def test_a_bad_setting_gets_a_sentence(setting, value, allowed):
    with pytest.raises(ValueError) as refused:
        Settings.read({f"MIRAGE_{setting}": value})
    assert str(refused.value).startswith(f"MIRAGE_{setting} is {value!r}, allowed is {allowed}")


def test_settings_are_checked_before_the_page_and_profiles_have_words(monkeypatch):
    assert Settings.read({}) == Settings() and Settings.read({"MIRAGE_MODEL": " team/model "}).model == "team/model"
    assert Settings.read({"MIRAGE_MODEL": "team/model", "MIRAGE_PROFILE": "resident"}).profile == "resident"
    with pytest.raises(ValueError, match="MIRAGE_PROFILE is 'fastest', allowed is resident, "):
        Settings.read({"MIRAGE_MODEL": "team/model", "MIRAGE_PROFILE": "fastest"})
    worded = {key.removeprefix("profile_") for key in TEXT if key.startswith("profile_")} - {"picked", "set"}
    assert worded == PROFILES.keys()
    few = "team/turbo/turbo.safetensors steps=8 licence=MIT"
    settings = Settings.read({"MIRAGE_MODEL": "team/model", "MIRAGE_FEW_STEPS": few})
    assert settings.lora_for_few_steps() == FewSteps("team/turbo/turbo.safetensors", steps=8, licence="MIT")
    for wrong, words in (
        ("gone.pt", "gone.pt is no file here"),
        (few.replace("steps", "fast"), "fast is unknown"),
    ):
        with pytest.raises(ValueError, match=words):
            Settings.read({"MIRAGE_MODEL": "team/model", "MIRAGE_FEW_STEPS": wrong})
    monkeypatch.setenv("MIRAGE_DEPTH", "deep")
    with pytest.raises(SystemExit, match="error: MIRAGE_DEPTH is 'deep', allowed is embedded, "):
        app.main()


FIRST_RUN = """
import asyncio, os, sys
from pathlib import Path
sys.path.insert(0, "tests")
from fake_hub import REPO, FakeHub

folder = Path(sys.argv[1])
hub = FakeHub({str(x.relative_to(folder)): x.read_bytes() for x in folder.rglob("*") if x.is_file()})
os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{hub.server_port}"
from huggingface_hub import constants
constants.DOWNLOAD_CHUNK_SIZE = 2**14
from pipelines.weights.hub import CONFIGURATIONS
from studio.handlers import models as status
from studio.workbench import Engine, Loading
from studio.settings import Settings

told, hear = [], Loading._hear
Loading._hear = lambda self, *progress: told.append(progress) or hear(self, *progress)
engine = Engine(Settings(model=REPO))


async def watch(states):
    async for answer in status.watch_engine(engine, "it", None):
        said = answer["status"] + answer["model_note"]
        print(answer["retry"]["visible"], said)
        if "failed" in said and states:
            hub.status = states.pop(0)
            status.try_again(engine, "it")
    print(answer["prompt_box"]["visible"], answer["no_prompt"]["visible"], engine.grid)
    print(answer["about"])


hub.status = 403
asyncio.run(watch([401, 404, 500, 200]))
steps = [(done, total) for what, done, total in told if what == "fetch"]
sizes = sum(len(data) for path, data in hub.files.items() if not any(map(Path(path).match, CONFIGURATIONS)))
print(len(steps) > 10, steps == sorted(steps), {total for _, total in steps} == {sizes}, steps[-1] == (sizes, sizes))
print([what for what, done, total in told if done == total])
"""


def test_weights_come_with_progress_and_what_fails_is_told_and_tried_again(converted, tmp_path):
    settings = {"HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1", "HF_HUB_ETAG_TIMEOUT": "2", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_RUN, str(converted)],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    for words in (
        "team/tiny chiede di accettare le sue condizioni",
        "l&#x27;Hub risponde 401. Accedi con",
        "team/tiny non esiste sull&#x27;Hub",
        "non si scarica: l&#x27;Hub risponde 500. Riprova più tardi",
    ):
        assert re.search(rf"^True .*failed.*{words}", done.stdout, re.MULTILINE), words
    assert re.search("^False .*Pronto", done.stdout, re.MULTILINE)
    assert "\nTrue False 32\n" in done.stdout and "lora.safetensors" in done.stdout and "non noto" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["True True True True", "['fetch', 'check']"]


def test_progress_is_told_in_figures():
    loading = Loading("model", lambda: None)
    loading.progress = ("fetch", 3_400_000_000, 21_600_000_000)
    assert answers.how_far("it", loading) == ("Scarico il modello, 3,4 GB di 21,6 GB…", pytest.approx(3.4 / 21.6))
    loading.progress = ("load", 0, 0)
    assert answers.how_far("en", loading) == ("Loading the model…", None)


def test_who_waits_for_the_model_stands_in_nobodys_way(session, monkeypatch):
    monkeypatch.setattr(answers, "LOADING_SECONDS", 0.01)
    gate = threading.Event()
    engine = Engine(load=lambda: gate.wait(20) and Opened(FakePipeline()))
    waiting = handlers.preview(engine, session, "en", *FIELDS)
    engine.model.progress = ("fetch", 1, 4)
    assert next(waiting)["stage"]["note"] == say("en", "model_load")
    engine.model._hear("fetch", 10_000_000, 40_000_000)
    answer = next(waiting)["stage"]
    assert answer["note"] == "Fetching the model, 10 MB of 40 MB…" and answer["share"] == 0.25
    assert engine.ahead(engine.join()) == 0
    gate.set()
    engine._line.clear()
    assert last(waiting)["stage"]["kind"] == "preview"


def test_a_move_chosen_while_the_model_loads_is_what_the_page_shows_then(session, monkeypatch):
    """The page asks for the photo, then for the move; whichever of the two gets the engine first."""
    monkeypatch.setattr(answers, "LOADING_SECONDS", 0.01)
    for later_first in (True, False):
        gate = threading.Event()
        engine = Engine(load=lambda gate=gate: gate.wait(20) and Opened(FakePipeline()))
        asked = [handlers.suit(engine, session, "en", *with_field(0, move)) for move in (None, "side-slide")]
        assert all(next(waiting)["stage"]["note"] == say("en", "model_load") for waiting in asked)
        gate.set()
        assert engine.model.wait(10)
        for waiting in reversed(asked) if later_first else asked:
            list(waiting)
        assert session.shown["kind"] == "preview"


def test_a_prompt_reaches_the_model_and_the_recipe(session):
    pipe = FakePipeline(is_large=True)
    engine = Engine(Settings(model="team/large"), load=lambda: Opened(pipe, "H100", "resident", int(24e9)))
    assert status.engine_status(engine, "en")["prompt_box"] == gr.update(visible=False)  # nobody knows yet
    assert engine.model.wait(10)
    answer = status.engine_status(engine, "it")
    assert answer["prompt_box"]["visible"] and not answer["no_prompt"]["visible"]
    assert [quality for _, quality in answer["quality"]["choices"]] == ["draft", "standard"]
    assert "su H100" in answer["about"] and "scelto per 24,0 GB" in answer["about"]

    fields = (*with_field(3, "standard")[:9], "  a room with a red sofa ", 100, None)
    last(handlers.render(engine, session, "en", *fields))
    assert pipe.calls[0]["prompt"] == "a room with a red sofa"
    assert session.clip.size == (704, 1248)
    recipe = read_recipe(session.clip.video)
    assert recipe["prompt"] == recipe["studio"]["prompt"] == "a room with a red sofa"
    assert recipe["weights"][0]["licence"] == "Apache-2.0" and recipe["depth"][0]["commercial_use"] == "yes"
    assert handlers.same_again(session, "en", *FIELDS)[9] == "a room with a red sofa"
    refused = last(handlers.render(engine, session, "en", *fields[:10], 100, "embedded"))  # the operator has chosen
    assert refused["stage"]["error"].startswith("depth is 'embedded'")


@pytest.mark.parametrize("own", [(layout.height, layout.width) for layout in LAYOUTS.values()])
@pytest.mark.parametrize("photo", [(1440, 1920), (1920, 1277), (480, 1920), (1079, 1919)])
def test_a_large_model_gets_its_own_size_or_one_like_it(own, photo):
    assert large_size("16:9", "standard", photo, own, 32) == own
    assert large_size("9:16", "standard", photo, own, 32) == own[::-1]
    assert large_size("4:5", "standard", photo, own, 32) == (960, 768)
    for ratio in RATIOS:
        draft, standard = (large_size(ratio, quality, photo, own, 32) for quality in ("draft", "standard"))
        assert all(side % 32 == 0 and 64 <= side <= MAX_SIDE for side in (*draft, *standard))
        assert draft[0] * draft[1] <= 288 * 512 and 0.8 * own[0] * own[1] < standard[0] * standard[1] <= own[0] * own[1]
        columns, rows = photo[::-1] if ratio == "photo" else map(int, ratio.split(":"))
        assert standard[0] / standard[1] == pytest.approx(rows / columns, rel=0.03)
        assert draft[0] / draft[1] == pytest.approx(standard[0] / standard[1], rel=0.025)


def test_a_large_model_renders_what_was_previewed_at_its_own_size_and_rate(session, monkeypatch):
    pipe, previewed = FakePipeline(is_large=True), []
    engine, draw = Engine(Settings(model="team/large"), load=lambda: Opened(pipe)), pipe.preview
    monkeypatch.setattr(pipe, "preview", lambda lifted, path, **kw: previewed.append(path) or draw(lifted, path, **kw))
    for path in (None, WAY):
        fields = ("drawn" if path else "push-in", 2, "16:9", "standard", "left", 80, 20, 3, path, "", 120, None)
        last(handlers.preview(engine, session, "en", *fields))
        last(handlers.render(engine, session, "en", *fields))
        shown, rendered = previewed[-1], pipe.calls[-1]["trajectory"]
        assert (rendered.height, rendered.width, rendered.fps, len(rendered)) == (704, 1248, 24, 49)
        assert np.array_equal(shown.c2w, rendered.c2w) and (shown.height, shown.width) == (288, 512)
        np.testing.assert_allclose(shown.K[:, 0, 0] / 512, rendered.K[:, 0, 0] / 1248, rtol=1e-9)
        assert np.array_equal(rendered.K[:, 0, 0], rendered.K[:, 1, 1])  # square pixels
        with av.open(str(session.clip.video)) as container:
            assert container.streams.video[0].average_rate == 24
    assert "1248 × 704 · 49 frames" in handlers.estimate(engine, session, "en", *fields)["estimate"]


def collected(answers_of) -> list[dict]:
    """In a thread of its own: in the main one the browser's tests keep a loop running."""

    async def collect():
        return [answer async for answer in answers_of]

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, collect()).result()


def test_better_depth_is_fetched_once_and_used_only_where_it_was_chosen(session, engine, pipe, monkeypatch):
    monkeypatch.setattr(status, "WATCH_SECONDS", 0.01)
    own, better = pipe.engine.depth_estimator, SimpleNamespace(weights=({"name": "team/depth"},))
    outcomes = [FetchError("offline", name="team/depth"), better]

    def fetch(name):
        assert name == "depth-anything"
        engine.depths[name]._hear("fetch", 34_000_000, 99_000_000)
        time.sleep(0.1)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr("studio.workbench.depth_estimator", fetch)
    told = collected(status.choose_depth(engine, "it", "depth-anything"))
    assert any("34 MB di 99 MB" in answer["depth_note"] for answer in told)
    assert told[-1]["depth"] == "embedded"
    assert "resta quella inclusa: team/depth non è completo su questa macchina" in told[-1]["depth_note"]
    last(handlers.preview(engine, session, "en", *FIELDS))

    told = collected(status.choose_depth(engine, "en", "depth-anything"))  # the network is back
    assert "depth" not in told[-1] and "team/depth" in told[-1]["about"]
    last(handlers.render(engine, session, "en", *with_field(11, "depth-anything")))
    assert pipe.lifted_with == [own, better]
    assert session.clip.recipe["depth"] == [{"name": "team/depth"}]
    assert session.clip.recipe["studio"]["depth"] == "depth-anything"
    last(handlers.preview(engine, session, "en", *FIELDS))
    assert pipe.lifted_with == [own, better, own] and outcomes == []

    for name in ("team/depth", "depth-anything-metric-indoor", {"a": 1}):
        told = collected(status.choose_depth(engine, "en", name))
        assert told[-1]["depth"] == "embedded" and "allowed is embedded, depth-anything" in told[-1]["depth_note"]


def test_a_card_shows_what_is_known_and_nothing_that_a_page_could_run(engine, pipe):
    pipe.engine.facts.weights = ({"name": "<img src=x>${a}{{b}}", "revision": "1" * 40, "commercial_use": "maybe"},)
    assert engine.model.wait(10)
    shown = status.about(engine, "en", "depth-anything")
    assert "<img" not in shown and not set("{}$") & set(shown)
    assert "<dd>111111111111</dd>" in shown and "<dd>unknown</dd>" in shown and "not known" in shown


# -- preview, render, stop ------------------------------------------------------------------------------------------


def test_preview_shows_the_move_and_warns(session, engine):
    answer = last(handlers.preview(engine, session, "en", *with_field(0, "pull-back")))
    assert answer["stage"]["kind"] == "preview" and Path(answer["stage"]["file"]).exists()
    assert say("en", "low_coverage") in answer["advice"] and answer["shorter"]["visible"]


def test_preview_warns_where_outlines_would_tear_and_a_shorter_path_mends_it(session, engine):
    fields = list(with_field(0, "side-slide"))
    fields[5] = 40
    answer = last(handlers.preview(engine, session, "it", *fields))
    assert say("it", "torn") in answer["advice"] and answer["shorter"]["visible"]
    assert say("it", "low_coverage") not in answer["advice"] and session.coverage.min() >= handlers.LOW_COVERAGE
    answer = last(handlers.shorten(engine, session, "it", *fields))
    assert say("it", "torn") not in answer["advice"] and not answer["shorter"]["visible"]


def test_a_move_starts_at_the_strength_that_suits_the_photo(session, engine):
    answers = list(handlers.suit(engine, session, "en", *with_field(0, "pull-back")))
    assert [(answer["strength"], answer["zoom"]) for answer in answers if "strength" in answer] == [(60, 110)]
    assert answers[-1]["stage"]["kind"] == "preview" and "10 % closer" in answers[-1]["strip"]
    assert session.lifts.keys() == {1.0, 1.1}
    again = last(handlers.suit(engine, session, "en", *with_field(0, "steady-hold")))
    assert "closer" not in again["strip"] and session.zoom == 1
    assert last(handlers.suit(engine, session, "en", *with_field(0, None)))["stage"]["kind"] == "photo"


def test_a_shorter_path_keeps_the_photo(session, engine):
    answers = list(handlers.shorten(engine, session, "en", *with_field(0, "pull-back")))
    assert any("strength" in answer and answer["strength"] < 100 for answer in answers)
    assert session.coverage.min() >= handlers.LOW_COVERAGE
    assert not answers[-1]["shorter"]["visible"]


def test_render_tells_every_step_and_ends_with_a_clip(session, engine, pipe):
    answers = list(handlers.render(engine, session, "en", *FIELDS))
    assert len(list(session.folder.glob("*.jpg"))) <= KEPT_PICTURES
    shares = [answer["stage"]["share"] for answer in answers if answer["stage"]["share"] is not None]
    assert shares == sorted(shares) and len(shares) > 10
    assert {answer["stage"]["kind"] for answer in answers} == {"photo", "live", "clip"}
    clip = session.clip
    with av.open(str(clip.video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 2 * FPS + 1
    recipe = read_recipe(clip.video)
    assert recipe["seed"] == 7 and recipe["studio"]["preset"] == "push-in" and recipe["trajectory"]["c2w"]
    assert Image.open(clip.poster).size == (512, 288)
    assert pipe.calls[0]["quality"] == "draft"
    assert answers[-1]["sheet"]["visible"] and '"seed": 7' in answers[-1]["recipe"]


def test_same_again_brings_back_the_settings_of_the_clip(session, engine):
    last(handlers.render(engine, session, "en", *FIELDS))
    assert handlers.same_again(session, "en", *with_field(7, 99)) == FIELDS
    assert handlers.same_again(Session(), "en", *with_field(7, 99)) == with_field(7, 99)


def test_closing_a_render_stops_the_engine_and_keeps_what_was_ready(session, engine, pipe):
    answers = handlers.render(engine, session, "en", *FIELDS)
    while session.take is None or session.take.num_frames < 24:
        next(answers)
    threading.Timer(0.1, answers.close).start()
    answer = handlers.stopped(engine, session, "en")
    assert pipe.closed.is_set()
    assert answer["stage"]["kind"] == "clip" and session.clip.num_frames == 24
    assert "Stopped after 1.5 s" in answer["stage"]["note"]
    recipe = read_recipe(session.clip.video)
    assert recipe["weights"] and recipe["depth"] and recipe["trajectory"]["c2w"]
    assert answer["render"]["visible"]


def test_stopping_at_once_keeps_nothing(session, engine):
    answers = handlers.render(engine, session, "en", *FIELDS)
    next(answers)
    answers.close()
    assert handlers.stopped(engine, session, "en")["stage"]["note"] == say("en", "stopped")
    assert session.clip is None


def test_stopping_at_once_brings_back_the_clip_before(session, engine):
    last(handlers.render(engine, session, "en", *FIELDS))
    answers = handlers.render(engine, session, "en", *FIELDS)
    next(answers)
    answers.close()
    answer = handlers.stopped(engine, session, "it")
    assert answer["stage"]["file"] == str(session.clip.video) and answer["stage"]["note"] == say("it", "stopped")


def test_one_works_and_the_others_are_told_their_place(session, engine, monkeypatch):
    monkeypatch.setattr(answers, "WAIT_SECONDS", 0)
    first = handlers.render(engine, session, "en", *FIELDS)
    next(first)
    other = Session()
    other.set_photo(session.photo, None)
    second = handlers.preview(engine, other, "en", *FIELDS)
    third = handlers.preview(engine, other, "it", *FIELDS)
    assert next(second)["stage"]["note"] == say("en", "in_line", ahead=1)
    assert next(third)["stage"]["note"] == say("it", "in_line", ahead=2)
    second.close()  # gave up waiting
    assert next(third)["stage"]["note"] == say("it", "in_line", ahead=1)
    list(first)
    assert last(third)["stage"]["kind"] == "preview"
    other.close()


def test_a_second_render_of_the_same_visit_has_to_wait(session, engine):
    answers = handlers.render(engine, session, "en", *FIELDS)
    next(answers)
    for handler in (handlers.render, handlers.preview):
        refused = last(handler(engine, session, "en", *FIELDS))
        assert refused["stage"]["error"] == say("en", "busy")
        assert "cancel" not in refused  # Stop stays where it is
    answers.close()


def test_a_visit_leaves_nothing_on_the_disk(session, engine):
    last(handlers.render(engine, session, "en", *FIELDS))
    folder = session.folder
    assert any(folder.rglob("*.mp4"))
    session.close()
    assert not folder.exists()


def test_a_visit_that_is_over_is_dropped_with_its_files(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    demo = layout.build_studio(engine)
    holder = StateHolder()
    holder.set_blocks(demo)
    count = next(fn for fn in demo.fns.values() if fn.name == "counted")
    inputs = [None, "en", *FIELDS]  # the page sends nothing for the visit

    def use():
        asyncio.run(demo.process_api(count, inputs, state=holder["visit"]))

    with ThreadPoolExecutor(1) as thread:  # the browser tests keep a loop in this one
        thread.submit(use).result()
    (visit,) = [value for value in holder["visit"].state_data.values() if isinstance(value, Session)]
    folder = visit.folder
    holder.delete_all_expired_state()
    assert folder.exists()
    later = datetime.now() + timedelta(seconds=layout.SESSION_SECONDS + 1)
    monkeypatch.setattr("gradio.state_holder.datetime.datetime", SimpleNamespace(now=lambda: later))
    holder.delete_all_expired_state()
    assert not folder.exists()
    assert not any(isinstance(value, Session) for value in holder["visit"].state_data.values())


def test_what_a_server_that_was_killed_left_is_swept_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    old, recent = tmp_path / "studio" / "old", tmp_path / "studio" / "recent"
    for folder in (old, recent):
        folder.mkdir(parents=True)
        (folder / "photo.jpg").write_bytes(b"...")
    yesterday = time.time() - LEFTOVER_SECONDS - 1
    os.utime(old, (yesterday, yesterday))
    session = Session()
    assert session.folder.parent == old.parent and recent.exists() and not old.exists()
    session.close()


def test_only_the_last_clip_of_a_visit_is_kept(session, engine):
    last(handlers.render(engine, session, "en", *FIELDS))
    first = session.clip.video
    last(handlers.render(engine, session, "en", *FIELDS))
    assert session.clip.video.exists() and not first.parent.exists()
    second = session.clip.video
    session.set_photo(session.photo, None)
    assert session.clip is None and not second.parent.exists()


def test_the_strip_is_numbers_and_escaped_words_only():
    svg = strip_svg(np.array([1.0, 0.5, np.nan, 2.0]), '"><script>')
    assert "<script>" not in svg and "nan" not in svg

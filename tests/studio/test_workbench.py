"""The models of a studio: its settings are checked before anything is fetched, and how long renders take is learned."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_pipeline import FakePipeline, Wall, weights

import app
from pipelines.large.families import FewSteps
from pipelines.large.profiles import PROFILES
from pipelines.weights.licences import licence_card
from studio.settings import Opened, Settings
from studio.words import say
from studio.workbench import Pace, Workbench

ROOT = Path(__file__).parents[2]


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


def test_settings_are_checked_before_the_page(monkeypatch):
    assert Settings.read({}) == Settings() and Settings.read({"MIRAGE_MODEL": " team/model "}).model == "team/model"
    assert Settings.read({"MIRAGE_MODEL": "team/model", "MIRAGE_PROFILE": "resident"}).profile == "resident"
    with pytest.raises(ValueError, match="MIRAGE_PROFILE is 'fastest', allowed is resident, "):
        Settings.read({"MIRAGE_MODEL": "team/model", "MIRAGE_PROFILE": "fastest"})
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


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_has_words(language, profile):
    assert say(language, f"profile_{profile}")


def test_the_licence_card_names_engine_depth_and_mask():
    pipe = FakePipeline()
    workbench = Workbench(load=lambda: Opened(pipe))
    assert workbench.licence_card() == []
    workbench.model.wait()
    workbench.model.result()
    assert [entry["name"] for entry in workbench.licence_card()] == ["fake/model", "fake/depth"]
    pipe.engine.mask = SimpleNamespace(weights=(weights("fake/mask"),))
    assert [entry["name"] for entry in workbench.licence_card()] == ["fake/model", "fake/depth", "fake/mask"]
    other = [entry["name"] for entry in licence_card(pipe.engine, Wall("other/depth"))]
    assert other == ["fake/model", "other/depth", "fake/mask"]
    pipe.engine.facts = replace(pipe.engine.facts, measures=True)  # what it generates, with its own estimator
    other = [entry["name"] for entry in licence_card(pipe.engine, Wall("other/depth"))]
    assert other == ["fake/model", "other/depth", "fake/depth", "fake/mask"]


def test_the_estimate_learns():
    pace = Pace()
    before = pace.estimate(65, 720, 1280)
    for _ in range(8):
        pace.learn(3 * before, 65, 720, 1280)
    assert pace.estimate(65, 720, 1280) == pytest.approx(3 * before, rel=0.05)

"""What the page says about its models: progress, faults, a second try, depth on demand, licences."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import gradio as gr
import pytest
from fake_pipeline import FakePipeline, Wall
from visit import collected, last, settled

from studio.background import Loading
from studio.handlers import models, preview, turns
from studio.settings import Opened, Settings
from studio.words import say
from studio.workbench import Workbench

ROOT = Path(__file__).parents[3]
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
from studio.background import Loading
from studio.handlers import models
from studio.order import Inputs
from studio.settings import Settings
from studio.workbench import Workbench

heard, on_progress = [], Loading.on_progress
Loading.on_progress = lambda self, *progress: heard.append(progress) or on_progress(self, *progress)
workbench = Workbench(Settings(model=REPO))


async def watch(states):
    async for answer in models.watch_model(workbench, None, "it", Inputs()):
        words = answer["status"] + answer["model_note"]
        print(answer["retry"]["visible"], words)
        if "failed" in words and states:
            hub.status = states.pop(0)
            models.try_again(workbench, None, "it", Inputs())
    print(answer["prompt_box"]["visible"], answer["no_prompt"]["visible"], workbench.grid)
    print(answer["about"])


hub.status = 403
asyncio.run(watch([401, 404, 500, 200]))
steps = [(done, total) for what, done, total in heard if what == "fetch"]
sizes = sum(len(data) for path, data in hub.files.items() if not any(map(Path(path).match, CONFIGURATIONS)))
print(len(steps) > 10, steps == sorted(steps), {total for _, total in steps} == {sizes}, steps[-1] == (sizes, sizes))
print([what for what, done, total in heard if done == total])
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
    assert turns.how_far("it", loading) == ("Scarico il modello, 3,4 GB di 21,6 GB…", pytest.approx(3.4 / 21.6))
    loading.progress = ("load", 0, 0)
    assert turns.how_far("en", loading) == ("Loading the model…", None)


def test_who_waits_for_the_model_stands_in_nobodys_way(session, monkeypatch):
    monkeypatch.setattr(turns, "LOADING_SECONDS", 0.01)
    gate = threading.Event()
    workbench = Workbench(load=lambda: gate.wait(20) and Opened(FakePipeline()))
    waiting = preview.preview(workbench, session, "en", settled())
    workbench.model.progress = ("fetch", 1, 4)
    assert next(waiting)["stage"]["note"] == say("en", "model_load")
    workbench.model.on_progress("fetch", 10_000_000, 40_000_000)
    answer = next(waiting)["stage"]
    assert answer["note"] == "Fetching the model, 10 MB of 40 MB…" and answer["share"] == 0.25
    assert workbench.ahead(workbench.join()) == 0
    gate.set()
    workbench._line.clear()
    assert last(waiting)["stage"]["kind"] == "preview"


def test_a_model_that_does_not_load_is_told(session):
    def load():
        raise OSError("autoencoder is missing in /secret/place")

    workbench = Workbench(load=load)
    error = last(preview.preview(workbench, session, "en", settled()))["stage"]["error"]
    assert error.startswith("The model could not be loaded: autoencoder is missing") and "secret" not in error
    answer = models.model_status(workbench, "it")
    assert "failed" in answer["status"] and answer["retry"]["visible"] and "Il modello non" in answer["model_note"]


def test_a_graphics_card_that_is_too_small_is_told_in_the_language_of_the_page(converted):
    from pipelines.large.costs import choose_profile
    from pipelines.large.counting import costs_of
    from pipelines.large.profiles import ProfileError

    def load():
        choose_profile(int(1e3), costs_of(converted, 64, 96, frames=None))

    workbench = Workbench(Settings(model="team/large"), load=load)
    assert workbench.model.wait(10) and isinstance(workbench.model.error, ProfileError)
    notes = {language: models.model_status(workbench, language)["model_note"] for language in ("en", "it")}
    assert "of GPU memory are free" in notes["en"] and "mancano 1,0 GiB" in notes["it"]


def test_a_large_model_takes_a_prompt_and_has_fewer_qualities():
    load = lambda: Opened(FakePipeline(is_large=True), "H100", "resident", int(24e9))  # noqa: E731
    workbench = Workbench(Settings(model="team/large"), load=load)
    assert models.model_status(workbench, "en")["prompt_box"] == gr.update(visible=False)  # nobody knows yet
    assert workbench.model.wait(10)
    answer = models.model_status(workbench, "it")
    assert answer["prompt_box"]["visible"] and not answer["no_prompt"]["visible"]
    assert [quality for _, quality in answer["quality"]["choices"]] == ["draft", "standard"]
    assert "su H100" in answer["about"] and "scelto per 24,0 GB" in answer["about"]


def choose(workbench, language, depth):
    return collected(models.choose_depth(workbench, None, language, settled(depth=depth)))


def test_better_depth_is_fetched_once_and_a_failure_keeps_the_built_in_one(session, workbench, pipe, monkeypatch):
    from pipelines.weights.errors import FetchError

    monkeypatch.setattr(models, "WATCH_SECONDS", 0.01)
    outcomes = [offline(FetchError), Wall("team/depth")]

    def fetch(name):
        assert name == "depth-anything"
        workbench.depths[name].on_progress("fetch", 34_000_000, 99_000_000)
        time.sleep(0.1)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr("studio.workbench.depth_estimator", fetch)
    answers = choose(workbench, "it", "depth-anything")
    assert any("34 MB di 99 MB" in answer["depth_note"] for answer in answers)
    assert answers[-1]["depth"] == "embedded"
    assert "resta quella inclusa: team/depth non è completo su questa macchina" in answers[-1]["depth_note"]

    answers = choose(workbench, "en", "depth-anything")  # the network is back
    assert "depth" not in answers[-1] and "team/depth" in answers[-1]["about"]
    last(preview.preview(workbench, session, "en", settled(depth="depth-anything")))
    last(preview.preview(workbench, session, "en", settled()))
    assert outcomes == [] and pipe.engine.depth_estimator.calls == 1

    for name in ("team/depth", "depth-anything-metric-indoor", {"a": 1}):
        answers = choose(workbench, "en", name)
        assert answers[-1]["depth"] == "embedded" and "allowed is embedded, depth-anything" in answers[-1]["depth_note"]


def offline(error):
    sentence = "{name} is not complete on this machine and the Hub cannot be reached. Connect to fetch the rest."
    return error(sentence, name="team/depth")


def test_a_card_shows_what_is_known_and_nothing_that_a_page_could_run(workbench, pipe):
    from dataclasses import replace

    strange = {"name": "<img src=x>${a}{{b}}", "revision": "1" * 40, "commercial_use": "maybe"}
    pipe.engine.facts = replace(pipe.engine.facts, weights=(strange,))
    assert workbench.model.wait(10)
    shown = models.about(workbench, "en", "depth-anything")
    assert "<img" not in shown and not set("{}$") & set(shown)
    assert "<dd>111111111111</dd>" in shown and "<dd>unknown</dd>" in shown and "not known" in shown

"""A render without a browser: every step is told, Stop keeps what is ready, and it can be made again."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from fake_pipeline import FakePipeline
from ffprobe import check_platforms_take, probe
from PIL import Image
from visit import WAY, last, settled

from pipelines.media.clips import RATES, read_recipe
from pipelines.photo import outlook
from studio.download import sheet
from studio.handlers import clip, preview
from studio.session import KEPT_PICTURES, Session
from studio.settings import Opened, Settings
from studio.words import say
from studio.workbench import Workbench


def test_render_tells_every_step_and_ends_with_a_clip(session, workbench, pipe):
    answers = list(clip.render(workbench, session, "en", settled()))
    assert len(list(session.folder.glob("*.jpg"))) <= KEPT_PICTURES
    shares = [answer["stage"]["share"] for answer in answers if answer["stage"]["share"] is not None]
    assert shares == sorted(shares) and len(shares) > 10
    assert {answer["stage"]["kind"] for answer in answers} == {"photo", "live", "clip"}
    made = session.clip
    check_platforms_take(made.video, 2, 24, 288, 512)
    recipe = read_recipe(made.video)
    assert recipe["seed"] == 7 and recipe["studio"]["preset"] == "push-in" and recipe["trajectory"]["c2w"]
    assert Image.open(made.poster).size == (512, 288)
    assert pipe.calls[0]["quality"] == "draft"
    assert pipe.calls[0]["lifted"].image.shape == (288, 512, 3)  # at the clip's own size
    assert answers[-1]["sheet"]["visible"] and '"seed": 7' in answers[-1]["recipe"]


def test_italian_writes_decimals_with_a_comma(session, workbench):
    assert say("it", "stopped_partial", seconds=1.25) == "Fermato dopo 1,2 s di video. La parte pronta è salva."
    last(clip.render(workbench, session, "it", settled()))
    assert "2,0 s" in sheet(session.clip, "it")["facts"] and "2.0 s" in sheet(session.clip, "en")["facts"]


def test_a_full_disk_leaves_no_folder_of_a_clip(session, workbench, monkeypatch):
    def full(*_, **__):
        raise OSError("clip.jpg could not be written (No space left on device). Free some disk space.")

    monkeypatch.setattr("pipelines.files.os.replace", lambda *_: full() if str(_[1]).endswith(".mp4") else None)
    answer = last(clip.render(workbench, session, "it", settled()))
    assert answer["stage"]["error"] == say("it", "not_saved") and answer["render"]["visible"]
    assert not list(session.folder.rglob("*.mp4")) and not [x for x in session.folder.iterdir() if x.is_dir()]


def test_same_again_brings_back_the_settings_of_the_clip(session, workbench):
    last(clip.render(workbench, session, "en", settled()))
    again = clip.same_again(workbench, session, "en", settled("side-slide", seed=99))
    assert replace(settled("side-slide", seed=99), **again) == settled()
    assert clip.same_again(workbench, Session(), "en", settled()) == {}


def test_closing_a_render_stops_the_engine_and_keeps_what_was_ready(session, workbench, pipe):
    answers = clip.render(workbench, session, "en", settled())
    while session.take is None or session.take.num_frames < 24:
        next(answers)
    threading.Timer(0.1, answers.close).start()
    answer = clip.stopped(workbench, session, "en", settled())
    assert pipe.closed.is_set()
    assert answer["stage"]["kind"] == "clip" and session.clip.seconds == 1
    check_platforms_take(session.clip.video, 1, 24, 288, 512)
    assert "Stopped after 1.0 s" in answer["stage"]["note"]
    recipe = read_recipe(session.clip.video)
    assert recipe["weights"] and recipe["depth"] and recipe["trajectory"]["c2w"]
    assert answer["render"]["visible"]


def test_stopping_at_once_keeps_nothing(session, workbench):
    answers = clip.render(workbench, session, "en", settled())
    next(answers)
    answers.close()
    assert clip.stopped(workbench, session, "en", settled())["stage"]["note"] == say("en", "stopped")
    assert session.clip is None


def test_stopping_at_once_brings_back_the_clip_before(session, workbench):
    last(clip.render(workbench, session, "en", settled()))
    answers = clip.render(workbench, session, "en", settled())
    next(answers)
    answers.close()
    answer = clip.stopped(workbench, session, "it", settled())
    assert answer["stage"]["file"] == str(session.clip.video) and answer["stage"]["note"] == say("it", "stopped")


def test_a_second_render_of_the_same_visit_has_to_wait(session, workbench):
    answers = clip.render(workbench, session, "en", settled())
    next(answers)
    for handler in (clip.render, preview.preview):
        refused = last(handler(workbench, session, "en", settled()))
        assert refused["stage"]["error"] == say("en", "busy")
        assert "cancel" not in refused  # Stop stays where it is
    answers.close()


def test_a_large_model_renders_what_was_previewed_at_its_own_size_and_rate(session, monkeypatch):
    pipe, previewed, draw = FakePipeline(is_large=True), [], outlook.preview
    workbench = Workbench(Settings(model="team/large"), load=lambda: Opened(pipe))
    monkeypatch.setattr(outlook, "preview", lambda *args, **kw: previewed.append(args[2]) or draw(*args, **kw))
    for path in (None, WAY):
        inputs = settled(
            "drawn" if path else "push-in",
            path=path,
            ratio="16:9",
            quality="standard",
            direction="left",
            strength=80,
            focus=20,
            zoom=120,
            depth=None,
        )
        last(preview.preview(workbench, session, "en", inputs))
        last(clip.render(workbench, session, "en", inputs))
        shown, rendered = previewed[-1], pipe.calls[-1]["trajectory"]
        assert (rendered.height, rendered.width, rendered.fps, len(rendered)) == (704, 1248, 16, 32)
        assert np.array_equal(shown.c2w, rendered.c2w) and (shown.height, shown.width) == (288, 512)
        np.testing.assert_allclose(shown.K[:, 0, 0] / 512, rendered.K[:, 0, 0] / 1248, rtol=1e-9)
        assert np.array_equal(rendered.K[:, 0, 0], rendered.K[:, 1, 1])  # square pixels
        assert probe(session.clip.video)["stream"]["avg_frame_rate"] == "24/1"
    assert "1248 × 704 · 48 frames, 24 a second" in clip.estimate(workbench, session, "en", inputs)["estimate"]


def test_a_prompt_reaches_the_model_and_the_recipe(session):
    pipe = FakePipeline(is_large=True)
    workbench = Workbench(Settings(model="team/large"), load=lambda: Opened(pipe, "H100", "resident", int(24e9)))
    assert workbench.model.wait(10)
    inputs = settled(quality="standard", prompt="  a room with a red sofa ", depth=None)
    last(clip.render(workbench, session, "en", inputs))
    assert pipe.calls[0]["prompt"] == "a room with a red sofa"
    assert session.clip.size == (704, 1248)
    recipe = read_recipe(session.clip.video)
    assert recipe["prompt"] == recipe["studio"]["prompt"] == "a room with a red sofa"
    assert recipe["weights"][0]["licence"] == "Apache-2.0" and recipe["depth"][0]["commercial_use"] == "yes"
    assert clip.same_again(workbench, session, "en", settled())["prompt"] == "a room with a red sofa"
    refused = last(clip.render(workbench, session, "en", replace(inputs, depth="embedded")))  # the operator has chosen
    assert refused["stage"]["error"].startswith("depth is 'embedded'")


@pytest.mark.parametrize("quality", ["draft", "standard"])
def test_the_estimate_is_of_the_clip(session, workbench, quality):
    inputs = settled(quality=quality, ratio="16:9")
    last(clip.render(workbench, session, "en", inputs))
    height, width = session.clip.size
    said = clip.estimate(workbench, session, "en", inputs)["estimate"]
    assert f"{width} × {height} · {probe(session.clip.video)['stream']['nb_frames']} frames, 24 a second" in said


@pytest.mark.parametrize("rate", RATES)
def test_every_rate_is_made_and_a_model_with_its_own_repeats_frames_and_says_so(session, workbench, pipe, rate):
    last(clip.render(workbench, session, "en", settled(seconds=3, fps=rate)))
    check_platforms_take(session.clip.video, 3, rate, 288, 512)
    assert len(pipe.calls[-1]["trajectory"]) == 3 * rate and "shown twice" not in sheet(session.clip, "en")["facts"]

    large = FakePipeline(is_large=True)
    workbench = Workbench(Settings(model="team/large"), load=lambda: Opened(large, "H100", "resident", int(24e9)))
    assert workbench.model.wait(10)
    last(clip.render(workbench, session, "en", settled(seconds=3, fps=rate, quality="standard", depth=None)))
    check_platforms_take(session.clip.video, 3, rate, 704, 1248)
    assert len(large.calls[-1]["trajectory"]) == 3 * 16
    assert f"{rate} (16 are made, some shown twice)" in sheet(session.clip, "en")["facts"]


def test_a_clip_that_platforms_find_too_short_is_offered_with_a_hint(session, workbench):
    hints = [clip.estimate(workbench, session, "it", settled(seconds=length))["estimate"] for length in (2, 3)]
    assert ["almeno 3 secondi" in hint for hint in hints] == [True, False]


@pytest.mark.parametrize("rate", [16, 0, "24", None, True, [24]])
def test_other_rates_are_refused(session, workbench, rate):
    error = last(clip.render(workbench, session, "en", settled(fps=rate)))["stage"]["error"]
    assert error.startswith("frames per second is ") and "24, 25, 30" in error


def test_nothing_of_a_render_that_failed_is_kept_for_the_next_one(session, workbench, pipe, monkeypatch):
    """It fails with seconds of frames ready; the next one waits in line, and is stopped there."""
    with monkeypatch.context() as patch:
        patch.setattr(clip, "write_clip", lambda *_: (_ for _ in ()).throw(OSError("full")))
        assert last(clip.render(workbench, session, "en", settled()))["stage"]["error"]
    assert session.take.num_frames == 0 and not session.take.alpha  # hundreds of megabytes
    ahead = workbench.join()
    try:
        clip.begin(workbench, session, "en", settled("side-slide"))
        answer = clip.stop(workbench, session, "en", settled("side-slide"))
    finally:
        workbench.leave(ahead)
    assert session.clip is None and answer["stage"]["note"] == say("en", "stopped")

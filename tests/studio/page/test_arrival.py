"""A page loads: a new visit, one that comes back as it was, one that is no longer kept."""

from dataclasses import asdict

import pytest
from visit import WAY, collected, last, settled

from studio.handlers import clip
from studio.order import Inputs
from studio.page import arrival
from studio.session import Session
from studio.visits import Visits
from studio.words import say


def come(workbench, visits, kept, session=None, page="page", shown="en", language="en"):
    """(visit, language, what the widgets then show)."""
    answers = collected(arrival.arrive(workbench, visits, page, session or Session(), shown, language, kept))
    widgets: dict = {}
    for _, _, answer in answers:
        for name, value in answer.items():
            update = value if isinstance(value, dict) and value.get("__type__") == "update" else {"value": value}
            widgets[name] = {**widgets.get(name, {}), **update}
    return *answers[-1][:2], widgets


def kept(session, inputs, **more):
    return {"key": session.key, "language": "it", "settings": asdict(inputs), **more}


def test_a_new_page_hears_its_key_and_nothing_else_changes(workbench):
    visit, language, widgets = come(workbench, Visits(), None)
    assert widgets["visit"]["value"] == visit.key and language == "en" and "seed" not in widgets


def test_a_page_that_comes_back_is_as_it_was(workbench, session):
    visits, inputs = Visits(), settled("side-slide", seed=99, direction="left", ratio="9:16", prompt="<b>")
    visits.enter("before", None, session)
    last(clip.render(workbench, session, "en", inputs))
    visit, language, widgets = come(workbench, visits, kept(session, inputs))
    assert visit is session and language == "it"
    assert {name: widgets[name]["value"] for name in arrival.INPUTS} == asdict(inputs)
    assert widgets["stage"]["value"]["file"] == str(session.clip.video) and widgets["stage"]["value"]["kind"] == "clip"
    assert widgets["download"]["value"] == str(session.clip.video) and widgets["sheet"]["visible"]
    assert widgets["render"]["value"] == "Crea il video" and '"seed": 99' in widgets["recipe"]["value"]


def test_a_running_render_is_joined_and_the_same_click_makes_no_other(workbench, session, pipe):
    pipe.step_seconds, visits, inputs = 0.05, Visits(), settled()
    visits.enter("before", None, session)
    for _ in range(3):
        assert clip.begin(workbench, session, "en", inputs)["cancel"]["visible"]
    job = session.job
    refused = clip.begin(workbench, session, "en", settled(seed=8))
    assert refused["stage"]["error"] == say("en", "busy") and refused["cancel"]["visible"]
    _, _, widgets = come(workbench, visits, kept(session, inputs))
    assert session.job is job and job.is_over and len(pipe.calls) == 1
    assert widgets["stage"]["value"]["kind"] == "clip" and widgets["render"]["visible"]


def test_a_visit_that_is_no_longer_kept_is_told_and_its_settings_are_there(workbench, session):
    visit, language, widgets = come(workbench, Visits(), kept(session, settled(seed=99)))
    assert visit is not session and language == "it" and widgets["seed"]["value"] == 99
    assert widgets["stage"]["value"]["error"] == say("it", "visit_gone")


def test_a_photo_that_arrived_unheard_is_taken_and_nothing_else_is(workbench, session, tmp_path):
    visits = Visits()
    visits.enter("before", None, session)
    upload = tmp_path / "photo"
    session.photo.rotate(90, expand=True).save(upload, "PNG")
    come(workbench, visits, kept(session, Inputs(), upload=str(upload)))
    assert session.photo.size == (180, 320) and not upload.exists()
    for other in (str(upload), "/etc/passwd", "1700000000-abc"):  # taken already, not an upload, still in the browser
        _, _, widgets = come(workbench, visits, kept(session, Inputs(), upload=other))
        assert not widgets["stage"]["value"]["error"] and session.photo.size == (180, 320)


def test_a_drawn_path_comes_back_and_catches_up(workbench, session):
    inputs = settled("drawn", path=WAY)
    visits = Visits()
    visits.enter("before", None, session)
    session.show("photo", session.new_file(".jpg"), 288, 512)
    _, _, widgets = come(workbench, visits, kept(session, inputs))
    assert widgets["path"]["value"] == WAY and not widgets["seconds"]["visible"]
    answer = last(arrival.catch_up(workbench, session, "en", inputs))
    assert answer["stage"]["drawing"] and answer["path"]["place"] == session.place


@pytest.mark.parametrize(
    "junk",
    ["key", 3, [], {"key": 3, "settings": 4, "language": "xx", "upload": {}},
     {"settings": {"preset": ["a"], "seed": {}, "path": "not a path", "nothing": 1, "ratio": True}}],
)  # fmt: skip
def test_whatever_a_page_brings_it_gets_a_page(workbench, junk):
    visit, language, widgets = come(workbench, Visits(), junk)
    assert widgets["visit"]["value"] == visit.key and language == "en"
    assert widgets.get("path", {}).get("value") is None and widgets.get("ratio", {}).get("value") in (None, "photo")


def test_catching_up_leaves_a_clip_and_a_render_alone(workbench, session):
    last(clip.render(workbench, session, "en", settled()))
    assert last(arrival.catch_up(workbench, session, "en", settled())) == {}


def test_a_render_that_ends_while_the_page_comes_back_is_shown_with_its_clip(workbench, session, pipe, monkeypatch):
    pipe.step_seconds, visits, inputs = 0.05, Visits(), settled()
    visits.enter("before", None, session)
    clip.begin(workbench, session, "en", inputs)
    watch_model = arrival.models.watch_model

    async def slow(*arguments):
        session.job.wait(30)
        async for answer in watch_model(*arguments):
            yield answer

    monkeypatch.setattr(arrival.models, "watch_model", slow)
    _, _, widgets = come(workbench, visits, kept(session, inputs))
    assert not session.is_working and widgets["stage"]["value"]["kind"] == "clip"
    assert widgets["render"]["visible"] and not widgets["cancel"]["visible"] and widgets["sheet"]["visible"]


@pytest.mark.parametrize("junk", [{"seed": "abc"}, {"seed": [1]}, {"zoom": None}, {"fps": True}, {"path": [1]}])
def test_values_that_no_widget_can_show_are_left_out(workbench, session, junk):
    visits = Visits()
    visits.enter("before", None, session)
    _, _, widgets = come(workbench, visits, {"key": session.key, "settings": junk})
    [name] = junk
    assert widgets[name]["value"] == getattr(Inputs(), name)

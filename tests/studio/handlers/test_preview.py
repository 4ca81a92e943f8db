"""A move is chosen and previewed: at what suits the photo, whatever the order of clicks, with what is to be said."""

import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_pipeline import FakePipeline, Post, Wall
from visit import WAY, last, returned, settled

from pipelines import limits
from pipelines.photo import outlook, strength
from presets.schema import load_moves
from studio.handlers import clip, move, path, photo, preview, turns
from studio.handlers.photo import lift
from studio.order import Inputs, Order
from studio.page.wiring import INPUTS
from studio.session import Session
from studio.settings import Opened
from studio.sizes import RATIOS, clip_size
from studio.words import say
from studio.workbench import Workbench


@pytest.fixture
def previewed(monkeypatch):
    """The trajectories that were to be drawn; drawing them is left out."""
    paths = []

    def draw(engine, lifted, trajectory, max_frames):
        paths.append(trajectory)
        return np.zeros((max_frames, 64, 64, 3), np.uint8)

    monkeypatch.setattr(outlook, "preview", draw)
    return paths


# -- what is shown --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("preset", load_moves())
def test_what_is_rendered_is_what_was_previewed(session, workbench, previewed, ratio, preset):
    inputs = settled(preset, ratio=ratio, quality="standard", direction="left", strength=80, focus=20, seed=3, zoom=120)
    last(preview.preview(workbench, session, "en", inputs))
    rendered = clip.cameras_of(workbench, session, Order.read(inputs))
    assert (rendered.height, rendered.width) == clip_size(ratio, "standard", (180, 320)) and len(rendered) == 48
    path = previewed[0].resized(rendered.height, rendered.width)
    assert np.array_equal(path.c2w, rendered.c2w)
    np.testing.assert_allclose(path.K, rendered.K, rtol=1e-9)


def test_a_fast_path_asks_for_more_seconds(session, workbench):
    for seconds, words in ((2, "Give it"), (8, None)):
        advice = last(preview.preview(workbench, session, "en", settled(seconds=seconds)))["advice"]
        assert (int(re.search(r"Give it (\d) seconds", advice)[1]) in range(3, 9)) if words else "fast" not in advice


def test_preview_shows_the_move_and_warns(session, workbench):
    answer = last(preview.preview(workbench, session, "en", settled("pull-back")))
    assert answer["stage"]["kind"] == "preview" and Path(answer["stage"]["file"]).exists()
    assert say("en", "low_coverage") in answer["advice"] and answer["shorter"]["visible"]


def test_preview_warns_where_outlines_would_tear_and_a_shorter_path_mends_it(session, workbench, pipe):
    pipe.engine.depth_estimator = Post()
    inputs = settled("side-slide", strength=60, zoom=120)
    answer = last(preview.preview(workbench, session, "it", inputs))
    assert say("it", "torn") in answer["advice"] and answer["shorter"]["visible"]
    assert say("it", "low_coverage") not in answer["advice"]
    assert session.measured.coverage.min() >= limits.BACKED
    answer = last(preview.shorten(workbench, session, "it", inputs))
    assert say("it", "torn") not in answer["advice"] and not answer["shorter"]["visible"]


def test_a_shorter_path_is_the_strongest_that_suits_and_is_not_warned_of(session, workbench):
    assert last(preview.preview(workbench, session, "en", settled("look-around")))["shorter"]["visible"]
    answers = list(preview.shorten(workbench, session, "en", settled("look-around")))
    (shorter,) = {answer["strength"] for answer in answers if "strength" in answer}
    assert shorter < 100 and session.measured.coverage.min() >= limits.BACKED
    assert not answers[-1]["shorter"]["visible"] and say("en", "low_coverage") not in answers[-1]["advice"]
    order = Order.read(settled("look-around"))
    lifted = lift(workbench, session, order)

    def path(part):
        return replace(order, strength=part).trajectory(lifted.camera, lifted.distance)

    assert strength.suits(lifted, path(shorter / 100)) and not strength.suits(lifted, path(shorter / 100 + 0.1))


def test_without_a_photo_the_page_asks_for_one(workbench):
    for handler in (preview.preview, clip.render, preview.shorten):
        answer = last(handler(workbench, Session(), "it", settled()))
        assert answer["stage"]["error"] == say("it", "need_photo")


# -- the choice is finished first -----------------------------------------------------------------------------------


def picked_only(**changes) -> Inputs:
    """A card was clicked and nothing has answered yet."""
    return Inputs(preset="pull-back", seed=7, depth="embedded", **changes)


def test_a_move_starts_at_the_strength_that_suits_the_photo(session, workbench):
    answers = list(preview.look(workbench, session, "en", picked_only()))
    found = {name: value for answer in answers for name, value in answer.items() if name in ("strength", "zoom")}
    assert found["strength"] < 100 and found["zoom"] > 100
    assert answers[-1]["stage"]["kind"] == "preview" and "closer" in answers[-1]["strip"]
    assert say("en", "low_coverage") not in answers[-1]["advice"] and say("en", "torn") not in answers[-1]["advice"]
    still = last(preview.look(workbench, session, "en", replace(picked_only(), preset="steady-hold")))
    assert "closer" not in still["strip"] and session.measured.zoom == 1
    without = last(preview.look(workbench, session, "en", replace(picked_only(), preset=None)))
    assert without["stage"]["kind"] == "photo"


@pytest.mark.parametrize("quality", ["draft", "standard"])
def test_a_render_that_overtakes_the_preview_makes_what_the_preview_would_have_shown(session, quality):
    """Whatever has answered by then: nothing, the card, or all of it."""

    def rendered(inputs):
        pipe = FakePipeline()
        last(clip.render(Workbench(load=lambda: Opened(pipe)), session, "en", inputs))
        return pipe.calls[0]["trajectory"], session.clip.order

    workbench = Workbench(load=lambda: Opened(FakePipeline()))
    at_once = picked_only(quality=quality)
    card = last(move.pick_move(workbench, session, "en", at_once))
    answered = replace(
        at_once, picked=card["picked"], seconds=card["seconds"]["value"], direction=card["direction"]["value"]
    )
    (complete, _), _ = returned(move.settle(workbench, session, "en", answered))
    assert complete.strength < 100 and complete.suited and complete.seconds == card["seconds"]["value"]
    expected, order = rendered(complete)
    assert order.strength == complete.strength / 100 and order.zoom == complete.zoom / 100
    for inputs in (at_once, answered):
        path, found = rendered(inputs)
        assert found == order and np.array_equal(path.c2w, expected.c2w) and np.array_equal(path.K, expected.K)


def test_the_page_is_sent_what_a_render_found(session, workbench):
    answers = list(clip.render(workbench, session, "en", picked_only()))
    shown = {name: value for answer in answers for name, value in answer.items()}
    order = session.clip.order
    assert shown["strength"] == round(100 * order.strength) and shown["zoom"] == round(100 * order.zoom)
    assert shown["seconds"]["value"] == order.seconds and shown["picked"] == "pull-back"
    again = replace(order.inputs(), suited=shown["suited"])
    assert again == replace(again, suited=again.choice(session.photo_id))


def test_whichever_way_a_card_is_chosen_its_strength_is_found_anew(session, workbench):
    """The same card again, by way of a path of one's own, or there and back before anything was answered."""
    page = Page(workbench, session)
    page.choose("pull-back")
    first = page.inputs
    assert first.strength < 100
    for presets in (["pull-back"], ["drawn", "pull-back"], ["steady-hold", "pull-back"]):
        for preset in presets:
            page.pick(preset)
        assert page.inputs.suited is None and page.inputs.strength == 100
        page.answer(clip.render(workbench, session, "en", page.inputs))
        assert page.inputs == replace(first, seed=7) and session.clip.order.strength == first.strength / 100
    page.inputs = replace(page.inputs, preset="drawn", path=WAY)
    page.answer(path.edit_path(workbench, session, "en", replace(page.inputs, preset="pull-back", path=None)))
    page.pick("pull-back")
    page.answer(preview.look(workbench, session, "en", page.inputs))
    assert page.inputs.strength == first.strength


class Page:
    """The widgets of a page, which answers change."""

    def __init__(self, workbench, session):
        self.workbench, self.session = workbench, session
        self.inputs = Inputs(seed=7, depth="embedded")

    def pick(self, preset):
        self.inputs = replace(self.inputs, preset=preset)
        self.answer(move.pick_move(self.workbench, self.session, "en", self.inputs))

    def choose(self, preset):
        self.pick(preset)
        self.answer(preview.look(self.workbench, self.session, "en", self.inputs))

    def answer(self, answers):
        for answer in answers:
            self.hear(answer)

    def hear(self, answer):
        for name, value in answer.items():
            if name in INPUTS:
                is_update = isinstance(value, dict) and "__type__" in value
                if not is_update or "value" in value:
                    self.inputs = replace(self.inputs, **{name: value["value"] if is_update else value})


def test_another_photo_format_or_direction_is_a_choice_of_its_own(session, workbench):
    (inputs, _), yielded = returned(move.settle(workbench, session, "en", settled("side-slide")))
    assert not yielded and inputs == settled("side-slide")
    for other in (replace(inputs, ratio="1:1"), replace(inputs, direction="left"), replace(inputs, suited=None)):
        assert returned(move.settle(workbench, session, "en", other))[1]
    session.set_photo(session.photo.rotate(180), None)
    assert returned(move.settle(workbench, session, "en", inputs))[1]


def test_what_was_set_by_hand_stays(session, workbench):
    answers = list(preview.look_as_set(workbench, session, "en", picked_only(strength=130, zoom=105)))
    assert answers[-1]["strength"] == 130 and answers[-1]["zoom"] == 105 and session.measured.zoom == 1.05
    inputs = replace(picked_only(strength=130, zoom=105), **{name: answers[-1][name] for name in ("picked", "suited")})
    last(clip.render(workbench, session, "en", inputs))
    assert session.clip.order.strength == 1.3 and session.clip.order.zoom == 1.05


def test_a_preview_that_is_overtaken_changes_no_widget_any_more(session, workbench):
    """A strength is set by hand, or a shorter path is wanted, while the preview of the card is still being made."""
    page = Page(workbench, session)
    page.pick("pull-back")
    earlier = preview.look(workbench, session, "en", page.inputs)
    page.hear(next(earlier))
    by_hand = replace(page.inputs, strength=130, zoom=105)
    later = preview.look_as_set(workbench, session, "en", by_hand)
    page.hear(next(later))
    later_answers = threading.Thread(target=lambda: page.answer(later))  # it waits in line behind the earlier one
    later_answers.start()
    while session.newest["look"] == 0 or len(workbench._line) < 2:
        time.sleep(0.01)
    page.answer(earlier)
    later_answers.join(60)
    assert (page.inputs.strength, page.inputs.zoom) == (130, 105) and session.measured.zoom == 1.05


def test_a_photo_that_comes_while_another_is_lifted_gets_a_place_of_its_own(session, workbench, pipe, monkeypatch):
    first, real = session.photo, pipe.lift

    def lift_slowly(image, *args, **kw):
        if image is first:
            monkeypatch.setattr(pipe, "lift", real)
            session.set_photo(first.rotate(180), None)
        return real(image, *args, **kw)

    monkeypatch.setattr(pipe, "lift", lift_slowly)
    order = Order.read(settled())
    assert lift(workbench, session, order).source is first
    assert lift(workbench, session, order).source is session.photo is not first


@pytest.mark.parametrize("preset", [None, "push-in"])
def test_a_photo_that_is_refused_leaves_its_reason_on_the_stage(session, workbench, tmp_path, preset):
    inputs = settled(preset)
    assert last(preview.look(workbench, session, "en", inputs))["stage"]["kind"] in ("photo", "preview")
    (upload := tmp_path / "photo").write_bytes(b"no picture")
    refused = last(photo.take_photo(workbench, session, "en", inputs, {"path": str(upload)}))
    assert "cannot be read" in refused["stage"]["error"] or "not an image" in refused["stage"]["error"]
    assert list(preview.look(workbench, session, "en", inputs)) == [{}]  # the page goes on to it after every photo
    assert "stage" in last(preview.look(workbench, session, "en", replace(inputs, ratio="1:1")))


# -- depth is measured once -----------------------------------------------------------------------------------------


def test_depth_is_measured_once_for_a_photo_and_a_size(session, workbench, pipe):
    last(preview.look(workbench, session, "en", picked_only()))
    last(preview.preview(workbench, session, "en", settled("push-in")))
    last(clip.render(workbench, session, "en", picked_only()))
    last(clip.render(workbench, session, "en", settled("gentle-arc", zoom=110)))
    assert pipe.engine.depth_estimator.calls == 1  # every frame of a draft, closer ones too
    for preset in ("push-in", "gentle-arc"):
        last(clip.render(workbench, session, "en", settled(preset, quality="standard")))
    assert pipe.engine.depth_estimator.calls == 2  # once more, for finer pixels


def test_another_estimator_measures_for_itself_and_the_pipeline_keeps_its_own(session, pipe):
    own, other = pipe.engine.depth_estimator, Wall("team/depth")
    workbench = Workbench(load=lambda: Opened(pipe))
    workbench.depths["depth-anything"]._make = lambda: other
    for depth in ("depth-anything", "embedded", "depth-anything"):
        last(preview.preview(workbench, session, "en", settled(depth=depth)))
    assert (own.calls, other.calls) == (1, 1) and pipe.engine.depth_estimator is own
    last(clip.render(workbench, session, "en", settled(depth="depth-anything")))
    assert session.clip.recipe["depth"][0]["name"] == "team/depth"


# -- turns ----------------------------------------------------------------------------------------------------------


def test_one_works_and_the_others_are_told_their_place(session, workbench, monkeypatch):
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0)
    first = clip.render(workbench, session, "en", settled())
    next(first)
    other = Session()
    other.set_photo(session.photo, None)
    second = preview.preview(workbench, other, "en", settled())
    third = preview.preview(workbench, other, "it", settled())
    assert next(second)["stage"]["note"] == say("en", "in_line", ahead=1)
    assert next(third)["stage"]["note"] == say("it", "in_line", ahead=2)
    second.close()  # gave up waiting
    assert next(third)["stage"]["note"] == say("it", "in_line", ahead=1)
    list(first)
    assert last(third)["stage"]["kind"] == "preview"
    other.close()


def test_a_move_chosen_while_the_model_loads_is_what_the_page_shows_then(session, monkeypatch):
    """The page asks for the photo, then for the move; whichever of the two gets the engine first."""
    monkeypatch.setattr(turns, "LOADING_SECONDS", 0.01)
    for later_first in (True, False):
        gate = threading.Event()
        workbench = Workbench(load=lambda gate=gate: gate.wait(20) and Opened(FakePipeline()))
        asked = [preview.look(workbench, session, "en", settled(preset)) for preset in (None, "side-slide")]
        assert all(next(waiting)["stage"]["note"] == say("en", "model_load") for waiting in asked)
        gate.set()
        assert workbench.model.wait(10)
        for waiting in reversed(asked) if later_first else asked:
            list(waiting)
        assert session.shown["kind"] == "preview"


def test_what_the_engine_refuses_is_passed_on(session, workbench, pipe, monkeypatch):
    def refuse(*args, **kwargs):
        raise ValueError("No depth could be found in this photo. Give a depth map.")

    monkeypatch.setattr(pipe, "lift", refuse)
    for handler in (preview.preview, clip.render):
        assert "No depth could be found" in last(handler(workbench, session, "en", settled()))["stage"]["error"]
    assert session.take.ended.is_set()

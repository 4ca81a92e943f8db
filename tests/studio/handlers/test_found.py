"""What is found in a picture is said, mended on one click and brought back by the next; too few pixels are told."""

import numpy as np
import pytest
from helpers import photo as picture
from PIL import Image
from visit import last, settled

from pipelines.media.clips import read_recipe
from pipelines.photo.lifted import photo_sha256
from studio.handlers import clip, photo
from studio.order import Inputs
from studio.session import Session
from studio.words import say

GPANO = b'<x:xmpmeta GPano:ProjectionType="equirectangular"></x:xmpmeta>'


def bring(workbench, session, folder, image: Image.Image, **options) -> dict:
    upload = folder / "upload"
    image.save(upload, "WEBP", lossless=True, **options)
    return last(photo.take_photo(workbench, session, "en", Inputs(), {"path": str(upload)}))


@pytest.fixture
def barred(workbench, session, tmp_path):
    pixels = np.pad(picture(180, 320), ((0, 0), (70, 75), (0, 0)), constant_values=255)
    return bring(workbench, session, tmp_path, Image.fromarray(pixels))


@pytest.fixture
def panorama(workbench, session, tmp_path):
    return bring(workbench, session, tmp_path, Image.fromarray(picture(400, 800)), xmp=GPANO)


def use(workbench, session, **inputs) -> dict:
    return last(photo.use_or_undo(workbench, session, "en", Inputs(**inputs)))


def test_bars_are_asked_about_cut_on_a_click_and_back_on_the_next(workbench, session, barred):
    assert "There are bars at the left and right" in barred["found"] and barred["use"]["visible"]
    whole = session.photo
    cut = use(workbench, session)
    assert 316 <= session.photo.width <= 320 and session.photo.height == 180
    assert np.abs(np.subtract(Image.open(session.shown["file"]).size, session.photo.size)).max() <= 4  # of whole cells
    assert say("en", "bars_cut") in cut["found"] and cut["use"]["value"] == say("en", "undo")
    assert use(workbench, session)["found"] == barred["found"] and session.photo is whole


def test_every_combination_of_sides_is_a_sentence_in_both_languages(workbench, session, tmp_path):
    pixels = np.pad(picture(180, 320), ((60, 0), (70, 75), (0, 0)))
    bring(workbench, session, tmp_path, Image.fromarray(pixels))
    assert "bars at the left, top and right, which" in photo.found(session, "en")["found"]
    assert "bande a sinistra, in alto e a destra, che" in photo.found(session, "it")["found"]
    bring(workbench, session, tmp_path, Image.fromarray(pixels[60:, 70:]))
    assert "There is a bar at the right, which" in photo.found(session, "en")["found"]


def test_a_panorama_is_seen_flat_and_turned_with_its_own_lens(workbench, session, panorama):
    assert "360° panorama" in panorama["found"] and not panorama["yaw"]["visible"]
    flat = use(workbench, session, yaw=170)
    assert flat["yaw"]["visible"] and flat["yaw"]["value"] == 0  # wherever the slider was
    ahead, known = np.asarray(session.photo), session.photo_id
    turned = last(photo.turn_view(workbench, session, "en", Inputs(yaw=120, pitch=-20)))
    assert session.used == {"yaw": 120, "pitch": -20} and not {"yaw", "pitch"} & turned.keys()  # they may be moving
    assert not np.array_equal(session.photo, ahead) and session.photo_id != known
    order = photo.framing_of(workbench, Inputs(depth="embedded"))
    assert photo.lift(workbench, session, order).camera.fov_degrees == pytest.approx(90)
    assert use(workbench, session)["found"] == panorama["found"] and session.focal_35mm is None


def test_the_clip_is_of_the_photo_that_is_used_and_its_recipe_says_how(workbench, session, panorama):
    use(workbench, session)
    last(photo.turn_view(workbench, session, "en", Inputs(yaw=45)))
    last(clip.render(workbench, session, "en", settled(photo=session.photo_id, yaw=45)))
    recipe = read_recipe(session.clip.video)
    assert recipe["photo_sha256"] == photo_sha256(session.photo)
    assert (recipe["studio"]["yaw"], recipe["studio"]["pitch"]) == (45, 0)
    again = clip.same_again(workbench, session, "en", settled("side-slide", yaw=45))
    assert again["yaw"] == 45  # the view stays where it is


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"yaw": 200}, "view direction is 200"),
        ({"yaw": None}, "view direction is empty"),
        ({"pitch": "up"}, "view up or down is 'up'"),
        ({"yaw": 10}, "no panorama of 360 degrees"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(workbench, session, barred, inputs, said):
    before = session.photo
    answer = last(photo.turn_view(workbench, session, "en", Inputs(**inputs)))
    assert said in answer["stage"]["error"] and session.photo is before


def test_there_is_nothing_to_use_of_a_plain_photo_or_of_none(workbench, session, tmp_path):
    for handler in (photo.use_or_undo, photo.turn_view):
        answer = last(handler(workbench, Session(), "en", Inputs()))
        assert answer["stage"]["error"] == say("en", "need_photo")
    plain = bring(workbench, session, tmp_path, Image.fromarray(picture(180, 320)))
    assert plain["found"] == "" and not plain["use"]["visible"]
    assert "There are no bars" in use(workbench, session)["stage"]["error"]


def test_a_running_render_keeps_its_photo(workbench, session, barred):
    answers = clip.render(workbench, session, "en", settled(photo=session.photo_id))
    next(answers)
    before = session.photo
    assert use(workbench, session)["stage"]["error"] == say("en", "busy") and session.photo is before
    answers.close()


def test_too_few_pixels_are_told_beside_the_estimate_with_the_quality_that_suits(workbench, session):
    def told(size, **inputs) -> str:
        session.photo = Image.new("RGB", size)
        return clip.estimate(workbench, session, "en", Inputs(**inputs))["estimate"]

    assert "soft" not in told((1920, 1080), ratio="16:9", quality="full")
    small = told((800, 450), ratio="16:9", quality="full")
    assert "800 × 450 pixels in this frame" in small and "Standard suits it." in small
    assert "soft" not in told((800, 450), ratio="16:9", quality="standard")
    assert "253 × 450 pixels" in told((800, 450), ratio="9:16", quality="standard")  # another format
    assert "667 × 375" in told((800, 450), ratio="16:9", quality="standard", zoom=120)  # closer
    assert "every clip will look soft" in told((200, 112), ratio="16:9", quality="draft")
    assert "soft" not in clip.estimate(workbench, Session(), "en", Inputs(quality="full"))["estimate"]

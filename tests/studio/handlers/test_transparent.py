"""A transparent background on the page: offered for a backdrop of one colour, and kept beside the mp4."""

import zipfile
from dataclasses import replace

import pytest
from ffprobe import check_platforms_take, probe
from PIL import Image
from products import product_photo
from visit import PHOTO_ID, last, settled

from pipelines.photo.picture import Picture
from studio.download import sheet
from studio.handlers import clip, photo, preview
from studio.words import say


@pytest.fixture
def product(session, tmp_path):
    """The visit with a product on white."""
    picture = Image.fromarray(product_photo(height=180, width=320)[0])
    session.set_photo(picture, None)
    session.photo_id = PHOTO_ID
    return session


def offered(answers) -> bool | None:
    """What the answers last say of whether the choice is on the page."""
    told = [answer["alpha"]["visible"] for answer in answers if "alpha" in answer]
    return told[-1] if told else None


def test_a_transparent_background_is_offered_for_a_product_and_taken_back_for_the_next_photo(
    product, workbench, pipe, monkeypatch
):
    assert offered(preview.preview(workbench, product, "en", settled())) is False  # this engine draws it anew
    monkeypatch.setattr("pipelines.photo.cutout.check_engine", lambda facts: None)
    assert offered(preview.preview(workbench, product, "en", settled())) is True
    place = Image.effect_noise((320, 180), 80).convert("RGB")
    *_, answer = photo.show_new_photo(workbench, product, "en", settled(), Picture(place))
    assert answer["alpha"] == {"visible": False, "value": "off", "__type__": "update"}
    assert offered(preview.preview(workbench, product, "en", settled(photo=product.photo_id))) is False


@pytest.mark.parametrize("alpha", ["webm", "zip"])
def test_the_transparent_file_lies_beside_the_mp4(product, workbench, alpha):
    answer = last(clip.render(workbench, product, "en", settled(alpha=alpha)))
    made = product.clip
    check_platforms_take(made.video, 2, 24, 288, 512)
    assert answer["stage"]["kind"] == "clip" and product.shown["file"] == str(made.video)
    assert made.transparent.parent == made.video.parent and made.transparent.suffix == f".{alpha}"
    assert answer["transparent"]["visible"] and answer["transparent"]["value"] == str(made.transparent)
    if alpha == "webm":
        assert abs(float(probe(made.transparent)["format"]["duration"]) - 2) <= 0.001
    else:
        assert sum(name.endswith(".png") for name in zipfile.ZipFile(made.transparent).namelist()) == 48
    assert clip.same_again(workbench, product, "en", settled())["alpha"] == alpha
    assert made.recipe["studio"]["alpha"] == alpha
    last(clip.render(workbench, product, "en", settled()))
    assert product.clip.transparent is None and not made.transparent.exists()
    assert sheet(product.clip, "it")["transparent"]["visible"] is False and "alpha" not in product.clip.recipe["studio"]


def test_what_was_ready_of_a_transparent_clip_is_kept_when_it_is_stopped(product, workbench):
    answers = clip.render(workbench, product, "en", settled(alpha="zip"))
    while product.take is None or product.take.num_frames < 24:
        next(answers)
    answers.close()
    clip.stopped(workbench, product, "en", settled(alpha="zip"))
    assert sum(name.endswith(".png") for name in zipfile.ZipFile(product.clip.transparent).namelist()) == 24


@pytest.mark.parametrize("language", ["en", "it"])
def test_a_place_is_refused_before_it_is_rendered_and_so_is_another_value(session, workbench, language):
    answer = last(clip.render(workbench, session, language, settled(alpha="webm")))
    assert {"en": "no backdrop of one colour", "it": "sfondo di un solo colore"}[language] in answer["stage"]["error"]
    assert session.clip is None
    answer = last(clip.render(workbench, session, language, replace(settled(), alpha="gif")))
    assert say(language, "field_alpha") in answer["stage"]["error"] and "gif" in answer["stage"]["error"]

"""A photo comes in: only uploads are opened, none stays, and its lens reaches the camera."""

import numpy as np
import pytest
from PIL import Image
from visit import last, settled

from studio.handlers import clip, photo
from studio.order import Inputs, Order
from studio.page.language import words_of_page
from studio.pictures import examples
from studio.words import say


def take(workbench, session, language, path, **inputs):
    return last(photo.take_photo(workbench, session, language, Inputs(**inputs), {"path": path}))


@pytest.mark.parametrize("path", ["/etc/passwd", None, 3, "", "a\0b", "x" * 5000, {"path": "/etc/passwd"}])
def test_only_uploads_are_opened(session, workbench, path):
    before = session.photo
    assert take(workbench, session, "en", path)["stage"]["error"] == say("en", "not_an_upload")
    assert session.photo is before
    answer = last(photo.take_photo(workbench, session, "en", Inputs(), path))  # no event of this page
    assert answer["stage"]["error"] == say("en", "not_an_upload")


def test_a_bad_photo_gets_its_sentence_and_no_upload_stays(session, workbench, tmp_path):
    upload = tmp_path / "photo"
    upload.write_bytes(b"not a picture at all")
    assert "non è un'immagine leggibile" in take(workbench, session, "it", str(upload))["stage"]["error"]
    assert not upload.exists()
    teal = Image.new("RGB", (640, 480), "teal")
    teal.paste("white", (0, 0, 100, 100))
    teal.save(upload, "PNG")
    answer = take(workbench, session, "it", str(upload), ratio="1:1")
    assert answer["stage"]["kind"] == "photo" and session.photo.size == (640, 480)
    assert answer["stage"]["width"] == answer["stage"]["height"]
    assert not upload.exists()
    upload = tmp_path / "0123abcd" / "photo"  # where the upload route puts it
    upload.parent.mkdir()
    upload.write_bytes(b"not a picture at all")
    take(workbench, session, "it", str(upload))
    assert not upload.parent.exists() and tmp_path.exists()


def test_what_is_to_be_said_of_a_file_stands_under_the_stage_until_the_next_one(session, workbench, tmp_path):
    picture = Image.new("RGB", (640, 480), "teal")
    picture.paste("white", (0, 0, 100, 100))
    for profile, words in ((b"<b>not a profile</b>" * 9, "Il profilo colore della foto non si legge"), (b"", "")):
        picture.save(tmp_path / "photo", "JPEG", icc_profile=profile)
        advice = take(workbench, session, "it", str(tmp_path / "photo"))["advice"]
        assert words in advice and bool(advice) == bool(words)
        assert words_of_page(workbench, session, "it", Inputs())["advice"] == advice
        english = words_of_page(workbench, session, "en", Inputs())["advice"]
        assert ("The colour profile of the photo cannot be read" in english) == bool(words)


def test_a_photo_that_is_dropped_while_a_clip_is_made_is_refused_and_does_not_stay(session, workbench, tmp_path):
    answers = clip.render(workbench, session, "en", settled())
    next(answers)
    upload = tmp_path / "photo"
    Image.new("RGB", (640, 480)).save(upload, "PNG")
    assert take(workbench, session, "en", str(upload))["stage"]["error"] == say("en", "busy")
    assert not upload.exists()
    answers.close()


def test_the_focal_length_of_the_photo_reaches_the_camera(session, workbench):
    session.focal_35mm = 36.0
    # 36 mm on a 16:9 photo of the same diagonal: 2 atan(cos(atan(9/16)) * 43.27 / 2 / 36); a square sees 9/16 of that
    half = 16 / np.hypot(16, 9) * np.hypot(36, 24) / 72
    for ratio, share in (("16:9", 1), ("1:1", 9 / 16)):
        lifted = photo.lift(workbench, session, Order.read(settled(ratio=ratio)))
        assert lifted.camera.fov_degrees == pytest.approx(np.degrees(2 * np.arctan(share * half)))


def test_example_photos_open_on_the_first_visit(session, workbench):
    assert len(examples()) >= 2
    for name, path in examples().items():
        with Image.open(path) as image:
            assert image.size == (1280, 720) and path.stat().st_size < 400_000
        answer = last(photo.take_example(workbench, session, "en", Inputs(), {"id": name}))
        assert answer["stage"]["kind"] == "photo" and session.focal_35mm
    answer = last(photo.take_example(workbench, session, "en", Inputs(), {"id": "../../secret"}))
    assert answer["stage"]["error"].startswith("example is '../../secret', allowed is 1-showroom")

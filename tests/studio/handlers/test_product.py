"""What the page says of a product before a plain backdrop in a format that would cut it."""

from dataclasses import replace

import pytest
from PIL import Image
from products import product_photo
from visit import PHOTO_ID, settled

from studio.handlers import preview
from studio.words import say


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("slope", [0, 0.15])
def test_a_format_that_would_cut_the_product_shows_all_of_it_or_says_so(session, workbench, slope, language):
    picture, _ = product_photo(height=200, width=320, slope=slope, shadow=0)
    picture[90:106, 40:280] = (90, 60, 40)  # a bar through it, wider than the format
    session.set_photo(Image.fromarray(picture), None)
    session.photo_id = PHOTO_ID
    inputs = replace(settled("gentle-arc", ratio="1:1"), suited=None)
    answers = list(preview.preview(workbench, session, language, inputs))
    answer = {name: value for answer in answers for name, value in answer.items()}
    cut, farther = say(language, "product_cropped"), say(language, "farther", percent=answer["zoom"])
    assert (cut in answer["advice"]) == (slope > 0)
    assert (farther in answer["strip"].replace("&#x27;", "'")) == (slope == 0)
    assert (answer["zoom"] < 100) == (slope == 0)

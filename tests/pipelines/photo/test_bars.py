"""Bars at the rims of a picture: found to the pixel and cut whole, and never seen where there are none."""

import io
import time

import numpy as np
import pytest
from helpers import photo
from PIL import Image, ImageDraw

from pipelines.photo.bars import SIDES, Bars, find_bars

HEIGHT, WIDTH = 480, 640


def picture(height=HEIGHT, width=WIDTH) -> Image.Image:
    """A photo-like picture with grain up to its rims."""
    grain = np.random.default_rng(0).integers(-12, 13, (height, width, 1))
    return Image.fromarray((photo(height, width).astype(int) + grain).clip(0, 255).astype(np.uint8))


def barred(bars: Bars, colour="black", inside: Image.Image | None = None) -> Image.Image:
    inside = inside or picture()
    size = inside.width + bars.left + bars.right, inside.height + bars.top + bars.bottom
    image = Image.new("RGB", size, colour)
    image.paste(inside, (bars.left, bars.top))
    return image


def noisy(image: Image.Image, sigma: float) -> Image.Image:
    pixels = np.asarray(image) + np.random.default_rng(1).normal(0, sigma, (image.height, image.width, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def two_colours() -> Image.Image:
    image = barred(Bars(top=40, bottom=130), "navy")
    image.paste((210, 60, 130), (0, 0, image.width, 40))
    return image


def box(ground, lean: int) -> Image.Image:
    """A product with straight sides on a plain ground, seen straight on or turned a little."""
    image = Image.new("RGB", (WIDTH, HEIGHT), ground)
    draw = ImageDraw.Draw(image)
    draw.polygon([(190, 90), (450, 90 + lean), (450, 400 - lean), (190, 400)], (180, 30, 40))
    draw.ellipse((240, 180, 400, 330), "gold")
    return image


BARRED = {
    "letterbox": (barred(Bars(top=70, bottom=70)), Bars(top=70, bottom=70)),
    "white pillars": (barred(Bars(left=220, right=220), "white"), Bars(left=220, right=220)),
    "one side": (barred(Bars(left=37)), Bars(left=37)),
    "uneven": (barred(Bars(top=9, bottom=150), "teal"), Bars(top=9, bottom=150)),
    "two colours": (two_colours(), Bars(top=40, bottom=130)),
    "all round": (barred(Bars(80, 30, 70, 50)), Bars(80, 30, 70, 50)),
    "bars in bars": (barred(Bars(top=60, bottom=60), "white", barred(Bars(60, 0, 90, 0))), Bars(60, 60, 90, 60)),
    "around a product": (barred(Bars(top=70, bottom=70), "black", box("white", 15)), Bars(top=70, bottom=70)),
    "noise": (noisy(barred(Bars(top=70, bottom=70), (40, 40, 40)), 4), Bars(top=70, bottom=70)),
    "poor JPEG": (as_jpeg(barred(Bars(left=90, right=91), (230, 60, 140)), 45), Bars(left=90, right=91)),
}


@pytest.mark.parametrize("name", BARRED)
def test_bars_are_found_to_two_pixels_and_none_is_left_after_the_cut(name):
    image, bars = BARRED[name]
    found = find_bars(image)
    assert found is not None and found.sides == bars.sides
    for side in SIDES:
        assert 0 <= getattr(found, side) - getattr(bars, side) <= 2  # rather a line of the photo than one of the bar
    assert find_bars(image.crop(found.box(*image.size))) is None


def skyline() -> Image.Image:
    """A city below a black sky."""
    image = picture()
    draw, rng = ImageDraw.Draw(image), np.random.default_rng(2)
    for left in range(0, WIDTH, 40):
        draw.rectangle((left, 0, left + 40, int(rng.integers(150, 260))), "black")
    return image


def wall(lean: int) -> Image.Image:
    """A flat white wall at one side, up to a door frame that leans as things do in perspective."""
    image = picture()
    ImageDraw.Draw(image).polygon([(0, 0), (160, 0), (160 + lean, HEIGHT), (0, HEIGHT)], "white")
    return image


def panel() -> Image.Image:
    """A line drawn across a flat ground, and something on it."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (190, 190, 190))
    draw = ImageDraw.Draw(image)
    draw.line((0, 120, WIDTH, 120), "white", 3)
    draw.ellipse((200, 200, 420, 420), "maroon")
    return image


def table() -> Image.Image:
    """A product on a flat floor before a flat wall, with a straight line between them."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (190, 215, 225))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 320, WIDTH, HEIGHT), (130, 80, 50))
    draw.rectangle((260, 160, 380, 400), "red")
    return image


NO_BARS = {
    "photo": picture(),
    "box": box("white", 0),
    "box, turned": box("white", 15),
    "box on pink": box("pink", 0),
    "box on pink, turned": box("pink", 15),
    "box, with grain": noisy(box((246, 246, 246), 3), 2),
    "skyline": skyline(),
    "wall": wall(8),
    "panel": panel(),
    "table": table(),
    "half of it flat": barred(Bars(left=600)),
}


@pytest.mark.parametrize("name", NO_BARS)
def test_what_is_no_bar_is_left(name):
    assert find_bars(NO_BARS[name]) is None


def test_bars_of_a_large_photo_are_found_at_once():
    image = barred(Bars(left=240, right=240), "black", picture(1280, 1440))
    seconds = []
    for _ in range(3):
        started = time.thread_time()
        assert find_bars(image).sides == ("left", "right")
        seconds.append(time.thread_time() - started)
    assert min(seconds) < 0.05

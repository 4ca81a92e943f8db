"""The page in a real browser, with the real engine and no network: photo in, move chosen, clip out."""

import json
import re
import time

import av
import numpy as np
import pytest
from helpers import BROWSER, served
from PIL import Image, ImageDraw

from pipelines.media.clips import read_recipe
from pipelines.media.photos import open_photo
from pipelines.photo.lifted import photo_sha256

pytestmark = BROWSER


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(tmp_path_factory.mktemp("studio"), HF_HUB_OFFLINE="1") as url:
        yield url


@pytest.fixture
def page(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-US", accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(240_000)
    page.outside = []  # requests that leave this machine
    page.on("request", lambda request: server in request.url or "data:" in request.url[:5]
            or "blob:" in request.url[:5] or page.outside.append(request.url))  # fmt: skip
    page.goto(server)
    page.wait_for_selector("#cards .card")
    page.wait_for_selector("#status .ready", timeout=240_000)  # a busy machine reads torch slowly
    yield page
    assert page.outside == []
    context.close()


@pytest.fixture
def photo(tmp_path):
    """A room in perspective, drawn: walls, floor, window, table."""
    image = Image.new("RGB", (960, 540), (214, 208, 198))
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 540), (960, 540), (680, 340), (280, 340)], (150, 118, 84))
    draw.polygon([(0, 0), (280, 130), (280, 340), (0, 540)], (188, 182, 170))
    draw.polygon([(960, 0), (680, 130), (680, 340), (960, 540)], (176, 170, 160))
    draw.rectangle((420, 170, 540, 280), (226, 238, 246), (90, 80, 70), 5)
    draw.rectangle((380, 380, 620, 400), (92, 58, 36))
    draw.rectangle((400, 400, 412, 470), (70, 44, 28))
    draw.rectangle((588, 400, 600, 470), (70, 44, 28))
    image = Image.fromarray(
        (np.asarray(image) + np.random.default_rng(0).integers(-6, 6, (540, 960, 1))).astype(np.uint8)
    )
    image.save(tmp_path / "room.jpg", quality=92)
    return tmp_path / "room.jpg"


def choose(page, move: str) -> None:
    page.click(f'#cards .card[data-id="{move}"]')
    page.wait_for_selector('.stage[data-kind="preview"]')
    page.wait_for_function("document.querySelector('.stage video').readyState >= 2")


def set_seconds(page, seconds: int) -> None:
    page.click(f'#seconds label:has-text("{seconds} s")')
    page.wait_for_function(f"document.querySelector('#estimate').innerText.includes('{24 * seconds} frames')")


def test_photo_in_clip_out(page, photo, tmp_path):
    page.set_input_files(".stage input[type=file]", photo)
    page.wait_for_selector('.stage[data-kind="photo"]')
    choose(page, "push-in")
    assert page.locator(".strip").count() == 1
    set_seconds(page, 2)

    page.click("#render")
    page.wait_for_selector('.stage[data-kind="live"]')
    page.wait_for_selector('.stage[data-kind="clip"]')
    page.wait_for_function("document.querySelector('.stage video').readyState >= 2")
    size = page.evaluate(
        "[document.querySelector('.stage video').videoWidth, document.querySelector('.stage video').videoHeight]"
    )
    assert size == [512, 288]

    with page.expect_download() as download:
        page.click("#download")
    clip = tmp_path / download.value.suggested_filename
    download.value.save_as(clip)
    assert re.fullmatch(r"mirage-push-in-photo-0\.mp4", clip.name)
    with av.open(str(clip)) as container:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    assert frames.shape == (48, 288, 512, 3)
    still = np.asarray(Image.open(photo).resize((512, 288), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(frames[0] - still).mean() < 6  # the clip begins with the photo
    assert np.abs(frames[-1] - still).mean() > np.abs(frames[0] - still).mean() + 1  # and the camera has moved
    recipe = read_recipe(clip)
    assert recipe["studio"]["preset"] == "push-in" and len(recipe["trajectory"]["c2w"]) == 48
    assert recipe["photo_sha256"] == photo_sha256(open_photo(photo))  # as the command line writes it

    assert page.is_hidden("#recipe pre")
    page.click("#recipe summary")
    assert '"preset": "push-in"' in page.inner_text("#recipe pre")
    with page.expect_download() as download:
        page.click("#recipe button >> nth=1")
    assert download.value.suggested_filename == "mirage-recipe.json"

    page.click("#new-seed")
    page.wait_for_selector("#cancel")
    page.wait_for_selector("#render")
    page.wait_for_selector('.stage[data-kind="clip"]')
    assert "seed" in page.inner_text("#facts").lower()


def test_render_that_is_clicked_before_the_preview_is_there_makes_what_it_would_have_shown(page, photo):
    def shown():
        return [float(page.input_value(f"#{name} input[type=number]")) / 100 for name in ("strength", "zoom")]

    page.set_input_files(".stage input[type=file]", photo)
    page.wait_for_selector('.stage[data-kind="photo"]')
    page.click('#cards .card[data-id="pull-back"]')
    page.click("#render")
    page.wait_for_selector('.stage[data-kind="clip"]')
    made = json.loads(page.text_content("#recipe pre"))["studio"]
    assert made["preset"] == "pull-back" and [made["strength"], made["zoom"]] == shown()
    assert made["strength"] < 1 and made["zoom"] > 1

    choose(page, "steady-hold")
    assert shown() == [1, 1]
    choose(page, "pull-back")
    page.wait_for_function("document.querySelector('#strip').innerText.includes('closer than the photo')")
    assert shown() == [made["strength"], made["zoom"]]


def test_stop_gives_the_page_back(page):
    page.click("#examples .card >> nth=1")
    page.wait_for_selector('.stage[data-kind="photo"]')
    choose(page, "there-and-back")
    page.click('#quality label:has-text("Full HD")')
    page.wait_for_function("document.querySelector('#estimate').innerText.includes('1920')")
    page.click("#render")
    page.wait_for_selector("#cancel")
    page.wait_for_function("/step|part|depth/i.test(document.querySelector('.stage .note').textContent)")
    started = time.perf_counter()
    page.click("#cancel")
    page.wait_for_selector("#render")
    assert "Stopped" in page.inner_text(".stage .note")
    print(f"stopped after {time.perf_counter() - started:.1f} s")
    # and the lane is free again
    page.click('#quality label:has-text("Draft")')
    page.click('#cards .card[data-id="steady-hold"]')
    page.wait_for_selector('.stage[data-kind="preview"]')


def test_not_an_image_is_refused_in_the_language_of_the_page(page, photo, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"%PDF-1.7 an invoice")
    page.click('#language label:has-text("IT")')
    page.wait_for_function("document.querySelector('.stage .invite').textContent.startsWith('Trascina')")
    page.set_input_files(".stage input[type=file]", tmp_path / "photo.jpg")
    page.wait_for_function("document.querySelector('.stage .trouble').textContent.includes('non è un')")
    assert page.inner_text("#render") == "Crea il video"
    page.set_input_files(".stage input[type=file]", photo)  # the page goes on
    page.wait_for_selector('.stage[data-kind="photo"]')
    assert page.is_hidden(".stage .trouble")

    choose(page, "steady-hold")
    page.click("#advanced-opener button")
    page.fill("#seed input", "-1")
    page.press("#seed input", "Tab")
    page.wait_for_timeout(1000)  # a click at once would overtake the number
    page.click("#render")
    page.wait_for_function("document.querySelector('.stage .trouble').textContent.startsWith('seme: il valore è -1')")
    page.wait_for_selector("#render")


@pytest.mark.parametrize("language", ["en-US", "it-IT"])
def test_a_phone_needs_no_sideways_scrolling(browser, server, photo, language):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale=language
    )
    page = context.new_page()
    page.set_default_timeout(240_000)
    page.goto(server)
    page.wait_for_selector("#cards .card")
    page.set_input_files(".stage input[type=file]", photo)
    page.wait_for_selector('.stage[data-kind="photo"]')
    page.tap('#cards .card[data-id="pull-back"]')
    page.wait_for_selector('.stage[data-kind="preview"]')
    page.wait_for_function("document.querySelector('.stage').getBoundingClientRect().top >= 0")  # what was tapped shows
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_attribute("html", "lang") == language[:2]
    context.close()


def test_cards_can_be_chosen_with_the_keyboard(page):
    page.focus('#cards .card[data-id="push-in"]')
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    chosen = page.locator('#cards .card[aria-checked="true"]')
    assert chosen.count() == 1 and chosen.get_attribute("data-id") == "pull-back"
    page.wait_for_function("document.querySelector('#summary').innerText.length > 10")


def test_every_group_is_one_stop_of_the_tab_key_and_arrows_choose_in_it(page):
    page.focus("#ratio input:checked")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#ratio .selected').innerText === '16:9'")
    stops = []
    for _ in range(3):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.closest('fieldset, .folded')?.id"))
    assert stops == ["quality", "seconds", "advanced"]
    assert [page.inner_text(f"#{name} > span") for name in ("ratio", "quality", "seconds")] == [
        *("Format", "Quality", "Seconds")
    ]


def test_nothing_shines_through_the_bar_of_the_buttons(page):
    page.set_viewport_size({"width": 1280, "height": 700})
    under = """name => {
        const middle = element => { const box = element.getBoundingClientRect(); return box.top + box.height / 2; };
        const label = document.querySelector(name + ' > span'), left = label.getBoundingClientRect().left;
        window.scrollBy(0, middle(label) - middle(document.querySelector('#estimate')));
        const shown = document.elementFromPoint(left + 5, middle(label));
        return shown.closest('#go') !== null;
    }"""
    assert [page.evaluate(under, name) for name in ("#ratio", "#quality", "#seconds")] == [True] * 3

"""The connection drops: whatever a visitor was at, it is there again once the network is, and nothing is made twice."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from fake_pipeline import FakePipeline
from helpers import BROWSER
from PIL import Image
from proxy import Proxy

import app
from pipelines.media.clips import read_recipe
from studio.settings import Opened
from studio.workbench import Workbench

pytestmark = BROWSER
BACK_SECONDS = 5  # after the network is back; on a busy machine as long as six loads of the page take
SCREENS = {
    "desktop": {"viewport": {"width": 1280, "height": 860}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """The page as `app.py` serves it, with a pipeline that counts its renders, behind a proxy."""
    folder = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        pipe = FakePipeline()
        workbench = Workbench(load=lambda: Opened(pipe))
        workbench.warm_up()
        demo = app.launch(workbench, "127.0.0.1", None)
        with Proxy(demo.server_port) as proxy:
            yield SimpleNamespace(pipe=pipe, proxy=proxy, demo=demo)
        demo.close(verbose=False)


@pytest.fixture
def open_page(browser, studio):
    contexts = []

    def opened(screen: str, **options):
        context = browser.new_context(locale="en-US", accept_downloads=True, **SCREENS[screen], **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(autouse=True)
def quick_steps(studio):
    studio.pipe.step_seconds = 0.1


def come(page, studio) -> None:
    page.clock.install()
    started = time.perf_counter()
    page.goto(studio.proxy.url)
    page.wait_for_selector("#status .ready")
    page.wait_for_function("document.querySelector('#visit textarea').value")
    page.back_seconds = max(BACK_SECONDS, 6 * (time.perf_counter() - started))


@pytest.fixture
def photo(tmp_path):
    """Large enough to be on its way for a while."""
    pixels = np.random.default_rng(0).integers(0, 256, (450, 800, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "room.png")
    return tmp_path / "room.png"


def drop(studio, pages, seconds: float) -> float:
    """The network goes away for so long; the time at which it is back. The pages live through it at once."""
    for page in pages:
        page.evaluate("window.isBefore = true")
    studio.proxy.drop()
    pages[0].wait_for_timeout(300)
    for page in pages:
        page.clock.run_for(1000 * (seconds - 0.3))
    studio.proxy.restore()
    return time.perf_counter()


def is_back(page, back: float, what: str) -> None:
    left = page.back_seconds - (time.perf_counter() - back)
    page.wait_for_function(what, timeout=max(1000 * left, 1))


def shows(kind: str) -> str:
    """A picture of this kind is on the stage, loaded."""
    loaded = "document.querySelector('.stage video').readyState >= 2"
    if kind in ("photo", "live"):
        loaded = "document.querySelector('.stage img').naturalWidth > 0"
    return f"document.querySelector('.stage')?.dataset.kind === '{kind}' && {loaded}"


SETTLED = "document.querySelector('#cards [aria-checked=true]') && document.querySelector('#ratio .selected')"


def settings(page) -> dict:
    return {
        "preset": page.locator('#cards [aria-checked="true"]').get_attribute("data-id"),
        "ratio": page.inner_text("#ratio .selected"),
        "seconds": page.inner_text("#seconds .selected"),
        "seed": page.input_value("#seed input"),
        "zoom": page.input_value("#zoom input[type=number]"),
    }


def file_of(page, button: str, to) -> bytes:
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(to)
    return to.read_bytes()


@pytest.mark.parametrize("seconds", [0.3, 5])
def test_everything_is_back_at_every_moment(studio, open_page, photo, tmp_path, seconds):
    pages = [open_page(screen) for screen in SCREENS]
    for page in pages:
        come(page, studio)
        page.click("#advanced-opener button")
        page.fill("#seed input", "4711")  # typed, and sent with nothing yet
        page.click('#ratio label:has-text("1:1")')

    # the photo is on its way
    studio.proxy.stall()
    for page in pages:
        page.set_input_files(".stage input[type=file]", photo)
        page.wait_for_selector('.stage .note:has-text("Reading")')
    back = drop(studio, pages, seconds)
    for page in pages:
        is_back(page, back, shows("photo"))

    # the preview is being drawn
    for page in pages:
        page.click('#cards .card[data-id="push-in"]')
    pages[0].wait_for_selector(".stage .note:not(:empty)")
    back = drop(studio, pages, seconds)
    for page in pages:
        is_back(page, back, f"({shows('photo')} || {shows('preview')}) && {SETTLED}")
    for page in pages:
        page.wait_for_function(shows("preview"))
    chosen = [settings(page) for page in pages]
    assert all(each["ratio"] == "1:1" and each["seed"] == "4711" for each in chosen)

    # the clip is being made: the second page stands in line
    renders = len(studio.pipe.calls)
    for page in pages:
        page.click("#render")
        page.wait_for_selector("#cancel")
    pages[0].wait_for_function(shows("live"))
    back = drop(studio, pages, seconds)
    for page in pages:
        is_back(
            page, back, f"!window.isBefore && ({shows('photo')} || {shows('live')} || {shows('clip')}) && {SETTLED}"
        )
    for page, settled in zip(pages, chosen, strict=True):
        assert settings(page) == settled
    for page in pages:
        page.wait_for_function(shows("clip"))
        assert page.is_visible("#render") and page.is_hidden("#cancel")
    assert len(studio.pipe.calls) == renders + len(pages)  # each was made once

    # the clip is there
    clips = [file_of(page, "#download", tmp_path / "before.mp4") for page in pages]
    drop(studio, pages, seconds)
    for page, clip in zip(pages, clips, strict=True):
        assert page.evaluate(shows("clip"))
        assert file_of(page, "#download", tmp_path / "after.mp4") == clip
        page.reload()  # as a phone does that has dropped the page meanwhile
        back = time.perf_counter()
        is_back(page, back, shows("clip"))
        assert file_of(page, "#download", tmp_path / "again.mp4") == clip
        assert file_of(page, "#poster", tmp_path / "again.jpg")[:2] == b"\xff\xd8"
        assert settings(page) == chosen[pages.index(page)]
    assert read_recipe(tmp_path / "again.mp4")["seed"] == 4711
    assert len(studio.pipe.calls) == renders + len(pages)


def test_after_a_minute_the_running_render_is_shown_again(studio, open_page):
    page = open_page("phone")
    come(page, studio)
    page.click("#examples .card >> nth=0")
    page.wait_for_selector('.stage[data-kind="photo"]')
    page.click('#cards .card[data-id="steady-hold"]')
    page.wait_for_selector('.stage[data-kind="preview"]')
    studio.pipe.step_seconds = 0.3
    page.click("#render")
    page.wait_for_function(shows("live"))
    studio.proxy.drop()
    page.wait_for_selector(".toast-body[data-calm]")
    assert page.inner_text(".toast-body").strip() == "Connection lost, trying again…"
    page.evaluate("window.isBefore = true")
    page.clock.run_for(60_000)
    assert page.evaluate(shows("live"))  # what was there stays to be looked at
    studio.proxy.restore()
    is_back(page, time.perf_counter(), f"!window.isBefore && ({shows('live')} || {shows('clip')})")
    page.wait_for_function(shows("clip"))
    page.wait_for_selector("#render")


def test_stop_after_coming_back_stops_the_render(studio, open_page):
    page = open_page("desktop")
    come(page, studio)
    page.click("#examples .card >> nth=0")
    page.wait_for_selector('.stage[data-kind="photo"]')
    page.click('#cards .card[data-id="steady-hold"]')
    page.wait_for_selector('.stage[data-kind="preview"]')
    studio.pipe.step_seconds = 0.4
    page.click("#render")
    page.wait_for_function(shows("live"))
    studio.pipe.closed.clear()
    page.reload()
    page.wait_for_selector("#cancel")
    page.click("#cancel")
    page.wait_for_selector("#render")
    assert "Stopped" in page.inner_text(".stage .note") and studio.pipe.closed.is_set()


def test_two_tabs_are_two_visits(studio, open_page):
    page = open_page("desktop")
    come(page, studio)
    page.click("#examples .card >> nth=0")
    page.wait_for_selector('.stage[data-kind="photo"]')
    with page.expect_popup() as opened:
        page.evaluate("open(location.href)")  # a new tab with a copy of this one's storage
    other = opened.value
    other.wait_for_function("document.querySelector('#visit textarea')?.value")
    keys = [tab.input_value("#visit textarea") for tab in (page, other)]
    assert keys[0] != keys[1] and len(keys[1]) > 20
    assert other.locator('.stage[data-kind="empty"]').count() == 1
    other.close()
    sessions = [
        value for state in studio.demo.state_holder.session_data.values() for value in state.state_data.values()
    ]
    [gone] = [each for each in sessions if getattr(each, "key", "") == keys[1]]
    until = time.perf_counter() + 10
    while gone.left_at is None and time.perf_counter() < until:
        page.wait_for_timeout(100)
    assert gone.left_at is not None  # and so it is among those that only the newest are kept of


def test_a_browser_that_lends_no_storage_still_works(studio, open_page, photo):
    page = open_page("desktop")
    page.add_init_script(
        """for (const name of ['sessionStorage', 'indexedDB'])
            Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });"""
    )
    come(page, studio)
    page.set_input_files(".stage input[type=file]", photo)
    page.wait_for_function(shows("photo"))
    page.click('#cards .card[data-id="push-in"]')
    page.wait_for_function(shows("preview"))

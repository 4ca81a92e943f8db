"""The trajectory editor in a real browser: what is drawn is what renders, to the last frame and digit.

The page is the studio's own; only the engine behind it is the stand-in, so that a render takes a moment and its cameras
can be looked at.
"""

import functools
import http.server
import json
import re
import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from fake_pipeline import FakePipeline
from helpers import BROWSER, AnalyticDepth

from pipelines import limits
from pipelines.cameras import Camera, Trajectory, move
from pipelines.cameras.curve import fov as fov_of
from pipelines.cameras.curve import num_frames
from pipelines.cameras.keys import Key
from pipelines.cameras.path import Path
from pipelines.cameras.speed import steps
from studio.editor.editor import served_limits
from studio.settings import Opened
from studio.workbench import Workbench

pytestmark = BROWSER
DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# Gradio's own: an event that is cancelled before it has a number, as Render does with a review under way; and a stream
# that ends because the page is loaded again or left, told in the console or as an error of the page
HARMLESS = "status of 422|signal is aborted|errored out|BodyStreamBuffer was aborted"
HOME = "gradio_api/file=studio/editor/scripts"
COARSER = 4
DRAFT = "JSON.parse(localStorage.getItem('mirage-studio-path')).path"


class Room(FakePipeline):
    """A photo with some depth in it, coarse so that software can draw it, and a camera that sees less of it the
    further it goes."""

    def __init__(self):
        super().__init__()
        self.engine.depth_estimator = AnalyticDepth()
        self.distance = None  # of the subject, in the photo that was lifted last

    def lift(self, image, height, width, **options):
        lifted = super().lift(image, height // COARSER, width // COARSER, **options)
        self.distance = lifted.distance
        return lifted


@pytest.fixture(scope="module")
def pipe():
    return Room()


@contextmanager
def studio(pipe, folder, **launch):
    from studio.page.layout import CSS_PATHS, build_studio, theme

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        demo = build_studio(Workbench(load=lambda: Opened(pipe)))
        _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, theme=theme(), css_paths=CSS_PATHS, **launch)
        try:
            yield url
        finally:
            demo.close()


@pytest.fixture(scope="module")
def server(pipe, tmp_path_factory):
    with studio(pipe, tmp_path_factory.mktemp("editor"), ssr_mode=False) as url:
        yield url


@pytest.fixture
def visit(browser, server):
    """Opens a page with a photo and the editor in front: visit(DESK) -> page. Nothing may fail in its console."""
    contexts, errors = [], []

    def failed(message):
        if not re.search(HARMLESS, message):
            errors.append(message)

    def open_page(device, locale="en-US", server=server):
        context = browser.new_context(locale=locale, **device)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: failed(str(error)))
        page.on("console", lambda message: message.type == "error" and failed(message.text))
        page.on("request", lambda request: request.url.startswith((server, "data:", "blob:"))
                or errors.append(f"asks outside: {request.url}"))  # fmt: skip
        page.goto(server)
        enter(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def enter(page):
    page.wait_for_selector("#cards .card")
    page.click("#examples .card >> nth=0")
    page.wait_for_selector('.stage[data-kind="photo"]')
    page.click('#cards .card[data-id="drawn"]')
    page.wait_for_selector(".editor[data-painted]:visible")


def reviewed(page):
    page.wait_for_selector('.editor[data-state="reviewed"]')


def path_of(page) -> dict:
    return page.evaluate(DRAFT)


def middle(page, selector: str) -> tuple[float, float]:
    """Where a part is on the screen, once it rests there."""
    part = page.locator(selector)
    part.scroll_into_view_if_needed()
    return tuple(
        part.evaluate(
            """part => new Promise((resolve) => {
                let [before, still] = ['', 0];
                const look = () => {
                    const { x, y, width, height } = part.getBoundingClientRect();
                    const now = `${x} ${y} ${width}`;
                    still = width && now === before ? still + 1 : 0;
                    before = now;
                    if (still < 3) requestAnimationFrame(look);
                    else resolve([x + width / 2, y + height / 2]);
                };
                look();
            })"""
        )
    )


def camera_spot(page, key: int = 0) -> tuple[float, float]:
    """Where a key is on the screen."""
    return middle(page, f'.editor .key[data-key="{key}"] .dot')


def pull(page, start, steps):
    """Presses at `start`, moves through `steps` (offsets from there), lets go."""
    x, y = start
    page.mouse.move(x, y)
    page.mouse.down()
    for dx, dy in steps:
        page.mouse.move(x + dx, y + dy)
    page.mouse.up()


def draw_stroke(page, width=60, height=40):
    t = np.linspace(0, 1, 24)[1:]
    pull(page, camera_spot(page), list(zip(width * t, -height * np.sin(2.6 * t), strict=True)))
    reviewed(page)


def test_the_spline_of_the_browser_is_the_one_that_renders(browser, server):
    rng = np.random.default_rng(5)
    paths = [random_path(rng, number) for number in range(200)]
    times = [np.linspace(-0.1, path.duration + 0.1, 33) for path in paths]
    page = browser.new_page()
    page.goto(server)
    seen = page.evaluate(
        """async ([url, paths, times]) => {
            const { curve } = await import(new URL(url, document.baseURI));
            const numbers = (view) => [...view.position, ...view.rotation.flat(), view.fov];
            return paths.map((path, n) => times[n].map((t) => numbers(curve(path)(t))));
        }""",
        [f"{HOME}/path.js", [path.to_dict() for path in paths], [t.tolist() for t in times]],
    )
    page.close()
    for path, t, there in zip(paths, times, np.array(seen), strict=True):
        here = path.sample(t)
        np.testing.assert_allclose(there[:, :3], here.c2w[:, :3, 3], atol=1e-5)
        np.testing.assert_allclose(there[:, 3:12].reshape(-1, 3, 3), here.c2w[:, :3, :3], atol=1e-5)
        np.testing.assert_allclose(there[:, 12], here.fov, atol=1e-5)


def random_path(rng, number: int) -> Path:
    count = int(rng.integers(2, 13))
    closed, still = count > 3 and number % 4 == 0, count > 4 and number % 3 == 0
    times = np.concatenate([[0], rng.uniform(0.3, 2, count - 1).cumsum()])
    positions, turns = rng.normal(size=(count, 3)), rng.normal(size=(count, 4))
    fovs, rolls = rng.uniform(20, 110, count), rng.uniform(-30, 30, count) * (number % 2)
    if still:
        positions[2] = positions[1]
    if closed:
        positions[-1], fovs[-1], rolls[-1], turns[-1] = positions[0], fovs[0], rolls[0], turns[0] * rng.choice([-1, 1])
    eases = rng.choice(["linear", "in", "out", "smooth"], count)
    keys = [
        Key(float(t), tuple(p), tuple(q), float(r), float(f), str(e))
        for t, p, q, r, f, e in zip(times, positions, turns, rolls, fovs, eases, strict=True)
    ]
    return Path(tuple(keys), closed, tuple(rng.normal(size=3)) if number % 5 == 0 else None)


def test_the_cameras_drawn_are_the_cameras_rendered(visit, pipe):
    page = visit(DESK)
    draw_stroke(page)
    page.mouse.click(*camera_spot(page, 2))
    page.click('.editor .chip[aria-label="50 mm"]')
    page.fill(".editor .roll input", "6")
    page.keyboard.press("Tab")
    page.wait_for_function(f"{DRAFT}.keys[2].roll === 6")
    drawn = page.evaluate(
        f"""async () => {{
            const {{ curve, duration }} = await import(new URL('{HOME}/path.js', document.baseURI));
            const path = {DRAFT};
            const frames = {num_frames(path_of(page)["keys"][-1]["time"], 24)};
            return Array.from({{ length: frames }}, (_, i) => curve(path)(duration(path) * i / (frames - 1)));
        }}"""
    )
    pipe.calls.clear()
    page.click("#render")
    page.wait_for_selector('.stage[data-kind="clip"]')
    rendered = pipe.calls[0]["trajectory"]
    asked = Path.from_dict(path_of(page)).trajectory(rendered.height, rendered.width)
    assert len(rendered) == len(drawn) == len(asked)
    np.testing.assert_allclose(rendered.c2w, asked.c2w, atol=1e-6)
    np.testing.assert_allclose(rendered.K, asked.K, atol=1e-6)
    np.testing.assert_allclose(rendered.c2w[:, :3, 3], [view["position"] for view in drawn], atol=1e-6)
    np.testing.assert_allclose(rendered.c2w[:, :3, :3], [view["rotation"] for view in drawn], atol=1e-6)
    focal = [rendered.width / 2 / np.tan(np.radians(view["fov"]) / 2) for view in drawn]
    np.testing.assert_allclose(rendered.K[:, 0, 0], focal, atol=1e-6)
    assert np.abs(rendered.c2w[0] - np.eye(4)).max() < 1e-9 and np.ptp(rendered.K[:, 0, 0]) > 100
    page.click("#preview")
    page.wait_for_selector('.stage[data-kind="preview"]')
    page.click(".stage .edit")  # and back to the path, which is still there
    page.wait_for_selector(".editor .key:visible")
    assert page.locator(".editor .key").count() == len(path_of(page)["keys"])


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
def test_a_session_at_the_editor(visit, device, tmp_path):
    page = visit(device)
    draw_stroke(page)
    stroke = path_of(page)
    assert 3 <= len(stroke["keys"]) <= 12 and stroke["target"]
    assert page.evaluate("document.documentElement.scrollWidth") <= device["viewport"]["width"]

    # drag a key
    pull(page, camera_spot(page, 1), [(5, -3), (14, -8), (22, -12)])
    page.wait_for_function(f"{DRAFT}.keys[1].position[0] !== {stroke['keys'][1]['position'][0]}")
    dragged = path_of(page)
    assert dragged["keys"][1]["position"][0] > stroke["keys"][1]["position"][0]
    assert dragged["keys"][2]["position"] == stroke["keys"][2]["position"]

    # look at something off the middle: the keys turn to it, the photo's camera does not
    page.click(".editor .bar button:has-text('Look at')")
    frame = page.locator(".editor .frame").bounding_box()
    page.mouse.click(frame["x"] + 0.3 * frame["width"], frame["y"] + 0.4 * frame["height"])
    page.wait_for_function(f"{DRAFT}.target === null")
    looking = path_of(page)
    assert looking["keys"][0]["orientation"] == [1, 0, 0, 0] and looking["keys"][2]["orientation"][2] < -0.02

    # undo them all, and once forth
    before = page.locator(".editor .key").count()
    for _ in range(3):
        page.click(".editor button:has-text('Undo')")
    page.wait_for_function(f"{DRAFT}.keys.length === 1")
    assert page.is_disabled(".editor button:has-text('Undo')")
    page.click(".editor button:has-text('Redo')")
    page.wait_for_function(f"{DRAFT}.keys.length === {before}")
    assert path_of(page) == stroke

    # play
    page.click(".editor .player")
    page.wait_for_function("document.querySelector('.editor .track').ariaValueNow > 0.4")
    page.click(".editor .player")
    halted = page.get_attribute(".editor .track", "aria-valuenow")
    page.wait_for_timeout(150)
    assert page.get_attribute(".editor .track", "aria-valuenow") == halted

    # a move of the gallery becomes keys
    page.click('#cards .card[data-id="gentle-arc"]')
    page.wait_for_selector('.stage[data-kind="preview"]:not([data-drawing])')
    page.wait_for_selector(".stage .edit:visible")
    page.click(".stage .edit")
    page.wait_for_selector(".editor .key:visible")
    reviewed(page)
    kept = path_of(page)
    arc = Path.from_dict(kept)
    assert np.ptp(arc.positions[:, 0]) > 0.1 and arc.target is None
    assert page.get_attribute('#cards .card[aria-checked="true"]', "data-id") == "drawn"

    # and so do the cameras of a file
    file = tmp_path / "poses.json"
    slide = move("side-slide", Camera.from_fov(50, 90, 160), distance=2.0, frames=33)
    away = np.array([[0.0, 0, 1, 3], [0, 1, 0, 0], [-1, 0, 0, 5], [0, 0, 0, 1]])  # a world of its own
    Trajectory(away @ slide.c2w, slide.K, 90, 160).save(file)
    page.set_input_files(".editor input[type=file]", file)
    page.wait_for_function("document.querySelector('.editor .notice').textContent.startsWith('33 cameras')")
    slid = Path.from_dict(path_of(page))
    np.testing.assert_allclose(slid.positions[-1], slide.c2w[-1, :3, 3], atol=1e-5)
    assert slid.keys[0].fov == arc.keys[0].fov
    page.click(".editor button:has-text('Undo')")
    page.wait_for_function(f"{DRAFT}.keys.length === {len(arc.keys)}")
    reviewed(page)

    # a page that loads again is where it was
    page.reload()
    page.wait_for_selector(".editor[data-painted]:visible")
    page.wait_for_function(f"{DRAFT}.keys.length === {len(arc.keys)}")
    assert path_of(page) == kept

    # the next visit finds it again, on the whole photo: the arc had a frame a little closer
    address, page = page.url, page.context.new_page()
    page.goto(address)
    enter(page)
    found = Path.from_dict(path_of(page))
    lens = {key.fov for key in found.keys}
    assert len(lens) == 1 and lens.pop() > arc.keys[0].fov
    assert [replace(key, fov=arc.keys[0].fov) for key in found.keys] == list(arc.keys)
    assert page.locator(".editor .key").count() == len(arc.keys)
    assert "last visit" in page.inner_text(".editor .notice")


def test_everything_goes_by_keyboard(visit):
    page = visit(DESK)
    draw_stroke(page)
    first = path_of(page)
    page.focus('.editor .key[data-key="1"]')
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    moved = path_of(page)["keys"][1]["position"]
    assert moved[0] > first["keys"][1]["position"][0] and moved[1] < 0
    page.keyboard.press("Shift+ArrowRight")  # turns to the right, and then every key has its own heading
    assert path_of(page)["target"] is None
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.key") == "2"
    page.keyboard.press("Delete")
    page.wait_for_function(f"{DRAFT}.keys.length === {len(first['keys']) - 1}")
    for _ in range(4):
        page.keyboard.press("Control+z")
    assert path_of(page) == first
    page.keyboard.press("Control+y")
    assert path_of(page) != first
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.editor .track').ariaValueNow > 0.2")
    page.focus(".editor .track")
    page.keyboard.press("Home")
    for _ in range(3):  # frames
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.editor .track').ariaValueText === '0.1 s'")
    nameless = page.evaluate(
        """[...document.querySelectorAll('.editor :is(button, input, select, textarea, [tabindex], summary)')]
        .filter((part) => part.checkVisibility() && !(part.ariaLabel || part.getAttribute('aria-label')
            || part.labels?.length || part.textContent.trim())).map((part) => part.outerHTML)"""
    )
    assert nameless == []


def test_a_finding_is_mended_with_one_click(visit):
    page = visit(DESK)
    draw_stroke(page, width=150, height=90)
    page.fill(".editor .length input", "1")
    page.keyboard.press("Tab")
    page.wait_for_selector('.editor .repair:has-text("Slow down")')
    page.click('.editor .repair:has-text("Slow down")')
    page.wait_for_function(f"{DRAFT}.keys.at(-1).time > 1.5")
    reviewed(page)
    assert page.locator('.editor .repair:has-text("Slow down")').count() == 0
    page.click('.editor .repair:has-text("Keep it honest")')
    page.wait_for_selector(".editor .health .good")


ATTACKS = [
    "${Object.assign(window, {pwned: 1})}",
    "{{#with value}}{{constructor.constructor('window.pwned = 1')}}{{/with}}",
    "<img src=x onerror='window.pwned = 1'>",
    "__proto__",
]


def bad_paths(good: dict) -> list[str]:
    """What no path is, as text."""
    first, key = good["keys"][:2]
    keys = [
        [first, {**key, "time": 1}, {**key, "time": 1}],
        [first, {**key, "time": 2}, {**key, "time": 1}],
        [first],
        [first, {**key, "orientation": [0, 0, 0, 0]}],
        [first, {**key, "fov": float("nan")}],
        [first, {**key, "position": [1e308, 0, 0]}],
        [first] + [{**key, "time": (i + 1) / 1000} for i in range(10_000)],
        [first, {**key, "name": "x" * 41}],
    ]
    return [json.dumps({**good, "keys": some}) for some in keys]


def test_what_is_no_path_gets_a_sentence_and_the_page_goes_on(visit):
    page = visit(DESK, "it-IT")
    draw_stroke(page)
    before = path_of(page)
    page.click(".editor summary")
    page.click(".editor .menu button:has-text('Percorso come testo')")
    for text in bad_paths(before):
        page.evaluate("document.querySelector('.editor .notice').textContent = ''")
        page.evaluate("text => { document.querySelector('.editor textarea').value = text; }", text)
        page.click(".editor button:has-text('Usa questo percorso')")
        page.wait_for_function("document.querySelector('.editor .notice').textContent.length > 20")
        said = page.text_content(".editor .notice")
        assert said.startswith("Quest") and "must be" not in said, said
    assert path_of(page) == before


def test_the_menu_changes_the_whole_path_and_undo_takes_it_back(visit, pipe):
    page = visit(DESK)
    draw_stroke(page)
    drawn = path_of(page)

    def choose(words):
        page.click(".editor summary")
        page.click(f".editor .menu button:has-text('{words}')")

    def becomes(test):
        page.wait_for_function(f"(({DRAFT}) => {test})({DRAFT})".replace(f"({DRAFT}) =>", "(path) =>"))
        changed = path_of(page)
        page.click(".editor button:has-text('Undo')")
        page.wait_for_function(f"JSON.stringify({DRAFT}) === {json.dumps(json.dumps(drawn, separators=(',', ':')))}")
        return changed

    choose("Close the loop")
    loop = Path.from_dict(becomes("path.closed"))
    assert loop.closed and loop.keys[-1].position == (0, 0, 0) and loop.duration > drawn["keys"][-1]["time"]
    choose("Mirror")
    mirrored = becomes(f"path.keys[1].position[0] === -{drawn['keys'][1]['position'][0]}")
    assert mirrored["keys"][0]["position"] == [0, 0, 0]
    choose("Reverse")
    back = Path.from_dict(becomes("path.target === null && path.keys.length > 1"))
    assert back.keys[0].position == (0, 0, 0) and back.duration == drawn["keys"][-1]["time"]
    choose("Snap")
    pull(page, camera_spot(page, 1), [(5, -3), (23, -12)])
    snapped = becomes(f"path.keys[1].position[0] !== {drawn['keys'][1]['position'][0]}")
    steps = np.array(snapped["keys"][1]["position"]) / (0.05 * pipe.distance)
    np.testing.assert_allclose(steps, steps.round(), atol=1e-4)
    page.mouse.click(*camera_spot(page, 1))
    page.click(".editor button:has-text('Pause here')")
    assert len(becomes(f"path.keys.length === {len(drawn['keys']) + 1}")["keys"]) == len(drawn["keys"]) + 1


def test_nothing_that_is_pasted_is_executed(visit):
    page = visit(DESK)
    draw_stroke(page)
    before = path_of(page)
    page.click(".editor summary")
    page.click(".editor .menu button:has-text('Path as text')")
    key = before["keys"][1]
    for words in ATTACKS:
        for bad in (
            {**before, "version": words},
            {**before, words: 1},
            {**before, "keys": [before["keys"][0], {**key, "ease": words}]},
            {**before, "keys": [before["keys"][0], {**key, words: words}]},
            words,
        ):
            page.evaluate("document.querySelector('.editor .notice').textContent = ''")
            page.fill(".editor textarea", bad if isinstance(bad, str) else json.dumps(bad))
            page.click(".editor button:has-text('Use this path')")
            page.wait_for_function("document.querySelector('.editor .notice').textContent.length > 20")
    assert page.evaluate("window.pwned") is None and page.locator("img[src='x']").count() == 0
    assert path_of(page) == before
    # and a good one is taken
    page.fill(".editor textarea", json.dumps({**before, "target": None}))
    page.click(".editor button:has-text('Use this path')")
    page.wait_for_function(f"{DRAFT}.target === null")


def test_another_crop_keeps_the_zoom_of_every_key(visit, pipe):
    page = visit(DESK)
    draw_stroke(page)
    page.mouse.click(*camera_spot(page, 1))
    page.click('.editor .chip[aria-label="85 mm"]')
    wide = path_of(page)
    page.click('#ratio label:has-text("9:16")')
    page.wait_for_function(f"{DRAFT}.keys[0].fov < {wide['keys'][0]['fov'] - 5}")
    tall = path_of(page)

    def zoom(path):
        return np.tan(np.radians(path["keys"][0]["fov"] / 2)) / np.tan(np.radians(path["keys"][1]["fov"] / 2))

    assert zoom(tall) == pytest.approx(zoom(wide), rel=1e-4)
    reviewed(page)
    pipe.calls.clear()
    page.click("#render")
    page.wait_for_selector('.stage[data-kind="clip"]')
    rendered = pipe.calls[0]["trajectory"]
    assert (rendered.height, rendered.width) == (512, 288)
    assert fov_of(rendered.K[0, 0, 0] / rendered.width) == pytest.approx(tall["keys"][0]["fov"])


# -- height, the view in 3D, findings, names, files -----------------------------------------------------------------


def height_of(page, key: int = 1) -> float:
    """How far a key is above where the photo was taken."""
    return -path_of(page)["keys"][key]["position"][1]


def test_a_point_is_lifted_by_hand_and_by_keys(visit):
    page = visit(DESK)
    draw_stroke(page)
    assert page.is_hidden(".editor .lift")  # the photo's camera stays
    page.mouse.click(*camera_spot(page, 1))
    pull(page, middle(page, ".editor .lift .grip"), [(0, -10), (0, -30)])
    page.wait_for_function(f"{DRAFT}.keys[1].position[1] < -0.05")
    lifted = height_of(page)
    page.focus(".editor .lift")
    page.keyboard.press("ArrowDown")
    assert height_of(page) < lifted
    page.keyboard.press("Home")
    assert height_of(page) == 0 and page.get_attribute(".editor .lift", "aria-valuenow") == "0.00"
    # in 3D the point has a handle of its own
    page.click(".editor .modes button:has-text('3D')")
    before = path_of(page)["keys"][1]["position"]
    pull(page, middle(page, ".editor .lifter circle >> nth=1"), [(0, -10), (0, -24)])
    page.wait_for_function(f"{DRAFT}.keys[1].position[1] < -0.01")
    after = path_of(page)["keys"][1]["position"]
    assert (after[0], after[2]) == (before[0], before[2])


def test_the_view_in_3d_turns_and_points_move_over_the_floor_in_it(visit):
    page = visit(DESK)
    draw_stroke(page)
    page.click(".editor .modes button:has-text('3D')")
    page.wait_for_selector('.editor[data-view="around"]')
    still = path_of(page)
    before, frustums = camera_spot(page, 2), page.get_attribute(".editor .frustums", "d")
    assert frustums.count("M") == 3 * len(still["keys"]) and page.locator(".editor .ticks circle").count() >= 3
    box = page.locator(".editor .above").bounding_box()
    pull(page, (box["x"] + 40, box["y"] + box["height"] - 70), [(30, 4), (90, 12)])
    page.wait_for_function(f"document.querySelector('.editor .frustums').getAttribute('d') !== {json.dumps(frustums)}")
    assert np.hypot(*np.subtract(camera_spot(page, 2), before)) > 5 and path_of(page) == still
    pull(page, camera_spot(page, 2), [(4, 2), (14, 6)])
    page.wait_for_function(f"{DRAFT}.keys[2].position[0] !== {still['keys'][2]['position'][0]}")
    assert path_of(page)["keys"][2]["position"][1] == still["keys"][2]["position"][1]
    label = page.text_content(".editor .ruler")
    page.focus(".editor .above > svg")
    for _ in range(9):
        page.keyboard.press("+")
    page.wait_for_function(f"document.querySelector('.editor .ruler').textContent !== {json.dumps(label)}")


def test_findings_are_marked_where_they_are(visit):
    page = visit(DESK)
    draw_stroke(page, width=150, height=90)
    page.fill(".editor .length input", "1")
    page.keyboard.press("Tab")
    page.wait_for_selector('.editor li[data-kind="fast"]')
    reviewed(page)
    kinds = page.locator(".editor .health li").evaluate_all("rows => rows.map((row) => row.dataset.kind)")
    assert "fast" in kinds and len(kinds) >= 2
    marks = page.locator(".editor .flaw")
    assert marks.count() >= len(kinds) and page.locator(".editor .flaws path[data-flaw]").count() == marks.count()
    page.focus(".editor .track")
    page.keyboard.press("Home")
    marks.last.click()
    page.wait_for_function("Number(document.querySelector('.editor .track').ariaValueNow) > 0.1")
    assert page.locator(".editor .health li.pointed").count() == 1
    for _ in range(8):  # every finding has its button, until nothing is left
        if not page.locator(".editor .repair").count():
            break
        before = path_of(page)
        page.click(".editor .repair >> nth=0")
        page.wait_for_function(f"JSON.stringify({DRAFT}) !== {json.dumps(json.dumps(before, separators=(',', ':')))}")
        reviewed(page)
    page.wait_for_selector(".editor .health .good")
    assert marks.count() == 0


def test_names_are_text_and_nothing_else(visit):
    page = visit(DESK)
    draw_stroke(page)
    page.mouse.click(*camera_spot(page, 1))
    for words in ATTACKS:
        page.fill(".editor .point_name input", words)
        page.keyboard.press("Tab")
        page.wait_for_function(f"{DRAFT}.keys[1].name?.startsWith({json.dumps(words[:8])})")
        reviewed(page)
    page.fill(".editor .point_name input", "  by the\twindow " + "x" * 60)
    page.keyboard.press("Tab")
    page.wait_for_function(f"{DRAFT}.keys[1].name?.startsWith('by the')")
    name = path_of(page)["keys"][1]["name"]
    assert len(name) <= 40 and page.text_content('.editor .key[data-key="1"] .tag') == name
    assert name in page.get_attribute('.editor .key[data-key="1"]', "aria-label")
    assert page.evaluate("window.pwned") is None and page.locator("img[src='x']").count() == 0
    assert Path.from_dict(path_of(page)).keys[1].name == name


def test_cameras_are_saved_and_opened_again_from_several_files(visit, tmp_path):
    page = visit(DESK, "it-IT")
    draw_stroke(page)
    with page.expect_response(re.compile("gradio_api/queue/join")):
        page.evaluate("document.querySelector('#fps input[value=\"30\"], #fps label:nth-of-type(3) input').click()")
    page.wait_for_function("document.querySelector('#estimate').textContent.includes('30 al secondo')")
    page.click(".editor summary")
    page.click(".editor .menu button:has-text('Salva videocamere')")
    for name in ("path", "json", "re10k", "colmap", "nerfstudio", "blender", "spatia"):
        page.select_option(".editor .save_as select", name)
        with page.expect_download() as download:
            page.click(".editor .saver button:has-text('Salva')")
        assert download.value.suggested_filename.startswith("mirage-")
        download.value.save_as(tmp_path / download.value.suggested_filename)
        page.wait_for_function("document.querySelector('.editor .notice').textContent.startsWith('Salvato')")
    kept = path_of(page)
    assert Path.load(tmp_path / "mirage-path.json") == Path.from_dict(kept)
    saved = Trajectory.load(tmp_path / "mirage-cameras.json")
    assert saved.fps == 30 and len(saved) == num_frames(kept["keys"][-1]["time"], 30)
    shutil.unpack_archive(tmp_path / "mirage-colmap.zip", tmp_path / "model")
    page.click(".editor summary")
    page.click(".editor .menu button:has-text('Ricomincia')")
    page.wait_for_function(f"{DRAFT}.keys.length === 1")
    both = [tmp_path / "model" / name for name in ("cameras.txt", "images.txt")]
    page.set_input_files(".editor input[type=file]", both[:1])
    page.wait_for_function("document.querySelector('.editor .notice').textContent.startsWith('Queste videocamere')")
    page.set_input_files(".editor input[type=file]", both)
    page.wait_for_function(f"{DRAFT}.keys.length > 1")
    page.wait_for_function(
        "document.querySelector('.editor .notice').textContent.includes('lette come testo di COLMAP')"
    )
    np.testing.assert_allclose(path_of(page)["keys"][-1]["position"], kept["keys"][-1]["position"], atol=1e-5)
    # what is no file of cameras is named, under its own ending
    (tmp_path / "Scena 1.FBX").write_bytes(b"Kaydara FBX Binary  \0")
    page.set_input_files(".editor input[type=file]", tmp_path / "Scena 1.FBX")
    page.wait_for_function(
        "document.querySelector('.editor .notice').textContent.includes('path.fbx sembra una scena FBX')"
    )
    # cameras without a lens have the photo's
    (tmp_path / "poses.tum").write_text("".join(f"{i / 30:.4f} {i / 100} 0 0 0 0 0 1\n" for i in range(49)))
    page.set_input_files(".editor input[type=file]", tmp_path / "poses.tum")
    page.wait_for_function(
        "document.querySelector('.editor .notice').textContent.startsWith('Sono arrivate 49 videocamere')"
    )
    assert path_of(page)["keys"][-1]["position"] == pytest.approx([0.48, 0, 0])
    # cameras that look away are doubted, and turned round on demand
    arc = move("gentle-arc", Camera.from_fov(50, 90, 160), distance=2.0, frames=33, degrees=40)
    Trajectory(arc.c2w @ np.diag([1, -1, -1, 1.0]), arc.K, 90, 160).save(tmp_path / "away.json")
    page.set_input_files(".editor input[type=file]", tmp_path / "away.json")
    page.click(".editor .notice button:has-text('Girale')")
    page.wait_for_function(f"Math.abs({DRAFT}.keys.at(-1).position[2] - {arc.c2w[-1, 2, 3]}) < 0.02")


def draw_line(page, dx, dy):
    """A straight stroke, by so many pixels: a path of two keys. Returns its fastest quarter of a second: degrees, and
    scene units."""
    pull(page, camera_spot(page), [(dx * i / 24, dy * i / 24) for i in range(1, 25)])
    reviewed(page)
    trajectory = Path.from_dict(path_of(page)).trajectory(90, 160, 16)
    return tuple(float(fastest.max()) for fastest in steps(trajectory))


def test_the_page_keeps_to_the_limits_that_python_serves(visit, pipe, tmp_path, monkeypatch):
    page = visit(DESK)
    degrees, travel = draw_line(page, 70, -50)
    assert degrees > limits.TURN_DEGREES / 3 and travel > 0.6 * limits.TRAVEL * pipe.distance
    usual = served_limits()
    monkeypatch.setattr(limits, "TURN_DEGREES", limits.TURN_DEGREES / 3)
    monkeypatch.setattr(limits, "TRAVEL", limits.TRAVEL / 2)
    others = {"fps": 5, "keys": 3, "seconds": (0.5, 40.0), "fov": (10.0, 120.0), "name_letters": 7, "text_letters": 999}
    served = {**served_limits(), **others}
    assert served.keys() == usual.keys()
    monkeypatch.setattr("studio.editor.editor.served_limits", lambda: served)
    monkeypatch.setattr("studio.page.widgets.MAX_MEGABYTES", 0.0001)
    with studio(pipe, tmp_path, ssr_mode=False) as url:
        page = visit(DESK, server=url)
        _, travel = draw_line(page, 0, -80)  # ahead: the camera does not turn
        assert travel <= limits.TRAVEL * pipe.distance
        page.click(".editor .bar button:has-text('Draw')")
        degrees, _ = draw_line(page, 70, -50)
        assert degrees <= limits.TURN_DEGREES
        assert not page.is_disabled(".editor button:has-text('Add a point')")
        page.click(".editor button:has-text('Add a point')")
        page.wait_for_function(f"{DRAFT}.keys.length === 3")
        assert page.is_disabled(".editor button:has-text('Add a point')")
        page.focus(".editor .track")
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("document.querySelector('.editor .track').ariaValueNow === '0.20'")

        def ends(field, *names):
            return tuple(float(page.get_attribute(f".editor .{field} :is(input, textarea)", name)) for name in names)

        assert ends("length", "min", "max") == (0.5, 40) and ends("fov", "min", "max") == (10, 120)
        assert ends("point_name", "maxlength") == (7,) and ends("as-text", "maxlength") == (999,)
        photo = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": bytes(101)}
        page.set_input_files(".stage input[type=file]", photo)
        page.wait_for_selector(".stage .trouble:has-text('over 40 MB')")
        page.context.close()


# -- touch, a page within a page, a page that the server draws --------------------------------------------------------


def touch_drag(page, start, end, steps=6):
    """One finger that goes down at `start`, moves to `end` and lets go, as the screen reports it."""
    session = page.context.new_cdp_session(page)
    touch = "Input.dispatchTouchEvent"
    session.send(touch, {"type": "touchStart", "touchPoints": [{"x": start[0], "y": start[1]}]})
    for share in np.linspace(0, 1, steps + 1)[1:]:
        x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
        session.send(touch, {"type": "touchMove", "touchPoints": [{"x": float(x), "y": float(y)}]})
    session.send(touch, {"type": "touchEnd", "touchPoints": []})


def test_a_finger_draws_moves_lifts_and_two_zoom(visit):
    page = visit(PHONE)
    x, y = camera_spot(page)
    touch_drag(page, (x, y), (x + 50, y - 60), steps=16)
    reviewed(page)
    drawn = path_of(page)
    assert len(drawn["keys"]) > 1 and drawn["keys"][-1]["position"][0] > 0
    last = len(drawn["keys"]) - 1
    x, y = camera_spot(page, last)
    scrolled = page.evaluate("scrollY")
    touch_drag(page, (x, y), (x - 30, y - 10))
    page.wait_for_function(f"{DRAFT}.keys[{last}].position[0] < {drawn['keys'][-1]['position'][0]}")
    assert page.evaluate("scrollY") == scrolled  # the room moved, not the page
    spot = middle(page, ".editor .lift .grip")
    touch_drag(page, spot, (spot[0], spot[1] - 40))
    page.wait_for_function(f"{DRAFT}.keys[{last}].position[1] < -0.05")
    page.wait_for_timeout(500)  # at once it would be the second half of a double tap
    page.tap(".editor .modes button:has-text('3D')")
    page.wait_for_selector('.editor[data-view="around"]')
    spot, before = middle(page, ".editor .lifter circle >> nth=1"), height_of(page, last)
    touch_drag(page, spot, (spot[0], spot[1] + 20))
    page.wait_for_function(f"-{DRAFT}.keys[{last}].position[1] < {before}")
    label, kept = page.text_content(".editor .ruler"), path_of(page)
    box = page.locator(".editor .above").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    for kind, apart in [("touchStart", 20), *(("touchMove", d) for d in (40, 70, 100, 130))]:
        points = [{"x": x - apart / 2, "y": y, "id": 0}, {"x": x + apart / 2, "y": y, "id": 1}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function(f"document.querySelector('.editor .ruler').textContent !== {json.dumps(label)}")
    assert path_of(page) == kept


@pytest.fixture
def host(server, tmp_path):
    """A page of another origin that shows the studio in a frame."""
    frame = f'<body style="margin:0"><iframe src="{server}" style="width:1400px;height:880px;border:0"></iframe>'
    (tmp_path / "index.html").write_text(frame)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{pages.server_port}"
        pages.shutdown()


def test_the_editor_works_within_another_page(browser, host):
    context = browser.new_context(**DESK, locale="en-US")
    page = context.new_page()
    page.goto(host)
    frame = page.frame_locator("iframe")
    frame.locator("#examples .card").first.click()
    frame.locator('.stage[data-kind="photo"]').wait_for()
    frame.locator('#cards .card[data-id="drawn"]').click()
    frame.locator(".editor[data-painted]:visible").wait_for()
    dot = frame.locator('.editor .key[data-key="0"] .dot').bounding_box()  # of the outer page
    t = np.linspace(0, 1, 24)[1:]
    pull(page, (dot["x"] + 8, dot["y"] + 8), list(zip(60 * t, -40 * np.sin(2.6 * t), strict=True)))
    frame.locator('.editor[data-state="reviewed"]').wait_for()
    keys = frame.locator(".editor .key").count()
    assert keys > 2
    inner = page.frames[1]
    assert inner.evaluate(DRAFT)["keys"][-1]["time"] > 1
    frame.locator(".editor .player").click()
    inner.wait_for_function("document.querySelector('.editor .track').ariaValueNow > 0.2")
    frame.locator("#render").click()
    frame.locator('.stage[data-kind="clip"]').wait_for()
    context.close()


@pytest.mark.skipif(shutil.which("node") is None, reason="Gradio draws pages on the server with Node.js only")
def test_the_editor_works_when_the_server_draws_the_page(visit, pipe, tmp_path):
    with studio(pipe, tmp_path, ssr_mode=True) as url:
        page = visit(DESK, server=url)
        assert page.request.get(url).headers.get("x-sveltekit-page") == "true"  # Node.js made it
        draw_stroke(page)
        drawn = path_of(page)
        pull(page, camera_spot(page, 1), [(5, -3), (22, -12)])
        page.wait_for_function(f"{DRAFT}.keys[1].position[0] !== {drawn['keys'][1]['position'][0]}")
        reviewed(page)
        page.click("#render")
        page.wait_for_selector('.stage[data-kind="clip"]')
        page.context.close()

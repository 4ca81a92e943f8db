"""How quick the trajectory editor is: python benchmarks/editor.py [PHOTO] [--keys 50] [--drags 12]

Regime: `python app.py` with the embedded engine and headless Chromium on the same machine, which draws 3D in software.
page: from the first request to cards that can be clicked, the server already up. editor: from the click on "Draw your
own" to the place on the screen, the photo lifted before. round_trip: from letting go of a key of a path with --keys
keys until Python has read and checked the path and the page has drawn what it said; review: until the photo-backed
strip and the findings that need the memory are there. playing: pictures per second of the live preview. preview: from
the click on Preview to the server's own small film. Medians. Every figure is printed with its limit and the machine's
load before and after; the last line of stdout is the same as one JSON object. Needs playwright; CHROMIUM names the
browser.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# What docs/editor.md promises: (figure, limit, whether more is better)
LIMITS = (
    ("page_and_editor_seconds", 2.0, False),
    ("round_trip_ms", 100, False),
    ("playing_fps", 30, True),
    ("preview_seconds", 3.0, False),
)

# Times inside the page: from letting go of the mouse to the state of the editor, and one more frame to draw it
WATCH = """() => {
    const editor = document.querySelector('.editor');
    addEventListener('pointerup', () => { window.began = performance.now(); window.spans = {}; }, true);
    new MutationObserver(() => {
        const { state } = editor.dataset;
        requestAnimationFrame(() => { window.spans[state] ??= performance.now() - window.began; });
    }).observe(editor, { attributeFilter: ['data-state'] });
    window.pictures = 0;
    new MutationObserver(() => { window.pictures += 1; })
        .observe(editor.querySelector('.head'), { attributeFilter: ['style'] });
}"""

# Points of the place that the page was served
POINTS = """async () => {
    const [file] = performance.getEntriesByType('resource').map(({ name }) => name).filter((n) => n.endsWith('.place'));
    const [width, height] = new Uint32Array((await (await fetch(file)).arrayBuffer()).slice(4, 12));
    return width * height;
}"""


@contextmanager
def studio():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        settings = {"MIRAGE_PORT": str(port), "MIRAGE_DATA": folder}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **settings}, **quiet)
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5).read()
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def winding(keys: int) -> dict:
    """A calm path of so many keys."""
    from pipelines.cameras.keys import Key
    from pipelines.cameras.path import Path as CameraPath

    t = np.linspace(0, 1, keys)
    positions = np.stack([0.15 * np.sin(9 * t), -0.02 * np.sin(7 * t), 0.2 * t], axis=1)
    way = [Key(8 * float(s), tuple(p), (1, 0, 0, 0)) for s, p in zip(t, positions, strict=True)]
    return CameraPath(tuple(way)).to_dict()


def measure(page, url: str, photo: Path | None, keys: int, drags: int) -> dict:
    start = time.perf_counter()
    page.goto(url)
    page.wait_for_selector("#cards .card")
    page_seconds = time.perf_counter() - start
    page.wait_for_selector("#status .ready")
    if photo is None:
        page.click("#examples .card >> nth=0")
    else:
        page.set_input_files(".stage input[type=file]", photo)
    page.wait_for_selector('.stage[data-kind="photo"]')
    page.click('#cards .card[data-id="gentle-arc"]')
    page.wait_for_selector('.stage[data-kind="preview"]')
    page.wait_for_timeout(1000)

    start = time.perf_counter()
    page.click('#cards .card[data-id="drawn"]')
    page.wait_for_selector(".editor[data-painted]:visible")
    editor_seconds = time.perf_counter() - start
    points = page.evaluate(POINTS)

    page.click(".editor summary")
    page.click('.editor .menu button:has-text("Path as text")')
    page.fill(".editor textarea", json.dumps(winding(keys)))
    page.click('.editor button:has-text("Use this path")')
    page.wait_for_selector('.editor[data-state="reviewed"]')
    page.click('.editor button:has-text("Hide")')
    page.evaluate(WATCH)
    spans = []
    for number in range(drags):
        box = page.locator(f'.editor .key[data-key="{keys - 1 - number}"] .dot').bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 6, y + 4, steps=4)
        page.mouse.up()
        page.wait_for_function("window.spans.reviewed")
        spans.append(page.evaluate("window.spans"))

    page.focus(".editor .track")
    page.keyboard.press("Home")
    page.click(".editor .player")
    page.wait_for_timeout(500)
    before = page.evaluate("window.pictures")
    page.wait_for_timeout(3000)
    playing = (page.evaluate("window.pictures") - before) / 3
    page.click(".editor .player")

    start = time.perf_counter()
    page.click("#preview")
    page.wait_for_selector('.stage[data-kind="preview"]:not([data-drawing]) video')
    page.wait_for_function("document.querySelector('.stage video').readyState >= 2")
    return {
        "page_seconds": round(page_seconds, 2),
        "editor_seconds": round(editor_seconds, 2),
        "page_and_editor_seconds": round(page_seconds + editor_seconds, 2),
        "points": points,
        "round_trip_ms": round(statistics.median(span["checked"] for span in spans)),
        "round_trip_best_ms": round(min(span["checked"] for span in spans)),
        "review_ms": round(statistics.median(span["reviewed"] for span in spans)),
        "playing_fps": round(playing, 1),
        "preview_seconds": round(time.perf_counter() - start, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path, nargs="?")
    parser.add_argument("--keys", type=int, default=50)
    parser.add_argument("--drags", type=int, default=12)
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    load_before = os.getloadavg()[0]
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with studio() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-US")
        page.set_default_timeout(120_000)
        figures = measure(page, url, arguments.photo, arguments.keys, arguments.drags)
        browser.close()
    load = {"load_before": round(load_before, 2), "load_after": round(os.getloadavg()[0], 2)}
    for name, limit, is_more_better in LIMITS:
        is_kept = figures[name] >= limit if is_more_better else figures[name] <= limit
        sign = ">=" if is_more_better else "<="
        print(f"{name:<24} {figures[name]:>8g}  limit {sign} {limit:g}  {'kept' if is_kept else 'MISSED'}")
    print(
        f"{'load average':<24} {load['load_before']:>8g}  before, {load['load_after']:g} after, {os.cpu_count()} cores"
    )
    print(json.dumps({"keys": arguments.keys, **figures, **load, "cores": os.cpu_count()}))


if __name__ == "__main__":
    main()

"""How the page's files reach the browser: from memory, compressed, and named in the head of the page."""

import re
import time
import urllib.request

import brotli
import pytest
from helpers import BROWSER, served
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from studio.page import serving

WORDS = {"it": {7: {"value": "</script>è"}}}


@pytest.fixture
def client():
    routes = [
        Route("/", lambda request: HTMLResponse("<html><head></head><body>a page</body></html>")),
        Route("/{path:path}", lambda request: PlainTextResponse("from behind")),
    ]
    app = Starlette(
        routes=routes, middleware=[serving.Middleware(serving.FrontEnd, kinds={"html", "radio"}, words=WORDS)]
    )
    return TestClient(app)


def test_a_page_names_the_files_it_will_ask_for(client):
    page = client.get("/", headers={"accept-encoding": "identity"})
    named = re.findall(r"\./assets/([\w.-]+)", page.text)
    assert "<body>a page</body>" in page.text and int(page.headers["content-length"]) == len(page.content)
    assert len(named) > 30 and len(set(named)) == len(named)
    for name in named:
        file = serving.FRONT_END / "assets" / name
        found = client.get(f"/assets/{name}", headers={"accept-encoding": "br"})
        assert found.content == file.read_bytes() and "immutable" in found.headers["cache-control"]
        assert found.headers["content-encoding"] == "br"


def test_a_page_speaks_the_language_of_the_browser(client):
    italian = client.get("/", headers={"accept-language": "it-IT,en;q=0.5"})
    assert "lang = 'it'" in italian.text and r'{"7": {"value": "\u003c/script>\u00e8"}}' in italian.text
    assert "lang = " not in client.get("/", headers={"accept-language": "de,en"}).text
    assert "Accept-Language" in italian.headers["vary"]


@pytest.mark.parametrize("path", ["/assets/../index.html", "/assets/%2e%2e/index.html", "/assets/none.js", "/assets/"])
def test_only_files_of_the_front_end_are_served(client, path):
    assert client.get(path).text in ("from behind", "<html><head></head><body>a page</body></html>")


class TestInTheBrowser:
    pytestmark = BROWSER

    def test_the_page_asks_for_what_its_head_names_and_its_end_leaves_nothing(self, browser, tmp_path):
        with served(tmp_path) as url:
            head = urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": "br"})).read()
            named = set(re.findall(rb"\./assets/([\w.-]+)", brotli.decompress(head)))
            page = browser.new_page()
            page.goto(url)
            page.wait_for_selector("#cards .card")
            page.click("#examples .card")
            page.wait_for_selector('.stage[data-kind="photo"]')
            visits = tmp_path / "data" / "studio"
            assert len(list(visits.iterdir())) == 1
            for index in range(3):  # faster than they are read
                Image.new("RGB", (90, 90 + index), "red").save(tmp_path / f"{index}.png")
                with page.expect_response("**/upload*"):
                    page.set_input_files(".stage input[type=file]", tmp_path / f"{index}.png")
            deadline = time.monotonic() + 20
            while any(path.is_file() for path in visits.parent.rglob("photo-*")):
                assert time.monotonic() < deadline, "an upload stays"
                time.sleep(0.1)
            page.wait_for_function(
                "document.querySelector('.stage .trouble').textContent.startsWith('The photo shows')"
            )
            unclaimed = page.request.post(f"{url}/gradio_api/upload", multipart={"files": tmp_path / "0.png"})
            assert unclaimed.ok and any(visits.parent.rglob("0.png"))
            asked = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
            page.close()
        left = [path for path in visits.parent.rglob("*") if path.is_file()]
        assert not list(visits.iterdir()) and not left  # being told to end, the server takes everybody's files along
        asked = {name.rsplit("/", 1)[1].encode() for name in asked if "/assets/" in name}
        assert asked <= named and len(asked) > 40

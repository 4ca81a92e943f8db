"""The page with a large model behind it, fetched from a small Hub of our own: fault, progress, prompt, licences."""

import pytest
from fake_hub import REPO, FakeHub
from helpers import BROWSER, served

pytestmark = BROWSER
EXTRA = {"extra/first.safetensors": bytes(24_000_000), "extra/second.safetensors": bytes(12_000_000)}  # to be fetched


@pytest.fixture
def hub(converted):
    files = {str(file.relative_to(converted)): file.read_bytes() for file in converted.rglob("*") if file.is_file()}
    hub = FakeHub(files | EXTRA)
    yield hub
    hub.shutdown()
    hub.server_close()


def test_a_model_is_fetched_behind_the_page(browser, hub, tmp_path):
    hub.status, hub.held = 403, "extra/second.safetensors"
    settings = {"MIRAGE_MODEL": REPO, "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_HOME": str(tmp_path)}
    settings |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DOWNLOAD_TIMEOUT": "100", "OMP_NUM_THREADS": "1"}
    with served(tmp_path, **settings) as url:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="it-IT")
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(url)
        note = page.locator("#model-note")

        page.wait_for_selector("#model-note .failed")
        assert "team/tiny chiede di accettare le sue condizioni" in note.inner_text()
        assert "avvisa chi gestisce lo studio" in note.inner_text()
        assert page.inner_text("#retry") == "Riprova" and "Nessun modello" in page.inner_text("#status")
        assert page.is_hidden("#prompt")

        hub.status = 200
        page.click("#retry")
        page.wait_for_selector("#model-note .bar")
        page.wait_for_function("/2[45] MB di 3[67] MB/.test(document.querySelector('#model-note').innerText)")
        assert 60 < float(page.get_attribute("#model-note .bar i", "style").split(":")[1].strip(" %;")) < 70
        assert page.is_hidden("#retry") and "puoi scegliere foto e movimento" in note.inner_text()

        page.click("#examples .card")  # the page is of use meanwhile
        page.wait_for_selector('.stage[data-kind="photo"]')
        hub.go.set()
        page.wait_for_selector("#status .ready")
        assert page.is_hidden("#model-row") and page.is_visible("#prompt") and page.is_hidden("#no-prompt")
        assert page.locator("#quality label").count() == 2  # no Full HD
        page.click('#quality label:has-text("Standard")')
        page.wait_for_function("document.querySelector('#estimate').innerText.includes('1248 × 704 · 96')")

        page.click("#about summary")
        page.wait_for_selector("#about .licences h3 >> nth=3")
        told = page.inner_text("#about")
        assert (
            "sul processore" in told and "vace.safetensors" in told and "non noto: chiedi prima di pubblicare" in told
        )
        context.close()

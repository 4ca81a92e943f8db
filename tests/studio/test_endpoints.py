"""Who calls the hidden endpoints over HTTP, without a page, gets what the page's own clicks get."""

import json
import time
import urllib.request
from dataclasses import fields

import numpy as np
import pytest
from fake_pipeline import FakePipeline

import app
from pipelines.photo import outlook
from studio.order import Inputs
from studio.settings import Opened
from studio.workbench import Workbench


class Caller:
    """A program that sends what a page would send."""

    def __init__(self, demo):
        self.url, self.session = f"http://127.0.0.1:{demo.server_port}/gradio_api", "caller"
        self.config = demo.config
        self.ids = {part["props"].get("elem_id"): part["id"] for part in self.config["components"]}

    def post(self, path: str, content: dict):
        data = json.dumps(content).encode()
        request = urllib.request.Request(f"{self.url}/{path}", data, {"Content-Type": "application/json"})
        return json.loads(urllib.request.urlopen(request, timeout=30).read())

    def call(self, widget: str, event: str, inputs: Inputs, data: dict | None = None) -> list:
        """The event of a widget with these inputs, and those that follow it at once; the last answer."""
        found = [
            dependency["id"]
            for dependency in self.config["dependencies"]
            if [self.ids[widget], event] in map(list, dependency["targets"]) and dependency["backend_fn"]
        ]
        values = [getattr(inputs, field.name) for field in fields(Inputs)]
        for number in found:
            self.post("queue/join", {"data": [None, "en", *values], "fn_index": number, "session_hash": self.session,
                                     "event_data": data})  # fmt: skip
            answer = self.listen()
        return answer

    def listen(self) -> dict:
        with urllib.request.urlopen(f"{self.url}/queue/data?session_hash={self.session}", timeout=60) as stream:
            for line in stream:
                message = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if message.get("msg") == "process_completed":
                    assert message["success"], message
                    return message["output"]
        raise AssertionError("the stream ended without an answer")


@pytest.fixture(scope="module")
def pipe():
    return FakePipeline()


@pytest.fixture(scope="module")
def caller(tmp_path_factory, pipe):
    folder = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        workbench = Workbench(load=lambda: Opened(pipe))
        workbench.warm_up()
        assert workbench.model.wait(60)
        demo = app.launch(workbench, "127.0.0.1", None)
        yield Caller(demo)
        demo.close(verbose=False)


def test_render_without_a_preview_makes_what_the_preview_shows(caller, pipe, monkeypatch, tmp_path):
    """A slide at 100 % would see beyond the photo: whoever does not say what strength and zoom were found for it gets
    the move as the page would have settled it."""
    previewed, draw = [], outlook.preview
    monkeypatch.setattr(outlook, "preview", lambda *args, **kw: previewed.append(args[2]) or draw(*args, **kw))
    caller.call("examples", "picked", Inputs(), {"id": first_example()})
    asked = Inputs(preset="side-slide", seconds=3)
    caller.call("render", "click", asked)
    previewed_before_render = len(previewed)
    end = time.monotonic() + 60
    while not previewed and time.monotonic() < end:  # it is refused while the clip is in the making
        caller.call("preview", "click", asked)
    rendered = pipe.calls[-1]["trajectory"]
    assert len(rendered) == 96 and previewed_before_render == 0  # the preset's own four seconds, and nobody had looked
    assert np.array_equal(previewed[-1].c2w, rendered.c2w)


def first_example() -> str:
    from studio.pictures import examples

    return next(iter(examples()))


@pytest.mark.parametrize(
    "wrong",
    [{"preset": "../../etc/passwd"}, {"seconds": 1e9}, {"fps": 16}, {"path": "{", "preset": "drawn"}, {"seed": -1}],
)
def test_what_no_page_sends_is_refused_in_words(caller, pipe, wrong):
    before = len(pipe.calls)
    inputs = Inputs(**{"preset": "push-in", **wrong})
    answer = json.dumps(caller.call("preview", "click", inputs))
    assert "error" in answer and "/etc/passwd" not in answer.replace("../../etc/passwd", "")
    assert len(pipe.calls) == before

"""A path of one's own, without a browser: it renders as it is drawn, and what is wrong with it has words."""

import json
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_pipeline import Post
from visit import WAY, drawn, last, path_of, settled

from pipelines import limits
from pipelines.cameras.fitting import fit_error
from pipelines.cameras.path import Path as CameraPath
from pipelines.media.clips import read_recipe
from pipelines.photo.outlook import coverage
from studio.handlers import clip, path, preview
from studio.handlers.photo import lift
from studio.order import Order


def test_a_drawn_path_is_previewed_and_rendered_as_it_is(session, workbench, pipe):
    assert last(preview.preview(workbench, session, "en", drawn(WAY)))["stage"]["kind"] == "preview"
    last(clip.render(workbench, session, "en", drawn(json.dumps(WAY))))  # as the editor sends it
    rendered = pipe.calls[0]["trajectory"]
    assert rendered == CameraPath.from_dict(WAY).trajectory(rendered.height, rendered.width)
    recipe = read_recipe(session.clip.video)["studio"]
    assert recipe["preset"] == "drawn" and CameraPath.from_dict(recipe["path"]).to_dict() == WAY
    assert clip.same_again(workbench, session, "en", settled())["path"] == WAY


def test_on_another_crop_the_path_keeps_its_zoom(session, workbench, pipe):
    zoomed = CameraPath.from_dict(WAY)
    zoomed = replace(zoomed, keys=(*zoomed.keys[:2], replace(zoomed.keys[2], fov=30.0))).to_dict()
    last(clip.render(workbench, session, "en", drawn(zoomed, ratio="9:16")))
    K = pipe.calls[0]["trajectory"].K
    np.testing.assert_allclose(K[0], pipe.lift(session.photo, 512, 288).camera.K)
    assert K[-1, 0, 0] / K[0, 0, 0] == pytest.approx(np.tan(np.radians(30)) / np.tan(np.radians(15)))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, "Draw the camera's way first"),
        (["drawn"], "must be a JSON object"),
        ("drawn", "This text is not a path"),
        ({"version": 1, "keys": [WAY["keys"][0]]}, "1 keys, must be 2..200"),
        ({"version": 1, "keys": [*WAY["keys"], WAY["keys"][1]]}, "must be later than"),
        ({**WAY, "keys": [{**WAY["keys"][0], "fov": float("nan")}, *WAY["keys"][1:]]}, "fov=nan"),
        ({**WAY, "keys": WAY["keys"] * 4000}, "12000 keys"),
        ({**WAY, "__proto__": "<img src=x>"}, "unknown fields __proto__"),
        (path_of((0, 0, 0.5), (0, 0, 1)), "does not begin at the photo's camera"),
        ({**WAY, "target": [1, 0, 1]}, "does not begin at the photo's camera"),
    ],
)
def test_a_path_that_cannot_be_used_gets_a_sentence(session, workbench, data, sentence):
    for handler in (preview.preview, clip.render):
        answer = last(handler(workbench, session, "en", drawn(data)))
        assert sentence in answer["stage"]["error"] and answer["render"]["visible"]
    assert "estimate" in path.edited(workbench, session, "it", drawn(data))


def test_the_editor_opens_on_the_lifted_photo_and_hears_what_to_mend(session, workbench):
    answer = last(preview.look(workbench, session, "en", drawn(path_of((0, 0, 0), (0.6, 0, 0), seconds=1))))
    place, review = answer["path"]["place"], answer["path"]["review"]
    assert answer["stage"]["drawing"] and place["distance"] == 2.0 and place["fov"] == pytest.approx(60)
    assert len(review["coverage"]) == 24 and review["coverage"][0] > 0.99
    assert {"slow_down", "keep_honest"} <= {finding.get("repair") for finding in review["findings"]}

    file = Path(place["file"]).read_bytes()
    magic, width, height = struct.unpack("<4sII", file[:12])
    assert (magic, width, height) == (b"MPL1", place["width"], place["height"])
    depth = np.frombuffer(file, "<f4", width * height, 32)
    assert (depth == 2).all() and len(file) == 32 + 7 * width * height

    again = last(preview.look(workbench, session, "en", drawn(None, ratio="1:1")))["path"]["place"]
    assert again["width"] == again["height"] and not Path(place["file"]).exists()


@pytest.mark.parametrize("repair", ["slow_down", "keep_honest", "shorten", "nonsense"])
def test_a_repair_gives_a_better_path(session, workbench, repair):
    bad = drawn(path_of((0, 0, 0), (0.6, 0, 0), seconds=1))
    answer = last(path.repair_path(workbench, session, "en", bad, {"repair": repair}))
    if repair == "nonsense":
        assert answer["stage"]["error"].startswith("repair is 'nonsense'")
        return
    mended = CameraPath.from_dict(answer["path"]["value"])
    assert mended.duration > 1 if repair == "slow_down" else mended.positions[-1, 0] <= 0.6
    if repair == "keep_honest":
        lifted = lift(workbench, session, Order.read(bad))
        assert coverage(lifted.memory, mended.trajectory(144, 256)).min() >= limits.BACKED - 0.01


def test_a_path_that_tears_what_stands_in_front_says_so_and_is_mended(session, workbench, pipe):
    pipe.engine.depth_estimator = Post()
    inputs = drawn(path_of((0, 0, 0), (0.2, 0, 0)), zoom=120)
    (found,) = last(preview.look(workbench, session, "it", inputs))["path"]["review"]["findings"]
    assert (found["kind"], found["repair"], found["label"]) == ("torn", "keep_honest", "Resta fedele")
    ((begin, end),) = found["spans"]
    assert 0 < begin < end <= 4
    assert f"Da {begin:.1f} a {end:.1f} s ciò che è davanti".replace(".", ",") in found["words"]
    mended = last(path.repair_path(workbench, session, "it", inputs, {"repair": found["repair"]}))["path"]["value"]
    assert 0.02 < mended["keys"][-1]["position"][0] < 0.2
    review = last(path.check_path(workbench, session, "it", replace(inputs, path=mended)))["path"]["review"]
    (good,) = review["findings"]
    assert re.search("Nulla da correggere .* almeno il (9[0-9]|100) %", good["words"])


def test_a_move_of_the_gallery_opens_as_keys(session, workbench):
    inputs = settled("gentle-arc")
    answer = last(path.edit_path(workbench, session, "en", inputs))
    opened = CameraPath.from_dict(answer["path"]["value"])
    camera = lift(workbench, session, Order.read(inputs)).camera
    assert max(fit_error(opened, Order.read(inputs).trajectory(camera, 2.0))[:2]) < 0.3
    assert answer["preset"] == "drawn" and not answer["seconds"]["visible"] and answer["stage"]["drawing"]


def test_a_pasted_path_is_read_or_refused(session, workbench):
    def paste(language, text):
        return path.pasted(workbench, session, language, settled(), {"text": text})["path"]

    assert paste("en", json.dumps(WAY))["value"] == WAY
    for text in ("", "{", "[" * 100_000, '{"version": 2}', 7, "x" * 300_000):
        assert "non" in paste("it", text)["review"]["notice"].lower()
    assert "review" in path.pasted(workbench, session, "en", settled(), None)["path"]  # no event of this page


@pytest.mark.parametrize("event", [None, {}, {"paths": "/etc/passwd"}, {"paths": ["/etc/passwd"]}, {"paths": []}])
def test_only_uploads_are_read_as_cameras(session, workbench, event):
    answer = last(path.take_cameras(workbench, session, "en", drawn(WAY), event))
    assert "not uploaded here" in answer["stage"]["error"]

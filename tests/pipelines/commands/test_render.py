"""`render` on the command line: what it writes and prints, and that it leaves nothing behind when it fails."""

import json
import os

import numpy as np
import pytest
from ffprobe import check_platforms_take
from PIL import Image
from products import product_photo

from pipelines import __main__ as cli
from pipelines.cameras import Path, Trajectory
from pipelines.commands import render as render_command
from pipelines.media.clips import read_recipe
from pipelines.media.photos import open_photo
from pipelines.photo.lifted import photo_sha256


def test_render_writes_clip_report_and_recipe(folder, render, capsys):
    assert render(folder, "--report", str(folder / "report.json"), "--seed", "4") == 0
    report = json.loads((folder / "report.json").read_text())
    expected = "frames fps width height model seed seconds chunks coverage loop memory drift unplaced"
    assert set(report) == set(expected.split())
    parts = "load encode depth memory_write memory_readout denoise decode total"
    assert set(report["seconds"]) == set(parts.split()) and report["seconds"]["total"] > 0
    assert (report["frames"], report["width"], report["height"], report["seed"]) == (9, 128, 72, 4)
    assert len(report["coverage"]) == 9 and report["loop"]["closed"] and report["memory"]["points"] >= 72 * 128
    assert json.loads(capsys.readouterr().out) == report
    check_platforms_take(folder / "clip.mp4", 9 / 24, 24, 72, 128)
    recipe = read_recipe(folder / "clip.mp4")
    assert recipe["seed"] == 4 and recipe["photo_sha256"] == photo_sha256(open_photo(folder / "photo.png"))
    assert cli.main(["info", str(folder / "clip.mp4")]) == 0


def test_a_move_that_sees_more_than_the_photo_gets_room_unless_told_otherwise(folder, render, capsys):
    found = {}
    for asked in ([], ["--zoom", "1"], ["--zoom", "1.4"]):
        assert render(folder, "--move", "pull-back", *asked) == 0
        coverage = json.loads(capsys.readouterr().out)["coverage"]
        recipe = read_recipe(folder / "clip.mp4")
        found[recipe["zoom"]] = min(coverage)
        first = Trajectory.from_dict(recipe["trajectory"])[0]
        assert first.K[0, 0] == pytest.approx(recipe["zoom"] * 64 / np.tan(np.pi / 6))
    assert set(found) == {1.0, 1.2, 1.4} and found[1.2] > 0.94 > found[1.0]


def test_a_shot_knows_how_close_its_photo_was_lifted(folder, render, monkeypatch):
    shots, make = [], render_command.render
    monkeypatch.setattr(render_command, "render", lambda *args: shots.append(args[-1]) or make(*args))
    assert render(folder, "--move", "pull-back") == 0
    assert shots[0].zoom == shots[0].source.zoom == 1.2


def test_depth_is_measured_once_though_the_frame_comes_closer(folder, render, pipe, monkeypatch):
    measured, estimator = [], pipe.engine.depth_estimator
    monkeypatch.setattr(pipe.engine, "depth_estimator", lambda *args: measured.append(args) or estimator(*args))
    assert render(folder, "--move", "pull-back") == 0
    assert read_recipe(folder / "clip.mp4")["zoom"] == 1.2 and len(measured) == 1


@pytest.mark.parametrize(("strength", "is_torn"), [("1", True), ("0.1", False)])
def test_a_move_that_tears_what_stands_in_front_gets_a_note(folder, render, capsys, strength, is_torn):
    depth = np.full((144, 256), 4000, np.uint16)
    depth[72:, 112:144] = 2000
    Image.fromarray(depth).save(folder / "depth.png")
    asked = ("--move", "side-slide", "--depth", str(folder / "depth.png"), "--set", f"strength={strength}")
    assert render(folder, *asked) == 0
    assert ("edges of what stands in front may look torn" in capsys.readouterr().err) == is_torn


def test_a_scene_can_be_gone_on_in(folder, render, capsys):
    scene = folder / "scene"
    slide = ["--move", "side-slide", "--set", "strength=0.5"]
    assert render(folder, "--scene", str(scene), *slide) == 0
    capsys.readouterr()
    assert cli.main(["info", str(scene)]) == 0
    first = json.loads(capsys.readouterr().out)
    again = ["render", "--scene", str(scene), "--size", "72x128", "--frames", "9", "--out", str(folder / "b.mp4")]
    assert cli.main([*again, *slide]) == 0
    assert cli.main(["info", str(scene)]) == 0
    second = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert first["points"] <= second["points"] <= first["points"] * 1.02
    seen = first["views"][0]
    assert (seen["kind"], seen["height"], seen["width"]) == ("seen", 72, 128) and first["bounds"]["min"][2] > 0
    assert sum(view["points"] for view in first["views"]) == first["points"] >= seen["points"] > 72 * 128 * 0.9


def test_a_trajectory_file_is_followed_and_another_shape_refused(folder, render, capsys):
    from pipelines import Camera, move

    path = move("push-in", Camera.from_fov(60, 144, 256), distance=1.0, frames=5)
    path.save(folder / "path.json")
    assert render(folder, "--trajectory", str(folder / "path.json")) == 0
    followed = read_recipe(folder / "clip.mp4")["trajectory"]
    assert np.allclose(followed["c2w"], path.c2w) and len(followed["c2w"]) == 5
    assert render(folder, "--trajectory", str(folder / "path.json"), "--size", "72x72") == 2
    assert "another shape" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["path", "re10k", "colmap", "nerfstudio", "blender", "spatia"])
def test_a_trajectory_of_any_format_is_followed(folder, render, name):
    from pipelines import Camera, move
    from pipelines.cameras.formats import write_cameras

    clip = move("push-in", Camera.from_fov(60, 72, 128), distance=1.0, frames=8)
    file = folder / "drawn"
    if name == "path":
        Path.from_trajectory(clip).save(file := folder / "drawn.json")
    else:
        write_cameras(clip, name, file)
        files = list(file.iterdir())
        file = files[0] if len(files) == 1 else file
    assert render(folder, "--trajectory", str(file)) == 0
    followed = Trajectory.from_dict(read_recipe(folder / "clip.mp4")["trajectory"])
    np.testing.assert_allclose(followed.c2w, clip.c2w, atol=2e-3 if name == "path" else 1e-5)
    np.testing.assert_allclose(followed.K, clip.K, atol=1e-3)


BAD = [
    (["--frames", "0"], "frames=0 must be a whole number within 2..2000"),
    (["--frames", "10000"], "frames=10000"),
    (["--seconds", "-4"], "--seconds -4 must be positive"),
    (["--seconds", "100"], "frames=2400"),
    (["--trajectory", "missing.json", "--seconds", "4"], "Leave them out"),
    (["--size", "71x128"], "height=71 must be a multiple of 2"),
    (["--size", "8x8"], "height=8 must be 64..1920"),
    (["--move", "teleport"], "teleport"),
    (["--prompt", "a red sofa"], "no text input"),
    (["--set", "strength=9"], "strength"),
    (["--set", "strength"], "NAME=VALUE"),
    (["--set", "strength=1", "--trajectory", "missing.json"], "--set is for moves"),
    (["--seed", "-3"], "seed=-3"),
    (["--zoom", "3"], "zoom=3.0 must be 0.5 to 1.5; 1 is the whole photo. Use 1."),
    (["--quality", "best"], "quality='best'"),
    (["--depth", "missing.png"], "missing.png"),
    (["--trajectory", "missing.json"], "missing.json"),
    (["--out", "no/such/folder/clip.mp4"], "does not exist"),
    (["--out", os.devnull], f"{os.devnull} is there already and is no file"),
    (["--report", os.curdir], ". is there already and is no file"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_requests_end_with_one_sentence_and_leave_nothing(folder, render, capsys, arguments, message):
    assert render(folder, *arguments) == 2
    err = capsys.readouterr().err
    assert message in err and len(err.strip().splitlines()) == 1
    assert [file.name for file in folder.iterdir()] == ["photo.png"]


def test_depth_without_a_photo_is_refused(folder, render, capsys):
    assert render(folder, "--scene", str(folder / "scene")) == 0
    command = ["render", "--scene", str(folder / "scene"), "--out", str(folder / "b.mp4"), "--depth", "depth.png"]
    assert cli.main(command) == 2
    assert capsys.readouterr().err.endswith(
        "error: --depth is of a photo, and there is none. Give the photo, or leave it out.\n"
    )
    assert not (folder / "b.mp4").exists()


def test_a_full_disk_leaves_no_half_written_clip(folder, render, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.files.os.replace", full)
    assert render(folder) == 2
    assert "No space left" in capsys.readouterr().err
    assert [file.name for file in folder.iterdir()] == ["photo.png"]


def test_a_full_disk_leaves_no_half_written_scene(folder, render, capsys, monkeypatch):
    def full(path, data):
        with path.open("wb") as file:
            file.write(data[:99])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert render(folder, "--scene", str(folder / "scene")) == 2
    assert "memory.safetensors could not be written (No space left" in capsys.readouterr().err
    assert not (folder / "scene").exists()


def test_what_is_not_a_photo_is_refused(folder, render, capsys):
    (folder / "photo.png").write_bytes(b"not an image at all")
    assert render(folder) == 2
    assert "not an image" in capsys.readouterr().err


@pytest.mark.parametrize(("slope", "said"), [(0, "note: zoom=0.7: the frame"), (0.15, "note: this format cuts")])
def test_a_format_that_would_cut_a_product_is_told(folder, render, capsys, slope, said):
    picture, _ = product_photo(height=200, width=320, slope=slope, shadow=0)
    picture[90:106, 40:280] = (90, 60, 40)
    Image.fromarray(picture).save(folder / "photo.png")
    assert render(folder, "--move", "gentle-arc", "--size", "128x128") == 0
    assert said in capsys.readouterr().err
    assert (read_recipe(folder / "clip.mp4")["zoom"] < 1) == (slope == 0)

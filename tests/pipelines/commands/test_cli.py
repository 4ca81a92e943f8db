"""The command line: what it writes, what it prints, and that it leaves nothing behind when it fails."""

import json
import os

import av
import numpy as np
import pytest
from helpers import photo
from PIL import Image

from pipelines import __main__ as cli
from pipelines.cameras import Path, Trajectory
from pipelines.media.clips import read_recipe
from pipelines.media.photos import open_photo
from pipelines.photo.lifted import photo_sha256


@pytest.fixture
def folder(tmp_path, pipe, monkeypatch):
    monkeypatch.setattr(cli, "load_pipeline", lambda model, *_, **__: pipe)
    Image.fromarray(photo(144, 256)).save(tmp_path / "photo.png")
    return tmp_path


def render(folder, *arguments):
    command = ["render", str(folder / "photo.png"), "--size", "72x128", "--frames", "9"]
    return cli.main([*command, "--out", str(folder / "clip.mp4"), *arguments])


def test_render_writes_clip_report_and_recipe(folder, capsys):
    assert render(folder, "--report", str(folder / "report.json"), "--seed", "4") == 0
    report = json.loads((folder / "report.json").read_text())
    expected = "frames fps width height model seed seconds chunks coverage loop memory drift"
    assert set(report) == set(expected.split())
    parts = "load encode depth memory_write memory_readout denoise decode total"
    assert set(report["seconds"]) == set(parts.split()) and report["seconds"]["total"] > 0
    assert (report["frames"], report["width"], report["height"], report["seed"]) == (9, 128, 72, 4)
    assert len(report["coverage"]) == 9 and report["loop"]["closed"] and report["memory"]["points"] >= 72 * 128
    assert json.loads(capsys.readouterr().out) == report
    with av.open(str(folder / "clip.mp4")) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == 9
    recipe = read_recipe(folder / "clip.mp4")
    assert recipe["seed"] == 4 and recipe["photo_sha256"] == photo_sha256(open_photo(folder / "photo.png"))
    assert cli.main(["info", str(folder / "clip.mp4")]) == 0


def test_a_move_that_sees_more_than_the_photo_gets_room_unless_told_otherwise(folder, capsys):
    found = {}
    for asked in ([], ["--zoom", "1"], ["--zoom", "1.4"]):
        assert render(folder, "--move", "pull-back", *asked) == 0
        coverage = json.loads(capsys.readouterr().out)["coverage"]
        recipe = read_recipe(folder / "clip.mp4")
        found[recipe["zoom"]] = min(coverage)
        first = Trajectory.from_dict(recipe["trajectory"])[0]
        assert first.K[0, 0] == pytest.approx(recipe["zoom"] * 64 / np.tan(np.pi / 6))
    assert set(found) == {1.0, 1.2, 1.4} and found[1.2] > 0.94 > found[1.0]


def test_a_scene_can_be_gone_on_in(folder, capsys):
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


def test_a_scene_leaves_as_map_points_and_cameras(folder, capsys):
    from pipelines.cameras.formats import from_nerfstudio

    scene, view = folder / "scene", folder / "map.png"
    assert render(folder, "--scene", str(scene)) == 0
    outputs = ["--top-view", str(view), "--ply", str(folder / "a.ply"), "--cameras", str(folder / "cameras")]
    capsys.readouterr()
    assert cli.main(["info", str(scene), "--clip", str(folder / "clip.mp4"), *outputs]) == 0
    report = json.loads(capsys.readouterr().out)
    with Image.open(view) as picture:
        assert picture.format == "PNG" and picture.width == 1200
        assert len(picture.getcolors(2**24)) > 1000  # the colours of the photo, not a bare diagram
    header, points = (folder / "a.ply").read_bytes().split(b"end_header\n")
    assert b"uchar red" in header and len(points) == 15 * report["points"]
    cameras = from_nerfstudio(json.loads((folder / "cameras" / "transforms.json").read_text()))
    assert len(cameras) == len(report["views"]) and np.allclose(cameras.c2w[0], np.eye(4))
    assert (folder / "cameras" / "sparse" / "0" / "images.txt").is_file()
    way = ["info", str(scene), "--clip", str(folder / "cameras"), "--top-view", str(folder / "c.png")]
    assert cli.main(way) == 0 and (folder / "c.png").is_file()  # cameras of every format show the way
    memory_alone = ["info", str(scene / "memory.safetensors"), "--top-view", str(folder / "b.png")]
    assert cli.main(memory_alone) == 0 and (folder / "b.png").is_file()


BAD_INFO = [
    ("nowhere", [], "nowhere does not exist"),
    ("photo.png", [], "photo.png is none of these: a scene folder"),
    ("scene", ["--top-view", "no/such/map.png"], "no/such does not exist"),
    ("scene", ["--top-view", "map.jpg"], "map.jpg must end in .png"),
    ("scene", ["--top-view", "scene"], "scene is there already and is no file"),
    ("scene", ["--cameras", "photo.png"], "photo.png is there already and is no folder"),
    ("scene", ["--cameras", "no/such/folder"], "no/such does not exist"),
    ("scene", ["--clip", "gone.mp4"], "gone.mp4 does not exist"),
    ("scene", ["--clip", "gone.json"], "gone.json does not exist. Give a file"),
    ("scene", ["--clip", "scene/scene.json"], "scene.json has neither c2w"),
    ("clip.mp4", ["--ply", "a.ply"], "is a clip and holds no points"),
    ("empty.safetensors", ["--top-view", "map.png"], "The memory is empty"),
    ("empty.safetensors", ["--cameras", "cameras"], "remembers nothing yet"),
]


def test_bad_questions_get_one_sentence(folder, capsys, monkeypatch):
    from pipelines import LatentMemory

    assert render(folder, "--scene", str(folder / "scene")) == 0
    LatentMemory(8, interpolates=True).save(folder / "empty.safetensors")
    monkeypatch.chdir(folder)
    there = sorted(folder.rglob("*"))
    for path, arguments, message in BAD_INFO:
        capsys.readouterr()
        assert cli.main(["info", path, *arguments]) == 2
        err = capsys.readouterr().err
        assert message in err and len(err.strip().splitlines()) == 1
        assert sorted(folder.rglob("*")) == there


def test_a_scene_of_another_model_is_drawn_by_height(folder, capsys, monkeypatch):
    from pipelines.memory import LatentMemory

    assert render(folder, "--scene", str(folder / "scene")) == 0
    memory = LatentMemory.load(folder / "scene" / "memory.safetensors")
    memory.codec = "somebody"
    memory.save(folder / "other.safetensors")
    capsys.readouterr()
    outputs = ["--top-view", str(folder / "map.png"), "--ply", str(folder / "a.ply")]
    assert cli.main(["info", str(folder / "other.safetensors"), *outputs]) == 0
    assert "no colours" in capsys.readouterr().err
    assert (folder / "map.png").is_file() and b"uchar red" not in (folder / "a.ply").read_bytes()[:400]


def test_a_trajectory_file_is_followed_and_another_shape_refused(folder, capsys):
    from pipelines import Camera, move

    path = move("push-in", Camera.from_fov(60, 144, 256), distance=1.0, frames=5)
    path.save(folder / "path.json")
    assert render(folder, "--trajectory", str(folder / "path.json")) == 0
    followed = read_recipe(folder / "clip.mp4")["trajectory"]
    assert np.allclose(followed["c2w"], path.c2w) and len(followed["c2w"]) == 5
    assert render(folder, "--trajectory", str(folder / "path.json"), "--size", "72x72") == 2
    assert "another shape" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["path", "re10k", "colmap", "nerfstudio", "blender", "spatia"])
def test_a_trajectory_of_any_format_is_followed(folder, name):
    from pipelines import Camera, move
    from pipelines.cameras.formats import write_cameras

    clip = move("push-in", Camera.from_fov(60, 72, 128), distance=1.0, frames=5)
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
    (["--frames", "0"], "frames=0 must be 4n + 1"),
    (["--frames", "2"], "frames=2"),
    (["--frames", "34"], "Use 33 or 37"),
    (["--frames", "10000"], "frames=10000"),
    (["--size", "71x128"], "height=71 must be a multiple of 2"),
    (["--size", "8x8"], "height=8 must be 64..1920"),
    (["--move", "teleport"], "teleport"),
    (["--prompt", "a red sofa"], "no text input"),
    (["--set", "strength=9"], "strength"),
    (["--set", "strength"], "NAME=VALUE"),
    (["--seed", "-3"], "seed=-3"),
    (["--zoom", "3"], "zoom=3.0 must be 1 (the whole photo) to 1.5. Use 1."),
    (["--quality", "best"], "quality='best'"),
    (["--depth", "missing.png"], "missing.png"),
    (["--trajectory", "missing.json"], "missing.json"),
    (["--out", "no/such/folder/clip.mp4"], "does not exist"),
    (["--out", os.devnull], f"{os.devnull} is there already and is no file"),
    (["--report", os.curdir], ". is there already and is no file"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_requests_end_with_one_sentence_and_leave_nothing(folder, capsys, arguments, message):
    assert render(folder, *arguments) == 2
    err = capsys.readouterr().err
    assert message in err and len(err.strip().splitlines()) == 1
    assert [file.name for file in folder.iterdir()] == ["photo.png"]


def test_a_full_disk_leaves_no_half_written_clip(folder, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.files.os.replace", full)
    assert render(folder) == 2
    assert "No space left" in capsys.readouterr().err
    assert [file.name for file in folder.iterdir()] == ["photo.png"]


def test_a_full_disk_leaves_no_half_written_scene(folder, capsys, monkeypatch):
    def full(path, data):
        with path.open("wb") as file:
            file.write(data[:99])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert render(folder, "--scene", str(folder / "scene")) == 2
    assert "memory.safetensors could not be written (No space left" in capsys.readouterr().err
    assert not (folder / "scene").exists()


def test_what_is_not_a_photo_is_refused(folder, capsys):
    (folder / "photo.png").write_bytes(b"not an image at all")
    assert render(folder) == 2
    assert "not an image" in capsys.readouterr().err


# -- path -------------------------------------------------------------------------------------------------------------

EDITED = {
    "version": 1,
    "keys": [
        {"time": 0, "position": [0, 0, 0], "orientation": [1, 0, 0, 0], "fov": 60},
        {"time": 2, "position": [1, 0, 1], "orientation": [1, 0, 0.3, 0], "fov": 60},
    ],
}


@pytest.mark.parametrize("to", ["json", "re10k", "colmap", "nerfstudio", "blender", "spatia"])
def test_a_path_goes_through_every_format(tmp_path, capsys, to):
    (tmp_path / "edited.json").write_text(json.dumps(EDITED))
    out, back = tmp_path / "out", tmp_path / "back.json"
    command = ["path", str(tmp_path / "edited.json"), "--to", to, "--out", str(out), "--size", "90x160", "--fps", "8"]
    assert cli.main(command) == 0
    report = json.loads(capsys.readouterr().out)
    assert "editable path, c2w in OpenCV axes" in report["convention"] and report["warnings"] == []
    assert (report["cameras"], report["height"], report["width"], report["fps"]) == (17, 90, 160, 8)
    source = report["written"][0] if len(report["written"]) == 1 else str(out)
    again = ["path", source, "--to", "json", "--out", str(back), "--size", "90x160", "--fps", "8"]
    assert cli.main(again) == 0
    assert json.loads(capsys.readouterr().out)["cameras"] == 17
    expected = Path.from_dict(EDITED).trajectory(90, 160, 8)
    found = Trajectory.load(back)
    assert abs(found.c2w - expected.c2w).max() < 1e-5 and abs(found.K - expected.K).max() < 1e-5


def test_a_path_in_the_wrong_convention_is_warned_of_and_mended(tmp_path, capsys):
    path = Path.from_dict(EDITED).trajectory(90, 160)
    lines = ["wrong"]
    for index, camera in enumerate(path):  # c2w where w2c belongs, in OpenGL axes
        c2w = camera.c2w @ np.diag([1.0, -1, -1, 1])
        numbers = [0.866, 1.5396, 0.5, 0.5, 0, 0, *np.linalg.inv(c2w)[:3].ravel()]
        lines.append(f"{index * 62500} " + " ".join(map(str, numbers)))
    (tmp_path / "wrong.txt").write_text("\n".join(lines))
    command = ["path", str(tmp_path / "wrong.txt"), "--to", "json", "--out", str(tmp_path / "right.json")]
    assert cli.main(command) == 0
    printed = capsys.readouterr()
    assert "RealEstate10K, w2c" in printed.out and printed.err.startswith("warning: ") and "--fix" in printed.err
    assert len(json.loads(printed.out)["warnings"]) == printed.err.count("warning: ") >= 1
    assert cli.main([*command, "--fix", "backwards"]) == 0
    assert capsys.readouterr().err == ""
    np.testing.assert_allclose(Trajectory.load(tmp_path / "right.json").c2w, path.c2w, atol=1e-9)


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("{", [], "in.json is not JSON"),
        ('{"version": 1, "keys": [1]}', [], "in.json: The path has 1 keys, must be 2..200"),
        (json.dumps(EDITED), ["--fps", "0"], "fps=0.0 must be a number from 1 to 240"),
        (json.dumps(EDITED), ["--fps", "nan"], "fps=nan must be"),
        (json.dumps(EDITED), ["--size", "0x9"], "height=0 must be 1..16384"),
        (json.dumps(EDITED), ["--size", "9x99999"], "width=99999 must be"),
        (None, [], "in.json does not exist"),
        (json.dumps(EDITED), ["--out", "nowhere/x/out"], "does not exist. Make it first"),
    ],
)
def test_a_bad_path_is_one_sentence_and_no_file(tmp_path, capsys, content, arguments, message):
    if content is not None:
        (tmp_path / "in.json").write_text(content)
    command = ["path", str(tmp_path / "in.json"), "--to", "colmap", "--out", str(tmp_path / "out"), *arguments]
    assert cli.main(command) == 2
    printed = capsys.readouterr()
    assert message in printed.err and printed.err.count("\n") == 1 and printed.out == ""
    assert not (tmp_path / "out").exists()

"""`info` on the command line: what it tells of a scene, a memory and a clip, and what it writes of them."""

import json

import numpy as np
from PIL import Image

from pipelines import __main__ as cli
from pipelines.commands import info
from pipelines.loading import load_pipeline


def test_a_scene_leaves_as_map_points_and_cameras(folder, render, capsys):
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


def test_bad_questions_get_one_sentence(folder, render, capsys, monkeypatch):
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


def test_an_option_of_large_models_is_refused_for_the_embedded_one(folder, render, capsys, monkeypatch):
    assert render(folder, "--scene", str(folder / "scene")) == 0
    monkeypatch.setattr(info, "load_pipeline", load_pipeline)
    command = ["info", str(folder / "scene"), "--top-view", str(folder / "map.png"), "--first-block-cache", "0.1"]
    assert cli.main(command) == 2
    assert "--first-block-cache is for large models" in capsys.readouterr().err and not (folder / "map.png").exists()


def test_a_scene_of_another_model_is_drawn_by_height(folder, render, capsys, monkeypatch):
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

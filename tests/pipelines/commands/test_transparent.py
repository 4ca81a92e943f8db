"""`render --alpha` on the command line: files of two kinds, and what cannot be transparent is refused in time."""

import json
import zipfile
from dataclasses import replace

import pytest
from ffprobe import probe
from PIL import Image
from products import product_photo

from pipelines import __main__ as cli
from pipelines.media.clips import read_recipe


@pytest.fixture
def cut(folder):
    """`render --alpha` of a product on white: name of the file, further arguments -> exit code."""
    Image.fromarray(product_photo(height=144, width=256)[0]).save(folder / "product.png")

    def cut(out, *arguments, photo="product.png"):
        command = ["render", str(folder / photo), "--size", "72x128", "--frames", "9", "--alpha"]
        return cli.main([*command, "--out", str(folder / out), *arguments])

    return cut


def test_the_suffix_decides_what_is_written(cut, folder):
    assert cut("clip.webm") == 0 and cut("frames.ZIP", "--fps", "25") == 0
    told = probe(folder / "clip.webm")
    assert told["stream"]["codec_name"] == "vp9" and len(told["packets"]) == 9
    assert abs(float(told["format"]["duration"]) - 9 / 24) <= 0.001
    assert read_recipe(folder / "clip.webm")["trajectory"]
    with zipfile.ZipFile(folder / "frames.ZIP") as packed:
        names = packed.namelist()
        assert len(names) == 10 and json.loads(packed.read("clip.json"))["fps"] == 25
        frame = Image.open(packed.open(names[0]))
    assert frame.mode == "RGBA" and frame.size == (128, 72) and frame.getchannel("A").getextrema() == (0, 255)


@pytest.mark.parametrize("out", ["clip.mp4", "clip.mov", "clip"])
def test_another_suffix_is_refused_before_anything_is_loaded(cut, folder, capsys, monkeypatch, out):
    monkeypatch.setattr("pipelines.commands.render.load_pipeline", None)
    assert cut(out) == 2
    said = capsys.readouterr().err
    assert f"--out {out} cannot be transparent. Name it .webm (VP9), or .zip" in said
    assert not (folder / out).exists()


def test_the_name_of_a_transparent_file_is_for_one(folder, render, capsys):
    assert render(folder, "--out", str(folder / "clip.webm")) == 2
    assert "Name it .mp4, or add --alpha" in capsys.readouterr().err and not (folder / "clip.webm").exists()


def test_a_place_is_refused_once_it_is_lifted(cut, folder, capsys, pipe, monkeypatch):
    monkeypatch.setattr(pipe.engine, "decode", None)
    assert cut("clip.webm", photo="photo.png") == 2
    assert "no backdrop of one colour" in capsys.readouterr().err
    assert not list(folder.glob("*.webm"))


def test_a_large_model_is_refused_before_the_photo_is_lifted(cut, capsys, pipe, monkeypatch):
    monkeypatch.setattr(pipe.engine, "facts", replace(pipe.engine.facts, decode_stride=16))
    monkeypatch.setattr(pipe.engine, "encode", None)
    assert cut("clip.webm") == 2
    assert "draws the backdrop anew" in capsys.readouterr().err

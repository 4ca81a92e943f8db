"""The measuring commands that stand beside `evaluate` run from end to end and print one line of JSON."""

import json

import pytest
import torch
from helpers import photo
from PIL import Image

from pipelines.evaluation import autoencoder, depth, holes
from pipelines.process import OPENMP_NAMES


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder with one picture; the commands set the threads of the whole process."""
    monkeypatch.setenv(OPENMP_NAMES[0], "PASSIVE")
    threads = torch.get_num_threads()
    (tmp_path / "photos").mkdir()
    Image.fromarray(photo(96, 160)).save(tmp_path / "photos" / "a.png")
    yield tmp_path / "photos"
    torch.set_num_threads(threads)


def printed(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_autoencoder(photos, monkeypatch, capsys):
    monkeypatch.setattr(autoencoder, "SIZES", {"96x160": 96 * 160})
    monkeypatch.setattr(autoencoder, "decode_seconds", lambda fine: {})
    autoencoder.main(["--photos", str(photos)])
    report = printed(capsys)
    assert list(report["photos"]) == ["a"]
    figures = report["photos"]["a"]["96x160"]
    assert 30 < figures["fine"] < 99 and report["fine_96x160"]["median"] == figures["fine"]


def test_depth(photos, capsys):
    sheet = photos.parent / "sheet.png"
    depth.main(["--photos", str(photos), "--sheet", str(sheet), "--pixels", str(64 * 96), "--rooms", "1"])
    report = printed(capsys)
    assert report["pixels"] == 64 * 96 and 0 < report["rooms"]["abs_rel"] < 1
    with Image.open(sheet) as picture:
        assert picture.format == "PNG" and len(picture.getcolors(2**24)) > 100


def test_holes(photos, capsys):
    sheet = photos.parent / "sheet.png"
    holes.main(["--scenes", "1", "--moves", "wide", "--size", "64x96", "--photos", str(photos), "--sheet", str(sheet)])
    report = printed(capsys)
    assert report["size"] == [64, 96] and sheet.is_file()
    for part in ("wide", "photo rims"):
        assert report[part]["holes"] > 0
        assert report[part]["methods"]["smooth"]["over_smooth"] == 0

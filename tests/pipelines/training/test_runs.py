"""Both trainers run for a moment on pictures made here, go on where they stopped, and export what opens again."""

from itertools import count

import numpy as np
import pytest
import torch
from helpers import photo
from PIL import Image

from pipelines.depth.embedded import DepthNet
from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.evaluation.baselines.coarse_autoencoder import CoarseAutoencoder
from pipelines.process import OPENMP_NAMES
from pipelines.synthetic import scenes
from pipelines.training import autoencoder_run, depth_run, train_autoencoder, train_depth
from pipelines.training.average import move_average
from pipelines.weights.shipped import EMBEDDED_FOLDER


@pytest.fixture(autouse=True)
def as_a_process_of_its_own(monkeypatch):
    """A trainer sets threads for the whole process, and how they wait, before torch is imported."""
    threads = torch.get_num_threads()
    monkeypatch.setenv(OPENMP_NAMES[0], "PASSIVE")
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Three scenes of three views, written by the command."""
    folder = tmp_path_factory.mktemp("shards")
    scenes.main(["--out", str(folder), "--count", "3", "--views", "3", "--size", "72x96", "--families", "room"])
    return folder


def clock(monkeypatch, module, name):
    """Every look at the clock takes a second."""
    seconds = count()
    monkeypatch.setattr(module.time, name, lambda: float(next(seconds)))


def test_shards_hold_pictures_depth_and_cameras(shards):
    (file,) = shards.iterdir()
    with np.load(file) as found:
        assert found["rgb"].shape == (3, 3, 3, 72, 96) and found["depth"].shape == (3, 3, 72, 96)
        assert found["K"].shape == (3, 3, 3, 3) and list(found["family"]) == ["room"] * 3
        assert found["rgb"].std() > 10 and (found["depth"] >= 0).all() and np.isfinite(found["depth"]).all()


def test_the_autoencoder_s_stages_are_trained_and_exported(tmp_path, monkeypatch):
    (tmp_path / "pictures").mkdir()
    Image.fromarray(photo(144, 256)).save(tmp_path / "pictures" / "a.png")
    pool = autoencoder_run.PairPool
    monkeypatch.setattr(autoencoder_run, "PairPool", lambda *args, capacity, rng: pool(*args, capacity=4, rng=rng))
    clock(monkeypatch, autoencoder_run, "time")
    out = tmp_path / "run"
    words = ["--pictures", str(tmp_path / "pictures"), "--out", str(out), "--batch-size", "2"]
    train_autoencoder.main([*words, "--minutes", "0.1"])
    for kind, folder in ((FineAutoencoder, "autoencoder"), (CoarseAutoencoder, "coarse_autoencoder")):
        assert all(weight.isfinite().all() for weight in kind.from_pretrained(out / folder).parameters())
    first = torch.load(out / "fine" / "state.pt", weights_only=True)
    assert first["step"] >= 1 and Image.open(out / "sheet.png").height == 3 * 192
    train_autoencoder.main([*words, "--minutes", "0.2", "--stage", "fine"])
    later = torch.load(out / "fine" / "state.pt", weights_only=True)
    assert later["step"] > first["step"] and later["seconds"] > first["seconds"]


def test_the_depth_network_is_trained_and_exported(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(depth_run, "next_batch", lambda *_: (2, (64, 96), False))
    clock(monkeypatch, depth_run, "monotonic")
    out, begin = tmp_path / "run", str(EMBEDDED_FOLDER / "depth")
    words = ["--shards", str(shards), "--out", str(out), "--begin", begin, "--skip-families", "nothing"]
    train_depth.main([*words, "--minutes", "0.08"])
    state = torch.load(out / "checkpoint.pt", weights_only=True)
    assert state["step"] >= 1 and (out / "sheet.png").is_file()
    train_depth.main(["--out", str(out), "--export", str(tmp_path / "net")])
    trained, before = DepthNet.from_pretrained(tmp_path / "net"), DepthNet.from_pretrained(begin)
    same = [torch.equal(a, b) for a, b in zip(trained.parameters(), before.parameters(), strict=True)]
    assert not all(same) and all(weight.isfinite().all() for weight in trained.parameters())


@pytest.mark.parametrize("keep", [0.0, 0.25, 1.0])
def test_an_average_moves_towards_the_model(keep):
    average, model = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    expected = [keep * a + (1 - keep) * b for a, b in zip(average.parameters(), model.parameters(), strict=True)]
    move_average(average, model, keep)
    for found, right in zip(average.parameters(), expected, strict=True):
        torch.testing.assert_close(found, right)

"""The coarse autoencoder that the append baseline stores: laws of the net, then floors with its weights."""

import pytest
import torch
import torch.nn.functional as F
from pictures import psnr, synthetic_picture

from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.evaluation.baselines.coarse_autoencoder import CoarseAutoencoder, coarse_folder
from pipelines.weights.shipped import EMBEDDED_FOLDER


@pytest.fixture(scope="module", autouse=True)
def no_grad():
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def fine() -> FineAutoencoder:
    return FineAutoencoder.from_pretrained(EMBEDDED_FOLDER / "autoencoder", torch_dtype=torch.float32)


@pytest.fixture(scope="module")
def coarse() -> CoarseAutoencoder:
    return CoarseAutoencoder.from_pretrained(coarse_folder(EMBEDDED_FOLDER), torch_dtype=torch.float32)


def test_coarse_shapes(coarse):
    latents = coarse.encode(torch.randn(2, 8, 36, 64), torch.zeros(2, 1, 36, 64))
    assert latents.shape == (2, 32, 9, 16)
    tokens, log_depth = coarse.decode(latents)
    assert tokens.shape == (2, 8, 36, 64) and log_depth.shape == (2, 1, 36, 64)


def test_a_grid_that_does_not_fit_is_refused_with_the_sizes_that_work(coarse):
    with pytest.raises(ValueError, match="width=90 must be a multiple of 4.*Use 88 or 92"):
        coarse.encode(torch.zeros(1, 8, 88, 90), torch.zeros(1, 1, 88, 90))


def test_save_and_load_in_half_precision(coarse, tmp_path):
    coarse.save_pretrained(tmp_path / "coarse")
    again = CoarseAutoencoder.from_pretrained(tmp_path / "coarse", torch_dtype=torch.float32)
    inputs = torch.randn(1, 8, 8, 8), torch.zeros(1, 1, 8, 8)
    assert torch.equal(again.encode(*inputs), coarse.encode(*inputs))
    shipped = list(coarse_folder(EMBEDDED_FOLDER).glob("*.safetensors"))
    assert shipped and all(path.stat().st_size < 9.5 * 2**20 for path in shipped)


def test_another_model_brings_its_own(tmp_path):
    assert coarse_folder(tmp_path) == tmp_path / "coarse_autoencoder"


def test_shipped_coarse_latents_keep_picture_and_depth(fine, coarse):
    image = synthetic_picture()
    log_depth = torch.linspace(1, -1, 72)[:, None].expand(1, 1, 72, 128)
    tokens, depth = coarse.decode(coarse.encode(fine.encode(image), log_depth))
    assert psnr(fine.decode(tokens), image) > 27
    assert (depth - log_depth).abs().mean() < 0.05


def test_known_tokens_outweigh_wrong_latents(fine, coarse):
    """What the memory knows stays, even beside latents of another picture; without it those latents win."""
    image, other = synthetic_picture(), synthetic_picture().flip(-1)
    tokens, depth = fine.encode(image), torch.zeros(1, 1, 72, 128)
    wrong = coarse.encode(fine.encode(other), depth)
    mask = F.pad(torch.ones(1, 1, 72, 100), (0, 28))
    known = fine.decode(coarse.decode(wrong, tokens, depth, mask)[0])
    blind = fine.decode(coarse.decode(wrong)[0])
    left = (..., slice(0, 180))
    assert psnr(known[left], image[left]) > psnr(blind[left], image[left]) + 6
    assert psnr(blind, other) > psnr(blind, image) + 6

"""The embedded autoencoder with its shipped weights: laws of the nets, then floors on a picture nobody trained on."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from pipelines.engines.autoencoder import CoarseAutoencoder, FineAutoencoder

EMBEDDED = Path(__file__).parents[3] / "pipelines" / "embedded"


@pytest.fixture(scope="module", autouse=True)
def no_grad():
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def fine() -> FineAutoencoder:
    return FineAutoencoder.from_pretrained(EMBEDDED / "autoencoder", torch_dtype=torch.float32)


@pytest.fixture(scope="module")
def coarse() -> CoarseAutoencoder:
    return CoarseAutoencoder.from_pretrained(EMBEDDED / "coarse_autoencoder", torch_dtype=torch.float32)


def synthetic_picture(height: int = 144, width: int = 256) -> torch.Tensor:
    """Stripes, discs and a gradient with soft edges: (1, 3, height, width) in [0, 1]."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    stripes = torch.sigmoid(4 * torch.sin(x / 5 + y / 11))
    disc = torch.sigmoid(40 - ((x - 90).square() + (y - 70).square()).sqrt())
    ramp = (x + y) / (height + width)
    return torch.stack([ramp, 0.3 + 0.5 * stripes * disc, 0.8 - 0.6 * disc])[None]


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return -10 * torch.log10((a.clamp(0, 1) - b).square().mean()).item()


@pytest.mark.parametrize("size", [(2, 2), (30, 46), (144, 256)])
def test_fine_shapes(fine, size):
    tokens = fine.encode(torch.rand(2, 3, *size))
    assert tokens.shape == (2, 8, size[0] // 2, size[1] // 2)
    assert fine.decode(tokens).shape == (2, 3, *size)


def test_coarse_shapes(coarse):
    latents = coarse.encode(torch.randn(2, 8, 36, 64), torch.zeros(2, 1, 36, 64))
    assert latents.shape == (2, 32, 9, 16)
    tokens, log_depth = coarse.decode(latents)
    assert tokens.shape == (2, 8, 36, 64) and log_depth.shape == (2, 1, 36, 64)


def test_odd_sizes_are_refused_with_the_sizes_that_work(fine, coarse):
    with pytest.raises(ValueError, match="height=181 must be a multiple of 2.*Use 180 or 182"):
        fine.encode(torch.zeros(1, 3, 181, 320))
    with pytest.raises(ValueError, match="width=90 must be a multiple of 4.*Use 88 or 92"):
        coarse.encode(torch.zeros(1, 8, 88, 90), torch.zeros(1, 1, 88, 90))


def test_tiles_with_a_margin_equal_the_whole(fine):
    """The same sums in the same order up to the blocking of the convolution: float32, 1e-4."""
    image = torch.rand(1, 3, 64, 96)
    tokens = fine.encode(image)
    inner = fine.encode(image[..., 16:48, 16:80])[..., 3:-3, 3:-3]
    torch.testing.assert_close(inner, tokens[..., 11:21, 11:37], atol=1e-4, rtol=0)
    decoded = fine.decode(tokens)
    inner = fine.decode(tokens[..., 8:24, 8:40])[..., 6:-6, 6:-6]
    torch.testing.assert_close(inner, decoded[..., 22:42, 22:74], atol=1e-4, rtol=0)


def test_strips_equal_one_piece(fine):
    """Inference goes strip by strip, training in one piece: 70 token rows are two strips of 64."""
    image = torch.rand(1, 3, 140, 32)
    with torch.enable_grad():
        whole = fine.encode(image).detach()
    torch.testing.assert_close(fine.encode(image), whole, atol=1e-4, rtol=0)


def test_save_and_load_in_half_precision(fine, coarse, tmp_path):
    for name, model, inputs in (
        ("fine", fine, (torch.rand(1, 3, 16, 16),)),
        ("coarse", coarse, (torch.randn(1, 8, 8, 8), torch.zeros(1, 1, 8, 8))),
    ):
        model.save_pretrained(tmp_path / name)
        again = type(model).from_pretrained(tmp_path / name, torch_dtype=torch.float32)
        assert torch.equal(again.encode(*inputs), model.encode(*inputs))
    shipped = [path for path in EMBEDDED.rglob("*.safetensors") if "autoencoder" in path.parent.name]
    assert shipped and all(path.stat().st_size < 9.5 * 2**20 for path in shipped)


def test_shipped_fine_tokens_keep_the_picture_in_half_precision(fine):
    image = synthetic_picture()
    assert psnr(fine.decode(fine.encode(image).half().float()), image) > 38


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

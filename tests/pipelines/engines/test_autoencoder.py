"""The embedded autoencoder with its shipped weights: laws of the nets, then floors on a picture nobody trained on."""

import pytest
import torch
from pictures import psnr, synthetic_picture
from safetensors.torch import load_file

from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.training.autoencoder_run import export_half
from pipelines.weights.shipped import EMBEDDED_FOLDER


@pytest.fixture(scope="module", autouse=True)
def no_grad():
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def fine() -> FineAutoencoder:
    return FineAutoencoder.from_pretrained(EMBEDDED_FOLDER / "autoencoder", torch_dtype=torch.float32)


@pytest.mark.parametrize("size", [(2, 2), (30, 46), (144, 256)])
def test_fine_shapes(fine, size):
    tokens = fine.encode(torch.rand(2, 3, *size))
    assert tokens.shape == (2, 8, size[0] // 2, size[1] // 2)
    assert fine.decode(tokens).shape == (2, 3, *size)


def test_odd_sizes_are_refused_with_the_sizes_that_work(fine):
    with pytest.raises(ValueError, match="height=181 must be a multiple of 2.*Use 180 or 182"):
        fine.encode(torch.zeros(1, 3, 181, 320))


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


def test_save_and_load_in_half_precision(fine, tmp_path):
    export_half(fine, tmp_path / "fine")
    (file,) = (tmp_path / "fine").glob("*.safetensors")
    assert {tensor.dtype for tensor in load_file(file).values()} == {torch.float16}
    again = FineAutoencoder.from_pretrained(tmp_path / "fine", torch_dtype=torch.float32)
    image = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(again.encode(image), fine.encode(image), atol=1e-2, rtol=1e-2)  # eleven bits
    shipped = list((EMBEDDED_FOLDER / "autoencoder").glob("*.safetensors"))
    assert shipped and all(path.stat().st_size < 9.5 * 2**20 for path in shipped)


def test_shipped_fine_tokens_keep_the_picture_in_half_precision(fine):
    image = synthetic_picture()
    assert psnr(fine.decode(fine.encode(image).half().float()), image) > 38

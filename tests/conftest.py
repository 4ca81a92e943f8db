from pipelines.process import prepare_process

prepare_process()  # before torch comes in

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402
from helpers import CHROMIUM, AnalyticDepth  # noqa: E402


@pytest.fixture(autouse=True)
def same_random_numbers():
    torch.manual_seed(0)
    np.random.seed(0)


@pytest.fixture(scope="session")
def pipe():
    """The real pipeline with the shipped autoencoder and exact depth."""
    from pipelines import MiragePipeline
    from pipelines.depth import DepthNet
    from pipelines.engines.autoencoder import FineAutoencoder
    from pipelines.weights.shipped import EMBEDDED_FOLDER

    pipe = MiragePipeline(FineAutoencoder.from_pretrained(EMBEDDED_FOLDER / "autoencoder"), DepthNet())
    pipe.engine.depth_estimator = AnalyticDepth()
    return pipe


@pytest.fixture(scope="session")
def tiny_vae():
    """Wan 2.2's autoencoder, strides 4 and 16, with next to no weights."""
    from diffusers import AutoencoderKLWan

    torch.manual_seed(0)
    return AutoencoderKLWan(
        base_dim=3,
        z_dim=48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.1] * 48,
        latents_std=[0.8] * 48,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
    ).eval()


@pytest.fixture(scope="session")
def converted(tmp_path_factory, tiny_vae):
    """A folder as `python -m pipelines convert` writes it, with tiny random weights."""
    from tiny_wan import write_converted

    return write_converted(tmp_path_factory.mktemp("large"), tiny_vae)


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()

"""Light: laws that hold for every encoding, and the figures that standards give."""

import itertools

import numpy as np
import pytest

from pipelines.media import light

GREYS = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
CODE_POINTS = list(itertools.product(light.PRIMARIES, light.TRANSFERS))


@pytest.mark.parametrize("code_points", CODE_POINTS, ids=str)
def test_grey_stays_grey_black_black_white_white_and_brighter_brighter(code_points):
    shown = light.to_srgb(GREYS, light.encoding(*code_points))[0].astype(int)
    assert np.ptp(shown, axis=1).max() <= 1
    assert shown[0].max() == 0 and shown[-1].min() >= 254
    assert (np.diff(shown.max(1)) >= 0).all()


def test_srgb_stays_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert (light.to_srgb(pixels, light.encoding(1, 13)) == pixels).all()


def test_white_paper_is_where_the_standard_puts_it():
    """BT.2408: 203 nits are 58 % of PQ and 75 % of HLG."""
    assert light.pq(np.array(0.58)) == pytest.approx(1, abs=0.02)
    scene = light.hlg(np.full((1, 3), 0.75))
    assert light.displayed(scene) == pytest.approx(1, abs=0.01)
    assert light.pq(np.array(1.0)) * light.WHITE_NITS == pytest.approx(10000)


@pytest.mark.parametrize("peak", [100, 203, 400, 1000, 4000, 10000])
def test_tone_mapping_dims_evenly_up_to_paper_reaches_one_at_the_peak_and_keeps_hues(peak):
    levels = np.linspace(0, max(peak / light.WHITE_NITS, 1), 2000)[:, None] * [1.0, 0.5, 0.25]
    mapped = light.tone_mapped(levels, peak)
    below = levels[:, 0] <= 1
    assert np.ptp(mapped[below & (levels[:, 0] > 0)] / levels[below & (levels[:, 0] > 0)]) < 1e-9
    assert mapped[-1, 0] == pytest.approx(1) and mapped.max() <= 1 + 1e-9
    assert np.diff(mapped[:, 0]).min() > 0 and np.diff(mapped[:, 0]).max() < 0.02  # no step anywhere
    assert mapped[:, 1:] == pytest.approx(mapped[:, :1] * [0.5, 0.25])


def test_highlights_come_down_as_chromium_156_brings_them_down():
    """Measured on a grey ramp in PQ without a word on its peak; 1 is white paper."""
    light_in, gain = np.array([0.5, 0.858, 1.344, 2.088, 3.229, 4.5]), np.array([0.5, 0.5, 0.459, 0.364, 0.275, 0.217])
    mapped = light.tone_mapped(np.repeat(light_in[:, None], 3, axis=1), light.DISPLAY_NITS)
    assert mapped[:, 0] == pytest.approx(light_in * gain, abs=0.01)


def test_what_is_no_encoding_of_photos_is_left_to_srgb():
    assert light.encoding(2, 2) is light.encoding(9, 2) is light.encoding(0, 13) is light.encoding(255, 255) is None

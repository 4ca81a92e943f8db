"""Sizes of clips: every quality has the shape of the preview, and a large model gets what it was trained with."""

import pytest

from pipelines.large.families import LAYOUTS
from pipelines.media.photos import MAX_SIDE
from studio.sizes import QUALITIES, RATIOS, clip_size, large_size


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("photo", [(1440, 1920), (1920, 1277), (480, 1920), (64, 64), (1079, 1919)])
def test_every_quality_has_the_same_shape(ratio, photo):
    sizes = [clip_size(ratio, quality, photo) for quality in QUALITIES]
    assert all(side % 2 == 0 and side <= MAX_SIDE for size in sizes for side in size)
    assert len({h * sizes[0][1] - w * sizes[0][0] for h, w in sizes}) == 1  # h / w equal, exactly
    assert sizes == sorted(sizes)
    if ratio == "photo":
        assert sizes[0][0] / sizes[0][1] == pytest.approx(photo[0] / photo[1], rel=0.03)


@pytest.mark.parametrize("own", [(layout.height, layout.width) for layout in LAYOUTS.values()])
@pytest.mark.parametrize("photo", [(1440, 1920), (1920, 1277), (480, 1920), (1079, 1919)])
def test_a_large_model_gets_its_own_size_or_one_like_it(own, photo):
    assert large_size("16:9", "standard", photo, own, 32) == own
    assert large_size("9:16", "standard", photo, own, 32) == own[::-1]
    assert large_size("4:5", "standard", photo, own, 32) == (960, 768)
    for ratio in RATIOS:
        draft, standard = (large_size(ratio, quality, photo, own, 32) for quality in ("draft", "standard"))
        assert all(side % 32 == 0 and 64 <= side <= MAX_SIDE for side in (*draft, *standard))
        assert draft[0] * draft[1] <= 288 * 512 and 0.8 * own[0] * own[1] < standard[0] * standard[1] <= own[0] * own[1]
        columns, rows = photo[::-1] if ratio == "photo" else map(int, ratio.split(":"))
        assert standard[0] / standard[1] == pytest.approx(rows / columns, rel=0.03)
        assert draft[0] / draft[1] == pytest.approx(standard[0] / standard[1], rel=0.025)

"""Transparent frames: laid on the backdrop's colour they are the frames again, and nothing of it is left in them."""

import numpy as np
import pytest
from PIL import Image
from products import ProductDepth, product_photo

from pipelines import move
from pipelines.errors import Refused
from pipelines.media.photos import open_photo
from pipelines.photo.backdrop import eroded, grown
from pipelines.photo.cutout import cover_of, cut_out, least_alpha

SIZE = (144, 192)
WHITE, BLUE = (255, 255, 255), (40, 90, 160)


def lift(pipe, colour, **options):
    picture, product = product_photo(colour, **options)
    return pipe.lift(picture, *SIZE, estimator=ProductDepth(product)), product


def first_frame(pipe, lifted):
    """What the photo itself shows: the frame (H, W, 3), and cut out (H, W, 4)."""
    clear = pipe(lifted, move("side-slide", lifted.camera, lifted.distance, 2), alpha=True)
    return clear.frames[0], next(cut_out(clear.frames, clear.alpha, clear.backdrop))


def laid_on(rgba, colour):
    """RGBA (..., 4) uint8 laid on a colour (3,), as a browser or an editor does it."""
    share = rgba[..., 3:] / 255
    return (rgba[..., :3] * share + np.array(colour) * (1 - share)).round().astype(int)


@pytest.mark.parametrize("colour", [WHITE, BLUE, (0, 0, 0), (3, 254, 128)])
def test_every_colour_can_be_cut_out_of_every_other_and_be_laid_on_it_again(colour):
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (2, 64, 64, 3), np.uint8)
    frames[0, :8] = colour
    least = least_alpha(frames, np.uint8(colour))
    assert (least[0, :8] == 0).all() and least[1].min() > 0
    for alpha in (least, np.maximum(least, random.integers(0, 256, least.shape, np.uint8))):
        cut = np.stack(list(cut_out(frames, alpha, np.uint8(colour))))
        assert np.array_equal(cut[..., 3], alpha)
        assert np.abs(laid_on(cut, colour) - frames).max() <= 1


@pytest.mark.parametrize("colour", [WHITE, BLUE])
def test_a_transparent_clip_laid_on_its_backdrop_is_the_clip(pipe, colour):
    lifted, _ = lift(pipe, colour)
    trajectory = move("side-slide", lifted.camera, lifted.distance, 9, strength=0.5)
    plain, clear = pipe(lifted, trajectory), pipe(lifted, trajectory, alpha=True)
    assert plain.alpha is None and plain.backdrop is None
    assert np.array_equal(plain.frames, clear.frames) and tuple(clear.backdrop) == colour
    assert clear.alpha.shape == clear.frames.shape[:3] and clear.alpha.dtype == np.uint8
    cut = np.stack(list(cut_out(clear.frames, clear.alpha, clear.backdrop)))
    assert np.abs(laid_on(cut, colour) - clear.frames).max() <= 2
    is_backdrop = (clear.frames == colour).all(-1)
    # but for the small window in the handle: without a file's own transparency it could as well be a label
    assert 0.4 < (clear.alpha == 0).mean() and (clear.alpha[is_backdrop] == 0).mean() > 0.99
    assert 0.1 < (clear.alpha == 255).mean()


@pytest.mark.parametrize("backdrop", [WHITE, BLUE])
@pytest.mark.parametrize("own", [(140, 60, 40), (20, 20, 22), (240, 200, 60)])
def test_outlines_are_as_opaque_as_the_product_covers_them_and_have_its_colour_alone(pipe, backdrop, own):
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    share = ((40 - np.hypot(x - 96, y - 72)) / 2 + 0.5).clip(0, 1)[..., None]  # two pixels of outline
    picture = (np.array(own) * share + np.array(backdrop) * (1 - share)).round().astype(np.uint8)
    lifted = pipe.lift(picture, *SIZE, estimator=ProductDepth(share[..., 0] > 0.5))
    cover = cover_of(pipe.engine.facts, lifted)
    mixed = (share[..., 0] > 0.25) & (share[..., 0] < 1)  # of what is less, the plate is shown
    assert mixed.sum() > 200 and np.abs(cover - share[..., 0])[mixed].max() < 0.12
    _, cut = first_frame(pipe, lifted)
    is_outline = (cut[..., 3] > 40) & (cut[..., 3] < 240)
    assert is_outline.sum() > 100
    assert np.quantile(np.abs(cut[is_outline, :3].astype(int) - own).max(axis=-1), 0.9) < 40


def test_the_inside_of_a_product_is_opaque_and_its_shadow_is_black(pipe):
    lifted, product = lift(pipe, WHITE, height=144, width=192)
    _, cut = first_frame(pipe, lifted)
    assert (cut[eroded(product, 2), 3] == 255).mean() > 0.99
    shadow = ~grown(product, 2) & (cut[..., 3] > 20)
    shadow[:, :80] = False  # the handle with its window
    assert shadow.sum() > 300 and cut[shadow, 3].max() < 110 and cut[shadow, :3].max() < 30


def pale(height=160, width=200):
    """RGBA: a white box with a band of brown glass and a soft black shadow, cut out."""
    picture = np.zeros((height, width, 4), np.uint8)
    picture[110:135, 50:180] = (0, 0, 0, 80)
    picture[40:125, 60:140] = 255
    picture[70:90, 60:140] = (140, 80, 40, 160)
    return picture


def test_the_own_transparency_of_a_file_decides_also_where_the_product_is_white(pipe, tmp_path):
    Image.fromarray(pale(), "RGBA").save(tmp_path / "box.png")
    lifted = pipe.lift(open_photo(tmp_path / "box.png"), *SIZE)
    assert tuple(lifted.backdrop_colour) == WHITE
    alpha = first_frame(pipe, lifted)[1][..., 3]
    own = np.asarray(Image.fromarray(pale()[5:155, :, 3]).resize(SIZE[::-1]), int)  # the frame: 4:3 of 5:4
    assert np.abs(alpha - own)[3:-3, 3:-3].mean() < 4
    assert (alpha[40:60, 65:125] == 255).all()  # white, and opaque


def test_a_hole_that_only_the_file_tells_from_a_white_label(pipe, tmp_path):
    """The same pixels, once with a window in them and once with a label."""
    whole = np.zeros((160, 200, 4), np.uint8)
    whole[30:130, 40:160] = (140, 80, 40, 255)
    whole[60:100, 70:130] = 255
    window = whole.copy()
    window[60:100, 70:130, 3] = 0
    middles = []
    for name, picture in (("label", whole), ("window", window)):
        Image.fromarray(picture, "RGBA").save(tmp_path / f"{name}.webp", lossless=True)
        lifted = pipe.lift(open_photo(tmp_path / f"{name}.webp"), *SIZE)
        middles.append(cover_of(pipe.engine.facts, lifted)[lifted.frame][72, 96])
    assert middles == [1, 0]


def test_a_soft_shadow_beside_a_dark_product_does_not_become_opaque_paper(pipe):
    """A contact shadow darkens so fast that it is found to be of the product; it stays a shadow."""
    y, x = np.mgrid[:180, :240].astype(float)
    light = 1 - 0.45 * np.exp(-(((x - 150) / 22) ** 2) - ((y - 120) / 22) ** 2)
    picture = np.repeat((255 * light)[..., None], 3, axis=-1)
    product = (np.abs(x - 110) < 40) & (np.abs(y - 90) < 50)
    picture[product] = (30, 40, 60)
    picture = picture.round().astype(np.uint8)
    lifted = pipe.lift(picture, *SIZE, estimator=ProductDepth(product))
    _, cut = first_frame(pipe, lifted)
    assert (cut[..., 3] > 60).mean() > 0.15
    assert laid_on(cut, (0, 0, 0)).max() < 110  # nothing of the white paper


def test_a_place_and_a_memory_alone_are_refused(pipe):
    picture = np.random.default_rng(0).integers(0, 256, (150, 200, 3), np.uint8)
    lifted = pipe.lift(picture, *SIZE)
    trajectory = move("push-in", lifted.camera, lifted.distance, 2)
    with pytest.raises(Refused, match="no backdrop of one colour"):
        pipe.stream(lifted, trajectory, alpha=True)  # before any work
    with pytest.raises(Refused, match="no backdrop of one colour"):
        pipe.stream(None, trajectory, memory=lifted.memory, alpha=True)
    events = pipe.stream(picture, trajectory, alpha=True)
    assert next(events).stage == "depth"
    with pytest.raises(Refused, match="no backdrop of one colour"):
        next(events)  # as soon as it is lifted


@pytest.mark.parametrize(("side", "expected"), [(16, 1), (60, 0)])
def test_what_is_enclosed_in_the_backdrops_colour_is_a_label_where_it_is_small_and_else_a_hole(pipe, side, expected):
    picture = np.full((*SIZE, 3), 255, np.uint8)
    picture[22:122, 36:156] = (140, 80, 40)
    picture[72 - side // 4 : 72 + side // 4, 96 - side // 2 : 96 + side // 2] = 255
    lifted = pipe.lift(picture, *SIZE)
    assert cover_of(pipe.engine.facts, lifted)[72, 96] == expected

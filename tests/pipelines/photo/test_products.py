"""A product before a plain backdrop: it is found, stays whole, and its backdrop stays what it was."""

import numpy as np
import pytest
from helpers import photo
from PIL import Image
from products import ProductDepth, product_photo

from pipelines import move
from pipelines.cameras.projection import project, unproject
from pipelines.errors import Refused
from pipelines.photo.backdrop import find_backdrop
from pipelines.photo.frame import crop
from pipelines.photo.outlook import preview
from pipelines.photo.strength import MIN_STRENGTH, gentle_strength, in_frame, is_cropped, is_cut, objection, suited

WHITE, GREY, BLUE = (255, 255, 255), (226, 226, 228), (40, 90, 160)


def lift(pipe, backdrop=WHITE, size=(144, 192), **options):
    picture, product = product_photo(backdrop, **options)
    return pipe.lift(picture, *size, estimator=ProductDepth(product))


@pytest.mark.parametrize("slope", [0, 0.15])
@pytest.mark.parametrize("colour", [WHITE, GREY, BLUE])
def test_a_product_is_told_from_its_backdrop_and_from_its_shadow(colour, slope):
    picture, product = product_photo(colour, height=360, width=480, slope=slope)
    found = find_backdrop(picture)
    assert (found.product & product).sum() / (found.product | product).sum() > 0.8
    assert (found.colour is None) == (slope > 0)
    if slope == 0:
        assert tuple(found.colour) == colour and np.abs(picture[found.flat].astype(int) - colour).max() <= 1
        assert not (found.flat & product).any() and found.flat[~product].mean() > 0.6


def room(height=180, width=240):
    """A picture with a sky above and things below."""
    picture = photo(height, width)
    picture[: height // 2] = (190, 215, 240)
    return picture


@pytest.mark.parametrize("picture", [photo(180, 240), room(), np.full((180, 240, 3), 255, np.uint8)])
def test_a_place_and_an_empty_sheet_are_no_products(picture):
    assert find_backdrop(picture) is None


def test_a_product_may_reach_one_side():
    picture, product = product_photo(middle=(0.5, 0.9), height=360, width=480)
    found = find_backdrop(picture)
    assert found is not None and (found.product & product).sum() / (found.product | product).sum() > 0.8


def test_depth_ends_where_the_product_ends_and_the_rest_is_a_plane(pipe):
    lifted = lift(pipe)
    product = lifted.plate.backdrop.product
    inverse = 1 / lifted.photo_depth
    behind = lifted.plate.inverse_depth(lifted.photo_camera)
    beside = ~product
    beside[:, 1:] &= ~product[:, :-1]
    beside[:, :-1] &= ~product[:, 1:]  # which depth a pixel of the outline itself has does not matter
    assert np.abs(inverse - behind)[beside].max() < 0.02
    assert (inverse[product] >= behind[product] - 1e-4).all()
    assert np.median(inverse[product] / behind[product]) > 1.1


def test_the_plate_is_seen_where_it_is_from_anywhere(pipe):
    """Its points, carried into another camera by hand, have there the depth that the plate says, and its colours."""
    lifted = lift(pipe, GREY, slope=0.15)
    plate, own = lifted.plate, lifted.photo_camera
    camera = move("gentle-arc", lifted.camera, lifted.distance, 5)[-1]
    rows, columns = (axis.ravel() for axis in np.indices((lifted.photo.shape[:2])))
    points = unproject(np.stack([columns, rows], -1) + 0.5, 1 / plate.inverse_depth(own).ravel(), own)
    pixels, depth = project(points, camera)
    inside = (pixels > 1).all(-1) & (pixels < [camera.width - 1, camera.height - 1]).all(-1)
    cells = np.floor(pixels[inside]).astype(int)
    near = 1 / plate.inverse_depth(camera)[cells[:, 1], cells[:, 0]]
    assert np.abs(near / depth[inside] - 1).max() < 0.02
    x, y = plate.seen_at(camera, cells[:, 1], cells[:, 0])
    assert np.abs(x * own.width - columns[inside] - 0.5).max() < 2
    assert np.abs(y * own.height - rows[inside] - 0.5).max() < 2
    paper = ~plate.backdrop.product & (lifted.photo[..., 0] > 0.8 * GREY[0])
    shown = plate.colours(own, *np.nonzero(paper))
    assert np.abs(shown.astype(int) - lifted.photo[paper]).mean() < 3


@pytest.mark.parametrize("name", ["side-slide", "gentle-arc", "push-in", "pull-back"])
@pytest.mark.parametrize("colour", [WHITE, BLUE])
def test_one_colour_stays_exactly_that_colour_and_the_product_stays_whole(pipe, name, colour):
    lifted = lift(pipe, colour)

    def path(strength):
        return move(name, lifted.camera, lifted.distance, 17, strength=strength)

    trajectory = path(gentle_strength(lifted, path))
    result = pipe(lifted, trajectory)
    frames = result.frames.astype(int)
    assert np.abs(frames[:, [0, -1]] - colour).max() <= 1 and np.abs(frames[:, :, [0, -1]] - colour).max() <= 1
    away = np.abs(frames - colour).max(axis=-1)
    # it is paper, or else shadow or product: hardly ever paper that is a little off
    assert (away == 0).mean() > 0.5 and ((away > 0) & (away <= 3)).mean() < 0.02
    assert result.coverage.min() > 0.99  # nothing is invented
    shown = preview(pipe.engine, lifted, trajectory, max_frames=3)
    assert np.array_equal(shown[0][0], np.broadcast_to(np.uint8(colour), shown[0][0].shape))  # and nothing hatched


def test_a_move_that_would_cut_the_product_off_is_shortened(pipe):
    lifted = lift(pipe, middle=(0.33, 0.5))  # its handle is near the rim

    def path(strength):
        return move("side-slide", lifted.camera, lifted.distance, 9, strength=strength)

    strongest = gentle_strength(lifted, path)
    assert MIN_STRENGTH < strongest < 1 and not is_cut(lifted, path(strongest))
    assert objection(lifted, path(strongest + 0.1)) == "cut" and is_cut(lifted, path(1.0))
    rows, columns = np.nonzero(lifted.plate.backdrop.product)
    points = unproject(np.stack([columns, rows], -1) + 0.5, lifted.photo_depth[rows, columns], lifted.photo_camera)
    assert all(in_frame(points, camera, 0).mean() > 0.99 for camera in path(strongest))
    assert suited(lambda zoom: lifted, lambda lifted, strength: path(strength))[0].zoom == 1


def test_a_shadow_goes_with_its_product(pipe):
    """Where product and shadow touch, at its foot, both have nearly the same depth: they move alike."""
    lifted = lift(pipe)
    product = lifted.plate.backdrop.product
    foot = np.nonzero(product.any(1))[0].max()
    column = int(np.nonzero(product[foot])[0].mean())
    assert lifted.photo_depth[foot + 4, column] / lifted.photo_depth[foot - 4, column] < 1.35


def test_the_outline_of_a_product_is_as_near_as_what_is_beside_it(pipe):
    """Though a network's depth falls off before the mask ends, which takes a little of the backdrop with it."""
    lifted = lift(pipe, size=(288, 384), height=360, width=480)
    product, relief = (
        lifted.plate.backdrop.product,
        lifted.plate.inverse_depth(lifted.photo_camera) * lifted.photo_depth,
    )
    middle = product.shape[1] // 2
    for row in np.nonzero(product[:, middle])[0][20:-20]:
        last = np.nonzero(product[row])[0].max()
        assert relief[row, last] == pytest.approx(relief[row, last - 15], abs=0.05)


def test_a_round_product_is_one_piece_in_every_row_of_every_frame(pipe):
    """No crumbs beside it, no bites out of it."""
    y, x = np.mgrid[:360, :480]
    share = ((100 - np.hypot(x - 240, y - 180)) / 3 + 0.5).clip(0, 1)[..., None]
    picture = (np.array([60, 40, 30]) * share + np.array([250, 250, 252]) * (1 - share)).round().astype(np.uint8)
    lifted = pipe.lift(picture, 288, 384, estimator=ProductDepth(share[..., 0] > 0.9))
    for name in ("side-slide", "gentle-arc", "push-in"):
        frames = pipe(lifted, move(name, lifted.camera, lifted.distance, 5)).frames
        is_dark = np.pad(frames.min(axis=-1) < 235, ((0, 0), (0, 0), (1, 1)))
        runs = (np.diff(is_dark.astype(int), axis=2) > 0).sum(axis=2)
        assert is_dark.any(axis=(1, 2)).all() and runs.max() == 1, name


def test_a_shadow_leads_through_no_gap_into_a_grey_part_of_the_product():
    y, x = np.mgrid[:360, :480].astype(float)
    light = 255 - 70 * np.exp(-(((x - 240) / 110) ** 2) - ((y - 290) / 50) ** 2)  # soft enough to be backdrop
    product = (np.abs(x - 240) < 90) & (np.abs(y - 180) < 100)
    grey = (np.abs(x - 240) < 60) & (np.abs(y - 200) < 55) | (np.abs(x - 240) < 5) & (np.abs(y - 260) < 30)
    picture = np.where(product, np.where(grey, 187.0, 60.0), light)
    found = find_backdrop(np.repeat(picture.round()[..., None], 3, axis=-1).astype(np.uint8))
    assert found.product[product].mean() > 0.98


UPRIGHT = (256, 144)


def suited_to(pipe, picture, estimator, size=UPRIGHT, name="gentle-arc"):
    """The photo lifted as `suited` does it, and the path."""

    def path(lifted, strength):
        return move(name, lifted.camera, lifted.distance, 9, strength=strength)

    lifted, strength = suited(lambda zoom: pipe.lift(picture, *size, zoom=zoom, estimator=estimator), path)
    return lifted, path(lifted, strength)


@pytest.mark.parametrize("size", [UPRIGHT, (96, 288)])
@pytest.mark.parametrize("colour", [WHITE, BLUE])
def test_a_format_that_would_cut_the_product_shows_more_of_its_backdrop(pipe, colour, size):
    picture, product = product_photo(colour, height=300, width=300 if size == UPRIGHT else 400, shadow=0)
    picture[140:150, 40:260] = (90, 60, 40)  # a bar through it, wider than the format
    if size != UPRIGHT:
        picture[60:240, 195:205] = (90, 60, 40)
    lifted, path = suited_to(pipe, picture, ProductDepth(product), size)
    assert is_cropped(pipe.lift(picture, *size, estimator=ProductDepth(product))) and lifted.zoom < 1
    assert not is_cropped(lifted) and not is_cut(lifted, path)
    frames = pipe(lifted, path).frames.astype(int)
    for rim in (frames[:, 0], frames[:, -1], frames[:, :, 0], frames[:, :, -1]):
        assert np.abs(rim - colour).max() <= 1
    # and what the page shows of the photo before is that frame
    shown = crop(Image.fromarray(picture), *size, 0.5, lifted.zoom).resize(size[::-1], Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(shown, int) - lifted.image).mean() < 1.5
    assert (lifted.image[0] == colour).all() or (lifted.image[:, 0] == colour).all()  # to the bit


def test_a_format_cuts_the_product_where_the_backdrop_cannot_go_on(pipe):
    bar = np.s_[140:150, 40:260]
    for options in ({"slope": 0.15}, {"middle": (0.5, 0.9)}):  # light falls off; the photo's own rim cuts it
        picture, product = product_photo(height=300, width=300, **options)
        picture[bar] = (90, 60, 40)
        lifted, _ = suited_to(pipe, picture, ProductDepth(product))
        assert lifted.plate is not None and lifted.zoom == 1 and is_cropped(lifted)
        with pytest.raises(Refused, match="zoom=0.6 shows more than the photo"):
            pipe.lift(picture, *UPRIGHT, zoom=0.6, estimator=ProductDepth(product))
    with pytest.raises(Refused, match="zoom=0.9 shows more than the photo"):
        pipe.lift(photo(180, 240), 144, 192, zoom=0.9, estimator=lambda *_: pytest.fail("measured"))


def test_what_the_rim_of_the_photo_cuts_off_is_not_the_formats_doing(pipe):
    picture, product = product_photo(height=300, width=400, middle=(0.5, 0.95))
    lifted = pipe.lift(picture, 144, 192, estimator=ProductDepth(product))
    assert lifted.plate.backdrop.product[-1].any() and not is_cropped(lifted)
    closer = pipe.lift(product_photo(height=300, width=400)[0], 144, 192, zoom=1.5, estimator=ProductDepth(product))
    assert not is_cropped(closer)  # nor is it that of a closer frame, which somebody has chosen

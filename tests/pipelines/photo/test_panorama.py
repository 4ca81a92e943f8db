"""A panorama of 360 degrees: told from a photo, and seen flat at exactly the direction that was asked for."""

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from profiles import matrix_profile

from pipelines.errors import Refused
from pipelines.photo.frame import frame_camera
from pipelines.photo.panorama import Panorama
from pipelines.photo.picture import Picture, open_picture

XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description {}/></x:xmpmeta>'
XMP_OF_ELEMENTS = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description>{}</rdf:Description></x:xmpmeta>'
SPHERE = {"FullPanoWidthPixels": 800, "FullPanoHeightPixels": 400}
WHOLE = SPHERE | {"CroppedAreaImageWidthPixels": 800, "CroppedAreaImageHeightPixels": 400, "CroppedAreaTopPixels": 0}
NO_POLES = WHOLE | {"CroppedAreaImageHeightPixels": 300, "CroppedAreaTopPixels": 40}
HALF_ROUND = WHOLE | {"CroppedAreaImageWidthPixels": 400, "CroppedAreaImageHeightPixels": 200}
STRIP = WHOLE | {"CroppedAreaImageHeightPixels": 215, "CroppedAreaTopPixels": 130}


def rays(height: int, width: int) -> np.ndarray:
    """The direction of every pixel of a panorama: (H, W, 3), to the right, down, ahead."""
    longitude = ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    latitude = (0.5 - (np.arange(height)[:, None] + 0.5) / height) * np.pi
    level = np.cos(latitude)
    down = np.broadcast_to(-np.sin(latitude), (height, width))
    return np.stack([level * np.sin(longitude), down, level * np.cos(longitude)], axis=-1)


def colours(directions: np.ndarray) -> np.ndarray:
    """Every direction has a colour of its own, which changes slowly: (..., 3) 0..255."""
    return 127.5 + 120 * directions


def sphere(height: int = 400) -> Image.Image:
    return Image.fromarray(colours(rays(height, 2 * height)).round().astype(np.uint8))


def textured(height: int = 400) -> Image.Image:
    """Stripes and patches of a place all around, the same from either side of the seam; even at the poles."""
    x, y, z = np.moveaxis(rays(height, 2 * height), -1, 0)
    detail = np.sign(np.sin(23 * x + 5 * z)) + np.sign(np.sin(31 * y + 7 * x)) + np.sign(np.sin(19 * z - 11 * y))
    picture = 128 + 30 * detail * np.clip(3 * (1 - np.abs(y)), 0, 1) + 20 * y
    return Image.fromarray(np.repeat(picture[..., None], 3, axis=-1).clip(0, 255).astype(np.uint8))


def turned(yaw: float, pitch: float) -> np.ndarray:
    """Camera to world, (3, 3): first tilted up, then turned to the right."""
    yaw, pitch = np.radians(yaw), np.radians(pitch)
    up = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    right = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    return right @ up


# -- a flat view ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (90, 0), (-90, 20), (180, 0), (-180, -35), (37.5, 60), (5, -60)])
def test_every_pixel_of_a_flat_view_is_that_of_its_ray(yaw, pitch):
    view = Picture(sphere(), panorama=Panorama(sphere())).flat_view(yaw, pitch)
    width, height = view.image.size
    assert height / width == 0.75
    camera = frame_camera(view.image.size, height, width, view.focal_35mm)  # as the lift sees it
    assert camera.fov_degrees == pytest.approx(90)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    seen = np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(camera.K).T @ turned(yaw, pitch).T
    expected = colours(seen / np.linalg.norm(seen, axis=-1, keepdims=True))
    assert np.abs(np.asarray(view.image) - expected).max() < 1.6  # two roundings to whole levels, and bicubic


@pytest.mark.parametrize(
    ("yaw", "pitch", "name"),
    [(181, 0, "yaw"), (0, 61, "pitch"), (float("nan"), 0, "yaw"), ("0", 0, "yaw"), (0, True, "pitch")],
)
def test_other_directions_are_refused(yaw, pitch, name):
    with pytest.raises(Refused, match=f"{name}=.* degrees. Use 0."):
        Panorama(sphere()).flat_view(yaw, pitch)


def test_a_large_file_gives_a_finer_flat_view_than_the_photo_that_is_shown(tmp_path):
    textured(1200).save(tmp_path / "large.jpg", quality=95)
    picture = open_picture(tmp_path / "large.jpg")
    assert picture.image.width == 1920 and picture.flat_view(0, 0).image.width == 760  # 2400 / pi, in fours


# -- how a panorama is told -------------------------------------------------------------------------------------------


def save_with_xmp(image: Image.Image, path, facts: dict, form: str = XMP):
    facts = {"ProjectionType": "equirectangular"} | facts
    pattern = 'GPano:{}="{}"' if form is XMP else "<GPano:{0}>{1}</GPano:{0}>"
    xmp = form.format(" ".join(pattern.format(*entry) for entry in facts.items()))
    in_png = PngInfo()
    in_png.add_itxt("XML:com.adobe.xmp", xmp, zip=True)
    image.save(path, **{"pnginfo": in_png} if path.suffix == ".png" else {"xmp": xmp.encode()})
    return path


def photo(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("form", [XMP, XMP_OF_ELEMENTS])
@pytest.mark.parametrize("name", ["pano.jpg", "pano.png", "pano.webp"])
def test_a_panorama_is_told_by_its_metadata(tmp_path, form, name):
    found = open_picture(save_with_xmp(photo(800, 400), tmp_path / name, WHOLE, form)).panorama
    assert (found.low, found.high) == (-90, 90)


def test_one_without_poles_keeps_its_elevations_and_refuses_to_look_beyond_them(tmp_path):
    picture = open_picture(save_with_xmp(photo(800, 300), tmp_path / "pano.jpg", NO_POLES))
    assert (picture.panorama.high, picture.panorama.low) == (72, -63)
    picture.flat_view(100, 20)
    with pytest.raises(Refused, match="A view 40 degrees up leaves this panorama, which shows -63 to 72 degrees"):
        picture.flat_view(0, 40)


@pytest.mark.parametrize(
    ("facts", "size"),
    [
        ({"ProjectionType": "cylindrical"} | WHOLE, (800, 400)),
        (HALF_ROUND, (800, 400)),  # not all around
        (WHOLE, (500, 400)),  # cut afterwards: the metadata are of another picture
        ({"FullPanoWidthPixels": "wide"}, (500, 400)),
        (STRIP, (800, 215)),  # a flat view would leave it
    ],
    ids=["cylinder", "half round", "cut", "no numbers", "strip"],
)
def test_what_is_no_panorama_all_around_is_a_photo(tmp_path, facts, size):
    picture = open_picture(save_with_xmp(photo(*size), tmp_path / "photo.jpg", facts))
    assert picture.panorama is None
    with pytest.raises(Refused, match="no panorama of 360 degrees"):
        picture.flat_view(0, 0)


def test_without_metadata_it_is_told_by_its_shape_rims_and_poles(tmp_path):
    def opened(pixels) -> Picture:
        Image.fromarray(np.ascontiguousarray(pixels)).save(tmp_path / "picture.png")
        return open_picture(tmp_path / "picture.png")

    whole = np.asarray(textured())
    for panorama in (whole, np.roll(whole, 333, axis=1)):
        assert opened(panorama).panorama is not None
    product = np.full_like(whole, 250)
    shade = np.broadcast_to(np.linspace(250, 180, 400)[:, None, None], whole.shape).astype(np.uint8).copy()
    for ground in (product, shade):
        ground[100:300, 300:500] = (180, 30, 40)
    others = {
        "another shape": whole[:, 100:-100],
        "rims that are no neighbours": np.concatenate([whole[:, :400], whole[:, 100:500]], axis=1),
        "no poles": np.concatenate([whole[200:], whole[:200]]),
        "a product": product,
        "a product before a shade": shade,
    }
    assert [name for name, pixels in others.items() if opened(pixels).panorama is not None] == []
    pillars = opened(np.pad(whole[:, ::2], ((0, 0), (200, 200), (0, 0))))
    assert pillars.panorama is None and pillars.bars.sides == ("left", "right")


def test_a_flat_view_has_the_colours_of_the_photo(tmp_path):
    """What the file says of its colours, here a wide gamut, counts for the panorama as for the photo."""
    textured(300).save(tmp_path / "plain.png")
    textured(300).save(tmp_path / "wide.png", icc_profile=matrix_profile())
    plain, wide = (open_picture(tmp_path / name) for name in ("plain.png", "wide.png"))
    assert np.array_equal(np.asarray(wide.panorama.image), np.asarray(wide.image))
    assert np.abs(np.asarray(wide.image).astype(int) - np.asarray(plain.image)).mean() > 1

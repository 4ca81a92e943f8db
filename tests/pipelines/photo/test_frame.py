"""The frame of a clip in a photo: one frame, whether it is cropped, scaled or seen by a camera."""

import numpy as np
import pytest
from PIL import Image

from pipelines.media.photos import focal_pixels
from pipelines.photo.frame import MARGIN, cover_scale, crop, crop_size, frame_camera, framed

SIZES = [(72, 128), (128, 72), (96, 96)]  # of clips, (height, width)


def ramps(height=90, width=150) -> Image.Image:
    """A photo whose red tells the column and whose green the row, 1.5 levels a pixel."""
    rows, columns = np.indices((height, width)) * 1.5
    return Image.fromarray(np.stack([columns, rows, 0 * rows], axis=-1).astype(np.uint8))


@pytest.mark.parametrize("zoom", [1.0, 1.2, 1.5])
@pytest.mark.parametrize("focus", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("size", SIZES)
def test_what_is_cropped_is_what_the_clip_shows(size, focus, zoom):
    photo = ramps()
    part = framed(photo, *size, focus, zoom, 2)
    shown = part.pixels[part.kept][part.frame]
    cropped = np.array(crop(photo, *size, focus, zoom).resize(size[::-1], Image.Resampling.LANCZOS))
    assert shown.shape == (*size, 3)
    assert np.abs(shown.astype(int) - cropped)[4:-4, 4:-4].max() <= 3  # two of the photo's pixels
    ratio = np.divide(*crop_size(photo.size, *size))
    assert ratio == pytest.approx(size[1] / size[0], rel=0.02)


@pytest.mark.parametrize("zoom", [1.0, 1.5])
@pytest.mark.parametrize("focus", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("size", SIZES)
def test_what_is_kept_is_the_frame_and_half_of_it_around_in_whole_tokens(size, focus, zoom):
    step = 8
    part = framed(ramps(), *size, focus, zoom, step)
    kept, frame = part.pixels[part.kept], part.frame
    assert np.array_equal(kept[frame], part.pixels[part.top :, part.left :][: size[0], : size[1]])
    for axis, (side, start) in enumerate(zip(size, (part.top, part.left), strict=True)):
        before, after = frame[axis].start, kept.shape[axis] - frame[axis].stop
        there = start, part.pixels.shape[axis] - start - side
        for margin, room in zip((before, after), there, strict=True):
            assert margin % step == 0 and min(room, MARGIN * side) - step < margin <= min(room, MARGIN * side)


@pytest.mark.parametrize("size", SIZES)
def test_a_camera_by_focal_length_and_one_by_angle_agree(size):
    photo, fov = (size[1] * 3, size[0] * 3), 50.0  # of the clip's shape
    by_angle = frame_camera(photo, *size, fov_degrees=fov, zoom=1.2)
    across_long_side = max(photo) / 2 / np.tan(np.radians(fov) / 2)  # pixels of the photo
    focal_35mm = across_long_side / focal_pixels(1.0, photo[1], photo[0])
    by_focal = frame_camera(photo, *size, focal_35mm=focal_35mm, zoom=1.2)
    assert np.allclose(by_focal.K, by_angle.K) and np.array_equal(by_focal.c2w, by_angle.c2w)


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_that_is_cut_from_a_photo_keeps_its_lens(size):
    photo = 400, 300
    camera = frame_camera(photo, *size, focal_35mm=28.0)
    assert camera.K[0, 0] / cover_scale(photo, *size) == pytest.approx(focal_pixels(28.0, 300, 400))
    assert (camera.K[0, 2], camera.K[1, 2]) == (size[1] / 2, size[0] / 2)
    assert frame_camera(photo, *size, focal_35mm=28.0, zoom=1.5).K[0, 0] == 1.5 * camera.K[0, 0]

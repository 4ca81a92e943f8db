"""Photo intake and clip writing: what is refused, what is dropped, what survives the round trip."""

import io
import os
import struct
import subprocess
import sys
import tracemalloc
import zlib

import av
import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from pipelines.media.clips import read_recipe, write_mp4, write_poster
from pipelines.media.photos import PhotoError, focal_pixels, open_photo, read_focal


def picture(height=96, width=160) -> np.ndarray:
    """A smooth picture whose corners differ: red grows to the right, green downwards."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 / width, y * 255 / height, np.full_like(x, 90.0)], -1).astype(np.uint8)
    pixels[: height // 4, : width // 4] = 200  # a photo has edges
    return pixels


def clip(count=9, height=96, width=160) -> np.ndarray:
    return np.stack([np.roll(picture(height, width), 3 * index, axis=1) for index in range(count)])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tiff", ".gif", ".avif", ".heic"])
def test_common_formats_open_with_their_pixels(tmp_path, suffix):
    Image.fromarray(picture()).save(tmp_path / f"photo{suffix}")
    opened = np.asarray(open_photo(tmp_path / f"photo{suffix}"))
    assert opened.shape == (96, 160, 3)
    assert np.abs(opened.astype(int) - picture()).mean() < 12  # a GIF has 256 colours


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_photo_upright_and_nothing_of_it_stays(tmp_path, orientation):
    turned_back = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]  # Image.Transpose that undoes it
    image = Image.fromarray(picture())
    if turned_back is not None:
        image = image.transpose(Image.Transpose(turned_back))
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (45.0, 4.0, 12.0)
    exif.get_ifd(IFD.Exif)[Base.FocalLengthIn35mmFilm] = 26
    image.save(tmp_path / "photo.jpg", exif=exif, quality=95, comment=b"shot at home")

    opened = open_photo(tmp_path / "photo.jpg")
    assert np.abs(np.asarray(opened).astype(int) - picture()).mean() < 3
    assert not opened.getexif() and not opened.info
    assert read_focal(tmp_path / "photo.jpg") == 26


def test_focal_in_35mm_terms_compares_diagonals():
    assert focal_pixels(36, 2400, 3600) == pytest.approx(3600)  # 36 mm on a 36 mm wide film: as long as wide


def test_large_photos_come_down_and_transparency_becomes_white(tmp_path):
    Image.fromarray(picture(1500, 2500)).save(tmp_path / "large.jpg")
    assert open_photo(tmp_path / "large.jpg").size == (1920, 1152)
    clear = Image.new("RGBA", (80, 80), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 20, 80))
    clear.save(tmp_path / "clear.png")
    assert open_photo(tmp_path / "clear.png").getpixel((40, 40)) == (255, 255, 255)


def test_sixteen_bit_and_cmyk_photos_keep_their_tones(tmp_path):
    for brightest in (65535, 30000):  # a dark photo stays dark
        ramp = np.linspace(0, brightest, 128 * 128).reshape(128, 128).astype(np.uint16)
        Image.fromarray(np.roll(ramp, 64, axis=0)).save(tmp_path / "deep.png")
        assert np.asarray(open_photo(tmp_path / "deep.png")).mean() == pytest.approx(brightest / 514, abs=2)
    printed = Image.new("CMYK", (80, 80), (0, 0, 0, 0))
    printed.paste((0, 0, 0, 255), (0, 0, 20, 80))
    printed.save(tmp_path / "print.jpg", quality=95)
    assert min(open_photo(tmp_path / "print.jpg").getpixel((40, 40))) > 250


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


def photo_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture(400, 600)).save(buffer, "JPEG")
    return buffer.getvalue()


def png_bytes(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 not a photo", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "not an image"),
        (photo_bytes()[:2000], "damaged or cut short"),
        (png_header(9000, 6000), "54 megapixels, at most 50"),
        (png_header(60000, 60000), "3600 megapixels, at most 50"),
        (png_header(200, 40), "200x40 pixels, each side needs at least 64"),
        (png_header(1000, 200), "5.0 times as long as wide, at most 4"),
        (png_bytes(np.zeros((90, 160, 3))), "strongest edge is 0 of 255, at least 8"),  # all black
        (png_bytes(np.linspace((90, 140, 220), (200, 220, 250), 90)[:, None].repeat(160, 1)), "surface or sky"),
    ],
)
def test_bad_photos_get_one_sentence(tmp_path, data, sentence):
    (tmp_path / "photo.jpg").write_bytes(data)
    with pytest.raises(PhotoError, match=sentence) as refused:
        open_photo(tmp_path / "photo.jpg")
    assert str(refused.value).endswith(".")


def test_a_huge_photo_is_refused_before_it_is_decoded(tmp_path):
    (tmp_path / "bomb.png").write_bytes(png_header(9000, 6000))
    tracemalloc.start()
    with pytest.raises(PhotoError, match="megapixels"):
        open_photo(tmp_path / "bomb.png")
    assert tracemalloc.get_traced_memory()[1] < 5e6  # the pixels would take 162 MB
    tracemalloc.stop()


def test_a_heavy_file_is_refused_by_its_size(tmp_path):
    with (tmp_path / "photo.jpg").open("wb") as file:
        file.truncate(41_000_000)  # a sparse file: no 41 MB are written
    with pytest.raises(PhotoError, match="41 MB, at most 40 MB"):
        open_photo(tmp_path / "photo.jpg")


def test_mp4_round_trip_keeps_frames_colours_and_recipe(tmp_path):
    recipe = {"seed": 7, "move": "gentle-arc", "note": "è qui", "c2w": np.eye(4).tolist() * 65}
    path = write_mp4(iter(clip()), tmp_path / "clip.mp4", fps=16, recipe=recipe)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, float(stream.average_rate)) == ("h264", "yuv420p", 16)
        assert stream.codec_context.colorspace == 1  # BT.709
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
    assert frames.shape == clip().shape
    assert np.abs(frames.astype(int) - clip()).mean() < 4  # a wrong colour matrix costs about 10
    assert read_recipe(path) == recipe
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]


def test_equal_frames_give_equal_files(tmp_path):
    files = [write_mp4(clip(), tmp_path / f"{i}.mp4", fps=16, recipe={"seed": 1}).read_bytes() for i in range(2)]
    assert files[0] == files[1]
    # with the tree on, a second clip of a photo differs by up to 31 of 255; drawn pictures are too simple to show it
    assert b"mbtree=0" in files[0]


def test_a_device_is_never_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    for name in ("pipe.mp4", "folder.mp4"):
        with pytest.raises(OSError, match=f"{name} could not be written .it is no file.. Choose another place"):
            write_mp4(clip(2), tmp_path / name, fps=16)
    assert (tmp_path / "pipe.mp4").is_fifo() and len(list(tmp_path.iterdir())) == 2


def test_a_file_without_a_recipe_has_none(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(ValueError, match="text.mp4 cannot be read as a video .Invalid data"):
        read_recipe(tmp_path / "text.mp4")
    assert read_recipe(write_mp4(clip(2), tmp_path / "clip.mp4", fps=16)) is None


def broken_frames():
    yield from clip(3)
    raise RuntimeError("the engine stopped")


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        (broken_frames(), "the engine stopped"),
        ([], "0 frames"),
        (clip(2, height=95), "even"),
        ([clip(1)[0], clip(1, height=98)[0]], "one size"),
        (clip(2).astype(np.float32), "uint8"),
    ],
)
def test_a_failed_clip_leaves_nothing_behind(tmp_path, frames, error):
    with pytest.raises((ValueError, RuntimeError), match=error):
        write_mp4(frames, tmp_path / "clip.mp4", fps=16)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_gives_a_sentence_and_leaves_the_old_clip(tmp_path):
    write_mp4(clip(2), tmp_path / "clip.mp4", fps=16)
    before = (tmp_path / "clip.mp4").read_bytes()
    code = """
import resource, signal, sys, numpy as np
from pipelines.media.clips import write_mp4, write_poster
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # every file stops growing here, as on a full disk
noise = np.random.default_rng(0).integers(0, 255, (20, 128, 128, 3), dtype=np.uint8)
path = sys.argv[1]
for write in (lambda: write_mp4(noise, path, fps=16), lambda: write_poster(np.vstack(noise), path + ".jpg")):
    try:
        write()
    except OSError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "clip.mp4"], capture_output=True, text=True)
    sentences = done.stdout.splitlines()
    assert len(sentences) == 2, done.stderr
    assert all("could not be written" in line and line.endswith("disk space.") for line in sentences)
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]
    assert (tmp_path / "clip.mp4").read_bytes() == before


def test_poster_is_a_jpeg_of_the_frame(tmp_path):
    write_poster(picture(), tmp_path / "poster.jpg")
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert poster.format == "JPEG" and poster.size == (160, 96)

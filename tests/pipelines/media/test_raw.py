"""Raw files: the largest picture in them is found whatever the layout, and those without one are refused by name."""

import struct

import numpy as np
import pytest
from helpers import photo
from photo_files import box, directory, encoded, tiff_raw
from PIL import Image

from pipelines.media import raw
from pipelines.media.photos import PhotoError, open_photo, read_focal

PIXELS = photo(480, 800)
THUMBNAIL = encoded(photo(120, 160)[::-1], "JPEG")
PREVIEW = encoded(PIXELS, "JPEG", quality=95)
LOSSLESS = (
    b"\xff\xd8\xff\xc3\0\x11\x0e" + struct.pack(">HH", 4000, 6000) + b"\x03" + bytes(64)
)  # as Canon and DNG store
SENSOR = {262: (32803,), 259: (1,), 256: (6000,), 257: (4000,), 273: (2,)}
PICTURES = [THUMBNAIL, PREVIEW, LOSSLESS]
TURNED = Image.fromarray(PIXELS).transpose(Image.Transpose.ROTATE_270)


def exif(orientation: int, focal: int | None = None) -> Image.Exif:
    found = Image.Exif()
    found[0x112] = orientation
    if focal:
        found.get_ifd(0x8769)[0xA405] = focal
    return found


def fuji() -> bytes:
    head = b"FUJIFILMCCD-RAW 0201FF159501X-T5".ljust(148, b"\0")
    return head + encoded(PIXELS, "JPEG", quality=95, exif=exif(6)) + bytes(5000)


def canon_3() -> bytes:
    tiff = b"II*\0" + struct.pack("<I", 8) + directory(8, {271: b"Canon\0", 274: (6,)})
    moov = box(b"moov", box(b"uuid", bytes(16), box(b"CNCV", bytes(30)), box(b"CMT1", tiff)))
    return box(b"ftyp", b"crx \0\0\0\1crx isom") + moov + box(b"mdat", *PICTURES)


NIKON = {271: b"NIKON CORPORATION\0", 274: (6,)}
LAYOUTS = {
    "NEF": tiff_raw(NIKON, SENSOR, PICTURES),
    "NEF big endian": tiff_raw(NIKON, SENSOR, PICTURES, ">"),
    "ARW": tiff_raw({271: b"SONY\0", 274: (6,)}, SENSOR, PICTURES),
    "PEF": tiff_raw({271: b"PENTAX Corporation \0", 274: (6,)}, SENSOR, PICTURES, ">"),
    "SRW": tiff_raw({271: b"SAMSUNG\0", 274: (6,)}, SENSOR, PICTURES),
    "DNG": tiff_raw({271: b"Google\0", 274: (6,), 50706: b"\1\4\0\0"}, SENSOR, PICTURES),
    "CR2": tiff_raw({271: b"Canon\0", 274: (6,)}, {259: (6,)}, PICTURES, mark=b"CR\2\0"),
    "ORF": tiff_raw({271: b"OLYMPUS\0", 274: (6,)}, {}, PICTURES, magic=b"IIRO"),
    "RW2": tiff_raw({271: b"Panasonic\0", 274: (6,)}, {}, PICTURES, magic=b"IIU\0"),
    "RAF": fuji(),
    "CR3": canon_3(),
}


def opened(tmp_path, data: bytes) -> tuple[Image.Image, list]:
    (tmp_path / "photo").write_bytes(data)
    remarks = []
    return open_photo(tmp_path / "photo", remarks.append), remarks


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_largest_picture_in_a_raw_file_is_taken_upright_and_said(tmp_path, name):
    image, [remark] = opened(tmp_path, LAYOUTS[name])
    assert image.size == (480, 800)
    assert np.abs(np.asarray(image).astype(int) - np.asarray(TURNED)).mean() < 3
    assert f"({name[:3]})" in remark and "800x480 pixels" in remark


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_raw_file_without_a_picture_is_refused_by_name(tmp_path, name):
    data = LAYOUTS[name].replace(b"\xff\xd8\xff", b"\0\0\0")
    with pytest.raises(PhotoError, match=rf"raw file of a camera \({name[:3]}\), and no picture in it is 640 pixels"):
        opened(tmp_path, data)


def test_a_thumbnail_alone_is_not_taken(tmp_path):
    with pytest.raises(PhotoError, match=r"raw file of a camera \(DNG\)"):
        opened(tmp_path, tiff_raw({50706: b"\1\4\0\0"}, {**SENSOR, 273: (0,)}, [LOSSLESS, THUMBNAIL]))
    with pytest.raises(PhotoError, match=r"raw file of a camera \(DNG\)"):  # nor one that is no JPEG
        small = {256: (256,), 257: (171,), 262: (2,), 273: (4096,), 50706: b"\1\4\0\0"}
        opened(tmp_path, tiff_raw(small, {**SENSOR, 273: (0,)}, [bytes(256 * 171 * 3)]))


def test_raw_data_that_are_jpegs_themselves_are_no_picture(tmp_path):
    """A lossy DNG cuts the sensor's picture into JPEG tiles, larger here than the preview."""
    tile = encoded(photo(900, 900), "JPEG")
    image, _ = opened(tmp_path, tiff_raw({50706: b"\1\4\0\0"}, {262: (34892,), 273: (0, 2)}, [tile, PREVIEW, tile]))
    assert image.size == (800, 480)


def test_a_preview_s_own_orientation_is_the_one_that_counts(tmp_path):
    upright = encoded(PIXELS, "JPEG", exif=exif(1))
    assert opened(tmp_path, tiff_raw(NIKON, SENSOR, [THUMBNAIL, upright, LOSSLESS]))[0].size == (800, 480)


def test_a_preview_above_the_limit_gives_way_to_the_next(tmp_path):
    huge = b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", 9000, 9000) + b"\x03" + bytes(9)
    assert opened(tmp_path, tiff_raw(NIKON, SENSOR, [huge, PREVIEW, LOSSLESS]))[0].size == (480, 800)


def test_the_focal_length_of_a_raw_file_is_read(tmp_path):
    data = tiff_raw({**NIKON, 34665: (2048,)}, SENSOR, PICTURES)
    (tmp_path / "photo").write_bytes(data[:2048] + directory(2048, {41989: (35,)}).ljust(64, b"\0") + data[2112:])
    assert read_focal(tmp_path / "photo") == 35
    (tmp_path / "photo").write_bytes(data)
    assert read_focal(tmp_path / "photo") is None


def test_a_tiff_that_a_program_exported_is_no_raw_file(tmp_path):
    image, remarks = opened(tmp_path, encoded(PIXELS, "TIFF", tiffinfo={271: "NIKON CORPORATION"}))
    assert image.size == (800, 480) and not remarks


@pytest.mark.parametrize("name", LAYOUTS)
def test_broken_raw_files_are_read_or_refused_and_nothing_else(tmp_path, name):
    rng = np.random.default_rng(0)
    for _ in range(12):
        data = bytearray(LAYOUTS[name][: rng.integers(8, len(LAYOUTS[name]))])
        for at in rng.integers(8, min(len(data), 1200), 20):
            data[at] = rng.integers(256)
        try:
            opened(tmp_path, bytes(data))
        except PhotoError:
            pass


def test_directories_that_lead_to_each_other_end():
    loop = b"II*\0" + struct.pack("<I", 8) + directory(8, {330: (8, 8), 271: b"x\0"}, after=8)
    assert raw.read_raw(loop) is None
    assert raw.read_raw(b"II*\0" + struct.pack("<I", 2**32 - 1)) is None

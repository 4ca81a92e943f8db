"""What a photo file says about its colours is what is seen: as Chromium shows it, where Chromium can."""

import base64
import io
import struct
import sys

import numpy as np
import pillow_heif
import pytest
from helpers import BROWSER, photo
from photo_files import avif, code_points, encoded, png, profile_chunk
from PIL import Image, ImageCms
from profiles import P3, grey_profile, matrix_profile, table_profile

from pipelines.media.photos import PhotoError, open_photo

PIXELS = photo(144, 256)
IMAGE = Image.fromarray(PIXELS)
GREY = IMAGE.convert("L")
DEEP = PIXELS.astype(np.uint16) * 257
WIDE = matrix_profile(P3, 1.8)
PLAIN = {"quality": 95, "subsampling": 0}

SHOWN = """async ([data, type]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([bytes], { type }));
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext('2d');
    context.fillStyle = 'white';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0);
    return canvas.toDataURL('image/png').split(',')[1];
}"""


def transparent(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def darker(values: np.ndarray) -> np.ndarray:
    return values[:, :3] ** 1.3


def printed(values: np.ndarray) -> np.ndarray:
    return ((1 - values[:, :3]) * (1 - values[:, 3:])) ** 1.3


def turned(kind: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x112] = orientation
    return encoded(IMAGE, kind, exif=exif)


XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>"""
FLIPPED = IMAGE.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
FRAMES = {"save_all": True, "append_images": [FLIPPED]}
ADOBE = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
CLL = b"cLLI", struct.pack(">II", 4000 * 10000, 400 * 10000)
SCREEN = b"mDCV", struct.pack(">8HII", *(35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450), 400 * 10000, 100)
SAME, HDR = 2, 15  # how far the mean may be off, of 255

CASES = {
    # ICC profiles
    "matrix jpeg": ("image/jpeg", encoded(IMAGE, "JPEG", icc_profile=WIDE, **PLAIN), SAME),
    "matrix webp": ("image/webp", encoded(IMAGE, "WEBP", icc_profile=WIDE, lossless=True), SAME),
    "matrix avif": ("image/avif", encoded(IMAGE, "AVIF", icc_profile=WIDE, quality=90), SAME),
    "table v2 jpeg": (
        "image/jpeg",
        encoded(IMAGE, "JPEG", icc_profile=table_profile(b"RGB ", 3, darker), **PLAIN),
        SAME,
    ),
    "table v4 png": ("image/png", encoded(PIXELS // 4, "PNG", icc_profile=table_profile(b"RGB ", 3, darker, 4)), SAME),
    "grey jpeg": ("image/jpeg", encoded(GREY, "JPEG", icc_profile=grey_profile(1.2), quality=95), SAME),
    "grey with colour profile": ("image/png", encoded(GREY, "PNG", icc_profile=matrix_profile(P3, 1.2)), SAME),
    "colour with grey profile": ("image/jpeg", encoded(IMAGE, "JPEG", icc_profile=grey_profile(1.2), **PLAIN), SAME),
    "grey 16 bit": ("image/png", png(np.asarray(GREY).astype(np.uint16) * 257, profile_chunk(grey_profile(1.2))), SAME),
    "print v2": (
        "image/jpeg",
        encoded(IMAGE.convert("CMYK"), "JPEG", icc_profile=table_profile(b"CMYK", 4, printed), quality=95),
        SAME,
    ),
    "print v4": (
        "image/jpeg",
        encoded(IMAGE.convert("CMYK"), "JPEG", icc_profile=table_profile(b"CMYK", 4, printed, 4), quality=95),
        SAME,
    ),
    "print without": ("image/jpeg", encoded(IMAGE.convert("CMYK"), "JPEG", quality=95), SAME),
    "palette": ("image/png", encoded(IMAGE.quantize(64), "PNG", icc_profile=WIDE), SAME),
    "palette, transparent": ("image/png", encoded(IMAGE.quantize(64), "PNG", icc_profile=WIDE, transparency=3), SAME),
    "transparent": ("image/png", encoded(transparent(IMAGE), "PNG", icc_profile=WIDE), SAME),
    "grey, transparent": ("image/png", encoded(transparent(GREY), "PNG", icc_profile=grey_profile(1.2)), SAME),
    "no profile at all": ("image/jpeg", encoded(IMAGE, "JPEG", icc_profile=b"This is no profile" * 20, **PLAIN), SAME),
    "profile cut short": ("image/png", encoded(IMAGE, "PNG", icc_profile=WIDE[:200]), SAME),
    # code points and gamma
    "png p3": ("image/png", png(PIXELS, code_points(12, 13)), SAME),
    "png p3, 16 bit": ("image/png", png(DEEP, code_points(12, 13)), SAME),
    "png bt2020": ("image/png", png(PIXELS, code_points(9, 14)), SAME),
    "png bt709": ("image/png", png(PIXELS, code_points(1, 1)), SAME),
    "png before profile": ("image/png", png(PIXELS, code_points(12, 13), profile_chunk(matrix_profile(P3, 1.0))), SAME),
    "png unspecified": ("image/png", png(PIXELS, code_points(2, 2)), SAME),
    "png linear": ("image/png", png(PIXELS, (b"gAMA", struct.pack(">I", 100000))), SAME),
    "png gamma of sRGB": ("image/png", png(PIXELS, (b"gAMA", struct.pack(">I", 45455))), SAME),
    "png gamma and adobe": ("image/png", png(PIXELS, (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", ADOBE)), SAME),
    "png sRGB": ("image/png", png(PIXELS, (b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100000))), SAME),
    "avif p3": ("image/avif", avif(PIXELS, 12, 13), SAME),
    "avif bt2020": ("image/avif", avif(PIXELS, 9, 14), SAME),
    "avif bt709": ("image/avif", avif(PIXELS, 1, 1), SAME),
    "avif bt601": ("image/avif", avif(PIXELS, 6, 6), SAME),
    # HDR
    "png pq": ("image/png", png(DEEP // 4 * 3, code_points(9, 16)), HDR),
    "png pq, bright": ("image/png", png(DEEP, code_points(9, 16), CLL), HDR),
    "png pq, dim screen": ("image/png", png(DEEP // 4 * 3, code_points(9, 16), SCREEN), HDR),
    "png pq p3": ("image/png", png(DEEP // 4 * 3, code_points(12, 16)), HDR),
    "png hlg": ("image/png", png(DEEP, code_points(9, 18)), HDR),
    "avif pq": ("image/avif", avif(PIXELS // 4 * 3, 9, 16), HDR),
    "avif hlg": ("image/avif", avif(PIXELS, 9, 18), HDR),
    "profile that says pq": (
        "image/png",
        encoded(PIXELS // 4 * 3, "PNG", icc_profile=matrix_profile(P3, 2.2, {b"cicp": b"cicp\0\0\0\0\x09\x10\0\1"})),
        HDR,
    ),
    # which way up, and which of several pictures
    "turned jpeg": ("image/jpeg", turned("JPEG", 6), SAME),
    "turned png": ("image/png", turned("PNG", 5), SAME),
    "turned webp": ("image/webp", turned("WEBP", 6), SAME),
    "turned avif": ("image/avif", turned("AVIF", 7), SAME),
    "turned in xmp alone": ("image/jpeg", encoded(IMAGE, "JPEG", xmp=XMP, **PLAIN), SAME),
    "gif": ("image/gif", encoded(IMAGE, "GIF", **FRAMES), SAME),
    "animated webp": ("image/webp", encoded(IMAGE, "WEBP", lossless=True, **FRAMES), SAME),
    "animated png": ("image/png", encoded(IMAGE, "PNG", **FRAMES), SAME),
    "several in a jpeg": ("image/jpeg", encoded(IMAGE, "MPO", quality=95, **FRAMES), SAME),  # as gain maps come
}


def opened(tmp_path, data: bytes) -> tuple[np.ndarray, list]:
    """The photo as (H, W, 3) whole numbers, and what was said of it."""
    (tmp_path / "photo").write_bytes(data)  # as the page uploads it: without a telling name
    remarks = []
    return np.asarray(open_photo(tmp_path / "photo", remarks.append)).astype(int), remarks


@pytest.fixture(scope="module")
def chromium(browser):
    page = browser.new_page()
    yield lambda kind, data: np.asarray(
        Image.open(io.BytesIO(base64.b64decode(page.evaluate(SHOWN, [base64.b64encode(data).decode(), kind])))).convert(
            "RGB"
        )
    )
    page.close()


class TestAsChromiumShowsIt:
    pytestmark = BROWSER

    @pytest.mark.parametrize("case", CASES)
    def test_photos_look_as_in_a_browser(self, tmp_path, chromium, case):
        kind, data, tolerance = CASES[case]
        ours, remarks = opened(tmp_path, data)
        shown = chromium(kind, data)
        assert ours.shape == shown.shape
        assert np.abs(ours - shown).mean() <= tolerance
        assert any("HDR" in remark for remark in remarks) == (tolerance == HDR)
        assert any("profile" in remark for remark in remarks) == (case in ("no profile at all", "profile cut short"))

    def test_the_cases_would_look_wrong_without_being_read(self, chromium):
        """Nothing above passes because colours were passed over: most are more than the tolerance from plain pixels."""
        plain = ("unspecified", "gamma of sRGB", "sRGB", "turned", "without", "with grey", "cut", "no profile", "video")
        coloured = [
            n for n in CASES if not any(word in n for word in (*plain, "gif", "animated", "several", "bt709", "bt601"))
        ]
        for name in coloured:
            kind, data, tolerance = CASES[name]
            unread = Image.open(io.BytesIO(data))
            if unread.mode.startswith("I;16"):
                unread = Image.fromarray((np.asarray(unread) >> 8).astype(np.uint8))
            over = Image.new("RGBA", unread.size, "white")
            over.alpha_composite(unread.convert("RGBA"))
            assert np.abs(np.asarray(over.convert("RGB")).astype(int) - chromium(kind, data)).mean() > tolerance, name


# ---- what Chromium cannot show: against the picture it was made from ----------------------------------------------


def heic(**options) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(options.pop("image", IMAGE)).save(buffer, quality=95, chroma=444, **options)
    return buffer.getvalue()


def off(ours: np.ndarray, wanted: Image.Image) -> float:
    wanted = np.asarray(wanted.convert("RGB")).astype(int)
    assert ours.shape == wanted.shape
    return np.abs(ours - wanted).mean()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_once_by_its_own_boxes(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation  # phones write it both ways
    upright = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    wanted = IMAGE if orientation == 1 else IMAGE.transpose(Image.Transpose(upright[orientation]))
    assert off(opened(tmp_path, heic(exif=exif.tobytes()))[0], wanted) <= SAME


def test_of_several_pictures_in_a_heic_the_main_one_is_taken(tmp_path):
    buffer = io.BytesIO()
    images = pillow_heif.from_pillow(FLIPPED)
    images.add_from_pillow(IMAGE)
    images.save(buffer, quality=95, chroma=444, primary_index=1)
    assert off(opened(tmp_path, buffer.getvalue())[0], IMAGE) <= SAME


def test_heic_with_the_brands_of_gain_maps_opens(tmp_path):
    data = heic()
    length = int.from_bytes(data[:4])
    brands = b"tmapheicmif1MiHB"  # in the room of the old ones, and more: offsets in the file must not move
    changed = data[:8] + data[8:16] + (brands * 4)[: length - 16] + data[length:]
    assert off(opened(tmp_path, changed)[0], IMAGE) <= SAME


def test_wide_and_hdr_heic_equal_the_same_in_a_png(tmp_path):
    options = {"matrix_coefficients": 9, "full_range_flag": 1}
    for primaries, transfer in ((12, 13), (9, 16), (9, 18)):
        points = {"color_primaries": primaries, "transfer_characteristics": transfer}
        deep = pillow_heif.from_bytes("RGB;16", IMAGE.size, (DEEP // 4 * 3).tobytes())
        deep.save(buffer := io.BytesIO(), quality=95, chroma=444, **points, **options)
        same, said = opened(tmp_path, png(DEEP // 4 * 3, code_points(primaries, transfer)))
        ours, remarks = opened(tmp_path, buffer.getvalue())
        assert np.abs(ours - same).mean() <= SAME and remarks == said
    wide, _ = opened(tmp_path, encoded(IMAGE, "PNG", icc_profile=WIDE))
    assert np.abs(opened(tmp_path, heic(icc_profile=WIDE))[0] - wide).mean() <= SAME


def test_an_animated_avif_gives_its_first_picture(tmp_path):
    """Chromium 156 takes the full range of such files for that of video, and shows too much contrast."""
    assert (
        off(opened(tmp_path, encoded(IMAGE, "AVIF", quality=95, **FRAMES))[0], IMAGE) <= 4
    )  # coded as video, with loss


def test_tiffs_open_with_their_colours(tmp_path):
    wide, _ = opened(tmp_path, encoded(IMAGE, "PNG", icc_profile=WIDE))
    assert np.abs(opened(tmp_path, encoded(IMAGE, "TIFF", icc_profile=WIDE))[0] - wide).mean() == 0
    lab = ImageCms.profileToProfile(
        IMAGE, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert off(opened(tmp_path, encoded(lab, "TIFF"))[0], IMAGE) <= SAME
    for orientation, wanted in ((5, 5), (6, 4), (7, 6), (8, 2)):
        turned_tiff = encoded(IMAGE, "TIFF", tiffinfo={274: orientation})
        assert off(opened(tmp_path, turned_tiff)[0], IMAGE.transpose(Image.Transpose(wanted))) == 0


def test_jpeg_xl_opens_where_its_plug_in_is_and_is_named_where_not(tmp_path, monkeypatch):
    import pillow_jxl  # noqa: F401  the tests' own requirements bring it

    data = encoded(IMAGE, "JXL", lossless=True)
    assert off(opened(tmp_path, data)[0], IMAGE) <= SAME
    large = encoded(Image.new("L", (9000, 6000)), "JXL", lossless=True, effort=1)
    with pytest.raises(PhotoError, match="54 megapixels, at most 50"):  # from the header: the plug-in decodes at once
        opened(tmp_path, large)
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(PhotoError, match="This is a JPEG XL photo, which cannot be read here"):
        opened(tmp_path, data)


def test_the_pixels_of_a_jpeg_xl_are_not_decoded_before_its_size_is_judged(tmp_path, monkeypatch):
    import pillow_jxl.JpegXLImagePlugin as plug_in

    monkeypatch.setattr(plug_in, "Decoder", lambda **_: pytest.fail("decoded"))
    with pytest.raises(PhotoError, match="50x400 pixels"):
        opened(tmp_path, encoded(Image.new("RGB", (50, 400)), "JXL"))

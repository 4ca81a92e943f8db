"""What a photo file says about its colours is carried out: ICC profiles, code points (cICP, nclx), PNG's gamma."""

import io
import struct
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageCms

from pipelines.errors import Sentence
from pipelines.media import light
from pipelines.media.boxes import primary_properties

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_PEAK_NITS = 10000  # of PQ


def plain(image: Image.Image) -> Image.Image:
    """Any mode -> the same picture as L, LA, RGB, RGBA, CMYK or LAB, 8 bits, its info kept."""
    if image.mode.startswith(("I", "F")):  # 16 bits and more per pixel: Pillow would clip instead of scaling
        values = np.asarray(image, dtype=np.float64)
        white = 65535 if image.mode.startswith("I;16") else max(values.max(), 1)  # others do not say what white is
        grey = Image.fromarray((values * (255 / white)).clip(0, 255).astype(np.uint8), "L")
        grey.info = image.info
        return grey
    if image.mode in ("1", "L", "LA", "La"):
        return image.convert("LA" if image.has_transparency_data else "L")
    if image.mode in ("CMYK", "LAB"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def to_srgb(image: Image.Image, data: bytes, remark: Callable[[Sentence], None]) -> Image.Image:
    """A plain image -> RGB in sRGB, its transparency laid on white.

    image: of a mode that `plain` gives. data: the file that it was decoded from. remark: is told what a person who
    looks at the colours should know.
    """
    alpha = image.getchannel("A") if image.mode.endswith("A") else None
    if alpha is not None:
        info, image = image.info, image.convert(image.mode[:-1])
        image.info = info
    encoding = _encoding(image, data)
    if encoding is not None:
        image = Image.fromarray(light.to_srgb(np.asarray(image.convert("RGB")), encoding), "RGB")
        if encoding.is_hdr:
            remark(
                Sentence(
                    "The photo is HDR: its brightest parts are brought down to what a clip can show, as browsers do."
                )
            )
    elif image.info.get("icc_profile", b"") != b"":
        image = _by_profile(image, remark)
    elif image.mode == "LAB":
        image = ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), _SRGB, outputMode="RGB")
    image = image.convert("RGB")
    if alpha is not None:
        image = Image.composite(image, Image.new("RGB", image.size, "white"), alpha)
    return image


_SRGB = ImageCms.createProfile("sRGB")


def _by_profile(image: Image.Image, remark: Callable[[Sentence], None]) -> Image.Image:
    """An image in the colours of its ICC profile -> in sRGB; as it is where the profile is of other channels."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"] or b""))
        space = profile.profile.xcolor_space.strip()
        if space == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        if image.mode != {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}.get(space):
            return image  # browsers pass over it as well
        # not perceptual, which would lift the blacks of tables
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        return ImageCms.profileToProfile(image, profile, _SRGB, intent, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        remark(
            Sentence(
                "The colour profile of the photo cannot be read, so its colours are taken as sRGB. If they look wrong, "
                "export the photo as sRGB."
            )
        )
        return image


# ---- what the file says -----------------------------------------------------------------------------------------


def _encoding(image: Image.Image, data: bytes) -> light.Encoding | None:
    """How the file says its RGB values are to be read; None where an ICC profile says it, or nothing does."""
    if image.mode not in ("L", "RGB"):
        return None
    profile = image.info.get("icc_profile")
    if data.startswith(PNG_SIGNATURE):
        chunks = dict(_chunks(data))
        if code_points := chunks.get(b"cICP"):
            return light.encoding(*code_points[:2], _png_peak(chunks)) if len(code_points) == 4 else None
        if not profile and b"sRGB" not in chunks:
            return _gamma(image)
    if profile:
        tag = _profile_tag(profile, b"cicp")
        return light.encoding(*tag[8:10]) if len(tag) >= 12 else None
    if nclx := image.info.get("nclx_profile"):  # HEIF
        return _nclx(int(nclx["color_primaries"]), int(nclx["transfer_characteristics"]), data)
    if data[4:8] == b"ftyp":
        colr = [value for kind, value in primary_properties(data) if kind == b"colr" and value.startswith(b"nclx")]
        if colr and len(colr[0]) >= 8:
            return _nclx(*struct.unpack(">HH", colr[0][4:8]), data)
    return None


def _nclx(primaries: int, transfer: int, data: bytes) -> light.Encoding | None:
    """Here browsers take the curves of video for that of sRGB, in a PNG they do not."""
    return light.encoding(primaries, 13 if transfer in light.VIDEO else transfer, _box_peak(data))


def _gamma(image: Image.Image) -> light.Encoding | None:
    """PNG's gAMA and cHRM."""
    gamma, points = image.info.get("gamma"), image.info.get("chromaticity")
    if not gamma or not 0.1 < gamma < 10:
        return None
    if not points:  # 1/2.2 is what programs write for sRGB
        return None if abs(gamma - 1 / 2.2) < 0.001 else light.Encoding(light.BT709, light.power(1 / gamma))
    white, *primaries = zip(points[::2], points[1::2], strict=True)
    if min(y for _, y in (white, *primaries)) <= 0:
        return None
    return light.Encoding((*primaries, white), light.power(1 / gamma))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, content) of the chunks of a PNG before its pixels."""
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        if name == b"IDAT":
            return
        yield name, data[at + 8 : at + 8 + length]
        at += length + 12


def _png_peak(chunks: dict[bytes, bytes]) -> float:
    """Nits of the brightest pixel, else of the screen that the picture was made on; 0 where nothing says it."""
    for name, offset in ((b"cLLI", 0), (b"mDCV", 16)):
        value = chunks.get(name, b"")
        if len(value) >= offset + 8 and (nits := struct.unpack(">I", value[offset : offset + 4])[0] / 10000):
            return min(nits, MAX_PEAK_NITS)
    return 0


def _box_peak(data: bytes) -> float:
    """The same of AVIF and HEIF."""
    properties = dict(primary_properties(data))
    level, screen = properties.get(b"clli", b""), properties.get(b"mdcv", b"")
    if len(level) >= 4 and (nits := struct.unpack(">H", level[:2])[0]):
        return min(nits, MAX_PEAK_NITS)
    return min(struct.unpack(">I", screen[16:20])[0] / 10000, MAX_PEAK_NITS) if len(screen) >= 24 else 0


def _profile_tag(profile: bytes, name: bytes) -> bytes:
    """One tag of an ICC profile; empty where there is none."""
    count = min(int.from_bytes(profile[128:132]), 100)
    for index in range(count):
        entry = profile[132 + 12 * index : 144 + 12 * index]
        if entry[:4] == name and len(entry) == 12:
            offset, length = struct.unpack(">II", entry[4:])
            return profile[offset : offset + length]
    return b""

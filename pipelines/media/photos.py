"""A photo file becomes pixels: upright, in sRGB, without metadata; what cannot be one is refused with a reason."""

import io
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageOps
from PIL.ExifTags import IFD, Base

from pipelines.errors import Refused, Sentence
from pipelines.media import colour, jpeg_xl, raw

# No vector or page formats: Pillow hands those to outside programs. JPEG includes the multi-picture files of phones.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF")
TURNED_BY_EXIF = ("JPEG", "PNG", "TIFF", "AVIF")  # as browsers do; of AVIF, Pillow writes there how it is turned
MAX_MEGAPIXELS = 50
MAX_MEGABYTES = 40
MIN_SIDE = 64  # pixels
MAX_ASPECT = 4.0  # long side over short side
MAX_SIDE = 1920  # pixels after downscaling: the largest clip there is
# Of 255, between neighbours on a grid of 64: photos of places reach 65 and more, a clear or overcast sky 2 to 4
MIN_EDGE = 8

# the picture itself is always decoded, never a thumbnail beside it
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


class PhotoError(Refused):
    """A photo that is refused."""


def open_photo(
    path: str | os.PathLike, remark: Callable[[Sentence], None] = lambda sentence: None, max_side: int = MAX_SIDE
) -> Image.Image:
    """A photo file -> RGB image, upright, at most max_side pixels on its long side, in sRGB, without any metadata.

    Size and shape are judged from the header, before a pixel is decoded. Of a raw file the picture that the camera put
    into it is taken. Colours are those that a browser shows: ICC profiles and code points are followed, HDR is tone
    mapped. Transparency is laid on white and kept beside the pixels (see `alpha_of`), the first frame of an animation
    is taken. A picture without any edge, such as a black one or a clear sky, is refused, since no move could be seen in
    it.

    remark: is called with each thing that a person should know of how the file was read.
    Raises PhotoError (a ValueError) with one sentence: value, limit, fix.
    """
    data = _read(Path(path))
    if (raw_file := raw.read_raw(data)) is not None:
        data = _preview(data, raw_file, remark)
    image = _open_header(data)
    try:
        if image.format == "JPEG":
            # decodes straight to a half or a quarter of its size: faster, and less memory
            image.draft("RGB", (max_side, max_side))
        image = colour.plain(_upright(image, raw_file.orientation if raw_file else 1))
        alpha = image.getchannel("A") if image.mode.endswith("A") else None
    except Exception as error:  # decoders raise almost anything on broken data
        raise PhotoError(
            "The photo is damaged or cut short and cannot be read to its end. Copy or export it again."
        ) from error
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    image = colour.to_srgb(image, data, remark)
    edge = _strongest_edge(image)
    if edge < MIN_EDGE:
        raise PhotoError(
            "The photo shows only an even surface or sky: its strongest edge is {edge} of 255, at least {limit} is "
            "needed. Choose a photo of a place or a product.",
            edge=edge,
            limit=MIN_EDGE,
        )
    # a new image from pixels alone: no EXIF, GPS, comments or profiles can follow
    plain = Image.fromarray(np.array(image), "RGB")
    if alpha is not None:
        plain.info["alpha"] = alpha.resize(plain.size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return plain


def alpha_of(photo: Image.Image) -> Image.Image | None:
    """The own transparency of a photo that `open_photo` gave, "L", 0 clear .. 255 opaque; None where it has none.

    A photo that was cropped or scaled since has none either.
    """
    alpha = photo.info.get("alpha")
    return alpha if isinstance(alpha, Image.Image) and alpha.size == photo.size else None


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image decoded and turned as its EXIF says, and as `orientation` (EXIF's, of a raw file) says else."""
    image.info.pop("xmp", None)  # browsers read no orientation there
    image.load()
    image.info.pop("XML:com.adobe.xmp", None)
    if image.format not in TURNED_BY_EXIF:
        return image
    exif = image.getexif()
    if Base.Orientation not in exif and image.format == "JPEG":
        exif[Base.Orientation] = orientation
    return ImageOps.exif_transpose(image)


def _strongest_edge(image: Image.Image) -> int:
    """Largest difference of grey, 0..255, between neighbours once the picture is averaged down to 64 pixels."""
    grey = np.asarray(image.convert("L").resize((64, 64), Image.Resampling.BOX), dtype=int)
    return int(max(np.abs(np.diff(grey, axis=axis)).max() for axis in (0, 1)))


def read_focal(path: str | os.PathLike) -> float | None:
    """The focal length in 35 mm terms that the camera wrote into the photo, 4..1000 mm; None where it did not."""
    try:
        data = _read(Path(path))
        if (raw_file := raw.read_raw(data)) is not None:
            value = raw_file.focal_35mm or 0
        else:
            value = float(_open_header(data).getexif().get_ifd(IFD.Exif)[Base.FocalLengthIn35mmFilm])
    except Exception:  # absent, or metadata that cannot be read: the photo itself is judged by open_photo
        return None
    return value if 4 <= value <= 1000 else None


def focal_pixels(focal_35mm: float, height: int, width: int) -> float:
    """Focal length in pixels of the full (height, width) photo. 35 mm terms compare diagonals (43.27 mm)."""
    return focal_35mm / float(np.hypot(36, 24)) * float(np.hypot(height, width))


def _read(path: Path) -> bytes:
    """The file, if it is there and not too heavy."""
    try:
        size = path.stat().st_size
        if size > MAX_MEGABYTES * 1e6:
            raise PhotoError(
                "The file is {megabytes:.0f} MB, at most {limit} MB is accepted. Save it as JPEG.",
                megabytes=size / 1e6,
                limit=MAX_MEGABYTES,
            )
        data = path.read_bytes()
    except OSError as error:
        raise PhotoError(
            "There is no photo {name:.80} that can be opened. Give the path of an image file.", name=path.name
        ) from error
    if not data:
        raise PhotoError("The file is empty (0 bytes). Choose the photo again.")
    return data


def _preview(data: bytes, raw_file: raw.Raw, remark: Callable[[Sentence], None]) -> bytes:
    """The largest JPEG in a raw file."""
    found = raw.largest_preview(data, raw_file, MAX_MEGAPIXELS * 1e6)
    if found is None or max(found[1]) < raw.MIN_LONG_SIDE:
        raise PhotoError(
            "This is a raw file of a camera ({kind}), and no picture in it is {limit} pixels wide or more. Develop it "
            "in a photo program and export it as JPEG.",
            kind=raw_file.kind,
            limit=raw.MIN_LONG_SIDE,
        )
    preview, (width, height) = found
    remark(
        Sentence(
            "This is a raw file of a camera ({kind}): the picture of {width}x{height} pixels that the camera put into "
            "it is used. For other colours, develop it in a photo program and export it as JPEG.",
            kind=raw_file.kind,
            width=width,
            height=height,
        )
    )
    return preview


def _open_header(data: bytes) -> Image.Image:
    """The image with its header read and judged, its pixels not yet decoded."""
    formats = FORMATS
    if jpeg_xl.is_jpeg_xl(data):
        if not jpeg_xl.plug_in_is_there():
            raise PhotoError(
                "This is a JPEG XL photo, which cannot be read here. Export it as JPEG, or install pillow-jxl-plugin."
            )
        if size := jpeg_xl.read_size(data):  # the plug-in decodes at once
            _judge(*size)
        formats = ("JXL",)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns above 89 megapixels; the limit here is lower
            image = Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError as error:
        pixels = int(re.search(r"\d+", str(error))[0])  # Pillow gives the size in its sentence only
        raise _huge(pixels) from error
    except Exception as error:
        raise PhotoError(
            "This file is not an image that can be read. Use a JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF."
        ) from error
    _judge(*image.size)
    return image


def _judge(width: int, height: int) -> None:
    """Raises PhotoError for sizes and shapes, in pixels, of which no clip can be made."""
    if width * height > MAX_MEGAPIXELS * 1e6:
        raise _huge(width * height)
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            "The photo is {width}x{height} pixels, each side needs at least {limit}. Use a larger version.",
            width=width,
            height=height,
            limit=MIN_SIDE,
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoError(
            "The photo is {aspect:.1f} times as long as wide, at most {limit:.0f} is accepted. Crop it first.",
            aspect=max(width, height) / min(width, height),
            limit=MAX_ASPECT,
        )


def _huge(pixels: int) -> PhotoError:
    return PhotoError(
        "The photo has {megapixels:.0f} megapixels, at most {limit} are accepted. Make it smaller first.",
        megapixels=pixels / 1e6,
        limit=MAX_MEGAPIXELS,
    )

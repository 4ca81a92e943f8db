"""A photo file becomes pixels: upright, in sRGB, without metadata; what cannot be one is refused with a reason."""

import contextlib
import io
import os
import re
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps
from PIL.ExifTags import IFD, Base

from pipelines.errors import Refused

# No vector or page formats: Pillow hands those to outside programs.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")  # JPEG includes the multi-picture files of phones
MAX_MEGAPIXELS = 50
MAX_MEGABYTES = 40
MIN_SIDE = 64  # pixels
MAX_ASPECT = 4.0  # long side over short side
MAX_SIDE = 1920  # pixels after downscaling: the largest clip there is
# Of 255, between neighbours on a grid of 64: photos of places reach 65 and more, a clear or overcast sky 2 to 4
MIN_EDGE = 8


class PhotoError(Refused):
    """A photo that is refused."""


def open_photo(path: str | os.PathLike) -> Image.Image:
    """A photo file -> RGB image, upright, at most 1920 pixels on its long side, in sRGB, without any metadata.

    Size and shape are judged from the header, before a pixel is decoded. Transparency is laid on white and kept beside
    the pixels (see `alpha_of`), the first frame of an animation is taken. A picture without any edge, such as a black
    one or a clear sky, is refused, since no move could be seen in it. Raises PhotoError (a ValueError) with one
    sentence: value, limit, fix.
    """
    path = Path(path)
    image = _open_header(path)
    try:
        # JPEG decodes straight to a half or a quarter of its size: faster, and less memory
        image.draft("RGB", (MAX_SIDE, MAX_SIDE))
        image.load()
        image = ImageOps.exif_transpose(image)
        alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
        image = _to_srgb(image)
    except Exception as error:  # decoders raise almost anything on broken data
        raise PhotoError(
            "The photo is damaged or cut short and cannot be read to its end. Copy or export it again."
        ) from error
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
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


def _strongest_edge(image: Image.Image) -> int:
    """Largest difference of grey, 0..255, between neighbours once the picture is averaged down to 64 pixels."""
    grey = np.asarray(image.convert("L").resize((64, 64), Image.Resampling.BOX), dtype=int)
    return int(max(np.abs(np.diff(grey, axis=axis)).max() for axis in (0, 1)))


def read_focal(path: str | os.PathLike) -> float | None:
    """The focal length in 35 mm terms that the camera wrote into the photo, 4..1000 mm; None where it did not."""
    try:
        value = float(_open_header(Path(path)).getexif().get_ifd(IFD.Exif)[Base.FocalLengthIn35mmFilm])
    except Exception:  # absent, or metadata that cannot be read: the photo itself is judged by open_photo
        return None
    return value if 4 <= value <= 1000 else None


def focal_pixels(focal_35mm: float, height: int, width: int) -> float:
    """Focal length in pixels of the full (height, width) photo. 35 mm terms compare diagonals (43.27 mm)."""
    return focal_35mm / float(np.hypot(36, 24)) * float(np.hypot(height, width))


def _open_header(path: Path) -> Image.Image:
    """The image with its header read and judged, its pixels not yet decoded."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(32)
    except OSError as error:
        raise PhotoError(
            "There is no photo {name:.80} that can be opened. Give the path of an image file.", name=path.name
        ) from error
    if not size:
        raise PhotoError("The file is empty (0 bytes). Choose the photo again.")
    if size > MAX_MEGABYTES * 1e6:
        raise PhotoError(
            "The file is {megabytes:.0f} MB, at most {limit} MB is accepted. Save it as JPEG.",
            megabytes=size / 1e6,
            limit=MAX_MEGABYTES,
        )
    if start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
        # mif1 is also a brand of AVIF files, which name themselves in the list of compatible brands
        if b"avif" not in start:
            raise PhotoError("This is a HEIC photo, which cannot be read here. Export it as JPEG and drop it again.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns above 89 megapixels; the limit here is lower
            image = Image.open(io.BytesIO(path.read_bytes()), formats=FORMATS)
    except Image.DecompressionBombError as error:
        pixels = int(re.search(r"\d+", str(error))[0])  # Pillow gives the size in its sentence only
        raise _huge(pixels) from error
    except Exception as error:
        raise PhotoError(
            "This file is not an image that can be read. Use a JPEG, PNG, WebP, AVIF, TIFF, BMP or GIF."
        ) from error
    width, height = image.size
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
    return image


def _huge(pixels: int) -> PhotoError:
    return PhotoError(
        "The photo has {megapixels:.0f} megapixels, at most {limit} are accepted. Make it smaller first.",
        megapixels=pixels / 1e6,
        limit=MAX_MEGAPIXELS,
    )


def _to_srgb(image: Image.Image) -> Image.Image:
    """Any mode and colour profile -> RGB in sRGB."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):  # 16 bits and more per pixel: Pillow would clip instead of scaling
        values = np.asarray(image, dtype=np.float64)
        white = 65535 if image.mode.startswith("I;16") else max(values.max(), 1)  # others do not say what white is
        image = Image.fromarray((values * (255 / white)).clip(0, 255).astype(np.uint8), "L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        # Phones photograph in Display P3; read as sRGB its colours would look dull. A broken profile says nothing.
        with contextlib.suppress(ImageCms.PyCMSError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return image.convert("RGB")

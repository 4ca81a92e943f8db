"""Photo files made by code: PNGs with chosen chunks, AVIFs with chosen code points, raw files of several layouts."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def encoded(pixels: np.ndarray, kind: str, **options) -> bytes:
    """(H, W, 3) uint8, or an image, as Pillow writes it. kind: Pillow's name of the format."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


# ---- PNG and AVIF -----------------------------------------------------------------------------------------------


def png(pixels: np.ndarray, *chunks: tuple[bytes, bytes]) -> bytes:
    """(H, W) or (H, W, 3), uint8 or uint16, with these chunks (name, content) before the pixels."""
    colour_type = 0 if pixels.ndim == 2 else 2
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8 * pixels.itemsize, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in pixels)
    all_chunks = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in all_chunks
    )


def code_points(primaries: int, transfer: int) -> tuple[bytes, bytes]:
    return b"cICP", bytes([primaries, transfer, 0, 1])


def profile_chunk(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"of a test\0\0" + zlib.compress(profile)


def avif(pixels: np.ndarray, primaries: int, transfer: int) -> bytes:
    data = encoded(pixels, "AVIF", quality=90, subsampling="4:4:4")
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I", 8 + len(b"".join(parts))) + kind + b"".join(parts)


# ---- raw files --------------------------------------------------------------------------------------------------


def directory(at: int, tags: dict[int, tuple[int, ...] | bytes], order: str = "<", after: int = 0) -> bytes:
    """A directory of a TIFF that begins at `at`: text as bytes, anything else as whole numbers of 32 bits."""
    entries, values = b"", b""
    spill = at + 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        is_text = isinstance(value, bytes)
        data = value if is_text else struct.pack(f"{order}{len(value)}I", *value)
        entries += struct.pack(f"{order}HHI", tag, 2 if is_text else 4, len(value))
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}I", spill + len(values))
            values += data
    return struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", after) + values


def tiff_raw(
    first: dict, sensor: dict, pictures: list[bytes], order: str = "<", magic: bytes | None = None, mark: bytes = b""
) -> bytes:
    """A raw file laid out as a TIFF: one directory, one of the sensor's data inside it, and pictures after them.

    The sensor's tag 273 (where its data begin) is taken as the number of a picture, or its data are zeros.
    """
    magic = magic or (b"II*\0" if order == "<" else b"MM\0*")
    start, inner, data_at = 16, 1024, 4096
    starts = [data_at + sum(map(len, pictures[:index])) for index in range(len(pictures))]
    if 273 in sensor:
        sensor = {**sensor, 273: tuple(starts[index] for index in sensor[273])}
    head = magic + struct.pack(f"{order}I", start) + mark
    outer = directory(start, {**first, 330: (inner,)}, order)
    body = (head.ljust(start, b"\0") + outer).ljust(inner, b"\0") + directory(inner, sensor, order)
    return body.ljust(data_at, b"\0") + b"".join(pictures)

"""JPEG XL: whether its plug-in is there, and a picture's size before anything is decoded (ISO/IEC 18181-1, A.2)."""

from pipelines.media.boxes import boxes

CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # width : height
SIZE_BITS = (9, 13, 18, 30)


def is_jpeg_xl(data: bytes) -> bool:
    return data.startswith((b"\xff\x0a", CONTAINER))


def plug_in_is_there() -> bool:
    """Pillow opens JPEG XL once this was asked and true."""
    try:
        import pillow_jxl  # noqa: F401
    except ImportError:
        return False
    return True


def read_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of a JPEG XL file; None where it does not begin as one."""
    if not data.startswith(b"\xff\x0a"):
        starts = [start + (4 if kind == b"jxlp" else 0) for kind, start, _ in boxes(data) if kind in (b"jxlc", b"jxlp")]
        data = data[starts[0] : starts[0] + 16] if starts else b""
    if not data.startswith(b"\xff\x0a"):
        return None
    bits, at = int.from_bytes(data[2:16], "little"), 0

    def read(count: int) -> int:
        nonlocal at
        at += count
        return bits >> (at - count) & ((1 << count) - 1)

    small = read(1)

    def side() -> int:
        return (read(5) + 1) * 8 if small else read(SIZE_BITS[read(2)]) + 1

    height = side()
    ratio = RATIOS[read(3)]
    return (side() if ratio is None else height * ratio[0] // ratio[1]), height

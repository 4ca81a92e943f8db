"""Raw files of cameras: what they are called, and the picture that the camera developed and put beside the raw data."""

from collections.abc import Iterator
from dataclasses import dataclass

from PIL.ExifTags import IFD, Base

MIN_LONG_SIDE = 640  # pixels; what is smaller was made for the camera's own screen
COLOURS_OF_SENSORS = (32803, 34892)  # PhotometricInterpretation: colour filter array, linear raw
DNG_VERSION = 50706
# that are looked at; real files have far fewer
MAX_DIRECTORIES, MAX_VALUES, MAX_JPEGS, MAX_SEGMENTS = 32, 8192, 4096, 256

# how files begin that are no TIFF, or one by another name
SIGNS = {b"FUJIFILMCCD-RAW": "RAF", b"IIU\0": "RW2", b"IIRO": "ORF", b"IIRS": "ORF", b"MMOR": "ORF", b"FOVb": "X3F"}
KINDS_BY_MAKER = {"NIKON": "NEF", "SONY": "ARW", "PENTAX": "PEF", "SAMSUNG": "SRW", "HASSELBLAD": "3FR", "PHASE": "IIQ"}
READ = {  # tags whose values are wanted
    *(Base.Make, Base.Orientation, Base.PhotometricInterpretation, Base.StripOffsets, Base.TileOffsets),
    *(Base.SubIFDs, IFD.Exif, Base.FocalLengthIn35mmFilm, DNG_VERSION),
}
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 13: 4}  # bytes of a value, by the type of its tag: whole numbers and text
# of a JPEG: APPn, comment, tables, restart interval, and the frames that hold a picture of 8 bits
PASSED_OVER = {*range(0xE0, 0xF0), 0xFE, 0xDB, 0xC4, 0xDD}
FRAMES = {0xC0, 0xC1, 0xC2}


@dataclass(frozen=True)
class Raw:
    """kind: as its files end, such as NEF. orientation: EXIF's, 1..8. focal_35mm: in 35 mm terms, None if not told.

    sensor: where in the file the raw data begin; they may be JPEGs as well, of which none is a picture.
    """

    kind: str
    orientation: int = 1
    focal_35mm: float | None = None
    sensor: frozenset[int] = frozenset()


def read_raw(data: bytes) -> Raw | None:
    """What a raw file says about itself; None for any other file."""
    kind = next((kind for sign, kind in SIGNS.items() if data.startswith(sign)), None)
    if data[4:12] == b"ftypcrx ":  # a TIFF without pictures lies in a box of its own
        start = data.find(b"CMT1", 0, 1 << 16)
        return _raw("CR3", list(_directories(data[start + 4 :])) if start >= 0 else [])
    if data.startswith((b"II*\0", b"MM\0*")):
        kind = "CR2" if data[8:10] == b"CR" else None
    elif kind is None:
        return None
    return _raw(kind, list(_directories(data)))


def largest_preview(data: bytes, raw: Raw, max_pixels: float) -> tuple[bytes, tuple[int, int]] | None:
    """(JPEG, (width, height)) of the largest picture in a raw file, at most max_pixels; None where there is none."""
    found = [(size, at) for at, size in _jpegs(data) if at not in raw.sensor and size[0] * size[1] <= max_pixels]
    if not found:
        return None
    size, start = max(found, key=lambda each: each[0][0] * each[0][1])
    return data[start:], size  # a decoder stops where the picture ends


def _raw(kind: str | None, directories: list[dict[int, tuple]]) -> Raw | None:
    """kind: None where only the directories can tell whether it is a raw file."""
    sensor = [each for each in directories if each.get(Base.PhotometricInterpretation, (0,))[0] in COLOURS_OF_SENSORS]
    first = directories[0] if directories else {}
    if DNG_VERSION in first:
        kind = "DNG"
    elif kind is None and sensor:
        maker = bytes(first.get(Base.Make, ())).decode("ascii", "replace").upper()
        kind = next((kind for name, kind in KINDS_BY_MAKER.items() if maker.startswith(name)), "TIFF")
    if kind is None:
        return None
    [orientation] = first.get(Base.Orientation, (1,))[:1]
    focal = next((each[Base.FocalLengthIn35mmFilm][0] for each in directories if Base.FocalLengthIn35mmFilm in each), 0)
    starts = {at for each in sensor for tag in (Base.StripOffsets, Base.TileOffsets) for at in each.get(tag, ())}
    return Raw(kind, orientation if 1 <= orientation <= 8 else 1, float(focal) or None, frozenset(starts))


def _directories(data: bytes) -> Iterator[dict[int, tuple[int, ...]]]:
    """{tag: whole numbers} of every directory of a TIFF, also those inside others; stops where they break."""
    order = "big" if data.startswith(b"MM") else "little"

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    to_visit, visited = [number(4, 4)], set()
    while to_visit and len(visited) < MAX_DIRECTORIES:
        start = to_visit.pop(0)
        end = start + 2 + 12 * number(start, 2)
        if start in visited or start < 8 or end > len(data):
            continue
        visited.add(start)
        values = {}
        for at in range(start + 2, end, 12):
            tag, size, count = number(at, 2), SIZES.get(number(at + 2, 2)), number(at + 4, 4)
            if tag in READ and tag not in values and size and 0 < count <= MAX_VALUES:
                first = at + 8 if size * count <= 4 else number(at + 8, 4)
                values[tag] = tuple(number(first + size * index, size) for index in range(count))
        yield values
        to_visit += [*values.get(Base.SubIFDs, ()), *values.get(IFD.Exif, ()), number(end, 4)]


def _jpegs(data: bytes) -> Iterator[tuple[int, tuple[int, int]]]:
    """(where it begins, (width, height)) of every JPEG picture in a file of any kind."""
    at = -1
    for _ in range(MAX_JPEGS):
        at = data.find(b"\xff\xd8\xff", at + 1)
        if at < 0:
            return
        if size := _jpeg_size(data, at):
            yield at, size


def _jpeg_size(data: bytes, at: int) -> tuple[int, int] | None:
    """(width, height) of the JPEG that begins at `at`; None for what only looks like one, or is lossless raw data."""
    at += 2
    for _ in range(MAX_SEGMENTS):
        marker, length = data[at + 1 : at + 2], int.from_bytes(data[at + 2 : at + 4])
        if data[at : at + 1] != b"\xff" or length < 2 or not marker:
            return None
        if marker[0] in FRAMES:
            height, width = (int.from_bytes(data[at + offset : at + offset + 2]) for offset in (5, 7))
            return (width, height) if data[at + 4 : at + 5] == b"\x08" and width and height else None
        if marker[0] not in PASSED_OVER:
            return None
        at += 2 + length
    return None

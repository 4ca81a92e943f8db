"""Boxes: the primary picture's properties, not those of what lies beside it; broken files end the reading."""

import struct

from helpers import photo
from photo_files import avif, box

from pipelines.media.boxes import boxes, primary_properties


def colr(primaries: int, transfer: int) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, 0, 0x80))


def two_pictures(primary: int) -> bytes:
    """Item 1 has the second colour, item 2 (a gain map's, say) the first."""
    links = struct.pack(">I", 2) + struct.pack(">HBB", 1, 1, 0x80 | 2) + struct.pack(">HBB", 2, 1, 1)
    properties = box(b"iprp", box(b"ipco", colr(9, 16), colr(12, 13)), box(b"ipma", bytes(4), links))
    return box(b"ftyp", b"avif") + box(
        b"meta", bytes(4), box(b"pitm", bytes(4), struct.pack(">H", primary)), properties
    )


def test_colours_are_those_of_the_primary_picture():
    assert primary_properties(two_pictures(1)) == [(b"colr", colr(12, 13)[8:])]
    assert primary_properties(two_pictures(2)) == [(b"colr", colr(9, 16)[8:])]
    assert primary_properties(two_pictures(3)) == []


def test_sizes_of_64_bits_and_up_to_the_end_are_read():
    wide = struct.pack(">I4sQ", 1, b"wide", 20) + b"abcd"
    data = wide + struct.pack(">I4s", 0, b"rest") + b"efg"
    assert [(kind, data[start:end]) for kind, start, end in boxes(data)] == [(b"wide", b"abcd"), (b"rest", b"efg")]


def test_a_file_cut_anywhere_is_read_as_far_as_it_goes():
    whole = avif(photo(64, 96), 9, 16)
    assert (b"colr", colr(9, 16)[8:12]) in [(kind, value[:4]) for kind, value in primary_properties(whole)]
    for data in (two_pictures(1), whole[:400]):
        for end in range(len(data)):
            primary_properties(data[:end])
        for at in range(len(data)):
            primary_properties(data[:at] + b"\xff" + data[at + 1 :])
            primary_properties(data[:at] + b"\0" + data[at + 1 :])


def test_empty_boxes_hold_nothing():
    for pitm, ipma in ((b"", bytes(4)), (bytes(6), b""), (b"", b"")):
        inside = box(b"pitm", pitm), box(b"iprp", box(b"ipco"), box(b"ipma", ipma))
        assert primary_properties(box(b"meta", bytes(4), *inside)) == []

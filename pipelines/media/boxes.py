"""The boxes of AVIF and HEIF files (ISO/IEC 14496-12 and 23008-12), as far as Pillow does not tell what they hold."""

from collections.abc import Iterator


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, end) of the boxes side by side in data[start:end], less their headers; stops where they break."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        length, kind, head = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[start + 8 : start + 16]), 16
        elif length == 0:
            length = end - start
        if length < head or start + length > end:
            return
        yield kind, start + head, start + length
        start += length


def primary_properties(data: bytes) -> list[tuple[bytes, bytes]]:
    """(kind, content) of the properties of the primary picture, such as `colr`; of a gain map or a thumbnail none."""
    meta = _child(data, b"meta", 0, len(data))
    if meta is None:
        return []
    inside = meta[0] + 4, meta[1]  # after version and flags
    primary, properties = _child(data, b"pitm", *inside), _child(data, b"iprp", *inside)
    if primary is None or properties is None:
        return []
    pitm = data[slice(*primary)]
    item = int.from_bytes(pitm[4:6] if pitm[:1] == b"\0" else pitm[4:8])
    container, links = _child(data, b"ipco", *properties), _child(data, b"ipma", *properties)
    if container is None or links is None:
        return []
    kinds = [(kind, data[start:end]) for kind, start, end in boxes(data, *container)]
    return [kinds[index - 1] for index in _linked(data[slice(*links)], item) if 0 < index <= len(kinds)]


def _child(data: bytes, wanted: bytes, start: int, end: int) -> tuple[int, int] | None:
    return next(((first, last) for kind, first, last in boxes(data, start, end) if kind == wanted), None)


def _linked(ipma: bytes, item: int) -> list[int]:
    """Numbers, from 1, of the properties that an `ipma` box links to an item."""
    if len(ipma) < 8:
        return []
    item_bytes, link_bytes = (2 if ipma[0] == 0 else 4), (2 if ipma[3] & 1 else 1)
    at, count = 8, int.from_bytes(ipma[4:8])
    for _ in range(count):
        if at + item_bytes >= len(ipma):
            break
        number, links = int.from_bytes(ipma[at : at + item_bytes]), ipma[at + item_bytes]
        at += item_bytes + 1
        found = [int.from_bytes(ipma[i : i + link_bytes]) for i in range(at, at + links * link_bytes, link_bytes)]
        if number == item:
            return [link & (0x7FFF if link_bytes == 2 else 0x7F) for link in found]  # the first bit: essential
        at += links * link_bytes
    return []

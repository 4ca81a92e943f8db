"""ICC profiles made by code, of the kinds that photo and print programs embed (ICC.1:2022; v2 and v4)."""

import struct
from collections.abc import Callable

import numpy as np

D50 = (0.9642, 1.0, 0.8249)
# Display P3 to XYZ under D50: the columns that Apple's profile carries
P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])


def matrix_profile(to_xyz: np.ndarray = P3, gamma: float = 2.2, more: dict[bytes, bytes] | None = None) -> bytes:
    """RGB by three primaries, (3, 3) columns in XYZ under D50, and one gamma."""
    tags = {name: _xyz(to_xyz[:, index]) for index, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    tags |= {name: _gamma(gamma) for name in (b"rTRC", b"gTRC", b"bTRC")}
    return _profile(b"RGB ", b"XYZ ", 2, {**tags, **(more or {})})


def grey_profile(gamma: float) -> bytes:
    return _profile(b"GRAY", b"XYZ ", 2, {b"kTRC": _gamma(gamma)})


def table_profile(space: bytes, channels: int, to_rgb: Callable[[np.ndarray], np.ndarray], version: int = 2) -> bytes:
    """A profile that is a table of Lab colours, as printers and some cameras have.

    space: b"RGB " or b"CMYK". to_rgb: what (N, channels) values, 0..1, look like in sRGB, (N, 3) 0..1.
    version: 2 writes lut16Type, 4 lutAToBType.
    """
    steps = 9
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, steps)] * channels, indexing="ij"), -1).reshape(-1, channels)
    lab = _lab(to_rgb(grid))
    scale = 65280 if version == 2 else 65535
    codes = np.stack([lab[:, 0] / 100 * scale, *((lab[:, i] + 128) / 255 * scale for i in (1, 2))], -1)
    table = codes.round().clip(0, 65535).astype(">u2").tobytes()
    if version == 2:
        line = np.array([0, 65535], ">u2").tobytes()
        sizes = struct.pack(">BBBx9i2H", channels, 3, steps, *(np.eye(3, dtype=int).ravel() * 65536).tolist(), 2, 2)
        tag = b"mft2\0\0\0\0" + sizes + line * channels + table + line * 3
    else:
        curve = b"curv" + bytes(8)  # no entries: the identity
        clut = bytes([steps] * channels).ljust(16, b"\0") + b"\2\0\0\0" + table
        clut += bytes(-len(clut) % 4)
        offsets = (32, 0, 0, 32 + 36, 32 + 36 + len(clut))  # of B curves, matrix, M curves, table, A curves
        tag = b"mAB \0\0\0\0" + struct.pack(">BBxx5I", channels, 3, *offsets) + curve * 3 + clut + curve * channels
    return _profile(space, b"Lab ", version, {b"A2B0": tag})


def _lab(rgb: np.ndarray) -> np.ndarray:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    ratio = linear @ SRGB.T / D50
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], -1)


def _xyz(values) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def _text(words: bytes, version: int) -> bytes:
    if version == 4:
        return (
            b"mluc"
            + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(words) * 2, 28)
            + words.decode().encode("utf-16-be")
        )
    return b"desc" + struct.pack(">4xI", len(words) + 1) + words + bytes(1 + 78)


def _profile(space: bytes, connection: bytes, version: int, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": _text(b"test", version), b"wtpt": _xyz(D50), b"cprt": b"text\0\0\0\0none\0", **tags}
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    head = struct.pack(
        ">I4sI4s4s4s12x4s", start + len(body), b"\0\0\0\0", version << 24, kind, space, connection, b"acsp"
    )
    return (
        head.ljust(68, b"\0")
        + struct.pack(">3i", *(round(value * 65536) for value in D50)).ljust(60, b"\0")
        + table
        + body
    )

"""RGB of any kind becomes sRGB: primaries, transfer functions, and HDR brought down to what a screen shows.

The numbers that name primaries and transfer functions are those of ITU-T H.273, which PNG (cICP), AVIF and HEIF (nclx)
and ICC profiles (the tag cicp) share.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# x, y of red, green, blue and white, H.273 table 2
D65 = (0.3127, 0.3290)
BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65)
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65)
BT601_525 = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65)
PRIMARIES = {
    1: BT709,
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), D65),
    6: BT601_525,
    7: BT601_525,
    9: BT2020,
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),  # the P3 of cinemas
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),  # Display P3
}
VIDEO = (1, 6, 14, 15)  # the transfer functions of BT.709, BT.601 and BT.2020

WHITE_NITS = 203  # BT.2408: what white paper is in HDR
DISPLAY_NITS = 1000  # what HLG is graded for, and PQ where the file does not say


Primaries = tuple[tuple[float, float], ...]
Transfer = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Encoding:
    """What RGB values of a file stand for.

    primaries: x, y of red, green, blue and white. transfer: values 0..1 -> light, 1 = white, see TRANSFERS. peak_nits:
    the brightest that an HDR picture is made for.
    """

    primaries: Primaries
    transfer: Transfer
    peak_nits: float = DISPLAY_NITS

    @property
    def is_hdr(self) -> bool:
        return self.transfer in (pq, hlg)


def encoding(primaries: int, transfer: int, peak_nits: float = 0) -> Encoding | None:
    """By the numbers of H.273; None for those that are unspecified or not photos', which browsers take as sRGB."""
    if primaries not in PRIMARIES or transfer not in TRANSFERS:
        return None
    return Encoding(PRIMARIES[primaries], TRANSFERS[transfer], peak_nits or DISPLAY_NITS)


def to_srgb(pixels: np.ndarray, source: Encoding) -> np.ndarray:
    """(H, W, 3) uint8 in `source` -> the same in sRGB, uint8; what sRGB cannot show is cut off channel by channel."""
    light = source.transfer(np.linspace(0, 1, 256)).astype(np.float32)[pixels]
    if source.is_hdr:
        light = light @ _between(source.primaries, BT2020)
        light = tone_mapped(displayed(light) if source.transfer is hlg else light, source.peak_nits)
        light = light @ _between(BT2020, BT709)
    else:
        light = light @ _between(source.primaries, BT709)
    light = light.clip(0, 1)
    values = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** np.float32(1 / 2.4) - 0.055)
    return (values * 255 + 0.5).astype(np.uint8)


def tone_mapped(light: np.ndarray, peak_nits: float) -> np.ndarray:
    """HDR light (..., 3) in BT.2020, 1 = white paper -> the same colours, at most 1.

    The reference white tone mapping of SMPTE ST 2094-50, as Chromium applies it: up to white paper the picture is
    dimmed evenly, above it a parabola rises to the peak. The brightest channel decides, so that hues stay.
    """
    headroom = max(peak_nits / WHITE_NITS, 1.0)
    paper = 1 - 0.5 * min(np.log2(headroom) / np.log2(DISPLAY_NITS / WHITE_NITS), 1)  # what white paper becomes
    bend = 0.65  # where the middle point of the parabola stands between the knee and the corner
    middle = (1 - bend) + bend / paper, (1 - bend) * paper + bend
    t = np.linspace(0, 1, 256)
    x = (1 - t) ** 2 + 2 * t * (1 - t) * middle[0] + t**2 * headroom
    y = (1 - t) ** 2 * paper + 2 * t * (1 - t) * middle[1] + t**2
    brightest = light.max(-1, keepdims=True)
    above = np.interp(brightest, x, y) / np.maximum(brightest, 1)
    return light * np.where(brightest <= 1, paper, above).astype(light.dtype)


# ---- transfer functions: values 0..1 -> light, 1 = white (white paper in HDR) -----------------------------------


def _srgb(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def power(exponent: float) -> Transfer:
    return lambda values: values**exponent


def pq(values: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084."""
    power = values ** (32 / 2523)
    ratio = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
    return 10000 / WHITE_NITS * ratio ** (16384 / 2610)


def hlg(values: np.ndarray) -> np.ndarray:
    """ARIB STD-B67: light of the scene, 1 = the brightest; `displayed` makes it light of the screen."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)


def displayed(scene: np.ndarray) -> np.ndarray:
    """BT.2100: what a screen of 1000 nits makes of HLG's scene light (..., 3) in BT.2020; 1 = white paper."""
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593], scene.dtype)
    return scene * (np.maximum(luminance, 1e-6) ** 0.2)[..., None] * (DISPLAY_NITS / WHITE_NITS)


TRANSFERS: dict[int, Transfer] = {
    **dict.fromkeys(VIDEO, power(2.4)),  # BT.1886: what screens make of them; their own curves are cameras'
    4: power(2.2),
    5: power(2.8),
    8: power(1),
    13: _srgb,
    16: pq,
    18: hlg,
}


# ---- primaries --------------------------------------------------------------------------------------------------


def _to_xyz(primaries: Primaries) -> np.ndarray:
    """(3, 3): linear RGB column -> XYZ under the white of the primaries."""
    x, y = np.array(primaries, dtype=float).T
    xyz = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    return xyz[:, :3] * np.linalg.solve(xyz[:, :3], xyz[:, 3])


def _between(source: Primaries, target: Primaries) -> np.ndarray:
    """(3, 3) float32: rows of linear RGB in `source` times this are rows in `target`; whites meet as Bradford says."""
    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    from_source, from_target = _to_xyz(source), _to_xyz(target)
    whites = (cones @ from_target.sum(1)) / (cones @ from_source.sum(1))
    adapted = np.linalg.inv(cones) @ np.diag(whites) @ cones @ from_source
    return np.linalg.solve(from_target, adapted).T.astype(np.float32)

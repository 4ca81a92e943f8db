"""Textures of the scene generator: one mip-mapped bank of square images, drawn by seed or read from a folder.

Everything a scene shows is one of these images: planks, labels, shop fronts, skies, and cut-outs whose alpha shapes
leaves, railings or people. Baking them once keeps shading a single gather per pixel, whatever the material.
"""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = 256  # texels per side of level 0
LEVELS = SIZE.bit_length()
LEVEL_OFFSETS = np.cumsum([0] + [(SIZE >> level) ** 2 for level in range(LEVELS)]).astype(np.int64)


def fractal_noise(rng, beta=1.6, stretch=(1.0, 1.0), size=SIZE):
    """Tileable noise (size, size) with spectrum 1/f^beta, mean 0 and deviation 1. stretch > 1 smooths along (y, x)."""
    fy = np.fft.fftfreq(size)[:, None] * stretch[0]
    fx = np.fft.rfftfreq(size)[None] * stretch[1]
    power = np.maximum(np.sqrt(fx * fx + fy * fy), 1 / size) ** -beta
    power[0, 0] = 0
    phase = rng.uniform(0, 2 * np.pi, power.shape)
    noise = np.fft.irfft2(power * np.exp(1j * phase), s=(size, size))
    return (noise / noise.std()).astype(np.float32)


def hsv(h, s, v):
    """Hue, saturation, value in 0..1 -> (3,) float32 in 0..1."""
    k = (np.array([5.0, 3.0, 1.0]) + h * 6) % 6
    return (v - v * s * np.clip(np.minimum(k, 4 - k), 0, 1)).astype(np.float32)


def natural_hue(rng):
    """Wood, skin and earth; sky and denim; rarely anything: the hues of places that people furnish."""
    if rng.random() < 0.12:
        return float(rng.random())
    return float(rng.choice([rng.uniform(0.0, 0.15), rng.uniform(0.04, 0.11), rng.uniform(0.53, 0.64)]))


def _colour(rng, s=(0.1, 0.8), v=(0.25, 0.95)):
    return hsv(natural_hue(rng), s[0] + (s[1] - s[0]) * rng.random() ** 2, rng.uniform(*v))


def _ink(colour, alpha=255):
    return tuple(int(255 * c) for c in np.clip(colour, 0, 1)) + (alpha,)


def _grid(rows, cols):
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    return y * rows, x * cols


def _opaque(rgb):
    rgb = np.clip(np.asarray(rgb, np.float32), 0, 1)
    return np.concatenate([rgb, np.ones_like(rgb[..., :1])], -1)


def _canvas(colour=None):
    image = Image.new("RGBA", (SIZE, SIZE), (0, 0, 0, 0) if colour is None else _ink(colour))
    return image, ImageDraw.Draw(image)


def _array(image):
    return np.asarray(image, np.float32) / 255


# Materials that tile: each returns (SIZE, SIZE, 4) float in 0..1.


def wood(rng):
    rows = rng.integers(3, 9)
    y, x = _grid(rows, 1)
    row = y.astype(int)
    offset = rng.random(rows)[row]
    board = ((x + offset) * 2).astype(int) % 2
    tone = rng.uniform(0.7, 1.15, (rows, 2))[row, board]
    grain = fractal_noise(rng, 1.3, (1, 14)) * 0.09 + fractal_noise(rng, 1.8, (1, 5)) * 0.06
    seam = (y % 1 < 0.03) | (((x + offset) * 2) % 1 < 0.008)
    base = hsv(rng.uniform(0.04, 0.11), rng.uniform(0.2, 0.7), rng.uniform(0.3, 0.85))
    return _opaque(base * (tone + grain)[..., None] * np.where(seam, 0.5, 1)[..., None])


def brick(rng):
    rows, cols = rng.integers(6, 13), rng.integers(2, 6)
    y, x = _grid(rows, cols)
    row = y.astype(int)
    x = x + 0.5 * (row % 2)
    tone = rng.uniform(0.75, 1.2, (rows, cols))[row, x.astype(int) % cols]
    mortar = ((y % 1) < 0.12) | ((x % 1) < 0.05)
    base = hsv(rng.uniform(0, 0.11), rng.uniform(0.05, 0.65), rng.uniform(0.4, 0.85))
    joint = hsv(0.1, 0.08, rng.uniform(0.4, 0.85))
    rough = 1 + 0.1 * fractal_noise(rng, 1.0)
    return _opaque(np.where(mortar[..., None], joint, base * tone[..., None]) * rough[..., None])


def tile(rng):
    n = rng.integers(2, 7)
    y, x = _grid(n, n)
    tone = rng.uniform(0.92, 1.06, (n, n))[y.astype(int), x.astype(int)]
    gap = rng.uniform(0.015, 0.05)
    grout = ((y % 1) < gap) | ((x % 1) < gap)
    one, two = _colour(rng, (0, 0.35), (0.5, 0.95)), _colour(rng, (0, 0.4), (0.1, 0.9))
    if rng.random() < 0.3:  # chequered
        one = np.where((((y.astype(int) + x.astype(int)) % 2) == 0)[..., None], one, two)
    tone = tone * (1 + 0.05 * fractal_noise(rng, 1.8))
    return _opaque(np.where(grout[..., None], hsv(0.1, 0.05, rng.uniform(0.3, 0.9)), one * tone[..., None]))


def plaster(rng):
    base = _colour(rng, (0, 0.3), (0.6, 0.97))
    shade = 1 + rng.uniform(0.01, 0.05) * fractal_noise(rng, 2.0) + rng.uniform(0, 0.03) * fractal_noise(rng, 0.6)
    return _opaque(base * shade[..., None])


def stone(rng):
    one = _colour(rng, (0, 0.25), (0.3, 0.9))
    two = one * rng.uniform(0.5, 1.2)
    k = np.clip(0.5 + rng.uniform(0.2, 0.5) * fractal_noise(rng, rng.uniform(1.2, 2.2)), 0, 1)[..., None]
    return _opaque((one * (1 - k) + two * k) * (1 + 0.06 * fractal_noise(rng, 0.5)[..., None]))


def fabric(rng):
    one, two = _colour(rng), _colour(rng)
    n = rng.integers(3, 14)
    y, x = _grid(n, n)
    style = rng.integers(0, 5)
    if style == 0:
        k = ((x % 1) < rng.uniform(0.2, 0.8)).astype(np.float32)
    elif style == 1:
        k = 0.5 * ((x % 1) < 0.5) + 0.5 * ((y % 1) < 0.5)
    elif style == 2:
        k = (np.hypot(x % 1 - 0.5, y % 1 - 0.5) < rng.uniform(0.15, 0.4)).astype(np.float32)
    else:
        k = np.clip(0.5 + 0.3 * fractal_noise(rng, 2.0), 0, 1)
        two = one * rng.uniform(0.6, 1.3)
    weave = 1 + 0.07 * fractal_noise(rng, 0.3)
    return _opaque((one * (1 - k[..., None]) + two * k[..., None]) * weave[..., None])


def ground(rng):
    base = hsv(rng.uniform(0.05, 0.15), rng.uniform(0, 0.35), rng.uniform(0.25, 0.7))
    return _opaque(base * (1 + 0.14 * fractal_noise(rng, 0.7) + 0.08 * fractal_noise(rng, 1.8))[..., None])


def grass(rng):
    base = hsv(rng.uniform(0.18, 0.33), rng.uniform(0.4, 0.8), rng.uniform(0.25, 0.6))
    return _opaque(base * (1 + 0.25 * fractal_noise(rng, 0.5) + 0.12 * fractal_noise(rng, 1.8))[..., None])


def metal(rng):
    shade = 1 + 0.05 * fractal_noise(rng, 1.0, (1, 20))
    return _opaque(hsv(0.6, rng.uniform(0, 0.1), rng.uniform(0.3, 0.8)) * shade[..., None])


def curtain(rng):
    _, x = _grid(1, 1)
    fold = sum(np.sin(2 * np.pi * (x * rng.integers(3, 17) + rng.random())) for _ in range(3)) / 3
    return _opaque(_colour(rng, (0, 0.6), (0.4, 0.95)) * (0.82 + 0.2 * fold)[..., None])


def slats(rng):
    y, _ = _grid(rng.integers(8, 24), 1)
    shade = 0.55 + 0.45 * np.clip((y % 1) * 2, 0, 1) + 0.03 * fractal_noise(rng, 1.0)
    return _opaque(_colour(rng, (0, 0.4), (0.4, 0.95)) * shade[..., None])


def panels(rng):
    """Door, cupboard or lift panel: fitted on a face."""
    image, draw = _canvas(_colour(rng, (0, 0.5), (0.3, 0.95)))
    base = np.array(image.getpixel((0, 0))[:3]) / 255
    rows, cols = rng.integers(1, 5), rng.integers(1, 3)
    for r in range(rows):
        for c in range(cols):
            x0, y0 = (c + 0.12) * SIZE / cols, (r + 0.1) * SIZE / rows
            x1, y1 = (c + 0.88) * SIZE / cols, (r + 0.9) * SIZE / rows
            draw.rectangle((x0 - 3, y0 - 3, x1 + 3, y1 + 3), fill=_ink(base * 0.6))
            draw.rectangle((x0, y0, x1 + 3, y1 + 3), fill=_ink(base * 1.12))
            draw.rectangle((x0, y0, x1, y1), fill=_ink(base * rng.uniform(0.9, 1.0)))
    knob = rng.choice([10, 232])
    draw.ellipse((knob, 122, knob + 12, 134), fill=_ink(hsv(0.12, 0.4, 0.7)))
    return _array(image)


def rug(rng):
    colours = [_colour(rng, (0.2, 0.8), (0.2, 0.8)) for _ in range(4)]
    image, draw = _canvas(colours[0])
    for i, inset in enumerate(np.sort(rng.integers(6, 110, 4))):
        draw.rectangle((inset, inset, SIZE - inset, SIZE - inset), fill=_ink(colours[i % 4]))
    for _ in range(rng.integers(0, 12)):
        x, y, r = *rng.integers(30, 226, 2), rng.integers(6, 34)
        ink = _ink(colours[rng.integers(4)])
        for cx, cy in ((x, y), (SIZE - x, y), (x, SIZE - y), (SIZE - x, SIZE - y)):
            draw.regular_polygon((int(cx), int(cy), int(r)), int(rng.integers(3, 9)), fill=ink)
    return _array(image) * _opaque(1 + 0.06 * fractal_noise(rng, 0.3)[..., None] * np.ones(3))


def books(rng):
    image, draw = _canvas(hsv(0.08, 0.4, 0.15))
    rows = rng.integers(1, 4)
    for row in range(rows):
        x, bottom = 0, (row + 1) * SIZE / rows
        while x < SIZE:
            w = rng.integers(5, 18)
            height = rng.uniform(0.55, 0.92) * SIZE / rows
            if rng.random() < 0.92:
                ink = _colour(rng, (0.05, 0.8), (0.2, 0.9))
                draw.rectangle((x, bottom - height, x + w - 1, bottom), fill=_ink(ink))
                draw.line((x + w - 1, bottom - height, x + w - 1, bottom), fill=_ink(ink * 0.5))
                band = bottom - height * rng.uniform(0.2, 0.9)
                draw.rectangle((x + 1, band, x + w - 3, band + height * 0.08), fill=_ink(_colour(rng)))
            x += w
        draw.rectangle((0, bottom - 4, SIZE, bottom), fill=_ink(hsv(0.08, 0.5, 0.5)))
    return _array(image)


def _words(rng, draw, x0, y0, x1, y1, ink, line):
    """Lines of word-like bars: reads as print at the distance of a label."""
    y = y0
    while y + line < y1:
        x = x0
        while x < x1 - line:
            w = rng.integers(line, line * 5)
            draw.rectangle((x, y, min(x + w, x1), y + line * 0.6), fill=ink)
            x += w + line * 0.6
        y += line * rng.uniform(1.3, 1.8)


def label(rng):
    """Product label or packaging."""
    base = _colour(rng, (0, 0.95), (0.2, 1))
    image, draw = _canvas(base)
    for _ in range(rng.integers(1, 5)):
        x0, y0 = rng.integers(-40, 220, 2)
        x1, y1 = x0 + rng.integers(20, 260), y0 + rng.integers(20, 160)
        ink = _ink(_colour(rng, (0, 1), (0.1, 1)))
        if rng.random() < 0.5:
            draw.ellipse((x0, y0, x1, y1), fill=ink)
        else:
            draw.rectangle((x0, y0, x1, y1), fill=ink)
    ink = _ink(np.ones(3) if base.mean() < 0.5 else np.zeros(3) + 0.1)
    top = rng.integers(20, 130)
    _words(rng, draw, 20, top, 236, top + 50, ink, int(rng.integers(18, 40)))
    _words(rng, draw, 20, 190, 236, 245, ink, int(rng.integers(4, 9)))
    return _array(image)


def poster(rng):
    image, draw = _canvas(_colour(rng, (0, 0.6), (0.2, 1)))
    for _ in range(rng.integers(4, 30)):
        x, y, r = *rng.integers(0, 256, 2), rng.integers(8, 110)
        ink = _ink(_colour(rng, (0, 0.9), (0.1, 1)))
        if rng.random() < 0.4:
            draw.ellipse((x - r, y - r * rng.uniform(0.4, 1), x + r, y + r), fill=ink)
        elif rng.random() < 0.6:
            draw.polygon([tuple(rng.integers(0, 256, 2)) for _ in range(3)], fill=ink)
        else:
            draw.regular_polygon((int(x), int(y), int(r)), int(rng.integers(3, 8)), int(rng.integers(0, 90)), fill=ink)
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(1, 12)))
    if rng.random() < 0.4:
        _words(rng, ImageDraw.Draw(image), 20, 200, 236, 250, _ink(_colour(rng)), int(rng.integers(6, 20)))
    return _array(image)


def screen(rng):
    image, draw = _canvas(_colour(rng, (0, 0.3), (0.05, 0.95)))
    for _ in range(rng.integers(2, 6)):
        x, y, w, h = *rng.integers(0, 200, 2), *rng.integers(30, 160, 2)
        draw.rectangle((x, y, x + w, y + h), fill=_ink(_colour(rng, (0, 0.5), (0.1, 1))))
        _words(rng, draw, x + 5, y + 5, x + w - 5, y + h - 5, _ink(_colour(rng, (0, 0.3), (0, 1))), 6)
    return _array(image)


def sign(rng):
    image, draw = _canvas(_colour(rng, (0, 0.9), (0.1, 0.9)))
    _words(rng, draw, 16, 60, 240, 200, _ink(hsv(0.1, rng.uniform(0, 0.3), 0.95)), int(rng.integers(40, 90)))
    return _array(image)


def facade(rng):
    """Storeys of windows, tiling; for buildings too far away to deserve relief."""
    rows, cols = rng.integers(2, 5), rng.integers(2, 6)
    wall = hsv(rng.uniform(0, 0.15), rng.uniform(0, 0.45), rng.uniform(0.35, 0.95))
    image, draw = _canvas(wall)
    trim = _ink(np.clip(wall * rng.uniform(0.5, 1.4), 0, 1))
    w, h = SIZE / cols, SIZE / rows
    a, b = rng.uniform(0.12, 0.3), rng.uniform(0.12, 0.28)
    cross = rng.integers(0, 3)
    for r in range(rows):
        for c in range(cols):
            x0, y0, x1, y1 = (c + a) * w, (r + b) * h, (c + 1 - a) * w, (r + 1 - b) * h
            draw.rectangle((x0 - 4, y0 - 4, x1 + 4, y1 + 5), fill=trim)
            glass = hsv(0.6, rng.uniform(0, 0.4), rng.choice([0.12, 0.2, 0.35, 0.6]))
            if rng.random() < 0.12:
                glass = hsv(0.11, 0.4, 0.95)
            draw.rectangle((x0, y0, x1, y1), fill=_ink(glass))
            draw.polygon([(x0, y1), (x1, y0), (x1, y1)], fill=_ink(glass * rng.uniform(0.8, 1.15)))
            for i in range(cross):
                x = x0 + (i + 1) * (x1 - x0) / (cross + 1)
                draw.line((x, y0, x, y1), fill=trim, width=2)
        if rng.random() < 0.5:
            draw.rectangle((0, (r + 0.96) * h, SIZE, (r + 1) * h), fill=trim)
    return _array(image) * _opaque(1 + 0.05 * fractal_noise(rng, 1.2)[..., None] * np.ones(3))


def sky(rng):
    """Top row: zenith; bottom row: horizon."""
    y, _ = _grid(1, 1)
    zenith = hsv(rng.uniform(0.55, 0.62), rng.uniform(0.1, 0.75), rng.uniform(0.45, 0.95))
    horizon = hsv(rng.choice([0.6, 0.08]), rng.uniform(0, 0.3), rng.uniform(0.8, 1))
    k = (y ** rng.uniform(0.7, 2))[..., None]
    cover = fractal_noise(rng, rng.uniform(1.5, 2.1), (1, 2.5))
    cloud = np.clip((cover - rng.uniform(-0.6, 1.6)) * rng.uniform(0.3, 1.2), 0, 1)[..., None]
    shade = (0.95 - 0.12 * np.clip(np.roll(cover, 6, 0), -1, 2))[..., None] * hsv(0.6, rng.uniform(0, 0.08), 1)
    rgb = (zenith * (1 - k) + horizon * k) * (1 - cloud * 0.9) + shade * cloud * 0.9
    if rng.random() < 0.15:
        rgb = rgb * hsv(rng.uniform(0.02, 0.1), rng.uniform(0.2, 0.5), rng.uniform(0.5, 1))
    return _opaque(rgb)


def skyline(rng):
    """What a window looks out on: sky, far city or hills, fitted on a quad."""
    image = Image.fromarray((sky(rng) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    haze = hsv(0.6, 0.15, 0.85)
    for layer in range(rng.integers(1, 5)):
        k = (layer + 1) / 5
        ink = haze * (1 - k) + _colour(rng, (0.1, 0.5), (0.2, 0.6)) * k
        base, x = 150 + 25 * layer, 0
        if rng.random() < 0.5:
            while x < SIZE:
                w, top = rng.integers(8, 44), base - rng.integers(0, 90)
                draw.rectangle((x, top, x + w, SIZE), fill=_ink(ink * rng.uniform(0.8, 1.15)))
                for yy in range(top + 4, SIZE, 6):
                    draw.line((x + 2, yy, x + w - 2, yy), fill=_ink(ink * rng.uniform(0.7, 1.2)))
                x += w
        else:
            hill = base + 12 * fractal_noise(rng, 2.4)[0]
            draw.polygon([(0, SIZE), *[(i, float(v)) for i, v in enumerate(hill)], (SIZE, SIZE)], fill=_ink(ink))
    return _array(image)


# Cut-outs: alpha below one half is not there.


def leaves(rng):
    """A cluster of leaves around the centre."""
    image, draw = _canvas()
    base = hsv(rng.uniform(0.17, 0.4), rng.uniform(0.3, 0.8), rng.uniform(0.25, 0.65))
    length, width, reach = rng.uniform(14, 60), rng.uniform(0.15, 0.5), rng.uniform(60, 110)
    for _ in range(int(rng.integers(30, 140))):
        r, a = reach * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        x, y, turn = 128 + r * np.cos(a), 128 + r * np.sin(a), a + rng.normal(0, 0.8)
        u, v = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        p, step = np.array([x, y]), length * rng.uniform(0.6, 1.2)
        shape = [p, p + u * step * 0.4 + v * step * width, p + u * step, p + u * step * 0.4 - v * step * width]
        draw.polygon([tuple(q) for q in shape], fill=_ink(base * rng.uniform(0.5, 1.35)))
    return _array(image)


def blades(rng):
    """Grass, succulent or palm blades rising from the bottom edge."""
    image, draw = _canvas()
    base = hsv(rng.uniform(0.15, 0.4), rng.uniform(0.2, 0.8), rng.uniform(0.25, 0.7))
    wide = rng.uniform(2, 14)
    for _ in range(int(rng.integers(12, 70))):
        x, lean = 128 + rng.normal(0, 26), rng.normal(0, 70)
        top = rng.uniform(5, 150)
        mid = (x + lean * 0.35, 256 - (256 - top) * 0.6)
        ink = _ink(base * rng.uniform(0.55, 1.35))
        draw.polygon([(x - wide, 256), mid, (x + lean, top), (mid[0] + wide, mid[1]), (x + wide, 256)], fill=ink)
    return _array(image)


def crown(rng):
    """A whole tree seen from afar, trunk at the bottom edge."""
    image, draw = _canvas()
    trunk = _ink(hsv(0.07, 0.4, rng.uniform(0.15, 0.4)))
    draw.polygon([(122, 256), (134, 256), (130, 90), (126, 90)], fill=trunk)
    base = hsv(rng.uniform(0.15, 0.38), rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.55))
    pointed = rng.random() < 0.35
    for _ in range(500):
        y = rng.uniform(0, 1)
        spread = 90 * (y if pointed else np.sqrt(max(0.02, 1 - (2 * y - 1) ** 2)))
        x, yy, r = 128 + rng.uniform(-1, 1) * spread, 8 + y * (220 if pointed else 170), rng.uniform(4, 14)
        light = rng.uniform(0.6, 1.2) * (1.15 - 0.5 * y)
        draw.ellipse((x - r, yy - r * 0.7, x + r, yy + r * 0.7), fill=_ink(base * light))
    return _array(image)


def person(rng):
    """Standing figure, feet at the bottom edge, about a third as wide as high."""
    image, draw = _canvas()
    skin, hair = hsv(0.06, rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.95)), hsv(0.08, 0.5, rng.uniform(0.05, 0.6))
    top, legs = _colour(rng, (0, 0.8), (0.1, 0.95)), _colour(rng, (0, 0.5), (0.08, 0.6))
    stance, w = rng.uniform(5, 26), rng.uniform(26, 40)
    for side in (-1, 1):
        shape = [(128 + side * 2, 125), (128 + side * w * 0.8, 125), (128 + side * (stance + 9), 250)]
        draw.polygon(shape + [(128 + side * (stance - 8), 250)], fill=_ink(legs * (1 + 0.08 * side)))
        draw.ellipse((128 + side * stance - 12, 244, 128 + side * stance + 14, 256), fill=_ink(legs * 0.4))
        hand = (128 + side * rng.uniform(w, w * 1.8), rng.uniform(100, 145))
        draw.line([(128 + side * w * 0.85, 55), hand], fill=_ink(top * 0.85), width=15)
        draw.ellipse((hand[0] - 7, hand[1] - 7, hand[0] + 7, hand[1] + 7), fill=_ink(skin))
    draw.polygon([(128 - w, 48), (128 + w, 48), (128 + w * 0.75, 135), (128 - w * 0.75, 135)], fill=_ink(top))
    draw.rectangle((120, 34, 136, 52), fill=_ink(skin * 0.85))
    draw.ellipse((111, 3, 145, 44), fill=_ink(skin if rng.random() < 0.6 else hair))
    draw.pieslice((109, 0, 147, 42), 160, 380, fill=_ink(hair))
    return _array(image) * _opaque(np.linspace(1.1, 0.8, SIZE)[None, :, None] * np.ones((SIZE, 1, 3)))


def railing(rng):
    image, draw = _canvas()
    ink = _ink(_colour(rng, (0, 0.4), (0.05, 0.9)))
    bars, wide = rng.integers(4, 14), rng.integers(3, 8)
    for i in range(bars):
        x = (i + 0.5) * SIZE / bars
        draw.line((x, 0, x, SIZE), fill=ink, width=int(wide))
    for y in (6, 250, *(rng.integers(40, 210, rng.integers(0, 3)))):
        draw.line((0, int(y), SIZE, int(y)), fill=ink, width=int(wide) + 2)
    return _array(image)


def object_cutout(image):
    """Photo of an object on a plain background -> RGBA whose alpha is the object, or None where no object stands out.

    The border colour is taken for the background; what differs from it and hangs together in the middle is kept.
    """
    rgb = np.asarray(image.convert("RGB").resize((SIZE, SIZE), Image.LANCZOS), np.float32) / 255
    border = np.concatenate([rgb[:6].reshape(-1, 3), rgb[:, :6].reshape(-1, 3), rgb[:, -6:].reshape(-1, 3)])
    if border.std(0).max() > 0.12:
        return None
    far = np.abs(rgb - np.median(border, 0)).max(-1) > 0.12 + border.std(0).max()
    mask = (
        Image.fromarray((far * 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(9)).filter(ImageFilter.MinFilter(9))
    )
    alpha = np.asarray(mask.filter(ImageFilter.MedianFilter(7)), np.float32) / 255
    if not 0.08 < alpha.mean() < 0.75:
        return None
    rows, cols = np.nonzero(alpha.any(1))[0], np.nonzero(alpha.any(0))[0]
    box = (cols[0], rows[0], cols[-1] + 1, rows[-1] + 1)
    rgba = Image.fromarray((np.concatenate([rgb, alpha[..., None]], -1) * 255).astype(np.uint8)).crop(box)
    return _array(rgba.resize((SIZE, SIZE), Image.BILINEAR)), (box[2] - box[0]) / (box[3] - box[1])


DRAWN = {  # how many of each are drawn
    wood: 10, brick: 8, tile: 10, plaster: 12, stone: 10, fabric: 14, ground: 5, grass: 4, metal: 4, curtain: 8,
    slats: 5, panels: 10, rug: 8, books: 8, label: 40, poster: 16, screen: 6, sign: 8, facade: 14, sky: 16, skyline: 12,
    leaves: 12, blades: 10, crown: 10, person: 14, railing: 6,
}  # fmt: skip
CUTOUTS = {"leaves", "blades", "crown", "person", "railing", "cutout"}


class TextureBank:
    """All textures, mip-mapped, in one (M, 4) uint8 table: colour stored with gamma 2 (linear = square), alpha last.

    kinds: name of a kind -> indices of its textures; assets add to kinds that the generator also draws, so a scene
    asks for "wood" and gets either. aspect: width / height of what the square texture shows. mean: linear colour.
    """

    def __init__(self, assets=None, seed=1):
        rng = np.random.default_rng(seed)
        self.kinds, self._mips, self.aspect, self.mean = {}, [], [], []
        for draw, count in DRAWN.items():
            for _ in range(count):
                self._add(draw.__name__, draw(rng), 0.5 if draw is person else 1.0)
        if assets is not None:
            self._read(Path(assets))
        else:
            self.kinds["picture"] = self.kinds["poster"] + self.kinds["skyline"]
        self.kinds.setdefault("cutout", self.kinds["person"])
        self.base = np.arange(len(self._mips), dtype=np.int64) * LEVEL_OFFSETS[-1]
        self.texels = np.concatenate([level.reshape(-1, 4) for mips in self._mips for level in mips])
        self.alpha = {i: [level[..., 3] > 127 for level in self._mips[i]] for k in CUTOUTS for i in self.kinds[k]}
        self.aspect, self.mean = np.array(self.aspect, np.float32), np.array(self.mean, np.float32)
        self.grey = self.mean.mean(1)
        self._mips = None

    def _add(self, kind, rgba, aspect=1.0):
        rgba = np.clip(rgba, 0, 1).astype(np.float32)
        if kind in CUTOUTS:  # colour bleeds into the hole, so that filtering an edge does not darken it
            weight = rgba[..., 3:] + 1e-3
            fill = (rgba[..., :3] * weight).sum((0, 1)) / weight.sum()
            rgba[..., :3] = rgba[..., :3] * rgba[..., 3:] + fill * (1 - rgba[..., 3:])
        linear, mips = np.concatenate([rgba[..., :3] ** 2, rgba[..., 3:]], -1), []
        self.mean.append(linear.reshape(-1, 4).mean(0)[:3])
        for _ in range(LEVELS):
            stored = np.concatenate([np.sqrt(linear[..., :3]), linear[..., 3:]], -1)
            mips.append((stored * 255 + 0.5).astype(np.uint8))
            n = len(linear) // 2
            if n:
                rows = linear[0::2] + linear[1::2]
                linear = (rows[:, 0::2] + rows[:, 1::2]) / 4
        self.kinds.setdefault(kind, []).append(len(self._mips))
        self._mips.append(mips)
        self.aspect.append(aspect)

    def _read(self, folder):
        for name in ("textures", "pictures"):
            files = sorted(
                p for p in (folder / name).glob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
            )
            if not files:
                raise FileNotFoundError(f"assets={folder} has no images in {name}/. Put jpg or png files there.")
            listed = folder / "textures" / "textures.json"
            material = {e["file"]: e["material"] for e in json.loads(listed.read_text())} if listed.exists() else {}
            for file in files:
                image = Image.open(file).convert("RGB")
                rgba = _opaque(np.asarray(image.resize((SIZE, SIZE), Image.LANCZOS), np.float32) / 255)
                kind = material.get(file.name, file.stem.split("_")[0]) if name == "textures" else "picture"
                self._add(kind, rgba, image.width / image.height)
                if name == "pictures" and (cut := object_cutout(image)):
                    self._add("cutout", *cut)
        rename = {"concrete": "stone", "carpet": "fabric", "paint": "plaster", "wallpaper": "plaster"}
        for old, new in rename.items():
            self.kinds[new] = self.kinds.get(new, []) + self.kinds.get(old, [])


@lru_cache(maxsize=2)
def texture_bank(assets=None):
    """The bank for an assets folder (holding textures/ and pictures/), or the drawn textures alone; built once."""
    return TextureBank(assets)

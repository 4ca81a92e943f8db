"""Pictures fitted on a face: each function draws one by a generator -> (SIZE, SIZE, 4) float in 0..1."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipelines.synthetic.materials.drawing import (
    SIZE,
    as_array,
    canvas,
    colour,
    fractal_noise,
    grid,
    hsv,
    ink_of,
    opaque,
)


def panels(rng):
    """Door, cupboard or lift panel: fitted on a face."""
    image, draw = canvas(colour(rng, (0, 0.5), (0.3, 0.95)))
    base = np.array(image.getpixel((0, 0))[:3]) / 255
    rows, cols = rng.integers(1, 5), rng.integers(1, 3)
    for r in range(rows):
        for c in range(cols):
            x0, y0 = (c + 0.12) * SIZE / cols, (r + 0.1) * SIZE / rows
            x1, y1 = (c + 0.88) * SIZE / cols, (r + 0.9) * SIZE / rows
            draw.rectangle((x0 - 3, y0 - 3, x1 + 3, y1 + 3), fill=ink_of(base * 0.6))
            draw.rectangle((x0, y0, x1 + 3, y1 + 3), fill=ink_of(base * 1.12))
            draw.rectangle((x0, y0, x1, y1), fill=ink_of(base * rng.uniform(0.9, 1.0)))
    knob = rng.choice([10, 232])
    draw.ellipse((knob, 122, knob + 12, 134), fill=ink_of(hsv(0.12, 0.4, 0.7)))
    return as_array(image)


def rug(rng):
    colours = [colour(rng, (0.2, 0.8), (0.2, 0.8)) for _ in range(4)]
    image, draw = canvas(colours[0])
    for i, inset in enumerate(np.sort(rng.integers(6, 110, 4))):
        draw.rectangle((inset, inset, SIZE - inset, SIZE - inset), fill=ink_of(colours[i % 4]))
    for _ in range(rng.integers(0, 12)):
        x, y, r = *rng.integers(30, 226, 2), rng.integers(6, 34)
        ink = ink_of(colours[rng.integers(4)])
        for cx, cy in ((x, y), (SIZE - x, y), (x, SIZE - y), (SIZE - x, SIZE - y)):
            draw.regular_polygon((int(cx), int(cy), int(r)), int(rng.integers(3, 9)), fill=ink)
    return as_array(image) * opaque(1 + 0.06 * fractal_noise(rng, 0.3)[..., None] * np.ones(3))


def books(rng):
    image, draw = canvas(hsv(0.08, 0.4, 0.15))
    rows = rng.integers(1, 4)
    for row in range(rows):
        x, bottom = 0, (row + 1) * SIZE / rows
        while x < SIZE:
            w = rng.integers(5, 18)
            height = rng.uniform(0.55, 0.92) * SIZE / rows
            if rng.random() < 0.92:
                ink = colour(rng, (0.05, 0.8), (0.2, 0.9))
                draw.rectangle((x, bottom - height, x + w - 1, bottom), fill=ink_of(ink))
                draw.line((x + w - 1, bottom - height, x + w - 1, bottom), fill=ink_of(ink * 0.5))
                band = bottom - height * rng.uniform(0.2, 0.9)
                draw.rectangle((x + 1, band, x + w - 3, band + height * 0.08), fill=ink_of(colour(rng)))
            x += w
        draw.rectangle((0, bottom - 4, SIZE, bottom), fill=ink_of(hsv(0.08, 0.5, 0.5)))
    return as_array(image)


def words(rng, draw, x0, y0, x1, y1, ink, line):
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
    base = colour(rng, (0, 0.95), (0.2, 1))
    image, draw = canvas(base)
    for _ in range(rng.integers(1, 5)):
        x0, y0 = rng.integers(-40, 220, 2)
        x1, y1 = x0 + rng.integers(20, 260), y0 + rng.integers(20, 160)
        ink = ink_of(colour(rng, (0, 1), (0.1, 1)))
        if rng.random() < 0.5:
            draw.ellipse((x0, y0, x1, y1), fill=ink)
        else:
            draw.rectangle((x0, y0, x1, y1), fill=ink)
    ink = ink_of(np.ones(3) if base.mean() < 0.5 else np.zeros(3) + 0.1)
    top = rng.integers(20, 130)
    words(rng, draw, 20, top, 236, top + 50, ink, int(rng.integers(18, 40)))
    words(rng, draw, 20, 190, 236, 245, ink, int(rng.integers(4, 9)))
    return as_array(image)


def poster(rng):
    image, draw = canvas(colour(rng, (0, 0.6), (0.2, 1)))
    for _ in range(rng.integers(4, 30)):
        x, y, r = *rng.integers(0, 256, 2), rng.integers(8, 110)
        ink = ink_of(colour(rng, (0, 0.9), (0.1, 1)))
        if rng.random() < 0.4:
            draw.ellipse((x - r, y - r * rng.uniform(0.4, 1), x + r, y + r), fill=ink)
        elif rng.random() < 0.6:
            draw.polygon([tuple(rng.integers(0, 256, 2)) for _ in range(3)], fill=ink)
        else:
            draw.regular_polygon((int(x), int(y), int(r)), int(rng.integers(3, 8)), int(rng.integers(0, 90)), fill=ink)
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(1, 12)))
    if rng.random() < 0.4:
        words(rng, ImageDraw.Draw(image), 20, 200, 236, 250, ink_of(colour(rng)), int(rng.integers(6, 20)))
    return as_array(image)


def screen(rng):
    image, draw = canvas(colour(rng, (0, 0.3), (0.05, 0.95)))
    for _ in range(rng.integers(2, 6)):
        x, y, w, h = *rng.integers(0, 200, 2), *rng.integers(30, 160, 2)
        draw.rectangle((x, y, x + w, y + h), fill=ink_of(colour(rng, (0, 0.5), (0.1, 1))))
        words(rng, draw, x + 5, y + 5, x + w - 5, y + h - 5, ink_of(colour(rng, (0, 0.3), (0, 1))), 6)
    return as_array(image)


def sign(rng):
    image, draw = canvas(colour(rng, (0, 0.9), (0.1, 0.9)))
    words(rng, draw, 16, 60, 240, 200, ink_of(hsv(0.1, rng.uniform(0, 0.3), 0.95)), int(rng.integers(40, 90)))
    return as_array(image)


def sky(rng):
    """Top row: zenith; bottom row: horizon."""
    y, _ = grid(1, 1)
    zenith = hsv(rng.uniform(0.55, 0.62), rng.uniform(0.1, 0.75), rng.uniform(0.45, 0.95))
    horizon = hsv(rng.choice([0.6, 0.08]), rng.uniform(0, 0.3), rng.uniform(0.8, 1))
    k = (y ** rng.uniform(0.7, 2))[..., None]
    cover = fractal_noise(rng, rng.uniform(1.5, 2.1), (1, 2.5))
    cloud = np.clip((cover - rng.uniform(-0.6, 1.6)) * rng.uniform(0.3, 1.2), 0, 1)[..., None]
    shade = (0.95 - 0.12 * np.clip(np.roll(cover, 6, 0), -1, 2))[..., None] * hsv(0.6, rng.uniform(0, 0.08), 1)
    rgb = (zenith * (1 - k) + horizon * k) * (1 - cloud * 0.9) + shade * cloud * 0.9
    if rng.random() < 0.15:
        rgb = rgb * hsv(rng.uniform(0.02, 0.1), rng.uniform(0.2, 0.5), rng.uniform(0.5, 1))
    return opaque(rgb)


def skyline(rng):
    """What a window looks out on: sky, far city or hills, fitted on a quad."""
    image = Image.fromarray((sky(rng) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    haze = hsv(0.6, 0.15, 0.85)
    for layer in range(rng.integers(1, 5)):
        k = (layer + 1) / 5
        ink = haze * (1 - k) + colour(rng, (0.1, 0.5), (0.2, 0.6)) * k
        base, x = 150 + 25 * layer, 0
        if rng.random() < 0.5:
            while x < SIZE:
                w, top = rng.integers(8, 44), base - rng.integers(0, 90)
                draw.rectangle((x, top, x + w, SIZE), fill=ink_of(ink * rng.uniform(0.8, 1.15)))
                for yy in range(top + 4, SIZE, 6):
                    draw.line((x + 2, yy, x + w - 2, yy), fill=ink_of(ink * rng.uniform(0.7, 1.2)))
                x += w
        else:
            hill = base + 12 * fractal_noise(rng, 2.4)[0]
            draw.polygon([(0, SIZE), *[(i, float(v)) for i, v in enumerate(hill)], (SIZE, SIZE)], fill=ink_of(ink))
    return as_array(image)

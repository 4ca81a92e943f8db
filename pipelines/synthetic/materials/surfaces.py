"""Surfaces that tile: each function draws one by a generator -> (SIZE, SIZE, 4) float in 0..1."""

import numpy as np

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


def wood(rng):
    rows = rng.integers(3, 9)
    y, x = grid(rows, 1)
    row = y.astype(int)
    offset = rng.random(rows)[row]
    board = ((x + offset) * 2).astype(int) % 2
    tone = rng.uniform(0.7, 1.15, (rows, 2))[row, board]
    grain = fractal_noise(rng, 1.3, (1, 14)) * 0.09 + fractal_noise(rng, 1.8, (1, 5)) * 0.06
    seam = (y % 1 < 0.03) | (((x + offset) * 2) % 1 < 0.008)
    base = hsv(rng.uniform(0.04, 0.11), rng.uniform(0.2, 0.7), rng.uniform(0.3, 0.85))
    return opaque(base * (tone + grain)[..., None] * np.where(seam, 0.5, 1)[..., None])


def brick(rng):
    rows, cols = rng.integers(6, 13), rng.integers(2, 6)
    y, x = grid(rows, cols)
    row = y.astype(int)
    x = x + 0.5 * (row % 2)
    tone = rng.uniform(0.75, 1.2, (rows, cols))[row, x.astype(int) % cols]
    mortar = ((y % 1) < 0.12) | ((x % 1) < 0.05)
    base = hsv(rng.uniform(0, 0.11), rng.uniform(0.05, 0.65), rng.uniform(0.4, 0.85))
    joint = hsv(0.1, 0.08, rng.uniform(0.4, 0.85))
    rough = 1 + 0.1 * fractal_noise(rng, 1.0)
    return opaque(np.where(mortar[..., None], joint, base * tone[..., None]) * rough[..., None])


def tile(rng):
    n = rng.integers(2, 7)
    y, x = grid(n, n)
    tone = rng.uniform(0.92, 1.06, (n, n))[y.astype(int), x.astype(int)]
    gap = rng.uniform(0.015, 0.05)
    grout = ((y % 1) < gap) | ((x % 1) < gap)
    one, two = colour(rng, (0, 0.35), (0.5, 0.95)), colour(rng, (0, 0.4), (0.1, 0.9))
    if rng.random() < 0.3:  # chequered
        one = np.where((((y.astype(int) + x.astype(int)) % 2) == 0)[..., None], one, two)
    tone = tone * (1 + 0.05 * fractal_noise(rng, 1.8))
    return opaque(np.where(grout[..., None], hsv(0.1, 0.05, rng.uniform(0.3, 0.9)), one * tone[..., None]))


def plaster(rng):
    base = colour(rng, (0, 0.3), (0.6, 0.97))
    shade = 1 + rng.uniform(0.01, 0.05) * fractal_noise(rng, 2.0) + rng.uniform(0, 0.03) * fractal_noise(rng, 0.6)
    return opaque(base * shade[..., None])


def stone(rng):
    one = colour(rng, (0, 0.25), (0.3, 0.9))
    two = one * rng.uniform(0.5, 1.2)
    k = np.clip(0.5 + rng.uniform(0.2, 0.5) * fractal_noise(rng, rng.uniform(1.2, 2.2)), 0, 1)[..., None]
    return opaque((one * (1 - k) + two * k) * (1 + 0.06 * fractal_noise(rng, 0.5)[..., None]))


def fabric(rng):
    one, two = colour(rng), colour(rng)
    n = rng.integers(3, 14)
    y, x = grid(n, n)
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
    return opaque((one * (1 - k[..., None]) + two * k[..., None]) * weave[..., None])


def ground(rng):
    base = hsv(rng.uniform(0.05, 0.15), rng.uniform(0, 0.35), rng.uniform(0.25, 0.7))
    return opaque(base * (1 + 0.14 * fractal_noise(rng, 0.7) + 0.08 * fractal_noise(rng, 1.8))[..., None])


def grass(rng):
    base = hsv(rng.uniform(0.18, 0.33), rng.uniform(0.4, 0.8), rng.uniform(0.25, 0.6))
    return opaque(base * (1 + 0.25 * fractal_noise(rng, 0.5) + 0.12 * fractal_noise(rng, 1.8))[..., None])


def metal(rng):
    shade = 1 + 0.05 * fractal_noise(rng, 1.0, (1, 20))
    return opaque(hsv(0.6, rng.uniform(0, 0.1), rng.uniform(0.3, 0.8)) * shade[..., None])


def curtain(rng):
    _, x = grid(1, 1)
    fold = sum(np.sin(2 * np.pi * (x * rng.integers(3, 17) + rng.random())) for _ in range(3)) / 3
    return opaque(colour(rng, (0, 0.6), (0.4, 0.95)) * (0.82 + 0.2 * fold)[..., None])


def slats(rng):
    y, _ = grid(rng.integers(8, 24), 1)
    shade = 0.55 + 0.45 * np.clip((y % 1) * 2, 0, 1) + 0.03 * fractal_noise(rng, 1.0)
    return opaque(colour(rng, (0, 0.4), (0.4, 0.95)) * shade[..., None])


def facade(rng):
    """Storeys of windows, tiling; for buildings too far away to deserve relief."""
    rows, cols = rng.integers(2, 5), rng.integers(2, 6)
    wall = hsv(rng.uniform(0, 0.15), rng.uniform(0, 0.45), rng.uniform(0.35, 0.95))
    image, draw = canvas(wall)
    trim = ink_of(np.clip(wall * rng.uniform(0.5, 1.4), 0, 1))
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
            draw.rectangle((x0, y0, x1, y1), fill=ink_of(glass))
            draw.polygon([(x0, y1), (x1, y0), (x1, y1)], fill=ink_of(glass * rng.uniform(0.8, 1.15)))
            for i in range(cross):
                x = x0 + (i + 1) * (x1 - x0) / (cross + 1)
                draw.line((x, y0, x, y1), fill=trim, width=2)
        if rng.random() < 0.5:
            draw.rectangle((0, (r + 0.96) * h, SIZE, (r + 1) * h), fill=trim)
    return as_array(image) * opaque(1 + 0.05 * fractal_noise(rng, 1.2)[..., None] * np.ones(3))

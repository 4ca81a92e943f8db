"""Cut-outs -> (SIZE, SIZE, 4) float in 0..1; where alpha is below one half nothing is there."""

import numpy as np
from PIL import Image, ImageFilter

from pipelines.synthetic.materials.drawing import SIZE, as_array, canvas, colour, hsv, ink_of, opaque


def leaves(rng):
    """A cluster of leaves around the centre."""
    image, draw = canvas()
    base = hsv(rng.uniform(0.17, 0.4), rng.uniform(0.3, 0.8), rng.uniform(0.25, 0.65))
    length, width, reach = rng.uniform(14, 60), rng.uniform(0.15, 0.5), rng.uniform(60, 110)
    for _ in range(int(rng.integers(30, 140))):
        r, a = reach * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        x, y, turn = 128 + r * np.cos(a), 128 + r * np.sin(a), a + rng.normal(0, 0.8)
        u, v = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        p, step = np.array([x, y]), length * rng.uniform(0.6, 1.2)
        shape = [p, p + u * step * 0.4 + v * step * width, p + u * step, p + u * step * 0.4 - v * step * width]
        draw.polygon([tuple(q) for q in shape], fill=ink_of(base * rng.uniform(0.5, 1.35)))
    return as_array(image)


def blades(rng):
    """Grass, succulent or palm blades rising from the bottom edge."""
    image, draw = canvas()
    base = hsv(rng.uniform(0.15, 0.4), rng.uniform(0.2, 0.8), rng.uniform(0.25, 0.7))
    wide = rng.uniform(2, 14)
    for _ in range(int(rng.integers(12, 70))):
        x, lean = 128 + rng.normal(0, 26), rng.normal(0, 70)
        top = rng.uniform(5, 150)
        mid = (x + lean * 0.35, 256 - (256 - top) * 0.6)
        ink = ink_of(base * rng.uniform(0.55, 1.35))
        draw.polygon([(x - wide, 256), mid, (x + lean, top), (mid[0] + wide, mid[1]), (x + wide, 256)], fill=ink)
    return as_array(image)


def crown(rng):
    """A whole tree seen from afar, trunk at the bottom edge."""
    image, draw = canvas()
    trunk = ink_of(hsv(0.07, 0.4, rng.uniform(0.15, 0.4)))
    draw.polygon([(122, 256), (134, 256), (130, 90), (126, 90)], fill=trunk)
    base = hsv(rng.uniform(0.15, 0.38), rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.55))
    pointed = rng.random() < 0.35
    for _ in range(500):
        y = rng.uniform(0, 1)
        spread = 90 * (y if pointed else np.sqrt(max(0.02, 1 - (2 * y - 1) ** 2)))
        x, yy, r = 128 + rng.uniform(-1, 1) * spread, 8 + y * (220 if pointed else 170), rng.uniform(4, 14)
        light = rng.uniform(0.6, 1.2) * (1.15 - 0.5 * y)
        draw.ellipse((x - r, yy - r * 0.7, x + r, yy + r * 0.7), fill=ink_of(base * light))
    return as_array(image)


def person(rng):
    """Standing figure, feet at the bottom edge, about a third as wide as high."""
    image, draw = canvas()
    skin, hair = hsv(0.06, rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.95)), hsv(0.08, 0.5, rng.uniform(0.05, 0.6))
    top, legs = colour(rng, (0, 0.8), (0.1, 0.95)), colour(rng, (0, 0.5), (0.08, 0.6))
    stance, w = rng.uniform(5, 26), rng.uniform(26, 40)
    for side in (-1, 1):
        shape = [(128 + side * 2, 125), (128 + side * w * 0.8, 125), (128 + side * (stance + 9), 250)]
        draw.polygon(shape + [(128 + side * (stance - 8), 250)], fill=ink_of(legs * (1 + 0.08 * side)))
        draw.ellipse((128 + side * stance - 12, 244, 128 + side * stance + 14, 256), fill=ink_of(legs * 0.4))
        hand = (128 + side * rng.uniform(w, w * 1.8), rng.uniform(100, 145))
        draw.line([(128 + side * w * 0.85, 55), hand], fill=ink_of(top * 0.85), width=15)
        draw.ellipse((hand[0] - 7, hand[1] - 7, hand[0] + 7, hand[1] + 7), fill=ink_of(skin))
    draw.polygon([(128 - w, 48), (128 + w, 48), (128 + w * 0.75, 135), (128 - w * 0.75, 135)], fill=ink_of(top))
    draw.rectangle((120, 34, 136, 52), fill=ink_of(skin * 0.85))
    draw.ellipse((111, 3, 145, 44), fill=ink_of(skin if rng.random() < 0.6 else hair))
    draw.pieslice((109, 0, 147, 42), 160, 380, fill=ink_of(hair))
    return as_array(image) * opaque(np.linspace(1.1, 0.8, SIZE)[None, :, None] * np.ones((SIZE, 1, 3)))


def railing(rng):
    image, draw = canvas()
    ink = ink_of(colour(rng, (0, 0.4), (0.05, 0.9)))
    bars, wide = rng.integers(4, 14), rng.integers(3, 8)
    for i in range(bars):
        x = (i + 0.5) * SIZE / bars
        draw.line((x, 0, x, SIZE), fill=ink, width=int(wide))
    for y in (6, 250, *(rng.integers(40, 210, rng.integers(0, 3)))):
        draw.line((0, int(y), SIZE, int(y)), fill=ink, width=int(wide) + 2)
    return as_array(image)


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
    return as_array(rgba.resize((SIZE, SIZE), Image.BILINEAR)), (box[2] - box[0]) / (box[3] - box[1])

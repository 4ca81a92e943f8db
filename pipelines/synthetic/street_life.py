"""People and cars, by a Builder b."""

import numpy as np

from pipelines.synthetic.builder import Material
from pipelines.synthetic.materials.drawing import hsv


def person(b, height=None):
    """Standing on y = 0, height in metres, 1.55..1.9 if None: a cut-out or a figure of cones and balls."""
    u, h = b.u, (height or b.u(1.55, 1.9)) / 1.75
    with b.at(unit=h):
        if b.chance(0.4):
            texture = int(b.rng.choice(b.bank.kinds["person"]))
            b.quad((0, 0.875, 0), (0.875, 0.875), Material(texture), u(-0.5, 0.5), cut=True)
            return
        skin = b.plain(tuple(hsv(0.06, u(0.3, 0.6), u(0.3, 0.9)) ** 2))
        top = b.material("fabric")
        legs = b.material("fabric", recolour=1.0, tint=b.colour((0, 0.5), (0.1, 0.5)))
        for side in (-1, 1):
            step = u(-0.15, 0.15)
            b.cone((side * 0.1, 0.43, step / 2), 0.065, 0.1, 0.86, legs, pitch=step)
            b.ball((side * 0.1, 0.04, step + 0.06), (0.05, 0.045, 0.13), b.plain((0.03, 0.03, 0.03)))
            b.cone((side * 0.25, 1.15, 0), 0.04, 0.06, 0.6, top, roll=side * u(0.05, 0.3), pitch=u(-0.4, 0.3))
        b.cone((0, 1.12, 0), 0.17, 0.22, 0.62, top, squash=0.6)
        b.ball((0, 1.42, 0), (0.21, 0.1, 0.13), top)
        b.cone((0, 1.5, 0), 0.055, 0.055, 0.14, skin)
        b.ball((0, 1.63, 0), (0.085, 0.12, 0.1), skin)
        b.ball((0, 1.67, -0.02), (0.095, 0.11, 0.105), b.plain(tuple(hsv(0.08, 0.5, u(0.05, 0.5)) ** 2)))


def car(b):
    """4.1 m long, along z."""
    u, grey = b.u, b.pick(0.02, 0.05, 0.3, 0.6, 0.8)
    paint = b.plain(b.pick((grey,) * 3, (grey,) * 3, b.colour()), gloss=0.8)
    glass, rubber = b.plain((0.02, 0.03, 0.04), gloss=0.8), b.plain((0.01, 0.01, 0.01))
    tall = b.pick(1.0, 1.0, 1.5)
    b.box((0, 0.58, 0), (0.85, 0.28, 2.05), paint)
    b.ball((0, 0.62, 1.5), (0.84, 0.3, 0.75), paint)
    b.ball((0, 0.62, -1.5), (0.84, 0.3, 0.75), paint)
    b.box((0, 0.8 + 0.28 * tall, -0.2), (0.68, 0.28 * tall, 0.95), glass)
    for side in (-1, 1):
        b.box((0, 0.8 + 0.25 * tall, -0.2 + side * 0.95), (0.66, 0.34 * tall, 0.02), glass, pitch=-side * 0.6)
        for z in (-1.3, 1.3):
            b.cone((side * 0.78, 0.32, z), 0.32, 0.32, 0.2, rubber, roll=np.pi / 2)
            b.cone((side * 0.8, 0.32, z), 0.19, 0.19, 0.2, b.plain((0.5, 0.5, 0.5)), roll=np.pi / 2)
        for z in (-2.06, 2.06):
            lamp = b.plain((1, 0.1, 0.05) if z < 0 else (1, 0.95, 0.8), emit=u(0, 3))
            b.box((side * 0.62, 0.68, z), (0.16, 0.07, 0.03), lamp)
    b.box((0, 0.8 + 0.57 * tall, -0.2), (0.66, 0.03, 0.85), paint)

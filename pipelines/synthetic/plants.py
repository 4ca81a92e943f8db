"""Plants in pots, bushes and trees, made of cut-outs, by a Builder b. Heights in metres."""

import numpy as np

from pipelines.synthetic.builder import Material
from pipelines.synthetic.materials.drawing import hsv


def plant(b, height):
    u, pot = b.u, height * b.u(0.25, 0.45)
    b.cone((0, pot / 2, 0), pot * u(0.3, 0.5), pot * u(0.4, 0.6), pot, b.material("stone|plaster|metal"))
    with b.at(0, pot * 0.95, 0, u(0, 6)):
        foliage(b, height - pot, b.pick("leaves", "blades"))


def foliage(b, height, kind="leaves"):
    """Crossed or scattered cut-outs, from a tuft to a bush."""
    u = b.u
    texture = int(b.rng.choice(b.bank.kinds[kind]))
    tint = (u(0.8, 1.6),) * 3
    leaf = Material(texture, tint=tint)
    if kind == "blades":
        for i in range(b.rng.integers(2, 5)):
            half = (height * 0.5, height * u(0.42, 0.55))
            b.quad((0, half[1] - 0.02 * height, 0), half, leaf, i * np.pi / 3 + u(-0.2, 0.2), u(-0.15, 0.15), cut=True)
    else:
        for _ in range(b.rng.integers(4, 10)):
            half, where = height * u(0.25, 0.42), b.rng.normal(0, 0.18, 3) * height
            where[1] = height * u(0.35, 0.75)
            b.quad(where, (half, half), leaf, u(0, 3.2), u(-0.9, 0.9), u(0, 6), cut=True)


def tree(b, height):
    u, trunk = b.u, height * b.u(0.25, 0.5)
    if b.chance(0.35):
        texture = Material(int(b.rng.choice(b.bank.kinds["crown"])), tint=(u(0.8, 1.7),) * 3)
        for i in range(2):
            b.quad((0, height / 2, 0), (height * 0.45, height / 2), texture, u(0, 0.6) + i * 1.57, cut=True)
        return
    bark = Material(int(b.rng.choice(b.bank.kinds["wood"])), 1.0, tuple(hsv(0.07, 0.4, u(0.2, 0.5)) ** 2), 1.0)
    b.cone((0, trunk * 0.6, 0), height * 0.035, height * 0.02, trunk * 1.2, bark)
    leaf = Material(int(b.rng.choice(b.bank.kinds["leaves"])), tint=(u(0.7, 1.7),) * 3)
    spread = height * u(0.18, 0.32)
    for _ in range(b.rng.integers(8, 18)):
        x, y, z = b.rng.normal(0, 0.6, 3) * spread
        half = spread * u(0.5, 0.85)
        where = (x, trunk + (height - trunk) * 0.5 + y * 1.1, z)
        b.quad(where, (half, half), leaf, u(0, 3.2), u(-1, 1), u(0, 6), cut=True)

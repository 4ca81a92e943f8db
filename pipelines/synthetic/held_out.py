"""Families that are never trained on: for evaluation only."""

import numpy as np

from pipelines.synthetic.buildings import house
from pipelines.synthetic.furniture import chair, picture, table
from pipelines.synthetic.plants import plant
from pipelines.synthetic.street_life import person
from pipelines.synthetic.surroundings import ceiling_lamps, daylight, four_walls, lamplight, room_shell, room_views
from pipelines.synthetic.things import thing

PI = np.pi


def gallery(b):
    u, w, d, h = b.u, b.u(6, 12), b.u(8, 16), b.u(3.2, 5.5)
    b.floor(0, 0, w, d, b.material("wood|stone|tile", gloss=0.3))
    b.quad((0, h, 0), (w / 2, d / 2), b.plain((0.8, 0.8, 0.8)), pitch=PI / 2)
    white = b.plain((0.85, 0.85, 0.83))
    for a, c, x, z, yaw in four_walls(w, d):
        b.wall(a, c, h, white)
        length = np.hypot(c[0] - a[0], c[1] - a[1])
        with b.at(x, 0, z, yaw):
            for i in range(int(length / 2.2)):
                with b.at((i + 0.5) * 2.2 - length / 2, 1.6):
                    picture(b, u(0.6, 1.7), u(0.6, 1.6))
    for i in range(b.rng.integers(1, 4)):  # free-standing walls
        b.box((u(-0.25, 0.25) * w, h * 0.4, -d / 2 + (i + 1) * d / 4), (u(0.8, 1.6), h * 0.4, 0.12), white)
    for _ in range(b.rng.integers(3, 8)):
        with b.at(u(-0.35, 0.35) * w, 0, u(-0.4, 0.2) * d, u(0, 6)):
            if b.chance(0.25):
                person(b)
            else:
                size, high = u(0.3, 0.6), u(0.6, 1.2)
                b.block(0, 0, 0, size, high, size, white)
                with b.at(0, high, 0):
                    thing(b, u(0.25, 0.5))
    ceiling_lamps(b, w, d, h)
    lamplight(b, h, max(w, d))
    room_views(b, w, d, 1.2, 1.8)


def kitchen(b):
    u, w, d, h = b.u, b.u(3, 5.5), b.u(3.5, 6), b.u(2.4, 2.9)
    room_shell(b, w, d, h, windows=(0.3, 0.6, 0.1, 0))
    top, front = b.material("stone|wood", gloss=0.4), b.image("panels", crop=(0, 0, 1, 1))
    for x, z, yaw, length in ((0, -d / 2, 0, w), (-w / 2, -0.2, PI / 2, d * 0.6)):
        with b.at(x, 0, z, yaw):
            b.quad((0, 1.2, 0.02), (length / 2, 0.3), b.material("tile"), casts=False)
            b.block(0, 0, 0.3, length, 0.86, 0.58, b.plain((0.5, 0.5, 0.5)))
            b.block(0, 0.86, 0.31, length, 0.04, 0.62, top)
            for i in range(int(length / 0.6)):
                c = (i + 0.5) * 0.6 - length / 2
                b.quad((c, 0.45, 0.6), (0.28, 0.4), front, casts=False)
                if b.chance(0.6):
                    b.box((c, 1.9, 0.18), (0.29, 0.35, 0.17), front)
                if b.chance(0.6):
                    with b.at(c, 0.9, 0.3, u(0, 6)):
                        thing(b, u(0.08, 0.22))
    with b.at(u(0, 0.2) * w, 0, u(0, 0.2) * d):
        table(b, 1.4, 0.8, 0.75, 5)
    ceiling_lamps(b, w, d, h)
    lamplight(b, h, max(w, d), b.chance(0.3))
    room_views(b, w, d, 1.1, 1.7)


def arcade(b):
    """A covered walk of columns and arches beside an open square."""
    u, w, d, h = b.u, b.u(2.5, 4.5), b.u(20, 40), b.u(3, 5)
    skin, floor = b.material("stone|plaster|brick"), b.material("stone|tile")
    b.floor(0, -d / 2 + 4, 80, d + 60, b.material("stone|ground"), y=-0.02)
    b.floor(0, -d / 2 + 4, w, d, floor)
    b.quad((0, h, -d / 2 + 4), (w / 2, d / 2), b.material("plaster|wood"), pitch=PI / 2)
    b.wall((-w / 2, 4), (-w / 2, 4 - d), h, b.material("plaster|stone|brick"))
    step = u(2.5, 4)
    for z in np.arange(4, 4 - d, -step):
        b.block(w / 2, 0, z, 0.5, 0.3, 0.5, skin)
        b.cone((w / 2, h * 0.4, z), 0.2, 0.17, h * 0.8, skin)
        b.block(w / 2, h * 0.72, z, 0.5, h * 0.28, 0.5, skin)
        with b.at(-w / 2, 0, z - step / 2, PI / 2):
            b.box((0, 1.2, 0), (step * 0.3, 1.2, 0.05), b.plain())
            b.quad((0, 1.15, 0.06), (step * 0.26, 1.1), b.image("picture", tint=(0.5,) * 3), casts=False)
    b.block(w / 2, h * 0.85, -d / 2 + 4, 0.5, h * 0.6, d, skin)
    with b.at(u(14, 30), 0, -d / 2, -PI / 2):
        house(b, 40, u(6, 14), 8, relief=True)
    for _ in range(b.rng.integers(2, 8)):
        with b.at(u(-0.3, 0.3) * w, 0, -u(1, 16), u(0, 6)):
            b.pick(person, lambda b: plant(b, 1.2), table, chair)(b)
    daylight(b, 18, (2, 0, -8))
    for _ in range(8):
        eye = (u(-0.3, 0.3) * w, u(1.2, 1.8), u(0, 3))
        b.views.append((eye, (u(-0.3, 0.6) * w, u(1, 1.7), eye[2] - u(5, 12))))

"""Streets, facades, monuments, gardens."""

from dataclasses import replace

import numpy as np

from pipelines.synthetic.buildings import house
from pipelines.synthetic.furniture import chair, sofa, table
from pipelines.synthetic.materials.drawing import hsv
from pipelines.synthetic.plants import foliage, plant, tree
from pipelines.synthetic.street_life import car, person
from pipelines.synthetic.surroundings import daylight, railing
from pipelines.synthetic.things import thing

PI = np.pi


def street_things(b, spots, count):
    """People, cars, trees, lamps, signs; spots: the area x0, x1, z0, z1 in metres."""
    u = b.u
    for _ in range(count):
        x0, x1, z0, z1 = spots
        with b.at(u(x0, x1), 0, u(z0, z1), b.pick(0, PI, u(0, 6.3))):
            what = b.rng.integers(0, 9)
            if what < 2:
                person(b)
            elif what < 4:
                car(b)
            elif what == 4:
                tree(b, u(2.5, 7))
            elif what == 5:
                high = u(2.5, 5.5)
                b.cone((0, high / 2, 0), 0.07, 0.04, high, b.plain((0.03,) * 3))
                b.ball((0, high, 0), 0.18, b.plain((1, 0.95, 0.8), emit=u(0, 2)))
            elif what == 6:
                plant(b, u(0.7, 1.6))
            elif what == 7:
                b.cone((0, 0.45, 0), 0.06, 0.05, 0.9, b.plain())
                b.quad((0, u(1.8, 2.6), 0), (0.3, 0.3), b.image("sign"))
                b.cone((0, 1.2, 0), 0.03, 0.03, 2.4, b.plain((0.3,) * 3))
            else:
                table(b, things=2)


def street(b):
    u, wide = b.u, b.u(3, 14)
    canal = wide > 6 and b.chance(0.35)
    b.floor(0, -40, 160, 200, b.material("stone|ground|stone"), y=-1.2 if canal else 0)
    walk, rail = u(1.0, 2.2), railing(b)
    if canal:
        water = b.plain(tuple(hsv(u(0.2, 0.5), 0.4, 0.22) ** 2), gloss=0.3)
        b.floor(0, -40, wide - 2 * walk, 130, water, y=-0.9)
        b.settings["mirror_height"] = -0.9
    for side in (-1, 1):
        pave = b.material("stone|tile")
        low = -1.2 if canal else 0
        b.box((side * (wide / 2 - walk / 2), low / 2 + 0.05, -40), (walk / 2, 0.06 - low / 2, 65), pave)
        if canal and b.chance(0.7):
            for k in range(12):
                b.quad((side * (wide / 2 - walk), 0.55, 4 - 2 * k), (1, 0.5), rail, PI / 2, cut=True)
        z, base_h, relief = 6.0, u(3, 14), True
        while z > -75:
            w, h = u(4, 11), base_h * u(0.6, 1.35)
            with b.at(side * (wide / 2 + u(0, 0.4)), 0, z - w / 2, -side * PI / 2):
                house(b, w, h, u(5, 9), relief=relief and len(b.parts) < 330)
            z -= w + (u(1, 5) if b.chance(0.12) else 0)
            relief = z > -26
    end = u(30, 78)
    with b.at(u(-3, 3), 0, -end):
        house(b, wide + 16, u(5, 20), 8, relief=False)
    spots = (-wide / 2 + 0.5, wide / 2 - 0.5, -28, 0)
    if canal:
        street_things(b, (-wide / 2 + 0.4, -wide / 2 + walk, -24, 0), b.rng.integers(1, 5))
        spots = (wide / 2 - walk, wide / 2 - 0.4, -24, 0)
        for _ in range(b.rng.integers(0, 3)):
            b.box((u(-0.2, 0.2) * wide, -0.75, -u(4, 30)), (0.6, 0.3, 2), b.material("wood"))
    street_things(b, spots, b.rng.integers(3, 12))
    daylight(b, 22, (0, 0, -12))
    for _ in range(8):
        eye = (u(-0.3, 0.3) * wide, u(1.2, 2.4), u(-2, 4))
        b.views.append((eye, (u(-0.7, 0.7) * wide, u(0.8, 3.5), eye[2] - u(7, 25))))


def facade(b):
    """One building, frontal or oblique, from the square in front of it."""
    u, w, h, away = b.u, b.u(8, 40), b.u(5, 24), b.u(6, 32)
    b.floor(0, 10, 200, 200, b.material("stone|ground|tile|grass"))
    house(b, w, h, u(6, 15), relief=True)
    trim = b.material("stone|plaster|plaster")
    if b.chance(0.6):  # portal: columns, lintel, pediment, door in shadow
        pw, ph, pd = u(2, min(8, w * 0.5)), u(3, h * 0.8), u(0.6, 3)
        b.box((0, ph / 2, 0.1), (pw / 2, ph / 2, 0.15), trim)
        b.box((0, ph * 0.38, 0.2), (pw * 0.25, ph * 0.38, 0.12), b.plain((0.02, 0.02, 0.02)))
        b.quad((0, ph * 0.36, 0.33), (pw * 0.22, ph * 0.36), b.image("panels", crop=(0, 0, 1, 1), tint=(0.4,) * 3))
        for x in np.linspace(-pw / 2, pw / 2, b.pick(2, 4, 4, 6)):
            b.cone((x, ph * 0.45, pd), 0.05 * ph, 0.04 * ph, ph * 0.9, trim)
            b.block(x, 0, pd, 0.14 * ph, 0.06 * ph, 0.14 * ph, trim)
        b.box((0, ph * 0.95, pd / 2), (pw / 2 + 0.08 * ph, 0.05 * ph, pd / 2 + 0.08 * ph), trim)
        if b.chance(0.6):
            for side in (-1, 1):
                b.box((side * pw / 4, ph * 1.1, pd / 2), (pw / 3.6, 0.04 * ph, pd / 2 + 0.1), trim, roll=-side * 0.35)
        if b.chance(0.3):
            b.ball((0, ph, 0.3), (pw * 0.3, pw * 0.3, 0.3), b.material("facade|stone"))
    if b.chance(0.6):
        steps, rise, wide = b.rng.integers(3, 14), u(0.12, 0.18), u(3, w)
        for i in range(steps):
            b.block(0, 0, 0, wide + (steps - i) * 0.3, rise * (i + 1) * 0.5, 2 * (0.8 + (steps - i) * 0.35), trim)
    if b.chance(0.35):
        for side in (-1, 1):
            tower = u(1.2, 2.2) * h
            b.block(side * w * 0.42, 0, -2, w * 0.14, tower, w * 0.14, b.material("stone|plaster|brick"))
            b.cone((side * w * 0.42, tower + h * 0.15, -2), w * 0.08, 0.02, h * 0.3, b.material("metal|tile"))
    if b.chance(0.3):  # overhanging flat roof
        b.box((0, h + 0.3, 1), (w / 2 + 2, 0.25, 4), b.material("wood|metal|plaster"))
    for side in (-1, 1):
        if b.chance(0.6):
            with b.at(side * (w * 0.5 + u(4, 14)), 0, u(-6, 4), u(-0.3, 0.3)):
                house(b, u(8, 16), u(4, 18), 9, relief=b.chance(0.4))
    street_things(b, (-w * 0.5, w * 0.5, 3, away * 0.75), b.rng.integers(2, 12))
    daylight(b, max(w, h) * 0.75 + 6, (0, 0, 4))
    for _ in range(8):
        turn = b.pick(u(-0.25, 0.25), u(-1.1, 1.1))
        eye = (away * np.sin(turn), u(0.6, 2.5), away * np.cos(turn) + 1)
        b.views.append((eye, (u(-0.3, 0.3) * w, h * u(0.15, 0.55), 0)))


def upward(b):
    """Buildings from their feet: fronts that lean back, overhangs, balconies and roofs against the sky."""
    u = b.u
    b.floor(0, 10, 200, 200, b.material("stone|ground|tile|grass"))
    w, h, away = u(8, 30), u(7, 40), u(3, 14)
    with b.at(yaw=b.pick(0, u(-0.6, 0.6))):
        house(b, w, h, u(8, 20), relief=b.chance(0.7))
        trim, glass = b.material("stone|plaster|metal|wood"), b.plain((0.05, 0.07, 0.09), gloss=0.8)
        if b.chance(0.6):  # balconies or galleries along the front
            step, reach, wide = u(2.8, 4), u(0.8, 2.5), w * u(0.3, 1.0)
            for y in np.arange(step, h - 1, step):
                b.box((0, y, reach / 2), (wide / 2, u(0.08, 0.15), reach / 2), trim)
                rail = b.pick(glass, trim, None)
                if rail:
                    b.box((0, y + 0.55, reach), (wide / 2, 0.5, 0.02), rail)
                else:
                    b.quad((0, y + 0.55, reach), (wide / 2, 0.5), railing(b), cut=True)
        if b.chance(0.6):  # a roof that reaches over the viewer
            reach, thick = u(1, away * 0.9), u(0.15, 0.8)
            b.box((u(-0.2, 0.2) * w, h * u(0.6, 1.0), reach / 2), (w * u(0.3, 0.6), thick / 2, reach / 2), trim)
    if b.chance(0.5):
        with b.at(b.pick(-1, 1) * (w * 0.5 + u(3, 10)), 0, u(-6, 6), u(-1.2, 1.2)):
            house(b, u(8, 20), u(8, 30), 12, relief=b.chance(0.5))
    if b.chance(0.4):
        plants(b, -w, w, 1, away * 0.7, b.rng.integers(1, 4), (4, 12))
    daylight(b, max(w, h), (0, h * 0.4, 4))
    for _ in range(8):
        turn = u(-1.0, 1.0)
        eye = (away * np.sin(turn) + u(-0.3, 0.3) * w, u(1.2, 2.0), away * np.cos(turn) + 1)
        lift = u(0.15, 0.9)
        b.views.append((eye, (u(-0.4, 0.4) * w, eye[1] + away * np.tan(lift), 0)))
    b.settings["steepest"] = 52.0


def plants(b, x0, x1, z0, z1, count, high=(2, 8)):
    """Trees of a height within `high` metres, and bushes, in the area x0..x1, z0..z1."""
    u = b.u
    for _ in range(count):
        with b.at(u(x0, x1), 0, u(z0, z1)):
            if b.chance(0.6):
                tree(b, u(*high))
            else:
                foliage(b, u(0.5, 1.6), b.pick("leaves", "blades"))


def monument(b):
    """A building far away behind a pool, lawns or a square, with rows of trees."""
    u, far = b.u, b.u(25, 140)
    b.floor(0, -far / 2, 600, 700, b.material("grass|ground|stone|grass"))
    b.floor(0, -far / 2, u(3, 14), far * 1.2, b.material("stone|ground|tile"), y=0.02)
    if b.chance(0.5):
        pool = u(3, 10)
        b.floor(0, -far * 0.42, pool, far * 0.7, b.plain(tuple(hsv(0.5, 0.4, 0.3) ** 2), gloss=0.4), y=0.05)
        for side in (-1, 1):
            b.block(side * pool / 2, 0, -far * 0.42, 0.5, 0.2, far * 0.7, b.material("stone"))
        b.settings["mirror_height"] = 0.05
    size, skin = far * u(0.2, 0.5), b.material("stone|plaster|stone")
    skin = replace(skin, scale=4 / size)
    with b.at(u(-0.1, 0.1) * far, 0, -far, u(-0.3, 0.3)):
        style = b.rng.integers(0, 4)
        if style == 0:  # domes and minarets
            b.block(0, 0, 0, size * 1.5, size * 0.08, size * 1.2, skin)
            b.block(0, 0, 0, size * 0.8, size * 0.42, size * 0.7, skin)
            dark = b.plain((0.1, 0.1, 0.12))
            for x in (-0.28, 0, 0.28):
                b.box((x * size, size * 0.2, size * 0.35), (size * 0.08, size * 0.12, size * 0.02), dark)
                b.ball((x * size, size * 0.32, size * 0.35), (size * 0.08, size * 0.08, size * 0.02), dark)
            b.cone((0, size * 0.48, 0), size * 0.2, size * 0.2, size * 0.12, skin)
            b.ball((0, size * 0.6, 0), (size * 0.23, size * 0.24, size * 0.23), skin)
            b.cone((0, size * 0.88, 0), size * 0.02, 0.001, size * 0.15, skin)
            for x in (-0.26, 0.26):
                b.ball((x * size, size * 0.44, size * 0.1), size * 0.09, skin)
            for x in (-0.75, 0.75):
                for z in (-0.5, 0.5):
                    b.cone((x * size, size * 0.38, z * size), size * 0.04, size * 0.03, size * 0.76, skin)
                    b.ball((x * size, size * 0.78, z * size), size * 0.035, skin)
        elif style == 1:  # temple
            b.block(0, 0, 0, size * 1.1, size * 0.06, size * 0.7, skin)
            for x in np.linspace(-0.45, 0.45, 8):
                b.cone((x * size, size * 0.24, size * 0.28), size * 0.03, size * 0.025, size * 0.36, skin)
            b.block(0, 0, -size * 0.05, size * 0.8, size * 0.42, size * 0.4, replace(skin, tint=(0.4,) * 3))
            b.block(0, size * 0.42, 0, size, size * 0.08, size * 0.64, skin)
            for side in (-1, 1):
                b.box(
                    (side * size * 0.25, size * 0.56, 0),
                    (size * 0.28, size * 0.02, size * 0.33),
                    skin,
                    roll=-side * 0.3,
                )
        elif style == 2:  # towers
            for _ in range(b.rng.integers(2, 9)):
                x, w, h = u(-0.7, 0.7) * size, size * u(0.08, 0.25), size * u(0.3, 1.6)
                b.block(x, 0, u(-0.5, 0.3) * size, w, h, w, b.material("facade", scale=u(0.5, 1.5) * 4 / size))
        else:
            with b.at(unit=size / 20):
                house(b, u(14, 30), u(7, 14), 10)
    row = u(4, 14)
    if b.chance(0.6):
        state, x, step = b.rng.bit_generator.state, u(5, 14), u(3, 9)
        for z in np.arange(6, far * 0.8, max(step, far / 12)):
            for side in (-1, 1):
                b.rng.bit_generator.state = state
                with b.at(side * x, 0, -z):
                    tree(b, row * 0.5)
    plants(b, -far * 0.6, far * 0.6, -far * 1.1, -far * 0.4, b.rng.integers(3, 12), (4, 14))
    street_things(b, (-8, 8, -far * 0.5, -3), b.rng.integers(0, 8))
    for i in range(b.rng.integers(0, 3)):
        k = far * (2 + i)
        hill = b.plain(tuple(hsv(u(0.25, 0.6), 0.3, u(0.3, 0.6)) ** 2))
        b.ball((u(-1, 1) * k, -0.2 * k, -k * 1.5), (k * u(0.6, 1.4), k * u(0.25, 0.45), k * 0.4), hill, casts=False)
    daylight(b, 30, (0, 0, -15))
    for _ in range(8):
        eye = (u(-4, 4), u(0.8, 2.5), u(-1, 3))
        b.views.append((eye, (eye[0] + u(-0.1, 0.1) * far, size * u(0.1, 0.4), -far)))


def garden(b):
    u = b.u
    b.floor(0, 0, 200, 200, b.material("grass|grass|ground|stone"))
    b.floor(u(-2, 2), -8, u(1, 3), 40, b.material("stone|ground|tile"), y=0.015)
    plants(b, -9, 9, -14, -2, b.rng.integers(6, 14), (1.5, 7))
    plants(b, -40, 40, -60, -16, b.rng.integers(4, 14), (4, 14))
    for _ in range(b.rng.integers(0, 4)):
        hedge = railing(b) if b.chance(0.3) else None
        x, z, yaw, length = u(-6, 6), u(-10, -4), b.pick(0, PI / 2, u(0, 3)), u(1.5, 5)
        if hedge:
            b.quad((x, 0.5, z), (length / 2, 0.5), hedge, yaw, cut=True)
        else:
            b.box((x, 0.5, z), (length / 2, u(0.3, 0.9), 0.3), b.material("grass|grass|stone|brick"), yaw)
    if b.chance(0.6):
        with b.at(u(-8, 8), 0, -u(9, 25), u(-0.5, 0.5)):
            house(b, u(6, 14), u(3, 7), 7)
    for _ in range(b.rng.integers(2, 8)):
        with b.at(u(-5, 5), 0, u(-9, -2), u(0, 6.3)):
            b.pick(person, chair, table, lambda b: plant(b, u(0.5, 1.4)), lambda b: thing(b, u(0.3, 0.8)), sofa)(b)
    daylight(b, 12, (0, 0, -5))
    for _ in range(8):
        eye = (u(-3, 3), u(0.7, 2.2), u(0, 4))
        b.views.append((eye, (u(-4, 4), u(0.3, 1.8), -u(4, 10))))


def square(b):
    """People on a square, near and far, before steps that go up to a building."""
    u, far, rise = b.u, b.u(15, 60), b.u(0, 8)
    b.floor(0, 0, 300, 300, b.material("stone|tile|ground"))
    steps = max(1, int(rise / 0.2)) if rise > 1 else 0
    wide, run, skin = u(8, 40), u(0.3, 0.8), b.material("stone")
    for i in range(0, steps, max(1, steps // 24)):  # a few thick steps instead of many
        deep = (steps - i) * run + far
        b.block(0, 0, -far + steps * run - i * run - deep / 2, wide, (i + 1) * rise / steps, deep, skin)
    with b.at(u(-0.1, 0.1) * far, rise if steps else 0, -far, u(-0.2, 0.2)):
        house(b, u(12, 30), u(8, 20), 10)
        for side in (-1, 1):
            if b.chance(0.5):
                tower = u(3, 5)
                b.block(side * u(5, 8), 0, -2, tower, u(14, 28), tower, b.material("stone|plaster|brick"))
    for side in (-1, 1):
        if b.chance(0.6):
            with b.at(side * u(9, 18), 0, -u(4, 12), -side * PI / 2):
                house(b, u(12, 30), u(7, 16), 8, relief=b.chance(0.7))
    for _ in range(b.rng.integers(6, 26)):
        away = u(1.6, 5) if b.chance(0.4) else u(4, far)
        with b.at(u(-0.6, 0.6) * away, 0, 2 - away, u(0, 6.3)):
            person(b)
    plants(b, -14, 14, -far, -5, b.rng.integers(0, 7), (3, 9))
    daylight(b, 25, (0, 0, -10))
    for _ in range(8):
        eye = (u(-2, 2), u(1.2, 2.6), u(1, 4))
        b.views.append((eye, (u(-0.1, 0.1) * far, u(0.05, 0.25) * far, -far)))
    b.settings["steepest"] = 30.0

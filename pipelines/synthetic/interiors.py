"""Rooms to live, shop and work in."""

import numpy as np

from pipelines.synthetic.furniture import any_piece, bed, cabinet, chair, lamp, picture, shelf, sofa, table
from pipelines.synthetic.plants import plant
from pipelines.synthetic.street_life import car, person
from pipelines.synthetic.surroundings import (
    ceiling_lamps,
    four_walls,
    furnish,
    lamplight,
    railing,
    room_shell,
    room_views,
)
from pipelines.synthetic.things import thing

PI = np.pi


def room(b):
    w, d, h = b.u(3, 6.5), b.u(3.5, 7.5), b.u(2.3, 3.4)
    room_shell(b, w, d, h)
    ceiling_lamps(b, w, d, h)
    furnish(b, w, d, b.rng.integers(5, 12))
    lamplight(b, h, max(w, d), b.chance(0.35))
    room_views(b, w, d)


def hotel(b):
    w, d, h = b.u(3.2, 5.5), b.u(4, 6.5), b.u(2.4, 3)
    room_shell(b, w, d, h, windows=(0.3, 0.6, 0.4, 0), glass=b.chance(0.3))
    ceiling_lamps(b, w, d, h)
    with b.at(b.u(-0.2, 0.2) * w, 0, -d / 2 + 1.15):
        bed(b)
    for side in (-1, 1):
        if b.chance(0.6):
            with b.at(side * (w / 2 - 0.35), 0, b.u(-0.1, 0.35) * d, -side * PI / 2):
                b.pick(cabinet, sofa, chair, lamp, table)(b)
    furnish(b, w, d, b.rng.integers(0, 4))
    lamplight(b, h, max(w, d), b.chance(0.3))
    room_views(b, w, d)


def attic(b):
    u, w, d, low, high = b.u, b.u(4, 7), b.u(5, 9), b.u(0.6, 1.6), b.u(2.8, 4.5)
    b.floor(0, 0, w, d, b.material("wood|fabric|wood"))
    paint = b.material("plaster|plaster|wood")
    slope, rise = b.pick(paint, b.material("wood|plaster")), np.arctan2(high - low, w / 2)
    length = np.hypot(high - low, w / 2)
    for side in (-1, 1):
        b.wall((side * w / 2, -d / 2), (side * w / 2, d / 2), low, paint)
        with b.at(side * w / 4, (low + high) / 2, 0, roll=-side * rise):
            b.quad((0, 0, 0), (length / 2, d / 2), slope, pitch=PI / 2)
            for i in range(b.rng.integers(0, 4)):
                z = (i - 1) * d / 4
                b.box((0, -0.02, z), (u(0.3, 0.6), 0.04, u(0.4, 0.7)), b.plain((0.7, 0.7, 0.7)), casts=False)
                b.box((0, -0.04, z), (0.3, 0.04, 0.38), b.image("skyline", emit=u(1.5, 4)), casts=False)
            if b.chance(0.6):
                beam = b.material("wood")
                for i in range(b.rng.integers(2, 6)):
                    b.box((0, -0.08, (i - 2) * d / 5), (length / 2, 0.08, 0.07), beam)
    for z in (-d / 2, d / 2):
        b.wall((-w / 2, z), (w / 2, z), high, b.pick(paint, b.material("brick|wood|plaster")))
    with b.at(0, 1.2, -d / 2):
        picture(b, u(0.6, 1.6), u(0.6, 1.2))
    if b.chance(0.5):
        with b.at(u(-0.2, 0.2) * w, 0, -d / 2 + 1.2):
            bed(b)
    furnish(b, w * 0.8, d, b.rng.integers(4, 9))
    b.light(0, high - 0.6, 0, u(1, 4), (1, 0.95, 0.9), 1)
    lamplight(b, high, max(w, d))
    room_views(b, w * 0.7, d)


def showroom(b):
    u, w, d, h = b.u, b.u(7, 16), b.u(8, 20), b.u(3, 5.5)
    room_shell(b, w, d, h, windows=(0.4, 0.5, 0.5, 0.3), glass=b.chance(0.7))
    ceiling_lamps(b, w, d, h)
    columns(b, w, d, h)
    style = b.rng.integers(0, 3)
    for _ in range(b.rng.integers(6, 15)):
        with b.at(u(-0.42, 0.42) * w, 0, u(-0.42, 0.25) * d, u(0, 6.3)):
            if style == 0 and b.chance(0.5):
                car(b)
            elif b.chance(0.4):
                size = u(0.4, 1.2)
                b.block(0, 0, 0, size, u(0.2, 1.1), size, b.plain())
                with b.at(0, b.parts[-1][3][1] * 2, 0):
                    thing(b, u(0.2, 0.6))
            elif b.chance(0.15):
                person(b)
            else:
                any_piece(b)
    lamplight(b, h, max(w, d), b.chance(0.3))
    b.settings["mirror_height"] = 0.0 if b.chance(0.25) else None
    room_views(b, w, d, 1.0, 2.2)


def columns(b, w, d, h, chance=0.5):
    """Two rows of columns, with this chance."""
    if not b.chance(chance):
        return
    skin, radius, round_ = b.material("plaster|stone|stone|metal"), b.u(0.12, 0.4), b.chance(0.6)
    for x in (-0.3, 0.3):
        for z in np.arange(-0.4, 0.45, b.u(0.2, 0.35)):
            if round_:
                b.cone((x * w, h / 2, z * d), radius, radius * b.u(0.8, 1), h, skin)
                b.block(x * w, 0, z * d, radius * 2.6, 0.2, radius * 2.6, skin)
                b.block(x * w, h - 0.25, z * d, radius * 2.6, 0.25, radius * 2.6, skin)
            else:
                b.block(x * w, 0, z * d, radius * 2, h, radius * 2, skin)


def shop(b):
    """Shelves full of products: frontal, oblique, or an aisle between two of them."""
    u, h = b.u, b.u(2.6, 4)
    aisle, length, tall = b.u(1.4, 2.8), b.u(5, 12), b.u(1.6, 2.4)
    w, d = aisle + 5, length + 4
    room_shell(b, w, d, h, windows=(0.1, 0.1, 0.1, 0))
    ceiling_lamps(b, w, d, h)
    goods = b.pick("products", "products", "mixed")
    if b.chance(0.5):  # aisle along z
        for side in (-1, 1):
            z = -length / 2
            while z < length / 2 - 1:
                bay = u(1.2, 2.0)
                with b.at(side * (aisle / 2 + 0.2), 0, z + bay / 2, -side * PI / 2):
                    shelf(b, bay, tall, u(0.3, 0.5), goods)
                z += bay
        for _ in range(b.rng.integers(0, 4)):
            with b.at(u(-0.3, 0.3) * aisle, 0, u(-0.4, 0.1) * length, u(0, 6)):
                b.pick(person, thing, lambda b: b.block(0, 0, 0, 0.6, 0.8, 0.4, b.image("label")))(b)
        for _ in range(6):
            eye = (u(-0.3, 0.3) * aisle, u(1.1, 1.8), length / 2 - u(0, 2))
            b.views.append((eye, (u(-0.6, 0.6) * aisle, u(0.8, 1.4), eye[2] - u(1.5, 6))))
    else:  # a wall of shelves along x
        x = -w / 2
        while x < w / 2 - 0.8:
            bay = u(1.2, 2.2)
            with b.at(x + bay / 2, 0, -d / 2 + 0.3):
                shelf(b, bay, tall, u(0.3, 0.5), goods)
            x += bay
        for _ in range(b.rng.integers(0, 3)):
            with b.at(u(-0.3, 0.3) * w, 0, -d / 2 + u(1.5, 4), u(0, 6)):
                b.pick(person, table, shelf)(b)
        for _ in range(6):
            eye = (u(-0.35, 0.35) * w, u(0.9, 1.8), -d / 2 + u(1.4, 4))
            b.views.append((eye, (eye[0] + u(-1.5, 1.5), u(0.7, 1.5), -d / 2)))
    lamplight(b, h, d)
    b.settings["mirror_height"] = 0.0 if b.chance(0.2) else None


def office(b):
    u, w, d, h = b.u, b.u(4, 10), b.u(6, 14), b.u(2.6, 3.6)
    room_shell(b, w, d, h, windows=(0.5, 0.8, 0.3, 0.1), glass=b.chance(0.75))
    ceiling_lamps(b, w, d, h)
    if b.chance(0.5):  # one long table with chairs
        length, wide, top = u(2.2, min(5, d * 0.5)), u(0.9, 1.5), b.material("wood|plaster|metal", gloss=0.2)
        x, z = u(-0.2, 0.2) * w, -u(0, 0.15) * d
        b.block(x, 0.7, z, wide, 0.05, length, top)
        for s in (-1, 1):
            b.block(x, 0, z + s * length * 0.35, wide * 0.6, 0.7, 0.08, top)
        state = b.rng.bit_generator.state
        for s in (-1, 1):
            for i in range(int(length / 0.75)):
                b.rng.bit_generator.state = state  # every chair is the same chair
                with b.at(x + s * (wide / 2 + 0.2), 0, z - length / 2 + 0.4 + i * 0.75, -s * PI / 2):
                    chair(b)
        for _ in range(b.rng.integers(0, 5)):
            with b.at(x, 0.75, z + u(-0.4, 0.4) * length, u(0, 6)):
                thing(b, u(0.08, 0.2))
    else:
        for i in range(b.rng.integers(2, 7)):
            with b.at((i % 2 - 0.5) * w * 0.5, 0, (i // 2) * 1.9 - d * 0.4, b.pick(0, PI / 2)):
                table(b, 1.5, 0.75, 0.72, 5)
                with b.at(u(-0.2, 0.2), 0, u(0.5, 0.8), PI + u(-0.6, 0.6)):
                    chair(b)
    furnish(b, w, d, b.rng.integers(0, 4))
    columns(b, w, d, h, 0.3)
    lamplight(b, h, max(w, d), b.chance(0.4))
    b.settings["mirror_height"] = 0.0 if b.chance(0.2) else None
    room_views(b, w, d, 1.0, 1.8)


def corridor(b):
    u, w, d, h = b.u, b.u(1.6, 5), b.u(10, 30), b.u(2.4, 5)
    room_shell(b, w, d, h, windows=(0.4, 0.5, 0.3, 0), glass=b.chance(0.6))
    ceiling_lamps(b, w, d, h)
    skin, step = b.material("plaster|wood|stone|metal"), u(1.5, 4)
    kind = b.rng.integers(0, 4)
    for z in np.arange(-d / 2 + 0.5, d / 2, step):
        for side in (-1, 1):
            with b.at(side * w / 2, 0, z, -side * PI / 2):
                if kind == 0:
                    b.block(0, 0, 0.1, 0.3, h, 0.2, skin)
                elif kind == 1:
                    b.block(0, 0, 0.02, 1.1, 2.15, 0.05, skin)
                    b.quad((0, 1.03, 0.05), (0.45, 1.03), b.image("panels", crop=(0, 0, 1, 1)))
                elif kind == 2 and w > 2.5:
                    b.cone((0, h / 2, 0.5), 0.2, 0.18, h, skin)
    if b.chance(0.3):
        b.box((0, h - 0.2, 0), (w / 2, 0.2, 0.3), skin)
    for _ in range(b.rng.integers(0, 7)):
        with b.at(b.pick(-1, 1) * (w / 2 - 0.4), 0, u(-0.45, 0.3) * d, u(0, 6)):
            b.pick(person, lambda b: plant(b, u(0.6, 1.6)), chair, cabinet, lamp)(b)
    lamplight(b, h, min(d, 12), b.chance(0.4))
    b.settings["mirror_height"] = 0.0 if b.chance(0.35) else None
    for _ in range(6):
        eye = (u(-0.35, 0.35) * w, u(0.8, 1.8), d / 2 - u(0.3, 3))
        b.views.append((eye, (u(-0.5, 0.5) * w, u(0.8, 1.6), eye[2] - u(3, 10))))


def restaurant(b):
    u, w, d, h = b.u, b.u(6, 16), b.u(8, 22), b.u(2.8, 8)
    room_shell(b, w, d, h, windows=(0.5, 0.5, 0.5, 0.2), glass=b.chance(0.3))
    ceiling_lamps(b, w, d, h)
    columns(b, w, d, h, 0.6)
    gallery = h > 4.5 and b.chance(0.7)
    if gallery:
        floor, rail, y = b.material("wood|stone|plaster"), railing(b), h * 0.5
        for side in (-1, 1):
            b.block(side * (w / 2 - 0.8), y, 0, 1.6, 0.25, d, floor)
            b.quad((side * (w / 2 - 1.6), y + 0.75, 0), (d / 2, 0.5), rail, PI / 2, cut=True)
        b.block(0, y, -d / 2 + 0.8, w, 0.25, 1.6, floor)
        b.quad((0, y + 0.75, -d / 2 + 1.6), (w / 2, 0.5), rail, cut=True)
        glow = b.plain((1, 0.8, 0.5), emit=6)
        for _ in range(60):
            a, rr = u(0, 2 * PI), u(0.2, 1.0)
            y = h * 0.72 + u(-0.5, 0.5) * (1.1 - rr)
            b.ball((rr * np.cos(a), y, rr * np.sin(a) - d * 0.1), 0.05, glow, casts=False)
        b.light(0, h * 0.7, -d * 0.1, u(5, 15), (1, 0.75, 0.45), 1)
    state, cloth = b.rng.bit_generator.state, b.material("fabric|wood|plaster")
    rows, cols = int(d / 2.4), int(w / 2.4)
    for i in range(min(14, rows * cols)):
        x, z = ((i % cols + 0.5) / cols - 0.5) * w, ((i // cols + 0.5) / rows - 0.45) * d * 0.85
        seats = b.rng.integers(2, 5)
        with b.at(x + u(-0.2, 0.2), 0, z + u(-0.2, 0.2), u(0, 0.4)):
            table(b, u(0.7, 1.2), u(0.7, 0.9), 0.74, 4, cloth)
            if i < 8:
                for k in range(seats):
                    after = b.rng.bit_generator.state
                    b.rng.bit_generator.state = state
                    with b.at(np.sin(k * PI / 2) * 0.7, 0, -np.cos(k * PI / 2) * 0.7, -k * PI / 2):
                        chair(b)
                    b.rng.bit_generator.state = after
    for _ in range(b.rng.integers(0, 5)):
        with b.at(u(-0.4, 0.4) * w, 0, u(-0.4, 0.2) * d, u(0, 6)):
            person(b)
    lamplight(b, h, max(w, d), b.chance(0.25))
    room_views(b, w, d, 1.2, 2.4)


def hall(b):
    """Pale and nearly plain: walls that step forth and back, niches, beams and platforms in the colour of the walls."""
    u, w, d, h = b.u, b.u(4, 14), b.u(6, 18), b.u(2.6, 6)
    room_shell(b, w, d, h, windows=(0.3, 0.6, 0.4, 0), glass=b.chance(0.8))
    shade = u(0.5, 0.95)
    paint = b.plain((shade, shade * u(0.93, 1), shade * u(0.85, 1)))
    for _, _, x_wall, z_wall, yaw in four_walls(w, d)[: b.rng.integers(2, 5)]:
        length = w if z_wall else d
        with b.at(x_wall, 0, z_wall, yaw):
            for _ in range(b.rng.integers(0, 4)):
                style, along, wide, out = b.rng.integers(0, 4), u(-0.45, 0.45) * length, u(0.4, 3), u(0.1, 1.2)
                if style == 0:  # a pier or a cupboard up to the ceiling
                    b.block(along, 0, out / 2, wide, h, out, paint)
                elif style == 1:  # a counter or a bench
                    b.block(along, 0, out / 2, wide, u(0.3, 1.2), out, paint)
                elif style == 2:  # what hangs from the ceiling
                    drop = u(0.2, 0.35 * h)
                    b.block(along, h - drop, out / 2, wide, drop, out, paint)
                else:  # a doorway: dark, or into a room beyond
                    b.block(along, 0, 0, 0.95, 2.1, 0.03, b.pick(b.plain((0.03,) * 3), b.image("picture", emit=0.4)))
    if b.chance(0.4):
        b.block(u(-0.3, 0.3) * w, 0, u(-0.4, 0.1) * d, u(1, 0.4 * w), h * b.pick(1, u(0.3, 0.7)), u(0.1, 0.5), paint)
    columns(b, w, d, h, 0.3)
    for _ in range(b.rng.integers(0, 5)):
        with b.at(u(-0.4, 0.4) * w, 0, u(-0.4, 0.3) * d, u(0, 6.3)):
            b.pick(chair, table, person, sofa, lambda b: plant(b, u(0.6, 1.8)))(b)
    ceiling_lamps(b, w, d, h)
    lamplight(b, h, max(w, d), b.chance(0.5))
    b.settings["mirror_height"] = 0.0 if b.chance(0.3) else None
    room_views(b, w, d, 0.9, 2.0)

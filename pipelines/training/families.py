"""The places: one function per family fills a Builder with a scene, its light, and where a photographer would stand."""

from dataclasses import replace

import numpy as np

from pipelines.training.materials import hsv

PI = np.pi
FAMILIES = {}


def family(build):
    FAMILIES[build.__name__] = build
    return build


# Light


def daylight(b, reach=14.0, target=(0, 0, 0)):
    """Sun or overcast sky for outdoor places."""
    u = b.u
    turn, height = u(0, 2 * PI), u(0.25, 1.3)
    sun = np.array([np.cos(turn) * np.cos(height), np.sin(height), np.sin(turn) * np.cos(height)])
    overcast = b.chance(0.3)
    warm = hsv(0.09, 0.35 * (1 - height / 1.3), 1) ** 2
    blue = hsv(0.6, u(0.05, 0.35), 1) ** 2
    dusk = b.chance(0.12)
    power = u(0.02, 0.1) if dusk else u(0.1, 0.4) if overcast else u(1.2, 2.6)
    target = np.array(target)
    b.settings.update(
        key_position=target + sun * 200, key_colour=warm * power, key_reach=reach, key_target=target,
        sky_light=blue * u(0.6, 0.9), ground_light=np.array([0.3, 0.28, 0.25]) * u(0.5, 1.0),
        sky_texture=int(b.rng.choice(b.bank.kinds["sky"])), sky_turn=u(0, 2), sky_gain=u(0.5, 1.5),
        haze=b.pick(np.inf, np.inf, u(150, 800), u(80, 200)),
    )  # fmt: skip


def lamplight(b, height, size, sun=False):
    """Ceiling light with one shadow, or sun through the windows; plus soft light from everywhere."""
    u, colour = b.u, hsv(0.09, b.u(0, 0.35), 1) ** 2
    if sun:
        turn, rise = u(0, 2 * PI), u(0.35, 1.0)
        toward = np.array([np.cos(turn) * np.cos(rise), np.sin(rise), np.sin(turn) * np.cos(rise)])
        position, reach, power = toward * 60, size * 1.5 + 3, u(1.5, 5)
    else:
        position, reach, power = (
            np.array([u(-0.3, 0.3) * size, height - 0.1, u(-0.3, 0.3) * size]),
            size * 1.2,
            u(0.3, 1),
        )
    ambient, target = u(0.25, 0.6), np.array([position[0] * 0.1, 0.0, 0])
    b.settings.update(
        key_position=position, key_colour=colour * power, key_reach=reach, key_target=target,
        sky_light=np.ones(3) * ambient * u(0.8, 1.1), ground_light=hsv(0.08, u(0.05, 0.3), 1) * ambient * u(0.5, 1.0),
        sky_texture=int(b.rng.choice(b.bank.kinds["sky"])), sky_turn=u(0, 2), sky_gain=u(1.5, 4),
    )  # fmt: skip


# Parts of rooms


def outside(b, width, height):
    """What lies behind a window that looks along local -z: a picture of the distance, or trees and houses."""
    u = b.u
    if b.chance(0.3):
        return
    if b.chance(0.6):
        far = u(4, 30)
        size = far * 1.6 + width
        view = b.image(b.pick("skyline", "skyline", "picture"), crop=(0, 0, 1, 1), emit=u(0.8, 2.2))
        b.quad((0, height * 0.5 + u(-0.1, 0.3) * far * 0.3, -far), (size, size * 0.6), view, casts=False)
        return
    b.floor(0, -15, 40, 29, b.material("grass|ground|stone"), y=-0.1)
    for _ in range(b.rng.integers(2, 6)):
        with b.at(u(-9, 9), -0.1, -u(3, 14)):
            b.tree(u(2, 6))
    b.block(u(-6, 6), 0, -u(14, 25), u(6, 16), u(4, 14), 3, b.material("facade"), casts=False)


def four_walls(w, d):
    """Ends, middle and turn of the walls -z, +x, -x, +z: in the frame of each, +z points into the room."""
    x, z = w / 2, d / 2
    return [
        ((-x, -z), (x, -z), 0, -z, 0),
        ((x, -z), (x, z), x, 0, -PI / 2),
        ((-x, z), (-x, -z), -x, 0, PI / 2),
        ((x, z), (-x, z), 0, z, PI),
    ]


def skylight(b, w, d, h):
    """A glazed ceiling: bright panes between beams."""
    glow = b.image("sky", emit=b.u(0.8, 2.5), tint=(0.9,) * 3)
    b.quad((0, h + 0.15, 0), (w / 2, d / 2), glow, pitch=PI / 2, casts=False)
    bar = b.plain(b.pick((0.7, 0.7, 0.7), (0.05, 0.05, 0.05)))
    for x in np.linspace(-w / 2, w / 2, b.rng.integers(3, 9)):
        b.box((x, h, 0), (0.04, 0.1, d / 2), bar, casts=False)
    for z in np.linspace(-d / 2, d / 2, b.rng.integers(4, 14)):
        b.box((0, h, z), (w / 2, 0.08, 0.04), bar, casts=False)
    b.light(0, h - 0.5, 0, b.u(2, 5), (0.95, 0.97, 1), 2.0)


def room_shell(b, w, d, h, windows=(0.5, 0.4, 0.4, 0.1), ceiling=True, glass=False):
    """Floor, four walls with windows, doors, pictures and trim. x in -w/2..w/2, z in -d/2..d/2.

    windows: probability per wall (-z, +x, -x, +z). glass: those windows take nearly the whole wall.
    """
    u = b.u
    paint = b.material(b.pick("plaster", "plaster", "plaster", "brick|wood|stone|tile|plaster"))
    b.floor(0, 0, w, d, b.material("wood|wood|tile|stone|fabric|tile", gloss=u(0, 0.3)))
    if ceiling and d > 7 and b.chance(0.15):
        skylight(b, w, d, h)
    elif ceiling:
        b.quad((0, h, 0), (w / 2, d / 2), b.material(b.pick("plaster", "plaster", "wood")), pitch=PI / 2)
    trim = b.pick(b.plain((0.8, 0.8, 0.78)), b.material("wood"))
    for (a, c, x, z, yaw), p in zip(four_walls(w, d), windows, strict=True):
        length = np.hypot(c[0] - a[0], c[1] - a[1])
        wall = paint if b.chance(0.75) else b.material("plaster|brick|wood|stone|plaster")
        holes, open_wall = [], b.chance(p)
        if open_wall:
            count = 1 if glass else max(1, int(length / u(1.8, 3.5)))
            low, high = (0.05, h - 0.15) if glass else (u(0.05, 1.0), min(h - 0.2, u(1.9, 2.6)))
            share = 0.95 if glass else u(0.35, 0.8)
            for i in range(count):
                mid, half = (i + 0.5) * length / count, share * length / count / 2
                holes.append((mid - half, low, mid + half, high))
        b.wall(a, c, h, wall, holes)
        with b.at(x, 0, z, yaw):
            bars = (max(1, int(length / u(0.9, 1.8))), b.rng.integers(0, 2)) if glass else b.rng.integers(0, 3, 2)
            curtains = b.chance(0.35) and not glass
            for u0, v0, u1, v1 in holes:
                b.window((u0 + u1) / 2 - length / 2, (v0 + v1) / 2, u1 - u0, v1 - v0, bars=bars, curtains=curtains)
            if holes:
                outside(b, length, h)
                b.light(0, h * 0.55, 0.1, u(2, 7) * len(holes) ** 0.5, hsv(0.6, u(0, 0.2), 1), 1.0, (0, 0, 1))
            b.box((0, 0.05, 0.01), (length / 2, 0.05, 0.012), trim, casts=False)
            if b.chance(0.3):
                b.box((0, h - 0.05, 0.03), (length / 2, 0.05, 0.04), trim, casts=False)
            if not holes:
                if b.chance(0.35):
                    door = u(-0.4, 0.4) * length
                    b.block(door, 0, 0.03, 1.0, 2.1, 0.06, trim)
                    b.quad((door, 1.02, 0.065), (0.43, 1.02), b.image("panels", crop=(0, 0, 1, 1)), casts=False)
                for i in range(b.rng.integers(0, max(2, int(length / 1.2)))):
                    with b.at((i + 0.5) * 1.1 - length / 2 + u(0, 0.2), u(1.35, 1.75)):
                        b.picture(u(0.3, 1.0), u(0.3, 0.8))


def ceiling_lamps(b, w, d, h):
    u, style = b.u, b.rng.integers(0, 5)
    glow = b.plain((1, 0.95, 0.85), emit=u(1, 5))
    rows, cols = max(1, int(d / 2.5)), max(1, int(w / 2.5))
    for i in range(rows * cols):
        x, z = ((i % cols + 0.5) / cols - 0.5) * w, ((i // cols + 0.5) / rows - 0.5) * d
        if style == 0:
            b.box((x, h - 0.02, z), (0.3, 0.02, 0.3), glow, casts=False)
        elif style == 1:
            b.cone((x, h - 0.01, z), 0.08, 0.08, 0.02, glow, casts=False)
        elif style == 2:
            drop = u(0.4, 0.9)
            b.cone((x, h - drop / 2, z), 0.008, 0.008, drop, b.plain((0.02,) * 3), casts=False)
            b.ball((x, h - drop, z), u(0.1, 0.2), glow, casts=False)
        elif style == 3 and i % cols == 0:
            b.box((0, h - 0.04, z), (w * 0.4, 0.03, 0.06), glow, casts=False)
    b.light(0, h - 0.4, 0, u(0.3, 2), (1, 0.9, 0.75), 1.0)


def furnish(b, w, d, count):
    """Furniture along the walls, facing in, and some of it in the middle."""
    u = b.u
    for _ in range(count):
        side = b.pick("back", "left", "right", "free", "free", "back")
        x, z, yaw = {
            "back": (u(-0.42, 0.42) * w, -d / 2 + 0.5, 0),
            "left": (-w / 2 + 0.5, u(-0.45, 0.3) * d, PI / 2),
            "right": (w / 2 - 0.5, u(-0.45, 0.3) * d, -PI / 2),
            "free": (u(-0.35, 0.35) * w, u(-0.35, 0.2) * d, u(0, 6.3)),
        }[side]
        with b.at(x, 0, z, yaw + u(-0.1, 0.1)):
            b.furniture()
    if b.chance(0.4):
        rug = b.image("rug", crop=(0, 0, 1, 1))
        b.box(
            (u(-0.2, 0.2) * w, 0.008, u(-0.2, 0.2) * d),
            (u(0.6, 1.4), 0.008, u(0.6, 1.4)),
            rug,
            u(-0.2, 0.2),
            casts=False,
        )


def room_views(b, w, d, low=0.9, high=1.8):
    """Photographers stand with their back to a wall or in a corner and look across the room."""
    u = b.u
    for _ in range(8):
        x, z = u(-0.42, 0.42) * w, d / 2 - u(0.2, 0.3 * d)
        b.views.append(((x, u(low, high), z), (u(-0.35, 0.35) * w, u(0.5, 1.4), -u(0.0, 0.5) * d)))


# Indoor families


@family
def room(b):
    w, d, h = b.u(3, 6.5), b.u(3.5, 7.5), b.u(2.3, 3.4)
    room_shell(b, w, d, h)
    ceiling_lamps(b, w, d, h)
    furnish(b, w, d, b.rng.integers(5, 12))
    lamplight(b, h, max(w, d), b.chance(0.35))
    room_views(b, w, d)


@family
def hotel(b):
    w, d, h = b.u(3.2, 5.5), b.u(4, 6.5), b.u(2.4, 3)
    room_shell(b, w, d, h, windows=(0.3, 0.6, 0.4, 0), glass=b.chance(0.3))
    ceiling_lamps(b, w, d, h)
    with b.at(b.u(-0.2, 0.2) * w, 0, -d / 2 + 1.15):
        b.bed()
    for side in (-1, 1):
        if b.chance(0.6):
            with b.at(side * (w / 2 - 0.35), 0, b.u(-0.1, 0.35) * d, -side * PI / 2):
                b.pick(b.cabinet, b.sofa, b.chair, b.lamp, b.table)()
    furnish(b, w, d, b.rng.integers(0, 4))
    lamplight(b, h, max(w, d), b.chance(0.3))
    room_views(b, w, d)


@family
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
        b.picture(u(0.6, 1.6), u(0.6, 1.2))
    if b.chance(0.5):
        with b.at(u(-0.2, 0.2) * w, 0, -d / 2 + 1.2):
            b.bed()
    furnish(b, w * 0.8, d, b.rng.integers(4, 9))
    b.light(0, high - 0.6, 0, u(1, 4), (1, 0.95, 0.9), 1)
    lamplight(b, high, max(w, d))
    room_views(b, w * 0.7, d)


@family
def showroom(b):
    u, w, d, h = b.u, b.u(7, 16), b.u(8, 20), b.u(3, 5.5)
    room_shell(b, w, d, h, windows=(0.4, 0.5, 0.5, 0.3), glass=b.chance(0.7))
    ceiling_lamps(b, w, d, h)
    columns(b, w, d, h)
    style = b.rng.integers(0, 3)
    for _ in range(b.rng.integers(6, 15)):
        with b.at(u(-0.42, 0.42) * w, 0, u(-0.42, 0.25) * d, u(0, 6.3)):
            if style == 0 and b.chance(0.5):
                b.car()
            elif b.chance(0.4):
                size = u(0.4, 1.2)
                b.block(0, 0, 0, size, u(0.2, 1.1), size, b.plain())
                with b.at(0, b.parts[-1][3][1] * 2, 0):
                    b.thing(u(0.2, 0.6))
            elif b.chance(0.15):
                b.person()
            else:
                b.furniture()
    lamplight(b, h, max(w, d), b.chance(0.3))
    b.settings["mirror_height"] = 0.0 if b.chance(0.25) else None
    room_views(b, w, d, 1.0, 2.2)


def columns(b, w, d, h, chance=0.5):
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


@family
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
                    b.shelf(bay, tall, u(0.3, 0.5), goods)
                z += bay
        for _ in range(b.rng.integers(0, 4)):
            with b.at(u(-0.3, 0.3) * aisle, 0, u(-0.4, 0.1) * length, u(0, 6)):
                b.pick(b.person, b.thing, lambda: b.block(0, 0, 0, 0.6, 0.8, 0.4, b.image("label")))()
        for _ in range(6):
            eye = (u(-0.3, 0.3) * aisle, u(1.1, 1.8), length / 2 - u(0, 2))
            b.views.append((eye, (u(-0.6, 0.6) * aisle, u(0.8, 1.4), eye[2] - u(1.5, 6))))
    else:  # a wall of shelves along x
        x = -w / 2
        while x < w / 2 - 0.8:
            bay = u(1.2, 2.2)
            with b.at(x + bay / 2, 0, -d / 2 + 0.3):
                b.shelf(bay, tall, u(0.3, 0.5), goods)
            x += bay
        for _ in range(b.rng.integers(0, 3)):
            with b.at(u(-0.3, 0.3) * w, 0, -d / 2 + u(1.5, 4), u(0, 6)):
                b.pick(b.person, b.table, b.shelf)()
        for _ in range(6):
            eye = (u(-0.35, 0.35) * w, u(0.9, 1.8), -d / 2 + u(1.4, 4))
            b.views.append((eye, (eye[0] + u(-1.5, 1.5), u(0.7, 1.5), -d / 2)))
    lamplight(b, h, d)
    b.settings["mirror_height"] = 0.0 if b.chance(0.2) else None


@family
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
                    b.chair()
        for _ in range(b.rng.integers(0, 5)):
            with b.at(x, 0.75, z + u(-0.4, 0.4) * length, u(0, 6)):
                b.thing(u(0.08, 0.2))
    else:
        for i in range(b.rng.integers(2, 7)):
            with b.at((i % 2 - 0.5) * w * 0.5, 0, (i // 2) * 1.9 - d * 0.4, b.pick(0, PI / 2)):
                b.table(1.5, 0.75, 0.72, 5)
                with b.at(u(-0.2, 0.2), 0, u(0.5, 0.8), PI + u(-0.6, 0.6)):
                    b.chair()
    furnish(b, w, d, b.rng.integers(0, 4))
    columns(b, w, d, h, 0.3)
    lamplight(b, h, max(w, d), b.chance(0.4))
    b.settings["mirror_height"] = 0.0 if b.chance(0.2) else None
    room_views(b, w, d, 1.0, 1.8)


@family
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
            b.pick(b.person, lambda: b.plant(u(0.6, 1.6)), b.chair, b.cabinet, b.lamp)()
    lamplight(b, h, min(d, 12), b.chance(0.4))
    b.settings["mirror_height"] = 0.0 if b.chance(0.35) else None
    for _ in range(6):
        eye = (u(-0.35, 0.35) * w, u(0.8, 1.8), d / 2 - u(0.3, 3))
        b.views.append((eye, (u(-0.5, 0.5) * w, u(0.8, 1.6), eye[2] - u(3, 10))))


@family
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
            b.table(u(0.7, 1.2), u(0.7, 0.9), 0.74, 4, cloth)
            if i < 8:
                for k in range(seats):
                    after = b.rng.bit_generator.state
                    b.rng.bit_generator.state = state
                    with b.at(np.sin(k * PI / 2) * 0.7, 0, -np.cos(k * PI / 2) * 0.7, -k * PI / 2):
                        b.chair()
                    b.rng.bit_generator.state = after
    for _ in range(b.rng.integers(0, 5)):
        with b.at(u(-0.4, 0.4) * w, 0, u(-0.4, 0.2) * d, u(0, 6)):
            b.person()
    lamplight(b, h, max(w, d), b.chance(0.25))
    room_views(b, w, d, 1.2, 2.4)


def railing(b):
    return replace(b.image("railing", crop=(0, 0, 1, 1)), tint=(b.u(0.4, 1.2),) * 3)


# Close-ups


@family
def tabletop(b):
    """A few objects on a table or counter, close, in front of something out of focus."""
    u = b.u
    top = b.material("wood|wood|stone|plaster|fabric|tile", gloss=u(0, 0.5))
    top = replace(top, scale=u(0.8, 3))
    w, d = (u(3, 6), u(0.7, 1.6)) if b.chance(0.45) else (u(0.9, 2.5), u(0.6, 1.4))
    b.block(0, -0.05, 0, w, 0.05, d, top)
    for _ in range(b.rng.integers(1, 12)):
        with b.at(u(-0.4, 0.4) * min(w, 1.4), 0, u(-0.45, 0.3) * d, u(0, 6.3)):
            if b.chance(0.2):  # plates, boards and pieces of food
                plate = b.plain(gloss=0.3) if b.chance(0.6) else b.material("wood")
                size = u(0.08, 0.2)
                if b.chance(0.5):
                    b.cone((0, 0.008, 0), size * 0.8, size, 0.016, plate)
                else:
                    b.block(0, 0, 0, size * 2.4, 0.018, size * 1.5, plate)
                for _ in range(b.rng.integers(0, 14)):
                    x, z, s = u(-0.6, 0.6) * size, u(-0.5, 0.5) * size, u(0.01, 0.035)
                    food = b.plain(tuple(hsv(u(-0.02, 0.3) % 1, u(0.3, 0.9), u(0.4, 0.95)) ** 2), gloss=0.2)
                    if b.chance(0.5):
                        b.ball((x, 0.018 + s * 0.8, z), (s, s * u(0.4, 1), s), food)
                    else:
                        b.box((x, 0.018 + s * 0.5, z), (s, s * 0.5, s * u(0.3, 1)), food, u(0, 3))
            else:
                b.thing(u(0.06, 0.28))
    place = b.rng.integers(0, 4)
    far = u(0.5, 5)
    if place == 0:  # studio sweep
        paint = b.plain()
        b.quad((0, 1, -d / 2 - far * 0.3), (6, 3), paint, casts=False)
    elif place == 1:  # wall behind the counter
        b.quad((0, 1, -d / 2 - u(0.02, 0.6)), (6, 3), b.material("tile|brick|plaster|wood"), casts=False)
    elif place == 2:  # a room
        with b.at(0, -0.75, -far * 0.5):
            room_shell(b, 6, 6 + far, 2.7, windows=(0.7, 0.5, 0.5, 0))
            furnish(b, 6, 6 + far, 7)
    else:  # outdoors
        b.floor(0, -10, 60, 60, b.material("grass|ground|stone"), y=-0.75)
        for _ in range(8):
            with b.at(u(-6, 6), -0.75, -u(2, 14)):
                b.tree(u(2, 5))
    if place != 2:
        b.floor(0, 0, 12, 12, b.material("wood|tile|stone"), y=-0.8)
    if place == 3:
        daylight(b, 2.0)
    else:
        lamplight(b, u(1, 2), 1.2)
        b.light(u(-2, 2), u(0.6, 1.6), u(-0.5, 1.5), u(0.5, 3), hsv(0.6, u(0, 0.2), 1), 0.8)
    for _ in range(8):
        turn, lift, away = u(-0.7, 0.7), 0.08 + 0.85 * u(0, 1) ** 1.7, u(0.35, 1.3)
        target = (u(-0.2, 0.2), u(0, 0.12), u(-0.2, 0.1) * d)
        eye = (target[0] + away * np.sin(turn) * np.cos(lift), target[1] + away * np.sin(lift) + 0.03,
               target[2] + away * np.cos(turn) * np.cos(lift))  # fmt: skip
        b.views.append((eye, target))
    b.settings.update(shallow=0.65, close_up=True)


@family
def spread(b):
    """Food or small goods that fill the frame, seen from above: boards, plates and bowls close together."""
    u = b.u
    w, d = u(0.9, 1.6), u(0.8, 1.4)
    top = replace(b.material("wood|wood|stone|fabric|tile", gloss=u(0, 0.4)), scale=u(0.8, 3))
    b.block(0, -0.05, 0, w, 0.05, d, top)
    b.floor(0, 0, 8, 8, b.material("wood|tile|stone"), y=-0.8)
    for _ in range(b.rng.integers(2, 7)):
        size, rim = u(0.08, 0.24), u(0.012, 0.06)
        plate = b.plain(gloss=0.3) if b.chance(0.5) else b.material("wood|stone")
        foods = [b.plain(tuple(hsv(u(-0.02, 0.3) % 1, u(0.2, 0.9), u(0.3, 0.95)) ** 2), gloss=0.2) for _ in range(3)]
        with b.at(u(-0.35, 0.35) * w, 0, u(-0.35, 0.35) * d, u(0, 6.3)):
            if b.chance(0.5):
                b.cone((0, rim / 2, 0), size * u(0.6, 0.9), size, rim, plate)
            else:
                b.block(0, 0, 0, size * 2.6, rim, size * u(1.2, 1.8), plate)
            for _ in range(b.rng.integers(4, 22)):
                x, z, s = u(-0.9, 0.9) * size, u(-0.6, 0.6) * size, u(0.012, 0.05)
                food = b.pick(*foods)
                shape = b.rng.integers(0, 3)
                if shape == 0:
                    b.ball((x, rim + s * 0.6, z), (s, s * u(0.5, 1), s * u(0.6, 1)), food)
                elif shape == 1:  # a slice, lying or leaning
                    b.cone((x, rim + s * 0.5, z), s, s, s * u(0.2, 0.5), food, pitch=u(-1.2, 1.2), yaw=u(0, 6.3))
                else:
                    b.box((x, rim + s * 0.5, z), (s, s * 0.5, s * u(0.4, 1)), food, u(0, 6.3))
    for _ in range(b.rng.integers(0, 5)):
        with b.at(u(-0.45, 0.45) * w, 0, u(-0.45, 0.1) * d, u(0, 6.3)):
            b.thing(u(0.06, 0.2))
    lamplight(b, u(1, 2), 1.2)
    b.light(u(-2, 2), u(0.6, 1.6), u(-0.5, 1.5), u(0.5, 3), hsv(0.6, u(0, 0.2), 1), 0.8)
    for _ in range(8):
        turn, lift, away = u(-0.7, 0.7), u(0.45, 1.35), u(0.35, 0.9)
        target = (u(-0.15, 0.15) * w, 0.02, u(-0.15, 0.15) * d)
        eye = (target[0] + away * np.sin(turn) * np.cos(lift), target[1] + away * np.sin(lift),
               target[2] + away * np.cos(turn) * np.cos(lift))  # fmt: skip
        b.views.append((eye, target))
    b.settings.update(shallow=0.5, close_up=True)


@family
def shelves(b):
    """A wall of goods that fills the frame, without floor or ceiling to hold on to."""
    u, tall, away = b.u, b.u(2.4, 3.4), b.u(1.0, 2.2)
    b.floor(0, 2, 20, 8, b.material("tile|wood|stone"))
    b.quad((0, 2, -0.4), (8, 2.5), b.material("plaster|metal|wood"))
    goods, gap, deep, x = b.pick("products", "products", "products", "mixed", "books"), u(0.2, 0.45), u(0.25, 0.6), -4.0
    while x < 4:
        bay = u(0.8, 2.2)
        with b.at(x + bay / 2, 0, -u(0, 0.04)):
            b.shelf(bay, tall, deep, goods, gap)
        x += bay
    if b.chance(0.3):
        with b.at(u(-0.5, 0.5), 0, u(0.5, 0.8) * away, u(0, 6.3)):
            b.pick(b.person, lambda: b.block(0, 0, 0, 0.5, u(0.6, 1.2), 0.4, b.image("label")), b.thing)()
    lamplight(b, u(3, 4.5), 5)
    for _ in range(6):
        eye = (u(-1.5, 1.5), u(0.7, 1.9), away)
        b.views.append((eye, (eye[0] + b.pick(0, u(-0.2, 0.2), u(-1.2, 1.2)) * away, eye[1] + u(-0.3, 0.3), 0)))


# Outdoor families


def house(b, w, h, d, storeys=None, relief=True):
    """A building whose front is the plane z = 0, x in -w/2..w/2, seen from +z; the body lies behind it."""
    u, skin = b.u, b.material("plaster|brick|stone|plaster|wood")
    trim = b.pick(b.material("stone|plaster"), b.plain())
    if not relief:
        b.box((0, h / 2, -d / 2), (w / 2, h / 2, d / 2), b.material("facade", tint=(u(0.7, 1.2),) * 3))
    else:
        b.box((0, h / 2, -d / 2), (w / 2, h / 2, d / 2), skin)
        storeys = storeys or max(1, round(h / u(2.8, 3.6)))
        bays = max(1, round(w / u(1.8, 3.4)))
        step, bay, half = h / storeys, w / bays, (u(0.2, 0.34), u(0.24, 0.36))
        sill, shutter, hood = b.chance(0.7), b.chance(0.3), b.chance(0.4)
        glass_kind, ground = b.rng.integers(0, 3), b.pick("shop", "door", "same")
        frame, dark = b.plain((0.75, 0.75, 0.72)), b.plain((0.03, 0.035, 0.045), gloss=0.9)
        blind, lit = b.material("slats"), b.plain((1, 0.75, 0.4), emit=u(0.5, 2))
        evening = b.pick(0, 0, 0, 0.1, 0.4)
        for storey in range(storeys):
            for i in range(bays):
                x, y = (i + 0.5) * bay - w / 2, (storey + 0.52) * step
                hw, hh = bay * half[0], step * half[1]
                if storey == 0 and ground == "shop":
                    b.box((x, step * 0.42, 0), (bay * 0.42, step * 0.38, 0.06), frame)
                    view = b.pick(dark, b.image("picture", tint=(0.4,) * 3), b.image("books", tint=(0.5,) * 3))
                    b.quad((x, step * 0.42, 0.065), (bay * 0.38, step * 0.34), view, casts=False)
                    if b.chance(0.4):
                        b.box((x, step * 0.85, 0.45), (bay * 0.45, 0.02, 0.5), b.material("fabric"), pitch=0.35)
                    continue
                if storey == 0 and ground == "door" and i == bays // 2:
                    b.box((x, step * 0.42, 0.03), (hw * 1.5, step * 0.42, 0.08), trim)
                    b.quad((x, step * 0.4, 0.12), (hw * 1.1, step * 0.4), b.image("panels", crop=(0, 0, 1, 1)))
                    continue
                b.box((x, y, 0.0), (hw + 0.1, hh + 0.1, 0.05), trim, casts=False)
                glass = dark if glass_kind < 2 else b.image("sky", tint=(u(0.2, 0.6),) * 3)
                pane = lit if b.chance(evening) else b.pick(glass, glass, glass, blind)
                b.quad((x, y, 0.055), (hw, hh), pane, casts=False)
                b.box((x, y, 0.05), (0.03, hh, 0.03), frame, casts=False)
                b.box((x, y + hh * 0.25, 0.05), (hw, 0.025, 0.03), frame, casts=False)
                if sill:
                    b.box((x, y - hh - 0.12, 0.08), (hw + 0.15, 0.05, 0.14), trim)
                if hood:
                    b.box((x, y + hh + 0.15, 0.08), (hw + 0.15, 0.07, 0.16), trim)
                if shutter:
                    for side in (-1, 1):
                        b.box((x + side * (hw * 1.5), y, 0.04), (hw * 0.45, hh, 0.03), blind)
            if b.chance(0.4):
                b.box((0, (storey + 1) * step - 0.1, 0), (w / 2 + 0.03, 0.09, 0.13), trim)
    style = b.rng.integers(0, 3)
    if style == 0:
        b.box((0, h, -d / 2), (w / 2 + 0.25, 0.15, d / 2 + 0.25), trim)
    else:
        roof, rise = (
            b.material("brick|tile", recolour=1.0, tint=tuple(hsv(u(0, 0.1), u(0.1, 0.7), u(0.2, 0.7)) ** 2)),
            u(0.4, 0.9),
        )
        length = d / 2 / np.cos(rise)
        for side in (-1, 1):
            middle = (0, h + d / 4 * np.tan(rise), -d / 2 + side * d / 4)
            b.box(middle, (w / 2 + 0.2, 0.08, length / 2 + 0.15), roof, pitch=side * rise)
        for x in (-w / 2, w / 2):
            b.box((x, h + d * 0.13 * np.tan(rise), -d / 2), (0.02, d * 0.13 * np.tan(rise), d * 0.24), skin)
        for _ in range(b.rng.integers(0, 3)):
            b.block(u(-0.4, 0.4) * w, h, -d * u(0.3, 0.7), 0.5, d * 0.5 * np.tan(rise) + 0.9, 0.5, b.material("brick"))
        if style == 2 and relief:
            for i in range(b.rng.integers(1, 4)):
                x = (i + 0.5) / 3 * w - w / 2
                b.box((x, h + 0.8, -0.9), (0.6, 0.8, 0.9), skin)
                b.quad((x, h + 0.8, 0.01), (0.35, 0.5), b.plain((0.03, 0.04, 0.05), gloss=0.8))
                b.box((x, h + 1.65, -0.9), (0.75, 0.06, 1.0), roof)


def street_things(b, spots, count):
    u = b.u
    for _ in range(count):
        x0, x1, z0, z1 = spots
        with b.at(u(x0, x1), 0, u(z0, z1), b.pick(0, PI, u(0, 6.3))):
            what = b.rng.integers(0, 9)
            if what < 2:
                b.person()
            elif what < 4:
                b.car()
            elif what == 4:
                b.tree(u(2.5, 7))
            elif what == 5:
                high = u(2.5, 5.5)
                b.cone((0, high / 2, 0), 0.07, 0.04, high, b.plain((0.03,) * 3))
                b.ball((0, high, 0), 0.18, b.plain((1, 0.95, 0.8), emit=u(0, 2)))
            elif what == 6:
                b.plant(u(0.7, 1.6))
            elif what == 7:
                b.cone((0, 0.45, 0), 0.06, 0.05, 0.9, b.plain())
                b.quad((0, u(1.8, 2.6), 0), (0.3, 0.3), b.image("sign"))
                b.cone((0, 1.2, 0), 0.03, 0.03, 2.4, b.plain((0.3,) * 3))
            else:
                b.table(things=2)


@family
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


@family
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


@family
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
    u = b.u
    for _ in range(count):
        with b.at(u(x0, x1), 0, u(z0, z1)):
            if b.chance(0.6):
                b.tree(u(*high))
            else:
                b.foliage(u(0.5, 1.6), b.pick("leaves", "blades"))


@family
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
                    b.tree(row * 0.5)
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


@family
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
            b.pick(b.person, b.chair, b.table, lambda: b.plant(u(0.5, 1.4)), lambda: b.thing(u(0.3, 0.8)), b.sofa)()
    daylight(b, 12, (0, 0, -5))
    for _ in range(8):
        eye = (u(-3, 3), u(0.7, 2.2), u(0, 4))
        b.views.append((eye, (u(-4, 4), u(0.3, 1.8), -u(4, 10))))


# Held-out families: for evaluation only


@family
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
                    b.picture(u(0.6, 1.7), u(0.6, 1.6))
    for i in range(b.rng.integers(1, 4)):  # free-standing walls
        b.box((u(-0.25, 0.25) * w, h * 0.4, -d / 2 + (i + 1) * d / 4), (u(0.8, 1.6), h * 0.4, 0.12), white)
    for _ in range(b.rng.integers(3, 8)):
        with b.at(u(-0.35, 0.35) * w, 0, u(-0.4, 0.2) * d, u(0, 6)):
            if b.chance(0.25):
                b.person()
            else:
                size, high = u(0.3, 0.6), u(0.6, 1.2)
                b.block(0, 0, 0, size, high, size, white)
                with b.at(0, high, 0):
                    b.thing(u(0.25, 0.5))
    ceiling_lamps(b, w, d, h)
    lamplight(b, h, max(w, d))
    room_views(b, w, d, 1.2, 1.8)


@family
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
                        b.thing(u(0.08, 0.22))
    with b.at(u(0, 0.2) * w, 0, u(0, 0.2) * d):
        b.table(1.4, 0.8, 0.75, 5)
    ceiling_lamps(b, w, d, h)
    lamplight(b, h, max(w, d), b.chance(0.3))
    room_views(b, w, d, 1.1, 1.7)


@family
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
            b.pick(b.person, lambda: b.plant(1.2), b.table, b.chair)()
    daylight(b, 18, (2, 0, -8))
    for _ in range(8):
        eye = (u(-0.3, 0.3) * w, u(1.2, 1.8), u(0, 3))
        b.views.append((eye, (u(-0.3, 0.6) * w, u(1, 1.7), eye[2] - u(5, 12))))

"""Light and the parts that several families share: shells of rooms, lamps, furniture along walls, railings."""

from dataclasses import replace

import numpy as np

from pipelines.synthetic.furniture import any_piece, picture, window
from pipelines.synthetic.materials.drawing import hsv
from pipelines.synthetic.plants import tree

PI = np.pi


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
        position = np.array([u(-0.3, 0.3) * size, height - 0.1, u(-0.3, 0.3) * size])
        reach, power = size * 1.2, u(0.3, 1)
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
            tree(b, u(2, 6))
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
                window(b, (u0 + u1) / 2 - length / 2, (v0 + v1) / 2, u1 - u0, v1 - v0, bars=bars, curtains=curtains)
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
                        picture(b, u(0.3, 1.0), u(0.3, 0.8))


def ceiling_lamps(b, w, d, h):
    """A grid of lamps of one kind, or none that is seen, and the light they give."""
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
            any_piece(b)
    carpets(b, w, d, b.rng.integers(0, 3))


def carpets(b, w, d, count):
    """Rugs, runners and changes of the floor's material, up to half of a room: none of them is a step in height."""
    u = b.u
    for i in range(count):
        rug = b.image("rug", crop=(0, 0, 1, 1))
        cover = b.pick(rug, b.material("fabric"), b.plain(), b.material("wood|tile|stone", gloss=u(0, 0.3)))
        size = b.pick((u(0.8, 2.8), u(0.8, 2.8)), (u(0.8, 0.6 * w), d), (w, u(0.8, 0.6 * d)))
        with b.at(u(-0.5, 0.5) * (w - size[0]), 0, u(-0.5, 0.5) * (d - size[1]), b.pick(0, 0, u(-0.3, 0.3))):
            b.floor(0, 0, *size, cover, y=0.002 * (i + 1))


def room_views(b, w, d, low=0.9, high=1.8):
    """Photographers stand with their back to a wall or in a corner and look across the room."""
    u = b.u
    for _ in range(8):
        x, z = u(-0.42, 0.42) * w, d / 2 - u(0.2, 0.3 * d)
        b.views.append(((x, u(low, high), z), (u(-0.35, 0.35) * w, u(0.5, 1.4), -u(0.0, 0.5) * d)))


def railing(b):
    """A material cut out as bars."""
    return replace(b.image("railing", crop=(0, 0, 1, 1)), tint=(b.u(0.4, 1.2),) * 3)

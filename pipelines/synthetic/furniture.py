"""Furniture, lamps, windows and pictures of random size and make, by a Builder b.

Furniture stands on y = 0 of the current frame and faces +z.
"""

import numpy as np

from pipelines.synthetic.builder import Material
from pipelines.synthetic.plants import plant
from pipelines.synthetic.things import thing


def any_piece(b):
    """A piece of furniture, a plant, or something odd."""
    build = b.pick(table, sofa, cabinet, shelf, chair, lamp, plant, thing, table, sofa, chair)
    if build is plant:
        plant(b, b.u(0.6, 1.8))
    elif build is thing:
        thing(b, b.u(0.2, 0.6))
    else:
        build(b)


def table(b, width=None, depth=None, height=None, things=3, material=None):
    u, wood = b.u, material or b.material("wood|wood|stone|metal")
    width, depth, height = width or u(0.6, 2.0), depth or u(0.5, 1.0), height or u(0.4, 0.8)
    if b.chance(0.3):
        radius = min(width, depth) / 2
        b.cone((0, height - 0.02, 0), radius, radius, 0.04, wood)
        b.cone((0, height / 2, 0), 0.05, 0.05, height, wood)
        b.cone((0, 0.02, 0), radius * 0.5, radius * 0.5, 0.04, wood)
        width = depth = radius * 1.2
    else:
        b.block(0, height - 0.04, 0, width, 0.04, depth, wood)
        legs(b, width - 0.06, depth - 0.06, height - 0.04, u(0.03, 0.07), b.pick(wood, b.plain()))
    for _ in range(b.rng.integers(0, things + 1)):
        with b.at(u(-0.4, 0.4) * width, height, u(-0.4, 0.4) * depth, u(0, 6)):
            thing(b)


def chair(b):
    u, seat = b.u, b.material("fabric|wood|fabric")
    frame, high = b.pick(b.material("wood"), b.plain(gloss=0.4)), u(0.42, 0.5)
    if b.chance(0.25):  # office chair
        b.cone((0, 0.25, 0), 0.03, 0.03, 0.5, frame)
        for i in range(5):
            a = i * 2 * np.pi / 5
            b.box((np.cos(a) * 0.15, 0.06, np.sin(a) * 0.15), (0.15, 0.02, 0.025), frame, -a)
    else:
        legs(b, 0.44, 0.44, high, 0.035, frame)
    b.block(0, high, 0, 0.46, u(0.04, 0.1), 0.46, seat)
    with b.at(0, high, -0.22, pitch=u(-0.25, 0)):
        if b.chance(0.4):
            for x in (-0.2, 0, 0.2):
                b.block(x, 0, 0, 0.03, 0.45, 0.03, frame)
            b.block(0, 0.3, 0, 0.46, 0.15, 0.03, frame)
        else:
            b.block(0, 0.06, 0, 0.46, u(0.3, 0.6), 0.05, seat)


def sofa(b):
    u, cloth = b.u, b.material("fabric", turned=False)
    w, seat = u(0.8, 2.4), u(0.36, 0.46)
    b.block(0, 0.1, 0, w, seat - 0.1, 0.85, cloth)
    b.block(0, seat, -0.36, w, u(0.3, 0.5), 0.2, cloth)
    for side in (-1, 1):
        b.block(side * (w / 2 + 0.08), 0.05, 0, 0.18, u(0.5, 0.65), 0.85, cloth)
    for _ in range(b.rng.integers(0, 5)):
        pillow = b.pick(b.material("fabric"), b.image("poster"))
        b.box((u(-0.4, 0.4) * w, seat + 0.2, -0.15), (0.2, 0.18, 0.06), pillow, u(-0.4, 0.4), -0.35, u(-0.3, 0.3))
    if w > 1.2:
        for i in range(2):
            b.block((i - 0.5) * w / 2, seat, 0.05, w / 2 - 0.02, 0.1, 0.72, cloth)


def bed(b):
    u, cloth = b.u, b.material("fabric")
    w = b.pick(0.95, 1.5, 1.8)
    b.block(0, 0.05, 0, w, 0.3, 2.05, b.material("wood|fabric"))
    b.block(0, 0.35, 0, w - 0.04, 0.2, 2.0, b.plain((0.8, 0.8, 0.78)))
    b.block(0, 0.36, 0.35, w + 0.06, 0.22, 1.36, cloth)
    b.block(0, 0, -1.06, w + u(0, 0.8), u(0.8, 1.3), 0.08, b.material("wood|fabric"))
    for side in (-1, 1):
        pillow = b.pick(b.plain((0.85, 0.85, 0.85)), b.material("fabric"))
        b.ball((side * w / 4, 0.65, -0.72), (w / 4.3, 0.1, 0.24), pillow, pitch=-0.35)
        with b.at(side * (w / 2 + 0.35), 0, -0.85):
            b.block(0, 0, 0, 0.45, 0.5, 0.4, b.material("wood"))
            with b.at(0, 0.5, 0):
                thing(b, 0.22)


def cabinet(b):
    u, w, h, d = b.u, b.u(0.5, 1.6), b.u(0.5, 2.1), b.u(0.3, 0.6)
    b.block(0, 0, 0, w, h, d, b.material("wood|wood|plaster|metal"))
    doors = b.rng.integers(1, 4)
    for i in range(doors):
        panel = b.image("panels", crop=(0, 0, 1, 1))
        b.quad(((i + 0.5) / doors * w - w / 2, h / 2, d / 2 + 0.012), (w / doors / 2 - 0.01, h / 2 - 0.02), panel)
    for _ in range(b.rng.integers(0, 4)):
        with b.at(u(-0.4, 0.4) * w, h, u(-0.2, 0.2) * d, u(-0.5, 0.5)):
            thing(b)


def shelf(b, width=None, height=None, depth=0.3, goods=None, gap=None):
    """Open shelves facing +z, filled with rows of one product each, books, or odd things."""
    u = b.u
    width, height, gap = width or u(0.7, 2.0), height or u(1.0, 2.2), gap or u(0.25, 0.45)
    board = b.pick(b.material("wood|metal"), b.plain())
    b.block(0, 0, -depth / 2, width, height, 0.02, b.material("wood|metal|plaster"))
    for side in (-1, 1):
        b.block(side * width / 2, 0, 0, 0.03, height, depth, board)
    goods = goods or b.pick("books", "products", "mixed")
    for level in range(int(height / gap)):
        y = 0.05 + level * gap
        b.block(0, y, 0, width, 0.025, depth, board)
        if goods == "products" and b.chance(0.8):
            ticket = Material(int(b.rng.choice(b.bank.kinds["label"])), 2.0, (1.3, 1.3, 1.2))
            b.box((0, y + 0.012, depth / 2 + 0.012), (width / 2, 0.022, 0.006), ticket, casts=False)
        x = -width / 2 + 0.03
        style = b.pick("row", "row", "odd") if goods != "books" else "books"
        while x < width / 2 - 0.1:
            if style == "books":
                run = min(u(0.25, 0.9), width / 2 - 0.03 - x)
                books = Material(int(b.rng.choice(b.bank.kinds["books"])), 0.0, crop=(0, 0, run, 0.5))
                b.block(x + run / 2, y + 0.025, -0.02, run, gap * u(0.6, 0.9), depth * 0.7, books)
                x += run + u(0, 0.15)
            elif style == "row":
                w, h = min(u(0.06, 0.22), gap), (gap - 0.04) * u(0.55, 0.95)
                label = b.image(b.pick("label", "label", "picture"), gloss=0.2)
                count = b.rng.integers(2, 8)
                bottle = b.chance(0.3)
                for _ in range(count):
                    if x + w > width / 2 - 0.02:
                        break
                    z = depth / 2 - u(0.02, 0.12) - w / 3
                    if bottle:
                        b.cone((x + w / 2, y + 0.02 + h * 0.4, z), w * 0.4, w * 0.4, h * 0.8, label, casts=False)
                        b.cone((x + w / 2, y + 0.02 + h * 0.9, z), w * 0.25, w * 0.15, h * 0.2, label, casts=False)
                    else:
                        b.block(x + w / 2, y + 0.02, z, w * 0.95, h, w * 0.6, label, casts=False)
                    x += w
                x += u(0, 0.08)
            else:
                with b.at(x + 0.1, y + 0.02, 0, u(-0.5, 0.5)):
                    thing(b, min(gap * 0.5, 0.16))
                x += u(0.2, 0.4)


def lamp(b):
    u, post = b.u, b.plain(gloss=0.4)
    high = u(1.3, 1.8)
    b.cone((0, high / 2, 0), 0.015, 0.015, high, post)
    b.cone((0, 0.015, 0), 0.15, 0.15, 0.03, post)
    shade = b.plain((1, 0.88, 0.65), emit=u(0.2, 3))
    b.cone((0, high, 0), u(0.15, 0.28), u(0.08, 0.2), u(0.2, 0.35), shade, casts=False)
    b.light(0, high, 0, u(0, 0.8), (1, 0.75, 0.45))


def window(b, x, y, width, height, depth=0.15, bars=None, frame=None, curtains=False):
    """Frame and bars in the hole of a wall that runs along local x, at local z = 0."""
    frame = frame or b.plain(b.pick((0.8, 0.8, 0.8), (0.05, 0.05, 0.05), b.colour()))
    t = b.u(0.03, 0.07)
    for dx, dy, w, h in ((0, 0.5, width, t), (0, -0.5, width, t), (0.5, 0, t, height), (-0.5, 0, t, height)):
        b.box((x + dx * width, y + dy * height, 0), (w / 2, h / 2, depth / 2), frame)
    cols, rows = bars if bars is not None else b.rng.integers(0, 4, 2)
    for i in range(1, cols + 1):
        b.box((x + (i / (cols + 1) - 0.5) * width, y, 0), (t / 3, height / 2, 0.025), frame)
    for i in range(1, rows + 1):
        b.box((x, y + (i / (rows + 1) - 0.5) * height, 0), (width / 2, t / 3, 0.025), frame)
    if curtains:
        cloth = b.material("curtain", turned=False)
        for side in (-1, 1):
            where = (x + side * (width / 2 + 0.1), (y + height / 2 + 0.1) / 2, 0.16)
            b.box(where, (width * b.u(0.1, 0.22), (y + height / 2 + 0.1) / 2, 0.05), cloth)


def picture(b, width, height):
    """Framed picture on the wall behind, centred at the origin."""
    kind = b.pick("picture", "picture", "poster", "skyline")
    if b.chance(0.8):
        frame = b.pick(b.material("wood"), b.plain())
        b.box((0, 0, 0.015), (width / 2 + 0.04, height / 2 + 0.04, 0.015), frame)
    if b.chance(0.4):
        b.quad((0, 0, 0.032), (width / 2, height / 2), b.plain((0.85, 0.85, 0.83)), casts=False)
        width, height = width * 0.75, height * 0.75
    b.quad((0, 0, 0.035), (width / 2, height / 2), b.image(kind, gloss=0.1), casts=False)


def legs(b, width, depth, height, thick, material):
    """Four, at the corners."""
    for x in (-1, 1):
        for z in (-1, 1):
            b.block(x * (width / 2 - thick), 0, z * (depth / 2 - thick), thick, height, thick, material)

"""Small things seen from near: on a table, from above, on a shelf."""

from dataclasses import replace

import numpy as np

from pipelines.synthetic.furniture import cabinet, chair, lamp, shelf, sofa, table
from pipelines.synthetic.materials.drawing import hsv
from pipelines.synthetic.plants import plant, tree
from pipelines.synthetic.street_life import person
from pipelines.synthetic.surroundings import (
    carpets,
    ceiling_lamps,
    daylight,
    four_walls,
    furnish,
    lamplight,
    room_shell,
)
from pipelines.synthetic.things import thing


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
                thing(b, u(0.06, 0.28))
    setting = b.rng.integers(0, 4)
    far = u(0.5, 5)
    if setting == 0:  # studio sweep
        paint = b.plain()
        b.quad((0, 1, -d / 2 - far * 0.3), (6, 3), paint, casts=False)
    elif setting == 1:  # wall behind the counter
        b.quad((0, 1, -d / 2 - u(0.02, 0.6)), (6, 3), b.material("tile|brick|plaster|wood"), casts=False)
    elif setting == 2:  # a room
        with b.at(0, -0.75, -far * 0.5):
            room_shell(b, 6, 6 + far, 2.7, windows=(0.7, 0.5, 0.5, 0))
            furnish(b, 6, 6 + far, 7)
    else:  # outdoors
        b.floor(0, -10, 60, 60, b.material("grass|ground|stone"), y=-0.75)
        for _ in range(8):
            with b.at(u(-6, 6), -0.75, -u(2, 14)):
                tree(b, u(2, 5))
    if setting != 2:
        b.floor(0, 0, 12, 12, b.material("wood|tile|stone"), y=-0.8)
    if setting == 3:
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
            thing(b, u(0.06, 0.2))
    lamplight(b, u(1, 2), 1.2)
    b.light(u(-2, 2), u(0.6, 1.6), u(-0.5, 1.5), u(0.5, 3), hsv(0.6, u(0, 0.2), 1), 0.8)
    for _ in range(8):
        turn, lift, away = u(-0.7, 0.7), u(0.45, 1.35), u(0.35, 0.9)
        target = (u(-0.15, 0.15) * w, 0.02, u(-0.15, 0.15) * d)
        eye = (target[0] + away * np.sin(turn) * np.cos(lift), target[1] + away * np.sin(lift),
               target[2] + away * np.cos(turn) * np.cos(lift))  # fmt: skip
        b.views.append((eye, target))
    b.settings.update(shallow=0.5, close_up=True)


def shelves(b):
    """A wall of goods that fills the frame, without floor or ceiling to hold on to."""
    u, tall, away = b.u, b.u(2.4, 3.4), b.u(1.0, 2.2)
    b.floor(0, 2, 20, 8, b.material("tile|wood|stone"))
    b.quad((0, 2, -0.4), (8, 2.5), b.material("plaster|metal|wood"))
    goods, gap, deep, x = b.pick("products", "products", "products", "mixed", "books"), u(0.2, 0.45), u(0.25, 0.6), -4.0
    while x < 4:
        bay = u(0.8, 2.2)
        with b.at(x + bay / 2, 0, -u(0, 0.04)):
            shelf(b, bay, tall, deep, goods, gap)
        x += bay
    if b.chance(0.3):
        with b.at(u(-0.5, 0.5), 0, u(0.5, 0.8) * away, u(0, 6.3)):
            b.pick(person, lambda b: b.block(0, 0, 0, 0.5, u(0.6, 1.2), 0.4, b.image("label")), thing)(b)
    lamplight(b, u(3, 4.5), 5)
    for _ in range(6):
        eye = (u(-1.5, 1.5), u(0.7, 1.9), away)
        b.views.append((eye, (eye[0] + b.pick(0, u(-0.2, 0.2), u(-1.2, 1.2)) * away, eye[1] + u(-0.3, 0.3), 0)))


def carton(b):
    """Open boxes, crates and pigeonholes with goods in them, seen from near: what is dark is not nearer."""
    u = b.u
    b.floor(0, 0, 2.5, 2, replace(b.material("wood|stone|plaster|fabric|tile", gloss=u(0, 0.4)), scale=u(0.8, 3)))
    b.floor(0, 0, 10, 10, b.material("wood|tile|stone"), y=-0.8)
    paper = b.plain(tuple(hsv(u(0.06, 0.1), u(0.3, 0.6), u(0.3, 0.7)) ** 2))
    skin = b.pick(paper, b.plain(), b.material("wood|metal|plaster"))
    w, h, deep, thick = u(0.2, 0.6), u(0.15, 0.45), u(0.12, 0.4), b.pick(0.004, 0.015)
    columns, rows = (b.rng.integers(1, 4), b.rng.integers(1, 3)) if b.chance(0.35) else (1, 1)
    with b.at(u(-0.1, 0.1), 0, 0, u(-0.3, 0.3)):
        for x in np.linspace(-w / 2, w / 2, columns + 1):
            b.block(x, 0, 0, thick, h, deep, skin)
        for y in np.linspace(0, h, rows + 1):
            b.block(0, y, 0, w, thick, deep, skin)
        b.block(0, 0, -deep / 2, w, h, thick, b.pick(skin, skin, b.plain((0.02, 0.02, 0.02))))
        if b.chance(0.5):  # little light falls in
            gloom, inner = b.plain((u(0.004, 0.05),) * 3), thick / 2 + 0.001
            b.quad((0, h / 2, thick - deep / 2), (w / 2, h / 2), gloom)
            b.quad((0, h - inner, 0), (w / 2, deep / 2), gloom, pitch=np.pi / 2)
            for side in (-1, 1):
                b.quad((side * (w / 2 - inner), h / 2, 0), (deep / 2, h / 2), gloom, yaw=np.pi / 2)
        if b.chance(0.6):  # a lip that the goods look over
            b.block(0, 0, deep / 2, w, h * u(0.08, 0.35), thick, b.pick(skin, b.image("label")))
        if b.chance(0.4):  # a flap
            with b.at(b.pick(-1, 1) * w / 2, 0, deep / 2, u(-2.6, 2.6)):
                b.block(0, 0, w / 4, thick, h, w / 2, skin)
        for _ in range(b.rng.integers(2, 5) * columns * rows):
            column, row = b.rng.integers(columns), b.rng.integers(rows)
            x = ((column + u(0.2, 0.8)) / columns - 0.5) * w
            with b.at(x, row * h / rows + thick, u(-0.35, 0.35) * deep, u(0, 6.3), roll=u(-0.2, 0.2)):
                thing(b, min(h / rows * u(0.25, 0.75), w / columns * 0.5))
    for _ in range(b.rng.integers(0, 6)):
        with b.at(u(-0.9, 0.9), 0, u(-0.9, 0.3), u(0, 6.3)):
            b.pick(
                lambda b: thing(b, u(0.06, 0.25)),
                lambda b: b.block(0, 0, 0, u(0.1, 0.4), u(0.1, 0.4), 0.2, b.image("label")),
            )(b)
    if b.chance(0.5):
        b.quad((0, 1, -u(0.5, 1.2)), (6, 3), b.material("tile|brick|plaster|wood"), casts=False)
    else:
        with b.at(0, -0.75, -2):
            room_shell(b, 6, 8, 2.7, windows=(0.7, 0.5, 0.5, 0))
            furnish(b, 6, 8, 7)
    lamplight(b, u(1, 2), 1.2)
    b.light(u(-2, 2), u(0.6, 1.6), u(0.3, 1.5), u(0.5, 3), hsv(0.6, u(0, 0.2), 1), 0.8)
    for _ in range(8):
        turn, lift, away = u(-0.9, 0.9), u(0.05, 0.8), u(0.2, 0.7)
        target = np.array([u(-0.1, 0.1), h * u(0.2, 0.7), 0])
        direction = np.array([np.sin(turn) * np.cos(lift), np.sin(lift), np.cos(turn) * np.cos(lift)])
        b.views.append((tuple(target + (away + deep / 2) * direction), tuple(target)))
    b.settings.update(shallow=0.3, close_up=True, roll=12.0)


def handheld(b):
    """Furniture of a room from one or two steps away, held askew: cut off by the frame, on carpets, against walls."""
    u = b.u
    w, d, h = u(3, 6), u(3, 6), u(2.4, 3.2)
    room_shell(b, w, d, h)
    ceiling_lamps(b, w, d, h)
    carpets(b, w, d, b.rng.integers(0, 3))
    spots = []
    for _, _, x, z, yaw in four_walls(w, d):
        for _ in range(b.rng.integers(0, 3)):
            along = u(-0.35, 0.35)
            with b.at(x, 0, z, yaw), b.at(along * (w if z else d), 0, 0.5, u(-0.15, 0.15)):
                b.pick(sofa, sofa, cabinet, lamp, chair, lambda b: plant(b, u(0.6, 1.8)), shelf, table)(b)
                spots.append(b.origin.copy())
    for _ in range(b.rng.integers(1, 4)):
        with b.at(u(-0.25, 0.25) * w, 0, u(-0.25, 0.25) * d, u(0, 6.3)):
            b.pick(table, chair, lamp, lambda b: plant(b, u(0.4, 1.6)), sofa, lambda b: thing(b, u(0.2, 0.6)))(b)
            spots.append(b.origin.copy())
    lamplight(b, h, max(w, d), b.chance(0.3))
    for _ in range(10):
        target = spots[b.rng.integers(len(spots))] + [u(-0.8, 0.8), u(0.1, 1.6), u(-0.8, 0.8)]
        turn, away = u(0, 6.3), u(0.8, 2.6)
        eye = np.array([target[0] + away * np.sin(turn), u(0.5, 1.9), target[2] + away * np.cos(turn)])
        eye[[0, 2]] = np.clip(eye[[0, 2]], (-w / 2 + 0.2, -d / 2 + 0.2), (w / 2 - 0.2, d / 2 - 0.2))
        b.views.append((tuple(eye), tuple(target)))
    b.settings.update(shallow=0.1, close_up=True, roll=16.0)

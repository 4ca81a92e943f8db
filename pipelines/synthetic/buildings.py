"""Houses, by a Builder b."""

import numpy as np

from pipelines.synthetic.materials.drawing import hsv


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
        roof = b.material("brick|tile", recolour=1.0, tint=tuple(hsv(u(0, 0.1), u(0.1, 0.7), u(0.2, 0.7)) ** 2))
        rise = u(0.4, 0.9)
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

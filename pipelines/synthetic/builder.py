"""Builds a scene: primitives with materials, and the things made of them (furniture, windows, trees, people, cars).

World axes: metres, +y up, floor at y = 0. Every object stands on y = 0 of the current frame; see `Builder.at`.
"""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from pipelines.synthetic import scene as r
from pipelines.synthetic.materials.drawing import hsv, natural_hue


@dataclass(frozen=True)
class Material:
    """texture: index in the bank. scale: tiles per metre, 0 = one texture fitted on each face, cropped to `crop`."""

    texture: int
    scale: float = 0.0
    tint: tuple = (1.0, 1.0, 1.0)
    recolour: float = 0.0  # 1: the pattern of the texture in the colour `tint`
    emit: float = 0.0
    gloss: float = 0.0
    crop: tuple = (0.0, 0.0, 1.0, 1.0)
    turned: bool = False


SCALES = {  # tiles per metre
    "wood": (0.4, 1.2), "brick": (0.4, 1.1), "tile": (0.4, 1.4), "plaster": (0.25, 0.8), "stone": (0.3, 1.2),
    "fabric": (1.0, 4.0), "ground": (0.2, 0.6), "grass": (0.25, 0.7), "metal": (0.5, 1.5), "slats": (0.5, 1.5),
    "curtain": (0.5, 1.2), "facade": (0.08, 0.14), "books": (0.7, 1.4),
}  # fmt: skip


def rotation(yaw=0.0, pitch=0.0, roll=0.0):
    """(3, 3) local to world, radians: roll about z, then pitch about x, then yaw about y."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    around_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    around_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return around_y @ around_x @ np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])


class Builder:
    def __init__(self, rng, bank):
        self.rng, self.bank = rng, bank
        self.frame, self.origin, self.unit = np.eye(3), np.zeros(3), 1.0
        self.parts, self.lights, self.views = [], [], []
        self.settings = {}
        self.hues = [natural_hue(rng) for _ in range(3)]

    def u(self, low, high):
        return float(self.rng.uniform(low, high))

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, *options):
        return options[self.rng.integers(len(options))]

    # Materials

    def colour(self, s=(0.05, 0.7), v=(0.1, 0.9)):
        """Linear tint: mostly from the few hues that one place keeps to, and more often pale than strong."""
        hue = self.pick(*self.hues) + self.u(-0.02, 0.02) if self.chance(0.8) else self.u(0, 1)
        k = self.u(0, 1) ** (1.0 if self.chance(0.15) else 2.2)
        return tuple(hsv(hue % 1, s[0] + (s[1] - s[0]) * k, self.u(*v)) ** 2)

    def material(self, kind, **changes):
        """A random material of a kind, with a random tint and physical size."""
        kinds = kind.split("|")
        kind = self.pick(*kinds)
        low, high = SCALES.get(kind, (0, 0))
        texture = int(self.rng.choice(self.bank.kinds[kind]))
        gain = self.u(0.75, 1.15)
        values = dict(texture=texture, scale=self.u(low, high), tint=(gain,) * 3)
        if kind in ("plaster", "fabric", "metal", "curtain", "tile", "stone", "slats") and self.chance(0.6):
            pale = kind in ("plaster", "tile", "stone")
            values.update(tint=self.colour((0, 0.4), (0.6, 0.98)) if pale else self.colour(), recolour=1.0)
        elif kind in ("wood", "brick") and self.chance(0.3):
            values.update(recolour=1.0, tint=tuple(hsv(self.u(0.03, 0.11), self.u(0.1, 0.7), self.u(0.25, 0.9)) ** 2))
        if kind in ("wood", "metal", "tile", "label", "screen"):
            values.update(gloss=self.u(0, 0.35), turned=self.chance(0.5))
        return Material(**{**values, **changes})

    def plain(self, colour=None, gloss=0.0, emit=0.0):
        """Paint, plastic, lacquer: hardly any texture."""
        texture = int(self.rng.choice(self.bank.kinds["plaster"]))
        return Material(texture, 0.4, self.colour() if colour is None else colour, 1.0, emit, gloss)

    def image(self, kind, **changes):
        """A picture fitted on the face; sometimes only a crop of it."""
        texture = int(self.rng.choice(self.bank.kinds[kind]))
        x0, y0 = (self.u(0, 0.4), self.u(0, 0.4)) if self.chance(0.4) else (0.0, 0.0)
        x1, y1 = (x0 + self.u(0.4, 0.6), y0 + self.u(0.4, 0.6)) if x0 else (1.0, 1.0)
        return Material(texture, **{"crop": (x0, y0, x1, y1), **changes})

    # Primitives

    @contextmanager
    def at(self, x=0.0, y=0.0, z=0.0, yaw=0.0, unit=1.0, pitch=0.0, roll=0.0):
        """Build in a frame of its own: moved, turned about y (radians), and scaled."""
        saved = self.frame, self.origin, self.unit
        self.origin = self.origin + self.frame @ (np.array([x, y, z]) * self.unit)
        self.frame, self.unit = self.frame @ rotation(yaw, pitch, roll), self.unit * unit
        yield self
        self.frame, self.origin, self.unit = saved

    def _add(self, kind, centre, half, material, yaw, pitch, roll, ends=(1.0, 1.0), cutout=-1, casts=True):
        centre = self.origin + self.frame @ (np.asarray(centre, float) * self.unit)
        axes = (self.frame @ rotation(yaw, pitch, roll)).T
        half = np.asarray(half, float) * self.unit
        scale = material.scale / self.unit
        faces = np.zeros((4, r.NUM_COLUMNS))
        faces[:, r.TEXTURE], faces[:, r.TINT : r.TINT + 3] = material.texture, material.tint
        faces[:, r.RECOLOUR], faces[:, r.EMIT], faces[:, r.GLOSS] = material.recolour, material.emit, material.gloss
        x0, y0, x1, y1 = material.crop
        du, dv = self.rng.uniform(0, 2, 2)
        for axis, (i, j, n) in enumerate(((2, 1, 0), (0, 2, 1), (0, 1, 2))):
            anchor = centre
            if scale > 0:
                i, j = (j, i) if material.turned else (i, j)
                su, sv, cu, cv, density, anchor = scale, -scale, du, dv, scale, self.origin
            else:
                su, sv = (x1 - x0) / (2 * half[i] + 1e-9), -(y1 - y0) / (2 * half[j] + 1e-9)
                cu, cv = (x0 + x1) / 2, (y0 + y1) / 2
                density = np.sqrt(abs(su * sv))
            faces[axis, r.U : r.U + 3], faces[axis, r.U + 3] = su * axes[i], cu - su * axes[i] @ anchor
            faces[axis, r.V : r.V + 3], faces[axis, r.V + 3] = sv * axes[j], cv - sv * axes[j] @ anchor
            faces[axis, r.NORMAL : r.NORMAL + 3], faces[axis, r.DENSITY] = axes[n], density
        if kind in (r.BALL, r.CONE):
            if scale > 0:
                su, sv, cu, cv = max(1, round(np.pi * half[0] * scale)) * 2, 2 * half[1] * scale, du, dv
            else:
                su, sv, cu, cv = 2 * (x1 - x0), y1 - y0, x0, y0
            faces[0, r.U : r.U + 8] = [su, 0, 0, cu, sv, 0, 0, cv]
            faces[0, r.DENSITY] = np.sqrt(su / (2 * np.pi * half[0]) * sv / (2 * half[1]))
            faces[0, r.ROUND] = 1
        self.parts.append((kind, axes, centre, half, ends, cutout, casts, faces))

    def box(self, centre, half, material, yaw=0.0, pitch=0.0, roll=0.0, casts=True):
        self._add(r.BOX, centre, half, material, yaw, pitch, roll, casts=casts)

    def block(self, x, y, z, width, height, depth, material, yaw=0.0, casts=True):
        """A box given by where its bottom stands and its full size."""
        self.box((x, y + height / 2, z), (width / 2, height / 2, depth / 2), material, yaw, casts=casts)

    def ball(self, centre, radii, material, yaw=0.0, pitch=0.0, roll=0.0, casts=True):
        self._add(r.BALL, centre, np.broadcast_to(radii, 3), material, yaw, pitch, roll, casts=casts)

    def cone(self, centre, bottom, top, height, material, yaw=0.0, pitch=0.0, roll=0.0, squash=1.0, casts=True):
        """Capped cylinder or truncated cone; squash: depth / width of its ellipse."""
        wide = max(bottom, top)
        ends = (bottom / wide, top / wide)
        half = (wide, height / 2, wide * squash)
        self._add(r.CONE, centre, half, material, yaw, pitch, roll, ends, casts=casts)

    def quad(self, centre, half, material, yaw=0.0, pitch=0.0, roll=0.0, cut=False, casts=True):
        """Two-sided rectangle in its local x, y; cut: the alpha of the texture is its shape."""
        cutout = material.texture if cut else -1
        self._add(r.QUAD, centre, (*half, 1e-3), material, yaw, pitch, roll, cutout=cutout, casts=casts)

    def floor(self, x, z, width, depth, material, y=0.0, casts=False):
        self.quad((x, y, z), (width / 2, depth / 2), material, pitch=np.pi / 2, casts=casts)

    def wall(self, a, b, height, material, holes=(), base=0.0, casts=True):
        """Vertical wall from a to b, both (x, z), with rectangular holes (u0, v0, u1, v1) in metres from a's foot."""
        a, b = np.asarray(a, float), np.asarray(b, float)
        length = np.hypot(*(b - a))
        along = (b - a) / length
        yaw = np.arctan2(-along[1], along[0])

        def piece(u0, v0, u1, v1):
            if u1 - u0 > 1e-3 and v1 - v0 > 1e-3:
                x, z = a + along * (u0 + u1) / 2
                half = ((u1 - u0) / 2, (v1 - v0) / 2)
                self.quad((x, base + (v0 + v1) / 2, z), half, material, yaw, casts=casts)

        # pieces of one wall must share the offset of its texture, so that the pattern runs through
        state = self.rng.bit_generator.state
        edge = 0.0
        for u0, v0, u1, v1 in sorted(holes):
            for part in ((edge, 0, u0, height), (u0, 0, u1, v0), (u0, v1, u1, height)):
                self.rng.bit_generator.state = state
                piece(*part)
            edge = u1
        self.rng.bit_generator.state = state
        piece(edge, 0, length, height)

    # Things

    def legs(self, width, depth, height, thick, material):
        for x in (-1, 1):
            for z in (-1, 1):
                self.block(x * (width / 2 - thick), 0, z * (depth / 2 - thick), thick, height, thick, material)

    def table(self, width=None, depth=None, height=None, things=3, material=None):
        u, wood = self.u, material or self.material("wood|wood|stone|metal")
        width, depth, height = width or u(0.6, 2.0), depth or u(0.5, 1.0), height or u(0.4, 0.8)
        if self.chance(0.3):
            radius = min(width, depth) / 2
            self.cone((0, height - 0.02, 0), radius, radius, 0.04, wood)
            self.cone((0, height / 2, 0), 0.05, 0.05, height, wood)
            self.cone((0, 0.02, 0), radius * 0.5, radius * 0.5, 0.04, wood)
            width = depth = radius * 1.2
        else:
            self.block(0, height - 0.04, 0, width, 0.04, depth, wood)
            self.legs(width - 0.06, depth - 0.06, height - 0.04, u(0.03, 0.07), self.pick(wood, self.plain()))
        for _ in range(self.rng.integers(0, things + 1)):
            with self.at(u(-0.4, 0.4) * width, height, u(-0.4, 0.4) * depth, u(0, 6)):
                self.thing()

    def thing(self, size=None):
        """Something small that stands on a surface: vase, bottle, bowl, box, books, plant, lamp, screen, cut-out."""
        u, s = self.u, size or self.u(0.08, 0.3)
        paint = self.pick(self.plain(gloss=u(0, 0.6)), self.material("stone|metal|wood"), self.image("label"))
        style = self.rng.integers(0, 12)
        if style == 0:
            self.ball((0, s * 0.55, 0), (s * 0.4, s * 0.55, s * 0.4), paint)
            self.cone((0, s * 1.15, 0), s * 0.2, s * 0.25, s * 0.35, paint)
        elif style == 1:
            label = self.image("label|picture".split("|")[self.rng.integers(2)], gloss=0.2)
            self.cone((0, s * 0.6, 0), s * 0.25, s * 0.25, s * 1.2, self.pick(label, paint))
            self.cone((0, s * 1.35, 0), s * 0.25, s * 0.09, s * 0.3, paint)
            self.cone((0, s * 1.6, 0), s * 0.09, s * 0.09, s * 0.25, self.plain())
        elif style == 2:
            self.cone((0, s * 0.25, 0), s * 0.3, s * 0.7, s * 0.5, paint)
            for _ in range(self.rng.integers(0, 6)):
                self.ball((u(-0.4, 0.4) * s, s * u(0.5, 0.65), u(-0.4, 0.4) * s), s * 0.22, self.plain(gloss=0.2))
        elif style == 3:
            self.block(0, 0, 0, s, s * u(0.4, 1.6), s * u(0.4, 1), self.image("label"), u(0, 1))
        elif style == 4:
            y = 0.0
            for _ in range(self.rng.integers(1, 5)):
                h = s * u(0.1, 0.22)
                self.block(0, y, 0, s * u(0.8, 1.1), h, s * u(0.6, 0.8), self.plain(), u(-0.4, 0.4))
                y += h
        elif style == 5:
            self.plant(s * u(1.2, 2.2))
        elif style == 6:
            self.cone((0, s * 0.75, 0), s * 0.06, s * 0.06, s * 1.5, self.plain())
            self.cone((0, s * 0.05, 0), s * 0.3, s * 0.3, s * 0.1, self.plain())
            self.cone((0, s * 1.7, 0), s * 0.6, s * 0.35, s * 0.7, self.plain((1, 0.9, 0.7), emit=u(0, 2)), casts=False)
        elif style == 7:
            self.block(0, 0, 0, s * 0.5, s * 0.1, s * 0.4, self.plain((0.03,) * 3))
            with self.at(0, s * 0.1, 0, pitch=u(-0.2, 0)):
                self.block(0, s * 0.1, 0, s * 1.8, s * 1.1, s * 0.06, self.image("screen", emit=u(0, 0.8)))
        elif style == 8:
            texture = int(self.rng.choice(self.bank.kinds["cutout"]))
            aspect = float(self.bank.aspect[texture])
            self.quad((0, s * 0.9, 0), (s * 0.9 * aspect, s * 0.9), Material(texture), cut=True)
        elif style == 9:
            self.cone((0, s * 0.3, 0), s * 0.25, s * 0.28, s * 0.6, paint)
            self.box((s * 0.33, s * 0.3, 0), (s * 0.1, s * 0.15, s * 0.04), paint)
        elif style == 10:
            self.block(0, 0, 0, s * 1.2, s * 1.4, s * 0.08, self.plain())
            self.quad((0, s * 0.7, s * 0.05), (s * 0.5, s * 0.6), self.image("picture"))
        else:
            self.ball((0, s * 0.4, 0), s * 0.4, paint)

    def plant(self, height):
        u, pot = self.u, height * self.u(0.25, 0.45)
        self.cone((0, pot / 2, 0), pot * u(0.3, 0.5), pot * u(0.4, 0.6), pot, self.material("stone|plaster|metal"))
        with self.at(0, pot * 0.95, 0, u(0, 6)):
            self.foliage(height - pot, self.pick("leaves", "blades"))

    def foliage(self, height, kind="leaves"):
        """Crossed or scattered cut-outs, from a tuft to a bush."""
        u = self.u
        texture = int(self.rng.choice(self.bank.kinds[kind]))
        tint = (u(0.8, 1.6),) * 3
        leaf = Material(texture, tint=tint)
        if kind == "blades":
            for i in range(self.rng.integers(2, 5)):
                half = (height * 0.5, height * u(0.42, 0.55))
                self.quad(
                    (0, half[1] - 0.02 * height, 0), half, leaf, i * np.pi / 3 + u(-0.2, 0.2), u(-0.15, 0.15), cut=True
                )
        else:
            for _ in range(self.rng.integers(4, 10)):
                half, where = height * u(0.25, 0.42), self.rng.normal(0, 0.18, 3) * height
                where[1] = height * u(0.35, 0.75)
                self.quad(where, (half, half), leaf, u(0, 3.2), u(-0.9, 0.9), u(0, 6), cut=True)

    def tree(self, height):
        u, trunk = self.u, height * self.u(0.25, 0.5)
        if self.chance(0.35):
            texture = Material(int(self.rng.choice(self.bank.kinds["crown"])), tint=(u(0.8, 1.7),) * 3)
            for i in range(2):
                self.quad((0, height / 2, 0), (height * 0.45, height / 2), texture, u(0, 0.6) + i * 1.57, cut=True)
            return
        bark = Material(
            int(self.rng.choice(self.bank.kinds["wood"])), 1.0, tuple(hsv(0.07, 0.4, u(0.2, 0.5)) ** 2), 1.0
        )
        self.cone((0, trunk * 0.6, 0), height * 0.035, height * 0.02, trunk * 1.2, bark)
        leaf = Material(int(self.rng.choice(self.bank.kinds["leaves"])), tint=(u(0.7, 1.7),) * 3)
        spread = height * u(0.18, 0.32)
        for _ in range(self.rng.integers(8, 18)):
            x, y, z = self.rng.normal(0, 0.6, 3) * spread
            half = spread * u(0.5, 0.85)
            where = (x, trunk + (height - trunk) * 0.5 + y * 1.1, z)
            self.quad(where, (half, half), leaf, u(0, 3.2), u(-1, 1), u(0, 6), cut=True)

    def person(self, height=None):
        u, h = self.u, (height or self.u(1.55, 1.9)) / 1.75
        with self.at(unit=h):
            if self.chance(0.4):
                texture = int(self.rng.choice(self.bank.kinds["person"]))
                self.quad((0, 0.875, 0), (0.875, 0.875), Material(texture), u(-0.5, 0.5), cut=True)
                return
            skin = self.plain(tuple(hsv(0.06, u(0.3, 0.6), u(0.3, 0.9)) ** 2))
            top, legs = (
                self.material("fabric"),
                self.material("fabric", recolour=1.0, tint=self.colour((0, 0.5), (0.1, 0.5))),
            )
            for side in (-1, 1):
                step = u(-0.15, 0.15)
                self.cone((side * 0.1, 0.43, step / 2), 0.065, 0.1, 0.86, legs, pitch=step)
                self.ball((side * 0.1, 0.04, step + 0.06), (0.05, 0.045, 0.13), self.plain((0.03, 0.03, 0.03)))
                self.cone((side * 0.25, 1.15, 0), 0.04, 0.06, 0.6, top, roll=side * u(0.05, 0.3), pitch=u(-0.4, 0.3))
            self.cone((0, 1.12, 0), 0.17, 0.22, 0.62, top, squash=0.6)
            self.ball((0, 1.42, 0), (0.21, 0.1, 0.13), top)
            self.cone((0, 1.5, 0), 0.055, 0.055, 0.14, skin)
            self.ball((0, 1.63, 0), (0.085, 0.12, 0.1), skin)
            self.ball((0, 1.67, -0.02), (0.095, 0.11, 0.105), self.plain(tuple(hsv(0.08, 0.5, u(0.05, 0.5)) ** 2)))

    def car(self):
        u, grey = self.u, self.pick(0.02, 0.05, 0.3, 0.6, 0.8)
        paint = self.plain(self.pick((grey,) * 3, (grey,) * 3, self.colour()), gloss=0.8)
        glass, rubber = self.plain((0.02, 0.03, 0.04), gloss=0.8), self.plain((0.01, 0.01, 0.01))
        tall = self.pick(1.0, 1.0, 1.5)
        self.box((0, 0.58, 0), (0.85, 0.28, 2.05), paint)
        self.ball((0, 0.62, 1.5), (0.84, 0.3, 0.75), paint)
        self.ball((0, 0.62, -1.5), (0.84, 0.3, 0.75), paint)
        self.box((0, 0.8 + 0.28 * tall, -0.2), (0.68, 0.28 * tall, 0.95), glass)
        for side in (-1, 1):
            self.box((0, 0.8 + 0.25 * tall, -0.2 + side * 0.95), (0.66, 0.34 * tall, 0.02), glass, pitch=-side * 0.6)
            for z in (-1.3, 1.3):
                self.cone((side * 0.78, 0.32, z), 0.32, 0.32, 0.2, rubber, roll=np.pi / 2)
                self.cone((side * 0.8, 0.32, z), 0.19, 0.19, 0.2, self.plain((0.5, 0.5, 0.5)), roll=np.pi / 2)
            for z in (-2.06, 2.06):
                lamp = self.plain((1, 0.1, 0.05) if z < 0 else (1, 0.95, 0.8), emit=u(0, 3))
                self.box((side * 0.62, 0.68, z), (0.16, 0.07, 0.03), lamp)
        self.box((0, 0.8 + 0.57 * tall, -0.2), (0.66, 0.03, 0.85), paint)

    def chair(self):
        u, seat = self.u, self.material("fabric|wood|fabric")
        frame, high = self.pick(self.material("wood"), self.plain(gloss=0.4)), u(0.42, 0.5)
        if self.chance(0.25):  # office chair
            self.cone((0, 0.25, 0), 0.03, 0.03, 0.5, frame)
            for i in range(5):
                a = i * 2 * np.pi / 5
                self.box((np.cos(a) * 0.15, 0.06, np.sin(a) * 0.15), (0.15, 0.02, 0.025), frame, -a)
        else:
            self.legs(0.44, 0.44, high, 0.035, frame)
        self.block(0, high, 0, 0.46, u(0.04, 0.1), 0.46, seat)
        with self.at(0, high, -0.22, pitch=u(-0.25, 0)):
            if self.chance(0.4):
                for x in (-0.2, 0, 0.2):
                    self.block(x, 0, 0, 0.03, 0.45, 0.03, frame)
                self.block(0, 0.3, 0, 0.46, 0.15, 0.03, frame)
            else:
                self.block(0, 0.06, 0, 0.46, u(0.3, 0.6), 0.05, seat)

    def sofa(self):
        u, cloth = self.u, self.material("fabric", turned=False)
        w, seat = u(0.8, 2.4), u(0.36, 0.46)
        self.block(0, 0.1, 0, w, seat - 0.1, 0.85, cloth)
        self.block(0, seat, -0.36, w, u(0.3, 0.5), 0.2, cloth)
        for side in (-1, 1):
            self.block(side * (w / 2 + 0.08), 0.05, 0, 0.18, u(0.5, 0.65), 0.85, cloth)
        for _ in range(self.rng.integers(0, 5)):
            pillow = self.pick(self.material("fabric"), self.image("poster"))
            self.box(
                (u(-0.4, 0.4) * w, seat + 0.2, -0.15), (0.2, 0.18, 0.06), pillow, u(-0.4, 0.4), -0.35, u(-0.3, 0.3)
            )
        if w > 1.2:
            for i in range(2):
                self.block((i - 0.5) * w / 2, seat, 0.05, w / 2 - 0.02, 0.1, 0.72, cloth)

    def bed(self):
        u, cloth = self.u, self.material("fabric")
        w = self.pick(0.95, 1.5, 1.8)
        self.block(0, 0.05, 0, w, 0.3, 2.05, self.material("wood|fabric"))
        self.block(0, 0.35, 0, w - 0.04, 0.2, 2.0, self.plain((0.8, 0.8, 0.78)))
        self.block(0, 0.36, 0.35, w + 0.06, 0.22, 1.36, cloth)
        self.block(0, 0, -1.06, w + u(0, 0.8), u(0.8, 1.3), 0.08, self.material("wood|fabric"))
        for side in (-1, 1):
            pillow = self.pick(self.plain((0.85, 0.85, 0.85)), self.material("fabric"))
            self.ball((side * w / 4, 0.65, -0.72), (w / 4.3, 0.1, 0.24), pillow, pitch=-0.35)
            with self.at(side * (w / 2 + 0.35), 0, -0.85):
                self.block(0, 0, 0, 0.45, 0.5, 0.4, self.material("wood"))
                with self.at(0, 0.5, 0):
                    self.thing(0.22)

    def cabinet(self):
        u, w, h, d = self.u, self.u(0.5, 1.6), self.u(0.5, 2.1), self.u(0.3, 0.6)
        self.block(0, 0, 0, w, h, d, self.material("wood|wood|plaster|metal"))
        doors = self.rng.integers(1, 4)
        for i in range(doors):
            panel = self.image("panels", crop=(0, 0, 1, 1))
            self.quad(
                ((i + 0.5) / doors * w - w / 2, h / 2, d / 2 + 0.012), (w / doors / 2 - 0.01, h / 2 - 0.02), panel
            )
        for _ in range(self.rng.integers(0, 4)):
            with self.at(u(-0.4, 0.4) * w, h, u(-0.2, 0.2) * d, u(-0.5, 0.5)):
                self.thing()

    def shelf(self, width=None, height=None, depth=0.3, goods=None, gap=None):
        """Open shelves facing +z, filled with rows of one product each, books, or odd things."""
        u = self.u
        width, height, gap = width or u(0.7, 2.0), height or u(1.0, 2.2), gap or u(0.25, 0.45)
        board = self.pick(self.material("wood|metal"), self.plain())
        self.block(0, 0, -depth / 2, width, height, 0.02, self.material("wood|metal|plaster"))
        for side in (-1, 1):
            self.block(side * width / 2, 0, 0, 0.03, height, depth, board)
        goods = goods or self.pick("books", "products", "mixed")
        for level in range(int(height / gap)):
            y = 0.05 + level * gap
            self.block(0, y, 0, width, 0.025, depth, board)
            if goods == "products" and self.chance(0.8):
                ticket = Material(int(self.rng.choice(self.bank.kinds["label"])), 2.0, (1.3, 1.3, 1.2))
                self.box((0, y + 0.012, depth / 2 + 0.012), (width / 2, 0.022, 0.006), ticket, casts=False)
            x = -width / 2 + 0.03
            style = self.pick("row", "row", "odd") if goods != "books" else "books"
            while x < width / 2 - 0.1:
                if style == "books":
                    run = min(u(0.25, 0.9), width / 2 - 0.03 - x)
                    books = Material(int(self.rng.choice(self.bank.kinds["books"])), 0.0, crop=(0, 0, run, 0.5))
                    self.block(x + run / 2, y + 0.025, -0.02, run, gap * u(0.6, 0.9), depth * 0.7, books)
                    x += run + u(0, 0.15)
                elif style == "row":
                    w, h = min(u(0.06, 0.22), gap), (gap - 0.04) * u(0.55, 0.95)
                    label, count = (
                        self.image(self.pick("label", "label", "picture"), gloss=0.2),
                        self.rng.integers(2, 8),
                    )
                    bottle = self.chance(0.3)
                    for _ in range(count):
                        if x + w > width / 2 - 0.02:
                            break
                        z = depth / 2 - u(0.02, 0.12) - w / 3
                        if bottle:
                            self.cone((x + w / 2, y + 0.02 + h * 0.4, z), w * 0.4, w * 0.4, h * 0.8, label, casts=False)
                            self.cone(
                                (x + w / 2, y + 0.02 + h * 0.9, z), w * 0.25, w * 0.15, h * 0.2, label, casts=False
                            )
                        else:
                            self.block(x + w / 2, y + 0.02, z, w * 0.95, h, w * 0.6, label, casts=False)
                        x += w
                    x += u(0, 0.08)
                else:
                    with self.at(x + 0.1, y + 0.02, 0, u(-0.5, 0.5)):
                        self.thing(min(gap * 0.5, 0.16))
                    x += u(0.2, 0.4)

    def lamp(self):
        u, post = self.u, self.plain(gloss=0.4)
        high = u(1.3, 1.8)
        self.cone((0, high / 2, 0), 0.015, 0.015, high, post)
        self.cone((0, 0.015, 0), 0.15, 0.15, 0.03, post)
        shade = self.plain((1, 0.88, 0.65), emit=u(0.2, 3))
        self.cone((0, high, 0), u(0.15, 0.28), u(0.08, 0.2), u(0.2, 0.35), shade, casts=False)
        self.light(0, high, 0, u(0, 0.8), (1, 0.75, 0.45))

    def light(self, x, y, z, power, colour=(1, 1, 1), size=0.4, normal=None):
        position = (self.origin + self.frame @ (np.array([x, y, z]) * self.unit)).astype(np.float32)
        normal = None if normal is None else (self.frame @ np.asarray(normal, float)).astype(np.float32)
        colour = (np.array(colour) * power).astype(np.float32)
        if power > 0.02 and len(self.lights) < 6:
            self.lights.append(r.Light(position, colour, size, normal))

    def window(self, x, y, width, height, depth=0.15, bars=None, frame=None, curtains=False):
        """Frame and bars in the hole of a wall that runs along local x, at local z = 0."""
        frame = frame or self.plain(self.pick((0.8, 0.8, 0.8), (0.05, 0.05, 0.05), self.colour()))
        t = self.u(0.03, 0.07)
        for dx, dy, w, h in ((0, 0.5, width, t), (0, -0.5, width, t), (0.5, 0, t, height), (-0.5, 0, t, height)):
            self.box((x + dx * width, y + dy * height, 0), (w / 2, h / 2, depth / 2), frame)
        cols, rows = bars if bars is not None else self.rng.integers(0, 4, 2)
        for i in range(1, cols + 1):
            self.box((x + (i / (cols + 1) - 0.5) * width, y, 0), (t / 3, height / 2, 0.025), frame)
        for i in range(1, rows + 1):
            self.box((x, y + (i / (rows + 1) - 0.5) * height, 0), (width / 2, t / 3, 0.025), frame)
        if curtains:
            cloth = self.material("curtain", turned=False)
            for side in (-1, 1):
                where = (x + side * (width / 2 + 0.1), (y + height / 2 + 0.1) / 2, 0.16)
                self.box(where, (width * self.u(0.1, 0.22), (y + height / 2 + 0.1) / 2, 0.05), cloth)

    def picture(self, width, height):
        """Framed picture on the wall behind, centred at the origin."""
        kind = self.pick("picture", "picture", "poster", "skyline")
        if self.chance(0.8):
            self.box(
                (0, 0, 0.015),
                (width / 2 + 0.04, height / 2 + 0.04, 0.015),
                self.pick(self.material("wood"), self.plain()),
            )
        if self.chance(0.4):
            self.quad((0, 0, 0.032), (width / 2, height / 2), self.plain((0.85, 0.85, 0.83)), casts=False)
            width, height = width * 0.75, height * 0.75
        self.quad((0, 0, 0.035), (width / 2, height / 2), self.image(kind, gloss=0.1), casts=False)

    def furniture(self):
        name = self.pick(
            "table", "sofa", "cabinet", "shelf", "chair", "lamp", "plant", "thing", "table", "sofa", "chair"
        )
        if name == "plant":
            self.plant(self.u(0.6, 1.8))
        elif name == "thing":
            self.thing(self.u(0.2, 0.6))
        else:
            getattr(self, name)()

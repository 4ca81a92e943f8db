"""Builds a scene of primitives with materials. What is made of them: furniture, things, plants, street_life.

World axes: metres, +y up, floor at y = 0. Every object stands on y = 0 of the current frame; see `Builder.at`.
"""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from pipelines.synthetic import scene
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
    """What a scene consists of so far, the frame to build in, and the random numbers that decide.

    parts: primitives; lights; views: (eye, target) where a photographer would stand; settings: what else a scene has.
    """

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
        faces = np.zeros((4, scene.NUM_COLUMNS))
        faces[:, scene.TEXTURE], faces[:, scene.TINT : scene.TINT + 3] = material.texture, material.tint
        faces[:, scene.RECOLOUR], faces[:, scene.EMIT] = material.recolour, material.emit
        faces[:, scene.GLOSS] = material.gloss
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
            faces[axis, scene.U : scene.U + 3], faces[axis, scene.U + 3] = su * axes[i], cu - su * axes[i] @ anchor
            faces[axis, scene.V : scene.V + 3], faces[axis, scene.V + 3] = sv * axes[j], cv - sv * axes[j] @ anchor
            faces[axis, scene.NORMAL : scene.NORMAL + 3], faces[axis, scene.DENSITY] = axes[n], density
        if kind in (scene.BALL, scene.CONE):
            if scale > 0:
                su, sv, cu, cv = max(1, round(np.pi * half[0] * scale)) * 2, 2 * half[1] * scale, du, dv
            else:
                su, sv, cu, cv = 2 * (x1 - x0), y1 - y0, x0, y0
            faces[0, scene.U : scene.U + 8] = [su, 0, 0, cu, sv, 0, 0, cv]
            faces[0, scene.DENSITY] = np.sqrt(su / (2 * np.pi * half[0]) * sv / (2 * half[1]))
            faces[0, scene.ROUND] = 1
        self.parts.append((kind, axes, centre, half, ends, cutout, casts, faces))

    def box(self, centre, half, material, yaw=0.0, pitch=0.0, roll=0.0, casts=True):
        self._add(scene.BOX, centre, half, material, yaw, pitch, roll, casts=casts)

    def block(self, x, y, z, width, height, depth, material, yaw=0.0, casts=True):
        """A box given by where its bottom stands and its full size."""
        self.box((x, y + height / 2, z), (width / 2, height / 2, depth / 2), material, yaw, casts=casts)

    def ball(self, centre, radii, material, yaw=0.0, pitch=0.0, roll=0.0, casts=True):
        self._add(scene.BALL, centre, np.broadcast_to(radii, 3), material, yaw, pitch, roll, casts=casts)

    def cone(self, centre, bottom, top, height, material, yaw=0.0, pitch=0.0, roll=0.0, squash=1.0, casts=True):
        """Capped cylinder or truncated cone; squash: depth / width of its ellipse."""
        wide = max(bottom, top)
        ends = (bottom / wide, top / wide)
        half = (wide, height / 2, wide * squash)
        self._add(scene.CONE, centre, half, material, yaw, pitch, roll, ends, casts=casts)

    def quad(self, centre, half, material, yaw=0.0, pitch=0.0, roll=0.0, cut=False, casts=True):
        """Two-sided rectangle in its local x, y; cut: the alpha of the texture is its shape."""
        cutout = material.texture if cut else -1
        self._add(scene.QUAD, centre, (*half, 1e-3), material, yaw, pitch, roll, cutout=cutout, casts=casts)

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

    # Light

    def light(self, x, y, z, power, colour=(1, 1, 1), size=0.4, normal=None):
        position = (self.origin + self.frame @ (np.array([x, y, z]) * self.unit)).astype(np.float32)
        normal = None if normal is None else (self.frame @ np.asarray(normal, float)).astype(np.float32)
        colour = (np.array(colour) * power).astype(np.float32)
        if power > 0.02 and len(self.lights) < 6:
            self.lights.append(scene.Light(position, colour, size, normal))

"""Small things that stand on a surface, by a Builder b."""

from pipelines.synthetic.builder import Material
from pipelines.synthetic.plants import plant


def thing(b, size=None):
    """Something small that stands on a surface: vase, bottle, bowl, box, books, plant, lamp, screen, cut-out."""
    u, s = b.u, size or b.u(0.08, 0.3)
    paint = b.pick(b.plain(gloss=u(0, 0.6)), b.material("stone|metal|wood"), b.image("label"))
    style = b.rng.integers(0, 12)
    if style == 0:
        b.ball((0, s * 0.55, 0), (s * 0.4, s * 0.55, s * 0.4), paint)
        b.cone((0, s * 1.15, 0), s * 0.2, s * 0.25, s * 0.35, paint)
    elif style == 1:
        label = b.image("label|picture".split("|")[b.rng.integers(2)], gloss=0.2)
        b.cone((0, s * 0.6, 0), s * 0.25, s * 0.25, s * 1.2, b.pick(label, paint))
        b.cone((0, s * 1.35, 0), s * 0.25, s * 0.09, s * 0.3, paint)
        b.cone((0, s * 1.6, 0), s * 0.09, s * 0.09, s * 0.25, b.plain())
    elif style == 2:
        b.cone((0, s * 0.25, 0), s * 0.3, s * 0.7, s * 0.5, paint)
        for _ in range(b.rng.integers(0, 6)):
            b.ball((u(-0.4, 0.4) * s, s * u(0.5, 0.65), u(-0.4, 0.4) * s), s * 0.22, b.plain(gloss=0.2))
    elif style == 3:
        b.block(0, 0, 0, s, s * u(0.4, 1.6), s * u(0.4, 1), b.image("label"), u(0, 1))
    elif style == 4:
        y = 0.0
        for _ in range(b.rng.integers(1, 5)):
            h = s * u(0.1, 0.22)
            b.block(0, y, 0, s * u(0.8, 1.1), h, s * u(0.6, 0.8), b.plain(), u(-0.4, 0.4))
            y += h
    elif style == 5:
        plant(b, s * u(1.2, 2.2))
    elif style == 6:
        b.cone((0, s * 0.75, 0), s * 0.06, s * 0.06, s * 1.5, b.plain())
        b.cone((0, s * 0.05, 0), s * 0.3, s * 0.3, s * 0.1, b.plain())
        b.cone((0, s * 1.7, 0), s * 0.6, s * 0.35, s * 0.7, b.plain((1, 0.9, 0.7), emit=u(0, 2)), casts=False)
    elif style == 7:
        b.block(0, 0, 0, s * 0.5, s * 0.1, s * 0.4, b.plain((0.03,) * 3))
        with b.at(0, s * 0.1, 0, pitch=u(-0.2, 0)):
            b.block(0, s * 0.1, 0, s * 1.8, s * 1.1, s * 0.06, b.image("screen", emit=u(0, 0.8)))
    elif style == 8:
        texture = int(b.rng.choice(b.bank.kinds["cutout"]))
        aspect = float(b.bank.aspect[texture])
        b.quad((0, s * 0.9, 0), (s * 0.9 * aspect, s * 0.9), Material(texture), cut=True)
    elif style == 9:
        b.cone((0, s * 0.3, 0), s * 0.25, s * 0.28, s * 0.6, paint)
        b.box((s * 0.33, s * 0.3, 0), (s * 0.1, s * 0.15, s * 0.04), paint)
    elif style == 10:
        b.block(0, 0, 0, s * 1.2, s * 1.4, s * 0.08, b.plain())
        b.quad((0, s * 0.7, s * 0.05), (s * 0.5, s * 0.6), b.image("picture"))
    else:
        b.ball((0, s * 0.4, 0), s * 0.4, paint)

"""What all textures are drawn with: tileable noise, colours, a canvas. Images are (SIZE, SIZE, 4) float32 in 0..1."""

import numpy as np
from PIL import Image, ImageDraw

SIZE = 256  # texels per side


def fractal_noise(rng, beta=1.6, stretch=(1.0, 1.0), size=SIZE):
    """Tileable noise (size, size) with spectrum 1/f^beta, mean 0 and deviation 1. stretch > 1 smooths along (y, x)."""
    fy = np.fft.fftfreq(size)[:, None] * stretch[0]
    fx = np.fft.rfftfreq(size)[None] * stretch[1]
    power = np.maximum(np.sqrt(fx * fx + fy * fy), 1 / size) ** -beta
    power[0, 0] = 0
    phase = rng.uniform(0, 2 * np.pi, power.shape)
    noise = np.fft.irfft2(power * np.exp(1j * phase), s=(size, size))
    return (noise / noise.std()).astype(np.float32)


def hsv(h, s, v):
    """Hue, saturation, value in 0..1 -> (3,) float32 in 0..1."""
    k = (np.array([5.0, 3.0, 1.0]) + h * 6) % 6
    return (v - v * s * np.clip(np.minimum(k, 4 - k), 0, 1)).astype(np.float32)


def natural_hue(rng):
    """Wood, skin and earth; sky and denim; rarely anything: the hues of places that people furnish."""
    if rng.random() < 0.12:
        return float(rng.random())
    return float(rng.choice([rng.uniform(0.0, 0.15), rng.uniform(0.04, 0.11), rng.uniform(0.53, 0.64)]))


def colour(rng, s=(0.1, 0.8), v=(0.25, 0.95)):
    """A natural hue, rather pale than strong within s, of a value within v -> (3,) float32 in 0..1."""
    return hsv(natural_hue(rng), s[0] + (s[1] - s[0]) * rng.random() ** 2, rng.uniform(*v))


def ink_of(colour, alpha=255):
    """(3,) in 0..1 -> what Pillow draws with: four integers in 0..255."""
    return tuple(int(255 * c) for c in np.clip(colour, 0, 1)) + (alpha,)


def grid(rows, cols):
    """y (SIZE, SIZE) in 0..rows and x in 0..cols of every texel."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    return y * rows, x * cols


def opaque(rgb):
    """(..., 3) -> (..., 4), clipped to 0..1, alpha 1."""
    rgb = np.clip(np.asarray(rgb, np.float32), 0, 1)
    return np.concatenate([rgb, np.ones_like(rgb[..., :1])], -1)


def canvas(colour=None):
    """An RGBA image of one colour, clear if None, and a pen for it."""
    image = Image.new("RGBA", (SIZE, SIZE), (0, 0, 0, 0) if colour is None else ink_of(colour))
    return image, ImageDraw.Draw(image)


def as_array(image):
    """Image -> (h, w, 4) float32 in 0..1."""
    return np.asarray(image, np.float32) / 255

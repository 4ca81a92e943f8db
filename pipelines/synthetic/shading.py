"""What colour a surface of a scene sends to the camera: textures, key light with shadows, lamps, gloss, sky, haze."""

import numpy as np

from pipelines.synthetic.materials.bank import LEVEL_OFFSETS, LEVELS
from pipelines.synthetic.materials.drawing import SIZE
from pipelines.synthetic.scene import (
    BALL,
    DENSITY,
    EMIT,
    GLOSS,
    NORMAL,
    RECOLOUR,
    ROUND,
    TEXTURE,
    TINT,
    U,
    V,
)
from pipelines.synthetic.tracing import trace

SHADOW_SIZE = 512  # texels per side of the shadow map


def shade(scene, origin, rays, x, y, z, face, occlusion, pixel):
    """Linear colour (N, 3) of samples at (x, y) with depth z and face; pixel: world size of a pixel at unit depth."""
    out = np.zeros((len(x), 3), np.float32)
    hit = face >= 0
    direction = np.stack([x, y, np.ones_like(x)], 1) @ rays.T.astype(np.float32)
    length = np.sqrt(_dot(direction, direction))
    sky = ~hit
    if sky.any():
        out[sky] = _sky(scene, direction[sky] / length[sky, None])
    if not hit.any():
        return out
    if not hit.all():
        direction, length, z, face, occlusion = direction[hit], length[hit], z[hit], face[hit], occlusion[hit]
    point = origin.astype(np.float32) + direction * z[:, None]
    F = np.ascontiguousarray(np.take(scene.faces, face, 0).T)
    u, v, normal = _surface(scene, F, face, point)
    facing = -_dot(normal, direction) / length
    normal *= np.where(facing < 0, -1, 1)[:, None].astype(np.float32)
    facing = np.abs(facing)
    footprint = z * pixel / np.sqrt(np.maximum(facing, 0.08)) * F[DENSITY]
    albedo = _albedo(scene.bank, F, u, v, footprint)
    to_key = scene.key_position.astype(np.float32) - point
    to_key /= np.sqrt(_dot(to_key, to_key))[:, None]
    shine = np.maximum(_dot(normal, to_key), 0) * _lit(scene, point, normal)
    colour = albedo * _light(scene, point, normal, shine, occlusion) + albedo * F[EMIT][:, None]
    gloss = F[GLOSS]
    if gloss.max() > 0:
        half_way = to_key - direction / length[:, None]
        half_way /= np.sqrt(_dot(half_way, half_way))[:, None]
        spot = np.maximum(_dot(normal, half_way), 0) ** 40 * (shine > 0)
        rim = (1 - facing) ** 4
        colour += (gloss * spot)[:, None] * scene.key_colour + (0.4 * gloss * rim)[:, None] * scene.sky_light
    if np.isfinite(scene.haze):
        k = np.exp(-z / scene.haze)[:, None]
        colour = colour * k + scene.bank.mean[scene.sky_texture] * (scene.sky_gain * (1 - k))
    out[hit] = colour
    return out


def _surface(scene, F, face, point):
    """Texture coordinates u, v (N,) and unit normals (N, 3) at points (N, 3) of faces (N,); F: their rows, (20, N)."""
    u = F[U] * point[:, 0] + F[U + 1] * point[:, 1] + F[U + 2] * point[:, 2] + F[U + 3]
    v = F[V] * point[:, 0] + F[V + 1] * point[:, 1] + F[V + 2] * point[:, 2] + F[V + 3]
    normal = np.ascontiguousarray(F[NORMAL : NORMAL + 3].T)
    curved = np.nonzero(F[ROUND] > 0)[0]
    if len(curved):
        p = face[curved] // 4
        axes, half = scene.axes[p], scene.half[p]
        local = np.einsum("nij,nj->ni", axes, point[curved] - scene.centre[p])
        ball = scene.kind[p] == BALL
        slope = scene.half[p, 0] * (scene.ends[p, 0] - scene.ends[p, 1]) / 2
        gradient = local / (half * half)
        across = np.sqrt(gradient[:, 0] ** 2 + gradient[:, 2] ** 2) + 1e-9
        gradient[:, 1] = np.where(ball, gradient[:, 1], across * slope / half[:, 1])
        world = np.einsum("nij,ni->nj", axes, gradient)
        normal[curved] = world / (np.sqrt(_dot(world, world))[:, None] + 1e-9)
        angle = np.arctan2(local[:, 0] / half[:, 0], local[:, 2] / half[:, 2]) / (2 * np.pi)
        u[curved] = angle * F[U, curved] + F[U + 3, curved]
        v[curved] = (0.5 - 0.5 * local[:, 1] / half[:, 1]) * F[V, curved] + F[V + 3, curved]
    return u, v, normal


def _albedo(bank, F, u, v, footprint):
    """Linear colour (N, 3) of the surface itself."""
    texture = F[TEXTURE].astype(np.int64)
    albedo = fetch(bank, texture, u, v, footprint)
    # recoloured materials keep the pattern of the texture and take the colour of the tint
    grey = (albedo @ np.full(3, 1 / 3, np.float32)) / bank.grey[texture]
    return (albedo + (grey[:, None] - albedo) * F[RECOLOUR][:, None]) * F[TINT : TINT + 3].T


def _light(scene, point, normal, shine, occlusion):
    """Light (N, 3) that arrives: from everywhere, from the key light (its share `shine`), from lamps and windows."""
    up = normal[:, 1:2]
    light = (scene.sky_light * (0.5 + 0.5 * up) + scene.ground_light * (0.5 - 0.5 * up)) * occlusion[:, None]
    light = light + shine[:, None] * scene.key_colour
    for lamp in scene.lights:
        to_lamp = lamp.position - point
        square = _dot(to_lamp, to_lamp)
        distance = np.sqrt(square)
        amount = np.maximum(_dot(normal, to_lamp) / distance * 0.85 + 0.15, 0) / (square + lamp.size**2)
        if lamp.normal is not None:
            amount = amount * np.maximum(-(to_lamp @ lamp.normal) / distance, 0.05)
        light = light + (amount * (0.4 + 0.6 * occlusion))[:, None] * lamp.colour
    return light


def _dot(a, b):
    """Row-wise dot product of (N, 3) arrays; einsum, because numpy's own sum over an axis of three is slow."""
    return np.einsum("ij,ij->i", a, b)


def fetch(bank, texture, u, v, footprint):
    """Bilinear, mip-mapped, mirrored-repeat read: (N,) each -> (N, 3) linear colour. footprint: uv per pixel."""
    level = np.clip(np.log2(np.maximum(footprint * SIZE, 1e-3)) + 0.5, 0, LEVELS - 1).astype(np.int64)
    n = SIZE >> level
    base = bank.base[texture] + LEVEL_OFFSETS[level]
    x, y = u * n - 0.5, v * n - 0.5
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = (x - x0).astype(np.float32), (y - y0).astype(np.float32)
    x0, y0 = x0.astype(np.int64), y0.astype(np.int64)

    def fold(i):
        i = i & (2 * n - 1)
        return np.minimum(i, 2 * n - 1 - i)

    cols, rows = (fold(x0), fold(x0 + 1)), (fold(y0) * n + base, fold(y0 + 1) * n + base)
    colour = 0
    for row, wy in ((rows[0], 1 - fy), (rows[1], fy)):
        for col, wx in ((cols[0], 1 - fx), (cols[1], fx)):
            colour = colour + np.take(bank.texels, row + col, 0)[:, :3] * (wy * wx)[:, None]
    colour *= 1 / 255
    return colour * colour


def _shadow_map(scene):
    """Depth as seen from the key light, once per scene."""
    if scene.shadow_map is None:
        forward = scene.key_target - scene.key_position
        distance = np.linalg.norm(forward)
        forward = forward / distance
        side = np.cross(forward, [0.3, 0.1, 1.0] if abs(forward[1]) > 0.9 else [0, 1.0, 0])
        side /= np.linalg.norm(side)
        k = 2 * scene.key_reach / distance / SHADOW_SIZE
        rays = np.stack([side * k, np.cross(forward, side) * k], 1)
        rays = np.concatenate([rays, (forward - rays.sum(1) * SHADOW_SIZE / 2)[:, None]], 1)
        z, _ = trace(scene, scene.key_position, rays, SHADOW_SIZE, SHADOW_SIZE, chosen=scene.casts)
        scene.shadow_map = z, np.linalg.inv(rays).astype(np.float32), 2 * scene.key_reach / SHADOW_SIZE
    return scene.shadow_map


def _lit(scene, points, normals):
    """Share of the key light that reaches each point, 0..1, with a soft edge."""
    z, to_pixel, texel = _shadow_map(scene)
    q = (points + normals * (1.5 * texel) - scene.key_position.astype(np.float32)) @ to_pixel.T
    soft = 2.0
    lit = np.zeros(len(points), np.float32)
    x, y, depth = q[:, 0] / q[:, 2], q[:, 1] / q[:, 2], q[:, 2] - 0.01
    inside = (q[:, 2] > 0) & (x > 3) & (y > 3) & (x < SHADOW_SIZE - 4) & (y < SHADOW_SIZE - 4)
    x, y = np.where(inside, x, 8), np.where(inside, y, 8)
    flat, ramp = z.reshape(-1), 0.5 / texel
    for dx, dy in ((-0.9, -0.4), (0.4, -0.9), (0.9, 0.4), (-0.4, 0.9), (-0.2, 0.2), (0.3, -0.1)):
        i = (y + dy * soft).astype(np.int64) * SHADOW_SIZE + (x + dx * soft).astype(np.int64)
        lit += np.clip((flat[i] - depth) * ramp + 1, 0, 1)
    return np.where(inside, lit / 6, 1)


def _sky(scene, direction):
    if scene.sky_texture < 0:
        return np.zeros_like(direction)
    u = np.arctan2(direction[:, 0], direction[:, 2]) / np.pi + scene.sky_turn
    v = 1 - np.arcsin(np.clip(direction[:, 1], 0.01, 1)) / (np.pi / 2)
    texture = np.full(len(u), scene.sky_texture, np.int64)
    return fetch(scene.bank, texture, u, v, np.full(len(u), 2 / SIZE)) * scene.sky_gain


def ambient_occlusion(z):
    """Ambient occlusion (h, w) 0..1 from the depth image: how much nearer opposite neighbours are than a plane."""
    h, w = z.shape
    inverse = 1 / z
    dark = np.zeros((h, w), np.float32)
    for step, weight in ((1, 0.14), (2, 0.2), (4, 0.26), (8, 0.26), (16, 0.18)):
        step = max(1, round(step * w / 288))
        padded = np.pad(inverse, step, mode="edge")
        for dy, dx in ((0, step), (step, 0), (step, step), (step, -step)):
            a = padded[step + dy : step + dy + h, step + dx : step + dx + w]
            b = padded[step - dy : step - dy + h, step - dx : step - dx + w]
            # metres nearer, relative to the metres between the neighbours; a far larger jump is another object
            rise = ((a + b) * 0.5 - inverse) * z * (w * 0.8 / step)
            dark += weight * np.clip(rise, 0, 1) * np.clip(1.4 - rise, 0, 1)
    return np.exp(-0.55 * np.nan_to_num(dark))

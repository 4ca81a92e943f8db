"""Ray caster of the scene generator: colour, exact z-depth and sky mask of a list of primitives, on one CPU core.

numpy, not torch: the work is thousands of small array operations inside the screen rectangles of single primitives,
where numpy's overhead per call is several times lower. World axes: metres, +y up.

Per view: geometry at 2x2 samples per pixel; ambient occlusion from the depth image; then colour once per pixel
inside a face and at all four samples where a pixel sees several faces, which is where supersampling matters.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from pipelines.synthetic.materials import LEVEL_OFFSETS, LEVELS, SIZE, TextureBank

BOX, BALL, CONE, QUAD = range(4)
NEAR = 0.03  # metres
SHADOW_SIZE = 512  # texels per side of the shadow map
# Columns of Scene.faces. For flat faces uv is affine in the world point; for round ones U, V hold scale and offset.
U, V, NORMAL, TEXTURE, DENSITY, TINT, RECOLOUR, EMIT, GLOSS, ROUND = 0, 4, 8, 11, 12, 13, 16, 17, 18, 19
NUM_COLUMNS = 20


@dataclass
class Light:
    """A lamp or a window. normal None: shines everywhere, else as a flat area facing that way. size in metres."""

    position: np.ndarray
    colour: np.ndarray
    size: float = 0.3
    normal: np.ndarray | None = None


@dataclass
class Scene:
    """A place made of P primitives, packed in arrays; poses given to `render` are relative to its photo camera.

    kind (P,); axes (P, 3, 3) rows are the local axes in the world; centre, half (P, 3) metres; ends (P, 2) relative
    bottom and top radius of cones; cutout (P,) texture whose alpha shapes a quad, or -1; faces (4 P, 20) one row per
    primitive and face axis; camera (4, 4) photo camera to world; fov_degrees across the long side.
    """

    family: str
    seed: int
    bank: TextureBank
    kind: np.ndarray
    axes: np.ndarray
    centre: np.ndarray
    half: np.ndarray
    ends: np.ndarray
    cutout: np.ndarray
    casts: np.ndarray
    faces: np.ndarray
    camera: np.ndarray
    fov_degrees: float
    key_position: np.ndarray  # far away for the sun
    key_colour: np.ndarray
    key_reach: float  # metres around key_target that the shadow map covers
    key_target: np.ndarray
    sky_light: np.ndarray  # ambient light from above and below
    ground_light: np.ndarray
    close_up: bool = False  # things at arm's length: the camera may come near
    steepest: float = 15.0  # degrees that the photographer may look up
    lights: list = field(default_factory=list)
    sky_texture: int = -1  # -1: closed room, rays that miss everything are black
    sky_turn: float = 0.0
    sky_gain: float = 1.0
    haze: float = np.inf  # metres at which 63 % of the colour is haze
    mirror_height: float | None = None  # height of the reflecting plane (water, polished floor)
    exposure: float = 1.0
    white_balance: np.ndarray = field(default_factory=lambda: np.ones(3, np.float32))
    contrast: float = 0.0
    vignette: float = 0.0
    focus: float = 0.0  # metres
    blur: float = 0.0  # blur radius at infinity as a share of the width; 0 = everything sharp

    def __post_init__(self):
        self._shadow = None


def _dot(a, b):
    """Row-wise dot product of (N, 3) arrays; einsum, because numpy's own sum over an axis of three is slow."""
    return np.einsum("ij,ij->i", a, b)


def _outer(row, xs, ys):
    return (row[0] * xs)[None] + (row[1] * ys + row[2])[:, None]


def _rectangles(scene, origin, to_pixel, height, width):
    """Bounding rectangle of each primitive on the screen: (P, 4) int x0, x1, y0, y1; empty where it is not seen."""
    signs = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)], np.float32)
    corners = scene.centre[:, None] + (signs[None] * scene.half[:, None]) @ scene.axes
    q = (corners - origin) @ to_pixel.T
    z = q[..., 2]
    front = z > NEAR
    x, y = q[..., 0] / np.maximum(z, NEAR), q[..., 1] / np.maximum(z, NEAR)
    x0, x1 = np.where(front, x, np.inf).min(1), np.where(front, x, -np.inf).max(1)
    y0, y1 = np.where(front, y, np.inf).min(1), np.where(front, y, -np.inf).max(1)
    for p in np.nonzero(front.any(1) & ~front.all(1))[0]:  # cut by the near plane: add where its edges cross it
        a, b = q[p][~front[p]][:, None], q[p][front[p]][None]
        k = (NEAR - a[..., 2]) / (b[..., 2] - a[..., 2])
        cut = (a + (b - a) * k[..., None])[..., :2].reshape(-1, 2) / NEAR
        x0[p], x1[p] = min(x0[p], cut[:, 0].min()), max(x1[p], cut[:, 0].max())
        y0[p], y1[p] = min(y0[p], cut[:, 1].min()), max(y1[p], cut[:, 1].max())
    edges = np.stack([np.clip(x0 - 1, 0, width), np.clip(x1 + 2, 0, width)], 1)
    edges = np.concatenate([edges, np.clip(y0 - 1, 0, height)[:, None], np.clip(y1 + 2, 0, height)[:, None]], 1)
    return np.where(front.any(1)[:, None], edges, 0).astype(np.int64)


def trace(scene, origin, rays, height, width, offset=0.5, chosen=None):
    """Nearest hit per sample -> z (h, w) float32, inf where nothing is hit; face (h, w) int32 = 4 p + face axis, or -1.

    rays: (3, 3) world direction of a sample is rays @ (x, y, 1), with unit z-depth. chosen: primitives to draw.
    """
    z = np.full((height, width), np.inf, np.float32)
    face = np.full((height, width), -1, np.int32)
    xs = np.arange(width, dtype=np.float32) + offset
    ys = np.arange(height, dtype=np.float32) + offset
    boxes = _rectangles(scene, origin, np.linalg.inv(rays), height, width)
    local_o = np.einsum("pij,pj->pi", scene.axes, (origin - scene.centre)).astype(np.float32)
    local_d = (scene.axes @ rays).astype(np.float32)
    focal = 1 / max(np.linalg.norm(rays[:, 0]), 1e-9)
    seen = np.nonzero((boxes[:, 1] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 2]))[0]
    if chosen is not None:
        seen = seen[chosen[seen]]
    for p in seen:
        x0, x1, y0, y1 = boxes[p]
        X, Y, kind = xs[x0:x1], ys[y0:y1], scene.kind[p]
        o, D, h = local_o[p], local_d[p], scene.half[p]
        nearest = z[y0:y1, x0:x1]
        if kind == QUAD:
            t = -o[2] / _outer(D[2], X, Y)
            u, v = o[0] + t * _outer(D[0], X, Y), o[1] + t * _outer(D[1], X, Y)
            hit = (np.abs(u) <= h[0]) & (np.abs(v) <= h[1]) & (t > NEAR) & (t < nearest)
            if scene.cutout[p] >= 0 and hit.any():
                mips = scene.bank.alpha[int(scene.cutout[p])]
                texel = max(abs(o[2]), np.linalg.norm(o) * 0.5) / focal / (2 * h[0]) * SIZE
                shape = mips[int(np.clip(np.log2(max(texel, 1)), 0, LEVELS - 3))]
                n = len(shape)
                iu = np.clip((u / h[0] + 1) * (n / 2), 0, n - 1).astype(np.int64)
                iv = np.clip((1 - v / h[1]) * (n / 2), 0, n - 1).astype(np.int64)
                hit &= shape[iv, iu]
            axis = 2
        elif kind == BOX:
            enter, leave = [], []
            for i in range(3):
                inv = 1 / _outer(D[i], X, Y)
                m, k = inv * -o[i], np.abs(inv) * h[i]
                enter.append(m - k)
                leave.append(m + k)
            t = np.maximum(np.maximum(enter[0], enter[1]), enter[2])
            far = np.minimum(np.minimum(leave[0], leave[1]), leave[2])
            hit = (t < far) & (t > NEAR) & (t < nearest)
            axis = np.where(t == enter[0], 0, np.where(t == enter[1], 1, 2))
        elif kind == BALL:
            o, D = o / h, D / h[:, None]
            dx, dy, dz = _outer(D[0], X, Y), _outer(D[1], X, Y), _outer(D[2], X, Y)
            a = dx * dx + dy * dy + dz * dz
            b = o[0] * dx + o[1] * dy + o[2] * dz
            disc = b * b - a * (o @ o - 1)
            t = (-b - np.sqrt(np.maximum(disc, 0))) / a
            hit = (disc > 0) & (t > NEAR) & (t < nearest)
            axis = 0
        else:
            o, D = o / h, D / h[:, None]
            m, n = scene.ends[p].sum() / 2, (scene.ends[p, 1] - scene.ends[p, 0]) / 2
            dx, dy, dz = _outer(D[0], X, Y), _outer(D[1], X, Y), _outer(D[2], X, Y)
            a = dx * dx + dz * dz - n * n * dy * dy
            b = o[0] * dx + o[2] * dz - n * (m + n * o[1]) * dy
            disc = b * b - a * (o[0] ** 2 + o[2] ** 2 - (m + n * o[1]) ** 2)
            root = np.sqrt(np.maximum(disc, 0))
            t = np.full_like(a, np.inf)
            for r in ((-b - root) / a, (-b + root) / a):
                ok = (disc > 0) & (np.abs(o[1] + r * dy) <= 1) & (r > NEAR) & (r < t)
                t = np.where(ok, r, t)
            axis = 0
            if abs(o[1]) > 1:
                side = 1 if o[1] > 0 else -1
                r = (side - o[1]) / dy
                ok = ((o[0] + r * dx) ** 2 + (o[2] + r * dz) ** 2 <= (m + n * side) ** 2) & (r > NEAR) & (r < t)
                t = np.where(ok, r, t)
                axis = ok.astype(np.int32)
            hit = t < nearest
        np.copyto(nearest, t, where=hit, casting="same_kind")
        np.copyto(face[y0:y1, x0:x1], np.asarray(4 * p + axis, np.int32), where=hit)
    return z, face


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
    if scene._shadow is None:
        forward = scene.key_target - scene.key_position
        distance = np.linalg.norm(forward)
        forward = forward / distance
        side = np.cross(forward, [0.3, 0.1, 1.0] if abs(forward[1]) > 0.9 else [0, 1.0, 0])
        side /= np.linalg.norm(side)
        k = 2 * scene.key_reach / distance / SHADOW_SIZE
        rays = np.stack([side * k, np.cross(forward, side) * k], 1)
        rays = np.concatenate([rays, (forward - rays.sum(1) * SHADOW_SIZE / 2)[:, None]], 1)
        z, _ = trace(scene, scene.key_position, rays, SHADOW_SIZE, SHADOW_SIZE, chosen=scene.casts)
        scene._shadow = z, np.linalg.inv(rays).astype(np.float32), 2 * scene.key_reach / SHADOW_SIZE
    return scene._shadow


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


def _occlusion(z):
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


def _shade(scene, origin, rays, x, y, z, face, occlusion, pixel):
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
    facing = -_dot(normal, direction) / length
    normal *= np.where(facing < 0, -1, 1)[:, None].astype(np.float32)
    facing = np.abs(facing)
    texture = F[TEXTURE].astype(np.int64)
    footprint = z * pixel / np.sqrt(np.maximum(facing, 0.08)) * F[DENSITY]
    albedo = fetch(scene.bank, texture, u, v, footprint)
    # recoloured materials keep the pattern of the texture and take the colour of the tint
    grey = (albedo @ np.full(3, 1 / 3, np.float32)) / scene.bank.grey[texture]
    albedo = (albedo + (grey[:, None] - albedo) * F[RECOLOUR][:, None]) * F[TINT : TINT + 3].T
    up = normal[:, 1:2]
    light = (scene.sky_light * (0.5 + 0.5 * up) + scene.ground_light * (0.5 - 0.5 * up)) * occlusion[:, None]
    to_key = scene.key_position.astype(np.float32) - point
    to_key /= np.sqrt(_dot(to_key, to_key))[:, None]
    shine = np.maximum(_dot(normal, to_key), 0) * _lit(scene, point, normal)
    light = light + shine[:, None] * scene.key_colour
    for lamp in scene.lights:
        to_lamp = lamp.position - point
        square = _dot(to_lamp, to_lamp)
        distance = np.sqrt(square)
        amount = np.maximum(_dot(normal, to_lamp) / distance * 0.85 + 0.15, 0) / (square + lamp.size**2)
        if lamp.normal is not None:
            amount = amount * np.maximum(-(to_lamp @ lamp.normal) / distance, 0.05)
        light = light + (amount * (0.4 + 0.6 * occlusion))[:, None] * lamp.colour
    colour = albedo * light + albedo * F[EMIT][:, None]
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


def _sky(scene, direction):
    if scene.sky_texture < 0:
        return np.zeros_like(direction)
    u = np.arctan2(direction[:, 0], direction[:, 2]) / np.pi + scene.sky_turn
    v = 1 - np.arcsin(np.clip(direction[:, 1], 0.01, 1)) / (np.pi / 2)
    texture = np.full(len(u), scene.sky_texture, np.int64)
    return fetch(scene.bank, texture, u, v, np.full(len(u), 2 / SIZE)) * scene.sky_gain


def radiance(scene, c2w, K, height, width):
    """Linear colour (h, w, 3), z-depth (h, w) with inf for the sky; c2w in the world of the scene."""
    origin, rays = c2w[:3, 3], c2w[:3, :3] @ np.linalg.inv(K)
    half_rays = rays @ np.diag([0.5, 0.5, 1.0])
    z2, face2 = trace(scene, origin, half_rays, 2 * height, 2 * width)
    corner = [(slice(i, None, 2), slice(j, None, 2)) for i in (0, 1) for j in (0, 1)]
    za, zb, zc, zd = (z2[c] for c in corner)
    fa, fb, fc, fd = (face2[c] for c in corner)
    plain = (fa == fb) & (fa == fc) & (fa == fd)
    # 1/z of a plane is linear on the screen, so the mean of the four samples is exact at the pixel centre;
    # where faces meet, the second nearest sample is the depth that covers at least half of the pixel
    centre_z = 4 / (1 / za + 1 / zb + 1 / zc + 1 / zd)
    second = np.minimum(
        np.maximum(np.minimum(za, zb), np.minimum(zc, zd)), np.minimum(np.maximum(za, zb), np.maximum(zc, zd))
    )
    z = np.where(plain, centre_z, second).astype(np.float32)
    occlusion = _occlusion(z)
    iy, ix = np.nonzero(plain)
    ey, ex = np.nonzero(~plain)
    dx, dy = np.array([0.25, 0.75, 0.25, 0.75], np.float32), np.array([0.25, 0.25, 0.75, 0.75], np.float32)
    x = np.concatenate([ix + 0.5, (ex[:, None] + dx).reshape(-1)]).astype(np.float32)
    y = np.concatenate([iy + 0.5, (ey[:, None] + dy).reshape(-1)]).astype(np.float32)
    depth = np.concatenate([centre_z[iy, ix], np.stack([q[ey, ex] for q in (za, zb, zc, zd)], 1).reshape(-1)])
    face = np.concatenate([fa[iy, ix], np.stack([q[ey, ex] for q in (fa, fb, fc, fd)], 1).reshape(-1)])
    shaded = np.concatenate([occlusion[iy, ix], np.repeat(occlusion[ey, ex], 4)])
    pixel = float(np.linalg.norm(rays[:, 0]))
    colour = np.minimum(_shade(scene, origin, rays, x, y, depth, face, shaded, pixel), 8 / scene.exposure)
    image = np.empty((height, width, 3), np.float32)
    image[iy, ix] = colour[: len(iy)]
    image[ey, ex] = colour[len(iy) :].reshape(-1, 4, 3).mean(1)
    if scene.mirror_height is not None:
        _add_reflection(scene, image, z, origin, rays, height, width, pixel)
    return image, z


def _add_reflection(scene, image, z, origin, rays, height, width, pixel):
    """Mix in what the horizontal mirror shows: the same pixels, seen by a camera below it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
    direction = np.stack([x, y, np.ones_like(x)], -1) @ rays.T.astype(np.float32)
    level = origin[1] + direction[..., 1] * np.where(np.isfinite(z), z, 0) - scene.mirror_height
    wet = (np.abs(level) < 0.015) & (direction[..., 1] < 0) & np.isfinite(z)
    if not wet.any():
        return
    flip = np.diag([1.0, -1.0, 1.0])
    below, mirrored = origin * [1, -1, 1] + [0, 2 * scene.mirror_height, 0], flip @ rays
    above = scene.centre[:, 1] + np.abs(scene.axes[:, :, 1] * scene.half).sum(1) > scene.mirror_height + 0.03
    z_mirror, face = trace(scene, below, mirrored, height, width, chosen=above)
    iy, ix = np.nonzero(wet)
    ones = np.ones(len(iy), np.float32)
    seen = _shade(scene, below, mirrored, x[iy, ix], y[iy, ix], z_mirror[iy, ix], face[iy, ix], ones, pixel)
    steep = np.abs(direction[iy, ix, 1]) / np.sqrt((direction[iy, ix] ** 2).sum(-1))
    share = (0.12 + 0.75 * (1 - steep) ** 4)[:, None]
    image[iy, ix] = image[iy, ix] * (1 - share) + np.minimum(seen, 8 / scene.exposure) * share


def _defocus(scene, image, z):
    """Depth of field: colour gathered from what is at least as blurred, so that sharp objects do not bleed."""
    width = image.shape[1]
    inverse = np.where(np.isfinite(z), 1 / z, 0)
    radius = scene.blur * width * np.abs(1 - scene.focus * inverse)
    radius = np.minimum(radius, 0.03 * width)
    colour = torch.from_numpy(image).permute(2, 0, 1)[None]
    amount = torch.from_numpy(radius.astype(np.float32))[None, None]
    out, box = colour, torch.nn.functional.avg_pool2d
    for r in (1, 2, 4, 7):
        weight = (amount / r).clamp(0.02, 1) ** 2
        stacked = torch.cat([colour * weight, weight], 1)
        for _ in range(2):
            stacked = box(stacked, 2 * (r // 2) + 1 if r > 1 else 3, 1, r // 2 if r > 1 else 1, count_include_pad=False)
        k = ((amount - 0.6 * r) / (0.4 * r)).clamp(0, 1)
        out = out * (1 - k) + stacked[:, :3] / stacked[:, 3:] * k
    return out[0].permute(1, 2, 0).numpy()


def develop(scene, image, z):
    """Linear colour -> what a camera would store, (h, w, 3) in 0..1: defocus, exposure, white balance, tone curve."""
    if scene.blur > 0:
        image = _defocus(scene, image, z)
    image = image * (scene.exposure * scene.white_balance)
    if scene.vignette > 0:
        h, w = z.shape
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        square = ((x + 0.5) / w * 2 - 1) ** 2 + ((y + 0.5) / h * 2 - 1) ** 2
        image = image * (1 - scene.vignette * square * 0.5)[..., None]
    image = image * (1 + image * 0.25) / (1 + image)  # bright windows roll off instead of clipping
    image = np.sqrt(np.clip(image * 1.15, 0, 1))
    return np.clip(image + scene.contrast * (image - 0.5) * image * (1 - image) * 4, 0, 1)


def render(scene, camera, c2w=None, height=None, width=None):
    """One view of a scene -> rgb (3, h, w) float32 0..1, depth (h, w) float32 metres with 0 = sky, sky (h, w) bool.

    camera: a Camera whose pose is relative to the photo camera of the scene (identity = the photo), or K (3, 3) in
    pixels with c2w (4, 4), height and width beside it. Depth is z-depth at the pixel centre.
    """
    if c2w is None:
        K, c2w, height, width = camera.K, camera.c2w, camera.height, camera.width
    else:
        K = camera
    K, c2w = np.asarray(K, np.float64), scene.camera @ np.asarray(c2w, np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        image, z = radiance(scene, c2w, K, height, width)
        rgb = develop(scene, image, z)
    sky = ~np.isfinite(z)
    depth = np.where(sky, 0, z).astype(np.float32)
    rgb = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1), np.float32))
    return rgb, torch.from_numpy(depth), torch.from_numpy(sky)

"""Which primitive is nearest along every ray of a view: exact z-depth and face.

numpy, not torch: the work is thousands of small array operations inside the screen rectangles of single primitives,
where numpy's overhead per call is several times lower.
"""

import numpy as np

from pipelines.synthetic.materials.bank import LEVELS
from pipelines.synthetic.materials.drawing import SIZE
from pipelines.synthetic.scene import BALL, BOX, QUAD

NEAR = 0.03  # metres


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
        nearest = z[y0:y1, x0:x1]
        rectangle = local_o[p], local_d[p], xs[x0:x1], ys[y0:y1], nearest
        if scene.kind[p] == QUAD:
            t, hit, axis = _hit_quad(scene, p, *rectangle, focal)
        elif scene.kind[p] == BOX:
            t, hit, axis = _hit_box(scene.half[p], *rectangle)
        elif scene.kind[p] == BALL:
            t, hit, axis = _hit_ball(scene.half[p], *rectangle)
        else:
            t, hit, axis = _hit_cone(scene.half[p], scene.ends[p], *rectangle)
        np.copyto(nearest, t, where=hit, casting="same_kind")
        np.copyto(face[y0:y1, x0:x1], np.asarray(4 * p + axis, np.int32), where=hit)
    return z, face


# One primitive: o (3,) origin and D (3, 3) rays in its local axes, X (w,) and Y (h,) samples of its rectangle, nearest
# (h, w) depth of what is before it -> t (h, w) depth of the surface, hit (h, w) bool, axis of the face.


def _hit_quad(scene, p, o, D, X, Y, nearest, focal):
    h = scene.half[p]
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
    return t, hit, 2


def _hit_box(h, o, D, X, Y, nearest):
    enter, leave = [], []
    for i in range(3):
        inv = 1 / _outer(D[i], X, Y)
        m, k = inv * -o[i], np.abs(inv) * h[i]
        enter.append(m - k)
        leave.append(m + k)
    t = np.maximum(np.maximum(enter[0], enter[1]), enter[2])
    far = np.minimum(np.minimum(leave[0], leave[1]), leave[2])
    hit = (t < far) & (t > NEAR) & (t < nearest)
    return t, hit, np.where(t == enter[0], 0, np.where(t == enter[1], 1, 2))


def _hit_ball(h, o, D, X, Y, nearest):
    o, D = o / h, D / h[:, None]
    dx, dy, dz = _outer(D[0], X, Y), _outer(D[1], X, Y), _outer(D[2], X, Y)
    a = dx * dx + dy * dy + dz * dz
    b = o[0] * dx + o[1] * dy + o[2] * dz
    disc = b * b - a * (o @ o - 1)
    t = (-b - np.sqrt(np.maximum(disc, 0))) / a
    return t, (disc > 0) & (t > NEAR) & (t < nearest), 0


def _hit_cone(h, ends, o, D, X, Y, nearest):
    """The mantle, from outside or from within, and the cap on the viewer's side. ends: radii below and above."""
    o, D = o / h, D / h[:, None]
    m, n = ends.sum() / 2, (ends[1] - ends[0]) / 2
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
    return t, t < nearest, axis


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

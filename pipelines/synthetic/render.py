"""Views of a scene: colour, exact z-depth and sky mask, on one CPU core. World axes: metres, +y up.

Per view: geometry at 2x2 samples per pixel (tracing.py); ambient occlusion from the depth image; then colour
(shading.py) once per pixel inside a face and at all four samples where a pixel sees several faces, which is where
supersampling matters; last what a camera makes of it (developing.py).
"""

import numpy as np
import torch

from pipelines.synthetic.developing import develop
from pipelines.synthetic.shading import ambient_occlusion, shade
from pipelines.synthetic.tracing import trace


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
    occlusion = ambient_occlusion(z)
    iy, ix = np.nonzero(plain)
    ey, ex = np.nonzero(~plain)
    dx, dy = np.array([0.25, 0.75, 0.25, 0.75], np.float32), np.array([0.25, 0.25, 0.75, 0.75], np.float32)
    x = np.concatenate([ix + 0.5, (ex[:, None] + dx).reshape(-1)]).astype(np.float32)
    y = np.concatenate([iy + 0.5, (ey[:, None] + dy).reshape(-1)]).astype(np.float32)
    depth = np.concatenate([centre_z[iy, ix], np.stack([q[ey, ex] for q in (za, zb, zc, zd)], 1).reshape(-1)])
    face = np.concatenate([fa[iy, ix], np.stack([q[ey, ex] for q in (fa, fb, fc, fd)], 1).reshape(-1)])
    shaded = np.concatenate([occlusion[iy, ix], np.repeat(occlusion[ey, ex], 4)])
    pixel = float(np.linalg.norm(rays[:, 0]))
    colour = np.minimum(shade(scene, origin, rays, x, y, depth, face, shaded, pixel), 8 / scene.exposure)
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
    seen = shade(scene, below, mirrored, x[iy, ix], y[iy, ix], z_mirror[iy, ix], face[iy, ix], ones, pixel)
    steep = np.abs(direction[iy, ix, 1]) / np.sqrt((direction[iy, ix] ** 2).sum(-1))
    share = (0.12 + 0.75 * (1 - steep) ** 4)[:, None]
    image[iy, ix] = image[iy, ix] * (1 - share) + np.minimum(seen, 8 / scene.exposure) * share

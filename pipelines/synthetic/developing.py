"""From linear colour to what a camera would store: depth of field, exposure, white balance, tone curve."""

import numpy as np
import torch


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

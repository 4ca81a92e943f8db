"""A look at the depth network while it learns."""

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pipelines.depth.embedded import DepthNet
from pipelines.evaluation.depth_sheet import inverse_picture
from pipelines.pictures import save_picture
from pipelines.training.depth_loss import FAR, NEAR
from pipelines.training.depth_views import SIZES


@torch.no_grad()
def sheet(net: DepthNet, file: Path, rgb: Tensor, depth: Tensor, photos: list[Path]):
    """A contact sheet: training or held-out pictures (picture | estimate | truth), then photos (picture | estimate)."""
    net.eval()
    tiles = []
    for picture, truth in zip(rgb, depth, strict=True):
        output = net(picture[None])
        size = picture.shape[2] // 2, picture.shape[1] // 2
        small = Image.fromarray((picture.permute(1, 2, 0) * 255).byte().numpy()).resize(size)
        far = torch.where(truth > 0, truth, truth.max() * 5).clamp(NEAR, FAR)
        tiles.append(
            [np.array(small), inverse_picture(output.log_depth[0].exp().numpy()), inverse_picture(far.numpy())]
        )
    for photo in photos:
        picture = Image.open(photo).convert("RGB")
        aspect = picture.width / picture.height
        size = min(SIZES, key=lambda s: abs(math.log(aspect * s[0] / s[1])))
        array = torch.from_numpy(np.array(picture.resize(size[::-1], Image.Resampling.BOX))).permute(2, 0, 1)
        output = net(array[None].float() / 255)
        estimate = output.log_depth[0].masked_fill(output.sky_logits[0] > 0, 6.0).exp().numpy()
        tiles.append([np.array(picture.resize((size[1] // 2, size[0] // 2))), inverse_picture(estimate)])
    net.train()
    columns = 3
    cell_h, cell_w = 130, 3 * 164
    canvas = np.zeros((math.ceil(len(tiles) / columns) * cell_h, columns * cell_w, 3), np.uint8)
    for i, row in enumerate(tiles):
        top, left = i // columns * cell_h, i % columns * cell_w
        for tile in row:
            canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile[:cell_h]
            left += tile.shape[1] + 4
    save_picture(Image.fromarray(canvas), file)

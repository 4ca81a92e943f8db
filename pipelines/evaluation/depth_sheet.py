"""Depth to look at: a sheet of photos, their depth maps, and what the depth does when the camera moves."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pipelines.depth import DepthEstimator
from pipelines.pictures import save_picture

GREY = (30, 30, 30)


def colour_map(value: np.ndarray) -> np.ndarray:
    """value (h, w) in [0, 1] -> RGB uint8, dark blue far to yellow near."""
    anchors = np.array([[10, 10, 60], [70, 20, 130], [190, 50, 110], [250, 130, 50], [255, 245, 140]], float)
    position = np.clip(value, 0, 1) * (len(anchors) - 1)
    low = np.minimum(position.astype(int), len(anchors) - 2)
    return (anchors[low] + (anchors[low + 1] - anchors[low]) * (position - low)[..., None]).astype(np.uint8)


def inverse_picture(depth: np.ndarray) -> np.ndarray:
    """depth (h, w) -> RGB uint8 of the inverse depth, stretched between its 2nd and 98th percentile."""
    low, high = np.percentile(1 / depth, [2, 98])
    return colour_map((1 / depth - low) / max(high - low, 1e-9))


def slid(image: np.ndarray, depth: np.ndarray, share: float) -> np.ndarray:
    """The photo from a camera moved sideways; near things move by `share` of the width, what was hidden is green.

    image (h, w, 3) uint8, depth (h, w). A nearest-pixel warp with a depth test: errors of depth are not smoothed over.
    """
    height, width = depth.shape
    inverse = 1 / depth
    shift = share * width * inverse / np.percentile(inverse, 95)
    rows, columns = np.mgrid[:height, :width]
    out = np.full_like(image, (0, 255, 0))
    order = np.argsort(inverse, axis=None, kind="stable")  # far first, near paints over
    rows, columns, shift = (a.ravel()[order] for a in (rows, columns, shift))
    for half in (0.0, 0.5):  # twice, half a pixel apart: closes the cracks that stretching opens
        target = np.floor(columns - shift + shift.mean() + half).astype(int)
        inside = (target >= 0) & (target < width)
        out[rows[inside], target[inside]] = image[rows[inside], columns[inside]]
    return out


def top_view(image: np.ndarray, depth: np.ndarray, K: np.ndarray, size: int) -> np.ndarray:
    """Seen from above, camera at the bottom centre: (size, size, 3). Straight walls must be straight lines."""
    height, width = depth.shape
    x = (np.arange(width) + 0.5 - K[0, 2])[None] / K[0, 0] * depth
    reach = np.percentile(depth[depth < 4 * np.median(depth)], 97) * 1.1  # the sky is left out
    row = size - 1 - (depth / reach * size).astype(int)
    column = (size / 2 + x / reach * size * 0.7).astype(int)
    inside = (row >= 0) & (column >= 0) & (column < size)
    out = np.zeros((size, size, 3), np.uint8)
    out[row[inside], column[inside]] = image[inside]
    return out


def photo_sheet(
    estimator: DepthEstimator,
    photos: list[Path],
    file: Path,
    columns: int = 2,
    maps_only: bool = False,
    cell: int = 200,
):
    """Four tiles for each photo: photo | inverse depth | camera slid sideways | from above; or inverse depth alone.

    cell: height of a tile in pixels; it is at most 1.6 times as wide.
    """
    wide = int(1.6 * cell)
    rows = []
    for photo in photos:
        picture = Image.open(photo).convert("RGB")
        image = np.array(picture)
        height, width = image.shape[:2]
        K = np.array([[0.8 * max(height, width), 0, width / 2], [0, 0.8 * max(height, width), height / 2], [0, 0, 1.0]])
        depth, _ = estimator(image, K)
        ratio = min(cell / height, wide / width)
        small = round(height * ratio), round(width * ratio)
        pick = np.ix_(*(((np.arange(n) + 0.5) / n * m).astype(int) for n, m in zip(small, depth.shape, strict=True)))
        tiles = [inverse_picture(depth[pick])]
        if not maps_only:
            thumb, slide = np.array(picture.resize(small[::-1])), slid(image, depth, 0.06)[pick]
            tiles = [thumb, *tiles, slide, top_view(image, depth, K, cell)]
        row = Image.new("RGB", (wide * min(3, len(tiles)) + cell * (len(tiles) > 3) + 4 * len(tiles), cell + 4), GREY)
        for i, tile in enumerate(tiles):
            row.paste(Image.fromarray(tile), (i * (wide + 4), 0))
        ImageDraw.Draw(row).text((4, cell - 12), photo.stem, fill=(255, 255, 255))
        rows.append(row)
    lines = -(-len(rows) // columns)
    sheet = Image.new("RGB", (rows[0].width * columns, rows[0].height * lines), GREY)
    for i, row in enumerate(rows):
        sheet.paste(row, (i // lines * row.width, i % lines * row.height))
    save_picture(sheet, file)

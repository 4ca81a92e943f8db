"""A contact sheet: one row of pictures per photo, for people to judge what figures cannot."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pipelines.pictures import save_picture

TILE = 240  # pixels, the longer side
GAP = 4
LINE = 14  # height of a label


def write_sheet(rows: list[tuple[str, list[np.ndarray]]], columns: list[str], path: Path) -> None:
    """rows: (label, pictures (H, W, 3) uint8); columns: one label per picture of a row. The PNG is written
    atomically."""
    cells = [(label, [tile(picture) for picture in pictures]) for label, pictures in rows]
    width = max(picture.width for _, pictures in cells for picture in pictures) + GAP
    heights = [max(picture.height for picture in pictures) + LINE + GAP for _, pictures in cells]
    sheet = Image.new("RGB", (width * len(columns), LINE + sum(heights)), (24, 24, 24))
    draw = ImageDraw.Draw(sheet)
    for index, label in enumerate(columns):
        draw.text((index * width + 2, 1), label, fill=(255, 255, 255))
    top = LINE
    for (label, pictures), height in zip(cells, heights, strict=True):
        draw.text((2, top + 1), label, fill=(200, 200, 200))
        for index, picture in enumerate(pictures):
            sheet.paste(picture, (index * width, top + LINE))
        top += height
    save_picture(sheet, path)


def tile(picture: np.ndarray) -> Image.Image:
    """picture (H, W, 3) uint8, reduced so that its longer side is TILE pixels at most."""
    image = Image.fromarray(picture)
    image.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
    return image

"""How large a clip is: formats, qualities, and the pixels of each for the embedded and for large models."""

import math
from fractions import Fraction

from pipelines.media.photos import MAX_SIDE

QUALITIES = ("draft", "standard", "full")
RATIOS = ("photo", "16:9", "9:16", "1:1", "4:5")

# (height, width) of the clip. The large sizes are those the ad platforms ask for.
SIZES = {
    ("16:9", "draft"): (288, 512),
    ("16:9", "standard"): (720, 1280),
    ("16:9", "full"): (1080, 1920),
    ("9:16", "draft"): (512, 288),
    ("9:16", "standard"): (1280, 720),
    ("9:16", "full"): (1920, 1080),
    ("1:1", "draft"): (384, 384),
    ("1:1", "standard"): (960, 960),
    ("1:1", "full"): (1080, 1080),
    ("4:5", "draft"): (480, 384),
    ("4:5", "standard"): (1040, 832),
    ("4:5", "full"): (1350, 1080),
}
AREA = {"draft": 288 * 512, "standard": 720 * 1280, "full": 1080 * 1920}
GRID = 2  # pixels: video files want even sides
MAX_PARTS = 24  # the photo's own ratio as a fraction of at most this denominator
SAME_SHAPE = 0.03  # of a ratio: what is cut off to have a large model's own size
SHAPE_WEIGHT = 20  # one percent of another shape is as bad as 20 percent less area


def clip_size(ratio: str, quality: str, photo_size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of the embedded model's clip. photo_size: (height, width), used for the ratio "photo" only.

    Every quality has exactly the same shape, so that the cameras of the preview are those of the render.
    """
    if ratio != "photo":
        return SIZES[ratio, quality]
    for parts in range(MAX_PARTS, 0, -1):
        shape = Fraction(*photo_size).limit_denominator(parts)
        if shape.numerator * shape.denominator * GRID**2 <= AREA["draft"]:
            break
    rows, columns = shape.numerator, shape.denominator
    step = min(math.sqrt(AREA[quality] / (rows * columns)), MAX_SIDE / max(rows, columns))
    step = max(int(step / GRID) * GRID, GRID)
    return rows * step, columns * step


def large_size(
    ratio: str, quality: str, photo_size: tuple[int, int], own: tuple[int, int], grid: int
) -> tuple[int, int]:
    """(height, width) of a large model's clip, multiples of `grid`. own: (height, width) of its landscape training
    clips.

    A clip of nearly that shape, lying or upright, has that size; of another shape it is as large in area. A draft is
    small, and as near to the shape as the grid allows: the preview then shows up to 2 % more or less at two rims.
    """
    columns, rows = photo_size[::-1] if ratio == "photo" else map(int, ratio.split(":"))
    height, width = min(own, own[::-1], key=lambda size: abs(math.log(size[0] * columns / (size[1] * rows))))
    if abs(math.log(height * columns / (width * rows))) > SAME_SHAPE:
        height, width = near_shape(rows / columns, own[0] * own[1], grid)
    return near_shape(height / width, AREA["draft"], grid) if quality == "draft" else (height, width)


def near_shape(shape: float, area: int, grid: int) -> tuple[int, int]:
    """The (height, width), multiples of `grid`, nearly in the shape height / width and large, but within `area`."""
    cells, side = area // grid**2, MAX_SIDE // grid
    sizes = [(rows, math.floor(rows / shape) + more) for rows in range(2, side + 1) for more in (0, 1)]
    sizes = [(rows, columns) for rows, columns in sizes if 2 <= columns <= side and rows * columns <= cells]

    def loss(size: tuple[int, int]) -> float:
        return SHAPE_WEIGHT * abs(math.log(size[0] / size[1] / shape)) - math.log(size[0] * size[1])

    rows, columns = min(sizes, key=loss)
    return rows * grid, columns * grid


def qualities(own: tuple[int, int] | None) -> tuple[str, ...]:
    """The qualities of a model: its own size is the best it has. own: see `large_size`, None for the embedded one."""
    return QUALITIES if own is None else QUALITIES[:2]

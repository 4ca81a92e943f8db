"""What is straight in a photo stays straight in its clips, and what is written there can be read."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from pipelines import Camera, move
from pipelines.depth.refine import refine_depth

HEIGHT, WIDTH, FINE = 216, 384, 4  # drawn four times as fine
SHEET = (70, 40, 314, 150)  # left, top, right, bottom
UPRIGHT, LEVEL = (90, 122, 262, 294), (52, 138)  # lines on it, between their ends below
ENDS = {"upright": (64, 126), "level": (132, 252)}
WORD = (128, 70, 256, 112)
Place = Callable[[float, float], tuple[float, float]]  # x, y of something in the photo -> in a frame


@pytest.fixture(scope="module")
def sign() -> np.ndarray:
    """A sheet on a wall, with lines across and down, and a word: (H, W, 3) uint8."""
    image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), (196, 186, 170))
    draw = ImageDraw.Draw(image)

    def corners(*points):
        return [(x * FINE, y * FINE) for x, y in points]

    draw.rectangle([0, 180 * FINE, WIDTH * FINE, HEIGHT * FINE], (96, 74, 52))  # a floor, so that it is a place
    draw.rectangle([FINE * side for side in SHEET], (246, 246, 243))
    for x in UPRIGHT:
        draw.line(corners((x, ENDS["upright"][0]), (x, ENDS["upright"][1])), (20, 20, 20), 2 * FINE)
    for y in LEVEL:
        draw.line(corners((ENDS["level"][0], y), (ENDS["level"][1], y)), (20, 20, 20), 2 * FINE)
    draw.text((192 * FINE, 91 * FINE), "MIRAGE", (20, 20, 20), ImageFont.load_default(30 * FINE), "mm")
    picture = np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)).astype(int)
    grain = np.random.default_rng(0).integers(-5, 6, (HEIGHT, WIDTH, 1))
    return (picture + grain).clip(0, 255).astype(np.uint8)


def course(frame: np.ndarray, start: tuple[float, float], length: int) -> np.ndarray:
    """Where a dark upright line is in every row: (length,) columns, followed to both sides of start (row, column)."""
    dark = np.maximum(200.0 - frame.astype(float).mean(axis=-1), 0)
    found = {}
    for step in (1, -1):
        column = start[1]
        for row in range(int(start[0]), int(start[0]) + step * (length // 2), step):
            near = np.arange(round(column) - 3, round(column) + 4)
            column = float((dark[row, near] * near).sum() / max(dark[row, near].sum(), 1e-6))
            found[row] = column
    return np.array([found[row] for row in sorted(found)])


def waver(columns: np.ndarray) -> float:
    """How far nine tenths of a course are from one straight line, at most, in pixels."""
    rows = np.arange(len(columns))
    return float(np.quantile(np.abs(columns - np.polyval(np.polyfit(rows, columns, 1), rows)), 0.9))


def wavers(frame: np.ndarray, shown: Place) -> list[float]:
    """Of all lines of the sign in a frame; shown: where they are, to begin there."""
    lines = []
    for across in UPRIGHT:
        x, y = shown(across, sum(ENDS["upright"]) / 2)
        lines.append(waver(course(frame, (y, x), 50)))
    for down in LEVEL:
        x, y = shown(sum(ENDS["level"]) / 2, down)
        lines.append(waver(course(frame.swapaxes(0, 1), (x, y), 100)))
    return lines


class DoubtfulDepth:
    """A DepthEstimator that sees the wall in waves, as a network might, and refines that as the shipped one does."""

    def __init__(self, planes: int):
        self.planes = planes

    def __call__(self, image, K):
        y, x = np.mgrid[: HEIGHT // 8, : WIDTH // 8]
        waves = 0.05 * np.sin(x / 2.5) * np.cos(y / 2.0)
        depth, is_sky = refine_depth(torch.from_numpy(waves).float(), image, planes=self.planes)
        return depth, ~is_sky


def seen(photo: Camera, frame: Camera, distance: float) -> Place:
    """Where a point of a wall at `distance` straight before the photo's camera is in a frame: (x, y) -> (x, y)."""

    def shown(x, y):
        point = np.linalg.inv(photo.K) @ [x, y, 1] * distance
        turned = np.linalg.inv(frame.c2w) @ [*point, 1]
        across, down, ahead = frame.K @ turned[:3]
        return across / ahead, down / ahead

    return shown


def word_likeness(photo: np.ndarray, frame: np.ndarray, shown: Place) -> float:
    """Correlation, at most 1, of the photo's word with what a frame shows of it, were the wall flat; within a pixel."""
    left, top, right, bottom = WORD
    x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    places = np.array([shown(*point) for point in zip(x.ravel(), y.ravel(), strict=True)]) - 0.5
    word, grey = photo[top:bottom, left:right].mean(axis=-1).ravel(), frame.mean(axis=-1)
    best = -1.0
    for dx in np.arange(-2, 2.5, 0.5):
        for dy in np.arange(-2, 2.5, 0.5):
            across, down = places[:, 0] + dx, places[:, 1] + dy
            c, r = np.floor(across).astype(int), np.floor(down).astype(int)
            u, v = across - c, down - r
            top_row = grey[r, c] * (1 - u) + grey[r, c + 1] * u
            low_row = grey[r + 1, c] * (1 - u) + grey[r + 1, c + 1] * u
            best = max(best, float(np.corrcoef(word, top_row * (1 - v) + low_row * v)[0, 1]))
    return best


@pytest.mark.parametrize("name", ["side-slide", "gentle-arc"])
def test_lines_stay_straight_and_words_readable_where_the_estimated_depth_wavers(pipe, sign, name):
    worst, likeness = {}, {}
    for planes in (8, 0):  # 0: nothing is straightened, so that the figures are seen to tell
        lifted = pipe.lift(Image.fromarray(sign), HEIGHT, WIDTH, estimator=DoubtfulDepth(planes))
        path = move(name, lifted.camera, distance=lifted.distance, frames=5)
        frame = pipe(lifted, path).frames[-1]
        shown = seen(lifted.camera, path[-1], float(np.median(lifted.depth)))
        worst[planes], likeness[planes] = max(wavers(frame, shown)), word_likeness(sign, frame, shown)
    assert worst[8] < 0.25 and worst[0] > 0.6
    assert likeness[8] > 0.95 and likeness[0] < 0.7

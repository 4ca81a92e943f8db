"""A map of a scene, for people: what its memory knows, from straight above, and the cameras that saw it.

The photo's camera stands in the map and looks up the page; down is its own +y, so a tilted photo gives a tilted map.
A ceiling would hide the room under it: what is above eye level shows only where nothing below it is known.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from pipelines.cameras import Camera, Trajectory, pixel_centers, unproject
from pipelines.memory import LatentMemory, Readout
from pipelines.memory.surfaces import SAME_SURFACE
from pipelines.memory.targets import Targets

FINE = 2  # everything is drawn this much larger and then reduced, which smooths points, lines and letters
WIDTH, MARGIN, HEADER, FOOTER = (FINE * pixels for pixels in (1200, 28, 84, 92))
ASPECT = 0.5, 0.9  # height over width of the map
OUTLIERS = 0.02  # share of samples that may lie beyond each side of the map
FARTHEST = 5  # times the distance of the subject; what is beyond that no move comes near
LONGEST = 60  # fine pixels between neighbouring samples of one surface that are still filled in
ENOUGH = 800  # samples along the long side of a view; of a larger one every second or third is drawn
GAP = 1.5  # fine pixels between the points drawn, each of which covers 2x2
PAPER, GRID, INK, FAINT = (250, 248, 243), (234, 230, 222), (36, 36, 40), (120, 116, 110)
SEEN, INVENTED, PATH = (214, 64, 10), (98, 60, 205), (0, 116, 118)
LOW_TO_HIGH = np.array([(52, 48, 110), (38, 108, 142), (60, 166, 124), (172, 204, 80), (250, 226, 120)], float)


class Decoder(Protocol):
    """What colours need of an engine (pipelines/engines/base.py): its kind of tokens, and pictures made of them.

    facts: channels, interpolates and codec of its tokens, as `LatentMemory.is_of` takes them.
    """

    facts: Any

    def decode(self, readout: Readout, generated: None) -> np.ndarray:
        """A readout with depth (n, h, w) -> frames (n, H, W, 3) uint8, H and W the same multiple of h and w."""
        ...


@torch.no_grad()
def colors_of(memory: LatentMemory, engine: Decoder) -> Tensor | None:
    """(num_points, 3) uint8: decoded colours in the order of the stored samples; None for tokens of another model."""
    facts = engine.facts
    if not memory.is_of(facts.channels, facts.interpolates, facts.codec):
        return None
    colors = [torch.zeros(0, 3, dtype=torch.uint8)]
    count = 0
    for view in memory.views:
        (rows, columns), known = view.depth.shape, view.depth > 0
        # What the view's own camera would read if nothing else were there: each sample in its own cell.
        sample = torch.where(known, known.view(-1).cumsum(0).view(rows, columns) - 1 + count, -1)
        count += int(known.sum())
        own = Readout(view.depth[None], sample[None], Targets.of([view.camera], rows, columns), memory)
        frame = torch.from_numpy(engine.decode(own, None)[0])
        k = len(frame) // rows  # pixels that the decoder makes of a cell; their mean is its colour
        frame = frame.reshape(rows, k, columns, k, 3).float().mean(dim=(1, 3))
        colors.append(frame[known].round().to(torch.uint8))
    return torch.cat(colors)


def top_view(
    memory: LatentMemory,
    colors: Tensor | None = None,
    camera: Camera | None = None,
    distance: float | None = None,
    path: Trajectory | None = None,
    title: str = "",
) -> Image.Image:
    """The map as an RGB picture, 1200 pixels wide and about 750 to 1200 high.

    colors: (num_points, 3) uint8 as from `colors_of`; shaded by height if None. camera: the photo's, that of the first
    view if None; distance: depth of its subject in scene units. path: cameras of a clip, drawn as a line.
    Raises ValueError if the memory is empty.
    """
    if not memory.num_points:
        raise ValueError("The memory is empty, so there is nothing to draw. Render a clip in its scene first.")
    camera = camera or memory.views[0].camera
    to_map = camera.w2c

    # 1. The samples in the photo camera's axes, view by view: +x right, +y down, +z up the page.
    grids = []
    for view in memory.views:
        world = unproject(pixel_centers(*view.depth.shape), view.depth.numpy(), view.camera)
        grids.append(world @ to_map[:3, :3].T + to_map[:3, 3])
    known = [view.depth.numpy() > 0 for view in memory.views]
    points = np.concatenate([grid[here] for grid, here in zip(grids, known, strict=True)])
    shades = _by_height(points[:, 1]) if colors is None else colors.numpy()
    per_view = np.split(shades, np.cumsum([here.sum() for here in known])[:-1])

    # 2. The part of the map that is worth showing, and the ground.
    frames = [view.camera for view in memory.views] + list(path or [])
    stops = np.array([_centre(c, to_map)[[0, 2]] for c in [camera, *frames]])
    area = Area.around(points[:, [0, 2]], stops, FARTHEST * distance if distance else math.inf)
    unit = _round_length(0.22 * area.width / area.scale)
    picture = _grid(area, unit)
    dense = [_filled(*parts, area.scale) for parts in zip(grids, per_view, known, strict=True)]
    ground, drawn = _ground(*(np.concatenate(part) for part in zip(*dense, strict=True)), area)
    picture.paste(Image.fromarray(ground), mask=Image.fromarray(drawn))

    # 3. The cameras on top of it.
    draw = ImageDraw.Draw(picture, "RGBA")
    _sight(draw, camera, to_map, area, distance)
    if path is not None:
        _line(draw, area.pixels(np.array([_centre(c, to_map)[[0, 2]] for c in path])), PATH, 3 * FINE)
    for view in sorted(memory.views, key=lambda view: not view.invented):  # what was seen on top
        _camera(draw, *_edges(view.camera, to_map, area), INVENTED if view.invented else SEEN)

    # 4. The frame around it: words, ruler, legend.
    sheet = Image.new("RGB", (WIDTH, HEADER + area.height + FOOTER), PAPER)
    sheet.paste(picture, (MARGIN, HEADER))
    draw = ImageDraw.Draw(sheet, "RGBA")
    draw.rectangle((MARGIN, HEADER, MARGIN + area.width, HEADER + area.height), outline=FAINT, width=FINE)
    _words(draw, memory, title, distance)
    _ruler(draw, unit, area.scale, sheet.height - FOOTER + 30 * FINE)
    marks = {"photo": ("camera", SEEN)}
    marks |= {"invented view": ("camera", INVENTED)} if any(view.invented for view in memory.views) else {}
    marks |= {"subject": ("cross", SEEN)} if distance else {}
    marks |= {"path of the clip": ("line", PATH)} if path is not None else {}
    _legend(draw, marks, colors is None, sheet.height - FOOTER + 30 * FINE)
    return sheet.reduce(FINE)


@dataclass(frozen=True)
class Area:
    """The piece of ground that is drawn. left, far: its upper left corner; scale: fine pixels per scene unit."""

    left: float
    far: float
    scale: float
    width: int
    height: int

    @classmethod
    def around(cls, ground: np.ndarray, stops: np.ndarray, farthest: float) -> "Area":
        """ground (N, 2), stops (M, 2): x and z. All stops and nearly all of the ground up to z = farthest."""
        near = ground[ground[:, 1] < farthest]
        low, high = np.quantile(near if len(near) else ground, [OUTLIERS, 1 - OUTLIERS], axis=0)
        low, high = np.minimum(low, stops.min(axis=0)), np.maximum(high, stops.max(axis=0))
        size = np.maximum(high - low, 1e-6) * 1.08
        width = WIDTH - 2 * MARGIN
        height = round(width * float(np.clip(size[1] / size[0], *ASPECT)))
        scale = min(width / size[0], height / size[1])
        middle = (low + high) / 2
        return cls(middle[0] - width / scale / 2, middle[1] + height / scale / 2, scale, width, height)

    def pixels(self, ground: np.ndarray) -> np.ndarray:
        """(..., 2) x and z -> (..., 2) column and row of the fine map."""
        return np.stack([ground[..., 0] - self.left, self.far - ground[..., 1]], axis=-1) * self.scale


def _centre(camera: Camera, to_map: np.ndarray) -> np.ndarray:
    return to_map[:3, :3] @ camera.position + to_map[:3, 3]


def _by_height(y: np.ndarray) -> np.ndarray:
    """(N,) heights, down positive -> (N, 3) uint8, low to high."""
    low, high = np.quantile(y, [0.98, 0.02])
    share = np.clip((low - y) / max(low - high, 1e-9), 0, 1)
    stops = np.linspace(0, 1, len(LOW_TO_HIGH))
    return np.stack([np.interp(share, stops, channel) for channel in LOW_TO_HIGH.T], axis=-1).round().astype(np.uint8)


def _filled(grid: np.ndarray, shades: np.ndarray, known: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The samples of one view, and points between four that are neighbours on one surface, so that it has no gaps.

    grid (H, W, 3), shades (known.sum(), 3), known (H, W) -> points (N, 3) float32, shades (N, 3) uint8.
    """
    picture = np.zeros((*known.shape, 3), np.float32)
    picture[known] = shades
    k = math.ceil(max(known.shape) / ENOUGH)
    grid, picture, known = grid[::k, ::k].astype(np.float32), picture[::k, ::k], known[::k, ::k]
    corners = [(slice(a, a - 1 or None), slice(b, b - 1 or None)) for a in (0, 1) for b in (0, 1)]
    far = np.where(known, np.linalg.norm(grid, axis=-1), np.inf)
    nearest, farthest = (bound([far[corner] for corner in corners], axis=0) for bound in (np.min, np.max))
    quad = farthest < nearest * (1 + SAME_SURFACE)
    ground = [grid[corner][quad][:, [0, 2]] * scale for corner in corners]

    def steps(pairs: tuple) -> np.ndarray:
        length = np.max([np.linalg.norm(ground[a] - ground[b], axis=-1) for a, b in pairs], axis=0)
        return np.ceil(np.clip(length, 1, LONGEST) / GAP).astype(int)

    rows, columns = steps(((0, 2), (1, 3))), steps(((0, 1), (2, 3)))
    count = rows * columns
    which = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    down = (within // columns[which] + 0.5) / rows[which]
    right = (within % columns[which] + 0.5) / columns[which]
    weights = [w.astype(np.float32)[:, None] for w in ((1 - down) * (1 - right), (1 - down) * right)]
    weights += [w.astype(np.float32)[:, None] for w in (down * (1 - right), down * right)]
    points, colors = (
        sum(weight * values[corner][quad][which] for weight, corner in zip(weights, corners, strict=True))
        for values in (grid, picture)
    )
    points = np.concatenate([grid[known], points])
    return points, np.concatenate([picture[known], colors.round()]).astype(np.uint8)


def _ground(points: np.ndarray, shades: np.ndarray, area: Area) -> tuple[np.ndarray, np.ndarray]:
    """points (N, 3), shades (N, 3) -> picture (height, width, 3) uint8 and where there is one, 0 or 255."""
    y = points[:, 1]
    order = np.argsort(np.where(y >= 0, y, 2 * np.abs(y).max() - y), kind="stable")[::-1]  # what shows comes last
    column, row = np.floor(area.pixels(points[order][:, [0, 2]]).clip(-1, WIDTH * 2)).astype(np.int32).T
    inside = (column >= 0) & (column < area.width - 1) & (row >= 0) & (row < area.height - 1)
    order, cell = order[inside], (row * area.width + column)[inside]
    cells = (cell[:, None] + [0, 1, area.width, area.width + 1]).reshape(-1)  # each covers 2x2 fine pixels
    ground = np.zeros((area.height * area.width, 3), np.uint8)
    drawn = np.zeros(area.height * area.width, np.uint8)
    ground[cells], drawn[cells] = np.repeat(shades[order], 4, axis=0), 255
    return ground.reshape(area.height, area.width, 3), drawn.reshape(area.height, area.width)


def _grid(area: Area, unit: float) -> Image.Image:
    """Paper with a line every `unit` scene units; lines pass through the origin, where the photo was taken."""
    paper = Image.new("RGB", (area.width, area.height), (255, 255, 255))
    draw = ImageDraw.Draw(paper)
    right, near = area.left + area.width / area.scale, area.far - area.height / area.scale
    for k in range(math.ceil(area.left / unit), math.floor(right / unit) + 1):
        x = (k * unit - area.left) * area.scale
        draw.line((x, 0, x, area.height), GRID, FINE)
    for k in range(math.ceil(near / unit), math.floor(area.far / unit) + 1):
        y = (area.far - k * unit) * area.scale
        draw.line((0, y, area.width, y), GRID, FINE)
    return paper


def _edges(camera: Camera, to_map: np.ndarray, area: Area) -> tuple[np.ndarray, np.ndarray]:
    """Apex (2,) in fine pixels, and the (2, 2) unit directions of the left and right edge of what the camera sees."""
    sides = np.array([[0, camera.height / 2], [camera.width, camera.height / 2]])
    ends = unproject(sides, np.ones(2), camera) @ to_map[:3, :3].T + to_map[:3, 3]
    apex = area.pixels(_centre(camera, to_map)[[0, 2]])
    ways = area.pixels(ends[:, [0, 2]]) - apex
    return apex, ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-9)


def _sight(draw: ImageDraw.ImageDraw, camera: Camera, to_map: np.ndarray, area: Area, distance: float | None) -> None:
    """What the photo shows lies between two lines; its subject is at a cross."""
    apex, ways = _edges(camera, to_map, area)
    for way in ways:
        _line(draw, np.array([apex, apex + way * 4 * WIDTH]), SEEN, FINE)
    if distance:
        _cross(draw, *area.pixels(np.array([0.0, distance])), SEEN)


def _cross(draw: ImageDraw.ImageDraw, x: float, y: float, color: tuple) -> None:
    for shade, arm, width in (((255, 255, 255), 11 * FINE, 6 * FINE), (color, 9 * FINE, 2 * FINE)):
        draw.line((x - arm, y, x + arm, y), shade, width)
        draw.line((x, y - arm, x, y + arm), shade, width)


def _camera(draw: ImageDraw.ImageDraw, apex: np.ndarray, ways: np.ndarray, color: tuple) -> None:
    """A dot where the camera stands and a beam the way it looks."""
    corners = [tuple(apex), *(tuple(apex + way * 34 * FINE) for way in ways)]
    draw.polygon(corners, (*color, 110))
    _line(draw, np.array([corners[1], corners[0], corners[2]]), color, 2 * FINE)
    draw.circle(tuple(apex), 7 * FINE, color, (255, 255, 255), 2 * FINE)


def _line(draw: ImageDraw.ImageDraw, points: np.ndarray, color: tuple, width: int) -> None:
    """On a white line, so that it shows on any ground."""
    points = [tuple(point) for point in points]
    draw.line(points, (255, 255, 255), width + 2 * FINE, "curve")
    draw.line(points, color, width, "curve")


def _round_length(length: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not longer."""
    power = 10.0 ** math.floor(math.log10(length))
    return next(step * power for step in (5, 2, 1) if step * power <= length or step == 1)


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size * FINE)


def _words(draw: ImageDraw.ImageDraw, memory: LatentMemory, title: str, distance: float | None) -> None:
    made = sum(view.invented for view in memory.views)
    kinds = [(count, kind) for count, kind in ((len(memory.views) - made, "seen"), (made, "invented")) if count]
    facts = [f"{memory.num_points:,} points", f"{memory.nbytes / 2**20:.1f} MiB"]
    facts += [f"{' and '.join(f'{count} {kind}' for count, kind in kinds)} view{'s' * (kinds[-1][0] > 1)}"]
    facts += [f"subject {distance:.2g} units away"] if distance else []
    draw.text((MARGIN, 20 * FINE), title[:60], INK, _font(26))
    draw.text((MARGIN, 54 * FINE), "   ".join(facts), FAINT, _font(16))


def _ruler(draw: ImageDraw.ImageDraw, unit: float, scale: float, y: float) -> None:
    length = unit * scale
    for i in range(4):
        x = MARGIN + length * i / 4
        box = (x, y, x + length / 4, y + 8 * FINE)
        draw.rectangle(box, INK if i % 2 == 0 else PAPER, INK, FINE)
    draw.text((MARGIN, y + 16 * FINE), "0", INK, _font(16))
    draw.text((MARGIN + length, y + 16 * FINE), f"{unit:g}", INK, _font(16), "ma")
    draw.text((MARGIN + length + 14 * FINE, y - 5 * FINE), "scene units", FAINT, _font(16))


def _legend(draw: ImageDraw.ImageDraw, marks: dict, by_height: bool, y: float) -> None:
    """What the marks mean, set from the right; a second line for the shades."""
    x = WIDTH - MARGIN
    for text, (mark, color) in reversed(marks.items()):
        x -= draw.textlength(text, _font(16))
        draw.text((x, y), text, INK, _font(16), "lm")
        x -= 20 * FINE
        if mark == "camera":
            _camera(draw, np.array([x, y + 9 * FINE]), np.array([[-0.5, -0.866], [0.5, -0.866]]) * 0.7, color)
        elif mark == "cross":
            _cross(draw, x, y, color)
        else:
            _line(draw, np.array([[x - 10 * FINE, y], [x + 10 * FINE, y]]), color, 3 * FINE)
        x -= 36 * FINE
    if by_height:
        x, y = WIDTH - MARGIN, y + 32 * FINE
        draw.text((x, y), "high", FAINT, _font(16), "rm")
        x -= draw.textlength("high", _font(16))
        ramp = _by_height(-np.arange(120 * FINE, dtype=float))
        x -= 8 * FINE + len(ramp)
        for i, color in enumerate(ramp):
            draw.line((x + i, y - 6 * FINE, x + i, y + 6 * FINE), tuple(color.tolist()))
        draw.text((x - 8 * FINE, y), "low", FAINT, _font(16), "rm")

"""The map of a scene: the right colour in the right place, whatever else the memory holds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import photo

from pipelines import Camera, LatentMemory, move
from pipelines.memory.top_view import FINE, HEADER, MARGIN, WIDTH, Area, colors_of, top_view

CAMERA = Camera.from_fov(60, 72, 128)
RED, GREEN, BLUE, GOLD = (220, 30, 30), (30, 180, 60), (40, 60, 220), (230, 200, 40)


def floor(ceiling: bool = False, far_speck: bool = False):
    """A memory of a floor one unit below the camera, 3.1 to 7 away, and the colours of its points.

    Red on the left and blue on the right, green where it is more than 5 away; a golden ceiling one unit above.
    """
    u, v = np.meshgrid(np.arange(128) + 0.5, np.arange(72) + 0.5)
    y, x = (v - 36) / CAMERA.K[1, 1], (u - 64) / CAMERA.K[0, 0]
    depth = np.where((y > 0) | ceiling, 1 / np.abs(y), 0)
    depth[depth > 7] = 0
    colors = np.where(((x < 0) & (y > 0))[..., None], RED, BLUE)
    colors[depth > 5] = GREEN
    colors[y < 0] = GOLD
    if far_speck:
        depth[34:36, 60:62] = 1000
    memory = LatentMemory(channels=1)
    memory.write(torch.ones(1, 72, 128), torch.from_numpy(depth).float(), CAMERA)
    stored = memory.views[0].depth.numpy() > 0
    return memory, torch.from_numpy(colors[stored]).to(torch.uint8)


def where(picture, color) -> np.ndarray:
    """(N, 2) rows and columns of the pixels of the map that have this colour."""
    pixels = np.asarray(picture).astype(int)[HEADER // FINE : -92]
    return np.argwhere(np.abs(pixels - color).max(-1) < 12)


def test_left_is_left_and_far_is_up():
    picture = top_view(*floor(), CAMERA, distance=4.0)
    red, green, blue = (where(picture, color) for color in (RED, GREEN, BLUE))
    middle = picture.width / 2
    assert min(len(red), len(green), len(blue)) > 10_000
    assert np.quantile(red[:, 1], 0.99) < middle + 4 and np.quantile(blue[:, 1], 0.01) > middle - 4
    assert np.quantile(green[:, 0], 0.99) < np.quantile(red[:, 0], 0.01) + 4
    # One scale: the left half of what the camera sees is as much wider at 5 as it is farther than the nearest row.
    near = 1 / ((71.5 - 36) / CAMERA.K[1, 1])
    widths = [np.ptp(red[red[:, 0] == row, 1]) for row in (red[:, 0].min() + 8, red[:, 0].max() - 8)]
    assert widths[0] / widths[1] == pytest.approx(5 / near, rel=0.05) and len(red) == pytest.approx(len(blue), rel=0.03)


def test_a_ceiling_does_not_hide_the_floor():
    bare, covered = (top_view(*floor(ceiling), CAMERA, distance=4.0) for ceiling in (False, True))
    for color in (RED, GREEN, BLUE):
        assert len(where(covered, color)) > 0.97 * len(where(bare, color))
    assert len(where(covered, GOLD)) < 0.01 * len(where(bare, RED))


def test_a_speck_far_away_does_not_shrink_the_map():
    for distance in (None, 4.0):
        plain, speck = (len(where(top_view(*floor(far_speck=s), CAMERA, distance), RED)) for s in (False, True))
        assert speck > 0.9 * plain


def test_without_colours_the_map_is_shaded_by_height():
    memory, colors = floor()
    picture = top_view(memory, camera=CAMERA)
    assert picture.size[0] == 1200 and not len(where(picture, RED))
    assert np.array_equal(np.asarray(picture), np.asarray(top_view(memory, camera=CAMERA)))


def test_the_map_turns_with_the_photo():
    """The same scene in a world that is turned and moved gives the same map."""
    c2w = np.array([[0, 0, 1, 3], [0, 1, 0, -2], [-1, 0, 0, 5], [0, 0, 0, 1]], float)
    memory, colors = floor()
    there = Camera(CAMERA.K, c2w, 72, 128)
    moved = LatentMemory(channels=1)
    moved.write(torch.ones(1, 72, 128), memory.views[0].depth, there)
    path = [move("gentle-arc", camera, distance=4.0, frames=9) for camera in (CAMERA, there)]
    one, other = top_view(memory, colors, CAMERA, 4.0, path[0]), top_view(moved, colors, there, 4.0, path[1])
    differs = np.abs(np.asarray(one).astype(int) - np.asarray(other)).max(-1) > 30
    assert differs.mean() < 0.005  # samples on the edge of a pixel


def test_the_path_and_the_cameras_are_where_they_belong():
    memory, colors = floor()
    path = move("push-in", CAMERA, distance=4.0, frames=17, travel=0.5)
    with_path = np.asarray(top_view(memory, colors, CAMERA, 4.0, path)).astype(int)
    teal = np.argwhere(np.abs(with_path - (0, 116, 118)).max(-1) < 20)
    teal = teal[teal[:, 0] < len(with_path) - 92]
    assert np.ptp(teal[:, 0]) > 50 and np.abs(teal[:, 1] - 600).max() < 6  # straight ahead


def test_one_point_is_a_map_and_none_is_an_error():
    memory = LatentMemory(channels=1)
    with pytest.raises(ValueError, match="empty, so there is nothing to draw"):
        top_view(memory)
    memory.write(torch.ones(1, 1, 1), torch.ones(1, 1), Camera.from_fov(60, 1, 1))
    assert top_view(memory).width == 1200


def test_area_keeps_every_stop_and_one_scale():
    rng = np.random.default_rng(0)
    ground, stops = rng.normal(size=(500, 2)) * (3, 0.2), np.array([[0.0, -9.0], [4.0, 2.0]])
    area = Area.around(ground, stops, np.inf)
    corner, one_right, one_up = area.pixels(
        np.array([[area.left, area.far], [area.left + 1, area.far], [area.left, area.far + 1]])
    )
    assert np.allclose(corner, 0) and np.allclose(one_right, [area.scale, 0]) and np.allclose(one_up, [0, -area.scale])
    inside = area.pixels(stops)
    assert (inside >= 0).all() and (inside <= [area.width, area.height]).all() and area.width == WIDTH - 2 * MARGIN


def test_points_have_the_colours_of_the_picture(pipe):
    """Two views, one of them invented: each point has the colour that its own view decodes to there."""
    lifted = pipe.lift(photo(72, 128), 72, 128, CAMERA, None)
    memory = lifted.memory.copy()
    other = Camera(CAMERA.K, np.array([[1, 0, 0, 0.8], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), 72, 128)
    grey = pipe.engine.encode(torch.full((3, 72, 128), 0.5))
    memory.write(grey, torch.full((72, 128), 3.0), other, invented=True)
    colors = colors_of(memory, pipe.engine)
    assert colors.shape == (memory.num_points, 3) and colors.dtype == torch.uint8
    stored = memory.views[0].depth > 0
    off = (colors[: stored.sum()].float() - torch.from_numpy(photo(72, 128))[stored].float()).abs()
    assert off.mean() < 5  # of 255: what the autoencoder loses
    assert (colors[stored.sum() :].float() - 127.5).abs().mean() < 5
    memory.codec = "another"
    assert colors_of(memory, pipe.engine) is None
    assert colors_of(LatentMemory(channels=3), pipe.engine) is None


def test_a_view_of_which_nothing_is_left_is_no_trouble():
    memory, colors = floor()
    plain = top_view(memory, colors, CAMERA, 4.0)
    view = memory.views[0]
    memory._keep(memory.features, [*memory.views, replace(view, depth=torch.zeros_like(view.depth))])
    emptied = top_view(memory, colors, CAMERA, 4.0)
    for color in (RED, GREEN, BLUE):
        assert np.array_equal(where(emptied, color), where(plain, color))

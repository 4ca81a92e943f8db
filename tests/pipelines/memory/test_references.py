"""Reference choice: the pictures that show what a chunk will see, none twice, none that is context already."""

import math

import numpy as np
import pytest
import torch

from pipelines import Camera, LatentMemory, move
from pipelines.memory.references import STEPS, choose_references, cover, quality

HEIGHT, WIDTH, FOV = 36, 64, 60
ROOM = 2.0  # half the side of the square room that the cameras stand in


def camera(x=0.0, z=0.0, yaw=0.0, fov=FOV) -> Camera:
    """Stands at (x, 0, z) and looks yaw degrees to the right of +z."""
    c, s = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    c2w = np.array([[c, 0, s, x], [0, 1, 0, 0], [-s, 0, c, z], [0, 0, 0, 1]])
    return Camera.from_fov(fov, HEIGHT, WIDTH, c2w)


def depth_in_room(camera: Camera, pillar: bool = False) -> torch.Tensor:
    """(H, W) exact z-depth of the walls x, y, z = +-ROOM, and of a thin screen at z = 1 if there is a pillar."""
    u, v = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    rays = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(camera.K).T @ camera.c2w[:3, :3].T
    with np.errstate(divide="ignore"):
        depth = ((np.sign(rays) * ROOM - camera.position) / rays).min(-1)  # the first wall in the way of a ray
        at_screen = (1 - camera.position[2]) / rays[..., 2]
    x = camera.position[0] + at_screen * rays[..., 0]
    hit = pillar & (at_screen > 0) & (at_screen < depth) & (abs(x) < 0.3)
    return torch.from_numpy(np.where(hit, at_screen, depth)).float()


def room(pillar: bool = False) -> LatentMemory:
    """A memory that has seen all round from the middle, and behind the pillar."""
    memory = LatentMemory(channels=1)
    for c in [camera(yaw=yaw) for yaw in range(0, 360, 40)] + [camera(x, 1.2) for x in (-0.2, 0.2)]:
        memory.write(torch.ones(1, HEIGHT, WIDTH), depth_in_room(c, pillar), c)
    return memory


@pytest.fixture(scope="module")
def memory():
    return room()


def test_a_camera_equal_to_the_target_comes_first(memory):
    near = [camera(yaw=20), camera(fov=90), camera(x=0.3), camera(z=0.4), camera(z=-0.4), camera(yaw=1), camera(0.02)]
    for place in range(len(near) + 1):
        candidates = [*near[:place], camera(), *near[place:]]
        assert choose_references(memory, [camera()], candidates, count=3)[0] == place


def test_what_one_picture_shows_is_not_chosen_twice(memory):
    copies = [camera()] * 5
    assert choose_references(memory, [camera()], copies, count=4) == [0]
    # Each shows a strip that the other does not, 3 % of the target: less than a reference must add.
    assert choose_references(memory, [camera()], [camera(yaw=-2), camera(yaw=2)], count=4) in ([0], [1])
    assert len(choose_references(memory, [camera()], [camera(yaw=-30), camera(yaw=30)], count=4)) == 2
    # Two walls, five copies of a picture of the one and one of the other: both walls are shown.
    targets = [camera(), camera(yaw=90)]
    assert sorted(choose_references(memory, targets, [*copies, camera(yaw=90)], count=4)) == [0, 5]


def test_a_way_back_refers_to_pictures_of_the_way_there(memory):
    path = [camera(yaw=yaw) for yaw in range(0, 91, 5)]
    back = path[::-1]
    chosen = choose_references(memory, back, path, count=4)
    assert 2 <= len(chosen) <= 4 and max(chosen) - min(chosen) >= 6  # spread over the turn, not one corner of it
    known = quality(*(x for group in (back, path) for x in (torch.stack([depth_in_room(c) for c in group]), group)))
    best_of_one = known.double().mean(dim=1).max()
    assert known[chosen].amax(dim=0).double().mean() > 1.3 * best_of_one


def test_the_newest_are_left_out_when_they_are_context_anyway(memory):
    candidates = [camera(yaw=90), camera(yaw=10), camera(), camera()]
    assert choose_references(memory, [camera()], candidates, 4)[0] == 2
    assert choose_references(memory, [camera()], candidates, 4, exclude_last=2) == [1]
    assert choose_references(memory, [camera()], candidates, 4, exclude_last=3) == []  # looks at another wall
    for exclude in (4, 5, 100):
        assert choose_references(memory, [camera()], candidates, 4, exclude_last=exclude) == []


def test_a_view_of_something_else_or_blocked_is_no_reference():
    memory = room(pillar=True)
    behind, front, side = camera(z=1.2), camera(), camera(x=0.0, z=1.1, yaw=5)
    wall = camera(z=1.2, fov=20)  # sees the wall behind the screen only, which hides it from the middle of the room
    assert choose_references(memory, [wall], [front], count=1) == []
    assert choose_references(memory, [wall], [front, side, behind], count=1) == [2]
    assert choose_references(room(), [wall], [camera(fov=30)], count=1) == [0]  # without the screen it is seen
    assert choose_references(memory, [front], [camera(yaw=180)], count=1) == []


def test_a_coarse_picture_gives_way_to_a_fine_one(memory):
    target = camera(z=1.0)
    far, close = camera(z=-1.0), camera(z=0.9)
    assert choose_references(memory, [target], [far, close], count=1) == [1]
    values = quality(*(x for g in ([target], [far]) for x in (torch.stack([depth_in_room(c) for c in g]), g)))
    middle = values[0].reshape(HEIGHT, WIDTH)[HEIGHT // 2, WIDTH // 2] / STEPS
    assert abs(float(middle) - 1 / 3) < 0.01  # three times as far: a third of the resolution, same line of sight


def test_nothing_known_gives_nothing(memory):
    assert choose_references(LatentMemory(channels=1), [camera()], [camera()], 4) == []
    assert choose_references(memory, [], [camera()], 4) == []
    assert choose_references(memory, [camera()], [], 4) == []
    assert choose_references(memory, [camera()], [camera()], 0) == []
    one_point = LatentMemory(channels=1)
    one_point.write(torch.ones(1, 1, 1), torch.ones(1, 1), Camera.from_fov(60, 1, 1))
    assert choose_references(one_point, [camera(yaw=180)], [camera()], 4) == []


def test_negative_numbers_are_refused(memory):
    with pytest.raises(ValueError, match="exclude_last=-1"):
        choose_references(memory, [camera()], [camera()], 1, exclude_last=-1)
    with pytest.raises(ValueError, match="count=-2"):
        choose_references(memory, [camera()], [camera()], -2)


def test_the_choice_has_no_chance_in_it(memory):
    targets = move("gentle-arc", camera(), distance=2.0, frames=5)
    candidates = [camera(yaw=yaw, x=x) for yaw in range(-40, 41, 20) for x in (-0.4, 0.0, 0.4)]
    once = choose_references(memory, targets, candidates, 5)
    assert len(set(once)) == len(once) >= 1
    assert choose_references(memory, targets, candidates, 5) == once
    # A subset that holds the chosen ones gives the same pictures in the same order.
    kept = sorted({*once, *range(0, len(candidates), 3)})
    assert [kept[i] for i in choose_references(memory, targets, [candidates[i] for i in kept], 5)] == once


def test_greedy_choice_is_near_the_best_set_there_is():
    """Against all sets of three, on random coverage: the theorem says 63 %, practice is better."""
    from itertools import combinations

    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        values = torch.randint(0, STEPS, (9, 40), generator=generator, dtype=torch.int32)
        values[torch.rand(9, 40, generator=generator) < 0.7] = 0
        best = max(values[list(some)].amax(0).sum() for some in combinations(range(9), 3))
        assert values[cover(values, 3)].amax(0).sum() >= 0.9 * best

"""How strong a move is on a photo, and how close its frame: the limits, and one search for them."""

from functools import partial

import numpy as np
import pytest
from helpers import AnalyticDepth, photo
from walls import SIZE, lift, post, slide, wall

from pipelines import Trajectory, move
from pipelines.limits import BACKED, MIN_STRENGTH, ROOM_BACKED, SIDEWAYS, TORN
from pipelines.photo.outlook import coverage, look
from pipelines.photo.strength import gentle_strength, objection, strengths, suited, suits


def torn(lifted, trajectory):
    return look(lifted.memory, trajectory, lifted, frames=len(trajectory)).torn


@pytest.mark.parametrize(
    ("depth", "aside", "reason"),
    [(wall(), 0.0, None), (wall(), 0.3, None), (wall(), 0.7, "backed"), (wall(), 0.9, "sideways")]
    + [(post(), 0.0, None), (post(), 0.2, "torn")],
)
def test_a_path_is_refused_for_the_limit_that_it_breaks(pipe, depth, aside, reason):
    lifted = lift(pipe, depth)
    path = slide(lifted, aside)
    assert objection(lifted, path) == reason and suits(lifted, path) == (reason is None)
    assert (aside > SIDEWAYS * np.quantile(depth, 0.08)) == (reason == "sideways")
    if reason != "sideways":
        assert (coverage(lifted.memory, path).min() < BACKED) == (reason == "backed")
        assert (torn(lifted, path).max() > TORN) == (reason == "torn")


def test_a_closer_frame_must_show_more_of_the_photo(pipe):
    whole, closer = (lift(pipe, wall(), zoom=zoom) for zoom in (1.0, 1.2))
    path = slide(whole, 0.4)
    assert BACKED < coverage(whole.memory, path).min() < ROOM_BACKED
    assert objection(whole, path) is None and objection(whole, path, ROOM_BACKED) == "backed"
    wide = slide(closer, 0.9 * SIDEWAYS * 4).zoomed(1 / 1.2)  # of the photo's own width again
    assert objection(closer, wide) == "backed" and objection(closer, wide, 0.5) is None


@pytest.mark.parametrize("at_most", [0.1, 0.35, 0.6, 1.0, 1.5])
@pytest.mark.parametrize("depth", [wall(), post()], ids=["wall", "post"])
def test_the_strength_is_the_largest_tried_one_that_suits(pipe, depth, at_most):
    lifted = lift(pipe, depth)

    def path(strength):
        return slide(lifted, 0.8 * strength)

    found = gentle_strength(lifted, path, at_most=at_most)
    assert found <= at_most
    tried = strengths(at_most)
    assert tried == sorted(tried, reverse=True) and all(MIN_STRENGTH < strength <= at_most for strength in tried)
    suitable = [strength for strength in tried if suits(lifted, path(strength))]
    assert found == (max(suitable) if suitable else min(MIN_STRENGTH, at_most))


@pytest.mark.parametrize("unknown", [0.0, np.nan, -1.0])
def test_what_is_unknown_of_a_depth_map_is_not_near(pipe, unknown):
    """The limit is that of what is known; a step aside that is fine stays fine, and a wide one is refused."""
    depth = wall()
    depth[:, -20:] = unknown  # 16 % of it
    lifted = lift(pipe, depth)
    assert lifted.near == 4
    for aside, is_refused in ((0.05, False), (0.9, True)):
        assert (objection(lifted, slide(lifted, aside), backed=0.0) == "sideways") == is_refused


@pytest.mark.parametrize("frames", [5, 40, 63, 97])
def test_the_end_of_a_path_is_judged_whatever_its_length(pipe, frames):
    lifted = lift(pipe, wall())
    path = Trajectory.from_cameras([lifted.camera] * (frames - 1) + [slide(lifted, 0.7)[-1]])
    assert objection(lifted, path) == "backed"
    seen = look(lifted.memory, path, frames=5)
    assert len(seen.torn) == frames and seen.coverage.argmin() == frames - 1


def test_where_nothing_suits_the_least_strength_is_left(pipe):
    lifted = lift(pipe, wall())
    away = partial(slide, lifted, 9.0)
    assert gentle_strength(lifted, lambda strength: away()) == MIN_STRENGTH
    assert gentle_strength(lifted, lambda strength: away(), at_most=0.1) == 0.1
    assert gentle_strength(lifted, lambda strength: slide(lifted, 0.0), at_most=0.35) == 0.35


def test_gentle_strength_keeps_the_photo_in_the_picture(pipe):
    lifted = lift(pipe)

    def path(name):
        return lambda strength: move(name, lifted.camera, lifted.distance, frames=17, strength=strength)

    strength = gentle_strength(lifted, path("side-slide"))
    assert 0.2 <= strength < 1
    least = [coverage(lifted.memory, path("side-slide")(s)).min() for s in (1.0, strength)]
    assert least[0] < BACKED <= least[1]
    assert gentle_strength(lifted, path("steady-hold")) == 1.0


@pytest.mark.parametrize("name", ["steady-hold", "push-in", "side-slide", "pull-back"])
def test_a_frame_comes_closer_only_where_a_move_needs_room(pipe, name):
    depth = np.full((72, 128), 2.0, np.float32)

    def lift(zoom):
        return pipe.lift(photo(), 72, 128, depth=depth, zoom=zoom)

    def path(lifted, strength):
        return move(name, lifted.camera, lifted.distance, frames=17, strength=strength)

    lifted, strength = suited(lift, path)
    assert coverage(lifted.memory, path(lifted, strength)).min() >= ROOM_BACKED
    if name in ("steady-hold", "push-in"):
        assert (lifted.zoom, strength) == (1.0, 1.0)
    else:
        assert lifted.zoom > 1
        assert strength > gentle_strength(lift(1.0), lambda part: path(lift(1.0), part), ROOM_BACKED)


@pytest.mark.parametrize(("name", "zooms"), [("push-in", [1.0]), ("pull-back", [1.0, 1.2])])
def test_a_photo_is_lifted_twice_at_most_and_measured_once(pipe, name, zooms):
    lifts, calls, exact = [], [], AnalyticDepth()

    def estimator(image, K):
        calls.append(image.shape)
        return exact(image, K)

    def lift(zoom):
        lifts.append(pipe.lift(photo(), *SIZE, zoom=zoom, estimator=estimator, like=lifts[-1] if lifts else None))
        return lifts[-1]

    def path(lifted, strength):
        return move(name, lifted.camera, lifted.distance, frames=9, strength=strength)

    lifted, _ = suited(lift, path)
    assert lifted is lifts[-1] and [one.zoom for one in lifts] == zooms
    assert calls == [(*SIZE, 3)]


def test_what_opens_behind_a_near_thing_counts_as_torn_and_shortens_a_move(pipe):
    wall = np.full((72, 128), 4.0, np.float32)
    behind = wall.copy()
    behind[20:60, 50:80] = 2.0

    def path(lifted):
        return lambda strength: move("side-slide", lifted.camera, 3.0, frames=17, strength=strength, travel=0.1)

    flat, standing = (pipe.lift(photo(), 72, 128, depth=depth) for depth in (wall, behind))
    assert coverage(flat.memory, path(flat)(1.0)).min() < 0.98 and not torn(flat, path(flat)(1.0)).any()
    opened = torn(standing, path(standing)(1.0))
    assert opened[0] == 0 and 0.02 < opened[-1] < 0.1
    strengths = [gentle_strength(lifted, path(lifted)) for lifted in (flat, standing)]
    assert strengths[0] == 1 and strengths[1] < 1
    assert torn(standing, path(standing)(strengths[1])).max() <= TORN

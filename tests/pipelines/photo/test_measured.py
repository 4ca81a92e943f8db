"""Depth of a photo is measured once, as long as the photo, its estimator and its fineness stay."""

import numpy as np
import pytest
from helpers import AnalyticDepth, photo

from pipelines.errors import Refused
from pipelines.photo.measured import FINER, MeasuredDepth, given_depth


class Counting:
    """Exact depth, and how often it was measured."""

    def __init__(self):
        self.calls = 0
        self.weights = ({"name": f"weights-{id(self)}", "licence": "CC0-1.0", "commercial_use": "yes"},)

    def __call__(self, image, K):
        self.calls += 1
        return AnalyticDepth()(image, K)


def lift(pipe, height=72, width=128, **options):
    return pipe.lift(photo(144, 256), height, width, **options)


@pytest.mark.parametrize("focus", [0.0, 1.0])
def test_depth_of_the_same_photo_at_the_same_scale_is_the_same_to_the_bit(pipe, focus):
    estimator = Counting()
    before = lift(pipe, 72, 96, estimator=estimator)
    again, anew = (lift(pipe, 72, 96, focus=focus, estimator=estimator, like=like) for like in (before, None))
    assert estimator.calls == 2  # `again` needed none
    assert np.array_equal(again.photo_depth, anew.photo_depth) and again.distance == anew.distance
    assert again.measured is before.measured and again.depth_weights == anew.depth_weights == estimator.weights
    assert again.memory.num_points == anew.memory.num_points and np.array_equal(again.image, anew.image)


@pytest.mark.parametrize(("zoom", "calls"), [(1.0, 1), (1.2, 1), (1.25, 1), (1.4, 2), (1.5, 2)])
def test_a_frame_that_is_a_little_closer_takes_the_depth_of_the_whole_one_over(pipe, zoom, calls):
    estimator = Counting()
    assert (zoom > FINER) == (calls == 2)
    before = lift(pipe, estimator=estimator)
    after = lift(pipe, zoom=zoom, estimator=estimator, like=before)
    assert estimator.calls == calls and (after.measured is before.measured) == (calls == 1)


@pytest.mark.parametrize("zoom", [1.0, 1.2, 1.4])
@pytest.mark.parametrize("before", [{}, {"zoom": 1.1}, {"zoom": 1.5}, {"height": 144, "width": 256}, {"height": 96}])
def test_what_was_lifted_before_spares_time_and_changes_nothing(pipe, zoom, before):
    estimator = Counting()
    like = lift(pipe, **before, estimator=estimator)
    after, alone = (lift(pipe, zoom=zoom, estimator=estimator, like=other) for other in (like, None))
    assert np.array_equal(after.photo_depth, alone.photo_depth) and after.distance == alone.distance


def test_another_estimator_measures_anew(pipe):
    first, second = Counting(), Counting()
    before = lift(pipe, estimator=first)
    after = lift(pipe, estimator=second, like=before)
    assert (first.calls, second.calls) == (1, 1) and after.depth_weights == second.weights


def test_the_pipeline_s_own_estimator_is_used_where_none_is_given_and_stays_its_own(pipe):
    own, other = pipe.engine.depth_estimator, Counting()
    assert lift(pipe).measured.estimator is own
    lift(pipe, estimator=other)
    assert pipe.engine.depth_estimator is own and lift(pipe).measured.estimator is own


def test_depth_of_another_photo_is_refused(pipe):
    before = lift(pipe)
    with pytest.raises(Refused, match="The depth of another photo does not fit this one. Lift it without `like`."):
        pipe.lift(photo(144, 258), 72, 128, like=before)


def test_a_map_serves_every_grid_and_is_never_averaged(pipe):
    depth = np.where(np.arange(256) < 100, 1.0, 4.0) * np.ones((144, 1))
    before, estimator = lift(pipe, depth=depth), Counting()
    closer = lift(pipe, zoom=1.5, like=before, estimator=estimator)
    assert estimator.calls == 0 and closer.measured is before.measured and not closer.depth_weights
    assert set(np.unique(closer.photo_depth)) == {1.0, 4.0}


def test_measured_depth_has_no_steps_within_a_surface_and_one_clean_step_between_two():
    ramp = np.tile(np.linspace(1.0, 1.2, 32, dtype=np.float32), (24, 1))
    ramp[:, 16:] += 2.0
    depth, valid = MeasuredDepth(ramp, np.ones_like(ramp, bool), AnalyticDepth()).on_grid(30, 40)
    assert depth.dtype == np.float32 and valid.all()
    steps = np.diff(depth[0])
    edge = steps.argmax()
    assert steps[edge] > 1.9 and np.abs(np.delete(steps, edge)).max() < 0.02
    assert np.count_nonzero(np.delete(steps, edge)[3:-3]) > 30  # smooth, not in steps of a coarse pixel
    nearest, _ = given_depth(ramp, photo(*ramp.shape)).on_grid(30, 40)
    assert np.isin(nearest, ramp).all()


def test_what_is_unknown_stays_so_and_spreads_to_no_neighbour():
    depth, valid = np.full((20, 20), 2.0, np.float32), np.ones((20, 20), bool)
    valid[5:10, 5:10] = False
    depth[5:10, 5:10] = 0
    finer, known = MeasuredDepth(depth, valid, AnalyticDepth()).on_grid(24, 24)
    assert 0.9 * 25 / 400 < (~known).mean() < 1.2 * 25 / 400
    assert np.allclose(finer[known], 2.0)

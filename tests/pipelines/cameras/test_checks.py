"""Findings about a path, and that each repair makes its finding go away."""

import numpy as np
import pytest

from pipelines.cameras import Camera, Key, Path, move, pixel_centers
from pipelines.cameras.checks import Outlook, check_path
from pipelines.cameras.repairs import REPAIRS, keep_honest, lift, repaired, shorten, slow_down, turn_back
from pipelines.cameras.shortening import cut, weaker
from pipelines.cameras.speed import steps
from pipelines.limits import BACKED, FOV_DEGREES, SLACK, TORN, TRAVEL, TURN_DEGREES
from presets.schema import load_moves

PHOTO = Camera.from_fov(60, 54, 96)
D = 3.0
AHEAD = (1.0, 0.0, 0.0, 0.0)


def yaw(degrees: float) -> tuple:
    return np.cos(np.radians(degrees) / 2).item(), 0.0, np.sin(np.radians(degrees) / 2).item(), 0.0


def path_of(*keys, seconds: float = 4.0, fov: float = 60.0, **options) -> Path:
    """Keys as (position, orientation), evenly in time."""
    times = np.linspace(0, seconds, len(keys)).tolist()
    return Path(tuple(Key(t, p, q, 0.0, fov) for t, (p, q) in zip(times, keys, strict=True)), **options)


def room() -> np.ndarray:
    """z-depth of a wall at 3 and a table at 1.2 that fills the lower middle of the picture, its top 0.24 below eyes."""
    rays = (pixel_centers(54, 96) - PHOTO.K[:2, 2]) / PHOTO.K[[0, 1], [0, 1]]
    depth = np.full((54, 96), D)
    table = (np.abs(rays[..., 0]) < 0.25) & (rays[..., 1] > 0.24 / 1.2)
    depth[table] = 1.2
    return depth


def coverage_of(clip) -> np.ndarray:
    """Share of every frame whose rays meet the wall inside the photo: what a memory of the wall would say."""
    clip = clip.resized(9, 16)
    focal, center = clip.K[:, None, None, [0, 1], [0, 1]], clip.K[:, None, None, :2, 2]
    rays = np.concatenate([(pixel_centers(9, 16) - center) / focal, np.ones((len(clip), 9, 16, 1))], axis=-1)
    rays = np.einsum("tij,thwj->thwi", clip.c2w[:, :3, :3], rays)
    position = clip.c2w[:, None, None, :3, 3]
    way = (D - position[..., 2]) / np.where(rays[..., 2] > 1e-6, rays[..., 2], np.nan)
    hit = position[..., :2] + way[..., None] * rays[..., :2]
    photo_half = D * np.array([48 / PHOTO.K[0, 0], 27 / PHOTO.K[1, 1]])
    return (np.abs(np.nan_to_num(hit, nan=1e9)) <= photo_half * 1.001).all(-1).mean((1, 2))


def torn_of(clip) -> np.ndarray:
    """Share of every frame that opens between the table and the wall when the camera steps aside."""
    apart = np.abs(clip.c2w[:, 0, 3]) * (1 / 1.2 - 1 / D) * clip.K[:, 0, 0] / clip.width
    return apart * (room() == 1.2).any(1).mean()


def look(clip) -> Outlook:
    return Outlook(coverage_of(clip), np.zeros(len(clip)))


def look_behind(clip) -> Outlook:
    return Outlook(coverage_of(clip), torn_of(clip))


def findings_of(path: Path, look=look) -> dict:
    clip = path.trajectory(54, 96)
    found = check_path(clip, D, room(), PHOTO, look(clip), path)
    return {finding.kind: finding for finding in found}


CALM = path_of(((0, 0, 0), AHEAD), ((0, 0, 0.4), AHEAD))


def test_a_calm_path_has_no_findings():
    assert findings_of(CALM) == {}


@pytest.mark.parametrize("name", sorted(load_moves()))
def test_moves_of_the_gallery_are_calm_also_as_keys(name):
    preset = load_moves()[name]
    clip = move(preset.move, PHOTO, distance=D, frames=round(24 * preset.seconds), **preset.params)
    path = Path.from_trajectory(clip)
    assert check_path(clip, D) == [] and check_path(path.trajectory(54, 96), D, path=path) == []


BAD = {
    "turns": path_of(((0, 0, 0), AHEAD), ((0, 0, 0), yaw(20)), ((0, 0, 0), AHEAD), seconds=1.5),
    "travels": path_of(((0, 0, 0), AHEAD), ((0, 0, 0.9), AHEAD), seconds=1.0),
    "near": path_of(((0, 0, 0), AHEAD), ((0, 0, 2.8), AHEAD), seconds=20.0),
    "through": path_of(((0, 0, 0), AHEAD), ((0, 0, 4.0), AHEAD), seconds=20.0),
    "out": path_of(((0, 0, 0), AHEAD), ((0, 0, 0), yaw(80)), seconds=20.0),
    "invented": path_of(((0, 0, 0), AHEAD), ((0.8, 0, -0.3), AHEAD), seconds=8.0),
    "lens": Path((Key(0, (0, 0, 0), AHEAD, 0.0, 60.0), Key(4, (0, 0, 0.1), AHEAD, 0.0, 12.0))),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_is_found_and_its_repair_mends_it(kind):
    path = BAD[kind]
    finding = findings_of(path)[kind]
    first, last = finding.frames
    assert 0 <= first <= last < len(path.trajectory(54, 96)) and finding.repair in REPAIRS
    low_is_bad = kind in ("near", "out", "invented") or (kind == "lens" and finding.limit == FOV_DEGREES[0])
    assert finding.value < finding.limit if low_is_bad else finding.value > finding.limit
    mended = repaired(path, finding.repair, PHOTO, D, room(), look)
    assert kind not in findings_of(mended)
    assert mended.keys[0] == path.keys[0]  # it still begins with the photo's camera
    assert mended.trajectory(54, 96)[0] == path.trajectory(54, 96)[0]
    assert all(isinstance(x, (str, int, float, list)) for x in finding.to_dict().values())


def test_speed_is_the_moves_own_cap():
    """The steps over a quarter of a second that are over the limits, as runs of frames."""
    path = BAD["turns"]
    clip = path.trajectory(54, 96)
    covered = np.zeros(len(clip), bool)
    for finding in check_path(clip, D):
        covered[finding.frames[0] : finding.frames[1] + 1] = True
    degrees, travel = steps(clip)
    fast = np.flatnonzero((degrees > TURN_DEGREES * SLACK) | (travel > TRAVEL * SLACK * D))
    expected = np.zeros(len(clip), bool)
    for step in fast:
        expected[step : step + 7] = True
    assert len(fast) and (covered == expected).all()


def test_slow_down_changes_the_time_alone():
    path = BAD["travels"]
    slow = slow_down(path, D)
    assert slow == path.retimed(slow.duration) and slow.duration < 4 * path.duration
    assert slow_down(CALM, D) == CALM  # nothing to mend, nothing changed
    far = path_of(((0, 0, 0), AHEAD), ((0, 0, 90.0), AHEAD))
    assert slow_down(far, D).duration == 60  # the longest a clip can be: the finding stays


def test_through_a_surface_is_measured_along_the_photos_axis():
    finding = findings_of(path_of(((0, 0, 0), AHEAD), ((0, 0, 4.0), AHEAD), seconds=20.0))["through"]
    assert finding.value == pytest.approx(1.0) and finding.frames[1] == 479
    assert finding.frames[0] == pytest.approx(0.75 * 479, abs=1.01)


def test_over_the_table_up_before_the_wall_back():
    """What is below is flown over; what is in front is not reached."""
    low = path_of(((0, 0, 0), AHEAD), ((0, 0.1, 1.0), AHEAD), ((0, 0.1, 1.6), AHEAD), seconds=20.0)
    finding = next(f for f in check_path(low.trajectory(54, 96), D, room(), PHOTO))
    assert (finding.kind, finding.repair) == ("near", "lift")
    mended = repaired(low, "lift", PHOTO, D, room())
    assert "near" not in findings_of(mended)
    rise = low.positions[:, 1] - mended.positions[:, 1]
    assert rise[0] == 0 and 0 < rise[1] == rise[2] < 0.6  # up is -y
    wall = findings_of(BAD["through"])["through"]
    assert wall.repair == "shorten"


def test_shorten_keeps_as_much_as_it_can():
    path = BAD["through"]
    mended = repaired(path, "shorten", PHOTO, D, np.full((54, 96), D))
    reach = mended.positions[-1, 2]
    assert D - 0.15 * D - 4.0 / 64 <= reach <= D - 0.15 * D and mended.duration == path.duration


@pytest.mark.parametrize("least", [0.8, 0.95])
def test_keep_honest_is_as_strong_as_it_can_be(least):
    path = BAD["invented"]
    honest = keep_honest(path, look, least)
    assert coverage_of(honest.trajectory(54, 96)).min() >= least
    factor = honest.positions[-1, 0] / path.positions[-1, 0]
    assert 0 < factor < 1
    assert coverage_of(weaker(path, factor + 1.01 / 64).trajectory(54, 96)).min() < least
    assert keep_honest(CALM, look) == CALM


def test_what_opens_behind_near_things_is_found_and_kept_in_bounds():
    """Where the photo backs every frame, so that nothing else is wrong with the path."""
    path = path_of(((0, 0, 0), AHEAD), ((0.38, 0, 0), AHEAD))
    torn = torn_of(path.trajectory(54, 96))
    (finding,) = findings_of(path, look_behind).values()
    assert (finding.kind, finding.value, finding.repair) == ("torn", torn.max(), "keep_honest")
    assert finding.frames == (int(np.argmax(torn > TORN)), 95) and findings_of(path) == {}
    honest = repaired(path, "keep_honest", PHOTO, D, room(), look_behind)
    assert findings_of(honest, look_behind) == {}
    factor = honest.positions[-1, 0] / path.positions[-1, 0]
    assert torn_of(weaker(path, factor + 1.01 / 64).trajectory(54, 96)).max() > TORN


def test_keep_honest_of_any_path():
    """Random paths, closed ones, ones with a target, ones that turn right round: backed in every frame afterwards."""
    rng = np.random.default_rng(0)
    for seed in range(8):
        spread = rng.uniform(0.2, 2)
        keys = [((0.0, 0.0, 0.0), AHEAD)]
        keys += [(tuple(rng.normal(size=3) * spread), yaw(rng.normal() * 60)) for _ in range(4)]
        closed, target = seed % 4 == 1, (0.0, 0.0, D) if seed % 4 == 2 else None
        if closed:
            keys[-1] = keys[0]
        if seed % 4 == 3:
            keys[2] = (keys[2][0], yaw(180))
        path = path_of(*keys, closed=closed, target=target)
        honest = keep_honest(path, look)
        assert coverage_of(honest.trajectory(54, 96)).min() >= BACKED
        assert honest.closed == (closed and seed % 4 != 3) and honest.keys[0] == path.keys[0]


def test_an_aim_outside_the_photo_is_turned_back():
    path = path_of(((0, 0, 0), AHEAD), ((0.1, 0, 0), AHEAD), target=(9.0, 0.0, 1.0), seconds=20.0)
    assert findings_of(path)["out"].frames == (0, 479)
    for repair in ("turn_back", "keep_honest"):
        mended = repaired(path, repair, PHOTO, D, room(), look)
        assert coverage_of(mended.trajectory(54, 96)).min() >= BACKED and mended.target is None


def test_turn_back_leaves_the_way():
    path = path_of(((0, 0, 0), AHEAD), ((0.1, 0, 0.2), yaw(70)), seconds=20.0)
    mended = turn_back(path, look)
    assert (mended.positions == path.positions).all() and coverage_of(mended.trajectory(54, 96)).min() >= BACKED
    turned = 2 * np.degrees(np.arccos(mended.keys[1].orientation[0]))
    assert 2 < turned < 20


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0])
def test_weaker_is_shortened_of_every_camera(factor):
    """The spline moves with its keys, so scaling keys scales the cameras between them."""
    path = path_of(((0, 0, 0), AHEAD), ((1, 0.2, 0), AHEAD), ((1, 0, 2), AHEAD), ((0, 0, 3), AHEAD))
    full, part = (p.trajectory(54, 96).c2w[:, :3, 3] for p in (path, weaker(path, factor)))
    np.testing.assert_allclose(part, factor * full, atol=1e-12)


def test_cut_ends_where_the_path_was():
    path = BAD["turns"]
    part = cut(path, 0.6)
    np.testing.assert_allclose(part.sample([0.6]).c2w, path.sample([0.6]).c2w, atol=1e-12)
    assert part.duration == 0.6 and cut(path, 9.0) is path


def test_the_last_key_is_reached():
    path = BAD["travels"]
    clip = path.trajectory(54, 96)
    assert "unreached" not in {f.kind for f in check_path(clip, D, path=path)}
    finding = check_path(clip[:-3], D, path=path)[-1]
    assert finding.kind == "unreached" and finding.repair is None and finding.value > 0.01


@pytest.mark.parametrize("lens", [12.0, 110.0])
def test_the_photos_own_lens_is_no_finding(lens):
    path = path_of(((0, 0, 0), AHEAD), ((0, 0, 0.1), AHEAD), fov=lens)
    assert check_path(path.trajectory(54, 96), D) == [] and repaired(path, "fit_lens", PHOTO, D) == path


def test_a_photo_taken_close_to_something_is_no_finding():
    depth = np.full((54, 96), D)
    depth[40:] = 0.2  # a sill right before the camera
    assert check_path(CALM.trajectory(54, 96)[:12], D, depth, PHOTO) == []
    assert check_path(CALM.trajectory(54, 96), D, np.zeros((54, 96)), PHOTO) == []  # nothing known, nothing near


def test_bad_input_is_refused():
    clip = CALM.trajectory(54, 96)
    with pytest.raises(ValueError, match=r"depth has shape \(9, 9\), must be that of its camera, \(54, 96\)"):
        check_path(clip, D, np.ones((9, 9)), PHOTO)
    with pytest.raises(ValueError, match=r"coverage has shape \(3,\), must be \(96,\)"):
        check_path(clip, D, outlook=Outlook(np.ones(3), np.zeros(96)))
    with pytest.raises(ValueError, match=r"torn has shape \(3,\), must be \(96,\)"):
        check_path(clip, D, outlook=Outlook(np.ones(96), np.zeros(3)))
    with pytest.raises(ValueError, match="distance=0 must be"):
        check_path(clip, 0)
    with pytest.raises(ValueError, match="Unknown repair 'sink'"):
        repaired(CALM, "sink", PHOTO, D)
    with pytest.raises(ValueError, match="keep_honest needs to look at paths"):
        repaired(CALM, "keep_honest", PHOTO, D)


def test_repairs_leave_a_fine_path_alone():
    for name in REPAIRS:
        assert repaired(CALM, name, PHOTO, D, room(), look) == CALM
    assert lift(CALM, D, lambda path: True) == CALM and shorten(CALM, lambda path: True) == CALM


def test_every_move_is_calm_at_its_length_and_hurried_in_a_quarter_of_it():
    for preset in load_moves().values():
        name, frames = preset.move, round(24 * preset.seconds)
        clips = [move(name, PHOTO, distance=D, frames=count) for count in (frames, frames // 4)]
        kinds = [{finding.kind for finding in check_path(clip, D)} for clip in clips]
        assert not kinds[0] & {"turns", "travels"}, name
        assert kinds[1] & {"turns", "travels"} or name in ("steady-hold", "lens-zoom"), name

"""Editable paths: laws of the spline, keys from trajectories and strokes, edits, and what is refused."""

import json
import math
import pathlib
import re

import numpy as np
import pytest

from pipelines.cameras import MOVES, Camera, Key, Path, Trajectory, move, project
from pipelines.cameras.__main__ import PAGES
from pipelines.cameras.curve import focal, fov, num_frames, spline
from pipelines.cameras.easing import EASES
from pipelines.cameras.fitting import fit_error
from pipelines.cameras.rotations import degrees_between, quaternion, roll, rotation

DOCS = pathlib.Path(__file__).parents[3] / "docs"
AHEAD = (1.0, 0.0, 0.0, 0.0)


def random_path(seed: int, closed: bool = False, target: bool = False, calm: bool = False) -> Path:
    """2..12 keys of any kind; calm: no roll, one lens, even speed."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(4 if closed else 2, 13))
    times = np.concatenate([[0], np.cumsum(rng.uniform(0.2, 2.0, count - 1))])
    keys = []
    for time in times.tolist():
        position = tuple(rng.normal(size=3).tolist())
        q = tuple((rng.normal(size=4) * rng.uniform(0.5, 2)).tolist())
        rest = () if calm else (rng.uniform(-40, 40), rng.uniform(20, 90), rng.choice(list(EASES)).item())
        keys.append(Key(time, position, q, *rest))
    if closed:
        first = keys[0]
        keys[-1] = Key(times[-1].item(), first.position, first.orientation, first.roll, first.fov)
    return Path(tuple(keys), closed, tuple(rng.normal(size=3) * 5) if target else None)


ALL_KINDS = [(seed, seed % 3 == 1, seed % 5 == 2) for seed in range(20)]


def line_path(positions, **key) -> Path:
    return Path(tuple(Key(float(i), tuple(map(float, p)), AHEAD, **key) for i, p in enumerate(positions)))


def textbook(points: np.ndarray, i: int, u: float, closed: bool, sign: float = 1) -> np.ndarray:
    """Barry and Goldman's pyramid as printed, one point at a time."""
    n = len(points)

    def same(a, b):
        return np.linalg.norm(a - b) <= 1e-9

    p1, p2 = points[i], points[i + 1]
    if same(p1, p2):
        return p1
    before = points[i - 1] if i else points[n - 2] * sign if closed else None
    after = points[i + 2] if i + 2 < n else points[1] * sign if closed else None
    p0 = 2 * p1 - p2 if before is None or same(before, p1) else before
    p3 = 2 * p2 - p1 if after is None or same(after, p2) else after
    t0 = 0
    t1 = t0 + np.linalg.norm(p1 - p0) ** 0.5
    t2 = t1 + np.linalg.norm(p2 - p1) ** 0.5
    t3 = t2 + np.linalg.norm(p3 - p2) ** 0.5
    t = t1 + u * (t2 - t1)
    A1 = (t1 - t) / (t1 - t0) * p0 + (t - t0) / (t1 - t0) * p1
    A2 = (t2 - t) / (t2 - t1) * p1 + (t - t1) / (t2 - t1) * p2
    A3 = (t3 - t) / (t3 - t2) * p2 + (t - t2) / (t3 - t2) * p3
    B1 = (t2 - t) / (t2 - t0) * A1 + (t - t0) / (t2 - t0) * A2
    B2 = (t3 - t) / (t3 - t1) * A2 + (t - t1) / (t3 - t1) * A3
    return (t2 - t) / (t2 - t1) * B1 + (t - t1) / (t2 - t1) * B2


# -- the curve ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_the_spline_is_the_textbooks(seed, closed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(6, int(rng.integers(1, 5))))
    points[3] = points[2] if seed % 2 else points[3]  # a segment of no length
    points[-1] = points[0]
    at = [(i, u) for i in range(5) for u in (0.0, 0.21, 0.5, 0.93, 1.0)]
    found = spline(points, np.array([i for i, _ in at]), np.array([u for _, u in at]), closed)
    np.testing.assert_allclose(found, [textbook(points, i, u, closed) for i, u in at], atol=1e-12)


@pytest.mark.parametrize(("seed", "closed", "target"), ALL_KINDS)
def test_passes_through_its_keys(seed, closed, target):
    path = random_path(seed, closed, target)
    views = path.sample(path.times)
    assert (views.c2w[:, :3, 3] == path.positions).all()  # exact
    np.testing.assert_allclose(views.fov, [key.fov for key in path.keys], rtol=1e-13)
    if not target:
        full = [rotation(key.orientation) @ roll(key.roll) for key in path.keys]
        np.testing.assert_allclose(views.c2w[:, :3, :3], full, atol=1e-14)


def test_never_overshoots_on_a_straight_line():
    """Keys in order along a line, however uneven their distances and times: the camera stays on it and never turns."""
    for seed in range(50):
        rng = np.random.default_rng(seed)
        along = np.concatenate([[0], np.cumsum(10 ** rng.uniform(-4, 2, 8))])
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        times = np.concatenate([[0], np.cumsum(rng.uniform(0.1, 3, 8))])
        ease = list(EASES)[seed % 4]
        keys = [Key(t, tuple(a * direction), AHEAD, ease=ease) for t, a in zip(times.tolist(), along, strict=True)]
        positions = Path(tuple(keys)).sample(np.linspace(0, times[-1], 3000)).c2w[:, :3, 3]
        gone = positions @ direction
        assert np.diff(gone).min() >= -1e-12 * along[-1]
        assert np.abs(positions - gone[:, None] * direction).max() < 1e-12 * along[-1]


def test_roll_and_lens_stay_between_their_keys():
    """In one dimension the spline never leaves the range of the two keys, also where the values turn round."""
    for seed in range(50):
        path = random_path(seed)
        times = np.linspace(0, path.duration, 2000)
        i = np.clip(np.searchsorted(path.times, times, side="right") - 1, 0, len(path.keys) - 2)
        fovs = np.array([key.fov for key in path.keys])
        seen = path.sample(times).fov
        assert (seen >= np.minimum(fovs[i], fovs[i + 1]) - 1e-9).all()
        assert (seen <= np.maximum(fovs[i], fovs[i + 1]) + 1e-9).all()


@pytest.mark.parametrize(("seed", "closed"), [(seed, seed % 3 == 1) for seed in range(20)])
def test_no_jump_and_no_corner_at_keys(seed, closed):
    """C0 everywhere; the direction of travel is the same on both sides of every inner key, and across a closed end."""
    points = random_path(seed, closed).positions
    inner = np.arange(len(points) if closed else len(points) - 2)
    h = 1e-6

    def tangent(segment, u):
        segment = np.asarray(segment)
        ends = [spline(points, segment, np.full(len(segment), v), closed) for v in (u - h / 2, u + h / 2)]
        direction = ends[1] - ends[0]
        return direction / np.linalg.norm(direction, axis=1, keepdims=True)

    if not len(inner):
        return
    before, after = inner, inner + 1
    if closed:
        before, after = (np.arange(len(points) - 1) - 1) % (len(points) - 1), np.arange(len(points) - 1)
    assert np.abs(tangent(before, 1 - h) - tangent(after, h)).max() < 1e-3
    near = spline(points, before, np.full(len(before), 1 - 1e-9), closed)
    np.testing.assert_allclose(near, spline(points, after, np.full(len(after), 1e-9), closed), atol=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_turns_are_continuous(seed):
    path = random_path(seed, closed=seed % 2 == 1)
    views = path.sample(np.linspace(0, path.duration, 20_001))
    coarse, fine = (degrees_between(R[1:], R[:-1]).max() for R in (views.c2w[::2, :3, :3], views.c2w[:, :3, :3]))
    assert fine < 0.55 * coarse < 3  # half the step, half the turn: a jump would stay
    np.testing.assert_allclose(
        views.c2w[:, :3, :3] @ np.swapaxes(views.c2w[:, :3, :3], 1, 2), np.tile(np.eye(3), (20_001, 1, 1)), atol=1e-12
    )


def test_a_key_given_twice_stands_still_and_parts_the_way():
    a, b, c, d = np.random.default_rng(3).normal(size=(4, 3)).tolist()
    whole = line_path([a, b, b, c, d])
    still = whole.sample(np.linspace(1, 2, 20)).c2w
    assert (still == still[0]).all()
    times = np.linspace(0, 1, 20)
    np.testing.assert_allclose(whole.sample(times).c2w, line_path([a, b]).sample(times).c2w, atol=1e-15)
    times = np.linspace(0, 2, 20)
    np.testing.assert_allclose(whole.sample(times + 2).c2w, line_path([b, c, d]).sample(times).c2w, atol=1e-14)
    all_one = line_path([a, a, a]).sample(np.linspace(0, 2, 9)).c2w
    assert (all_one == all_one[0]).all()


@pytest.mark.parametrize(("seed", "closed"), [(seed, seed % 2 == 1) for seed in range(10)])
def test_a_quaternion_and_its_opposite_are_one_turn(seed, closed):
    path = random_path(seed, closed)
    data = path.to_dict()
    for i, key in enumerate(data["keys"]):
        if (i + seed) % 3:
            key["orientation"] = [-x for x in key["orientation"]]
    times = np.linspace(0, path.duration, 100)
    np.testing.assert_allclose(Path.from_dict(data).sample(times).c2w, path.sample(times).c2w, atol=1e-14)


@pytest.mark.parametrize(("seed", "closed"), [(seed, seed % 3 == 1) for seed in range(12)])
def test_moves_with_the_world(seed, closed):
    """A rigid motion and a scale of all keys do the same to every camera between them."""
    path = random_path(seed, closed)
    rng = np.random.default_rng(100 + seed)
    turn, shift, scale = rotation(quaternion(np.linalg.qr(rng.normal(size=(3, 3)))[0])), rng.normal(size=3), 2.5
    keys = [
        Key(k.time, tuple(scale * turn @ k.position + shift), tuple(quaternion(turn @ rotation(k.orientation))))
        for k in path.keys
    ]
    plain = [Key(k.time, k.position, k.orientation) for k in path.keys]
    times = np.linspace(0, path.duration, 200)
    there = Path(tuple(keys), closed).sample(times).c2w
    here = Path(tuple(plain), closed).sample(times).c2w
    np.testing.assert_allclose(there[:, :3, :3], turn @ here[:, :3, :3], atol=1e-12)
    np.testing.assert_allclose(there[:, :3, 3], scale * here[:, :3, 3] @ turn.T + shift, atol=1e-12)


def test_a_target_stays_in_the_middle_and_the_horizon_level():
    path = random_path(7, target=True, calm=True)
    for camera in path.trajectory(90, 160):
        pixel, depth = project(np.array(path.target), camera)
        np.testing.assert_allclose(pixel, [80, 45], atol=1e-9)
        assert depth > 0 and abs(camera.c2w[1, 0]) < 1e-12 and camera.c2w[1, 1] > 0  # right is level, down is down
    above = line_path([[0, -3, 0], [0, 0, 0], [0, 2, 0]])  # straight above, on the target, straight below
    c2w = Path(above.keys, target=(0, 0, 0)).sample(above.times).c2w[:, :3, :3]
    np.testing.assert_allclose(np.linalg.det(c2w), 1)
    np.testing.assert_allclose(c2w[:, :, 2], [[0, 1, 0], [0, 0, 1], [0, -1, 0]])


def test_roll_turns_the_camera_clockwise():
    path = Path((Key(0, (0, 0, 0), AHEAD), Key(1, (0, 0, 0), AHEAD, roll=90)))
    np.testing.assert_allclose(path.sample([1.0]).c2w[0, :3, 0], [0, 1, 0], atol=1e-15)  # its right points down


# -- frames ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "closed", "target"), ALL_KINDS[:8])
def test_first_and_last_frame_are_the_first_and_last_key(seed, closed, target):
    path = random_path(seed, closed, target)
    clip = path.trajectory(54, 96)
    ends = path.sample(np.array([0, path.duration]))
    assert clip.loop == closed and (clip.c2w[0] == ends.c2w[0]).all()
    clip = clip.with_return()  # the last key of a closed path is its first one: what follows the last frame
    assert np.abs(clip.c2w[-1] - ends.c2w[1]).max() <= (1e-12 if closed else 0)
    assert clip.K[-1, 0, 0] == pytest.approx(48 / math.tan(math.radians(path.keys[-1].fov) / 2), rel=1e-13)
    assert (clip.K[:, :2, 2] == [48, 27]).all() and (clip.K[:, 0, 0] == clip.K[:, 1, 1]).all()


@pytest.mark.parametrize(("seed", "target"), [(seed, target) for seed, closed, target in ALL_KINDS if closed])
def test_the_step_that_closes_a_drawn_loop_is_as_long_as_those_beside_it(seed, target):
    """Where the keys beside the seam are equally far apart in time and space, as on a circle."""
    angles = np.linspace(0, 2 * np.pi, 13)
    circle = [(math.sin(a) * 0.3, 0.1 * math.sin(seed) * math.sin(a), 0.3 - math.cos(a) * 0.3) for a in angles]
    path = Path(
        tuple(Key(i / 3, p, AHEAD) for i, p in enumerate([*circle[:-1], circle[0]])),
        True,
        (0, 0, 9) if target else None,
    )
    around = path.trajectory(54, 96).with_return().c2w[:, :3, 3]
    steps = np.linalg.norm(np.diff(around, axis=0), axis=1)
    assert steps[-1] == pytest.approx(steps[-2], rel=0.03) and steps[-1] == pytest.approx(steps[0], rel=0.03)


def test_key_at_the_photo_gives_exactly_its_camera():
    photo = Camera.from_fov(60, 288, 512)
    clip = line_path([[0, 0, 0], [1, 0, 0]], fov=60.0).trajectory(288, 512)
    assert (clip.c2w[0] == np.eye(4)).all()
    np.testing.assert_allclose(clip.K[0], photo.K, rtol=1e-14)


@pytest.mark.parametrize("fps", [1, 16, 23.976, 24, 30])
@pytest.mark.parametrize("seconds", [0.25, 1, 3.9, 4, 7.77, 60])
def test_a_clip_takes_as_long_as_its_path(seconds, fps):
    frames = num_frames(seconds, fps)
    assert frames == 2 or abs(frames - seconds * fps) <= 0.5
    assert num_frames(4, 24) == 96 and line_path([[0, 0, 0], [1, 0, 0]]).retimed(4).trajectory(9, 16).seconds == 4


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((0, 9, 16), "height=0 must be"),
        ((9, 1.5, 16), "width=1.5 must be a whole number"),
        ((9, 16, math.nan), "fps=nan must be a number from 1 to 240"),
        ((9, 16, 1e300), "fps=1e.300 must be"),
        ((9, 16, 100), r"has 6000 frames at fps=100, must be at most 2000. Use fps=33 or less"),
    ],
)
def test_a_clip_that_cannot_be_is_refused_before_it_is_made(size, message):
    with pytest.raises((ValueError, TypeError), match=message):
        line_path([[0, 0, 0], [1, 0, 0]]).retimed(60).trajectory(*size)
    assert len(line_path([[0, 0, 0], [1, 0, 0]]).retimed(60).trajectory(9, 16, 32)) <= 2000


# -- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "closed", "target"), ALL_KINDS)
def test_json_keeps_every_bit(seed, closed, target, tmp_path):
    path = random_path(seed, closed, target)
    assert Path.from_dict(json.loads(json.dumps(path.to_dict(), allow_nan=False))) == path
    path.save(tmp_path / "path.json")
    assert Path.load(tmp_path / "path.json") == path


def test_the_longest_path_fits_the_file_limit(tmp_path):
    rng = np.random.default_rng(0)
    keys = [Key(i * 0.1, tuple(rng.normal(size=3) * 1e-3), tuple(rng.normal(size=4))) for i in range(200)]
    Path(tuple(keys)).save(tmp_path / "long.json")
    assert len(Path.load(tmp_path / "long.json").keys) == 200


def key(**changes) -> dict:
    data = {"time": 1.0, "position": [0, 0, 1], "orientation": [1, 0, 0, 0], "fov": 60}
    for name, value in changes.items():
        data.pop(name) if value is None else data.update({name: value})
    return data


def path_with(*second, **changes) -> dict:
    keys = [key(time=0), *(second or [key()])]
    return {"version": 1, "keys": keys, **changes}


BAD_PATHS = [
    ([], "The path must be a JSON object, got list"),
    ({"version": 1}, "lacks keys"),
    (path_with(version=2), "version is 2, only 1 is read"),
    (path_with(version=True), "version is True"),
    (path_with(keys={}), "keys are dict, must be a list"),
    (path_with(keys=[key(time=0)]), r"has 1 keys, must be 2\.\.200. Add a key"),
    (path_with(keys=[None] * 10_000), r"has 10000 keys, must be 2\.\.200. Remove keys"),
    (path_with(None), "Key 2 must be a JSON object, got NoneType"),
    (path_with(key(fov=None)), "Key 2 lacks fov"),
    (path_with(key(title="<img onerror=alert(1)>")), "Key 2 has unknown fields title"),
    (path_with(key(name="x" * 41)), "one line of at most 40 letters"),
    (path_with(key(name="two\nlines")), "one line of at most 40 letters"),
    (path_with(key(name=7)), "one line of at most 40 letters"),
    (json.loads('{"version": 1, "keys": [], "__proto__": {"closed": true}}'), "unknown fields __proto__"),
    (path_with(key(__proto__={})), "Key 2 has unknown fields __proto__"),
    (path_with(key(time=0)), "Key 2: time=0 must be later than key 1"),
    (path_with(key(time=2), key(time=1)), r"Key 3: time=1 must be later than key 2 \(2\). Sort"),
    ({"version": 1, "keys": [key(time=1), key(time=2)]}, "Key 1: time=1 must be 0. Subtract 1"),
    (path_with(key(time=0.2)), r"Key 2: time=0.2 is the length of the path, must be 0.25\.\.60"),
    (path_with(key(time=61)), "Key 2: time=61 must be a number from 0 to 60 seconds"),
    (path_with(key(time=math.nan)), "Key 2: time=nan must be"),
    (path_with(key(time="1")), "Key 2: time='1' must be"),
    (path_with(key(time=True)), "Key 2: time=True must be"),
    (path_with(key(position=[0, math.nan, 0])), r"Key 2: position\[1\]=nan must be"),
    (path_with(key(position=[0, 0, 1e308])), r"Key 2: position\[2\]=1e\+308 must be"),
    (path_with(key(position=[0, 0, 10**400])), r"Key 2: position\[2\]=1000"),
    (path_with(key(position=[0, 0, 1e5])), "Key 2: position is 1e.05 scene units away, must be within 10000"),
    (path_with(key(position=[0, 0])), "position must be a list of 3 numbers, got 2 values"),
    (path_with(key(position="012")), "position must be a list of 3 numbers, got str"),
    (path_with(key(position=[0, [0], 0])), r"position\[1\]=\[0\] must be"),
    (path_with(key(orientation=[0, 0, 0, 0])), "Key 2: orientation is a quaternion of length 0, must be 1"),
    (path_with(key(orientation=[1e308, 0, 0, 0])), r"orientation\[0\]=1e\+308"),
    (path_with(key(orientation=[1e200, 1e200, 0, 0])), r"quaternion of length 1.41e\+200"),
    (path_with(key(orientation=[1, 0, 0, math.inf])), r"orientation\[3\]=inf"),
    (path_with(key(roll=1e308)), r"Key 2: roll=1e\+308 must be a number from -3600 to 3600 degrees"),
    (path_with(key(fov=0.5)), "Key 2: fov=0.5 must be a number from 1 to 179 degrees"),
    (path_with(key(fov=180)), "fov=180"),
    (path_with(key(ease="${alert(1)}")), "Key 2: ease='.*' must be one of linear, in, out, smooth"),
    (path_with(key(ease=[])), "must be one of linear"),
    (path_with(closed=1), "closed=1 must be true or false"),
    (path_with(key(position=[0, 0, 2]), closed=True), "Key 2: a closed path must end at key 1 .* is 1 away"),
    (path_with(target=[0, 0]), "target must be a list of 3 numbers"),
    (path_with(target=[0, 0, math.inf]), r"target\[2\]=inf"),
]


@pytest.mark.parametrize(("data", "message"), BAD_PATHS)
def test_bad_paths_are_refused_with_a_sentence(data, message):
    with pytest.raises(ValueError, match=message) as caught:
        Path.from_dict(data)
    assert len(str(caught.value)) < 400  # whatever was sent, it does not fill the page


def test_bad_files_are_refused(tmp_path):
    for text, message in (("{", "x.json is not JSON"), ("{}", "x.json: The path lacks"), (" " * 300_000, "is over")):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(ValueError, match=message):
            Path.load(tmp_path / "x.json")


# -- keys from a trajectory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [33, 65, 129])
@pytest.mark.parametrize("name", MOVES)
def test_every_move_of_the_gallery_opens_as_few_keys(name, frames):
    clip = move(name, Camera.from_fov(60, 288, 512), distance=2.3, frames=frames)
    path = Path.from_trajectory(clip)
    off, degrees, zoom = fit_error(path, clip)
    print(f"{name}: {len(path.keys)} keys, {off:.2%} of the way, {degrees:.2f} degrees, {zoom:.2%} of the focal")
    assert off <= 0.01 and degrees <= 0.3 and zoom <= 0.01 and len(path.keys) <= 24
    again = path.trajectory(288, 512)
    assert len(again) == len(clip) and again.is_closed == clip.is_closed == path.closed
    ends = [path.with_return().c2w[[0, -1]] for path in (again, clip)]
    np.testing.assert_allclose(*ends, atol=1e-15)
    np.testing.assert_allclose(again.K[0], clip.K[0], rtol=1e-14)


def test_so_many_keys_as_asked():
    clip = move("gentle-arc", Camera.from_fov(60, 288, 512), distance=2.0)
    errors = [fit_error(Path.from_trajectory(clip, keys=count), clip)[0] for count in (2, 4, 8, 16)]
    assert [len(Path.from_trajectory(clip, keys=count).keys) for count in (2, 4, 8, 16)] == [2, 4, 8, 16]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.005
    with pytest.raises(ValueError, match=r"keys=1 must be 2\.\.200"):
        Path.from_trajectory(clip, keys=1)


def test_a_path_becomes_keys_again():
    """A path of its own is found again, whatever its world, roll and lens."""
    path = random_path(4).retimed(6)
    clip = path.trajectory(54, 96, fps=16)
    off, degrees, zoom = fit_error(Path.from_trajectory(clip, max_keys=97), clip)
    assert off <= 0.01 and degrees <= 0.3 and zoom <= 0.01


def test_what_cannot_be_edited_is_refused():
    clip = move("push-in", Camera.from_fov(60, 288, 512), distance=2.0, frames=8)
    with pytest.raises(ValueError, match="1 frames and takes 0 s, must be at least 2 frames"):
        Path.from_trajectory(clip[:1])
    far = clip.c2w.copy()
    far[3, 0, 3] = 9e3
    with pytest.raises(ValueError, match="Frame 3 is at .* Scale the trajectory"):
        Path.from_trajectory(Trajectory(far, clip.K, 288, 512))


# -- edits ----------------------------------------------------------------------------------------------------------


def test_retimed_keeps_the_way():
    path = random_path(6)
    slow = path.retimed(2 * path.duration)
    times = np.linspace(0, path.duration, 40)
    np.testing.assert_allclose(slow.sample(2 * times).c2w, path.sample(times).c2w, atol=1e-10)
    with pytest.raises(ValueError, match="seconds=61"):
        path.retimed(61)


def test_aimed_leaves_the_photos_camera():
    path = random_path(9, calm=True)
    aimed = path.aimed((0, 0, 5))
    assert aimed.keys[0] == path.keys[0] and aimed.target is None
    c2w = aimed.sample(aimed.times).c2w[1:]
    to_point = np.array([0, 0, 5]) - c2w[:, :3, 3]
    np.testing.assert_allclose(c2w[:, :3, 2], to_point / np.linalg.norm(to_point, axis=1, keepdims=True), atol=1e-12)


def test_lens_and_field_of_view_are_one_thing():
    fovs = np.linspace(1, 179, 50)
    np.testing.assert_allclose(fov(focal(fovs)), fovs, rtol=1e-12)
    assert focal(90) == pytest.approx(0.5)


# -- the published schemas --------------------------------------------------------------------------------------------


def fits(data, schema: dict) -> bool:
    """As much of JSON Schema as ours use; an unknown word in them is an error here, so that it cannot be overlooked."""
    known = {"$schema", "title", "default", "type", "const", "enum", "anyOf", "minimum", "maximum", "items", "minItems"}
    assert schema.keys() <= known | {
        "maxItems",
        "maxLength",
        "pattern",
        "properties",
        "required",
        "additionalProperties",
    }, schema.keys()
    number = isinstance(data, (int, float)) and not isinstance(data, bool)
    types = {
        "object": isinstance(data, dict),
        "array": isinstance(data, list),
        "number": number,
        "integer": number and data % 1 == 0,
        "boolean": isinstance(data, bool),
        "null": data is None,
        "string": isinstance(data, str),
    }
    if isinstance(data, str) and "pattern" in schema and not re.search(schema["pattern"], data):
        return False
    if isinstance(data, str) and len(data) > schema.get("maxLength", len(data)):
        return False
    if "anyOf" in schema and not any(fits(data, choice) for choice in schema["anyOf"]):
        return False
    if not types.get(schema.get("type"), True) or data not in schema.get("enum", [data]):
        return False
    if "const" in schema and (data != schema["const"] or isinstance(data, bool)):
        return False
    if number and not schema.get("minimum", data) <= data <= schema.get("maximum", data):
        return False
    if isinstance(data, list):
        right_count = schema.get("minItems", 0) <= len(data) <= schema.get("maxItems", math.inf)
        return right_count and all(fits(item, schema.get("items", {})) for item in data)
    if isinstance(data, dict):
        fields = schema.get("properties", {})
        right_names = set(schema.get("required", ())) <= data.keys() <= fields.keys()
        return right_names and all(fits(data[name], fields[name]) for name in data)
    return True


@pytest.mark.parametrize("name", [name for name in PAGES if name.endswith(".json")])
def test_the_schemas_in_docs_are_those_of_the_code(name):
    assert (DOCS / name).read_text() == PAGES[name](), f"python -m pipelines.cameras {name} > docs/{name}"


@pytest.mark.parametrize(("seed", "closed", "target"), ALL_KINDS[:6])
def test_what_is_written_fits_the_schema(seed, closed, target):
    path = random_path(seed, closed, target)
    assert fits(path.to_dict(), Path.json_schema())
    assert fits(path.trajectory(54, 96).to_dict(), Trajectory.json_schema())
    assert fits(path_with(), Path.json_schema())  # without what may be left out


def test_what_the_schema_refuses_is_refused_and_most_of_the_rest_too():
    """The schema cannot say that times increase, that quaternions are not 0, how far a point is, and closedness."""
    refused = [data for data, _ in BAD_PATHS if not fits(data, Path.json_schema())]
    only_when_read = [message for data, message in BAD_PATHS if fits(data, Path.json_schema())]
    assert len(refused) > 20
    for message in only_when_read:
        assert any(word in message for word in ("time=", "quaternion", "scene units away", "closed path")), message

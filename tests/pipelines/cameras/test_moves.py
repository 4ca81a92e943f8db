import numpy as np
import pytest

from pipelines.cameras import MOVES, Camera, Trajectory, move, project, shortened, steps_over_cap
from pipelines.cameras.easing import smooth, soft_ends
from pipelines.cameras.rotations import degrees_between
from pipelines.limits import TURN_DEGREES
from presets.schema import load_moves

NAMES = (
    "push-in pull-back side-slide gentle-arc look-around parallax-breath there-and-back lens-zoom steady-hold".split()
)
MIRRORED = [name for name in MOVES if MOVES[name].mirrors]
DEFAULT_FRAMES = {preset.move: round(24 * preset.seconds) for preset in load_moves().values()}
PHOTO = Camera.from_fov(60, 288, 512)


def photo_elsewhere() -> Camera:
    """A portrait photo with an off-centre principal point, somewhere in the world."""
    Q, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    c2w = np.eye(4)
    c2w[:3, :3], c2w[:3, 3] = Q * np.sign(np.linalg.det(Q)), [4, -2, 7]
    return Camera([[410.0, 0, 130.5], [0, 405.0, 260.25], [0, 0, 1]], c2w, 512, 288)


def test_the_nine_are_registered():
    assert list(MOVES) == NAMES


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("photo", [PHOTO, photo_elsewhere()], ids=["origin", "elsewhere"])
def test_starts_at_the_photo_and_loops_when_it_says_so(name, photo):
    path = move(name, photo, distance=2.3, frames=DEFAULT_FRAMES[name])
    assert len(path) == DEFAULT_FRAMES[name] and path.fps == 24
    assert path[0] == photo  # exact
    assert path.is_closed == path.loop == MOVES[name].closed
    if path.loop:
        assert len(path.with_return()) == len(path) + 1 and path.with_return()[-1] == photo  # exact
    assert np.abs(path.K - photo.K).max() > 1 if MOVES[name].zooms else (path.K == photo.K).all()
    still = (path.c2w == photo.c2w).all()
    assert still == MOVES[name].zooms


LAST_KEYS = {  # what the definitions say the last camera is, for D = 2: position, yaw in degrees, focal ratio
    "push-in": ([0, 0, 0.5], 0, 1),
    "pull-back": ([0, 0, -0.7], 0, 1),
    "side-slide": ([0.44, 0, 0], 0, 1),
    "gentle-arc": ([2 * np.sin(np.radians(20)), 0, 2 - 2 * np.cos(np.radians(20))], -20, 1),
    "lens-zoom": ([0, 0, 0], 0, 1.35),
}


@pytest.mark.parametrize("name", [name for name in MOVES if not MOVES[name].closed])
@pytest.mark.parametrize("frames", [5, 65, 129])
def test_last_frame_is_the_last_key(name, frames):
    last = move(name, PHOTO, distance=2.0, frames=frames)[-1]
    position, yaw, zoom = LAST_KEYS[name]
    np.testing.assert_allclose(last.position, position, rtol=0, atol=1e-15)
    np.testing.assert_allclose(last.c2w[:3, 2], [np.sin(np.radians(yaw)), 0, np.cos(np.radians(yaw))], atol=1e-15)
    assert last.K[0, 0] == PHOTO.K[0, 0] * zoom and last.K[1, 1] == PHOTO.K[1, 1] * zoom


@pytest.mark.parametrize("name", MOVES)
def test_double_distance_doubles_travel_and_nothing_else(name):
    once, twice = (move(name, PHOTO, distance, frames=33) for distance in (1.7, 3.4))
    assert (twice.c2w[:, :3, 3] == 2 * once.c2w[:, :3, 3]).all()  # a power of two is exact
    np.testing.assert_allclose(twice.c2w[:, :3, :3], once.c2w[:, :3, :3], atol=1e-15)
    assert (twice.K == once.K).all()


@pytest.mark.parametrize("name", MIRRORED)
def test_left_is_the_mirror_of_right(name):
    params = {"base": "gentle-arc"} if name == "there-and-back" else {}
    left, right = (move(name, PHOTO, 2.0, frames=33, direction=side, **params) for side in ("left", "right"))
    mirror = np.diag([-1.0, 1, 1, 1])
    assert (left.c2w == mirror @ right.c2w @ mirror).all() and not (left.c2w == right.c2w).all()
    sideways = right.c2w[:, 0, 3] if name != "look-around" else right.c2w[:, 0, 2]
    assert sideways[4] > 0  # right means right


@pytest.mark.parametrize("name", MOVES)
def test_strength_scales_the_motion(name):
    def amount(strength):
        path = move(name, PHOTO, 2.0, frames=33, strength=strength)
        zoom = np.abs(np.log(path.K[:, 0, 0] / PHOTO.K[0, 0])).max()
        return np.linalg.norm(path.c2w - np.eye(4), axis=(1, 2)).max() + zoom

    assert amount(0.1) < amount(0.5) < amount(1.0) < amount(1.5)
    assert amount(0.5) == pytest.approx(amount(1.0) / 2, rel=0.05)  # not exact: an arc is curved


@pytest.mark.parametrize("name", MOVES)
def test_default_length_is_inside_the_speed_cap(name):
    frames = DEFAULT_FRAMES[name]
    for choice in [{}, {"base": "gentle-arc"}] if name == "there-and-back" else [{}]:
        assert steps_over_cap(move(name, PHOTO, 3.1, frames=frames, **choice), 3.1).size == 0


def test_steps_over_cap_finds_the_fast_part():
    """One jump between frames 9 and 10: exactly the steps that span it are named. Then the two limits themselves."""
    c2w = np.tile(np.eye(4), (21, 1, 1))
    c2w[10:, 2, 3] = 0.081
    path = Trajectory(c2w, np.tile(PHOTO.K, (21, 1, 1)), 288, 512, fps=16)
    assert steps_over_cap(path, distance=2.0).tolist() == [6, 7, 8, 9]
    assert steps_over_cap(path, distance=2.1).tolist() == []
    assert steps_over_cap(path[:4], distance=2.0).tolist() == []
    for degrees, is_fast in ((TURN_DEGREES, False), (1.01 * TURN_DEGREES, True)):  # in six of 24 frames
        c2w = np.tile(np.eye(4), (12, 1, 1))
        for frame, angle in enumerate(np.radians(degrees) * np.arange(12) / 6):
            c2w[frame, 0, :3], c2w[frame, 2, :3] = (np.cos(angle), 0, np.sin(angle)), (-np.sin(angle), 0, np.cos(angle))
        turn = Trajectory(c2w, np.tile(PHOTO.K, (12, 1, 1)), 288, 512)
        assert (steps_over_cap(turn, 1.0).size > 0) == is_fast


def test_there_and_back_returns_on_its_own_track():
    for base in ("push-in", "gentle-arc"):
        for frames in (128, 129):
            path = move("there-and-back", PHOTO, 2.0, frames=frames, base=base).with_return()
            assert (path.c2w == path.c2w[::-1]).all()
        assert move("there-and-back", PHOTO, 2.0, frames=128, base=base)[:65] == move(base, PHOTO, 2.0, frames=65)


def jumps(path: Trajectory) -> np.ndarray:
    """(T,) how far the view moves from every frame to the next, and from the last one to the first."""
    around = path.with_return()
    turns = degrees_between(around.c2w[:-1, :3, :3], around.c2w[1:, :3, :3])
    return np.linalg.norm(np.diff(around.c2w[:, :3, 3], axis=0), axis=1) + np.radians(turns)


@pytest.mark.parametrize("frames", [72, 96, 101])
@pytest.mark.parametrize("name", [name for name in MOVES if MOVES[name].closed])
def test_the_step_that_closes_a_loop_is_as_long_as_those_beside_it(name, frames):
    for base in ("push-in", "gentle-arc"):
        path = move(name, PHOTO, 2.0, frames, **({"base": base} if name == "there-and-back" else {}))
        step = jumps(path)
        assert step[-1] > 0  # no round shows a frame twice
        # between its neighbours, or no more off than they are from theirs
        assert abs(step[-1] - (step[-2] + step[0]) / 2) <= np.abs(np.diff(step[[-3, -2, 0, 1]])).max() + 1e-12


@pytest.mark.parametrize("name", [name for name in MOVES if not MOVES[name].closed])
def test_a_move_that_stops_is_at_rest_there(name):
    path = move(name, PHOTO, 2.0, frames=96)
    pace = np.linalg.norm(np.diff(path.c2w, axis=0), axis=(1, 2)) + np.abs(np.diff(np.log(path.K[:, 0, 0])))
    assert max(pace[0], pace[-1]) < 0.08 * pace.max()


@pytest.mark.parametrize("name", ["gentle-arc", "parallax-breath"])
def test_subject_stays_in_the_middle(name):
    path = move(name, photo_elsewhere(), distance=2.0, frames=33)
    subject = path[0].c2w @ [0, 0, 2.0, 1]
    for camera in path:
        pixel, _ = project(subject[:3], camera)
        np.testing.assert_allclose(pixel, [130.5, 260.25], atol=1e-9)


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("photo", [PHOTO, photo_elsewhere()], ids=["origin", "elsewhere"])
def test_shortened_keeps_start_length_and_closedness(name, photo):
    path = move(name, photo, 2.0, frames=33)
    half, none = shortened(path, 0.5), shortened(path, 0)
    assert shortened(path, 1) == path
    assert half[0] == path[0] and len(half) == 33 and half.is_closed == path.is_closed
    np.testing.assert_allclose(none.c2w, np.tile(photo.c2w, (33, 1, 1)), atol=1e-14)
    np.testing.assert_allclose(none.K, np.tile(photo.K, (33, 1, 1)), rtol=1e-14)
    # twice half is whole: rotations relative to frame 0 are squared, offsets doubled, focal ratios squared
    relative, whole = photo.w2c @ half.c2w, photo.w2c @ path.c2w
    np.testing.assert_allclose(relative[:, :3, :3] @ relative[:, :3, :3], whole[:, :3, :3], atol=1e-12)
    np.testing.assert_allclose(2 * relative[:, :3, 3], whole[:, :3, 3], atol=1e-12)
    np.testing.assert_allclose((half.K[:, 0, 0] / photo.K[0, 0]) ** 2, path.K[:, 0, 0] / photo.K[0, 0], rtol=1e-12)
    if name in (
        "push-in",
        "pull-back",
        "side-slide",
        "look-around",
        "lens-zoom",
    ):  # no coupled aim: the same as strength
        weaker = move(name, photo, 2.0, frames=33, strength=0.5)
        np.testing.assert_allclose(half.c2w, weaker.c2w, atol=1e-12)
        np.testing.assert_allclose(half.K, weaker.K, rtol=1e-12)


def test_shortened_refuses_what_it_cannot_halve():
    with pytest.raises(ValueError, match=r"factor=1\.5 must be 0\.\.1"):
        shortened(move("push-in", PHOTO, 2.0), 1.5)
    behind = np.stack([np.eye(4), np.diag([-1.0, 1, -1, 1])])
    with pytest.raises(ValueError, match="Frame 1 turns by 180.0 degrees"):
        shortened(Trajectory(behind, np.stack([PHOTO.K] * 2), 288, 512), 0.5)


@pytest.mark.parametrize("ease", [smooth, soft_ends])
def test_easing_is_exact_at_the_ends_and_never_turns_back(ease):
    progress = ease(np.linspace(0, 1, 1001))
    assert progress[0] == 0 and progress[-1] == 1 and (np.diff(progress) > 0).all()


@pytest.mark.parametrize("frames", [0, 1, -7, 2001, 10**30, 65.0, True, "65"])
def test_bad_frames_are_refused_with_what_is_usual(frames):
    with pytest.raises(ValueError, match=rf"frames={frames!r} must be .* within 2..2000. Use 96, which are 4 seconds"):
        move("push-in", PHOTO, 2.0, frames=frames)


@pytest.mark.parametrize("frames", [2, 3, 8, 2000])
def test_limits_of_frames_are_inside(frames):
    assert len(move("there-and-back", PHOTO, 2.0, frames=frames)) == frames


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("dolly", {}, "Unknown move 'dolly'. Choose from push-in, pull-back"),
        ("push-in", {"strength": 2}, r"strength=2 must be 0\.1\.\.1\.5\. Use 1\."),
        ("push-in", {"strength": float("nan")}, "strength=nan"),
        ("push-in", {"strength": True}, "strength=True"),
        ("push-in", {"direction": "left"}, "push-in has no parameter direction. It takes travel, strength"),
        ("side-slide", {"direction": "up"}, "direction='up' must be one of left, right. Use right"),
        ("there-and-back", {"base": "there-and-back"}, "base='there-and-back' must be one of push-in, gentle-arc"),
        ("push-in", {"distance": 0}, r"distance=0 must be 0\.001"),
        ("push-in", {"distance": float("inf")}, "distance=inf"),
        ("push-in", {"distance": None}, "distance=None"),
        ("push-in", {"fps": 0}, "fps=0"),
    ],
)
def test_bad_moves_are_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        move(name, PHOTO, **{"distance": 2.0, **arguments})


@pytest.mark.parametrize("name", MOVES)
def test_every_extreme_of_every_parameter_makes_a_path(name):
    for key, param in MOVES[name].params.items():
        for value in getattr(param, "options", None) or (param.low, param.high):
            assert move(name, PHOTO, 2.0, frames=9, **{key: value})[0] == PHOTO

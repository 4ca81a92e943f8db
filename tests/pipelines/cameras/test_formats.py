"""Cameras in other tools' formats: what is written is read back, and what breaks a convention is refused."""

import copy
import json
import math
import sys

import numpy as np
import pytest

from pipelines.cameras import MOVES, Camera, Path, Trajectory, move, project
from pipelines.cameras.formats import (
    CORRECTIONS,
    FORMATS,
    corrected,
    doubts,
    from_blender,
    from_colmap,
    from_nerfstudio,
    from_realestate10k,
    from_spatia,
    read_cameras,
    save_cameras,
    to_blender,
    to_colmap,
    to_nerfstudio,
    to_realestate10k,
    to_spatia,
    write_cameras,
)
from pipelines.cameras.rotations import inverse, quaternion, rotation


def random_rotations(count: int) -> np.ndarray:
    Q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(count, 3, 3)))
    return Q * np.sign(np.linalg.det(Q))[:, None, None]


def random_path(count: int = 12) -> Trajectory:
    """Any pose and a lens that changes with every frame, off centre and with pixels that are not square."""
    rng = np.random.default_rng(1)
    c2w = np.tile(np.eye(4), (count, 1, 1))
    c2w[:, :3, :3] = random_rotations(count)
    c2w[:, :3, 3] = rng.normal(size=(count, 3)) * 20
    K = np.tile(np.eye(3), (count, 1, 1))
    K[:, [0, 1], [0, 1]] = rng.uniform(200, 900, (count, 2))
    K[:, :2, 2] = rng.uniform(100, 400, (count, 2))
    return Trajectory(c2w, K, 288, 512, 24)


def push_in() -> Trajectory:
    return move("push-in", Camera.from_fov(60, 288, 512), distance=2.0, frames=9)


ROUND_TRIPS = {
    "nerfstudio": lambda path: from_nerfstudio(json.loads(json.dumps(to_nerfstudio(path), allow_nan=False))),
    "colmap": lambda path: from_colmap(to_colmap(path), fps=path.fps),
    "re10k": lambda path: from_realestate10k(to_realestate10k(path), path.height, path.width, path.fps),
}


@pytest.mark.parametrize("round_trip", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
@pytest.mark.parametrize("path", [random_path(), random_path(1), push_in()], ids=["random", "one", "push-in"])
def test_what_is_written_is_read_back(round_trip, path):
    back = round_trip(path)
    assert (len(back), back.height, back.width, back.fps) == (len(path), path.height, path.width, path.fps)
    assert np.abs(back.c2w - path.c2w).max() < 1e-10 and np.abs(back.K - path.K).max() < 1e-10  # float64 throughout


@pytest.mark.parametrize("name", sorted(MOVES))
def test_every_move_survives_both_formats(name):
    path = move(name, Camera.from_fov(50, 512, 288), distance=1.5, frames=17)
    for round_trip in ROUND_TRIPS.values():
        back = round_trip(path)
        assert np.abs(back.c2w - path.c2w).max() < 1e-10 and np.abs(back.K - path.K).max() < 1e-10


def test_quaternions_and_rotations_are_one_thing():
    half_turns = [np.diag(signs) for signs in ([1.0, -1, -1], [-1, 1.0, -1], [-1, -1, 1.0])]
    for R in [*random_rotations(200), *half_turns, np.eye(3)]:
        q = quaternion(R)
        assert abs(np.linalg.norm(q) - 1) < 1e-12 and q[0] >= 0
        assert np.abs(rotation(q) - R).max() < 1e-12
    quarter_about_x = quaternion(np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]))
    assert np.allclose(quarter_about_x, [math.sqrt(0.5), math.sqrt(0.5), 0, 0])


def test_a_point_lands_on_the_same_pixel_by_each_formats_own_rules():
    """Projection as nerfstudio and COLMAP document it, written out here, against ours."""
    path, point = random_path(), np.array([0.3, -0.2, 0.5])
    transforms, model = to_nerfstudio(path), to_colmap(path)
    lenses = [line.split() for line in model["cameras.txt"].splitlines() if not line.startswith("#")]
    lenses = {words[0]: [float(x) for x in words[4:]] for words in lenses}
    images = [line.split() for line in model["images.txt"].splitlines() if line and not line.startswith("#")]
    checked = 0
    for camera, frame, image in zip(path, transforms["frames"], images, strict=True):
        pixel, depth = project(point, camera)
        if depth <= 0:
            continue
        checked += 1
        x, y, z, _ = np.linalg.inv(np.array(frame["transform_matrix"])) @ [*point, 1]  # +y up, looks along -z
        nerfstudio = frame["fl_x"] * x / -z + frame["cx"], frame["fl_y"] * -y / -z + frame["cy"]
        w, vector = float(image[1]), np.array([float(word) for word in image[2:5]])
        turned = point + 2 * np.cross(vector, np.cross(vector, point) + w * point)  # q p q*
        x, y, z = turned + [float(word) for word in image[5:8]]
        fx, fy, cx, cy = lenses[image[8]]
        assert np.allclose(nerfstudio, pixel) and np.allclose((fx * x / z + cx, fy * y / z + cy), pixel)
    assert checked > 2


def test_frames_that_share_a_lens_share_a_camera():
    lenses = to_colmap(push_in())["cameras.txt"].splitlines()
    assert len(lenses) == 2 and lenses[1].split()[:4] == ["1", "PINHOLE", "512", "288"]
    assert len(to_colmap(random_path(5))["cameras.txt"].splitlines()) == 6


def test_frames_are_read_in_the_order_of_their_numbers():
    path = push_in()
    data = to_nerfstudio(path)
    for number, frame in enumerate(data["frames"], start=5):
        frame["file_path"] = f"images/frame_{number}.png"  # 5 .. 13: as text, 10 would come before 5
    data["frames"].reverse()
    assert np.allclose(from_nerfstudio(data).c2w, path.c2w)
    files = to_colmap(path)
    head, *images = files["images.txt"].split("\n\n")[:-1]
    files["images.txt"] = "\n\n".join([*reversed(images), head, ""])
    assert np.allclose(from_colmap(files).c2w, path.c2w)


def test_what_other_tools_leave_out_is_understood():
    path = push_in()
    data = to_nerfstudio(path)
    for key in ("fl_x", "fl_y", "cx", "cy", "w", "h"):  # instant-ngp: one lens at the top, sizes as floats
        data[key] = float(data["frames"][0][key])
        for frame in data["frames"]:
            del frame[key]
    del data["fps"]
    assert from_nerfstudio(data) == from_nerfstudio(to_nerfstudio(path))
    files = to_colmap(path)
    K = path.K[0]
    files["cameras.txt"] = f"1 SIMPLE_PINHOLE 512 288 {K[0, 0]} {K[0, 2]} {K[1, 2]}\n"
    files["images.txt"] = files["images.txt"].replace("\n\n", "\n10.5 20.5 -1 7 8 3\n")  # with 2D points
    assert np.allclose(from_colmap(files).K, path.K)


def change(**entries):
    return lambda data: data["frames"][1].update(entries)


def mirrored(data):
    data["frames"][1]["transform_matrix"][0][0] *= -1


def scaled(data):
    data["frames"][1]["transform_matrix"] = (np.diag([2.0, 2, 2, 1]) @ data["frames"][1]["transform_matrix"]).tolist()


BAD_NERFSTUDIO = [
    (lambda data: data.update(frames=[]), "list of frames is empty, at least 1"),
    (lambda data: data.pop("frames"), "no list of frames"),
    (lambda data: data.update(frames={}), "no list of frames"),
    (lambda data: data["frames"][1].pop("fl_x"), "Frame 1 .* lacks fl_x"),
    (change(w=640), r"sizes \[\(288, 512\), \(288, 640\)\], must be one size"),
    (change(w=0.5), "must be a whole number of pixels"),
    (change(w=1e999), "must be a whole number of pixels"),
    (change(camera_model="WARPED"), "Frame 1 .* has the lens model WARPED, which is none of"),
    (change(fl_x=None, camera_angle_x=4.0), "camera_angle_x=4.0, must be a number from 0.01 to 3.13"),
    (change(fl_x=-400.0), "read as nerfstudio.*fx=-400"),
    (change(cx=math.nan), "read as nerfstudio.*NaN"),
    (change(transform_matrix=[[1, 0], [0, 1]]), r"has shape \(2, 2\), must be \(4, 4\)"),
    (change(transform_matrix="; DROP"), "read as nerfstudio"),
    (change(transform_matrix=[[math.nan] * 4] * 4), "NaN or infinity"),
    (mirrored, "mirrors the world"),
    (scaled, "is not rigid: its rotation is off by 3, at most 0.0001"),
    (lambda data: data.update(fps=0), "fps=0 must be"),
]


@pytest.mark.parametrize(("spoil", "message"), BAD_NERFSTUDIO)
def test_a_bad_transforms_json_is_refused_with_a_sentence(spoil, message):
    data = copy.deepcopy(to_nerfstudio(push_in()))
    spoil(data)
    with pytest.raises(ValueError, match=message):
        from_nerfstudio(data)


BAD_COLMAP = [
    (lambda f: f.pop("images.txt"), "images.txt missing"),
    (lambda f: f.update({"images.txt": "# nothing\n"}), "lists no image, at least 1"),
    (lambda f: f.update({"cameras.txt": ""}), "names the camera 1, which cameras.txt does not have"),
    (lambda f: f.update({"cameras.txt": "1 WARPED 512 288 1 1 1 1 0 0 0 0"}), "model WARPED, only SIMPLE_PINHOLE"),
    (lambda f: f.update({"cameras.txt": "1 OPENCV 512 288 1 1 1 1 0"}), "has 5 numbers where 8 belong"),
    (lambda f: f.update({"cameras.txt": "1 PINHOLE 512"}), "has 3 words"),
    (lambda f: f.update({"cameras.txt": "1 PINHOLE 512 288 443 443 256"}), "has 3 numbers where 4 belong"),
    (
        lambda f: f.update({"cameras.txt": "1 PINHOLE 512 288 443 443 256 nan"}),
        "443 256 nan', must be 4 finite numbers",
    ),
    (lambda f: f.update({"cameras.txt": "1 PINHOLE 51.2 288 443 443 256 144"}), "'51.2', must be a whole number"),
    (lambda f: f.update({"images.txt": "1 1 0 0 0 0 0 0 1 a\n2 1 0 0 0 0 0 1 1 b\n"}), "Put an empty line after"),
    (lambda f: f.update({"images.txt": "1 0 0 0 0 0 0 0 1 a\n"}), "quaternion of length 0, must be 1"),
    (lambda f: f.update({"images.txt": "1 nan 0 0 0 0 0 0 1 a\n"}), "must be 7 finite numbers"),
    (lambda f: f.update({"images.txt": "1 1 0 0 0 inf 0 0 1 a\n"}), "must be 7 finite numbers"),
    (lambda f: f.update({"images.txt": "1 1 0 0 0 0 0 1e9 1 a\n"}), "read as COLMAP.*scene units away, at most 1e"),
    (lambda f: f.update({"images.txt": "1 1 0 0 0 0 0 zero 1 a\n"}), "must be 7 finite numbers"),
    (lambda f: f.update({"images.txt": "1 1 0 0 0\n"}), "has 5 words"),
]


@pytest.mark.parametrize(("spoil", "message"), BAD_COLMAP)
def test_a_bad_colmap_model_is_refused_with_a_sentence(spoil, message):
    files = to_colmap(push_in())
    spoil(files)
    with pytest.raises(ValueError, match=message):
        from_colmap(files)


def test_cameras_of_several_sizes_are_written_but_make_no_path(tmp_path):
    cameras = [Camera.from_fov(60, 288, 512), Camera.from_fov(60, 512, 288)]
    save_cameras(iter(cameras), tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    files = {name: (folder / "sparse/0" / name).read_text() for name in ("cameras.txt", "images.txt", "points3D.txt")}
    assert files == to_colmap(cameras) and len(files["cameras.txt"].splitlines()) == 3
    data = json.loads((folder / "transforms.json").read_text())
    assert [frame["w"] for frame in data["frames"]] == [512, 288]
    for read in (lambda: from_nerfstudio(data), lambda: from_colmap(files)):
        with pytest.raises(ValueError, match="must be one size"):
            read()


# -- RealEstate10K, Spatia, Blender -----------------------------------------------------------------------------------


def walk(turn: float = 1.5, frames: int = 33, lens: float = 60.0) -> Trajectory:
    """Ahead along a bend, the camera following it; one lens, square pixels."""
    angle = np.linspace(0, turn, frames)
    c2w = np.tile(np.eye(4), (frames, 1, 1))
    c2w[:, 0, 0] = c2w[:, 2, 2] = np.cos(angle)
    c2w[:, 0, 2], c2w[:, 2, 0] = np.sin(angle), -np.sin(angle)
    step = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=1) * 0.05
    c2w[:, :3, 3] = np.cumsum(step, axis=0) - step[0]
    K = Camera.from_fov(lens, 288, 512).K
    return Trajectory(c2w, np.repeat(K[None], frames, axis=0), 288, 512, 24)


def test_spatia_pair_is_read_back():
    path = walk()
    back = from_spatia(to_spatia(path))  # 24 fps and square pixels are what it takes for granted
    assert (back.height, back.width, back.fps) == (288, 512, 24)
    assert np.abs(back.c2w - path.c2w).max() < 1e-10 and np.abs(back.K - path.K).max() < 1e-10
    files = to_spatia(path)
    first = json.loads(files["w2c.txt"].splitlines()[0])
    assert np.shape(first) == (4, 4) and len(files["w2c.txt"].splitlines()) == 33
    assert files["intrinsics.txt"].startswith("[0.866") and "," not in files["intrinsics.txt"]
    files["w2c.txt"] = "\n".join(json.dumps(json.loads(line)[:3]) for line in files["w2c.txt"].splitlines())
    assert np.abs(from_spatia(files, 704, 1248).c2w - path.c2w).max() < 1e-10  # 3x4 is read too
    with pytest.raises(ValueError, match="Frame 1 has another lens .* holds one lens for all"):
        to_spatia(move("lens-zoom", Camera.from_fov(60, 288, 512), distance=2.0, frames=5))


def test_realestate10k_says_time_and_shares_of_the_picture():
    lines = to_realestate10k(walk()).splitlines()
    assert len(lines) == 34 and all(len(line.split()) == 19 for line in lines[1:])
    words = lines[2].split()
    assert words[0] == "41667" and words[5:7] == ["0.0", "0.0"] and words[3:5] == ["0.5", "0.5"]
    w2c = np.reshape([float(word) for word in words[7:]], (3, 4))
    np.testing.assert_allclose(w2c, np.linalg.inv(walk().c2w[1])[:3], atol=1e-12)
    big = from_realestate10k("\n".join(lines), 720, 1280)
    assert big.fps == 24
    np.testing.assert_allclose(big.K, walk().resized(720, 1280).K, rtol=1e-12)
    assert from_realestate10k("\n".join(lines[1:])).width == 512  # without the address, the size from the lens
    assert from_realestate10k("\n".join(lines[:2])).fps == 24
    assert from_realestate10k("\n".join(lines), fps=30).fps == 30


class FakeBlender:
    """As much of bpy and mathutils as the script uses; keeps what each frame was set to."""

    def __init__(self):
        frames = self.frames = {}

        class Thing:
            def __init__(self, *_):
                pass

            def keyframe_insert(self, name, frame):
                frames.setdefault(frame, {})[name] = getattr(self, name)

        class Turn:
            def __init__(self, q):
                self.q = np.array(q)

            def dot(self, other):
                return self.q @ other.q

            def negate(self):
                self.q = -self.q

            def copy(self):
                return Turn(self.q.copy())

        class Matrix:
            def __init__(self, rows):
                self.rows = np.array(rows)

            def decompose(self):
                return self.rows[:3, 3], Turn(quaternion(self.rows[:3, :3])), np.ones(3)

        self.scene = Thing()
        self.scene.render, self.scene.collection = Thing(), Thing()
        self.scene.collection.objects = Thing()
        self.scene.collection.objects.link = lambda _: None
        self.bpy, self.mathutils = Thing(), Thing()
        self.bpy.context, self.bpy.data = Thing(), Thing()
        self.bpy.context.scene, self.mathutils.Matrix = self.scene, Matrix
        self.bpy.data.cameras, self.bpy.data.objects = Thing(), Thing()
        self.bpy.data.cameras.new = self.bpy.data.objects.new = Thing


def test_the_blender_script_makes_the_same_pictures(monkeypatch):
    """Run with a stand-in for Blender: a point projects, by Blender's rules, to the pixel where ours does."""
    path = walk(turn=4.0)
    K = path.K.copy()
    K[:, 0, 2] += np.linspace(0, 30, len(path))
    K[:, 1, 2] -= 12
    path = Trajectory(path.c2w, K, 288, 512, 23.976)
    blender = FakeBlender()
    monkeypatch.setitem(sys.modules, "bpy", blender.bpy)
    monkeypatch.setitem(sys.modules, "mathutils", blender.mathutils)
    exec(to_blender(path), {})
    render = blender.scene.render
    assert (render.resolution_x, render.resolution_y, blender.scene.frame_end) == (512, 288, 33)
    assert render.fps / render.fps_base == pytest.approx(23.976)
    before = None
    for camera, view in zip(path, blender.frames.values(), strict=True):
        q = view["rotation_quaternion"].q
        assert before is None or q @ before > 0  # no frame turns the long way round
        before = q
        point = camera.c2w[:3, :3] @ [0.3, -0.2, 2.0] + camera.position
        there = np.array([point[0], point[2], -point[1]])  # +z up
        x, y, z = rotation(q).T @ (there - view["location"])
        focal = view["lens"] / 36 * 512
        pixel = [256 + focal * x / -z - view["shift_x"] * 512, 144 - focal * y / -z + view["shift_y"] * 512]
        np.testing.assert_allclose(pixel, project(point, camera)[0], atol=1e-9)


def test_blender_script_is_read_back_without_running_it():
    path = walk(lens=40)
    back = from_blender(to_blender(path))
    assert (back.height, back.width, back.fps) == (288, 512, 24)
    assert np.abs(back.c2w - path.c2w).max() < 1e-10 and np.abs(back.K - path.K).max() < 1e-9
    assert from_blender("raise SystemExit\n" + to_blender(path)) == back
    with pytest.raises(ValueError, match="Frame 0 has fx=.* must be equal for Blender"):
        to_blender(random_path())


BAD_TEXTS = [
    (from_realestate10k, "", "There is no line of timestamp"),
    (from_realestate10k, "https://x\n", "There is no line of timestamp"),
    (from_realestate10k, "0 1 1 .5 .5 0 0 1 0 0 0 0 1 0 0 0 0 1", "Line 1 has 18 numbers where 19 belong"),
    (from_realestate10k, "v\n0 1 1 .5 .5 0 0 1 0 0 0 0 1 0 0 0 0 nan 0", "Line 2 holds .* must be 19 finite"),
    (from_realestate10k, "v\n0 1 1 .5 .5 0 0 -1 0 0 0 0 1 0 0 0 0 1 0", "Line 2, read as Real.*mirrors the world"),
    (from_realestate10k, "v\n0 1 1 .5 .5 0 0 2 0 0 0 0 2 0 0 0 0 2 0", "Line 2, read as Real.*not rigid"),
    (from_realestate10k, "v\n0 -1 1 .5 .5 0 0 1 0 0 0 0 1 0 0 0 0 1 0", "Line 2, read as Real.*fx=-"),
    (from_blender, "import bpy", "no line 'PATH ='"),
    (from_blender, "PATH = {", "is not JSON"),
    (from_blender, "PATH = []", "cannot be read"),
    (from_blender, 'PATH = {"height": 4, "width": 4, "frames": []}', "no frames, at least 1"),
    (from_blender, 'PATH = {"height": 4, "width": 4, "frames": [{}]}', "cannot be read"),
]


@pytest.mark.parametrize(("read", "text", "message"), BAD_TEXTS)
def test_bad_texts_are_refused_with_a_sentence(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


BAD_SPATIA = [
    ({"w2c.txt": "x"}, "intrinsics.txt missing"),
    ({"w2c.txt": "", "intrinsics.txt": "[1 1 .5 .5]"}, "has 0 cameras and intrinsics.txt 1 lines"),
    ({"w2c.txt": "[]\n[]\n[]", "intrinsics.txt": "[1 1 .5 .5]\n[1 1 .5 .5]"}, "3 cameras and intrinsics.txt 2 lines"),
    ({"w2c.txt": "[1 2]", "intrinsics.txt": "[1 1 .5 .5]"}, "Line 1 of w2c.txt is no JSON matrix"),
    ({"w2c.txt": "[[1, 2]]", "intrinsics.txt": "[1 1 .5 .5]"}, r"w2c has shape \(1, 2\), must be"),
    ({"w2c.txt": '{"a": 1}', "intrinsics.txt": "[1 1 .5 .5]"}, "Line 1 of w2c.txt, read as Spatia"),
    ({"w2c.txt": "[[1]]", "intrinsics.txt": "1 1 .5"}, "Line 1 of intrinsics.txt has 3 numbers where 4"),
]


@pytest.mark.parametrize(("files", "message"), BAD_SPATIA)
def test_a_bad_spatia_pair_is_refused_with_a_sentence(files, message):
    with pytest.raises(ValueError, match=message):
        from_spatia(files)


# -- doubts -----------------------------------------------------------------------------------------------------------

FLIP = np.diag([1.0, -1, -1, 1])


def with_c2w(path: Trajectory, c2w: np.ndarray) -> Trajectory:
    return Trajectory(c2w, path.K, path.height, path.width, path.fps)


def moved(path: Trajectory, x: float, y: float, z: float) -> Trajectory:
    c2w = path.c2w.copy()
    c2w[:, :3, 3] += [x, y, z]
    return with_c2w(path, c2w)


def orbit(radius: float = 4.0) -> Trajectory:
    """Round the origin, looking at it."""
    path = walk()
    c2w = path.c2w.copy()
    c2w[:, :3, 3] = -radius * c2w[:, :3, 2]
    return with_c2w(path, c2w)


def kinds(path: Trajectory, any_up: bool = False) -> set[str]:
    return {doubt.kind for doubt in doubts(path, any_up)}


@pytest.mark.parametrize("name", sorted(MOVES))
@pytest.mark.parametrize("size", [(288, 512), (512, 288)])
def test_moves_of_the_gallery_raise_no_doubt(name, size):
    assert kinds(move(name, Camera.from_fov(60, *size), distance=2.3)) == set()


def test_what_somebody_filmed_raises_no_doubt():
    assert kinds(walk()) == kinds(moved(walk(), 5, 0, 3)) == kinds(orbit()) == kinds(moved(orbit(), 9, 1, 4)) == set()
    assert kinds(walk()[:1]) == kinds(walk()[:2]) == set()


@pytest.mark.parametrize("right", [walk(), moved(walk(), 5, 0, 3), orbit(), moved(orbit(), 9, 1, 4)])
def test_cameras_that_look_backwards_are_noticed(right):
    """OpenGL axes where OpenCV ones belong: in the same world, and in a world of their own."""
    for c2w in (right.c2w @ FLIP, FLIP @ right.c2w @ FLIP):
        wrong = with_c2w(right, c2w)
        assert "backwards" in kinds(wrong)
        assert "backwards" not in kinds(corrected(wrong, "backwards"))
    np.testing.assert_allclose(corrected(with_c2w(right, right.c2w @ FLIP), "backwards").c2w, right.c2w, atol=1e-12)


@pytest.mark.parametrize("right", [orbit(), moved(walk(), 50, 0, 30)])
def test_inverse_poses_are_noticed(right):
    wrong = with_c2w(right, inverse(right.c2w))
    assert "inverse" in kinds(wrong)
    np.testing.assert_allclose(corrected(wrong, "inverse").c2w, right.c2w, atol=1e-12)


def test_inverse_poses_of_a_walk_look_like_walking_backwards():
    """Nothing but the pictures can tell the two; the sentence names both."""
    found = doubts(with_c2w(walk(), inverse(walk().c2w)))
    assert [doubt.kind for doubt in found] == ["backwards"] and "or inverse" in found[0].sentence


def test_a_world_with_up_is_noticed_and_taken_relative_to_its_first_camera():
    z_up = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    for world, name in ((FLIP, "+y"), (z_up, "+z")):
        path = with_c2w(walk(), world @ walk().c2w)
        (found,) = doubts(path)
        assert found.kind == "y-up" and f"whose up is {name}," in found.sentence
        np.testing.assert_allclose(corrected(path, "y-up").c2w, walk().c2w, atol=1e-12)
    assert kinds(with_c2w(walk(), z_up @ walk().c2w), any_up=True) == set()  # nerfstudio says nothing about up


def test_opencv_poses_in_a_nerfstudio_file_are_noticed():
    data = to_nerfstudio(walk())
    for frame, camera in zip(data["frames"], walk(), strict=True):
        frame["transform_matrix"] = camera.c2w.tolist()
    path = from_nerfstudio(data)
    assert kinds(path, any_up=True) == {"backwards", "y-up"}
    np.testing.assert_allclose(corrected(path, "backwards").c2w, walk().c2w, atol=1e-12)


def test_a_size_of_another_shape_is_noticed():
    path = from_realestate10k(to_realestate10k(walk()), 512, 288)
    (found,) = doubts(path)
    assert found.kind == "stretched" and "not 512x288" in found.sentence


def test_unknown_corrections_are_refused():
    with pytest.raises(ValueError, match="Unknown correction 'sideways'. Choose from backwards"):
        corrected(walk(), "sideways")
    for kind in CORRECTIONS:
        assert len(corrected(walk(), kind)) == len(walk())


# -- files of any format ----------------------------------------------------------------------------------------------


def written(path: Trajectory, name: str, folder):
    """What `read_cameras` is given for a format: its file, or its folder."""
    files = write_cameras(path, name, folder)
    return files[0] if len(files) == 1 else folder


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("path", [walk(), move("gentle-arc", Camera.from_fov(50, 288, 512), distance=2.0)])
def test_every_format_comes_back_from_disk(name, path, tmp_path):
    found = read_cameras(written(path, name, tmp_path / "out"))
    assert found.convention == FORMATS[name].convention and found.doubts == ()
    assert np.abs(found.trajectory.c2w - path.c2w).max() < 1e-5 and np.abs(found.trajectory.K - path.K).max() < 1e-5
    assert len(found.trajectory) == len(path)


@pytest.mark.parametrize("name", FORMATS)
def test_any_format_becomes_any_other(name, tmp_path):
    source = written(walk(), name, tmp_path / "first")
    for other in FORMATS:
        back = written(read_cameras(source, fps=24).trajectory, other, tmp_path / other)
        found = read_cameras(back, 144, 256, 12).trajectory
        assert np.abs(found.c2w - walk().c2w).max() < 1e-5 and (found.height, found.fps) == (144, 12)


def test_an_editable_path_is_read_as_the_clip_it_makes(tmp_path):
    path = Path.from_trajectory(walk())
    path.save(tmp_path / "path.json")
    found = read_cameras(tmp_path / "path.json", 72, 128, 8)
    assert found.trajectory == path.trajectory(72, 128, 8) and "editable path" in found.convention
    assert read_cameras(tmp_path / "path.json").trajectory == path.trajectory(288, 512)


def test_folders_of_other_tools_are_known(tmp_path):
    save_cameras(walk(), tmp_path / "both")
    assert "nerfstudio" in read_cameras(tmp_path / "both").convention
    (tmp_path / "both/transforms.json").unlink()
    assert "COLMAP" in read_cameras(tmp_path / "both").convention
    assert "COLMAP" in read_cameras(tmp_path / "both/sparse/0/images.txt").convention
    write_cameras(walk(), "spatia", tmp_path / "pair")
    assert "Spatia" in read_cameras(tmp_path / "pair/w2c.txt").convention


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.json", None, "gone.json does not exist"),
        ("a.json", b"{", "a.json is not JSON"),
        ("a.json", b"[" * 100_000, "a.json is not JSON"),
        ("a.json", b"[1]", "a.json has neither c2w"),
        ("a.json", b'{"keys": []}', "a.json: The path lacks version"),
        ("a.json", b'{"c2w": []}', "a.json: The trajectory lacks"),
        ("a.json", b'{"frames": 3}', "a.json: There is no list of frames"),
        ("a.txt", b"\xff\xfe", "a.txt is no text in UTF-8"),
        ("a.exe", b"MZ", "a.exe seems to be a program of Windows, which is not read"),
        ("a.doc", b"hello", "a.doc is none of the files that are read"),
        ("w2c.txt", b"[[1]]", "w2c.txt: intrinsics.txt missing"),
        ("images.txt", b"1 1 0 0 0 0 0 0 1 a", "images.txt: cameras.txt missing"),
    ],
)
def test_bad_sources_are_refused_with_a_sentence(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_cameras(tmp_path / name)
    with pytest.raises(ValueError, match="holds no cameras"):
        read_cameras(tmp_path)


def test_a_failed_export_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left")

    for name, out in (("colmap", "new"), ("json", "path.json"), ("re10k", "new")):
        with monkeypatch.context() as disk:
            disk.setattr("pipelines.files.os.replace", full)
            with pytest.raises(OSError, match="could not be written .No space left"):
                write_cameras(walk(), name, tmp_path / out)
    with pytest.raises(ValueError, match="The folder .* does not exist"):
        write_cameras(walk(), "colmap", tmp_path / "a" / "b")
    with pytest.raises(ValueError, match="another lens"):
        write_cameras(move("lens-zoom", Camera.from_fov(60, 288, 512), distance=2.0), "spatia", tmp_path / "pair")
    with pytest.raises(ValueError, match="Unknown format 'fbx'"):
        write_cameras(walk(), "fbx", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.filterwarnings("error")
def test_a_damaged_file_is_cameras_or_a_sentence(name, tmp_path):
    """Letters changed, parts cut out, absurd numbers put in: never another error, never a warning of numpy."""
    rng = np.random.default_rng(7)
    words = ["1e400", "NaN", "-Infinity", "1e308", "9" * 400, "[[", "]", "{", '"', "\n", " ", "-", "\0", "é", "null"]
    outcomes = set()
    for _ in range(80):
        files = dict(FORMATS[name].write(walk(frames=3)))
        chosen = sorted(files)[rng.integers(len(files))]
        text = files[chosen]
        for _ in range(rng.integers(1, 4)):
            start = int(rng.integers(len(text)))
            text = text[:start] + words[rng.integers(len(words))] + text[start + int(rng.choice([0, 1, 5, 60])) :]
        for file, content in {**files, chosen: text}.items():
            (tmp_path / file).write_text(content)
        try:
            read_cameras(tmp_path if len(files) > 1 else tmp_path / chosen)
            outcomes.add("cameras")
        except ValueError as error:
            assert len(str(error)) < 700
            outcomes.add("sentence")
    assert "sentence" in outcomes  # most damage is noticed; a digit changed is another path

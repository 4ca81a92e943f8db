"""Cameras in other tools' formats: what is written is read back, and what breaks a convention is refused."""

import copy
import json
import math

import numpy as np
import pytest

from pipelines.cameras import MOVES, Camera, Trajectory, move, project
from pipelines.cameras.formats import (
    from_colmap,
    from_nerfstudio,
    quaternion,
    rotation,
    save_cameras,
    to_colmap,
    to_nerfstudio,
)


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
    (change(k1=0.1), "lens distortion {'k1': 0.1}, must be 0"),
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
    (lambda f: f.update({"cameras.txt": "1 OPENCV 512 288 1 1 1 1 0 0 0 0"}), "model OPENCV, only PINHOLE"),
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

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from pipelines.cameras import Camera, Trajectory, pixel_centers, project, unproject


def rotation(seed: int) -> np.ndarray:
    Q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return Q * np.sign(np.linalg.det(Q))


def any_camera(seed: int = 0, height: int = 48, width: int = 80) -> Camera:
    rng = np.random.default_rng(seed)
    c2w = np.eye(4)
    c2w[:3, :3], c2w[:3, 3] = rotation(seed), rng.normal(size=3) * 5
    K = np.array(
        [[rng.uniform(20, 200), 0, rng.uniform(30, 50)], [0, rng.uniform(20, 200), rng.uniform(20, 30)], [0, 0, 1]]
    )
    return Camera(K, c2w, height, width)


def any_path(frames: int = 7) -> Trajectory:
    return Trajectory.from_cameras([any_camera(seed) for seed in range(frames)], fps=16)


@pytest.mark.parametrize("seed", range(5))
def test_project_undoes_unproject(seed):
    camera = any_camera(seed)
    pixels = pixel_centers(camera.height, camera.width)
    depth = np.random.default_rng(seed).uniform(0.1, 50, pixels.shape[:2])
    seen, seen_depth = project(unproject(pixels, depth, camera), camera)
    np.testing.assert_allclose(seen, pixels, atol=1e-7)
    np.testing.assert_allclose(seen_depth, depth, rtol=1e-9)


def test_axes_are_opencv():
    """Right is larger u, down is larger v, forward is larger depth; behind is nowhere."""
    camera = Camera.from_fov(60, 100, 200)
    (center, right, down, behind), depth = project(np.array([[0, 0, 2.0], [1, 0, 2], [0, 1, 2], [0, 0, -2]]), camera)
    assert center.tolist() == [100, 50] and right[0] > 100 and right[1] == 50 and down[1] > 50 and down[0] == 100
    assert depth.tolist() == [2, 2, 2, -2] and np.isnan(behind).all()


def test_latent_cell_sees_the_centre_of_its_patch():
    """The 0.5 rule: with a plain ratio, the ray of cell (i, j) passes through the middle of its 16 x 16 pixels."""
    camera = any_camera()
    latent = camera.resized(3, 5)
    patch_centers = pixel_centers(48, 80).reshape(3, 16, 5, 16, 2).mean((1, 3))
    ones = np.ones((3, 5))
    np.testing.assert_allclose(
        unproject(pixel_centers(3, 5), ones, latent), unproject(patch_centers, ones, camera), atol=1e-9
    )


@pytest.mark.parametrize("size", [(3, 5), (7, 11), (480, 800)])
def test_resized_round_trip(size):
    camera, path = any_camera(), any_path()
    np.testing.assert_allclose(camera.resized(*size).resized(48, 80).K, camera.K, rtol=1e-14)
    np.testing.assert_allclose(path.resized(*size).resized(48, 80).K, path.K, rtol=1e-14)
    assert path.resized(*size)[3] == path[3].resized(*size)  # one rule, not two: exact


@pytest.mark.parametrize(("height", "width"), [(288, 512), (512, 288), (300, 300)])
def test_fov_is_across_the_long_side(height, width):
    camera = Camera.from_fov(60, height, width)
    assert camera.fov_degrees == pytest.approx(60)
    edge = np.array([0, height / 2]) if width >= height else np.array([width / 2, 0])
    ray = unproject(edge, np.array(1.0), camera)
    assert np.degrees(np.arccos(ray[2] / np.linalg.norm(ray))) == pytest.approx(30)


def test_camera_is_frozen_and_its_own():
    K, c2w = np.diag([50.0, 50.0, 1.0]), np.eye(4)
    camera = Camera(K, c2w, 4, 6)
    K[0, 0] = 7
    assert camera.K[0, 0] == 50
    with pytest.raises(ValueError, match="read-only"):
        camera.K[0, 0] = 1
    np.testing.assert_allclose(any_camera().w2c @ any_camera().c2w, np.eye(4), atol=1e-12)


def changed(array, index, value):
    array = np.array(array, dtype=np.float64)
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"K": np.zeros((3, 3))}, r"K is singular: fx=0, fy=0.*> 0"),
        ({"K": changed(np.eye(3), (1, 1), -3)}, r"fy=-3"),
        ({"K": changed(np.eye(3), (0, 1), 0.5)}, r"no skew"),
        ({"K": np.eye(4)}, r"K has shape \(4, 4\), must be \(3, 3\)"),
        ({"K": "lens"}, r"K must be an array of numbers"),
        ({"c2w": changed(np.eye(4), (0, 3), np.nan)}, r"c2w holds NaN"),
        ({"c2w": changed(np.eye(4), (0, 3), 1e300)}, r"1e\+300 scene units away"),
        ({"c2w": changed(np.eye(4), (0, 0), 1e300)}, r"not rigid"),
        ({"c2w": changed(np.eye(4), (0, 0), 1.001)}, r"not rigid.*0\.002.*0\.0001"),
        ({"c2w": np.diag([1.0, 1, -1, 1])}, r"mirrors the world"),
        ({"c2w": changed(np.eye(4), (3, 0), 1)}, r"last row \[1\.0, 0\.0, 0\.0, 1\.0\]"),
        ({"height": 0}, r"height=0 must be 1\.\.16384"),
        ({"width": 100_000}, r"width=100000 must be 1\.\.16384"),
    ],
)
def test_bad_cameras_are_refused(fields, message):
    good = {"K": np.eye(3), "c2w": np.eye(4), "height": 4, "width": 6}
    Camera(**good)
    with pytest.raises(ValueError, match=message):
        Camera(**{**good, **fields})


def test_float32_rotations_pass_and_half_sizes_do_not():
    Camera(np.eye(3), any_camera().c2w.astype(np.float32), 4, 6)
    with pytest.raises(TypeError, match="height=4.5 must be a whole number"):
        Camera(np.eye(3), np.eye(4), 4.5, 6)
    with pytest.raises(ValueError, match=r"fov_degrees=180.*1\.\.170"):
        Camera.from_fov(180, 4, 6)


def test_trajectory_is_a_sequence_of_cameras():
    cameras = [any_camera(seed) for seed in range(7)]
    path = Trajectory.from_cameras(cameras)
    assert len(path) == 7 and list(path) == cameras and path[-1] == cameras[-1]
    assert path[2:5] == Trajectory.from_cameras(cameras[2:5]) and path.seconds == 7 / 24
    with pytest.raises(IndexError):
        path[7]
    with pytest.raises(ValueError, match="0 frames"):
        path[7:]


def test_closed_within_a_millionth():
    path = any_path(3)
    assert not path.is_closed and not path[:1].is_closed
    ends = [path[0], path[1], path[0]]
    assert Trajectory.from_cameras(ends).is_closed
    near, far = (changed(path[0].c2w, (0, 3), path[0].c2w[0, 3] + shift) for shift in (9e-7, 2e-6))
    assert Trajectory.from_cameras([*ends[:2], Camera(path[0].K, near, 48, 80)]).is_closed
    assert not Trajectory.from_cameras([*ends[:2], Camera(path[0].K, far, 48, 80)]).is_closed
    assert not Trajectory.from_cameras(
        [*ends[:2], Camera(changed(path[0].K, (0, 0), 300), path[0].c2w, 48, 80)]
    ).is_closed


def test_json_keeps_every_bit(tmp_path):
    path = any_path(9)
    assert Trajectory.from_dict(path.to_dict()) == path
    assert Trajectory.from_dict(json.loads(json.dumps(path.to_dict()))) == path
    path.save(tmp_path / "path.json")
    assert Trajectory.load(tmp_path / "path.json") == path
    assert [file.name for file in tmp_path.iterdir()] == ["path.json"]


def test_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    any_path(3).save(tmp_path / "path.json")
    before = (tmp_path / "path.json").read_bytes()

    def disk_full(path, text, **_):
        path.write_bytes(text[:99].encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.cameras.trajectory.Path.write_text", disk_full)
    with pytest.raises(OSError, match="No space"):
        any_path(5).save(tmp_path / "path.json")
    assert [file.name for file in tmp_path.iterdir()] == ["path.json"]
    assert (tmp_path / "path.json").read_bytes() == before


def broken(**changes) -> dict:
    data = any_path(3).to_dict()
    for key, value in changes.items():
        data.pop(key) if value is None else data.update({key: value})
    return data


IDENTITY = np.eye(4).tolist()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "must be a JSON object, got list"),
        (broken(c2w=None), "lacks c2w"),
        (broken(colour="red"), "unknown keys colour"),
        (broken(version=2), "version is 2, only 1"),
        (broken(convention="opengl-c2w"), "convention is 'opengl-c2w', only 'opencv-c2w'"),
        (broken(c2w=[]), r"0 frames, must be 1\.\.2000"),
        (broken(c2w=[IDENTITY] * 2001), r"2001 frames, must be 1\.\.2000"),
        (broken(c2w=[IDENTITY] * 2), "intrinsics is a list of 3, must be a list of 2"),
        (broken(c2w=[IDENTITY, IDENTITY[:3], IDENTITY]), r"c2w\[1\] is a list of 3, must be a list of 4"),
        (
            broken(intrinsics=[[9, 9, 1, 1], [9, "9", 1, 1], [9, 9, 1, 1]]),
            r"intrinsics\[1\]\[1\] is '9', must be a number",
        ),
        (broken(intrinsics=[[9, 9, 1, True]] * 3), "is True, must be a number"),
        (broken(intrinsics=[[9, 9, 1, 1], [0, 9, 1, 1], [9, 9, 1, 1]]), "K of frame 1 is singular: fx=0"),
        (broken(intrinsics=[[9, 9, 1, 10**400]] * 3), "too large"),
        (broken(intrinsics=[[9, 9, 1, float("nan")]] * 3), "K of frame 0 holds NaN"),
        (broken(c2w=[IDENTITY, (2 * np.diag([1, 1, 1, 0.5])).tolist(), IDENTITY]), "c2w of frame 1 is not rigid"),
        (broken(height="48"), "height='48'"),
        (broken(fps=0), r"fps=0 must be a number from 1 to 240\. Use 24"),
        (broken(fps=float("nan")), "fps=nan"),
    ],
)
def test_bad_trajectories_are_refused(data, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Trajectory.from_dict(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\x00\xff", "x.json is not JSON"),
        (b"[" * 200_000, "x.json is not JSON"),
        (b"{}", "x.json: The trajectory lacks"),
        (b" " * (4 * 1024 * 1024 + 1), "x.json is over 4194304 bytes"),
    ],
)
def test_bad_files_are_refused(tmp_path, text, message):
    (tmp_path / "x.json").write_bytes(text)
    with pytest.raises(ValueError, match=message):
        Trajectory.load(tmp_path / "x.json")


def test_longest_path_fits_the_file_limit(tmp_path):
    path = Trajectory.from_cameras([any_camera(seed % 50) for seed in range(2000)])
    path.save(tmp_path / "long.json")
    assert Trajectory.load(tmp_path / "long.json") == path


def test_schema_names_the_keys_that_are_written():
    schema, data = Trajectory.json_schema(), any_path(3).to_dict()
    loop = replace(any_path(3), loop=True).to_dict()
    assert list(data) == schema["required"] and list(loop) == list(schema["properties"])
    assert Trajectory.from_dict(loop).loop and not Trajectory.from_dict(data).loop
    assert all(data[key] == rule["const"] for key, rule in schema["properties"].items() if "const" in rule)


def test_cameras_bring_in_no_torch():
    code = "import pipelines.cameras, presets.schema, sys; sys.exit('torch' in sys.modules or 'gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

"""Cameras of other tools: files in the layout that their makers document, written here by that layout alone."""

import io
import json
import math
import pickle
import re
import struct

import numpy as np
import pytest
from helpers import ROOT

from pipelines.cameras import Camera, Trajectory
from pipelines.cameras.formats import READERS, read_cameras
from pipelines.cameras.rotations import quaternion, rotation
from pipelines.cameras.trajectory import NATIVE_FPS

FLIP = np.diag([1.0, -1, -1, 1])
Z_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])  # ours (+y down) -> +z up
UNREAL = np.array([[0.0, 0, 1, 0], [1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])  # ours -> +x forward, +y right, +z up
VIEW = Camera.from_fov(50, 288, 512)


def walk(cameras: int = 16) -> np.ndarray:
    """(T, 4, 4) c2w in OpenCV axes: from the origin ahead along a bend, a little up, the camera following it."""
    angle = np.linspace(0, 1.2, cameras)
    half = angle / 2
    c2w = np.tile(np.eye(4), (cameras, 1, 1))
    c2w[:, :3, :3] = rotation(np.stack([np.cos(half), 0 * half, np.sin(half), 0 * half], axis=-1))
    c2w[:, :3, 3] = np.stack([1 - np.cos(angle), -0.1 * angle, np.sin(angle)], axis=-1)
    return c2w


C2W = walk()
W2C = np.linalg.inv(C2W)
OPENGL = C2W @ FLIP


def rows(numbers) -> str:
    return "\n".join(" ".join(f"{x:.9g}" for x in row) for row in numbers) + "\n"


def quaternions(c2w) -> np.ndarray:
    """x, y, z, w."""
    return np.roll(quaternion(c2w[:, :3, :3]), -1, axis=-1)


def transforms(**top) -> dict:
    frames = [{"file_path": f"images/{i}.png", "transform_matrix": m.tolist()} for i, m in enumerate(OPENGL)]
    return {**top, "frames": frames}


def pixels(**more) -> dict:
    return {"fl_x": 400.0, "fl_y": 400.0, "cx": 256.0, "cy": 144.0, "w": 512, "h": 288, **more}


def viewer(**more) -> dict:
    path = [{"camera_to_world": m.ravel().tolist(), "fov": 50, "aspect": 16 / 9} for m in OPENGL]
    return {"camera_type": "perspective", "render_height": 288, "render_width": 512, "fps": 24, "seconds": 1,
            "keyframes": [], "camera_path": path, **more}  # fmt: skip


def recammaster(cameras=("cam01",)) -> dict:
    unreal = UNREAL @ C2W @ UNREAL.T
    unreal[:, :3, 3] *= 100
    text = ["".join(f"[{' '.join(f'{x:.9g}' for x in row)}] " for row in pose.T) for pose in unreal]
    return {f"frame{i}": dict.fromkeys(cameras, pose) for i, pose in enumerate(text)}


def record3d(**more) -> dict:
    poses = np.hstack([quaternions(OPENGL), OPENGL[:, :3, 3]]).tolist()
    K = [400.0, 0, 0, 0, 400.0, 0, 256.0, 144.0, 1]  # column by column
    return {"w": 512, "h": 288, "fps": 60, "K": K, "poses": poses, **more}


def kubric() -> dict:
    world = Z_UP @ OPENGL
    camera = {"focal_length": 35.0, "sensor_width": 32.0, "field_of_view": 0.85, "K": [[1, 0, 0]],
              "positions": world[:, :3, 3].tolist(), "quaternions": quaternion(world[:, :3, :3]).tolist()}  # fmt: skip
    return {"camera": camera, "metadata": {"resolution": [512, 288], "frame_rate": 12}, "instances": []}


def array(values, **options) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, **options)
    return stream.getvalue()


def colmap(model: int = 1, numbers=(400.0, 400.0, 256.0, 144.0), points: int = 2) -> dict[str, bytes]:
    lenses = (
        struct.pack("<Q", 1) + struct.pack("<IiQQ", 7, model, 512, 288) + struct.pack(f"<{len(numbers)}d", *numbers)
    )
    images = struct.pack("<Q", len(W2C))
    for i, w2c in reversed(list(enumerate(W2C))):
        images += struct.pack("<I7dI", i, *quaternion(w2c[:3, :3]), *w2c[:3, 3], 7) + f"frame_{i}.png".encode() + b"\0"
        images += struct.pack("<Q", points) + struct.pack("<ddq", 1, 2, -1) * points
    return {"cameras.bin": lenses, "images.bin": images}


def colmap_text(lens: str) -> dict[str, str]:
    images = [[*quaternion(w2c[:3, :3]), *w2c[:3, 3]] for w2c in W2C]
    text = "".join(f"{i} {rows([pose]).strip()} 1 frame_{i}.png\n\n" for i, pose in enumerate(images))
    return {"cameras.txt": f"1 {lens}\n", "images.txt": text}


TUM = rows(np.hstack([C2W[:, :3, 3], quaternions(C2W)])).splitlines()
TUM = "".join(f"{1305031102.1 + i / 30:.4f} {row}\n" for i, row in enumerate(TUM))
POSES = {"poses.npy": array(C2W.astype(np.float32)), "intrinsics.npy": array(np.float32([[500, 500, 416, 240]] * 16))}

# What the table of docs/files.md accepts: (files, one of them or None for the folder, rate, focal in widths, warning)
ACCEPTED = {
    "nerfstudio": ({"transforms.json": transforms(**pixels())}, "transforms.json", NATIVE_FPS, 400 / 512, None),
    "nerfstudio, only `camera_angle_x`": (
        {"a.json": transforms(camera_angle_x=math.radians(60))},
        "a.json",
        NATIVE_FPS,
        0.5 / math.tan(math.radians(30)),
        None,
    ),
    "nerfstudio, distorted": (
        {"a.json": transforms(**pixels(camera_model="OPENCV", k1=0.1, p2=-0.002))},
        "a.json",
        NATIVE_FPS,
        400 / 512,
        r"Lens distortion is left out \(k1=0.1, p2=-0.002\)",
    ),
    "nerfstudio, fisheye": (
        {"a.json": transforms(**pixels(camera_model="OPENCV_FISHEYE", k1=0, k2=0, k3=0, k4=0))},
        "a.json",
        NATIVE_FPS,
        400 / 512,
        r"fisheye \(lens model OPENCV_FISHEYE\), which a clip is not",
    ),
    "nerfstudio, panoramas": (
        {"a.json": transforms(**pixels(camera_model="EQUIRECTANGULAR", w=5888, h=2944))},
        "a.json",
        NATIVE_FPS,
        None,
        r"panoramas \(lens model EQUIRECTANGULAR\), which a clip is not",
    ),
    "nerfstudio, path of the viewer": (
        {"camera_path.json": viewer()},
        None,
        24,
        144 / math.tan(math.radians(25)) / 512,
        None,
    ),
    "COLMAP, text": (colmap_text("PINHOLE 512 288 400 400 256 144"), None, NATIVE_FPS, 400 / 512, None),
    "COLMAP, binary": (colmap(), None, NATIVE_FPS, 400 / 512, None),
    "COLMAP, distorted": (
        colmap(2, (400.0, 256.0, 144.0, 0.05)),
        None,
        NATIVE_FPS,
        400 / 512,
        r"Lens distortion is left out \(k1=0.05\)",
    ),
    "COLMAP, fisheye": (
        colmap_text("OPENCV_FISHEYE 512 288 400 400 256 144 0 0 0 0"),
        None,
        NATIVE_FPS,
        400 / 512,
        "fisheye .lens model OPENCV_FISHEYE.",
    ),
    "TUM": ({"a.txt": "# timestamp tx ty tz qx qy qz qw\n" + TUM}, "a.txt", 30, None, None),
    "KITTI": ({"00.txt": rows(C2W[:, :3].reshape(-1, 12))}, "00.txt", 10, None, None),
    "MotionCtrl": ({"a.json": W2C[:, :3].reshape(-1, 12).tolist()}, "a.json", NATIVE_FPS, None, None),
    "ReCamMaster": (
        {"camera_extrinsics.json": recammaster(("cam01", "cam02"))},
        None,
        15,
        None,
        "holds 2 cameras: cam01 is read, cam02 are not",
    ),
    "Record3D": ({"metadata.json": record3d()}, None, 60, 400 / 512, None),
    "Kubric": ({"metadata.json": kubric()}, None, 12, 35 / 32, None),
    "LingBot-World": (POSES, None, NATIVE_FPS, 500 / 832, None),
}


def laid_out(files: dict, folder):
    for name, content in files.items():
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def relative(c2w: np.ndarray) -> np.ndarray:
    return np.linalg.inv(c2w[0]) @ c2w


@pytest.mark.parametrize("kind", ACCEPTED)
def test_cameras_of_other_tools_stand_where_their_makers_say(kind, tmp_path):
    files, name, fps, focal, warning = ACCEPTED[kind]
    folder = laid_out(files, tmp_path)
    found = read_cameras(folder / name if name else folder, view=VIEW)
    path = found.trajectory
    np.testing.assert_allclose(relative(path.c2w), C2W, atol=1e-6)
    assert path.fps == pytest.approx(fps, rel=1e-3) and len(path) == 16
    assert path.K[3, 0, 0] / path.width == pytest.approx(VIEW.K[0, 0] / 512 if focal is None else focal)
    assert (path.height, path.width) == ((480, 832) if kind == "LingBot-World" else (288, 512))
    said = " ".join(found.left_out)
    tells_none = focal is None and "EQUIRECTANGULAR" not in said  # of a panorama another sentence says so
    assert ("The file tells no lens: one of 50 degrees" in said) == tells_none
    assert warning is None or re.search(warning, said)
    assert len(found.left_out) == (warning is not None) + tells_none


@pytest.mark.parametrize("kind", [kind for kind, (*_, focal, _) in ACCEPTED.items() if focal is None])
def test_cameras_without_a_lens_ask_for_one(kind, tmp_path):
    files, name, *_ = ACCEPTED[kind]
    folder = laid_out(files, tmp_path)
    asked = r"tell no lens \(.*\). Give it with --lens, in mm .* --fov, in degrees .* size .* with --size"
    with pytest.raises(ValueError, match=asked):
        read_cameras(folder / name if name else folder, 288, 512)


def test_cameras_without_a_size_ask_for_one(tmp_path):
    laid_out({"a.json": transforms(camera_angle_x=0.7), "b.json": {"camera": kubric()["camera"]}}, tmp_path)
    for name in ("a.json", "b.json"):
        with pytest.raises(ValueError, match="tell no size of their pictures .* Give it with --size"):
            read_cameras(tmp_path / name)
        assert read_cameras(tmp_path / name, 144, 256).trajectory.width == 256


def test_content_tells_the_format_whatever_the_name(tmp_path):
    for i, (kind, name) in enumerate((("TUM", "a.txt"), ("MotionCtrl", "a.json"), ("KITTI", "00.txt"))):
        (file,) = laid_out({f"{i}.cams": ACCEPTED[kind][0][name]}, tmp_path).glob(f"{i}.*")
        assert kind in read_cameras(file, view=VIEW).convention
    (tmp_path / "mine.npy").write_bytes(array(np.asfortranarray(C2W)))
    np.testing.assert_allclose(read_cameras(tmp_path / "mine.npy", view=VIEW).trajectory.c2w, C2W, atol=1e-12)
    laid_out({"poses.npy": array(C2W[:, :3])}, tmp_path)
    assert read_cameras(tmp_path / "poses.npy", view=VIEW).trajectory.fps == NATIVE_FPS
    laid_out({"cameras.txt": TUM}, tmp_path)  # an unlucky name
    assert "TUM" in read_cameras(tmp_path / "cameras.txt", view=VIEW).convention
    csv = "timestamp,tx,ty,tz,qx,qy,qz,qw\n" + TUM.replace(" ", ",")
    assert "TUM" in read_cameras(laid_out({"t.csv": csv}, tmp_path) / "t.csv", view=VIEW).convention


def test_rotations_that_were_rounded_are_read_and_written_ones_told(tmp_path):
    short = [[float(f"{x:.3f}") for x in pose.ravel()] for pose in OPENGL]
    laid_out({"a.json": viewer(camera_path=[{"camera_to_world": m, "fov": 50} for m in short])}, tmp_path)
    found = read_cameras(tmp_path / "a.json")
    np.testing.assert_allclose(relative(found.trajectory.c2w), C2W, atol=3e-3)
    by_hand = [[0, 0, 1, 0], [0, 0.866, -0.5, 0.5], [-1, 0.5, 0, 5], [0, 0, 0, 1]]
    laid_out({"b.json": viewer(camera_path=[{"camera_to_world": by_hand, "fov": 50}] * 2)}, tmp_path)
    found = read_cameras(tmp_path / "b.json")
    assert "2 of 2 cameras are not rigid (the worst, camera 1, is off by 0.5)" in found.left_out[0]
    # but a transforms.json, which a program wrote, may be off by no more than its digits
    frames = [{"file_path": "1.png", "transform_matrix": by_hand}]
    laid_out({"c.json": {**pixels(), "frames": frames}}, tmp_path)
    with pytest.raises(ValueError, match="is not rigid"):
        read_cameras(tmp_path / "c.json")


# -- what is refused --------------------------------------------------------------------------------------------------

REFUSED = {
    "FBX": ({"a.fbx": b"Kaydara FBX Binary  \0"}, "a scene of FBX, .* Export the camera"),
    "Alembic": ({"a.abc": b"Ogawa\xff\0"}, "a scene of Alembic, .* Export the camera"),
    "USD": ({"a.usdc": b"PXR-USDC\0"}, "a scene of USD, .* Export the camera"),
    "glTF": ({"a.gltf": {"asset": {"version": "2.0"}, "nodes": []}}, "a scene of glTF, .* Export the camera"),
    "Blender, Maya, COLLADA": ({"a.blend": b"BLENDER-v404"}, "a file of Blender, .* Export the camera"),
    "BVH": ({"a.bvh": b"HIERARCHY\nROOT Hips\n"}, "motion of a body .BVH., which has no camera, .* Choose the file"),
    "After Effects": ({"a.txt": b"Adobe After Effects 8.0 Keyframe Data\r\n"}, "keyframes of After Effects, "),
    "ZIP, r3d, npz": ({"a.r3d": b"PK\x03\x04\0\0"}, "an archive .ZIP.* Unpack it .* metadata.json"),
    "video": ({"a.mp4": b"\0\0\0 ftypisom\0\0"}, "a video, .* Find its cameras with COLMAP"),
    "picture": ({"a.json": b"\xff\xd8\xff\xe0"}, "a picture, "),
    "pickle": ({"a.pkl": pickle.dumps(C2W)}, "a pickle of Python, .* run code .* numpy.save"),
    "array of objects": (
        {"poses.npy": array(np.array([{}]), allow_pickle=True)},
        "Python objects .pickle. can run code",
    ),
    "EuRoC": ({"a.csv": "#timestamp [ns], p_RS_R_x [m]\n1403636580838555648,4.68,-1.78,0.8\n"}, "poses of EuRoC"),
    "Redwood": ({"a.log": "0 0 1\n" + rows(C2W[0])}, "matrices over several lines .Redwood"),
    "TartanAir": ({"a.txt": rows(np.hstack([C2W[:, :3, 3], quaternions(C2W)]))}, "poses without times .* as TUM"),
    "4x4 a line": ({"a.txt": rows(C2W.reshape(-1, 16))}, "one 4x4 matrix a line, of which nothing says"),
    "Metashape": ({"cameras.xml": "<?xml version='1.0'?>\n<document><chunk label='1'>"}, "cameras of Metashape"),
    "orthographic lenses": (
        {"a.json": transforms(**pixels(camera_model="ORTHOPHOTO"))},
        "lens model ORTHOPHOTO, which",
    ),
    "Nuke": (
        {"a.chan": "1 0 0 0 0 30 0 35\n2 1 0 0 0 33 0 35\n"},
        "a camera track of Nuke .chan., .* Export the camera",
    ),
    "empty files": ({"a.txt": " \n"}, "a.txt is empty. Export the cameras again"),
    "anything else": ({"a.doc": "hello world"}, "is none of the files that are read: JSON, lines of numbers"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_read_is_named_with_what_to_do(kind, tmp_path):
    files, words = REFUSED[kind]
    (name,) = files
    with pytest.raises(ValueError, match=words):
        read_cameras(laid_out(files, tmp_path) / name, view=VIEW)


def test_the_table_of_files_is_this_one():
    section = (ROOT / "docs" / "files.md").read_text().split("\n## Camera files\n")[1].split("\n## ")[0]
    kinds = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    assert [kind for kind in kinds if kind not in ("kind", "---")] == [*ACCEPTED, *REFUSED]


def with_header(shape: str, kind: str = "'<f8'", data: bytes = b"") -> bytes:
    header = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + data


@pytest.mark.parametrize(
    ("files", "name", "message"),
    [
        ({"a.npy": with_header("(9999999999, 4, 4)")}, "a.npy", "no array of numpy, or is cut short"),
        ({"a.npy": with_header("(-1, -4, 4)")}, "a.npy", "no array of numpy, or is cut short"),
        ({"a.npy": with_header("(" * 9000)}, "a.npy", "no array of numpy, or is cut short"),
        ({"a.npy": b"\x93NUMPY\x01\0"}, "a.npy", "no array of numpy, or is cut short"),
        ({"a.npy": array(np.zeros((2, 5)))}, "a.npy", r"The array has the shape \(2, 5\), must be \(frames, 4, 4\)"),
        ({"a.npy": array(C2W * np.nan)}, "a.npy", "Camera 1, read as LingBot.* NaN or infinity"),
        ({**POSES, "intrinsics.npy": array(np.ones((3, 4)))}, "poses.npy", r"shape \(3, 4\), must be \(16, 4\)"),
        (
            {**colmap(), "images.bin": colmap()["images.bin"][:-9]},
            "images.bin",
            "is no binary file of COLMAP, or is cut",
        ),
        ({"images.bin": colmap()["images.bin"]}, "images.bin", "cameras.bin missing"),
        ({**colmap(), "images.bin": struct.pack("<Q", 2**60)}, "images.bin", "images, must be 1..2000"),
        ({**colmap(), "cameras.bin": struct.pack("<Q", 0)}, "images.bin", "names the camera 7, which cameras.bin"),
        (colmap(77, ()), "cameras.bin", "has the model 77, only SIMPLE_PINHOLE"),
        ({"a.txt": TUM.replace(" 1\n", " 3\n", 1)}, "a.txt", "Line 1 has a quaternion of length 3.* order tx ty tz"),
        ({"a.txt": TUM + "1 2 3\n"}, "a.txt", "Line 17 has 3 numbers where 8 belong"),
        ({"a.json": [[1, 2]]}, "a.json", "Camera 1 must be 12 numbers"),
        ({"a.json": {"frame0": {"cam01": "[1 0]"}}}, "a.json", "cam01 of frame0 must be a matrix of 16 numbers"),
        ({"a.json": {"frame0": {}}}, "a.json", "frame0 holds no camera"),
        ({"a.json": record3d(poses=[])}, "a.json", "list of poses is empty"),
        ({"a.json": record3d(K=None)}, "a.json", "K holds 'None', must be 9 finite numbers"),
        ({"a.json": {"camera": {"positions": [], "quaternions": []}}}, "a.json", "as many positions as quaternions"),
        ({"a.json": viewer(camera_path=[])}, "a.json", "no list camera_path of at least 1 camera"),
        (
            {"a.json": viewer(camera_path=[{"camera_to_world": [1], "fov": 50}])},
            "a.json",
            "no camera_to_world of 16 numbers",
        ),
        ({"a.txt": TUM * 126}, "a.txt", "The path has 2016 frames, must be 1..2000"),
        ({"a.json": [[0] * 12] * 2001}, "a.json", "The path has 2001 frames, must be 1..2000"),
        ({"a.json": viewer(camera_type="warped")}, "a.json", "has the lens model WARPED"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_damaged_files_are_refused_with_a_sentence(files, name, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_cameras(laid_out(files, tmp_path) / name, view=VIEW)


@pytest.mark.parametrize("kind", ACCEPTED)
@pytest.mark.filterwarnings("error")
def test_any_damage_ends_in_cameras_or_a_sentence(kind, tmp_path):
    files, name, *_ = ACCEPTED[kind]
    laid_out(files, tmp_path)
    originals = {file: (tmp_path / file).read_bytes() for file in files}
    rng = np.random.default_rng(3)
    words = [
        b"1e400",
        b"NaN",
        b"-1",
        b"9" * 400,
        b"[[",
        b"]",
        b"{}",
        b'"',
        b"\n",
        b" ",
        b"\0",
        b"\xff\xff\xff\xff",
        b"null",
    ]
    sentences = 0
    for _ in range(60):
        chosen = sorted(files)[rng.integers(len(files))]
        data = originals[chosen]
        for _ in range(rng.integers(1, 4)):
            start = int(rng.integers(len(data)))
            data = data[:start] + words[rng.integers(len(words))] + data[start + int(rng.choice([0, 1, 5, 60])) :]
        (tmp_path / chosen).write_bytes(data)
        try:
            assert isinstance(read_cameras(tmp_path / name if name else tmp_path, view=VIEW).trajectory, Trajectory)
        except ValueError as error:
            sentences += 1
            assert len(str(error)) < 700
        (tmp_path / chosen).write_bytes(originals[chosen])
    assert sentences


def test_every_reader_is_tried():
    ours = {"json", "path", "re10k", "spatia", "blender"}  # of these there are writers, see test_formats.py
    assert len(READERS) - len(ours) == 11 and ours < set(READERS)

"""What the editor asks Python for: findings with their places, files of cameras read and saved, reasons in Italian."""

import base64
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipelines.cameras import Camera, Trajectory, checks, move, repairs
from pipelines.cameras.formats import CORRECTIONS, FORMATS, read_cameras, write_cameras
from pipelines.cameras.keys import Key
from pipelines.cameras.path import Path as CameraPath
from pipelines.cameras.resampling import resampled
from pipelines.media.clips import RATES
from studio.editor.opening import opened
from studio.editor.place import floor_below
from studio.editor.review import findings, quick_check
from studio.editor.saving import save
from studio.words import TEXT, Refusal, explain
from studio.words.editor import SCRIPT

ROOT = Path(__file__).parents[3]
CAMERA = Camera.from_fov(60, 90, 160)
SIZE = {"height": 90, "width": 160}
AHEAD = (1, 0, 0, 0)
AWAY = np.array([[0.0, 0, 1, 30], [0, 1, 0, 0], [-1, 0, 0, 5], [0, 0, 0, 1]])  # a world of its own


def path_to(*positions, seconds=4.0, **last):
    times = np.linspace(0, seconds, len(positions))
    keys = [Key(float(t), p, AHEAD) for t, p in zip(times, positions, strict=True)]
    keys[-1] = Key(**{**keys[-1].__dict__, **last})
    return CameraPath(tuple(keys))


WAY = path_to((0, 0, 0), (0.1, -0.05, 0.2), (0.2, 0, 0.4))


def test_words_of_the_scripts_exist_and_are_used():
    scripts = "".join(file.read_text() for file in (ROOT / "studio" / "editor" / "scripts").glob("*.js"))
    asked = set(re.findall(r"say\('(\w+)'", scripts))
    assert len(asked) > 10 and asked <= SCRIPT.keys()
    made = ("_tip", "_hint", "ease_", "looks_", "as_", "zoom_")  # put together in the scripts
    assert [key for key in SCRIPT if f"'{key}'" not in scripts and not any(part in key for part in made)] == []


# -- findings ---------------------------------------------------------------------------------------------------------


def test_findings_say_where_they_are_and_what_mends_them():
    Finding = checks.Finding
    found = [
        Finding("turns", (0, 12), 4.0, 3.0, "slow_down"),
        Finding("travels", (12, 24), 0.05, 0.04, "slow_down"),
        Finding("travels", (48, 60), 0.05, 0.04, "slow_down"),
        Finding("out", (72, 96), 0.1, 0.25, "turn_back"),
        Finding("unreached", (95, 95), 1.0, 1e-6, None),
    ]
    fast, out, unreached = findings(found, "it")
    assert fast["kind"] == "fast" and fast["spans"] == [[0, 1], [2, 2.5]] and fast["repair"] == "slow_down"
    assert out["spans"] == [[3, 4]] and out["label"] == "Gira indietro" and "repair" not in unreached
    kinds = re.findall(r"^    (\w+)  ", checks.Finding.__doc__, re.M)
    assert {f"found_{'fast' if kind in ('turns', 'travels') else kind}" for kind in kinds if kind != "kind"} < set(TEXT)
    assert {f"repair_{name}" for name in repairs.REPAIRS} < set(TEXT)


def test_a_path_is_checked_at_once():
    hurry = json.dumps(path_to((0, 0, 0), (0, 0, 1), seconds=1, fov=120).to_dict())
    checked = quick_check({"path": hurry, "distance": 1.0, "language": "en"})
    assert {finding["kind"] for finding in checked["findings"]} == {"fast", "lens"} == set(checked["kinds"])
    assert quick_check({"path": json.dumps(WAY.to_dict()), "distance": 1.0, "language": "en"})["findings"] == []
    assert "time=" in quick_check({"path": hurry.replace('"time": 1.0', '"time": 1e308'), "distance": 1.0})["notice"]
    for odd in ({}, [], "x", {"path": hurry, "distance": "far"}, {"path": hurry, "distance": float("nan")}):
        assert "findings" not in quick_check(odd)


# -- files ------------------------------------------------------------------------------------------------------------


def unpacked(answer: dict, folder: Path) -> list[str]:
    data = base64.b64decode(answer["data"])
    if not answer["name"].endswith(".zip"):
        (folder / answer["name"]).write_bytes(data)
        return [str(folder / answer["name"])]
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        file.extractall(folder)
        return [str(folder / name) for name in file.namelist()]


@pytest.mark.parametrize("name", ["path", *FORMATS])
def test_what_is_saved_opens_again(name, tmp_path):
    answer = save({"format": name, "path": json.dumps(WAY.to_dict()), **SIZE, "fps": 24, "language": "en"})
    path, notice, _ = opened(unpacked(answer, tmp_path), CAMERA, "it")
    clip = WAY.trajectory(90, 160)
    again = path.trajectory(90, 160)
    np.testing.assert_allclose(again.c2w, clip.c2w, atol=1e-5 if name == "path" else 0.01)
    np.testing.assert_allclose(again.c2w[-1], clip.c2w[-1], atol=1e-5)
    assert "lette come" in notice
    if name == "path":
        assert path == WAY


def test_what_cannot_be_saved_gets_a_sentence():
    asked = {"format": "spatia", **SIZE, "fps": 24, "language": "it"}
    zoom = json.dumps(path_to((0, 0, 0), (0, 0, 0.1), fov=40).to_dict())
    assert "un altro obiettivo" in save({**asked, "path": zoom})["refusal"]
    for odd in ({**asked, "path": zoom, "format": "__proto__"}, {**asked, "path": None}, {}, None, [1]):
        assert save(odd)["refusal"]
    assert save({**asked, "path": zoom, "format": "json", "height": -1})["refusal"]
    assert "24" in save({**asked, "path": zoom, "format": "json", "fps": 29})["refusal"]


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"spatia", "colmap"}))  # which tell no rate
def test_cameras_are_saved_at_the_rate_and_length_of_the_clip(name, fps, tmp_path):
    answer = save({"format": name, "path": json.dumps(WAY.to_dict()), **SIZE, "fps": fps, "language": "en"})
    (file,) = unpacked(answer, tmp_path)
    cameras = read_cameras(file).trajectory
    assert cameras.fps == pytest.approx(fps, rel=1e-4) and len(cameras) == 4 * fps


def test_a_model_of_two_files_is_read_and_half_of_one_refused(tmp_path):
    slide = move("side-slide", CAMERA, distance=2.0, frames=33)
    files = [str(file) for file in write_cameras(slide, "colmap", tmp_path / "model")]
    pair = [file for file in files if "points3D" not in file]
    path, notice, _ = opened(pair, CAMERA, "it")
    assert path.positions[-1] == pytest.approx(slide.c2w[-1, :3, 3], abs=0.02) and "COLMAP" in notice
    refused, why, _ = opened(pair[:1], CAMERA, "it")
    assert refused is None and why.startswith("Queste videocamere") and "missing" not in why
    assert opened(files * 2, CAMERA, "it")[0] is None


@pytest.mark.parametrize("cameras", [2, 16, 49, 77, 121, 2000])
def test_any_number_of_cameras_comes_in_with_the_files_first_and_last(cameras, tmp_path):
    slide = resampled(move("gentle-arc", CAMERA, distance=2.0, frames=33, degrees=40), cameras)
    slide = Trajectory(AWAY @ slide.c2w, slide.K, 90, 160, 24)
    (file,) = write_cameras(slide, "json", tmp_path / "poses.json")
    path, notice, _ = opened([str(file)], CAMERA, "en")
    first, last = path.sample(np.array([0.0, path.duration])).c2w
    np.testing.assert_array_equal(first, np.eye(4))
    np.testing.assert_allclose(last, np.linalg.inv(slide.c2w[0]) @ slide.c2w[-1], atol=1e-9)
    assert (
        notice.startswith(f"{cameras} cameras have come in (format: Mirage Studio trajectory).")
        and f"They became {len(path.keys)} points over" in notice
    )
    own = cameras / 24
    is_kept = 1 <= own <= 60
    assert path.duration == pytest.approx(own if is_kept else 4 if own < 1 else 60, abs=0.1)
    assert ("which no clip does" in notice) != is_kept


def test_poses_without_a_lens_take_the_photos_and_the_notice_says_what_was_left_out(tmp_path):
    arc = move("gentle-arc", CAMERA, distance=2.0, frames=49)
    (tmp_path / "path.json").write_text(json.dumps(np.linalg.inv(arc.c2w)[:, :3].reshape(-1, 12).tolist()))
    path, notice, _ = opened([str(tmp_path / "path.json")], CAMERA, "it")
    np.testing.assert_allclose(path.positions[-1], arc.c2w[-1, :3, 3], atol=1e-9)
    assert "MotionCtrl" in notice and path.keys[-1].fov == pytest.approx(60)
    model = json.loads(FORMATS["nerfstudio"].write(arc)["transforms.json"]) | {"camera_model": "OPENCV_FISHEYE"}
    (tmp_path / "path.json").write_text(json.dumps(model))
    assert "fisheye (modello di obiettivo OPENCV_FISHEYE)" in opened([str(tmp_path / "path.json")], CAMERA, "it")[1]
    pair = [tmp_path / "poses.npy", tmp_path / "intrinsics.npy"]
    np.save(pair[0], arc.c2w)
    np.save(pair[1], np.tile([500.0, 500, 416, 240], (49, 1)))
    assert "LingBot-World" in opened([str(file) for file in pair], CAMERA, "it")[1]


def test_what_came_in_is_said_in_plain_words_first(tmp_path):
    slide = move("side-slide", CAMERA, distance=2.0, frames=33)
    for name, english, italian in (
        ("re10k", "(format: RealEstate10K)", "(formato: RealEstate10K)"),
        ("json", "(format: Mirage Studio trajectory)", "(formato: traiettoria di Mirage Studio)"),
    ):
        (file,) = write_cameras(slide, name, tmp_path / FORMATS[name].write(slide).popitem()[0])
        for language, told, details in (("en", english, "For experts: read as"), ("it", italian, "Per esperti: lette")):
            notice = opened([str(file)], CAMERA, language)[1]
            plain, technical = notice.split(details)
            assert told in plain.split(". ")[0] and not re.search("c2w|w2c|axes|assi|OpenCV|[+]x", plain)
            assert re.search(r"c2w|w2c", technical) and "docs/formats.md" in technical


def test_what_is_no_file_of_cameras_is_named(tmp_path):
    (tmp_path / "path.fbx").write_bytes(b"Kaydara FBX Binary  \0")
    path, why, fixes = opened([str(tmp_path / "path.fbx")], CAMERA, "it")
    assert path is None and fixes == [] and "path.fbx sembra una scena FBX: non si legge. Esporta la videocamera" in why


def test_cameras_that_were_doubted_are_read_the_other_way_on_demand(tmp_path):
    orbit = move("gentle-arc", CAMERA, distance=2.0, frames=33, degrees=40)
    turned, inverse = orbit.c2w @ np.diag([1, -1, -1, 1.0]), np.linalg.inv(AWAY @ orbit.c2w)
    for kind, odd in (("backwards", turned), ("inverse", inverse)):
        (file,) = write_cameras(Trajectory(odd, orbit.K, 90, 160), "json", tmp_path / f"{kind}.json")
        path, notice, fixes = opened([str(file)], CAMERA, "it")
        assert path is not None and fixes == [{"fix": kind, "label": TEXT[f"fix_{kind}"][1]}]
        assert TEXT[f"doubt_{kind}"][1] in notice
        path, notice, fixes = opened([str(file)], CAMERA, "en", kind)
        assert fixes == []
        np.testing.assert_allclose(path.positions[-1], orbit.c2w[-1, :3, 3], atol=0.02)
    assert {f"doubt_{kind}" for kind in (*CORRECTIONS, "stretched")} == {name for name in TEXT if name[:6] == "doubt_"}


# -- reasons ----------------------------------------------------------------------------------------------------------


def test_reasons_are_translated_to_the_last_part(tmp_path):
    bad = {"version": 1, "keys": [{"time": 0, "position": [0, 0, 0], "orientation": [0, 0, 0, 0], "fov": 60}] * 2}
    (tmp_path / "path.json").write_text(json.dumps(bad))
    with pytest.raises(ValueError) as caught:
        read_cameras(tmp_path / "path.json")
    said = explain("it", Refusal("cameras_refused", reason=caught.value))
    assert "path.json: Punto 1: orientation è un quaternione lungo 0" in said
    mirrored = move("gentle-arc", CAMERA, distance=2.0, frames=33)
    frames = json.loads(FORMATS["nerfstudio"].write(mirrored)["transforms.json"])
    frames["frames"][3]["transform_matrix"][0] = [-x for x in frames["frames"][3]["transform_matrix"][0]]
    (tmp_path / "transforms.json").write_text(json.dumps(frames))
    path, why, _ = opened([str(tmp_path / "transforms.json")], CAMERA, "it")
    assert path is None and "specchia il mondo" in why and "letto come nerfstudio, c2w in assi OpenGL" in why


# -- the place --------------------------------------------------------------------------------------------------------


def room(height: float, table: float = 0.0) -> np.ndarray:
    """Depth of a floor `height` below the camera, a wall 12 units away, and a table `table` below it in the middle."""
    rows = (np.arange(90) + 0.5 - 45) / CAMERA.K[1, 1]
    floor = np.where(rows > 0, height / np.maximum(rows, 1e-9), np.inf)
    depth = np.broadcast_to(np.minimum(floor, 12.0)[:, None], (90, 160)).copy()
    if table:
        top = np.where(rows > 0, table / np.maximum(rows, 1e-9), np.inf)[:, None]
        spot = (top > 2.6) & (top < 3.6) & (np.abs(np.arange(160) - 80) < 25)
        depth = np.where(spot, np.minimum(top, depth), depth)
    return depth


def test_the_floor_is_found_below_the_camera():
    assert floor_below(room(1.6), CAMERA) == pytest.approx(1.6, rel=0.03)
    assert floor_below(room(1.6, table=0.8), CAMERA) == pytest.approx(1.6, rel=0.03)
    assert floor_below(np.full((90, 160), 3.0), CAMERA) is None  # a wall
    assert floor_below(np.zeros((90, 160)), CAMERA) is None

"""`path` on the command line: cameras go through every format, and a wrong convention is warned of."""

import json

import numpy as np
import pytest

from pipelines import __main__ as cli
from pipelines.cameras import Path, Trajectory
from pipelines.cameras.formats import FORMATS
from pipelines.cameras.trajectory import NATIVE_FPS

EDITED = {
    "version": 1,
    "keys": [
        {"time": 0, "position": [0, 0, 0], "orientation": [1, 0, 0, 0], "fov": 60},
        {"time": 2, "position": [1, 0, 1], "orientation": [1, 0, 0.3, 0], "fov": 60},
    ],
}


@pytest.mark.parametrize("to", ["json", "re10k", "colmap", "nerfstudio", "blender", "spatia"])
def test_a_path_goes_through_every_format(tmp_path, capsys, to):
    (tmp_path / "edited.json").write_text(json.dumps(EDITED))
    out, back = tmp_path / "out", tmp_path / "back.json"
    command = ["path", str(tmp_path / "edited.json"), "--to", to, "--out", str(out), "--size", "90x160", "--fps", "8"]
    assert cli.main(command) == 0
    report = json.loads(capsys.readouterr().out)
    assert "editable path, c2w in OpenCV axes" in report["convention"] and report["warnings"] == []
    assert (report["cameras"], report["height"], report["width"], report["fps"]) == (16, 90, 160, 8)
    source = report["written"][0] if len(report["written"]) == 1 else str(out)
    again = ["path", source, "--to", "json", "--out", str(back), "--size", "90x160", "--fps", "8"]
    assert cli.main(again) == 0
    assert json.loads(capsys.readouterr().out)["cameras"] == 16
    expected = Path.from_dict(EDITED).trajectory(90, 160, 8)
    found = Trajectory.load(back)
    assert abs(found.c2w - expected.c2w).max() < 1e-5 and abs(found.K - expected.K).max() < 1e-5


def test_a_path_in_the_wrong_convention_is_warned_of_and_mended(tmp_path, capsys):
    path = Path.from_dict(EDITED).trajectory(90, 160)
    lines = ["wrong"]
    for index, camera in enumerate(path):  # c2w where w2c belongs, in OpenGL axes
        c2w = camera.c2w @ np.diag([1.0, -1, -1, 1])
        numbers = [0.866, 1.5396, 0.5, 0.5, 0, 0, *np.linalg.inv(c2w)[:3].ravel()]
        lines.append(f"{index * 62500} " + " ".join(map(str, numbers)))
    (tmp_path / "wrong.txt").write_text("\n".join(lines))
    command = ["path", str(tmp_path / "wrong.txt"), "--to", "json", "--out", str(tmp_path / "right.json")]
    assert cli.main(command) == 0
    printed = capsys.readouterr()
    assert "RealEstate10K, w2c" in printed.out and printed.err.startswith("warning: ") and "--fix" in printed.err
    assert len(json.loads(printed.out)["warnings"]) == printed.err.count("warning: ") >= 1
    assert cli.main([*command, "--fix", "backwards"]) == 0
    assert capsys.readouterr().err == ""
    np.testing.assert_allclose(Trajectory.load(tmp_path / "right.json").c2w, path.c2w, atol=1e-9)


TUM = "".join(f"{i / 30:.4f} 0 0 {i**2 / 100} 0 0 0 1\n" for i in range(17))


@pytest.mark.parametrize("pace", ["kept", "even"])
def test_any_number_of_cameras_is_put_onto_a_clip(tmp_path, capsys, pace):
    (tmp_path / "tum.txt").write_text(TUM)
    command = ["path", str(tmp_path / "tum.txt"), "--size", "90x160", "--fov", "60", "--resample", "97"]
    assert cli.main([*command, "--pace", pace, "--out", str(tmp_path / "out.json")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["cameras"], report["fps"], report["height"], report["width"]) == (97, NATIVE_FPS, 90, 160)
    z = Trajectory.load(tmp_path / "out.json").c2w[:, 2, 3]
    assert (z[0], z[-1]) == (0, 2.56)
    steps = np.diff(z)
    assert steps.max() / steps.min() < 1.01 if pace == "even" else steps[-1] > 20 * steps[0]
    assert cli.main([*command, "--fps", "30"]) == 0  # without --out only told
    told = json.loads(capsys.readouterr().out)
    assert told["fps"] == 30 and told["written"] == [] and len(list(tmp_path.iterdir())) == 2


def test_what_is_left_out_is_warned_of(tmp_path, capsys):
    path = Path.from_dict(EDITED).trajectory(90, 160)
    data = json.loads(FORMATS["nerfstudio"].write(path)["transforms.json"]) | {"k1": 0.1}
    (tmp_path / "transforms.json").write_text(json.dumps(data))
    assert cli.main(["path", str(tmp_path / "transforms.json")]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("warning: Lens distortion is left out (k1=0.1)")
    assert json.loads(printed.out)["warnings"][0].startswith("Lens distortion")


@pytest.mark.parametrize(
    ("arguments", "focal", "said"),
    [
        (["--fov", "60"], 80 / np.tan(np.radians(30)), "60 degrees across the long side is used (33 mm"),
        (["--lens", "35"], 35 / 43.2666 * np.hypot(90, 160), "57 degrees across the long side is used (35 mm"),
    ],
)
def test_cameras_without_a_lens_get_the_one_given_and_short_ones_a_hint(tmp_path, capsys, arguments, focal, said):
    (tmp_path / "tum.txt").write_text(TUM)
    command = ["path", str(tmp_path / "tum.txt"), "--size", "90x160", *arguments, "--out", str(tmp_path / "out.json")]
    assert cli.main(command) == 0
    printed = capsys.readouterr()
    assert Trajectory.load(tmp_path / "out.json").K[0, 0, 0] == pytest.approx(focal, rel=1e-4)
    warnings = json.loads(printed.out)["warnings"]
    assert len(warnings) == printed.err.count("warning: ") == 2 and f"one of {said}" in warnings[0]
    assert "17 cameras last 0.57 s at 30 frames a second" in warnings[1] and "--resample 96" in warnings[1]
    assert cli.main([*command, "--resample", "96"]) == 0  # what the hint says
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)["warnings"]) == printed.err.count("warning: ") == 1


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("{", [], "in.json is not JSON"),
        ('{"version": 1, "keys": [1]}', [], "in.json: The path has 1 keys, must be 2..200"),
        (json.dumps(EDITED), ["--fps", "0"], "fps=0.0 must be a number from 1 to 240"),
        (json.dumps(EDITED), ["--fps", "nan"], "fps=nan must be"),
        (json.dumps(EDITED), ["--size", "0x9"], "height=0 must be 1..16384"),
        (json.dumps(EDITED), ["--size", "9x99999"], "width=99999 must be"),
        (None, [], "in.json does not exist"),
        (json.dumps(EDITED), ["--resample", "1"], "resample=1 must be a whole number of frames from 2 to 2000"),
        (json.dumps(EDITED), ["--lens", "2"], "--lens 2 must be 4..1000 mm of full frame. Use 35."),
        (json.dumps(EDITED), ["--fov", "200"], "fov_degrees=200.0 must be 1..170"),
        (json.dumps([[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]] * 2), [], "tell no lens (MotionCtrl"),
        (json.dumps(EDITED), ["--out", "nowhere/x/out"], "does not exist. Make it first"),
    ],
)
def test_a_bad_path_is_one_sentence_and_no_file(tmp_path, capsys, content, arguments, message):
    if content is not None:
        (tmp_path / "in.json").write_text(content)
    command = ["path", str(tmp_path / "in.json"), "--to", "colmap", "--out", str(tmp_path / "out"), *arguments]
    assert cli.main(command) == 2
    printed = capsys.readouterr()
    assert message in printed.err and printed.err.count("\n") == 1 and printed.out == ""
    assert not (tmp_path / "out").exists()

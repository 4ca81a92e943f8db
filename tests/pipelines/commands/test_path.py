"""`path` on the command line: cameras go through every format, and a wrong convention is warned of."""

import json

import numpy as np
import pytest

from pipelines import __main__ as cli
from pipelines.cameras import Path, Trajectory

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

"""`render --trajectory` with cameras of other tools: any number of them, without a lens, warned of."""

import json
import math

import numpy as np
import pytest

from pipelines import __main__ as cli
from pipelines.cameras import Trajectory
from pipelines.cameras.trajectory import NATIVE_FPS
from pipelines.media.clips import read_recipe

TUM = "".join(f"{i / 30:.4f} 0 0 {i / 100} 0 0 0 1\n" for i in range(16))


@pytest.fixture
def rendered(folder):
    def rendered(text: str, *arguments) -> tuple[int, Trajectory | None]:
        (folder / "cameras").write_text(text)
        command = ["render", str(folder / "photo.png"), "--size", "72x128", "--out", str(folder / "clip.mp4")]
        code = cli.main([*command, "--trajectory", str(folder / "cameras"), *arguments])
        recipe = read_recipe(folder / "clip.mp4") if code == 0 else {}
        return code, Trajectory.from_dict(recipe["trajectory"]) if recipe else None

    return rendered


def test_sixteen_cameras_become_a_clip_with_the_lens_of_the_photo(rendered):
    code, followed = rendered(TUM, "--resample", "21", "--fov", "40")
    assert code == 0 and (len(followed), followed.fps) == (21, NATIVE_FPS)
    np.testing.assert_array_equal(followed.c2w[[0, -1], 2, 3], [0, 0.15])
    np.testing.assert_allclose(np.diff(followed.c2w[:, 2, 3]), 0.15 / 20, rtol=1e-6)
    assert followed.K[0, 0, 0] == pytest.approx(64 / math.tan(math.radians(20)))


def test_a_short_file_is_rendered_as_it_is_with_a_hint_and_the_lens_that_was_taken(rendered, capsys):
    code, followed = rendered(TUM)
    assert code == 0 and len(followed) == 16
    said = capsys.readouterr().err
    assert "warning: The file tells no lens: one of 60 degrees" in said
    assert "The 16 cameras last 0.53 s at 30 frames a second" in said and "--resample 96" in said
    assert rendered(TUM, "--lens", "50", "--resample", "9")[1].K[0, 0, 0] == pytest.approx(
        50 / np.hypot(36, 24) * np.hypot(72, 128)
    )
    assert "(50 mm of full frame)" in capsys.readouterr().err


def test_what_is_left_out_is_warned_of_and_what_is_not_read_named(rendered, folder, capsys):
    panoramas = [{"file_path": f"{i}.png", "transform_matrix": np.eye(4).tolist()} for i in range(2)]
    panoramas = json.dumps({"camera_model": "EQUIRECTANGULAR", "frames": panoramas})
    assert rendered(panoramas, "--resample", "9")[0] == 0
    assert "warning: The pictures are panoramas (lens model EQUIRECTANGULAR)" in capsys.readouterr().err
    (folder / "clip.mp4").unlink()
    for text, arguments, message in (
        ("PK\x03\x04", (), "cameras seems to be an archive"),
        (TUM, ("--resample", "5000"), "resample=5000 must be a whole number of frames from 2 to 2000"),
    ):
        assert rendered(text, *arguments)[0] == 2
        assert message in capsys.readouterr().err and not (folder / "clip.mp4").exists()
    assert cli.main(["render", str(folder / "photo.png"), "--resample", "9", "--out", str(folder / "clip.mp4")]) == 2
    assert "Give --trajectory FILE" in capsys.readouterr().err

"""`render` and what is in the picture: bars cut, a panorama seen flat, and a warning for what nobody asked for."""

import numpy as np
import pytest
from helpers import photo
from PIL import Image

from pipelines import __main__ as cli
from pipelines.cameras import Trajectory
from pipelines.media.clips import read_recipe
from pipelines.photo.lifted import photo_sha256
from pipelines.photo.picture import open_picture

GPANO = b'<x:xmpmeta GPano:ProjectionType="equirectangular"></x:xmpmeta>'


@pytest.fixture
def barred(folder):
    Image.fromarray(np.pad(photo(144, 256), ((40, 44), (0, 0), (0, 0)))).save(folder / "photo.png")
    return folder


@pytest.fixture
def panorama(folder):
    Image.fromarray(photo(400, 800)).save(folder / "photo.png", "WEBP", lossless=True, xmp=GPANO)
    return folder


def used(folder) -> str:
    return read_recipe(folder / "clip.mp4")["photo_sha256"]


def test_bars_are_named_and_cut_only_on_request(barred, render, capsys):
    picture = open_picture(barred / "photo.png")
    assert render(barred) == 0
    assert "warning: there are bars at the top and bottom of the picture" in capsys.readouterr().err
    assert used(barred) == photo_sha256(picture.image)
    assert render(barred, "--cut-bars") == 0
    assert "warning" not in capsys.readouterr().err
    assert used(barred) == photo_sha256(picture.without_bars().image) != photo_sha256(picture.image)


def test_a_panorama_is_named_and_seen_flat_on_request_with_its_own_lens(panorama, render, capsys):
    assert render(panorama) == 0
    assert "warning: this is a 360 degree panorama" in capsys.readouterr().err
    for asked, view in (("120", (120, 0)), ("-90,10", (-90, 10))):
        assert render(panorama, f"--flatten={asked}", "--size", "72x96", "--move", "push-in") == 0
        assert "warning" not in capsys.readouterr().err
        assert used(panorama) == photo_sha256(open_picture(panorama / "photo.png").flat_view(*view).image)
        first = Trajectory.from_dict(read_recipe(panorama / "clip.mp4")["trajectory"])[0]
        assert first.fov_degrees == pytest.approx(90)


def test_too_few_pixels_are_said_with_the_size_that_suits(folder, render, capsys):
    Image.fromarray(photo(64, 112)).save(folder / "photo.png")
    assert render(folder, "--size", "144x252") == 0
    assert "the photo has 112x64 pixels in this frame, the clip 252x144: it will look soft" in (
        err := capsys.readouterr().err
    )
    assert err.strip().splitlines()[0].endswith("or --size 114x200.")
    assert render(folder, "--size", "114x200") == 0
    assert "warning" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cut-bars"], "There are no bars at the rims of this picture."),
        (["--flatten", "10"], "This picture is no panorama of 360 degrees all around."),
        (["--cut-bars", "--depth", "depth.png"], "--depth is of the whole picture, --cut-bars is not."),
        (["--flatten", "10", "--fov", "70"], "--fov and --lens are not needed"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_made(folder, render, capsys, arguments, message):
    assert render(folder, *arguments) == 2
    err = capsys.readouterr().err
    assert message in err and len(err.strip().splitlines()) == 1
    assert [file.name for file in folder.iterdir()] == ["photo.png"]


@pytest.mark.parametrize("view", ["left", "1,2,3", "10,", "--cut-bars"])
def test_a_direction_is_one_or_two_numbers(folder, render, capsys, view):
    with pytest.raises(SystemExit):
        render(folder, "--flatten", view)
    assert "--flatten" in capsys.readouterr().err


@pytest.mark.parametrize(("size", "is_turned"), [("72x128", False), ("128x72", True), ("72x72", False)])
def test_a_size_that_looks_turned_gets_a_hint(folder, capsys, size, is_turned):
    command = ["render", str(folder / "photo.png"), "--size", size, "--frames", "2", "--move", "steady-hold"]
    assert cli.main([*command, "--out", str(folder / "clip.mp4")]) == 0
    said = capsys.readouterr().err
    hint = "--size is HEIGHTxWIDTH: 128x72 makes an upright clip of a wide photo. For a wide one use --size 72x128."
    assert (hint in said) == is_turned and ("HEIGHTxWIDTH" in said) == is_turned

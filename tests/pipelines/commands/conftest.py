import pytest
from helpers import photo
from PIL import Image

from pipelines import __main__ as cli
from pipelines.commands import info
from pipelines.commands import render as render_command


@pytest.fixture
def folder(tmp_path, pipe, monkeypatch):
    """A folder with a photo in it; every model is the one that ships, with exact depth."""
    for command in (render_command, info):
        monkeypatch.setattr(command, "load_pipeline", lambda model, *_, **__: pipe)
    Image.fromarray(photo(144, 256)).save(tmp_path / "photo.png")
    return tmp_path


@pytest.fixture
def render():
    """`render` on the command line: folder, further arguments -> exit code; the clip is clip.mp4 in the folder."""

    def render(folder, *arguments):
        length = [] if {"--trajectory", "--seconds"} & set(arguments) else ["--frames", "9"]
        command = ["render", str(folder / "photo.png"), "--size", "72x128", *length]
        return cli.main([*command, "--out", str(folder / "clip.mp4"), *arguments])

    return render

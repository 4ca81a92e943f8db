"""Pictures: what is taken as one, and how one is written."""

import numpy as np
import pytest
from PIL import Image

from pipelines.pictures import check_picture, save_picture


def test_a_picture_is_an_array_of_bytes_and_nothing_else():
    picture = np.zeros((4, 6, 3), np.uint8)
    assert check_picture(picture) is picture
    for wrong, words in (
        (picture[0], r"uint8 \(6, 3\)"),
        (picture / 1.0, "float64"),
        ([1, 2], "list"),
        (None, "NoneType"),
    ):
        with pytest.raises(ValueError, match=f"The picture is {words}.* Give an"):
            check_picture(wrong)


def test_a_picture_that_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    file, picture = tmp_path / "sheet.png", Image.new("RGB", (6, 4), (10, 20, 30))
    save_picture(picture, file)
    before = file.read_bytes()
    assert np.array_equal(np.asarray(Image.open(file)), np.asarray(picture))

    def full(path, data):
        with path.open("wb") as opened:
            opened.write(data[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="sheet.png could not be written"):
        save_picture(picture, file)
    assert file.read_bytes() == before and [found.name for found in tmp_path.iterdir()] == ["sheet.png"]

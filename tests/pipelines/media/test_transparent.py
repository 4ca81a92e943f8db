"""Transparent files as other programs read them: ffprobe and FFmpeg's decoder for WebM, zip and PNG."""

import io
import json
import subprocess
import zipfile

import numpy as np
import pytest
from ffprobe import probe
from PIL import Image

from pipelines.media.clips import read_recipe
from pipelines.media.transparent import WRITERS, write_png_sequence, write_webm

HEIGHT, WIDTH = 64, 96


def disc(count=30):
    """RGBA frames (T, H, W, 4): a red disc that travels, soft at its rim; what is clear is black."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    frames = np.zeros((count, HEIGHT, WIDTH, 4), np.uint8)
    for index, frame in enumerate(frames):
        share = (20 - np.hypot(x - 30 - index, y - 32)).clip(0, 4) / 4
        frame[share > 0, :3] = (200, 30, 60)
        frame[..., 3] = (share * 255).round()
    return frames


def decoded(file, count):
    """RGBA (T, H, W, 4) as libvpx gives them; FFmpeg's own decoder leaves the alpha out."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-c:v",
        "libvpx-vp9",
        "-i",
        str(file),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgba",
        "-",
    ]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(data, np.uint8).reshape(count, HEIGHT, WIDTH, 4)


@pytest.mark.parametrize(("fps", "rate", "count"), [(24, 24, 30), (25, 25, 30), (16, 24, 45)])
def test_a_webm_has_alpha_its_rate_and_its_length(tmp_path, fps, rate, count):
    file = write_webm(disc(), tmp_path / "clip.webm", fps, {"seed": 7}, rate=rate)
    told = probe(file)
    stream, packets = told["stream"], told["packets"]
    assert stream["codec_name"] == "vp9" and (stream["width"], stream["height"]) == (WIDTH, HEIGHT)
    assert {name.lower(): value for name, value in stream["tags"].items()}["alpha_mode"] == "1"
    assert (stream["color_space"], stream["color_range"]) == ("bt709", "tv")
    assert stream["r_frame_rate"] == f"{rate}/1" and len(packets) == count
    times = [float(packet["pts_time"]) for packet in packets]
    assert np.abs(np.array(times) - np.arange(count) / rate).max() <= 0.0006  # whole milliseconds
    assert abs(float(told["format"]["duration"]) - count / rate) <= 0.001
    assert read_recipe(file) == {"seed": 7}


def test_a_webm_shows_the_product_and_nothing_beside_it(tmp_path):
    frames = disc()
    shown = decoded(write_webm(frames, tmp_path / "clip.webm", 24), 30).astype(float)
    assert np.abs(shown[..., 3] - frames[..., 3]).mean() < 2
    assert (shown[frames[..., 3] == 0, 3] > 16).mean() < 0.01
    covered = frames[..., 3] > 100
    assert np.abs(shown[covered, :3] - (200, 30, 60)).mean() < 6  # also at the rim: no black runs into it


def test_png_frames_are_the_frames(tmp_path):
    frames = disc(6)
    file = write_png_sequence(frames, tmp_path / "frames.zip", 16, {"seed": 7}, rate=24)
    with zipfile.ZipFile(file) as packed:
        *names, last = packed.namelist()
        shown = [np.asarray(Image.open(io.BytesIO(packed.read(name)))) for name in names]
        told = json.loads(packed.read(last))
    assert names == [f"frame_{number:05}.png" for number in range(1, 10)] and last == "clip.json"
    assert told == {"fps": 24, "frames": 9, "recipe": {"seed": 7}}
    assert all(any(np.array_equal(frame, own) for own in frames) for frame in shown)
    assert np.array_equal(shown[0], frames[0]) and np.array_equal(shown[-1], frames[-1])


@pytest.mark.parametrize("suffix", WRITERS)
def test_equal_frames_give_equal_files(tmp_path, suffix):
    for name in ("one", "two"):
        WRITERS[suffix](iter(disc(12)), tmp_path / f"{name}{suffix}", 24, {"seed": 7})
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([], "0 frames"),
        ([disc(1)[0][..., :3]], r"must be \(height, width, 4\) uint8"),
        ([disc(1)[0], disc(1)[0][:32]], "Keep one size per clip"),
    ],
)
def test_what_is_no_transparent_clip_is_refused_and_leaves_nothing(tmp_path, suffix, frames, words):
    with pytest.raises(ValueError, match=words):
        WRITERS[suffix](frames, tmp_path / f"clip{suffix}", 24)
    assert not list(tmp_path.iterdir())


def test_a_webm_needs_even_sides(tmp_path):
    with pytest.raises(ValueError, match="both sides must be even"):
        write_webm(disc(1)[:, 1:], tmp_path / "clip.webm", 24)

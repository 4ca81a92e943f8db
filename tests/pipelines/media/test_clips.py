"""Clips as ad platforms read them."""

from itertools import pairwise

import av
import numpy as np
import pytest
from ffprobe import boxes_of, check_platforms_take, inner_boxes, probe

from pipelines.media.clips import RATES, at_rate, write_mp4


def moving(count: int, height: int = 72, width: int = 128) -> np.ndarray:
    """Frames (T, H, W, 3) uint8 whose picture travels, so that an encoder has a reason to look ahead and back."""
    scene = np.random.default_rng(0).integers(0, 255, (height // 8, 4, 3)).repeat(8, 0).repeat(width // 2, 1)
    return np.stack([np.roll(scene, 2 * index, axis=1)[:, :width] for index in range(count)]).astype(np.uint8)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seconds", [3, 4, 7])
def test_platforms_take_a_clip(tmp_path, seconds, rate):
    frames = moving(round(seconds * rate))
    write_mp4(frames, tmp_path / "clip.mp4", fps=rate)
    check_platforms_take(tmp_path / "clip.mp4", seconds, rate, 72, 128)


@pytest.mark.parametrize("rate", RATES)
def test_platforms_take_a_clip_of_a_model_with_a_rate_of_its_own(tmp_path, rate):
    write_mp4(moving(64), tmp_path / "clip.mp4", fps=16, rate=rate)
    check_platforms_take(tmp_path / "clip.mp4", 4, rate, 72, 128)


def test_the_checks_see_what_platforms_refuse(tmp_path):
    """An edit list, as every muxer writes it by itself where frames are stored out of order."""
    with av.open(str(tmp_path / "late.mp4"), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=24)
        stream.height, stream.width, stream.pix_fmt = 72, 128, "yuv420p"
        for frame in moving(72):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    moov = dict(boxes_of((tmp_path / "late.mp4").read_bytes()))["moov"]
    assert "elst" in dict(inner_boxes(moov)) and len(probe(tmp_path / "late.mp4")["packets"]) == 72
    with pytest.raises(AssertionError):
        check_platforms_take(tmp_path / "late.mp4", 3, 24, 72, 128)


def test_a_picture_that_stands_still_hardly_changes_at_key_frames(tmp_path):
    """A camera that arrives and stays, before a scene with grain: coded anew, its grain would jump by 0.46 and 0.27."""
    random = np.random.default_rng(0)
    grain = sum(
        strength
        * np.kron(random.normal(0, side, (180 // side + 2, 400 // side + 2, 3)), np.ones((side, side, 1)))[:180, :400]
        for side, strength in ((1, 3), (4, 4), (16, 2), (40, 0.8))
    )
    scene = np.clip(128 + grain, 0, 255).astype(np.uint8)
    arriving = np.round(60 * np.sin(np.linspace(0, np.pi / 2, 24))).astype(int)
    write_mp4([scene[:, x : x + 320] for x in (*arriving, *[60] * 80)], tmp_path / "clip.mp4", fps=24)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        decoded = [(frame.key_frame, frame.to_ndarray()[:180].astype(int)) for frame in container.decode(video=0)]
    steps = [np.abs(b - a).mean() for (_, a), (is_key, b) in pairwise(decoded) if is_key]
    assert len(steps) == 2 and steps[0] < 0.38 and steps[1] < 0.1


@pytest.mark.parametrize(("fps", "rate"), [(16, 24), (16, 25), (16, 30), (24, 24), (24, 30), (30, 24)])
def test_frames_are_repeated_in_order_and_the_clip_takes_as_long(fps, rate):
    shown = list(at_rate(range(4 * fps), fps, rate))
    assert len(shown) == 4 * rate and shown == sorted(shown) and shown[0] == 0 and shown[-1] == 4 * fps - 1
    times = (np.arange(len(shown)) + 0.5) / rate
    assert np.abs(times - (np.array(shown) + 0.5) / fps).max() <= max(0.5 / fps, 0.5 / rate) + 1e-9

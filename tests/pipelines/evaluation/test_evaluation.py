"""The figures of the evaluation: laws of the measures, and a tiny run of the suites."""

import argparse
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_wan import tiny_pipe

from pipelines import MiragePipeline
from pipelines.__main__ import main
from pipelines.cameras import Camera, pixel_centers, unproject
from pipelines.cameras.rotations import rotation
from pipelines.commands import evaluate
from pipelines.depth.embedded import DepthNet
from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.evaluation import loop, rgbd, room_truth, rooms
from pipelines.evaluation.baselines.lookup import true_lookup
from pipelines.evaluation.baselines.nearest_token import nearest_tokens
from pipelines.evaluation.rgbd_frames import RgbdFrame
from pipelines.metrics import Sharpness, psnr, ssim
from pipelines.weights.shipped import EMBEDDED_FOLDER

HEIGHT, WIDTH = 72, 128


@pytest.fixture(scope="module")
def pipe():
    """The shipped autoencoder with an untrained depth network: figures with exact depth do not lean on it."""
    torch.manual_seed(0)
    return MiragePipeline(FineAutoencoder.from_pretrained(EMBEDDED_FOLDER / "autoencoder"), DepthNet())


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return parser.parse_args(words)


def sharpness(picture, truth, mask):
    pool = Sharpness()
    pool.add(picture, truth, mask)
    return pool.value


def picture(height=HEIGHT, width=WIDTH) -> np.ndarray:
    """Waves of several lengths, a different one in each channel."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    waves = [np.sin(x / 1.5) + np.sin(y / 5), np.sin((x + y) / 2), np.sin(x / 11) * np.sin(y / 1.3)]
    return (np.stack(waves, axis=-1) * 55 + 128).astype(np.uint8)


def test_psnr_is_what_its_name_says():
    photo = picture()
    off_by_one = np.where(photo < 255, photo + 1, photo - 1).astype(np.uint8)
    assert psnr(photo, photo) == 99.0
    assert psnr(photo, off_by_one) == pytest.approx(20 * math.log10(255))
    assert psnr(photo, off_by_one) == psnr(off_by_one, photo)
    half = np.zeros(photo.shape[:2], bool)
    half[: HEIGHT // 2] = True
    mixed = np.where(half[..., None], photo, off_by_one)
    assert psnr(photo, mixed, half) == 99.0
    assert psnr(photo, mixed, ~half) == pytest.approx(20 * math.log10(255))


def test_ssim_and_sharpness_fall_with_blur():
    photo = picture()
    blurred = np.asarray(Image.fromarray(photo).resize((WIDTH // 4, HEIGHT // 4)).resize((WIDTH, HEIGHT)))
    everywhere = np.ones(photo.shape[:2], bool)
    assert ssim(photo, photo) == pytest.approx(1)
    assert sharpness(photo, photo, everywhere) == pytest.approx(1)
    assert ssim(blurred, photo) < 0.98
    assert sharpness(blurred, photo, everywhere) < 0.9


def test_pooled_figures_weigh_pixels_not_pictures():
    pool, photo = rooms.Pool(), picture()
    assert math.isnan(pool.psnr)
    pool.add(photo, photo)
    assert pool.psnr == 99.0
    pool.add(photo.astype(float) + 1, photo)
    assert pool.psnr == pytest.approx(20 * math.log10(255) + 10 * math.log10(2), abs=1e-6)


def test_colour_step_at_a_join_is_found_and_one_inside_a_chunk_is_not():
    frames = np.full((17, 8, 8, 3), 100, np.uint8)
    everywhere = np.ones((17, 8, 8), bool)
    room = room_truth.Room("grey", None, frames, None, everywhere, everywhere)
    jump = frames.copy()
    jump[8:] += 6
    slope = (frames + np.arange(17, dtype=np.uint8)[:, None, None, None]).astype(np.uint8)
    figures = []
    for clip in (jump, slope):
        score = rooms.RoomScore()
        score.add(clip, room, frames_per_chunk=8)
        figures.append(score.figures()["join"])
    assert figures == pytest.approx([3.0, 0.0])  # two joins in 17 frames, a step at one of them


def test_visible_is_what_both_cameras_see():
    """A near square before a far wall: from the side, what it hid is not visible in the first view."""
    camera = Camera.from_fov(60, 48, 64)
    side = np.eye(4)
    side[0, 3] = 0.5
    moved = Camera.from_fov(60, 48, 64, side)

    def depth_from(view: Camera) -> np.ndarray:
        focal, x = view.K[0, 0], np.arange(64) + 0.5 - 32
        depth = np.full((48, 64), 4.0, np.float32)
        near = np.abs(x / focal * 2 + view.position[0]) < 0.3  # the square, 2 away
        depth[:, near] = 2.0
        return depth

    first, second = depth_from(camera), depth_from(moved)
    clean = ~room_truth.outlines(first)
    seen, clear = room_truth.visible_in(second, moved, first, camera, clean)
    itself, clear_itself = room_truth.visible_in(first, camera, first, camera, clean)
    assert itself.all() and (clear_itself <= clean).all() and clear_itself.any()
    assert (clear <= seen).all()
    assert seen[second == 2].all()
    shadow = 4 * 0.6 / 2  # metres of wall behind the square
    x = (np.arange(64) + 0.5 - 32) / moved.K[0, 0] * 4 + 0.5
    hidden = (np.abs(x) < shadow / 2 - 0.1) & (second[24] == 4)
    assert hidden.any() and not seen[:, hidden].any()


def test_an_outline_is_where_a_plane_ends_not_where_it_is_steep():
    steep = np.broadcast_to(1 / np.linspace(0.1, 2, 40, dtype=np.float32), (30, 40))
    assert not room_truth.outlines(steep).any()
    step = np.where(np.arange(40) < 20, 2, 4).astype(np.float32) * np.ones((30, 1), np.float32)
    assert room_truth.outlines(step)[:, 18:22].all() and not room_truth.outlines(step)[:, :17].any()


def test_scale_and_shift_undoes_a_scale_and_a_shift():
    measured = np.random.default_rng(0).uniform(1, 5, (20, 30)).astype(np.float32)
    estimate = 1 / (0.3 / measured + 0.05)
    holes = np.where(np.arange(30) % 3 == 0, 0, measured)
    assert rgbd.scaled_and_shifted(estimate, holes) == pytest.approx(measured, rel=0.05)


def test_a_wrong_pose_is_corrected_by_depth_alone_and_a_right_one_left():
    """Two looks into the corner of a box; the second pose is given a degree and a centimetre off."""
    turn, wrong = np.eye(4), np.eye(4)
    turn[:3, :3], turn[:3, 3] = rotation(np.array([0.995, 0.03, 0.09, 0.02]) / 0.99995), (0.2, -0.1, 0.1)
    wrong[:3, :3], wrong[:3, 3] = rotation(np.array([1, 0.004, -0.007, 0.004])), (0.006, 0.006, -0.006)
    camera = Camera.from_fov(60, 60, 80)
    walls = np.array([[1.4, 0, 1], [-1.4, 0, 1], [0, 1.5, 1]])  # n of each: n . x = 2
    frames = []
    for c2w in (np.eye(4), turn):
        ahead = unproject(pixel_centers(60, 80), np.ones((60, 80)), Camera(camera.K, c2w, 60, 80)) - c2w[:3, 3]
        reach = (2 - walls @ c2w[:3, 3]) / (ahead @ walls.T)
        depth = np.where(reach > 0, reach, np.inf).min(-1).astype(np.float32)
        frames.append(RgbdFrame(np.zeros((60, 80, 3), np.uint8), depth, camera.K, c2w))
    photo, later = frames
    assert rgbd.registered(photo, later) is later
    corrected = rgbd.registered(photo, replace(later, c2w=turn @ wrong)).c2w
    assert np.abs(corrected - turn).max() < 1e-3 < 5e-3 < np.abs(turn @ wrong - turn).max()


def test_an_exposure_is_undone_where_it_can_be_judged():
    truth, where = picture(), np.zeros((HEIGHT, WIDTH), bool)
    where[:, 4:] = True
    darker = (truth * [0.5, 0.7, 0.9] + [20, 10, 0]).round().astype(np.uint8)
    darker[:, :4] = 255  # not looked at
    assert np.abs(rgbd.exposed_as(truth, darker, where).astype(int) - truth)[where].max() <= 2


@torch.no_grad()
def test_the_nearest_point_at_the_photo_s_own_camera_is_the_photo_s_own_token(pipe):
    camera, depth = Camera.from_fov(60, HEIGHT, WIDTH), np.full((HEIGHT, WIDTH), 2.0, np.float32)
    depth[:, : WIDTH // 2] = 0
    seen, shown = nearest_tokens(pipe.engine, picture(), depth, camera, camera)
    assert not shown[:, : WIDTH // 2].any() and shown[:, WIDTH // 2 :].all()
    whole = pipe.engine.autoencoder.decode(pipe.engine.encode(torch.from_numpy(picture()).permute(2, 0, 1) / 255)[None])
    whole = (whole[0].clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
    right = slice(WIDTH * 3 // 4, None)  # the decoder mixes what lies beside
    assert np.abs(seen[:, right] - whole[:, right]).max() <= 1


def test_a_tiny_rooms_run_gives_sane_figures(pipe, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(MiragePipeline, "embedded", classmethod(lambda cls: pipe))
    words = ["--suite", "rooms", "--scenes", "1", "--frames", "9", "--size", f"{HEIGHT}x{WIDTH}"]
    assert main(["evaluate", *words, "--out", str(tmp_path / "report.json")]) == 0
    summary = json.loads(capsys.readouterr().out)
    report = json.loads((tmp_path / "report.json").read_text())
    assert {name: value for name, value in report.items() if name != "details"} == summary
    assert len(report["details"]) == len(summary["methods"])
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]
    methods = summary["methods"]
    for name, figures in methods.items():
        assert all(value is None or math.isfinite(value) for value in figures.values()), name
        assert 5 < figures["covered"] < 60, name
    assert methods["rgb"]["covered"] >= methods["none"]["covered"] - 0.1
    assert methods["ours"]["covered"] > methods["append"]["covered"] + 3
    assert methods["ours"]["end"] > 35  # the way back ends at the photo


def test_a_large_model_is_measured_with_the_baselines_that_it_has(converted):
    pipe = tiny_pipe(converted, "spatia")
    words = ["--suite", "rooms", "--scenes", "1", "--frames", "5", "--size", "64x96"]
    report = rooms.evaluate(pipe, arguments(*words))
    assert set(report["methods"]) == {"ours", "estimated depth", "exact", "none"}
    assert 5 < report["methods"]["ours"]["covered"] < 60 and "loop over none" in report["targets"]
    camera = Camera.from_fov(60, 96, 128)
    depth = np.full((96, 128), 2.0, np.float32)
    frame = RgbdFrame(picture(96, 128), depth, camera.K, np.eye(4))
    scores = rgbd.evaluate_pair(pipe, frame, frame, [])
    assert set(scores) == {"true", "exact", "lifted", "estimated", "covered"} and scores["covered"] == 1
    for suite, name in ((rooms, "smooth"), (rooms, "rgb"), (rooms, "append")):
        with pytest.raises(ValueError, match=f"--baseline {name} is for the embedded model only. Leave it out."):
            suite.evaluate(pipe, arguments(*words, "--baseline", name))
    with pytest.raises(ValueError, match="height=144 must be a multiple of 32"):
        rooms.evaluate(pipe, arguments("--suite", "rooms"))


def test_a_rooms_path_ends_at_the_photo():
    room = room_truth.make_room(0, 9, HEIGHT, WIDTH, length="whole")
    slow = room_truth.make_room(0, 9, HEIGHT, WIDTH)
    assert room.trajectory.is_closed and slow.trajectory.is_closed
    assert np.abs(slow.trajectory.c2w[4] - np.eye(4)).max() < np.abs(room.trajectory.c2w[4] - np.eye(4)).max()
    assert (room.frames[0] == room.frames[-1]).all()
    assert room.covered[0].all() and not room.covered[4].all()
    assert (true_lookup(room, 0) == room.frames[0]).all()


def test_the_loop_suite_writes_its_sheet(pipe, tmp_path):
    Image.fromarray(picture()).save(tmp_path / "waves.png")
    sheet = tmp_path / "sheet.png"
    words = ["--suite", "loop", "--photos", str(tmp_path), "--frames", "5", "--size", f"{HEIGHT}x{WIDTH}"]
    report = loop.evaluate(pipe, arguments(*words, "--sheet", str(sheet)))
    assert report["photos"] == 1 and len(report["details"]) == len(loop.MOVES)
    assert report["median"]["last"] > 25
    with Image.open(sheet) as image:
        assert image.width > 10 * WIDTH  # ten pictures in a row
        assert image.height > HEIGHT


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--suite", "loop"], "needs --photos"),
        (["--suite", "rgbd", "--data", "nowhere"], "needs --data"),
        (["--suite", "rooms", "--scenes", "0"], "scenes=0"),
        (["--suite", "rooms", "--frames", "8"], "must be odd"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_any_weights_load(words, message, monkeypatch):
    monkeypatch.setattr(MiragePipeline, "embedded", classmethod(lambda cls: pytest.fail("weights were loaded")))
    with pytest.raises(ValueError, match=message):
        evaluate.run(arguments(*words))

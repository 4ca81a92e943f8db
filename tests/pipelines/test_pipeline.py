"""The loop: a clip starts with the photo, ends where it began, is the same for the same seed, and can be stopped."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import AnalyticDepth, photo
from PIL import Image

from pipelines import ChunkEvent, DoneEvent, LatentMemory, MiragePipeline, StepEvent, Trajectory, move, pipeline_mirage
from pipelines.metrics import Sharpness, psnr, ssim
from pipelines.photo.lifted import Lifted


def path(pipe, name="there-and-back", frames=17, **params):
    lifted = pipe.lift(photo(), 72, 128)
    return lifted, move(name, lifted.camera, distance=lifted.distance, frames=frames, **params)


def test_a_closed_move_starts_with_the_photo_and_comes_back_to_it(pipe):
    lifted, trajectory = path(pipe)
    result = pipe(photo(), trajectory)
    assert result.frames.shape == (17, 72, 128, 3) and result.frames.dtype == np.uint8
    assert psnr(result.frames[0], lifted.image) > 36
    assert result.loop.closed and result.loop.psnr > 45 and result.loop.ssim > 0.99
    # the clip shows no frame twice: what was compared with the first one, the return, is not in it
    assert result.loop.psnr == psnr(*pipe(lifted, trajectory.with_return()).frames[[0, -1]])
    assert psnr(result.frames[0], result.frames[-1]) < result.loop.psnr
    assert psnr(result.frames[8], lifted.image) < 30  # the camera did move
    assert result.coverage.shape == (17,) and (result.coverage > 0.7).all() and result.coverage[0] == 1.0
    assert result.drift < 2


def test_stream_and_call_give_the_same_pixels_in_order(pipe):
    lifted, trajectory = path(pipe, "side-slide")
    events = list(pipe.stream(photo(), trajectory, seed=3))
    chunks = [event for event in events if isinstance(event, ChunkEvent)]
    assert [chunk.first_frame for chunk in chunks] == [0, 8, 16]
    streamed = np.concatenate([chunk.frames for chunk in chunks])
    done = events[-1]
    assert isinstance(done, DoneEvent) and np.array_equal(streamed, done.frames)
    assert any(isinstance(event, StepEvent) and event.stage == "denoise" for event in events)
    again = pipe(lifted, trajectory, seed=3)  # lifted before or not, same work
    assert np.array_equal(again.frames, done.frames)
    assert set(done.seconds) >= {"encode", "depth", "memory_write", "memory_readout", "denoise", "decode", "total"}


def test_what_was_invented_is_remembered_and_the_given_memory_is_not_changed(pipe):
    lifted, trajectory = path(pipe, "side-slide")
    points = lifted.memory.num_points
    first = pipe(lifted, trajectory)
    assert lifted.memory.num_points == points < first.memory.num_points
    second = pipe(None, trajectory, memory=first.memory)
    assert second.memory.num_points <= first.memory.num_points * 1.01  # nothing is invented twice
    assert psnr(first.frames[-1], second.frames[-1]) > 40
    assert second.coverage[-1] > first.coverage[-1]  # the earlier memory backs what was invented then


def test_memory_of_a_clip_survives_the_disk(pipe, tmp_path):
    lifted, trajectory = path(pipe, "side-slide")
    result = pipe(lifted, trajectory)
    result.memory.save(tmp_path / "scene.safetensors")
    again = pipe(None, trajectory, memory=LatentMemory.load(tmp_path / "scene.safetensors"))
    direct = pipe(None, trajectory, memory=result.memory)
    assert np.array_equal(again.frames, direct.frames)


def test_frames_are_decoded_one_group_after_each_event(pipe, monkeypatch):
    """So closing the stream stops the work within a group, not within a chunk."""
    _, trajectory = path(pipe)
    calls, decode = [], pipe.engine.decode
    monkeypatch.setattr(pipe.engine, "decode", lambda *args: calls.append(1) or decode(*args))
    monkeypatch.setattr(pipeline_mirage, "PIXELS_PER_READOUT", 3 * 72 * 128)
    told = []
    for event in pipe.stream(photo(), trajectory):
        if isinstance(event, StepEvent) and event.stage == "decode":
            told.append((event.step, event.num_steps, len(calls)))
    assert told[:4] == [(0, 8, 0), (3, 8, 1), (6, 8, 2), (0, 8, 3)]


def test_the_caller_may_stop_from_the_callback(pipe):
    class Enough(Exception):
        pass

    def stop(*_):
        raise Enough

    with pytest.raises(Enough):
        pipe(photo(), path(pipe, "side-slide")[1], callback_on_step_end=stop)


class InTwoSteps:
    """An engine whose runs take two steps, at these timesteps of a scheduler."""

    timesteps = 999.0, 500.0

    def __init__(self, engine):
        self.engine = engine

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def denoise(self, *arguments):
        steps = self.engine.denoise(*arguments)
        for index, timestep in enumerate(self.timesteps):
            next(steps)
            yield index + 1, 2, timestep
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value


def test_the_callback_follows_denoising_steps_from_0_and_steers_nothing(pipe, monkeypatch):
    lifted, trajectory = path(pipe, "side-slide", frames=5)
    calls = []

    def watch(*arguments):
        calls.append(arguments)
        return {"latents": None}

    plain = pipe(lifted, trajectory, quality="draft")
    watched = pipe(lifted, trajectory, quality="draft", callback_on_step_end=watch)
    assert np.array_equal(watched.frames, plain.frames)
    events = [event for event in pipe.stream(lifted, trajectory, quality="draft") if isinstance(event, StepEvent)]
    assert {event.stage for event in events} == {"denoise", "decode"}
    denoised = [event for event in events if event.stage == "denoise" and event.step]
    assert calls == [(pipe, event.step - 1, None, {}) for event in denoised] and calls[0][1] == 0

    calls.clear()
    monkeypatch.setattr(pipe, "engine", InTwoSteps(pipe.engine))
    pipe(lifted, trajectory, quality="draft", callback_on_step_end=watch)
    assert len(calls) >= 2 and calls == [(pipe, 0, 999.0, {}), (pipe, 1, 500.0, {})] * (len(calls) // 2)


def test_an_interrupted_clip_ends_with_the_chunks_that_are_complete(pipe):
    lifted, trajectory = path(pipe)
    full = pipe(lifted, trajectory)
    stream = pipe.stream(lifted, trajectory)
    while not isinstance(next(stream), ChunkEvent):
        pass
    pipe.interrupt = True
    *between, done = stream
    assert not between and np.array_equal(done.frames, full.frames[:8])
    assert np.array_equal(done.coverage, full.coverage[:8]) and not done.loop.closed
    assert np.array_equal(pipe(lifted, trajectory).frames, full.frames)  # the next clip is not


def test_a_clip_interrupted_from_the_callback_does_no_further_step(pipe):
    lifted, trajectory = path(pipe, "side-slide")
    steps = []

    def stop(pipe, step, timestep, callback_kwargs):
        steps.append(step)
        pipe.interrupt = True

    result = pipe(lifted, trajectory, callback_on_step_end=stop)
    assert steps == [0] and result.frames.shape == (0, 72, 128, 3) and result.coverage.shape == (0,)
    assert result.memory.num_points == lifted.memory.num_points  # half a hole is not remembered


def test_depth_is_announced_before_it_is_measured_and_only_where_a_photo_is_lifted(pipe):
    lifted, trajectory = path(pipe, frames=5)
    calls, exact = [], AnalyticDepth()

    def estimator(image, K):
        calls.append(image.shape)
        return exact(image, K)

    stream = pipe.stream(photo(), trajectory, estimator=estimator)
    assert next(stream) == StepEvent(0, 1, 0, 1, "depth") and not calls
    later = list(stream)
    assert calls == [(72, 128, 3)]
    for events in (later, pipe.stream(lifted, trajectory), pipe.stream(None, trajectory, memory=lifted.memory)):
        assert "depth" not in {event.stage for event in events if isinstance(event, StepEvent)}
    assert len(calls) == 1 and pipe.engine.depth_estimator is not estimator


def test_models_leave_the_device_after_every_clip_however_it_ends(pipe, monkeypatch):
    lifted, trajectory = path(pipe, "side-slide", frames=5)
    freed = []
    monkeypatch.setattr(MiragePipeline, "maybe_free_model_hooks", lambda self: freed.append(self))
    stream = pipe.stream(lifted, trajectory, quality="draft")
    while not isinstance(next(stream), ChunkEvent):
        pass
    assert not freed
    stream.close()
    assert freed == [pipe]
    pipe(lifted, trajectory, quality="draft")
    assert freed == [pipe] * 2

    def fail(*_):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        pipe(lifted, trajectory, quality="draft", callback_on_step_end=fail)
    assert freed == [pipe] * 3


@pytest.mark.parametrize("size", [(128, 72), (64, 64), (80, 64)])
def test_other_shapes_are_cut_from_the_middle(pipe, size):
    height, width = size
    lifted = pipe.lift(photo(), height, width)
    scale = max(height / 72, width / 128)
    resized = Image.fromarray(photo()).resize((round(128 * scale), round(72 * scale)), Image.Resampling.LANCZOS)
    left, top = (resized.width - width) // 2, (resized.height - height) // 2
    assert psnr(lifted.image, np.array(resized)[top : top + height, left : left + width]) > 35
    result = pipe(lifted, move("push-in", lifted.camera, distance=lifted.distance, frames=5))
    assert result.frames.shape == (5, height, width, 3)
    assert psnr(result.frames[0], lifted.image) > 33


@pytest.mark.parametrize("focus", [0.0, 0.25, 1.0])
def test_what_lies_around_the_frame_is_seen_when_the_camera_moves(pipe, focus):
    """Before a flat wall a step aside shows the photo further on, as far as it goes, and nothing is invented there."""
    wide, depth = photo(72, 192), np.full((72, 192), 2.0, np.float32)
    lifted = pipe.lift(wide, 72, 96, depth=depth, focus=focus)
    left = round(96 * focus)
    assert np.array_equal(lifted.image, wide[:, left : left + 96]) and lifted.depth.shape == (72, 96)
    assert lifted.photo.shape[1] == 96 + min(left, 48) + min(96 - left, 48)  # half a frame on either side is enough
    aside = 20 if focus < 1 else -20  # pixels, to where there is some of it left
    c2w = np.tile(np.eye(4), (5, 1, 1))
    c2w[:, 0, 3] = np.linspace(0, aside * 2.0 / lifted.camera.K[0, 0], 5)
    trajectory = Trajectory(c2w, np.tile(lifted.camera.K, (5, 1, 1)), 72, 96)
    result = pipe(lifted, trajectory)
    there = wide[:, left + aside : left + aside + 96]
    assert (result.coverage == 1).all() and psnr(result.frames[-1], there) > 36
    assert result.drift < 1
    again = pipe(wide, trajectory, depth=depth, focus=focus)
    assert np.array_equal(again.frames, result.frames)


def test_a_closer_frame_lies_about_the_same_middle_and_has_the_photo_around_it(pipe):
    wide, depth = photo(96, 192), np.full((96, 192), 2.0, np.float32)
    whole = pipe.lift(wide, 96, 128, depth=depth, focus=0.25)
    lifted = pipe.lift(wide, 96, 128, depth=depth, focus=0.25, zoom=1.5)
    assert lifted.camera.K[0, 0] == 1.5 * whole.camera.K[0, 0]
    # a closer camera on the whole frame sees the same
    closer = whole.memory.readout(lifted.camera, 96, 128)
    near = pipe.engine.decode(closer, None)[0]
    assert closer.mask.all() and psnr(near, lifted.image) > 28
    aside = move("pull-back", lifted.camera, lifted.distance, frames=5)
    assert (pipe(lifted, aside).coverage == 1).all() and pipe(whole, aside.zoomed(2 / 3)).coverage[-1] < 0.9
    clip = pipe(wide, aside, depth=depth, focus=0.25, zoom=1.5)
    assert np.array_equal(clip.frames, pipe(lifted, aside).frames) and clip.recipe["zoom"] == 1.5


def test_drift_does_not_depend_on_how_many_frames_are_read_at_once(pipe, monkeypatch):
    lifted, trajectory = path(pipe, "side-slide")
    drift = pipe(lifted, trajectory, quality="draft").drift
    for pixels in (1, 3 * 72 * 128):
        monkeypatch.setattr(pipeline_mirage, "PIXELS_PER_READOUT", pixels)
        assert pipe(lifted, trajectory, quality="draft").drift == drift > 0


def test_given_depth_is_used(pipe):
    depth = np.full((72, 128), 2.0, np.float32)
    lifted = pipe.lift(photo(), 72, 128, depth=depth)
    assert np.allclose(lifted.depth, 2.0) and lifted.distance == pytest.approx(2.0)


BAD = [
    (dict(seed=-1), "seed=-1 must be a whole number"),
    (dict(seed=1.5), "seed=1.5 must be a whole number"),
    (dict(prompt="a red sofa"), "no text input"),
    (dict(prompt=["a red sofa"]), "must be text"),
    (dict(focus=1.5), "focus=1.5 must be 0"),
    (dict(focus="left"), "focus='left' must be 0"),
    (dict(zoom=0.4), "zoom=0.4 must be 0.5 to 1.5"),
    (dict(zoom="in"), "zoom='in' must be 0.5"),
    (dict(quality="best"), "quality='best' is unknown"),
    (dict(depth=np.zeros((72, 128))), "no positive finite value"),
    (dict(memory=LatentMemory(48)), "48-channel tokens of another model"),
    (dict(memory=LatentMemory(8, True, codec="0123456789ab")), "another model .weights '0123456789ab'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_is_refused_before_any_work(pipe, arguments, message):
    _, trajectory = path(pipe)
    with pytest.raises(ValueError, match=message):
        pipe.stream(photo(), trajectory, **arguments)  # not even started


def test_the_memory_of_a_lifted_photo_is_held_to_the_same_rules(pipe):
    lifted, trajectory = path(pipe)
    with pytest.raises(ValueError, match="A lifted photo has its memory already"):
        pipe.stream(lifted, trajectory, memory=lifted.memory)
    for memory in (LatentMemory(48), LatentMemory(8, True, codec="0123456789ab")):
        with pytest.raises(ValueError, match="tokens of another model"):
            pipe.stream(replace(lifted, memory=memory), trajectory)


def test_bad_sizes_and_frames_are_refused(pipe):
    camera = pipe.lift(photo(), 72, 128).camera
    with pytest.raises(ValueError, match="frames=1 must be a whole number within 2..2000"):
        pipe.stream(photo(), Trajectory.from_cameras([camera]))
    with pytest.raises(ValueError, match="height=71 must be a multiple of 2. Use 70 or 72"):
        pipe.stream(photo(), Trajectory.from_cameras([camera.resized(71, 128)] * 5))
    with pytest.raises(ValueError, match="width=4000 must be 64..1920"):
        pipe.stream(photo(), Trajectory.from_cameras([camera.resized(720, 4000)] * 5))
    with pytest.raises(ValueError, match="neither a photo nor a memory"):
        pipe.stream(None, Trajectory.from_cameras([camera] * 5))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_photo_of_one_colour_is_a_clip_of_one_colour(pipe, level):
    """Also where it is invented: nothing varies that a search could go by."""
    plain = np.full((72, 128, 3), level, np.uint8)
    _, trajectory = path(pipe, "side-slide")
    result = pipe(plain, trajectory)
    assert result.coverage[-1] < 0.9 and result.memory.num_points > 72 * 128  # a part is invented
    assert np.abs(result.frames.astype(int) - level).max() < 12 and result.drift < 3


def test_lifted_at_another_size_is_refused(pipe):
    lifted, _ = path(pipe)
    assert isinstance(lifted, Lifted)
    other = move("push-in", lifted.camera.resized(144, 256), distance=1.0, frames=5)
    with pytest.raises(ValueError, match="lifted at 72x128"):
        pipe.stream(lifted, other)


def test_fidelity_measures_what_it_says():
    a = photo()
    noisy = (a.astype(int) + np.random.randint(-9, 10, a.shape)).clip(0, 255).astype(np.uint8)
    everywhere = np.ones(a.shape[:2], bool)
    assert psnr(a, a) == 99 and ssim(a, a) == pytest.approx(1)
    assert psnr(a, noisy) == pytest.approx(10 * np.log10(255**2 / (9 * 10 / 3)), abs=0.5)
    pool = Sharpness()
    pool.add(noisy, a, everywhere)
    assert ssim(a, noisy) < 0.95 and pool.value > 1.2


def test_importing_the_cameras_brings_in_no_torch():
    code = "import pipelines, pipelines.cameras, presets.schema, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_recipe_is_json_and_names_what_it_takes(pipe):
    _, trajectory = path(pipe)
    recipe = json.loads(json.dumps(pipe(photo(), trajectory, seed=5).recipe))
    assert recipe["seed"] == 5 and recipe["model"] == "embedded" and len(recipe["photo_sha256"]) == 64
    assert Trajectory.from_dict(recipe["trajectory"]) == trajectory
    assert recipe["versions"]["torch"] == torch.__version__


def test_a_photo_has_one_hash_lifted_or_not_and_in_every_format(pipe):
    lifted, trajectory = path(pipe, "steady-hold", frames=5)
    upright = pipe.lift(photo(), 128, 72)
    expected = pipe.recipe(photo(), trajectory, 0, "draft")["photo_sha256"]
    assert expected == hashlib.sha256(photo().tobytes()).hexdigest()
    for given in (lifted, upright, Image.fromarray(photo()).convert("RGBA")):
        assert pipe.recipe(given, trajectory, 0, "draft")["photo_sha256"] == expected
    assert (
        pipe(lifted, trajectory).recipe["photo_sha256"] == pipe(photo(), trajectory).recipe["photo_sha256"] == expected
    )


def test_flying_samples_of_a_photo_settle_so_that_nothing_is_left_out(pipe):
    depth = np.full((72, 128), 4.0, np.float32)
    depth[:, :60], depth[:, 60] = 1.0, 2.2  # one column between the near wall and the far one
    lifted = pipe.lift(photo(), 72, 128, depth=depth)
    assert lifted.memory.num_points == 72 * 128 and (lifted.depth[:, 60] == 1.0).all()


def test_a_draft_searches_less_and_another_seed_invents_something_else(pipe):
    lifted, trajectory = path(pipe, "side-slide")
    standard, draft, other = (
        pipe(lifted, trajectory, seed=seed, quality=quality).frames[-1]
        for seed, quality in ((0, "standard"), (0, "draft"), (1, "standard"))
    )
    known = lifted.memory.readout(trajectory[16], 72, 128).mask[0].numpy()
    for changed in (draft, other):
        assert not np.array_equal(standard[~known], changed[~known])
        assert psnr(standard, changed, known) > 40

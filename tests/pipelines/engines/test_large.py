"""The large engine with tiny random weights: opened from a converted folder, driven by the same loop as the other."""

import copy
import shutil
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from accelerate.hooks import CpuOffload
from diffusers import DiffusionPipeline, WanImageToVideoPipeline, WanTransformer3DModel
from diffusers.hooks import FirstBlockCacheConfig
from helpers import AnalyticDepth, photo
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_wan import BASE, tiny_pipe, tiny_text

from pipelines import Camera, ChunkEvent, DoneEvent, LatentMemory, MiragePipeline, StepEvent, move
from pipelines import __main__ as cli
from pipelines.engines import embedded
from pipelines.engines.base import chunks_of
from pipelines.engines.large import LargeEngine
from pipelines.inpainting.exemplar import fill_steps
from pipelines.large.control import hole_video, read_off_centre
from pipelines.large.families import FEW_STEPS, LAYOUTS, LORA, FewSteps
from pipelines.large.painting import paint
from pipelines.large.text import encode_prompt
from pipelines.large.tiles import Tiles, parts_of
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.large.video import VideoDecoder, encode_video, to_frames, to_video
from pipelines.media.clips import read_recipe
from pipelines.photo import outlook
from pipelines.weights.licences import licence_card

SIZE = 64, 96
FRAMES = 21  # two chunks of either


@pytest.fixture(scope="session", params=["spatia", "lsm-world"])
def large(request, converted):
    return tiny_pipe(converted, request.param)


def path(pipe, frames=FRAMES, size=SIZE, name="side-slide"):
    lifted = pipe.lift(photo(*size), *size)
    return lifted, move(name, lifted.camera, distance=lifted.distance, frames=frames, strength=0.4)


# ---- one loop, two engines --------------------------------------------------------------------------------------


@pytest.fixture(params=["embedded", "spatia", "lsm-world"])
def either(request, pipe, converted):
    return pipe if request.param == "embedded" else tiny_pipe(converted, request.param)


def test_both_engines_play_the_same_scenario(either):
    lifted, trajectory = path(either)
    points = lifted.memory.num_points
    events = list(either.stream(lifted, trajectory, seed=3))
    done, chunks = events[-1], [event for event in events if isinstance(event, ChunkEvent)]
    assert isinstance(done, DoneEvent) and len(chunks) >= 2
    assert done.frames.shape == (FRAMES, *SIZE, 3) and done.frames.dtype == np.uint8
    assert np.array_equal(np.concatenate([chunk.frames for chunk in chunks]), done.frames)
    assert any(isinstance(event, StepEvent) and event.stage == "denoise" for event in events)
    assert (
        all(spent >= 0 for spent in done.seconds.values())
        and sum(done.seconds.values()) <= 2.01 * done.seconds["total"]
    )
    assert lifted.memory.num_points == points < done.memory.num_points  # the clip's memory grew, the photo's did not
    assert done.coverage[0] > 0.95 and done.memory.is_of(lifted.memory.channels, lifted.memory.interpolates)

    again = either(lifted, trajectory, seed=3)
    assert np.array_equal(again.frames, done.frames) and again.recipe == done.recipe
    assert not np.array_equal(either(lifted, trajectory, seed=4).frames, done.frames)

    onward = either(None, trajectory, seed=3, memory=done.memory)  # a known world, no photo
    assert onward.frames.shape == done.frames.shape

    previews = outlook.preview(either.engine, lifted, trajectory, max_frames=2)
    assert previews.shape == (2, *SIZE, 3) and outlook.coverage(lifted.memory, trajectory).shape == (FRAMES,)


@pytest.mark.parametrize(
    ("name", "frames", "made"), [("side-slide", 6, 9), ("side-slide", 5, 5), ("steady-hold", 8, 9)]
)
def test_any_number_of_frames_can_be_asked_for(either, name, frames, made):
    """Where latents stand for four frames, more are made: a loop's return to its start, then the last camera held."""
    lifted, trajectory = path(either, frames, name=name)
    begun, begin = [], either.engine.begin
    either.engine.begin = lambda cameras, *rest: begun.append(cameras) or begin(cameras, *rest)
    try:
        done = list(either.stream(lifted, trajectory))
    finally:
        del either.engine.begin
    assert done[-1].frames.shape == (frames, *SIZE, 3) and done[-1].coverage.shape == (frames,)
    assert sum(len(event.frames) for event in done if isinstance(event, ChunkEvent)) == frames
    assert len(begun[0]) == (made if either.transformer is not None else frames + trajectory.loop)
    assert begun[0][:frames] == replace(trajectory, loop=False)
    assert begun[0][-1] == (trajectory[0] if trajectory.loop else trajectory[-1])
    assert done[-1].loop.closed == trajectory.loop and done[-1].recipe["trajectory"] == trajectory.to_dict()


def watched(pipe, monkeypatch):
    """A list that grows with every piece of work, by its name: a run of the transformer or a round of the embedded
    filler, a latent or frames decoded, a picture measured, a text read."""
    done = []

    def noted(name, make):
        return lambda *args, **kwargs: done.append(name) or make(*args, **kwargs)

    monkeypatch.setattr(pipe.engine, "depth_estimator", noted("depth", pipe.engine.depth_estimator))
    if pipe.transformer is not None:
        videos = VideoDecoder.videos

        def latent_by_latent(decoder, latents, *rest):
            for video in videos(decoder, latents, *rest):
                done.append("latent")
                yield video

        monkeypatch.setattr(VideoDecoder, "videos", latent_by_latent)
        monkeypatch.setattr(pipe.engine.views, "picture", noted("view", pipe.engine.views.picture))
        pipe.transformer.proj_out.register_forward_hook(lambda *_: done.append("step"))
        pipe.text_encoder.register_forward_hook(lambda *_: done.append("text"))
        return done

    def counted(*args, **kwargs):
        steps = fill_steps(*args, **kwargs)
        while True:
            try:
                step = next(steps)
            except StopIteration as filled:
                return filled.value
            done.extend(["step"] if step[0] else [])
            yield step

    monkeypatch.setattr(embedded, "fill_steps", counted)
    monkeypatch.setattr(pipe.engine, "decode", noted("frames", pipe.engine.decode))
    return done


def test_there_is_an_event_before_every_piece_of_work(either, monkeypatch):
    """So the page says what is being done, and closing the stream waits for one piece at most."""
    lifted, trajectory = path(either)
    done, events, since = watched(either, monkeypatch), [], []
    for event in either.stream(lifted, trajectory):
        events.append(event)
        since.append(Counter(done))
        done.clear()
    is_large = either.transformer is not None
    prompts = 1 if not is_large or either.engine.layout.guidance_scale == 1 else 2
    assert not since[0]  # the first event comes before all work
    for work in since:
        views = work.pop("view", 0)
        assert work.pop("latent", 0) <= 1 + views  # a view is decoded once, as one latent
        assert work.pop("step", 0) <= prompts and work.pop("text", 0) <= 2
        assert set(work) <= {"depth", "frames"} and all(count == 1 for count in work.values())
    told = [(event.chunk, event.stage, event.step, event.num_steps) for event in events if isinstance(event, StepEvent)]
    assert told == sorted(told, key=lambda step: step[0]) and all(
        step < total or kind == "denoise" for _, kind, step, total in told
    )
    if is_large:
        first = [(step, total) for chunk, kind, step, total in told if (chunk, kind) == (0, "decode")]
        assert first == [(step, 7) for step in range(7)] + [(0, 13)]  # 4 latents, 3 key frames beside the photo


def test_a_clip_that_was_stopped_half_way_leaves_no_trace(either):
    lifted, trajectory = path(either)
    expected = either(lifted, trajectory).frames
    for stage in ("denoise", "decode"):
        stream = either.stream(lifted, trajectory)
        while not (isinstance(event := next(stream), StepEvent) and event.stage == stage and event.step):
            if isinstance(event, DoneEvent):
                break  # the embedded engine draws a chunk of this size in one step
        stream.close()
        assert np.array_equal(either(lifted, trajectory).frames, expected)


def test_models_that_take_turns_have_left_the_device_after_a_clip(converted, monkeypatch):
    """Model offload on a device that is the CPU too: where a model is, its hooks know."""
    pipe = tiny_pipe(converted, "spatia")
    lifted, trajectory = path(pipe, frames=5)
    expected = tiny_pipe(converted, "spatia")(lifted, trajectory, prompt="a red sofa").frames
    pipe.enable_model_cpu_offload(device="cpu")
    models = {id(getattr(pipe, name)): name for name in ("text_encoder", "transformer", "vae")}
    on_device, turns = set(), []
    onload, offload = CpuOffload.pre_forward, CpuOffload.init_hook

    def entered(hook, module, *args, **kwargs):
        on_device.add(models[id(module)])
        turns.append(set(on_device))
        return onload(hook, module, *args, **kwargs)

    def left(hook, module):
        on_device.discard(models[id(module)])
        return offload(hook, module)

    monkeypatch.setattr(CpuOffload, "pre_forward", entered)
    monkeypatch.setattr(CpuOffload, "init_hook", left)
    assert np.array_equal(pipe(lifted, trajectory, prompt="a red sofa").frames, expected)
    assert set().union(*turns) == set(models.values()) and not on_device

    stream = pipe.stream(lifted, trajectory, prompt="a blue room")
    while not (isinstance(event := next(stream), StepEvent) and event.stage == "denoise"):
        pass
    next(stream)
    assert "transformer" in on_device
    stream.close()
    assert not on_device


@pytest.mark.parametrize(
    "zoom, forward, is_alike",  # with the centre that is exact: None where the offset moves no token to another cell
    [
        (1.0, 0.0, True),  # turns and shifts do not tell them apart
        (1.4, 0.0, False),
        (0.8, 0.0, False),
        (1.0, 1.2, False),
        (1.0, 0.35, None),
        (1.3, -0.2, None),
    ],
)
def test_a_layout_reads_tokens_with_its_own_centre_of_a_cell(converted, zoom, forward, is_alike):
    """Lift and read as the released code writes them, on a wall that no two of its cells share: the same tokens."""
    engine = tiny_pipe(converted, "lsm-world").engine
    height, width, depth = 12, 16, 2.0
    written = Camera.from_fov(60, height, width)
    read = Camera(
        written.K * [[zoom], [zoom], [1]] + (1 - zoom) * (written.K * [[0, 0, 1], [0, 0, 1], [0, 0, 0]]),
        np.eye(4) + [[0, 0, 0, 0.3], [0, 0, 0, -0.1], [0, 0, 0, forward], [0, 0, 0, 0]],
        height,
        width,
    )
    tokens = torch.randn(engine.facts.channels, height, width).half().float()
    memory = LatentMemory(engine.facts.channels, codec=engine.facts.codec)
    memory.write(tokens, torch.full((height, width), depth), written)
    row, column = np.mgrid[:height, :width]  # whole numbers, as the LSM code lifts and rounds
    x, y = (
        (index - centre) * depth / focal
        for index, centre, focal in (
            (column, written.K[0, 2], written.K[0, 0]),
            (row, written.K[1, 2], written.K[1, 1]),
        )
    )
    to = np.stack([x - 0.3, y + 0.1, np.full_like(x, depth - forward)])
    u, v = (np.rint(read.K[i, i] * to[i] / to[2] + read.K[i, 2]).astype(int) for i in (0, 1))
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    theirs = {(v[at], u[at]): at for at in zip(*inside.nonzero(), strict=True)}

    def agreement(readout):
        shown = [(readout.latents[0, :, *cell], tokens[:, *at]) for cell, at in theirs.items()]
        return np.mean([torch.equal(*pair) for pair in shown])

    exact = memory.readout(read, height, width)
    assert agreement(read_off_centre(exact, [read], engine.layout.cell_centre)) == 1
    assert is_alike is None or (agreement(exact) == 1) == is_alike


# ---- chunks -----------------------------------------------------------------------------------------------------


def test_chunks_and_sequences_are_those_of_the_released_code(converted):
    pipe = MiragePipeline.from_pretrained(converted)
    assert isinstance(pipe.engine, LargeEngine) and pipe.engine.layout is LAYOUTS["spatia"]
    engine = pipe.engine
    first, second = chunks_of(engine.facts, 193)
    assert (first, second) == (range(0, 121), range(121, 193))
    assert [len(part) for part in engine.sequence(first)] == [31, 0]
    assert engine.sequence(second) == (list(range(112, 193, 4)), [])  # 21, of which 112, 116 and 120 are history

    engine = LargeEngine(pipe.transformer, pipe.vae, pipe.scheduler, None, None, AnalyticDepth(), LAYOUTS["lsm-world"])
    first, second = chunks_of(engine.facts, 65)
    assert (first, second) == (range(0, 33), range(33, 65))
    assert engine.sequence(first) == (list(range(0, 33, 4)), [])
    assert engine.sequence(second) == (list(range(32, 65, 4)), [24, 28])


def spied(pipe):
    """What the transformer is given: a list that fills as the pipeline runs."""
    calls = []

    def note(_, args, kwargs):
        is_on = not pipe.transformer.blocks[1].attn1.to_q.disable_adapters
        calls.append((*args, kwargs, is_on))

    return calls, pipe.transformer.register_forward_pre_hook(note, with_kwargs=True)


def test_what_the_transformer_is_given(large):
    lifted, trajectory = path(large)
    layout, calls = large.engine.layout, None
    calls, hook = spied(large)
    result = large(lifted, trajectory)
    hook.remove()
    prompts = 1 if layout.guidance_scale == 1 else 2
    assert len(calls) == 2 * layout.num_inference_steps * prompts
    photo_latents = lifted.memory.readout(trajectory[0], 4, 6).latents[0]

    sequence, times, _, control, kwargs, lora = calls[0]  # the first step of the first chunk
    assert sequence.shape == (1, 48, 4, 4, 6) and kwargs["num_reference_frames"] == 0
    assert times[0].tolist() == [0, 999, 999, 999] and lora is (layout.lora_from_chunk == 0)
    torch.testing.assert_close(sequence[0, :, 0], photo_latents, atol=2e-3, rtol=2e-3)  # remembered in float16
    assert control.shape == (1, 96, 4, 4, 6)
    if layout.readout == "latent":
        assert torch.equal(control[0, :48, 0], photo_latents)
        white = encode_video(large.vae, torch.ones(3, 13, *SIZE))
        torch.testing.assert_close(control[0, 48:], white)

    sequence, times, _, control, kwargs, lora = calls[-1]  # the last step of the second chunk
    references, preceding = kwargs["num_reference_frames"], layout.num_preceding
    clean = [0] * (references + layout.overlap_latents)
    assert 1 <= references <= layout.num_references and lora is True
    noisy = sequence.shape[2] - len(clean) - preceding
    assert times[0].tolist() == [*clean, *[int(times.max())] * noisy, *[0] * preceding] and noisy == 2
    assert control.shape[2] == sequence.shape[2] - references
    history = encode_video(large.vae, to_video(result.frames[13 - layout.overlap_frames : 13]))
    torch.testing.assert_close(sequence[0, :, references : len(clean)], history)


def test_chunks_are_decoded_as_their_layout_says(large, monkeypatch):
    """Jointly: as if all latents were decoded at once. Alone: each with the picture before it in front."""
    lifted, trajectory = path(large)
    clips, begin = [], large.engine.begin
    monkeypatch.setattr(large.engine, "begin", lambda *args: clips.append(begin(*args)) or clips[-1])
    frames = large(lifted, trajectory).frames
    latents = torch.stack([latent for _, latent in sorted(clips[0].latents.items())], dim=1)
    assert latents.shape[1] == 1 + (FRAMES - 1) // 4
    if large.engine.layout.joint_decode:
        assert np.array_equal(VideoDecoder(large.vae)(latents), frames)
    else:
        before = encode_video(large.vae, to_video(frames[12:13]))
        alone = VideoDecoder(large.vae)(torch.cat([before, latents[:, 4:]], dim=1))
        assert np.array_equal(VideoDecoder(large.vae)(latents[:, :4]), frames[:13])
        assert np.abs(alone[1:].astype(int) - frames[13:]).max() <= 1


def test_a_clip_in_a_known_world_starts_with_the_picture_that_is_known(large):
    lifted, trajectory = path(large, frames=5)
    with_photo = large(lifted, trajectory).frames[0].astype(int)
    without = large(None, trajectory, memory=lifted.memory).frames[0]
    assert np.abs(with_photo - without).max() <= 2  # tokens are remembered in float16


def test_the_memory_steers_the_picture(large):
    """The same photo, first latent, seed and path; only the depth differs, and with it what the memory shows."""
    lifted, trajectory = path(large, frames=5)
    flat = large.lift(photo(*SIZE), *SIZE, depth=np.full(SIZE, 1.0, np.float32))
    near, far = large(flat, trajectory).frames, large(lifted, trajectory).frames
    assert np.array_equal(near[0], far[0]) and not np.array_equal(near[1:], far[1:])


def test_a_pixel_readout_shows_the_photo_where_it_was_taken(converted):
    pipe = tiny_pipe(converted, "spatia")
    lifted, trajectory = path(pipe)
    video, mask = pipe.engine.memory_control.rendered(lifted.memory, trajectory[:9])
    assert video.shape == (3, 9, *SIZE) and mask.shape == (9, *SIZE)
    frame = VideoDecoder(pipe.vae)(lifted.memory.readout(trajectory[0], 4, 6).latents[0][:, None])[0]
    assert np.abs(to_frames(video)[0].astype(int) - frame)[mask[0].numpy()].mean() < 2
    assert (video.amax(0)[~mask] == -1).all() and not mask[8].all()  # black where nothing is known


def test_a_coarse_readout_paints_every_pixel_where_it_belongs():
    """A floor from the side, its picture telling each pixel's own place: where a homography of planes has it."""
    camera, rows = Camera.from_fov(60, 64, 96), torch.arange(64) + 0.5
    # Depth 100 / (row + 100), its inverse linear in the picture: the plane of all places with normal . place = 1.
    normal = np.array([0, camera.K[1, 1] / 100, camera.K[1, 2] / 100 + 1])
    memory = LatentMemory(4)
    memory.write(torch.zeros(4, 4, 6), 100 / (rows.view(8, 8).mean(1) + 100)[:, None].expand(8, 12), camera)
    c2w = np.eye(4)
    c2w[:3, 3] = 0.03, 0, 0.02
    side = Camera(camera.K, c2w, 64, 96)
    y, x = torch.meshgrid(rows / 64, (torch.arange(96) + 0.5) / 96, indexing="ij")
    video, mask = paint(memory.readout([side], 8, 12), {0: torch.stack([x, y, 0 * x])}, 64, 96)
    there = np.stack([x * 96, y * 64, np.ones((64, 96))], -1)
    there = there @ np.linalg.inv(camera.K @ (np.eye(3) - np.outer(c2w[:3, 3], normal)) @ np.linalg.inv(camera.K)).T
    error = np.abs(video[:2, 0].permute(1, 2, 0).numpy() * (96, 64) - there[..., :2] / there[..., 2:])
    inside = np.zeros((64, 96), bool)
    inside[4:-4, 4:-4] = mask[0, 4:-4, 4:-4]  # cells at the rim have neighbours on one side only
    assert inside.mean() > 0.7 and error[inside].max() < 0.05
    assert (video[:, ~mask] == -1).all()


def test_readouts_may_be_exchanged(converted):
    pipe = tiny_pipe(converted, "spatia", readout="latent")
    lifted, trajectory = path(pipe)
    calls, hook = spied(pipe)
    pipe(lifted, trajectory)
    hook.remove()
    control = calls[0][3][0]
    mask = lifted.memory.readout([trajectory[t] for t in (0, 4, 8, 12)], 4, 6).mask
    torch.testing.assert_close(control[48:], encode_video(pipe.vae, hole_video(mask, 16, 4)))
    with pytest.raises(ValueError, match="this layout has preceding latents: use latent"):
        tiny_pipe(converted, "lsm-world", readout="pixel")


# ---- parts ------------------------------------------------------------------------------------------------------


def test_decoding_in_parts_is_decoding_at_once(tiny_vae):
    latents = torch.randn(48, 4, 4, 6)
    mean, std = (
        torch.tensor(x)[:, None, None, None] for x in (tiny_vae.config.latents_mean, tiny_vae.config.latents_std)
    )
    with torch.no_grad():
        whole = to_frames(tiny_vae.decode((latents * std + mean)[None]).sample[0])
    decoder = VideoDecoder(tiny_vae)
    parts = [decoder(latents[:, :2]), decoder(latents[:, 2:3]), decoder(latents[:, 3:])]
    assert [len(part) for part in parts] == [5, 4, 4]
    assert np.array_equal(np.concatenate(parts), whole)


def local(tiny_vae):
    """The autoencoder without its attention, which looks at the whole picture: what is far away does not matter."""
    vae = copy.deepcopy(tiny_vae)
    for block in (*vae.encoder.mid_block.attentions, *vae.decoder.mid_block.attentions):
        torch.nn.init.zeros_(block.proj.weight)
        torch.nn.init.zeros_(block.proj.bias)
    return vae


@torch.no_grad()
def test_tiles_are_the_whole_where_their_rims_are_far_away(tiny_vae):
    """60 latents wide, tiles of 40: what one tile alone says lies 20 latents from its rim; elsewhere they are mixed."""
    vae, latents, video = local(tiny_vae), torch.randn(48, 2, 2, 60), to_video(np.stack([photo(32, 960)] * 5))
    frames, encoded = VideoDecoder(vae)(latents), encode_video(vae, video)
    vae.enable_tiling(640, 640, 320, 320)
    assert Tiles(vae, 2, 60).parts == [(slice(0, 2), slice(0, 40)), (slice(0, 2), slice(20, 60))]
    tiled, encoded_tiled = VideoDecoder(vae)(latents), encode_video(vae, video)
    for alone in (slice(0, 20), slice(40, 60)):
        columns = slice(16 * alone.start, 16 * alone.stop)
        assert np.abs(tiled[:, :, columns].astype(int) - frames[:, :, columns]).max() <= 1  # rounding
        torch.testing.assert_close(encoded_tiled[..., alone], encoded[..., alone])
    assert 0 < np.abs(tiled.astype(int) - frames).mean() < 1 and (encoded_tiled - encoded).abs().mean() < 0.02


def test_tiles_are_decoded_in_parts_too_and_one_tile_is_the_whole(tiny_vae):
    vae, latents, video = copy.deepcopy(tiny_vae), torch.randn(48, 3, 6, 10), to_video(np.stack([photo(96, 160)] * 5))
    whole, encoded = VideoDecoder(vae)(latents), encode_video(vae, video)
    vae.enable_tiling(96, 96, 48, 48)
    decoder = VideoDecoder(vae)
    tiled = VideoDecoder(vae)(latents)
    assert len(Tiles(vae, 6, 10)) == 3
    assert np.array_equal(np.concatenate([decoder(latents[:, :1]), decoder(latents[:, 1:])]), tiled)
    # Attention sees the whole picture, so tiles differ everywhere: less than diffusers' own, whose last are slivers.
    mean, std = (torch.tensor(x)[:, None, None, None] for x in (vae.config.latents_mean, vae.config.latents_std))
    with torch.no_grad():
        theirs = to_frames(vae.decode((latents * std + mean)[None]).sample[0])
    ours, theirs = (np.abs(frames.astype(int) - whole).mean() for frames in (tiled, theirs))
    assert 0 < ours < theirs < 12
    vae.enable_tiling(160, 160, 96, 96)
    assert np.array_equal(VideoDecoder(vae)(latents), whole) and torch.equal(encode_video(vae, video), encoded)


@pytest.mark.parametrize(("size", "largest", "overlap"), [(44, 32, 8), (33, 32, 31), (99, 7, 3), (5, 9, 4)])
def test_tiles_cover_a_picture_and_are_of_one_size(size, largest, overlap):
    parts = parts_of(size, largest, overlap)
    assert parts[0].start == 0 and parts[-1].stop == size
    assert len({part.stop - part.start for part in parts}) == 1 and parts[0].stop <= largest
    assert all(before.stop - after.start >= overlap for before, after in pairwise(parts))
    with pytest.raises(ValueError, match="Tiles of 7 latents cannot overlap by 7"):
        parts_of(100, 7, 7)


def test_text_is_zero_behind_its_end_and_says_something():
    tokenizer, text_encoder = tiny_text()
    sofa, room, empty = (encode_prompt(tokenizer, text_encoder, text, 8) for text in ("a red sofa", "a red  room", ""))
    assert sofa.shape == (1, 8, 32) and (sofa[:, 4:] == 0).all() and (empty[:, 1:] == 0).all()
    assert not torch.allclose(sofa, room)


def test_a_cache_goes_from_chunk_to_chunk_and_clip_to_clip(large):
    lifted, trajectory = path(large)
    plain = large(lifted, trajectory).frames
    large.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.0))  # nothing is alike enough to be skipped
    try:
        for _ in range(2):
            assert np.array_equal(large(lifted, trajectory).frames, plain)
    finally:
        large.transformer.disable_cache()


def test_a_prompt_is_read_and_written_into_the_recipe(large):
    lifted, trajectory = path(large, frames=5)
    plain, told = large(lifted, trajectory), large(lifted, trajectory, prompt="a red sofa")
    assert told.recipe["prompt"] == "a red sofa" and "prompt" not in plain.recipe
    assert not np.array_equal(plain.frames, told.frames)


def test_a_prompt_is_read_once(converted):
    pipe, read = tiny_pipe(converted, "spatia"), []
    pipe.text_encoder.register_forward_hook(lambda *_: read.append(1))
    lifted, trajectory = path(pipe, frames=5)
    frames = [pipe(lifted, trajectory, prompt=prompt, seed=1).frames for prompt in ("a sofa", "a room", "a sofa")]
    assert len(read) == 3 and np.array_equal(frames[0], frames[2])  # two prompts, and the negative one
    for i in range(20):
        pipe.engine.read_prompt(f"room {i}")
    assert len(pipe.engine.read_prompt.kept) == 8


def test_a_draft_takes_half_the_steps(large):
    lifted, trajectory = path(large, frames=5)
    steps = [
        sum(
            isinstance(e, StepEvent) and e.stage == "denoise" and e.step > 0
            for e in large.stream(lifted, trajectory, quality=quality)
        )
        for quality in ("standard", "draft")
    ]
    assert steps == [2, 1]


def test_a_converted_folder_keeps_its_lora_and_its_layout(converted):
    pipe = MiragePipeline.from_pretrained(converted)
    assert pipe.config.layout == "spatia" and list(pipe.transformer.peft_config) == [LORA]
    assert pipe.scheduler.config.flow_shift == 5.0 and pipe.engine.facts.frames_per_chunk == 72
    licences = pipe.recipe(None, path(pipe, frames=5)[1], 0, "standard")["weights"]
    assert [part["name"] for part in licences][1:] == ["vace.safetensors", "lora.safetensors"]
    assert {part["commercial_use"] for part in licences} == {"yes", "unknown"}
    assert pipe.autoencoder is None and pipe.engine.facts.first_chunk == 121


def test_a_pipeline_saved_again_is_the_same(converted, tmp_path):
    pipe = MiragePipeline.from_pretrained(converted)
    pipe.save_pretrained(tmp_path)
    again = MiragePipeline.from_pretrained(tmp_path)
    assert again.config.layout == "spatia" and list(again.transformer.peft_config) == [LORA]
    assert again.engine.facts.weights == pipe.engine.facts.weights and len(pipe.engine.facts.weights) == 3
    for opened in (pipe, again):  # and the one that was saved has its LoRA still
        for name, tensor in MiragePipeline.from_pretrained(converted).transformer.state_dict().items():
            assert torch.equal(opened.transformer.state_dict()[name], tensor), name


def test_a_folder_with_damaged_weights_does_not_open(converted, tmp_path):
    for number, part in enumerate(("transformer_lora", "text_encoder", "vae")):
        copied = shutil.copytree(converted, tmp_path / str(number))
        (file,) = (copied / part).glob("*.safetensors")
        whole = file.read_bytes()
        file.unlink()  # it may be a second name of the base's
        file.write_bytes(whole[:-100])
        with pytest.raises(ValueError, match="cannot be read"):
            MiragePipeline.from_pretrained(copied)
    file.unlink()
    torch.save({}, file.with_suffix(".bin"))  # a pickle is not taken in its place
    with pytest.raises(ValueError, match="cannot be read .*no file named .*safetensors"):
        MiragePipeline.from_pretrained(copied)


@pytest.mark.parametrize("part", ["vae", "text_encoder", "transformer", "transformer_lora"])
def test_a_folder_that_lacks_a_tensor_does_not_open(converted, tmp_path, monkeypatch, part):
    """The libraries would go on with random numbers in its place."""
    copied = shutil.copytree(converted, tmp_path / "copied")
    (file,) = (copied / part).glob("*.safetensors")
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    whole = load_file(file)
    lost, other = sorted(whole)[:2]
    monkeypatch.setattr(DiffusionPipeline, "from_pretrained", None)  # before any weights are read
    for wrong in ({name: whole[name] for name in whole if name != lost}, {**whole, other: torch.zeros(1, 2, 3)}):
        file.unlink()  # it may be a second name of the base's
        save_file(wrong, file, metadata=metadata)
        with pytest.raises(ValueError, match=r"1 (missing|of another shape): [\w.]+( \(1, 2, 3\), not \([\d, ]+\))?\."):
            MiragePipeline.from_pretrained(copied)
    shutil.rmtree(copied / part)
    if part != "transformer_lora":
        with pytest.raises(ValueError, match=f"holds no {part}. Fetch or convert it again."):
            MiragePipeline.from_pretrained(copied)


def few_step_file(folder):
    """Of rank 2, on a layer that the released LoRA changes too and on one that it does not."""
    lora = {}
    for name, (rows, columns) in {"blocks.1.self_attn.q": (24, 24), "blocks.2.ffn.2": (24, 32)}.items():
        lora[f"diffusion_model.{name}.lora_down.weight"] = torch.randn(2, columns)
        lora[f"diffusion_model.{name}.lora_up.weight"] = torch.randn(rows, 2)
    save_file(lora, folder / "fast.safetensors")
    return FewSteps(str(folder / "fast.safetensors"), strength=0.5, steps=3, shift=8.0, licence="CC0-1.0")


def test_a_few_step_lora_brings_its_own_sampling(converted, tmp_path):
    pipe, few = tiny_pipe(converted, "spatia"), few_step_file(tmp_path)
    lifted, trajectory = path(pipe)
    plain = pipe(lifted, trajectory, seed=3)
    pipe.use_few_steps(few)
    active, calls = [], []
    layers = [pipe.transformer.blocks[1].attn1.to_q, pipe.transformer.blocks[2].ffn.net[2]]
    pipe.transformer.register_forward_pre_hook(
        lambda *_: active.append([set(layer.active_adapters) & set(layer.lora_A) for layer in layers])
    )
    pipe.transformer.register_forward_pre_hook(lambda _, args: calls.append(args[1].max().item()))
    fast = pipe(lifted, trajectory, seed=3)
    assert len(calls) == 2 * 3  # two chunks of three steps, each without guidance
    assert active == 3 * [[{FEW_STEPS}, {FEW_STEPS}]] + 3 * [[{LORA, FEW_STEPS}, {FEW_STEPS}]]
    first = sigmas_of(pipe, 8.0, 3)
    assert calls[:3] == pytest.approx(first, abs=1.0) and calls[1] > sigmas_of(pipe, 5.0, 3)[1]
    assert not np.array_equal(fast.frames, plain.frames)
    entry = fast.recipe["weights"][-1]
    assert entry["name"] == "fast.safetensors" and len(entry["sha256"]) == 64
    assert (entry["strength"], entry["steps"], entry["shift"], entry["guidance"]) == (0.5, 3, 8.0, 1.0)
    assert (
        licence_card(pipe.engine)[-1]["licence"] == "CC0-1.0"
        and licence_card(pipe.engine)[-1]["commercial_use"] == "unknown"
    )
    with pytest.raises(ValueError, match="fast.safetensors is in use already"):
        pipe.use_few_steps(few)

    pipe.save_pretrained(tmp_path / "saved")  # keeps the released LoRA and goes on with both
    assert np.array_equal(pipe(lifted, trajectory, seed=3).frames, fast.frames)
    again = MiragePipeline.from_pretrained(tmp_path / "saved")
    assert list(again.transformer.peft_config) == [LORA] and entry not in again.engine.facts.weights


def sigmas_of(pipe, shift, steps):
    scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, flow_shift=shift)
    scheduler.set_timesteps(sigmas=np.linspace(0.999, 0, steps + 1)[:-1])
    return scheduler.timesteps.tolist()


def test_a_few_step_lora_on_the_command_line(converted, tmp_path, capsys):
    Image.fromarray(photo(*SIZE)).save(tmp_path / "photo.png")
    few = few_step_file(tmp_path)
    render = ["render", str(tmp_path / "photo.png"), "--size", "64x96", "--frames", "5", "--model", str(converted)]
    render += ["--out", str(tmp_path / "clip.mp4")]
    asked = ["--few-step-lora", few.file, "--few-step", "steps=1", "--few-step", "strength=0.25"]
    assert cli.main([*render, *asked]) == 0
    recipe = read_recipe(tmp_path / "clip.mp4")
    entry = recipe["weights"][-1]
    assert recipe["trajectory"]["fps"] == LAYOUTS["spatia"].fps
    assert (entry["name"], entry["steps"], entry["strength"]) == ("fast.safetensors", 1, 0.25)
    capsys.readouterr()
    for arguments, words in (
        (["--few-step", "steps=2"], "Give --few-step-lora FILE"),
        (["--few-step-lora", few.file, "--few-step", "speed=2"], "speed is unknown. Use one of strength, steps"),
        (["--few-step-lora", few.file, "--few-step", "steps=0"], "steps=0.0 must be a whole number from 1"),
        (["--few-step-lora", few.file, "--few-step", "steps=many"], "steps=many must be a whole number from 1"),
        (["--few-step-lora", few.file, "--few-step", "shift=inf"], "shift=inf must be a positive number. Use 5.0."),
        (["--few-step-lora", few.file, "--few-step", "strength=nan"], "strength=nan must be a positive number"),
        (["--few-step-lora", str(tmp_path / "no")], "is no file"),
        (["--few-step-lora", few.file, "--model", "embedded"], "--few-step-lora is for large models"),
    ):
        assert cli.main([*render, *arguments]) == 2
        assert words in capsys.readouterr().err


def test_a_stock_wan_folder_opens_without_a_memory_to_steer_it(converted, tmp_path, monkeypatch):
    pipe = MiragePipeline.from_pretrained(converted)
    names = "num_attention_heads attention_head_dim in_channels text_dim freq_dim ffn_dim num_layers"
    config = {name: pipe.transformer.config[name] for name in names.split()}
    stock = WanImageToVideoPipeline(
        pipe.tokenizer,
        pipe.text_encoder,
        pipe.vae,
        pipe.scheduler,
        transformer=WanTransformer3DModel(**config, out_channels=48),
        expand_timesteps=True,
    )
    stock.save_pretrained(tmp_path)
    opened = MiragePipeline.from_pretrained(tmp_path)
    assert isinstance(opened.engine, LargeEngine) and not opened.transformer.config.vace_layers
    opened.engine.depth_estimator = AnalyticDepth()
    opened.engine.layout = replace(opened.engine.layout, num_inference_steps=1)
    lifted, trajectory = path(opened, frames=5)
    assert opened(lifted, trajectory).frames.shape == (5, *SIZE, 3)
    steered = MiragePipeline.from_pretrained(tmp_path, transformer=pipe.transformer)
    assert steered.transformer.config.vace_layers and opened.config.layout == steered.config.layout == "spatia"
    names = [entry["name"] for entry in licence_card(steered.engine)]
    assert names[0] == tmp_path.name and {"vace.safetensors", "lora.safetensors"} <= set(names)
    many = MirageTransformer3DModel(**config, vace_layers=range(4))
    monkeypatch.setitem(LAYOUTS, "lsm-world", replace(LAYOUTS["lsm-world"], control_blocks=4))
    other = MiragePipeline.from_pretrained(tmp_path, transformer=many)
    assert other.engine.layout.name == other.config.layout == "lsm-world"
    assert {"name": "unnamed", "licence": "unknown", "commercial_use": "unknown"} in licence_card(other.engine)


def test_a_stock_folder_and_released_files_are_the_converted_folder(converted, monkeypatch):
    root = converted.parent
    files = dict(control=root / "vace.safetensors", lora=root / "lora.safetensors")
    opened = MiragePipeline.from_pretrained(root / BASE, **files, layout="spatia")
    expected = MiragePipeline.from_pretrained(converted)
    ours, theirs = opened.transformer.state_dict(), expected.transformer.state_dict()
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert opened.engine.layout is LAYOUTS["spatia"] and opened.engine.facts == expected.engine.facts
    assert opened.scheduler.config.flow_shift == expected.scheduler.config.flow_shift
    with pytest.raises(ValueError, match="No known layout has 2 control blocks"):
        MiragePipeline.from_pretrained(root / BASE, **files)
    asked = []
    monkeypatch.setattr("pipelines.large.convert.local_file", lambda name, **options: asked.append(options) or name)
    how = dict(token="secret", local_files_only=True, revision="main")
    MiragePipeline.from_pretrained(root / BASE, **files, layout="spatia", **how)
    assert asked == [{"token": "secret", "local_files_only": True}] * 2


def test_a_size_that_no_token_fits_is_refused(large):
    lifted, trajectory = path(large)
    with pytest.raises(ValueError, match="height=80 must be a multiple of 32. Use 64 or 96"):
        large.stream(photo(), trajectory.resized(80, 96))


def test_what_the_mask_leaves_out_is_not_remembered(converted):
    pipe = tiny_pipe(converted, "spatia")
    lifted, trajectory = path(pipe)
    asked = []

    def nothing(image, depth, expected):
        asked.append((image.shape[:2], depth.shape, expected.image.shape[:2], expected.depth.shape))
        return np.zeros(depth.shape, bool)

    grown = pipe(lifted, trajectory, seed=3).memory
    pipe.engine.mask = nothing
    kept = pipe(lifted, trajectory, seed=3).memory
    assert grown.num_points > lifted.memory.num_points == kept.num_points
    assert asked and all(len(set(shapes)) == 1 for shapes in asked)


def test_a_frame_whose_depth_has_no_scale_is_counted(converted, tmp_path):
    pipe = tiny_pipe(converted, "spatia")
    lifted, trajectory = path(pipe, frames=5)
    assert pipe(lifted, trajectory).unplaced == 0
    pipe.engine.depth_estimator = lambda image, K: (
        np.ones(image.shape[:2], np.float32),
        np.zeros(image.shape[:2], bool),
    )
    result = pipe(lifted, trajectory)
    assert result.unplaced == 1 and result.memory.num_points == lifted.memory.num_points


def test_a_token_of_which_a_part_moves_is_not_remembered(converted):
    pipe = tiny_pipe(converted, "spatia")
    lifted, trajectory = path(pipe)

    def still(corner, frame, depth, expected):
        keep = np.ones(depth.shape, bool)
        keep[corner::2, corner::2] = False  # one sample of every token
        return keep

    for corner in (0, 1):
        pipe.engine.mask = partial(still, corner)
        assert pipe(lifted, trajectory, seed=3).memory.num_points == lifted.memory.num_points

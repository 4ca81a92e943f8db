"""The transformer and the chunk step against what they must equal: diffusers' Wan, and both released layouts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from diffusers import WanImageToVideoPipeline, WanTransformer3DModel, WanVACETransformer3DModel
from diffusers.hooks import FirstBlockCacheConfig
from parity import finished, lsm_world, scheduler, spatia
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_wan import TINY

from pipelines.large.denoising import ChunkInputs, denoise_chunk
from pipelines.large.transformer import MirageTransformer3DModel


def tiny(**config):
    return MirageTransformer3DModel(**{**TINY, **config}).eval()


# ---- equal to what is released ----------------------------------------------------------------------------------


@pytest.mark.parametrize("differences", [lsm_world, spatia])
def test_it_equals_the_released_code(differences):
    for what, difference in differences().items():
        assert difference < (1e-5 if "forward" in what else 1e-4), what


# ---- equal to diffusers -----------------------------------------------------------------------------------------


def stock():
    return WanTransformer3DModel(
        **{**TINY, "in_channels": 48, "out_channels": 48}, patch_size=(1, 2, 2), rope_max_seq_len=32
    ).eval()


def test_without_memory_and_references_it_is_the_stock_pipeline(tiny_vae):
    """The same noise through WanImageToVideoPipeline(expand_timesteps=True) and through the chunk step."""
    transformer = stock()
    ours = MirageTransformer3DModel(**{**TINY, "in_channels": 48}).eval()
    ours.load_state_dict(transformer.state_dict())  # the same names
    pipe = WanImageToVideoPipeline(None, None, tiny_vae, scheduler(), transformer=transformer, expand_timesteps=True)
    pipe.set_progress_bar_config(disable=True)
    text, negative = torch.randn(2, 1, 7, 8)
    noise = torch.randn(1, 48, 3, 4, 6)
    expected = pipe(
        Image.new("RGB", (96, 64), (200, 90, 40)),
        height=64,
        width=96,
        num_frames=9,
        num_inference_steps=4,
        guidance_scale=3.0,
        latents=noise,
        prompt_embeds=text,
        negative_prompt_embeds=negative,
        output_type="latent",
    ).frames
    inputs = ChunkInputs(noise, text, negative, clean=expected[:, :, :1])
    latents = finished(denoise_chunk(ours, scheduler(), inputs, 4, guidance_scale=3.0))
    torch.testing.assert_close(latents, expected, atol=1e-5, rtol=0)
    assert (latents[:, :, 1:] - noise[:, :, 1:]).abs().max() > 0.1


def test_a_stock_folder_opens(tmp_path):
    transformer = stock()
    transformer.save_pretrained(tmp_path)
    ours = MirageTransformer3DModel.from_pretrained(tmp_path)
    x, text = torch.randn(1, 48, 2, 4, 4), torch.randn(1, 3, 8)
    times = torch.tensor([500.0])
    with torch.no_grad():
        expected = transformer(x, times, text).sample
        torch.testing.assert_close(ours(x, times, text).sample, expected, atol=1e-5, rtol=0)


def test_a_folder_that_lacks_a_tensor_does_not_open(tmp_path):
    """diffusers alone would go on with random numbers in its place."""
    tiny(vace_layers=(0, 2)).save_pretrained(tmp_path)
    (file,) = tmp_path.glob("*.safetensors")
    tensors = load_file(file)
    tensors["blocks.0.extra"] = tensors.pop("vace_blocks.1.proj_out.bias")
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(ValueError, match="1 missing: vace_blocks.1.proj_out.bias; 1 left over: blocks.0.extra."):
        MirageTransformer3DModel.from_pretrained(tmp_path)


@torch.no_grad()
def test_with_one_time_for_all_it_is_diffusers_control_branch():
    config = {**TINY, "out_channels": 4, "vace_layers": [0, 2], "vace_in_channels": 8}
    vace, ours = WanVACETransformer3DModel(**config).eval(), tiny(vace_layers=(0, 2))
    ours.load_state_dict(vace.state_dict())
    x, text, control, times = (
        torch.randn(2, 4, 3, 4, 6),
        torch.randn(2, 5, 8),
        torch.randn(2, 8, 3, 4, 6),
        [900.0, 40.0],
    )
    expected = vace(x, torch.tensor(times), text, control_hidden_states=control).sample
    torch.testing.assert_close(ours(x, torch.tensor(times), text, control).sample, expected, atol=1e-5, rtol=0)
    per_frame = torch.tensor(times)[:, None].expand(2, 3)
    torch.testing.assert_close(ours(x, per_frame, text, control).sample, expected, atol=1e-5, rtol=0)


# ---- laws -------------------------------------------------------------------------------------------------------


def example(references=2, targets=3, preceding=1, **config):
    model = tiny(vace_layers=(0, 2), **config)
    frames = references + targets + preceding
    x, text = torch.randn(1, 4, frames, 4, 6), torch.randn(1, 5, 8)
    times = torch.zeros(1, frames)
    times[:, references : references + targets] = 600
    return model, x, times, text, torch.randn(1, 8, frames - references, 4, 6)


def test_times_are_embedded_once_each_and_constants_only_in_the_first_step():
    model, x, times, text, control = example()
    rows, runs = [], []
    embedder = model.condition_embedder
    embedder.time_proj.register_forward_hook(lambda _, args, __: rows.append(args[0].shape[:-1].numel()))
    for part in (embedder.text_embedder, model.rope, model.vace_patch_embedding):
        part.register_forward_hook(lambda module, *_: runs.append(type(module).__name__))
    constants = {}
    with torch.no_grad():
        first = model(x, times, text, control, num_reference_frames=2, constants=constants).sample
        assert rows == [2] and len(runs) == 3
        again = model(x, times, text, control, num_reference_frames=2, constants=constants).sample
        assert rows == [2, 2] and len(runs) == 3
    assert torch.equal(first, again)


@torch.no_grad()
def test_control_changes_what_comes_out():
    model, x, times, text, control = example()
    none = model(x, times, text, num_reference_frames=2).sample
    assert not torch.allclose(model(x, times, text, control, num_reference_frames=2).sample, none)


@torch.no_grad()
def test_references_may_stand_last():
    """Attention does not mind the order of frames: the same model with the references behind gives the same flow."""
    model, x, times, text, control = example()
    behind = tiny(vace_layers=(0, 2), segment_order=("targets", "preceding", "references"))
    behind.load_state_dict(model.state_dict())
    flow = model(x, times, text, control, num_reference_frames=2).sample
    turned = behind(x.roll(-2, 2), times.roll(-2, 1), text, control, num_reference_frames=2).sample
    torch.testing.assert_close(turned.roll(2, 2), flow, atol=1e-5, rtol=0)


@torch.no_grad()
def test_control_goes_to_the_frames_it_shows_in_any_order():
    """Of the sequence only; what a caller gives to `ChunkInputs` is always targets, then preceding."""
    seen, control = [], torch.randn(1, 8, 4, 4, 6)
    for order in (("references", "targets", "preceding"), ("references", "preceding", "targets")):
        model = tiny(vace_layers=(0, 2), segment_order=order)
        model.register_forward_pre_hook(lambda _, args: seen.append(args))
        targets, preceding = torch.randn(1, 4, 3, 4, 6), torch.randn(1, 4, 1, 4, 6)
        inputs = ChunkInputs(targets, torch.randn(1, 5, 8), preceding=preceding, control=control)
        finished(denoise_chunk(model, scheduler(), inputs, 1))
    (_, first, _, given), (_, second, _, turned) = seen
    assert (first == 0).tolist() == [[False] * 3 + [True]] and (second == 0).tolist() == [[True] + [False] * 3]
    assert torch.equal(given, control) and torch.equal(turned, control.roll(1, 2))


@torch.no_grad()
def test_references_have_places_of_their_own():
    """Where they stand is known to the model: another offset is another flow, though nothing else has changed."""
    model, x, times, text, control = example()
    other = tiny(vace_layers=(0, 2), reference_offset=(-1, 0, 0))
    other.load_state_dict(model.state_dict())
    flows = [m(x, times, text, control, num_reference_frames=2).sample for m in (model, other)]
    assert (flows[0] - flows[1]).abs().max() > 1e-4
    cos, _ = model.rope(3, 2, 2, 1, True, "cpu")
    dims = model.rope.dims
    torch.testing.assert_close(cos[0, 0, 0, : dims[0]], torch.cos(-frequencies(dims[0])))
    rows = torch.cos(2.0 * frequencies(dims[1]))  # the first row of a reference is the row below the picture
    torch.testing.assert_close(cos[0, 0, 0, dims[0] : dims[0] + dims[1]], rows)


def frequencies(dim, theta=10000.0):
    return (1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim)).repeat_interleave(2).float()


TWO_DEVICES = """
import os, sys, torch, torch.distributed as dist
from diffusers import ContextParallelConfig
from test_transformer import example
torch.set_num_threads(1)
torch.accelerator.device_count = lambda: 1  # diffusers asks for it, though these devices are CPUs
children = []
for rank in range(2):
    if child := os.fork():
        children.append(child)
        continue
    os.environ.update(RANK=str(rank), WORLD_SIZE="2")
    dist.init_process_group("gloo", init_method="file://" + sys.argv[1], rank=rank, world_size=2)
    torch.manual_seed(0)
    model, x, times, text, control = example()
    with torch.no_grad():
        whole = model(x, times, text, control, num_reference_frames=2).sample
        tokens, parts = [], []
        model.blocks[1].register_forward_pre_hook(lambda _, args: tokens.append(args[0].shape[2]))
        model.enable_parallelism(config=ContextParallelConfig(ulysses_degree=2))
        constants = {}
        for _ in range(2):
            parts.append(model(x, times, text, control, num_reference_frames=2, constants=constants).sample)
    same = all((part - whole).abs().max() < 1e-5 for part in parts)
    os._exit(0 if same and tokens == [3, 3] else 1)  # 3 of a frame's 6 tokens on each device
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def test_one_clip_on_two_devices_is_the_clip_on_one(tmp_path):
    """Context parallelism by `_cp_plan`: every device holds some tokens of every frame."""
    for model in (tiny(), tiny(vace_layers=(0,))):
        assert set(model._cp_plan) <= {name for name, _ in model.named_modules()}
    tests = Path(__file__).parents[2]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(tests), str(tests.parent)]),
    }
    command = [sys.executable, "-W", "ignore", "-c", TWO_DEVICES, str(tmp_path / "meeting")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_gradients_are_the_same_with_checkpointing():
    model, x, times, text, control = example()

    def gradient():
        model.zero_grad()
        model(x, times, text, control, num_reference_frames=2).sample.square().mean().backward()
        return model.vace_blocks[0].proj_in.weight.grad.clone()

    plain = gradient()
    model.enable_gradient_checkpointing()
    torch.testing.assert_close(gradient(), plain)
    assert plain.abs().max() > 0


@torch.no_grad()
def test_first_block_cache_skips_blocks_and_their_hints():
    model, x, times, text, control = example()
    expected = model(x, times, text, control, num_reference_frames=2).sample
    runs = []
    model.blocks[2].attn1.register_forward_hook(lambda *_: runs.append(1))
    model.enable_cache(FirstBlockCacheConfig(threshold=10.0))
    for _ in range(2):  # the second step is like the first, so its later blocks are not run
        with model.cache_context("cond"):
            flow = model(x, times, text, control, num_reference_frames=2).sample
    assert len(runs) == 1
    torch.testing.assert_close(flow, expected, atol=1e-5, rtol=0)


def test_weights_in_bfloat16_keep_norms_and_modulation_exact(tmp_path):
    model, x, times, text, control = example()
    model.save_pretrained(tmp_path)
    half = MirageTransformer3DModel.from_pretrained(tmp_path, dtype=torch.bfloat16)
    assert half.blocks[0].attn1.to_q.weight.dtype == torch.bfloat16
    assert torch.equal(half.blocks[0].scale_shift_table, model.blocks[0].scale_shift_table)
    x, text, control = (part.bfloat16() for part in (x, text, control))
    with torch.no_grad():
        flow = half(x, times, text, control, num_reference_frames=2).sample
        expected = model(x.float(), times, text.float(), control.float(), num_reference_frames=2).sample
    torch.testing.assert_close(flow.float(), expected, atol=0.05, rtol=0)
    inputs = ChunkInputs(torch.randn(1, 4, 3, 4, 6), text, references=x[:, :, :2], control=control[:, :, :3])
    latents = [finished(denoise_chunk(each, scheduler(), inputs, 3)) for each in (half, model)]
    assert latents[0].dtype == torch.float32  # the sampler's state, whatever the model's
    torch.testing.assert_close(*latents, atol=0.05, rtol=0)


@pytest.mark.parametrize("offload_type", ["block_level", "leaf_level"])
def test_weights_may_wait_elsewhere(offload_type):
    """Group offloading: whatever forward computes once, it computes where the weights are at that time."""
    model, x, times, text, control = example()
    constants, blocks = {}, {"num_blocks_per_group": 1} if offload_type == "block_level" else {}
    with torch.no_grad():
        expected = model(x, times, text, control, num_reference_frames=2).sample
        model.enable_group_offload(torch.device("cpu"), torch.device("cpu"), offload_type, **blocks)
        for _ in range(2):
            flow = model(x, times, text, control, num_reference_frames=2, constants=constants).sample
            assert torch.equal(flow, expected)


def test_weights_may_be_stored_in_eight_bits():
    model, x, times, text, control = example()
    with torch.no_grad():
        expected = model(x, times, text, control, num_reference_frames=2).sample
        model.enable_layerwise_casting(torch.float8_e4m3fn, torch.float32)
        assert (
            model.blocks[0].ffn.net[2].weight.dtype == model.vace_blocks[0].proj_in.weight.dtype == torch.float8_e4m3fn
        )
        assert model.vace_patch_embedding.weight.dtype == torch.float32
        flow = model(x, times, text, control, num_reference_frames=2).sample
    torch.testing.assert_close(flow, expected, atol=0.2, rtol=0)
    assert not torch.equal(flow, expected)


BAD = [
    (dict(num_reference_frames=6), "num_reference_frames=6 must be 0..5"),
    (dict(timestep=torch.zeros(1, 4)), r"timestep \(1, 4\) must be \(1, 6\)"),
    (dict(hidden_states=torch.zeros(1, 4, 6, 5, 6)), "height=5 of the latents must be a multiple of the patch, 2"),
    (dict(control_hidden_states=torch.zeros(1, 8, 6, 4, 6)), r"must be \(1, 8, 4, 4, 6\)"),
]


@pytest.mark.parametrize(("wrong", "message"), BAD)
def test_wrong_shapes_are_told(wrong, message):
    model, x, times, text, control = example()
    arguments = dict(
        hidden_states=x,
        timestep=times,
        encoder_hidden_states=text,
        control_hidden_states=control,
        num_reference_frames=2,
    )
    with pytest.raises(ValueError, match=message):
        model(**{**arguments, **wrong})


def test_wrong_models_are_told():
    with pytest.raises(ValueError, match="no control branch"):
        tiny()(torch.zeros(1, 4, 1, 4, 4), torch.zeros(1, 1), torch.zeros(1, 1, 8), torch.zeros(1, 8, 1, 4, 4))
    with pytest.raises(ValueError, match=r"vace_layers=\[0, 3\] must be among the 3 layers"):
        tiny(vace_layers=(0, 3))
    with pytest.raises(ValueError, match=r"vace_layers=\[1, 1\] must be .* each once"):
        tiny(vace_layers=(1, 1))
    with pytest.raises(ValueError, match="must name each of references, targets, preceding once"):
        tiny(segment_order=("references", "targets"))
    with pytest.raises(ValueError, match="references first or last"):
        tiny(segment_order=("targets", "references", "preceding"))
    with pytest.raises(ValueError, match="must be 1 in time"):
        tiny(patch_size=(2, 2, 2))

"""Conversion: every tensor finds its place or is named, in files as in state dicts; what was made opens again."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import UniPCMultistepScheduler
from parity import fixture
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tiny_wan import released_from_transformer

from pipelines.__main__ import main
from pipelines.large.families import LAYOUTS, layout_of
from pipelines.large.lora import add_lora
from pipelines.large.lora_files import lora_report
from pipelines.large.released import transformer_from_file, transformer_from_released
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.large.wan_names import ConversionError, to_diffusers, to_released
from pipelines.weights import gguf as gguf_files
from pipelines.weights.tensors import read_tensors

DIM, FFN, TEXT, LAYERS = 3072, 14336, 4096, 30  # Wan2.2-TI2V-5B


def prefixed(prefix, tensors):
    return {prefix + name: tensor for name, tensor in tensors.items()}


def weight_and_bias(name, *shape):
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def block(name):
    """Shapes of a Wan block under released names."""
    shapes = {f"{name}.modulation": (1, 6, DIM), **weight_and_bias(f"{name}.norm3", DIM)}
    for attention in ("self_attn", "cross_attn"):
        for part in "qkvo":
            shapes |= weight_and_bias(f"{name}.{attention}.{part}", DIM, DIM)
        shapes |= {f"{name}.{attention}.norm_{part}.weight": (DIM,) for part in "qk"}
    return shapes | weight_and_bias(f"{name}.ffn.0", FFN, DIM) | weight_and_bias(f"{name}.ffn.2", DIM, FFN)


def full_size_backbone():
    shapes = {
        "head.modulation": (1, 2, DIM),
        **weight_and_bias("patch_embedding", DIM, 48, 1, 2, 2),
        **weight_and_bias("head.head", 192, DIM),
        **weight_and_bias("text_embedding.0", DIM, TEXT),
        **weight_and_bias("text_embedding.2", DIM, DIM),
        **weight_and_bias("time_embedding.0", DIM, 256),
        **weight_and_bias("time_embedding.2", DIM, DIM),
        **weight_and_bias("time_projection.1", 6 * DIM, DIM),
    }
    for index in range(LAYERS):
        shapes |= block(f"blocks.{index}")
    return on_meta(shapes)


def full_size_control(blocks):
    shapes = weight_and_bias("vace_patch_embedding", DIM, 96, 1, 2, 2)
    shapes |= weight_and_bias("vace_blocks.0.before_proj", DIM, DIM)
    for index in range(blocks):
        shapes |= block(f"vace_blocks.{index}") | weight_and_bias(f"vace_blocks.{index}.after_proj", DIM, DIM)
    return on_meta(shapes)


def full_size_lora(rank=32):
    shapes = {}
    for index in range(LAYERS):
        sizes = {f"{attention}.{part}": (DIM, DIM) for attention in ("self_attn", "cross_attn") for part in "qkvo"}
        for part, (rows, columns) in (sizes | {"ffn.0": (FFN, DIM), "ffn.2": (DIM, FFN)}).items():
            shapes[f"blocks.{index}.{part}.lora_A.weight"] = (rank, columns)
            shapes[f"blocks.{index}.{part}.lora_B.weight"] = (rows, rank)
    return on_meta(shapes)


def on_meta(shapes):
    return {name: torch.empty(shape, dtype=torch.bfloat16, device="meta") for name, shape in shapes.items()}


def tiny(lora=True, name="spatia"):
    parts, config = fixture(name)
    return parts["dit"], parts["vace"], parts["lora"] if lora else None, config


# ---- names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "tensors", "layers"),
    [(8, 236, (0, 4, 8, 12, 16, 20, 24, 28)), (15, 439, tuple(range(0, 30, 2)))],
)
def test_released_names_at_full_size(blocks, tensors, layers):
    backbone, control, lora = full_size_backbone(), full_size_control(blocks), full_size_lora()
    assert (len(backbone), len(control), len(lora)) == (825, tensors, 600)
    model = transformer_from_released(
        prefixed("pipe.dit.", backbone), prefixed("module.pipe.vace.", control), prefixed("pipe.dit.", lora)
    )
    assert model.config.vace_layers == layers
    assert model.config.num_attention_heads == 24 and model.config.attention_head_dim == 128
    parameters = {name: parameter for name, parameter in model.named_parameters() if "lora" not in name}
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}
    control_size = sum(p.numel() for name, p in parameters.items() if name.startswith("vace"))
    assert control_size == {8: 1_395_398_656, 15: 2_607_077_376}[blocks]
    assert sum(p.numel() for p in parameters.values()) - control_size == 4_999_787_712
    assert layout_of(blocks).name == {8: "spatia", 15: "lsm-world"}[blocks]
    assert sum("lora" in name for name, _ in model.named_parameters()) == 600


def test_every_name_has_a_way_back():
    backbone, control, _, config = tiny()
    model = transformer_from_released(backbone, control, config=config)
    again = released_from_transformer(model)
    for before, after in zip((backbone, control), again, strict=True):
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("prefix", ["", "dit.", "model.", "pipe.dit.", "module.pipe.dit.", "model.diffusion_model."])
def test_prefixes(prefix):
    assert to_diffusers(prefix + "blocks.3.self_attn.o.bias") == "blocks.3.attn1.to_out.0.bias"
    assert to_diffusers(prefix + "blocks.3.norm3.weight") == "blocks.3.norm2.weight"  # the naming trap
    assert to_diffusers(prefix + "vace_blocks.0.before_proj.weight") == "vace_blocks.0.proj_in.weight"


# ---- what is wrong is told --------------------------------------------------------------------------------------


def test_wrong_tensors_are_listed():
    backbone, control, lora, config = tiny()
    control = prefixed("vace.", control)
    control["vace.extra"] = control.pop("vace.vace_blocks.1.ffn.0.weight")
    control["vace.vace_blocks.0.norm3.bias"] = torch.zeros(5)
    with pytest.raises(ConversionError) as caught:
        transformer_from_released(backbone, control, config=config)
    assert "1 missing: vace_blocks.1.ffn.0.weight; " in str(caught.value)
    assert "1 of another shape: vace_blocks.0.norm3.bias (5,), not (48,); 1 left over: extra." in str(caught.value)

    lora = dict(lora)
    del lora["pipe.dit.blocks.1.self_attn.q.lora_B.weight"]
    lora["pipe.dit.blocks.9.ffn.0.lora_A.weight"] = lora.pop("pipe.dit.blocks.0.self_attn.q.lora_A.weight")
    with pytest.raises(ConversionError) as caught:
        transformer_from_released(backbone, control=tiny()[1], lora=lora, config=config)
    assert "2 missing: blocks.0.self_attn.q.lora_A.weight" in str(caught.value)
    assert "1 left over: blocks.9.ffn.0.lora_A.weight" in str(caught.value)


def test_wrong_configurations_are_told():
    backbone, control, _, config = tiny()
    with pytest.raises(ConversionError, match=r"2 control blocks, but vace_layers=\[0, 2, 4\]"):
        transformer_from_released(backbone, control, config={**config, "control_layers": [0, 2, 4]})
    with pytest.raises(ConversionError, match="48 channels do not part into 5 heads"):
        transformer_from_released(backbone, control, config={**config, "num_heads": 5})
    with pytest.raises(ConversionError, match="no patch_embedding.weight"):
        transformer_from_released(control)
    with pytest.raises(ConversionError, match="is there twice"):
        transformer_from_released({**backbone, **prefixed("dit.", backbone)}, config=config)


def test_blocks_are_counted_in_the_file_and_spread_evenly():
    backbone, control, _, config = tiny()
    del config["control_layers"]
    model = transformer_from_released(backbone, control, config=config)
    assert model.config.vace_layers == (0, 4)
    assert transformer_from_released(backbone, config=config).config.vace_layers == ()


def test_a_single_file_opens(tmp_path):
    backbone, control, _, config = tiny()
    save_file({**prefixed("dit.", backbone), **prefixed("vace.", control)}, tmp_path / "both.safetensors")
    model = transformer_from_file(tmp_path / "both.safetensors", config=config)
    assert torch.equal(flow(model), flow(transformer_from_released(backbone, control, config=config)))


# ---- LoRA -------------------------------------------------------------------------------------------------------


def flow(model):
    parts, _ = fixture("spatia")
    given = parts["in"]
    sequence = torch.cat([given["reference"], given["noise"]], dim=2)
    with torch.no_grad():
        control = given["control"][None]
        times = given["flow_timesteps"][None]
        return model(sequence, times, given["text"], control, num_reference_frames=2).sample


def test_lora_live_equals_fused_and_off_equals_none():
    backbone, control, lora, config = tiny()
    model = transformer_from_released(backbone, control, lora, config=config)
    live = flow(model)
    model.disable_lora()
    off = flow(model)
    model.enable_lora()
    model.fuse_lora()
    torch.testing.assert_close(flow(model), live, atol=1e-5, rtol=0)
    assert torch.equal(off, flow(transformer_from_released(backbone, control, config=config)))
    assert (live - off).abs().max() > 0.01


def test_alpha_is_stated_by_the_caller_or_the_file():
    backbone, control, lora, config = tiny()

    def alpha(lora, stated=None):
        model = transformer_from_released(backbone, control, lora, config=config, lora_alpha=stated)
        return model.peft_config["released"].lora_alpha, flow(model)

    rank, plain = alpha(lora)
    half, weaker = alpha(lora, 2.0)
    assert (rank, half) == (4, 2.0) and (plain - weaker).abs().max() > 1e-3
    named = {name.replace("lora_A", "lora_down").replace("lora_B", "lora_up"): part for name, part in lora.items()}
    named |= {"pipe.dit.blocks.0.ffn.0.alpha": torch.tensor(2.0)}
    told, same = alpha(named)
    assert told == 2.0 and torch.equal(same, weaker)
    with pytest.raises(ConversionError, match="lora_alpha=4.0, but the LoRA file says 2.0"):
        alpha(named, 4.0)
    for wrong in (0.0, float("nan")):
        with pytest.raises(ConversionError, match=f"alpha {wrong} must be positive"):
            alpha(lora, wrong)


def test_nothing_is_said_twice_nor_in_whole_numbers():
    backbone, control, lora, config = tiny()
    alpha = "blocks.0.self_attn.q.alpha"
    (down, matrix), *_ = ((name, part) for name, part in lora.items() if "lora_A" in name)
    cases = [
        ({f"pipe.dit.{alpha}": torch.tensor(2.0), f"dit.{alpha}": torch.tensor(4.0)}, "is there twice"),
        ({down.replace("lora_A", "lora_down"): matrix}, "is there twice"),
        ({alpha: torch.ones(2)}, r"blocks.0.self_attn.q.alpha of the LoRA is \(2,\), not one number"),
        ({down: matrix.to(torch.int8)}, "1 of whole numbers: .*lora_A.weight torch.int8"),
    ]
    for more, words in cases:
        with pytest.raises(ConversionError, match=words):
            transformer_from_released(backbone, control, {**lora, **more}, config=config)
    with pytest.raises(ConversionError, match="of whole numbers: blocks.0.ffn.0.weight torch.int32"):
        whole = {"blocks.0.ffn.0.weight": backbone["blocks.0.ffn.0.weight"].int()}
        transformer_from_released({**backbone, **whole}, control, config=config)


def test_where_alpha_is_from_is_told_module_by_module():
    backbone, control, lora, config = tiny()

    def told(stated=None, **alphas):
        file = lora | {f"pipe.dit.blocks.0.ffn.{i[1]}.alpha": torch.tensor(value) for i, value in alphas.items()}
        model = transformer_from_released(backbone, control, file, config=config, lora_alpha=stated)
        return lora_report(model.peft_config["released"], file, stated)

    assert told() == {"rank": 4, "alpha": 4, "alpha_from": "not in the file: taken as the rank, weight 1"}
    assert told(2.0)["alpha_from"] == "stated"
    assert told(_0=2.0)["alpha_from"] == "stated for 1 of 80 modules: taken as the same for the others"
    assert told(_0=2.0, _2=1.0) == {
        "rank": 4,
        "alpha": 4,
        "others": {"alphas": [1.0, 2.0]},
        "alpha_from": "stated for 2 of 80 modules: taken as the rank for the others",
    }


def test_ranks_and_alphas_may_differ_and_strength_weighs_all():
    backbone, control, lora, config = tiny()
    name = "pipe.dit.blocks.1.ffn.0.lora_{}.weight"
    down, up = torch.randn(2, 48), torch.randn(lora[name.format("B")].shape[0], 2)
    mixed = {**lora, name.format("A"): down, name.format("B"): up, "pipe.dit.blocks.1.ffn.0.alpha": torch.tensor(1.0)}
    mixed |= {"pipe.dit.blocks.0.ffn.0.alpha": torch.tensor(4.0)}  # of rank 4: weight 1, as those that say nothing
    live = transformer_from_released(backbone, control, config=config)
    add_lora(live, mixed, strength=0.5)
    fused = dict(backbone)
    for key, part in mixed.items():
        if key.endswith("lora_A.weight"):
            weight = 0.25 if part is down else 0.5
            target = key.removeprefix("pipe.dit.").replace("lora_A.weight", "weight")
            fused[target] = fused[target] + weight * mixed[key.replace("lora_A", "lora_B")] @ part
    expected = flow(transformer_from_released(fused, control, config=config))
    torch.testing.assert_close(flow(live), expected, atol=1e-5, rtol=0)
    with pytest.raises(ConversionError, match="1 left over: blocks.9.ffn.0.alpha"):
        add_lora(live, {**lora, "blocks.9.ffn.0.alpha": torch.tensor(4.0)})
    with pytest.raises(ConversionError, match="holds no LoRA"):
        add_lora(live, backbone)


def test_full_differences_are_added_and_taken_back():
    backbone, control, lora, config = tiny()
    names = {"norm3.weight": "norm3.diff", "ffn.0.bias": "ffn.0.diff_b", "cross_attn.o.weight": "cross_attn.o.diff"}
    names = {f"blocks.1.{name}": f"diffusion_model.blocks.1.{told}" for name, told in names.items()}
    names |= {"blocks.0.modulation": "blocks.0.modulation.diff", "head.modulation": "head.modulation.diff"}
    differences = {told: 0.1 * torch.randn(backbone[name].shape) for name, told in names.items()}
    live, plain = (transformer_from_released(backbone, control, config=config) for _ in range(2))
    add_lora(plain, lora, adapter="few-steps", strength=0.5)
    undo = add_lora(live, {**lora, **differences}, adapter="few-steps", strength=0.5)

    changed = {name: backbone[name] + 0.5 * differences[told] for name, told in names.items()}
    expected = transformer_from_released({**backbone, **changed}, control, config=config)
    add_lora(expected, lora, adapter="few-steps", strength=0.5)
    torch.testing.assert_close(flow(live), flow(expected), atol=1e-6, rtol=0)
    assert (flow(live) - flow(plain)).abs().max() > 1e-3
    undo()
    assert torch.equal(flow(live), flow(plain))

    with pytest.raises(ConversionError, match="1 left over: blocks.9.ffn.0.bias"):
        add_lora(plain, {**lora, "blocks.9.ffn.0.diff_b": torch.zeros(3)}, adapter="again")
    with pytest.raises(ConversionError, match=r"1 of another shape: blocks.1.norm3.weight \(3,\), not "):
        add_lora(plain, {**lora, "blocks.1.norm3.diff": torch.zeros(3)}, adapter="again")
    with pytest.raises(ConversionError, match="This LoRA holds 5 full differences, such as blocks.1.norm3.weight"):
        transformer_from_released(backbone, control, {**lora, **differences}, config=config)


# ---- files ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def base(tmp_path_factory, tiny_vae):
    """A Wan folder in the diffusers layout, its transformer under diffusers names in two shards."""
    folder = tmp_path_factory.mktemp("Wan2.2-TI2V-5B")
    backbone, _, _, config = tiny()
    model = transformer_from_released(backbone, config=config)
    model.save_pretrained(folder / "transformer", max_shard_size="150KB")
    assert len(list((folder / "transformer").glob("*.safetensors"))) > 1
    tiny_vae.save_pretrained(folder / "vae")
    index = {"_class_name": "WanPipeline", "vae": ["diffusers", "AutoencoderKLWan"], "text_encoder": [None, None]}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def convert(base, folder, *arguments, out="out", lora=True):
    _, control, lora_tensors, _ = tiny()
    save_file(prefixed("vace.", control), folder / "vace.safetensors")
    save_file(prefixed("pipe.dit.", lora_tensors), folder / "lora.safetensors")
    paths = ["--vace", str(folder / "vace.safetensors")]
    paths += ["--lora", str(folder / "lora.safetensors")] if lora else []
    return main(["convert", "--base", str(base), *paths, "--out", str(folder / out), *arguments])


def test_files_become_a_folder_with_the_same_tensors(base, tmp_path, capsys):
    assert convert(base, tmp_path, "--layout", "spatia") == 0
    report = json.loads(capsys.readouterr().out)
    out = tmp_path / "out"
    assert json.loads((out / "conversion.json").read_text()) == report
    assert report["lora"] == {"rank": 4, "alpha": 4, "alpha_from": "not in the file: taken as the rank, weight 1"}
    assert report["control_layers"] == [0, 4]
    names, digest = (
        [part["name"] for part in report["weights"]],
        hashlib.sha256((tmp_path / "lora.safetensors").read_bytes()),
    )
    assert names == [base.name, "vace.safetensors", "lora.safetensors"]
    assert report["weights"][2]["sha256"] == digest.hexdigest()
    assert [part["commercial_use"] for part in report["weights"]] == ["yes", "unknown", "unknown"]
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]

    model = MirageTransformer3DModel.from_pretrained(out / "transformer")
    backbone, control, lora, config = tiny()
    for before, after in zip((backbone, control), released_from_transformer(model), strict=True):
        assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    stored = load_file(out / "transformer_lora" / "pytorch_lora_weights.safetensors")
    expected = {to_diffusers(name): part for name, part in lora.items()}
    assert stored.keys() == expected.keys() and all(torch.equal(stored[name], expected[name]) for name in stored)
    model.load_lora_adapter(out / "transformer_lora", prefix=None, use_safetensors=True)
    assert torch.equal(flow(model), flow(transformer_from_released(backbone, control, lora, config=config)))
    scheduler = UniPCMultistepScheduler.from_pretrained(out / "scheduler")
    assert scheduler.config.flow_shift == LAYOUTS["spatia"].shift


def test_files_come_whole_in_parts_or_in_blocks(tmp_path):
    pytest.importorskip("gguf")
    _, control, _, _ = tiny()
    names = sorted(control)
    save_file(control, tmp_path / "whole.safetensors")
    (tmp_path / "parts").mkdir()
    index = {}
    for part, chosen in (("1", names[::2]), ("2", names[1::2])):
        save_file({name: control[name] for name in chosen}, tmp_path / "parts" / f"{part}.safetensors")
        index |= dict.fromkeys(chosen, f"{part}.safetensors")
    (tmp_path / "parts" / "all.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    gguf_files.write(tmp_path / "all.gguf", control, "q8_0")
    for path in ("whole.safetensors", "parts", "parts/all.safetensors.index.json"):
        read = read_tensors(tmp_path / path)
        assert read.keys() == control.keys() and all(torch.equal(read[name], control[name]) for name in names), path
    read = read_tensors(tmp_path / "all.gguf")
    assert read.keys() == control.keys()
    for name in names:
        torch.testing.assert_close(gguf_files.dequantized(read[name]).float(), control[name], atol=0.02, rtol=0)
    (tmp_path / "parts" / "2.safetensors").unlink()
    (tmp_path / "all.gguf").write_bytes(b"GGUF")
    for path in ("parts/all.safetensors.index.json", "parts"):
        with pytest.raises(ValueError, match="all.safetensors.index.json names 2.safetensors, not there"):
            read_tensors(tmp_path / path)
    elsewhere = json.dumps({"weight_map": {"a": "../whole.safetensors"}})
    for content, words in (("{", "cannot be read"), ("{}", "is no index of"), (elsewhere, "is no index of")):
        (tmp_path / "parts" / "all.safetensors.index.json").write_text(content)
        with pytest.raises(ValueError, match=words):
            read_tensors(tmp_path / "parts")
    with pytest.raises(ValueError, match="all.gguf cannot be read"):
        read_tensors(tmp_path / "all.gguf")


def test_a_backbone_in_blocks_takes_a_control_branch_that_is_not(tmp_path):
    """What others publish: the backbone alone under released names, its matrices in blocks."""
    pytest.importorskip("gguf")
    backbone, control, lora, config = tiny()
    wide = {name: part for name, part in backbone.items() if part.ndim == 2 and part.shape[1] % 32 == 0}
    assert wide  # some of this tiny model can be put into blocks
    plain = transformer_from_released(backbone, control, lora, config=config)
    gguf_files.write(tmp_path / "a.gguf", transformer_from_released(backbone, config=config).state_dict(), "q8_0")
    released = {to_released(name): part for name, part in read_tensors(tmp_path / "a.gguf").items()}
    model = transformer_from_released(released, control, lora, config=config)
    assert gguf_files.kind_in(model) == "q8_0" and gguf_files.kind_in(plain) is None
    difference = (flow(model) - flow(plain)).abs().max()
    assert 0 < difference < 0.05


def test_the_bases_revision_is_asked_for_and_recorded(base, tmp_path, monkeypatch, capsys):
    commit, asked = "a" * 40, []
    (tmp_path / commit).symlink_to(base)  # as the cache of the Hub keeps them

    def folder(name, **options):
        asked.append((name, options))
        return tmp_path / commit

    monkeypatch.setattr("pipelines.large.convert.local_folder", folder)
    assert convert(f"team/wan@{commit}", tmp_path, "--layout", "spatia", lora=False) == 0
    assert asked == [(f"team/wan@{commit}", {})]
    weights = json.loads(capsys.readouterr().out)["weights"]
    assert (weights[0]["name"], weights[0]["revision"]) == ("team/wan", commit)
    assert weights[0]["licence"] == weights[0]["commercial_use"] == "unknown"  # whose it is nobody says

    snapshot = tmp_path / "cache" / commit
    snapshot.mkdir(parents=True)
    control = shutil.copy(tmp_path / "vace.safetensors", snapshot)
    monkeypatch.setattr("pipelines.large.convert.local_file", lambda name: asked.append(name) or Path(control))
    arguments = ["--layout", "spatia", "--vace", "team/spatia@main/vace.safetensors"]
    assert convert(f"team/wan@{commit}", tmp_path, *arguments, out="second", lora=False) == 0
    branch = json.loads(capsys.readouterr().out)["weights"][1]
    assert asked[-1] == arguments[-1] and branch["sha256"] == hashlib.sha256(Path(control).read_bytes()).hexdigest()
    assert (branch["name"], branch["revision"]) == ("team/spatia/vace.safetensors", commit)


def test_bfloat16_is_kept_or_made(base, tmp_path):
    assert convert(base, tmp_path, "--layout", "spatia", "--dtype", "bfloat16", lora=False) == 0
    stored = load_file(tmp_path / "out" / "transformer" / "diffusion_pytorch_model.safetensors")
    assert stored["blocks.0.attn1.to_q.weight"].dtype == torch.bfloat16
    assert stored["blocks.0.scale_shift_table"].dtype == torch.float32
    backbone, control, _, config = tiny()
    for kept in (torch.bfloat16, torch.float8_e4m3fn):  # eight bits store, they do not compute
        stored = {name: part.to(kept) for name, part in backbone.items()}
        model = transformer_from_released(stored, control, config=config)
        assert model.patch_embedding.weight.dtype == model.vace_patch_embedding.weight.dtype == torch.bfloat16


def test_nothing_is_left_of_a_conversion_that_fails(base, tmp_path, capsys, monkeypatch):
    errors = [OSError("the disk refused"), SafetensorError("I/O error: the disk refused")]

    def refused(*arguments, **_):
        arguments[1].joinpath("half").mkdir(parents=True)
        raise errors.pop()

    assert convert(base, tmp_path) == 2  # two blocks are nobody's
    assert "No known layout has 2 control blocks" in capsys.readouterr().err
    monkeypatch.setattr("pipelines.large.transformer.MirageTransformer3DModel.save_pretrained", refused)
    while errors:
        assert convert(base, tmp_path, "--layout", "spatia") == 2
        assert "out could not be written (" in (told := capsys.readouterr().err) and "the disk refused" in told
    assert sorted(os.listdir(tmp_path)) == ["lora.safetensors", "vace.safetensors"]


def test_files_that_cannot_be_converted_are_told(base, tmp_path, capsys):
    def error(*arguments):
        assert main(["convert", "--out", str(tmp_path / "out"), *map(str, arguments)]) == 2
        return capsys.readouterr().err

    torch.save({}, tmp_path / "weights.pt")
    assert "weights.pt is no safetensors file" in error("--base", base, "--vace", tmp_path / "weights.pt")
    whole = next((base / "transformer").glob("*.safetensors")).read_bytes()
    for part in (whole[:2], whole[:-10], b"<html>not found</html>"):
        (tmp_path / "cut.safetensors").write_bytes(part)
        assert "cut.safetensors cannot be read" in error("--base", base, "--vace", tmp_path / "cut.safetensors")
    assert "holds no model_index.json" in error("--base", tmp_path)
    assert "layout 'wan' is unknown. Use one of spatia, lsm-world" in error("--base", base, "--layout", "wan")
    save_file(tiny()[2], tmp_path / "lora.safetensors")
    save_file(tiny()[1], tmp_path / "vace.safetensors")
    asked = "--base", base, "--layout", "spatia", "--vace"
    assert "lora.safetensors holds no control branch" in error(*asked, tmp_path / "lora.safetensors")
    assert "lora_alpha=4.0 is of a LoRA, and there is none" in error(
        *asked, tmp_path / "vace.safetensors", "--lora-alpha", 4
    )
    assert "nowhere.safetensors does not exist" in error(*asked, tmp_path / "nowhere.safetensors")
    assert convert(base, tmp_path, "--layout", "spatia", out="again") == 0
    assert "again holds a control branch or a LoRA already" in error("--base", tmp_path / "again")
    (tmp_path / "again" / "transformer" / "config.json").write_text("[]")
    assert "config.json holds no JSON object" in error("--base", tmp_path / "again")
    (tmp_path / "out").mkdir()
    assert "is there already" in error("--base", base)

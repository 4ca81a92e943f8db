"""Ways to run the large engine: what they need, which one is chosen, and that they change nothing but the place."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import photo
from tiny_wan import BASE, tiny_pipe

from pipelines import __main__ as cli
from pipelines import loading, move
from pipelines.large import costs as costs_module
from pipelines.large import counting, metering, profile_table, profiles
from pipelines.large.configurations import read_model, released
from pipelines.large.convert import convert
from pipelines.large.costs import CONTEXT, GIB, Costs, choose_profile, least_seconds, moved_bytes, needed_bytes
from pipelines.large.counting import costs_of
from pipelines.large.families import LAYOUTS, LORA_FILE, LORA_FOLDER
from pipelines.large.metering import COMPUTE, metered
from pipelines.large.profiles import PROFILES, ProfileError
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.weights import gguf as gguf_files
from pipelines.weights.gguf_kinds import GGUF_KINDS
from pipelines.weights.hub import CONFIGURATIONS

SIZE = 64, 96
FULL = Costs(  # of the released size, in GiB
    text_encoder=int(10.6 * GIB),
    transformer={"bfloat16": 12 * GIB, "float8": 6 * GIB, "int8": 6 * GIB, "q8_0": 6 * GIB, "q4_0": 3 * GIB},
    vae=int(1.3 * GIB),
    blocks=int(0.6 * GIB),
    layers=2 * GIB,
    alive={"text_encoder": int(0.1 * GIB), "transformer": 2 * GIB, "vae": 9 * GIB, "tiles": int(2.1 * GIB)},
)


# ---- counting ---------------------------------------------------------------------------------------------------


def test_what_is_alive_at_once_is_counted():
    weights = torch.empty(100, 100, device="meta")

    def work():
        a = torch.empty(1000, device="meta")
        b = a * 2
        c = b + 1  # three at once: 12000 bytes
        del a, b
        view, transposed = c.view(10, 100).t(), weights.t()  # views take nothing, of weights least of all
        return view, transposed, torch.empty(500, device="meta")

    assert metered(lambda _: work()).peak == 12000


def test_attention_keeps_no_table_of_all_pairs():
    tokens = torch.empty(1, 2, 4096, 8, device="meta")
    meter = metered(lambda _: torch.nn.functional.scaled_dot_product_attention(tokens, tokens, tokens))
    assert meter.peak == tokens.nbytes and meter.flop == 2 * 2 * 2 * 4096**2 * 8
    layer = torch.nn.Linear(8, 32, device="meta")
    assert metered(lambda _: layer(tokens)).flop == 2 * tokens.numel() * 32


@pytest.fixture(scope="module")
def costs(converted):
    return costs_of(converted, *SIZE)


def test_costs_are_those_of_the_weights(converted, costs):
    pipe = tiny_pipe(converted, "spatia")
    parameters = sum(p.numel() for name, p in pipe.transformer.named_parameters() if "lora_" not in name)
    lora = (converted / "transformer_lora" / "pytorch_lora_weights.safetensors").stat().st_size
    assert abs(costs.transformer["bfloat16"] - lora - 2 * parameters) < 0.02 * 2 * parameters
    assert costs.vae == sum(2 * p.numel() for p in pipe.vae.parameters())
    assert parameters + lora < costs.transformer["float8"] < costs.transformer["bfloat16"]
    assert costs.transformer["int8"] < costs.transformer["bfloat16"] and 0 < costs.blocks < costs.transformer["float8"]


def test_blocks_of_weights_weigh_what_their_file_does(tmp_path):
    pytest.importorskip("gguf")
    config = dict(num_attention_heads=2, attention_head_dim=64, ffn_dim=256, num_layers=2, in_channels=4, text_dim=8)
    model = MirageTransformer3DModel(**config).bfloat16()
    for kind in GGUF_KINDS:
        gguf_files.write(tmp_path / kind, model.state_dict(), kind)
        size = (tmp_path / kind).stat().st_size
        assert size == pytest.approx(counting.gguf_bytes(model, kind), rel=0.02) and size < 0.7 * metering.bytes_of(
            model
        )


def test_the_released_families_are_known_without_their_files():
    from diffusers import AutoencoderKLWan
    from transformers import UMT5EncoderModel

    sizes = {"spatia": 11.9, "lsm-world": 14.2}  # 6.40 and 7.61 billion in bfloat16, benchmarks/transformer.py
    for layout in LAYOUTS.values():
        model = released(layout)
        transformer = metering.on_meta(lambda model=model: MirageTransformer3DModel(**model.transformer))
        assert abs(metering.bytes_of(transformer) / GIB - sizes[layout.name]) < 0.1
        assert counting.lora_bytes(transformer) == 2 * 80_609_280  # 600 tensors of rank 32
    vae = metering.on_meta(lambda: AutoencoderKLWan(**model.vae))
    text_encoder = metering.on_meta(lambda: UMT5EncoderModel(model.text_encoder))
    assert 1.2 < metering.bytes_of(vae) / GIB < 1.4 and 10 < metering.bytes_of(text_encoder) / GIB < 11
    tiles = counting.tiles_of(vae, 704, 1280)
    assert len(tiles) == 6 and not vae.use_tiling


def test_longer_and_larger_chunks_need_more(converted, costs):
    longer, larger = costs_of(converted, *SIZE, frames=65), costs_of(converted, 128, 192)
    for part in ("transformer", "vae"):
        assert larger.alive[part] > 1.5 * costs.alive[part]
    assert longer.alive["transformer"] > costs.alive["transformer"]
    assert (longer.vae, longer.transformer) == (costs.vae, costs.transformer)


def test_models_are_made_without_memory():
    model = metering.on_meta(lambda: MirageTransformer3DModel(num_layers=1))
    assert next(model.parameters()).dtype == COMPUTE and torch.get_default_dtype() == torch.float32
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}


# ---- choosing ---------------------------------------------------------------------------------------------------


def test_weights_in_blocks_are_kept_as_they_are():
    in_blocks = replace(FULL, kept="q4_0")
    assert choose_profile(64 * GIB, in_blocks).name == choose_profile(10 * GIB, in_blocks).name == "gguf-q4"
    assert choose_profile(5 * GIB, FULL).name == "group-offload"
    with pytest.raises(ValueError, match="gguf-q4, which needs least"):
        choose_profile(6 * GIB, in_blocks)


def test_more_memory_never_makes_it_slower(monkeypatch):
    monkeypatch.setattr(costs_module, "is_available", lambda profile: profile.requires is None)
    ranks, order = [], list(PROFILES)
    for free in np.arange(0, 64, 0.5):
        try:
            ranks.append(order.index(choose_profile(int(free * GIB), FULL).name))
        except ValueError:
            ranks.append(len(order))
    assert ranks == sorted(ranks, reverse=True) and ranks[0] == len(order) and ranks[-1] == 0
    assert len(set(ranks)) >= 5
    for rank, free in zip(ranks, np.arange(0, 64, 0.5), strict=True):
        if rank < len(order):
            assert needed_bytes(PROFILES[order[rank]], FULL) <= free * GIB


def test_needs_are_sums_of_what_is_there_at_once():
    needs = {name: round((needed_bytes(profile, FULL) - CONTEXT) / GIB, 1) for name, profile in PROFILES.items()}
    assert needs["resident"] == pytest.approx(12 + 1.3 + 9, abs=0.11)  # the text encoder has gone by then
    assert needs["tiled"] == pytest.approx(12 + 1.3 + 2.1, abs=0.11)
    assert needs["float8"] == needs["int8"] == needs["gguf-q8"] == pytest.approx(6 + 1.3 + 2.1, abs=0.11)
    assert needs["model-offload"] == pytest.approx(12 + 2 + 1.3, abs=0.11)  # the transformer's turn
    assert needs["group-offload"] == pytest.approx(1.3 + 0.6 + 2, abs=0.11)  # the transformer's turn


def test_the_least_time_is_the_work_or_the_way_over_the_bus():
    costs = replace(FULL, flop={"transformer": 989e12, "vae": 0, "tiles": 989e12}, passes=40)
    assert least_seconds(PROFILES["resident"], costs, "H100") == pytest.approx(1)
    assert least_seconds(PROFILES["tiled"], costs, "H100") == pytest.approx(2)
    streamed = least_seconds(PROFILES["group-offload"], costs, "H100")
    assert streamed == pytest.approx(moved_bytes(PROFILES["group-offload"], costs) / 64e9) and streamed > 2


def test_too_little_memory_is_told_with_what_is_missing():
    with pytest.raises(ValueError, match=r"4\.0 GiB of GPU memory are free, and group-offload.* takes about 4\.9 GiB"):
        choose_profile(4 * GIB, FULL)
    with pytest.raises(ValueError, match="profile 'fast' is unknown. Use one of resident, "):
        profiles.profile_named("fast")


def test_what_is_not_installed_is_not_chosen_and_refused(monkeypatch, converted):
    monkeypatch.setattr(profiles.importlib.util, "find_spec", lambda name: None)
    pipe = tiny_pipe(converted, "spatia")
    with pytest.raises(ValueError, match="'int8' needs the package torchao. Install it, or use float8"):
        profiles.apply(pipe, "int8", "cpu")


def test_whether_a_model_fits_is_known_before_its_weights_are_fetched(converted, tmp_path, monkeypatch):
    for pattern in CONFIGURATIONS:
        for file in converted.rglob(pattern):
            (target := tmp_path / file.relative_to(converted)).parent.mkdir(exist_ok=True)
            target.write_bytes(file.read_bytes())
    assert not list(tmp_path.rglob("*.safetensors"))
    lora = (converted / LORA_FOLDER / LORA_FILE).stat().st_size
    known = replace(read_model(tmp_path), lora=lora)  # else taken as of the released rank
    assert costs_of(known, *SIZE) == costs_of(converted, *SIZE) and read_model(tmp_path).lora is None

    asked = []
    monkeypatch.setattr(loading, "local_folder", lambda name, patterns=None: asked.append((name, patterns)) or tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (GIB // 2, 8 * GIB))
    with pytest.raises(ProfileError, match=r"0\.5 GiB of GPU memory are free, and .* are missing"):
        loading.load_pipeline("team/tiny", size=SIZE)
    with pytest.raises(ProfileError, match="profile 'gguf-q4' does not suit weights kept as bfloat16. Convert with"):
        loading.load_pipeline("team/tiny", profile="gguf-q4")
    assert asked == [("team/tiny", CONFIGURATIONS)] * 2
    record = json.loads((tmp_path / "conversion.json").read_text())
    (tmp_path / "conversion.json").write_text(json.dumps({**record, "gguf": "q4_0"}))
    with pytest.raises(ProfileError, match="kept as q4_0, which run as gguf-q4 only. Use gguf-q4, or convert again"):
        loading.load_pipeline("team/tiny", profile="resident")


# ---- applying ---------------------------------------------------------------------------------------------------


def rendered(pipe):
    lifted = pipe.lift(photo(*SIZE), *SIZE)
    path = move("side-slide", lifted.camera, distance=lifted.distance, frames=17, strength=0.4)
    return pipe(lifted, path, prompt="a red sofa", seed=1).frames.astype(int)


@pytest.fixture(scope="module")
def expected(converted):
    return rendered(tiny_pipe(converted, "spatia"))


@pytest.mark.parametrize("name", ["resident", "tiled", "group-offload"])
def test_places_change_no_pixel(converted, expected, name):
    pipe = tiny_pipe(converted, "spatia")
    assert profiles.apply(pipe, name, "cpu") is PROFILES[name]
    assert np.array_equal(rendered(pipe), expected)  # one tile covers so small a picture


def test_tiles_change_pixels_a_little(converted, expected, monkeypatch):
    monkeypatch.setattr(profiles, "TILE", 64)
    monkeypatch.setattr(profiles, "TILE_OVERLAP", 32)
    pipe = tiny_pipe(converted, "spatia")
    profiles.apply(pipe, "tiled", "cpu")
    difference = np.abs(rendered(pipe) - expected)
    assert 0 < difference.mean() < 8


def test_weights_in_blocks_render_nearly_the_same(converted, expected, tmp_path, monkeypatch):
    pytest.importorskip("gguf")
    root = converted.parent
    convert(root / BASE, tmp_path / "q8", root / "vace.safetensors", root / "lora.safetensors", "spatia", gguf="q8_0")
    pipe = tiny_pipe(tmp_path / "q8", "spatia")
    assert type(pipe.transformer.blocks[0].ffn.net[2]).__name__ == "GGUFLinear"
    profiles.apply(pipe, "gguf-q8", "cpu")
    difference = np.abs(rendered(pipe) - expected)
    assert 0 < difference.mean() < 1
    assert read_model(tmp_path / "q8").kept == "q8_0"
    known = replace(FULL, kept="q8_0", flop=dict.fromkeys(("transformer", "vae", "tiles"), 1e12))
    monkeypatch.setattr(profile_table, "costs_of", lambda *_: known)
    assert [row["profile"] for row in profile_table.table(tmp_path / "q8", *SIZE)] == ["gguf-q8"]
    only = "kept as q8_0, which run as gguf-q8 only. Use gguf-q8"
    for folder, profile, words in ((tmp_path / "q8", "float8", only), (converted, "gguf-q8", "--gguf q8_0")):
        with pytest.raises(ValueError, match=words):
            profiles.apply(tiny_pipe(folder, "spatia"), profile, "cpu")


def test_eight_bits_change_pixels_a_little(converted, expected):
    pipe = tiny_pipe(converted, "spatia")
    profiles.apply(pipe, "float8", "cpu")
    assert pipe.transformer.blocks[0].ffn.net[0].proj.weight.dtype == torch.float8_e4m3fn
    difference = np.abs(rendered(pipe) - expected)
    assert 0 < difference.mean() < 3 and np.quantile(difference, 0.99) < 24


def test_eight_bit_integers_change_pixels_a_little(converted, expected):
    pytest.importorskip("torchao")
    pipe = tiny_pipe(converted, "spatia")
    profiles.apply(pipe, "int8", "cpu")
    difference = np.abs(rendered(pipe) - expected)
    assert 0 < difference.mean() < 3


def test_bfloat16_is_the_same_picture(converted, expected):
    pipe = tiny_pipe(converted, "spatia")
    for part in (pipe.transformer, pipe.vae, pipe.text_encoder):
        part.to(torch.bfloat16)
    profiles.apply(pipe, "resident", "cpu")
    assert np.abs(rendered(pipe) - expected).mean() < 3


def test_a_first_block_cache_is_asked_for(converted, expected):
    pipe = tiny_pipe(converted, "spatia")
    profiles.apply(pipe, "resident", "cpu", first_block_cache=10.0)
    assert pipe.transformer.is_cache_enabled
    frames = rendered(pipe)
    assert frames.shape == expected.shape and not np.array_equal(frames, expected)
    lifted = pipe.lift(photo(*SIZE), *SIZE)
    path = move("side-slide", lifted.camera, distance=lifted.distance, frames=5)
    told = {"name": "resident", "dtype": "float32", "first_block_cache": 10.0}
    assert pipe.recipe(None, path, 0, "standard")["profile"] == told


def test_what_cannot_be_applied_is_told(converted, pipe):
    with pytest.raises(ValueError, match="Profiles are for the large engine"):
        profiles.apply(pipe, "resident", "cpu")
    with pytest.raises(ValueError, match="'model-offload' needs a GPU to take turns on. On a CPU use resident."):
        profiles.apply(tiny_pipe(converted, "spatia"), "model-offload", "cpu")
    for threshold in (-0.1, math.nan):
        with pytest.raises(ProfileError, match="must be a share from 0. Use 0.05 to 0.2."):
            profiles.apply(tiny_pipe(converted, "spatia"), "resident", "cpu", first_block_cache=threshold)
        with pytest.raises(ProfileError, match="must be a share from 0"):
            loading.load_pipeline(str(converted), profile="resident", first_block_cache=threshold)


# ---- the table --------------------------------------------------------------------------------------------------


def test_the_command_line_prints_the_table(converted, tmp_path, capsys):
    assert cli.main(["info", "--profiles", str(converted)]) == 0
    told = capsys.readouterr()
    rows = json.loads(told.out)["profiles"]
    assert [row["profile"] for row in rows] == list(PROFILES)
    assert all(math.isfinite(row["gib"]) and row["gib"] <= row["gib_longest"] for row in rows)
    assert "| group-offload | tiled, the transformer's blocks stream through in each step |" in told.err
    assert all(0 < row["least_seconds"]["H100"] < row["least_seconds"]["RTX 4090"] for row in rows)
    assert "No GPU has measured" in told.err
    assert cli.main(["info", "--profiles", str(tmp_path)]) == 2
    assert "holds no model_index.json" in capsys.readouterr().err


def test_a_clip_renders_in_a_profile(converted, tmp_path, capsys, monkeypatch):
    from PIL import Image

    Image.fromarray(photo(*SIZE)).save(tmp_path / "photo.png")
    render = ["render", str(tmp_path / "photo.png"), "--size", "64x96", "--frames", "5", "--quality", "draft"]
    render += ["--out", str(tmp_path / "clip.mp4"), "--profile"]
    assert cli.main([*render, "resident", "--model", str(converted)]) == 0
    assert "profile resident: all but the text encoder" in capsys.readouterr().err and (tmp_path / "clip.mp4").is_file()
    for profile, model, words in (
        ("auto", str(converted), "there is none. Name one"),
        ("quick", str(converted), "profile 'quick' is unknown"),
        ("resident", "embedded", "needs no GPU. Leave it out"),
        (None, str(converted), "--first-block-cache goes with a profile"),
    ):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        asked = [*render, profile] if profile else [*render[:-1], "--first-block-cache", "0.1"]
        assert cli.main([*asked, "--model", model]) == 2
        assert words in capsys.readouterr().err


def test_the_device_is_chosen_or_refused(converted, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="--device cuda: torch sees no GPU here. Use --device cpu"):
        loading.load_pipeline(str(converted), "cuda")
    assert loading.load_pipeline(str(converted)).vae.dtype == torch.float32
    assert loading.load_pipeline(str(converted), dtype="bfloat16").vae.dtype == torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert loading.load_pipeline(str(converted), "cpu").device == torch.device("cpu")
    for asked in (dict(device="cuda"), dict(dtype="float32")):
        with pytest.raises(ValueError, match="is for large models; the embedded one needs no GPU"):
            loading.load_pipeline("embedded", **asked)


def test_depth_and_mask_follow_the_pipeline(converted):
    pipe, moved = tiny_pipe(converted, "spatia"), []

    class Follower:
        def to(self, device):
            moved.append(str(device))

    pipe.engine.depth_estimator = pipe.engine.mask = Follower()
    assert pipe.to("cpu") is pipe and pipe.to(torch.float32) is pipe and moved == ["cpu", "cpu"]
    profiles.apply(pipe, "resident", "cpu")
    assert len(moved) == 4


def test_the_page_says_which_profile_was_picked_and_for_what(pipe):
    from studio.handlers import models
    from studio.settings import Opened, Settings
    from studio.workbench import Workbench

    for free, words in ((30 * GIB, "picked for 32.2 GB of free"), (None, "set by who runs")):
        opened = Opened(pipe, "NVIDIA H100", "tiled", free)
        workbench = Workbench(Settings(model="team/tiny"), load=lambda opened=opened: opened)
        assert workbench.model.wait(10)
        told = models.about(workbench, "en")
        assert "NVIDIA H100" in told and words in told and "tile by tile" in told, told


def test_the_free_memory_chooses(converted, monkeypatch, capsys):
    costs = costs_of(converted, *SIZE, frames=None)
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (needed_bytes(PROFILES["resident"], costs), 0))
    monkeypatch.setattr(loading, "apply", lambda pipe, profile, device, _: asked.append((profile.name, device)))
    pipe = loading.load_pipeline(str(converted), size=SIZE)
    name, device = asked[0]
    assert needed_bytes(PROFILES[name], costs) <= needed_bytes(PROFILES["resident"], costs) and device == "cuda"
    assert pipe.vae.dtype == COMPUTE and f"profile {name}" in capsys.readouterr().err

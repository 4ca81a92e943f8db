"""Depth networks of others: by name, from the Hub, and brought from relative to depth."""

import hashlib
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fake_hub import COMMIT, REPO, FakeHub, run
from helpers import photo
from tiny_wan import BASE

from pipelines import depth as depth_package
from pipelines.depth import ESTIMATORS, DepthAnything, DepthEstimator, DepthNet, EmbeddedDepth, depth_estimator
from pipelines.depth import depth_anything as module
from pipelines.depth.depth_anything import at_photo_size, input_size, prepared, to_inverse_depth
from pipelines.weights.pins import DEPTH_CHECKPOINTS

HEIGHT, WIDTH = 72, 128


def tiny_model(kind="relative", max_depth=1):
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation

    backbone = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, image_size=28)
    backbone |= dict(model_type="dinov2", patch_size=14, out_features=["stage1", "stage2"], reshape_hidden_states=False)
    config = DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=16,
        reassemble_factors=[4, 2],
        neck_hidden_sizes=[8, 8],
        fusion_hidden_size=8,
        head_hidden_size=4,
        depth_estimation_type=kind,
        max_depth=max_depth,
    )
    torch.manual_seed(0)
    model = DepthAnythingForDepthEstimation(config).eval()
    with torch.no_grad():
        for weights in model.head.parameters():  # so that it has something to say
            weights.copy_(torch.rand(weights.shape))
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("depth")
    tiny_model().save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def small_input(monkeypatch):
    monkeypatch.setattr(module, "SIDE", 56)


def said(answer, kind="relative", max_depth=1.0, reference=None):
    """An estimator whose network gives this answer (h, w)."""
    config = SimpleNamespace(depth_estimation_type=kind, max_depth=max_depth, patch_size=14)
    answer = torch.as_tensor(answer).float()

    class Network(torch.nn.Module):
        device, dtype = torch.device("cpu"), torch.float32

        def forward(self, pixel_values):
            return SimpleNamespace(predicted_depth=answer[None])

    network = Network()
    network.config = config
    return DepthAnything(network, reference)


# ---- by name ----------------------------------------------------------------------------------------------------


def test_importing_the_package_brings_in_nothing_heavy():
    code = "import pipelines.depth, sys; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_estimators_have_names(monkeypatch):
    assert list(ESTIMATORS)[:4] == ["embedded", *DEPTH_CHECKPOINTS]
    assert isinstance(depth_estimator("embedded"), EmbeddedDepth)
    with pytest.raises(ValueError, match="'depth-everything' is unknown. Use one of embedded, depth-anything, "):
        depth_estimator("depth-everything")
    with pytest.raises(ValueError, match="'embedded' is registered already"):
        depth_package.register("embedded")(lambda: None)


def test_an_option_that_would_be_ignored_is_refused(tmp_path):
    DepthNet(widths=(8, 8, 8), convs=1, blocks=1, heads=1).save_pretrained(tmp_path)
    for name in ("embedded", tmp_path):
        with pytest.raises(ValueError, match=f"{name} takes no device. Leave it out."):
            depth_estimator(name, device="cuda")


def test_plug_ins_are_found_by_name(monkeypatch):
    monkeypatch.setattr(depth_package, "ESTIMATORS", dict(ESTIMATORS))

    @depth_package.register("mine")
    def mine(device="cpu", **options):
        return f"mine on {device}"

    assert depth_estimator("mine", device="cuda") == "mine on cuda"
    offered = SimpleNamespace(name="theirs", load=lambda: lambda **options: "theirs")
    asked = []
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: asked.append(group) or [offered])
    assert depth_estimator("theirs") == "theirs" and asked == ["mirage_studio.depth"]
    with pytest.raises(ValueError, match="mine, theirs, a folder or a Hub repository"):
        depth_estimator("nobody's")


def test_named_weights_have_a_fixed_revision(monkeypatch, folder):
    asked = []
    monkeypatch.setattr(module, "local_folder", lambda name, **options: asked.append((name, options)) or folder)
    for name, known in DEPTH_CHECKPOINTS.items():
        depth_estimator(name, local_files_only=True)
        assert asked.pop() == (known.repository, {"local_files_only": True, "revision": known.revision})
        assert len(known.revision) == 40
    DepthAnything.from_pretrained("depth-anything", revision="main")
    assert asked.pop()[1] == {"revision": "main"}


def test_a_folder_is_read_by_what_it_holds(folder, tmp_path):
    estimator = depth_estimator(folder)
    assert isinstance(estimator, DepthAnything) and isinstance(estimator, DepthEstimator)
    assert estimator.weights[0]["commercial_use"] == "unknown"
    DepthNet(widths=(8, 8, 8), convs=1, blocks=1, heads=1).save_pretrained(tmp_path / "own")
    assert isinstance(depth_estimator(tmp_path / "own"), EmbeddedDepth)
    (tmp_path / "config.json").write_text('{"model_type": "zoedepth"}')
    with pytest.raises(ValueError, match="is a zoedepth; this reads depth_anything"):
        depth_estimator(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(ValueError, match="holds no config.json"):
        depth_estimator(tmp_path)


def test_damaged_weights_are_refused_in_one_line(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    whole = (folder / "model.safetensors").read_bytes()
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    file = tmp_path / "model.safetensors"
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="cannot be read .*Fetch them again") as error:
        depth_estimator(tmp_path)
    assert "\n" not in str(error.value)
    tensors = load_file(folder / "model.safetensors")
    del tensors["head.conv2.weight"]  # transformers would make one up
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(ValueError, match="lack 1 tensors, among them head.conv2.weight"):
        depth_estimator(tmp_path)
    file.unlink()
    with pytest.raises(ValueError, match="cannot be read .*Fetch them again"):
        depth_estimator(tmp_path)


def test_a_repository_is_fetched_once_and_recorded(tmp_path):
    tiny_model("metric", 20).save_pretrained(tmp_path / "source")
    hub = FakeHub({file.name: file.read_bytes() for file in (tmp_path / "source").iterdir()})
    code = f"""
from pipelines.depth import depth_estimator
print(depth_estimator({REPO!r}).weights[0])"""
    try:
        told, errors = run(code, hub, tmp_path)
        digest = hub.hashes["model.safetensors"]
        card = {"name": REPO, "revision": COMMIT, "sha256": digest, "licence": "unknown", "commercial_use": "unknown"}
        assert told == str(card), errors
        assert "100%" in errors
    finally:
        hub.shutdown()
        hub.server_close()
    offline = f"""{code}
from pipelines.depth.depth_anything import is_cached
print(is_cached({REPO!r}, {COMMIT!r}), is_cached({REPO!r}, "main"), is_cached({REPO!r}, "3" * 40))
depth_estimator("depth-anything")"""
    again, errors = run(offline, hub, tmp_path, HF_HUB_OFFLINE="1")
    # A commit that is here is not asked for again: nothing waits for a network that is not there.
    assert again.splitlines() == [told, "True False False"]
    assert "depth-anything/Depth-Anything-V2-Small-hf is not complete on this machine" in errors
    assert errors.strip().endswith("Connect to fetch the rest.")


# ---- the network ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(288, 512), (512, 288), (1080, 1920), (50, 50)])
def test_pictures_are_prepared_as_the_network_was_trained(monkeypatch, size):
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

    monkeypatch.setattr(module, "SIDE", 518)
    processor = DPTImageProcessorPil(
        size={"height": 518, "width": 518},
        keep_aspect_ratio=True,
        ensure_multiple_of=14,
        image_mean=module.MEAN,
        image_std=module.STD,
    )
    image = photo(*size)
    theirs = processor(image, return_tensors="pt")["pixel_values"]
    ours = prepared(image)
    assert ours.shape == theirs.shape and ours.shape[2:] == input_size(*size)
    # They round to 1/255 after resizing, we do not; sharp edges ring a little differently in the last bit.
    assert (ours - theirs).abs().max() < 1.1 / 255 / min(module.STD)


def test_the_released_file_fits_transformers_network():
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation

    backbone = dict(model_type="dinov2", hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14)
    backbone |= dict(out_indices=[3, 6, 9, 12], reshape_hidden_states=False)
    config = DepthAnythingConfig(backbone_config=backbone, neck_hidden_sizes=[48, 96, 192, 384])
    with torch.device("meta"):
        model = DepthAnythingForDepthEstimation(config)
    header = 99_173_660 - 4 * sum(parameter.numel() for parameter in model.parameters())
    assert 0 < header < 40_000  # the size of Small's model.safetensors: all float32, and a header of names


def test_any_photo_gives_finite_depth_of_its_size(folder):
    estimator = depth_estimator(folder)
    for size in ((HEIGHT, WIDTH), (97, 61)):
        depth, valid = estimator(photo(*size), np.eye(3))
        assert depth.shape == valid.shape == size and depth.dtype == np.float32 and valid.all()
        assert np.isfinite(depth).all() and (depth > 0).all()
    assert np.array_equal(depth, estimator(photo(*size))[0])
    with pytest.raises(ValueError, match="The picture is float64"):
        estimator(photo(*size) / 255)


def test_metres_stay_metres():
    truth = np.linspace(2.0, 6.0, 56)[:, None] * np.ones(98)
    depth, valid = said(truth, "metric", 20.0)(photo(112, 196))
    assert valid.all() and np.abs(depth[1::2, 1::2] / truth - 1).max() < 0.02
    assert said(truth, "metric").reference is None


# ---- from relative to depth -------------------------------------------------------------------------------------


def room(height=56, width=98):
    """z-depth of a floor, a wall and a box: (h, w)."""
    rows = torch.arange(height)[:, None] + 0.5
    depth = (height / (rows - height / 3).clamp(min=1)).clamp(max=6.0).expand(height, width).clone()
    depth[height // 3 : height // 2, width // 2 : width * 3 // 4] = 2.0
    return depth


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (7.0, 0.0), (0.5, -0.08), (30.0, 2.0)])
def test_scale_and_shift_of_the_answer_do_not_matter(scale, shift):
    truth = room()
    relative = (scale * truth.reciprocal() + shift).clamp(min=0)
    inverse = to_inverse_depth(relative, truth, torch.zeros(truth.shape, dtype=torch.bool))
    expected = truth.reciprocal() / truth.reciprocal().median()
    torch.testing.assert_close(inverse, expected, rtol=1e-3, atol=1e-4)


def test_shapes_are_the_networks_and_the_range_is_the_references():
    """The reference misses the box and wavers everywhere; it still tells how far the wall is."""
    truth = room()
    reference = room()
    reference[18:28, 49:73] = 6.0
    reference *= 1 + 0.15 * torch.sin(torch.arange(98) / 3)
    inverse = to_inverse_depth(truth.reciprocal() - 0.15, reference, torch.zeros(truth.shape, dtype=torch.bool))
    ratio = inverse * truth / (inverse * truth).median()
    assert (ratio - 1).abs().max() < 0.25 and (ratio[18:28, 49:73] - 1).abs().max() < 0.1
    unaided = (truth.reciprocal() - 0.15) * truth
    assert (unaided / unaided.median() - 1).abs().max() > 0.5


def test_sky_is_cut_by_the_network_where_the_reference_sees_one():
    truth = room()
    relative = truth.reciprocal()
    relative[:14], relative[30:34, :4] = 0.0, 0.0  # a sky, and a far corner in the floor
    reference, sky = truth.clone(), torch.zeros(truth.shape, dtype=torch.bool)
    sky[:17] = True  # too large by three rows
    inverse = to_inverse_depth(relative, reference, sky)
    assert (inverse[:14] < inverse[14:].min() + 1e-6).all() and len(inverse[:14].unique()) == 1
    assert (inverse[14:17] > 1.2 * inverse[0, 0]).all()
    nowhere = to_inverse_depth(relative, reference, torch.zeros_like(sky))
    assert torch.isfinite(nowhere.reciprocal()).all()


@pytest.mark.parametrize("level", [0.0, 3.0])
def test_an_answer_that_says_nothing_leaves_the_reference(level):
    reference = room()
    inverse = to_inverse_depth(torch.full((28, 49), level), reference, torch.zeros(reference.shape, dtype=torch.bool))
    assert inverse.shape == (28, 49) and torch.equal(inverse.unique(), reference[1::2, 1::2].reciprocal().unique())


def test_no_pixel_floats_between_two_surfaces():
    image = np.full((160, 240, 3), 60, np.uint8)
    image[:, 101:] = 190
    inverse = torch.full((40, 60), 0.25)
    inverse[:, 25:] = 1.0  # the network's edge, 1 pixel of the photo beside the photo's
    enlarged = at_photo_size(inverse, image)
    assert ((enlarged > 0.3) & (enlarged < 0.9)).float().mean() < 0.002
    assert (enlarged[:, :100] < 0.3).all() and (enlarged[:, 102:] > 0.9).all()


def test_relative_depth_has_median_one():
    truth = room()
    reference = lambda image: (room(72, 126).numpy(), np.zeros((72, 126), bool))  # noqa: E731
    depth, _ = said(truth.reciprocal() + 0.3, reference=reference)(photo(72, 126))
    assert abs(np.median(depth) - 1) < 0.02
    assert abs(depth[8, 30] / depth[-1, 30] / (6.0 / room(72, 126)[-1, 30].item()) - 1) < 0.05


# ---- in the pipeline --------------------------------------------------------------------------------------------


def test_the_pipeline_takes_an_estimator_by_name(folder):
    from pipelines import MiragePipeline
    from pipelines.weights.licences import licence_card
    from pipelines.weights.shipped import EMBEDDED_FOLDER

    pipe = MiragePipeline.embedded(depth=str(folder))
    assert isinstance(pipe.engine.depth_estimator, DepthAnything)
    lifted = pipe.lift(photo(HEIGHT, WIDTH), HEIGHT, WIDTH)
    assert lifted.depth.shape == (HEIGHT, WIDTH) and lifted.distance > 0
    with pytest.raises(ValueError, match="'depth-nothing' is unknown"):
        MiragePipeline.embedded(depth="depth-nothing")

    own = MiragePipeline.embedded()
    assert [(part["name"], part["licence"]) for part in licence_card(own.engine)] == [
        ("embedded/autoencoder", "Apache-2.0"),
        ("embedded/depth", "Apache-2.0"),
    ]
    (file,) = (EMBEDDED_FOLDER / "autoencoder").glob("*.safetensors")
    assert licence_card(own.engine)[0]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [part["commercial_use"] for part in licence_card(pipe.engine)] == [
        "yes",
        "unknown",
    ]  # the folder tells no licence


def test_the_recipe_tells_all_weights(folder):
    from pipelines import MiragePipeline, move
    from pipelines.weights.licences import licence_card

    pipe = MiragePipeline.embedded(depth=str(folder))
    trajectory = move("push-in", pipe.lift(photo(HEIGHT, WIDTH), HEIGHT, WIDTH).camera, distance=1.0, frames=5)
    recipe = pipe.recipe(None, trajectory, 0, "standard")
    assert recipe["weights"] + recipe["depth"] == licence_card(pipe.engine)
    pipe.engine.mask = SimpleNamespace(weights=({"name": "a mask"},))
    recipe = pipe.recipe(None, trajectory, 0, "standard")
    assert recipe["weights"] + recipe["depth"] + recipe["mask"] == licence_card(pipe.engine)


def test_the_command_line_names_estimators_and_licences(tmp_path, capsys, monkeypatch):
    from PIL import Image

    from pipelines import __main__ as cli
    from pipelines.commands import render as render_command

    Image.fromarray(photo(HEIGHT, WIDTH)).save(tmp_path / "photo.png")
    monkeypatch.setattr(render_command, "load_pipeline", lambda *_, **__: pytest.fail("the model was loaded first"))
    render = ["render", str(tmp_path / "photo.png"), "--out", str(tmp_path / "a.mp4"), "--size", f"{HEIGHT}x{WIDTH}"]
    render.append("--depth-model")
    assert cli.main([*render, "nobodys"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: depth estimator 'nobodys' is unknown.") and error.count("\n") == 1
    assert cli.main(["info", "--licences", "embedded", "--depth-model", "depth-anything-metric-indoor"]) == 0
    told = capsys.readouterr()
    card = json.loads(told.out)["weights"]
    assert [part["commercial_use"] for part in card] == ["yes", "unknown"]
    assert card[1]["revision"] in told.err and "Metric-Indoor" in told.err and card[0]["sha256"] in told.err
    assert cli.main(["info", "--licences", str(tmp_path)]) == 2
    assert "holds no model_index.json" in capsys.readouterr().err


def test_a_converted_folder_tells_its_licences(converted):
    from pipelines.weights.licences import card_of, engine_weights

    names = [part["name"] for part in card_of(str(converted))]
    assert names[0] == BASE and names[1:] == ["vace.safetensors", "lora.safetensors", "embedded/depth"]
    stock = converted.parent / "base"
    assert engine_weights(stock) == ({"name": "base", "licence": "unknown", "commercial_use": "unknown"},)
    assert engine_weights(converted.parent / BASE)[0]["licence"] == "Apache-2.0"
    assert engine_weights(stock, "Wan-AI/Wan2.2-TI2V-5B-Diffusers")[0]["licence"] == "Apache-2.0"

"""Masks: what stands still and has a surface is kept, what does not is left out of the memory."""

import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import photo
from safetensors.torch import load_file, save_file

from pipelines.cameras import Camera
from pipelines.masks import Expected, Mask, OneFormerMask, StaticMask, whole_cells
from pipelines.masks import oneformer as module
from pipelines.masks.oneformer import LEFT_OUT, class_scores, classes_named, keep_without, prepared
from pipelines.masks.static import has_moved, is_sky, is_stray
from pipelines.memory import LatentMemory

HEIGHT, WIDTH = 144, 256


def test_importing_the_package_brings_in_nothing_heavy():
    code = "import pipelines.masks, sys; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_token_is_kept_where_all_of_its_pixels_are():
    keep = np.ones((8, 12), bool)
    keep[5, 7] = False
    cells = whole_cells(keep, 2, 3)
    assert cells.tolist() == [[True, True, True], [True, False, True]]
    with pytest.raises(ValueError, match="keep 8x12 must be a whole multiple of the token grid 3x3"):
        whole_cells(keep, 3, 3)


# ---- depth and colour -------------------------------------------------------------------------------------------


def test_specks_are_strays_and_lines_and_edges_are_not():
    depth = np.full((40, 60), 5.0, np.float32)
    depth[:, 30:] = 2.0  # an edge
    depth[:, 10] = 1.0  # a thin line
    good = depth.copy()
    depth[20, 40], depth[25:27, 50:52], depth[5, 5], depth[6, 20] = 9.0, 0.5, np.nan, 0.0
    assert not is_stray(good).any()
    stray = is_stray(depth)
    assert stray.sum() == 1 + 4 + 1 + 1 and stray[20, 40] and stray[25:27, 50:52].all() and stray[5, 5] and stray[6, 20]


def outdoors():
    """A street below a blue sky, a blue wall and a blue pond: only the first is sky."""
    rows = np.arange(HEIGHT)[:, None]
    image = photo(HEIGHT, WIDTH) // 2
    sky = np.broadcast_to(rows < 50, (HEIGHT, WIDTH)).copy()
    sky[:, :40] = False
    depth = np.where(sky, 60.0, 6.0 - 4.0 * rows / HEIGHT).astype(np.float32)
    blue = np.array([120, 160, 230], np.uint8)
    image[sky] = blue
    image[:50, :40] = blue  # a wall beside the sky, as blue, but near
    image[120:136, 100:200], depth[120:136, 100:200] = blue, 60.0  # the pond: far, but not above
    return image, depth, sky


@pytest.mark.parametrize("far", [60.0, np.inf])
def test_sky_is_far_even_and_above(far):
    image, depth, sky = outdoors()
    depth[depth == 60.0] = far
    found = is_sky(image, depth)
    assert not (found & ~sky).any() and found[sky].mean() > 0.95
    assert not is_sky(photo(HEIGHT, WIDTH), np.full((HEIGHT, WIDTH), 3.0)).any()
    tiled = (np.indices((HEIGHT, WIDTH)) // 3).sum(axis=0) % 2 == 0
    image[sky & tiled] = 230, 240, 255  # as far, as blue and above, but not even: a facade of glass
    assert not is_sky(image, depth).any()


# ---- motion -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def walk():
    """A memory of one view of a wall; and after a step aside the camera, what is expected, the truth, its depth."""
    K = np.array([[200.0, 0, WIDTH / 2], [0, 200.0, HEIGHT / 2], [0, 0, 1]])
    aside = np.eye(4)
    aside[0, 3] = 0.8
    before, after = Camera(K, np.eye(4), HEIGHT, WIDTH), Camera(K, aside, HEIGHT, WIDTH)
    depth = np.full((HEIGHT, WIDTH), 4.0, np.float32)
    wall = photo(HEIGHT, 2 * WIDTH)
    memory = LatentMemory(3, interpolates=True)
    memory.write(torch.from_numpy(wall[:, :WIDTH].copy()).permute(2, 0, 1) / 255, depth, before)
    readout = memory.readout(after, HEIGHT, WIDTH)
    shown = (readout.latents[0].permute(1, 2, 0) * 255).round().byte().numpy()
    shift = round(0.8 * 200 / 4.0)  # pixels: the wall is flat, so the view moves along it
    return memory, after, Expected(shown, readout.depth[0].numpy()), wall[:, shift : shift + WIDTH], depth


def generated(truth, seed=0):
    """As a model would make it: a little brighter, a pixel off, noisy."""
    noise = np.random.default_rng(seed).normal(0, 3, truth.shape)
    return (np.roll(truth, 1, axis=1) * 1.08 + noise).clip(0, 255).astype(np.uint8)


def with_visitor(image, depth):
    """Somebody in red comes in at the border of what the memory knows, in front of the wall."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    visitor = (columns > 194) & (rows > 40)
    return np.where(visitor[..., None], np.uint8([190, 20, 40]), image), np.where(visitor, 2.4, depth), visitor


def test_nothing_moves_where_only_exposure_noise_and_a_pixel_differ(walk):
    _, _, expected, truth, depth = walk
    known = expected.depth > 0
    assert 0.7 < known.mean() < 0.95  # the step opens something new
    assert not has_moved(generated(truth), expected, depth).any()
    assert not has_moved(generated(truth), expected, 1.3 * depth).any()  # depth alone is no motion


def test_what_comes_in_is_found_and_followed_into_the_unknown(walk):
    _, _, expected, truth, depth = walk
    image, new_depth, visitor = with_visitor(generated(truth), depth)
    known = expected.depth > 0
    moved = has_moved(image, expected, new_depth)
    assert (visitor & known).any() and moved[visitor & known].mean() > 0.97
    assert (visitor & ~known).any() and moved[visitor & ~known].mean() > 0.9
    assert (moved & ~visitor).mean() < 0.03
    assert has_moved(image, expected)[visitor & known].mean() > 0.97  # from colour alone
    new_depth[:, :20], far_away = 2.4, expected.depth.copy()
    far_away[:, :20] = 0  # as near as the visitor and unknown too, but on the other side of the picture
    assert not has_moved(image, Expected(expected.image, far_away), new_depth)[:, :20].any()
    nowhere = Expected(expected.image, np.zeros_like(expected.depth))
    assert not has_moved(image, nowhere, new_depth).any()


def test_the_memory_learns_the_wall_and_not_the_visitor(walk):
    memory, camera, expected, truth, depth = walk
    image, new_depth, visitor = with_visitor(generated(truth), depth)
    keep = StaticMask()(image, new_depth, expected)
    tokens = torch.from_numpy(image).permute(2, 0, 1) / 255
    in_front = {}
    for name, valid in (("all", None), ("masked", keep)):
        learnt = memory.copy()
        assert learnt.write(tokens, new_depth, camera, valid).new > 0
        after = learnt.readout(camera, HEIGHT, WIDTH)
        assert after.mask.float().mean() > (expected.depth > 0).mean()
        in_front[name] = float(((after.depth[0] > 0) & (after.depth[0] < 3.5)).float().mean()) / visitor.mean()
    assert in_front["all"] > 0.2 and in_front["masked"] < 0.05


def test_the_default_mask_works_with_what_it_is_given():
    image, depth, sky = outdoors()
    assert isinstance(StaticMask(), Mask)
    assert StaticMask()(image).all()
    assert not StaticMask()(image, depth)[sky].mean() > 0.05
    assert StaticMask(sky=False)(image, depth)[sky].all()
    with pytest.raises(ValueError, match=r"The picture is float32 .* Give an \(H, W, 3\) uint8"):
        StaticMask()(image.astype(np.float32))
    with pytest.raises(ValueError, match=r"expected.depth \(2, 2\) must be of the size of the image"):
        StaticMask()(image, depth, Expected(image, np.ones((2, 2))))


# ---- OneFormer --------------------------------------------------------------------------------------------------

# As the checkpoint spells them, stray blank and all.
ADE20K = (
    "wall|building|sky|floor|tree|ceiling|road, route|bed|window |grass|cabinet|sidewalk, pavement|person|car|bus|"
    "truck|van|plane|boat|ship|minibike, motorbike|bicycle|animal|conveyer belt, conveyor belt|painting, picture|vase"
).split("|")


def test_labels_are_found_by_any_of_their_names():
    id2label = dict(enumerate(ADE20K))
    left_out = {id2label[i] for i in classes_named(LEFT_OUT, id2label)}
    assert left_out == {
        "person", "car", "bus", "truck", "van", "plane", "boat", "ship", "minibike, motorbike", "bicycle", "animal",
        "sky",
    }  # fmt: skip
    assert classes_named(("window", "motorbike"), id2label) == [8, 20]
    with pytest.raises(ValueError, match=r"no class ghost; it knows animal, .*Give an ADE20K checkpoint"):
        classes_named(("sky", "ghost"), id2label)


def test_the_likeliest_class_decides_and_outlines_get_a_margin():
    person, wall = ADE20K.index("person"), ADE20K.index("wall")
    class_logits = torch.full((2, len(ADE20K) + 1), -10.0)
    class_logits[0, person], class_logits[1, wall] = 10.0, 10.0
    mask_logits = torch.full((2, 32, 64), -10.0)
    mask_logits[0, 8:24, 16:32], mask_logits[1] = 10.0, 0.0
    scores = class_scores(class_logits, mask_logits)
    keep = keep_without([person], scores, 128, 256)
    inside = np.zeros((128, 256), bool)
    inside[32:96, 64:128] = True
    assert not keep[inside].any() and 1.0 < (~keep).sum() / inside.sum() < 1.2
    assert keep_without([ADE20K.index("sky")], scores, 128, 256).all()


@pytest.mark.parametrize("size", [(90, 131), (131, 90), (40, 300)])
def test_pictures_are_prepared_and_classes_chosen_as_transformers_does(size):
    from transformers.models.oneformer.image_processing_pil_oneformer import OneFormerImageProcessorPil

    processor = OneFormerImageProcessorPil(size={"shortest_edge": 512, "longest_edge": 2048})
    picture = photo(*size)
    theirs = processor.preprocess(picture, task_inputs=["semantic"], return_tensors="pt")["pixel_values"]
    ours = prepared(picture)
    # Theirs rounds to 8 bits after each axis: at most a grey level, over the smallest standard deviation.
    assert ours.shape == theirs.shape and (ours - theirs).abs().max() < 1.05 / 255 / 0.224

    class_logits, mask_logits = 3 * torch.randn(1, 10, len(ADE20K) + 1), 5 * torch.randn(1, 10, 12, 20)
    output = SimpleNamespace(class_queries_logits=class_logits, masks_queries_logits=mask_logits)
    labels = processor.post_process_semantic_segmentation(output)[0]
    classes = labels.unique()[::2]
    found = torch.isin(labels, classes).numpy()
    keep = keep_without(classes.tolist(), class_scores(class_logits[0], mask_logits[0]), 12, 20)
    grown = torch.nn.functional.max_pool2d(torch.from_numpy(found)[None].float(), 3, 1, 1)[0].numpy() > 0
    assert 0 < found.mean() < 1 and np.array_equal(~keep, grown)  # a margin of one cell at this size


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A folder as on the Hub, with a tiny random model: weights named as those of the whole model."""
    from transformers import CLIPTokenizer, OneFormerConfig, OneFormerModel, SwinConfig

    folder = tmp_path_factory.mktemp("oneformer")
    swin = SwinConfig(
        embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4, image_size=64,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = OneFormerConfig(
        backbone_config=swin, num_queries=10, conv_dim=32, mask_dim=32, hidden_dim=32, encoder_feedforward_dim=16,
        dim_feedforward=16, encoder_layers=1, decoder_layers=2, num_attention_heads=2, query_dec_layers=1,
        id2label=dict(enumerate(ADE20K)), architectures=["OneFormerForUniversalSegmentation"],
    )  # fmt: skip
    torch.manual_seed(0)
    model = OneFormerModel(config).eval()
    config.save_pretrained(folder)
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    weights["criterion.empty_weight"] = torch.ones(len(ADE20K) + 1)
    save_file({name: value.contiguous().clone() for name, value in weights.items()}, folder / "model.safetensors")
    letters = sorted(set("the task is semantic") - {" "})
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(letter + "</w>" for letter in letters)]
    CLIPTokenizer({word: i for i, word in enumerate(words)}, []).save_pretrained(folder)
    return folder, model


def test_a_checkpoint_folder_loads_and_masks_a_picture(checkpoint):
    folder, model = checkpoint
    mask = OneFormerMask.from_pretrained(folder)
    assert isinstance(mask, Mask)
    loaded = mask.model.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in model.state_dict().items())
    # Start (id 0 here), 17 letters, end; what pads is 0.
    assert mask.task.shape == (1, 77) and (mask.task[0, 1:19] > 0).all() and (mask.task[0, 19:] == 0).all()
    picture = photo(64, 96)
    keep = mask(picture)
    assert keep.shape == (64, 96) and keep.dtype == bool and np.array_equal(keep, mask(picture))
    # Leaving out all classes but the last leaves nothing, the last alone everything: the answer is from the classes.
    names = tuple(label.split(",")[0].strip() for label in ADE20K)
    assert not OneFormerMask.from_pretrained(folder, leave_out=names[:-1])(picture).any()
    assert OneFormerMask.from_pretrained(folder, leave_out=names[-1:])(picture).all()


def test_weights_that_may_run_code_or_lack_something_are_refused(checkpoint, tmp_path):
    folder, _ = checkpoint
    copy = shutil.copytree(folder, tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    del weights["model.transformer_module.queries_embedder.weight"]
    save_file(weights, copy / "model.safetensors")
    with pytest.raises(ValueError, match="1 missing: .*queries_embedder.weight. Fetch or convert them again"):
        OneFormerMask.from_pretrained(copy)
    (copy / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(ValueError, match="cannot be read"):
        OneFormerMask.from_pretrained(copy)
    (copy / "model.safetensors").unlink()
    torch.save(weights, copy / "pytorch_model.bin")
    with pytest.raises(ValueError, match="is no safetensors file, index or folder"):
        OneFormerMask.from_pretrained(copy)


def test_the_named_checkpoint_is_one_commit(checkpoint, tmp_path, monkeypatch):
    folder, _ = checkpoint
    asked, snapshots = [], []
    monkeypatch.setattr(module, "local_folder", lambda name, **options: asked.append((name, options)) or snapshots[-1])
    for commit in (module.COMMIT + "0" * 33, "f" * 40):
        snapshots.append(shutil.copytree(folder, tmp_path / commit))
    with pytest.raises(ValueError, match="has changed to f"):
        OneFormerMask.from_pretrained()
    snapshots.pop()
    mask = OneFormerMask.from_pretrained()
    assert isinstance(mask, Mask) and OneFormerMask.from_pretrained(folder).weights[0]["licence"] == "unknown"
    (entry,) = mask.weights  # as the licence card and the recipe show it
    assert (entry["revision"], entry["licence"]) == (snapshots[0].name, "MIT")
    asked.pop()
    assert asked == [(module.REPOSITORY, {"revision": module.REVISION})] * 2


def test_without_network_and_weights_a_sentence_says_what_to_do(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    words = r"nobody/nothing is not complete on this machine.*Connect.*StaticMask needs no"
    with pytest.raises(ValueError, match=words):
        OneFormerMask.from_pretrained("nobody/nothing")

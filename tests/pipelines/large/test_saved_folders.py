"""Folders that were saved before the code moved still open: their model_index.json names classes by where they were."""

import json
import shutil

import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file, save_file

from pipelines import MiragePipeline
from pipelines.errors import Refused
from pipelines.large.families import LORA_FILE, LORA_FOLDER
from pipelines.large.lora_files import PEFT
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.weights.shipped import EMBEDDED_FOLDER

READ = r"A file in .* cannot be read \(.+\)\. Fetch or convert it again\."
NOW, BEFORE = "pipelines.large.transformer", "pipelines.transformer"


def classes_of(folder):
    """What a model_index.json names: part -> [library, class]."""
    index = json.loads((folder / "model_index.json").read_text())
    return {part: named for part, named in index.items() if isinstance(named, list) and named[0]}


@pytest.mark.parametrize("library", [NOW, BEFORE])
def test_a_large_folder_opens_under_either_name(converted, tmp_path, library):
    folder = shutil.copytree(converted, tmp_path / "copied")
    index = json.loads((folder / "model_index.json").read_text())
    index["transformer"][0] = library
    (folder / "model_index.json").write_text(json.dumps(index))
    pipe = MiragePipeline.from_pretrained(folder)
    assert type(pipe.transformer) is MirageTransformer3DModel
    expected = MiragePipeline.from_pretrained(converted).transformer.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in pipe.transformer.state_dict().items())

    pipe.save_pretrained(tmp_path / "saved")
    assert classes_of(tmp_path / "saved")["transformer"] == [NOW, "MirageTransformer3DModel"]


def with_json(file, **changes):
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def with_settings(folder, text):
    """The LoRA's settings, in the header of its file."""
    file = folder / LORA_FOLDER / LORA_FILE
    tensors = load_file(file)
    file.unlink()  # it may be a second name of the base's
    save_file(tensors, file, metadata={PEFT: text})


DAMAGES = {
    "no config": (lambda folder: (folder / "vae" / "config.json").unlink(), r"vae.config.json cannot be read"),
    "half a config": (lambda folder: (folder / "vae" / "config.json").write_text("{"), r"vae.config.json cannot be"),
    "no config of text": (lambda folder: (folder / "text_encoder" / "config.json").write_text("7"), "no JSON object"),
    "a config of nonsense": (lambda folder: with_json(folder / "transformer" / "config.json", num_layers="x"), READ),
    "half a scheduler": (
        lambda folder: (folder / "scheduler" / "scheduler_config.json").write_text("{"),
        r"scheduler_config.json cannot be read",
    ),
    "nowhere": (lambda folder: with_json(folder / "model_index.json", vae=["pipelines.nowhere", "X"]), READ),
    "nobody": (lambda folder: with_json(folder / "model_index.json", vae=["diffusers", "Nobody"]), READ),
    "no class": (lambda folder: with_json(folder / "model_index.json", vae=["diffusers", "__version__"]), READ),
    "no name": (lambda folder: with_json(folder / "model_index.json", vae=["diffusers", 3]), READ),
    "half of LoRA settings": (lambda folder: with_settings(folder, "{broken"), "does not tell its rank and alpha"),
    "LoRA without ranks": (
        lambda folder: with_settings(folder, '{"r": 4, "lora_alpha": 4, "target_modules": ["blocks.1.attn1.to_q"]}'),
        "does not tell its rank and alpha",
    ),
    "LoRA settings of numbers": (lambda folder: with_settings(folder, "[1, 2]"), "does not tell its rank and alpha"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_refused_before_any_weights_are_read(converted, tmp_path, monkeypatch, damage):
    folder = shutil.copytree(converted, tmp_path / "copied")
    break_it, words = DAMAGES[damage]
    break_it(folder)
    monkeypatch.setattr(DiffusionPipeline, "from_pretrained", None)
    with pytest.raises(Refused, match=words):
        MiragePipeline.from_pretrained(folder)


def test_what_is_written_today_names_classes_by_where_they_are(converted, tmp_path):
    assert classes_of(converted)["transformer"] == [NOW, "MirageTransformer3DModel"]
    MiragePipeline.embedded().save_pretrained(tmp_path)
    expected = {
        "autoencoder": ["pipelines.engines.autoencoder", "FineAutoencoder"],
        "depth": ["pipelines.depth.embedded", "DepthNet"],
    }
    assert classes_of(EMBEDDED_FOLDER) == classes_of(tmp_path) == expected  # the shipped folder is of the first days
    again = MiragePipeline.from_pretrained(tmp_path)
    assert again.engine.facts.codec == MiragePipeline.embedded().engine.facts.codec

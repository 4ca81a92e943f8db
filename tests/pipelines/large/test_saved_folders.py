"""Folders that were saved before the code moved still open: their model_index.json names classes by where they were."""

import json
import shutil

import pytest
import torch

from pipelines import MiragePipeline
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.weights.shipped import EMBEDDED_FOLDER

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

"""What the depth trainer stands on: the backbone's published weights, and the views that it holds. No downloads."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pipelines.depth.backbone import EPSILON, LEVELS, EfficientNetLite0
from pipelines.training.depth_views import Shards


def published(backbone: EfficientNetLite0) -> dict[str, torch.Tensor]:
    """Random weights and batch norms, under the published names, of the size of `backbone`."""
    weights = {}

    def add(convolution, conv, norm):
        outputs = len(convolution.weight)
        weights[f"{conv}.weight"] = torch.randn_like(convolution.weight) * convolution.weight[0].numel() ** -0.5
        for name in ("weight", "bias", "running_mean", "running_var"):
            weights[f"{norm}.{name}"] = torch.rand(outputs) + 0.5

    add(backbone.stem, "_conv_stem", "_bn0")
    for i, block in enumerate(block for stage in backbone.stages for block in stage):
        parts = [part for part in (block.expand, block.depthwise, block.project) if part is not None]
        names = ["_expand_conv", "_depthwise_conv", "_project_conv"][-len(parts) :]
        for number, (part, conv) in enumerate(zip(parts, names, strict=True), 3 - len(parts)):
            add(part, f"_blocks.{i}.{conv}", f"_blocks.{i}._bn{number}")
    return weights


def test_folded_batch_norms_give_what_the_published_network_does():
    backbone = EfficientNetLite0().eval()
    weights = published(backbone)
    backbone.load_published(weights)
    image = torch.rand(1, 3, 64, 96)

    def same(x, name, norm, stride=1, groups=1):
        """Convolution as TensorFlow pads it, then the batch norm."""
        weight = weights[f"{name}.weight"]
        total = max(weight.shape[-1] - stride, 0)
        x = F.pad(x, (total // 2, total - total // 2) * 2)
        x = F.conv2d(x, weight, stride=stride, groups=groups)
        mean, var, gain, bias = (weights[f"{norm}.{n}"] for n in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, mean, var, gain, bias, eps=EPSILON)

    x = F.relu6(same((image * 255 - 127) / 128, "_conv_stem", "_bn0", stride=2))
    x = F.relu6(same(x, "_blocks.0._depthwise_conv", "_blocks.0._bn1", groups=32))
    x = same(x, "_blocks.0._project_conv", "_blocks.0._bn2")
    for i, stride in ((1, 2), (2, 1)):  # the second stage, whose map is the first that is given
        hidden = F.relu6(same(x, f"_blocks.{i}._expand_conv", f"_blocks.{i}._bn0"))
        groups = hidden.shape[1]
        hidden = F.relu6(same(hidden, f"_blocks.{i}._depthwise_conv", f"_blocks.{i}._bn1", stride, groups))
        hidden = same(hidden, f"_blocks.{i}._project_conv", f"_blocks.{i}._bn2")
        x = hidden if stride > 1 else x + hidden
    with torch.inference_mode():
        maps = backbone(image)
    torch.testing.assert_close(maps[0], x, rtol=1e-4, atol=1e-4)
    assert [m.shape[1:] for m in maps] == [
        (channels, 64 // s, 96 // s) for channels, s in zip(LEVELS.values(), (4, 8, 16, 32), strict=True)
    ]


@pytest.fixture
def shards(tmp_path):
    for number in range(6):  # four scenes of two views; every other one of a held-out family
        marks = np.full((4, 2, 3, 2, 2), number, np.uint8)
        arrays = {"depth": np.ones((4, 2, 2, 2), np.float16), "K": np.ones((4, 2, 3, 3))}
        np.savez(tmp_path / f"shard_{number}.npz", rgb=marks, family=["room", "gallery"] * 2, **arrays)
    return tmp_path


def test_a_pool_of_views_stays_within_its_limit_and_changes(shards):
    pool = Shards([shards], frozenset({"gallery"}), limit=12)
    assert pool.rescan() == 12
    seen = set()
    for _ in range(6):
        held = {int(rgb[0, 0, 0, 0]) for rgb, _, _ in pool.scenes}
        assert len(held) == 3 and len(pool.scenes) == 6
        seen |= held
        assert pool.rescan(at_most=1) == 12
    assert seen == set(range(6))


def test_a_half_written_shard_is_read_when_it_is_whole(shards):
    whole = (shards / "shard_0.npz").read_bytes()
    (shards / "shard_0.npz").write_bytes(whole[:100])
    pool = Shards([shards])
    assert pool.rescan() == 5 * 8
    (shards / "shard_0.npz").write_bytes(whole)
    assert pool.rescan(at_most=2) == 6 * 8

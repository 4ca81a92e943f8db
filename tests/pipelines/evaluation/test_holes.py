"""The plain fills that the exemplar search is compared with."""

import torch

from pipelines.evaluation.holes import mirror_fill


def test_a_mirror_fill_shows_the_picture_reflected_at_its_rim_and_keeps_what_is_known():
    features = torch.randn(3, 40, 64)
    known = torch.ones(40, 64, dtype=torch.bool)
    known[:, 51:] = False
    mirrored = mirror_fill(features, known)
    assert torch.equal(mirrored[:, :, 51], features[:, :, 49])
    assert torch.equal(mirrored[:, known], features[:, known])

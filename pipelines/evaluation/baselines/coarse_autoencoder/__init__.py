"""The coarse autoencoder: its class (network.py), its weights beside it, and their card (README.md)."""

from pathlib import Path

from pipelines.evaluation.baselines.coarse_autoencoder.network import COARSE_STRIDE, CoarseAutoencoder
from pipelines.weights.shipped import EMBEDDED_FOLDER

__all__ = ["COARSE_STRIDE", "CoarseAutoencoder", "coarse_folder"]


def coarse_folder(model: Path) -> Path:
    """The folder of the coarse autoencoder that was trained on the fine tokens of a model's folder; it may not exist.

    For the embedded model it is this one, for others (a run of the trainer, for example) their own coarse_autoencoder/.
    """
    if model.resolve() == EMBEDDED_FOLDER.resolve():
        return Path(__file__).parent
    return model / "coarse_autoencoder"

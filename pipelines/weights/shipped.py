"""The weights that ship with the project. No torch."""

from pathlib import Path

EMBEDDED_FOLDER = Path(__file__).resolve().parents[1] / "embedded"  # the embedded model, in the diffusers layout

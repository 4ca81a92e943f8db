"""conversion.json: what a converted folder was made of, written beside its weights. No torch."""

from pathlib import Path
from typing import Any

from pipelines.files import read_json

CONVERSION = "conversion.json"


def read_conversion(folder: Path) -> dict[str, Any]:
    """The record of a folder, with "weights" (see licences.py) and, where `convert` wrote it, "lora", "gguf" and more.

    {} for a folder without one. Raises ValueError for a damaged one.
    """
    record = folder / CONVERSION
    return read_json(record) if record.is_file() else {}

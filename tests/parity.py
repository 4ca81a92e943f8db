"""The files in tests/fixtures, parted into what they hold."""

import json
from functools import cache
from pathlib import Path

from safetensors import safe_open

FIXTURES = Path(__file__).parent / "fixtures"


@cache
def fixture(name):
    """Tensors of a fixture by kind ("dit", "vace", "lora", "in", "out", "denoise"), and its configuration."""
    parts = {}
    with safe_open(FIXTURES / f"{name}_layout_tiny.safetensors", "pt") as file:
        for key in file.keys():
            kind, rest = key.split(".", 1)
            parts.setdefault(kind, {})[rest] = file.get_tensor(key)
        config = json.loads(file.metadata()["config"])
    if "lora" in parts:  # the LoRA is part of the weights as stored
        parts["dit"] = dict(parts["dit"])
        for key, down in parts["lora"].items():
            if key.endswith("lora_A.weight"):
                up = parts["lora"][key.replace("lora_A", "lora_B")]
                name = key.removeprefix("pipe.dit.").replace("lora_A.weight", "weight")
                parts["dit"][name] = parts["dit"][name] - up @ down
    return parts, config

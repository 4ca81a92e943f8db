"""What a large model is made of, read from its configurations: no weights are read, nor need they be there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from diffusers import AutoencoderKLWan

from pipelines.errors import Refused
from pipelines.large.families import (
    DEFAULT_LAYOUT,
    LORA_FILE,
    LORA_FOLDER,
    WAN_TEXT_ENCODER,
    WAN_VAE,
    Layout,
    layout_named,
    spread_evenly,
)
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.weights.conversion import read_conversion
from pipelines.weights.gguf_kinds import kind_of
from pipelines.weights.hub import read_index


@dataclass(frozen=True)
class Model:
    """What a large model is made of: layout, configurations of its parts, bytes of its LoRA, storage of its weights."""

    layout: Layout
    transformer: dict[str, Any]
    vae: dict[str, Any]
    text_encoder: Any  # of transformers
    lora: int | None = None
    kept: str = "bfloat16"


def released(layout: Layout) -> Model:
    """A family's weights as they are released, at full size."""
    transformer = {"vace_layers": spread_evenly(layout.control_blocks, 30)}
    return Model(
        layout, transformer, WAN_VAE, transformers.UMT5Config(**WAN_TEXT_ENCODER, architectures=["UMT5EncoderModel"])
    )


def read_model(folder: str | Path) -> Model:
    """A folder's configurations; no weights are read, nor need they be there (`weights.hub.CONFIGURATIONS` must).

    Raises Refused (a ValueError) for a folder of another kind.
    """
    folder = Path(folder)
    index = read_index(folder, folder)
    if not all(index.get(part) for part in ("transformer", "vae", "text_encoder")):
        raise Refused(
            "{folder} holds no large model. Give a folder that `python -m pipelines convert` wrote.", folder=folder
        )
    config = MirageTransformer3DModel.load_config(folder, subfolder="transformer")
    lora, conversion = folder / LORA_FOLDER / LORA_FILE, read_conversion(folder)
    return Model(
        layout_named(index.get("layout") or DEFAULT_LAYOUT),
        {key: value for key, value in config.items() if not key.startswith("_")},  # stock Wan's names its class
        AutoencoderKLWan.load_config(folder, subfolder="vae"),
        transformers.AutoConfig.from_pretrained(folder / "text_encoder"),
        lora.stat().st_size if lora.is_file() else None if "lora" in conversion else 0,
        conversion.get("gguf") or kind_of(folder / "transformer") or "bfloat16",
    )

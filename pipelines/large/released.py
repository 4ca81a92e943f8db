"""Released weights as a transformer: state dicts, a file or a folder -> `MirageTransformer3DModel`, and the way back.

Every tensor finds its place or is named in the error: nothing is skipped, nothing is guessed without saying so. Names
are in wan_names.py, LoRA in lora.py; convert.py makes a whole folder of it.
"""

import inspect
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipelines.large.families import spread_evenly
from pipelines.large.lora import add_lora
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.large.wan_names import ConversionError, check_tensors, gathered
from pipelines.weights import gguf
from pipelines.weights.gguf_kinds import FILE_NAME, kind_of
from pipelines.weights.tensors import read_tensors

# What released configurations call it -> what `MirageTransformer3DModel` does.
CONFIG_NAMES = {
    "num_heads": "num_attention_heads",
    "control_layers": "vace_layers",
    "control_channels": "vace_in_channels",
    "channels": "in_channels",
}


def transformer_from_released(
    backbone: Mapping[str, Tensor],
    control: Mapping[str, Tensor] | None = None,
    lora: Mapping[str, Tensor] | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    lora_alpha: float | None = None,
    dtype: torch.dtype | None = None,
) -> MirageTransformer3DModel:
    """The model that released weights make up, in evaluation mode.

    backbone, control, lora: state dicts under released names (or diffusers'), with or without prefixes such as `dit.`,
    `vace.`, `pipe.dit.`, `model.`. Tensors may be on the meta device; the model is where they are.
    config: arguments of `MirageTransformer3DModel` or the released code's; what the shapes of tensors say may be left
    out. As many control blocks as the file holds; without `vace_layers` they are spread evenly over the layers.
    lora: attached live, as the PEFT adapter "released" (`disable_lora`, `enable_lora`, `fuse_lora` work on it).
    lora_alpha: weight is alpha / rank. None: as in the file if it says so, else alpha = rank, weight 1, as the released
    loaders fuse it. dtype: of the model; None: that of the backbone, bfloat16 if it is kept in float8. Norms and
    modulation are kept in float32.
    Raises ConversionError that lists every tensor which is missing, of another shape, or left over.
    """
    tensors = gathered({"backbone": backbone, "control": control or {}})
    arguments = _architecture(tensors, config or {})
    with torch.device("meta"):
        model = MirageTransformer3DModel(**arguments)
    expected = model.state_dict()
    check_tensors(tensors, {name: tuple(tensor.shape) for name, tensor in expected.items()})
    if dtype is None:
        dtype = gguf.dequantized(tensors["patch_embedding.weight"]).dtype
        dtype = torch.bfloat16 if dtype.itemsize == 1 else dtype  # eight bits store, they do not compute
    exact = set(MirageTransformer3DModel._keep_in_fp32_modules)
    in_blocks = gguf.load_quantized(model, tensors, dtype, exact)
    for name, tensor in tensors.items():  # copies: fusing a LoRA changes weights where they are
        tensors[name] = tensor.to(torch.float32 if exact & set(name.split(".")) else dtype, copy=True)
    model.load_state_dict(tensors, assign=True, strict=not in_blocks)  # all names were checked
    model.requires_grad_(not in_blocks).eval()
    if lora is not None:
        add_lora(model, lora, lora_alpha)
    return model


def transformer_from_folder(folder: Path, dtype: torch.dtype | None = None) -> MirageTransformer3DModel:
    """The transformer of a folder in the diffusers layout, stock Wan's or ours, its matrices in blocks or not."""
    kind = kind_of(folder)
    if kind is None:
        return MirageTransformer3DModel.from_pretrained(folder, dtype=dtype)
    config = MirageTransformer3DModel.load_config(folder)
    return transformer_from_file(folder / FILE_NAME.format(kind=kind), config=config, dtype=dtype)


def transformer_from_file(file: str | os.PathLike, **options: Any) -> MirageTransformer3DModel:
    """A released backbone in a safetensors or GGUF file; options: as of `transformer_from_released`."""
    return transformer_from_released(read_tensors(file), **options)


def _architecture(tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the model: from the shapes of the tensors, and from `config` what they do not say."""
    given = {CONFIG_NAMES.get(name, name): value for name, value in config.items()}
    known = inspect.signature(MirageTransformer3DModel).parameters
    given = {name: value for name, value in given.items() if name in known and value is not None}
    counted = {}

    def count(name: str, **axes: int) -> None:
        if name in tensors:
            counted.update({key: gguf.shape_of(tensors[name])[axis] for key, axis in axes.items()})

    count("patch_embedding.weight", inner_dim=0, in_channels=1)
    count("blocks.0.ffn.net.0.proj.weight", ffn_dim=0)
    count("condition_embedder.text_embedder.linear_1.weight", text_dim=1)
    count("condition_embedder.time_embedder.linear_1.weight", freq_dim=1)
    count("vace_patch_embedding.weight", vace_in_channels=1)
    inner_dim = counted.pop("inner_dim", None)
    counted["num_layers"], num_control = (count_blocks(tensors, prefix) for prefix in ("blocks.", "vace_blocks."))
    if not inner_dim or not counted["num_layers"]:
        raise ConversionError("The backbone has no patch_embedding.weight or no blocks. Is this a Wan transformer?")

    arguments = {**counted, **given}
    heads = arguments.get("num_attention_heads") or inner_dim // arguments.get("attention_head_dim", 128)
    if not heads or inner_dim % heads:
        raise ConversionError(
            "{channels} channels do not part into {heads} heads. Say num_attention_heads.",
            channels=inner_dim,
            heads=heads,
        )
    arguments |= {"num_attention_heads": heads, "attention_head_dim": inner_dim // heads}
    layers = tuple(arguments.get("vace_layers", ()))
    if not layers or not num_control:
        layers = spread_evenly(num_control, counted["num_layers"])
    if len(layers) != num_control:
        raise ConversionError(
            "The file holds {count} control blocks, but vace_layers={layers}.", count=num_control, layers=list(layers)
        )
    return {**arguments, "vace_layers": layers}


def count_blocks(names: Iterable[str], prefix: str) -> int:
    """How many blocks there are of the names that begin with a prefix, such as "blocks."."""
    indices = (re.match(rf"{re.escape(prefix)}(\d+)\.", name) for name in names)
    return max((int(index[1]) for index in indices if index), default=-1) + 1

"""GGUF files: a transformer whose matrices are kept in blocks of 32 weights with one scale, in eight or four bits.

diffusers computes with them: a matrix becomes bfloat16 again in the moment it is used. Nobody has published such a file
of these transformers, so `convert` writes them; files of the backbone alone open too. Needs the package gguf.
"""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import ModelMixin
from torch import Tensor

from pipelines.large.families import GGUF_KINDS as KINDS

BLOCK = 32
MATRIX = re.compile(r"(vace_)?blocks\.\d+\.(attn[12]\.to_|ffn\.|proj_).*\.weight")  # what is worth it: 99 % of all
NAME = "diffusion_pytorch_model-{kind}.gguf"


def check_installed() -> None:
    if importlib.util.find_spec("gguf") is None:
        raise ValueError("GGUF files need the package gguf. Install it: pip install gguf.")


def check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"GGUF kind {kind!r} is unknown. Use one of {', '.join(KINDS)}.")
    check_installed()


def kind_of(folder: Path) -> str | None:
    """The kind of a transformer folder that `write` filled; None if its weights are not in a GGUF file."""
    return next((kind for kind in KINDS if (folder / NAME.format(kind=kind)).is_file()), None)


def kind_in(model: torch.nn.Module) -> str | None:
    """The kind of a model's matrices; None if none are in blocks."""
    kinds = (tensor.quant_type for tensor in model.parameters() if hasattr(tensor, "quant_type"))
    return next((kind.name.lower() for kind in kinds), None)


def is_kept_small(name: str, shape: tuple[int, ...]) -> bool:
    return bool(MATRIX.fullmatch(name)) and len(shape) == 2 and shape[1] % BLOCK == 0


def bits_of(kind: str) -> float:
    """Per weight, the block's scale (16 bits) included."""
    return {"q8_0": 8, "q4_0": 4}[kind] + 16 / BLOCK


def write(path: Path, tensors: Mapping[str, Tensor], kind: str) -> None:
    """Write a state dict: matrices of the blocks as `kind`, all else as it is. Raises ValueError for another kind."""
    check_kind(kind)
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import quantize

    types = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
    writer = GGUFWriter(path, "wan", use_temp_file=True)
    for name, tensor in tensors.items():
        small = is_kept_small(name, tuple(tensor.shape))
        stored = GGMLQuantizationType[kind.upper() if small else types[tensor.dtype]]
        writer.add_tensor(name, quantize(tensor.float().contiguous().numpy(), stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read(path: Path) -> dict[str, Tensor]:
    """All tensors of a file; those in blocks are diffusers' GGUFParameter, whose `quant_shape` is the matrix's."""
    check_installed()
    from diffusers.models.model_loading_utils import load_gguf_checkpoint
    from gguf import GGMLQuantizationType

    try:
        tensors = load_gguf_checkpoint(path)
    except (ValueError, IndexError) as error:
        raise ValueError(f"{path.name} cannot be read ({error}). Fetch or convert it again.") from error
    whole = GGMLQuantizationType.BF16  # which diffusers would keep as bytes too
    kinds = {name: getattr(tensor, "quant_type", None) for name, tensor in tensors.items()}
    return {name: plain(tensor).bfloat16() if kinds[name] == whole else tensor for name, tensor in tensors.items()}


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    return tuple(getattr(tensor, "quant_shape", tensor.shape))


def plain(tensor: Tensor) -> Tensor:
    """A tensor of any file as numbers again."""
    if not hasattr(tensor, "quant_shape"):
        return tensor
    from diffusers.quantizers.gguf.utils import dequantize_gguf_tensor

    return dequantize_gguf_tensor(tensor)


def keep_small(model: ModelMixin, tensors: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Make `model`, on the meta device, compute with those of `tensors` that are in blocks; returns these.

    What its layers cannot use so becomes numbers again in `tensors`.
    """
    from diffusers import GGUFQuantizationConfig
    from diffusers.quantizers.gguf import GGUFQuantizer

    linear = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    exact, small = set(model._keep_in_fp32_modules), {}
    for name in [name for name, tensor in tensors.items() if hasattr(tensor, "quant_shape")]:
        if name in linear and not exact & set(name.split(".")):
            small[name] = tensors.pop(name)
        else:
            tensors[name] = plain(tensors[name])
    if small:
        quantizer = GGUFQuantizer(GGUFQuantizationConfig(compute_dtype=dtype), pre_quantized=True)
        quantizer.preprocess_model(model, device_map=None, keep_in_fp32_modules=sorted(exact), state_dict=small)
        for name, tensor in small.items():
            quantizer.create_quantized_param(model, tensor, name, "cpu")
        model.hf_quantizer = quantizer
    return small

"""GGUF files: reading and writing them, and making a model compute with matrices that are kept in blocks.

diffusers computes with them: a matrix becomes bfloat16 again in the moment it is used. Nobody has published such a file
of these transformers, so `convert` writes them; files of the backbone alone open too. Needs the package gguf. Which
kinds there are is in gguf_kinds.py.
"""

import importlib.util
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from diffusers import ModelMixin
from torch import Tensor

from pipelines.errors import Refused
from pipelines.weights.gguf_kinds import GGUF_KINDS, is_quantized


def check_installed() -> None:
    if importlib.util.find_spec("gguf") is None:
        raise Refused("GGUF files need the package gguf. Install it: pip install gguf.")


def check_kind(kind: str) -> None:
    if kind not in GGUF_KINDS:
        raise Refused("GGUF kind {kind!r} is unknown. Use one of {known}.", kind=kind, known=", ".join(GGUF_KINDS))
    check_installed()


def kind_in(model: torch.nn.Module) -> str | None:
    """The kind of a model's matrices; None if none are in blocks."""
    kinds = (tensor.quant_type for tensor in model.parameters() if hasattr(tensor, "quant_type"))
    return next((kind.name.lower() for kind in kinds), None)


def write(path: Path, tensors: Mapping[str, Tensor], kind: str) -> None:
    """Write a state dict: matrices of the transformer blocks as `kind`, all else as it is.

    Raises Refused (a ValueError) for an unknown kind.
    """
    check_kind(kind)
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import quantize

    types = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
    writer = GGUFWriter(path, "wan", use_temp_file=True)
    for name, tensor in tensors.items():
        in_blocks = is_quantized(name, tuple(tensor.shape))
        stored = GGMLQuantizationType[kind.upper() if in_blocks else types[tensor.dtype]]
        writer.add_tensor(name, quantize(tensor.float().contiguous().numpy(), stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read(path: Path) -> dict[str, Tensor]:
    """All tensors of a file; those in blocks are diffusers' GGUFParameter, whose `quant_shape` is the matrix's.

    Raises Refused (a ValueError) for a damaged file.
    """
    check_installed()
    # diffusers' own reader, which it does not document; from_single_file reads whole models with it, never tensors.
    from diffusers.models.model_loading_utils import load_gguf_checkpoint
    from gguf import GGMLQuantizationType

    try:
        tensors = load_gguf_checkpoint(path)
    except (ValueError, IndexError) as error:
        raise Refused(
            "{file} cannot be read ({error}). Fetch or convert it again.", file=path.name, error=error
        ) from error
    bfloat16 = GGMLQuantizationType.BF16  # which diffusers would keep as bytes too
    kinds = {name: getattr(tensor, "quant_type", None) for name, tensor in tensors.items()}
    return {
        name: dequantized(tensor).bfloat16() if kinds[name] == bfloat16 else tensor for name, tensor in tensors.items()
    }


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """The shape of a tensor's numbers, also where they are in blocks."""
    return tuple(getattr(tensor, "quant_shape", tensor.shape))


def dequantized(tensor: Tensor) -> Tensor:
    """The numbers of a tensor that may be in blocks."""
    if not hasattr(tensor, "quant_shape"):
        return tensor
    # Not documented by diffusers either; the package gguf alone computes on the CPU, in numpy.
    from diffusers.quantizers.gguf.utils import dequantize_gguf_tensor

    return dequantize_gguf_tensor(tensor)


def load_quantized(
    model: ModelMixin, tensors: dict[str, Tensor], dtype: torch.dtype, keep_in_fp32: Collection[str]
) -> dict[str, Tensor]:
    """Make `model`, on the meta device, compute with those of `tensors` that are in blocks.

    dtype: what it computes in. keep_in_fp32: modules and parameters that stay exact, by parts of their names. Tensors
    that its layers cannot use in blocks become numbers again, in `tensors`; the others are taken out of it and
    returned.
    """
    from diffusers import GGUFQuantizationConfig
    from diffusers.quantizers.gguf import GGUFQuantizer

    linear = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    exact, in_blocks = set(keep_in_fp32), {}
    for name in [name for name, tensor in tensors.items() if hasattr(tensor, "quant_shape")]:
        if name in linear and not exact & set(name.split(".")):
            in_blocks[name] = tensors.pop(name)
        else:
            tensors[name] = dequantized(tensors[name])
    if in_blocks:
        quantizer = GGUFQuantizer(GGUFQuantizationConfig(compute_dtype=dtype), pre_quantized=True)
        quantizer.preprocess_model(model, device_map=None, keep_in_fp32_modules=sorted(exact), state_dict=in_blocks)
        for name, tensor in in_blocks.items():
            quantizer.create_quantized_param(model, tensor, name, "cpu")
        model.hf_quantizer = quantizer
    return in_blocks

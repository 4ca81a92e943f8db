"""What LoRA files hold: released ones under any of the known names, and those that a folder keeps."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipelines.errors import Refused
from pipelines.large.families import LORA_FILE
from pipelines.large.wan_names import ConversionError, check_tensors, gathered, to_released
from pipelines.weights.tensors import metadata_of, read_tensors

DOWN, UP = ".lora_A.weight", ".lora_B.weight"
DIFFERENCES = {".diff": ".weight", ".diff_b": ".bias"}  # added to weights as they are, beside LoRA matrices
PEFT = "lora_adapter_metadata"  # where diffusers keeps rank and alpha in a file


def sort_tensors(lora: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, float], dict[str, Tensor]]:
    """A released file's matrices, alphas by module, and full differences, under diffusers names.

    Raises ConversionError for a tensor that is there twice, or an alpha that is no single number.
    """
    matrices, alphas, differences = {}, {}, {}
    for name, tensor in lora.items():
        kind = Path(name).suffix
        if kind in DIFFERENCES:
            differences[name.removesuffix(kind) + DIFFERENCES[kind]] = tensor
        elif kind == ".alpha":
            alphas[name] = tensor
        else:
            matrices[name] = tensor
    matrices, alphas, differences = (gathered({"LoRA": part}) for part in (matrices, alphas, differences))
    for name, tensor in alphas.items():
        if tensor.numel() != 1:
            raise ConversionError(
                "{name} of the LoRA is {shape}, not one number.", name=to_released(name), shape=tuple(tensor.shape)
            )
    return matrices, {name.removesuffix(".alpha"): float(tensor) for name, tensor in alphas.items()}, differences


def shapes_of_lora(model: torch.nn.Module, ranks: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the matrices that change modules of these ranks; those that are no linear layer have none."""
    shapes = {}
    for module, rank in ranks.items():
        try:
            layer = model.get_submodule(module)
        except AttributeError:
            continue  # no such layer: its tensors are left over
        if isinstance(layer := getattr(layer, "base_layer", layer), torch.nn.Linear):
            shapes |= {module + DOWN: (rank, layer.in_features), module + UP: (layer.out_features, rank)}
    return shapes


def read_lora(folder: Path, model: torch.nn.Module) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The LoRA that a folder keeps, as `convert` or diffusers wrote it: tensors, and the settings of PEFT.

    PEFT would make up what it lacks. Raises ConversionError for one that does not fit the model, another Refused (a
    ValueError) for a damaged file.
    """
    metadata = metadata_of(folder / LORA_FILE).get(PEFT, "null")
    try:
        peft = json.loads(metadata)
        ranks = {module: peft["rank_pattern"].get(module, peft["r"]) for module in peft["target_modules"]}
        float(peft["lora_alpha"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # no JSON, or not PEFT's settings
        raise Refused("{file} does not tell its rank and alpha. Convert it again.", file=folder / LORA_FILE) from error
    tensors = read_tensors(folder / LORA_FILE)
    check_tensors(tensors, shapes_of_lora(model, ranks))
    return tensors, peft


def lora_report(peft: Any, tensors: Iterable[str], stated: float | None) -> dict[str, Any]:
    """The rank of most modules and the alpha of the first, those of others if they differ, and where alpha is from.

    peft: the adapter's configuration in the model. tensors: names in its file. stated: the alpha that the caller gave.
    """
    alphas, modules = sum(name.endswith(".alpha") for name in tensors), len(peft.target_modules)
    source = "stated" if alphas else "not in the file: taken as the rank, weight 1"
    if 0 < alphas < modules and stated is None:
        others = "the rank" if peft.alpha_pattern else "the same"
        source = f"stated for {alphas} of {modules} modules: taken as {others} for the others"
    others = {"ranks": peft.rank_pattern, "alphas": peft.alpha_pattern}
    others = {name: sorted(set(pattern.values())) for name, pattern in others.items() if pattern}
    return {
        "rank": peft.r,
        "alpha": peft.lora_alpha,
        **({"others": others} if others else {}),
        "alpha_from": "stated" if stated is not None else source,
    }

"""LoRA files: released ones, and those that `convert` keeps beside a transformer, attached live by PEFT."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipelines.large.families import LORA, LORA_FILE
from pipelines.large.wan_names import ConversionError, check_tensors, gathered, to_released
from pipelines.weights.tensors import metadata_of, read_tensors

DOWN, UP = ".lora_A.weight", ".lora_B.weight"
DIFFERENCES = {".diff": ".weight", ".diff_b": ".bias"}  # added to weights as they are, beside LoRA matrices
PEFT = "lora_adapter_metadata"  # where diffusers keeps rank and alpha in a file


def add_lora(
    model: torch.nn.Module,
    lora: Mapping[str, Tensor],
    alpha: float | None = None,
    adapter: str = LORA,
    strength: float = 1.0,
) -> Callable[[], None]:
    """Attach a released LoRA file's tensors as an adapter, at a strength; see `convert.transformer_from_released`.

    Ranks and alphas may differ from module to module. A file for few steps may hold full differences too, of norms and
    biases for example: they become part of the weights, until what is returned is called.
    """
    tensors, alphas, differences = sorted_out(lora)
    ranks = {name.removesuffix(DOWN): tensor.shape[0] for name, tensor in tensors.items() if name.endswith(DOWN)}
    if not ranks:
        raise ConversionError("This file holds no LoRA: none of its tensors is a lora_A or lora_down.")
    if differences and adapter == LORA:  # it is switched off and on between chunks
        name = to_released(next(iter(differences)))
        raise ConversionError(f"This LoRA holds {len(differences)} full differences, such as {name}. Give one without.")
    if wrong := [value for value in (*alphas.values(), alpha) if value is not None and not 0 < value < math.inf]:
        raise ConversionError(f"The LoRA's alpha {wrong[0]} must be positive. Its rank makes the weight 1.")
    if told := sorted({value for value in alphas.values() if alpha not in (None, value)}):
        raise ConversionError(f"lora_alpha={alpha}, but the LoRA file says {told[0]}. Leave it out.")

    modules = sorted({name.removesuffix(DOWN).removesuffix(UP) for name in tensors})
    rank = max(ranks.values(), key=list(ranks.values()).count)
    expected = shapes_of_lora(model, {module: ranks.get(module, rank) for module in modules})
    strays = {f"{module}.alpha": torch.empty(()) for module in alphas.keys() - set(modules)}
    parameters = {name.replace(".base_layer", ""): parameter for name, parameter in model.named_parameters()}
    parameters = {name: parameter for name, parameter in parameters.items() if not hasattr(parameter, "quant_type")}
    # a table has no module of its own: what is added to it is called its weight
    differences = {name if name in parameters else name.removesuffix(".weight"): x for name, x in differences.items()}
    changed = {name: parameters[name] for name in differences if name in parameters}
    check_tensors(tensors | strays | differences, expected | {name: tuple(x.shape) for name, x in changed.items()})
    before = {name: parameter.data for name, parameter in changed.items()}
    for name, parameter in changed.items():
        parameter.data = parameter.data + strength * differences[name].to(parameter)
    if alpha is None and len(set(alphas.values())) == 1:
        (alpha,) = set(alphas.values())
    weights = {module: strength * alphas.get(module, alpha or ranks[module]) for module in modules}
    peft = {
        "r": rank,
        "lora_alpha": weights[modules[0]],
        "rank_pattern": {module: ranks[module] for module in modules if ranks[module] != rank},
        "alpha_pattern": {module: weights[module] for module in modules if weights[module] != weights[modules[0]]},
        "target_modules": modules,
    }
    model.load_lora_adapter(tensors, prefix=None, adapter_name=adapter, metadata=peft)
    model.eval()

    def undo() -> None:
        for name, parameter in changed.items():
            parameter.data = before[name]

    return undo


def sorted_out(lora: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, float], dict[str, Tensor]]:
    """A file's matrices, alphas by module, and full differences, under diffusers names."""
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
            raise ConversionError(f"{to_released(name)} of the LoRA is {tuple(tensor.shape)}, not one number.")
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

    PEFT would make up what it lacks. Raises ValueError for one that does not fit the model.
    """
    told = metadata_of(folder / LORA_FILE).get(PEFT)
    if told is None:
        raise ValueError(f"{folder / LORA_FILE} does not tell its rank and alpha. Convert it again.")
    tensors, peft = read_tensors(folder / LORA_FILE), json.loads(told)
    ranks = {module: peft["rank_pattern"].get(module, peft["r"]) for module in peft["target_modules"]}
    check_tensors(tensors, shapes_of_lora(model, ranks))
    return tensors, peft


def lora_report(peft: Any, tensors: Iterable[str], stated: float | None) -> dict[str, Any]:
    """The rank of most modules and the alpha of the first, those of others if they differ, and where alpha is from."""
    alphas, modules = sum(name.endswith(".alpha") for name in tensors), len(peft.target_modules)
    told = "stated" if alphas else "not in the file: taken as the rank, weight 1"
    if 0 < alphas < modules and stated is None:
        others = "the rank" if peft.alpha_pattern else "the same"
        told = f"stated for {alphas} of {modules} modules: taken as {others} for the others"
    others = {"ranks": peft.rank_pattern, "alphas": peft.alpha_pattern}
    others = {name: sorted(set(pattern.values())) for name, pattern in others.items() if pattern}
    return {
        "rank": peft.r,
        "alpha": peft.lora_alpha,
        **({"others": others} if others else {}),
        "alpha_from": "stated" if stated is not None else told,
    }

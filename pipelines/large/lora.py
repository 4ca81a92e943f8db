"""Where a LoRA joins the transformer, and leaves it: the released one and one for few steps, live by PEFT.

What their files hold is in lora_files.py.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipelines.large.families import FEW_STEPS, LORA, LORA_FILE, LORA_FOLDER, FewSteps
from pipelines.large.lora_files import DOWN, UP, read_lora, shapes_of_lora, sort_tensors
from pipelines.large.wan_names import ConversionError, check_tensors, to_released
from pipelines.weights.hub import local_file
from pipelines.weights.licences import file_entry
from pipelines.weights.tensors import read_tensors


def attach_lora(transformer: torch.nn.Module, folder: Path) -> None:
    """Attach the LoRA that a converted folder keeps beside its transformer; nothing where it keeps none.

    Raises ConversionError for one that does not fit the model, another Refused (a ValueError) for a damaged file.
    """
    if (folder / LORA_FOLDER).is_dir():
        tensors, settings = read_lora(folder / LORA_FOLDER, transformer)
        transformer.load_lora_adapter(tensors, prefix=None, adapter_name=LORA, metadata=settings)


def attach_few_steps(transformer: torch.nn.Module, few: FewSteps) -> Callable[[], None]:
    """Attach a distilled LoRA, fetched first if it is on the Hub, beside the released one; returns what undoes its full
    differences (see `add_lora`).

    Raises ConversionError for one that does not fit the model.
    """
    return add_lora(transformer, read_tensors(local_file(few.file)), few.alpha, FEW_STEPS, few.strength)


def few_steps_entry(few: FewSteps) -> dict[str, Any]:
    """The entry of a LoRA for few steps in licence card and recipe, with how it is sampled."""
    sampling = {name: value for name, value in asdict(few).items() if name != "file" and value is not None}
    return {**file_entry(local_file(few.file), few.file), **sampling}


def switch_loras(transformer: torch.nn.Module, released: bool) -> None:
    """Turn the released LoRA on or off for what follows; one for few steps is always on."""
    adapters = getattr(transformer, "peft_config", None)
    if not adapters:
        return
    if active := [name for name in adapters if name != LORA or released]:
        transformer.enable_lora()
        transformer.set_adapter(active)
    else:
        transformer.disable_lora()


@contextmanager
def saved_beside(
    transformer: torch.nn.Module | None,
    folder: Path,
    few: FewSteps | None = None,
    undo_few_steps: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Write the released LoRA into a folder of its own in `folder`; inside the block the transformer has no LoRA.

    So it can be saved as it was before. transformer: None, of the embedded model, has no LoRA either. few,
    undo_few_steps: the LoRA for few steps, if one is attached, and what `attach_few_steps` returned. Afterwards all are
    attached again.
    """
    adapters = dict(getattr(transformer, "peft_config", {}))
    if LORA in adapters:
        transformer.save_lora_adapter(folder / LORA_FOLDER, adapter_name=LORA, weight_name=LORA_FILE)
    if adapters:
        transformer.unload_lora()
    if FEW_STEPS in adapters:
        undo_few_steps()
    try:
        yield
    finally:
        if LORA in adapters:
            attach_lora(transformer, folder)
        if FEW_STEPS in adapters:
            attach_few_steps(transformer, few)


def add_lora(
    model: torch.nn.Module,
    lora: Mapping[str, Tensor],
    alpha: float | None = None,
    adapter: str = LORA,
    strength: float = 1.0,
) -> Callable[[], None]:
    """Attach a released LoRA file's tensors as an adapter, at a strength; see `released.transformer_from_released`.

    Ranks and alphas may differ from module to module. A file for few steps may hold full differences too, of norms and
    biases for example: they become part of the weights, until what is returned is called. Raises ConversionError for
    tensors that do not fit the model, and for an alpha that is not positive or contradicts the file's.
    """
    tensors, alphas, differences = sort_tensors(lora)
    ranks = {name.removesuffix(DOWN): tensor.shape[0] for name, tensor in tensors.items() if name.endswith(DOWN)}
    if not ranks:
        raise ConversionError("This file holds no LoRA: none of its tensors is a lora_A or lora_down.")
    if differences and adapter == LORA:  # it is switched off and on between chunks
        name = to_released(next(iter(differences)))
        raise ConversionError(
            "This LoRA holds {count} full differences, such as {name}. Give one without.",
            count=len(differences),
            name=name,
        )
    if wrong := [value for value in (*alphas.values(), alpha) if value is not None and not 0 < value < math.inf]:
        raise ConversionError("The LoRA's alpha {alpha} must be positive. Its rank makes the weight 1.", alpha=wrong[0])
    if others := sorted({value for value in alphas.values() if alpha not in (None, value)}):
        raise ConversionError(
            "lora_alpha={alpha}, but the LoRA file says {other}. Leave it out.", alpha=alpha, other=others[0]
        )

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
    settings = peft_settings(ranks, rank, modules, alphas, alpha, strength)
    model.load_lora_adapter(tensors, prefix=None, adapter_name=adapter, metadata=settings)
    model.eval()

    def undo() -> None:
        for name, parameter in changed.items():
            parameter.data = before[name]

    return undo


def peft_settings(
    ranks: Mapping[str, int],
    rank: int,
    modules: list[str],
    alphas: Mapping[str, float],
    alpha: float | None,
    strength: float,
) -> dict:
    """What PEFT calls the rank and weight of every module. ranks, alphas: by module; rank: that of most; alpha: the
    caller's, for modules whose alpha the file does not say."""
    if alpha is None and len(set(alphas.values())) == 1:
        (alpha,) = set(alphas.values())
    weights = {module: strength * alphas.get(module, alpha or ranks[module]) for module in modules}
    return {
        "r": rank,
        "lora_alpha": weights[modules[0]],
        "rank_pattern": {module: ranks[module] for module in modules if ranks[module] != rank},
        "alpha_pattern": {module: weights[module] for module in modules if weights[module] != weights[modules[0]]},
        "target_modules": modules,
    }

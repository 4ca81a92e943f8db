"""What `MiragePipeline.from_pretrained` makes of a folder before diffusers opens it.

All that the folder names is checked from configurations and headers, before any weights are read; parts of a large
model that diffusers would not open as they are needed are put together here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.large.families import LORA_FOLDER, layout_named
from pipelines.large.lora_files import read_lora
from pipelines.weights.gguf_kinds import kind_of
from pipelines.weights.hub import HUB_OPTIONS, local_folder, read_index
from pipelines.weights.licences import engine_weights, transformer_weights
from pipelines.weights.tensors import check_parts

RELEASED = ("control", "lora", "lora_alpha")  # released files and what belongs to them, as `convert` takes them


def open_folder(
    name: str | Path, arguments: Mapping[str, Any]
) -> tuple[Path, dict[str, Any], tuple[dict[str, Any], ...]]:
    """The folder, fetched if `name` is a repository; the arguments to open it with; licence entries of its weights.

    arguments: those of `MiragePipeline.from_pretrained`; what comes back
    is for diffusers' own. Raises Refused (a ValueError) for a folder or released files that cannot be used.
    """
    hub_options = {option: arguments[option] for option in HUB_OPTIONS if option in arguments}
    folder = local_folder(name, **hub_options)
    index = read_index(folder, name)
    check_folder(folder, index, arguments)
    weights = engine_weights(folder, name)
    released = {argument: arguments[argument] for argument in RELEASED if argument in arguments}
    # diffusers would take a pickle where there is nothing else
    arguments = {"use_safetensors": True, **{key: x for key, x in arguments.items() if key not in RELEASED}}
    if kind := index.get("transformer"):
        parts, weights = large_parts(folder, name, kind, arguments, released, weights, hub_options)
        arguments |= parts
    return folder, arguments, weights


def check_folder(folder: Path, index: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raise Refused unless its layout is known and every part is there with every tensor in its shape, a LoRA too.

    index: lists the parts. given: arguments of `from_pretrained`, among them parts that come from elsewhere.
    """
    if layout := given.get("layout") or index.get("layout"):
        layout_named(layout)
    transformer = check_parts(folder, index, given).get("transformer", given.get("transformer"))
    if transformer is not None and (folder / LORA_FOLDER).is_dir():
        read_lora(folder / LORA_FOLDER, transformer)


def large_parts(
    folder: Path,
    name: str | Path,
    kind: list[str],
    given: Mapping[str, Any],
    released: Mapping[str, Any],
    weights: tuple[dict[str, Any], ...],
    hub_options: Mapping[str, Any],
) -> tuple[dict[str, Any], tuple[dict[str, Any], ...]]:
    """The parts of a large model that diffusers would not open as they are needed, and licence entries of all weights.

    kind: library and class of the folder's transformer. given: arguments of `from_pretrained`; released: those of
    RELEASED. weights: entries of the folder. hub_options: for released files on the Hub. A transformer made of stock
    weights and released files comes with its layout and scheduler; {} where diffusers opens the folder's own.
    Raises ConversionError for files that do not fit together.
    """
    # not above, since the embedded model does without; diffusers only finds classes of ours that are imported already
    from pipelines.large.convert import assembled
    from pipelines.large.denoising import scheduler_of
    from pipelines.large.released import transformer_from_folder

    dtype = given.get("dtype", given.get("torch_dtype"))
    dtype = dtype.get("transformer", dtype.get("default")) if isinstance(dtype, dict) else dtype
    if released:
        base_name = None if Path(name).is_dir() else str(name).partition("@")[0]
        hub_options = {option: value for option, value in hub_options.items() if option != "revision"}  # the folder's
        options = {**released, "layout": given.get("layout"), "dtype": dtype, "base_name": base_name, **hub_options}
        model, layout, report = assembled(folder, **options)
        parts = {"transformer": model, "layout": layout.name, "scheduler": scheduler_of(layout)}
        return parts, tuple(report["weights"])
    if (model := given.get("transformer")) is not None:
        return {}, (*weights, *(entry for entry in transformer_weights(model) if entry not in weights))
    if "transformer" not in given and (kind[0] == "diffusers" or kind_of(folder / "transformer")):
        return {"transformer": transformer_from_folder(folder / "transformer", dtype)}, weights
    return {}, weights

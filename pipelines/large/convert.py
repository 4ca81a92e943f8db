"""Released weights -> diffusers: the backbone of Wan, a control branch made for it, and a LoRA file.

`transformer_from_released` works on state dicts; `convert` on files, as `python -m pipelines convert` does. Every
tensor finds its place or is named in the error: nothing is skipped, nothing is guessed without saying so. Names are in
wan_names.py, LoRA in lora.py, reading in weight_files.py.
"""

import json
import math
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from safetensors import SafetensorError
from torch import Tensor

from pipelines.files import read_json, sha256_of
from pipelines.large.families import CONVERSION, LORA, LORA_FILE, LORA_FOLDER, Layout, layout_named, layout_of
from pipelines.large.lora import add_lora, lora_report
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.large.wan_names import ConversionError, check_tensors, gathered, to_diffusers, to_released
from pipelines.weights import gguf as gguf_files
from pipelines.weights.hub import COMMIT, local_file, local_folder
from pipelines.weights.licences import terms_of_base
from pipelines.weights.tensors import read_tensors

# What released configurations call it -> what `MirageTransformer3DModel` does.
CONFIG_NAMES = {
    "num_heads": "num_attention_heads",
    "control_layers": "vace_layers",
    "control_channels": "vace_in_channels",
    "channels": "in_channels",
}
PARTS = ("vae", "text_encoder", "tokenizer")  # of the base, kept as they are


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
    config: arguments of `MirageTransformer3DModel` or the released code's; what tensors tell may be left out. How many
    control blocks there are is what the file holds; without `vace_layers` they are spread evenly over the layers.
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
        dtype = gguf_files.plain(tensors["patch_embedding.weight"]).dtype
        dtype = torch.bfloat16 if dtype.itemsize == 1 else dtype  # eight bits store, they do not compute
    small = gguf_files.keep_small(model, tensors, dtype)
    kept = set(MirageTransformer3DModel._keep_in_fp32_modules)
    for name, tensor in tensors.items():  # copies: fusing a LoRA changes weights where they are
        tensors[name] = tensor.to(torch.float32 if kept & set(name.split(".")) else dtype, copy=True)
    model.load_state_dict(tensors, assign=True, strict=not small)  # all names were checked
    model.requires_grad_(not small).eval()
    if lora is not None:
        add_lora(model, lora, lora_alpha)
    return model


def released_from_transformer(model: MirageTransformer3DModel) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The way back: state dicts of the backbone and of the control branch, under released names without prefix."""
    named = {to_released(name): tensor for name, tensor in model.state_dict().items()}
    control = {name: tensor for name, tensor in named.items() if name.startswith("vace_")}
    return {name: tensor for name, tensor in named.items() if name not in control}, control


def _architecture(tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the model: what the tensors tell, and from `config` what only it knows."""
    given = {CONFIG_NAMES.get(name, name): value for name, value in config.items()}
    known = MirageTransformer3DModel._get_signature_keys(MirageTransformer3DModel)[1]
    given = {name: value for name, value in given.items() if name in known and value is not None}
    told = {}

    def tell(name: str, **sizes: int) -> None:
        if name in tensors:
            told.update({key: gguf_files.shape_of(tensors[name])[axis] for key, axis in sizes.items()})

    tell("patch_embedding.weight", inner_dim=0, in_channels=1)
    tell("blocks.0.ffn.net.0.proj.weight", ffn_dim=0)
    tell("condition_embedder.text_embedder.linear_1.weight", text_dim=1)
    tell("condition_embedder.time_embedder.linear_1.weight", freq_dim=1)
    tell("vace_patch_embedding.weight", vace_in_channels=1)
    inner_dim = told.pop("inner_dim", None)
    told["num_layers"], num_control = (count_blocks(tensors, prefix) for prefix in ("blocks.", "vace_blocks."))
    if not inner_dim or not told["num_layers"]:
        raise ConversionError("The backbone has no patch_embedding.weight or no blocks. Is this a Wan transformer?")

    arguments = {**told, **given}
    heads = arguments.get("num_attention_heads") or inner_dim // arguments.get("attention_head_dim", 128)
    if not heads or inner_dim % heads:
        raise ConversionError(f"{inner_dim} channels do not part into {heads} heads. Say num_attention_heads.")
    arguments |= {"num_attention_heads": heads, "attention_head_dim": inner_dim // heads}
    layers = tuple(arguments.get("vace_layers", ()))
    if not layers or not num_control:
        layers = evenly(num_control, told["num_layers"])
    if len(layers) != num_control:
        raise ConversionError(f"The file holds {num_control} control blocks, but vace_layers={list(layers)}.")
    return {**arguments, "vace_layers": layers}


def count_blocks(names: Iterable[str], prefix: str) -> int:
    indices = (re.match(rf"{re.escape(prefix)}(\d+)\.", name) for name in names)
    return max((int(index[1]) for index in indices if index), default=-1) + 1


def evenly(blocks: int, layers: int) -> tuple[int, ...]:
    """The layers that so many control blocks steer, where nobody says which."""
    return tuple(range(0, layers, math.ceil(layers / blocks))) if blocks else ()


# ---- files ------------------------------------------------------------------------------------------------------


def convert(
    base: str | os.PathLike,
    out: str | os.PathLike,
    control: str | os.PathLike | None = None,
    lora: str | os.PathLike | None = None,
    layout: str | None = None,
    lora_alpha: float | None = None,
    dtype: torch.dtype | None = None,
    gguf: str | None = None,
) -> dict[str, Any]:
    """Released control and LoRA files and a Wan base become one folder that `MiragePipeline.from_pretrained` opens.

    base: a diffusers folder, or a repository on the Hub ("team/name" or "team/name@revision"). control, lora: see
    `read_tensors`; or a file on the Hub, "team/name/file.safetensors". layout: a name of `LAYOUTS`; None: the one whose
    control branch has so many blocks. out: a folder that does not exist yet; it appears whole or not at all. Unchanged
    parts of the base are linked where the disk allows it, else copied. gguf: keep the transformer's matrices in blocks,
    a kind of `gguf_files.KINDS`.
    Returns what was done, as it is written to conversion.json: layout, LoRA weight, and of all weights names,
    hashes and licences. Raises ValueError for what cannot be converted.
    """
    out, base_name = Path(out), Path(base).resolve().name if Path(base).is_dir() else str(base).partition("@")[0]
    if out.exists():
        raise ValueError(f"{out} is there already. Give a folder that does not exist yet.")
    if not out.parent.is_dir():
        raise ValueError(f"The folder {out.parent} does not exist. Make it first.")
    base = base_folder(base)
    if gguf:
        gguf_files.check_kind(gguf)
    model, chosen, report = assembled(base, control, lora, layout, lora_alpha, dtype, base_name)
    if gguf:
        report["gguf"] = gguf
    index = read_json(base / "model_index.json")
    needed = sum(parameter.nbytes for parameter in model.parameters())
    if base.stat().st_dev != out.parent.stat().st_dev:  # the rest of the base is copied, not linked
        needed += sum(file.stat().st_size for part in PARTS for file in (base / part).rglob("*") if file.is_file())
    free = shutil.disk_usage(out.parent).free
    if needed > free:
        raise OSError(f"{out} needs {needed / 2**30:.1f} GiB, {free / 2**30:.1f} are free. Free some disk space.")
    temporary = out.with_name(f".{secrets.token_hex(8)}")
    try:
        write_folder(temporary, model, base, index, chosen, gguf)
        (temporary / CONVERSION).write_text(json.dumps(report, indent=1))
        os.replace(temporary, out)
    except (OSError, SafetensorError) as error:  # the latter is what safetensors makes of a full disk
        reason = getattr(error, "strerror", None) or error
        raise OSError(f"{out} could not be written ({reason}). Free some disk space, or choose another.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return report


def assembled(
    base: Path,
    control: str | os.PathLike | None = None,
    lora: str | os.PathLike | None = None,
    layout: str | None = None,
    lora_alpha: float | None = None,
    dtype: torch.dtype | None = None,
    base_name: str | None = None,
    **options: Any,
) -> tuple[MirageTransformer3DModel, Layout, dict[str, Any]]:
    """The transformer that a base folder and released files make up, its layout, and what was done; see `convert`.

    options: for files on the Hub, as of `hub.local_folder`.
    """
    base_name = base_name or base.name
    config = read_json(base / "transformer" / "config.json")

    names = [str(file) for file in (control, lora) if file]
    control, lora = (local_file(file, **options) if file else None for file in (control, lora))
    if config.get("vace_layers") or (base / LORA_FOLDER).is_dir():
        raise ConversionError(f"{base_name} holds a control branch or a LoRA already. Give its own base.")
    if lora_alpha is not None and not lora:
        raise ConversionError(f"lora_alpha={lora_alpha} is of a LoRA, and there is none. Give one, or leave it out.")
    branch = read_tensors(control) if control else {}
    num_blocks = count_blocks(map(to_diffusers, branch), "vace_blocks.")
    if control and not num_blocks:
        raise ConversionError(f"{Path(control).name} holds no control branch: none of its tensors is a vace_blocks.0.")
    chosen = layout_named(layout) if layout else layout_of(num_blocks)
    config |= {"segment_order": chosen.segment_order, "reference_offset": chosen.reference_offset}
    adapter = read_tensors(lora) if lora else None
    model = transformer_from_released(
        read_tensors(base / "transformer"),
        branch,
        adapter,
        config=config,
        lora_alpha=lora_alpha,
        dtype=dtype,
    )
    files = [file for file in (control, lora) if file]
    known = {"revision": base.name} if COMMIT.fullmatch(base.name) else {}
    if not known:
        known = {"sha256": sha256_of(sorted((base / "transformer").glob("*.safetensors")))}
    report = {
        "layout": chosen.name,
        "layout_from": "--layout" if layout else f"{num_blocks} control blocks",
        "base": base_name,
        "dtype": str(model.dtype).removeprefix("torch."),
        "control_blocks": num_blocks,
        "control_layers": list(model.config.vace_layers),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "weights": [
            {"name": base_name, **known, **terms_of_base(f"{base_name} {base}")},
            *(
                {**described(file, name), "licence": chosen.licence, "commercial_use": chosen.commercial_use}
                for file, name in zip(files, names, strict=True)
            ),
        ],
    }
    if adapter:
        report["lora"] = lora_report(model.peft_config[LORA], adapter, lora_alpha)
    return model, chosen, report


def opened(folder: Path, dtype: torch.dtype | None = None) -> MirageTransformer3DModel:
    """The transformer of a folder in the diffusers layout, stock Wan's or ours, in blocks or not."""
    kind = gguf_files.kind_of(folder)
    if kind is None:
        return MirageTransformer3DModel.from_pretrained(folder, dtype=dtype)
    config = MirageTransformer3DModel.load_config(folder)
    return MirageTransformer3DModel.from_single_file(
        folder / gguf_files.NAME.format(kind=kind), config=config, dtype=dtype
    )


def scheduler_of(layout: Layout) -> diffusers.UniPCMultistepScheduler:
    return diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=layout.shift
    )


def base_folder(base: str | os.PathLike) -> Path:
    """A diffusers folder of Wan, downloaded first if `base` names a repository."""
    base = local_folder(base)
    for name in ("model_index.json", "transformer/config.json", "vae/config.json"):
        if not (base / name).is_file():
            raise ValueError(f"{base} holds no {name}. Give a Wan folder in the diffusers layout.")
    return base


def write_folder(
    folder: Path,
    model: MirageTransformer3DModel,
    base: Path,
    base_index: Mapping[str, Any],
    layout: Layout,
    gguf: str | None = None,
) -> None:
    index = {
        "_class_name": "MiragePipeline",
        "_diffusers_version": diffusers.__version__,
        "layout": layout.name,
        "transformer": ["pipelines.large.transformer", "MirageTransformer3DModel"],
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
    }
    folder.mkdir()
    if getattr(model, "peft_config", None):
        model.save_lora_adapter(folder / LORA_FOLDER, adapter_name=LORA, weight_name=LORA_FILE)
        model.unload_lora()
    if gguf:
        model.save_config(folder / "transformer")
        gguf_files.write(folder / "transformer" / gguf_files.NAME.format(kind=gguf), model.state_dict(), gguf)
    else:
        model.save_pretrained(folder / "transformer")
    scheduler_of(layout).save_pretrained(folder / "scheduler")
    for part in PARTS:
        if base_index.get(part, [None])[0] is not None:
            index[part] = base_index[part]
            shutil.copytree(base / part, folder / part, copy_function=linked)
    (folder / "model_index.json").write_text(json.dumps(index, indent=2))


def linked(source: str, target: str) -> None:
    """A second name for a file, which costs no space; a copy where the disk has no such thing."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)


def described(path: Path, asked: str | None = None) -> dict[str, Any]:
    """Name, size and hash of a file, so that what was converted can be told later.

    asked: what `local_file` was asked for; of a file from the Hub that is its name, and the commit is told too.
    """
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    size = sum(file.stat().st_size for file in files)
    told = {"name": path.name, "bytes": size, "sha256": sha256_of(files)}
    if asked and Path(asked) != path:
        commit = next(folder.name for folder in path.parents if COMMIT.fullmatch(folder.name))
        told |= {"name": re.sub(r"@[\w.-]+", "", asked, count=1), "revision": commit}
    return told

"""Released weights -> diffusers: the names of Wan, of the control branches made for it, and of their LoRA files.

`transformer_from_released` works on state dicts; `convert` on files, as `python -m pipelines convert` does. Every
tensor finds its place or is named in the error: nothing is skipped, nothing is guessed without saying so.
"""

import json
import math
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from pipelines import gguf_files
from pipelines.files import sha256_of
from pipelines.hub import COMMIT, local_file, local_folder
from pipelines.layouts import (
    CONVERSION,
    LORA,
    LORA_FILE,
    LORA_FOLDER,
    Layout,
    layout_named,
    layout_of,
)
from pipelines.licences import terms_of_base
from pipelines.transformer import MirageTransformer3DModel

PREFIXES = ("module.", "model.", "base_model.", "pipe.", "dit.", "vace.", "diffusion_model.", "transformer.", "lora.")

# Released names -> diffusers names, inside a block and outside of one. Wan's norm3 is diffusers' norm2: the other two
# norms of a block have no weights.
BLOCK_NAMES = {
    "modulation": "scale_shift_table",
    **{f"self_attn.{x}": f"attn1.to_{x}" for x in "qkv"},
    **{f"cross_attn.{x}": f"attn2.to_{x}" for x in "qkv"},
    "self_attn.o": "attn1.to_out.0",
    "cross_attn.o": "attn2.to_out.0",
    **{f"self_attn.norm_{x}": f"attn1.norm_{x}" for x in "qk"},
    **{f"cross_attn.norm_{x}": f"attn2.norm_{x}" for x in "qk"},
    "norm3": "norm2",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    "before_proj": "proj_in",
    "after_proj": "proj_out",
}
OUTER_NAMES = {
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
}
DOWN, UP = ".lora_A.weight", ".lora_B.weight"
DIFFERENCES = {".diff": ".weight", ".diff_b": ".bias"}  # added to weights as they are, beside LoRA matrices
LORA_NAMES = {".lora_down.": ".lora_A.", ".lora_up.": ".lora_B.", ".default.weight": ".weight"}
# What released configurations call it -> what `MirageTransformer3DModel` does.
CONFIG_NAMES = {
    "num_heads": "num_attention_heads",
    "control_layers": "vace_layers",
    "control_channels": "vace_in_channels",
    "channels": "in_channels",
}


PARTS = ("vae", "text_encoder", "tokenizer")  # of the base, kept as they are


class ConversionError(ValueError):
    """Released weights that do not make up the model: what is missing, of another shape, or left over."""


def to_diffusers(name: str) -> str:
    """The diffusers name of a released one, prefixes gone. A name that is diffusers' already stays as it is."""
    while prefix := next(filter(name.startswith, PREFIXES), None):
        name = name.removeprefix(prefix)
    return _renamed(name, BLOCK_NAMES, OUTER_NAMES)


def to_released(name: str) -> str:
    """The released name, without prefix, of a diffusers one."""
    return _renamed(name, *({new: old for old, new in names.items()} for names in (BLOCK_NAMES, OUTER_NAMES)))


def _renamed(name: str, block_names: Mapping[str, str], outer_names: Mapping[str, str]) -> str:
    pattern = r"((?:vace_)?blocks\.\d+\.)?(.+?)((?:\.lora_[AB])?(?:\.weight|\.bias|\.alpha))?"
    block, stem, kind = re.fullmatch(pattern, name).groups("")
    return block + (block_names if block else outer_names).get(stem, stem) + kind


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
    tensors = _gathered({"backbone": backbone, "control": control or {}})
    arguments = _architecture(tensors, config or {})
    with torch.device("meta"):
        model = MirageTransformer3DModel(**arguments)
    expected = model.state_dict()
    _check(tensors, {name: tuple(tensor.shape) for name, tensor in expected.items()})
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


def add_lora(
    model: MirageTransformer3DModel,
    lora: Mapping[str, Tensor],
    alpha: float | None = None,
    adapter: str = LORA,
    strength: float = 1.0,
) -> Callable[[], None]:
    """Attach a released LoRA file's tensors as an adapter, at a strength; see `transformer_from_released`.

    Ranks and alphas may differ from module to module. A file for few steps may hold full differences too, of norms and
    biases for example: they become part of the weights, until what is returned is called.
    """
    tensors, alphas, differences = {}, {}, {}
    for name, tensor in lora.items():
        if (kind := Path(name).suffix) in DIFFERENCES:
            differences[to_diffusers(name.removesuffix(kind) + DIFFERENCES[kind])] = tensor
            continue
        for old, new in LORA_NAMES.items():
            name = name.replace(old, new)
        name = to_diffusers(name)
        if name.endswith(".alpha"):
            alphas[name.removesuffix(".alpha")] = float(tensor)
        else:
            tensors[name] = tensor
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

    modules, expected = sorted({name.removesuffix(DOWN).removesuffix(UP) for name in tensors}), {}
    rank = max(ranks.values(), key=list(ranks.values()).count)
    for module in modules:
        try:
            layer = model.get_submodule(module)
        except AttributeError:
            continue  # no such layer: its tensors are left over
        if isinstance(layer := getattr(layer, "base_layer", layer), torch.nn.Linear):
            mine = ranks.get(module, rank)
            expected |= {module + DOWN: (mine, layer.in_features), module + UP: (layer.out_features, mine)}
    strays = {f"{module}.alpha": torch.empty(()) for module in alphas.keys() - set(modules)}
    parameters = {name.replace(".base_layer", ""): parameter for name, parameter in model.named_parameters()}
    parameters = {name: parameter for name, parameter in parameters.items() if not hasattr(parameter, "quant_type")}
    # a table has no module of its own: what is added to it is called its weight
    differences = {name if name in parameters else name.removesuffix(".weight"): x for name, x in differences.items()}
    changed = {name: parameters[name] for name in differences if name in parameters}
    _check(tensors | strays | differences, expected | {name: tuple(x.shape) for name, x in changed.items()})
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


def _gathered(sources: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """All tensors under diffusers names; two that claim one name are an error."""
    tensors = {}
    for source, state_dict in sources.items():
        for name, tensor in state_dict.items():
            new = to_diffusers(name)
            if new in tensors:
                raise ConversionError(f"{name} of the {source} is there twice, as {new}. Give each tensor once.")
            tensors[new] = tensor
    return tensors


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


def _check(tensors: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]]) -> None:
    """Every expected tensor is there, in its shape, and no other. Raises ConversionError that lists what is wrong."""
    missing = sorted(expected.keys() - tensors.keys())
    left_over = sorted(tensors.keys() - expected.keys())
    shapes = {name: gguf_files.shape_of(tensors[name]) for name in sorted(expected.keys() & tensors.keys())}
    other = [name for name, shape in shapes.items() if shape != expected[name]]
    lists = {
        "missing": [to_released(name) for name in missing],
        "of another shape": [f"{to_released(name)} {shapes[name]}, not {expected[name]}" for name in other],
        "left over": [to_released(name) for name in left_over],
    }
    if any(lists.values()):
        told = [f"{len(names)} {what}: {', '.join(names)}" for what, names in lists.items() if names]
        raise ConversionError("These weights do not make up the model. " + "; ".join(told) + ".")


# ---- files ------------------------------------------------------------------------------------------------------


def read_tensors(path: str | os.PathLike) -> dict[str, Tensor]:
    """All tensors of a safetensors file, of an index of several, of a folder of them, or of a GGUF file.

    Raises ValueError for anything else: a pickle may run code when it is opened.
    """
    path = Path(path)
    if path.suffix == ".gguf" and path.is_file():
        return gguf_files.read(path)
    if path.is_dir():
        files = sorted(path.glob("*.safetensors"))
    elif path.name.endswith(".safetensors.index.json") and path.is_file():
        files = sorted({path.parent / name for name in json.loads(path.read_text())["weight_map"].values()})
    else:
        files = [path]
    if not files or any(file.suffix != ".safetensors" or not file.is_file() for file in files):
        raise ValueError(f"{path} is no safetensors file, index or folder. Give one; other formats may run code.")
    tensors = {}
    for file in files:
        try:
            with safe_open(file, "pt") as opened:
                for name in opened.keys():
                    if name in tensors:
                        raise ConversionError(f"{name} is in two files of {path.name}. Give each tensor once.")
                    tensors[name] = opened.get_tensor(name)
        except SafetensorError as error:
            raise ValueError(f"{file.name} cannot be read ({error}). Download it again.") from error
    return tensors


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
    `read_tensors`; or a file on the Hub, "team/name/file.safetensors". layout: a name of pipelines/layouts.py; None:
    the one whose control branch has so many blocks. out: a folder that does not exist yet; it appears whole or not at
    all. Unchanged parts of the base are linked where the disk allows it, else copied. gguf: keep the transformer's
    matrices in blocks, a kind of `gguf_files.KINDS`.
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
    index = json.loads((base / "model_index.json").read_text())
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
    config = json.loads((base / "transformer" / "config.json").read_text())

    names = [str(file) for file in (control, lora) if file]
    control, lora = (local_file(file, **options) if file else None for file in (control, lora))
    branch = read_tensors(control) if control else {}
    num_blocks = count_blocks(map(to_diffusers, branch), "vace_blocks.")
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


def lora_report(peft, tensors: Mapping[str, Tensor], stated: float | None) -> dict[str, Any]:
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
        "transformer": ["pipelines.transformer", "MirageTransformer3DModel"],
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

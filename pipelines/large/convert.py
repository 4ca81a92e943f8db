"""Released files and a Wan base -> one folder that `MiragePipeline.from_pretrained` opens.

What becomes of their tensors is in released.py; `python -m pipelines convert` calls this.
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from safetensors import SafetensorError

from pipelines.errors import Refused
from pipelines.files import check_output, read_json, sha256_of
from pipelines.large.denoising import scheduler_of
from pipelines.large.families import LORA, LORA_FILE, LORA_FOLDER, Layout, layout_named, layout_of
from pipelines.large.lora_files import lora_report
from pipelines.large.released import count_blocks, transformer_from_released
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.large.wan_names import ConversionError, to_diffusers
from pipelines.weights import gguf as gguf_files
from pipelines.weights.cache import COMMIT
from pipelines.weights.conversion import CONVERSION
from pipelines.weights.gguf_kinds import FILE_NAME
from pipelines.weights.hub import local_file, local_folder
from pipelines.weights.licences import file_entry, terms_of_base
from pipelines.weights.tensors import read_tensors

PARTS = ("vae", "text_encoder", "tokenizer")  # of the base, kept as they are


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
    a kind of GGUF_KINDS.
    dtype: of the transformer's weights; None: that of the base. Returns what was done, as it is written to
    conversion.json: layout, LoRA weight, and of all weights names, hashes and licences. Raises ConversionError for
    weights that do not fit together, FetchError, another ValueError for other input, OSError for a disk that refuses.
    """
    out, base_name = Path(out), Path(base).resolve().name if Path(base).is_dir() else str(base).partition("@")[0]
    if out.exists():
        raise Refused("{path} is there already. Give a folder that does not exist yet.", path=out)
    check_output(out, is_folder=True)
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
    """The transformer that a base folder and released files make up, its layout, and the record of what was done.

    base: a diffusers folder of Wan. base_name: its name in the record, if not the folder's. options: for files on the
    Hub, as of `hub.local_folder`. Other arguments, the record and the errors: see `convert`.
    """
    base_name = base_name or base.name
    config = read_json(base / "transformer" / "config.json")

    names = [str(file) for file in (control, lora) if file]
    control, lora = (local_file(file, **options) if file else None for file in (control, lora))
    if config.get("vace_layers") or (base / LORA_FOLDER).is_dir():
        raise ConversionError("{base} holds a control branch or a LoRA already. Give its own base.", base=base_name)
    if lora_alpha is not None and not lora:
        raise ConversionError(
            "lora_alpha={alpha} is of a LoRA, and there is none. Give one, or leave it out.", alpha=lora_alpha
        )
    branch = read_tensors(control) if control else {}
    num_blocks = count_blocks(map(to_diffusers, branch), "vace_blocks.")
    if control and not num_blocks:
        raise ConversionError(
            "{file} holds no control branch: none of its tensors is a vace_blocks.0.", file=Path(control).name
        )
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
                {**file_entry(file, name), "licence": chosen.licence, "commercial_use": chosen.commercial_use}
                for file, name in zip(files, names, strict=True)
            ),
        ],
    }
    if adapter:
        report["lora"] = lora_report(model.peft_config[LORA], adapter, lora_alpha)
    return model, chosen, report


def base_folder(base: str | os.PathLike) -> Path:
    """A diffusers folder of Wan, downloaded first if `base` names a repository."""
    base = local_folder(base)
    for name in ("model_index.json", "transformer/config.json", "vae/config.json"):
        if not (base / name).is_file():
            raise Refused(
                "{folder} holds no {file}. Give a Wan folder in the diffusers layout.", folder=base, file=name
            )
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
        gguf_files.write(folder / "transformer" / FILE_NAME.format(kind=gguf), model.state_dict(), gguf)
    else:
        model.save_pretrained(folder / "transformer")
    scheduler_of(layout).save_pretrained(folder / "scheduler")
    for part in PARTS:
        if base_index.get(part, [None])[0] is not None:
            index[part] = base_index[part]
            shutil.copytree(base / part, folder / part, copy_function=linked)
    (folder / "model_index.json").write_text(json.dumps(index, indent=2))


def linked(source: str, target: str) -> None:
    """Hard-link a file, which costs no space; copy it where the disk has no hard links."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)

"""How a model comes up, for the commands and for the studio: where it will run is known before its weights are fetched.

No torch here until a model is asked for.
"""

import argparse
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.large.families import FewSteps
from pipelines.large.profiles import Profile, apply, check, check_cache, profile_named
from pipelines.weights.hub import CONFIGURATIONS, REPOSITORY_FILE, local_file, local_folder, telling

if TYPE_CHECKING:
    from pipelines.pipeline_mirage import MiragePipeline

EMBEDDED = "embedded"  # the model that ships with the project
DEVICES, DTYPES = ("auto", "cpu", "cuda"), ("bfloat16", "float32")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=DEVICES, default="auto", help="auto: for large models the GPU if any")
    parser.add_argument("--dtype", choices=DTYPES, help="a large model's; default bfloat16 on a GPU, else float32")
    parser.add_argument(
        "--profile", help="how a large model fits into the GPU: auto (default), or a name of `info --profiles`"
    )
    parser.add_argument(
        "--first-block-cache",
        type=float,
        metavar="SHARE",
        help="with a profile: skip what changes less, 0.05 to 0.2",
    )


@dataclass(frozen=True)
class Place:
    """Where a large model runs. device: "cpu" or "cuda". profile: None for weights as they are, in the processor's
    memory. free: bytes of GPU memory that the profile was picked for; None where it was named."""

    device: str
    profile: Profile | None = None
    free: int | None = None


def place_of(
    model: str, device: str = "auto", profile: str | None = None, size: tuple[int, int] | None = None, more: int = 0
) -> Place:
    """Where a folder's or repository's large model will run: on the GPU, if there is one, and in which profile.

    Only configurations are fetched. profile: a name; None or "auto": the fastest that fits a clip of `size`, (height,
    width), into the GPU's free memory with `more` bytes beside it. Raises FetchError, ProfileError, or another
    ValueError for a device or a folder that cannot be used.
    """
    with telling(None):  # a few kilobytes
        folder = local_folder(model, CONFIGURATIONS)
    if not (folder / "model_index.json").is_file():
        raise ValueError(f"{model} holds no model_index.json. Give a folder in the diffusers layout.")
    import torch

    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ValueError("--device cuda: torch sees no GPU here. Use --device cpu, or install a build of torch for it.")
    on = "cuda" if has_gpu and device != "cpu" else "cpu"
    if profile == "auto" and on == "cpu":
        raise ValueError("--profile auto looks at the GPU's free memory, and there is none. Name one, or leave it out.")
    if profile is None and on == "cpu":
        return Place(on)
    from pipelines.large.costs import choose_profile, costs_of, read_model

    if profile in (None, "auto"):
        free = torch.cuda.mem_get_info()[0]
        costs = costs_of(folder, *(size or (None, None)), frames=None)
        return Place(on, choose_profile(free - more, costs), free)
    chosen = profile_named(profile)
    check(chosen, read_model(folder).kept, on)
    return Place(on, chosen)


def open_large(
    model: str,
    place: Place,
    dtype: str | None = None,
    first_block_cache: float | None = None,
    few_steps: FewSteps | None = None,
    **options: Any,
) -> "MiragePipeline":
    """The large pipeline of a folder or repository, fetched if need be, in its place. dtype: bfloat16 in a profile.

    options: further ones of `MiragePipeline.from_pretrained`.
    """
    import torch

    from pipelines.pipeline_mirage import MiragePipeline

    dtype = getattr(torch, dtype or ("bfloat16" if place.profile else "float32"))
    pipe = MiragePipeline.from_pretrained(model, dtype=dtype, **options)
    if few_steps:
        pipe.use_few_steps(few_steps)
    if place.profile:
        apply(pipe, place.profile, place.device, first_block_cache)
    return pipe


def load_pipeline(
    model: str,
    device: str = "auto",
    dtype: str | None = None,
    profile: str | None = None,
    size: tuple[int, int] | None = None,
    first_block_cache: float | None = None,
    few_steps: FewSteps | None = None,
    **options: Any,
) -> "MiragePipeline":
    """The pipeline of a model: "embedded", a folder or a Hub repository, on its device.

    The embedded one runs on the CPU. A large one goes where `place_of` says, and stderr tells in which profile.
    options: further ones of `MiragePipeline.from_pretrained`. Raises ValueError for a device, profile or model that
    cannot be had.
    """
    if model == EMBEDDED:
        asked = {"--device cuda": device == "cuda", f"--dtype {dtype}": dtype, f"--profile {profile}": profile}
        asked |= {"--few-step-lora": few_steps, "--first-block-cache": first_block_cache is not None}
        for option in (option for option, value in asked.items() if value):
            raise ValueError(f"{option} is for large models; the embedded one needs no GPU. Leave it out.")
    place = None if model == EMBEDDED else place_of(model, device, profile, size, bytes_of(few_steps))
    if first_block_cache is not None and not place.profile:
        raise ValueError("--first-block-cache goes with a profile. Give one, for example --profile resident.")
    check_cache(first_block_cache)
    import diffusers

    diffusers.utils.logging.disable_progress_bar()  # two files in half a second
    if place is None:
        from pipelines.pipeline_mirage import MiragePipeline

        return MiragePipeline.embedded(**options)
    pipe = open_large(model, place, dtype, first_block_cache, few_steps, **options)
    if place.profile:
        print(f"profile {place.profile.name}: {place.profile.what}", file=sys.stderr)
    return pipe


# ---- settings as text -------------------------------------------------------------------------------------------


def named_values(option: str, settings: list[str]) -> dict[str, Any]:
    """NAME=VALUE, each a number where it can be."""
    params = {}
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator:
            raise ValueError(f"{option} {setting} must be NAME=VALUE, for example {option} strength=0.5.")
        try:
            params[name] = float(value)
        except ValueError:
            params[name] = value
    return params


def few_steps_of(file: str, option: str, settings: list[str]) -> FewSteps:
    """A LoRA for few steps, and how it is sampled. file: here, or on the Hub as team/name/FILE.safetensors."""
    values = named_values(option, settings)
    known = [field.name for field in fields(FewSteps) if field.name != "file"]
    if unknown := sorted(values.keys() - set(known)):
        raise ValueError(f"{option} {unknown[0]} is unknown. Use one of {', '.join(known)}.")
    if not Path(file).is_file() and not REPOSITORY_FILE.fullmatch(file):
        raise ValueError(f"{file} is no file here, nor one on the Hub (team/name/FILE.safetensors). Check it.")
    return FewSteps(file, **values)


def bytes_of(few_steps: FewSteps | None) -> int:
    return local_file(few_steps.file).stat().st_size if few_steps else 0

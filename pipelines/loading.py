"""Which device a pipeline runs on, for the commands: the GPU where there is one and the model is large. No torch here
until a pipeline is loaded."""

import argparse
import sys
from pathlib import Path
from typing import Any

from pipelines.layouts import FewSteps

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


def load_pipeline(
    model: str,
    device: str = "auto",
    dtype: str | None = None,
    profile: str | None = None,
    size: tuple[int, int] | None = None,
    first_block_cache: float | None = None,
    few_steps: FewSteps | None = None,
    **options: Any,
):
    """The pipeline of a model: "embedded", a folder or a Hub repository, on its device.

    The embedded one runs on the CPU. A large one goes to the GPU in bfloat16 where there is one, by the fastest profile
    that fits a clip of `size`, (height, width), into its free memory, and says on stderr which. options: further ones
    of `MiragePipeline.from_pretrained`. Raises ValueError for a device, profile or model that cannot be had.
    """
    import diffusers
    import torch

    from pipelines.pipeline_mirage import MiragePipeline

    diffusers.utils.logging.disable_progress_bar()  # two files in half a second
    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ValueError("--device cuda: torch sees no GPU here. Use --device cpu, or install a build of torch for it.")
    if model == "embedded":
        asked = {"--device cuda": device == "cuda", f"--dtype {dtype}": dtype, f"--profile {profile}": profile}
        asked |= {"--few-step-lora": few_steps, "--first-block-cache": first_block_cache is not None}
        for option in (option for option, value in asked.items() if value):
            raise ValueError(f"{option} is for large models; the embedded one needs no GPU. Leave it out.")
        return MiragePipeline.embedded(**options)
    on_gpu = has_gpu and device != "cpu"
    if profile == "auto" and not on_gpu:
        raise ValueError("--profile auto looks at the GPU's free memory, and there is none. Name one, or leave it out.")
    if first_block_cache is not None and not (profile or on_gpu):
        raise ValueError("--first-block-cache goes with a profile. Give one, for example --profile resident.")
    chosen = None
    if profile or on_gpu:
        chosen = choose(model, profile or "auto", size, Path(few_steps.file).stat().st_size if few_steps else 0)
    elif Path(model).is_dir() and not (Path(model) / "model_index.json").is_file():
        raise ValueError(f"--model {model} holds no model_index.json. Give a folder in the diffusers layout.")
    default = "bfloat16" if chosen else "float32"
    try:
        pipe = MiragePipeline.from_pretrained(model, dtype=getattr(torch, dtype or default), **options)
    except OSError as error:
        raise ValueError(f"--model {model} is no folder here and no Hub repository that answers. Check it.") from error
    if few_steps:
        pipe.use_few_steps(few_steps)
    if chosen:
        from pipelines import profiles

        profiles.apply(pipe, chosen, "cuda" if on_gpu else "cpu", first_block_cache)
        print(f"profile {chosen.name}: {chosen.what}", file=sys.stderr)
    return pipe


def choose(model: str, profile: str, size: tuple[int, int] | None, more: int = 0):
    """The profile of this name, or, for "auto", the fastest that fits into the GPU's free memory with `more` bytes."""
    import torch

    from pipelines import profiles
    from pipelines.hub import local_folder

    if profile != "auto":
        return profiles.profile_named(profile)
    costs = profiles.costs_of(local_folder(model), *(size or (None, None)), frames=None)
    return profiles.choose_profile(torch.cuda.mem_get_info()[0] - more, costs)

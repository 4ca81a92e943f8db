"""The one way a model comes up, for the command line and the studio: how it will run is known before it is fetched.

No torch here until a model is asked for.
"""

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import Refused
from pipelines.large.families import FewSteps
from pipelines.large.profiles import Profile, apply, check, check_cache, profile_named
from pipelines.weights.hub import CONFIGURATIONS, REPOSITORY_FILE, local_file, local_folder, read_index
from pipelines.weights.progress import reporting_to

if TYPE_CHECKING:
    from pipelines.pipeline_mirage import MiragePipeline

EMBEDDED = "embedded"  # the model that ships with the project
DEVICES, DTYPES = ("auto", "cpu", "cuda"), ("bfloat16", "float32")


@dataclass(frozen=True)
class Setup:
    """How a large model runs. device: "cpu" or "cuda". profile: None for plain weights in the processor's memory.

    free_bytes: of GPU memory, for which the profile was chosen; None where the profile was named.
    """

    device: str
    profile: Profile | None = None
    free_bytes: int | None = None


def choose_setup(
    model: str,
    device: str = "auto",
    profile: str | None = None,
    size: tuple[int, int] | None = None,
    reserved_bytes: int = 0,
) -> Setup:
    """How the large model of a folder or repository will run: on the GPU, if there is one, and in which profile.

    Only its configuration files are fetched. profile: a name; None or "auto": the fastest that fits a clip of `size`,
    (height, width) in pixels, into the GPU memory that is free, less `reserved_bytes`. Raises FetchError,
    ProfileError, or another ValueError for a device or a folder that cannot be used.
    """
    with reporting_to(None):  # a few kilobytes
        folder = local_folder(model, CONFIGURATIONS)
    read_index(folder, model)
    import torch

    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise Refused("--device cuda: torch sees no GPU here. Use --device cpu, or install a build of torch for it.")
    device = "cuda" if has_gpu and device != "cpu" else "cpu"
    if profile == "auto" and device == "cpu":
        raise Refused("--profile auto looks at the GPU's free memory, and there is none. Name one, or leave it out.")
    if profile is None and device == "cpu":
        return Setup(device)
    from pipelines.large.configurations import read_model
    from pipelines.large.costs import choose_profile
    from pipelines.large.counting import costs_of

    if profile in (None, "auto"):
        free_bytes = torch.cuda.mem_get_info()[0]
        costs = costs_of(folder, *(size or (None, None)), frames=None)
        return Setup(device, choose_profile(free_bytes - reserved_bytes, costs), free_bytes)
    chosen = profile_named(profile)
    check(chosen, read_model(folder).kept, device)
    return Setup(device, chosen)


def load_large(
    model: str,
    setup: Setup,
    dtype: str | None = None,
    first_block_cache: float | None = None,
    few_steps: FewSteps | None = None,
    **options: Any,
) -> "MiragePipeline":
    """The large pipeline of a folder or repository, fetched where it is not here yet, running as `setup` says.

    dtype: "bfloat16" or "float32"; None: bfloat16 in a profile, else float32. first_block_cache: a share, see
    docs/large-engine.md; only in a profile. options: further ones of `MiragePipeline.from_pretrained`.
    """
    import torch

    from pipelines.pipeline_mirage import MiragePipeline

    dtype = getattr(torch, dtype or ("bfloat16" if setup.profile else "float32"))
    pipe = MiragePipeline.from_pretrained(model, dtype=dtype, **options)
    if few_steps:
        pipe.use_few_steps(few_steps)
    if setup.profile:
        apply(pipe, setup.profile, setup.device, first_block_cache)
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

    The embedded one runs on the CPU. A large one runs as `choose_setup` says; its profile is printed on stderr.
    options: further ones of `MiragePipeline.from_pretrained`. Raises ValueError for a device, profile or model that
    cannot be used.
    """
    if model == EMBEDDED:
        for_large_models = {
            "--device cuda": device == "cuda",
            f"--dtype {dtype}": dtype,
            f"--profile {profile}": profile,
            "--few-step-lora": few_steps,
            "--first-block-cache": first_block_cache is not None,
        }
        if option := next((option for option, is_given in for_large_models.items() if is_given), None):
            raise Refused("{option} is for large models; the embedded one needs no GPU. Leave it out.", option=option)
    setup = None if model == EMBEDDED else choose_setup(model, device, profile, size, lora_bytes(few_steps))
    if first_block_cache is not None and not setup.profile:
        raise Refused("--first-block-cache goes with a profile. Give one, for example --profile resident.")
    check_cache(first_block_cache)
    import diffusers

    diffusers.utils.logging.disable_progress_bar()  # two files in half a second
    if setup is None:
        from pipelines.pipeline_mirage import MiragePipeline

        return MiragePipeline.embedded(**options)
    pipe = load_large(model, setup, dtype, first_block_cache, few_steps, **options)
    if setup.profile:
        print(f"profile {setup.profile.name}: {setup.profile.what}", file=sys.stderr)
    return pipe


# ---- values as text, on the command line and in the environment -------------------------------------------------


def parse_values(option: str, texts: list[str]) -> dict[str, Any]:
    """Texts NAME=VALUE -> values by name, each a number where it reads as one. option: names them in errors."""
    values = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise Refused(
                "{option} {text} must be NAME=VALUE, for example {option} strength=0.5.", option=option, text=text
            )
        try:
            values[name] = float(value)
        except ValueError:
            values[name] = value
    return values


def parse_few_steps(file: str, option: str, texts: list[str]) -> FewSteps:
    """A LoRA for few steps, and how it is sampled, as texts NAME=VALUE.

    file: a path, or on the Hub team/name/FILE.safetensors. option: names the texts in errors. Raises ValueError.
    """
    values = parse_values(option, texts)
    known = [field.name for field in fields(FewSteps) if field.name != "file"]
    if unknown := sorted(values.keys() - set(known)):
        allowed = ", ".join(known)
        raise Refused(
            "{option} {name} is unknown. Use one of {allowed}.", option=option, name=unknown[0], allowed=allowed
        )
    if not Path(file).is_file() and not REPOSITORY_FILE.fullmatch(file):
        raise Refused(
            "{file} is no file here, nor one on the Hub (team/name/FILE.safetensors). Check it.",
            file=file,
        )
    return FewSteps(file, **values)


def lora_bytes(few_steps: FewSteps | None) -> int:
    """Size of its file, which is fetched where it is not here yet; 0 where there is none."""
    return local_file(few_steps.file).stat().st_size if few_steps else 0

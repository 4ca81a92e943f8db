"""Ways to fit the large engine into a GPU: one table of them, and how one is applied. No torch until it is.

What each needs, and which is the fastest that fits, is in pipelines/large/costs.py.
"""

import importlib.util
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import Refused
from pipelines.weights.gguf_kinds import GGUF_KINDS

if TYPE_CHECKING:
    import torch

TILE, TILE_OVERLAP = 512, 128  # pixels; at 704x1280 six tiles of 416x512, which decode 1.4 times the picture


class ProfileError(Refused):
    """A profile that cannot be used, or none that fits."""


@dataclass(frozen=True)
class Profile:
    """One way to run. Where weights are: "gpu" all the time; "layers" or "blocks", streamed through the GPU as they
    are needed; "turns", on the GPU for as long as their model works. storage: of the transformer's weights, those in
    GGUF_KINDS only where a folder was converted so; it always computes in bfloat16. tiles: the autoencoder sees
    one tile of a picture at a time, which changes pixels a little. requires: a package that must be installed.
    """

    name: str
    what: str
    transformer: str = "gpu"
    text_encoder: str = "layers"
    vae: str = "gpu"
    storage: str = "bfloat16"
    tiles: bool = False
    requires: str | None = None


# The fastest first, by what is done twice, moved or converted: the text encoder once a prompt, rims of tiles, the
# precision of weights in each step, models in each chunk, all blocks in each step. Not timed yet.
GGUF = {"tiles": True, "requires": "gguf"}
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("resident", "all but the text encoder stays on the GPU, bfloat16"),
        Profile("tiled", "resident, the autoencoder works tile by tile", tiles=True),
        Profile("float8", "tiled, the transformer's weights kept in eight bits", storage="float8", tiles=True),
        Profile("int8", "tiled, linear weights in eight-bit integers", storage="int8", tiles=True, requires="torchao"),
        Profile("gguf-q8", "tiled, matrices in blocks of eight bits: convert --gguf q8_0", **GGUF, storage="q8_0"),
        Profile("gguf-q4", "tiled, matrices in blocks of four bits: convert --gguf q4_0", **GGUF, storage="q4_0"),
        Profile("model-offload", "text encoder, transformer, autoencoder take turns", "turns", "turns", "turns"),
        Profile("group-offload", "tiled, the transformer's blocks stream through in each step", "blocks", tiles=True),
    )
}


def profile_named(name: str) -> Profile:
    """Raises ProfileError for a name that is not known."""
    if name not in PROFILES:
        allowed = ", ".join(PROFILES)
        raise ProfileError("profile {name!r} is unknown. Use one of {allowed}.", name=name, allowed=allowed)
    return PROFILES[name]


def is_available(profile: Profile) -> bool:
    """Whether the package that a profile requires is installed."""
    return profile.requires is None or importlib.util.find_spec(profile.requires) is not None


def suits(profile: Profile, kept: str) -> bool:
    """Whether weights that a folder keeps in storage `kept` can run in a profile: those in blocks stay as they are."""
    return profile.storage == kept or not {profile.storage, kept} & set(GGUF_KINDS)


def check(profile: Profile, kept: str, device: str) -> None:
    """Raise ProfileError unless weights in storage `kept` can run in this profile on a device, "cpu" or "cuda"."""
    name = profile.name
    if not is_available(profile):
        raise ProfileError(
            "profile {name!r} needs the package {package}. Install it, or use float8.",
            name=name,
            package=profile.requires,
        )
    if profile.transformer == "turns" and device == "cpu":
        raise ProfileError("profile {name!r} needs a GPU to take turns on. On a CPU use resident.", name=name)
    if suits(profile, kept):
        return
    if kept in GGUF_KINDS:
        only = next(other.name for other in PROFILES.values() if other.storage == kept)
        raise ProfileError(
            "profile {name!r} does not suit this model: its weights are kept as {kept}, which run as {only} only. "
            "Use {only}, or convert again without --gguf.",
            name=name,
            kept=kept,
            only=only,
        )
    raise ProfileError(
        "profile {name!r} does not suit weights kept as {kept}. Convert with --gguf {storage}.",
        name=name,
        kept=kept,
        storage=profile.storage,
    )


def check_cache(threshold: float | None) -> None:
    """Raise ProfileError for a threshold of the first-block cache that is no share from 0."""
    if threshold is not None and not 0 <= threshold < math.inf:
        raise ProfileError(
            "first-block cache {threshold} must be a share from 0. Use 0.05 to 0.2.", threshold=threshold
        )


def apply(pipe, profile: Profile | str, device: "str | torch.device" = "cuda", first_block_cache: float | None = None):
    """Put a freshly loaded large pipeline (dtype=torch.bfloat16) where the profile says; returns the profile.

    By diffusers' own means: layerwise casting, group offloading with a stream on CUDA, model offloading, TorchAO.
    first_block_cache: skip a step's later blocks where the first one changes by a smaller share than this, 0.05 to 0.2;
    faster, and the picture changes, so no profile does it on its own. Recipes of clips name the profile and the cache.
    Raises ProfileError where the profile cannot be had.
    """
    import torch

    from pipelines.weights.gguf import kind_in

    profile = profile_named(profile) if isinstance(profile, str) else profile
    device = torch.device(device)
    if getattr(pipe, "transformer", None) is None:
        raise ProfileError("Profiles are for the large engine; the embedded one needs no GPU. Leave the profile out.")
    check(profile, kind_in(pipe.transformer) or "bfloat16", device.type)
    check_cache(first_block_cache)
    use_tiles(pipe.vae) if profile.tiles else pipe.vae.disable_tiling()
    store_as(pipe.transformer, profile.storage)
    if first_block_cache is not None:
        from diffusers import FirstBlockCacheConfig

        pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=first_block_cache))
    skipped = {} if first_block_cache is None else {"first_block_cache": first_block_cache}
    pipe.profile = {"name": profile.name, "dtype": str(pipe.transformer.dtype).removeprefix("torch."), **skipped}
    pipe.move_helpers(device)
    if profile.transformer == "turns":
        pipe.enable_model_cpu_offload(device=device)
        return profile
    for part in ("text_encoder", "transformer", "vae"):
        put(getattr(pipe, part), getattr(profile, part), device)
    return profile


def store_as(transformer: "torch.nn.Module", storage: str) -> None:
    """Keep the weights of a bfloat16 transformer in "float8" or "int8"; any other storage is what they have already."""
    if storage == "float8":
        import torch

        transformer.enable_layerwise_casting(torch.float8_e4m3fn, transformer.dtype)
    elif storage == "int8":
        from torchao.quantization import Int8WeightOnlyConfig, quantize_

        quantize_(transformer, Int8WeightOnlyConfig())


def use_tiles(vae: "torch.nn.Module") -> None:
    """Have the autoencoder work tile by tile: squares of TILE pixels that overlap by TILE_OVERLAP."""
    vae.enable_tiling(TILE, TILE, TILE - TILE_OVERLAP, TILE - TILE_OVERLAP)


def put(module: "torch.nn.Module", way: str, device: "torch.device") -> None:
    """Put a model on the device: "gpu" for good; "layers" or "blocks", group by group as they are needed."""
    import torch
    from diffusers.hooks import apply_group_offloading

    if way == "gpu":
        module.to(device)
        return
    options: dict[str, Any] = {"offload_type": "leaf_level"}
    if way == "blocks":
        options = {"offload_type": "block_level", "num_blocks_per_group": 1}
    options["use_stream"] = device.type == "cuda"  # the next group travels while this one computes
    apply_group_offloading(module, onload_device=device, offload_device=torch.device("cpu"), **options)

"""Ways to fit the large engine into a GPU: one table, what each way needs, and the fastest that fits.

What is needed is computed, not measured: weights are counted on the meta device at the precision they are kept in, and
for what is alive between them the transformer, the autoencoder and the text encoder are run there, where tensors have
sizes and no values (`peak_bytes`). Attention is taken for a fused one, which keeps no table of all pairs. What CUDA
itself and a fragmented allocator take is CONTEXT, a guess. Until a GPU has measured them, these are estimates.
"""

import importlib.util
import json
import math
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pipelines.layouts import DEFAULT_LAYOUT, LORA_FILE, LORA_FOLDER, layout_named

GIB = 2**30
CONTEXT = 1 * GIB
HEIGHT, WIDTH, FRAMES = 704, 1280, 33
COMPUTE = torch.bfloat16
MAX_TOKENS = 512


@dataclass(frozen=True)
class Profile:
    """One way to run. Where weights are: "gpu" all the time; "layers" or "blocks", streamed through the GPU as they
    are needed; "turns", on the GPU for as long as their model works. storage: of the transformer's weights; it always
    computes in bfloat16. requires: a package that must be installed.
    """

    name: str
    what: str
    transformer: str = "gpu"
    text_encoder: str = "layers"
    vae: str = "gpu"
    storage: str = "bfloat16"
    requires: str | None = None


# The fastest first, by what has to be moved or converted: nothing, the text encoder once a clip, each weight's
# precision in each step, whole models in each chunk, all blocks in each step. Not timed yet.
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("resident", "everything on the GPU, bfloat16", text_encoder="gpu"),
        Profile("text-aside", "as resident, but the text encoder streams through once for each prompt"),
        Profile("float8", "text-aside, the transformer's weights kept in eight bits", storage="float8"),
        Profile("int8", "text-aside, linear weights in eight-bit integers", storage="int8", requires="torchao"),
        Profile("model-offload", "text encoder, transformer, autoencoder take turns", "turns", "turns", "turns"),
        Profile("group-offload", "the transformer's blocks stream through in each step", "blocks"),
    )
}


@dataclass(frozen=True)
class Costs:
    """Bytes of a model's parts: weights by part, the transformer's by storage; the largest block or layer, of which
    two are on the GPU while they stream; and what is alive beside the weights while a part works."""

    text_encoder: int
    transformer: dict[str, int]
    vae: int
    block: int
    layer: int
    alive: dict[str, int]


# ---- what a profile needs ---------------------------------------------------------------------------------------


def needed_bytes(profile: Profile, costs: Costs) -> int:
    """VRAM at the worst moment of a clip, CONTEXT included; an estimate."""
    weights = {
        "text_encoder": costs.text_encoder,
        "transformer": costs.transformer[profile.storage],
        "vae": costs.vae,
    }
    streamed = {"layers": 2 * costs.layer, "blocks": 2 * costs.block}
    always = sum(size for part, size in weights.items() if getattr(profile, part) == "gpu")

    def now(part: str) -> int:
        way = getattr(profile, part)
        if way == "turns":  # a model goes when the next in line starts, and after the autoencoder none does
            return costs.alive[part] + weights[part] + (weights["vae"] if part != "vae" else 0)
        return costs.alive[part] + streamed.get(way, 0)

    return CONTEXT + always + max(map(now, weights))


def choose_profile(free_bytes: int, costs: Costs) -> Profile:
    """The fastest profile that fits into so much free VRAM (torch.cuda.mem_get_info()[0]).

    Raises ValueError that says how much is missing where none does.
    """
    possible = [profile for profile in PROFILES.values() if is_available(profile)]
    for profile in possible:
        if needed_bytes(profile, costs) <= free_bytes:
            return profile
    least = min(possible, key=lambda profile: needed_bytes(profile, costs))
    needed = needed_bytes(least, costs)
    raise ValueError(
        f"{free_bytes / GIB:.1f} GiB of GPU memory are free, and {least.name}, which needs least, takes about "
        f"{needed / GIB:.1f} GiB: {(needed - free_bytes) / GIB:.1f} GiB are missing. Free some, make the clip smaller, "
        "or use the embedded model."
    )


def profile_named(name: str) -> Profile:
    if name not in PROFILES:
        raise ValueError(f"profile {name!r} is unknown. Use one of {', '.join(PROFILES)}.")
    return PROFILES[name]


def is_available(profile: Profile) -> bool:
    return profile.requires is None or importlib.util.find_spec(profile.requires) is not None


# ---- applying one -----------------------------------------------------------------------------------------------


def apply(pipe, profile: Profile | str, device: str | torch.device = "cuda", first_block_cache: float | None = None):
    """Put a freshly loaded large pipeline (torch_dtype=torch.bfloat16) where the profile says; returns the profile.

    By diffusers' own means: layerwise casting, group offloading with a stream on CUDA, model offloading, TorchAO.
    first_block_cache: skip a step's later blocks where the first one changes by a smaller share than this, 0.05 to 0.2;
    faster, and the picture changes, so no profile does it unasked. Raises ValueError where the profile cannot be had.
    """
    profile = profile_named(profile) if isinstance(profile, str) else profile
    device = torch.device(device)
    if getattr(pipe, "transformer", None) is None:
        raise ValueError("Profiles are for the large engine; the embedded one needs no GPU. Leave the profile out.")
    if not is_available(profile):
        raise ValueError(f"profile {profile.name!r} needs the package {profile.requires}. Install it, or use float8.")
    if profile.transformer == "turns" and device.type == "cpu":
        raise ValueError(f"profile {profile.name!r} needs a GPU to take turns on. On a CPU use resident.")
    stored(pipe.transformer, profile.storage)
    if first_block_cache is not None:
        from diffusers import FirstBlockCacheConfig

        pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=first_block_cache))
    if profile.transformer == "turns":
        pipe.enable_model_cpu_offload(device=device)
        return profile
    for part in ("text_encoder", "transformer", "vae"):
        place(getattr(pipe, part), getattr(profile, part), device)
    return profile


def stored(transformer: nn.Module, storage: str) -> None:
    if storage == "float8":
        transformer.enable_layerwise_casting(torch.float8_e4m3fn, transformer.dtype)
    elif storage == "int8":
        from torchao.quantization import Int8WeightOnlyConfig, quantize_

        quantize_(transformer, Int8WeightOnlyConfig())


def place(module: nn.Module, way: str, device: torch.device) -> None:
    from diffusers.hooks import apply_group_offloading

    if way == "gpu":
        module.to(device)
        return
    options: dict[str, Any] = {"offload_type": "leaf_level"}
    if way == "blocks":
        options = {"offload_type": "block_level", "num_blocks_per_group": 1}
    options["use_stream"] = device.type == "cuda"  # the next group travels while this one computes
    apply_group_offloading(module, onload_device=device, offload_device=torch.device("cpu"), **options)


# ---- counting on the meta device --------------------------------------------------------------------------------


class PeakMemory(TorchDispatchMode):
    """How many bytes of tensors made on the meta device were alive at once, at most: `peak`."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self.sizes: dict[int, int] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self._note((args, kwargs), made=False)  # a weight was there before, also where a view of it is made
        made = func(*args, **(kwargs or {}))
        self._note(made, made=True)
        return made

    def _note(self, tensors: Any, made: bool) -> None:
        for tensor in tree_leaves(tensors):
            if not isinstance(tensor, torch.Tensor) or tensor.device.type != "meta":
                continue
            storage = tensor.untyped_storage()
            key = storage._cdata
            if key not in self.sizes:  # a view has the storage of what it looks at
                self.sizes[key] = storage.nbytes() if made else 0
                self.now += self.sizes[key]
                self.peak = max(self.peak, self.now)
                weakref.finalize(storage, self._freed, key)

    def _freed(self, key: int) -> None:
        self.now -= self.sizes.pop(key)


class FusedAttention(TorchFunctionMode):
    """Attention that makes its output and nothing else, as the kernels of a GPU do."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            given = dict(zip(("query", "key", "value"), args, strict=False)) | kwargs
            return given["query"].new_empty(*given["query"].shape[:-1], given["value"].shape[-1])
        return func(*args, **kwargs)


@torch.no_grad()
def peak_bytes(work: Callable[[], Any]) -> int:
    """The most that is alive beside the weights while `work` runs on meta tensors; what it makes itself counts."""
    with FusedAttention(), PeakMemory() as memory:
        work()
    return memory.peak


def on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    """A model without values, in the precision it computes in."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(COMPUTE)
    try:
        with torch.device("meta"):
            return make().eval()
    finally:
        torch.set_default_dtype(default)


def bytes_of(module: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))


def int8_bytes(module: nn.Module) -> int:
    """With one byte for each weight of a linear layer, and a float32 scale for each of its rows."""
    linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    return bytes_of(module) - sum(x.weight.nbytes - x.weight.numel() - 4 * x.out_features for x in linear)


def costs_of(folder: str | Path, height: int = HEIGHT, width: int = WIDTH, frames: int | None = FRAMES) -> Costs:
    """What the parts of a large model weigh and need for one chunk: of its configurations only, no weights are read.

    frames: of the chunk; None: of the longest that the model's layout asks for. Raises ValueError for a folder of
    another kind.
    """
    import transformers
    from diffusers import AutoencoderKLWan

    from pipelines.transformer import MirageTransformer3DModel

    folder = Path(folder)
    try:
        index = json.loads((folder / "model_index.json").read_text())
        has_parts = all(index.get(part) for part in ("transformer", "vae", "text_encoder"))
    except (OSError, ValueError):
        has_parts = False
    if not has_parts:
        raise ValueError(f"{folder} holds no large model. Give a folder that `python -m pipelines convert` wrote.")
    layout = layout_named(index.get("layout") or DEFAULT_LAYOUT)

    config = MirageTransformer3DModel.load_config(folder, subfolder="transformer")
    config = {key: value for key, value in config.items() if not key.startswith("_")}  # stock Wan's names its class

    def make_transformer() -> nn.Module:
        return MirageTransformer3DModel.from_config(config)

    transformer, small = on_meta(make_transformer), on_meta(make_transformer)
    stored(small, "float8")
    vae_config = AutoencoderKLWan.load_config(folder, subfolder="vae")
    vae = on_meta(lambda: AutoencoderKLWan.from_config(vae_config))
    text_config = transformers.AutoConfig.from_pretrained(folder / "text_encoder")
    text_class = getattr(transformers, (text_config.architectures or ["UMT5EncoderModel"])[0])
    text_encoder = on_meta(lambda: text_class(text_config))

    lora = folder / LORA_FOLDER / LORA_FILE
    extra = lora.stat().st_size if lora.is_file() else 0  # a LoRA stays in its own precision
    layers = [layer for layer in text_encoder.modules() if not list(layer.children())]
    return Costs(
        text_encoder=bytes_of(text_encoder),
        transformer={
            "bfloat16": bytes_of(transformer) + extra,
            "float8": bytes_of(small) + extra,
            "int8": int8_bytes(transformer) + extra,
        },
        vae=bytes_of(vae),
        block=max(map(bytes_of, (*transformer.blocks, *transformer.vace_blocks))),
        layer=max(map(bytes_of, layers)),
        alive={
            "text_encoder": peak_bytes(lambda: read_text(text_encoder)),
            "transformer": peak_bytes(lambda: one_step(transformer, layout, height, width, frames)),
            "vae": max(
                encoding_bytes(vae, height, width, frames or layout.first_frames),
                peak_bytes(lambda: decode(vae, height, width)),
            ),
        },
    )


def meta(*shape: int, dtype: torch.dtype = COMPUTE) -> torch.Tensor:
    return torch.empty(shape, device="meta", dtype=dtype)


def read_text(text_encoder: nn.Module) -> None:
    # A finished mask: making one asks for values.
    text_encoder(meta(1, MAX_TOKENS, dtype=torch.long), meta(1, 1, MAX_TOKENS, MAX_TOKENS))


def one_step(transformer: nn.Module, layout, height: int, width: int, frames: int | None) -> None:
    """A denoising step of a chunk with all references and preceding latents, its control constants kept."""
    config = transformer.config
    stride = 16
    rows, columns = height // stride, width // stride
    longest = frames or max(layout.first_frames, layout.next_frames)
    targets = math.ceil((longest - 1) / layout.latent_frames) + 1
    controlled = targets + layout.num_preceding
    latents = meta(1, config.in_channels, layout.num_references + controlled, rows, columns)
    control = None
    if config.vace_layers:
        control = meta(1, transformer.vace_patch_embedding.in_channels, controlled, rows, columns)
    # Meta tensors have no values, so distinct times cannot be told apart: all frames share one.
    times = meta(1, dtype=torch.float32)
    transformer(latents, times, meta(1, MAX_TOKENS, config.text_dim), control, layout.num_references, constants={})


def encoding_bytes(vae: nn.Module, height: int, width: int, frames: int) -> int:
    """Four frames are encoded at a time: from the third time on only the video itself takes more, a straight line."""
    short, long = 13, 17
    less, more = (peak_bytes(lambda n=n: vae.encode(meta(1, 3, n, height, width))) for n in (short, long))
    return more + (more - less) * max(0, frames - long) // (long - short)


def decode(vae: nn.Module, height: int, width: int) -> None:
    """As VideoDecoder does: one latent after the other, what it remembers kept; the third is like all later."""
    stride, features = vae.config.scale_factor_spatial, [None] * vae._cached_conv_counts["decoder"]
    for i in range(3):
        latent = vae.post_quant_conv(meta(1, vae.config.z_dim, 1, height // stride, width // stride))
        vae.decoder(latent, feat_cache=features, feat_idx=[0], first_chunk=i == 0)


# ---- the table --------------------------------------------------------------------------------------------------


def table(folder: str | Path, height: int = HEIGHT, width: int = WIDTH) -> list[dict[str, Any]]:
    """One row per profile: name, what, available, and GiB for a chunk of FRAMES frames and of the layout's longest."""
    short, longest = (costs_of(folder, height, width, frames) for frames in (FRAMES, None))
    return [
        {
            "profile": profile.name,
            "what": profile.what,
            "available": is_available(profile),
            "gib": round(needed_bytes(profile, short) / GIB, 1),
            "gib_longest": round(needed_bytes(profile, longest) / GIB, 1),
        }
        for profile in PROFILES.values()
    ]


def as_table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = [
        f"| profile | what | GiB, {FRAMES} frames | GiB, longest chunk of the layout |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        missing = "" if row["available"] else f" (install {PROFILES[row['profile']].requires})"
        lines.append(f"| {row['profile']} | {row['what']}{missing} | {row['gib']} | {row['gib_longest']} |")
    return "\n".join(lines)

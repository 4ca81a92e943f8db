"""Ways to fit the large engine into a GPU: one table, what each way needs, and the fastest that fits.

What is needed is computed, not measured: weights are counted on the meta device at the precision they are kept in, and
for what is alive between them the transformer, the autoencoder and the text encoder are run there, where tensors have
sizes and no values (`metered`). Attention is taken for a fused one, which keeps no table of all pairs. What CUDA
itself and a fragmented allocator take is CONTEXT, a guess. Work is counted as operations and as bytes that go over the
bus. Until a GPU has measured them, these are estimates, and times are not known at all.
"""

import importlib.util
import json
import math
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from pipelines.conditioning import MAX_TOKENS, Tiles, VideoDecoder
from pipelines.gguf_files import KINDS, bits_of, is_kept_small, kind_in, kind_of
from pipelines.layouts import (
    DEFAULT_LAYOUT,
    LAYOUTS,
    LORA_FILE,
    LORA_FOLDER,
    LORA_RANK,
    WAN_TEXT_ENCODER,
    WAN_VAE,
    Layout,
    layout_named,
)

GIB = 2**30
CONTEXT = 1 * GIB
TILE, TILE_OVERLAP = 512, 128  # pixels; at 704x1280 six tiles of 416x512, which decode 1.4 times the picture
FRAMES = 33
COMPUTE = torch.bfloat16


@dataclass(frozen=True)
class Profile:
    """One way to run. Where weights are: "gpu" all the time; "layers" or "blocks", streamed through the GPU as they
    are needed; "turns", on the GPU for as long as their model works. storage: of the transformer's weights, those in
    gguf_files.KINDS only where a folder was converted so; it always computes in bfloat16. tiles: the autoencoder sees
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


# The fastest first, by what is done twice, moved or converted: nothing, the text encoder once a clip, rims of tiles,
# weights in each step (their precision), models in each chunk, all blocks in each step. Not timed yet.
GGUF = {"tiles": True, "requires": "gguf"}
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("resident", "everything on the GPU, bfloat16", text_encoder="gpu"),
        Profile("text-aside", "as resident, but the text encoder streams through once for each prompt"),
        Profile("tiled", "text-aside, the autoencoder works tile by tile", tiles=True),
        Profile("float8", "tiled, the transformer's weights kept in eight bits", storage="float8", tiles=True),
        Profile("int8", "tiled, linear weights in eight-bit integers", storage="int8", tiles=True, requires="torchao"),
        Profile("gguf-q8", "tiled, matrices in blocks of eight bits: convert --gguf q8_0", **GGUF, storage="q8_0"),
        Profile("gguf-q4", "tiled, matrices in blocks of four bits: convert --gguf q4_0", **GGUF, storage="q4_0"),
        Profile("model-offload", "text encoder, transformer, autoencoder take turns", "turns", "turns", "turns"),
        Profile("group-offload", "tiled, the transformer's blocks stream through in each step", "blocks", tiles=True),
    )
}


@dataclass(frozen=True)
class Costs:
    """Bytes of a model's parts: weights by part, the transformer's by storage; the largest two blocks or layers in a
    row, which are on the GPU together while they stream; and what is alive beside the weights while a part works
    ("tiles": the autoencoder on one tile). kept: the storage that the folder has. flop: operations of one chunk
    ("transformer": of all its steps; "vae", "tiles": of its decoding). passes: how often a chunk runs the transformer.
    """

    text_encoder: int
    transformer: dict[str, int]
    vae: int
    blocks: int
    layers: int
    alive: dict[str, int]
    kept: str = "bfloat16"
    flop: dict[str, float] = field(default_factory=dict)
    passes: int = 1


# ---- what a profile needs ---------------------------------------------------------------------------------------


def needed_bytes(profile: Profile, costs: Costs) -> int:
    """VRAM at the worst moment of a clip, CONTEXT included; an estimate."""
    weights = {
        "text_encoder": costs.text_encoder,
        "transformer": costs.transformer[profile.storage],
        "vae": costs.vae,
    }
    streamed = {"layers": costs.layers, "blocks": costs.blocks}
    always = sum(size for part, size in weights.items() if getattr(profile, part) == "gpu")

    def now(part: str) -> int:
        way, alive = getattr(profile, part), costs.alive["tiles" if part == "vae" and profile.tiles else part]
        if way == "turns":  # a model goes when the next in line starts, and after the autoencoder none does
            return alive + weights[part] + (weights["vae"] if part != "vae" else 0)
        return alive + streamed.get(way, 0)

    return CONTEXT + always + max(map(now, weights))


def flop_of(profile: Profile, costs: Costs) -> float:
    """Operations of one chunk, but for its text and for what is encoded."""
    return costs.flop["transformer"] + costs.flop["tiles" if profile.tiles else "vae"]


def moved_bytes(profile: Profile, costs: Costs) -> int:
    """What goes from the computer to the GPU for a clip of one chunk and one prompt, weights that stay there aside."""
    transformer = costs.transformer[profile.storage]
    times = {"gpu": 0, "turns": 1, "layers": 1, "blocks": costs.passes}
    moved = times[profile.transformer] * transformer + times[profile.text_encoder] * costs.text_encoder
    return moved + times[profile.vae] * costs.vae


def suits(profile: Profile, kept: str) -> bool:
    """Whether weights that a folder keeps so can be had as the profile wants: those in blocks stay as they are."""
    return profile.storage == kept or not {profile.storage, kept} & set(KINDS)


def choose_profile(free_bytes: int, costs: Costs) -> Profile:
    """The fastest profile that fits into so much free VRAM (torch.cuda.mem_get_info()[0]).

    Raises ValueError that says how much is missing where none does.
    """
    possible = [profile for profile in PROFILES.values() if is_available(profile) and suits(profile, costs.kept)]
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
    """Put a freshly loaded large pipeline (dtype=torch.bfloat16) where the profile says; returns the profile.

    By diffusers' own means: layerwise casting, group offloading with a stream on CUDA, model offloading, TorchAO.
    first_block_cache: skip a step's later blocks where the first one changes by a smaller share than this, 0.05 to 0.2;
    faster, and the picture changes, so no profile does it unasked. The recipe tells both. Raises ValueError where the
    profile cannot be had.
    """
    profile = profile_named(profile) if isinstance(profile, str) else profile
    device = torch.device(device)
    if getattr(pipe, "transformer", None) is None:
        raise ValueError("Profiles are for the large engine; the embedded one needs no GPU. Leave the profile out.")
    if not is_available(profile):
        raise ValueError(f"profile {profile.name!r} needs the package {profile.requires}. Install it, or use float8.")
    if profile.transformer == "turns" and device.type == "cpu":
        raise ValueError(f"profile {profile.name!r} needs a GPU to take turns on. On a CPU use resident.")
    kept = kind_in(pipe.transformer) or "bfloat16"
    if not suits(profile, kept):
        fix = f"Convert with --gguf {profile.storage}" if profile.storage in KINDS else "Use the profile for them"
        raise ValueError(f"profile {profile.name!r} does not suit weights kept as {kept}. {fix}.")
    tile(pipe.vae) if profile.tiles else pipe.vae.disable_tiling()
    stored(pipe.transformer, profile.storage)
    if first_block_cache is not None:
        from diffusers import FirstBlockCacheConfig

        pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=first_block_cache))
    skipped = {} if first_block_cache is None else {"first_block_cache": first_block_cache}
    pipe.profile = {"name": profile.name, "dtype": str(pipe.transformer.dtype).removeprefix("torch."), **skipped}
    pipe.take_along(device)
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


def tile(vae: nn.Module) -> None:
    vae.enable_tiling(TILE, TILE, TILE - TILE_OVERLAP, TILE - TILE_OVERLAP)


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


class Meter(TorchDispatchMode):
    """What is done on the meta device: how many bytes of tensors made there were alive at once, at most (`peak`), and
    operations (`flop`)."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self.flop = 0.0
        self.sizes: dict[int, int] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self._note((args, kwargs), made=False)  # a weight was there before, also where a view of it is made
        made = func(*args, **kwargs)
        self._note(made, made=True)
        if count := flop_registry.get(func._overloadpacket):
            self.flop += count(*args, **kwargs, out_val=made)
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

    def __init__(self, meter: Meter):
        super().__init__()
        self.meter = meter

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            given = dict(zip(("query", "key", "value"), args, strict=False)) | kwargs
            query, key, value = (given[name] for name in ("query", "key", "value"))
            pairs = math.prod(query.shape[:-1]) * key.shape[-2]
            self.meter.flop += 2 * pairs * (query.shape[-1] + value.shape[-1])
            return query.new_empty(*query.shape[:-1], value.shape[-1])
        return func(*args, **kwargs)


@torch.no_grad()
def metered(work: Callable[[Meter], Any]) -> Meter:
    """What `work` takes on meta tensors, beside the weights; what it makes itself counts. It is given the meter."""
    with Meter() as meter, FusedAttention(meter):
        work(meter)
    return meter


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


def two_in_a_row(modules: list[nn.Module]) -> int:
    sizes = [bytes_of(module) for module in modules]
    return max(map(sum, pairwise([*sizes, 0])))


def int8_bytes(module: nn.Module) -> int:
    """With one byte for each weight of a linear layer, and a float32 scale for each of its rows."""
    linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    return bytes_of(module) - sum(x.weight.nbytes - x.weight.numel() - 4 * x.out_features for x in linear)


def gguf_bytes(module: nn.Module, kind: str) -> int:
    small = [tensor for name, tensor in module.named_parameters() if is_kept_small(name, tuple(tensor.shape))]
    return bytes_of(module) - sum(tensor.nbytes - int(tensor.numel() * bits_of(kind) / 8) for tensor in small)


@dataclass(frozen=True)
class Model:
    """What a large model is made of: layout, configurations of its parts, bytes of its LoRA, storage of its weights."""

    layout: Layout
    transformer: dict[str, Any]
    vae: dict[str, Any]
    text_encoder: Any  # of transformers
    lora: int | None = None
    kept: str = "bfloat16"


def released(layout: Layout) -> Model:
    """A family's weights as they are released, at full size."""
    from transformers import UMT5Config

    from pipelines.convert import evenly

    transformer = {"vace_layers": evenly(layout.control_blocks, 30)}
    return Model(layout, transformer, WAN_VAE, UMT5Config(**WAN_TEXT_ENCODER, architectures=["UMT5EncoderModel"]))


def read_model(folder: str | Path) -> Model:
    """A folder's configurations; no weights are read. Raises ValueError for a folder of another kind."""
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
    config = MirageTransformer3DModel.load_config(folder, subfolder="transformer")
    lora = folder / LORA_FOLDER / LORA_FILE
    return Model(
        layout_named(index.get("layout") or DEFAULT_LAYOUT),
        {key: value for key, value in config.items() if not key.startswith("_")},  # stock Wan's names its class
        AutoencoderKLWan.load_config(folder, subfolder="vae"),
        transformers.AutoConfig.from_pretrained(folder / "text_encoder"),
        lora.stat().st_size if lora.is_file() else 0,
        kind_of(folder / "transformer") or "bfloat16",
    )


def costs_of(
    model: "str | Path | Model", height: int | None = None, width: int | None = None, frames: int | None = FRAMES
) -> Costs:
    """What the parts of a large model weigh and need for one chunk: of its configurations only, no weights are read.

    model: a folder; height, width: pixels, None: the layout's; frames: of the chunk, None: of the longest that the
    layout asks for. Raises ValueError for a folder of another kind.
    """
    import transformers
    from diffusers import AutoencoderKLWan

    from pipelines.transformer import MirageTransformer3DModel

    model = model if isinstance(model, Model) else read_model(model)
    layout = model.layout
    height, width = height or layout.height, width or layout.width

    def make_transformer() -> nn.Module:
        return MirageTransformer3DModel.from_config(model.transformer)

    transformer, small = on_meta(make_transformer), on_meta(make_transformer)
    stored(small, "float8")
    vae = on_meta(lambda: AutoencoderKLWan.from_config(model.vae))
    text_class = getattr(transformers, (model.text_encoder.architectures or ["UMT5EncoderModel"])[0])
    text_encoder = on_meta(lambda: text_class(model.text_encoder))

    longest = frames or max(layout.first_frames, layout.next_frames)
    latents, tiles = 1 + math.ceil((longest - 1) / layout.latent_frames), tiles_of(vae, height, width)
    tile_height, tile_width = (tiles.stride * (axis.stop - axis.start) for axis in tiles.parts[0])
    extra = lora_bytes(transformer) if model.lora is None else model.lora  # a LoRA stays in its own precision
    passes = layout.num_inference_steps * (1 if layout.guidance_scale == 1 else 2)
    leaves = [layer for layer in text_encoder.modules() if not list(layer.children())]
    layers = list({next(layer.parameters(), None): layer for layer in leaves}.values())  # some share their weights

    step = metered(lambda _: one_step(transformer, layout, height, width, latents))
    whole = seen(vae, height, width, longest, latents)
    tile = whole if len(tiles) == 1 else seen(vae, tile_height, tile_width, longest, latents)
    return Costs(
        text_encoder=bytes_of(text_encoder),
        transformer={
            "bfloat16": bytes_of(transformer) + extra,
            "float8": bytes_of(small) + extra,
            "int8": int8_bytes(transformer) + extra,
            **{kind: gguf_bytes(transformer, kind) + extra for kind in KINDS},
        },
        vae=bytes_of(vae),
        blocks=two_in_a_row([*getattr(transformer, "vace_blocks", ()), *transformer.blocks]),
        layers=two_in_a_row(layers),
        alive={
            "text_encoder": metered(lambda _: read_text(text_encoder)).peak,
            "transformer": step.peak,
            "vae": whole[0],
            "tiles": tile[0],
        },
        kept=model.kept,
        flop={"transformer": passes * step.flop, "vae": whole[1], "tiles": len(tiles) * tile[1]},
        passes=passes,
    )


def meta(*shape: int, dtype: torch.dtype = COMPUTE) -> torch.Tensor:
    return torch.empty(shape, device="meta", dtype=dtype)


def read_text(text_encoder: nn.Module) -> None:
    # A finished mask: making one asks for values.
    text_encoder(meta(1, MAX_TOKENS, dtype=torch.long), meta(1, 1, MAX_TOKENS, MAX_TOKENS))


def one_step(transformer: nn.Module, layout: Layout, height: int, width: int, targets: int) -> None:
    """A denoising step of a chunk with all references and preceding latents, its control constants kept."""
    config = transformer.config
    stride = 16
    rows, columns = height // stride, width // stride
    controlled = targets + layout.num_preceding
    latents = meta(1, config.in_channels, layout.num_references + controlled, rows, columns)
    control = None
    if config.vace_layers:
        control = meta(1, transformer.vace_patch_embedding.in_channels, controlled, rows, columns)
    # Meta tensors have no values, so distinct times cannot be told apart: all frames share one.
    times = meta(1, dtype=torch.float32)
    transformer(latents, times, meta(1, MAX_TOKENS, config.text_dim), control, layout.num_references, constants={})


def lora_bytes(transformer: nn.Module) -> int:
    """Of the released rank, on all linear layers of the blocks."""
    linear = [layer for layer in transformer.blocks.modules() if isinstance(layer, nn.Linear)]
    return sum(COMPUTE.itemsize * LORA_RANK * (layer.in_features + layer.out_features) for layer in linear)


def tiles_of(vae: nn.Module, height: int, width: int) -> Tiles:
    """The tiles that `tile` makes of a picture."""
    stride = vae.config.scale_factor_spatial
    tile(vae)
    tiles = Tiles(vae, height // stride, width // stride)
    vae.disable_tiling()
    return tiles


def seen(vae: nn.Module, height: int, width: int, frames: int, latents: int) -> tuple[int, float]:
    """What the autoencoder takes for a picture or a tile of this size: bytes at most, operations of decoding."""
    decoding = []
    meter = metered(lambda meter: decode(vae, height, width, lambda: decoding.append(meter.flop)))
    _, second, third = decoding  # all later ones are like the third
    flop = decoding[latents - 1] if latents < 3 else third + (latents - 3) * (third - second)
    return max(encoding_bytes(vae, height, width, frames), meter.peak), flop


def encoding_bytes(vae: nn.Module, height: int, width: int, frames: int) -> int:
    """Four frames are encoded at a time: from the third time on only the video itself takes more, a straight line."""
    short, long = 9, 13
    less, more = (metered(lambda _, n=n: vae.encode(meta(1, 3, n, height, width))).peak for n in (short, long))
    return more + (more - less) * max(0, frames - long) // (long - short)


def decode(vae: nn.Module, height: int, width: int, after_each: Callable[[], Any]) -> None:
    """Three latents one after the other as `VideoDecoder` does, what it remembers kept."""
    stride = vae.config.scale_factor_spatial
    for _ in VideoDecoder(vae).videos(meta(vae.config.z_dim, 3, height // stride, width // stride)):
        after_each()


# ---- the table --------------------------------------------------------------------------------------------------


def table(model: str | Path | None = None, height: int | None = None, width: int | None = None) -> list[dict[str, Any]]:
    """One row per profile of a folder, or, if None, of every released family at full size.

    layout, profile, what, available; gib and gib_longest: for a chunk of FRAMES frames and of the layout's longest;
    tflop of the former, and gib_moved to the GPU for a clip of it.
    """
    models = [released(layout) for layout in LAYOUTS.values()] if model is None else [read_model(model)]
    rows = []
    for each in models:
        short, longest = (costs_of(each, height, width, frames) for frames in (FRAMES, None))
        for profile in PROFILES.values():
            if model is not None and not suits(profile, each.kept) and each.kept in KINDS:
                continue  # weights in blocks cannot be had otherwise
            rows.append(
                {
                    "layout": each.layout.name,
                    "profile": profile.name,
                    "what": profile.what,
                    "available": is_available(profile) and (model is None or suits(profile, each.kept)),
                    "gib": round(needed_bytes(profile, short) / GIB, 1),
                    "gib_longest": round(needed_bytes(profile, longest) / GIB, 1),
                    "tflop": round(flop_of(profile, short) / 1e12, 3),
                    "gib_moved": round(moved_bytes(profile, short) / GIB, 1),
                }
            )
    return rows


def as_table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    columns = ["profile", "what", f"GiB, {FRAMES} frames", "GiB, longest chunk", "TFLOP, chunk", "GiB moved"]
    lines = []
    for layout in dict.fromkeys(row["layout"] for row in rows):
        lines += ["", f"{layout}:", "", "| " + " | ".join(columns) + " |", "| --- " * len(columns) + "|"]
        for row in (row for row in rows if row["layout"] == layout):
            profile = PROFILES[row["profile"]]
            missing = "" if is_available(profile) else f" (install {profile.requires})"
            figures = [f"{row[name]:g}" for name in ("gib", "gib_longest", "tflop", "gib_moved")]
            lines.append(f"| {row['profile']} | {row['what']}{missing} | " + " | ".join(figures) + " |")
    return "\n".join([*lines[1:], "", "Estimates; no GPU has timed or measured them yet."])

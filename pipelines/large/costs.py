"""What a large model needs in each profile (profiles.py), from its configurations alone: no weights are read.

What is needed is computed, not measured: weights are counted on the meta device at the precision they are kept in, and
for what is alive between them the transformer, the autoencoder and the text encoder are run there
(pipelines/large/metering.py). What CUDA itself and a fragmented allocator take is CONTEXT, a guess. Work is counted as
operations and as bytes that go over the bus; what these take at a card's full speed is the least that a chunk can
take. Until a GPU has measured them, all of this is estimated.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pipelines.files import read_json
from pipelines.large.control import MAX_TOKENS, Tiles, VideoDecoder
from pipelines.large.families import (
    CONVERSION,
    DEFAULT_LAYOUT,
    GGUF_KINDS,
    LAYOUTS,
    LORA_FILE,
    LORA_FOLDER,
    LORA_RANK,
    WAN_TEXT_ENCODER,
    WAN_VAE,
    Layout,
    layout_named,
)
from pipelines.large.metering import COMPUTE, bytes_of, meta, metered, on_meta
from pipelines.large.profiles import PROFILES, Profile, ProfileError, is_available, stored, suits, tile
from pipelines.weights.gguf import bits_of, is_kept_small, kind_of
from pipelines.weights.hub import CONFIGURATIONS, local_folder

GIB = 2**30
CONTEXT = 1 * GIB
FRAMES = 33

# Cards: operations per second in bfloat16 with float32 sums, bytes per second over the bus. NVIDIA's own figures: H100
# SXM data sheet (989 TFLOPS without sparsity, PCIe 5 x16), Ada architecture whitepaper (165, PCIe 4 x16).
CARDS = {"H100": (989e12, 64e9), "RTX 4090": (165e12, 32e9)}


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


def least_seconds(profile: Profile, costs: Costs, card: str) -> float:
    """What one chunk takes at least on one of CARDS: all its work at full speed, while everything moved travels."""
    flop_per_second, bytes_per_second = CARDS[card]
    return max(flop_of(profile, costs) / flop_per_second, moved_bytes(profile, costs) / bytes_per_second)


def choose_profile(free_bytes: int, costs: Costs) -> Profile:
    """The fastest profile that fits into so much free VRAM (torch.cuda.mem_get_info()[0]).

    Raises ProfileError that says how much is missing where none does.
    """
    possible = [profile for profile in PROFILES.values() if is_available(profile) and suits(profile, costs.kept)]
    for profile in possible:
        if needed_bytes(profile, costs) <= free_bytes:
            return profile
    least = min(possible, key=lambda profile: needed_bytes(profile, costs))
    needed, free = needed_bytes(least, costs) / GIB, free_bytes / GIB
    raise ProfileError("small", name=least.name, free=free, needed=needed, missing=needed - free)


# ---- what there is to count -------------------------------------------------------------------------------------


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

    from pipelines.large.convert import evenly

    transformer = {"vace_layers": evenly(layout.control_blocks, 30)}
    return Model(layout, transformer, WAN_VAE, UMT5Config(**WAN_TEXT_ENCODER, architectures=["UMT5EncoderModel"]))


def read_model(folder: str | Path) -> Model:
    """A folder's configurations; no weights are read, nor need they be there (`weights.hub.CONFIGURATIONS` must).

    Raises ValueError for a folder of another kind.
    """
    import transformers
    from diffusers import AutoencoderKLWan

    from pipelines.large.transformer import MirageTransformer3DModel

    folder = Path(folder)
    try:
        index = read_json(folder / "model_index.json")
        has_parts = all(index.get(part) for part in ("transformer", "vae", "text_encoder"))
    except ValueError:
        has_parts = False
    if not has_parts:
        raise ValueError(f"{folder} holds no large model. Give a folder that `python -m pipelines convert` wrote.")
    config = MirageTransformer3DModel.load_config(folder, subfolder="transformer")
    lora, conversion = folder / LORA_FOLDER / LORA_FILE, read_conversion(folder)
    return Model(
        layout_named(index.get("layout") or DEFAULT_LAYOUT),
        {key: value for key, value in config.items() if not key.startswith("_")},  # stock Wan's names its class
        AutoencoderKLWan.load_config(folder, subfolder="vae"),
        transformers.AutoConfig.from_pretrained(folder / "text_encoder"),
        lora.stat().st_size if lora.is_file() else None if "lora" in conversion else 0,
        conversion.get("gguf") or kind_of(folder / "transformer") or "bfloat16",
    )


def read_conversion(folder: Path) -> dict[str, Any]:
    """What `convert` wrote down about a folder: it tells what files hold that are not fetched yet."""
    record = folder / CONVERSION
    return read_json(record) if record.is_file() else {}


def costs_of(
    model: "str | Path | Model", height: int | None = None, width: int | None = None, frames: int | None = FRAMES
) -> Costs:
    """What the parts of a large model weigh and need for one chunk: of its configurations only, no weights are read.

    model: a folder; height, width: pixels, None: the layout's; frames: of the chunk, None: of the longest that the
    layout asks for. Raises ValueError for a folder of another kind.
    """
    import transformers
    from diffusers import AutoencoderKLWan

    from pipelines.large.transformer import MirageTransformer3DModel

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
            **{kind: gguf_bytes(transformer, kind) + extra for kind in GGUF_KINDS},
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


# ---- the table --------------------------------------------------------------------------------------------------


def table(model: str | Path | None = None, height: int | None = None, width: int | None = None) -> list[dict[str, Any]]:
    """One row per profile of a folder or repository, or, if None, of every released family at full size.

    layout, profile, what, available; gib and gib_longest: for a chunk of FRAMES frames and of the layout's longest;
    tflop of the former, gib_moved to the GPU for a clip of it, and the least_seconds it takes, by card.
    """
    models = (
        [released(layout) for layout in LAYOUTS.values()]
        if model is None
        else [read_model(local_folder(model, CONFIGURATIONS))]
    )
    rows = []
    for each in models:
        short, longest = (costs_of(each, height, width, frames) for frames in (FRAMES, None))
        for profile in PROFILES.values():
            if model is not None and not suits(profile, each.kept) and each.kept in GGUF_KINDS:
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
                    "least_seconds": {card: round(least_seconds(profile, short, card), 3) for card in CARDS},
                }
            )
    return rows


def as_table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    columns = ["profile", "what", f"GiB, {FRAMES} frames", "GiB, longest chunk", "TFLOP", "GiB moved"]
    columns += [f"{card}, least s" for card in CARDS]
    lines = []
    for layout in dict.fromkeys(row["layout"] for row in rows):
        lines += ["", f"{layout}:", "", "| " + " | ".join(columns) + " |", "| --- " * len(columns) + "|"]
        for row in (row for row in rows if row["layout"] == layout):
            profile = PROFILES[row["profile"]]
            missing = "" if is_available(profile) else f" (install {profile.requires})"
            figures = [f"{row[name]:g}" for name in ("gib", "gib_longest", "tflop", "gib_moved")]
            figures += [f"{seconds:.3g}" for seconds in row["least_seconds"].values()]
            lines.append(f"| {row['profile']} | {row['what']}{missing} | " + " | ".join(figures) + " |")
    note = "Estimated. Seconds are a floor: a card's full speed. No GPU has measured any of it."
    return "\n".join([*lines[1:], "", note])

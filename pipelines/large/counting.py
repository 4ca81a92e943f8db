"""`costs_of`: what the parts of a large model weigh and need, counted on the meta device from its configurations.

Weights are counted at the precision they are kept in, and for what is alive between them the transformer, the
autoencoder and the text encoder are run there (metering.py).
"""

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import transformers
from diffusers import AutoencoderKLWan
from torch import nn

from pipelines.large.configurations import Model, read_model
from pipelines.large.costs import Costs
from pipelines.large.families import LORA_RANK, Layout
from pipelines.large.metering import COMPUTE, bytes_of, meta, metered, on_meta
from pipelines.large.profiles import store_as, use_tiles
from pipelines.large.text import MAX_TOKENS
from pipelines.large.tiles import Tiles
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.large.video import VideoDecoder
from pipelines.weights.gguf_kinds import GGUF_KINDS, bits_of, is_quantized

FRAMES = 33  # of a chunk, unless another number is given


def costs_of(
    model: "str | Path | Model", height: int | None = None, width: int | None = None, frames: int | None = FRAMES
) -> Costs:
    """What the parts of a large model weigh and need for one chunk: of its configurations only, no weights are read.

    model: a folder; height, width: pixels, None: the layout's; frames: of the chunk, None: of the longest that the
    layout asks for. Raises Refused (a ValueError) for a folder of another kind.
    """
    model = model if isinstance(model, Model) else read_model(model)
    layout = model.layout
    height, width = height or layout.height, width or layout.width

    def make_transformer() -> nn.Module:
        return MirageTransformer3DModel.from_config(model.transformer)

    transformer, small = on_meta(make_transformer), on_meta(make_transformer)
    store_as(small, "float8")
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
    whole = autoencoder_costs(vae, height, width, longest, latents)
    tile = whole if len(tiles) == 1 else autoencoder_costs(vae, tile_height, tile_width, longest, latents)
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
    """The tiles that `use_tiles` makes of a picture."""
    stride = vae.config.scale_factor_spatial
    use_tiles(vae)
    tiles = Tiles(vae, height // stride, width // stride)
    vae.disable_tiling()
    return tiles


def autoencoder_costs(vae: nn.Module, height: int, width: int, frames: int, latents: int) -> tuple[int, float]:
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
    small = [tensor for name, tensor in module.named_parameters() if is_quantized(name, tuple(tensor.shape))]
    return bytes_of(module) - sum(tensor.nbytes - int(tensor.numel() * bits_of(kind) / 8) for tensor in small)

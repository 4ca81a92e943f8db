"""A Wan with next to no weights, and what `convert` makes of it."""

from dataclasses import replace

import torch
from helpers import AnalyticDepth
from safetensors.torch import save_file

from pipelines import MiragePipeline
from pipelines.engines.large import LargeEngine
from pipelines.large.convert import convert
from pipelines.large.families import LAYOUTS
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.large.wan_names import to_released

BASE = "tiny-Wan2.2-TI2V-5B"  # its folder: called so, its licence is known
TINY = dict(
    num_attention_heads=2,
    attention_head_dim=12,
    in_channels=4,
    text_dim=8,
    freq_dim=16,
    ffn_dim=32,
    num_layers=3,
)
# of a few frames, for each layout
CHUNKS = {
    "spatia": dict(first_frames=13, next_frames=13, overlap_frames=5, num_references=2, num_inference_steps=2),
    "lsm-world": dict(first_frames=13, next_frames=9, num_references=2, num_preceding=1, num_inference_steps=2),
}


def tiny_text():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

    words = {word: i for i, word in enumerate(["<pad>", "</s>", "<unk>", "a", "red", "sofa", "room"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    torch.manual_seed(0)
    config = dict(d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu")
    return fast, UMT5EncoderModel(UMT5Config(vocab_size=len(words), **config)).eval()


def released_from_transformer(model):
    """The way back: state dicts of the backbone and of the control branch, under released names without prefix."""
    named = {to_released(name): tensor for name, tensor in model.state_dict().items()}
    control = {name: tensor for name, tensor in named.items() if name.startswith("vace_")}
    return {name: tensor for name, tensor in named.items() if name not in control}, control


def write_converted(root, vae):
    """Released files with a control branch and a LoRA, a Wan base, and the folder made of both, which is returned."""
    torch.manual_seed(0)
    model = MirageTransformer3DModel(**{**TINY, "in_channels": 48, "text_dim": 32, "num_layers": 4}, vace_layers=(0, 2))
    _, control = released_from_transformer(model)
    save_file({f"vace.{name}": tensor.contiguous() for name, tensor in control.items()}, root / "vace.safetensors")
    shapes = {"self_attn.q": (24, 24), "ffn.0": (32, 24)}
    lora = {}
    for name, (rows, columns) in shapes.items():
        lora[f"pipe.dit.blocks.1.{name}.lora_A.weight"] = torch.randn(4, columns)
        lora[f"pipe.dit.blocks.1.{name}.lora_B.weight"] = torch.randn(rows, 4)
    save_file(lora, root / "lora.safetensors")

    plain = MirageTransformer3DModel(**{**model.config, "vace_layers": ()})
    plain.load_state_dict(model.state_dict(), strict=False)
    tokenizer, text_encoder = tiny_text()
    base = MiragePipeline(transformer=plain, vae=vae, text_encoder=text_encoder, tokenizer=tokenizer)
    base.save_pretrained(root / BASE)
    convert(root / BASE, root / "out", root / "vace.safetensors", root / "lora.safetensors", "spatia")
    return root / "out"


def tiny_pipe(converted, layout, **changes):
    """The converted folder with chunks of a few frames and exact depth."""
    pipe = MiragePipeline.from_pretrained(converted)
    parts = pipe.transformer, pipe.vae, pipe.scheduler, pipe.text_encoder, pipe.tokenizer
    pipe.engine = LargeEngine(*parts, AnalyticDepth(), replace(LAYOUTS[layout], **{**CHUNKS[layout], **changes}))
    return pipe

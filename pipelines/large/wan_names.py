"""Names that Wan's weights, their control branches and LoRA files are released under, and diffusers' own for them."""

import re
from collections.abc import Mapping

from torch import Tensor

from pipelines.errors import Refused
from pipelines.weights.errors import misfits
from pipelines.weights.gguf import shape_of

PREFIXES = ("module.", "model.", "base_model.", "pipe.", "dit.", "vace.", "diffusion_model.", "transformer.", "lora.")

# Released names -> diffusers names, inside a block and outside of one. Wan's norm3 is diffusers' norm2: the other two
# norms of a block have no weights.
BLOCK_NAMES = {
    "modulation": "scale_shift_table",
    **{f"self_attn.{x}": f"attn1.to_{x}" for x in "qkv"},
    **{f"cross_attn.{x}": f"attn2.to_{x}" for x in "qkv"},
    "self_attn.o": "attn1.to_out.0",
    "cross_attn.o": "attn2.to_out.0",
    **{f"self_attn.norm_{x}": f"attn1.norm_{x}" for x in "qk"},
    **{f"cross_attn.norm_{x}": f"attn2.norm_{x}" for x in "qk"},
    "norm3": "norm2",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    "before_proj": "proj_in",
    "after_proj": "proj_out",
}
OUTER_NAMES = {
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
}


LORA_NAMES = {".lora_down.": ".lora_A.", ".lora_up.": ".lora_B.", ".default.weight": ".weight"}


class ConversionError(Refused):
    """Released weights that do not make up the model: what is missing, of another shape, or left over."""


def to_diffusers(name: str) -> str:
    """The diffusers name of a released one, prefixes gone. A name that is diffusers' already stays as it is."""
    while prefix := next(filter(name.startswith, PREFIXES), None):
        name = name.removeprefix(prefix)
    for old, new in LORA_NAMES.items():
        name = name.replace(old, new)
    return _renamed(name, BLOCK_NAMES, OUTER_NAMES)


def to_released(name: str) -> str:
    """The released name, without prefix, of a diffusers one."""
    return _renamed(name, *({new: old for old, new in names.items()} for names in (BLOCK_NAMES, OUTER_NAMES)))


def _renamed(name: str, block_names: Mapping[str, str], outer_names: Mapping[str, str]) -> str:
    pattern = r"((?:vace_)?blocks\.\d+\.)?(.+?)((?:\.lora_[AB])?(?:\.weight|\.bias|\.alpha))?"
    block, stem, kind = re.fullmatch(pattern, name).groups("")
    return block + (block_names if block else outer_names).get(stem, stem) + kind


def gathered(sources: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """All tensors under diffusers names; two that claim one name are an error. sources: what it is -> its tensors."""
    tensors = {}
    for source, state_dict in sources.items():
        for name, tensor in state_dict.items():
            new = to_diffusers(name)
            if new in tensors:
                raise ConversionError(
                    "{name} of the {source} is there twice, as {new}. Give each tensor once.",
                    name=name,
                    source=source,
                    new=new,
                )
            tensors[new] = tensor
    return tensors


def check_tensors(tensors: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]]) -> None:
    """Every expected tensor is there, in its shape, and no other. Raises ConversionError that lists what is wrong.

    Names are diffusers'; the error names the released ones.
    """
    missing = sorted(expected.keys() - tensors.keys())
    left_over = sorted(tensors.keys() - expected.keys())
    shapes = {name: shape_of(tensors[name]) for name in sorted(expected.keys() & tensors.keys())}
    wrong = misfits(
        missing=[to_released(name) for name in missing],
        of_another_shape=[
            f"{to_released(name)} {shape}, not {expected[name]}"
            for name, shape in shapes.items()
            if shape != expected[name]
        ],
        of_whole_numbers=[
            f"{to_released(name)} {tensors[name].dtype}" for name in shapes if not is_number(tensors[name])
        ],
        left_over=[to_released(name) for name in left_over],
    )
    if wrong:
        raise ConversionError("These weights do not make up the model. {wrong}.", wrong=wrong)


def is_number(tensor: Tensor) -> bool:
    """Whether a weight can be computed with as it is: whole numbers need scales, which these files do not hold."""
    return tensor.is_floating_point() or hasattr(tensor, "quant_shape")

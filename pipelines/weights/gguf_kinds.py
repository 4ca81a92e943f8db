"""GGUF files by name: which kinds of quantised weights there are, and which tensors of a transformer are kept so.

In a GGUF file a matrix is kept in blocks of 32 weights that share one 16-bit scale. Nothing is read or computed here
(gguf.py does), so that a profile can be chosen before torch is imported.
"""

import re
from pathlib import Path

GGUF_KINDS = (
    "q8_0",
    "q4_0",
)  # eight and four bits a weight: what convert writes; diffusers reads more
BLOCK = 32  # weights that share a scale
FILE_NAME = "diffusion_pytorch_model-{kind}.gguf"
# Matrices of the transformer blocks: 99 % of all weights.
MATRIX = re.compile(r"(vace_)?blocks\.\d+\.(attn[12]\.to_|ffn\.|proj_).*\.weight")


def kind_of(folder: Path) -> str | None:
    """The kind of a transformer folder that `convert` wrote; None if its weights are not in a GGUF file."""
    return next((kind for kind in GGUF_KINDS if (folder / FILE_NAME.format(kind=kind)).is_file()), None)


def is_quantized(name: str, shape: tuple[int, ...]) -> bool:
    """Whether a GGUF file that `convert` writes keeps the tensor `name` in blocks; all others stay as they are."""
    return bool(MATRIX.fullmatch(name)) and len(shape) == 2 and shape[1] % BLOCK == 0


def bits_of(kind: str) -> float:
    """Bits a weight, its share of the block's scale included."""
    return {"q8_0": 8, "q4_0": 4}[kind] + 16 / BLOCK

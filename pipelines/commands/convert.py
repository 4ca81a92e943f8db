"""`python -m pipelines convert`: released weights become a folder that `--model` opens."""

import argparse
from pathlib import Path

HELP = "released weights become a folder that --model opens"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--base", required=True, help="Wan 2.2 TI2V-5B in the diffusers layout: a folder, or team/name[@revision]"
    )
    parser.add_argument(
        "--vace", help="the control branch: a safetensors file, index or folder, or team/name/FILE.safetensors"
    )
    parser.add_argument("--lora", help="the LoRA, likewise")
    parser.add_argument("--lora-alpha", type=float, help="its alpha, where the file does not say (default: its rank)")
    parser.add_argument("--layout", help="spatia or lsm-world; told by the number of control blocks if left out")
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), help="of the weights; the base's if left out")
    parser.add_argument("--gguf", choices=("q8_0", "q4_0"), help="keep large matrices in eight or four bits, as GGUF")
    parser.add_argument("--out", type=Path, required=True, help="the folder, which must not exist yet")


def run(args: argparse.Namespace) -> dict:
    """Write the folder. Returns what it was made of."""
    import diffusers
    import torch

    from pipelines.large.convert import convert

    diffusers.utils.logging.set_verbosity_error()
    dtype = getattr(torch, args.dtype) if args.dtype else None
    files = args.base, args.out, args.vace, args.lora
    return convert(*files, args.layout, args.lora_alpha, dtype, args.gguf)

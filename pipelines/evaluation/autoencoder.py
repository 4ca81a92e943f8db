"""How much of a photo the embedded autoencoder keeps.

    python -m pipelines.evaluation.autoencoder --photos DIR [--model DIR]

Every photo is reduced (Lanczos, never enlarged) to the pixel count of 512x288 and of 1280x720. PSNR is over the whole
photo after rounding to 8 bits. `fine`: encode, store in half precision, decode. `shifted`: the tokens are fetched one
pixel to the right and below, half way between four tokens, which is the worst place a readout can ask for.
`coarse`: the coarse latents alone, through the fine decoder; photos come without depth, so a plain ramp from near at
the bottom to far at the top stands in. `coarse_sharpness`: mean gradient over the photo's, 1 is right.
The last line of stdout is one JSON object.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.evaluation.baselines.coarse_autoencoder import CoarseAutoencoder, coarse_folder
from pipelines.weights.shipped import EMBEDDED_FOLDER

SIZES = {"512x288": 512 * 288, "1280x720": 1280 * 720}


def load_photo(path: Path, pixels: int, multiple: int = 8) -> Tensor:
    """path -> (1, 3, H, W) in [0, 1] with about `pixels` pixels, H and W multiples of `multiple`, aspect kept."""
    photo = Image.open(path).convert("RGB")
    scale = min(1.0, math.sqrt(pixels / (photo.width * photo.height)))
    width, height = (max(multiple, round(side * scale) // multiple * multiple) for side in photo.size)
    photo = (
        photo if scale == 1 else photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.LANCZOS)
    )
    return torch.from_numpy(np.array(photo)[:height, :width]).permute(2, 0, 1)[None].float() / 255


def psnr(prediction: Tensor, truth: Tensor) -> float:
    """dB between pictures in [0, 1], the prediction rounded to 8 bits as a saved frame would be."""
    rounded = (prediction.clamp(0, 1) * 255).round() / 255
    return -10 * math.log10((rounded - truth).square().mean().item() + 1e-10)


def sharpness(image: Tensor, truth: Tensor) -> float:
    """Mean gradient of image over that of truth."""
    gradient = [x.diff(dim=-1).abs().mean() + x.diff(dim=-2).abs().mean() for x in (image, truth)]
    return (gradient[0] / gradient[1]).item()


def evaluate_photo(fine: FineAutoencoder, coarse: CoarseAutoencoder, image: Tensor) -> dict[str, float]:
    """image (1, 3, H, W) in [0, 1], H and W multiples of 8 -> figures in dB, sharpness as a ratio."""
    tokens = fine.encode(image).half().float()
    ramp = torch.linspace(0.7, -0.7, tokens.shape[-2])[:, None].expand(1, 1, *tokens.shape[-2:])
    alone = fine.decode(coarse.decode(coarse.encode(tokens, ramp))[0])
    return {
        "fine": psnr(fine.decode(tokens), image),
        "shifted": psnr(fine.decode(F.avg_pool2d(tokens, 2, 1)), image[..., 1:-1, 1:-1]),
        "coarse": psnr(alone, image),
        "coarse_sharpness": sharpness(alone, image),
    }


def summary(values: list[float]) -> dict[str, float]:
    """Median and range, rounded to hundredths."""
    return {"median": round(float(np.median(values)), 2), "min": round(min(values), 2), "max": round(max(values), 2)}


@torch.no_grad()
def decode_seconds(fine: FineAutoencoder, height: int = 1080, width: int = 1920) -> dict[str, float]:
    """Best of three, processor seconds per frame of that size: on one thread the same as time on a quiet machine."""
    image, times = torch.rand(1, 3, height, width), {"encode": math.inf, "decode": math.inf}
    for _ in range(3):
        start = time.process_time()
        tokens = fine.encode(image)
        middle = time.process_time()
        fine.decode(tokens)
        times["encode"] = min(times["encode"], middle - start)
        times["decode"] = min(times["decode"], time.process_time() - middle)
    return {name: round(value, 3) for name, value in times.items()}


@torch.no_grad()
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of jpg or png photos")
    parser.add_argument(
        "--model",
        type=Path,
        default=EMBEDDED_FOLDER,
        help="folder with autoencoder/ and, unless it is the embedded model, coarse_autoencoder/",
    )
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    paths = sorted(p for p in args.photos.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not paths:
        parser.error(f"--photos {args.photos} holds no jpg or png file")
    fine = FineAutoencoder.from_pretrained(args.model / "autoencoder", torch_dtype=torch.float32)
    coarse = CoarseAutoencoder.from_pretrained(coarse_folder(args.model), torch_dtype=torch.float32)
    report = {"threads": args.threads, "cpu_seconds_1920x1080": decode_seconds(fine), "photos": {}}
    for size, pixels in SIZES.items():
        for path in paths:
            figures = evaluate_photo(fine, coarse, load_photo(path, pixels))
            report["photos"].setdefault(path.stem, {})[size] = {k: round(v, 2) for k, v in figures.items()}
        for name in figures:
            report[f"{name}_{size}"] = summary([photo[size][name] for photo in report["photos"].values()])
    print(json.dumps(report))


if __name__ == "__main__":
    main()

"""What a chunk costs the large engine: python benchmarks/transformer.py [--device meta|cpu|cuda] [--tiny]

Regime: the 5B transformer with random weights and the control branch of each family, a later chunk of 33 frames at
704x1280: 4 references, 9 targets, 2 preceding latents, as many steps as the family takes and two passes in each where
it has guidance. On the meta device (default) nothing is computed: operations are counted, and the bytes that are alive
beside the weights. On a GPU the same chunk is run in bfloat16, each part after a warm-up: the control constants (what
`forward` computes in the first step only), one step with control and one without, stock diffusers on the same tokens
(a time for every token, no references, no control), and the decoder, whole and in tiles.
What the memory takes: the z-buffer, which is work of the CPU and measured on every device, at the chunk's 11 cameras
for its tokens and, twice as fine, for the mask of what moved, and of a pixel readout at its 33 cameras as fine;
`pictures`, new key frames decoded again from their tokens, which a pixel
readout paints with and the mask of what moved compares with; of a pixel readout `paint`, which has nothing to count on
the meta device, and `encode`, two videos. `readout_share` of the chunk: z-buffer, paint and control constants;
`autoencoder_share`: pictures and encode. On the meta device operations are taken at an H100's full speed for it.
--tiny: a toy model, to try the script where no GPU is. The last line of stdout is one JSON object.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipelines import Camera, LatentMemory  # noqa: E402
from pipelines.large import profiles  # noqa: E402
from pipelines.large.costs import CARDS  # noqa: E402
from pipelines.large.families import LAYOUTS, WAN_VAE, Layout, spread_evenly  # noqa: E402
from pipelines.large.metering import metered  # noqa: E402
from pipelines.large.painting import paint  # noqa: E402
from pipelines.large.tiles import Tiles  # noqa: E402
from pipelines.large.transformer import MirageTransformer3DModel  # noqa: E402
from pipelines.large.video import VideoDecoder  # noqa: E402

REFERENCES, TARGETS, PRECEDING = 4, 9, 2
FRAMES = 32  # new ones
TINY = dict(num_attention_heads=2, attention_head_dim=12, text_dim=32, freq_dim=16, ffn_dim=32, num_layers=30)


class Meter:
    """Counts operations on the meta device, seconds elsewhere."""

    def __init__(self, device: str):
        self.device = device

    @torch.no_grad()
    def __call__(self, work, repeats: int = 3) -> float:
        """Operations of one call of `work` on meta; else the median of its seconds."""
        if self.device == "meta":
            with FlopCounterMode(display=False) as counter:
                work()
            return float(counter.get_total_flops())
        work()
        seconds = []
        for _ in range(repeats):
            self.wait()
            start = time.perf_counter()
            work()
            self.wait()
            seconds.append(time.perf_counter() - start)
        return sorted(seconds)[repeats // 2]

    def wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()


def built(cls, device: str, dtype: torch.dtype, **config) -> torch.nn.Module:
    """A model with random weights, made where it will be: the full size never passes through this machine's memory."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            return cls(**config).eval()
    finally:
        torch.set_default_dtype(default)


def five_chunks(rows: int, columns: int) -> tuple[LatentMemory, list[Camera]]:
    """A memory of 41 views of rows x columns tokens along a slide, and their cameras."""
    cameras = []
    for i in range(41):
        c2w = np.eye(4)
        c2w[0, 3] = 0.02 * i
        cameras.append(Camera(Camera.from_fov(60, rows, columns).K, c2w, rows, columns))
    memory, depth = LatentMemory(48), torch.linspace(2, 4, 2 * columns).expand(2 * rows, -1)
    for camera in cameras:
        memory.write(torch.randn(48, rows, columns), depth, camera)
    return memory, cameras


def least_processor_seconds(work, repeats: int = 3) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def measure(device: str, tiny: bool, layout: Layout) -> dict:
    meter, dtype = Meter(device), torch.bfloat16 if device == "cuda" else torch.float32
    rows, columns = (4, 6) if tiny else (44, 80)
    config = TINY if tiny else {}
    frames, place = REFERENCES + TARGETS + PRECEDING, {"device": device, "dtype": dtype}
    latents = torch.randn(1, 48, frames, rows, columns, **place)
    control = torch.randn(1, 96, TARGETS + PRECEDING, rows, columns, **place)
    text = torch.randn(1, 512, config.get("text_dim", 4096), **place)
    # A meta tensor has no values, so distinct times cannot be told from each other: there, all frames share one.
    times = torch.full((1,) if device == "meta" else (1, frames), 500.0, device=device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    model = built(
        MirageTransformer3DModel, device, dtype, vace_layers=spread_evenly(layout.control_blocks, 30), **config
    )
    known = {}
    model(latents, times, text, control, REFERENCES, constants=known)

    def step(control, **kept):
        return lambda: model(latents, times, text, control, REFERENCES if control is not None else 0, **kept)

    parts = {"step": meter(step(control, constants=known)), "step_alone": meter(step(control))}
    parts["constants"] = max(0.0, parts["step_alone"] - parts.pop("step"))
    parts["step"] = parts.pop("step_alone") - parts["constants"]
    parts["step_without_control"] = meter(step(None))
    parameters = sum(p.numel() for p in model.parameters())
    alive = metered(lambda _: step(control, constants=known)()).peak if device == "meta" else None
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else None
    model = known = None  # room for the next

    stock_config = {"ffn_dim": 14336, "num_layers": 30, "num_attention_heads": 24, **config}
    stock = built(WanTransformer3DModel, device, dtype, in_channels=48, out_channels=48, **stock_config)
    tokens = frames * rows * columns // 4
    per_token = torch.full((1, tokens), 500.0, device=device)
    parts["stock_step"] = meter(lambda: stock(latents, per_token, text))
    stock = None

    vae = built(
        AutoencoderKLWan, device, dtype, **({**WAN_VAE, "base_dim": 8, "decoder_base_dim": 8} if tiny else WAN_VAE)
    )

    def decode() -> None:
        tiles, decoder = Tiles(vae, rows, columns), VideoDecoder(vae)
        for index, tile in enumerate(tiles.of(latents[0, :, :TARGETS])):
            for _ in decoder.videos(tile, index, torch.device("cpu") if len(tiles) > 1 and device != "meta" else None):
                pass

    parts["decode"] = meter(decode)
    memory, cameras = five_chunks(rows, columns)
    latent_cameras, frame_cameras = cameras[-TARGETS - PRECEDING :], cameras[-1 - FRAMES :]
    fine = 2 * rows, 2 * columns
    readouts = [(latent_cameras, rows, columns), (latent_cameras, *fine)]
    if pixels := layout.readout == "pixel":
        readouts.append((frame_cameras, *fine))
    z_buffer = sum(least_processor_seconds(lambda at=at: memory.readout(*at)) for at in readouts)
    parts["pictures"] = (TARGETS - 1) * meter(lambda: list(VideoDecoder(vae).videos(latents[0, :, :1])))
    parts["paint"] = parts["encode"] = 0.0
    if pixels:
        video = torch.zeros(1, 3, 1 + FRAMES, 16 * rows, 16 * columns, **place)
        parts["encode"] = 2 * meter(lambda: vae.encode(video))  # what is shown, and where nothing is
        if device != "meta":
            readout, pictures = memory.readout(frame_cameras, *fine), dict.fromkeys(range(41), video[0, :, 0].float())
            parts["paint"] = meter(lambda: paint(readout, pictures, 16 * rows, 16 * columns))
    profiles.use_tiles(vae)
    parts["decode_tiled"] = meter(decode)
    passes = layout.num_inference_steps * (1 if layout.guidance_scale == 1 else 2)
    chunk = passes * parts["step"] + sum(parts[name] for name in ("constants", "decode", "pictures", "paint", "encode"))
    speed = CARDS["H100"][0] if device == "meta" else 1
    readout = z_buffer + (parts["paint"] + parts["constants"]) / speed
    return {
        "layout": layout.name,
        "control_blocks": layout.control_blocks,
        "tokens": tokens,
        "parameters": parameters,
        "GiB_bfloat16": round(2 * parameters / 2**30, 2),
        "GiB_8bit": round(parameters / 2**30, 2),
        **{name: scaled(value, device) for name, value in parts.items()},
        "passes": passes,
        "chunk": scaled(chunk, device),
        "per_frame": scaled(chunk / FRAMES, device),
        "control_over_none": round(parts["step"] / parts["step_without_control"], 3),
        "against_stock": round(parts["step_without_control"] / parts["stock_step"], 3),
        "z_buffer_seconds": round(z_buffer, 4),
        "readout_share": round(readout / (z_buffer + chunk / speed), 4),
        "autoencoder_share": round((parts["pictures"] + parts["encode"]) / chunk, 4),
        "alive_GiB": None if alive is None else round(alive / 2**30, 2),
        "peak_GiB": None if peak is None else round(peak / 2**30, 2),
    }


def scaled(value: float, device: str) -> float:
    """TFLOP on the meta device, seconds elsewhere."""
    return round(value / 1e12 if device == "meta" else value, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("meta", "cpu", "cuda"), default="meta")
    parser.add_argument("--tiny", action="store_true", help="a toy model and 64x96 pixels")
    args = parser.parse_args()
    if args.device == "cpu" and not args.tiny:
        parser.error("the full size on a CPU takes hours: add --tiny, or use --device meta")
    torch.manual_seed(0)
    runs = [measure(args.device, args.tiny, layout) for layout in LAYOUTS.values()]
    machine = torch.cuda.get_device_name() if args.device == "cuda" else args.device
    unit = "TFLOP" if args.device == "meta" else "seconds"
    print(json.dumps({"machine": machine, "unit": unit, "torch": torch.__version__, "runs": runs}))


if __name__ == "__main__":
    main()
